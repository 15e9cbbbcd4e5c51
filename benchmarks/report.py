"""The report in Markdown: what was reached, then every table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from . import kept, paced, targets
from .peers import FLOOR, ONLY, OURS, OUT_EXACT, STREAM
from .plan import FEW
from .records import CaseResult, Cell, Machine, Run, peers_of
from .suites import SUITES
from .targets import TARGETS, Target

BY_PEER = ("audio", "text", "session", "cold", "delta_text", "left_out", "out", "encode", "sockets", "str", kept.NAME, paced.NAME)
BY_CASE = ("numbers", "provider", "scaling", "hostile")
PER_BYTE = ("numbers", "scaling", "hostile")
NO_RATES = ("delta_text", "left_out", "out", "encode", kept.NAME, paced.NAME)
TITLES = {kept.NAME: kept.__doc__, paced.NAME: paced.__doc__} | {name: suite.__doc__ for name, suite in SUITES.items()}


def markdown(run: Run) -> str:
    parts = [_heading(run), _targets(run)]
    for suite in BY_PEER:
        parts.append(_section(run.suite(run.best_tier, suite), suite, run.best_tier, _by_peer))
    for suite in BY_CASE:
        parts.append(_section(run.suite(run.best_tier, suite), suite, run.best_tier, _by_case))
    parts += [_streams(run), _growth(run), _calls(run), _tiers(run)]
    for tier in run.tiers[1:]:
        for suite in (*BY_PEER, *BY_CASE):
            parts.append(_section(run.suite(tier, suite), suite, tier, _by_case if suite in BY_CASE else _by_peer))
    return "\n\n".join(part for part in parts if part) + "\n"


def ratio_text(value: float) -> str:
    return f"{value:.0f}x" if value >= 99.5 else f"{value:.1f}x" if value >= 9.95 else f"{value:.2f}x"


def time_text(nanoseconds: float) -> str:
    if nanoseconds < 1_000:
        return f"{nanoseconds:.0f} ns"
    microseconds = nanoseconds / 1_000
    return f"{microseconds:.2f} us" if microseconds < 100 else f"{microseconds:.0f} us"


def value_of(run: Run, target: Target, tier: str) -> float | None:
    """The row's value on a tier, by the smallest times; None where the run has none."""
    cell = run.cell(tier, target.case, target.peer)
    if target.over:
        other = run.cell(tier, target.over, target.peer)
        return cell.minimum / other.minimum if cell and other and other.minimum and cell.minimum else None
    if cell is None or not cell.ratio:
        return None
    # A way of ours is told by its time over the usual way's, a peer by ours over its.
    return cell.ratio if not target.share or target.peer in WAYS else 1 / cell.ratio


WAYS = (ONLY, OUT_EXACT)


def verdict(run: Run, target: Target, tier: str) -> tuple[str, bool | None]:
    """What to write in the cell of a target, and whether it is reached (None: nothing to judge by)."""
    value = value_of(run, target, tier)
    if value is None:
        cell = run.cell(tier, target.case, target.peer)
        return (cell.word if cell and cell.word else "-"), None
    goal = target.goal.get(tier)
    text = f"{value:.2f}" if target.share else ratio_text(value)
    if goal is None:
        return text, None
    reached = value <= goal if target.share else value >= goal
    wanted = f"at most {goal:g}" if target.share else f"{goal:g}x"
    return f"{'reached' if reached else 'NOT reached'}: {text} ({wanted})", reached


def _heading(run: Run) -> str:
    machine = run.machine
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    return (
        "# Benchmarks\n\n"
        f"{machine.cpu}, {machine.system}, {machine.python}. Commit {machine.commit}, {machine.date}"
        f"{', quick run' if run.quick else ''}.\n{packages}.\n\n"
        "Each cell is the smallest time of a frame over all rounds, the median in brackets, and how many times ours that is."
        " Peers run in turn within one process, on lists of frames, and are timed only if their answers are right."
        " Times are CPU times of the thread; other programs on the machine still take caches and clock rate away, so that the"
        " smallest time of the rounds is what holds.\n\n" + _load(machine)
    )


def _load(machine: Machine) -> str:
    if machine.load is None:
        return "How busy the machine was is not known."
    return f"On {machine.cores} cores, {machine.load:.1f} processes were running or waiting when the run began."


def _targets(run: Run) -> str:
    tiers = [tier for tier in run.tiers if any(tier in target.goal for target in TARGETS)]
    rows = [[target.text, *(verdict(run, target, tier)[0] for tier in tiers)] for target in TARGETS]
    blank = [""] * (len(tiers) - 1)
    for key in targets.STREAM_CASES:
        cell = run.cell(run.best_tier, key, STREAM)
        if cell and cell.ratio is not None and tiers:
            # The loops are equal where they differ by no more than the rounds do among themselves.
            word = "reached" if cell.ratio <= targets.STREAM_AT_MOST + cell.noise else "NOT reached"
            rows.append([f"decode_stream over a loop, {key.split(': ')[1]}", f"{word}: {cell.ratio:.2f} of its time", *blank])
    faults = [run.cell(tier, targets.FAULTS_CASE, OURS) for tier in tiers]
    if any(cell and cell.faults is not None for cell in faults):
        rows.append(["1,000 arrays kept: page faults a message", *map(_faults_verdict, faults)])
    if run.import_ms is not None and tiers:
        word = "reached" if run.import_ms <= targets.IMPORT_MS_AT_MOST else "NOT reached"
        rows.append(["import beyond NumPy's own", f"{word}: {run.import_ms:.1f} ms of {targets.IMPORT_MS_AT_MOST:g}", *blank])
    return "## What to reach\n\n" + table(["", *tiers], rows)


