"""The catalogues of Twilio and of Gemini Live: frames as the two send them, and what follows from their roles."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.conversation import ConversationState
from realtime_pcm.sockets import gemini, twilio

MULAW = bytes(range(160))
PCM = np.arange(-480, 480, dtype="<i2")


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


# ---- Twilio

START = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"name": "Ada"},
    },
    "streamSid": "MZ1",
}


def media(track: str, number: int) -> bytes:
    fields = {"track": track, "chunk": str(number), "timestamp": str(20 * number), "payload": b64(MULAW)}
    return json.dumps({"event": "media", "sequenceNumber": str(number), "media": fields, "streamSid": "MZ1"}).encode()


def test_a_call_of_twilio() -> None:
    phone = rp.Decoder(catalogue=twilio)
    assert isinstance(phone.decode(b'{"event":"connected","protocol":"Call","version":"1.0.0"}'), twilio.Connected)
    start = phone.decode(json.dumps(START))
    assert isinstance(start, twilio.Start)
    assert (start.stream_sid, start.call_sid, start.tracks) == ("MZ1", "CA1", ["inbound"])
    assert (start.encoding, start.sample_rate, start.channels) == ("audio/x-mulaw", 8000, 1)
    assert start.custom_parameters == {"name": "Ada"}
    assert start.session == START["start"]
    assert phone.audio_format == phone.input_audio_format == rp.AudioFormat("g711_ulaw", 8000)
    expected = rp.decode(json.dumps({"type": "response.output_audio.delta", "delta": b64(MULAW)}), audio_format="g711_ulaw").pcm
    for number in (0, 1):
        for track in ("inbound", "outbound"):
            heard = phone.decode(media(track, number))
            assert isinstance(heard, twilio.Media)
            assert np.array_equal(heard.pcm, expected)
            assert (heard.track, heard.timestamp, heard.sample_offset) == (track, str(20 * number), 160 * number)
    mark = phone.decode(b'{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"m1"}}')
    assert isinstance(mark, twilio.Mark)
    assert mark.name == "m1"
    key = phone.decode(b'{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"#"}}')
    assert isinstance(key, twilio.Dtmf)
    assert key.digit == "#"
    assert isinstance(phone.decode(b'{"event":"stop","streamSid":"MZ1","stop":{"callSid":"CA1"}}'), twilio.Stop)
    assert isinstance(phone.decode(b'{"event":"later"}'), twilio.UnknownServerMessage)


def test_what_is_sent_to_twilio_has_the_format_of_the_call() -> None:
    phone = rp.Decoder(catalogue=twilio)
    phone.decode(json.dumps(START))
    ours = rp.Decoder(catalogue=twilio, side="client", session=phone.session)
    sent = ours.decode(json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": b64(MULAW)}}))
    assert isinstance(sent, twilio.SendMedia)
    assert sent.audio_format == rp.AudioFormat("g711_ulaw", 8000)
    mark = ours.decode(b'{"event":"mark","streamSid":"MZ1","mark":{"name":"m1"}}')
    assert isinstance(mark, twilio.SendMark)
    assert mark.name == "m1"
    assert isinstance(ours.decode(b'{"event":"clear","streamSid":"MZ1"}'), twilio.Clear)


# ---- Gemini


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def speech(mime: str | None = "audio/pcm;rate=24000", raw: bytes = PCM.tobytes()) -> dict[str, Any]:
    blob = {"data": b64(raw)} if mime is None else {"mimeType": mime, "data": b64(raw)}
    return content(modelTurn={"parts": [{"inlineData": blob}]})


@pytest.mark.parametrize(
    ("mime", "rate"),
    [("audio/pcm;rate=24000", 24_000), ("audio/pcm; rate=16000", 16_000), ("audio/pcm", 24_000), (None, 24_000)],
)
def test_speech_of_gemini_has_the_rate_of_its_type(mime: str | None, rate: int) -> None:
    frame = json.dumps(speech(mime))
    for form in (frame, frame.encode(), json.dumps(speech(mime), indent=2).encode()):
        message = rp.decode(form, catalogue=gemini)
        assert isinstance(message, gemini.ServerContent)
        assert np.array_equal(message.pcm, PCM)
        assert message.audio_format == rp.AudioFormat("pcm16", rate)
        assert message.extra == {}


def test_a_turn_of_gemini_and_what_its_fields_mean() -> None:
    decoder = rp.Decoder(catalogue=gemini)
    state = ConversationState()
    frames = [
        {"setupComplete": {"sessionId": "s1"}},
        content(inputTranscription={"text": "Who is there?"}),
        speech(),
        content(outputTranscription={"text": "It is"}) | {"usageMetadata": {"totalTokenCount": 7}},
        speech(),
        content(generationComplete=True),
        content(turnComplete=True) | {"usageMetadata": {"totalTokenCount": 9}},
        speech(),
        content(interrupted=True),
        speech(),
    ]
    messages = [decoder.decode(json.dumps(frame)) for frame in frames]
    for message in messages:
        state.follow(message)
    assert messages[0].session_id == "s1"
    offsets = [message.sample_offset for message in messages if isinstance(message, gemini.ServerContent) and message.pcm.size]
    assert offsets == [0, 960, 0, 0]
    assert messages[3].usage_metadata == {"totalTokenCount": 7}
    assert [item.text for item in state.items][:2] == ["Who is there?", "It is"]


def test_other_messages_of_gemini() -> None:
    call = rp.decode('{"toolCall":{"functionCalls":[{"id":"1","name":"weather","args":{"city":"Rome"}}]}}', catalogue=gemini)
    assert isinstance(call, gemini.ToolCall)
    assert call.function_calls == [{"id": "1", "name": "weather", "args": {"city": "Rome"}}]
    thought = rp.decode('{"serverContent":{"modelTurn":{"parts":[{"text":"Hm","thought":true}]}}}', catalogue=gemini)
    assert isinstance(thought, gemini.ServerContent)
    assert (thought.text, thought.thought) == ("Hm", True)
    away = rp.decode('{"goAway":{"timeLeft":"10s"}}', catalogue=gemini)
    assert isinstance(away, gemini.GoAway)
    assert away.time_left == "10s"
    assert isinstance(rp.decode('{"usageMetadata":{"totalTokenCount":7}}', catalogue=gemini), gemini.UsageMetadata)
    later = rp.decode('{"somethingNew":{"a":1}}', catalogue=gemini)
    assert isinstance(later, gemini.UnknownServerMessage)
    assert later.extra == {"somethingNew": {"a": 1}}


@pytest.mark.parametrize("key", ["realtimeInput", "realtime_input"])
def test_what_a_client_of_gemini_sends_may_be_url_safe(key: str) -> None:
    raw = bytes((251, 255, 190, 255, 254, 255))
    plain, other = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    assert plain != other
    for text in (plain, other):
        frame = json.dumps({key: {"audio": {"data": text, "mimeType": "audio/pcm;rate=16000"}}})
        message = rp.decode(frame, catalogue=gemini, side="client")
        assert isinstance(message, gemini.RealtimeInput)
        assert message.pcm.tobytes() == raw
        assert message.audio_format.rate == 16_000
        assert message.delta == text
    with pytest.raises(rp.DecodeError, match="not base64 at byte") as caught:
        rp.decode(json.dumps({key: {"audio": {"data": other[:-1] + "*"}}}), catalogue=gemini, side="client")
    assert caught.value.frame[caught.value.position] == "*"
    with pytest.raises(rp.DecodeError, match="url-safe base64 letter"):
        rp.decode(json.dumps({"event": "media", "media": {"payload": other}}), catalogue=twilio)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pcm_16000", ("pcm16", 16_000)),
        ("PCM_22050", ("pcm16", 22_050)),
        ("ulaw_8000", ("g711_ulaw", 8000)),
        ("audio/pcm;rate=16000", ("pcm16", 16_000)),
        ("audio/x-mulaw", ("g711_ulaw", 8000)),
        ("PCMU", ("g711_ulaw", 8000)),
        ("PCMA", ("g711_alaw", 8000)),
        ("L16", ("pcm16", 24_000)),
        ("audio/x-l16", ("pcm16", 24_000)),
        ("linear16", ("pcm16", 24_000)),
        ("audio/lpcm", ("pcm16", 24_000)),
        ("pcm_s16le_24000", ("pcm16", 24_000)),
        ("mp3_44100", ("mp3_44100", 24_000)),
        ("pcm_0", ("pcm_0", 24_000)),
        ("pcm_", ("pcm_", 24_000)),
        ("pcm_1234567", ("pcm_1234567", 24_000)),
        ("audio/pcm;rate=", ("audio/pcm;rate=", 24_000)),
        ("audio/pcm;bits=16", ("audio/pcm;bits=16", 24_000)),
        ("audio/opus;rate=48000", ("audio/opus;rate=48000", 24_000)),
    ],
)
def test_names_of_formats_that_hold_a_rate(name: str, expected: tuple[str, int]) -> None:
    decoder = rp.Decoder()
    decoder.decode(json.dumps({"type": "session.created", "session": {"output_audio_format": name}}))
    assert decoder.audio_format == rp.AudioFormat(*expected)


def test_url_safe_letters_in_one_of_several_payloads() -> None:
    """google-genai writes them; a frame may have its payload under both spellings of the key."""
    raw = b"\xfb\xff\xfe\xff"
    one, other = base64.urlsafe_b64encode(raw).decode(), base64.b64encode(raw).decode()
    assert "-" in one or "_" in one
    inner = [{"audio": {"data": text, "mimeType": "audio/pcm;rate=16000"}} for text in (one, other)]
    decoder = rp.Decoder(catalogue=gemini, side="client")
    message: Any = decoder.decode(json.dumps({"realtimeInput": inner[0], "realtime_input": inner[1]}))
    assert message.pcm.tobytes() == raw * 2
    frame = json.dumps(
        {"realtimeInput": inner[1], "realtime_input": {"audio": {"data": one[:-1] + "*", "mimeType": "audio/pcm;rate=16000"}}}
    )
    with pytest.raises(rp.DecodeError, match="base64") as caught:
        decoder.decode(frame)
    assert frame[caught.value.position] == "*"
