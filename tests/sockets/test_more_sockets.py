"""The catalogues of Telnyx, Plivo, Exotel, ACS and ElevenLabs, and messages and frames written for any of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.sockets import acs, elevenlabs, exotel, gemini, plivo, telnyx, twilio

RAW = np.arange(-80, 80, dtype="<i2").tobytes()
TEXT = base64.b64encode(RAW).decode()
MODULES = (acs, elevenlabs, exotel, gemini, plivo, telnyx, twilio)


def both(module: Any) -> tuple[rp.Decoder[Any], rp.Decoder[Any]]:
    server = rp.Decoder(catalogue=module)
    return server, rp.Decoder(catalogue=module, side="client", session=server.session)


def test_a_call_of_telnyx() -> None:
    phone, ours = both(telnyx)
    start = {
        "call_control_id": "c1",
        "from": "+1",
        "to": "+2",
        "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
    }
    started = phone.decode(json.dumps({"event": "start", "sequence_number": "1", "stream_id": "s1", "start": start}))
    assert isinstance(started, telnyx.Start)
    assert (started.stream_id, started.caller, started.called, started.encoding) == ("s1", "+1", "+2", "PCMU")
    media = {"track": "inbound", "chunk": "2", "timestamp": "20", "payload": TEXT}
    heard = phone.decode(json.dumps({"event": "media", "sequence_number": "4", "media": media, "stream_id": "s1"}))
    assert isinstance(heard, telnyx.Media)
    assert (heard.track, heard.chunk, heard.pcm.size) == ("inbound", "2", len(RAW))
    assert heard.audio_format == rp.AudioFormat("g711_ulaw", 8000)
    sent = ours.decode(json.dumps({"event": "media", "media": {"payload": TEXT}}))
    assert isinstance(sent, telnyx.SendMedia)
    assert sent.audio_format == rp.AudioFormat("g711_ulaw", 8000)
    failed = phone.decode('{"event":"error","payload":{"code":100003,"title":"malformed_frame"},"stream_id":"s1"}')
    assert isinstance(failed, telnyx.Error)
    assert failed.error == {"code": 100003, "title": "malformed_frame"}
    phone.decode('{"event":"start","stream_id":"s1","start":{"media_format":{"encoding":"G722","sample_rate":8000}}}')
    with pytest.raises(rp.DecodeError, match=r"audio format .G722. is neither PCM nor G\.711"):
        phone.decode(json.dumps({"event": "media", "media": media, "stream_id": "s1"}))


def test_a_call_of_plivo() -> None:
    phone, ours = both(plivo)
    start = {
        "streamId": "s1",
        "callId": "c1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000},
    }
    assert isinstance(phone.decode(json.dumps({"event": "start", "start": start})), plivo.Start)
    heard = phone.decode(json.dumps({"event": "media", "media": {"track": "inbound", "payload": TEXT}, "streamId": "s1"}))
    assert isinstance(heard, plivo.Media)
    assert heard.pcm.tobytes() == RAW
    assert heard.audio_format == rp.AudioFormat("pcm16", 16_000)
    media = {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": TEXT}
    sent = ours.decode(json.dumps({"event": "playAudio", "streamId": "s1", "media": media}))
    assert isinstance(sent, plivo.PlayAudio)
    assert sent.audio_format == rp.AudioFormat("g711_ulaw", 8000)
    assert isinstance(phone.decode('{"event":"playedStream","streamId":"s1","name":"a"}'), plivo.PlayedStream)


@pytest.mark.parametrize(
    ("encoding", "rate", "expected"),
    [("audio/x-raw", "8000", 8_000), ("slin", "24000", 24_000), ("audio/x-l16", 16_000, 16_000), ("raw/slin", None, 8_000)],
)
def test_a_call_of_exotel(encoding: str, rate: object, expected: int) -> None:
    """16-bit PCM, whose rate is a text."""
    phone, ours = both(exotel)
    about = {"encoding": encoding, "sample_rate": rate, "bit_rate": "16"}
    start = {"stream_sid": "MZ1", "call_sid": "CA1", "from": "+91", "to": "+92", "media_format": about}
    started = phone.decode(json.dumps({"event": "start", "sequence_number": "1", "stream_sid": "MZ1", "start": start}))
    assert isinstance(started, exotel.Start)
    assert (started.stream_sid, started.call_sid, started.caller, started.called) == ("MZ1", "CA1", "+91", "+92")
    assert phone.audio_format == phone.input_audio_format == rp.AudioFormat("pcm16", expected)
    media = {"chunk": "2", "timestamp": "200", "payload": TEXT}
    for offset in (0, 160):
        heard = phone.decode(json.dumps({"event": "media", "sequence_number": "3", "stream_sid": "MZ1", "media": media}))
        assert isinstance(heard, exotel.Media)
        assert (heard.chunk, heard.pcm.tobytes(), heard.sample_offset) == ("2", RAW, offset)
    key = phone.decode('{"event":"dtmf","stream_sid":"MZ1","dtmf":{"digit":"5","duration":"100"}}')
    assert isinstance(key, exotel.Dtmf)
    assert (key.digit, key.duration) == ("5", "100")
    mark = phone.decode('{"event":"mark","stream_sid":"MZ1","mark":{"name":"m1"}}')
    assert isinstance(mark, exotel.Mark)
    assert mark.name == "m1"
    stop = phone.decode('{"event":"stop","stream_sid":"MZ1","stop":{"call_sid":"CA1","reason":"callended"}}')
    assert isinstance(stop, exotel.Stop)
    assert stop.reason == "callended"
    sent = ours.decode(json.dumps({"event": "media", "stream_sid": "MZ1", "media": {"payload": TEXT}}))
    assert isinstance(sent, exotel.SendMedia)
    assert sent.audio_format == rp.AudioFormat("pcm16", expected)


def test_a_call_of_signalwire_is_one_of_twilio() -> None:
    phone = rp.Decoder(catalogue=twilio)
    media_format = {"encoding": "audio/x-L16", "sampleRate": 24000, "channels": 1}
    phone.decode(json.dumps({"event": "start", "streamSid": "MZ1", "start": {"mediaFormat": media_format}}))
    heard = phone.decode(json.dumps({"event": "media", "streamSid": "MZ1", "media": {"track": "inbound", "payload": TEXT}}))
    assert isinstance(heard, twilio.Media)
    assert (heard.pcm.tobytes(), heard.audio_format) == (RAW, rp.AudioFormat("pcm16", 24_000))


def test_a_call_of_acs() -> None:
    call, ours = both(acs)
    about = {"subscriptionId": "q0", "encoding": "PCM", "sampleRate": 16000, "channels": 1, "length": 640}
    assert isinstance(call.decode(json.dumps({"kind": "AudioMetadata", "audioMetadata": about})), acs.AudioMetadata)
    data = {"timestamp": "2026-01-01T00:00:00Z", "data": TEXT, "participantRawID": "8:acs:x", "silent": False}
    heard = call.decode(json.dumps({"kind": "AudioData", "audioData": data}))
    assert isinstance(heard, acs.AudioData)
    assert (heard.participant, heard.silent, heard.pcm.tobytes()) == ("8:acs:x", False, RAW)
    assert heard.audio_format == rp.AudioFormat("pcm16", 16_000)
    sent = ours.decode(json.dumps({"Kind": "AudioData", "AudioData": {"Data": TEXT}, "StopAudio": None}))
    assert isinstance(sent, acs.SendAudio)
    assert sent.audio_format == rp.AudioFormat("pcm16", 16_000)
    assert isinstance(ours.decode('{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}'), acs.StopAudio)
    assert isinstance(ours.decode('{"kind":"StopAudio"}'), acs.UnknownClient)


def test_a_conversation_of_elevenlabs() -> None:
    agent, ours = both(elevenlabs)
    about = {"conversation_id": "c0", "agent_output_audio_format": "pcm_16000", "user_input_audio_format": "ulaw_8000"}
    first = {"conversation_initiation_metadata_event": about, "type": "conversation_initiation_metadata"}
    assert isinstance(agent.decode(json.dumps(first)), elevenlabs.ConversationInitiationMetadata)
    assert agent.audio_format == rp.AudioFormat("pcm16", 16_000)
    assert agent.input_audio_format == rp.AudioFormat("g711_ulaw", 8000)
    for number in (1, 2):
        speech = agent.decode(json.dumps({"audio_event": {"audio_base_64": TEXT, "event_id": number}, "type": "audio"}))
        assert isinstance(speech, elevenlabs.Audio)
        assert (speech.number, speech.pcm.tobytes(), speech.sample_offset) == (number, RAW, 160 * (number - 1))
    chunk = ours.decode(json.dumps({"user_audio_chunk": TEXT}))
    assert isinstance(chunk, elevenlabs.UserAudioChunk)
    assert (chunk.type, chunk.pcm.size) == ("user_audio_chunk", len(RAW))
    cut = agent.decode('{"type":"interruption","interruption_event":{"event_id":2}}')
    assert isinstance(cut, elevenlabs.Interruption)
    assert cut.number == 2
    said = agent.decode('{"type":"agent_response","agent_response_event":{"agent_response":"Hi"}}')
    assert isinstance(said, elevenlabs.AgentResponse)
    assert said.transcript == "Hi"
    assert isinstance(ours.decode('{"type":"pong","event_id":2}'), elevenlabs.Pong)
    assert isinstance(ours.decode('{"x":1}'), elevenlabs.UnknownClient)


def test_text_to_speech_of_elevenlabs() -> None:
    decoder = rp.Decoder(catalogue=elevenlabs.TTS, audio_format="pcm16")
    for offset, is_final in ((0, None), (160, None), (320, True), (0, None)):
        message = decoder.decode(json.dumps({"audio": TEXT, "isFinal": is_final, "alignment": {"chars": ["h"]}}))
        assert isinstance(message, elevenlabs.TtsAudio)
        assert (message.sample_offset, message.pcm.tobytes(), message.alignment) == (offset, RAW, {"chars": ["h"]})


# ---- Written


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (lambda: twilio.SendMark(stream_sid="MZ1", name="m"), {"event": "mark", "streamSid": "MZ1", "mark": {"name": "m"}}),
        (lambda: twilio.Clear(stream_sid="MZ1"), {"event": "clear", "streamSid": "MZ1"}),
        (lambda: exotel.SendMark(stream_sid="MZ1", name="m"), {"event": "mark", "stream_sid": "MZ1", "mark": {"name": "m"}}),
        (lambda: plivo.Checkpoint(stream_id="s", name="m"), {"event": "checkpoint", "streamId": "s", "name": "m"}),
        (lambda: acs.StopAudio(audio_data=None, stop_audio={}), {"Kind": "StopAudio", "AudioData": None, "StopAudio": {}}),
        (lambda: elevenlabs.Pong(event_id=3), {"type": "pong", "event_id": 3}),
        (gemini.SetupComplete, {"setupComplete": {}}),
        (lambda: gemini.SetupComplete(session_id="s"), {"setupComplete": {"sessionId": "s"}}),
        (lambda: gemini.RealtimeInput(text="Hi"), {"realtimeInput": {"text": "Hi"}}),
        (lambda: gemini.ServerContent(interrupted=True), {"serverContent": {"interrupted": True}}),
        (
            lambda: gemini.ServerContent(text="Hi", extra={"serverContent": {"x": 1}, "y": 2}),
            {"serverContent": {"modelTurn": {"parts": [{"text": "Hi"}]}, "x": 1}, "y": 2},
        ),
        (
            lambda: gemini.RealtimeInput(pcm=RAW, format="audio/pcm;rate=16000"),
            {"realtimeInput": {"audio": {"mimeType": "audio/pcm;rate=16000", "data": TEXT}}},
        ),
        (
            lambda: twilio.Media(stream_sid="MZ1", track="inbound", pcm=RAW, audio_format="g711_ulaw"),
            {"event": "media", "streamSid": "MZ1", "media": {"track": "inbound", "payload": TEXT}},
        ),
        (lambda: elevenlabs.UserAudioChunk(pcm=RAW), {"user_audio_chunk": TEXT}),
        (lambda: elevenlabs.Audio(number=1, pcm=RAW), {"type": "audio", "audio_event": {"event_id": 1, "audio_base_64": TEXT}}),
    ],
)
def test_a_message_is_written_by_keyword(message: Any, expected: dict[str, Any]) -> None:
    written = message()
    assert written.to_dict() == expected
    side = "client" if isinstance(written, rp.client_messages.RealtimeClientMessage) else "server"
    (module,) = (module for module in MODULES if module.__name__ == type(written).__module__)
    again = rp.decode(written.frame, catalogue=module, side=side, audio_format=getattr(written, "audio_format", None))
    assert again == written


def test_what_is_written_is_checked() -> None:
    with pytest.raises(TypeError, match="nope"):
        twilio.SendMark(nope=1)
    with pytest.raises(TypeError, match="is declared"):
        twilio.SendMark(extra={"streamSid": "MZ1"})
    with pytest.raises(TypeError, match="is declared"):
        twilio.SendMark(extra={"event": "clear"})


@pytest.mark.parametrize(
    ("cls", "fields", "expected"),
    [
        (twilio.SendMedia, {"stream_sid": "MZ1"}, {"event": "media", "streamSid": "MZ1", "media": {"payload": TEXT}}),
        (telnyx.SendMedia, {}, {"event": "media", "media": {"payload": TEXT}}),
        (exotel.SendMedia, {"stream_sid": "MZ1"}, {"event": "media", "stream_sid": "MZ1", "media": {"payload": TEXT}}),
        (acs.SendAudio, {"stop_audio": None}, {"Kind": "AudioData", "StopAudio": None, "AudioData": {"Data": TEXT}}),
        (elevenlabs.UserAudioChunk, {}, {"user_audio_chunk": TEXT}),
        (
            gemini.RealtimeInput,
            {"format": "audio/pcm;rate=16000"},
            {"realtimeInput": {"audio": {"mimeType": "audio/pcm;rate=16000", "data": TEXT}}},
        ),
        (
            gemini.ServerContent,
            {"format": "audio/pcm"},
            {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": TEXT}}]}}},
        ),
    ],
)
def test_the_encoder_writes_frames_of_any_socket(cls: type, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    samples = np.frombuffer(RAW, "<i2")
    for encoder in (rp.AudioEncoder(cls, audio_format="pcm16", **fields), rp.AudioEncoder(cls, audio_format="pcm16")):
        frame = encoder.encode(samples, **fields)
        assert json.loads(frame) == expected
        assert frame == json.dumps(json.loads(frame), separators=(",", ":"))
        assert encoder.encode_bytes(samples, **fields) == frame.encode()


def test_the_encoder_follows_the_format_of_a_call() -> None:
    phone = rp.Decoder(catalogue=twilio)
    encoder = rp.AudioEncoder(twilio.SendMedia, session=phone.session, stream_sid="MZ1")
    phone.decode('{"event":"start","start":{"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}},"streamSid":"MZ1"}')
    assert encoder.audio_format == rp.AudioFormat("g711_ulaw", 8000)
    assert json.loads(encoder.encode(np.zeros(3, np.int16)))["media"]["payload"] == base64.b64encode(b"\xff" * 3).decode()
