"""Whole connections of other sockets at random, decoded by one Decoder each, against a model in plain Python.

The frames are made for what a decoder may guess: where the payload ends, what comes after it, which type a frame has whose type
comes last, which format its audio has. The model knows the declared paths, orjson, pybase64 and NumPy, and nothing of the walk.
`python tests/hardening sockets` runs many.
"""

from __future__ import annotations

import logging
import multiprocessing
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson

import realtime_pcm as rp
from realtime_pcm import _core
from realtime_pcm._core import role_of, roles_at
from support.socket_conversations import b64

from .differential import TIERS
from .generate import Generator
from .mutation import truncations
from .reference import samples
from .sockets import Expected, Kind, _at, _path, check, differences, expect, kinds

# Names of formats on the wire, and what they say.
FORMATS = {
    "audio/pcm": ("pcm16", 24_000),
    "audio/pcm;rate=24000": ("pcm16", 24_000),
    "audio/pcm;rate=16000": ("pcm16", 16_000),
    "audio/x-mulaw": ("g711_ulaw", 8000),
    "ulaw_8000": ("g711_ulaw", 8000),
    "audio/x-alaw": ("g711_alaw", 8000),
    "pcm_16000": ("pcm16", 16_000),
    "PCMU": ("g711_ulaw", 8000),
    "audio/x-l16": ("pcm16", 24_000),
    "PCM": ("pcm16", 24_000),
    "raw/slin": ("pcm16", 8000),
    "audio/mp3": (None, 24_000),
}
ENCODINGS = ("pcm16", "g711_ulaw", "g711_alaw")
_ENDS = ("audio_end", "response_end", "interrupted")
_NAMES = ("s1", "s2", "", "inbound", "é", "x" * 40)
_TAILS = (0, 1, 5, 40, 200, 400, 505, 511, 512, 513, 540, 600)
_OTHERS = (b"null", b"{}", b"[]", b'"x"', b"7", b"true", b'{"a":{"b":[1,"}"]}}', b"[[],{}]", b'""')


# ---- Frames


class Members(list[Any]):
    """An object as it is written: [key, value], in order, some of them twice."""


def _members(value: Any) -> Any:
    if isinstance(value, dict):
        return Members([key, _members(inner)] for key, inner in value.items())
    return [_members(inner) for inner in value] if isinstance(value, list) else value


def _copy(value: Any) -> Any:
    if isinstance(value, Members):
        return Members([key, _copy(inner)] for key, inner in value)
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


