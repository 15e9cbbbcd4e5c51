"""When each piece of audio was to be heard, and one stereo WAV of both sides in which each piece stands there."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from .console import Failure, reason_of
from .wavs import Form, Wavs, little_endian

if TYPE_CHECKING:
    import numpy.typing as npt

    Tell = Callable[[int, int], None]  # how much is done, and of how much
    Samples = npt.NDArray[np.int16]

__all__ = ["Clock", "Joined", "Lane"]

# Seconds by which a piece may come late and still follow the one before it without a gap.
JITTER = {"user": 0.3, "model": 0.02}
LONGEST_PAUSE = 3600.0  # seconds between two frames; a longer pause is taken for a fault of the clock
SILENT_RATE = 8000  # of a side without audio
LONGEST = 48 * 3600.0  # seconds of the recording that have a place


class Clock:
    """The times of a recording's frames, made to go forward only."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timed = False
        self.faults = 0  # times that went back by more than a second, or forward by more than an hour
        self._shift = 0.0

    def tell(self, time: float | None) -> None:
        """Takes the time of the next frame."""
        if time is None or not math.isfinite(time):
            return
        self.timed = True
        moment = time + self._shift
        if not -1.0 <= moment - self.now <= LONGEST_PAUSE:
            self.faults += 1
            self._shift = self.now - time
            return
        self.now = max(self.now, moment)


class Lane:
    """One side's audio on the time of the recording. rate: that of its first samples. end: in samples of that rate."""

    def __init__(self, side: str, joined: Joined | None) -> None:
        self.side = side
        self.rate = 0
        self.end = 0
        self._silent = True  # so far
        self._jitter = JITTER[side]
        self._joined = joined

    @property
    def seconds(self) -> float:
        """Where its audio ends."""
        return self.end / self.rate if self.rate else 0.0

    def place(self, samples: Samples, form: Form, wanted: float | None) -> tuple[float, float]:
        """Puts a piece at its time, or behind what is there; where it begins and ends, in seconds. wanted: None: right behind."""
        if self._silent:
            self.end = round(self.seconds * form.rate)
            self.rate, self._silent = form.rate, False
        if wanted is not None and wanted - self.seconds > self._jitter:
            self.end = round(min(wanted, LONGEST) * self.rate)
        start = self.end
        count = len(samples) // form.channels
        length = count if form.rate == self.rate else round(count * self.rate / form.rate)
        if (start + length) / self.rate <= LONGEST:
            if self._joined is not None:
                self._joined.write(self, start, samples, form, length)
            self.end += length
        return start / self.rate, self.end / self.rate

    def skip(self, seconds: float) -> None:
        """Has its audio end there, if it ends earlier: the side spoke, and the recording does not have its audio."""
        self.rate = self.rate or SILENT_RATE
        self.end = max(self.end, round(min(seconds, LONGEST) * self.rate))

    def cut(self, start: float, end: float) -> None:
        """Makes the lane silent from start to end, in seconds; it ends there where nothing follows."""
        first, last = round(start * self.rate), round(end * self.rate)
        if self._joined is not None:
            self._joined.silence(self, first, last)
        if last >= self.end:
            self.end = min(self.end, first)


