"""The peers: for each way to read these frames, the loops its users would write.

A loop goes over a list of frames, reads of each message what a client reads, and returns the last answer: the loop that is
checked, one frame at a time, is the very loop that is timed. The kinds of loop:

    audio    type, three ids and the samples of audio deltas
    text     type, three ids and the text of text deltas
    session  every message of a session: samples of audio, text of text deltas, the one nested field a client looks at
    item     the samples inside a conversation item
    json     nothing but (accepted,)
    stream   decode and drop
    left_out decode and drop, or have `only=` leave the message out
    out      the samples, in an array of our own or in the caller's
    delta    the base64 text of a message that was decoded before
    gemini, twilio, twilio_bytes, elevenlabs
             ids and samples of a frame of another socket; twilio_bytes: the mu-law as it was sent
    int16, float32, ulaw
             the other direction: samples to the text of an `input_audio_buffer.append`; ulaw from int16

Beside its loops a peer that reads sessions has "one": a function that reads one frame, and the two that it is given, one to
decode, one for the samples; so that 1,000 sessions share all but what belongs to a connection.
"""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..frames import Frame

Wire = bytes | str
Loop = Callable[[Sequence[Wire]], tuple[Any, ...]]

OURS = "realtime_pcm"
STREAM = "decode_stream"
ONLY = "left out by only="
OUT = "out=, with room"
OUT_EXACT = "out=, exactly sized"
NO_CACHE = "realtime_pcm, no block cache"
CLOCK = "the clock, taken off"
JOIN = "pybase64 + join"
FLOOR = "bytearray(frame)"
CPP = "C++ simdjson + simdutf"
CPP_AVX2 = "C++, AVX2 only"

TYPED = ("audio", "text", "session", "item")
FLAT = ("audio", "text", "session")
PARSED = ("text", "json")
SENT = ("int16", "float32", "ulaw")
OTHER_SOCKETS = ("gemini", "twilio", "twilio_bytes", "elevenlabs")


class Unavailable(Exception):
    """The peer cannot run here; the text is the word that stands in its place."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A name, the module here that holds its adapter, the function there that makes its loops, and their kinds."""

    name: str
    module: str
    factory: str = "loops"
    packages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = TYPED
    connection: str = ""  # what makes "one" for one more connection, where what decodes belongs to one

    def loops(self) -> dict[str, Any]:
        return _loops(self.module, self.factory)

    def connections(self, count: int) -> list[Any] | None:
        """ "one" for each of so many connections; None where the peer has nothing but loops."""
        shared = self.loops().get("one")
        if shared is None:
            return None
        if not self.connection:
            return [shared] * count
        module = importlib.import_module(f".{self.module}", __name__)
        return [getattr(module, self.connection)() for _ in range(count)]


@cache
def _loops(module: str, factory: str) -> dict[str, Any]:
    try:
        loops: dict[str, Any] = getattr(importlib.import_module(f".{module}", __name__), factory)()
    except ImportError as error:
        raise Unavailable("not installed") from error
    return loops


PEERS = (
    Peer(OURS, "ours", kinds=(*TYPED, "json", "stream", "left_out", "out", "delta"), connection="connection"),
    Peer(NO_CACHE, "ours", kinds=("kept",)),
    Peer(STREAM, "ours", "stream_loops", kinds=("stream", "session")),
    Peer(ONLY, "ours", "only_loops", kinds=("left_out",)),
    Peer(OUT, "ours", "out_loops", kinds=("out",)),
    Peer(OUT_EXACT, "ours", "exact_out_loops", kinds=("out",)),
    Peer(FLOOR, "floor", kinds=("audio", "delta")),
    Peer(CPP, "cpp", "native_loops", ("pysimdjson", "fastpybase64"), FLAT),
    Peer(CPP_AVX2, "cpp", "avx2_loops", ("pysimdjson", "fastpybase64"), FLAT),
    Peer("pysimdjson + fastpybase64", "pysimdjson", packages=("pysimdjson", "fastpybase64")),
    Peer("orjson + fastpybase64", "by_key", "orjson_fastpybase64", ("orjson", "fastpybase64")),
    Peer("orjson + pybase64", "by_key", "orjson_pybase64", ("orjson", "pybase64")),
    Peer("orjson + base64", "by_key", "orjson_base64", ("orjson",)),
    Peer("orjson.loads alone", "by_key", "orjson_alone", ("orjson",), PARSED),
    Peer("msgspec", "msgspec_union", packages=("msgspec",), kinds=(*TYPED, "json")),
    Peer("pydantic-core", "pydantic_union", packages=("pydantic", "pydantic-core")),
    Peer("json + base64", "by_key", "json_base64"),
    Peer("json.loads alone", "by_key", "json_alone", kinds=PARSED),
    Peer("pydantic TypeAdapter", "pydantic_adapter", packages=("openai", "pydantic")),
    Peer("openai SDK", "openai_sdk", packages=("openai",), connection="connection"),
    # Other sockets.
    Peer(OURS, "sockets", "ours", kinds=OTHER_SOCKETS),
    Peer("orjson + pybase64", "sockets", "orjson_pybase64", ("orjson", "pybase64"), OTHER_SOCKETS),
    Peer("json + base64", "sockets", "json_base64", kinds=OTHER_SOCKETS),
    Peer("google-genai", "sockets", "google_genai", ("google-genai",), ("gemini",)),
    # The other direction. Two of the names stand above too: the same packages, put together by hand.
    Peer(OURS, "encoders", "ours", kinds=SENT),
    Peer(JOIN, "encoders", "pybase64_join", ("pybase64",), SENT),
    Peer("orjson + pybase64", "encoders", "orjson_pybase64", ("orjson", "pybase64"), SENT),
    Peer("json + base64", "encoders", "json_base64", kinds=SENT),
    Peer("openai, send_raw", "encoders", "openai_send_raw", ("openai",), SENT),
    Peer("openai, append", "encoders", "openai_append", ("openai",), SENT),
    Peer("azure-ai-voicelive, append", "encoders", "azure_append", ("azure-ai-voicelive",), SENT),
)
NAMES = (*dict.fromkeys(peer.name for peer in PEERS), CLOCK)


def check(kind: str, loop: Loop, frames: Sequence[Frame], wires: Sequence[Wire]) -> bool:
    """Whether the loop gives the answer of every frame; a peer that raises gives another answer."""
    read = _read_back if kind in SENT else tuple
    try:
        return all(same(read(loop([wire])), frame.answer) for frame, wire in zip(frames, wires, strict=True))
    except Exception:  # whatever a peer raises, its answer is not the one asked for
        return False


def _read_back(sent: tuple[Any, ...]) -> tuple[Any, ...]:
    """Type and payload of a frame that was made, by the standard library."""
    frame = json.loads(sent[0])
    return frame["type"], base64.b64decode(frame.pop("audio"), validate=True), *(frame.keys() - {"type"})


def same(answer: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    return len(answer) == len(expected) and all(map(_same_value, answer, expected))


def _same_value(value: object, expected: object) -> bool:
    if isinstance(expected, np.ndarray):
        return isinstance(value, np.ndarray) and value.dtype == expected.dtype and np.array_equal(value, expected)
    return value == expected
