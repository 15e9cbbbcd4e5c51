"""Recordings as tables on workers of Ray Data and Spark: functions over batches.

    table = recordings("s3://calls/2026-11/")                                # one row per recording

    dataset.map_batches(map_rows, batch_format="pyarrow", batch_size=1)      # Ray Data
    frame.mapInArrow(map_rows, spark_schema())                               # Spark

One worker reads a whole recording, up to the size that `recordings` noted. So a task that is repeated elsewhere gives the same
rows, even if the file has grown.
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
    """Lists the recordings that `read` would read, without opening them.

    Args:
        paths: A path, a folder, a URL that fsspec knows, or several of these.

    Returns:
        A `pyarrow.Table` with the columns `path` (string, the path or URL), `name` (string, the path below the given folder, or
            null if several recordings share it) and `bytes` (int64, the current size, or null if the file system does not say).

    Raises:
        FileNotFoundError: A path does not exist.
        TypeError: An open file was given. Other workers could not read it.
        ValueError: A path is not UTF-8, so a table cannot hold it.
    """
    pa = require_pyarrow()
    found = list(sources(paths))
    for source in found:
        if not isinstance(source.given, (str, os.PathLike)):
            raise TypeError(f"pass a path or a URL, not an open file: {source.name}")
        if printable(source.name) != source.name:
            raise ValueError(f"{printable(source.name)}: the name is not UTF-8, so a table cannot hold it; rename the file")
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

    Args:
        given: A `pyarrow.Table` (Ray Data) or an iterator of `pyarrow.RecordBatch` (Spark) from `recordings`. Only the column
            `path` is required.
        pcm: As in `read`.

    Yields:
        A `pyarrow.Table` per batch if a table was given. Otherwise a `pyarrow.RecordBatch` with the schema `spark_schema()`,
            whose `pcm` is `list<int16>` because Spark has no large lists. Rows of a recording are in line order.

    Raises:
        OSError: A recording cannot be opened; the engine may try again. A bad frame is a row with an error instead.
    """
    return _mapped(given, partial(_rows, pcm=pcm))


def map_to_parquet(given: Any, *, out: str | os.PathLike[str], pcm: Pcm = "int16") -> Iterator[Any]:
    """Writes the Parquet files of recordings, as `to_parquet` does. Gives one row per recording with the result.

    Files that exist already are kept, whether from an earlier run or from a worker that died after writing them. A file that is
    not a recording gets a row in its errors table.

    Args:
        given: As in `map_rows`, with the column `name`, which names the files.
        out: A folder that all workers share.
        pcm: As in `read`.

    Yields:
        A `pyarrow.Table` per recording if a table was given, otherwise a `pyarrow.RecordBatch`. `written_schema()` is the
            schema; the columns are those of `Written`.

    Raises:
        OSError: `out` cannot be written to, or a recording cannot be read; the engine may try again.
        ValueError: There is no column `name`, or a name leads out of `out`.
    """
    return _mapped(given, partial(_written, out=Path(out), pcm=pcm), named=True)


def written_schema() -> Any:
    """The `pyarrow.Schema` of the rows that `map_to_parquet` gives."""
    pa = require_pyarrow()
    kinds = {"string": pa.string(), "int64": pa.int64(), "bool": pa.bool_()}
    return pa.schema([pa.field(name, kinds[kind]) for name, kind in _ROW_OF_WRITTEN.items()])


def spark_schema(schema: Any = None) -> str:
    """The schema of a table in Spark's syntax, for `mapInArrow`.

    Args:
        schema: `rows_schema()` (the default), `rows_schema("sent")` or `written_schema()`.
    """
    schema = rows_schema() if schema is None else schema
    return ", ".join(f"`{field.name}` {_SPARK_TYPES[str(field.type)]}" for field in schema)


def _mapped(given: Any, work: Callable[[Source], Iterator[Any]], named: bool = False) -> Iterator[Any]:
    """The results of `work` for each recording: tables if `given` is a table, else batches for Spark."""
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
    """The recordings that a table or a batch lists. Raises ValueError if `named` and a name is missing."""
    columns = table.to_pydict()
    paths = columns["path"]
    if named and None in columns.get("name", [None]):
        raise ValueError(
            "map_to_parquet needs the column `name` with a different name for each recording: list their common folder"
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
    """The batch with lists instead of large lists."""
    pa = require_pyarrow()
    fields = [
        field.with_type(pa.list_(field.type.value_field)) if pa.types.is_large_list(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(fields, batch.schema.metadata))