class Maker:
    """Frames of one seed."""

    def __init__(self, seed: int) -> None:
        self.generator = Generator(seed, 3000)
        self.random = self.generator.random

    def payload(self) -> bytes:
        """A JSON string of base64, or what should be one. Most are of a few bytes, and half of an odd number of them."""
        rng = self.random
        draw = rng.random()
        if draw < 0.08:
            return self.generator.payload()
        size = rng.choice((0, 1, 2, 3, 4, 5, 6, 47, 48, 100, 241, 384, 641, 1500))
        if draw > 0.985:
            size = rng.choice((12_000, 12_001, 60_000))
        text = b64(rng.randbytes(size)).encode()
        place = rng.randrange(len(text) + 1)
        if draw < 0.16 and text:
            text = text.replace(text[-1:], b"\\u%04x" % text[-1]) if rng.random() < 0.5 else text.replace(b"/", b"\\/")
        elif draw < 0.2:
            text = text[:-1]
        elif draw < 0.24:
            text = (
                text[:place]
                + rng.choice((b"*", b" ", b"-", b"_", b"=", b'\\"', b"\\n", b"\xff", b"\x01", b"\xc3\xa9"))
                + text[place:]
            )
        elif draw < 0.28:
            return rng.choice(_OTHERS)
        return b'"' + text + b'"'

    def tail(self) -> list[Any]:
        """A member of up to 600 bytes that no class knows."""
        rng = self.random
        size = max(rng.choice(_TAILS) - rng.randrange(12), 0)
        text = b"y" * size
        value = rng.choice((b'"%b"', b'{"z":"%b"}', b'["%b",1]', b'["a\\"%b","}"]')) % text
        return [rng.choice(("tail", "z", "alignment", "x" * 30)), value]

    def frame(self, kind: Kind) -> bytes:
        """A frame whose class has audio, changed in ways that a guess would miss."""
        rng = self.random
        layout: Any = expect_class(kind)._layout
        root = _members(kind.frame)
        path = _path(rng.choice(layout.payload_places))
        if not self._fits(root, path):
            path = next(found for place in layout.payload_places if self._fits(root, found := _path(place)))
        for name in ("response_id", "item_id", "format"):
            said = layout.fields.get(layout.reads.get(name, name))
            if said is not None and rng.random() < 0.5:
                value = rng.choice(list(FORMATS) if name == "format" else _NAMES)
                self._put(root, _path(said.places[0]), value)
        for name, role in roles_at(expect_class(kind)):
            if role in _ENDS and rng.random() < 0.1:
                self._put(root, _path(layout.fields[name].places[0]), rng.choice((True, True, False, None, 1)))
        said = layout.fields.get(layout.reads.get("format", "format"))
        self._parts(root, path, None if said is None else _path(said.places[0]))
        chain = self._fill(root, path)
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            self._change(chain, kind)
        if rng.random() < 0.5 and root:
            self._type_elsewhere(root, kind)
        space = rng.choice((b" ", b"\n  ", b"\t")) if rng.random() < 0.15 else b""
        text = self._written(root, space)
        if rng.random() < 0.06:
            return text[: rng.choice((rng.randrange(len(text)), max(len(text) - rng.randrange(1, 12), 0)))]
        return self.generator.mutated(text) if rng.random() < 0.05 else text

    def _fits(self, value: Any, path: Any) -> bool:
        """Whether the first key of a path is there, or there is only one path."""
        return any(key == path[0] for key, _ in value)

    def _put(self, value: Any, path: Any, wanted: Any) -> None:
        """Puts a value at a path, through the objects and elements that are there."""
        if isinstance(value, list) and not isinstance(value, Members):
            for inner in value if path[0] is ... else ():
                self._put(inner, path[1:], wanted)
        elif isinstance(value, Members):
            found = next((member for member in value if member[0] == path[0]), None)
            if len(path) > 1:
                if found is not None:
                    self._put(found[1], path[1:], wanted)
            elif found is not None:
                found[1] = wanted
            else:
                value.insert(self.random.randrange(len(value) + 1), [path[0], wanted])

    def _parts(self, root: Members, path: Any, form: Any) -> None:
        """No element of the array with the audio, one, or several, now and then one of another format."""
        if ... not in path:
            return
        value: Any = root
        for key in path[: path.index(...)]:
            value = next(inner for name, inner in value if name == key)
        count = self.random.choice((0, 1, 1, 1, 2, 3, 7))
        first = value[0]
        value[:] = [_copy(first) for _ in range(count)] + [_copy(one) for one in value[1:] if self.random.random() < 0.5]
        if value and form is not None and self.random.random() < 0.15:
            self._put(self.random.choice(value), form[path.index(...) + 1 :], self.random.choice(list(FORMATS)))

    def _fill(self, root: Members, path: Any) -> list[tuple[Members, int]]:
        """Puts payloads at the ends of a path. Returns the members on the way to one of them: of which object, at which place."""
        rng = self.random
        chain: list[tuple[Members, int]] = []
        value: Any = root
        for number, key in enumerate(path):
            if key is ...:
                for inner in value:
                    self._fill(inner, path[number + 1 :])
                if not value:
                    return chain
                value = rng.choice(value)
                continue
            if not isinstance(value, Members):
                return chain
            place = next((place for place, member in enumerate(value) if member[0] == key), None)
            if place is None:
                return chain
            chain.append((value, place))
            if number == len(path) - 1:
                value[place][1] = self.payload()
            value = value[place][1]
        return chain

    def _change(self, chain: list[tuple[Members, int]], kind: Kind) -> None:
        """Adds a member to one of the objects on the way to a payload, most often after it."""
        rng = self.random
        if not chain:
            return
        holder, place = rng.choice(chain)
        if place >= len(holder):
            return
        after = rng.randrange(place + 1, len(holder) + 1) if rng.random() < 0.8 else rng.randrange(len(holder) + 1)
        key, value = holder[place]
        match rng.randrange(7):
            case 0 | 1:
                holder.insert(after, self.tail())
            case 2:  # its duplicate: another payload, or another parent of one
                again = _copy(value)
                if isinstance(again, Members) and again and rng.random() < 0.6:
                    again[rng.randrange(len(again))][1] = self.payload()
                holder.insert(after, [key, self.payload() if isinstance(again, bytes) else again])
            case 3:
                holder.insert(after, [key, rng.choice(_OTHERS)])
            case 4:  # the name of another class, of a higher or lower rank
                words = getattr(kind.catalogue, kind.side).wire_names()
                chain[0][0].append([rng.choice(words), rng.choice((*_OTHERS, _copy(value)))])
            case 5:
                holder.insert(after, [rng.choice(("data", "payload", "audio", "delta", key)), self.payload()])
            case 6:
                rng.shuffle(holder)

    def _type_elsewhere(self, root: Members, kind: Kind) -> None:
        """The type as the last member, as the first one, twice, or another."""
        rng = self.random
        side = getattr(kind.catalogue, kind.side)
        place = next((place for place, member in enumerate(root) if member[0] == side.tag), None)
        if place is None:
            return
        tag = root.pop(place)
        root.insert(rng.choice((0, len(root), len(root), rng.randrange(len(root) + 1))), tag)
        if rng.random() < 0.15:
            root.append([tag[0], rng.choice((*side.wire_names(), 5, "other"))])

    def _written(self, value: Any, space: bytes) -> bytes:
        if isinstance(value, bytes):
            return value
        if isinstance(value, Members):
            members = [self.generator.string(key, 0.02) + b":" + space + self._written(inner, space) for key, inner in value]
            return b"{" + space + (b"," + space).join(members) + space + b"}"
        if isinstance(value, list):
            return b"[" + (b"," + space).join(self._written(inner, space) for inner in value) + b"]"
        escapes = isinstance(value, str) and value not in FORMATS
        return self.generator.string(value, 0.03) if escapes else orjson.dumps(value)


