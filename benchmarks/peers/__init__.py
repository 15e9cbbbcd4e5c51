"""The peers: for each way to read these frames, the loops its users would write.

A loop goes over a list of frames, reads of each message what a client reads, and returns the last answer: the loop that is
checked, one frame at a time, is the very loop that is timed. The kinds of loop:

    audio    type, three ids and the samples of audio deltas
    text     type, three ids and the text of text deltas
    session  every message of a session: samples of audio, text of text deltas, the one nested field a client looks at
    item     the samples inside a conversation item
    json     nothing but (accepted,)
    stream   decode and drop
"""

from __future__ import annotations

import importlib
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
FLOOR = "bytearray(frame)"
CPP = "C++ simdjson + simdutf"
CPP_AVX2 = "C++, AVX2 only"

TYPED = ("audio", "text", "session", "item")
FLAT = ("audio", "text", "session")
PARSED = ("text", "json")


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

    def loops(self) -> dict[str, Loop]:
        return _loops(self.module, self.factory)


@cache
def _loops(module: str, factory: str) -> dict[str, Loop]:
    try:
        loops: dict[str, Loop] = getattr(importlib.import_module(f".{module}", __name__), factory)()
    except ImportError as error:
        raise Unavailable("not installed") from error
    return loops


PEERS = (
    Peer(OURS, "ours", kinds=(*TYPED, "json", "stream")),
    Peer(STREAM, "ours", "stream_loops", kinds=("stream",)),
    Peer(FLOOR, "floor", kinds=("audio",)),
    Peer(CPP, "cpp", "native_loops", ("pysimdjson", "fastpybase64"), FLAT),
    Peer(CPP_AVX2, "cpp", "avx2_loops", ("pysimdjson", "fastpybase64"), FLAT),
    Peer("pysimdjson + fastpybase64", "pysimdjson", packages=("pysimdjson", "fastpybase64")),
    Peer("orjson + fastpybase64", "by_key", "orjson_fastpybase64", ("orjson", "fastpybase64")),
    Peer("orjson + pybase64", "by_key", "orjson_pybase64", ("orjson", "pybase64")),
    Peer("orjson + base64", "by_key", "orjson_base64", ("orjson",)),
    Peer("orjson.loads alone", "by_key", "orjson_alone", ("orjson",), PARSED),
    Peer("msgspec", "msgspec_union", packages=("msgspec",)),
    Peer("json + base64", "by_key", "json_base64"),
    Peer("json.loads alone", "by_key", "json_alone", kinds=PARSED),
    Peer("pydantic TypeAdapter", "pydantic_adapter", packages=("openai", "pydantic")),
    Peer("openai SDK", "openai_sdk", packages=("openai",)),
)
NAMES = tuple(peer.name for peer in PEERS)


def check(loop: Loop, frames: Sequence[Frame], wires: Sequence[Wire]) -> bool:
    """Whether the loop gives the answer of every frame; a peer that raises gives another answer."""
    try:
        return all(same(loop([wire]), frame.answer) for frame, wire in zip(frames, wires, strict=True))
    except Exception:  # whatever a peer raises, its answer is not the one asked for
        return False


def same(answer: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    return len(answer) == len(expected) and all(map(_same_value, answer, expected))


def _same_value(value: object, expected: object) -> bool:
    if isinstance(expected, np.ndarray):
        return isinstance(value, np.ndarray) and value.dtype == expected.dtype and np.array_equal(value, expected)
    return value == expected
