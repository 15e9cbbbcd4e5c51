"""The bytes of a recording: what is compressed is recognised by its first bytes, and a file that cannot be one is named."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["FaultyData", "Output", "RecordingError", "open_to_read", "require_zstandard"]

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


class Output:
    """A new file, compressed by its name: .gz by gzip, .zst by zstd.

    What is written is in the file once `flush` or `close` has returned. After a fault the file is cut back to what the last
    flush left in it, and takes no more. FileExistsError if it is there already, unless `overwrite`.
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool) -> None:
        name = os.fspath(path).lower()
        self.compresses = name.endswith((".zst", ".zstd", ".gz", ".gzip"))
        self.faulty = False
        self._compressor: Any = _Copy()
        self._flush, self._finish = 0, 0
        if name.endswith((".zst", ".zstd")):
            zstandard = require_zstandard()
            self._compressor = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
            self._flush, self._finish = zstandard.COMPRESSOBJ_FLUSH_BLOCK, zstandard.COMPRESSOBJ_FLUSH_FINISH
        elif self.compresses:
            import zlib

            self._compressor = zlib.compressobj(4, wbits=zlib.MAX_WBITS + 16)
            self._flush, self._finish = zlib.Z_SYNC_FLUSH, zlib.Z_FINISH
        # Unbuffered: a buffer of io would be written a second time by a forked child, when that ends.
        self._file = open(path, "wb" if overwrite else "xb", buffering=0)  # noqa: SIM115
        self._pieces: list[bytes] = []
        self._waiting = 0  # bytes in _pieces
        self._size = 0  # bytes that went into the file
        self._flushed = 0  # those up to the last flush

    def write(self, data: bytes) -> None:
        """Compresses the data, and writes what is ready in large pieces."""
        try:
            self._add(self._compressor.compress(data))
            if self._waiting >= BUFFER:
                self._write_pieces()
        except BaseException:
            self._cut_back()
            raise

    def flush(self) -> None:
        """Puts into the file all that was written until now."""
        self._flush_as(self._flush)

    def close(self) -> None:
        """Puts all of it into the file, with the end of the compressed data, and closes the file."""
        try:
            if not self.faulty:
                self._flush_as(self._finish)
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Closes the file as it is. Nothing more is written."""
        self.faulty = True
        self._file.close()

    def _flush_as(self, how: int) -> None:
        try:
            self._add(self._compressor.flush(how))
            self._write_pieces()
            self._flushed = self._size
        except BaseException:
            self._cut_back()
            raise

    def _add(self, packed: bytes) -> None:
        self._pieces.append(packed)
        self._waiting += len(packed)

    def _write_pieces(self) -> None:
        left = memoryview(b"".join(self._pieces))
        while left:
            count = self._file.write(left)
            self._size += count
            left = left[count:]
        self._pieces.clear()
        self._waiting = 0

    def _cut_back(self) -> None:
        self.faulty = True
        self._pieces.clear()
        with suppress(OSError):  # a pipe or a device cannot be cut
            self._file.truncate(self._flushed)


class _Copy:
    """A compressor that does not compress."""

    def compress(self, data: bytes) -> bytes:
        return data

    def flush(self, how: int) -> bytes:
        return b""
