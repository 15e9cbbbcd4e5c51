"""The report in Markdown: what was reached, then every table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from . import targets
from .peers import FLOOR, OURS, STREAM
from .records import CaseResult, Cell, Run, peers_of
from .suites import PER_TIER, SUITES
from .targets import TARGETS, Target

BY_PEER = ("audio", "text", "session", "cold", "str")
BY_CASE = ("provider", "scaling", "hostile")
PER_BYTE = ("scaling", "hostile")


def markdown(run: Run) -> str:
    parts = [_heading(run), _targets(run)]
    for suite in BY_PEER:
        parts.append(_section(run.suite(run.best_tier, suite), suite, run.best_tier, _by_peer))
    for suite in BY_CASE:
        parts.append(_section(run.suite(run.best_tier, suite), suite, run.best_tier, _by_case))
    parts += [_streams(run), _growth(run), _tiers(run)]
    for tier in run.tiers[1:]:
        for suite in PER_TIER:
            parts.append(_section(run.suite(tier, suite), suite, tier, _by_peer))
    return "\n\n".join(part for part in parts if part) + "\n"


def ratio_text(value: float) -> str:
    return f"{value:.0f}x" if value >= 99.5 else f"{value:.1f}x" if value >= 9.95 else f"{value:.2f}x"


def time_text(nanoseconds: float) -> str:
    if nanoseconds < 1_000:
        return f"{nanoseconds:.0f} ns"
    microseconds = nanoseconds / 1_000
    return f"{microseconds:.2f} us" if microseconds < 100 else f"{microseconds:.0f} us"


def verdict(run: Run, target: Target, tier: str) -> tuple[str, bool | None]:
    """What to write in the cell of a target, and whether it is reached (None: nothing to judge by)."""
    goal = target.at_least.get(tier)
    cell = run.cell(tier, target.case, target.peer)
    if cell is None or cell.ratio is None:
        return (cell.word if cell and cell.word else "-"), None
    if goal is None:
        return ratio_text(cell.ratio), None
    reached = cell.ratio >= goal
    if goal < 1:  # said the other way round: our time over the peer's, at most
        return f"{'reached' if reached else 'NOT reached'}: {1 / cell.ratio:.2f} of its time, at most {1 / goal:.2f}", reached
    return f"{'reached' if reached else 'NOT reached'}: {ratio_text(cell.ratio)} of {goal:g}x", reached


def _heading(run: Run) -> str:
    machine = run.machine
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    return (
        "# Benchmarks\n\n"
        f"{machine.cpu}, {machine.system}, {machine.python}. Commit {machine.commit}, {machine.date}"
        f"{', quick run' if run.quick else ''}.\n{packages}.\n\n"
        "Each cell is the smallest time of a frame over all rounds, the median in brackets, and how many times ours that is."
        " Peers run in turn within one process, on lists of frames, and are timed only if their answers are right."
    )


def _targets(run: Run) -> str:
    tiers = [tier for tier in run.tiers if any(tier in target.at_least for target in TARGETS)]
    rows = [[target.text, *(verdict(run, target, tier)[0] for tier in tiers)] for target in TARGETS]
    blank = [""] * (len(tiers) - 1)
    for key in targets.STREAM_CASES:
        cell = run.cell(run.best_tier, key, STREAM)
        if cell and cell.ratio is not None and tiers:
            # The loops are equal where they differ by no more than the rounds do among themselves.
            word = "reached" if cell.ratio <= targets.STREAM_AT_MOST + cell.noise else "NOT reached"
            rows.append([f"decode_stream over a loop, {key.split(': ')[1]}", f"{word}: {cell.ratio:.2f} of its time", *blank])
    if run.import_ms is not None and tiers:
        word = "reached" if run.import_ms <= targets.IMPORT_MS_AT_MOST else "NOT reached"
        rows.append(["import beyond NumPy's own", f"{word}: {run.import_ms:.1f} ms of {targets.IMPORT_MS_AT_MOST:g}", *blank])
    return "## What to reach\n\n" + _table(["", *tiers], rows)


def _section(cases: Sequence[CaseResult], suite: str, tier: str, render: Callable[[Sequence[CaseResult]], str]) -> str:
    if not cases:
        return ""
    title = " ".join((SUITES[suite].__doc__ or suite).split())
    return f"## {suite}, {tier}\n\n{title}\n\n{render(cases)}"


def _by_peer(cases: Sequence[CaseResult]) -> str:
    rows = [[peer, *(_cell(case.cells.get(peer), peer) for case in cases)] for peer in peers_of(cases)]
    ours = [case.cells.get(OURS, Cell()) for case in cases]
    sizes = [case.frame_bytes for case in cases]
    rows.insert(1, ["GB/s of frame", *(_rate(size, cell, "{:.1f}", 1) for size, cell in zip(sizes, ours, strict=True))])
    rows.insert(2, ["messages/s", *(_rate(1, cell, "{:,.0f}", 1e9) for cell in ours)])
    return _table(["", *(case.name for case in cases)], rows)


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
            texts = [_cell(cell, peer) for cell, peer in zip(cells, peers, strict=True)]
        rows.append([case.name, f"{case.frame_bytes:,.0f}", *texts])
    return _table(["", "bytes", *(f"{peer}, ns/B" if per_byte else peer for peer in peers)], rows)


def _cell(cell: Cell | None, peer: str) -> str:
    if cell is None or not cell.minimum:
        return _word(cell)
    times = f"{time_text(cell.minimum)} ({time_text(cell.median)})"
    return times if peer == OURS or cell.ratio is None else f"{times} **{ratio_text(cell.ratio)}**"


def _word(cell: Cell | None) -> str:
    return cell.word if cell and cell.word else "-"


def _streams(run: Run) -> str:
    cases = run.suite(run.best_tier, "stream")
    rows = []
    for case in cases:
        loop, stream = case.cells.get(OURS, Cell(word="-")), case.cells.get(STREAM, Cell(word="-"))
        difference = f"{stream.minimum - loop.minimum:+.1f} ns" if loop.minimum and stream.minimum else "-"
        rows.append([case.name, _cell(loop, OURS), _cell(stream, OURS), difference])
    title = "Nothing of a message is read, so that the loops differ in nothing but the stream."
    return f"## stream\n\n{title}\n\n" + _table(["", "Decoder.decode in a loop", STREAM, "per message"], rows) if rows else ""


def _growth(run: Run) -> str:
    rows = []
    for growth in run.growth:
        memory = "-" if growth.memory is None else f"{growth.memory / 1024:,.0f} KiB"
        rows.append([f"{growth.length:,}", f"{growth.per_message:.0f} ns", memory])
    title = "Sessions through one stream, 2,000 responses open at a time: time a message and memory, both to be flat."
    return f"## growth\n\n{title}\n\n" + _table(["messages", "a message", "memory grew by"], rows) if rows else ""


def _tiers(run: Run) -> str:
    keys = list(dict.fromkeys(case.key for tier in run.tiers for suite in PER_TIER for case in run.suite(tier, suite)))
    rows = []
    for key in keys:
        row = [key]
        for tier in run.tiers:
            case, cell = run.find(tier, key), run.cell(tier, key, OURS)
            floor = run.cell(tier, key, FLOOR)
            text = _word(cell)
            if case and cell and cell.minimum:
                text = f"{time_text(cell.minimum)}, {case.frame_bytes / cell.minimum:.1f} GB/s"
                if floor and floor.minimum:
                    text += f", {cell.minimum / floor.minimum:.2f} copies"
            row.append(text)
        rows.append(row)
    return "## Tiers\n\n" + _table(["", *run.tiers], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
