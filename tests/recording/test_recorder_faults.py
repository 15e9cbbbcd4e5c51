"""A Recorder whose disk, thread or process fails, or that is interrupted: it says so, and counts every frame that is lost."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm.recording import Recorder, read_recording, writer

SUFFIXES = ["", ".gz", ".zst"]
PING = b'{"type":"ping"}'
FAULTS = [OSError(errno.ENOSPC, "No space left"), MemoryError(), ValueError("x"), SystemExit(3), KeyboardInterrupt()]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PAUSE", 0.001)
    monkeypatch.setattr(writer, "FLUSH", 0.001)


def in_file(path: Path) -> int:
    """How many frames a reader finds, each of them whole, before the place where a compressed file ends early."""
    count = 0
    with read_recording(path) as recording:
        for entry in recording:
            if entry.error is not None:
                assert "too early" in str(entry.error)
                break
            count += 1
    return count


def until(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def ended_by(record: Recorder, fault: BaseException) -> None:
    """close() raises what ended the writing, as often as it is called; nothing is recorded any more."""
    expected: type[BaseException] = type(fault) if isinstance(fault, Exception) else RuntimeError
    for _ in range(2):
        with pytest.raises(expected) as caught:
            record.close()
        assert caught.value is record.error
    with pytest.raises(ValueError, match="closed"):
        record.received(PING)


# ---- The disk


class Full:
    """A disk with room for so many bytes."""

    def __init__(self, file: Any, room: int, fault: BaseException) -> None:
        self._file, self._room, self._fault = file, room, fault
        self.truncate, self.close = file.truncate, file.close

    def write(self, data: memoryview) -> int:
        if self._room == 0:
            raise self._fault
        taken = data[: self._room]
        self._room -= len(taken)
        return int(self._file.write(taken))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("room", [0, 50, 100, 1000, 8000])
def test_a_full_disk_leaves_whole_frames_and_counts_the_others(tmp_path: Path, suffix: str, room: int) -> None:
    path = tmp_path / f"call.jsonl{suffix}"
    record = Recorder(path)
    fault = FAULTS[0]
    record._file._file = Full(record._file._file, room, fault)  # type: ignore[assignment]
    for number in range(400):
        record.received(b'{"type":"ping","n":"%d"}' % (pow(7919, number + 100) % 10**60))
        if number % 50 == 0:
            until(lambda: record.error or not record._queue)
    ended_by(record, fault)
    assert record.written + record.dropped == 400
    assert record.written == (in_file(path) if path.stat().st_size else 0)
    assert record.written < 400 and (room < 8000 or record.written >= 10)


# ---- The thread


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("place", ["line", "compress", "flush", "finish"])
def test_whatever_ends_the_writing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, fault: BaseException, place: str
) -> None:
    path = tmp_path / f"call.jsonl{suffix}"
    record = Recorder(path)
    record.received(PING)
    until(lambda: not record._queue)

    def fail(*_: Any) -> Any:
        raise fault

    compressor = record._file._compressor
    if place == "line":
        monkeypatch.setattr(writer, "frame_line", fail)
    else:
        flush = compressor.flush
        how = {"flush": record._file._flush, "finish": record._file._finish}.get(place)
        record._file._compressor = type(
            "Failing",
            (),
            {
                "compress": fail if place == "compress" else compressor.compress,
                "flush": staticmethod(lambda given: fail() if given == how else flush(given)),
            },
        )
    for _ in range(10):
        record.received(PING)
    until(lambda: record.error or place == "finish")
    ended_by(record, fault)
    assert record.written + record.dropped == 11 and record.dropped >= (10 if place in ("line", "compress") else 0)
    assert record.written == (in_file(path) if path.stat().st_size else 0)


def test_frames_before_the_fault_are_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "call.jsonl.gz"
    line, fault = writer.frame_line, MemoryError()

    def scarce(validate: Any, seconds: float, direction: str, frame: Any) -> bytes:
        if len(frame) > 1000:
            raise fault
        return line(validate, seconds, direction, frame)

    monkeypatch.setattr(writer, "frame_line", scarce)
    record = Recorder(path)
    for frame in (*[PING] * 7, b" " * 2000 + PING, *[PING] * 3):
        record.received(frame)
    ended_by(record, fault)
    assert (record.written, record.dropped, in_file(path)) == (7, 4, 7)


def test_a_thread_that_is_gone_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, "_run", lambda self: None)
    record = Recorder(tmp_path / "call.jsonl")
    record.received(PING)
    with pytest.raises(RuntimeError, match="thread is gone"):
        record.close()
    assert (record.written, record.dropped) == (0, 1)


def test_a_thread_that_cannot_start_leaves_no_open_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(RuntimeError, match="can't start"):
        Recorder(tmp_path / "call.jsonl")
    gc.collect()  # an open file would be a ResourceWarning, which pytest makes an error


def test_the_writer_s_thread_may_close_its_recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = writer.frame_line
    kept: list[Recorder] = []
    monkeypatch.setattr(writer, "frame_line", lambda *given: kept[0].close() or line(*given))  # type: ignore[func-returns-value]
    record = Recorder(tmp_path / "call.jsonl")
    kept.append(record)
    record.received(PING)
    until(lambda: record._gone)
    record.close()
    assert (record.written, record.dropped) == (1, 0)


# ---- Interruptions


def opcodes(run: Callable[[], object], act: Callable[[], object], at: int) -> int:
    """Calls `run`, and `act` in front of one opcode of writer.py, as a signal handler might be called. How many opcodes ran."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename != writer.__file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            count += 1
            if count == at:
                sys.settrace(None)
                try:
                    act()
                finally:
                    sys.settrace(trace)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


