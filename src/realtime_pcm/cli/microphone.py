"""The user's audio, to be cut into items.

Appended audio names no item. The server says later which milliseconds belong to one, so the audio waits in a temporary file.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from .console import Failure, reason_of
from .wavs import Form, little_endian

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.int16]

__all__ = ["Microphone", "Place", "Track"]

MOST_TRACKS = 1000
MOST_CUTS = 4  # limit for the audio of all items, as a multiple of the audio received
PIECE = 1 << 18  # samples that are copied at once


class Track:
    """Consecutive audio of one format. first: its first byte in the file. began: milliseconds of audio before it."""

    def __init__(self, form: Form, first: int, began: float) -> None:
        self.form, self.first, self.began = form, first, began
        self.samples = 0  # of each channel

    def seconds(self, sample: int) -> float:
        """Seconds of audio before a sample."""
        return self.began / 1000 + sample / self.form.rate


class Place(NamedTuple):
    """A position in the appended audio: a sample of a track."""

    track: int
    sample: int


class Microphone:
    """All appended audio, in a temporary file in the folder."""

    def __init__(self, folder: Path) -> None:
        self.tracks: list[Track] = []
        self.left_out = 0  # samples per channel after the thousandth change of format
        self._folder = folder
        self._file: BinaryIO | None = None
        self._bytes = self._cut = 0

    def append(self, samples: Samples, form: Form) -> None:
        """Adds samples, channels interleaved."""
        whole = samples[: len(samples) // form.channels * form.channels]
        if not len(whole):
            return
        if not self.tracks or self.tracks[-1].form != form:
            if len(self.tracks) >= MOST_TRACKS:
                self.left_out += len(samples) // form.channels
                return
            last = self.tracks[-1] if self.tracks else None
            began = 0.0 if last is None else last.began + last.samples * 1000 / last.form.rate
            self.tracks.append(Track(form, self._bytes, began))
        track = self.tracks[-1]
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            assert self._file is not None
            self._file.write(little_endian(whole).data)
        except OSError as error:
            raise Failure(f"{self._folder}: {reason_of(error)}") from None
        self._bytes += whole.nbytes
        track.samples += len(whole) // form.channels

    @property
    def end(self) -> Place:
        """The position after the last sample."""
        return Place(len(self.tracks) - 1, self.tracks[-1].samples) if self.tracks else Place(0, 0)

    def at(self, milliseconds: float) -> Place:
        """The position that many milliseconds after the first sample, or the nearest one."""
        if not self.tracks:
            return Place(0, 0)
        number = max(0, bisect_right(self.tracks, milliseconds, key=lambda track: track.began) - 1)
        track = self.tracks[number]
        sample = round((milliseconds - track.began) * track.form.rate / 1000)
        return Place(number, min(max(sample, 0), track.samples))

    def pieces(self, begin: Place, end: Place) -> Iterator[tuple[Track, int, int]]:
        """The tracks between two positions, each with its first sample and the one after its last."""
        for number in range(begin.track, min(end.track + 1, len(self.tracks))):
            track = self.tracks[number]
            first = begin.sample if number == begin.track else 0
            last = end.sample if number == end.track else track.samples
            if first < last:
                yield track, first, last

    def may_cut(self, pieces: list[tuple[Track, int, int]]) -> bool:
        """Whether these pieces may become an item. A server could fill the disk by naming the same audio repeatedly.

        All items together may have MOST_CUTS times the audio. Items overlap: servers begin one a little before the speech.
        """
        size = sum(2 * track.form.channels * (last - first) for track, first, last in pieces)
        if self._cut + size > MOST_CUTS * self._bytes:
            return False
        self._cut += size
        return True

    def read(self, track: Track, first: int, last: int) -> Iterator[Any]:
        """Reads samples of a track in pieces, channels interleaved."""
        frame = 2 * track.form.channels
        assert self._file is not None
        try:
            for at in range(first, last, PIECE):
                self._file.seek(track.first + at * frame)
                yield np.frombuffer(self._file.read(min(PIECE, last - at) * frame), "<i2")
        finally:
            self._file.seek(self._bytes)

    def close(self) -> None:
        """Closes the temporary file."""
        if self._file is not None:
            self._file.close()
