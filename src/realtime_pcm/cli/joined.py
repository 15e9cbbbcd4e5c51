"""One stereo WAV of both sides, with each piece at the time at which it was heard."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import numpy as np

from realtime_pcm._resample import RATES, Resampler, to_float32, to_int16

from .console import Failure, reason_of
from .wavs import Form, Wav, Wavs, little_endian

if TYPE_CHECKING:
    import numpy.typing as npt

    Tell = Callable[[int, int], None]  # samples done, samples in total
    Samples = npt.NDArray[np.int16]

__all__ = ["Joined", "Lane"]

LONGEST = 48 * 3600.0  # seconds; later audio is left out
QUIET = 1  # seconds of silence around audio that go through the resampler; longer silence becomes a hole in the file
BLOCK = 4096  # samples per channel; a silent block becomes a hole, too
PIECE = 24_000  # samples of a side that are converted at once
MOST_CHANGES = 1000  # of a side's rate; each makes a new resampler, which takes a millisecond
MOST_AT_ONCE = 1 << 18  # samples that are resampled at once when a side's rate changes

Side = Literal["user", "model"]


class Lane:
    """One side's audio in a temporary file. rate: of its first samples, 0 before them. end: in samples at that rate.

    Silence is a hole in the file, so pauses take no disk space.
    """

    def __init__(self, folder: Path) -> None:
        self.rate = self.end = 0
        self.file: BinaryIO | None = None
        self._folder = folder
        # Begin and end of each stretch of audio, in samples. They are a second or more apart, so 48 hours have 172,800 at most.
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._resamplers: dict[int, Any] = {}
        self._made = 0  # resamplers

    @property
    def seconds(self) -> float:
        """The end of its audio, in seconds."""
        return self.end / self.rate if self.rate else 0.0

    def takes(self, rate: int) -> bool:
        """Whether audio of this rate is accepted. It is not after too many changes of rate."""
        return rate in (self.rate or rate, *self._resamplers) or self._made < MOST_CHANGES

    def write(self, start: float, samples: Samples, rate: int) -> bool:
        """Writes mono samples at a time in seconds. Returns False if they would end after LONGEST.

        Samples that start within one sample of the end are appended without a gap.
        """
        self.rate = self.rate or rate
        first = round(start * self.rate)
        if abs(start * self.rate - self.end) <= 1:
            first = self.end
        length = len(samples) if rate == self.rate else round(len(samples) * self.rate / rate)
        if first + length > LONGEST * self.rate:
            return False
        with self._told() as file:
            file.seek(2 * first)
            if rate == self.rate:
                file.write(little_endian(samples).data)
            else:
                for piece in self._resampled(samples, rate):
                    file.write(little_endian(piece).data)
        self.end = max(self.end, first + length)
        if self._ends and first < self._ends[-1] + self.rate:
            self._begins[-1] = min(self._begins[-1], first)
            self._ends[-1] = max(self._ends[-1], first + length)
        else:
            self._begins.append(first)
            self._ends.append(first + length)
        return True

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Begin and end of each stretch of audio in seconds, with QUIET around it."""
        for begin, end in zip(self._begins, self._ends, strict=True):
            yield max(0, begin // self.rate - QUIET), -(-end // self.rate) + QUIET

    def silence(self, start: float, end: float) -> None:
        """Silences the audio between two times, in seconds. Shortens the lane if nothing follows."""
        first, last = min(round(start * self.rate), self.end), min(round(end * self.rate), self.end)
        with self._told() as file:
            if last >= self.end - 1:
                file.flush()
                file.truncate(2 * first)  # a later write leaves zeros in between
                self.end = first
                while self._begins and self._begins[-1] >= first:
                    del self._begins[-1], self._ends[-1]
                if self._ends:
                    self._ends[-1] = min(self._ends[-1], first)
                return
            for at in range(first, last, BLOCK):
                count = 2 * min(BLOCK, last - at)
                file.seek(2 * at)
                if file.read(count).strip(b"\0"):
                    file.seek(2 * at)
                    file.write(bytes(count))

    @contextlib.contextmanager
    def _told(self) -> Iterator[BinaryIO]:
        try:
            if self.file is None:
                # Without a name, nothing is left of it however the command ends.
                self.file = cast(BinaryIO, tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115
            yield self.file
        except OSError as error:
            raise Failure(f"{self._folder}: {reason_of(error)}") from None

    def _resampled(self, samples: Samples, rate: int) -> Iterator[Samples]:
        """Resamples to the lane's rate in pieces. Their total length is exactly the duration of the input."""
        if rate not in self._resamplers:
            if len(self._resamplers) >= 16:
                self._resamplers.clear()
            self._resamplers[rate] = _resampler(rate, self.rate)
            self._made += 1
        resampler, step = self._resamplers[rate], max(1, MOST_AT_ONCE * min(rate, self.rate) // self.rate)
        for at in range(0, len(samples), step):
            given = samples[at : at + step]
            length = round((at + len(given)) * self.rate / rate) - round(at * self.rate / rate)
            done: Samples = to_int16(resampler.resample(to_float32(given)))[:length]
            # The rest comes out of the filter with the next piece.
            yield np.pad(done, (length - len(done), 0))


class Joined:
    """Collects both sides in temporary files, each at its own rate, then writes one WAV. A Sink of recording.playing."""

    def __init__(self, folder: Path) -> None:
        self.left_out: dict[str, int] = {}  # what a limit left out -> samples per channel
        self._folder = folder
        self._lanes: dict[Side, Lane] = {"user": Lane(folder), "model": Lane(folder)}

    def add(self, side: Side, start: float, samples: Samples, rate: int, channels: int) -> None:
        """Adds samples, channels interleaved, at a time of the recording in seconds."""
        if channels != 1:
            whole = samples[: len(samples) // channels * channels]
            samples = whole.reshape(-1, channels).mean(axis=1).astype(np.int16)
        if rate not in RATES:
            self._leave_out(f"samples for joined.wav whose rate is not {RATES[0]:,} to {RATES[-1]:,} Hz", len(samples))
        elif not self._lanes[side].takes(rate):
            self._leave_out(f"samples for joined.wav after the first {MOST_CHANGES:,} changes of rate", len(samples))
        elif not self._lanes[side].write(start, samples, rate):
            self._leave_out(f"samples for joined.wav after the first {LONGEST / 3600:g} hours", len(samples))

    def _leave_out(self, what: str, count: int) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + count

    def unhear(self, start: float, end: float) -> None:
        """The model's audio between these seconds was not heard."""
        self._lanes["model"].silence(start, end)

    def finish(self, wavs: Wavs, stem: str, tell: Tell) -> list[dict[str, Any]]:
        """Writes the WAV with the user left and the model right, at the higher of both rates. Returns its files."""
        user, model = self._lanes.values()
        rate = max(user.rate, model.rate)
        if not rate:
            return []
        joined = _Wavs(wavs, self._folder, stem, Form("pcm16", rate, 2))
        length = round(max(user.seconds, model.seconds) * rate)
        stretches = _merged(sorted([*user.stretches(), *model.stretches()]))
        for number, (begin, end) in enumerate(stretches):
            joined.skip(begin * rate - joined.done)
            sides = [_Side(lane, rate, begin, end) for lane in (user, model)]
            while True:
                left, right = (side.read() for side in sides)
                count = max(len(left), len(right))
                if number + 1 < len(stretches):
                    count = min(count, end * rate - joined.done)
                if not count:
                    break
                both = np.zeros((count, 2), np.int16)
                both[: len(left), 0], both[: len(right), 1] = left[:count], right[:count]
                for at in range(0, count, BLOCK):
                    joined.write(both[at : at + BLOCK])
                tell(joined.done, length)
        return joined.finish()

    def close(self) -> None:
        """Closes the temporary files."""
        for lane in self._lanes.values():
            if lane.file is not None:
                lane.file.close()


def _merged(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted stretches, merged if they overlap or touch."""
    merged: list[tuple[int, int]] = []
    for begin, end in stretches:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


class _Wavs:
    """A WAV of both sides that continues in another file when one is full. done: samples per channel so far."""

    def __init__(self, wavs: Wavs, folder: Path, stem: str, form: Form) -> None:
        self.done = 0
        self._wavs, self._folder, self._stem, self._form = wavs, folder, stem, form
        self._files: list[dict[str, Any]] = []
        self._wav: Wav | None = None

    def _with_room(self, samples: int) -> Wav:
        """The WAV for the next samples: a new one if they do not fit."""
        if self._wav is not None and self._wavs.room(self._wav) < samples:
            self._end()
        if self._wav is None:
            number = f"-{len(self._files) + 1}" if self._files else ""
            self._wav = self._wavs.begin(self._folder / f"{self._stem}{number}.wav", self._form)
            self._files.append({"file": self._wav.path.name, "rate": self._form.rate, "samples": 0})
        return self._wav

    def skip(self, samples: int) -> None:
        """Adds silence."""
        while samples > 0:
            wav = self._with_room(1)
            count = min(samples, self._wavs.room(wav))
            self._wavs.skip(wav, count)
            self.done += count
            samples -= count

    def write(self, both: Samples) -> None:
        """Adds samples of both sides, one row per instant."""
        if not both.any():
            self.skip(len(both))
            return
        self._wavs.write(self._with_room(len(both)), both.reshape(-1))
        self.done += len(both)

    def _end(self) -> None:
        if self._wav is not None:
            self._files[-1]["samples"] = self._wav.samples
            self._wavs.finish(self._wav)
            self._wav = None

    def finish(self) -> list[dict[str, Any]]:
        """Closes the last file and returns a description of each."""
        self._end()
        return self._files


class _Side:
    """Reads one side between two times in pieces, at the rate of the WAV."""

    def __init__(self, lane: Lane, rate: int, begin: int, end: int) -> None:
        first = begin * lane.rate
        self._file, self._left = lane.file, max(0, min(end * lane.rate, lane.end) - first)
        self._ended = not self._left
        self._count = max(1, PIECE * (lane.rate or rate) // rate)  # samples of the lane in a piece
        self._stream = None if self._ended or lane.rate == rate else _resampler(lane.rate, rate)
        self._ready = np.zeros(0, np.int16)
        if lane.file is not None:
            lane.file.seek(2 * first)

    def read(self) -> Samples:
        """The next PIECE samples, fewer at the end, then none."""
        while len(self._ready) < PIECE and not self._ended:
            self._ready = np.concatenate([self._ready, self._more()])
        piece, self._ready = self._ready[:PIECE], self._ready[PIECE:]
        return piece

    def _more(self) -> Samples:
        assert self._file is not None
        count = min(self._count, self._left)
        self._left -= count
        self._ended = not self._left
        # The file may be shorter than the lane if its end was silenced.
        data = self._file.read(2 * count).ljust(2 * count, b"\0")
        samples = np.frombuffer(data, "<i2").astype(np.int16)
        if self._stream is None:
            return samples
        done: Samples = to_int16(self._stream.resample(to_float32(samples), last=self._ended))
        return done


def _resampler(rate: int, to_rate: int) -> Any:
    try:
        return Resampler(rate, to_rate, 1)
    except ValueError as error:
        reason = str(error) if "soxr" not in str(error) else 'audio of several rates needs soxr: pip install "realtime-pcm[cli]"'
        raise Failure(f"--joined: {reason}") from None
