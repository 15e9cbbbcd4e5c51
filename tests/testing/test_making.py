"""make: a message is what a decoder makes of its frame."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm._core import RealtimeMessage
from realtime_pcm.playback import PlaybackBuffer
from realtime_pcm.testing import make

PCM = np.array([1, -1, 256, -32768], np.int16)


def test_a_message_with_audio() -> None:
    message = make(messages.ResponseAudioDelta, pcm=PCM, item_id="x", content_index=0)
    assert type(message) is messages.ResponseAudioDelta
    assert (message.type, message.item_id, message.content_index) == ("response.output_audio.delta", "x", 0)
    assert np.array_equal(message.pcm, PCM) and message.audio_format == rp.AudioFormat("pcm16", 24_000)
    assert message.sample_offset is None and message.event_id is None
    assert message == rp.decode(message.frame)
    assert json.loads(message.frame) == {
        "type": "response.output_audio.delta",
        "delta": "AQD//wABAIA=",
        "item_id": "x",
        "content_index": 0,
    }


@pytest.mark.parametrize("encoding", ["g711_ulaw", "g711_alaw"])
def test_the_format_is_that_of_the_payload(encoding: str) -> None:
    codes = bytes(range(256))
    message = make(messages.ResponseAudioDelta, pcm=codes, audio_format=encoding)
    assert message.audio_format == rp.AudioFormat(encoding, 8_000) and message.pcm.dtype == np.int16
    raw = make(messages.ResponseAudioDelta, pcm=codes, audio_format=encoding, dtype="uint8")
    assert raw.pcm.tobytes() == codes
    floats = make(messages.ResponseAudioDelta, pcm=message.pcm, audio_format=encoding, dtype="float32")
    assert np.array_equal(floats.pcm * 32768, message.pcm)


def test_every_message_class_can_be_made() -> None:
    made = 0
    for package in (messages, client_messages):
        for name in package.__all__:
            cls: Any = getattr(package, name)
            if not isinstance(cls, type) or not issubclass(cls, RealtimeMessage) or cls.canonical_type is None:
                continue
            message: Any = make(cls, event_id="event_1")
            assert type(message) is cls and message.type == cls.canonical_type and message.event_id == "event_1"
            made += 1
    assert made > 150


def test_messages_without_audio_and_of_clients() -> None:
    done = make(messages.ResponseDone, response={"id": "r", "status": "cancelled"})
    assert done.response is not None and done.response.status == "cancelled"
    error = make(messages.Error, error={"code": "x", "message": "\u00e9"}, extra={"trace": [1]})
    assert error.error is not None and error.error.message == "\u00e9" and error.extra == {"trace": [1]}
    append = make(client_messages.InputAudioBufferAppend, pcm=PCM)
    assert type(append) is client_messages.InputAudioBufferAppend and np.array_equal(append.pcm, PCM)
    old = make(messages.ResponseAudioDelta, type="response.audio.delta", pcm=PCM)
    assert old.type == "response.audio.delta"


def test_with_a_decoder_messages_follow_one_another() -> None:
    decoder = rp.Decoder()
    make(messages.SessionUpdated, session={"output_audio_format": "g711_ulaw"}, decoder=decoder)
    ids = {"response_id": "r", "item_id": "i", "content_index": 0}
    first = make(messages.ResponseAudioDelta, pcm=PCM, decoder=decoder, **ids)
    second = make(messages.ResponseAudioDelta, pcm=PCM, decoder=decoder, **ids)
    assert (first.sample_offset, second.sample_offset) == (0, 4)
    assert second.audio_format == rp.AudioFormat("g711_ulaw", 8_000)
    player = PlaybackBuffer(rate=8_000)
    assert player.write(first) == player.write(second) == 4


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"message": messages.ResponseAudioDelta, "itemid": "x"}, TypeError, "has no field 'itemid' to give"),
        ({"message": messages.ResponseDone, "pcm": PCM}, TypeError, "ResponseDone has no audio"),
        ({"message": messages.UnknownMessage}, TypeError, "has no wire name"),
        ({"message": messages.ResponseAudioDelta, "type": "response.done"}, ValueError, "no wire name of ResponseAudioDelta"),
        ({"message": messages.ResponseAudioDelta, "type": "hum"}, ValueError, "no wire name of ResponseAudioDelta"),
        ({"message": messages.ResponseAudioDelta, "pcm": PCM.astype(np.int32)}, TypeError, "int16 or float32"),
        ({"message": messages.ResponseAudioDelta, "pcm": PCM, "audio_format": "mp4"}, ValueError, "neither PCM nor G.711"),
        ({"message": messages.ResponseDone, "response": {"temperature": float("nan")}}, ValueError, "JSON"),
        ({"message": messages.ResponseAudioDelta, "decoder": rp.Decoder(), "dtype": "uint8"}, TypeError, "not both"),
        ({"message": messages.ResponseAudioDelta, "extra": {"delta": "*"}}, rp.DecodeError, "not base64"),
    ],
)
def test_what_cannot_be_made(arguments: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        make(**arguments)
    assert says in str(caught.value)
