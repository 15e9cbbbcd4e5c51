"""Instructions a message under callgrind: counts that repeat exactly, the gate for a change that claims to be faster.

Each count is the difference of two processes that differ only in how often they go over one list: start, imports and warm-up
cancel out. Repeatable with one BLAS thread, a fixed hash seed and no address randomisation. callgrind knows no AVX-512."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import machine
from .frames import ARGUMENTS, AUDIO_SIZES, SEED, TRANSCRIPT, Server, session
from .peers import Wire

PATH = Path(__file__).with_name("instructions.jsonl")
TIERS = ("avx2", "ssse3", "neon", "scalar")
FEW, MANY = 4, 24  # passes over a list
TOLERANCE = 0.001
LIST = 32


class CannotCount(Exception):
    """The text says what is missing."""


def cases() -> dict[str, tuple[str, list[Wire]]]:
    """The fixed set: kind of loop and frames, by name."""
    server = Server(SEED)
    return {
        "220 B delta": ("text", [server.bare_delta(TRANSCRIPT, server.word()).wire for _ in range(LIST)]),
        "escaped arguments delta": ("text", [server.delta(ARGUMENTS, '":"').wire for _ in range(LIST)]),
        "6.6 kB audio": ("audio", [server.audio(AUDIO_SIZES["6.6 kB"]).wire for _ in range(LIST)]),
        "16.2 kB audio": ("audio", [server.audio(AUDIO_SIZES["16.2 kB"]).wire for _ in range(LIST)]),
        "16.2 kB audio, type last": ("audio", [server.audio(AUDIO_SIZES["16.2 kB"], "speaches, hf").wire for _ in range(LIST)]),
        "voice session": ("session", [frame.wire for frame in session(1)]),
        "220 B deltas, stream": ("stream", [server.bare_delta(TRANSCRIPT, server.word()).wire for _ in range(LIST)]),
    }


def run_loop(name: str, count: int) -> None:
    from .peers.ours import loops, stream_loops

    ready = {case: ((stream_loops if kind == "stream" else loops)()[kind], wires) for case, (kind, wires) in cases().items()}
    for loop, wires in ready.values():
        for _ in range(3):
            loop(wires)
    loop, wires = ready[name]
    for _ in range(count):
        loop(wires)


def count_all(report: Callable[[str], None]) -> dict[str, dict[str, float]]:
    if not shutil.which("valgrind"):
        raise CannotCount("valgrind is not installed")
    tiers = [tier for tier in machine.tiers() if tier in TIERS]
    if not tiers:
        raise CannotCount("realtime_pcm is not installed, or has no tier that callgrind can run")
    counts: dict[str, dict[str, float]] = {}
    for tier in tiers:
        for name, (_, wires) in cases().items():
            report(f"{tier}: {name}")
            few, many = (_instructions(tier, name, passes) for passes in (FEW, MANY))
            counts.setdefault(tier, {})[name] = (many - few) / ((MANY - FEW) * len(wires))
    return counts


def _instructions(tier: str, name: str, passes: int) -> int:
    """All instructions of one process."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", sys.executable, "-m", "benchmarks", "loop"]
        if shutil.which("setarch"):
            command = ["setarch", "-R", *command]
        # PYTHONDONTWRITEBYTECODE is not set: a first process may write caches, and cases() of the parent has filled them.
        result = subprocess.run(
            [*command, name, str(passes)], capture_output=True, text=True, cwd=machine.ROOT, env=machine.environment(tier)
        )
    found = re.search(r"Collected\s*:\s*(\d+)", result.stderr)
    if result.returncode or not found:
        raise CannotCount(f"callgrind failed on {tier}: {result.stderr.strip()[-1500:]}")
    return int(found[1])


def previous() -> dict[str, dict[str, float]] | None:
    """The counts of the last recorded line made with this Python; they do not depend on the CPU, but on compiler and libc."""
    if not PATH.exists():
        return None
    lines: list[dict[str, Any]] = [json.loads(text) for text in PATH.read_text(encoding="utf-8").splitlines() if text.strip()]
    python = machine.describe().python
    counts = next((line["counts"] for line in reversed(lines) if line["python"] == python), None)
    return counts


def append(counts: dict[str, dict[str, float]]) -> None:
    described = machine.describe()
    rounded = {tier: {name: round(count, 1) for name, count in row.items()} for tier, row in counts.items()}
    line = {"date": described.date, "commit": described.commit, "python": described.python, "counts": rounded}
    with PATH.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
