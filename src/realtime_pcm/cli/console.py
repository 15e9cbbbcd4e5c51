"""Shared by the commands: errors, finding and reading recordings, printing, writing files.

Text from a recording and file names go through `realtime_pcm.terminal` first. They are printed as rich's `Text`, which ignores
markup.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Self

import typer

from realtime_pcm.terminal import shown_text

if TYPE_CHECKING:
    from rich.console import Console

    from realtime_pcm.recording import Entry, Recording

__all__ = [
    "INTERRUPTED",
    "Bar",
    "Call",
    "Catalogue",
    "Failure",
    "Sessions",
    "Socket",
    "Source",
    "complain",
    "console",
    "each",
    "entries",
    "find",
    "new_file",
    "new_folder",
    "part_of",
    "reason_of",
    "safe_name",
    "say",
    "shown_line",
]

# --- how a command fails

INTERRUPTED = 130  # the status that shells report after Ctrl-C


class Failure(typer.TyperException):
    """Ends the command with an exit status, after a line on standard error."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.exit_code = status


def shown_line(text: str) -> str:
    """Text that is safe to print in one line of a terminal."""
    return shown_text(text).replace("\n", " ").replace("\t", " ")


def complain(text: str) -> None:
    """Prints one line to standard error."""
    with contextlib.suppress(OSError, ValueError):  # nobody reads it, or it is closed
        print(f"realtime-pcm: {shown_line(text)}", file=sys.stderr, flush=True)


def reason_of(error: OSError) -> str:
    """The system's message, without number and path."""
    return error.strerror or str(error)


# --- what is shown


def console() -> Console:
    """A rich `Console` for standard output. It raises BrokenPipeError if the pipe is closed; `main` reports that."""
    from rich.console import Console

    class _Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return _Output(highlight=False)


def say(out: Console, text: str, style: str = "", *, wrap: bool = False, end: str = "\n") -> None:
    """Prints untrusted text, with control characters escaped."""
    from rich.text import Text

    out.print(Text(shown_text(text), style), soft_wrap=not wrap, end=end)


# --- what is read

SUFFIXES = tuple(f"{text}{packed}" for text in (".jsonl", ".ndjson", ".har", ".log") for packed in ("", ".gz", ".zst", ".zstd"))
STANDARD_INPUT = "-"


Sessions = Annotated[
    list[Path],
    typer.Argument(metavar="SESSION...", help="Recordings, folders, patterns ('calls/*.jsonl'), or `-` for standard input."),
]

Call = Annotated[str | None, typer.Option("--call", metavar="ID", help="Choose a call by its id, if a file has several.")]
Socket = Annotated[
    int | None,
    typer.Option("--socket", metavar="N", min=1, help="Choose a WebSocket by its number, if a HAR file has several."),
]


def _known(name: str | None) -> str | None:
    """A name of a catalogue that is known. Failure for another one."""
    from realtime_pcm.sockets import catalogue_of

    try:
        catalogue_of(name)
    except ValueError as error:
        raise Failure(f"--catalogue: {error}", 2) from None
    return name


Catalogue = Annotated[
    str | None,
    typer.Option("--catalogue", metavar="NAME", callback=_known, help="Read frames of another socket: gemini, twilio, ..."),
]


