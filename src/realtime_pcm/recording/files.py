"""The bytes of a recording: what is compressed is recognised by its first bytes, and a file that cannot be one is named."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["FaultyData", "RecordingError", "open_to_read", "open_to_write", "require_zstandard"]

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"

# First bytes of files that are no recording -> what such a file is, and what to do.
OTHERS = {
    b"\xff\xfe": "UTF-16 text: convert it, `iconv -f UTF-16 -t UTF-8 FILE`",
    b"\xfe\xff": "UTF-16 text: convert it, `iconv -f UTF-16 -t UTF-8 FILE`",
    b"PK\x03\x04": "a zip archive: unpack it, `unzip FILE`",
    b"BZh": "compressed by bzip2: unpack it, `bunzip2 FILE`",
    b"\xfd7zXZ\x00": "compressed by xz: unpack it, `unxz FILE`",
    b"RIFF": "a WAV or another RIFF file",
    b"OggS": "an Ogg file",
    b"ID3": "an MP3 file",
    b"\x00": "binary data",
}

# Bytes of compressed data that are unpacked at once. 4 bytes of zstd can become 128 KiB, so that 4 KiB become 128 MiB at most.
BUFFER = 1 << 18  # bytes: with the 8 KiB that open() takes, joining the pieces of a line costs more than decoding it
PIECE = 4096


class RecordingError(ValueError):
    """A file is no recording, or not one that this release reads. The text says what it is instead, and what to do."""


class FaultyData(Exception):
    """The compressed data of a recording are damaged, or end too early. Lines before that place were whole."""


def require_zstandard() -> Any:
    """The module zstandard; ModuleNotFoundError, which says what to install, where it is not there."""
    try:
        import zstandard
    except ImportError:
        raise ModuleNotFoundError(
            'zstd needs the package zstandard: pip install "realtime-pcm[recording]"', name="zstandard"
        ) from None
    return zstandard


# --- reading


class _Piped(io.RawIOBase):
    """A file object that has no `peek`, as the raw file of a BufferedReader."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        data = self._file.read(len(view))
        if isinstance(data, str):
            raise TypeError("the file is open as text: open it with open(path, 'rb')")
        view[: len(data)] = data
        return len(data)


class _Unpacked(io.RawIOBase):
    """The unpacked data of a zstd file. FaultyData where a frame of zstd is cut: zstandard takes that for the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zstandard = require_zstandard()
        self._decompressor = self._zstandard.ZstdDecompressor()
        self._stream: Any = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        while not self._ready:
            self._packed = self._packed or self._file.read(PIECE)
            if not self._packed:
                if self._stream is not None:
                    raise FaultyData("the zstd data end too early")
                return 0
            if self._stream is None:
                self._stream = self._decompressor.decompressobj()
            try:
                self._ready = memoryview(self._stream.decompress(self._packed))
            except self._zstandard.ZstdError as error:
                raise FaultyData(f"the zstd data are damaged: {error}") from None
            self._packed = b""
            if self._stream.eof:  # another frame of zstd may follow
                self._packed, self._stream = self._stream.unused_data, None
        view = memoryview(buffer)
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def open_to_read(source: Any) -> tuple[BinaryIO, bool]:
    """The unpacked bytes of a path or of an open file, and whether the caller is to close what was opened.

    The byte order mark of UTF-8 is left out. Raises RecordingError for what is no recording, OSError as open() does.
    """
    opened = isinstance(source, (str, os.PathLike))
    file: Any = open(source, "rb", buffering=BUFFER) if opened else source  # noqa: SIM115
    try:
        if isinstance(file, io.TextIOBase):
            file = getattr(file, "buffer", file)
        if not hasattr(file, "read"):
            raise TypeError(f"read_recording() takes a path or an open file, not {type(source).__name__}")
        if not hasattr(file, "peek"):
            file = io.BufferedReader(_Piped(file), 1 << 16)
        return _unpacked(cast(BinaryIO, file)), opened
    except BaseException:
        if opened:
            file.close()
        raise


def _unpacked(file: Any) -> BinaryIO:
    first = bytes(file.peek(8)[:8])
    if first.startswith(GZIP):
        import gzip

        file = gzip.GzipFile(fileobj=file)
    elif first.startswith(ZSTD):
        file = io.BufferedReader(_Unpacked(file), 1 << 17)
    if first.startswith((GZIP, ZSTD)):
        try:
            first = bytes(file.peek(8)[:8])
        except (EOFError, OSError, FaultyData) as error:
            raise RecordingError(f"compressed data that are damaged, or cut off at their beginning: {error}") from None
    for start, what in OTHERS.items():
        if first.startswith(start):
            raise RecordingError(f"this is {what}, no recording, which is text with one JSON frame a line")
    if first.startswith(BOM):
        file.read(len(BOM))
    return cast(BinaryIO, file)


# --- writing


def open_to_write(path: str | os.PathLike[str], overwrite: bool) -> BinaryIO:
    """A new file, which compresses by its name: .gz by gzip, .zst by zstd. FileExistsError where it is there already."""
    name = os.fspath(path).lower()
    mode = "wb" if overwrite else "xb"
    if name.endswith((".zst", ".zstd")):
        zstandard = require_zstandard()
        file = open(path, mode)  # noqa: SIM115
        return cast(BinaryIO, zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(file, closefd=True))
    file = cast(BinaryIO, open(path, mode))  # noqa: SIM115
    if name.endswith((".gz", ".gzip")):
        import gzip

        return cast(BinaryIO, _Gzip(file, gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=4)))
    return file


class _Gzip:
    """A gzip file that closes its file, too."""

    def __init__(self, file: BinaryIO, packed: Any) -> None:
        self._file = file
        self.write, self.flush = packed.write, packed.flush
        self._packed = packed

    def close(self) -> None:
        try:
            self._packed.close()
        finally:
            self._file.close()
