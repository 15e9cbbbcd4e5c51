"""PlaybackBuffer in plain Python: one tuple for every sample, and nothing that is clever.

`ModelPlayer` does what the docstrings of `realtime_pcm.playback` promise, for messages in the player's own rate and one channel.
`run` has both do the same random things, and says where they differ.
"""

from __future__ import annotations

import array
import json
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm.playback import Interruption, PlaybackBuffer
from support.session_frames import delta, done, dumps, response

RATE = 24_000


@dataclass
class Item:
    """One (response_id, item_id, content_index)."""

    key: tuple[Any, Any, Any]
    expected: int = 0
    ended: bool = False
    short: bool = False  # its last samples were refused
    places: list[int] = field(default_factory=list)  # of the samples that were queued
    heard: int = 0  # how many of these were heard


class ModelPlayer:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.queue: deque[tuple[int, Item]] = deque()
        self.items: dict[tuple[Any, Any, Any], Item] = {}
        self.order: list[Item] = []
        self.responses: set[str] = set()
        self.silenced: set[tuple[str, str]] = set()
        self.silenced_rest = False
        self.output: list[Item | None] = []  # what each sample since the interruption before was
        self.gaps = 0
        self.late = self.duplicates = self.refused = self.underruns = 0
        self.in_underrun = False

    def audio(self, key: tuple[Any, Any, Any], samples: list[int], offset: int | None) -> int:
        response_id, item_id, _ = key
        without_ids = response_id is None and item_id is None
        if not samples:
            return 0
        if ("r", response_id) in self.silenced or ("i", item_id) in self.silenced or (without_ids and self.silenced_rest):
            self.late += len(samples)
            return 0
        item = self.items.get(key)
        if item is None or (item.ended and without_ids):
            item = self.items[key] = Item(key)
            self.order.append(item)
        if item.ended:
            self.duplicates += len(samples)
            return 0
        start = item.expected if offset is None else offset
        accepted = 0
        for place, sample in enumerate(samples, start):
            if place < item.expected:
                self.duplicates += 1
            elif len(self.queue) == self.capacity:
                self.refused += 1
                item.short = True
            else:
                self.queue.append((sample, item))
                item.places.append(place)
                item.short = False
                accepted += 1
        item.expected = max(item.expected, start + len(samples))
        return accepted

    def created(self, response_id: str | None) -> None:
        if response_id is not None:
            self.responses.add(response_id)
        self.silenced_rest = False

    def response_done(self, response_id: str | None) -> None:
        self.responses.discard(response_id)
        for item in self.items.values():
            if item.key[0] == response_id:
                item.ended = True

    def audio_done(self, key: tuple[Any, Any, Any]) -> None:
        if key in self.items:
            self.items[key].ended = True

    def read(self, count: int) -> list[int]:
        given = [self.queue.popleft() for _ in range(min(count, len(self.queue)))]
        self.output += [item for _, item in given]
        if given:
            self.in_underrun = False
        if len(given) < count:
            self.output += [None] * (count - len(given))
            self.gaps += 1
            open_now = any(item.places and not item.ended for item in self.items.values())
            self.underruns += open_now and not self.in_underrun
            self.in_underrun = open_now
        return [sample for sample, _ in given]

    def interrupt(self, latency: int) -> dict[str, list[Any]]:
        for left in self.output[: max(0, len(self.output) - latency)]:
            if left is not None:
                left.heard += 1
        said: dict[str, list[Any]] = {"truncations": [], "unheard": [], "played": [], "unidentified": []}
        heard_ids = set()
        for item in self.order:
            _, item_id, index = item.key
            samples = item.places[item.heard - 1] + 1 if item.heard else 0
            complete = item.ended and not item.short and 0 < item.heard == len(item.places)
            end_ms = samples * 1000 // RATE
            if complete:
                said["played"].append((item_id, index or 0, samples))
            elif end_ms == 0:
                said["unheard"].append((item_id, index or 0, samples, item.expected))
                continue
            elif item_id is None:
                said["unidentified"].append((item_id, index or 0, samples, end_ms, item.expected))
            else:
                said["truncations"].append((item_id, index or 0, samples, end_ms, item.expected))
            heard_ids.add(item_id)
        said["deleted"] = [one[0] for one in said["unheard"] if one[0] is not None and one[0] not in heard_ids]
        self.silenced |= {("r", id) for id in self.responses}
        for item in self.order:
            if item.key[0] is not None:
                self.silenced.add(("r", item.key[0]))
            if item.key[1] is not None:
                self.silenced.add(("i", item.key[1]))
        self.silenced_rest = True
        self.responses.clear()
        self.queue.clear()
        self.items.clear()
        self.order.clear()
        self.output.clear()
        self.gaps = 0
        self.in_underrun = False
        return said


