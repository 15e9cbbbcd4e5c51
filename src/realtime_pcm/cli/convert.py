"""`realtime-pcm convert`: converts a log of any shape to a recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import INTERRUPTED, Call, Catalogue, Failure, Socket, Source, console, entries, find, reason_of, say

if TYPE_CHECKING:
    from realtime_pcm.recording import Entry, Recording

__all__ = ["convert"]


def convert(
    session: Annotated[
        Path, typer.Argument(metavar="FILE", help="A log of any shape, or `-` for standard input.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The recording to write; .gz or .zst at the end of the name compresses it.")
    ],
    call: Call = None,
    socket: Socket = None,
    catalogue: Catalogue = None,
) -> None:
    """Convert a log of any shape to the format of `Recorder`, which archives and engines read fastest."""
    sources = find([session])
    if len(sources) != 1:
        raise Failure(f"{session}: {len(sources)} files match, but convert takes one", 2)
    source = sources[0]
    if isinstance(source, Failure):
        raise source
    work = _Conversion(source)
    with entries(work.source, call=call, socket=socket, catalogue=catalogue) as (recording, found):
        work.save(out, recording, found)
    say(console(), f"-> {out}: {work.frames:,} frames; {work.source.name} was {recording.shape}")
    if work.refused:
        lost = "1 frame was refused, and is kept" if work.refused == 1 else f"{work.refused:,} frames were refused, and are kept"
        raise Failure(f"{work.source.name}: {lost} as raw bytes; the first: {work.first}")


class _Conversion:
    """frames, refused: how many were written. first: the first refused frame and the reason."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.frames = self.refused = 0
        self.first = ""

    def save(self, out: Path, recording: Recording, found: Iterator[Entry]) -> None:
        """Writes the file to a temporary name, then renames it."""
        from realtime_pcm.recording.writer import save_lines

        # The suffix chooses the compression, so the unfinished file keeps it. A FIFO, for example, has no other name.
        part = out if out.exists() and not out.is_file() else out.with_name(f"part.{out.name}")
        try:
            save_lines(part, self._lines(recording, found), overwrite=True)
            if not self.frames:
                why = f"no frame could be read: {self.first}" if self.refused else "it has no frames"
                raise Failure(f"{self.source.name}: {why}")
            if part is not out:
                part.replace(out)
        except OSError as error:
            raise Failure(f"{out}: {reason_of(error)}") from None
        except ImportError as error:  # zstandard
            raise Failure(str(error)) from None
        except KeyboardInterrupt:
            raise Failure(f"{self.source.name}: interrupted; nothing is written", INTERRUPTED) from None
        finally:
            if part is not out:
                with suppress(OSError):
                    part.unlink()

    def _lines(self, recording: Recording, found: Iterator[Entry]) -> Iterator[bytes]:
        from realtime_pcm.recording.writer import dropped_line, frame_line, header_line, validators

        validate = validators(recording.catalogue)
        first = next(found, None)  # the recording's start is known only after this
        yield header_line(recording.started, recording.catalogue)
        last: float | None = None
        for entry in () if first is None else chain((first,), found):
            if entry.error is None:
                self.frames += 1
            else:
                self.refused += 1
                self.first = self.first or f"line {entry.line}: {entry.error}"
            last = entry.time if entry.time is not None else last
            yield frame_line(validate[entry.direction], entry.time, entry.direction, entry.frame)
        if recording.dropped:
            yield dropped_line(last, recording.dropped)
