"""Every frame of recorded sessions, in order through one decoder a file, against the oracle.

The packaged sample always runs; the captures of real servers do where the shared test data is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

import realtime_pcm as rp
from realtime_pcm import sample
from support import oracle
from support.shared import captures

CAPTURES = [sample.path(), *captures()]
PLACEHOLDER = "Base64EncodedAudioDelta"


def frames_of(path: Path) -> list[bytes]:
    lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    if path.name == "serializer_shapes.jsonl":
        return [json.loads(line)["frame"].encode() for line in lines]
    return lines


def check_fields(message: rp.messages.ServerMessage, values: dict) -> None:
    """Each declared field equals the JSON's; a view's `raw` stands for the view."""
    name: str
    for name in type(message).__match_args__:
        if name == "pcm" or isinstance(getattr(message, name), bytes):
            continue
        value = getattr(message, name)
        if isinstance(value, rp.objects.View):
            value = value.raw
        elif isinstance(value, list):
            value = [entry.raw if isinstance(entry, rp.objects.View) else entry for entry in value]
        assert value == values.get(name), name
        assert type(value) is type(values.get(name)), name
    assert message.event_id == values.get("event_id")
    assert message.type == values["type"]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("form", [bytes, str, bytearray, memoryview])
def test_capture(path: Path, form: Any, tier: str) -> None:
    decoder = rp.Decoder()
    frames = frames_of(path)
    assert frames
    held: dict[tuple, bytes] = {}
    offsets: dict[tuple, int] = {}
    for frame in frames:
        given = frame.decode() if form is str else form(frame)
        values = orjson.loads(frame)
        if PLACEHOLDER in frame.decode() and values["type"].endswith("audio.delta"):
            with pytest.raises(rp.DecodeError) as caught:
                decoder.decode(given)
            assert caught.value.field == "delta"
            assert caught.value.message_type == values["type"]
            continue
        message = decoder.decode(given)
        assert message.to_dict() == values
        assert isinstance(message, rp.messages.UnknownMessage) == values["type"].startswith(" ")
        check_fields(message, values)
        if values["type"] == "session.created":
            held.clear()
            offsets.clear()
        if isinstance(message, rp.messages.ResponseAudioDelta):
            key = (values.get("response_id"), values.get("item_id"), values.get("content_index"))
            new = oracle.decode(frame).payload
            assert new is not None
            payload = held.pop(key, b"") + new
            whole = len(payload) // 2 * 2
            assert np.array_equal(message.pcm, np.frombuffer(payload[:whole], "<i2"))
            assert message.sample_offset == offsets.get(key, 0)
            assert message.incomplete_sample == b""
            offsets[key] = message.sample_offset + whole // 2
            held[key] = payload[whole:]
            alone = rp.decode(given)
            expected = oracle.decode(frame)
            assert np.array_equal(alone.pcm, expected.pcm)
            assert alone.incomplete_sample == expected.incomplete_sample
            assert alone.sample_offset is None
            assert message.delta == (values.get("delta") or values.get("audio"))
        elif message.type in ("response.output_audio.done", "response.audio.done"):
            key = (values.get("response_id"), values.get("item_id"), values.get("content_index"))
            assert message.incomplete_sample == held.pop(key, b"")
