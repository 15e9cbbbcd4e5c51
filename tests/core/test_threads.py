"""Decoders and threads: one each, and one shared. Under free-threaded Python these run truly at once."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import sysconfig
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import sample
from support.in_threads import THREADS, in_threads

FRAMES = sample.lines()
EVENTS = [json.loads(frame) for frame in FRAMES]
AUDIO = "response.output_audio.delta"
PCM = b"".join(base64.b64decode(event["delta"]) for event in EVENTS if event["type"] == AUDIO)


@pytest.mark.parametrize("size", [4_801, 300_001], ids=["short", "long"])
def test_a_shared_decoder(size: int) -> None:
    """Every thread its own stream, of deltas that end in half a sample; errors of other threads in between.

    The long ones are decoded with the GIL let go.
    """
    decoder = rp.Decoder()
    rounds = 40 if size < 10_000 else 6
    random = np.random.default_rng(24_000)
    sent = [random.integers(0, 256, size * rounds, np.uint8).tobytes() for _ in range(THREADS)]
    heard: list[list[Any]] = [[] for _ in range(THREADS)]

    def work(number: int) -> None:
        place = {"response_id": f"resp_{number}", "item_id": f"item_{number}", "content_index": number}
        for start in range(0, len(sent[number]), size):
            payload = base64.b64encode(sent[number][start : start + size]).decode()
            frame = json.dumps({"type": AUDIO, **place, "delta": payload}).encode()
            with pytest.raises(rp.DecodeError):
                decoder.decode(frame[:-3] + b'*"}')
            heard[number].append(decoder.decode(frame))

    in_threads(work)
    for number in range(THREADS):
        pieces = heard[number]
        assert {m.response_id for m in pieces} == {f"resp_{number}"}
        assert b"".join(m.pcm.tobytes() for m in pieces) == sent[number][: size * rounds // 2 * 2]
        assert [m.sample_offset for m in pieces] == [size * n // 2 for n in range(rounds)]


def test_one_message_read_by_all() -> None:
    """Nested objects are parsed on first access, which may be in several threads at once."""
    for _ in range(50):
        message: Any = rp.decode(FRAMES[-2])
        seen: list[Any] = [None] * THREADS

        def work(number: int, message: Any = message, seen: list[Any] = seen) -> None:
            seen[number] = message.response
            assert message.response.status == "completed"
            assert message.to_dict() == EVENTS[-2]
            assert message.extra == {}

        in_threads(work)
        assert all(view == seen[0] for view in seen)


def test_streams_made_and_dropped() -> None:
    """Messages that outlive their decoder, in threads that end before they are read."""
    kept: list[Any] = []

    def work(number: int) -> None:
        for _ in range(5):
            kept.extend(rp.decode_stream(FRAMES))

    in_threads(work)
    assert len(kept) == THREADS * 5 * len(FRAMES)
    assert sum(len(m.pcm) for m in kept if m.type == AUDIO) == THREADS * 5 * len(PCM) // 2


def test_classes_declared_while_long_frames_are_walked() -> None:
    """A long frame is walked without the GIL: the catalogue that it began with must last."""
    payload = bytes(range(256)) * 1200
    sent = json.dumps({"x": "y" * 200_000, "type": AUDIO, "delta": base64.b64encode(payload).decode()}).encode()

    def work(number: int) -> None:
        for turn in range(25):
            if number % 2:
                name = f"test.threads.{number}.{turn}"
                cls = type("Declared", (rp.messages.RealtimeServerMessage,), {"__annotations__": {"n": "int | None"}}, wire=name)
                message: Any = rp.decode(json.dumps({"type": name, "n": turn}))
                assert type(message) is cls and message.n == turn
            else:
                message = rp.decode(sent)
                assert isinstance(message, rp.messages.ResponseAudioDelta) and message.pcm.tobytes() == payload

    in_threads(work)


@pytest.mark.skipif(not hasattr(sys, "_is_gil_enabled"), reason="Python before 3.13 always has the GIL")
def test_importing_leaves_the_gil_off() -> None:
    script = (
        "import sys, sysconfig\nfree = bool(sysconfig.get_config_var('Py_GIL_DISABLED'))\n"
        "import realtime_pcm as rp\nfrom realtime_pcm import sample\n"
        "[m.to_dict() for m in rp.decode_stream(sample.lines())]\nprint(sys._is_gil_enabled() is not free)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


def test_a_call_that_runs_python_code_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming a format runs Python code, in which threads may change: the other's delta comes before or after, not in between."""
    from realtime_pcm import _core

    decoder = rp.Decoder()
    payload = base64.b64encode(bytes(range(100, 108))).decode()
    plain = json.dumps({"type": "response.audio.delta", "item_id": "i", "delta": payload})
    named = json.dumps({"type": "response.audio.delta", "item_id": "j", "delta": "*" * 8, "format": "g711_ulaw"})
    expected = rp.decode(plain).pcm
    decoder.decode(plain)
    heard: list[Any] = []
    real = _core.format_with

    def slowly(*given: Any) -> Any:
        other = threading.Thread(target=lambda: heard.append(decoder.decode(plain)))
        other.start()
        other.join(0.05)
        assert not heard
        others.append(other)
        return real(*given)

    others: list[threading.Thread] = []
    monkeypatch.setattr(_core, "format_with", slowly)
    for turn in range(1, 4):
        with pytest.raises(rp.DecodeError):
            decoder.decode(named.replace("ulaw", "alaw") if turn % 2 else named)
        others[-1].join(30)
        heard.append(decoder.decode(plain))
        for offset, message in zip((8 * turn - 4, 8 * turn), heard, strict=True):
            assert np.array_equal(message.pcm, expected) and message.sample_offset == offset
        heard.clear()


