"""What a full run and a quick one do on each tier: all of it in some minutes, or a part in one."""

from __future__ import annotations

from dataclasses import replace

from . import growth, kept, paced
from .effort import Effort
from .peers import CPP, FLOOR, NAMES, NO_CACHE, OURS
from .suites import SUITES

GOALS = ("audio", "text", "session", "cold", "delta_text", "left_out", "out", "numbers", "encode", kept.NAME, paced.NAME)
"""The suites that a goal of targets.py asks for."""
GOAL_TIER = "avx2"
"""A tier that has goals of its own, so that it runs GOALS where it is not the best of a machine."""
FEW = ("audio", "text", "session")
"""What each of the other tiers runs."""
GOAL_PEERS = (OURS, NO_CACHE, FLOOR, CPP, "pysimdjson + fastpybase64", "orjson + pybase64", "msgspec")
"""Who runs `kept` and `paced` on tiers that are not the best: the others take long there, and no tier changes them."""


def suites_of(effort: Effort, tiers: list[str]) -> dict[str, tuple[str, ...]]:
    """The suites of each tier that is run; `tiers`: those of this machine, the best first."""
    best = tiers[0]
    if effort.quick:
        return {tier: GOALS if tier == best else FEW for tier in tiers if tier in (best, GOAL_TIER)}
    everything = (*SUITES, kept.NAME, paced.NAME, growth.NAME)
    return {tier: everything if tier == best else GOALS if tier == GOAL_TIER else FEW for tier in tiers}


FULL = Effort(
    quick=False,
    seconds=1.6,
    longest=growth.LENGTHS[-1],
    large_bytes=4 << 20,
    kept_counts=kept.COUNTS,
    kept_rounds=3,
    paced_rounds=8,
    peers=NAMES,
)
OTHER = replace(FULL, seconds=1.2, peers=GOAL_PEERS)
"""What a full run does on the tiers that are not the best."""
QUICK = Effort(
    quick=True,
    seconds=0.25,
    longest=0,
    large_bytes=1 << 20,
    kept_counts=(1, 40, 1_000),
    kept_rounds=2,
    paced_rounds=2,
    peers=(OURS, NO_CACHE, FLOOR, CPP, "orjson + pybase64", "msgspec"),
)
EFFORTS = {"full": FULL, "other": OTHER, "quick": QUICK}
