"""Instructions a message under callgrind: counts that repeat exactly, the gate for a change that claims to be faster.

Each count is the difference of two processes that differ only in how often they go over one list, divided by the messages:
start, imports and warm-up cancel out. Repeatable with one BLAS thread, a fixed hash seed and no address randomisation.
callgrind knows no AVX-512."""

from __future__ import annotations

import json
import marshal
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import machine
from .frames import ARGUMENTS, AUDIO_SIZES, SEED, TRANSCRIPT, Server, elevenlabs, gemini, session, twilio
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
    generator = np.random.default_rng(SEED)
    return {
        "220 B delta": ("text", [server.bare_delta(TRANSCRIPT, server.word()).wire for _ in range(LIST)]),
        "escaped arguments delta": ("text", [server.delta(ARGUMENTS, '":"').wire for _ in range(LIST)]),
        "6.6 kB audio": ("audio", [server.audio(AUDIO_SIZES["6.6 kB"]).wire for _ in range(LIST)]),
        "16.2 kB audio": ("audio", [server.audio(AUDIO_SIZES["16.2 kB"]).wire for _ in range(LIST)]),
        "16.2 kB audio, type last": ("audio", [server.audio(AUDIO_SIZES["16.2 kB"], "speaches, hf").wire for _ in range(LIST)]),
        "voice session": ("session", [frame.wire for frame in session(1)]),
        "220 B deltas, stream": ("stream", [server.bare_delta(TRANSCRIPT, server.word()).wire for _ in range(LIST)]),
        "Gemini, 16.1 kB": ("gemini", [gemini(generator, 6_000).wire for _ in range(LIST)]),
        "Twilio, 20 ms": ("twilio", [twilio(generator).wire for _ in range(LIST)]),
        "ElevenLabs, 10.8 kB, type last": ("elevenlabs", [elevenlabs(generator, 4_000).wire for _ in range(LIST)]),
    }


def run_loops(path: str, name: str) -> None:
    """The process that is counted: every case ``FEW`` times over, the named one ``MANY`` times."""
    from .peers.ours import loops, stream_loops
    from .peers.sockets import ours

    with open(path, "rb") as file:
        ready: dict[str, tuple[str, list[Wire]]] = marshal.load(file)
    for case, (kind, wires) in ready.items():
        makers = {"stream": stream_loops, "gemini": ours, "twilio": ours, "elevenlabs": ours}
        loop = makers.get(kind, loops)()[kind]
        for _ in range(MANY if case == name else FEW):
            loop(wires)


def count_all(report: Callable[[str], None]) -> dict[str, dict[str, float]]:
    if not shutil.which("valgrind"):
        raise CannotCount("valgrind is not installed")
    tiers = [tier for tier in machine.tiers() if tier in TIERS]
    if not tiers:
        raise CannotCount("realtime_pcm is not installed, or has no tier that callgrind can run")
    counts: dict[str, dict[str, float]] = {tier: {} for tier in tiers}
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder, "frames")  # made once, here: to make them under callgrind would take most of the time
        frames.write_bytes(marshal.dumps(cases()))
        for tier in tiers:
            report(f"{tier}: start and warm-up")
            few = _instructions(tier, frames, "")
            for name, (_, wires) in cases().items():
                report(f"{tier}: {name}")
                many = _instructions(tier, frames, name)
                counts[tier][name] = (many - few) / ((MANY - FEW) * len(wires))
    return counts


def _instructions(tier: str, frames: Path, name: str) -> int:
    """All instructions of one process."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={frames}.out"]
    if shutil.which("setarch"):
        command = ["setarch", "-R", *command]
    command += [sys.executable, "-m", "benchmarks.instructions", str(frames), name]
    result = subprocess.run(command, capture_output=True, text=True, cwd=machine.ROOT, env=machine.environment(tier))
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
    return next((line["counts"] for line in reversed(lines) if line["python"] == python), None)


def append(counts: dict[str, dict[str, float]]) -> None:
    described = machine.describe()
    rounded = {tier: {name: round(count, 1) for name, count in row.items()} for tier, row in counts.items()}
    line = {"date": described.date, "commit": described.commit, "python": described.python, "counts": rounded}
    with PATH.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":  # without the command line's imports, which cost more under callgrind than all the rest
    run_loops(sys.argv[1], sys.argv[2])
