"""A frame of each wire type as each provider writes it: its class, every field, its audio in the session's format."""

from __future__ import annotations

import keyword
from typing import Any

import orjson
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, messages
from support.provider_frames import FORMATS, SESSIONS, ProviderFrame, formats_of, provider_frames
from support.provider_messages import ENTRIES, plain

FRAMES = list(provider_frames())
PROVIDERS = sorted({frame.provider for frame in FRAMES})
STARTS = ("session.created", "session.started", "session.updated")


def check(message: Any, frame: ProviderFrame, text: str | bytes, raw_payload: bool) -> None:
    values = orjson.loads(text)
    assert type(message).__name__ == frame.class_name and message.type == frame.type
    assert message.event_id == values.get("event_id")
    assert message.to_dict() == values
    # All of it is declared but what Python cannot spell (LocalAI's "from").
    assert message.extra == {key: value for key, value in values.items() if keyword.iskeyword(key)}
    for name in type(message).__match_args__:
        if name == "pcm":
            assert message.delta in (values.get("delta"), values.get("audio")) and message.delta
            if raw_payload:
                assert message.pcm.tobytes() == frame.payload
        elif name == "data" and frame.type == "response.video.delta":
            assert message.data == frame.payload
        else:
            assert plain(getattr(message, name)) == values.get(name), name


def test_every_wire_type_has_a_frame() -> None:
    assert len(ENTRIES) >= 128
    assert {frame.type for frame in FRAMES} == {entry["type"] for entry in ENTRIES}
    assert len(FRAMES) == sum(len(entry["fields"]) for entry in ENTRIES)
    keys = {frame.name: list(orjson.loads(frame.text)) for frame in FRAMES}
    assert keys["openai response.output_audio.delta"] == [
        "type",
        "event_id",
        "response_id",
        "item_id",
        "output_index",
        "content_index",
        "delta",
    ]
    assert keys["voice-live response.audio.delta"][:2] == ["event_id", "type"]
    assert keys["xai response.output_audio.delta"][:6] == [
        "type",
        "event_id",
        "item_id",
        "response_id",
        "delta",
        "content_index",
    ]
    assert keys["localai response.output_audio.delta"][-2:] == ["delta", "type"]
    assert keys["speaches response.audio.delta"] == [
        "content_index",
        "delta",
        "event_id",
        "item_id",
        "output_index",
        "response_id",
        "type",
    ]
    assert keys["xai session.updated"][:3] == ["session", "type", "event_id"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_frame_of_a_provider(provider: str, tier: str) -> None:
    for frame in FRAMES:
        if frame.provider != provider:
            continue
        for text in (frame.text, frame.text.encode()):
            check(rp.decode(text), frame, text, raw_payload=True)
            check(rp.decode(text, dtype="uint8"), frame, text, raw_payload=True)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8"])
def test_a_connection_of_a_provider(provider: str, dtype: str, tier: str) -> None:
    decoder = rp.Decoder(dtype=dtype)
    frames = [frame for frame in FRAMES if frame.provider == provider]
    frames.sort(key=lambda frame: STARTS.index(frame.type) if frame.type in STARTS else len(STARTS))
    audio = 0
    for frame in frames:
        message = decoder.decode(frame.text.encode())
        check(message, frame, frame.text, raw_payload=False)
        assert not isinstance(message, messages.UnknownMessage)
        if isinstance(message, messages.AudioMessage):
            audio += 1
            expected = AudioFormat(*formats_of(provider)[frame.type != "session.input_audio.append"])
            assert message.audio_format == expected
            assert message.sample_offset == 0 or message.response_id is None
            width = 2 if expected.encoding == "pcm16" and dtype != "uint8" else 1
            assert message.pcm.dtype == dtype and message.pcm.size == len(frame.payload) // width
    last = [AudioFormat(*arguments) for arguments in formats_of(provider)]
    assert [decoder.input_audio_format, decoder.audio_format] == last
    assert audio or not {
        "openai",
        "xai",
        "voice-live",
        "dashscope",
        "glm",
        "inworld",
        "localai",
        "speaches",
        "unmute",
    } & {provider}
    assert provider in SESSIONS or provider not in FORMATS
