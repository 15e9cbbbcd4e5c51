"""One process, one tier: the tier is chosen when realtime_pcm is imported, so each has a process, with its own peers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import growth, kept, paced
from .effort import Effort
from .frames import SEED
from .peers import FLOOR, NAMES, PEERS, Loop, Unavailable, check
from .records import CaseResult, Cell, Growth
from .suites import SIZED, SUITES, Case, hostile, numbers
from .timing import Timing, measure, ratio_noise


def run_suite(tier: str, suite: str, effort: Effort) -> Iterator[CaseResult | Growth]:
    """All cases of one suite, each as soon as it is timed."""
    if suite == growth.NAME:
        yield from run_growth(effort.longest)
    elif suite == kept.NAME:
        yield from kept.run(tier, effort)
    elif suite == paced.NAME:
        yield from paced.run(tier, effort)
    else:
        for case in cases_of(suite, effort):
            yield run_case(tier, case, effort.seconds)


def cases_of(suite: str, effort: Effort) -> Iterator[Case]:
    sized = {"numbers": numbers, "hostile": hostile}
    assert set(sized) == set(SIZED)
    cases = sized[suite](SEED, effort.large_bytes) if suite in sized else SUITES[suite](SEED)
    for case in cases:
        if case.quick or not effort.quick:
            yield case


def run_case(tier: str, case: Case, seconds: float) -> CaseResult:
    loops, cells = loops_of(case)
    return result(tier, case, cells, measure(loops, case.wires, seconds))


def result(tier: str, case: Case, cells: dict[str, Cell], timings: dict[str, Timing]) -> CaseResult:
    base = timings.get(case.base)
    for name, timing in timings.items():
        cells[name] = Cell(timing.minimum, timing.median)
        if base:
            cells[name].ratio = timing.minimum / base.minimum
            cells[name].noise = ratio_noise(base, timing)
    ordered = {name: cells[name] for name in NAMES if name in cells}
    return CaseResult(tier, case.suite, case.name, case.frame_bytes, len(case.frames), ordered, case.base)


def loops_of(case: Case) -> tuple[dict[str, Loop], dict[str, Cell]]:
    """The loops that gave every answer of the case, and a word for each peer that has none or gave another."""
    loops: dict[str, Loop] = {}
    cells: dict[str, Cell] = {}
    for peer in PEERS:
        if peer.name not in case.peers or case.kind not in peer.kinds:
            continue
        try:
            loop = peer.loops()[case.kind]
        except Unavailable as reason:
            cells[peer.name] = Cell(word=str(reason))
            continue
        if peer.name == FLOOR or check(case.kind, loop, case.frames, case.wires):
            loops[peer.name] = loop
        else:
            cells[peer.name] = Cell(word="wrong")
    return loops, cells


def run_growth(longest: int) -> Iterator[Growth]:
    wires: Sequence[bytes] = growth.frames(SEED)
    growth.measure(wires, growth.LENGTHS[3])  # fills freelists and the table of streams, which is bounded
    for length in growth.LENGTHS:
        if length <= longest:
            per_message, memory = growth.measure(wires, length)
            yield Growth(length, per_message, memory)
