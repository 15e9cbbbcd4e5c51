"""G.711 by code that shares nothing with ours: from the tables of ITU-T G.711 and the rule of G.191."""

from __future__ import annotations

import functools
from collections.abc import Iterable


def decision_values(steps: list[tuple[int, int]], start: list[int]) -> list[int]:
    """The bounds of the quantisation intervals of the positive half: so many of each width."""
    bounds = list(start)
    for count, width in steps:
        for _ in range(count):
            bounds.append(bounds[-1] + width)
    return bounds


def mu_law() -> dict[int, int]:
    """ITU-T G.711, tables 2a and 2b: 8 segments of 16 intervals, widths 2, 4, ... 256, the first interval 0 to 1."""
    bounds = decision_values([(15, 2), *((16, 4 << n) for n in range(7))], [0, 1])
    assert len(bounds) == 129 and bounds[-1] == 8159
    found = {}
    for n in range(128):
        # The value in the middle of its interval; the first is zero. All bits of the character signal are inverted,
        # the first is 1 for a positive value. 14-bit values, on the scale of 16 bits.
        value = 0 if n == 0 else (bounds[n] + bounds[n + 1]) // 2
        found[0xFF - n] = 4 * value
        found[0x7F - n] = -4 * value
    return found


def a_law() -> dict[int, int]:
    """ITU-T G.711, tables 1a and 1b: 32 intervals of width 2, then 6 segments of 16, widths 4, 8, ... 128."""
    bounds = decision_values([(32, 2), *((16, 4 << n) for n in range(6))], [0])
    assert len(bounds) == 129 and bounds[-1] == 4096
    found = {}
    for n in range(128):
        # Every other bit is inverted; 13-bit values, on the scale of 16 bits.
        value = (bounds[n] + bounds[n + 1]) // 2
        found[(0x80 | n) ^ 0x55] = 8 * value
        found[n ^ 0x55] = -8 * value
    return found


TABLES = {"g711_ulaw": mu_law(), "g711_alaw": a_law()}


@functools.cache
def ulaw_of(sample: int) -> int:
    """ITU-T G.191's ulaw_compress, from its definition: 14 bits, a bias of 33, the segment by the highest bit."""
    magnitude = min(((-sample - 1) >> 2 if sample < 0 else sample >> 2) + 33, 0x1FFF)
    segment = max(0, magnitude.bit_length() - 6)
    code = segment << 4 | (magnitude >> (segment + 1) & 0x0F)
    return (code ^ 0x7F) | (0 if sample < 0 else 0x80)


@functools.cache
def alaw_of(sample: int) -> int:
    """ITU-T G.191's alaw_compress: 13 bits with the sign, the segment by the highest bit."""
    magnitude = (~sample if sample < 0 else sample) >> 4
    segment = 0
    if magnitude > 15:
        segment = magnitude.bit_length() - 4
        magnitude = (magnitude >> (segment - 1)) - 16
    return ((segment << 4 | magnitude) | (0 if sample < 0 else 0x80)) ^ 0x55


def compressed(name: str, samples: Iterable[int]) -> bytes:
    """The G.711 codes of linear samples."""
    law = ulaw_of if name == "g711_ulaw" else alaw_of
    return bytes(law(int(sample)) for sample in samples)
