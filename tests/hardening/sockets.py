"""Frames of other sockets at random, and one of each kind with every byte flipped, against orjson, pybase64 and declared paths.

Their fields lie at paths: members are dropped, doubled, renamed and moved at every level. `python tests/hardening sockets` is the
long run.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pybase64

import realtime_pcm as rp
from realtime_pcm import _core
from realtime_pcm._core import wire_class
from realtime_pcm.sockets import Catalogue, catalogues
from support.socket_conversations import ALL, b64, played

from .differential import TIERS
from .generate import _SPACES, Generator
from .mutation import flips, truncations
from .reference import same_value

Side = Literal["server", "client"]
_SOUND = b64(bytes(range(1, 242)))


def _more() -> dict[str, list[tuple[Side, dict[str, Any]]]]:
    """Frames of catalogues and classes that no conversation has."""
    media = {"track": "inbound", "chunk": "2", "timestamp": "20", "payload": _SOUND}
    parts = [{"inlineData": {"mimeType": "audio/pcm", "data": b64(bytes((number,)) * 9)}} for number in range(1, 4)]
    start = {"media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}, "custom_parameters": {"a": [1]}}
    formats = {"encoding": "audio/x-l16", "sampleRate": 16_000}
    return {
        "telnyx": [
            ("server", {"event": "start", "sequence_number": "1", "stream_id": "s1", "start": start}),
            ("server", {"event": "media", "sequence_number": "4", "media": media, "stream_id": "s1"}),
            ("server", {"event": "mark", "stream_id": "s1", "mark": {"name": "m"}}),
            ("client", {"event": "media", "media": {"payload": _SOUND}}),
        ],
        "plivo": [
            ("server", {"event": "start", "start": {"streamId": "s1", "mediaFormat": formats}}),
            ("server", {"event": "media", "media": media, "streamId": "s1"}),
            ("client", {"event": "playAudio", "streamId": "s1", "media": {"contentType": "audio/x-mulaw", "payload": _SOUND}}),
        ],
        "exotel": [
            ("server", {"event": "start", "stream_sid": "s1", "start": {"media_format": {"encoding": "raw/slin"}}}),
            ("server", {"event": "media", "sequence_number": 3, "media": media, "stream_sid": "s1"}),
            ("client", played(0.1)),
        ],
        "elevenlabs-tts": [
            (
                "server",
                {"audio": _SOUND, "isFinal": None, "alignment": {"chars": ["h"], "charStartTimesMs": [0]}, "contextId": "c"},
            ),
            ("client", {"text": "Hello ", "voice_settings": {"speed": 1.0}, "flush": True}),
        ],
        "gemini": [
            ("server", {"serverContent": {"modelTurn": {"parts": [*parts, {"text": "Hi", "thought": True}]}}}),
            ("client", {"realtime_input": {"audio": {"data": _SOUND.replace("/", "_"), "mimeType": "audio/pcm;rate=16000"}}}),
            ("client", {"realtimeInput": {"activityStart": {}}}),
            ("client", {"realtimeInput": {"audio": {"mimeType": "audio/pcm;rate=16000", "data": _SOUND}, "text": "Hi"}}),
        ],
        "elevenlabs": [
            ("server", {"audio_event": {"audio_base_64": _SOUND, "event_id": 2, "alignment": {"chars": ["h"]}}, "type": "audio"}),
            ("server", {"type": "ping", "ping_event": {"event_id": 2, "ping_ms": 20}}),
            ("client", {"user_audio_chunk": _SOUND}),
            ("client", {"type": "pong", "event_id": 2}),
        ],
        "acs": [
            ("server", {"kind": "AudioData", "audioData": {"timestamp": "t", "data": _SOUND, "participantRawID": "8:acs:x"}}),
            ("client", {"Kind": "AudioData", "AudioData": {"Data": _SOUND}, "StopAudio": None}),
        ],
        "twilio": [],
    }


@dataclass(frozen=True)
class Kind:
    """Frames of one class, and one of them."""

    catalogue: Catalogue[Any, Any]
    side: Side
    frame: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.catalogue.name} {self.side} {_type_of(self.frame, getattr(self.catalogue, self.side))}"


def kinds() -> list[Kind]:
    """One of each class that a frame is known of."""
    found: dict[str, Kind] = {}
    more = _more()
    for catalogue in catalogues():
        sides: dict[str, Side] = {"received": "server", "sent": "client"}
        frames = [(sides[way], frame) for _, way, frame in ALL.get(catalogue.name, [])] + more[catalogue.name]
        for side, frame in frames:
            kind = Kind(catalogue, side, frame)
            longer = kind.name not in found or len(str(frame)) > len(str(found[kind.name].frame))
            if len(str(frame)) < 3000 and longer:
                found[kind.name] = kind
    return list(found.values())


# ---- What a frame should decode to


def _type_of(value: dict[str, Any], side: Any) -> str | None:
    """The wire name of a frame, and "" or another string for none that is known."""
    names = side.wire_names()
    if side.tag is None and not side.by_key:
        return str(names[0])
    holder = value if side.inside is None else value.get(side.inside)
    if not isinstance(holder, dict):
        return ""
    tag = None if side.tag is None else holder.get(side.tag)
    if isinstance(tag, str):
        return tag
    return next((name for name in names if name in holder), "") if side.by_key else ""


def _at(value: Any, path: Any) -> Iterator[Any]:
    """The values at a path, in the order of the frame."""
    if not path:
        yield value
    elif path[0] is ...:
        for element in value if isinstance(value, list) else ():
            yield from _at(element, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _path(place: Any) -> Any:
    return (place,) if isinstance(place, str) else place


@dataclass
class Expected:
    """What a frame holds. cls: None for the unknown message."""

    cls: Any
    type: str
    value: dict[str, Any]
    payload: bytes | None


def expect(frame: bytes | str, kind: Kind) -> Expected | None:
    """What the frame holds; None where it is to be refused."""
    try:
        value = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None
    if type(value) is not dict:
        return None
    side = getattr(kind.catalogue, kind.side)
    name = _type_of(value, side) or ""
    cls = wire_class(kind.side, name, kind.catalogue)
    if cls is None:
        return Expected(None, name, value, None)
    layout: Any = cls._layout
    if not layout.payload_places:
        return Expected(cls, name, value, None)
    parts = [one for place in layout.payload_places for one in _at(value, _path(place)) if one is not None]
    if not all(type(one) is str for one in parts):
        return None
    if len(parts) > 1 and _is_mixed(value, layout):
        return None
    try:
        data = [_decoded(one, side.url_safe) for one in parts]
    except ValueError:
        return None
    return Expected(cls, name, value, b"".join(data))


def _is_mixed(value: dict[str, Any], layout: Any) -> bool:
    """Whether the fields of the format differ from element to element."""
    for wanted in ("format", "sample_rate", "channels"):
        said = layout.fields.get(layout.reads.get(wanted, wanted))
        for place in () if said is None else said.places:
            found = [one for one in _at(value, place) if one is not None] if not isinstance(place, str) else []
            if any(one != found[0] for one in found):
                return True
    return False


def _decoded(text: str, url_safe: bool) -> bytes:
    if url_safe:
        text = text.replace("-", "+").replace("_", "/")
    return pybase64.b64decode(text, validate=True, canonical=True)


def differences(message: Any, expected: Expected) -> list[str]:
    """Where a message, decoded with dtype="uint8", is not what the frame holds."""
    if expected.cls is None:
        unknown = isinstance(message, (rp.messages.UnknownMessage, rp.client_messages.UnknownClientMessage))
        same = unknown and (message.type, message.to_dict()) == (expected.type, expected.value)
        return [] if same else [f"{type(message).__name__} {message.type!r}, not the unknown message {expected.type!r}"]
    if type(message) is not expected.cls:
        return [f"class {type(message).__name__}"]
    found = [] if message.type == expected.type else [f"type {message.type!r}"]
    for name in type(message).__match_args__:
        if name == "pcm":
            if message.pcm.tobytes() != expected.payload:
                found.append(f"pcm of {message.pcm.size} bytes, not {len(expected.payload or b'')}")
            continue
        places = type(message)._layout.fields[name].places
        firsts = [next((one for one in _at(expected.value, _path(place)) if one is not None), None) for place in places]
        wanted = [one for one in firsts if one is not None] or [None]
        value = getattr(message, name)
        if not any(same_value(value, one) for one in wanted):
            found.append(f"{name} {value!r}, not {wanted!r}")
    return found


# ---- Frames at random


class Shaker:
    """Frames of one seed: those of a kind, with their members shaken at every level."""

    def __init__(self, seed: int) -> None:
        self.generator = Generator(seed, 5000)
        self.random = self.generator.random

    def frame(self, kind: Kind) -> bytes:
        words = [word for name in getattr(kind.catalogue, kind.side).wire_names() for word in (name,)]
        words += ["type", "event", "kind", "Kind", "media", "payload", "data", "parts", "inlineData", "audio", "mimeType"]
        text = self._value(kind.frame, words, 1.0)
        if self.random.random() < 0.1:
            text = self.random.choice(_SPACES) + text + self.random.choice(_SPACES)
        return self.generator.mutated(text) if self.random.random() < 0.12 else text

    def _value(self, value: Any, words: list[str], keep: float = 0.97) -> bytes:
        draw, rng = self.random.random, self.random
        if draw() > keep:
            return self.generator.value()
        if isinstance(value, dict):
            members = [(key, self._value(inner, words)) for key, inner in value.items() if draw() < 0.96]
            odd = draw()
            if odd < 0.06 and members:
                members.insert(rng.randrange(len(members) + 1), rng.choice(members))
            elif odd < 0.12 and members:
                key, _ = rng.choice(members)
                members.insert(rng.randrange(len(members) + 1), (key, self.generator.value()))
            elif odd < 0.18:
                members.insert(rng.randrange(len(members) + 1), (rng.choice(words), self._value(value, words, 0.5)))
            elif odd < 0.24:
                members.insert(rng.randrange(len(members) + 1), (rng.choice(words), self.generator.value()))
            elif odd < 0.3 and members:
                place = rng.randrange(len(members))
                members[place] = (rng.choice(words), members[place][1])
            if draw() < 0.3:
                rng.shuffle(members)
            space = rng.choice(_SPACES) if draw() < 0.05 else b""
            written = [self.generator.string(key, 0.05) + b":" + space + text for key, text in members]
            return b"{" + space + (b"," + space).join(written) + space + b"}"
        if isinstance(value, list):
            elements = [self._value(inner, words) for inner in value for _ in range(1 + (draw() < 0.1))]
            return b"[" + b",".join(elements) + b"]"
        if isinstance(value, str):
            if len(value) > 40 and draw() < 0.3:
                return self.generator.payload()
            return self.generator.string(value, 0.05)
        return orjson.dumps(value)


# ---- Both compared, on every tier


def check(frames: list[bytes], kind: Kind, turn: int = 0) -> Iterator[str]:
    """What differs, one line each: verdict, position and payload on each tier, fields on one in turn."""
    expected = [expect(frame, kind) for frame in frames]
    options: dict[str, Any] = {"side": kind.side, "catalogue": kind.catalogue}
    first: list[Any] = []
    for number, tier in enumerate(TIERS):
        _core._use_tier(tier)
        for index, frame in enumerate(frames):
            results: list[Any] = []
            for dtype in ("uint8", "int16"):
                try:
                    message = rp.decode(frame, dtype=dtype, **options)  # type: ignore[call-overload, unused-ignore]
                except rp.DecodeError as error:
                    results.append((error.reason, error.position, error.message_type, error.field))
                    if dtype == "uint8":
                        message_of_bytes: Any = error
                    continue
                results.append(message.pcm.tobytes() if hasattr(message, "pcm") else None)
                if dtype == "uint8":
                    message_of_bytes = message
            if number == 0:
                first.append(results)
            elif first[index] != results:
                yield f"{kind.name}: {tier}: {results!r:.300}, {TIERS[0]}: {first[index]!r:.300}: {frame!r}"
            wanted = expected[index]
            if isinstance(message_of_bytes, rp.DecodeError):
                # Two spellings of one format differ in the frame, and are equal to orjson.
                spelt = b"\\" in frame and message_of_bytes.reason == "audio of two formats in one message"
                if wanted is not None and not spelt:
                    yield f"{kind.name}: {tier}: refused, {message_of_bytes}: {frame!r}"
            elif wanted is None:
                yield f"{kind.name}: {tier}: accepted: {frame!r}"
            elif (index + turn + number) % len(TIERS) == 0:
                for difference in differences(message_of_bytes, wanted):
                    yield f"{kind.name}: {tier}: {difference}: {frame!r}"


def mutate(kind: Kind, every_value: bool = False) -> tuple[int, list[str]]:
    """How many mutants of the frame of a kind there are, and what differs from the reference on some tier."""
    before = rp.simd_tier()
    frame = orjson.dumps(kind.frame)
    mutants = [*truncations(frame), *flips(frame, every_value)]
    found = list(check(mutants, kind))
    _core._use_tier(before)
    return len(mutants), found


def run_one(task: tuple[int, int]) -> tuple[int, Counter[str], list[str]]:
    """(seed, frames) -> (seed, what was seen, what differs)."""
    seed, count = task
    shaker = Shaker(seed)
    seen: Counter[str] = Counter()
    found: list[str] = []
    before = rp.simd_tier()
    every = kinds()
    while seen["frames"] < count and not found:
        kind = shaker.random.choice(every)
        frames = [shaker.frame(kind) for _ in range(min(200, count - seen["frames"]))]
        seen["frames"] += len(frames)
        seen[kind.name] += len(frames)
        found += check(frames, kind, seen["frames"])
    _core._use_tier(before)
    return seed, seen, found


def run(frames: int, processes: int, seed: int, every_value: bool) -> int:
    """The long run; returns the exit status."""
    started = time.monotonic()
    share = 10_000
    tasks = [(seed + number, min(share, frames - number * share)) for number in range(-(-frames // share))]
    seen: Counter[str] = Counter()
    differing = mutants = 0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for task_seed, task_seen, found in pool.imap_unordered(run_one, tasks):
            seen += task_seen
            differing += bool(found)
            for line in found[:3]:
                print(f"seed {task_seed}: {line[:2000]}")
    total = seen.pop("frames")
    print(f"{total:,} frames of {len(seen)} kinds: {differing} seeds with differences", file=sys.stderr)
    for kind in kinds():
        count, found = mutate(kind, every_value)
        mutants += count
        differing += len(found)
        for line in found[:3]:
            print(line[:2000])
    seconds = time.monotonic() - started
    print(
        f"{total:,} frames and {mutants:,} mutants of {len(seen)} kinds on {', '.join(TIERS)} in {seconds:.0f} s: "
        f"{differing} differences"
    )
    return 1 if differing else 0
