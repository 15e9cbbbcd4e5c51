"""`realtime-pcm timeline`: draws a recording as a picture or a page."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from .console import INTERRUPTED, Call, Catalogue, Failure, Socket, complain, console, entries, find, new_file, say
from .inspect import nothing_in, refused_in

__all__ = ["timeline"]

NARROWEST, WIDEST = 600, 20_000


def timeline(
    session: Annotated[
        Path, typer.Argument(metavar="SESSION", help="A recording, or `-` for standard input.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file: .png (needs the extra `plot`), .svg or .html.")],
    start: Annotated[float | None, typer.Option(help="First second to draw.")] = None,
    end: Annotated[float | None, typer.Option(help="Last second to draw.")] = None,
    width: Annotated[
        int | None,
        typer.Option(help="Width in pixels; by default it depends on the length of the recording.", min=NARROWEST, max=WIDEST),
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="Draw a dark .png; .svg and .html follow the reader's system.")] = False,
    call: Call = None,
    socket: Socket = None,
    catalogue: Catalogue = None,
) -> None:
    """Draw a recording: both waveforms, waits, interruptions, tools, errors and words. The .html also plays it."""
    from realtime_pcm.timeline import FORMATS, Format, Timeline

    suffix = out.suffix.lower().removeprefix(".")
    known: Format | None = next((name for name in FORMATS if name == suffix), None)
    if known is None:
        raise Failure(f"{out}: the name must end in .png, .svg or .html", 2)
    window = None
    if start is not None or end is not None:
        window = (start if start is not None else 0.0, end if end is not None else float("inf"))
    sources = find([session])
    if len(sources) != 1:
        raise Failure(f"{session}: {len(sources)} recordings match, but a timeline shows one", 2)
    source = sources[0]
    if isinstance(source, Failure):
        raise source
    try:
        drawing = Timeline(known, window)
    except ValueError as error:
        raise Failure(f"--start, --end: {error}", 2) from None
    except ModuleNotFoundError as error:
        raise Failure(str(error)) from None
    stopped: Failure | None = None
    with entries(source, call=call, socket=socket, catalogue=catalogue) as (recording, found):
        try:
            for entry in found:
                drawing.analyser.feed(entry)
        except Failure as failure:
            stopped = failure
        except KeyboardInterrupt:
            raise Failure(f"{source.name}: interrupted; nothing is drawn", INTERRUPTED) from None
        analysis = drawing.analyser.finish(recording)
    nothing_in(source, analysis)
    if window is not None and window[0] >= analysis.end:
        raise Failure(f"{source.name}: it ends at {analysis.end:.1f} s, before --start {window[0]:g}")
    with new_file(out) as file:
        drawing.write(analysis, file, Path(source.name).name, width=width, dark=dark)
    said = console()
    with contextlib.suppress(BrokenPipeError):
        say(said, f"-> {out}")
    if stopped is not None:
        complain(f"{out} shows what could be read")
        raise stopped
    refused = refused_in(source, analysis)
    if refused is not None:
        raise refused
