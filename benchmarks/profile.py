"""Where the instructions of a message go, function by function, under callgrind.

Two processes that differ only in how often they go over one list, as in `instructions`; the counts of each function are
subtracted. Instructions are not time: one that decodes 32 bytes counts as much as one that adds two numbers. A package that was
installed in the usual way is stripped and shows addresses in place of its functions; install it with
`pip install -C install.strip=false .` first."""

from __future__ import annotations

import marshal
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .instructions import FEW, MANY, CannotCount, cases

CASES = ("220 B delta", "16.2 kB audio")
_LINE = re.compile(r"^\s*([\d,]+) \([^)]*\)\s+(?:\S*?:)?(.+?)(?: \[([^\]]*)\])?$")


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    library: str
    instructions: float  # of a message
    share: float


def functions(tier: str, case: str) -> list[Function]:
    """The functions that a message runs through, largest first."""
    if not shutil.which("valgrind") or not shutil.which("callgrind_annotate"):
        raise CannotCount("valgrind is not installed")
    if tier not in machine.tiers():
        raise CannotCount(f"there is no tier {tier} here")
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder, "frames")
        frames.write_bytes(marshal.dumps(cases()))
        counts, libraries = _counts(tier, frames, case)
        counts.subtract(_counts(tier, frames, "")[0])
    messages = (MANY - FEW) * len(cases()[case][1])
    total = sum(counts.values())
    return [
        Function(name, libraries.get(name, ""), count / messages, count / total)
        for name, count in counts.most_common()
        if count > total / 1000
    ]


def _counts(tier: str, frames: Path, case: str) -> tuple[Counter[str], dict[str, str]]:
    output = f"{frames}.out"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}"]
    command += [sys.executable, "-m", "benchmarks.instructions", str(frames), case]
    if shutil.which("setarch"):
        command = ["setarch", "-R", *command]
    result = subprocess.run(command, capture_output=True, text=True, cwd=machine.ROOT, env=machine.environment(tier))
    if result.returncode:
        raise CannotCount(f"callgrind failed on {tier}: {result.stderr.strip()[-1500:]}")
    annotated = subprocess.run(
        ["callgrind_annotate", "--threshold=100", "--auto=no", output], capture_output=True, text=True, check=True
    ).stdout
    counts: Counter[str] = Counter()
    libraries: dict[str, str] = {}
    for line in annotated.splitlines():
        found = _LINE.match(line)
        if found and found[2] != "PROGRAM TOTALS":
            name = _short(found[2])
            counts[name] += int(found[1].replace(",", ""))
            if found[3]:  # it stands at one of the source files that a function was compiled from
                libraries[name] = Path(found[3]).name.split(".")[0]
    return counts, libraries


def _short(name: str) -> str:
    """A function of Cython without the module that each of its names begins with, and without callgrind's mark of recursion."""
    name = name.partition("'")[0]
    found = re.match(r"__pyx_[a-z]+_12realtime_pcm_5_core_(?:\d+)?(.+)", name)
    return re.sub(r"_\d+(?=[a-z_])", ".", found[1]) if found else name
