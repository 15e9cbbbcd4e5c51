"""`dtype="bytes"`: the samples of dtype="int16", as little-endian bytes."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, messages
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from support.session_frames import RAW, b64, delta, dumps, session

FORMATS = ["pcm16", "g711_ulaw", "g711_alaw"]


def both(frames: list[bytes], **options: Any) -> list[tuple[Any, Any]]:
    """The messages of one session by two decoders: int16 and bytes."""
    arrays, texts = rp.Decoder(**options), rp.Decoder(dtype="bytes", **options)
    return [(arrays.decode(frame), texts.decode(frame)) for frame in frames]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 48, 49, 960, 12_001, 300_000])
def test_the_samples_are_those_of_int16(name: str, size: int, tier: str) -> None:
    raw = np.random.default_rng(size).bytes(size)
    ids = {"response_id": "r", "item_id": "i", "content_index": 0}
    last = json.dumps({"delta": b64(raw), **ids, "type": "response.audio.delta"}).encode()
    escaped = dumps(type="response.output_audio.delta", **ids, delta="@").replace(b"@", b64(raw).replace("A", "\\u0041").encode())
    frames = [session(output_audio_format=name), delta(raw, **ids), delta(raw, **ids), last, escaped, delta(raw, **ids)]
    for array, text in both(frames)[1:]:
        assert type(text.pcm) is bytes
        assert text.pcm == array.pcm.astype("<i2").tobytes()
        assert (text.sample_offset, text.audio_format, text.incomplete_sample) == (
            array.sample_offset,
            array.audio_format,
            array.incomplete_sample,
        )
        assert text.pcm_format == array.pcm_format
    stateless = rp.decode(frames[1], dtype="bytes", audio_format=name)
    expected = rp.decode(frames[1], audio_format=name)
    assert isinstance(stateless, messages.ResponseAudioDelta) and isinstance(expected, messages.ResponseAudioDelta)
    assert stateless.pcm == expected.pcm.astype("<i2").tobytes()
    assert stateless.incomplete_sample == expected.incomplete_sample


@pytest.mark.parametrize("dtype", ["bytes", bytes])
def test_no_payload_is_no_bytes(dtype: Any) -> None:
    decoder = rp.Decoder(dtype=dtype)
    for frame in (b'{"type":"response.audio.delta"}', b'{"type":"response.audio.delta","delta":null}', delta(b"")):
        assert decoder.decode(frame).pcm == b""
    assert repr(decoder).startswith("Decoder(dtype='bytes'")


@pytest.mark.parametrize("payload", ['"AAA"', '"AA*A"', '"AAB="', "5", '"T2dnUwAAAAAA"'])
def test_refusals_are_those_of_int16(payload: str) -> None:
    frame = b'{"type":"response.audio.delta","delta":' + payload.encode() + b"}"
    faults = []
    for dtype in ("int16", "bytes"):
        with pytest.raises(rp.DecodeError) as caught:
            rp.Decoder(dtype=dtype).decode(frame)
        faults.append((caught.value.reason, caught.value.position, caught.value.field))
    assert faults[0] == faults[1]


def test_other_formats_are_refused() -> None:
    decoder = rp.Decoder(dtype="bytes")
    decoder.decode(session(output_audio_format="opus"))
    with pytest.raises(rp.DecodeError, match='dtype="uint8" gives its bytes'):
        decoder.decode(delta())
    with pytest.raises(ValueError, match=r"neither PCM nor G\.711"):
        rp.Decoder(dtype="bytes", audio_format="mp3")


def test_out_is_a_type_error_and_changes_nothing() -> None:
    decoder = rp.Decoder(dtype="bytes")
    decoder.decode(delta(RAW[:3], item_id="i"))
    for out in (np.zeros(100, np.int16), np.zeros(100, np.uint8), bytearray(100)):
        with pytest.raises(TypeError, match=r'dtype="bytes" makes new bytes'):
            decoder.decode(delta(RAW[3:], item_id="i"), out)
        assert not any(out)
    message = decoder.decode(delta(RAW[3:], item_id="i"))
    assert (message.sample_offset, message.pcm) == (1, RAW[2:])


def test_copies_pickles_and_equality() -> None:
    message = rp.Decoder(dtype="bytes").decode(delta(item_id="i"))
    assert repr(message).count("pcm=bytes[") == 1 and "ms" in repr(message)
    for other in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert other == message and other.pcm == RAW and type(other.pcm) is bytes
        assert (other.sample_offset, other.audio_format) == (0, AudioFormat("pcm16", 24_000))
    assert message != rp.Decoder().decode(delta(item_id="i"))
    assert rp.Decoder().decode(delta(item_id="i")) != message
    assert message != rp.Decoder(dtype="bytes", audio_format="g711_ulaw").decode(delta(item_id="i"))


def test_the_length_in_a_repr_is_that_of_the_audio() -> None:
    for name, raw in (("pcm16", bytes(4_800)), ("g711_ulaw", bytes(800))):
        message = rp.decode(delta(raw), dtype="bytes", audio_format=name)
        assert "100 ms" in repr(message)


def test_a_player_and_a_tracker_take_bytes() -> None:
    player, decoder = PlaybackBuffer(24_000), rp.Decoder(dtype="bytes")
    message = decoder.decode(delta(item_id="i", response_id="r"))
    assert player.write(message) == len(RAW) // 2
    out = np.zeros(len(RAW) // 2, np.int16)
    assert player.read(out) == out.size and out.astype("<i2").tobytes() == RAW
    tracker = PlaybackTracker()
    assert tracker.acknowledge(tracker.sent(message) or "")


def test_only_leaves_out_as_with_int16() -> None:
    frames = [delta(RAW[:5], item_id="i"), delta(RAW[5:], item_id="i"), b'{"type":"response.audio.done","item_id":"i"}']
    assert all(pair == (None, None) for pair in both(frames, only=["error"]))
    shared = rp.Decoder(dtype="bytes", only=["error"])
    follower = rp.Decoder(dtype="bytes", session=shared.session)
    assert shared.decode(frames[0]) is None
    assert follower.decode(frames[1]).pcm == RAW[4:]
