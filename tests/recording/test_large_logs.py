"""Logs that are large, mixed, or another one half-way: bounded memory, and never a wrong conversation without a word."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm.recording import RecordingError, read_recording
from support.logs import FRAMES, Said, call, compact, figures, iso

CALL = call()
BYTES = int(os.environ.get("REALTIME_PCM_LOG_BYTES", str(1 << 30)))
DELTA = compact({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "A" * 16_000})


class Made(io.RawIOBase):
    """A file that is made as it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._left = parts, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        if not self._left:
            self._left = next(self._parts, b"")
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def har(count: int) -> Iterator[bytes]:
    yield b'{"log":{"version":"1.2","entries":[{"request":{"url":"wss://x"},"_webSocketMessages":['
    for number in range(count):
        message = {"type": "receive", "time": 1777629600 + 0.1 * number, "opcode": 1, "data": DELTA}
        yield (b"," if number else b"") + compact(message).encode()
    yield b"]}]}}"


def prefixed(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield f"{iso(0.1 * number)} DEBUG recv {DELTA}\n".encode()


def nested(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield b'{"level":"info","time":"%b","data":{"event":%b}}\n' % (iso(0.1 * number).encode(), DELTA.encode())


def wrapped(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield b'{"time":"%b","event":%b}\n' % (iso(0.1 * number).encode(), DELTA.encode())


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "share"), [(har, 1), (prefixed, 8), (nested, 8), (wrapped, 4)])
def test_a_gigabyte_takes_no_memory(shape: Callable[[int], Iterator[bytes]], share: int) -> None:
    count = BYTES // share // len(DELTA)
    tracemalloc.start()
    try:
        with read_recording(io.BufferedReader(Made(shape(count)), 1 << 18)) as recording:
            assert sum(entry.message is not None for entry in recording) == count
        assert recording.refused == 0 and recording.notes == []
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


# --- five shapes

SHAPES: dict[str, Callable[[Said], str]] = {
    "wrapped": lambda one: compact({"t": one.time, "event": one.frame}),
    "text": lambda one: f"{iso(one.time)} {one.way} {compact(one.frame)}",
    "quoted": lambda one: compact({"ts_ms": int(one.time * 1000), "direction": one.way, "data": compact(one.frame)}),
    "inside": lambda one: compact({**one.frame, "timestamp": iso(one.time)}),
    "python": lambda one: f"{iso(one.time)} event={one.frame!r}",
}


def lines(shape: str, said: list[Said] = CALL) -> str:
    return "".join(SHAPES[shape](one) + "\n" for one in said)


def test_five_shapes_in_one_folder(tmp_path: Path) -> None:
    pytest.importorskip("typer")
    from support.command import run

    for shape in SHAPES:
        (tmp_path / f"{shape}.jsonl").write_text(lines(shape), encoding="utf-8")
    told = [json.loads(line) for line in run("inspect", tmp_path, "--json").output.splitlines()]
    assert [Path(one["recording"]).stem for one in told] == sorted(SHAPES)
    assert [(one["frames"], len(one["turns"]), round(one["turns"][0]["latency"], 2)) for one in told] == [(FRAMES, 1, 0.42)] * 5


@pytest.mark.parametrize("first", sorted(SHAPES))
@pytest.mark.parametrize("second", sorted(SHAPES))
def test_a_log_that_is_another_one_half_way(first: str, second: str) -> None:
    """Either all of it is read, or something is said: no call is told as another one in silence."""
    half = len(CALL) // 2
    data = (lines(first, CALL[:half]) + lines(second, CALL[half:])).encode()
    try:
        with read_recording(io.BytesIO(data)) as recording:
            entries = list(recording)
    except RecordingError:
        return
    if recording.notes or any(entry.error is not None for entry in entries):
        return
    assert len(entries) == FRAMES and all(entry.message is not None for entry in entries)
    assert figures(io.BytesIO(data))[4] == pytest.approx(0.42, abs=0.002)


def test_a_log_that_is_another_one_after_the_first_lines() -> None:
    many = call()[:1] + [Said(0.1 * number, "received", {**json.loads(DELTA), "delta": "AAABAAIA"}) for number in range(300)]
    data = (lines("wrapped", many) + lines("text", many)).encode()
    with read_recording(io.BytesIO(data)) as recording:
        entries = list(recording)
    assert sum(entry.message is not None for entry in entries) == 2 * len(many)
    assert "another shape" in str(entries[-1].error) and any("another shape" in note for note in recording.notes)
