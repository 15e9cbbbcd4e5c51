"""Conversations of two sides through two decoders that share a session, against an oracle for each side.

An oracle hears both sides and knows of one what it must decode to. It reads frames with orjson and pybase64, and shares
nothing with ours or with the other oracle.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pybase64
import pytest

import realtime_pcm as rp
from hardening.reference import samples
from realtime_pcm import AudioFormat

# Names of formats, and what they stand for.
FLAT = {"pcm16": ("pcm16", 24000), "g711_ulaw": ("g711_ulaw", 8000), "g711_alaw": ("g711_alaw", 8000)}
NESTED = {
    '{"type":"audio/pcm","rate":16000}': ("pcm16", 16000),
    '{"type":"audio/pcm","rate":24000}': ("pcm16", 24000),
    '{"type":"audio/pcmu"}': ("g711_ulaw", 8000),
    '{"type":"audio/pcma"}': ("g711_alaw", 8000),
}
PCM16 = ("pcm16", 24000)
APPENDS = ("input_audio_buffer.append", "session.input_audio.append")
ENDS = ("input_audio_buffer.commit", "input_audio_buffer.clear", "session.close")
DELTAS = ("response.output_audio.delta", "response.audio.delta")


def named(holder: Any, side: str) -> tuple[str, int] | None:
    """The format that a session or a response names for its input or output."""
    inner = holder.get("audio", {}).get(side, {}).get("format")
    if inner is not None:
        return NESTED[json.dumps(inner, separators=(",", ":"))]
    return FLAT.get(holder.get(f"{side}_audio_format"))


class Streams:
    """The byte that waits and the samples so far, by key, those that spoke last at the end; and the bytes that no sample got."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.open: dict[Any, tuple[bytes, int]] = {}
        self.lost = 0

    def take(self, key: Any, payload: bytes, audio_format: tuple[str, int]) -> tuple[np.ndarray, int]:
        """The samples of a delta, and the index of the first one."""
        carry, offset = self.open.pop(key, (b"", 0))
        if audio_format[0] != "pcm16" and carry:
            self.lost += 1
            carry = b""
        pcm, rest = samples(carry + payload, audio_format[0], self.dtype)
        self.open[key] = (rest, offset + pcm.size)
        return pcm, offset

    def end(self, *keys: Any) -> bytes:
        return b"".join(self.open.pop(key, (b"", 0))[0] for key in keys)

    def done(self, key: Any) -> bytes:
        """The done of a stream, whose key ends with its item: later audio of that item goes on where the stream stood."""
        carry, offset = self.open.pop(key, (b"", 0))
        if key[-1] is not None:
            self.open[key] = (b"", offset)
        return carry

    def forget(self) -> None:
        self.lost += sum(len(carry) for carry, _ in self.open.values())
        self.open.clear()


class ServerOracle:
    """What the frames of the server decode to."""

    def __init__(self, dtype: str) -> None:
        self.streams = Streams(dtype)
        self.output = self.input = PCM16
        self.of_response: dict[str, tuple[str, int]] = {}
        self.server_spoke = False

    def hear_client(self, event: dict[str, Any]) -> None:
        if event["type"] == "session.update":
            self.input = named(event["session"], "input") or self.input
            if not self.server_spoke:
                self.output = named(event["session"], "output") or self.output

    def hear_server(self, event: dict[str, Any]) -> tuple[Any, ...] | None:
        """(samples, offset, format) of audio, (bytes left,) of an end, else None."""
        wire = event["type"]
        if wire in ("session.created", "session.updated"):
            if wire == "session.created":
                self.streams.forget()
                self.of_response.clear()
                self.output = self.input = PCM16
            self.output = named(event["session"], "output") or self.output
            self.input = named(event["session"], "input") or self.input
            self.server_spoke = True
        elif wire == "response.created":
            self.server_spoke = True
            own = named(event["response"], "output")
            if own is not None:
                self.of_response[event["response"]["id"]] = own
        elif wire == "response.done":
            self.server_spoke = True
            own = named(event["response"], "output")
            ended = event["response"].get("id")
            if own is not None and ended is not None:
                self.of_response[ended] = own
            return (self.streams.end(*[key for key in self.streams.open if key[0] == "output" and key[1] == ended]),)
        elif wire in DELTAS:
            audio_format = self.of_response.get(event.get("response_id"), self.output)
            key = ("output", event.get("response_id"), event.get("item_id"))
            return (*self.streams.take(key, pybase64.b64decode(event["delta"], validate=True), audio_format), audio_format)
        elif wire == "response.output_audio.done":
            return (self.streams.done(("output", event.get("response_id"), event.get("item_id"))),)
        elif wire == "session.input_audio.append":
            key = ("heard", None, None)
            return (*self.streams.take(key, pybase64.b64decode(event["audio"], validate=True), self.input), self.input)
        return None


