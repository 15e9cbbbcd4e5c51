"""Whole calls over real connections: CPU time per call, and calls per core. Kept as JSON, from which the docs are written."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from . import machine
from .records import Machine

PATH = Path(__file__).with_name("results") / "calls.json"
CHART = machine.ROOT / "docs" / "calls.svg"

# A way of `concurrency both` -> the same way in `concurrency capacity`, which is its name in the docs.
WAYS = {
    "openai, its own loop and append": "openai, its own event loop",
    "websockets, orjson + pybase64": "websockets, orjson + pybase64",
    "picows, orjson + pybase64": "picows, orjson + pybase64",
    "openai, decode_stream and AudioEncoder": "openai, decode_stream",
    "websockets, decode_stream and AudioEncoder": "websockets, decode_stream",
    "realtime_pcm.client": "realtime_pcm.client",
}
OURS = ("openai, decode_stream", "websockets, decode_stream", "realtime_pcm.client")
FLOOR = "picows, nothing encoded or decoded"
PACKAGES = ("openai", "websockets", "picows", "orjson", "pybase64")


class Failed(Exception):
    """benchmarks.concurrency failed; the text is the end of its errors."""


@dataclass(slots=True)
class Calls:
    """cpu: milliseconds of the client's CPU time per call, by the ways of `both`. capacity: calls per core, by those of
    `capacity`. said: what was printed."""

    machine: Machine
    cpu: dict[str, float]
    capacity: dict[str, float]
    said: str = ""

    def rows(self) -> dict[str, float]:
        """Name -> milliseconds per call, in the order of WAYS, then the floor."""
        named = {**WAYS, FLOOR: FLOOR}
        return {name: self.cpu[way] for way, name in named.items() if way in self.cpu}


def measure(where: Machine) -> Calls:
    """Takes some ten minutes."""
    cpu, said = _run("both", "--rounds", "15")
    capacity, more = _run("capacity", "--most", "6400")
    return Calls(where, cpu, capacity, f"{said}\n\n{more}")


def read(path: Path = PATH) -> Calls:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Calls(Machine(**found["machine"]), found["cpu"], found["capacity"])


def write(calls: Calls, path: Path = PATH) -> None:
    found = asdict(calls)
    del found["said"]
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _run(*arguments: str) -> tuple[dict[str, float], str]:
    """Calls with the real clients, on a server in another process: it needs a core of its own."""
    command = [sys.executable, "-m", "benchmarks.concurrency", *arguments, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=machine.ROOT, env=machine.environment())
    if result.returncode:
        raise Failed(f"benchmarks.concurrency: {result.stderr.strip()[-2000:]}")
    said, _, found = result.stdout.rstrip().rpartition("\n")
    return json.loads(found), said
