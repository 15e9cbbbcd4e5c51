"""Parquet files of recordings: for each recording a file of rows, one of items, and one of errors if it has any."""

from __future__ import annotations

import errno
import glob
import os
import platform
import secrets
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ..sockets import Socket, catalogue_of
from .batches import Batches
from .files import Source, limited, printable, sources
from .items import Items
from .schema import VERSION, Pcm, errors_schema, items_schema, require_pyarrow, rows_schema

__all__ = ["Written", "to_parquet"]

ENDS = 1 << 16  # bytes at each end of a recording; their checksum shows whether it has changed
REPEATED = ("source", "direction", "type", "encoding", "role", "response_id", "item_id", "speaker")  # as dictionaries
EMPTY = "an empty recording: it has no frames"
PART = ".part"  # suffix of an unfinished file
LEFT_OVER = 86_400.0
LONGEST_NAME = 200  # bytes: leaves room in 255 for the suffix and the other parts of an unfinished file's name
FAULTS_OF_A_NAME = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ELOOP)  # they concern one recording, not the disk
BYTES = "realtime_pcm.bytes"  # how much of the recording was read
CHOSEN = ("realtime_pcm.call", "realtime_pcm.socket", "realtime_pcm.catalogue")
COMPRESSION = {"compression": "zstd", "compression_level": 1}


class Written(NamedTuple):
    """The result for one recording.

    Attributes:
        source: Path of the recording.
        path: Path of the Parquet file with its rows.
        lines: Number of rows.
        refused: Number of rows with an error.
        items: Number of rows in its items table.
        bytes: Size of the recording, in bytes.
        skipped: Whether an earlier run had written the files.
        error: Why the file is not a recording or its tables could not be made; otherwise None.
    """

    source: str
    path: str
    lines: int
    refused: int
    items: int
    bytes: int
    skipped: bool
    error: str | None


def to_parquet(
    paths: Any,
    out: str | os.PathLike[str],
    *,
    pcm: Pcm = "int16",
    call: str | None = None,
    socket: int | None = None,
    catalogue: str | Socket[Any, Any] | None = None,
    progress: Callable[[Written], object] | None = None,
) -> list[Written]:
    """Writes Parquet files of recordings: rows, items and errors.

    For each recording it writes out/rows/NAME.parquet, out/items/NAME.parquet and, if frames were refused,
    out/errors/NAME.parquet. NAME is the path of the recording below the given folder. If a file name exceeds 200 bytes, a
    digest replaces its end.

    A file appears under its name only when it is complete. Recordings that an earlier run has written and that have not changed
    are skipped. The same recording always gives the same bytes.

    A file that is empty, damaged, cannot be opened or is not a recording has a row in its errors table. If an earlier run wrote
    tables of a recording that cannot be opened now, they stay and `Written.error` says so. `Written.error` also says why the
    tables of a recording cannot be made; the other recordings are still written.

    Args:
        paths: As in `read`.
        out: A folder. It is created if needed.
        pcm: As in `read`.
        call: As in `read`.
        socket: As in `read`.
        catalogue: As in `read`.
        progress: Called with each `Written`.

    Returns:
        A `Written` per recording.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: Two recordings would have the same NAME.
        OSError: `out` cannot be written to. Files written earlier stay.
    """
    rows_schema(pcm)
    return list(each_to_parquet(sources(paths, call, socket, catalogue_of(catalogue)), out, pcm, progress))


def each_to_parquet(
    paths: Any, out: str | os.PathLike[str], pcm: Pcm, progress: Callable[[Written], object] | None = None
) -> Iterator[Written]:
    """Like `to_parquet`, one recording at a time."""
    found = list(sources(paths))
    check_names(found)
    for source in found:
        try:
            written = write_one(source, Path(out), pcm)
        except (ArithmeticError, ImportError, LookupError, MemoryError, OSError, TypeError, ValueError) as error:
            if not source.is_ours or (isinstance(error, OSError) and error.errno not in FAULTS_OF_A_NAME):
                raise
            path = str(_place(Path(out), "rows", source))
            written = Written(source.name, path, 0, 0, 0, 0, False, str(error) or type(error).__name__)
        if progress is not None:
            progress(written)
        yield written


def check_names(found: Iterable[Source]) -> None:
    """Raises ValueError if the tables of two recordings would have the same name."""
    taken: dict[str, str] = {}
    for source in found:
        other = taken.setdefault(_name_of(source), source.name)
        if other != source.name:
            raise ValueError(
                f"{printable(other)} and {printable(source.name)} would both become {_name_of(source)}: pass their common folder"
            )


