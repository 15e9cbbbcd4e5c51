"""src/session, driven frame by frame without Python around it, against a model in plain Python.

The driver is tests/c/drive_session.c, compiled here with what it drives. Random conversations: both sides, refusals, formats that
change, G.711, carries, `only=`, ends, evictions, updates that are taken back, and allocations that fail.
"""

from __future__ import annotations

import base64
import ctypes
import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardening.reference import samples

ROOT = Path(__file__).resolve().parents[2]
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
NOTHING, AUDIO, CHANGE, REFUSED, NO_AUDIO, NO_MEMORY = range(6)
ENCODINGS = ("pcm16", "g711_ulaw", "g711_alaw", "float32")
WIDTHS = {"pcm16": 2, "g711_ulaw": 1, "g711_alaw": 1, "float32": 4}
DTYPES = ("int16", "float32", "uint8")
FORMATS = {
    "pcm16": ("pcm16", 24_000),
    "pcm16-8000hz": ("pcm16", 8000),
    "pcm_16000": ("pcm16", 16_000),
    "audio/pcm;rate=48000": ("pcm16", 48_000),
    "G711_ULAW": ("g711_ulaw", 8000),
    "g711_alaw": ("g711_alaw", 8000),
    "f32le": ("float32", 24_000),
    "opus": (None, 24_000),
}
DEFAULT = ("pcm16", 24_000)


