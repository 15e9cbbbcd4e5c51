"""What PlaybackBuffer and PlaybackTracker promise, in plain Python: one sample at a time, every rule as it is written down.

`run` does the same random operations to both and to the models, with the ids, ends and repetitions of all kinds of servers mixed.
tests/playback/test_playback_model.py runs it; docs/hardening and CONTRIBUTING name the long form.
"""

from __future__ import annotations

import array
import json
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import playback
from realtime_pcm.playback import Interruption, PlaybackBuffer, PlaybackTracker
from support.session_frames import delta, done, dumps, response, session

RATE = 24_000


@dataclass
class Given:
    """A delta as the models take it."""

    response_id: str | None
    item_id: str | None
    content_index: int | None
    samples: list[int]
    offset: int | None
    event_id: str | None
    wire: str

    @property
    def item(self) -> tuple[str | None, str | None]:
        return self.response_id or None, self.item_id or None


@dataclass
class Answer:
    response_id: str | None
    interrupted: bool = False


@dataclass(eq=False)
class Item:
    """The audio of one content part."""

    ids: tuple[str | None, str | None]
    content_index: int | None
    answer: Answer | None
    expected: int = 0  # the offset that comes next
    shift: int = 0  # place = offset + shift
    last_index: int | None = None
    over: bool = False  # its end has come
    ended: bool = False  # and no sample found room since
    gone: bool = False
    short: bool = False  # its last samples were refused
    places: list[int] = field(default_factory=list)  # of the samples that were queued
    heard: int = 0  # how many of these were heard

    @property
    def received(self) -> int:
        return self.expected + self.shift


class ModelConversation:
    def __init__(self) -> None:
        self.items: list[Item] = []  # those since the interruption before
        self.open: list[Item] = []  # those whose ids name them; what spoke last stands last
        self.answers: list[Answer] = []
        self.announced = False
        self.silenced: set[tuple[str | None, str | None]] = set()
        self.before: Given | None = None
        self.late = self.duplicates = 0

    def answer_of(self, response_id: str | None) -> Answer | None:
        named = [answer for answer in self.answers if answer.response_id == response_id]
        return named[0] if named else self.answers[-1] if self.answers else None

    def find(self, ids: tuple[str | None, str | None], content_index: int | None) -> Item | None:
        mine = [item for item in self.open if item.ids == ids]
        for item in mine:
            if item.content_index == content_index:
                return item
        return mine[-1] if mine and not mine[-1].over else None

    @staticmethod
    def is_repeated(before: Given, given: Given) -> bool:
        """Of two deltas of the same samples: whether the second is the first once more, by its name or its event_id."""
        return before.wire != given.wire or (bool(given.event_id) and before.event_id == given.event_id)

    def place(self, given: Given) -> tuple[Item, int, list[int]] | None:
        """The item, how many samples came before, and the places of the others."""
        count = len(given.samples)
        before, self.before = self.before, given
        repeated = before is not None and before.samples == given.samples and self.is_repeated(before, given)
        if repeated and before is not None and before.wire != given.wire:
            self.before = None
        answer = self.answer_of(given.item[0])
        if (answer and answer.interrupted) or given.item in self.silenced:
            self.late += count
            return None
        item = self.find(given.item, given.content_index)
        if repeated:
            self.duplicates += count
            if item and item.expected == given.offset:
                item.expected += count
                item.shift -= count
            return None
        if item is None or (item.over and given.item[1] is None):
            if item:
                self.open.remove(item)
            item = Item(given.item, given.content_index, answer)
            self.items.append(item)
        elif given.offset == 0 and (item.over or item.last_index != given.content_index):
            item.shift, item.expected = item.received, 0
        start = item.expected if given.offset is None else given.offset
        new = [place for place in range(start, start + count) if place >= item.expected]
        self.duplicates += count - len(new)
        if not new:
            return None
        item.expected = start + count
        item.over = False
        item.last_index = given.content_index
        if item in self.open:
            self.open.remove(item)
        self.open.append(item)
        return item, count - len(new), [place + item.shift for place in new]

    def end(self, items: list[Item]) -> None:
        for item in items:
            if not item.over:
                item.over = item.ended = True

    def created(self, response_id: str | None) -> None:
        self.announced = True
        self.answers = [answer for answer in self.answers if answer.response_id != response_id] + [Answer(response_id)]
        self.silenced.clear()

    def response_done(self, response_id: str | None) -> None:
        ended = [answer for answer in self.answers if answer.response_id == response_id] or self.answers
        self.answers = [answer for answer in self.answers if answer not in ended]
        self.silenced = {ids for ids in self.silenced if ids[0] is not None and ids[0] != response_id}
        over = [
            item
            for item in self.open
            if item.ids[0] == response_id
            or (item.answer is None and item.ids[0] is None)
            or (item.answer is not None and not any(item.answer is answer for answer in self.answers))
        ]
        self.end(over)
        self.open = [item for item in self.open if item not in over]

    def audio_done(self, ids: tuple[str | None, str | None], content_index: int | None) -> None:
        if ids == (None, None):
            if not self.announced:
                self.silenced.clear()
            self.end(self.open)
            return
        if not self.announced:
            self.silenced.discard(ids)
        item = self.find(ids, content_index)
        self.end([item] if item else [])

    def session(self) -> None:
        self.end(self.open)
        for item in self.items:
            item.gone = True
        self.open, self.answers, self.announced, self.before = [], [], False, None
        self.silenced.clear()

    def interrupted(self) -> dict[str, list[Any]]:
        """What is said of the items, whose `heard` is known; what is still due of them is silenced."""
        said: dict[str, list[Any]] = {name: [] for name in ("truncations", "unheard", "played", "unidentified")}
        heard_ids = set()
        for item in self.items:
            item_id, index = item.ids[1], item.content_index or 0
            complete = item.ended and not item.short and 0 < item.heard == len(item.places)
            samples = item.received if complete else item.places[item.heard - 1] + 1 if item.heard else 0
            end_ms = samples * 1000 // RATE
            if complete:
                said["played"].append((item_id, index, samples))
            elif item.gone:
                continue
            elif end_ms == 0:
                said["unheard"].append((item_id, index, samples, item.received))
                continue
            elif item_id is None:
                said["unidentified"].append((item_id, index, samples, end_ms, item.received))
            else:
                said["truncations"].append((item_id, index, samples, end_ms, item.received))
            heard_ids.add(item_id)
        said["deleted"] = [one[0] for one in said["unheard"] if one[0] is not None and one[0] not in heard_ids]
        for answer in self.answers:
            answer.interrupted = True
        self.silenced |= {item.ids for item in self.open if item.answer is None and not item.over}
        self.items, self.open = [], []
        return said

    def resume(self) -> None:
        for answer in self.answers:
            answer.interrupted = False
        self.silenced.clear()


