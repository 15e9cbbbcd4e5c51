"""What the commands share: how they fail, what they read, what they show, and how they write a file.

Text of a recording, and the name of a file, go through `realtime_pcm.terminal` before they are printed, and are printed as a
Text of rich, in which no markup works.
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

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


class Failure(typer.TyperException):
    """Ends the command: one line for standard error, and the exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.exit_code = status


def shown_line(text: str) -> str:
    """A text fit for one line of a terminal."""
    return shown_text(text).replace("\n", " ").replace("\t", " ")


def complain(text: str) -> None:
    """One line on standard error."""
    with contextlib.suppress(OSError, ValueError):  # nobody reads it, or it is closed
        print(f"realtime-pcm: {shown_line(text)}", file=sys.stderr, flush=True)


def reason_of(error: OSError) -> str:
    """What the system says, without number and path."""
    return error.strerror or str(error)


# --- what is shown


def console() -> Console:
    """A Console of rich for standard output. A closed pipe is a BrokenPipeError, which `main` tells."""
    from rich.console import Console

    class _Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return _Output(highlight=False)


def say(out: Console, text: str, style: str = "", *, wrap: bool = False, end: str = "\n") -> None:
    """Prints a text that may be a stranger's: as it is, but for the characters that a terminal obeys."""
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


class Source:
    """A recording that was named on the command line: a file, or standard input.

    name: as the user knows it. stem: what files made of it are called. size: its bytes on the disk, None where nobody knows.
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
        """The bytes of the recording. Failure where they cannot be had."""
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
    """The recordings that were named: files, folders with what is in and below them, patterns such as `calls/*.jsonl`, and `-`.

    A folder or pattern without recordings, and a folder that cannot be read, is a Failure among them.
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
            raise Failure(f"{path}: a folder without recordings: no file in it ends in {', '.join(SUFFIXES)}")
        return found
    if os.path.lexists(path) or not any(letter in str(path) for letter in "*?["):
        return [path]
    found = [Path(name) for name in sorted(glob(str(path), recursive=True)) if Path(name).is_file()]  # noqa: PTH207
    if not found:
        raise Failure(f"{path}: no file has such a name")
    return found


def each(found: list[Source | Failure], work: Callable[[Source], None]) -> None:
    """Does the work on each recording. What goes wrong with one of them is one line on standard error, and the others go on.

    Ends the command with a status if anything went wrong. A Failure of an interruption, and an OSError of standard output, end it
    at once.
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
EACH = 256  # entries between two looks at the clock


@contextlib.contextmanager
def entries(source: Source, **options: Any) -> Iterator[tuple[Recording, Iterator[Entry]]]:
    """A recording and its entries, with a progress bar on standard error where that is a terminal and the reading takes long.

    options: those of read_recording. Failure where it is no recording, and, while reading, where the disk fails.
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
    """Progress on standard error: it comes where that is a terminal, once the work has taken a second, and goes at the end."""

    def __init__(self, name: str) -> None:
        self._name = shown_line(name)
        self._wanted = sys.stderr is not None and sys.stderr.isatty()
        self._began = time.monotonic()
        self._progress: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def show(self, done: int | None, size: int | None, words: str = "") -> None:
        """Tells how much is done, and of how much; None where nobody knows."""
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

LONGEST_NAME = 100  # bytes of the cleaned part of a file's name


def safe_name(text: str) -> str:
    """What may stand in a file name of a text that may be a stranger's: letters, digits, `_` and `-`, at most 100 bytes."""
    kept = "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in text[:LONGEST_NAME])
    return kept.encode()[:LONGEST_NAME].decode(errors="ignore")


def new_folder(path: Path) -> Path:
    """Makes a folder, and those above it. Failure where that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{path}: {'not a folder' if isinstance(error, FileExistsError) else reason_of(error)}") from None
    return path


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole: until then it is `NAME.part`, which goes where the writing fails.

    A file of that name is replaced, also through a link. What is no file, such as a FIFO or a device, is written into. Failure
    where the disk fails.
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
    """What a file is called until it is whole: `NAME.part`, or a digest in place of a NAME that leaves no room for the ending."""
    name = os.fsencode(path.name)
    return path.with_name(f"{path.name if len(name) <= 250 else sha256(name).hexdigest()}.part")
