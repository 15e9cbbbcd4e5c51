"""Frames of one repeated thing, of megabytes: the verdict is orjson's, the memory what was promised."""

from __future__ import annotations

import gc
import os
import sys
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import realtime_pcm as rp

from .reference import expect

ALLOWANCE = 64 * 1024
# Counters of resident memory are kept per CPU and added up late; the interpreter's own arenas grow by 256 KiB.
RESIDENT_SLACK = 1024 * 1024


def shapes(size: int) -> dict[str, bytes]:
    """Values that are nothing but one thing again and again, `size` bytes of it."""

    def filled(unit: bytes) -> bytes:
        return unit * (size // len(unit))

    members = b",".join(b'"%x":0' % number for number in range(size // 11))
    return {
        "quotes": filled(b'"'),
        "empty strings": b"[" + filled(b'"",') + b'""]',
        "backslashes": b'"' + filled(b"\\\\") + b'"',
        "\\u": b'"' + filled(b"\\u0041") + b'"',
        "\\u without digits": b'"' + filled(b"\\u") + b'"',
        "pairs of surrogates": b'"' + filled(b"\\ud83d\\ude00") + b'"',
        "escapes between letters": b'"' + filled("é\\n".encode()) + b'"',
        "arrays": b"[" + filled(b"[],") + b"[]]",
        "objects": b"[" + filled(b"{},") + b"{}]",
        "commas": b"[" + filled(b",") + b"]",
        "opened arrays": filled(b"["),
        "opened objects": filled(b'{"a":'),
        "closed arrays": filled(b"]"),
        "nested six deep": b"[" + filled(b"[[[[[[]]]]]],") + b"0]",
        "a long integer": filled(b"1"),
        "a long fraction": b"0." + filled(b"3"),
        "a late digit": b"0." + filled(b"0") + b"1",
        "a long exponent": b"1e-" + filled(b"9"),
        "a long exponent of 0": b"0e" + filled(b"9"),
        "digits taken back": filled(b"1") + b"e-%d" % size,
        "small numbers": b"[" + filled(b"-1,") + b"0]",
        "reals": b"[" + filled(b"1.5e3,") + b"0]",
        "nulls": b"[" + filled(b"null,") + b"null]",
        "a long string": b'"' + filled(b"x") + b'"',
        "Latin-1": b'"' + filled("é".encode()) + b'"',
        "emoji": b'"' + filled("\U0001f600".encode()) + b'"',
        "spaces": filled(b" ") + b"1",
        "bytes 255": filled(b"\xff"),
        "zero bytes": filled(b"\0"),
        "UTF-8 cut off": b'"' + filled(b"x") + b'\xe2\x82"',
        "a million keys": b"{" + members + b"}",
        "one key again": b"{" + filled(b'"a":1,') + b'"a":2}',
        "a long key": b'{"' + filled(b"k") + b'":1}',
        "a key of escapes": b'{"' + filled(b"\\u006b") + b'":1}',
        "base64": b'"' + filled(b"QUJD") + b'"',
        "escaped base64": b'"' + filled(b"\\u0041") + b'"',
        "escaped slashes": b'"' + filled(b"\\/+AA") + b'"',
        "padding": b'"' + filled(b"=") + b'"',
    }


PLACES = {
    "undeclared": b'{"type":"response.text.delta","event_id":"e","x":%s}',
    "before type": b'{"x":%s,"type":"error"}',
    "flat field": b'{"type":"response.text.delta","delta":%s}',
    "id": b'{"type":"response.text.delta","item_id":%s}',
    "nested field": b'{"type":"response.done","response":%s}',
    "session": b'{"type":"session.updated","session":{"audio":%s}}',
    "payload": b'{"type":"response.output_audio.delta","delta":%s}',
    "payload, type last": b'{"delta":%s,"type":"response.audio.delta"}',
    "event_id": b'{"type":"error","event_id":%s}',
    "type": b'{"type":%s}',
    "whole frame": b"%s",
    "members": b'{"type":"error",%s}',
}


def cases(size: int) -> Iterator[tuple[str, bytes]]:
    for name, shape in shapes(size).items():
        for place, template in PLACES.items():
            yield f"{name}, {place}", template % (shape[1:-1] if place == "members" else shape)


def promised(given: Any, message: Any, error: rp.DecodeError | None, values: dict[str, Any] | None = None) -> int:
    """Bytes that decoding may take: the strings and the array that it makes, one copy of a frame that can change or
    whose UTF-8 is not there, and the allowance."""
    size = ALLOWANCE
    if isinstance(given, bytearray) or (isinstance(given, str) and not given.isascii()):
        size += len(given) if isinstance(given, bytearray) else len(given.encode())
    if error is not None:
        if "base64" in error.reason:
            size += len(error.frame) * 3 // 4  # made before the fault was met
        return size + sys.getsizeof(error.field) + sys.getsizeof(error.message_type)
    size += sys.getsizeof(message.type)
    if isinstance(message, rp.messages.AudioMessage):
        size += message.pcm.nbytes
    values = message.to_dict() if values is None else values
    return size + sum(
        sys.getsizeof(values[name]) for name in ("event_id", *type(message).__match_args__) if type(values.get(name)) is str
    )


def _decode(given: Any) -> tuple[Any, rp.DecodeError | None]:
    try:
        return rp.decode(given), None
    except rp.DecodeError as error:
        return None, error


def check(given: Any) -> str | None:
    """What is wrong with verdict or traced memory."""
    collecting = gc.isenabled()
    gc.disable()  # it would look through millions of parsed objects time and again
    expected = expect(bytes(given) if isinstance(given, bytearray) else given)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        message, error = _decode(given)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
        if collecting:
            gc.enable()
    if (message is None) != (expected is None):
        return f"accepted: {message is not None}, by the reference: {expected is not None} ({error})"
    limit = promised(given, message, error, expected and expected.values)
    return f"{peak:,} bytes at the peak, {limit:,} promised" if peak > limit else None


def check_resident(given: Any) -> str | None:
    """The same of resident memory, in a child of its own: what malloc gives is seen too."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            before = _most_resident()
            message, error = _decode(given)
            grown = _most_resident() - before
            limit = promised(given, message, error) + RESIDENT_SLACK
            if grown > limit:
                os.write(writing, f"{grown:,} bytes resident, {limit:,} promised".encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return said or (f"status {status}" if status else None)


def _most_resident() -> int:
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def run(sizes: list[int]) -> int:
    failed = 0
    for size in sizes:
        started = time.monotonic()
        count = 0
        for name, frame in cases(size):
            count += 1
            for problem in (check(frame), check_resident(frame)):
                if problem:
                    failed += 1
                    print(f"{name}, {size >> 20} MiB: {problem}")
        print(f"{count} frames of {size >> 20} MiB in {time.monotonic() - started:.0f} s: {failed} wrong")
    return 1 if failed else 0
