"""Eight threads, a decoder each; and one decoder for all of them, fed deltas of whole samples."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm.messages import AudioMessage
from support.in_threads import THREADS, in_threads

from .frames import BY_TYPE, KINDS, real_frame
from .generate import Generator

_DELTA = BY_TYPE["response.output_audio.delta"]


def outcome(decode: Callable[[bytes], Any], frame: bytes) -> Any:
    """What is compared of a frame: its fault, or its fields and audio."""
    try:
        message = decode(frame)
    except rp.DecodeError as error:
        return error.reason, error.position, error.field
    if isinstance(message, AudioMessage):
        return (
            type(message),
            message.event_id,
            message.pcm.tobytes(),
            message.incomplete_sample,
            message.sample_offset,
            message.audio_format,
        )
    return type(message), message.event_id


def session_frames() -> list[bytes]:
    """A few hundred frames of all types, good and bad, and two of more than 128 KiB, which let go of the GIL."""
    generator = Generator(14, payload_limit=3000)
    frames = [frame for kind in KINDS for frame in generator.batch(kind, 3)]
    frames += [frame for kind in KINDS if kind.payload_keys for frame in generator.batch(kind, 60)]
    generator.random.shuffle(frames)
    long = real_frame(_DELTA, bytes(210_000))
    frames[100:100] = [long]
    frames[300:300] = [long[:-40] + b"*" + long[-39:]]
    frames.append(b'{"type":"session.created","session":{}}')
    return frames


def own_decoders(frames_a_thread: int) -> int:
    """Frames whose outcome in a thread is another than alone."""
    frames = session_frames()
    decoder = rp.Decoder()
    expected = [outcome(decoder.decode, frame) for frame in frames]
    differing: Counter[int] = Counter()

    def work(number: int) -> None:
        done = 0
        while done < frames_a_thread:
            own = rp.Decoder()
            for frame, wanted in zip(frames, expected, strict=True):
                if outcome(own.decode, frame) != wanted:
                    differing[number] += 1
            done += len(frames)

    in_threads(work, None)
    return differing.total()


def shared_decoder(frames_a_thread: int) -> list[str]:
    """What is wrong about the messages of one decoder: each is to come once, the offsets tile its stream."""
    rng = np.random.default_rng(14)
    lengths = [2, 40, 480, 4800]
    payloads = [rng.integers(0, 256, lengths[number % 4], np.uint8).tobytes() for number in range(64)]
    long = rng.integers(0, 256, 220_000, np.uint8).tobytes()
    kinds = [*payloads, long]
    template = (b'{"type":"response.output_audio.delta","response_id":"r","item_id":"%d","content_index":0,"delta":"', b'"}')
    frames = [[template[0] % stream + base64.b64encode(payload) + template[1] for payload in kinds] for stream in range(3)]
    bad = frames[0][0][:-4] + b'*="}'
    decoder = rp.Decoder()
    heard: list[list[tuple[int, int, int, bytes]]] = [[] for _ in range(THREADS)]
    wrong: list[str] = []
    whole = {payload: index for index, payload in enumerate(kinds)}

    def work(number: int) -> None:
        own = heard[number]
        for turn in range(frames_a_thread):
            # Few of the long ones: they are half a thousand times as much work.
            index = 64 if (turn + 31 * number) % 400 == 399 else (turn + number) % 64
            stream = (turn + number) % 3
            message = decoder.decode(frames[stream][index])
            if whole.get(message.pcm.tobytes()) != index or message.item_id != str(stream) or message.incomplete_sample:
                wrong.append(f"thread {number}, frame {turn}")
            own.append((stream, message.sample_offset, message.pcm.size, index))
            if turn % 50 == 0:
                try:
                    decoder.decode(bad)
                except rp.DecodeError:
                    continue
                wrong.append("accepted")

    in_threads(work, None)
    for stream in range(3):
        end = 0
        for offset, size in sorted((offset, size) for own in heard for at, offset, size, _ in own if at == stream):
            if offset != end:
                wrong.append(f"stream {stream}: offset {offset}, the samples before end at {end}")
                break
            end = offset + size
    sent = Counter((turn + number) % 3 for number in range(THREADS) for turn in range(frames_a_thread))
    if Counter(at for own in heard for at, *_ in own) != sent:
        wrong.append("messages missing")
    return wrong


def run(frames_a_thread: int) -> int:
    started = time.monotonic()
    differing = own_decoders(frames_a_thread)
    print(
        f"{THREADS} x {frames_a_thread:,} frames, a decoder each, in {time.monotonic() - started:.0f} s: {differing} differences"
    )
    started = time.monotonic()
    wrong = shared_decoder(frames_a_thread)
    print(f"{THREADS} x {frames_a_thread:,} frames, one decoder, in {time.monotonic() - started:.0f} s: {len(wrong)} differences")
    for line in wrong[:5]:
        print("  ", line)
    return 1 if differing or wrong else 0
