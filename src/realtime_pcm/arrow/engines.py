"""Recordings to tables on the workers of Ray Data and Spark: plain functions over batches, which the engine runs where it likes.

    table = recordings("s3://calls/2026-11/")                                # one row a recording: what an engine hands out

    dataset.map_batches(map_rows, batch_format="pyarrow", batch_size=1)      # Ray Data
    frame.mapInArrow(map_rows, spark_schema())                               # Spark

A recording is read by one worker, as far as `recordings` has seen it: a task that is run again, on another worker and while the
file grows, gives the same rows.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .batches import Batches
from .files import Source, printable, size_of, sources
from .parquet import Written, write_one
from .schema import Pcm, require_pyarrow, rows_schema

__all__ = ["map_rows", "map_to_parquet", "recordings", "spark_schema", "written_schema"]

_ROW_OF_WRITTEN = {
    "source": "string",
    "path": "string",
    "lines": "int64",
    "refused": "int64",
    "items": "int64",
    "bytes": "int64",
    "skipped": "bool",
    "error": "string",
}
_SPARK_TYPES = {
    "string": "string",
    "int64": "bigint",
    "int32": "int",
    "double": "double",
    "bool": "boolean",
    "large_list<item: int16 not null>": "array<smallint>",
    "large_binary": "binary",
}


def recordings(paths: Any) -> Any:
    """The recordings that `read` would read, as a pyarrow.Table, without opening them.

    paths: one or several of a path, a folder, a URL that fsspec knows.
    Columns: `path` (string), the path or URL; `name` (string), the path below the folder that was given, null where several
    recordings have the same; `bytes` (int64), how long the file is now, null where its file system does not say.
    Raises FileNotFoundError for a path that is not there, TypeError for an open file, which no other worker could read,
    ValueError for a path that is not UTF-8, which a table cannot hold.
    """
    pa = require_pyarrow()
    found = list(sources(paths))
    for source in found:
        if not isinstance(source.given, (str, os.PathLike)):
            raise TypeError(f"a path or a URL is expected, not an open file: {source.name}")
        if printable(source.name) != source.name:
            raise ValueError(f"{printable(source.name)}: the name is not UTF-8, and a table cannot hold it: rename the file")
    names = Counter(source.relative for source in found)
    return pa.table(
        {
            "path": pa.array([source.name for source in found], pa.string()),
            "name": pa.array([source.relative if names[source.relative] == 1 else None for source in found], pa.string()),
            "bytes": pa.array([size_of(source) for source in found], pa.int64()),
        }
    )


def map_rows(given: Any, *, pcm: Pcm = "int16") -> Iterator[Any]:
    """The rows of recordings, as `read` gives them, in bounded memory.

    given: a pyarrow.Table (Ray Data) or an iterator of pyarrow.RecordBatch (Spark), with the columns of `recordings`; only `path`
        must be there.
    pcm: as in `read`.
    Yields pyarrow.Table for a table, and pyarrow.RecordBatch for batches, whose `pcm` is list<int16>, since Spark has no large
    lists: spark_schema() is their schema. The rows of one recording follow one another in the order of their lines.
    Raises OSError where a recording cannot be opened, so that the engine tries again; a line that is refused is a row.
    """
    return _mapped(given, partial(_rows, pcm=pcm))


def map_to_parquet(given: Any, *, out: str | os.PathLike[str], pcm: Pcm = "int16") -> Iterator[Any]:
    """Writes the Parquet files of recordings, as `to_parquet` does, and gives one row a recording that says what became of it.

    given: as in `map_rows`, with the column `name`, from which the files get their names.
    out: a folder that all workers share. pcm: as in `read`.
    Yields a pyarrow.Table, or a RecordBatch for batches, for each recording; written_schema() has the columns of `Written`.
    What is written already, by an earlier run or by a worker that died later, is left out. Raises OSError where `out` cannot be
    written to or a recording cannot be read, so that the engine tries again; ValueError without `name`, and for a name that leads
    out of `out`. What is no recording stands in its table of errors.
    """
    return _mapped(given, partial(_written, out=Path(out), pcm=pcm), named=True)


def written_schema() -> Any:
    """The pyarrow.Schema of what `map_to_parquet` gives."""
    pa = require_pyarrow()
    kinds = {"string": pa.string(), "int64": pa.int64(), "bool": pa.bool_()}
    return pa.schema([pa.field(name, kinds[kind]) for name, kind in _ROW_OF_WRITTEN.items()])


def spark_schema(schema: Any = None) -> str:
    """A schema of these tables in Spark's words, for `mapInArrow`.

    schema: rows_schema(), which is also meant without one, rows_schema("sent"), or written_schema().
    """
    schema = rows_schema() if schema is None else schema
    return ", ".join(f"`{field.name}` {_SPARK_TYPES[str(field.type)]}" for field in schema)


def _mapped(given: Any, work: Callable[[Source], Iterator[Any]], named: bool = False) -> Iterator[Any]:
    """What `work` gives for each recording: tables for a table, else batches that Spark takes."""
    pa = require_pyarrow()
    if isinstance(given, pa.Table):
        for source in _sources_of(given, named):
            for batch in work(source):
                yield pa.Table.from_batches([batch])
        return
    for batch_of_paths in given:
        for source in _sources_of(batch_of_paths, named):
            for batch in work(source):
                yield _for_spark(batch)


def _sources_of(table: Any, named: bool) -> Iterator[Source]:
    """The recordings that a table or a batch names. ValueError where `named` asks for names, and it has none."""
    columns = table.to_pydict()
    paths = columns["path"]
    if named and None in columns.get("name", [None]):
        raise ValueError(
            "map_to_parquet needs the column `name`, and a name of its own for each recording: give their common folder"
        )
    nothing = [None] * len(paths)
    for path, name, size in zip(paths, columns.get("name", nothing), columns.get("bytes", nothing), strict=True):
        yield Source(path, path.replace("\\", "/").rpartition("/")[2] if name is None else name, path, size)


def _rows(source: Source, pcm: Pcm) -> Iterator[Any]:
    with Batches(source, pcm=pcm) as batches:
        yield from batches


def _written(source: Source, out: Path, pcm: Pcm) -> Iterator[Any]:
    written: Written = write_one(source, out, pcm, raises=True)
    yield require_pyarrow().RecordBatch.from_pylist([written._asdict()], schema=written_schema())


def _for_spark(batch: Any) -> Any:
    """The batch, its large lists as lists."""
    pa = require_pyarrow()
    fields = [
        field.with_type(pa.list_(field.type.value_field)) if pa.types.is_large_list(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(fields, batch.schema.metadata))
