"""The suite `kept`: what a message costs a caller who keeps its samples, in a fresh process, and how many page faults.

Whoever plays audio holds a queue of arrays, and drops them all when an answer was played or interrupted. Here so many are kept,
then all of them dropped, again and again. Each peer and each number has processes of its own: how glibc gives memory back depends
on what the process has freed before. Faults are the median of the processes."""

from __future__ import annotations

import json
import marshal
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from . import machine
from .effort import Effort
from .frames import SEED, USUAL, Server
from .peers import NAMES, NO_CACHE, OURS, PEERS, Loop, Peer, Unavailable
from .records import CaseResult, Cell
from .timing import Timing, clock, no_collection, ratio_noise, summarise

NAME = "kept"
COUNTS = (1, 8, 40, 200, 1_000)
FRAMES = 32
PASSES = 8
LEAST = 512  # messages of a pass


def case_name(count: int) -> str:
    return "dropped at once" if count == 1 else f"{count:,} kept"


def run(tier: str, effort: Effort) -> Iterator[CaseResult]:
    peers = [peer for peer in PEERS if peer.name in effort.peers and (peer.name == NO_CACHE or "audio" in peer.kinds)]
    server = Server(SEED)
    frames = [server.audio(USUAL) for _ in range(FRAMES)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "frames")  # read by each process piece by piece, so that no large block is freed before it begins
        path.write_bytes(marshal.dumps([frame.wire for frame in frames]))
        # Counts and peers in turn, so that what disturbs the machine for a while disturbs all of them.
        found: dict[tuple[int, str], list[dict[str, Any]]] = {}
        for _ in range(effort.kept_rounds):
            for count in effort.kept_counts:
                for peer in peers:
                    found.setdefault((count, peer.name), []).append(_process(tier, peer, count, path))
    size = sum(frame.size for frame in frames) / len(frames)
    for count in effort.kept_counts:
        cells = _cells({peer.name: found[count, peer.name] for peer in peers})
        yield CaseResult(tier, NAME, case_name(count), size, FRAMES, cells)


def _cells(found: dict[str, list[dict[str, Any]]]) -> dict[str, Cell]:
    """What the processes of each peer found, for one count."""
    cells = {name: Cell(word=process["word"]) for name, processes in found.items() for process in processes if "word" in process}
    timings: dict[str, Timing] = {}
    for name, processes in found.items():
        if name not in cells:
            timings[name] = summarise([spent for process in processes for spent in process["times"]])
            cells[name] = Cell(
                timings[name].minimum, timings[name].median, faults=median(process["faults"] for process in processes)
            )
    for name, timing in timings.items():
        if OURS in timings:
            cells[name].ratio = timing.minimum / timings[OURS].minimum
            cells[name].noise = ratio_noise(timings[OURS], timing)
    return {name: cells[name] for name in NAMES if name in cells}


def _process(tier: str, peer: Peer, count: int, frames: Path) -> dict[str, Any]:
    environment = machine.environment(tier)
    environment.pop("REALTIME_PCM_BLOCK_CACHE", None)
    if peer.name == NO_CACHE:
        environment["REALTIME_PCM_BLOCK_CACHE"] = "0"
    command = [sys.executable, "-m", "benchmarks.kept", peer.name, str(count), os.fspath(frames)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=machine.ROOT, env=environment)
    if result.returncode:
        return {"word": "failed"}
    found: dict[str, Any] = json.loads(result.stdout)
    return found


# --- in the fresh process


def measure(name: str, count: int, wires: Sequence[bytes]) -> dict[str, Any]:
    """Nanoseconds a message of each pass but the first, and page faults a message in the last pass."""
    peer = next(peer for peer in PEERS if peer.name == name and ("audio" in peer.kinds or name == NO_CACHE))
    try:
        loop = peer.loops()["audio"]
    except Unavailable as reason:
        return {"word": str(reason)}
    messages = count * max(2, -(-LEAST // count))
    keep = getattr(loop, "keep", None)
    lists = [[wire] for wire in wires]
    times, faults = [], 0.0
    with no_collection():
        for _ in range(PASSES + 1):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            spent = keep(wires, count, messages) if keep else keep_arrays(loop, lists, count, messages)
            faults = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / messages
            times.append(spent / messages)
    return {"times": times[1:], "faults": faults}


def keep_arrays(loop: Loop, lists: Sequence[list[bytes]], count: int, messages: int) -> int:
    kept: list[Any] = []
    start = clock()
    for one in islice(cycle(lists), messages):
        kept.append(loop(one)[-1])
        if len(kept) >= count:
            kept.clear()
    return clock() - start


if __name__ == "__main__":
    with open(sys.argv[3], "rb") as file:
        ready = marshal.load(file)
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), ready)))
