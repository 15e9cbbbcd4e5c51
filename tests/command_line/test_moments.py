"""A moment of a recording is the same one in all commands: extract places items and samples where inspect and timeline do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")


from realtime_pcm.recording import analyse
from support.command import read_wav, run
from support.conversation import base64, conversation, tone, write

RATE = 24_000
Frames = list[tuple[float, str, dict[str, Any]]]


class Heard:
    """Takes samples as the timeline does, and lays them where they are told to stand."""

    def __init__(self) -> None:
        self.sides = {"user": np.zeros(0, np.int16), "model": np.zeros(0, np.int16)}

    def add(self, side: str, start: float, samples: np.ndarray, rate: int, channels: int) -> None:
        assert (rate, channels) == (RATE, 1)
        first = round(start * rate)
        lane = self.sides[side]
        lane = np.pad(lane, (0, max(0, first + len(samples) - len(lane))))
        assert not lane[first + 1 : first + len(samples)].any()  # nothing stands over something else
        lane[first : first + len(samples)] = samples
        self.sides[side] = lane

    def unhear(self, start: float, end: float) -> None:
        self.sides["model"][round(start * RATE) : round(end * RATE)] = 0


def delta(time: float, seconds: float, item: str, response: str) -> tuple[float, str, dict[str, Any]]:
    frame = {"type": "response.output_audio.delta", "response_id": response, "item_id": item, "content_index": 0}
    return time, "received", frame | {"delta": base64(tone(seconds))}


def append(time: float, seconds: float) -> tuple[float, str, dict[str, Any]]:
    return time, "sent", {"type": "input_audio_buffer.append", "audio": base64(tone(seconds))}


def interleaved() -> Frames:
    """Two items of one response, piece by piece in turn; one queue plays them."""
    return [delta(1 + 0.05 * n, 0.5, f"m{n % 2}", "r") for n in range(8)]


def cancelled() -> Frames:
    """Nobody says how much was heard; pieces that come late are not heard."""
    done = {"type": "response.done", "response": {"id": "r1", "status": "cancelled"}}
    return [append(0.3, 0.3), delta(1.0, 4.0, "m1", "r1"), (2.5, "sent", {"type": "response.cancel"}),
            delta(2.6, 0.5, "m1", "r1"), (2.65, "received", done), delta(2.7, 0.5, "m2", "r2"), append(4.0, 0.3)]  # fmt: skip


def clocks() -> Frames:
    """A clock that is put back by a minute, and once says next year."""
    return [append(0.5, 0.5), delta(1.0, 0.5, "m1", "r1"), append(3e7, 0.5), append(2.0, 0.5), delta(-57.0, 0.5, "m2", "r2"),
            delta(-56.0, 0.5, "m3", "r3"), append(-54.0, 0.5)]  # fmt: skip


def made_by_the_client() -> Frames:
    """A message of the user with audio, which the user did not speak then."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": base64(tone(1.0))}]}
    return [append(0.5, 0.5), (1.0, "sent", {"type": "conversation.item.create", "item": item}), delta(2.5, 0.5, "m1", "r1"),
            append(4.0, 0.5)]  # fmt: skip


def without_ids() -> Frames:
    """A translator's audio has no ids: after a pause it is another item."""
    return [(0.1 * n + (5.0 if n > 5 else 0.0), "received", {"type": "session.output_audio.delta", "delta": base64(tone(0.1))})
            for n in range(10)]  # fmt: skip


def moments(tmp_path: Path, path: Path, status: int) -> list[dict[str, Any]]:
    """Extracts, compares, and gives the items of the summary."""
    sink = Heard()
    found = analyse(path, sink=sink)
    run("extract", path, "--joined", "--out", tmp_path / "out", status=status)
    items: list[dict[str, Any]] = json.loads((tmp_path / "out" / "summary.json").read_bytes())["items"]
    rate, channels, both = read_wav(tmp_path / "out" / "joined.wav")
    assert (rate, channels) == (RATE, 2)
    for side, samples in zip(sink.sides.values(), (both[::2], both[1::2]), strict=True):
        last = np.flatnonzero(side)[-1] + 1 if side.any() else 0
        assert np.array_equal(samples[:last], side[:last]) and not samples[last:].any()
    # Items with an id are the same ones, and lie where they do in the picture.
    spoken = {(item.side, item.item_id): item for item in found.items if item.spoken and item.item_id}
    shared = [(one, spoken[one["side"], one["id"]]) for one in items if (one["side"], one["id"]) in spoken and one["files"]]
    assert len(shared) == len([one for one in items if one["id"] in {id for _, id in spoken} and one["files"]])
    for one, item in shared:
        assert (one["start"], one["end"]) == pytest.approx((item.start, item.end), abs=1e-3), one
        heard = None if item.heard_end is None else item.heard_end
        assert (one["heard_seconds"] is None) == (heard is None)
        assert one["seconds"] == pytest.approx(item.audio_seconds, abs=1e-3)
    return items


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize("sides", [("received", "sent"), ("received",), ("sent",)])
def test_a_conversation(tmp_path: Path, times: bool, sides: tuple[str, ...]) -> None:
    items = moments(tmp_path, conversation(tmp_path, times=times, sides=sides), 0 if sides == ("sent",) else 1)
    cut = [one for one in items if one["heard_seconds"] is not None]
    assert [(one["id"], one["heard_seconds"]) for one in cut] == ([] if sides == ("sent",) else [("model_1", 3.9)])


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize("make", [interleaved, cancelled, clocks, made_by_the_client, without_ids])
def test_what_is_hard_to_place(tmp_path: Path, make: Any, times: bool) -> None:
    path = write(tmp_path / "made.jsonl", make(), times=times)
    items = moments(tmp_path, path, 1 if times and make is clocks else 0)
    starts = [(one["side"], one["start"]) for one in items]
    if not times:
        return
    if make is interleaved:
        assert starts == [("model", 0.0), ("model", 0.5)] and [one["end"] for one in items] == [3.5, 4.0]
    if make is cancelled:
        assert [one["heard_seconds"] for one in items if one["side"] == "model"] == [1.5, None]
    if make is clocks:
        model = [one["start"] for one in items if one["side"] == "model"]
        assert model == pytest.approx([0.5, 1.5, 2.5])
    if make is made_by_the_client:
        assert [one["end"] for one in items if one["side"] == "user"] == pytest.approx([1.5, 3.5])
    if make is without_ids:
        assert [start for _, start in starts] == pytest.approx([0.0, 5.6])
