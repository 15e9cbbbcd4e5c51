"""Recordings as batches of rows, read on demand."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from .._bulk import LineBatch
from .._core import Session
from ..recording import Recording, RecordingError, read_recording
from ..recording.lines import MOST_EMPTY
from ..recording.shapes import LONGEST_LINE
from ..sockets import Socket, catalogue_of
from .files import Source, limited, sources
from .rows import Row, row_of
from .schema import ROW_COLUMNS, Pcm, require_pyarrow, rows_schema

__all__ = ["Batches", "read"]

ROWS = 8_192  # per batch
BYTES = 2 << 20  # of audio and text per batch; one frame may exceed it. Larger batches do not fit into the CPU's caches
ARROW_ARRAY = 80  # size of struct ArrowArray, in bytes
BUFFER = 1 << 19  # bytes per read; it grows for a longer line


class Batches(Iterator[Any]):
    """The rows of recordings as `pyarrow.RecordBatch`, each batch of one recording.

    A context manager: leaving it closes the file that is being read.

    Attributes:
        schema (pyarrow.Schema): The schema of every batch.
        lines (int): Rows so far.
        refused (int): Rows so far that have an error.
        catalogue (Catalogue | None): Of the recording that was read last: another socket, or None for the Realtime API.
        slow_lines (int): Lines that C left to the `Decoder`, which needs the GIL: bad frames, and payloads that are empty or
            WAV files.

    Args:
        paths: As in `read`.
        pcm: As in `read`.
        rows: Most rows in a batch.
        size: Bytes of text and audio at which a batch ends. Its last frame may exceed this.
        call: As in `read_recording`.
        socket: As in `read_recording`.

    Raises:
        ValueError: `rows` or `size` is not positive, or `pcm` is another word.
    """

    def __init__(
        self,
        paths: Any,
        *,
        pcm: Pcm = "int16",
        rows: int = ROWS,
        size: int = BYTES,
        call: str | None = None,
        socket: int | None = None,
        catalogue: Any = None,
    ) -> None:
        if rows < 1 or size < 1:
            raise ValueError("rows and size must be positive")
        self._pa = require_pyarrow()
        self.schema = rows_schema(pcm)
        self.slow_lines = 0
        self.catalogue: Any = None
        self._bytes = size
        self._place = np.zeros(ARROW_ARRAY, np.uint8)
        self.lines = 0
        self.refused = 0
        self._dtype = "uint8" if pcm == "sent" else "int16"
        self._rows = rows
        self._recording: Recording | None = None
        self._batches = self._read(sources(paths, call, socket, catalogue_of(catalogue)))

    def __next__(self) -> Any:
        batch = next(self._batches)
        self.lines += batch.num_rows
        self.refused += batch.num_rows - batch.column("error").null_count
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file that is being read. No batches follow."""
        self._batches.close()

    def _read(self, given: Iterator[Source]) -> Any:
        for source in given:
            file = source.open()
            try:
                yield from self._of_file(source, file if source.size is None else limited(file, source.size))
            finally:
                if source.is_ours:
                    file.close()

    def _of_file(self, source: Source, file: Any) -> Iterator[Any]:
        name = source.name
        self.catalogue = None
        try:
            recording = read_recording(
                file, dtype=self._dtype, call=source.call, socket=source.socket, catalogue=source.catalogue
            )
        except RecordingError as error:
            lines = self._lines(name, None, lambda line, number: None)
            lines.put_row(_file_at_fault(error))
            yield self._batch(lines)
            return
        self.catalogue = recording.catalogue
        with recording:
            try:
                yield from self._of_recording(name, recording) if recording.is_fast else self._of_entries(name, recording)
            except RecordingError as error:  # two calls mix in the file: rows of this batch may be wrong already
                lines = self._lines(name, None, lambda line, number: None)
                lines.put_row(_file_at_fault(error))
                yield self._batch(lines)

    def _of_entries(self, name: str, recording: Recording) -> Iterator[Any]:
        """The rows of a recording whose format the C code does not read."""
        lines = self._lines(name, recording, lambda line, number: None)
        for entry in recording:
            if lines.full:
                yield self._batch(lines)
            lines.put_row(row_of(entry))
        if lines.rows:
            yield self._batch(lines)

    def _of_recording(self, name: str, recording: Recording) -> Iterator[Any]:
        wrapper = recording.wrapper

        def slow(line: bytes, number: int) -> Row | None:
            before = recording.template
            entry = recording.entry_of(line, number)
            if wrapper is not None and recording.template is not before:
                lines.set_template(*recording.template, *wrapper.numbers(), wrapper.seconds)
            return None if entry is None else row_of(entry)

        lines = self._lines(name, recording, slow)
        buffer = _buffer()
        first, lines.line = recording.lines_to_read()
        for entry in recording.entries_before():
            lines.put_row(row_of(entry))
        if len(first) > len(buffer):
            buffer = bytearray(2 * len(first))
        buffer[: len(first)] = first
        start, end, last = 0, len(first), False
        slow_lines = 0
        while True:
            start, full = lines.feed(buffer, start, end, last)
            self.slow_lines += lines.slow_lines - slow_lines
            slow_lines = lines.slow_lines
            if full:
                yield self._batch(lines)
                continue
            if last:
                break
            if end - start >= LONGEST_LINE:
                start, end, last = self._leave_out(lines, recording, buffer, start, end)
                continue
            if start == 0 and end == len(buffer):
                buffer.extend(bytes(min(len(buffer), LONGEST_LINE + BUFFER - len(buffer))))
            elif start:
                buffer[: end - start] = buffer[start:end]
                start, end = 0, end - start
            limit = min(len(buffer), start + LONGEST_LINE)
            with memoryview(buffer) as view:
                count = recording.fill(view[end:limit])
            end += count
            last = count == 0
            if last and recording.damaged:
                end = start
        if len(buffer) == BUFFER:
            _spare.append(buffer)
        cut_off = recording.entry_of_end(lines.line)
        if cut_off is not None:
            if lines.full:
                yield self._batch(lines)
            lines.put_row(row_of(cut_off))
        if lines.rows:
            yield self._batch(lines)

    def _leave_out(
        self, lines: LineBatch, recording: Recording, buffer: bytearray, start: int, end: int
    ) -> tuple[int, int, bool]:
        """Makes one row of a line that is too long.

        Returns the start of the next line, the end of the data, and whether the file has ended.
        """
        lines.line += 1
        lines.put_row(row_of(recording.entry_of_overlong(bytes(buffer[start : start + 1000]), lines.line)))
        while True:
            with memoryview(buffer) as view:
                end = recording.fill(view)
            newline = buffer.find(b"\n", 0, end)
            if newline >= 0 or end == 0:
                return newline + 1, end, end == 0

    def _lines(self, name: str, recording: Recording | None, slow: Any) -> LineBatch:
        wrapper = None if recording is None else recording.wrapper
        return LineBatch(
            Session() if recording is None else recording.session,
            slow,
            None if recording is None else recording.tell,
            name,
            own=wrapper is not None and wrapper.own,
            wrapped=wrapper is not None,
            as_sent=self._dtype == "uint8",
            words={} if recording is None else {word: way == "sent" for word, way in recording.words.items()},
            rows=self._rows,
            size=self._bytes,
            most_empty=MOST_EMPTY,
            expected=0 if recording is None else recording.size,
            catalogue=None if recording is None else recording.catalogue,
        )

    def _batch(self, lines: LineBatch) -> Any:
        return self._pa.RecordBatch._import_from_c(*self._exported(lines))

    def _exported(self, lines: LineBatch) -> tuple[int, Any]:
        lines.export(self._place.ctypes.data)
        return self._place.ctypes.data, self.schema