def test_calls_that_run_python_code_wait_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads that all need the lock of one session: one is inside at a time, and all get their turns."""
    from realtime_pcm import _core

    decoders = [rp.Decoder()]
    decoders += [rp.Decoder(session=decoders[0].session) for _ in range(THREADS - 1)]
    inside: list[Any] = []
    crowds: list[int] = []
    real = _core.format_with

    def slowly(*given: Any) -> Any:
        inside.append(given)
        crowds.append(len(inside))
        time.sleep(0.0005)
        inside.remove(given)
        return real(*given)

    monkeypatch.setattr(_core, "format_with", slowly)
    payload = base64.b64encode(bytes(4)).decode()
    heard: list[Any] = []

    def work(number: int) -> None:
        for turn in range(20):
            name = "g711_alaw" if turn % 2 else "g711_ulaw"
            frame = {"type": "response.audio.delta", "item_id": "i", "delta": payload, "format": name}
            message: Any = decoders[number].decode(json.dumps(frame))
            assert message.audio_format.encoding == name
            heard.append(message.sample_offset)

    in_threads(work)
    assert crowds == [1] * (20 * THREADS)
    assert sorted(heard) == list(range(0, 4 * 20 * THREADS, 4))


def test_a_decoder_made_anew_while_it_decodes() -> None:
    """__init__ waits for the decode: samples of one dtype must never go into an array of another."""
    payload = base64.b64encode(bytes(800_000)).decode()
    frame = json.dumps({"type": AUDIO, "response_id": "r", "delta": payload}).encode()
    decoder = rp.Decoder()
    stop = threading.Event()

    def make_anew() -> None:
        while not stop.is_set():
            for dtype in ("float32", "int16", "uint8"):
                decoder.__init__(dtype=dtype)  # type: ignore[call-arg]

    other = threading.Thread(target=make_anew)
    other.start()
    fits: Counter[int] = Counter()
    try:
        for turn in range(5_000):
            if turn >= 150 and fits["refused"]:
                break
            out = np.zeros(400_064, np.int16)
            try:
                decoder.decode(frame, out)
                fits["int16"] += 1
            except ValueError as error:
                assert "dtype" in str(error)
                fits["refused"] += 1
            assert not out[400_000:].any()
            message: Any = decoder.decode(frame)
            assert message.pcm.size == (800_000 if message.pcm.dtype == "uint8" else 400_000)
    finally:
        stop.set()
        other.join(60)
    assert fits["refused"]


def test_a_decoder_is_not_made_anew_by_what_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime_pcm import _core

    decoder = rp.Decoder()
    real = _core.format_with

    def meddle(*given: Any) -> Any:
        with pytest.raises(RuntimeError, match="decoding"):
            decoder.__init__(dtype="float32")  # type: ignore[call-arg]
        met.append(given)
        return real(*given)

    met: list[Any] = []
    monkeypatch.setattr(_core, "format_with", meddle)
    message: Any = decoder.decode(json.dumps({"type": AUDIO, "delta": "AAAA", "format": "g711_ulaw"}))
    assert met and message.pcm.dtype == "int16"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_in_the_middle_of_a_decode() -> None:
    """The child has the decoder as it was before the frame that another thread was decoding."""
    script = """
import base64, json, os, sys, threading, warnings
import realtime_pcm as rp
from realtime_pcm import _core
warnings.simplefilter("ignore")
decoder = rp.Decoder()
delta = {"type": "response.audio.delta", "item_id": "i", "delta": base64.b64encode(bytes(6)).decode()}
decoder.decode(json.dumps(delta))
inside, leave = threading.Event(), threading.Event()
real = _core.format_with
def slowly(*given):
    inside.set(); leave.wait(60)
    return real(*given)
_core.format_with = slowly
other = threading.Thread(target=lambda: decoder.decode(json.dumps(delta | {"format": "g711_ulaw"})))
other.start(); inside.wait(60)
_core.format_with = real
child = os.fork()
if child == 0:
    offsets = [decoder.decode(json.dumps(delta)).sample_offset for _ in range(3)]
    shared = [rp.Decoder(session=decoder.session).decode(json.dumps(delta)).sample_offset]
    os.write(1, repr(offsets + shared).encode()); os._exit(0)