class Source:
    """A recording from the command line: a file, or standard input.

    Attributes:
        name: The name as the user typed it.
        stem: The first part of the names of files made from it.
        size: Its size on disk in bytes, or None if unknown.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size: int | None = None
        self.name, self.stem = str(path), _stem(path.name)
        if str(path) == STANDARD_INPUT:
            self.name, self.stem = "standard input", "recording"

    def __str__(self) -> str:
        return self.name

    def open(self) -> BinaryIO:
        """Opens the recording. Raises Failure if that is not possible."""
        try:
            if str(self.path) != STANDARD_INPUT:
                file: BinaryIO = open(self.path, "rb", buffering=1 << 18)  # noqa: SIM115
            elif sys.stdin is None:
                raise Failure("standard input is closed")
            else:
                file = sys.stdin.buffer
            with contextlib.suppress(OSError):
                self.size = os.fstat(file.fileno()).st_size or None
            return file
        except OSError as error:
            raise Failure(f"{self.name}: {reason_of(error)}") from None


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return Path(name).stem or "recording"


def find(given: list[Path]) -> list[Source | Failure]:
    """The recordings of these arguments: files, folders and everything below them, patterns such as `calls/*.jsonl`, and `-`.

    A folder or pattern without recordings, or a folder that cannot be read, gives a Failure in the list.
    """
    found: list[Source | Failure] = []
    known: set[Path] = set()
    for path in given:
        try:
            files = _files_of(path)
        except OSError as error:
            found.append(Failure(f"{path}: {reason_of(error)}"))
        except Failure as failure:
            found.append(failure)
        else:
            found += [Source(file) for file in files if file not in known]
            known.update(files)
    return found


def _files_of(path: Path) -> list[Path]:
    from glob import glob

    if str(path) == STANDARD_INPUT:
        return [path]
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file())
        if not found:
            raise Failure(f"{path}: a folder without recordings: no file in it ends with {', '.join(SUFFIXES)}")
        return found
    if os.path.lexists(path) or not any(letter in str(path) for letter in "*?["):
        return [path]
    found = [Path(name) for name in sorted(glob(str(path), recursive=True)) if Path(name).is_file()]  # noqa: PTH207
    if not found:
        raise Failure(f"{path}: no file matches")
    return found


def each(found: list[Source | Failure], work: Callable[[Source], None]) -> None:
    """Calls `work` with each recording. If one fails, prints a line to standard error and goes on with the others.

    Ends the command with a status if any failed. Ends it at once after an interruption, or an OSError of standard output.
    """
    status = 0
    for source in found:
        try:
            if isinstance(source, Failure):
                raise source
            work(source)
        except Failure as failure:
            if failure.exit_code == INTERRUPTED:
                raise
            complain(str(failure))
            status = max(status, failure.exit_code)
        except Exception as error:
            if isinstance(error, OSError) and error.filename is None:
                raise
            complain(f"{source}: {reason_of(error) if isinstance(error, OSError) else f'{type(error).__name__}: {error}'}")
            status = max(status, 1)
    if status:
        raise typer.Exit(status)


SHOW_AFTER = 1.0  # seconds of reading before a bar appears
EACH = 256  # entries between updates of the bar


@contextlib.contextmanager
def entries(source: Source, **options: Any) -> Iterator[tuple[Recording, Iterator[Entry]]]:
    """A recording and its entries. Shows a progress bar on standard error if reading takes long and that is a terminal.

    options: passed to `read_recording`. Raises Failure if the file is not a recording or cannot be read further.
    """
    from realtime_pcm.recording import RecordingError, read_recording

    with source.open() as file:
        try:
            recording = read_recording(file, **options)
        except (RecordingError, ImportError) as error:
            raise Failure(f"{source.name}: {error}") from None
        with recording:
            yield recording, _with_a_bar(source, file, recording)
        for note in recording.notes:
            complain(f"{source.name}: {note}")


def _with_a_bar(source: Source, file: BinaryIO, recording: Recording) -> Iterator[Entry]:
    from realtime_pcm.recording import RecordingError

    number = 0
    with Bar(source.name) as bar:
        try:
            for number, entry in enumerate(recording, 1):
                yield entry
                if number % EACH == 0:
                    bar.show(_place(file), source.size, f"{number:,} frames")
        except OSError as error:
            raise Failure(f"{source.name}: {reason_of(error)} after {number:,} frames") from None
        except RecordingError as error:
            raise Failure(f"{source.name}: {error}") from None


def _place(file: BinaryIO) -> int | None:
    try:
        return file.tell()
    except (OSError, ValueError):  # a pipe
        return None


class Bar:
    """A progress bar on standard error, if that is a terminal. Appears after a second and disappears at the end."""

    def __init__(self, name: str) -> None:
        self._name = shown_line(name)
        self._wanted = sys.stderr is not None and sys.stderr.isatty()
        self._began = time.monotonic()
        self._progress: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def show(self, done: int | None, size: int | None, words: str = "") -> None:
        """Updates the bar: bytes done and in total, None if unknown."""
        if not self._wanted or (self._progress is None and time.monotonic() - self._began < SHOW_AFTER):
            return
        if self._progress is None:
            self._progress = self._begin(size)
        self._progress.update(self._task, completed=done, words=words)

    def _begin(self, size: int | None) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        known = (BarColumn(), TextColumn("{task.percentage:3.0f} %", markup=False), TimeRemainingColumn()) if size else ()
        name, words = (TextColumn(field, markup=False) for field in ("{task.description}", "{task.fields[words]}"))
        progress = Progress(name, *known, words, console=Console(stderr=True), transient=True)
        self._task = progress.add_task(self._name, total=size, words="")
        progress.start()
        return progress

    def __exit__(self, *exc_info: object) -> None:
        if self._progress is not None:
            self._progress.stop()


# --- what is written

LONGEST_NAME = 100  # bytes of the untrusted part of a file name


def safe_name(text: str) -> str:
    """Untrusted text as part of a file name: letters, digits, `_` and `-`, at most 100 bytes."""
    kept = "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in text[:LONGEST_NAME])
    return kept.encode()[:LONGEST_NAME].decode(errors="ignore")


def new_folder(path: Path) -> Path:
    """Creates a folder and its parents. Raises Failure if that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{path}: {'not a folder' if isinstance(error, FileExistsError) else reason_of(error)}") from None
    return path


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Writes a file as `NAME.part` and renames it when it is complete. Removes it if writing fails.

    Replaces an existing file, also through a link. Writes into anything else, such as a FIFO or a device. Raises Failure for an
    error of the disk.
    """
    part: Path | None = None
    try:
        if path.exists() and not path.is_file():
            with open(path, "wb") as file:
                yield file
            return
        path = path.resolve()
        part = part_of(path)
        with open(part, "wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise Failure(f"{path}: {reason_of(error)}") from None
    finally:
        if part is not None:
            with contextlib.suppress(OSError):
                part.unlink()


def part_of(path: Path) -> Path:
    """The name of an unfinished file: `NAME.part`, with a digest for a NAME that is too long for the suffix."""
    name = os.fsencode(path.name)
    return path.with_name(f"{path.name if len(name) <= 250 else sha256(name).hexdigest()}.part")