class ModelPlayer:
    def __init__(self, capacity: int) -> None:
        self.conversation = ModelConversation()
        self.capacity = capacity
        self.queue: deque[tuple[int, Item]] = deque()
        self.output: list[Item | None] = []  # what each sample since the interruption before was
        self.gaps = 0
        self.refused = self.underruns = 0
        self.in_underrun = False

    def audio(self, given: Given) -> int:
        placed = self.conversation.place(given)
        if placed is None:
            return 0
        item, skip, places = placed
        accepted = 0
        for place, sample in zip(places, given.samples[skip:], strict=True):
            if len(self.queue) == self.capacity:
                self.refused += 1
                item.short = True
            else:
                self.queue.append((sample, item))
                item.places.append(place)
                item.short = item.ended = False
                accepted += 1
        return accepted

    def read(self, count: int) -> list[int]:
        given = [self.queue.popleft() for _ in range(min(count, len(self.queue)))]
        self.output += [item for _, item in given]
        if given:
            self.in_underrun = False
        if len(given) < count:
            self.output += [None] * (count - len(given))
            self.gaps += 1
            open_now = any(item.places and not item.ended for item in self.conversation.items)
            self.underruns += open_now and not self.in_underrun
            self.in_underrun = open_now
        return [sample for sample, _ in given]

    def interrupt(self, latency: int) -> dict[str, list[Any]]:
        for left in self.output[: max(0, len(self.output) - latency)]:
            if left is not None:
                left.heard += 1
        self.queue.clear()
        self.output.clear()
        self.gaps = 0
        self.in_underrun = False
        return self.conversation.interrupted()


class ModelTracker:
    def __init__(self) -> None:
        self.conversation = ModelConversation()
        self.samples: list[Item | None] = []  # what was sent since the interruption before
        self.marks: list[int] = []  # how many samples stand before each mark that is awaited
        self.heard = 0
        self.seconds = 0.0  # for which the first awaited message has had time

    def sent(self, given: Given) -> bool:
        placed = self.conversation.place(given)
        if placed is None:
            return False
        item, skip, places = placed
        if len(self.samples) == self.heard:
            self.seconds = 0.0
        self.samples += [None] * skip + [item] * len(places)
        item.places += places
        item.ended = False
        self.marks.append(len(self.samples))
        return True

    def acknowledge(self, number: int) -> None:
        """The mark at this place of those awaited."""
        self.heard = self.marks[number]
        del self.marks[: number + 1]
        self.seconds = 0.0

    def interrupt(self, played: int | None) -> dict[str, list[Any]]:
        heard = self.heard if played is None else min(played, len(self.samples))
        if played is None and self.marks:
            heard = min(self.marks[0], self.heard + int(self.seconds * RATE))
        for item in self.samples[:heard]:
            if item is not None:
                item.heard += 1
        self.samples.clear()
        self.marks.clear()
        self.heard = 0
        return self.conversation.interrupted()


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


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1.0

    def __call__(self) -> float:
        return self.seconds


