"""What a run found: plain records that travel as JSON from the process of a tier to the report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .peers import NAMES, OURS

if TYPE_CHECKING:
    from .calls import Calls


@dataclass(slots=True)
class Cell:
    """One peer on one case: nanoseconds a frame, its time over that of the case's base (ours, as a rule), how far that ratio
    strayed, page faults a frame where they are counted; or a word in their place."""

    minimum: float = 0.0
    median: float = 0.0
    ratio: float | None = None
    noise: float = 0.0
    word: str = ""
    faults: float | None = None


@dataclass(slots=True)
class CaseResult:
    tier: str
    suite: str
    name: str
    frame_bytes: float
    frames: int
    cells: dict[str, Cell]
    base: str = OURS

    @property
    def key(self) -> str:
        return f"{self.suite}: {self.name}"


@dataclass(slots=True)
class Growth:
    """A session of so many messages: nanoseconds a message, bytes the process grew by."""

    length: int
    per_message: float
    memory: int | None


@dataclass(slots=True)
class Machine:
    cpu: str
    system: str
    python: str
    packages: dict[str, str]
    commit: str
    date: str
    cores: int
    load: float | None  # processes that ran or waited, on average of a minute


@dataclass(slots=True)
class Run:
    machine: Machine
    best_tier: str
    quick: bool
    cases: list[CaseResult] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    import_ms: float | None = None
    calls: Calls | None = None  # None: not measured

    @property
    def tiers(self) -> list[str]:
        return list(dict.fromkeys(case.tier for case in self.cases))

    def find(self, tier: str, key: str) -> CaseResult | None:
        return next((case for case in self.cases if case.tier == tier and case.key == key), None)

    def suite(self, tier: str, suite: str) -> list[CaseResult]:
        return [case for case in self.cases if case.tier == tier and case.suite == suite]

    def cell(self, tier: str, key: str, peer: str) -> Cell | None:
        case = self.find(tier, key)
        return case.cells.get(peer) if case else None


def to_json(record: CaseResult | Growth) -> dict[str, Any]:
    return {"record": type(record).__name__, **asdict(record)}


def from_json(data: dict[str, Any]) -> CaseResult | Growth:
    values = {key: value for key, value in data.items() if key != "record"}
    if data["record"] == "Growth":
        return Growth(**values)
    return CaseResult(**{**values, "cells": {name: Cell(**cell) for name, cell in values["cells"].items()}})


def peers_of(cases: Iterable[CaseResult]) -> list[str]:
    """Every peer that has a cell in one of the cases, in the order of the registry."""
    present = {name for case in cases for name in case.cells}
    return [name for name in NAMES if name in present]