def expect_class(kind: Kind) -> Any:
    """The class of the frame of a kind."""
    expected = expect(orjson.dumps(kind.frame), kind)
    assert expected is not None
    return expected.cls


def audio_kinds() -> list[Kind]:
    """The kinds whose class has audio."""
    found = []
    for kind in kinds():
        layout = getattr(expect_class(kind), "_layout", None)
        if layout is not None and layout.payload_places:
            found.append(kind)
    return found


# ---- What a connection should make of them


@dataclass
class Stream:
    offset: int = 0
    carry: bytes = b""


@dataclass
class Answer:
    """What decode() should do. refused: raise a DecodeError. pcm: None for a message without audio."""

    refused: bool = False
    expected: Expected | None = None
    pcm: np.ndarray[Any, Any] | None = None
    form: tuple[str | None, int] | None = None
    offset: int = 0


class Unclear(Exception):
    """The model does not know: a field at two paths, a format with escapes (two spellings of one are two formats), an id that is
    a fraction, or a payload that `only=` does not check."""


@dataclass
class Line:
    """One side of a connection."""

    dtype: str
    unnamed: list[tuple[str | None, int]]  # the formats of input and output until a frame names them
    formats: list[tuple[str | None, int]] = field(default_factory=list)
    streams: dict[tuple[Any, ...], Stream] = field(default_factory=dict)
    evicted: int = 0

    def follow(self, frame: bytes, kind: Kind, wanted: bool) -> Answer:
        try:
            value = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return Answer(refused=True)
        if type(value) is not dict:
            return Answer(refused=True)
        expected = expect(frame, kind)
        if expected is None:
            if not wanted:
                raise Unclear  # its payload is not checked
            return Answer(refused=True)
        cls = expected.cls
        role = None if cls is None else role_of(cls)
        if role == "session_start":
            self._start(value, cls)
        elif role == "interrupted" and kind.side == "server":
            stream = self.streams.pop((None, None), None)
            self.evicted += 0 if stream is None else len(stream.carry)
        if expected.payload is None:
            return Answer(expected=expected)
        return self._audio(frame, expected, wanted)

    def _start(self, value: dict[str, Any], cls: Any) -> None:
        self.evicted += sum(len(stream.carry) for stream in self.streams.values())
        self.streams.clear()
        self.formats = [*self.unnamed]
        for place, name, rate in ((1, "format", "sample_rate"), (0, "input_format", "input_sample_rate")):
            said = _said(value, cls, name)
            if isinstance(said, str) and said:
                encoding, usual = FORMATS[said]
                self.formats[place] = encoding, _said(value, cls, rate) or usual

    def _audio(self, frame: bytes, expected: Expected, wanted: bool) -> Answer:
        value, cls, payload = expected.value, expected.cls, expected.payload
        assert payload is not None
        key = tuple(_id(_said(value, cls, name)) for name in ("response_id", "item_id"))
        encoding, rate = self.formats[not _is_input(cls)]
        name = _said(value, cls, "format")
        if isinstance(name, str) and name:
            spelt = [
                found
                for place in cls._layout.fields[cls._layout.reads.get("format", "format")].places
                for found in _at(value, _path(place))
            ]
            if name not in FORMATS or frame.count(b'"%b"' % name.encode()) < len([one for one in spelt if one is not None]):
                raise Unclear
            encoding, rate = FORMATS[name]
        rate = _said(value, cls, "sample_rate") or rate
        if _said(value, cls, "channels") not in (None, 1) or type(rate) is not int:
            raise Unclear
        width = 1 if self.dtype == "uint8" else {"pcm16": 2, None: 0}.get(encoding, 1)
        if payload and not width:
            return Answer(refused=wanted)
        stream = self.streams.get(key, Stream())
        carry = stream.carry if len(stream.carry) < width else b""
        pcm, rest = np.zeros(0, self.dtype), carry
        if payload:
            pcm, rest = samples(carry + payload, str(encoding), self.dtype)
        self.evicted += len(stream.carry) - len(carry)
        answer = Answer(False, expected, pcm, (encoding, rate), stream.offset)
        self.streams[key] = Stream(stream.offset + pcm.size, rest)
        if any(_said(value, cls, name) not in (None, False) for name, role in roles_at(cls) if role in _ENDS):
            self.evicted += len(rest)
            self.streams[key].carry = b""
            if key[1] is None:
                del self.streams[key]
        return answer


