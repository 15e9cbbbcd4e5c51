"""Paths, folders, fsspec URLs and open files as named `Source`s."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from ..recording.files import read_into

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Source", "limited", "printable", "size_of", "sources"]

BUFFER = 1 << 18


class Source(NamedTuple):
    """A recording to read.

    Attributes:
        name: Its path or URL.
        relative: Its path below the given folder, which names the output.
        given: The path, URL or file to open.
        size: How many bytes to read; None: all.
        call: Which of several calls to read, as in `read_recording`.
        socket: Which of several WebSockets to read, as in `read_recording`.
        catalogue: Another socket whose frames these are, as in `read_recording`.
    """

    name: str
    relative: str
    given: Any
    size: int | None = None
    call: str | None = None
    socket: int | None = None
    catalogue: Any = None

    def open(self) -> BinaryIO:
        """Opens the whole file, whatever `size` is. Raises OSError if it cannot be opened."""
        given = self.given
        if isinstance(given, str) and "://" in given:
            return cast(BinaryIO, _fsspec().core.url_to_fs(given)[0].open(given, "rb"))
        if isinstance(given, (str, os.PathLike)):
            return open(given, "rb", buffering=BUFFER)
        if hasattr(given, "open"):  # an OpenFile of fsspec
            return cast(BinaryIO, given.open())
        return cast(BinaryIO, given)

    @property
    def is_ours(self) -> bool:
        """Whether `open` opens a file that we must close. A file that the caller opened stays open."""
        return isinstance(self.given, (str, os.PathLike)) or hasattr(self.given, "open")


def printable(name: str) -> str:
    """A name for tables, in which bytes that are not UTF-8 are escaped."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise ModuleNotFoundError('a URL needs the package fsspec: pip install "realtime-pcm[arrow]"', name="fsspec") from None
    return fsspec


def sources(paths: Any, call: str | None = None, socket: int | None = None, catalogue: Any = None) -> Iterator[Source]:
    """The files of one or several paths, in the order given; the files of a folder are sorted by name.

    A folder means every file in it and below it whose name does not begin with a dot. Raises FileNotFoundError if a path does
    not exist.
    """
    several = isinstance(paths, Iterable) and not isinstance(paths, (str, os.PathLike, Source)) and not hasattr(paths, "read")
    for given in paths if several else (paths,):
        for source in _sources_of(given):
            chosen = call, socket, catalogue
            yield source if chosen == (None, None, None) else source._replace(call=call, socket=socket, catalogue=catalogue)


def _sources_of(given: Any) -> Iterator[Source]:
    if isinstance(given, Source):
        yield given
    elif isinstance(given, str) and "://" in given:
        yield from _of_url(given)
    elif isinstance(given, (str, os.PathLike)):
        yield from _of_path(given)
    elif hasattr(given, "read") or hasattr(given, "open"):
        name = str(getattr(given, "full_name", None) or getattr(given, "path", None) or getattr(given, "name", "<file>"))
        yield Source(name, name.replace("\\", "/").rpartition("/")[2], given)
    else:
        raise TypeError(f"a path or an open file is expected, not {type(given).__name__}")


def _of_path(given: str | os.PathLike[str]) -> Iterator[Source]:
    path = Path(given)
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(2, "No such file or directory", str(path))
        yield Source(os.fspath(given), path.name, given)
        return
    for folder, names, files in os.walk(path):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            found = Path(folder, name)
            if not name.startswith(".") and found.is_file():
                yield Source(str(found), found.relative_to(path).as_posix(), str(found))


def _of_url(given: str) -> Iterator[Source]:
    system, path = _fsspec().core.url_to_fs(given)
    if not system.isdir(path):
        if not system.exists(path):
            raise FileNotFoundError(2, "No such file or directory", given)
        yield Source(given, path.rpartition("/")[2], given)
        return
    for found in sorted(system.find(path)):
        relative = found[len(path) :].lstrip("/")
        if not any(part.startswith(".") for part in relative.split("/")):
            yield Source(system.unstrip_protocol(found), relative, system.unstrip_protocol(found))


def size_of(source: Source) -> int | None:
    """The size of a path or URL in bytes, or None if its file system does not say. Raises OSError if it does not exist."""
    given = source.given
    if isinstance(given, str) and "://" in given:
        system, path = _fsspec().core.url_to_fs(given)
        size = system.info(path).get("size")
        return None if size is None else int(size)
    return Path(given).stat().st_size


class _Limited(io.RawIOBase):
    """The first `size` bytes of a file."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)[: self._left]
        count = int(self._file.readinto(view) or 0) if hasattr(self._file, "readinto") else read_into(self._file, view)
        self._left -= count
        return count


def limited(file: BinaryIO, size: int) -> BinaryIO:
    """The first `size` bytes of a file: a growing file is read as it was."""
    return cast(BinaryIO, io.BufferedReader(_Limited(file, size), BUFFER))