def write_one(source: Source, out: Path, pcm: Pcm, *, raises: bool = False) -> Written:
    """Writes the tables of one recording, unless they exist.

    raises: whether to raise OSError for a recording that cannot be opened or read, so the caller can try again. Otherwise its
    errors table says so, unless the recording cannot be opened and an earlier run has written tables, which stay.
    """
    relative = Path(source.relative)
    if relative.is_absolute() or relative.drive or ".." in relative.parts:
        raise ValueError(f"{printable(source.relative)}: the name of a recording must be a path below `out`, without ..")
    places = {table: _place(out, table, source) for table in ("rows", "items", "errors")}
    before = _facts_of(_metadata_of(places["rows"]))
    read_before = int(before.get(BYTES, 0))
    file = None
    try:
        file = source.open()
        # If the file grows, an earlier run may have read more of it than this one was told of.
        limit = None if source.size is None else max(source.size, read_before)
        size, mark = _mark_of(file, limit)
    except OSError as error:
        if raises or not source.is_ours:
            raise
        if file is not None:
            file.close()
        if read_before:
            return Written(source.name, str(places["rows"]), 0, 0, 0, 0, False, f"{error}; the tables of an earlier run stay")
        return _write(source, places, pcm, {BYTES: "0"}, _only_error(source, pcm, error), 0, str(error))
    try:
        facts = {BYTES: str(size), "realtime_pcm.ends": mark, **_chosen(source)}
        done = _done(source, places, before, {**facts, **_kind(pcm)}, size)
        if done is not None:
            return done
        whole = source._replace(given=limited(file, size), size=None)
        made = Batches(whole, pcm=pcm)

        def follow(items: Items) -> None:
            if made.catalogue is not None:
                file.seek(0)
                items.follow(whole._replace(given=limited(file, size)))

        batches = made if raises else _readable(made, source, pcm)
        return _write(source, places, pcm, facts, batches, size, None, follow)
    finally:
        if source.is_ours:
            file.close()


def _place(out: Path, table: str, source: Source) -> Path:
    return out / table / _name_of(source)


def _name_of(source: Source) -> str:
    """The file name of a recording's tables: its path, whose last part is cut if it is too long for an unfinished file."""
    folder, slash, name = printable(source.relative).rpartition("/")
    encoded = name.encode()
    if len(encoded) > LONGEST_NAME:
        name = f"{encoded[: LONGEST_NAME - 17].decode(errors='ignore')}-{sha256(encoded).hexdigest()[:16]}"
    return f"{folder}{slash}{name}.parquet"


def _chosen(source: Source) -> dict[str, str]:
    """What the caller chose, if anything."""
    chosen = source.call, source.socket, getattr(source.catalogue, "name", source.catalogue)
    return {name: str(value) for name, value in zip(CHOSEN, chosen, strict=True) if value is not None}


def _kind(pcm: Pcm) -> dict[str, str]:
    return {"realtime_pcm.version": str(VERSION), "realtime_pcm.pcm": pcm}


def _mark_of(file: Any, limit: int | None) -> tuple[int, str]:
    """The size of a file or of its first `limit` bytes, and a checksum of both ends. Leaves the file at its beginning."""
    size = int(file.seek(0, os.SEEK_END))
    size = size if limit is None else min(size, limit)
    file.seek(0)
    mark = zlib.crc32(file.read(min(size, ENDS)))
    file.seek(max(0, size - ENDS))
    mark = zlib.crc32(file.read(min(size, ENDS)), mark)
    file.seek(0)
    return size, f"{mark:08x}"


def _done(source: Source, places: dict[str, Path], before: dict[str, str], facts: dict[str, str], size: int) -> Written | None:
    """The result of an earlier run, if its facts are the same and its tables exist; otherwise None.

    before: the facts in the metadata of its rows table.
    """
    facts = dict.fromkeys(CHOSEN, "") | facts
    if any(before.get(key, "") != value for key, value in facts.items()):
        return None
    items, errors = (_metadata_of(places[table]) for table in ("items", "errors"))
    if items is None:
        return None
    lines, refused = int(before["realtime_pcm.lines"]), int(before["realtime_pcm.refused"])
    error = before.get("realtime_pcm.error")
    if (errors is None) == (refused > 0 or error is not None):
        return None
    return Written(source.name, str(places["rows"]), lines, refused, items.num_rows, size, True, error)


def _facts_of(metadata: Any) -> dict[str, str]:
    """The facts that this module noted in a Parquet file; empty if there is no file."""
    pairs = () if metadata is None else (metadata.metadata or {}).items()
    return {key.decode(): value.decode() for key, value in pairs if key.startswith(b"realtime_pcm.")}


def _metadata_of(path: Path) -> Any:
    """The metadata of a Parquet file, or None if there is no such file."""
    pa = require_pyarrow()
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid):
        return None