def _is_input(cls: Any) -> bool:
    roles = dict(roles_at(cls))
    return "input_audio" in (role_of(cls), roles.get("pcm"))


def _said(value: dict[str, Any], cls: Any, name: str) -> Any:
    """What a frame says under a name that the session reads."""
    layout = cls._layout
    said = layout.fields.get(layout.reads.get(name, name))
    found = [] if said is None else [one for place in said.places for one in _at(value, _path(place)) if one is not None]
    if any(one != found[0] for one in found):
        raise Unclear
    return found[0] if found else None


def _id(value: Any) -> Any:
    if isinstance(value, float):
        raise Unclear
    return None if value in (None, "") or isinstance(value, (list, dict)) else (type(value).__name__, value)


# ---- Both compared, on every tier


Sent = tuple[bytes, bool, int | None]  # a frame, whether `only=` builds its message, and the samples for which `out=` has room


def connection(seed: int, frames: int) -> tuple[Kind, str, list[Sent]]:
    """A connection at random: of which catalogue and side, its dtype, and what is sent."""
    rng = random.Random(seed)
    every, with_audio = kinds(), audio_kinds()
    main = rng.choice(with_audio)
    mine = [kind for kind in every if (kind.catalogue, kind.side) == (main.catalogue, main.side)]
    audio = [kind for kind in mine if kind in with_audio]
    maker = Maker(rng.randrange(2**32))
    sent: list[Sent] = []
    for _ in range(frames):
        frame = maker.frame(rng.choice(audio)) if rng.random() < 0.85 else orjson.dumps(rng.choice(mine).frame)
        sent.append((frame, rng.random() < 0.9, rng.choice((None, None, 4000, 0, 50))))
    return main, rng.choice(("int16", "int16", "float32", "uint8")), sent


