"""Streams of PCM cut into deltas at random bytes, interleaved, ended, cancelled and evicted: the samples are exact.

A quarter each for int16, float32, uint8 and bytes. REALTIME_PCM_SPLITTINGS=100000 cuts that many streams for each tier; by
default they are 1,000, and 5,000 among the slow tests.
"""

from __future__ import annotations

import base64
import json
import os
import random
from dataclasses import dataclass, field

import numpy as np
import pytest

import realtime_pcm as rp

SPLITTINGS = int(os.environ.get("REALTIME_PCM_SPLITTINGS", "1000"))
MANY = 5000
MAX_STREAMS = 1024
AUDIO = ("response.output_audio.delta", "response.audio.delta")
ENDS = ("response.output_audio.done", "response.audio.done")


@dataclass
class Open:
    """One stream as it should stand: what was sent of it, and how much of that was given."""

    sent: bytearray = field(default_factory=bytearray)
    given: int = 0
    samples: int = 0
    done: bool = False


class Model:
    """What a decoder should know, in the plainest way: whole streams as bytes, the oldest first."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.streams: dict[tuple, Open] = {}
        self.evicted = 0

    def left(self, stream: Open) -> bytes:
        return bytes(stream.sent[stream.given :])

    def find(self, key: tuple) -> tuple | None:
        """The key of the stream that a frame with this key belongs to: its own, else the one of its item that spoke last, unless
        that one is done."""
        if key in self.streams:
            return key
        last = next((known for known in reversed(self.streams) if known[:2] == key[:2]), None)
        return None if last is None or self.streams[last].done else last

    def delta(self, key: tuple, raw: bytes) -> tuple[int, bytes]:
        """The offset of a delta's first sample, and the bytes of its samples."""
        found = self.find(key)
        if found is None:
            if len(self.streams) == MAX_STREAMS:
                self.evicted += len(self.left(self.streams.pop(next(iter(self.streams)))))
            self.streams[found := key] = Open()
        # Who speaks goes last: the first is the one that has not spoken for longest.
        stream = self.streams[found] = self.streams.pop(found)
        stream.done = False
        stream.sent += raw
        start, offset = stream.given, stream.samples
        stream.given = start + (len(stream.sent) - start) // self.width * self.width
        stream.samples += (stream.given - start) // self.width
        return offset, bytes(stream.sent[start : stream.given])

    def end(self, key: tuple) -> bytes:
        """The done of a stream: that of an item stays, without its byte."""
        found = self.find(key)
        if found is None:
            return b""
        stream = self.streams[found]
        left = self.left(stream)
        if found[1] is None:
            del self.streams[found]
        else:
            stream.given, stream.done = len(stream.sent), True
        return left

    def cancel(self, response_id: str | None) -> bytes:
        ended = [key for key in self.streams if key[0] == response_id]
        return b"".join(self.left(self.streams.pop(key)) for key in ended)


def ids_of(key: tuple, rng: random.Random) -> dict:
    """The ids as a server may write them: what is None is absent, null or empty, and a number has any spelling."""
    ids: dict = dict(zip(("response_id", "item_id", "content_index"), key, strict=True))
    if ids["content_index"] is not None and rng.random() < 0.2:
        ids["content_index"] = rng.choice([float(key[2]), str(key[2])])
    nothing = rng.choice([None, ""])
    return {name: nothing if value is None else value for name, value in ids.items() if value is not None or rng.random() < 0.2}


def write(values: dict, rng: random.Random) -> bytes:
    members = list(values.items())
    style = rng.random()
    if style < 0.3:
        rng.shuffle(members)
    elif style < 0.5:
        members.append(members.pop(0))  # type last
    frame = json.dumps(dict(members), separators=(", ", ": ") if rng.random() < 0.2 else (",", ":"))
    if rng.random() < 0.1:
        frame = frame.replace("/", "\\/")
    return frame.encode()


def cut(raw: bytes, rng: random.Random) -> list[bytes]:
    """Any cut into deltas, empty ones among them."""
    places = sorted(rng.randint(0, len(raw)) for _ in range(rng.randint(0, 6)))
    return [raw[start:end] for start, end in zip([0, *places], [*places, len(raw)], strict=True)]