def _only_error(source: Source, pcm: Pcm, error: Exception | str) -> Iterator[Any]:
    """The batch for a file that cannot be read: one row with the reason."""
    schema = rows_schema(pcm)
    row = dict.fromkeys(schema.names) | {"source": printable(source.name), "line": 0, "error": str(error)}
    yield require_pyarrow().RecordBatch.from_pylist([row], schema=schema)


def _write(
    source: Source,
    places: dict[str, Path],
    pcm: Pcm,
    facts: dict[str, str],
    batches: Iterator[Any],
    size: int,
    error: str | None,
    follow: Callable[[Items], object] | None = None,
) -> Written:
    """Writes the tables to temporary names, then renames them. The rows come last: they mark the recording as done.

    follow: adds what the rows do not tell to the items.
    """
    pa = require_pyarrow()
    import pyarrow.compute as pc

    items = Items(printable(source.name))
    lines = refused = 0
    files = {name: _Whole(path) for name, path in places.items()}
    with ExitStack() as stack:
        for file in files.values():
            stack.callback(file.drop)
        errors: Any = None

        def write_errors(table: Any) -> None:
            nonlocal errors
            if errors is None:
                errors = stack.enter_context(files["errors"].writer(errors_schema()))
            errors.write_table(table.select(errors_schema().names).cast(errors_schema()))

        with files["rows"].writer(rows_schema(pcm)) as rows:
            for batch in batches:
                rows.write_batch(batch)
                items.add(batch)
                lines += batch.num_rows
                count = batch.num_rows - batch.column("error").null_count
                if count:
                    refused += count
                    bad = batch.filter(pc.is_valid(batch.column("error")))
                    write_errors(pa.Table.from_batches([bad]))
                    if error is None and lines == count and bad.column("line")[0].as_py() == 0:
                        error = bad.column("error")[0].as_py()
            if not lines:
                error = EMPTY
                write_errors(pa.Table.from_batches(_only_error(source, pcm, EMPTY)))
            facts = {**facts, "realtime_pcm.lines": str(lines), "realtime_pcm.refused": str(refused)}
            rows.add_key_value_metadata(facts if error is None else {**facts, "realtime_pcm.error": error})
        if follow is not None:
            follow(items)
        with files["items"].writer(items_schema()) as writer:
            table = items.table()
            writer.write_table(table)
        if errors is not None:
            errors.close()
        for name in ("items", "errors", "rows"):
            files[name].commit()
    return Written(source.name, str(places["rows"]), lines, refused, table.num_rows, size, False, error)


def _readable(batches: Iterator[Any], source: Source, pcm: Pcm) -> Iterator[Any]:
    """The batches, and a last one with the reason if the file cannot be read further."""
    iterator = iter(batches)
    while True:
        try:
            batch = next(iterator)
        except StopIteration:
            return
        except OSError as error:
            yield from _only_error(source, pcm, error)
            return
        yield batch


@cache
def _processes() -> str:
    """A digest of machine, boot and container. Process ids are comparable only if it is the same."""
    known = [platform.node()]
    try:
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:  # no Linux
        known.append(f"{uuid.getnode():x}")
    return f"{zlib.crc32(' '.join(known).encode()):08x}"


def _remove_left_over(path: Path) -> None:
    """Removes unfinished versions of this file whose process was killed.

    That is so if its id is visible from here and not running, or if nothing was written for LEFT_OVER seconds.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{PART}"):
        processes, process, *_ = [*left.name.removesuffix(PART).rpartition(".")[2].split("-"), "", ""]
        with suppress(OSError):
            ended = processes == _processes() and process.isdecimal() and not _runs(int(process))
            if ended or time.time() - left.stat().st_mtime > LEFT_OVER:
                left.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    if os.name == "nt":  # signal 0 would end the process; a file that a process has open cannot be removed there anyway
        return False
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


class _Whole:
    """A file that appears under its name only when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: Path | None = None

    def writer(self, schema: Any) -> Any:
        """A ParquetWriter for the temporary name."""
        import pyarrow.parquet as pq

        self._path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(self._path)
        # Two threads that write the same file use different names; the last to finish wins.
        name = f".{self._path.name}.{_processes()}-{os.getpid()}-{secrets.token_hex(4)}{PART}"
        self._written = self._path.with_name(name)
        names = [name for name in REPEATED if name in schema.names]
        return pq.ParquetWriter(self._written, schema, use_dictionary=names, **COMPRESSION)

    def commit(self) -> None:
        """Renames the file into place. If nothing was written, removes an older file of that name."""
        if self._written is None:
            self._path.unlink(missing_ok=True)
        else:
            self._written.replace(self._path)
            self._written = None

    def drop(self) -> None:
        """Removes the file if it was not committed."""
        if self._written is not None:
            with suppress(OSError):
                self._written.unlink(missing_ok=True)