def play(main: Kind, dtype: str, sent: list[Sent]) -> Iterator[str]:
    """What differs on one connection, on each tier: one line each."""
    unnamed = [(form.encoding if form.encoding in ENCODINGS else None, form.rate) for form in main.catalogue.server.formats]
    model = Line(dtype, unnamed, [*unnamed])
    steps: list[tuple[Sent, Answer, int]] = []
    for frame, wanted, room in sent:
        streams = {key: replace(stream) for key, stream in model.streams.items()}
        before = replace(model, streams=streams, formats=[*model.formats])
        try:
            answer = model.follow(frame, main, wanted)
        except Unclear:
            model = before
            continue
        if room is not None and answer.pcm is not None and wanted and answer.pcm.size > room:
            model = before  # `out` is too small
        steps.append(((frame, wanted, room), answer, model.evicted))
    options: dict[str, Any] = {"side": main.side, "catalogue": main.catalogue, "dtype": dtype}
    at_first = rp.simd_tier()
    for tier in TIERS:
        _core._use_tier(tier)
        decoder = rp.Decoder(**options)
        others = rp.Decoder(only=[], session=decoder.session, **options)
        for number, ((frame, wanted, room), answer, evicted) in enumerate(steps):
            found = list(_compare(decoder if wanted else others, frame, wanted, room, answer))
            if decoder.evicted_bytes != evicted:
                found.append(f"{decoder.evicted_bytes} bytes evicted, not {evicted}")
            yield from (f"{main.name}, {dtype}, {tier}, frame {number}: {difference}: {frame!r}" for difference in found)
            if found:
                break
    _core._use_tier(at_first)


def _compare(decoder: Any, frame: bytes, wanted: bool, room: int | None, answer: Answer) -> Iterator[str]:
    out = None if room is None else np.zeros(room, decoder.dtype)
    too_small = out is not None and wanted and answer.pcm is not None and answer.pcm.size > out.size
    try:
        message = decoder.decode(frame) if out is None else decoder.decode(frame, out=out)
    except rp.DecodeError as error:
        spelt = b"\\" in frame and error.reason == "audio of two formats in one message"
        if not answer.refused and not spelt:
            yield f"refused, {error}"
        return
    except ValueError as error:
        if not too_small and not answer.refused:
            yield f"{error}"
        return
    if answer.refused or too_small:
        yield "accepted"
    elif not wanted:
        if message is not None:
            yield "only= built a message"
    elif answer.pcm is None or answer.expected is None:
        yield from differences(message, answer.expected)
    else:
        if type(message) is not answer.expected.cls:
            yield f"class {type(message).__name__}"
            return
        if message.pcm.tobytes() != answer.pcm.tobytes():
            yield f"pcm of {message.pcm.size} samples, not {answer.pcm.size}"
        if out is not None and message.pcm.size and not np.shares_memory(out, message.pcm):
            yield "pcm is not in out"
        assert answer.form is not None
        form = (message.audio_format.encoding, message.audio_format.rate)
        if answer.form[0] is not None and form != answer.form:
            yield f"{form}, not {answer.form}"
        if message.sample_offset != answer.offset:
            yield f"offset {message.sample_offset}, not {answer.offset}"
        yield from differences(message, replace(answer.expected, payload=message.pcm.tobytes()))


def run_connections(task: tuple[int, int]) -> tuple[int, list[str]]:
    """(seed, connections) -> frames, what differs. Frames as they are made for these also go through the check of one frame, and
    one of each connection is cut at every byte."""
    seed, count = task
    found: list[str] = []
    frames = 0
    logging.getLogger("realtime_pcm").addFilter(_silent)  # formats that nobody knows
    before = rp.simd_tier()
    for number in range(count):
        kind, dtype, sent = connection(seed * 1_000_003 + number, 60)
        found += play(kind, dtype, sent)
        whole = [frame for frame, _, _ in sent[:20]]
        shortest = min(whole, key=len)
        cut = list(truncations(shortest)) if len(shortest) < 600 else []
        found += check(whole + cut, kind, number)
        frames += len(sent) + len(whole) + len(cut)
        if found:
            break
    _core._use_tier(before)
    logging.getLogger("realtime_pcm").removeFilter(_silent)
    return frames, found


def _silent(_: logging.LogRecord) -> bool:
    return False


def run(connections: int, processes: int, seed: int) -> int:
    """The long run; returns the exit status."""
    started = time.monotonic()
    share = 50
    tasks = [(seed + number, min(share, connections - number * share)) for number in range(-(-connections // share))]
    frames = differing = 0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for count, found in pool.imap_unordered(run_connections, tasks):
            frames += count
            differing += bool(found)
            for line in found[:3]:
                print(line[:2000])
    seconds = time.monotonic() - started
    print(f"{frames:,} frames of {connections:,} connections on {', '.join(TIERS)} in {seconds:.0f} s: {differing} differences")
    return 1 if differing else 0