def _faults_verdict(cell: Cell | None) -> str:
    if cell is None or cell.faults is None:
        return "-"
    word = "reached" if cell.faults <= targets.FAULTS_AT_MOST else "NOT reached"
    return f"{word}: {cell.faults:.3f} (none)"


def _section(cases: Sequence[CaseResult], suite: str, tier: str, render: Callable[[Sequence[CaseResult]], str]) -> str:
    if not cases:
        return ""
    title = " ".join((TITLES[suite] or suite).split()).removeprefix(f"The suite `{suite}`: ")
    title = title[0].upper() + title[1:]
    return f"## {suite}, {tier}\n\n{title}\n\n{render(cases)}"


def _by_peer(cases: Sequence[CaseResult]) -> str:
    rows = [[peer, *(_cell(case.cells.get(peer)) for case in cases)] for peer in peers_of(cases)]
    if cases[0].suite not in NO_RATES:
        ours = [case.cells.get(case.base, Cell()) for case in cases]
        sizes = [case.frame_bytes for case in cases]
        rows.insert(1, ["GB/s of frame", *(_rate(size, cell, "{:.1f}", 1) for size, cell in zip(sizes, ours, strict=True))])
        rows.insert(2, ["messages/s", *(_rate(1, cell, "{:,.0f}", 1e9) for cell in ours)])
    return table(["", *(case.name for case in cases)], rows)


def _rate(amount: float, cell: Cell, form: str, scale: float) -> str:
    return form.format(amount * scale / cell.minimum) if cell.minimum else "-"


def _by_case(cases: Sequence[CaseResult]) -> str:
    """One row a case; nanoseconds a byte where the cases are of many sizes."""
    peers = peers_of(cases)
    per_byte = cases[0].suite in PER_BYTE
    rows = []
    for case in cases:
        cells = [case.cells.get(peer) for peer in peers]
        if per_byte:
            texts = [f"{cell.minimum / case.frame_bytes:.4f}" if cell and cell.minimum else _word(cell) for cell in cells]
        else:
            texts = [_cell(cell) for cell in cells]
        rows.append([case.name, f"{case.frame_bytes:,.0f}", *texts])
    return table(["", "bytes", *(f"{peer}, ns/B" if per_byte else peer for peer in peers)], rows)


def _cell(cell: Cell | None) -> str:
    if cell is None or not cell.minimum:
        return _word(cell)
    text = f"{time_text(cell.minimum)} ({time_text(cell.median)})"
    if cell.ratio is not None and cell.ratio != 1:
        text += f" **{ratio_text(cell.ratio)}**"
    return text if cell.faults is None else f"{text}, {cell.faults:.2f} faults"


def _word(cell: Cell | None) -> str:
    return cell.word if cell and cell.word else "-"


def _streams(run: Run) -> str:
    cases = run.suite(run.best_tier, "stream")
    rows = []
    for case in cases:
        loop, stream = case.cells.get(OURS, Cell(word="-")), case.cells.get(STREAM, Cell(word="-"))
        difference = f"{stream.minimum - loop.minimum:+.1f} ns" if loop.minimum and stream.minimum else "-"
        rows.append([case.name, _cell(loop), _cell(stream), difference])
    title = "Nothing of a message is read, so that the loops differ in nothing but the stream."
    return f"## stream\n\n{title}\n\n" + table(["", "Decoder.decode in a loop", STREAM, "per message"], rows) if rows else ""


def _growth(run: Run) -> str:
    rows = []
    for growth in run.growth:
        memory = "-" if growth.memory is None else f"{growth.memory / 1024:,.0f} KiB"
        rows.append([f"{growth.length:,}", f"{growth.per_message:.0f} ns", memory])
    title = "Sessions through one stream, 2,000 responses open at a time: time a message and memory, both to be flat."
    return f"## growth\n\n{title}\n\n" + table(["messages", "a message", "memory grew by"], rows) if rows else ""


def _calls(run: Run) -> str:
    if run.calls is None:
        return ""
    title = (
        "Over real connections: CPU time of the client's process for a call whose caller speaks all the time, and how many calls,"
        " received at real-time pace, one core holds."
    )
    return f"## calls\n\n{title}\n\n```text\n{run.calls.said.rstrip()}\n```"


def _tiers(run: Run) -> str:
    keys = list(dict.fromkeys(case.key for tier in run.tiers for suite in FEW for case in run.suite(tier, suite)))
    rows = []
    for key in keys:
        row = [key]
        for tier in run.tiers:
            case = run.find(tier, key)
            cell = case.cells.get(case.base) if case else None
            floor = run.cell(tier, key, FLOOR)
            text = _word(cell)
            if case and cell and cell.minimum:
                text = f"{time_text(cell.minimum)}, {case.frame_bytes / cell.minimum:.1f} GB/s"
                if floor and floor.minimum:
                    text += f", {cell.minimum / floor.minimum:.2f} copies"
            row.append(text)
        rows.append(row)
    return "## Tiers\n\n" + table(["", *run.tiers], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
