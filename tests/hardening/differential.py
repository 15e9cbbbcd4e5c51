"""Generated frames of every message type against the reference, on every tier of this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import realtime_pcm as rp
from realtime_pcm import _core

from .generate import Generator
from .reference import differences, expect, payload_differences

TIERS = _core._available_tiers()
BATCH = 400
_DTYPES = ["int16"] * 6 + ["float32", "uint8", "bytes"]


def check(frames: list[bytes], dtype: str = "int16", turn: int = 0, side: str = "server") -> Iterator[str]:
    """What differs, one line each. Each tier decodes each frame: verdict, position and payload are compared on all of
    them, fields on one in turn (`turn`), a str and a bytearray of it and to_dict() now and then."""
    decode = rp.decode if (dtype, side) == ("int16", "server") else partial(rp.decode, dtype=dtype, side=side)
    expected = [expect(frame, dtype, side) for frame in frames]
    faults: list[tuple | None] = []
    for number, tier in enumerate(TIERS):
        _core._use_tier(tier)
        for index, frame in enumerate(frames):
            wanted = expected[index]
            try:
                message = decode(frame)
            except rp.DecodeError as error:
                fault = (error.reason, error.position, error.message_type, error.field)
                if wanted is not None:
                    yield f"{tier}: refused, {error}: {frame!r}"
                if number == 0:
                    faults.append(fault)
                elif faults[index] != fault:
                    yield f"{tier}: {fault}, {TIERS[0]}: {faults[index]}: {frame!r}"
                if not 0 <= error.position <= len(frame):
                    yield f"{tier}: position {error.position} of {len(frame)}: {frame!r}"
                if (index + number) % 16 == 0:
                    yield from _other_forms(frame, fault, decode)
                continue
            if number == 0:
                faults.append(None)
            if wanted is None:
                yield f"{tier}: accepted: {frame!r}"
                continue
            if (index + turn + number) % len(TIERS) == 0:
                found = differences(message, wanted, dtype)
                if (index + number) % 16 == 0:
                    if message.to_dict() != wanted.values:
                        found.append("to_dict()")
                    found += _other_forms(frame, None, decode)
            else:
                found = payload_differences(message, wanted, dtype) if wanted.payload is not None else []
            for difference in found:
                yield f"{tier}: {difference}: {frame!r}"


def _other_forms(frame: bytes, fault: tuple | None, decode: Any) -> list[str]:
    """The same frame as str and bytearray gives the same."""
    forms: list[bytearray | str] = [bytearray(frame)]
    with contextlib.suppress(UnicodeDecodeError):
        forms.append(frame.decode())
    found = []
    other: tuple[object, ...] | None
    for form in forms:
        try:
            decode(form)
        except rp.DecodeError as error:
            str(error), repr(error)
            other = (error.reason, error.position, error.message_type, error.field)
        else:
            other = None
        if other != fault:
            found.append(f"{fault}, as {type(form).__name__} {other}: {frame!r}")
    return found


def run_one(task: tuple[int, int]) -> tuple[int, Counter[str], list[str]]:
    """(seed, frames) -> (seed, what was seen, what differs)."""
    seed, count = task
    generator = Generator(seed)
    seen: Counter[str] = Counter()
    found: list[str] = []
    before = rp.simd_tier()
    for turn, kind in enumerate(generator.kinds(-(-count // BATCH))):
        frames = generator.batch(kind, min(BATCH, count - seen["frames"]))
        dtype = generator.random.choice(_DTYPES)
        seen["frames"] += len(frames)
        seen[kind.name] += len(frames)
        found += check(frames, dtype, turn, kind.side)
        if found:
            break
    _core._use_tier(before)
    return seed, seen, found


def run(frames: int, processes: int, seed: int) -> int:
    """The long run; returns the exit status."""
    share = 20_000
    tasks = [(seed + number, min(share, frames - number * share)) for number in range(-(-frames // share))]
    seen: Counter[str] = Counter()
    differing = 0
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for number, (task_seed, task_seen, found) in enumerate(pool.imap_unordered(run_one, tasks)):
            seen += task_seen
            differing += bool(found)
            for line in found[:3]:
                print(f"seed {task_seed}: {line[:2000]}")
            if differing > 5:
                pool.terminate()
                break
            if number % 25 == 0:
                print(f"  {seen['frames']:,} frames, {time.monotonic() - started:.0f} s", file=sys.stderr)
    total = seen.pop("frames")
    print(
        f"{total:,} frames of {len(seen)} types on {', '.join(TIERS)} in {time.monotonic() - started:.0f} s: "
        f"{differing} seeds with differences"
    )
    return 1 if differing else 0
