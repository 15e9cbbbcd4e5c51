"""The timing core: whole lists, the peers in turn, the minimum.

The clock is the thread's CPU time where it ticks in nanoseconds: nothing here waits or runs on two threads, so on an idle
machine it is the wall clock, and on a busy one it leaves out the time that other processes ran (which a long pass never
escapes).

A sample is the time of some passes over the whole list of frames, long enough for the clock not to matter. One round takes one
sample of each loop, so that whatever disturbs the machine for a while disturbs all of them; rounds go on until the time
given is spent. Loops are compared on their smallest sample: noise only ever adds."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import get_clock_info, perf_counter_ns, thread_time_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .peers import Loop, Wire

SAMPLE_NS = 2_000_000
BLOCKS = 4
ROUNDS = (BLOCKS, 60)
clock = thread_time_ns if get_clock_info("thread_time").resolution <= 1e-7 else perf_counter_ns


@dataclass(frozen=True, slots=True)
class Timing:
    """Nanoseconds a frame: the smallest and the median sample, and the smallest of each of a few interleaved blocks of rounds,
    which say how far the minimum itself can be trusted."""

    minimum: float
    median: float
    blocks: tuple[float, ...]


@contextmanager
def no_collection() -> Iterator[None]:
    """The cycle collector off, as timeit has it: when it runs is chance, and what it costs is not the decoder's."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def sample(loop: Loop, frames: Sequence[Wire], passes: int) -> int:
    """Nanoseconds of so many passes; a loop that keeps its own clock is asked for its own."""
    own_clock = getattr(loop, "time", None)
    if own_clock is not None:
        return int(own_clock(frames, passes))
    turns = range(passes)
    start = clock()
    for _ in turns:
        loop(frames)
    return clock() - start


def measure(loops: Mapping[str, Loop], frames: Sequence[Wire], seconds: float) -> dict[str, Timing]:
    """Times the loops round-robin over the same list for about so many seconds."""
    with no_collection():
        once = {name: _once(loop, frames) for name, loop in loops.items()}
        passes = {name: max(1, round(SAMPLE_NS / spent)) for name, spent in once.items()}
        a_round = sum(passes[name] * once[name] for name in loops)
        rounds = min(max(int(seconds * 1e9 / max(a_round, 1)), ROUNDS[0]), ROUNDS[1])
        samples: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(rounds):
            for name, loop in loops.items():
                samples[name].append(sample(loop, frames, passes[name]) / (passes[name] * len(frames)))
    return {name: summarise(values) for name, values in samples.items()}


def summarise(samples: Sequence[float]) -> Timing:
    blocks = tuple(min(samples[start::BLOCKS]) for start in range(min(BLOCKS, len(samples))))
    return Timing(min(samples), median(samples), blocks)


def ratio_noise(ours: Timing, peer: Timing) -> float:
    """How far, relatively, the ratio of the minima strayed among the blocks of rounds."""
    ratios = [theirs / mine for mine, theirs in zip(ours.blocks, peer.blocks, strict=True)]
    return (max(ratios) - min(ratios)) / min(ratios)


def _once(loop: Loop, frames: Sequence[Wire]) -> int:
    """About what one pass takes, once caches, freelists and the interpreter's specialised instructions are warm."""
    first = max(sample(loop, frames, 1), 1)
    return first if first > 10 * SAMPLE_NS else max(sample(loop, frames, 1), 1)
