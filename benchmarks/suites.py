"""What is timed: a suite is a list of cases, a case one list of frames, the kind of loop that reads it, and who runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import frames as make
from .frames import Frame, Server
from .microphone import RATES, chunk
from .peers import CPP, CPP_AVX2, FLOOR, NAMES, ONLY, OURS, OUT, OUT_EXACT, STREAM, Wire

# About half a megabyte of frames a list: several ids and payloads, and still in the second-level cache, where a frame that
# has just been received lies.
LIST_BYTES = 512 * 1024
FEW = (OURS, FLOOR, CPP, "pysimdjson + fastpybase64", "orjson + pybase64")


@dataclass(frozen=True)
class Case:
    suite: str
    name: str
    kind: str
    frames: list[Frame]
    peers: Sequence[str] = NAMES
    as_str: bool = False
    base: str = OURS  # whose time the ratios are taken against
    quick: bool = False  # whether a quick run times it

    @cached_property
    def wires(self) -> list[Wire]:
        return [frame.wire.decode() if self.as_str else frame.wire for frame in self.frames]

    @property
    def key(self) -> str:
        return f"{self.suite}: {self.name}"

    @property
    def frame_bytes(self) -> float:
        return sum(frame.size for frame in self.frames) / len(self.frames)


def _repeat(make_one: Callable[[], Frame], size: int = 0) -> list[Frame]:
    """A list of frames of one kind, about ``LIST_BYTES`` long, 64 at most."""
    count = min(64, max(1, LIST_BYTES // size)) if size else 64
    return [make_one() for _ in range(count)]


def audio(seed: int) -> Iterator[Case]:
    """One audio frame by size."""
    server = Server(seed)
    for name, size in make.AUDIO_SIZES.items():
        frames = _repeat(lambda size=size: server.audio(size), size)  # type: ignore[misc]
        yield Case("audio", name, "audio", frames, quick=name in ("16.2 kB", "73.8 kB"))


def text(seed: int) -> Iterator[Case]:
    """Text, transcript and argument deltas, about 220 bytes each."""
    server = Server(seed)
    makers: dict[str, Callable[[], Frame]] = {
        "220 B delta": lambda: server.bare_delta(make.TRANSCRIPT, server.word()),
        "transcript delta with padding key": lambda: server.delta(make.TRANSCRIPT, server.word()),
        "text delta": lambda: server.delta(make.TEXT, server.word()),
        "escaped arguments delta": lambda: server.delta(make.ARGUMENTS, '":"'),
    }
    for name, maker in makers.items():
        yield Case("text", name, "text", _repeat(maker), quick=name == "220 B delta")


def sessions(seed: int) -> Iterator[Case]:
    """Whole sessions, every message, in the real mix; the first one through `decode_stream`."""
    peers = tuple(name for name in NAMES if name != OURS)
    yield Case("session", "decode_stream", "session", make.short_session(seed), peers, base=STREAM, quick=True)
    peers = tuple(name for name in NAMES if name != STREAM)
    yield Case("session", "voice session", "session", make.session(4, seed), peers, quick=True)
    server = Server(seed)
    calls = [frame for _ in range(8) for frame in server.tool_turn()]
    yield Case("session", "function calls in text", "session", calls, peers)
    # What no list of one type shows: each frame is of another type than the one before.
    turns = [frame for _ in range(32) for frame in (server.delta(make.TRANSCRIPT, server.word()), server.audio(1_500))]
    yield Case("session", "text and 1.5 kB of audio in turn", "session", turns, peers)


def cold(seed: int) -> Iterator[Case]:
    """Messages that come once a session or once a response, read with one nested field."""
    server = Server(seed)
    without_floor = tuple(name for name in NAMES if name not in (FLOOR, CPP, CPP_AVX2, STREAM))
    yield Case("cold", "session.created", "session", _repeat(server.session_created), without_floor, quick=True)
    done = _repeat(lambda: server.response_done(server.sentence(16)))
    yield Case("cold", "response.done", "session", done, without_floor, quick=True)
    yield Case("cold", "conversation.item.added", "session", _repeat(server.item_added), without_floor)
    item = [server.item_added(make.ITEM_SIZE)]
    yield Case("cold", "item with 3.5 MB of audio", "item", item, without_floor)


def providers(seed: int) -> Iterator[Case]:
    """A 16.2 kB frame in each provider's key order, spacing and escapes."""
    server = Server(seed)
    for name in make.PROVIDERS:
        frames = _repeat(lambda name=name: server.audio(16_200, name), 16_200)  # type: ignore[misc]
        # Frames without ids or with the audio under another key break loops that ask for them by name: no peers there.
        yield Case("provider", name, "audio", frames, FEW if frames[0].answer[1] else (OURS, FLOOR))


def strings(seed: int) -> Iterator[Case]:
    """Frames as `str`, as most WebSocket libraries hand on text messages."""
    server = Server(seed)
    peers = tuple(name for name in NAMES if name not in (FLOOR, CPP, CPP_AVX2, STREAM))
    big = _repeat(lambda: server.audio(16_200), 16_200)
    yield Case("str", "16.2 kB audio", "audio", big, peers, as_str=True)
    for name, word in (("220 B delta", " today"), ("non-ASCII delta", " déjà 音")):
        small = _repeat(lambda word=word: server.bare_delta(make.TRANSCRIPT, word))  # type: ignore[misc]
        yield Case("str", name, "text", small, peers, as_str=True)


