"""Reader, writer and interrupter at once. REALTIME_PCM_PLAYBACK_SECONDS sets for how long: 600 is the whole test."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from support import playback_callback, playback_threads
from support.session_frames import delta

SECONDS = float(os.environ.get("REALTIME_PCM_PLAYBACK_SECONDS", "3"))


def test_reader_writer_and_interrupter() -> None:
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    if free:
        assert not sys._is_gil_enabled()
    came_of_it = playback_threads.run(SECONDS)
    print(f"\n{SECONDS:.0f} s, {'free-threaded' if free else 'with the GIL'}: {came_of_it}")
    assert min(came_of_it[name] for name in ("truncated", "unheard", "played", "late", "samples")) > 10


def test_two_readers_are_an_error_and_no_crash() -> None:
    """One of them reads, the other gets 0 and nothing in its memory; no sample comes twice."""
    player = PlaybackBuffer(24_000)
    message = rp.decode(delta(np.arange(1, 30_001, dtype="<i2").tobytes(), item_id="i"))
    player.write(message)
    given: list[list[int]] = [[], []]
    gate = threading.Barrier(2)

    def work(number: int) -> None:
        out = np.zeros(7, np.int16)
        gate.wait()
        while player.queued:
            given[number] += out[: player.read(out)].tolist()

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given[0] + given[1]) == list(range(1, 30_001))
    assert player.error is None or "two threads" in player.error


def test_a_tracker_in_several_threads() -> None:
    tracker = PlaybackTracker()
    names: list[Any] = []
    acknowledged = threading.Event()

    def send() -> None:
        decoder = rp.Decoder()
        for _ in range(2_000):
            names.append(tracker.sent(decoder.decode(delta(bytes(48), item_id="i"))))
        acknowledged.set()

    def acknowledge() -> None:
        while not acknowledged.wait(0):
            if names:
                tracker.acknowledge(names[-1])
        tracker.acknowledge(names[-1])

    threads = [threading.Thread(target=send), threading.Thread(target=acknowledge)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 2_000 and tracker.unacknowledged == 0
    [cut] = tracker.interrupt().truncations
    assert cut.samples == 48_000


def test_a_callback_in_a_loaded_interpreter() -> None:
    """python tests/support/playback_callback.py says how long a read takes and how long it waits for the GIL."""
    if shutil.which(os.environ.get("CC", "cc")) is None or not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("needs a C compiler and Python's headers")
    rows = playback_callback.measure(0.5, busy=1)
    assert len(rows) > 3 and (rows[:, 1:] >= 0).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_others_write_and_read() -> None:
    """The child's player works: no call of another thread is half done in it."""
    player, decoder = PlaybackBuffer(24_000), rp.Decoder()
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            player.write(decoder.decode(delta(bytes(480), item_id="i")))
            player.interrupt()

    def read() -> None:
        out = np.empty(240, np.int16)
        while not over.is_set():
            player.read(out)

    threads = [threading.Thread(target=write), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    player.interrupt()
                    player.write(rp.decode(delta(np.arange(1, 11, dtype="<i2").tobytes(), item_id="child")))
                    out = np.zeros(10, np.int16)
                    status = 0 if player.read(out) == 10 and out.tolist() == list(range(1, 11)) else 2
                finally:
                    os._exit(status)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="this system has no such timer")
def test_a_signal_handler_may_not_call_in_the_middle_of_a_call() -> None:
    """It gets an error instead of a deadlock or a player that is half written."""
    import signal

    player, decoder = PlaybackBuffer(24_000), rp.Decoder()
    refused, done_ = [], []

    def handler(*_: Any) -> None:
        try:
            player.interrupt()
            done_.append(1)
        except RuntimeError as error:
            refused.append(str(error))

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        turn = 0
        while turn < 200_000 and (len(refused) < 3 or not done_):
            turn += 1
            player.write(decoder.decode(delta(bytes(48), item_id=f"i{turn}")))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert refused and "signal handler" in refused[0] and done_
    player.interrupt()
    assert player.write(decoder.decode(delta(bytes(48), item_id="after"))) == 24
