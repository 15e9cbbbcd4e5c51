"""`realtime-pcm archive`: recordings as Parquet files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import (
    INTERRUPTED,
    STANDARD_INPUT,
    Bar,
    Call,
    Catalogue,
    Failure,
    Socket,
    complain,
    console,
    find,
    new_folder,
    reason_of,
    say,
)

if TYPE_CHECKING:
    from realtime_pcm.arrow import Written
    from realtime_pcm.arrow.files import Source

__all__ = ["archive"]


def archive(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATHS...", help="Recordings, folders, patterns ('calls/*.jsonl').", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables; tables of an earlier run are kept.")],
    call: Call = None,
    socket: Socket = None,
    catalogue: Catalogue = None,
) -> None:
    """Write recordings as Parquet files: tables of rows with audio, of items and of errors (extra `arrow`).

    A second run writes only files that are missing or out of date.
    """
    from realtime_pcm.arrow import rows_schema, to_parquet

    found, missing = _found(paths, call, socket, catalogue)
    try:
        rows_schema()
    except ImportError as error:
        raise Failure(str(error)) from None
    for failure in missing:
        complain(str(failure))
    new_folder(out)
    tally = Tally()
    sizes = sum(_size(source) for source in found)
    try:
        with Bar(f"archive {out}") as bar:

            def progress(written: Written) -> None:
                tally.take(written)
                bar.show(tally.bytes, sizes, f"{tally.recordings:,} of {len(found):,} recordings")

            to_parquet(found, out, progress=progress)
    except KeyboardInterrupt:
        raise Failure(f"{out}: interrupted; {tally.kept()}", INTERRUPTED) from None
    except ValueError as error:  # two recordings would have the same name; nothing is written yet
        raise Failure(str(error), 2) from None
    except ImportError as error:  # zstandard, for example
        raise Failure(f"{error}; {tally.kept()}") from None
    except OSError as error:
        # pyarrow's text has the path of the unfinished file.
        reason = os.strerror(error.errno) if error.errno else reason_of(error)
        raise Failure(f"{out}: {reason}; {tally.kept()}") from None
    say(console(), f"-> {out}: {tally.summary()}")
    tally.complain(out)
    if missing:
        raise typer.Exit(1)


def _found(given: list[Path], call: str | None, socket: int | None, catalogue: str | None) -> tuple[list[Source], list[Failure]]:
    """The recordings, and a Failure for each path without one. Raises Failure if there is no recording at all.

    A recording's name in the archive is its path below the given folder, or its file name.
    """
    from realtime_pcm.arrow.files import Source

    found: dict[Path, Source] = {}
    missing: list[Failure] = []
    for path in given:
        if str(path) == STANDARD_INPUT:
            raise Failure("archive cannot read standard input, because tables are named after files", 2)
        for source in find([path]):
            if isinstance(source, Failure):
                missing.append(source)
                continue
            file = source.path
            if not file.is_file():
                missing.append(Failure(f"{file}: {'not a file' if file.exists() else 'No such file or directory'}"))
                continue
            relative = file.relative_to(path).as_posix() if path.is_dir() else file.name
            found.setdefault(file, Source(str(file), relative, str(file), None, call, socket, catalogue))
    if missing and not found:
        *others, last = missing
        for failure in others:
            complain(str(failure))
        raise last
    return list(found.values()), missing


def _size(source: Source) -> int:
    with contextlib.suppress(OSError):
        return Path(source.name).stat().st_size
    return 0


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


class Tally:
    """Counts of the results so far."""

    def __init__(self) -> None:
        self.recordings = self.rows = self.items = self.skipped = self.bytes = 0
        self.refused = self.unreadable = 0
        self.first_refused = self.first_unreadable = ""

    def take(self, written: Written) -> None:
        self.recordings += 1
        self.rows += written.lines
        self.items += written.items
        self.bytes += written.bytes
        self.skipped += written.skipped
        if written.error is not None:
            self.unreadable += 1
            self.first_unreadable = self.first_unreadable or f"{written.source}: {written.error}"
        elif written.refused:
            self.refused += written.refused
            self.first_refused = self.first_refused or written.source

    def summary(self) -> str:
        """One line."""
        skipped = f"{self.skipped:,} skipped because done"
        return (
            f"{_count(self.recordings, 'recording')}, {_count(self.rows, 'row')}, {_count(self.items, 'item')}, "
            f"{_count(self.refused, 'refused line')}, {skipped}"
        )

    def kept(self) -> str:
        """How many recordings are kept after an interruption, in words."""
        return f"{_count(self.recordings, 'complete recording is', 'complete recordings are')} kept"

    def complain(self, out: Path) -> None:
        """Raises Failure if there was any problem, with all of them in one line."""
        problems = []
        if self.refused:
            lines = _count(self.refused, "line was refused", "lines were refused")
            problems.append(f"{lines}, the first in {self.first_refused} ({out / 'errors'} has the reasons)")
        if self.unreadable:
            several = "files are not recordings, the first"
            problems.append(f"{_count(self.unreadable, 'file is not a recording', several)}: {self.first_unreadable}")
        if problems:
            raise Failure("; ".join(problems))