class Driven(ctypes.Structure):
    _fields_ = (
        ("answer", ctypes.c_int32),
        ("encoding", ctypes.c_int32),
        ("rate", ctypes.c_int32),
        ("offset", ctypes.c_int64),
        ("count", ctypes.c_uint64),
        ("evicted", ctypes.c_uint64),
        ("streams", ctypes.c_uint64),
        ("carries", ctypes.c_uint64),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if COMPILER is None or not (ROOT / "src" / "session").is_dir():
        pytest.skip("no C compiler, or no sources")
    path = tmp_path_factory.mktemp("driver") / "driver.so"
    folders = [ROOT / "src" / name for name in ("wire", "portable", "session")]
    sources = [
        file
        for name in ("wire", "wire/scalar", "session")
        for file in (ROOT / "src" / name).glob("*.c")
        if file.name != "tiers.c"
    ]
    sources.append(ROOT / "tests" / "c" / "drive_session.c")
    command = [COMPILER, "-std=c11", "-O0", "-shared", "-fPIC", *(f"-I{folder}" for folder in folders), *map(str, sources)]
    subprocess.run([*command, "-o", str(path)], check=True)
    loaded = ctypes.CDLL(str(path))
    loaded.drive_new.restype = ctypes.c_void_p
    loaded.drive_new.argtypes = (ctypes.c_int,)
    loaded.drive_free.argtypes = loaded.drive_move.argtypes = (ctypes.c_void_p,)
    loaded.drive_allocations.argtypes = (ctypes.c_size_t,)
    pointer = ctypes.c_void_p
    loaded.drive.argtypes = (pointer, ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, pointer, pointer)
    loaded.drive.restype = None
    return loaded


def decoded(raw: bytes, encoding: str, dtype: str) -> tuple[np.ndarray[Any, Any], bytes]:
    """The samples of a payload, and the bytes at its end that make none."""
    if encoding != "float32":
        return samples(raw, encoding, dtype)
    whole = len(raw) // 4 * 4
    values = np.frombuffer(raw[:whole], "<f4")
    if dtype == "int16":
        with np.errstate(invalid="ignore", over="ignore"):
            values = np.nan_to_num(np.clip(np.rint(values.astype(np.float64) * 32768), -32768, 32767)).astype(np.int16)
    return values, raw[whole:]


class Stream:
    def __init__(self) -> None:
        self.offset, self.carry, self.done = 0, b"", False


class Model:
    """What a session does, by the rules in streams.h and session.h."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.streams: dict[tuple[Any, ...], Stream] = {}  # the one that spoke last at the end
        self.responses: dict[Any, tuple[Any, int]] = {}
        self.output = self.input = DEFAULT
        self.before: tuple[Any, Any, Any] | None = None  # formats before the client's update, and its id
        self.server_spoke = False
        self.evicted = 0

    def find(self, key: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if key in self.streams:
            return key
        last = next((known for known in reversed(self.streams) if known[:3] == key[:3]), None)
        return None if last is None or self.streams[last].done else last

    def audio(self, event: dict[str, Any], key: tuple[Any, ...], wanted: bool) -> tuple[Any, ...]:
        base = self.responses.get(key[1], self.output) if key[0] == "output" else self.input
        if event["type"] == "delta" and event.get("response_id") and key[1] not in self.responses:
            base = self.output
        encoding, rate = FORMATS.get(event.get("format", ""), base)
        rate = event.get("sample_rate") or rate
        width = 1 if self.dtype == "uint8" else WIDTHS.get(encoding, 0)
        text = event.get("delta") if event["type"] == "delta" else event.get("audio")
        found = self.find(key)
        stream = Stream() if found is None else self.streams[found]
        carry = stream.carry if len(stream.carry) < width else b""
        pcm, rest = np.zeros(0, np.uint8), carry
        if text:
            if not width:
                return (NO_AUDIO,)
            if len(text) % 4:
                return (REFUSED,)
            raw = carry + base64.b64decode(text, validate=True)
            if self.dtype == "uint8":
                pcm, rest = np.frombuffer(raw, np.uint8), b""
            else:
                pcm, rest = decoded(raw, encoding, self.dtype)
        self.evicted += len(stream.carry) - len(carry)
        if found is None:
            if len(self.streams) == 1024:
                self.evicted += len(self.streams.pop(next(iter(self.streams))).carry)
            found = key
        self.streams[found] = self.streams.pop(found, stream)
        offset, stream.offset = stream.offset, stream.offset + pcm.size
        stream.carry, stream.done = rest, False
        return AUDIO, encoding, rate, offset, pcm if wanted else pcm.size

    def end(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        found = self.find(key)
        if found is None:
            return CHANGE, b""
        stream = self.streams[found]
        carry, stream.carry, stream.done = stream.carry, b"", True
        if found[2] is None:
            del self.streams[found]
        return CHANGE, carry

    def named(self, holder: dict[str, Any], side: str) -> tuple[Any, int] | None:
        inner = holder.get("audio", {}).get(side, {}).get("format")
        return FORMATS.get(inner if inner is not None else holder.get(f"{side}_audio_format", ""))

    def change(self, event: dict[str, Any]) -> tuple[Any, ...]:
        kind, holder = event["type"], event.get("session", {})
        output, heard = self.named(holder, "output"), self.named(holder, "input")
        if kind == "refused":
            if self.before is not None and self.before[2] == event["error"].get("event_id"):
                self.output, self.input, _ = self.before
                self.before = None
            return CHANGE, b""
        left = b""
        if kind in ("created", "updated", "update"):
            if kind != "update":
                self.before = None
            elif output or heard:
                first = self.before or (self.output, self.input, None)
                self.before = (*first[:2], event.get("event_id"))
            if kind == "created":
                self.evicted += sum(len(stream.carry) for stream in self.streams.values())
                self.streams.clear()
                self.responses.clear()
                self.output = self.input = DEFAULT
            self.input = heard or self.input
            if output and not (kind == "update" and self.server_spoke):
                self.output = output
        else:
            response = holder.get("id")
            if output and response:
                self.responses[response] = output
            if kind == "ended":
                ended = [key for key in self.streams if key[:2] == ("output", response)]
                left = b"".join(self.streams.pop(key).carry for key in ended)
        self.server_spoke |= kind != "update"
        return CHANGE, left

    def follow(self, event: dict[str, Any], wanted: bool) -> tuple[Any, ...]:
        key = tuple(event.get(name) for name in ("response_id", "item_id", "content_index"))
        match event["type"]:
            case "delta":
                return self.audio(event, ("output", *key), wanted)
            case "done":
                return self.end(("output", *key))
            case "heard" | "append":
                return self.audio(event, (event["type"], None, None, None), wanted)
            case "commit":
                return self.end(("append", None, None, None))
            case "other":
                return (NOTHING,)
            case _:
                return self.change(event)


def formats(rng: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for side in ("input", "output"):
        way = rng.randrange(4)
        if way == 0:
            made[f"{side}_audio_format"] = rng.choice(list(FORMATS))
        elif way == 1:
            made.setdefault("audio", {})[side] = {"format": rng.choice(list(FORMATS))}
    return made


def events(rng: random.Random, items: int) -> Iterator[dict[str, Any]]:
    """A conversation without end. items: how many different items speak in it."""
    while True:
        ids: dict[str, Any] = {}
        if rng.random() < 0.9:
            ids = {"response_id": f"r{rng.randrange(3)}", "item_id": f"i{rng.randrange(items)}"}
            if rng.random() < 0.7:
                ids["content_index"] = rng.randrange(3)
        size = rng.choice((0, 1, 2, 3, 4, 5, 64, 201))
        text: Any = base64.b64encode(rng.randbytes(size)).decode() if rng.random() < 0.95 else rng.choice((None, "AAA", "AAAAA"))
        match rng.randrange(24):
            case 0:
                yield {"type": rng.choice(("created", "updated", "updated", "updated")), "session": formats(rng)}
            case 1:
                yield {"type": "update", "event_id": f"e{rng.randrange(2)}", "session": formats(rng)}
            case 2:
                yield {"type": "refused", "error": {"event_id": f"e{rng.randrange(2)}"}}
            case 3:
                yield {"type": rng.choice(("begun", "ended")), "session": {"id": f"r{rng.randrange(3)}", **formats(rng)}}
            case 4 | 5:
                yield {"type": "done", **ids}
            case 6:
                yield {"type": rng.choice(("commit", "other", "ended"))}
            case 7 | 8 | 9:
                yield {"type": "append", "audio": text}
            case 10 | 11:
                yield {"type": "heard", "audio": text}
            case 12:
                own = {"format": rng.choice(list(FORMATS)), "sample_rate": rng.choice((8000, 16_000, None))}
                yield {"type": "delta", **ids, **own, "delta": text}
            case _:
                yield {"type": "delta", **ids, "delta": text}


def converse(library: ctypes.CDLL, seed: int, count: int, items: int) -> None:
    rng = random.Random(seed)
    kind = rng.randrange(3)
    model = Model(DTYPES[kind])
    session = library.drive_new(kind)
    room, result, before = ctypes.create_string_buffer(16_384), Driven(), (0, 0, 0)
    failed = 0
    for event, _ in zip(events(rng, items), range(count), strict=False):
        frame = json.dumps(event).encode()
        sent = event["type"] in ("update", "append", "commit")
        wanted = rng.random() < 0.8
        if rng.random() < 0.05:
            library.drive(session, sent, wanted, frame[:-1], len(frame) - 1, room, ctypes.byref(result))
            assert result.answer == REFUSED
        if rng.random() < 0.05:
            library.drive_move(session)
        library.drive_allocations(0 if rng.random() < 0.2 else 2**64 - 1)
        library.drive(session, sent, wanted, frame, len(frame), room, ctypes.byref(result))
        if result.answer == NO_MEMORY:
            failed += 1
            assert (result.evicted, result.streams, result.carries) == before
            library.drive_allocations(2**64 - 1)
            library.drive(session, sent, wanted, frame, len(frame), room, ctypes.byref(result))
        expected = model.follow(event, wanted)
        where = f"seed {seed}, {event}"
        assert result.answer == expected[0], where
        if expected[0] == AUDIO:
            _, encoding, rate, offset, pcm = expected
            assert (result.rate, result.offset) == (rate, offset), where
            assert encoding is None or ENCODINGS[result.encoding] == encoding, where
            if wanted:
                assert result.count == pcm.size, where
                assert room.raw[: pcm.nbytes] == pcm.tobytes(), where
            else:
                assert result.count == pcm, where
        elif expected[0] == CHANGE:
            assert room.raw[: result.count] == expected[1], where
        carries = sum(len(stream.carry) for stream in model.streams.values())
        before = (result.evicted, result.streams, result.carries)
        assert before == (model.evicted, len(model.streams), carries), where
    library.drive_free(session)
    assert failed or count < 300


def test_random_conversations(library: ctypes.CDLL) -> None:
    for seed in range(15):
        converse(library, seed, 300, 2)


def test_more_streams_than_a_session_keeps(library: ctypes.CDLL) -> None:
    converse(library, 1, 3500, 3000)


@pytest.mark.slow
def test_many_random_conversations(library: ctypes.CDLL) -> None:
    for seed in range(1000):
        converse(library, seed, 400, 3)
    for seed in range(10):
        converse(library, seed, 12_000, 3000)
