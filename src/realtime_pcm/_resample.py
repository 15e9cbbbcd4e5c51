"""Samples in the dtype and at the rate that a player needs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from .messages import AudioMessage

    Samples = npt.NDArray[Any]

RATES = range(4_000, 192_001)  # samples a second; far from these soxr takes gigabytes for a filter, or ends the process


def samples_of(message: AudioMessage) -> Samples:
    """The samples of a message as an array, for a decoder with dtype="bytes" too."""
    pcm: Samples | bytes = message.pcm
    return np.frombuffer(pcm, "<i2").astype(np.int16, copy=False) if isinstance(pcm, bytes) else pcm


def to_float32(samples: Samples) -> Samples:
    """int16 to float32: scaled by 1/32768, into [-1, 1)."""
    return samples if samples.dtype == np.float32 else samples.astype(np.float32) * np.float32(1 / 32768)


def to_int16(samples: Samples) -> Samples:
    """float32 to int16: scaled by 32768, rounded half to even, saturated; NaN becomes 0."""
    if samples.dtype == np.int16:
        return samples
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(samples * np.float32(32768))
    saturated: Samples = np.nan_to_num(np.clip(scaled, -32768, 32767), nan=0).astype(np.int16)
    return saturated


class Resampler:
    """soxr over one segment. Its output begins with the first sample, and ends after `finish` with the last."""

    __slots__ = ("_stream", "channels")

    def __init__(self, rate: int, to_rate: int, channels: int) -> None:
        self._stream = require_soxr(rate, to_rate).ResampleStream(rate, to_rate, channels, dtype="float32", quality="HQ")
        self.channels = channels

    def resample(self, samples: Samples, last: bool = False) -> Samples:
        """float32, interleaved, in and out."""
        shaped = samples if self.channels == 1 else samples.reshape(-1, self.channels)
        done: Samples = self._stream.resample_chunk(shaped, last=last)
        return done.reshape(-1)

    def finish(self) -> Samples:
        """The rest of the samples from the filter."""
        return self.resample(np.zeros(0, np.float32), last=True)


def require_soxr(rate: int, to_rate: int) -> Any:
    """The module soxr. ValueError where it is not there, which says what to install, or where a rate is none of RATES."""
    for asked in (rate, to_rate):
        if asked not in RATES:
            raise ValueError(f"{asked:,} samples a second: rates of {RATES[0]:,} to {RATES[-1]:,} are resampled")
    try:
        # By name: soxr has no types of its own.
        return import_module("soxr")
    except ImportError:
        raise ValueError(
            f'the audio has {rate:,} samples a second and {to_rate:,} are wanted: pip install "realtime-pcm[play]" '
            f"to have it resampled by soxr, or use one rate for both, rate={rate}"
        ) from None
