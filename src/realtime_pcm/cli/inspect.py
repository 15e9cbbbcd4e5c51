"""`realtime-pcm inspect`: the analysis of a recording, as tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .console import (
    INTERRUPTED,
    Call,
    Catalogue,
    Failure,
    Sessions,
    Socket,
    Source,
    console,
    each,
    entries,
    find,
    say,
    shown_line,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from realtime_pcm.recording import Analysis

__all__ = ["analysis_of", "clock", "inspect", "nothing_in", "refused_in"]

MOST_ROWS = 30  # of a table; --json has more
LONGEST_CELL = 60
FEW_COLUMNS = 6  # in tables with fewer columns, every column may wrap
WIDEST = 1000  # columns of a terminal


def inspect(
    sessions: Sessions,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per recording, each on its own line.")] = False,
    call: Call = None,
    socket: Socket = None,
    catalogue: Catalogue = None,
) -> None:
    """Show what happened: messages, turns and their latency, gaps, interruptions, tools, usage, bad frames."""
    out = console()
    if not out.is_terminal:
        out.width = WIDEST

    def show(source: Source) -> None:
        found, stopped = analysis_of(source, call=call, socket=socket, catalogue=catalogue)
        nothing_in(source, found)
        if as_json:
            text = json.dumps({"recording": _printable(source.name), "stopped": stopped and str(stopped)} | found.to_dict())
            print(text)
        else:
            _report(out, source, found)
        failed = stopped or refused_in(source, found)
        if failed is not None:
            raise failed

    each(find(sessions), show)


def analysis_of(source: Source, sink: Any = None, **options: Any) -> tuple[Analysis, Failure | None]:
    """The analysis of a recording, and a Failure if it could not be read to its end. options: passed to `read_recording`."""
    from realtime_pcm.recording.analysis import Analyser

    analyser = Analyser(sink)
    stopped: Failure | None = None
    with entries(source, **options) as (recording, found):
        try:
            for entry in found:
                analyser.feed(entry)
        except Failure as failure:
            stopped = failure
        except KeyboardInterrupt:
            stopped = Failure(f"{source.name}: interrupted", INTERRUPTED)
        return analyser.finish(recording), stopped


def nothing_in(source: Source, found: Analysis) -> None:
    """Raises Failure if no frame of the recording could be read."""
    if found.frames:
        return
    if not found.refused:
        raise Failure(f"{source.name}: an empty recording: it has no frames")
    raise Failure(f"{source.name}: no frame could be read: {_first_refused(found)}")


def refused_in(source: Source, found: Analysis) -> Failure | None:
    """The Failure to end with if lines were refused."""
    return Failure(f"{source.name}: {_first_refused(found)}") if found.refused else None


def _first_refused(found: Analysis) -> str:
    lines = "1 line was refused" if found.refused == 1 else f"{found.refused:,} lines were refused; the first"
    first = found.bad_frames[0]
    where = "".join(f"{shown_line(name)}: " for name in (first.type, first.field) if name)
    byte = f" at byte {first.position}" if first.position else ""
    return f"{lines}: line {first.line}: {where}{shown_line(first.reason)}{byte}"


def _printable(name: str) -> str:
    return name.encode(errors="replace").decode()


def clock(seconds: float | None) -> str:
    """A time of the recording: `7.250 s`, or `1:02:07.250` past the first minute."""
    if seconds is None:
        return "-"
    if abs(seconds) < 60:
        return f"{seconds:.3f} s"
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{sign}{int(hours)}:{int(minutes):02d}:{rest:06.3f}" if hours else f"{sign}{int(minutes)}:{rest:06.3f}"


# --- the tables


def _report(out: Console, source: Source, found: Analysis) -> None:
    model = f", {shown_line(found.model)}" if found.model else ""
    say(out, f"{shown_line(source.name)}: {found.shape}{model}", "bold")
    length = f"{found.seconds:,.1f} s" if found.timed else "no times"
    started = f", began {found.started.isoformat(sep=' ', timespec='seconds')}" if found.started else ""
    say(
        out,
        f"{found.frames:,} frames, {found.bytes:,} bytes, {length}{started}; audio: user {found.user_audio_seconds:,.2f} s, "
        f"model {found.model_audio_seconds:,.2f} s",
    )
    if not found.timed:
        say(out, "The recording has no times: latency, gaps and arrival speed are unknown.", "yellow")
    if found.times_back:
        lines = "1 line has" if found.times_back == 1 else f"{found.times_back:,} lines have"
        say(out, f"{lines} a time before that of an earlier line; the earlier time was used.", "yellow")
    if found.time_faults:
        say(out, f"{found.clock_in_words}.", "yellow")
    if found.dropped:
        say(out, f"The recorder dropped {found.dropped:,} frames because its queue was full.", "red")
    _types(out, found)
    _turns(out, found)
    _interruptions(out, found)
    _tools(out, found)
    _usage(out, found)
    _undeclared(out, found)
    _errors(out, found)
    for name, count in found.left_out.items():
        say(out, f"left out of {name.replace('_', ' ')}: {count:,} more", "dim")
    out.print()


def _table(out: Console, title: str, columns: Iterable[str], rows: list[list[str | Text]], more: int = 0) -> None:
    """A table of at most MOST_ROWS rows. A column whose name begins with a blank is aligned right.

    If the terminal is too narrow, columns whose names end in "?" are dropped, the last ones first. Output to a file or pipe is as
    wide as necessary.
    """
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    names = list(columns)
    kept = list(range(len(names)))
    while True:
        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
        for place in kept:
            name = names[place]
            last = place == kept[-1] or len(names) < FEW_COLUMNS
            align: Literal["left", "right"] = "right" if name.startswith(" ") else "left"
            table.add_column(name.strip(" ?"), justify=align, no_wrap=not last or align == "right", overflow="fold")
        for row in rows[:MOST_ROWS]:
            cells = (row[place] for place in kept)
            table.add_row(*(Text(_cell(cell)) if isinstance(cell, str) else cell for cell in cells))
        needed = Measurement.get(out, out.options.update(max_width=WIDEST), table).maximum
        optional = [place for place in kept if names[place].endswith("?")]
        if needed <= out.width or not optional:
            break
        kept.remove(optional[-1])
    out.print()
    out.print(table)
    more += max(0, len(rows) - MOST_ROWS)
    if more:
        say(out, f"... and {more:,} more: see --json", "dim")


def _cell(text: str) -> str:
    text = shown_line(text)
    return text if len(text) <= 2 * LONGEST_CELL else f"{text[: 2 * LONGEST_CELL]}…"


def _types(out: Console, found: Analysis) -> None:
    from rich.text import Text

    rows: list[list[str | Text]] = []
    for one in found.types:
        style = "" if one.known else "yellow"
        share = one.bytes / found.bytes * 100 if found.bytes else 0.0
        name = Text(_cell(one.type) + ("" if one.known else "  (unknown)"), style)
        rows.append([one.direction, name, f"{one.count:,}", f"{one.bytes:,}", f"{share:.1f} %"])
    _table(out, "Messages", ("side", "type", " count", " bytes", " share of bytes"), rows)


def _turns(out: Console, found: Analysis) -> None:
    from rich.text import Text

    rows: list[list[str | Text]] = []
    for turn in found.turns:
        late = Text(f"{turn.latency:.3f} s" if turn.latency is not None else "-", "bold" if turn.latency is not None else "dim")
        gaps = Text(f"{turn.gaps} ({turn.gap_seconds:.2f} s)" if turn.gaps else "-", "red" if turn.gaps else "dim")
        factor = f"{turn.arrival_factor:.1f}x" if turn.arrival_factor is not None else "-"
        status = Text(_cell(turn.status or "-"), "red" if turn.status in ("failed", "incomplete") else "")
        rows.append(
            [
                str(turn.number),
                str(turn.at.line),
                clock(turn.at.time),
                turn.began,
                late,
                (turn.latency_from or "-").replace("_", " "),
                f"{turn.user_audio_seconds:.2f} s" if turn.user_audio_seconds else "-",
                f"{turn.audio_seconds:.2f} s" if turn.audio_seconds else "-",
                factor,
                gaps,
                str(turn.interruptions or "-"),
                status,
            ]
        )
    columns = " turn/ line?/ at/began?/ latency/since?/ user audio?/ audio/ arrives?/ gaps/ cut/status".split("/")
    _table(out, "Turns", columns, rows, found.left_out.get("turns", 0))
    if found.latency is not None:
        spread = found.latency
        say(
            out,
            f"latency to the first audio, {spread.turns:,} {'turn' if spread.turns == 1 else 'turns'}: "
            f"median {spread.median:.3f} s, 95 % within {spread.p95:.3f} s, from {spread.smallest:.3f} to {spread.largest:.3f} s",
        )


def _interruptions(out: Console, found: Analysis) -> None:
    from rich.text import Text

    known = {
        "truncate": "the client reported it",
        "elapsed": "at most: the time since its first audio",
        "arrived": "at most: what had arrived",
        None: "-",
    }
    rows: list[list[str | Text]] = []
    for one in found.interruptions:
        what = Text("interrupted", "red") if one.stopped else Text("overlapped", "yellow")
        heard = f"{(one.heard_ms or 0) / 1000:.3f} of {one.received_ms / 1000:.3f} s"
        rows.append(
            [str(one.turn), str(one.at.line), clock(one.at.time), what, ", ".join(one.causes), heard, known[one.heard_from]]
        )
    columns = " turn/ line?/ at/what/reported by?/ heard/known from".split("/")
    _table(out, "Interruptions", columns, rows, found.left_out.get("interruptions", 0))


def _tools(out: Console, found: Analysis) -> None:
    from rich.text import Text

    rows: list[list[str | Text]] = []
    for call in found.tools:
        took = f"{call.seconds:.3f} s" if call.seconds is not None else "no times" if call.answered else "not answered"
        arguments = " ".join((call.arguments or "").split())
        arguments = arguments if len(arguments) <= LONGEST_CELL else f"{arguments[:LONGEST_CELL]}…"
        name = Text(_cell(call.name or "-"), "red" if call.failed else "")
        rows.append([str(call.turn), str(call.asked.line), clock(call.asked.time), call.kind, name, took, arguments])
    columns = " turn/ line?/ at?/kind?/tool/ took/arguments".split("/")
    _table(out, "Tools", columns, rows, found.left_out.get("tools", 0))


def _usage(out: Console, found: Analysis) -> None:
    rows: list[list[str | Text]] = []
    for what, numbers in (
        ("responses", found.usage),
        ("transcripts", found.transcription_usage),
        ("session", found.session_usage),
    ):
        for name, number in numbers.items():
            if number:
                rows.append([what, name, f"{number:,.6f}".rstrip("0").rstrip(".")])
    _table(out, "Usage", ("of", "what", " sum"), rows)


def _undeclared(out: Console, found: Analysis) -> None:
    rows: list[list[str | Text]] = [[one.direction, one.type, one.field, f"{one.count:,}"] for one in found.undeclared]
    _table(out, "Fields that the catalogue does not declare", ("side", "type", "field", " messages"), rows)


def _errors(out: Console, found: Analysis) -> None:
    rows: list[list[str | Text]] = []
    for one in found.errors:
        rows.append([str(one.at.line), clock(one.at.time), one.source, one.type or "-", one.code or "-", one.message or "-"])
    _table(
        out,
        "Errors that the server reported",
        " line/ at/by?/type?/code?/message".split("/"),
        rows,
        found.left_out.get("errors", 0),
    )
    rows = []
    for bad in found.bad_frames:
        where = f"{bad.type or '-'}{f': {bad.field}' if bad.field else ''}"
        rows.append([str(bad.line), clock(bad.time), bad.direction, where, f"{bad.position:,}", bad.reason])
    _table(out, "Bad frames", " line/ at?/side?/type?/ byte/reason".split("/"), rows, found.left_out.get("bad_frames", 0))