# Buffers to reuse for the next file, at most four: fresh memory costs a page fault per 4 KiB.
_spare: deque[bytearray] = deque(maxlen=4)


def _buffer() -> bytearray:
    try:
        return _spare.pop()
    except IndexError:
        return bytearray(BUFFER)


def _file_at_fault(error: Exception) -> Row:
    """The single row of a file that is not a recording."""
    row: list[Any] = [None] * (len(ROW_COLUMNS) - 2)
    row[0], row[-1] = 0, str(error)
    return tuple(row)


def read(
    paths: Any,
    *,
    pcm: Pcm = "int16",
    call: str | None = None,
    socket: int | None = None,
    catalogue: str | Socket[Any, Any] | None = None,
) -> Any:
    """The rows of recordings as a `pyarrow.RecordBatchReader`, which reads as you iterate and keeps one batch in memory.

    A bad frame becomes a row with its reason in `error`. So does a file that is not a recording.

    Args:
        paths: A path, a folder, a URL that fsspec knows, a file open in binary mode, or several of these. Each file is one
            session, which both sides share, as in `read_recording`.
        pcm: The contents of the column `pcm`: "int16" for samples, "sent" for the bytes as they were sent.
        call: Which call to read, if each file has several, as in `read_recording`.
        socket: Which WebSocket to read, if each file has several, as in `read_recording`.
        catalogue: Another socket whose frames these are, as in `read_recording`.

    Returns:
        A reader with the schema `rows_schema(pcm)`.

    Raises:
        OSError: A file cannot be opened.
        ValueError: `pcm` is another word.
    """
    batches = Batches(paths, pcm=pcm, call=call, socket=socket, catalogue=catalogue)
    return require_pyarrow().RecordBatchReader.from_batches(batches.schema, batches)
