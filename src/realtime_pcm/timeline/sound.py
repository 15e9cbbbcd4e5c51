"""The sound of a page: one WAV of bounded size, with the user left and the model right."""

from __future__ import annotations

import io
import wave
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from .._resample import RATES as RESAMPLED

__all__ = ["MOST_FRAMES", "RATES", "Sound"]

RATES = (24_000, 12_000, 8_000)  # a longer recording sounds duller, so that its file stays small
MOST_FRAMES = 4_800_000  # 200 s at the first rate, 400 s at the second, 600 s at the last: 19 MB

_CHANNELS = {"user": 0, "model": 1}

Samples = npt.NDArray[np.int16]


class Sound:
    """Mixes audio at its place. Audio after the last second that fits is left out."""

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self._most = most
        self._rates = list(RATES)
        self._mix = np.zeros((0, 2), np.int16)
        self._frames = 0
        self.full = False  # whether something behind the last second was left out
        self.foreign = False  # whether audio of a rate that is not resampled was left out

    @property
    def cut(self) -> bool:
        """Whether audio was left out."""
        return self.full or self.foreign

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self._rates[0]

    @property
    def seconds(self) -> float:
        """The length so far."""
        return self._frames / self.rate

    def add(self, side: Literal["user", "model"], start: float, samples: Samples, rate: int) -> None:
        """Mixes in mono samples at a time in seconds."""
        if rate not in RESAMPLED:
            self.foreign = True
            return
        end = start + len(samples) / rate
        while end * self.rate > self._most and len(self._rates) > 1:
            self._slow_down()
        samples = resampled(samples, rate, self.rate)
        first = round(start * self.rate)
        last = first + len(samples)
        if last > self._most:
            self.full = True
            last = self._most
        if first >= last:
            return
        if last > len(self._mix):
            more = np.zeros((min(self._most, max(last, 2 * len(self._mix))) - len(self._mix), 2), np.int16)
            self._mix = np.concatenate((self._mix, more))
        part = self._mix[first:last, _CHANNELS[side]]
        part[:] = np.clip(part.astype(np.int32) + samples[: last - first], -32768, 32767)
        self._frames = max(self._frames, last)

    def clear(self, side: Literal["user", "model"], start: float, end: float) -> None:
        """Silences a stretch of time, in seconds."""
        first, last = max(0, round(start * self.rate)), max(0, round(end * self.rate))
        self._mix[first:last, _CHANNELS[side]] = 0

    def _slow_down(self) -> None:
        old = self._rates.pop(0)
        left, right = (resampled(self._mix[: self._frames, channel], old, self.rate) for channel in (0, 1))
        self._mix = np.stack((left, right), axis=1)
        self._frames = len(self._mix)

    def wav(self) -> bytes:
        """All of it as a WAV file."""
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(2)
            out.setsampwidth(2)
            out.setframerate(self.rate)
            out.writeframes(self._mix[: self._frames].astype("<i2").tobytes())
        return file.getvalue()


def resampled(samples: Samples, old: int, new: int) -> Samples:
    """Resamples by averaging neighbours, then interpolating. This is good enough for listening."""
    if old == new or not len(samples):
        return samples
    times = old // new
    values = samples.astype(np.float32)
    if times > 1:
        whole = max(1, len(values) // times) * times
        values = np.resize(values, whole) if whole > len(values) else values[:whole]
        values = values.reshape(-1, times).mean(axis=1)
        if old == times * new:
            return cast(Samples, np.round(values).astype(np.int16))
    count = max(1, round(len(samples) * new / old))
    places = np.linspace(0, len(values) - 1, count)
    return cast(Samples, np.round(np.interp(places, np.arange(len(values)), values)).astype(np.int16))