class ClientOracle:
    """What the frames of the client decode to."""

    def __init__(self, dtype: str) -> None:
        self.streams = Streams(dtype)
        self.format = PCM16

    def hear_server(self, event: dict[str, Any]) -> None:
        if event["type"] == "session.created":
            self.streams.forget()
            self.format = PCM16
        if event["type"] in ("session.created", "session.updated"):
            self.format = named(event["session"], "input") or self.format

    def hear_client(self, event: dict[str, Any]) -> tuple[Any, ...] | None:
        if event["type"] == "session.update":
            self.format = named(event["session"], "input") or self.format
        elif event["type"] in APPENDS:
            payload = pybase64.b64decode(event["audio"], validate=True)
            return (*self.streams.take("speech", payload, self.format), self.format)
        elif event["type"] in ENDS:
            return (self.streams.end("speech"),)
        return None


# ---- conversations


def formats(rng: random.Random) -> dict[str, Any]:
    """A session or a response that names its formats, or some, or none."""
    made: dict[str, Any] = {}
    for side in ("input", "output"):
        way = rng.randrange(4)
        if way == 0:
            made[f"{side}_audio_format"] = rng.choice(list(FLAT))
        elif way == 1:
            made.setdefault("audio", {})[side] = {"format": json.loads(rng.choice(list(NESTED)))}
    return made


def piece(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(rng.choice((0, 1, 2, 3, 7, 64, 959, 960)))).decode()


def of_client(rng: random.Random) -> dict[str, Any]:
    match rng.randrange(10):
        case 0:
            return {"type": "session.update", "session": formats(rng)}
        case 1:
            return {"type": rng.choice(ENDS)}
        case 2:
            return {"type": rng.choice(("response.create", "response.cancel", "private.nothing"))}
        case _:
            return {"type": rng.choice(APPENDS), "audio": piece(rng)}


def of_server(rng: random.Random) -> dict[str, Any]:
    ids = {"response_id": f"r{rng.randrange(2)}", "item_id": f"i{rng.randrange(2)}"} if rng.random() < 0.8 else {}
    match rng.randrange(12):
        case 0:
            return {"type": rng.choice(("session.created", "session.updated", "session.updated")), "session": formats(rng)}
        case 1:
            return {"type": "response.created", "response": {"id": f"r{rng.randrange(2)}", **formats(rng)}}
        case 2:
            return {"type": "response.done", "response": {"id": f"r{rng.randrange(2)}"} if rng.random() < 0.7 else {}}
        case 3:
            return {"type": "response.output_audio.done", **ids}
        case 4 | 5:
            return {"type": "session.input_audio.append", "audio": piece(rng)}
        case 6:
            return {"type": "response.output_audio_transcript.delta", **ids, "delta": "Grüß"}
        case _:
            return {"type": rng.choice(DELTAS), **ids, "delta": piece(rng)}


def written(event: dict[str, Any], rng: random.Random) -> bytes | str:
    """As one of many serialisers would: any order of keys, spaces or none, slashes escaped or not, bytes or str."""
    keys = list(event)
    if rng.random() < 0.5:
        rng.shuffle(keys)
    text = json.dumps({key: event[key] for key in keys}, separators=rng.choice(((",", ":"), (", ", ": "))))
    if rng.random() < 0.2:
        text = text.replace("/", "\\/")
    return text if rng.random() < 0.3 else text.encode()


def conversation(rng: random.Random, length: int) -> Iterator[tuple[str, bytes | str]]:
    for _ in range(length):
        side = rng.choice(("server", "client"))
        yield side, written(of_server(rng) if side == "server" else of_client(rng), rng)


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8"])
@pytest.mark.parametrize("seed", range(4))
def test_two_decoders_of_one_session(seed: int, dtype: str, tier: str) -> None:
    rng = random.Random(f"{seed} {dtype} {tier}")
    server = rp.Decoder(dtype=dtype)
    decoders = {"server": server, "client": rp.Decoder(dtype=dtype, side="client", session=server.session)}
    oracles = {"server": ServerOracle(dtype), "client": ClientOracle(dtype)}
    seen = {"audio": 0, "ends": 0}
    for side, frame in conversation(rng, 400):
        event = orjson.loads(frame)
        message = decoders[side].decode(frame)
        expected = {name: getattr(oracle, f"hear_{side}")(event) for name, oracle in oracles.items()}[side]
        assert message.to_dict() == event
        if expected is None:
            assert not hasattr(message, "incomplete_sample"), event
        elif len(expected) == 1:
            seen["ends"] += 1
            assert message.incomplete_sample == expected[0], event
        else:
            pcm, offset, audio_format = expected
            seen["audio"] += 1
            assert message.audio_format == AudioFormat(*audio_format), event
            assert (message.sample_offset, message.incomplete_sample) == (offset, b""), event
            assert message.pcm.dtype == pcm.dtype and np.array_equal(message.pcm, pcm), event
        assert decoders["client"].input_audio_format == AudioFormat(*oracles["client"].format)
        assert decoders["server"].audio_format == AudioFormat(*oracles["server"].output)
    assert server.evicted_bytes == sum(oracle.streams.lost for oracle in oracles.values())
    assert seen["audio"] > 200 and seen["ends"] > 20
