"""How much a run does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    quick: bool
    seconds: float  # of a case
    longest: int  # messages of the longest session in `growth`
    large_bytes: int  # of each frame of `hostile` and `numbers`
    kept_counts: tuple[int, ...]
    kept_rounds: int  # processes of each peer and count
    paced_rounds: int
    peers: tuple[str, ...]  # who runs `kept` and `paced`
