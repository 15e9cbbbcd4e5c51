"""Recordings as batches of rows, read as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Self

import numpy as np

from ..recording import Recording, RecordingError, read_recording
from .files import Source, sources
from .rows import Row, row_of
from .schema import ROW_COLUMNS, Pcm, require_pyarrow, rows_schema

__all__ = ["Batches", "read"]

ROWS = 16_384  # of a batch
BYTES = 8 << 20  # of the audio and text of a batch; one more frame may come on top


class Batches(Iterator[Any]):
    """The rows of recordings as pyarrow.RecordBatch, of one recording at a time.

    schema: that of every batch. lines: rows so far. refused: those of them that have an error. A context manager.
    """

    def __init__(self, paths: Any, *, pcm: Pcm = "int16", rows: int = ROWS) -> None:
        self.schema = rows_schema(pcm)
        self.lines = 0
        self.refused = 0
        self._dtype = "uint8" if pcm == "sent" else "int16"
        self._rows = rows
        self._recording: Recording | None = None
        self._batches = self._read(sources(paths))

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
        """Closes the file that is being read; no batches follow."""
        self._batches.close()

    def _read(self, given: Iterator[Source]) -> Any:
        for source in given:
            file = source.open()
            try:
                yield from self._of_file(source.name, file)
            finally:
                if source.is_ours:
                    file.close()

    def _of_file(self, name: str, file: Any) -> Iterator[Any]:
        try:
            recording = read_recording(file, dtype=self._dtype)
        except RecordingError as error:
            yield self._batch(name, [_file_at_fault(error)])
            return
        with recording:
            entries = map(row_of, recording)
            while rows := _some(entries, self._rows):
                yield self._batch(name, rows)

    def _batch(self, name: str, rows: list[Row]) -> Any:
        pa = require_pyarrow()
        columns = [pa.array([name] * len(rows), pa.string())]
        values = list(zip(*rows, strict=True))
        for place, field in enumerate(list(self.schema)[1:]):
            given = values[place]
            if field.name != "pcm":
                columns.append(pa.array(given, field.type))
            elif self._dtype == "uint8":
                columns.append(pa.array([None if pcm is None else pcm.tobytes() for pcm in given], field.type))
            else:
                columns.append(_samples_column(given, field.type))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _some(rows: Iterator[Row], count: int) -> list[Row]:
    """The next rows, `count` of them at the most, and no more than BYTES of audio and text."""
    taken: list[Row] = []
    size = 0
    for row in islice(rows, count):
        taken.append(row)
        pcm, text = row[PCM], row[TEXT]
        size += (0 if pcm is None else pcm.nbytes) + (0 if text is None else len(text))
        if size >= BYTES:
            break
    return taken


PCM = list(ROW_COLUMNS).index("pcm") - 1
TEXT = list(ROW_COLUMNS).index("text") - 1


def _samples_column(given: tuple[Any, ...], kind: Any) -> Any:
    """A column of arrays of int16: one buffer for all samples."""
    pa = require_pyarrow()
    offsets = np.zeros(len(given) + 1, np.int64)
    np.cumsum([0 if pcm is None else len(pcm) for pcm in given], out=offsets[1:])
    samples = [pcm for pcm in given if pcm is not None]
    values = pa.array(np.concatenate(samples) if samples else np.empty(0, np.int16))
    nulls = pa.array([pcm is None for pcm in given])
    return pa.LargeListArray.from_arrays(pa.array(offsets), values, type=kind, mask=nulls)


def _file_at_fault(error: Exception) -> Row:
    """The one row of a file that is no recording."""
    row: list[Any] = [None] * (len(ROW_COLUMNS) - 1)
    row[0], row[-1] = 0, str(error)
    return tuple(row)


def read(paths: Any, *, pcm: Pcm = "int16") -> Any:
    """The rows of recordings as a pyarrow.RecordBatchReader, which reads as it goes: one batch is in memory at a time.

    paths: one or several of a path, a folder, a URL that fsspec knows, a file that is open in binary mode. One file is one
        session, which both sides share, as in `read_recording`.
    pcm: what the column `pcm` holds: "int16", the samples, or "sent", the bytes as they were sent.
    The schema is rows_schema(pcm). A line that is refused is a row with its reason in `error`, and so is a file that is no
    recording. Raises OSError as open() does, ValueError for another `pcm`.
    """
    batches = Batches(paths, pcm=pcm)
    return require_pyarrow().RecordBatchReader.from_batches(batches.schema, batches)
