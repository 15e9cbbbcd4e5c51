"""One real frame per message type with every byte flipped every way, and cut everywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import realtime_pcm as rp
from realtime_pcm import _core

from .differential import TIERS, check
from .frames import CLIENT_KINDS, KINDS, Kind, real_frame


def flips(frame: bytes, every_value: bool) -> Iterator[bytes]:
    """The frame with one byte changed: each of its bits, or (`every_value`) all other 255 values."""
    masks = range(1, 256) if every_value else [1 << bit for bit in range(8)]
    for index in range(len(frame)):
        for mask in masks:
            yield frame[:index] + bytes((frame[index] ^ mask,)) + frame[index + 1 :]


def truncations(frame: bytes) -> list[bytes]:
    return [frame[:end] for end in range(len(frame))]


def variants(kind: Kind) -> list[bytes]:
    """The frames to mutate: as OpenAI orders the keys, and with `type` last; audio of an odd length, long enough for
    every loop of every kernel."""
    frame = real_frame(kind, bytes(7 * number & 255 for number in range(301)))
    head = b'{"type":"%s",' % kind.type.encode()
    return [frame, b"{" + frame[len(head) : -1] + b"," + head[1:-1] + b"}"]


def mutate(kind: Kind, every_value: bool = False) -> tuple[int, list[str]]:
    """How many mutants, and what differs from the reference on some tier."""
    found: list[str] = []
    count = 0
    before = rp.simd_tier()
    for frame in variants(kind):
        rp.decode(frame, side=kind.side)
        cut = truncations(frame)
        for mutant in cut:
            for tier in TIERS:
                _core._use_tier(tier)
                try:
                    rp.decode(mutant, side=kind.side)
                except rp.DecodeError:
                    continue
                found.append(f"{tier}: accepted: {mutant!r}")
        mutants = list(flips(frame, every_value))
        found += check(mutants, side=kind.side)
        count += len(cut) + len(mutants)
    _core._use_tier(before)
    return count, found


def run(every_value: bool) -> int:
    started = time.monotonic()
    total = differing = 0
    for number, kind in enumerate([*KINDS, *CLIENT_KINDS]):
        count, found = mutate(kind, every_value)
        total += count
        differing += len(found)
        for line in found[:3]:
            print(line[:2000])
        if number % 16 == 0:
            print(f"  {total:,} mutants, {time.monotonic() - started:.0f} s", file=sys.stderr)
    types = len(KINDS) + len(CLIENT_KINDS)
    print(
        f"{total:,} mutants of {types} types on {', '.join(TIERS)} in {time.monotonic() - started:.0f} s: {differing} differences"
    )
    return 1 if differing else 0
