"""The same suites under pytest-benchmark: `pytest benchmarks/` (with `--benchmark-compare` and all its options).

A round is one pass over the whole list of frames, so the figures are of a list, not of a frame. Only the tier that was chosen
when realtime_pcm was imported is timed; `python -m benchmarks` runs all of them."""

from __future__ import annotations

from functools import cache

import pytest

pytest.importorskip("pytest_benchmark")
pytest.importorskip("realtime_pcm")

from pytest_benchmark.fixture import BenchmarkFixture

from .frames import SEED
from .peers import FLOOR, PEERS, Peer, Unavailable, check
from .peers.cpp import CppLoop
from .peers.encoders import AsyncLoop
from .suites import SUITES, Case

SECONDS = 0.2
# Shapes meant to cost and frames of 16 MB are not worth a table under pytest; the suites run them all.
LIGHT = ("audio", "text", "session", "cold", "delta_text", "left_out", "out", "encode", "sockets", "provider", "str", "stream")


@cache
def cases() -> dict[str, Case]:
    return {case.key: case for suite in LIGHT for case in SUITES[suite](SEED)}


def pairs() -> list[object]:
    return [
        pytest.param(key, peer, id=f"{key}, {peer.name}")
        for key, case in cases().items()
        for peer in PEERS
        if peer.name in case.peers and case.kind in peer.kinds
    ]


@pytest.mark.parametrize(("key", "peer"), pairs())
def test_peer(benchmark: BenchmarkFixture, key: str, peer: Peer) -> None:
    case = cases()[key]
    try:
        loop = peer.loops()[case.kind]
    except Unavailable as reason:
        pytest.skip(str(reason))
    if peer.name != FLOOR:
        assert check(case.kind, loop, case.frames, case.wires), "wrong answer"
    benchmark.group = key
    benchmark.extra_info.update(frames=len(case.frames), frame_bytes=case.frame_bytes)
    benchmark._max_time = SECONDS
    if isinstance(loop, CppLoop | AsyncLoop):  # its own loop without the reading of the answer, which is for the check
        benchmark(loop.time, case.wires, 1)
    else:
        benchmark(loop, case.wires)
