"""One short call, and ways to write it down.

Read rightly it has 24 frames, 1.2 s of the user's audio and 0.9 s of the model's, one turn, and a latency of 0.42 s.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from realtime_pcm.recording import read_recording
from realtime_pcm.recording.analysis import Analyser

BEGAN = datetime(2026, 3, 14, 9, 26, 53, 589000, UTC)
FRAMES, USER, MODEL, LATENCY = 24, 1.2, 0.9, 0.42


class Said(NamedTuple):
    """A frame of the call: when, which way ("received" or "sent"), and what."""

    time: float
    way: str
    frame: dict[str, Any]


def _audio(seconds: float, seed: int) -> str:
    return b64encode(np.random.default_rng(seed).integers(-9000, 9000, int(24_000 * seconds), np.int16).tobytes()).decode()


def call(suffix: str = "", delay: float = 0.0) -> list[Said]:
    """The frames of the call in their order. suffix: of all ids. delay: seconds that are added to each time."""
    session = {"id": f"sess{suffix}", "type": "realtime", "model": "gpt-realtime"}
    ids = {"response_id": f"resp{suffix}", "item_id": f"answer{suffix}", "output_index": 0, "content_index": 0}
    made = [Said(0.0, "received", {"type": "session.created", "event_id": f"e1{suffix}", "session": session})]
    made.append(
        Said(0.06, "sent", {"type": "session.update", "session": {"type": "realtime", "instructions": 'Say "hi", {briefly}.'}})
    )
    made.append(Said(0.11, "received", {"type": "session.updated", "event_id": f"e2{suffix}", "session": session}))
    for number in range(8):
        made.append(Said(0.3 + 0.15 * number, "sent", {"type": "input_audio_buffer.append", "audio": _audio(0.15, number)}))
    heard = {"item_id": f"question{suffix}"}
    made.append(Said(0.61, "received", {"type": "input_audio_buffer.speech_started", "audio_start_ms": 90, **heard}))
    made.append(Said(1.52, "received", {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 1100, **heard}))
    made.append(Said(1.53, "received", {"type": "input_audio_buffer.committed", "previous_item_id": None, **heard}))
    made.append(Said(1.58, "received", {"type": "response.created", "response": {"id": f"resp{suffix}", "output": []}}))
    for number in range(6):
        delta = {"type": "response.output_audio.delta", **ids, "delta": _audio(0.15, 100 + number)}
        made.append(Said(1.94 + 0.037 * number, "received", delta))
    made.append(Said(2.2, "received", {"type": "response.output_audio.done", **ids}))
    made.append(
        Said(2.21, "received", {"type": "response.output_audio_transcript.done", **ids, "transcript": 'Hello, {you}\n"né"'})
    )
    made.append(Said(2.3, "received", {"type": "response.done", "response": {"id": f"resp{suffix}", "status": "completed"}}))
    made.sort(key=lambda said: said.time)
    return [said._replace(time=said.time + delay) for said in made]


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def moment(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def iso(seconds: float) -> str:
    return moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def figures(source: Any, **options: Any) -> tuple[int, float, float, int, float | None]:
    """Frames, seconds of the user, seconds of the model, turns, and the latency of the first turn. options: of read_recording."""
    analyser = Analyser()
    with read_recording(source, **options) as recording:
        for entry in recording:
            analyser.feed(entry)
        found = analyser.finish(recording)
    latency = found.turns[0].latency if found.turns else None
    heard = round(found.user_audio_seconds, 2), round(found.model_audio_seconds, 2)
    return found.frames, *heard, len(found.turns), None if latency is None else round(latency, 2)
