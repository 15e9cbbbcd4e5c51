"""What a client sends: chunks of a microphone, each with the payload that its message must carry."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np

from .frames import APPEND, Frame, speech

RATES = {"int16": 24_000, "float32": 24_000, "ulaw": 8_000}  # G.711 has 8,000 samples a second


def chunk(generator: np.random.Generator, kind: str, milliseconds: int) -> Frame:
    """One chunk; the oracle of its payload is plain Python, sample by sample."""
    samples: Any = speech(generator, RATES[kind] * milliseconds // 1000)
    if kind == "ulaw":
        return Frame(samples, (APPEND, bytes(_ulaw(value) for value in samples.tolist())))
    if kind == "int16":
        return Frame(samples, (APPEND, struct.pack(f"<{len(samples)}h", *samples.tolist())))
    # Between two values of int16, so that there is something to round, and now and then past full scale.
    samples = (samples / 9_000 + generator.uniform(-1e-5, 1e-5, len(samples))).astype(np.float32)
    values = [min(max(round(value * 32768), -32768), 32767) for value in samples.tolist()]
    return Frame(samples, (APPEND, struct.pack(f"<{len(values)}h", *values)))


def _ulaw(value: int) -> int:
    """The code of one sample by the rule of ITU-T G.191: 14 bits, a bias of 33, 8 segments, all bits but the sign inverted."""
    magnitude = min(((~value if value < 0 else value) >> 2) + 33, 0x1FFF)
    segment = magnitude.bit_length() - 5
    code = (8 - segment) << 4 | 15 - (magnitude >> segment & 15)
    return code | (0x80 if value >= 0 else 0)


@cache
def ulaw_codes() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The code of each int16, by its bits as a uint16: the table that NumPy code looks up."""
    return np.array([_ulaw(value - 65536 if value > 32767 else value) for value in range(65536)], np.uint8)
