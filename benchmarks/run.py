"""Drives a whole run: a process for each tier, its suites one after the other, a progress bar."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import growth, machine
from .records import CaseResult, Growth, Run, from_json
from .suites import PER_TIER, SUITES
from .worker import GROWTH


class WorkerFailed(Exception):
    """The process of a tier ended badly; the text is the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds for a case on the best tier and on the others, messages of the longest session, bytes of a hostile shape."""

    best: float
    other: float
    longest: int
    hostile_bytes: int


FULL = Effort(best=2.6, other=2.0, longest=growth.LENGTHS[-1], hostile_bytes=4 << 20)
QUICK = Effort(best=0.25, other=0.25, longest=100_000, hostile_bytes=1 << 20)

Report = Callable[[str, float], None]


def measure_all(effort: Effort, quick: bool, report: Report) -> Run:
    """``report`` hears what is being timed and the share that is done."""
    report("looking at the machine", 0)
    tiers = machine.tiers()
    if not tiers:
        raise WorkerFailed("realtime_pcm cannot be imported: install the project first (pip install .)")
    run = Run(machine.describe(), tiers[0], quick)
    run.import_ms = machine.import_milliseconds(3 if quick else 7)
    plan = [(tier, suite) for tier in tiers for suite in ((*SUITES, GROWTH) if tier == tiers[0] else PER_TIER)]
    done = 0
    for tier in tiers:
        suites = [suite for planned, suite in plan if planned == tier]
        seconds = effort.best if tier == tiers[0] else effort.other
        options = ["--seconds", seconds, "--longest", effort.longest, "--hostile-bytes", effort.hostile_bytes]
        report(f"{tier}: starting, checking the peers", done / len(plan))
        for event in _worker(tier, [*map(str, options), *suites]):
            if isinstance(event, str):
                done += 1
                report(f"{tier}: {event}", done / len(plan))
            elif isinstance(event, Growth):
                run.growth.append(event)
                report(f"{tier}: session of {event.length:,} messages", done / len(plan))
            else:
                run.cases.append(event)
                report(f"{tier}: {event.key}", done / len(plan))
    return run


def _worker(tier: str, arguments: list[str]) -> Iterator[str | CaseResult | Growth]:
    command = [sys.executable, "-m", "benchmarks", "worker", tier, *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=machine.ROOT, env=machine.environment(tier)
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        for line in process.stdout:
            event = json.loads(line)
            yield event["done"] if "done" in event else from_json(event)
        errors = process.stderr.read()
        if process.wait():
            raise WorkerFailed(f"tier {tier}: {errors.strip()[-2000:]}")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