def plain(said: Interruption) -> dict[str, list[Any]]:
    """An Interruption as the model says it; its frames are read back."""
    frames = [json.loads(cut.frame) for cut in said.truncations]
    for cut, frame in zip(said.truncations, frames, strict=True):
        assert frame == {
            "type": "conversation.item.truncate",
            "item_id": cut.item_id,
            "content_index": cut.content_index,
            "audio_end_ms": cut.audio_end_ms,
        }
    deletes = [json.loads(item.delete_frame) for item in said.unheard if item.delete_frame is not None]
    assert all(frame["type"] == "conversation.item.delete" for frame in deletes)
    assert all(cut.frame == "" for cut in said.unidentified)
    return {
        "truncations": [(c.item_id, c.content_index, c.samples, c.audio_end_ms, c.received) for c in said.truncations],
        "unidentified": [(c.item_id, c.content_index, c.samples, c.audio_end_ms, c.received) for c in said.unidentified],
        "unheard": [(c.item_id, c.content_index, c.samples, c.received) for c in said.unheard],
        "played": [(c.item_id, c.content_index, c.samples) for c in said.played],
        "deleted": [frame["item_id"] for frame in deletes],
    }


class Run:
    """One player and one model, and what is sent to both."""

    def __init__(self, seed: int, dtype: str) -> None:
        self.random = random.Random(seed)
        self.capacity = self.random.choice([50, 400, 3_000])
        self.dtype = dtype
        self.player = PlaybackBuffer(RATE, dtype=dtype, seconds=self.capacity / RATE)
        self.model = ModelPlayer(self.capacity)
        # Two decoders cut one stream into messages in two ways; so a sample may come twice.
        self.decoders = [rp.Decoder(dtype=dtype), rp.Decoder(dtype=dtype)]
        self.written: deque[tuple[Any, ...]] = deque(maxlen=8)
        self.keys: list[tuple[Any, Any, Any]] = []
        self.sent: dict[tuple[int, tuple[Any, Any, Any]], int] = {}
        self.numbers = 0
        self.counts = dict.fromkeys(("truncations", "unheard", "played", "unidentified", "deleted"), 0)
        self.interruptions = 0

    def same_counts(self) -> None:
        player, model = self.player, self.model
        found = (player.queued, player.late, player.duplicates, player.refused, player.underruns, player.error, player.forgotten)
        assert found == (len(model.queue), model.late, model.duplicates, model.refused, model.underruns, None, 0), found

    def step(self) -> None:
        getattr(
            self,
            self.random.choices(
                ("new_item", "write_audio", "write_again", "lose", "end", "read", "interrupt", "ignored"),
                (4, 30, 3, 2, 3, 50, 2, 2),
            )[0],
        )()
        self.same_counts()

    def new_item(self) -> None:
        self.numbers += 1
        number = self.numbers
        kind = self.random.random()
        if kind < 0.6:  # a response of its own
            response_id: str | None = f"r{number}"
            self.both("created", response("response.created", response_id), response_id)
            self.keys.append((response_id, f"i{number}", 0))
        elif kind < 0.85 and self.keys:  # another item, or another part, of one that is there
            response_id, item_id, index = self.random.choice(self.keys)
            self.keys.append((response_id, item_id, (index or 0) + 1) if kind < 0.7 else (response_id, f"i{number}", None))
        else:
            if kind < 0.95:
                self.both("created", response("response.created", None), None)
            self.keys.append((None, None, None))
        del self.keys[:-6]

    def both(self, what: str, frame: bytes, argument: Any) -> None:
        message = self.decoders[0].decode(frame)
        self.decoders[1].decode(frame)
        self.player.write(message)
        getattr(self.model, what)(argument)

    def message(self) -> tuple[Any, ...] | None:
        """The next message of an item that is coming in: decoded, and as the model takes it."""
        if not self.keys:
            return None
        key = self.random.choice(self.keys[-3:] if self.random.random() < 0.8 else self.keys)
        names = {
            name: value for name, value in zip(("response_id", "item_id", "content_index"), key, strict=True) if value is not None
        }
        way = self.random.choices((0, 1, 2), (20, 3, 1 if key[1] is None else 0))[0]
        count = self.random.choice([0, 1, 2, 5, 24, 60, 200])
        start = self.sent.get((way, key), 0)
        samples = [(start + i) * 31 + len(key[1] or "") * 7 & 0x7FFF for i in range(count)]
        frame = delta(np.array(samples, "<i2").tobytes(), **names)
        if way == 2:
            return rp.decode(frame, dtype=self.dtype), key, samples, None
        message: Any = self.decoders[way].decode(frame)
        self.sent[way, key] = start + count
        return message, key, samples, message.sample_offset

    def write(self, given: tuple[Any, ...]) -> None:
        message, key, samples, offset = given
        accepted = self.player.write(message)
        assert accepted == self.model.audio(key, samples, offset)

    def write_audio(self) -> None:
        given = self.message()
        if given is not None:
            self.written.append(given)
            self.write(given)

    def write_again(self) -> None:
        if self.written:
            self.write(self.random.choice(self.written))

    def lose(self) -> None:
        self.message()

    def end(self) -> None:
        if not self.keys:
            return
        response_id, _, _ = key = self.random.choice(self.keys)
        if self.random.random() < 0.5:
            names = {
                name: value
                for name, value in zip(("response_id", "item_id", "content_index"), key, strict=True)
                if value is not None
            }
            self.both("audio_done", done(**names), key)
        else:
            self.both("response_done", response("response.done", response_id), response_id)

    def read(self) -> None:
        count = self.random.choice([0, 1, 7, 24, 64, 120, 480])
        expected = self.model.read(count)
        way = self.random.randrange(5)
        letter = "h" if self.dtype == "int16" else "f"
        out: Any
        if way == 0:
            out = np.full(count, 77, self.dtype)
        elif way == 1:
            out = np.full((count, 1), 77, self.dtype)
        elif way == 2:
            out = bytearray(b"\x77" * (count * np.dtype(self.dtype).itemsize))
        elif way == 3:
            out = array.array(letter, [77] * count)
        else:
            out = memoryview(np.full(count, 77, self.dtype))  # type: ignore[arg-type]
        assert self.player.read(out) == len(expected)
        found = np.frombuffer(out, self.dtype) if count else np.zeros(0, self.dtype)
        wanted = np.zeros(count, np.float32)
        wanted[: len(expected)] = expected
        assert np.array_equal(found, wanted if self.dtype == "int16" else wanted / 32768)

    def interrupt(self) -> None:
        # The player remembers 64 gaps.
        latency = self.random.choice([0, 0, 30, 200, 2_000]) if self.model.gaps < 60 else 0
        said, wanted = plain(self.player.interrupt(latency / RATE)), self.model.interrupt(latency)
        assert said == wanted, (said, wanted)
        self.interruptions += 1
        if self.random.random() < 0.7:
            self.keys.clear()  # the others come late
        for name, items in said.items():
            self.counts[name] += len(items)

    def ignored(self) -> None:
        message = rp.decode(
            dumps(type=self.random.choice(["rate_limits.updated", "input_audio_buffer.speech_started", "never.heard.of"]))
        )
        assert self.player.write(message) == 0


def run(operations: int, seed: int = 1, dtype: str = "int16") -> dict[str, int]:
    """That many random operations, a fresh player after each 5,000. What came of them; AssertionError where the two differ."""
    total: dict[str, int] = {}
    for start in range(0, operations, 5_000):
        one = Run(seed + start, dtype)
        for number in range(min(5_000, operations - start)):
            try:
                one.step()
            except AssertionError as error:
                raise AssertionError(f"seed {seed + start}, operation {number}: {error}") from error
        player = one.player
        for name, count in (
            one.counts
            | {
                "interruptions": one.interruptions,
                "late": player.late,
                "duplicates": player.duplicates,
                "refused": player.refused,
                "underruns": player.underruns,
            }
        ).items():
            total[name] = total.get(name, 0) + count
    return total