def keys_of(case: int, rng: random.Random) -> list[tuple]:
    """Keys of up to five streams that differ in one id, or lack some; two cases in three have a response of their own."""
    response = f"resp_{case}" if rng.random() < 0.65 else rng.choice([None, "r", "s"])
    pool = [
        (response, f"item_{case}", 0),
        (response, f"item_{case}", 1),
        (response, f"item_{case}", None),
        (response, "i", 0),
        (response, None, None),
        (f"other_{case}", f"item_{case}", 0),
        (None, None, None),
        (None, f"item_{case}", None),
        (response, f"item_{case}", 2),
        (response, None, 0),
    ]
    return rng.sample(list(dict.fromkeys(pool)), rng.randint(1, 5))


@pytest.mark.parametrize("splittings", [SPLITTINGS, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8", "bytes"])
def test_random_splittings(dtype: str, splittings: int, tier: str) -> None:
    rng = random.Random(f"{dtype} {tier}")
    width = 1 if dtype == "uint8" else 2
    decoder, model = rp.Decoder(dtype=dtype), Model(width)
    out = None if dtype == "bytes" else np.zeros(4000, dtype)
    count = {"splittings": 0, "cancelled": 0, "left over": 0, "refused": 0, "sessions": 0}
    # A crowd that nobody ends, so that the oldest soon have to go.
    for number in range(MAX_STREAMS - 50):
        key, raw = ("crowd", f"item_{number}", None), rng.randbytes(rng.randint(0, 3))
        decoder.decode(write({"type": AUDIO[0], **ids_of(key, rng), "delta": base64.b64encode(raw).decode()}, rng))
        model.delta(key, raw)
    case = 0
    while count["splittings"] < max(1, splittings // 4):
        case += 1
        waiting = []
        for key in keys_of(case, rng):
            size = rng.choice([rng.randint(0, 9), rng.randint(0, 300), rng.randint(0, 3000)])
            waiting.append((key, cut(rng.randbytes(size), rng)))
            count["splittings"] += 1
        while waiting:
            place = rng.randrange(len(waiting))
            key, parts = waiting[place]
            if rng.random() < 0.04:
                bad = write({"type": rng.choice(AUDIO), **ids_of(key, rng), "delta": "AAAA" * rng.randint(0, 9) + "A*=="}, rng)
                with pytest.raises(rp.DecodeError):
                    decoder.decode(bad)
                count["refused"] += 1
            if not parts:
                waiting.pop(place)
                # Four of ten are never ended: sooner or later the oldest of them go.
                if rng.random() < 0.6:
                    end = decoder.decode(write({"type": rng.choice(ENDS), **ids_of(key, rng)}, rng))
                    expected = model.end(key)
                    assert end.incomplete_sample == expected
                    count["left over"] += len(expected)
                continue
            raw = parts.pop(0)
            values = {"type": rng.choice(AUDIO), **ids_of(key, rng), "delta": base64.b64encode(raw).decode()}
            message = decoder.decode(write(values, rng), out if rng.random() < 0.1 else None)
            offset, samples = model.delta(key, raw)
            assert message.sample_offset == offset
            assert message.incomplete_sample == b""
            if dtype == "float32":
                assert np.array_equal(message.pcm, np.frombuffer(samples, "<i2") / np.float32(32768))
            elif dtype == "bytes":
                assert type(message.pcm) is bytes and message.pcm == samples
            else:
                assert message.pcm.astype(message.pcm.dtype.newbyteorder("<")).tobytes() == samples
            if rng.random() < 0.02:
                response_id = key[0]
                response = {"status": "cancelled"} if response_id is None else {"id": response_id, "status": "cancelled"}
                end = decoder.decode(write({"type": "response.done", "response": response}, rng))
                expected = model.cancel(response_id)
                assert end.incomplete_sample == expected
                count["cancelled"] += 1
                count["left over"] += len(expected)
        assert decoder.evicted_bytes == model.evicted
        if rng.random() < 1 / max(MANY, splittings):
            decoder.decode(b'{"type":"session.created","session":{}}')
            model.evicted += sum(len(model.left(stream)) for stream in model.streams.values())
            model.streams.clear()
            count["sessions"] += 1
    if splittings >= MANY:
        assert count["cancelled"] and count["refused"] and ((count["left over"] and model.evicted) or width == 1)
    # What is still open ends as it stands.
    for key in list(model.streams):
        assert decoder.decode(write({"type": ENDS[0], **ids_of(key, rng)}, rng)).incomplete_sample == model.end(key)
