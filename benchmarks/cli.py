"""`python -m benchmarks`: run all, compare runs, count instructions."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from . import history

if TYPE_CHECKING:
    from .calls import Calls

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console()
RESULTS = Path(__file__).with_name("results")
PLOT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.svg"


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="The cases that have goals, on two tiers, in one minute; noisier.")
    ] = False,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Write results/latest.md, the tables of docs/benchmarks.md, their plot, a line of history.jsonl."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where to write report and plot without --record; default: a new folder.")
    ] = None,
) -> None:
    """Time everything on every tier that this CPU has. Files of the repository are written with --record only."""
    if context.invoked_subcommand is not None:
        return
    from . import figures, plan, plot, report, targets
    from .run import WorkerFailed, measure_all

    if record and quick:
        raise typer.BadParameter("a quick run has too few rounds to be recorded")

    columns = (BarColumn(), TextColumn("{task.percentage:3.0f}%"), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=1.0)
        try:
            run = measure_all(
                plan.QUICK if quick else plan.FULL,
                lambda text, share: progress.update(task, description=text, completed=share),
            )
        except WorkerFailed as failure:
            console.print(str(failure), style="red", markup=False)
            raise typer.Exit(1) from None
    folder = RESULTS if record else out or Path(tempfile.mkdtemp(prefix="realtime-pcm-benchmarks-"))
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "latest.md", PLOT if record else folder / "benchmarks.svg"]
    written[0].write_text(report.markdown(run), encoding="utf-8")
    plot.svg(run, written[1])
    if record:
        figures.write(run)
        history.append(run)
        written += [figures.PATH, history.PATH]
        if run.calls is not None:
            written += _record_calls(run.calls)
    table = Table("", *run.tiers, title=f"{run.machine.cpu}, {run.machine.python}")
    for target in targets.TARGETS:
        table.add_row(target.text, *(_coloured(*report.verdict(run, target, tier)) for tier in run.tiers))
    console.print(table)
    console.print(f"written: {', '.join(map(str, written))}", soft_wrap=True)


def _record_calls(found: Calls) -> list[Path]:
    from . import calls, figures, plot

    calls.write(found)
    figures.write_calls(found)
    plot.calls_svg(found, calls.CHART)
    return [calls.PATH, calls.CHART]


@app.command("calls")
def whole_calls(
    record: Annotated[bool, typer.Option("--record", help="Write results/calls.json, and the chart and table in docs.")] = False,
    draw: Annotated[bool, typer.Option("--draw", help="Measure nothing: write chart and table from results/calls.json.")] = False,
) -> None:
    """Measure CPU per call and calls per core over real connections, in some ten minutes."""
    from . import calls, machine

    try:
        found = calls.read() if draw else calls.measure(machine.describe())
    except calls.Failed as failure:
        console.print(str(failure), style="red", markup=False)
        raise typer.Exit(1) from None
    console.print(found.said, markup=False)
    if record or draw:
        console.print(f"written: {', '.join(map(str, _record_calls(found)))}", soft_wrap=True)


def _coloured(text: str, reached: bool | None) -> str:
    return text if reached is None else f"[{'green' if reached else 'red'}]{text}[/]"


@app.command()
def compare(fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 where a ratio fell beyond noise.")] = False) -> None:
    """Tell what moved beyond noise between the last run and the one before it on the same CPU."""
    pair = history.last_two(history.read())
    if pair is None:
        console.print("history.jsonl holds no two runs of one CPU and Python yet")
        return
    before, after = pair
    found = history.moves(before, after)
    console.print(f"{before['commit']} ({before['date']}) -> {after['commit']} ({after['date']}), {after['cpu']}")
    if not found:
        console.print("nothing moved beyond noise")
        return
    table = Table("tier", "case", "against", "before", "after", "change", "noise")
    for move in found:
        style = "green" if move.change > 0 else "red"
        numbers = f"{move.before:.2f}x", f"{move.after:.2f}x", f"[{style}]{move.change:+.1%}[/]", f"{move.noise:.1%}"
        table.add_row(move.tier, move.case, move.peer, *numbers)
    console.print(table)
    if fail and any(move.change < 0 for move in found):
        raise typer.Exit(1)


@app.command()
def instructions(
    record: Annotated[bool, typer.Option("--record", help="Add a line to instructions.jsonl.")] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 where a count grew.")] = False,
) -> None:
    """Count instructions a message under callgrind, on the tiers that it can run (AVX2 and below), and compare."""
    from . import instructions as counting

    try:
        with console.status("") as status:
            counts = counting.count_all(status.update)
    except counting.CannotCount as reason:
        console.print(str(reason), style="red", markup=False)
        raise typer.Exit(1) from None
    previous = counting.previous()
    table = Table("tier", "case", "instructions a message", "before", "change")
    grew = False
    for tier, cases in counts.items():
        for case, count in cases.items():
            old = (previous or {}).get(tier, {}).get(case)
            moved = old is not None and abs(count / old - 1) > counting.TOLERANCE
            grew |= bool(moved and old is not None and count > old)
            change = f"[{'red' if count > old else 'green'}]{count / old - 1:+.2%}[/]" if moved and old else ""
            table.add_row(tier, case, f"{count:,.1f}", "" if old is None else f"{old:,.1f}", change)
    console.print(table)
    if record:
        counting.append(counts)
    if fail and grew:
        raise typer.Exit(1)


@app.command()
def profile(
    tier: Annotated[str, typer.Option(help="A tier that callgrind can run.")] = "avx2",
    most: Annotated[int, typer.Option(help="Functions to show.")] = 20,
) -> None:
    """Where the instructions of a 220-byte delta and of a 16.2 kB frame go, function by function, under callgrind."""
    from . import profile as profiling
    from .instructions import CannotCount

    for case in profiling.CASES:
        try:
            with console.status(case):
                found = profiling.functions(tier, case)
        except CannotCount as reason:
            console.print(str(reason), style="red", markup=False)
            raise typer.Exit(1) from None
        table = Table("function", "in", "instructions a message", "share", title=f"{case}, {tier}")
        for function in found[:most]:
            table.add_row(function.name, function.library, f"{function.instructions:,.0f}", f"{function.share:.1%}")
        console.print(table)


@app.command(hidden=True)
def worker(tier: str, how: str, suites: list[str]) -> None:
    """The process of one tier: prints one JSON record a line."""
    from realtime_pcm import simd_tier

    from .plan import EFFORTS
    from .records import to_json
    from .worker import run_suite

    if simd_tier() != tier:
        raise typer.BadParameter(f"{simd_tier()} is in use, not {tier}: set REALTIME_PCM_SIMD")
    for suite in suites:
        for record in run_suite(tier, suite, EFFORTS[how]):
            print(json.dumps(to_json(record)), flush=True)
        print(json.dumps({"done": suite}), flush=True)
