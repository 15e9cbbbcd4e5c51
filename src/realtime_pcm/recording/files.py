"""The bytes of a recording: what is compressed is recognised by its first bytes, and a file that cannot be one is named."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["VERSION", "FaultyData", "Output", "RecordingError", "open_to_read", "read_into", "require_zstandard"]

VERSION = 1  # of our own recordings

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"

# First bytes of files that are no recording -> what such a file is, and what to do.
OTHERS = {
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\xfd7zXZ\x00": "compressed by xz: unpack it first",
    b"RIFF": "a WAV or another RIFF file",
    b"OggS": "an Ogg file",
    b"ID3": "an MP3 file",
    **dict.fromkeys(
        (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a"),
        "captured packets, which TLS has encrypted: save a HAR file in the browser, or record the call",
    ),
    b"SQLite format": "an SQLite database",
    b"%PDF": "a PDF file",
    b"\x00": "binary data",
}

BUFFER = 1 << 18  # bytes: with the 8 KiB that open() takes, joining the pieces of a line costs more than decoding it
PACKED = 1 << 16  # bytes of compressed data that are read at once
PIECE = 1024  # bytes of them that are unpacked at once: 4 bytes of zstd can become 128 KiB, so a piece becomes 32 MiB at most
WIDEST_WINDOW = 1 << 26  # bytes that a zstd file may ask to look back: as many as the longest line has


class RecordingError(ValueError):
    """The file is not a recording, or not one that this release reads. The text says what it is, and what to do."""


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


def read_into(file: Any, view: memoryview) -> int:
    """Fills a buffer from a file object; how many bytes it gave, 0 at its end.

    Raises TypeError for a file that is open as text or gives no bytes, ValueError for one that gives more than was asked for.
    """
    data = file.read(len(view))
    if isinstance(data, str):
        raise TypeError("the file is open as text: open it with open(path, 'rb')")
    if data is None:
        raise TypeError("the file's read() gave None: a file that does not block has no data yet; open it so that it blocks")
    try:
        count = len(memoryview(data).cast("B"))
    except TypeError:
        raise TypeError(f"the file's read() gave {type(data).__name__}: a file open in binary mode gives bytes") from None
    if count > len(view):
        raise ValueError(f"the file's read({len(view)}) gave {count} bytes")
    view[:count] = data
    return count


class _Piped(io.RawIOBase):
    """A file object that has no `peek`, as the raw file of a BufferedReader."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        return read_into(self._file, memoryview(buffer))


class _Unpacked(io.RawIOBase):
    """The unpacked data of a zstd file. FaultyData where a frame of zstd is cut: zstandard takes that for the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zstandard = require_zstandard()
        self._decompressor = self._zstandard.ZstdDecompressor(max_window_size=WIDEST_WINDOW)
        self._stream: Any = None
        self._packed = b""
        self._at = 0  # how much of it was unpacked
        self._ready = memoryview(b"")
        self._fault: FaultyData | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        room, filled = len(view), 0
        while filled < room:
            ready = self._ready or self._unpacked()
            if not ready:
                break
            count = min(room - filled, len(ready))
            view[filled : filled + count] = ready[:count]
            self._ready = ready[count:]
            filled += count
        if not filled and self._fault is not None:
            raise self._fault
        return filled

    def _unpacked(self) -> memoryview:
        """The next unpacked bytes; none at the end of the data, or where a fault of them ends it."""
        while self._fault is None:
            if self._at == len(self._packed):
                self._packed, self._at = self._file.read(PACKED), 0
                if not self._packed:
                    if self._stream is not None:
                        self._fault = FaultyData("the zstd data end too early")
                    break
            piece = self._packed[self._at : self._at + PIECE]
            if self._stream is None:
                self._stream = self._decompressor.decompressobj()
            try:
                ready = self._stream.decompress(piece)
            except self._zstandard.ZstdError as error:
                self._fault = FaultyData(_fault_of_zstd(str(error)))
                break
            self._at += len(piece)
            if self._stream.eof:  # another frame of zstd may follow
                self._at -= len(self._stream.unused_data)
                self._stream = None
            if ready:
                return memoryview(ready)
        return memoryview(b"")


def _fault_of_zstd(reason: str) -> str:
    if "too much memory" in reason:
        return f"the zstd data need a window of more than {WIDEST_WINDOW >> 20} MiB: unpack them first (zstd --long=31)"
    return f"the zstd data are damaged: {reason}"


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
            raise RecordingError(f"this is {what}, not a recording: text with one JSON frame per line")
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