def streams(seed: int) -> Iterator[Case]:
    """decode_stream over a list beside Decoder.decode in a loop."""
    server = Server(seed)
    small = [server.bare_delta(make.TRANSCRIPT, server.word()) for _ in range(512)]
    for name, frames in (("220 B deltas", small), ("voice session", make.session(4, seed))):
        # Nothing but (type, event_id) is read, so that the loops differ in nothing but the stream.
        answers = [Frame(frame.wire, frame.answer[:2]) for frame in frames]
        yield Case("stream", name, "stream", answers, (OURS, STREAM))


def hostile(seed: int, size: int = 4 << 20) -> Iterator[Case]:
    """Shapes meant to cost; nanoseconds a byte should stay those of an honest frame."""
    for name, frame in make.hostile(size).items():
        yield Case("hostile", name, "json", [frame], (OURS, "orjson.loads alone"))


def scaling(seed: int) -> Iterator[Case]:
    """Audio frames of 1 kB to 16 MB: time a byte should be flat. (Sessions by length are in ``growth``.)"""
    server = Server(seed)
    for size in (1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 4_000_000, 16_000_000):
        name = f"{size // 1_000} kB" if size < 1_000_000 else f"{size // 1_000_000} MB"
        frames = _repeat(lambda size=size: server.audio(size), size)  # type: ignore[misc]
        yield Case("scaling", name, "audio", frames, (OURS, FLOOR, CPP, "orjson + pybase64"))


def left_out(seed: int) -> Iterator[Case]:
    """Frames that `only=` leaves out: still validated, and the session still follows them."""
    server = Server(seed)
    small = _repeat(lambda: server.bare_delta(make.TRANSCRIPT, server.word()))
    big = _repeat(lambda: server.audio(make.USUAL), make.USUAL)
    for name, frames in (("220 B delta", small), ("16.2 kB audio", big)):
        yield Case("left_out", name, "left_out", _accepted(frames), (OURS, ONLY), quick=True)


def delta_text(seed: int) -> Iterator[Case]:
    """`.delta` of a message that was decoded: the base64 text that was checked then."""
    server = Server(seed)
    for name, size in (("16.2 kB audio", make.USUAL), ("73.8 kB audio", make.AUDIO_SIZES["73.8 kB"])):
        frames = _repeat(lambda size=size: server.audio(size), size)  # type: ignore[misc]
        texts = [Frame(frame.wire, (make.base64_of(frame),)) for frame in frames]
        yield Case("delta_text", name, "delta", texts, (OURS, FLOOR), quick=size == make.USUAL)


def numbers(seed: int, size: int = 4 << 20) -> Iterator[Case]:
    """An undeclared array of numbers: it is checked, and nothing is made of it. msgspec skips it too."""
    server = Server(seed)
    for piece in make.NUMBERS:
        frames = _accepted([server.numbers(piece, size)])
        yield Case("numbers", f"[{piece},...]", "json", frames, (OURS, "msgspec", "orjson.loads alone"), quick=True)


def out(seed: int) -> Iterator[Case]:
    """The usual frame into an array of the caller's (`out=`), against an array of our own."""
    server = Server(seed)
    frames = _repeat(lambda: server.audio(make.USUAL), make.USUAL)
    answers = [Frame(frame.wire, frame.answer[-1:]) for frame in frames]
    yield Case("out", "16.2 kB audio", "out", answers, (OURS, OUT, OUT_EXACT), quick=True)


def encode(seed: int) -> Iterator[Case]:
    """A chunk of a microphone to the text of an `input_audio_buffer.append`; int16 and float32 at 24 kHz, mu-law at 8 kHz."""
    generator = np.random.default_rng(seed)
    for kind in RATES:
        for milliseconds in (20, 100):
            chunks = [chunk(generator, kind, milliseconds) for _ in range(32)]
            yield Case("encode", f"{kind}, {milliseconds} ms", kind, chunks, quick=kind == "int16" or milliseconds == 20)


def sockets(seed: int) -> Iterator[Case]:
    """Audio frames of other sockets: 250 ms of Gemini Live, 20 ms of Twilio, 250 ms of ElevenLabs with its type last."""
    generator = np.random.default_rng(seed)
    makers: dict[str, tuple[str, Callable[[], Frame]]] = {
        "Gemini, 16.1 kB": ("gemini", lambda: make.gemini(generator, 6_000)),
        "Twilio, 20 ms to int16": ("twilio", lambda: make.twilio(generator)),
        "Twilio, 20 ms as sent": ("twilio_bytes", lambda: make.twilio(generator, as_sent=True)),
        "ElevenLabs, 10.8 kB": ("elevenlabs", lambda: make.elevenlabs(generator, 4_000)),
    }
    for name, (kind, maker) in makers.items():
        yield Case("sockets", name, kind, _repeat(maker, maker().size), quick=True)


def _accepted(frames: list[Frame]) -> list[Frame]:
    return [Frame(frame.wire, (True,)) for frame in frames]


SUITES: dict[str, Callable[[int], Iterator[Case]]] = {
    "audio": audio,
    "text": text,
    "session": sessions,
    "cold": cold,
    "delta_text": delta_text,
    "left_out": left_out,
    "out": out,
    "numbers": numbers,
    "encode": encode,
    "sockets": sockets,
    "provider": providers,
    "str": strings,
    "stream": streams,
    "hostile": hostile,
    "scaling": scaling,
}
SIZED = ("numbers", "hostile")  # their frames are as long as a run wants them
