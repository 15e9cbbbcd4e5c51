"""A conversation made by hand, whose latencies, gaps and interruption are known: three turns, both sides, 34 seconds.

0.90 - 3.90   the user speaks; speech_stopped comes at 3.92, the first audio at 4.42: latency 0.5 s
5.17 - 5.64   a gap: the fourth piece comes at 5.64, when 0.75 s of audio have been played
8.67          the user speaks again: interruption; the client truncates at 3,900 ms of 9,250
11.12         speech_stopped; a tool is called at 11.80 and answered at 12.65; the first audio at 13.30: 2.18 s
14.90         the server tells an error
21.72         speech_stopped; the first audio at 22.90: 1.18 s
33.99         a bad frame
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["RATE", "conversation", "events", "tone", "write"]

RATE = 24_000
SECONDS = 34.0

Event = tuple[float, str, dict[str, Any]]


def tone(seconds: float, height: int = 8000) -> bytes:
    """A tone of int16 samples, louder and softer four times a second."""
    places = np.arange(round(seconds * RATE)) / RATE
    return (height * np.sin(2 * np.pi * 220 * places) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * places))).astype("<i2").tobytes()


def base64(data: bytes) -> str:
    return b64encode(data).decode()


def events(words: str = "Hi, has my parcel left the warehouse yet?", tool: str = "change_address") -> list[Event]:
    """The frames of the conversation with their times and directions, in order."""
    made: list[Event] = []

    def received(time: float, **frame: Any) -> None:
        made.append((time, "received", frame))

    def sent(time: float, **frame: Any) -> None:
        made.append((time, "sent", frame))

    def user(number: int, start: float, end: float, text: str) -> None:
        item = f"user_{number}"
        received(start + 0.12, type="input_audio_buffer.speech_started", item_id=item, audio_start_ms=int(start * 1000))
        received(end + 0.02, type="input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=int(end * 1000))
        received(end + 0.03, type="input_audio_buffer.committed", item_id=item)
        usage = {"type": "duration", "seconds": 3}
        received(
            end + 0.9, type="conversation.item.input_audio_transcription.completed", item_id=item, content_index=0,
            transcript=text, usage=usage,
        )  # fmt: skip

    def model(number: int, at: float, text: str, seconds: float, waits: tuple[float, ...] = ()) -> None:
        ids = {"response_id": f"response_{number}", "item_id": f"model_{number}", "content_index": 0}
        received(at - 0.3, type="response.created", response={"id": ids["response_id"], "status": "in_progress"})
        received(at - 0.05, type="response.output_audio_transcript.delta", **ids, delta=text)
        data = tone(seconds)
        for place, begin in enumerate(range(0, len(data), RATE // 2)):  # a quarter of a second each
            received(at, type="response.output_audio.delta", **ids, delta=base64(data[begin : begin + RATE // 2]))
            at += waits[place] if place < len(waits) else 0.06
        received(at, type="response.output_audio.done", **ids)
        usage = {"total_tokens": 200, "input_tokens": 80, "output_tokens": 120, "cost": 0.0031}
        received(at + 0.01, type="response.done", response={"id": ids["response_id"], "status": "completed", "usage": usage})

    received(0.01, type="session.created", session={"type": "realtime", "id": "session_1", "model": "gpt-realtime"})
    for piece in range(round(SECONDS / 0.1)):
        at = round((piece + 1) * 0.1, 6)
        speaks = any(start <= at - 0.05 < end for start, end in ((0.9, 3.4), (8.55, 10.6), (19.0, 21.2)))
        sent(at, type="input_audio_buffer.append", audio=base64(tone(0.1, 6000 if speaks else 20)))
    user(1, 0.9, 3.9, words)
    model(1, 4.42, "Good news: it went out this morning.", 9.25, (0.06, 0.06, 1.1))
    user(2, 8.55, 11.1, "Wait, can you change the address?")
    cut = {"item_id": "model_1", "content_index": 0, "audio_end_ms": 3900}
    sent(8.72, type="conversation.item.truncate", **cut)
    received(8.80, type="conversation.item.truncated", **cut)
    call = {"id": "call_item", "type": "function_call", "name": tool, "call_id": "call_1", "arguments": ""}
    received(11.5, type="response.created", response={"id": "response_2", "status": "in_progress"})
    received(11.6, type="response.output_item.added", response_id="response_2", output_index=0, item=call)
    received(
        11.8, type="response.function_call_arguments.done", response_id="response_2", item_id="call_item", call_id="call_1",
        name=tool, arguments='{"street":"Elm Street 4"}',
    )  # fmt: skip
    received(11.85, type="response.done", response={"id": "response_2", "status": "completed", "output": [call]})
    sent(12.65, type="conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "{}"})
    sent(12.66, type="response.create")
    model(3, 13.3, "Done: it now goes to Elm Street 4.", 5.0)
    received(14.9, type="error", error={"type": "invalid_request_error", "code": "item_not_found", "message": "No such item."})
    user(3, 19.0, 21.7, "No thanks, that is all. Bye!")
    model(4, 22.9, "You are welcome. Goodbye!", 2.6)
    received(27.0, type="mystery.event", x=1)
    received(33.99, type="response.output_audio.delta", response_id="response_4", delta="AAA*")
    return sorted(made, key=lambda event: event[0])


def write(path: Path, made: list[Event], *, times: bool = True, sides: tuple[str, ...] = ("received", "sent")) -> Path:
    """A recording of frames; without times, plain frames."""
    lines = ({"time": time, "direction": side, "event": frame} if times else frame for time, side, frame in made if side in sides)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def conversation(folder: Path, **options: Any) -> Path:
    """The whole conversation as a file."""
    return write(folder / "call.jsonl", events(), **options)
