"""Writes any number of WAV files at the same time, with few open files."""

from __future__ import annotations

import contextlib
import struct
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from .console import Failure, part_of, reason_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.int16]

__all__ = ["Form", "Wav", "Wavs", "header", "little_endian"]

MOST_OPEN = 16  # files; a system lets a process open 256 or more
MOST_BYTES = (1 << 32) - (1 << 16)  # of one WAV, whose sizes are 32-bit numbers
HEADER = 44  # bytes


class Form(NamedTuple):
    """A format: the encoding that was sent, rate and channels."""

    encoding: str
    rate: int
    channels: int

    def __str__(self) -> str:
        return f"{self.encoding} {self.rate} Hz" + (f" {self.channels} channels" if self.channels != 1 else "")


def header(data_bytes: int, rate: int, channels: int) -> bytes:
    """The 44 bytes of an int16 WAV header."""
    frame = 2 * channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", HEADER - 8 + data_bytes, b"WAVE", b"fmt ", 16, 1, channels),
        *(rate, min(rate * frame, 0xFFFFFFFF), frame, 16, b"data", data_bytes),
    )


def little_endian(samples: Samples) -> Samples:
    """Samples in the byte order of WAV files."""
    return np.ascontiguousarray(samples, "<i2")


class Wav:
    """An unfinished WAV. Its file name ends with `.part` until it is complete."""

    __slots__ = ("bytes", "form", "part", "path")

    def __init__(self, path: Path, form: Form) -> None:
        self.path, self.form = path, form
        self.part = part_of(path)
        self.bytes = 0

    @property
    def samples(self) -> int:
        """Samples per channel."""
        return self.bytes // (2 * self.form.channels)


class Wavs:
    """The WAVs that are being written. Methods raise Failure for an error of the disk."""

    def __init__(self) -> None:
        self._open: OrderedDict[Wav, BinaryIO] = OrderedDict()
        self._under_way: set[Wav] = set()
        self.finished = 0

    def begin(self, path: Path, form: Form) -> Wav:
        """Begins a WAV."""
        wav = Wav(path, form)
        self._under_way.add(wav)
        with self._told(wav):
            self._file(wav, new=True).write(header(0, form.rate, form.channels))
        return wav

    def room(self, wav: Wav) -> int:
        """How many more samples per channel fit into the WAV."""
        return (MOST_BYTES - wav.bytes) // (2 * wav.form.channels)

    def write(self, wav: Wav, samples: Samples) -> None:
        """Adds samples, channels interleaved."""
        with self._told(wav):
            file = self._file(wav)
            if file.tell() != HEADER + wav.bytes:  # after a hole
                file.seek(HEADER + wav.bytes)
            file.write(little_endian(samples).data)
            wav.bytes += samples.nbytes

    def skip(self, wav: Wav, samples: int) -> None:
        """Adds silence, in samples per channel. It is a hole in the file and takes no disk space."""
        wav.bytes += samples * 2 * wav.form.channels

    def finish(self, wav: Wav) -> None:
        """Completes the WAV and renames it into place."""
        with self._told(wav):
            file = self._file(wav)
            file.truncate(HEADER + wav.bytes)
            file.seek(0)
            file.write(header(wav.bytes, wav.form.rate, wav.form.channels))
            del self._open[wav]
            file.close()
            wav.part.replace(wav.path)
        self._under_way.discard(wav)
        self.finished += 1

    def abandon(self, wav: Wav) -> None:
        """Removes an unfinished WAV."""
        file = self._open.pop(wav, None)
        with contextlib.suppress(OSError):
            if file is not None:
                file.close()
        with contextlib.suppress(OSError):
            wav.part.unlink()
        self._under_way.discard(wav)

    def abandon_all(self) -> int:
        """Removes all unfinished WAVs and returns their number."""
        unfinished = [*self._under_way]
        for wav in unfinished:
            self.abandon(wav)
        return len(unfinished)

    def _file(self, wav: Wav, new: bool = False) -> BinaryIO:
        file = self._open.get(wav)
        if file is None:
            if len(self._open) >= MOST_OPEN:
                _, oldest = self._open.popitem(last=False)
                oldest.close()
            file = open(wav.part, "wb" if new else "r+b")  # noqa: SIM115
            self._open[wav] = file
        else:
            self._open.move_to_end(wav)
        return file

    @contextlib.contextmanager
    def _told(self, wav: Wav) -> Any:
        try:
            yield
        except OSError as error:
            self.abandon(wav)
            raise Failure(f"{wav.path}: {reason_of(error)}") from None