os.waitpid(child, 0)
leave.set(); other.join(60)
print("", decoder.decode(json.dumps(delta)).sample_offset)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[3, 6, 9, 12] 9\n", "")


@pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="there the C library says who comes first")
def test_a_thread_that_waits_comes_before_one_that_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that decodes frame after frame does not keep the others waiting: it hands the session over after each."""
    from realtime_pcm import _core

    decoder = rp.Decoder()
    frame = json.dumps({"type": "response.audio.delta", "item_id": "i", "delta": "AAAA", "format": "g711_ulaw"})
    order: list[str] = []
    coming = threading.Event()
    real = _core.format_with

    def slowly(*given: Any) -> Any:
        """Inside the first call, until the other thread waits for it."""
        monkeypatch.setattr(_core, "format_with", real)
        other.start()
        coming.wait(60)
        time.sleep(0.3)
        return real(*given)

    def decode(name: str) -> None:
        order.append(f"{name} {decoder.decode(frame).sample_offset}")

    def come() -> None:
        coming.set()
        decode("other")

    other = threading.Thread(target=come)
    monkeypatch.setattr(_core, "format_with", slowly)
    for _ in range(3):
        decode("first")
    other.join(60)
    assert sorted(order) == ["first 0", "first 6", "first 9", "other 3"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_by_a_thread_with_the_ident_of_one_that_is_gone() -> None:
    """A new thread of the child may get the ident of the thread of the parent that was decoding. When the new thread forks, it
    must not pass for the one that has the lock."""
    script = """
import base64, json, os, signal, threading, warnings
import realtime_pcm as rp
from realtime_pcm import _core
warnings.simplefilter("ignore")
decoder = rp.Decoder()
delta = {"type": "response.audio.delta", "item_id": "i", "delta": base64.b64encode(bytes(6)).decode()}
inside, leave = threading.Event(), threading.Event()
real = _core.format_with
def slowly(*given):
    inside.set()
    leave.wait(60)
    return real(*given)
_core.format_with = slowly
gone = threading.Thread(target=lambda: decoder.decode(json.dumps(delta | {"format": "g711_ulaw"})))
gone.start()
inside.wait(60)
_core.format_with = real
def decode():
    os.write(1, b"%d " % decoder.decode(json.dumps(delta)).sample_offset)
def fork_again():
    if os.fork() == 0:
        signal.alarm(30)
        decode()
        other = threading.Thread(target=decode)
        other.start()
        other.join()
        os._exit(0)
    os.wait()
if os.fork() == 0:
    for _ in range(3):
        again = threading.Thread(target=fork_again)
        again.start()
        again.join()
    os._exit(0)
os.wait()
leave.set()
gone.join()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("0 3 0 3 0 3 ", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_by_the_thread_that_decodes() -> None:
    """In the child, that thread still has its session for itself: another thread of the child waits for it."""
    script = """
import base64, json, os, threading, time, warnings
import realtime_pcm as rp
from realtime_pcm import _core
warnings.simplefilter("ignore")
decoder = rp.Decoder()
payload = base64.b64encode(bytes(6)).decode()
named = json.dumps({"type": "response.audio.delta", "item_id": "i", "delta": payload, "format": "g711_ulaw"})
real, told, others = _core.format_with, [], []
def forks(*given):
    _core.format_with = real
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return real(*given)
    for _ in range(3):
        other = threading.Thread(target=lambda: told.append(rp.Decoder(session=decoder.session).decode(named).sample_offset))
        other.start()
        others.append(other)
    time.sleep(0.3)
    told.append("waiting" if not told else "not waiting")
    return real(*given)
_core.format_with = forks
told.append(decoder.decode(named).sample_offset)
for other in others:
    other.join(60)
if others:
    os.write(1, repr([told[0], *sorted(told[1:])]).encode())
    os._exit(0)
print("", told)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("['waiting', 0, 6, 12, 18] [0]\n", "")


def test_decoders_that_share_a_session() -> None:
    """Eight decoders of one session, a thread each: the offsets are those of one stream, and no sample is lost."""
    first = rp.Decoder()
    decoders = [first, *(rp.Decoder(session=first.session) for _ in range(THREADS - 1))]
    frames = [json.dumps({"type": AUDIO, "item_id": "i", "delta": base64.b64encode(bytes(9)).decode()}) for _ in range(300)]
    heard: list[list[Any]] = [[] for _ in range(THREADS)]

    def work(number: int) -> None:
        for frame in frames:
            heard[number].append(decoders[number].decode(frame))

    in_threads(work)
    everything = sorted((message for part in heard for message in part), key=lambda message: message.sample_offset)
    assert sum(message.pcm.size for message in everything) == THREADS * 300 * 9 // 2
    end = 0
    for message in everything:
        assert message.sample_offset == end
        end += message.pcm.size
    assert all(decoder.session is first.session for decoder in decoders)
