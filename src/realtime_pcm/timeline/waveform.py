"""Waveforms in constant memory: the lowest and highest sample of each bucket of time."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .sound import Sound

__all__ = ["LANES", "Waveform"]

BUCKETS = 65_536  # more than the widest picture has pixels, so that a pause of two pixels is seen
FINEST = 0.004  # seconds of a bucket; they grow with the recording
LANES = ("user", "model", "unheard")

Samples = npt.NDArray[np.int16]


class Waveform:
    """Collects audio at its place. When the buckets are full, pairs of them are merged.

    sound: receives the same audio, for listening. window: the part of the axis to keep; None: all.
    low, high: per lane, in int16; 1 and -1 mean that there is no audio.
    """

    def __init__(self, sound: Sound | None = None, window: tuple[float, float] | None = None) -> None:
        self._sound = sound
        self._window = window
        self.origin: float | None = None if window is None else window[0]
        self.width = FINEST
        self.low = {lane: np.ones(BUCKETS, np.int16) for lane in LANES}
        self.high = {lane: np.full(BUCKETS, -1, np.int16) for lane in LANES}

    def add(self, side: Literal["user", "model"], start: float, samples: Samples, rate: int, channels: int) -> None:
        """Adds samples at a place."""
        if channels > 1:
            whole = len(samples) // channels * channels
            samples = samples[:whole].reshape(-1, channels).mean(axis=1).astype(np.int16)
        if self.origin is None:
            self.origin = start
        end = len(samples)
        if start + end / rate <= self.origin:
            return
        skipped = max(0, math.ceil((self.origin - start) * rate))
        if self._window is not None and start + end / rate > self._window[1]:
            end = min(end, max(0, math.ceil((self._window[1] - start) * rate)))
        if skipped >= end:
            return
        samples, start = samples[skipped:end], start + skipped / rate
        if self._sound is not None:
            self._sound.add(side, start - self.origin, samples, rate)
        self._grow(start + len(samples) / rate)
        first = max(0, int((start - self.origin) / self.width))
        last = min(BUCKETS - 1, int((start + (len(samples) - 1) / rate - self.origin) / self.width))
        places = np.arange(first, last + 1)
        begins = np.ceil((self.origin + places * self.width - start) * rate).astype(np.int64)
        begins = np.clip(begins, 0, len(samples) - 1)
        begins[0] = 0
        keep = np.concatenate(([True], np.diff(begins) > 0))
        places, begins = places[keep], begins[keep]
        low, high = self.low[side], self.high[side]
        new = low[places] > high[places]
        lowest, highest = np.minimum.reduceat(samples, begins), np.maximum.reduceat(samples, begins)
        if side == "model":  # what is heard stands over what was cut off before it
            self.low["unheard"][places], self.high["unheard"][places] = 1, -1
        low[places] = np.where(new, lowest, np.minimum(low[places], lowest))
        high[places] = np.where(new, highest, np.maximum(high[places], highest))

    def _grow(self, end: float) -> None:
        assert self.origin is not None
        while end - self.origin > self.width * BUCKETS:
            self.width *= 2
            for lane in LANES:
                low, high = self.low[lane].reshape(-1, 2), self.high[lane].reshape(-1, 2)
                # An empty bucket, 1 and -1, must not widen the one beside it.
                empty = low > high
                lowest = np.where(empty, np.int16(32767), low).min(axis=1)
                highest = np.where(empty, np.int16(-32768), high).max(axis=1)
                none = empty.all(axis=1)
                half = BUCKETS // 2
                self.low[lane][:half] = np.where(none, 1, lowest)
                self.high[lane][:half] = np.where(none, -1, highest)
                self.low[lane][half:], self.high[lane][half:] = 1, -1

    def unhear(self, start: float, end: float) -> None:
        """Moves the model's audio between these places, which was not heard, to a lane of its own."""
        if self.origin is None:
            return
        if self._sound is not None:
            self._sound.clear("model", start - self.origin, end - self.origin)
        first = max(0, math.ceil((start - self.origin) / self.width))
        last = max(first, min(BUCKETS, math.ceil((end - self.origin) / self.width)))
        part = slice(first, last)
        self.low["unheard"][part], self.high["unheard"][part] = self.low["model"][part], self.high["model"][part]
        self.low["model"][part], self.high["model"][part] = 1, -1

    def columns(self, lane: str, start: float, end: float, count: int) -> tuple[Any, Any]:
        """The lowest and highest sample in each of `count` equal stretches of time; 1 and -1 without audio."""
        low, high = np.ones(count, np.int16), np.full(count, -1, np.int16)
        if self.origin is None or end <= start:
            return low, high
        edges = start + (end - start) * np.arange(count + 1) / count
        buckets = (edges - self.origin) / self.width
        for column in range(count):
            first = math.floor(buckets[column] + 1e-9)
            last = max(first + 1, math.ceil(buckets[column + 1] - 1e-9))
            first, last = max(first, 0), min(last, BUCKETS)
            if first >= last:
                continue
            lows, highs = self.low[lane][first:last], self.high[lane][first:last]
            full = lows <= highs
            if full.any():
                low[column], high[column] = lows[full].min(), highs[full].max()
        return low, high
