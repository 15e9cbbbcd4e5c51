"""The format of a socket's audio until a frame names it: everything that reads or writes audio agrees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.arrow import read
from realtime_pcm.messages import AudioMessage, payload
from realtime_pcm.playback import PlaybackBuffer
from realtime_pcm.recording import Recorder, read_recording
from realtime_pcm.sockets import Catalogue, acs, elevenlabs, exotel, gemini, plivo, telnyx, twilio
from support.own_classes import declared
from support.socket_conversations import ABOUT, START, b64

BYTES = bytes(range(1, 127)) + bytes(range(128, 162))  # mu-law has two zeros: 127 and 255
TEXT = b64(BYTES)
ULAW, PCM_8, PCM_16, PCM_24 = (
    rp.AudioFormat("g711_ulaw", 8000),
    rp.AudioFormat("pcm16", 8000),
    rp.AudioFormat("pcm16", 16_000),
    rp.AudioFormat("pcm16", 24_000),
)
# Of each socket: a frame with audio that is received, the class that sends audio, and the formats of both.
SOCKETS: dict[str, tuple[Any, dict[str, Any], Any, rp.AudioFormat, rp.AudioFormat]] = {
    "twilio": (twilio, {"event": "media", "media": {"payload": TEXT}}, twilio.SendMedia, ULAW, ULAW),
    "exotel": (exotel, {"event": "media", "media": {"payload": TEXT}}, exotel.SendMedia, PCM_8, PCM_8),
    "plivo": (plivo, {"event": "media", "media": {"payload": TEXT}}, plivo.PlayAudio, PCM_8, PCM_8),
    "acs": (acs, {"kind": "AudioData", "audioData": {"data": TEXT}}, acs.SendAudio, PCM_16, PCM_16),
    "elevenlabs": (
        elevenlabs,
        {"audio_event": {"audio_base_64": TEXT}, "type": "audio"},
        elevenlabs.UserAudioChunk,
        PCM_16,
        PCM_16,
    ),
    "gemini": (
        gemini,
        {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": TEXT}}]}}},
        gemini.RealtimeInput,
        PCM_24,
        PCM_16,
    ),
}


@pytest.fixture(params=SOCKETS)
def socket(request: pytest.FixtureRequest) -> tuple[Any, str, Any, rp.AudioFormat, rp.AudioFormat]:
    catalogue, frame, sends, received, sent = SOCKETS[request.param]
    return catalogue, json.dumps(frame), sends, received, sent


def samples(form: rp.AudioFormat) -> Any:
    """The samples that BYTES are in a format."""
    frame = json.dumps({"type": "response.output_audio.delta", "delta": TEXT})
    return rp.decode(frame) if form.encoding == "pcm16" else rp.Decoder(audio_format=form).decode(frame)


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8", "bytes"])
def test_decode_and_decoders(socket: Any, dtype: Any) -> None:
    catalogue, frame, _, received, _ = socket
    lone = rp.decode(frame, dtype=dtype, catalogue=catalogue)
    decoder = rp.Decoder(dtype=dtype, catalogue=catalogue)
    again = [decoder.decode(frame) for _ in range(3)]
    streamed = next(iter(rp.decode_stream([frame], dtype=dtype, catalogue=catalogue)))
    wanted = samples(received).pcm.tobytes()
    for message in (lone, *again, streamed):
        assert message.audio_format == received
        if dtype == "uint8":
            assert message.pcm.tobytes() == BYTES
        elif dtype != "float32":
            assert bytes(message.pcm) == wanted
    assert decoder.audio_format == decoder.session.audio_format == received
    assert decoder.input_audio_format == decoder.session.input_audio_format
    assert again[2].sample_offset == 2 * len(again[0].pcm) // (2 if dtype == "bytes" else 1)


def test_encoders_and_messages(socket: Any) -> None:
    catalogue, _, sends, _, sent = socket
    session = rp.Session()
    pcm = samples(sent).pcm
    decoder = rp.Decoder(catalogue=catalogue, side="client", session=session)
    for encoder in (rp.AudioEncoder(sends), rp.AudioEncoder(sends, session=session), rp.AudioEncoder(sends, audio_format=sent)):
        assert encoder.audio_format == sent
        message = decoder.decode(encoder.encode(pcm, rate=sent.rate))
        assert (message.audio_format, message.pcm.tolist()) == (sent, pcm.tolist())
        assert TEXT in message.frame_text
    written = sends(pcm=pcm)
    assert (written.audio_format, written.pcm.tolist(), TEXT in written.frame_text) == (sent, pcm.tolist(), True)
    with pytest.raises(ValueError, match="the samples have a rate of 48000"):
        rp.AudioEncoder(sends).encode(pcm, rate=48_000)


def test_recordings_tables_and_playback(socket: Any, tmp_path: Path) -> None:
    catalogue, frame, sends, received, sent = socket
    path = tmp_path / "call.jsonl"
    with Recorder(path, catalogue=catalogue) as record:
        record.received(frame)
        record.sent(rp.AudioEncoder(sends).encode(samples(sent).pcm))
    with read_recording(path) as recording:
        assert [entry.message.audio_format for entry in recording] == [received, sent]
    rows = read(path).read_all()
    assert rows["rate"].to_pylist() == [received.rate, sent.rate]
    assert rows["encoding"].to_pylist() == [received.encoding, sent.encoding]
    assert rows["pcm"].to_pylist() == [samples(form).pcm.tolist() for form in (received, sent)]
    message = rp.decode(frame, catalogue=catalogue)
    player = PlaybackBuffer(rate=received.rate)
    speaks = catalogue in (elevenlabs, gemini)  # elsewhere what is received is the user's
    assert player.write(message) == player.queued == (message.pcm.size if speaks else 0)


def test_what_a_frame_names_counts_from_then_on_and_until_the_next_start() -> None:
    phone = rp.Decoder(catalogue=twilio)
    media = json.dumps(SOCKETS["twilio"][1])
    assert phone.decode(media).audio_format == ULAW
    for given, wanted in (
        ({"encoding": "audio/x-L16", "sampleRate": 16_000}, PCM_16),
        ({"sampleRate": 16_000}, rp.AudioFormat("g711_ulaw", 16_000)),
        ({"encoding": 5}, ULAW),
        ({}, ULAW),
    ):
        phone.decode(json.dumps({"event": "start", "start": START | {"mediaFormat": given}}))
        assert phone.session.input_audio_format == phone.session.audio_format == wanted
        assert phone.decode(media).audio_format == wanted
        assert rp.AudioEncoder(twilio.SendMedia, session=phone.session).audio_format == wanted
    call = rp.Decoder(catalogue=acs)
    call.decode(json.dumps({"kind": "AudioMetadata", "audioMetadata": ABOUT | {"sampleRate": 24_000}}))
    assert call.decode(json.dumps(SOCKETS["acs"][1])).audio_format == PCM_24


def test_a_session_takes_the_formats_of_the_socket_that_uses_it() -> None:
    session = rp.Session()
    assert session.audio_format == session.input_audio_format == PCM_24
    rp.Decoder(session=session)
    assert session.audio_format == PCM_24
    rp.Decoder(catalogue=gemini, session=session)
    rp.Decoder(catalogue=gemini, side="client", session=session)
    assert (session.audio_format, session.input_audio_format) == (PCM_24, PCM_16)
    named = rp.Decoder(catalogue=twilio)
    named.decode(json.dumps({"event": "start", "start": START | {"mediaFormat": {"encoding": "audio/x-alaw"}}}))
    rp.Decoder(catalogue=acs, session=named.session)
    assert named.session.audio_format == rp.AudioFormat("g711_alaw", 8000)
    realtime = rp.Decoder()
    assert realtime.decode(json.dumps({"type": "response.output_audio.delta", "delta": TEXT})).audio_format == PCM_24
    assert rp.AudioEncoder().audio_format == PCM_24


@pytest.mark.parametrize(
    ("catalogue", "frame", "named"),
    [
        (telnyx, {"event": "media", "media": {"payload": TEXT}}, "the codec of the call"),
        (elevenlabs.TTS, {"audio": TEXT}, "mp3_44100_128"),
    ],
)
def test_where_nothing_is_documented_audio_is_refused(catalogue: Any, frame: dict[str, Any], named: str) -> None:
    text = json.dumps(frame)
    match = f"until a frame names another format, this audio is taken for '{named}', .* audio_format= says what it is"
    decoder = rp.Decoder(catalogue=catalogue)
    for decode in (decoder.decode, lambda given: rp.decode(given, catalogue=catalogue)):
        with pytest.raises(rp.DecodeError, match=match):
            decode(text)
    assert rp.decode(text, dtype="uint8", catalogue=catalogue).pcm.tobytes() == BYTES
    assert rp.Decoder(catalogue=catalogue, audio_format="g711_ulaw").decode(text).pcm.size == 160
    assert rp.decode(text.replace(TEXT, ""), catalogue=catalogue).pcm.size == 0


@pytest.mark.parametrize(
    ("sends", "fields", "form"),
    [
        (plivo.PlayAudio, {"content_type": "audio/x-mulaw", "sample_rate": 8000}, ULAW),
        (plivo.PlayAudio, {"content_type": "audio/x-l16", "sample_rate": 16_000}, PCM_16),
        (plivo.PlayAudio, {"sample_rate": 16_000}, PCM_16),
        (gemini.RealtimeInput, {"format": "audio/pcm;rate=24000"}, PCM_24),
        (gemini.ServerContent, {"format": "audio/pcm"}, PCM_24),
        (rp.messages.ResponseAudioDelta, {"format": "g711_ulaw"}, ULAW),
    ],
)
def test_an_encoder_follows_the_format_that_its_frames_name(sends: Any, fields: dict[str, Any], form: rp.AudioFormat) -> None:
    pcm = samples(form).pcm
    encoder = rp.AudioEncoder(sends, **fields)
    assert encoder.audio_format == form
    for frame in (encoder.encode(pcm, rate=form.rate), rp.AudioEncoder(sends).encode(pcm, rate=form.rate, **fields)):
        assert TEXT in frame
    forced = rp.AudioEncoder(sends, audio_format="pcm16", **fields)
    assert forced.audio_format == PCM_24
    assert rp.AudioEncoder(sends, session=rp.Session(), **fields).audio_format == rp.AudioEncoder(sends).audio_format


def test_a_field_of_one_call_can_take_the_format_away() -> None:
    pcm = samples(PCM_8).pcm
    encoder = rp.AudioEncoder(plivo.PlayAudio, content_type="audio/x-mulaw", sample_rate=8000)
    assert TEXT in encoder.encode(pcm, content_type=None)
    assert TEXT in encoder.encode(pcm, rate=8000, content_type=None, sample_rate=None)
    assert TEXT in encoder.encode(samples(ULAW).pcm)


def test_telnyx_names_its_codec() -> None:
    phone = rp.Decoder(catalogue=telnyx)
    phone.decode(json.dumps({"event": "start", "start": {"media_format": {"encoding": "PCMA", "sample_rate": 8000}}}))
    assert phone.decode(json.dumps({"event": "media", "media": {"payload": TEXT}})).audio_format.encoding == "g711_alaw"
    with pytest.raises(ValueError, match="'the codec of the call' is neither PCM nor G"):
        rp.AudioEncoder(telnyx.SendMedia).encode(np.zeros(3, np.int16))
    assert TEXT in rp.AudioEncoder(telnyx.SendMedia).encode(BYTES)


def test_a_catalogue_of_ones_own() -> None:
    mine: Catalogue[Any, Any] = Catalogue("mine", audio_format="g711_alaw", input_audio_format=PCM_16)
    speech: Any = declared("Speech", AudioMessage, "speech", {"pcm": "Samples"}, options={"catalogue": mine}, pcm=payload("data"))
    heard: Any = declared(
        "Heard",
        AudioMessage,
        "heard",
        {"pcm": "Samples"},
        options={"catalogue": mine, "role": "input_audio"},
        pcm=payload("data"),
    )
    assert rp.AudioEncoder(speech).audio_format == rp.AudioFormat("g711_alaw", 8000)
    assert rp.AudioEncoder(heard).audio_format == PCM_16
    assert rp.decode(heard(pcm=np.ones(2, np.int16)).frame_text, catalogue=mine).audio_format == PCM_16
    plain: Catalogue[Any, Any] = Catalogue("plain", input_audio_format=PCM_8)
    assert (rp.Decoder(catalogue=plain).audio_format, rp.Decoder(catalogue=plain).input_audio_format) == (PCM_24, PCM_8)
    with pytest.raises(ValueError, match="names no format"):
        Catalogue("none", audio_format="")
    with pytest.raises(TypeError, match="audio_format is an AudioFormat"):
        Catalogue("none", input_audio_format=5)


@pytest.mark.parametrize("head", [b"RIFF$\x00\x00\x00WAVEfmt ", b"OggS\x00\x02" + bytes(40)])
def test_a_file_is_not_taken_for_samples_of_a_format_that_nobody_has_named(head: bytes) -> None:
    for catalogue, frame in ((twilio, {"event": "media"}), (elevenlabs, {"type": "audio"})):
        place = "media" if catalogue is twilio else "audio_event"
        key = "payload" if catalogue is twilio else "audio_base_64"
        told = json.dumps({**frame, place: {key: b64(head + bytes(32))}})
        with pytest.raises(rp.DecodeError, match=r"though nobody has named a format|'ogg' is neither"):
            rp.Decoder(catalogue=catalogue).decode(told)
    decoder = rp.Decoder(catalogue=twilio)
    decoder.decode(json.dumps({"event": "start", "start": {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000}}}))
    assert len(decoder.decode(json.dumps({"event": "media", "media": {"payload": b64(head + bytes(32))}})).pcm) == len(head) + 32


def test_a_named_format_is_named_even_if_it_is_the_socket_s_own() -> None:
    first = rp.Decoder(catalogue=acs)
    first.decode('{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM","sampleRate":16000,"channels":1}}')
    assert rp.Decoder(session=first.session, catalogue=twilio).audio_format == PCM_16
