"""history.jsonl: one line a run with every ratio and its noise, and what moved between two lines of one CPU."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .peers import PEERS
from .records import Run

PATH = Path(__file__).with_name("history.jsonl")
LEAST_NOISE = 0.03  # two builds of one source differ by this much through the placing of code alone


def line(run: Run) -> dict[str, Any]:
    """Ratios as {tier: {case: {peer: [ratio, noise]}}}: ratios are what can be compared between days."""
    ratios: dict[str, dict[str, dict[str, list[float]]]] = {}
    for case in run.cases:
        row = {
            name: [round(cell.ratio, 4), round(cell.noise, 4)]
            for name, cell in case.cells.items()
            if cell.ratio is not None and name != case.base
        }
        if row:
            ratios.setdefault(case.tier, {})[case.key] = row
    machine = run.machine
    return {
        "date": machine.date,
        "commit": machine.commit,
        "cpu": machine.cpu,
        "python": machine.python,
        "quick": run.quick,
        "packages": machine.packages,
        "ratios": ratios,
    }


def append(run: Run, path: Path = PATH) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line(run), separators=(",", ":")) + "\n")


def read(path: Path = PATH) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines() if text.strip()]


@dataclass(frozen=True, slots=True)
class Move:
    tier: str
    case: str
    peer: str
    before: float
    after: float
    noise: float

    @property
    def change(self) -> float:
        return self.after / self.before - 1


def last_two(lines: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The last line, and the one before it of the same CPU, Python and effort."""
    if not lines:
        return None
    last = lines[-1]
    same = [entry for entry in lines[:-1] if all(entry[key] == last[key] for key in ("cpu", "python", "quick"))]
    return (same[-1], last) if same else None


def moves(before: dict[str, Any], after: dict[str, Any]) -> list[Move]:
    """The ratios that changed by more than the noise of both lines, largest change first. A peer whose own version changed is
    no measure and left out."""
    changed = {
        name for name in before["packages"] | after["packages"] if before["packages"].get(name) != after["packages"].get(name)
    }
    needs: dict[str, set[str]] = {}
    for peer in PEERS:
        needs.setdefault(peer.name, set()).update(peer.packages)
    found = []
    for tier, cases in after["ratios"].items():
        for case, peers in cases.items():
            for peer, (ratio, noise) in peers.items():
                old = before["ratios"].get(tier, {}).get(case, {}).get(peer)
                if old is None or changed & needs.get(peer, set()):
                    continue
                limit = max(LEAST_NOISE, old[1] + noise)
                if not 1 / (1 + limit) <= ratio / old[0] <= 1 + limit:
                    found.append(Move(tier, case, peer, old[0], ratio, limit))
    return sorted(found, key=lambda move: -abs(move.change))
