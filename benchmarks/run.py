"""Drives a whole run: a process for each tier, its suites one after the other, a progress bar."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from . import calls, machine
from .effort import Effort
from .plan import suites_of
from .records import CaseResult, Growth, Run, from_json


class WorkerFailed(Exception):
    """The process of a tier ended badly; the text is the end of what it wrote."""


Report = Callable[[str, float], None]


def measure_all(effort: Effort, report: Report) -> Run:
    """``report`` hears what is being timed and the share that is done."""
    report("looking at the machine", 0)
    tiers = machine.tiers()
    if not tiers:
        raise WorkerFailed("realtime_pcm cannot be imported: install the project first (pip install .)")
    run = Run(machine.describe(), tiers[0], effort.quick)
    run.import_ms = machine.import_milliseconds(3 if effort.quick else 7)
    plan = suites_of(effort, tiers)
    total = sum(map(len, plan.values()))
    done = 0
    for tier, suites in plan.items():
        arguments = ["quick" if effort.quick else "full" if tier == tiers[0] else "other", *suites]
        report(f"{tier}: starting, checking the peers", done / total)
        for event in _worker(tier, arguments):
            if isinstance(event, str):
                done += 1
                report(f"{tier}: {event}", done / total)
            elif isinstance(event, Growth):
                run.growth.append(event)
                report(f"{tier}: session of {event.length:,} messages", done / total)
            else:
                run.cases.append(event)
                report(f"{tier}: {event.key}", done / total)
    if not effort.quick:
        report("calls over real connections", 1)
        try:
            run.calls = calls.measure(run.machine)
        except calls.Failed as failure:
            raise WorkerFailed(str(failure)) from None
    return run


def _worker(tier: str, arguments: list[str]) -> Iterator[str | CaseResult | Growth]:
    command = [sys.executable, "-m", "benchmarks", "worker", tier, *arguments]
    # What it writes to stderr goes to a file: a pipe that nobody reads would fill up and stop it.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=machine.ROOT, env=machine.environment(tier)
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                event = json.loads(line)
                yield event["done"] if "done" in event else from_json(event)
            if process.wait():
                errors.seek(0)
                raise WorkerFailed(f"tier {tier}: {errors.read().strip()[-2000:]}")
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