class Run:
    """A player and a tracker, their models, and what is sent to all of them."""

    def __init__(self, seed: int, dtype: str, clock: Clock) -> None:
        self.random = random.Random(seed)
        self.clock = clock
        self.capacity = self.random.choice([50, 400, 3_000])
        self.dtype = dtype
        self.player = PlaybackBuffer(RATE, dtype=dtype, seconds=self.capacity / RATE)
        self.model = ModelPlayer(self.capacity)
        self.tracker = PlaybackTracker()
        self.model_tracker = ModelTracker()
        self.names: list[str] = []  # of the marks that are awaited
        # Two decoders cut one stream into messages in two ways; so a sample may come twice.
        self.decoders = [rp.Decoder(dtype=dtype), rp.Decoder(dtype=dtype)]
        self.written: deque[tuple[Any, Given]] = deque(maxlen=8)
        self.keys: list[tuple[Any, Any, Any]] = []
        self.numbers = 0
        self.counts = dict.fromkeys(("truncations", "unheard", "played", "unidentified", "deleted"), 0)
        self.tracked = dict.fromkeys(self.counts, 0)
        self.interruptions = 0

    def same_counts(self) -> None:
        player, model = self.player, self.model
        found = (player.queued, player.late, player.duplicates, player.refused, player.underruns, player.error, player.forgotten)
        told = model.conversation
        assert found == (len(model.queue), told.late, told.duplicates, model.refused, model.underruns, None, 0), found
        tracker, track = self.tracker, self.model_tracker
        tracked = (tracker.late, tracker.duplicates, tracker.unacknowledged, tracker.forgotten)
        told = track.conversation
        assert tracked == (told.late, told.duplicates, len(track.samples) - track.heard, 0), tracked

    def step(self) -> None:
        names = (
            "new_item",
            "write_audio",
            "write_again",
            "lose",
            "end",
            "read",
            "interrupt",
            "ignored",
            "acknowledge",
            "session",
        )
        getattr(self, self.random.choices(names, (4, 30, 3, 2, 4, 40, 2, 2, 6, 0.2))[0])()
        self.same_counts()

    # ---- what a server says beside its audio

    def new_item(self) -> None:
        """The ids of more audio, as one kind of server or the other makes them."""
        self.numbers += 1
        choice = self.random.choice
        fresh = f"r{self.numbers}"
        response_id = choice([fresh, fresh, fresh, "r", "", None])
        item_id = choice([f"i{self.numbers}"] * 3 + ["i", "", None])
        announced = choice([response_id, response_id, fresh, "r", None, ...])
        if announced is not ...:
            self.both("created", response("response.created", announced), announced or None)
        if self.keys and self.random.random() < 0.3:  # another item, or another part, of one that is there
            response_id, item_id, index = choice(self.keys)
            self.keys.append((response_id, item_id, (index or 0) + 1) if choice([0, 1]) else (response_id, fresh, None))
        else:
            self.keys.append((response_id, item_id, choice([0, 0, None, 3])))
        del self.keys[:-6]

    def both(self, what: str, frame: bytes, *arguments: Any) -> None:
        message = self.decoders[0].decode(frame)
        self.decoders[1].decode(frame)
        assert self.player.write(message) == 0 and self.tracker.sent(message) is None
        for model in (self.model, self.model_tracker):
            getattr(model.conversation, what)(*arguments)

    def end(self) -> None:
        choice = self.random.choice
        ids = choice(self.keys) if self.keys and self.random.random() < 0.9 else (None, None, None)
        if self.random.random() < 0.5:
            if self.random.random() < 0.2:
                ids = (*ids[:2], choice([0, 7, None]))
            frame = done(choice(["response.output_audio.done", "response.audio.done"]), **named(ids))
            self.both("audio_done", frame, (ids[0] or None, ids[1] or None), ids[2])
        else:
            response_id = choice([ids[0], ids[0], ids[0], f"r{self.numbers}", None]) or None
            self.both("response_done", response("response.done", response_id), response_id)

    def session(self) -> None:
        self.both("session", session("session.created"))

    def ignored(self) -> None:
        kinds = ["rate_limits.updated", "input_audio_buffer.speech_started", "never.heard.of"]
        message = rp.decode(dumps(type=self.random.choice(kinds)))
        assert self.player.write(message) == 0 and self.tracker.sent(message) is None

    # ---- its audio

    def message(self) -> tuple[Any, Given] | None:
        """The next message of an item that is coming in: decoded, and as the models take it."""
        if not self.keys:
            return None
        number = self.random.randrange(max(0, len(self.keys) - 3) if self.random.random() < 0.8 else 0, len(self.keys))
        key = self.keys[number]
        if self.random.random() < 0.1:  # content_index counts chunks
            self.keys[number] = (*key[:2], (key[2] or 0) + 1)
        count = self.random.choice([0, 1, 2, 5, 24, 60, 200])
        first = self.random.choice([0, self.random.randrange(30_000)])
        samples = [first and first + i for i in range(count)]  # or silence
        event_id = self.random.choice([None, None, "", "constant", f"e{self.random.randrange(1 << 30)}"])
        wire = "response.output_audio.delta" if self.random.random() < 0.9 else "response.audio.delta"
        return self.decoded(Given(*key, samples, None, event_id, wire))

    def decoded(self, given: Given) -> tuple[Any, Given]:
        key = (given.response_id, given.item_id, given.content_index)
        names = named(key) if given.event_id is None else {"event_id": given.event_id, **named(key)}
        frame = delta(np.array(given.samples, "<i2").tobytes(), given.wire, **names)
        way = self.random.choices((0, 1, 2), (20, 3, 1))[0]
        message: Any = rp.decode(frame, dtype=self.dtype) if way == 2 else self.decoders[way].decode(frame)
        return message, Given(*key, given.samples, message.sample_offset, given.event_id, given.wire)

    def write(self, message: Any, given: Given) -> None:
        accepted = self.player.write(message)
        name = self.tracker.sent(message)
        expected = self.model.audio(given) if given.samples else 0
        sent = self.model_tracker.sent(given) if given.samples else False
        assert (accepted, name is not None) == (expected, sent)
        if name is not None:
            self.names.append(name)

    def write_audio(self) -> None:
        made = self.message()
        if made is not None:
            self.written.append(made)
            self.write(*made)

    def write_again(self) -> None:
        """The caller writes a message once more, or the server sends one once more: the same, or under its other name."""
        if not self.written:
            return
        message, given = self.written[-1] if self.random.random() < 0.7 else self.random.choice(self.written)
        if self.random.random() < 0.3:
            self.write(message, given)
            return
        if self.random.random() < 0.4:
            given = Given(**(vars(given) | {"wire": "response.audio.delta", "event_id": "another"}))
        self.write(*self.decoded(given))

    def lose(self) -> None:
        self.message()

    # ---- the user's side

    def read(self) -> None:
        count = self.random.choice([0, 1, 7, 24, 64, 120, 480])
        expected = self.model.read(count)
        self.clock.seconds += count / 32_768  # a number that floats hold, so that no sample hangs on rounding
        self.model_tracker.seconds += count / 32_768
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

    def acknowledge(self) -> None:
        if self.names:
            number = self.random.randrange(len(self.names))
            assert self.tracker.acknowledge(self.names[number])
            assert not self.tracker.acknowledge(self.names[number])
            self.model_tracker.acknowledge(number)
            del self.names[: number + 1]

    def interrupt(self) -> None:
        # The player remembers 64 gaps.
        latency = self.random.choice([0, 0, 30, 200, 2_000]) if self.model.gaps < 60 else 0
        said, wanted = plain(self.player.interrupt(latency / RATE)), self.model.interrupt(latency)
        assert said == wanted, (said, wanted)
        played = self.random.choice([None, None, self.random.randrange(2_000)])
        tracked, wanted = plain(self.tracker.interrupt(played)), self.model_tracker.interrupt(played)
        assert tracked == wanted, (tracked, wanted)
        self.names.clear()
        self.interruptions += 1
        if self.random.random() < 0.1:
            for one in (self.player, self.tracker, self.model.conversation, self.model_tracker.conversation):
                one.resume()
        if self.random.random() < 0.7:
            self.keys.clear()  # the others come late
        for counts, told in ((self.counts, said), (self.tracked, tracked)):
            for name, items in told.items():
                counts[name] += len(items)


def named(key: tuple[Any, Any, Any]) -> dict[str, Any]:
    """The ids as a frame has them: those that are not None."""
    names = ("response_id", "item_id", "content_index")
    return {name: value for name, value in zip(names, key, strict=True) if value is not None}


def run(operations: int, seed: int = 1, dtype: str = "int16") -> dict[str, int]:
    """That many random operations, fresh players after each 5,000. What came of them; AssertionError where two differ."""
    total: dict[str, int] = {}
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(playback, "_now", clock)
        for start in range(0, operations, 5_000):
            one = Run(seed + start, dtype, clock)
            for number in range(min(5_000, operations - start)):
                try:
                    one.step()
                except AssertionError as error:
                    raise AssertionError(f"seed {seed + start}, operation {number}: {error}") from error
            player = one.player
            for name, count in (
                one.counts
                | {f"tracked {name}": count for name, count in one.tracked.items()}
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
