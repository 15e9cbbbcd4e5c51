"""Sessions of 10 to 1,000,000 messages through one stream: nanoseconds a message and resident memory, both to be flat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from realtime_pcm import decode_stream

from .frames import ARGUMENTS, TRANSCRIPT, Server
from .timing import SAMPLE_NS, clock, no_collection

NAME = "growth"
AUDIO_BYTES = 600
LENGTHS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)


def frames(seed: int) -> list[bytes]:
    """10,000 small messages under 2,000 response ids, each response with one short piece of audio that is never done: what
    the decoder must remember is more than it keeps."""
    server = Server(seed)
    wires = []
    for _ in range(2_000):
        server.start_response()
        wires.append(server.audio(AUDIO_BYTES).wire)
        wires += [server.delta(TRANSCRIPT, server.word()).wire for _ in range(3)]
        wires.append(server.delta(ARGUMENTS, '"}').wire)
    return wires


def resident() -> int | None:
    """Bytes of memory the process holds now; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError):
        return None
    return pages * 4096


def measure(wires: Sequence[bytes], length: int) -> tuple[float, int | None]:
    """Nanoseconds a message (the best of three) and how many bytes the process grew by."""
    repeats = max(1, SAMPLE_NS // (length * 1_000))
    best = float("inf")
    with no_collection():
        before = resident()
        for _ in range(3 if length < LENGTHS[-1] else 1):
            start = clock()
            for _ in range(repeats):
                for _message in decode_stream(islice(cycle(wires), length)):
                    pass
            best = min(best, (clock() - start) / (repeats * length))
        after = resident()
    return best, None if before is None or after is None else after - before
