"""The suite `paced`: one message at a time from each of 1,000 sessions, through as many decoders.

A server that has a message of each of 1,000 sessions every 20 ms comes back to a decoder after 999 others, and finds neither its
state nor the next frame in the core's own caches. Nothing is slept here: the sessions are gone over in turn, and each decode is
timed alone. The frames of a round are about 50 MB, more than the caches hold; where it says "just received", each was copied just
before, as a WebSocket library does, so that it is in the caches and all else is not. Percentiles are taken of each round; the
smallest and the median of the rounds are told. What two calls of the clock cost is taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from time import perf_counter_ns
from typing import Any

import numpy as np

from .effort import Effort
from .frames import SEED, USUAL, Frame, Server, speech
from .peers import CLOCK, NAMES, OURS, PEERS, STREAM, Unavailable, check, same
from .records import CaseResult, Cell
from .timing import Timing, no_collection, ratio_noise, summarise

NAME = "paced"
SESSIONS = 1_000
PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}
MIX, RECEIVED, AUDIO = "session mix", "session mix, just received", "16.2 kB audio"
WINDOW = 8  # messages of each session in the mix
AUDIO_FRAMES = 3  # of each session

Rounds = Callable[[], np.ndarray[Any, Any]]


class QuickServer(Server):
    """Cuts its speech out of a minute made once: what counts here is that all bytes are others, and that there are many."""

    minute = speech(np.random.default_rng(SEED), 24_000 * 60)

    def samples(self, count: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        start = self._random.randrange(len(self.minute) - count)
        return self.minute[start : start + count]


def mix(seed: int) -> list[list[Frame]]:
    """For each session, some messages that follow one another: spoken turns, cut into pieces."""
    server = QuickServer(seed)
    sessions: list[list[Frame]] = []
    while len(sessions) < SESSIONS:
        turn = list(server.voice_turn())
        sessions += [turn[start : start + WINDOW] for start in range(0, len(turn) - WINDOW + 1, WINDOW)]
    return sessions[:SESSIONS]


def audio(seed: int) -> list[list[Frame]]:
    server = QuickServer(seed)
    return [[server.audio(USUAL) for _ in range(AUDIO_FRAMES)] for _ in range(SESSIONS)]


def run(tier: str, effort: Effort) -> Iterator[CaseResult]:
    mixed = mix(SEED)
    for name, sessions in ((MIX, mixed), (RECEIVED, mixed), (AUDIO, audio(SEED))):
        if name != AUDIO or not effort.quick:
            yield from _case(tier, name, sessions, effort)


def _case(tier: str, name: str, sessions: list[list[Frame]], effort: Effort) -> Iterator[CaseResult]:
    in_turn = [session[number] for number in range(len(sessions[0])) for session in sessions]
    runners, words = _runners(in_turn, effort.peers, received=name == RECEIVED)
    found: dict[str, list[np.ndarray[Any, Any]]] = {peer: [] for peer in runners}
    with no_collection():
        for number in range(effort.paced_rounds + 1):
            for peer, one_round in runners.items():
                times = one_round()
                if number:  # the first one warms what is warm in a server too: the interpreter's code, the allocators
                    found[peer].append(times)
    size = sum(frame.size for frame in in_turn) / len(in_turn)
    for label, percentile in PERCENTILES.items():
        timings = {
            peer: summarise([float(np.percentile(times, percentile)) for times in series]) for peer, series in found.items()
        }
        yield CaseResult(tier, NAME, f"{name}, {label}", size, len(in_turn), _cells(timings, words))


def _cells(timings: dict[str, Timing], words: dict[str, Cell]) -> dict[str, Cell]:
    cells = dict(words)
    base = timings[OURS]
    for name, timing in timings.items():
        ratio = timing.minimum / base.minimum
        cells[name] = Cell(timing.minimum, timing.median, ratio, ratio_noise(base, timing))
    cells[CLOCK] = Cell(clock_cost(), clock_cost())
    return {name: cells[name] for name in NAMES if name in cells}


def _runners(in_turn: list[Frame], names: Sequence[str], *, received: bool) -> tuple[dict[str, Rounds], dict[str, Cell]]:
    """What runs one round of each peer that gives every session's first answer, and a word for the others."""
    runners: dict[str, Rounds] = {}
    words: dict[str, Cell] = {}
    for peer in PEERS:
        if peer.name not in names or "session" not in peer.kinds or peer.name == STREAM:
            continue
        try:
            made = peer.connections(SESSIONS)
        except Unavailable as reason:
            words[peer.name] = Cell(word=str(reason))
            continue
        runner = _one_by_one(made, in_turn, received) if made else _timed_inside(peer.loops(), in_turn, received)
        if runner:
            runners[peer.name] = runner
        else:
            words[peer.name] = Cell(word="wrong")
    return runners, words


def _one_by_one(made: Sequence[Any], in_turn: list[Frame], received: bool) -> Rounds | None:
    read, _, samples = made[0]
    decoders = [decode for _, decode, _ in made]
    for decode, frame in zip(decoders, in_turn, strict=False):
        if not same(read(decode, samples, frame.wire), frame.answer):
            return None
    pairs = [(decoders[number % SESSIONS], frame.wire) for number, frame in enumerate(in_turn)]
    cost = clock_cost()

    def one_round() -> np.ndarray[Any, Any]:
        times = []
        for decode, stored in pairs:
            wire = bytes(memoryview(stored)) if received else stored
            start = perf_counter_ns()
            read(decode, samples, wire)
            times.append(perf_counter_ns() - start - cost)
        return np.array(times)

    return one_round


def _timed_inside(loops: dict[str, Any], in_turn: list[Frame], received: bool) -> Rounds | None:
    """The C++ peer: its own loop, its own clock, one parser for all."""
    loop, wires = loops["session"], [frame.wire for frame in in_turn]
    if not check("session", loop, in_turn[:SESSIONS], wires[:SESSIONS]):
        return None
    return lambda: np.array(loop.each(wires, received))


@cache
def clock_cost() -> int:
    """Nanoseconds between two calls of the clock with nothing between them."""
    found = []
    for _ in range(100_000):
        start = perf_counter_ns()
        found.append(perf_counter_ns() - start)
    return int(np.median(found))
