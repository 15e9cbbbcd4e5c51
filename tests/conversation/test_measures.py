"""inspect, timeline, extract and the tables of items take their measures from one place: they agree to the millisecond."""

from __future__ import annotations

import base64
import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm import conversation
from realtime_pcm.recording import analyse, read_recording
from support.shared import NO_SHARED, shared_files

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("typer")

from realtime_pcm import arrow  # noqa: E402 -- it needs pyarrow
from support.extracted import extracted  # noqa: E402 -- it needs typer

HEADER = json.dumps({"recording": "realtime-pcm", "version": 1, "started": "2026-01-01T00:00:00+00:00"})
# Those of the Realtime API: the frames of other sockets are refused.
CAPTURES = [path for path in shared_files("captures", "*.jsonl*") if not path.name.startswith(("gemini", "sockets"))]


def measures(given: Path | bytes) -> None:
    """Asserts that all ways agree on the turns, the latencies and the words of a recording."""
    source: Any = io.BytesIO(given) if isinstance(given, bytes) else given
    found = analyse(source)
    state = conversation.ConversationState(most=10_000)
    with read_recording(io.BytesIO(given) if isinstance(given, bytes) else given) as recording:
        for entry in recording:
            if entry.message is not None:
                state.follow(entry.message, entry.time)
    said = [(turn.began, turn.latency, turn.latency_from, turn.text_latency, turn.responses) for turn in found.turns]
    assert [(turn.began, turn.latency, turn.latency_from, turn.text_latency, turn.responses) for turn in state.turns] == said
    assert [(tool.call_id, tool.seconds) for tool in state.tool_calls] == [(tool.call_id, tool.seconds) for tool in found.tools]
    table = arrow.items(arrow.read(io.BytesIO(given) if isinstance(given, bytes) else str(given))).to_pylist()
    waited = sorted(round(turn.latency, 6) for turn in found.turns if turn.latency is not None)
    assert sorted(round(row["latency"], 6) for row in table if row["latency"] is not None) == waited
    times = Counter(item.item_id for item in state.items)  # several sessions of one recording may have an item of one id
    words = {item.item_id: item.text for item in state.items if item.item_id is not None and times[item.item_id] == 1}
    for row in table:
        if row["transcript"] and row["item_id"] in words:
            assert row["transcript"].strip() == words[row["item_id"]], row["item_id"]
    for item in found.items:
        if item.item_id in words and item.text and not item.text_left_out:
            assert item.text.strip() == words[item.item_id], item.item_id
    audio = {item.item_id: item.audio_seconds for item in state.items if item.item_id in words and item.side == "model"}
    for row in table:
        if row["item_id"] in audio and row["seconds"] is not None:
            assert round(row["seconds"], 6) == round(audio[row["item_id"]], 6), row["item_id"]
    written, spoken = extracted(source)
    assert {id_: text for id_, text in written.items() if id_ in words and text} == {
        id_: text for id_, text in words.items() if text
    }
    assert {id_: round(spoken[id_], 6) for id_ in audio} == {id_: round(seconds, 6) for id_, seconds in audio.items()}


@pytest.mark.skipif(not CAPTURES, reason=NO_SHARED)
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_of_every_capture(path: Path) -> None:
    measures(path)


class Talk:
    """A random conversation: turns by voice, text and commit; answers with tools, several responses, and none."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.jumps = seed % 5 == 4  # its clock has faults
        self.odd_ids = seed % 5 == 3
        self.seconds = 0.0
        self.numbers = 0
        self.lines = [HEADER]

    def line(self, direction: str, kind: str, **fields: Any) -> None:
        self.seconds = round(self.seconds + self.random.choice([0.0, 0.01, 0.1, 0.9]), 3)
        event = {"type": kind, **fields}
        time = self.seconds
        if self.jumps and self.lines[1:] and self.random.random() < 0.1:
            step = self.random.choice([-5.0, -0.5, 4_000.0, 1e9, -1e9])
            time += step
            self.seconds = round(self.random.choice([self.seconds, time]), 3)
        self.lines.append(json.dumps({"time": time, "direction": direction, "event": event}))

    def name(self, kind: str) -> str:
        self.numbers += 1
        length = self.random.choice([0, 512, 513, 5_000]) if self.odd_ids and self.random.random() < 0.2 else None
        return f"{kind}_{self.numbers}" if length is None else f"{self.numbers}".ljust(length, "é")[:length]

    def user(self) -> None:
        item = self.name("user")
        way = self.random.choice(["voice", "commit", "text", "nothing"])
        if way == "voice":
            self.line("received", "input_audio_buffer.speech_started", item_id=item, audio_start_ms=0)
            self.line("received", "input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=900)
        if way == "commit":
            self.line("sent", "input_audio_buffer.commit")
        if way in ("voice", "commit") and self.random.random() < 0.8:
            self.line("received", "input_audio_buffer.committed", item_id=item)
            for _ in range(self.random.choice([0, 1, 2])):
                wire = "conversation.item.input_audio_transcription.completed"
                self.line("received", wire, item_id=item, transcript=self.name("Said"))
        if way == "text":
            made = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": self.name("Written")}]}
            self.line("sent", "conversation.item.create", item=made)
            if self.random.random() < 0.7:
                self.line("received", "conversation.item.added", item={**made, "id": item})
        if way in ("text", "nothing") or self.random.random() < 0.2:
            self.line("sent", "response.create")

    def answer(self, tool: bool) -> None:
        response_id, item = self.name("resp"), self.name("item")
        ids = {"response_id": response_id, "item_id": item, "output_index": 0}
        self.line("received", "response.created", response={"id": response_id})
        if tool:
            call = self.name("call")
            wire = "response.function_call_arguments.done"
            self.line("received", wire, **ids, call_id=call, name="f", arguments="{}")
        else:
            for number in range(self.random.choice([0, 1, 3])):
                wire = self.random.choice(["response.output_audio_transcript", "response.output_text"])
                words = self.name("word")
                if self.random.random() < 0.5:
                    field = "text" if wire.endswith("text") else "transcript"
                    self.line("received", f"{wire}.delta", **ids, content_index=0, delta=words[:3])
                    self.line("received", f"{wire}.done", **ids, content_index=0, **{field: words})
                else:
                    self.line("received", f"{wire}.delta", **ids, content_index=0, delta=words)
                sound = base64.b64encode(bytes(self.random.choice([0, 2, 480]))).decode()
                self.line("received", "response.output_audio.delta", **ids, content_index=number, delta=sound)
        if self.random.random() < 0.1:
            self.line("sent", "response.cancel")
        status = self.random.choice(["completed", "completed", "cancelled", "failed"])
        if self.random.random() < 0.9:
            self.line("received", "response.done", response={"id": response_id, "status": status})
        if tool and self.random.random() < 0.9:
            self.line("sent", "conversation.item.create", item={"type": "function_call_output", "call_id": call, "output": "x"})
            self.line("sent", "response.create")

    def whole(self) -> bytes:
        for _ in range(self.random.randrange(1, 6)):
            self.user()
            for _ in range(self.random.choice([0, 1, 1, 2])):
                self.answer(self.random.random() < 0.3)
        return "".join(f"{line}\n" for line in self.lines).encode()


@pytest.mark.parametrize("seeds", [range(150), pytest.param(range(150, 1_000), marks=pytest.mark.slow)])
def test_of_random_conversations(seeds: range) -> None:
    waited = 0
    for seed in seeds:
        recording = Talk(seed).whole()
        try:
            measures(recording)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        waited += recording.count(b"output_audio.delta")
    assert waited > len(seeds)
