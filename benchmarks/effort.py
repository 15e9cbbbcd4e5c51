"""How much a run does: all of it in some minutes, or a part in one."""

from __future__ import annotations

from dataclasses import dataclass

from . import growth, kept, paced
from .peers import FLOOR, NO_CACHE, OURS
from .suites import SUITES

GOALS = ("audio", "text", "session", "cold", "delta_text", "left_out", "out", "numbers", "encode", kept.NAME, paced.NAME)
"""The suites that a goal of targets.py asks for."""
GOAL_TIER = "avx2"
"""A tier that has goals of its own, so that it runs GOALS where it is not the best of a machine."""
FEW = ("audio", "text", "session")
"""What each of the other tiers runs."""


@dataclass(frozen=True, slots=True)
class Effort:
    quick: bool
    best: float  # seconds for a case on the best tier
    other: float  # and on the others
    longest: int  # messages of the longest session in `growth`
    large_bytes: int  # of each frame of `hostile` and `numbers`
    kept_counts: tuple[int, ...]
    kept_peers: tuple[str, ...] | None  # None: all
    paced_rounds: int

    def plan(self, tiers: list[str]) -> dict[str, tuple[str, ...]]:
        """The suites of each tier that is run."""
        best = tiers[0]
        if self.quick:
            return {tier: GOALS if tier == best else FEW for tier in tiers if tier in (best, GOAL_TIER)}
        everything = (*SUITES, kept.NAME, paced.NAME, growth.NAME)
        return {tier: everything if tier == best else GOALS if tier == GOAL_TIER else FEW for tier in tiers}

    def seconds(self, tier: str, tiers: list[str]) -> float:
        return self.best if tier == tiers[0] else self.other


FULL = Effort(
    quick=False,
    best=2.4,
    other=1.8,
    longest=growth.LENGTHS[-1],
    large_bytes=4 << 20,
    kept_counts=kept.COUNTS,
    kept_peers=None,
    paced_rounds=8,
)
QUICK = Effort(
    quick=True,
    best=0.25,
    other=0.25,
    longest=0,
    large_bytes=1 << 20,
    kept_counts=(1, 40, 1_000),
    kept_peers=(OURS, NO_CACHE, FLOOR, "orjson + pybase64"),
    paced_rounds=2,
)
