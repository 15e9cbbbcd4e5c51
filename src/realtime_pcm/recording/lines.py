"""The lines of a recording: numbered, bounded in length, past runs of empty ones and past faults of compressed data."""

from __future__ import annotations

import os
import zlib
from collections import deque
from io import BufferedReader
from typing import Any

from .files import FaultyData, open_to_read
from .shapes import LONGEST_LINE

__all__ = ["MOST_EMPTY", "NEWLINE", "LineFile"]

PASSED_AT_ONCE = 1 << 18  # bytes of the rest of a line that is too long
MOST_EMPTY = 10_000  # lines in a row
NEWLINE = ord("\n")

FAULTS = (EOFError, OSError, zlib.error, FaultyData)  # of compressed data, and of the disk


class LineFile:
    """The lines of a file.

    number: of the last line that was read. first: lines that were looked at and are still to be read. fault: why the data end
    where they should not; None if they do not. The cut part is left out.
    """

    def __init__(self, source: Any) -> None:
        self.number = 0
        self.first: deque[bytes] = deque()
        self.fault: str | None = None
        self._ended = False
        self._empty_from = self._empty_to = 0  # the last run of empty lines: its first line, and the one behind it
        self._file, self._opened = open_to_read(source)
        self.readline = self._file.readline

    def close(self) -> None:
        """Closes the file. No lines follow."""
        if self._opened:
            self._file.close()
        self.first.clear()
        self._ended = True

    def look(self, limit: int) -> bytes:
        """Reads a line, or the first bytes of it, without counting it. Nothing at the end of the file."""
        if self._ended:
            return b""
        try:
            return self.readline(limit)
        except FAULTS as error:
            return self._stopped(error)

    def next(self) -> bytes:
        """The next line, its newline included; at most LONGEST_LINE bytes of it. Nothing at the end of the file."""
        line = self.first.popleft() if self.first else self.look(LONGEST_LINE)
        self.number += line != b""
        return line

    def _stopped(self, error: Exception) -> bytes:
        """The end of a file whose compressed data are at fault. Raises an OSError of the disk."""
        # gzip tells damaged data by an OSError without a number.
        if isinstance(error, OSError) and error.errno is not None:
            raise error
        self.fault = "the gzip data end too early" if isinstance(error, EOFError) else str(error)
        self._ended = True
        return b""

    def pass_empty(self) -> int | None:
        """Passes the empty lines that follow the one that was read. The number of the first of too many in a row; else None."""
        if self.number != self._empty_to:
            self._empty_from = self.number
        told = self.number - self._empty_from > MOST_EMPTY
        while not (self.first or self._ended):
            try:
                ahead = self._file.peek(1)  # type: ignore[attr-defined]
                end = ahead.rfind(b"\n", 0, len(ahead) - len(ahead.lstrip())) + 1
                if not end:
                    break
                self.number += ahead.count(b"\n", 0, end)
                self._file.read(end)
            except FAULTS as error:
                self._stopped(error)
        self._empty_to = self.number + 1
        too_many = self._empty_to - self._empty_from > MOST_EMPTY
        return self._empty_from + MOST_EMPTY if too_many and not told else None

    def pass_rest(self, line: bytes) -> None:
        """Passes the rest of a line that is too long."""
        while line and line[-1] != NEWLINE:
            line = self.look(PASSED_AT_ONCE)

    # --- the file in other pieces than lines

    def read(self, size: int) -> bytes:
        """The next bytes, for a parser of documents."""
        if self.first:
            data = self.first.popleft()
            if len(data) > size:
                self.first.appendleft(data[size:])
            return data[:size]
        if self._ended:
            return b""
        try:
            return self._file.read(size)
        except FAULTS as error:
            return self._stopped(error)

    def fill(self, buffer: memoryview) -> int:
        """Reads further bytes into a buffer. 0: the file ends here; `fault` says whether in the middle of its data."""
        count = 0
        while count < len(buffer) and not self._ended:
            try:
                read = int(self._file.readinto1(buffer[count:]))  # type: ignore[attr-defined]
            except FAULTS as error:
                self._stopped(error)
                break
            if not read:
                break
            count += read
        return count

    @property
    def size(self) -> int:
        """Size of an uncompressed file on disk in bytes; otherwise 0."""
        try:
            return os.fstat(self._file.fileno()).st_size if type(self._file) is BufferedReader else 0
        except (OSError, ValueError):
            return 0


def is_whole(line: bytes) -> bool:
    """Whether a line was read to its end."""
    return line[-1] == NEWLINE or len(line) < LONGEST_LINE


def without_newline(line: bytes) -> bytes:
    """The line without the newline at its end."""
    return line if line[-1] != NEWLINE else line[:-2] if line[-2:-1] == b"\r" else line[:-1]
