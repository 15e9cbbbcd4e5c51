"""One process, one tier: the tier is chosen when realtime_pcm is imported, so each has a process, with its own peers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import growth
from .frames import SEED
from .peers import FLOOR, OURS, PEERS, Loop, Unavailable, check
from .records import CaseResult, Cell, Growth
from .suites import SUITES, Case, hostile
from .timing import measure, ratio_noise

GROWTH = "growth"


def run_suite(tier: str, suite: str, seconds: float, longest: int, hostile_bytes: int) -> Iterator[CaseResult | Growth]:
    """All cases of one suite, each as soon as it is timed; ``longest`` session, ``hostile_bytes`` of each hostile shape."""
    if suite == GROWTH:
        yield from run_growth(longest)
        return
    for case in hostile(SEED, hostile_bytes) if suite == "hostile" else SUITES[suite](SEED):
        yield run_case(tier, case, seconds)


def run_case(tier: str, case: Case, seconds: float) -> CaseResult:
    loops, cells = loops_of(case)
    timings = measure(loops, case.wires, seconds)
    for name, timing in timings.items():
        cells[name] = Cell(timing.minimum, timing.median)
        if OURS in timings:
            cells[name].ratio = timing.minimum / timings[OURS].minimum
            cells[name].noise = ratio_noise(timings[OURS], timing)
    ordered = {peer.name: cells[peer.name] for peer in PEERS if peer.name in cells}
    return CaseResult(tier, case.suite, case.name, case.frame_bytes, len(case.frames), ordered)


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
        if peer.name == FLOOR or check(loop, case.frames, case.wires):
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