@contextmanager
def no_deadlock(record: Recorder) -> Iterator[None]:
    """The main thread is interrupted where it would wait for ever."""

    def stuck(*_: object) -> None:
        raise AssertionError("deadlock")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stuck)
    signal.alarm(30)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("limit", [10_000, 1], ids=["room", "full"])
def test_a_signal_handler_records_at_any_point_of_another_call(tmp_path: Path, limit: int) -> None:
    record = Recorder(tmp_path / "call.jsonl", max_frames=limit)
    with no_deadlock(record):
        calls = at = 0
        while True:
            at += 1
            calls += 1
            count = opcodes(lambda: record.received(PING), lambda: record.sent(PING), at)
            if at > count:
                break
            calls += 1
        record.close()
    assert at > 20 and record.written + record.dropped == calls == in_file(tmp_path / "call.jsonl") + record.dropped
    assert limit == 1 or record.dropped == 0


def test_a_signal_handler_closes_at_any_point_of_another_call(tmp_path: Path) -> None:
    at = closed = 0
    while True:
        at += 1
        record = Recorder(tmp_path / "call.jsonl", overwrite=True)
        accepted = 0

        def put(record: Recorder = record) -> None:
            nonlocal accepted
            record.received(PING)
            accepted = 1

        with no_deadlock(record), suppress(ValueError):
            if opcodes(put, record.close, at) < at:
                break
        closed += 1
        with no_deadlock(record):
            record.close()
        assert record.written + record.dropped == accepted and record.written == in_file(tmp_path / "call.jsonl")
    record.close()
    assert closed > 20


def test_a_signal_handler_closes_at_any_point_of_close(tmp_path: Path) -> None:
    at = 0
    while True:
        at += 1
        record = Recorder(tmp_path / "call.jsonl", overwrite=True)
        record.received(PING)
        with no_deadlock(record):
            if opcodes(record.close, record.close, at) < at:
                break
        assert (record.written, record.dropped) == (1, 0)
    assert at > 20


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that interrupt")
def test_a_ctrl_c_in_the_middle_of_a_call_leaves_the_recorder_usable(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "call.jsonl", max_frames=1_000_000)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    done = 0
    gc.disable()  # a KeyboardInterrupt in a callback of the collector is lost
    try:
        for number in range(100):
            with suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.00003 + number * 3e-6)
                for _ in range(2000):
                    record.received(PING)
                    done += 1
            other = threading.Thread(target=record.sent, args=(PING,), daemon=True)
            other.start()
            other.join(20)
            assert not other.is_alive(), "the lock was left taken"
            done += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    record.close()
    assert record.dropped == 0 and done <= record.written <= done + 100
    assert record.written == in_file(tmp_path / "call.jsonl")


# ---- Other processes


def child_of(work: Callable[[], bool]) -> int:
    """Runs in a forked child; its exit status is 0 if `work` gave True."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.alarm(30)
        code = not work()
    finally:
        os._exit(code)


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_forked_child_is_told_and_leaves_the_recording_alone(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"call.jsonl{suffix}"
    record = Recorder(path)
    record.received(PING)
    until(lambda: not record._queue)

    def work() -> bool:
        for _ in range(50):
            record.received(PING)
        with pytest.raises(RuntimeError, match="forked child") as caught:
            record.close()
        record._finish()  # as atexit calls it
        gc.collect()
        return record.error is caught.value and record.dropped == 50

    status = os.waitpid(child_of(work), 0)[1]
    record.received(PING)
    record.close()
    assert os.waitstatus_to_exitcode(status) == 0
    assert (record.written, record.dropped, in_file(path)) == (2, 0, 2)


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_while_other_threads_record(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "call.jsonl", max_frames=1_000_000)
    stop = threading.Event()
    counts = [0, 0]

    def busy(number: int) -> None:
        while not stop.is_set():
            record.received(PING)
            counts[number] += 1

    threads = [threading.Thread(target=busy, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()

    def work() -> bool:
        dropped = record.dropped
        record.sent(PING)
        return record.error is not None and record.dropped == dropped + 1

    children = [child_of(work) for _ in range(20)]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    stop.set()
    for thread in threads:
        thread.join()
    record.close()
    assert statuses == [0] * 20
    assert record.written == sum(counts) == in_file(tmp_path / "call.jsonl") and record.dropped == 0


def test_an_interpreter_that_ends_writes_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl.gz"
    code = f"""
import os
from realtime_pcm.recording import Recorder
record = Recorder({str(path)!r})
for _ in range(100): record.received({PING!r})
if hasattr(os, "fork") and os.fork() == 0: raise SystemExit  # a child that ends as a program does, not by os._exit
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    until(lambda: in_file(path) == 100)