class Joined:
    """Both sides on the disk, each at its own rate, until one WAV is made of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._resamplers: dict[tuple[str, int], Any] = {}

    def write(self, lane: Lane, start: int, samples: Samples, form: Form, length: int) -> None:
        """Puts a piece at the sample `start` of its lane, as `length` samples of one channel at the lane's rate."""
        if form.channels != 1:
            samples = (
                samples[: len(samples) // form.channels * form.channels].reshape(-1, form.channels).mean(axis=1).astype(np.int16)
            )
        if form.rate != lane.rate:
            samples = _resampled(self._resamplers, lane, samples, form.rate, length)
        file = self._file(lane)
        try:
            file.seek(2 * start)
            file.write(little_endian(samples).data)
        except OSError as error:
            raise Failure(f"{self._folder}: {reason_of(error)}") from None

    def silence(self, lane: Lane, first: int, last: int) -> None:
        """Replaces the samples from first to last by silence."""
        file = self._file(lane)
        try:
            if last >= lane.end:
                file.flush()
                file.truncate(2 * first)  # what is written behind it leaves zeros in between
                return
            file.seek(2 * first)
            for at in range(first, last, 1 << 16):
                file.write(bytes(2 * min(1 << 16, last - at)))
        except OSError as error:
            raise Failure(f"{self._folder}: {reason_of(error)}") from None

    def _file(self, lane: Lane) -> BinaryIO:
        if lane.side not in self._files:
            try:
                # It has no name, so that nothing is left of it however the command ends.
                self._files[lane.side] = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            except OSError as error:
                raise Failure(f"{self._folder}: {reason_of(error)}") from None
        return self._files[lane.side]

    def finish(self, wavs: Wavs, stem: str, user: Lane, model: Lane, tell: Tell) -> list[dict[str, Any]]:
        """Writes the WAV, user left and model right, at the higher of both rates; what the files are, none without audio."""
        rate = max(user.rate, model.rate)
        if not rate:
            return []
        form = Form("pcm16", rate, 2)
        sides = [_Side(self._files.get(lane.side), lane, rate) for lane in (user, model)]
        files: list[dict[str, Any]] = []
        wav = None
        seconds, length = 0, int(max(user.seconds, model.seconds)) + 1
        while True:
            left, right = (side.read() for side in sides)
            count = max(len(left), len(right))
            if not count:
                break
            both = np.zeros((count, 2), np.int16)
            both[: len(left), 0], both[: len(right), 1] = left, right
            piece = both.reshape(-1)
            if wav is not None and not wavs.has_room(wav, piece):
                wavs.finish(wav)
                wav = None
            if wav is None:
                number = f"-{len(files) + 1}" if files else ""
                wav = wavs.begin(self._folder / f"{stem}{number}.wav", form)
                files.append({"file": wav.path.name, "rate": rate, "samples": 0})
            wavs.write(wav, piece)
            files[-1]["samples"] = wav.samples
            seconds += 1
            tell(seconds, length)
        if wav is not None:
            wavs.finish(wav)
        return files

    def close(self) -> None:
        """Lets go of the disk."""
        for file in self._files.values():
            file.close()


class _Side:
    """One side's samples at the rate of the WAV, a second at a time."""

    def __init__(self, file: BinaryIO | None, lane: Lane, rate: int) -> None:
        self._file, self._left, self._ended = file, lane.end, file is None
        self._second = lane.rate or rate
        self._stream = None if file is None or lane.rate == rate else _resampler(lane.rate, rate)
        self._ready = np.zeros(0, np.int16)
        self._rate = rate
        if file is not None:
            file.seek(0)

    def read(self) -> Samples:
        """The next second; less at the end, and then nothing."""
        while len(self._ready) < self._rate and not self._ended:
            self._ready = np.concatenate([self._ready, self._more()])
        piece, self._ready = self._ready[: self._rate], self._ready[self._rate :]
        return piece

    def _more(self) -> Samples:
        from realtime_pcm._resample import to_float32, to_int16

        assert self._file is not None
        count = min(self._second, self._left)
        self._left -= count
        self._ended = not self._left
        # The file may be shorter than the lane: what was cut off its end is silence.
        data = self._file.read(2 * count).ljust(2 * count, b"\0")
        samples = np.frombuffer(data, "<i2").astype(np.int16)
        if self._stream is None:
            return samples
        done: Samples = to_int16(self._stream.resample(to_float32(samples), last=self._ended))
        return done


def _resampler(rate: int, to_rate: int) -> Any:
    from realtime_pcm._resample import Resampler

    try:
        return Resampler(rate, to_rate, 1)
    except ValueError as error:
        reason = str(error) if "soxr" not in str(error) else 'audio of several rates needs soxr: pip install "realtime-pcm[cli]"'
        raise Failure(f"--joined: {reason}") from None


def _resampled(streams: dict[tuple[str, int], Any], lane: Lane, samples: Samples, rate: int, length: int) -> Samples:
    """A piece that is not at its lane's rate, as exactly `length` samples."""
    from realtime_pcm._resample import to_float32, to_int16

    key = (lane.side, rate)
    if key not in streams:
        if len(streams) >= 16:
            streams.clear()
        streams[key] = _resampler(rate, lane.rate)
    done: Samples = to_int16(streams[key].resample(to_float32(samples)))[:length]
    # What the filter still holds comes with the next piece.
    return np.pad(done, (length - len(done), 0))
