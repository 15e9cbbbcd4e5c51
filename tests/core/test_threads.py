"""Decoders and threads: one each, and one shared. Under free-threaded Python these run truly at once."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import _bulk, memory, sample
from support.in_threads import THREADS, in_threads
from support.own_classes import declared

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
                cls = declared("Declared", rp.messages.RealtimeServerMessage, name, {"n": "int | None"})
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
        "import realtime_pcm as rp\nfrom realtime_pcm import _bulk, memory, sample\n"
        "[m.to_dict() for m in rp.decode_stream(sample.lines())]\nprint(sys._is_gil_enabled() is not free)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


WAV = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + struct.pack("<IIHH", 16_000, 32_000, 2, 16) + b"data\xff\xff\xff\x7f"


@pytest.mark.parametrize("way", ["new arrays", "out", "left out"])
def test_formats_that_change_while_long_deltas_are_decoded(way: str) -> None:
    """A long delta is decoded with the GIL let go, and meanwhile another thread may change its format. Then it is decoded again:
    each message has the samples of its own format, and the offsets are those of one stream."""
    first = rp.Decoder()
    only = ["error"] if way == "left out" else None
    decoders = [first, *(rp.Decoder(session=first.session, only=only if number % 2 else None) for number in range(THREADS))]
    payload = WAV + bytes(range(256)) * 800
    frame = json.dumps({"type": AUDIO, "item_id": "i", "delta": base64.b64encode(payload).decode()}).encode()
    names = ("g711_ulaw", "pcm16", "float32", "wav")
    named = [json.dumps({"type": "session.updated", "session": {"output_audio_format": name}}) for name in names]
    heard: list[Any] = []
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for update in named:
                decoders[THREADS].decode(update)
                time.sleep(0)

    other = threading.Thread(target=change)
    before = memory.cache_info()
    rounds = 0
    other.start()

    def work(number: int) -> None:
        for _ in range(15):
            out = np.empty(len(payload), np.int16) if way == "out" else None
            heard.append(decoders[number].decode(frame, out))

    def repeated() -> bool:
        """Whether there are more arrays than messages, as far as the cache counts them."""
        now = memory.cache_info()
        return now.reused + now.fresh > before.reused + before.fresh + len(heard) or way != "new arrays" or not now.limit

    try:
        while rounds == 0 or (rounds < 50 and not repeated()):
            in_threads(work)
            rounds += 1
    finally:
        stop.set()
        other.join(60)
    assert repeated()
    expected = {one.audio_format: one.pcm for name in names if (one := rp.decode(frame, audio_format=name))}
    assert len(expected) == len(names)
    end = 0
    for message in sorted((message for message in heard if message is not None), key=lambda message: message.sample_offset):
        assert np.array_equal(message.pcm, expected[message.audio_format])
        assert message.sample_offset == end or (way == "left out" and message.sample_offset > end)
        end = message.sample_offset + message.pcm.size
    assert len(heard) == 15 * THREADS * rounds and (None in heard) is (way == "left out")


def test_one_batch_of_lines_in_two_threads() -> None:
    """While one thread reads lines without the GIL, what another does to the batch is refused, and no row is lost."""
    line = json.dumps({"type": AUDIO, "item_id": "i", "delta": base64.b64encode(bytes(3_000)).decode()}).encode() + b"\n"
    data, count = line * 300, 300

    def slow(line: bytes, number: int) -> None:
        raise AssertionError(f"line {number} is no usual one: {line[:80]!r}")

    lines = _bulk.LineBatch(
        rp.Session(), slow, None, "x", own=False, wrapped=False, as_sent=False, words={}, rows=1 << 20, size=1 << 30, most_empty=9
    )
    done, refused = [0] * THREADS, [0] * THREADS

    def work(number: int) -> None:
        for _ in range(2_000):
            if min(done[1::2]) >= 5:  # every thread that reads has read
                break
            try:
                if number % 2:
                    assert lines.feed(data, 0, len(data), True) == (len(data), False)
                else:
                    lines.put_row((7, None, "sent", *[None] * 15))
                done[number] += 1
            except RuntimeError as error:
                assert "feed() is r" in str(error)
                refused[number] += 1
            time.sleep(1e-4)

    in_threads(work)
    assert lines.rows == count * sum(done[1::2]) + sum(done[::2])
    assert min(done[1::2]) >= 5 and sum(refused[1::2]) and sum(refused[::2])


def test_a_decoder_is_not_made_anew_while_it_decodes() -> None:
    """Samples of one dtype must never go into an array of another, so that a decoder is made once."""
    payload = base64.b64encode(bytes(800_000)).decode()
    frame = json.dumps({"type": AUDIO, "response_id": "r", "delta": payload}).encode()
    decoder: Any = rp.Decoder.__new__(rp.Decoder)
    refused: list[TypeError] = []
    begun = threading.Event()

    def make_anew() -> None:
        begun.wait(60)
        for dtype in ("float32", "bytes", "uint8"):
            try:
                decoder.__init__(dtype=dtype)
            except TypeError as error:
                refused.append(error)

    other = threading.Thread(target=make_anew)
    other.start()
    begun.set()
    for _ in range(20):
        out = np.zeros(400_000, decoder.dtype if decoder.dtype != "bytes" else "int16")
        try:
            message = decoder.decode(frame, out)
        except (TypeError, ValueError):
            continue
        assert message.pcm.dtype == out.dtype
    other.join(60)
    assert len(refused) >= 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_while_another_thread_decodes() -> None:
    """The child has the session as it was before the frame that another thread was decoding, and nothing in it waits for that
    thread, which the child does not have."""
    script = """
import base64, json, os, threading, warnings
import realtime_pcm as rp
warnings.simplefilter("ignore")
decoder = rp.Decoder()
delta = {"type": "response.audio.delta", "item_id": "i", "delta": base64.b64encode(bytes(6)).decode()}
short = json.dumps(delta)
long = json.dumps(delta | {"x": "y" * 20_000_000, "delta": base64.b64encode(bytes(3_000_000)).decode()}).encode()
decoder.decode(short)
begun = threading.Event()
def work():
    begun.set()
    decoder.decode(long)
other = threading.Thread(target=work)
other.start()
begun.wait(60)
for _ in range(3):
    if os.fork() == 0:
        first = decoder.decode(short).sample_offset
        rest = [decoder.decode(short).sample_offset - first for _ in range(2)]
        rest.append(rp.Decoder(session=decoder.session).decode(short).sample_offset - first)
        os.write(1, repr((first in (3, 1_500_003), rest)).encode())
        os._exit(0)
    os.wait()
other.join(60)
print("", decoder.decode(short).sample_offset)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("(True, [3, 6, 9])" * 3 + " 1500003\n", "")


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
