"""A decoder follows its session: formats of audio and who names them, streams and their offsets, audio in items."""

from __future__ import annotations

import base64
import copy
import json
import pickle

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, messages

PCM = np.array([0, 1, -1, 256, -256, 32767, -32768, 12345], "<i2")
RAW = PCM.tobytes()
DEFAULT = AudioFormat("pcm16", 24000)
ULAW = AudioFormat("g711_ulaw", 8000)
ALAW = AudioFormat("g711_alaw", 8000)


def dumps(**values) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def delta(raw: bytes = RAW, wire: str = "response.output_audio.delta", **values) -> bytes:
    return dumps(type=wire, **values, delta=b64(raw))


def session(kind: str = "session.updated", **values) -> bytes:
    return dumps(type=kind, event_id="e", session=values)


def nested(*formats, side: str = "output") -> dict:
    return {"audio": {side: {"format": formats[0]}}}


def decoder_after(*frames: bytes, **options) -> rp.Decoder:
    decoder = rp.Decoder(**options)
    for frame in frames:
        decoder.decode(frame)
    return decoder


# ---- what a session calls its formats

NAMES = {
    "pcm16": DEFAULT,
    "g711_ulaw": ULAW,
    "g711_alaw": ALAW,
    "audio/pcm": DEFAULT,
    "audio/pcmu": ULAW,
    "audio/pcma": ALAW,
    "pcm": DEFAULT,
    "pcm24": DEFAULT,
    "pcm16_8000hz": AudioFormat("pcm16", 8000),
    "pcm16-8000hz": AudioFormat("pcm16", 8000),
    "pcm16_16000hz": AudioFormat("pcm16", 16000),
    "pcm16-16000hz": AudioFormat("pcm16", 16000),
    "PCM16": DEFAULT,
    "mp3": AudioFormat("mp3", 24000),
    "audio/opus": AudioFormat("audio/opus", 24000),
}


@pytest.mark.parametrize("kind", ["session.created", "session.updated"])
@pytest.mark.parametrize("name", NAMES)
def test_names_of_formats(name: str, kind: str, tier: str) -> None:
    for said in ({"output_audio_format": name}, nested({"type": name}), nested(name)):
        decoder = decoder_after(session(kind, **said))
        assert decoder.audio_format == NAMES[name]
        assert decoder.input_audio_format == DEFAULT
        if NAMES[name].encoding in ("pcm16", "g711_ulaw", "g711_alaw"):
            message = decoder.decode(delta())
            assert message.audio_format == NAMES[name]
            assert message.pcm.size == (8 if NAMES[name].encoding == "pcm16" else 16)
            if NAMES[name].encoding == "pcm16":
                assert np.array_equal(message.pcm, PCM)
    for said in ({"input_audio_format": name}, nested({"type": name}, side="input")):
        decoder = decoder_after(session(kind, **said))
        assert decoder.input_audio_format == NAMES[name] and decoder.audio_format == DEFAULT


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000])
def test_pcm_has_any_rate(rate: int) -> None:
    message = decoder_after(session(**nested({"type": "audio/pcm", "rate": rate}))).decode(delta())
    assert message.audio_format == AudioFormat("pcm16", rate) and np.array_equal(message.pcm, PCM)
    assert f"{1000 * 8 / rate:.0f} ms" in repr(message)
    named_by_sample_rate = session(**nested({"type": "pcm", "sample_rate": rate}))
    assert decoder_after(named_by_sample_rate).audio_format == AudioFormat("pcm16", rate)


def test_the_first_message_of_each_kind_that_names_a_format() -> None:
    ga = session("session.created", **nested({"type": "audio/pcmu"}))
    beta = session("session.updated", output_audio_format="g711_alaw")
    decoder = rp.Decoder()
    assert decoder.audio_format == DEFAULT
    decoder.decode(ga)
    assert decoder.decode(delta()).audio_format == ULAW
    decoder.decode(beta)
    assert decoder.decode(delta()).audio_format == ALAW
    # GPT-Live: session.started, one format for both directions.
    decoder.decode(session("session.started", audio={"format": {"type": "audio/pcm", "rate": 16000}}))
    assert decoder.audio_format == decoder.input_audio_format == AudioFormat("pcm16", 16000)


def test_sessions_by_other_names() -> None:
    decoder = decoder_after(session("session.created", output_audio_format="g711_ulaw"), delta(b"\x01\x02\x03"))
    # vLLM-Omni: the session goes on.
    decoder.decode(session("session.resumed", output_audio_format="g711_alaw"))
    assert decoder.audio_format == ALAW and decoder.decode(delta(b"\x01")).sample_offset == 3
    # Beta transcription has input only.
    decoder.decode(session("transcription_session.updated", input_audio_format="g711_ulaw"))
    assert (decoder.input_audio_format, decoder.audio_format) == (ULAW, ALAW)
    decoder.decode(session("transcription_session.created", input_audio_format="g711_alaw"))
    assert (decoder.input_audio_format, decoder.audio_format) == (ALAW, DEFAULT)


def test_nested_wins_over_flat_in_either_order() -> None:
    both = {"output_audio_format": "g711_ulaw", **nested({"type": "audio/pcm", "rate": 16000})}
    for said in (both, dict(reversed(both.items()))):
        assert decoder_after(session(**said)).audio_format == AudioFormat("pcm16", 16000)
    # xAI
    said = {"output_audio_format": "not specified", **nested({"type": "audio/pcm", "rate": 24000})}
    assert decoder_after(session(**said)).audio_format == DEFAULT
    # A nested format that says nothing leaves the flat one.
    for nothing in (None, "not specified", "", {}, {"type": None}, [], 5, {"type": 7}):
        said = {"output_audio_format": "g711_ulaw", **nested(nothing)}
        assert decoder_after(session(**said)).audio_format == ULAW, nothing


@pytest.mark.parametrize(
    "nothing", [None, "", "not specified", 7, [], {}, {"type": "not specified"}, {"rate": None}, {"rate": "x"}]
)
@pytest.mark.parametrize("start", ["session.created", "session.updated"])
def test_what_says_nothing_changes_nothing(nothing, start: str) -> None:
    decoder = decoder_after(session(start, output_audio_format="g711_ulaw", input_audio_format="g711_alaw"))
    flat = {"output_audio_format": nothing, "input_audio_format": nothing}
    for said in (
        {},
        flat,
        nested(nothing),
        nested(nothing, side="input"),
        {"audio": nothing},
        {"audio": {"output": nothing}},
    ):
        decoder.decode(session(**said))
        assert (decoder.audio_format, decoder.input_audio_format) == (ULAW, ALAW), said
    for frame in (
        b'{"type":"session.updated"}',
        b'{"type":"session.updated","session":null}',
        b'{"type":"session.updated","session":"x"}',
    ):
        decoder.decode(frame)
        assert decoder.audio_format == ULAW


@pytest.mark.parametrize("rate", [0, -1, 1.5, "16000", True, [], 1 << 40])
def test_a_rate_that_is_none_is_not_taken(rate) -> None:
    assert decoder_after(session(**nested({"type": "audio/pcm", "rate": rate}))).audio_format == DEFAULT


def test_dashscope_sample_rate_is_the_inputs() -> None:
    said = {"sample_rate": 16000, "output_audio_format": "pcm", "input_audio_format": "pcm"}
    for order in (said, dict(reversed(said.items()))):
        decoder = decoder_after(session("session.created", **order))
        assert decoder.audio_format == DEFAULT
        assert decoder.input_audio_format == AudioFormat("pcm16", 16000)
        assert decoder.decode(delta()).audio_format == DEFAULT
    # An encoding without rates of its own takes it too; a format that names its rate keeps it.
    assert decoder_after(session(sample_rate=16000)).input_audio_format == AudioFormat("pcm16", 16000)
    said = {"sample_rate": 16000, **nested({"type": "audio/pcm", "rate": 48000}, side="input")}
    assert decoder_after(session(**said)).input_audio_format == AudioFormat("pcm16", 48000)


@pytest.mark.parametrize("rate", [None, 0, -1, "16000", 1.5, True, [], {}])
def test_a_rate_beside_that_is_none_changes_nothing(rate) -> None:
    decoder = decoder_after(session(input_audio_format="pcm16_8000hz"), session(sample_rate=rate))
    assert decoder.input_audio_format == AudioFormat("pcm16", 8000)
    decoder.decode(session(sample_rate=16000))
    assert decoder.input_audio_format == AudioFormat("pcm16", 16000)


def test_voice_live_names_the_rate_of_its_input() -> None:
    said = {"input_audio_format": "pcm16", "output_audio_format": "pcm16_8000hz", "input_audio_sampling_rate": 16000}
    decoder = decoder_after(session(**said))
    assert decoder.input_audio_format == AudioFormat("pcm16", 16000)
    assert decoder.audio_format == AudioFormat("pcm16", 8000)
    assert decoder_after(session(**said | {"input_audio_sampling_rate": None})).input_audio_format == DEFAULT
    assert (
        decoder_after(
            session(**said | {"input_audio_format": "g711_ulaw", "input_audio_sampling_rate": 8000})
        ).input_audio_format
        == ULAW
    )


# ---- per response, per message, forced


def response(kind: str, response_id: str | None = "r1", **values) -> bytes:
    return dumps(type=kind, response={"id": response_id, **values} if response_id else values)


@pytest.mark.parametrize("kind", ["response.created", "response.done"])
@pytest.mark.parametrize("said", [{"output_audio_format": "g711_ulaw"}, nested({"type": "audio/pcmu"})])
def test_a_response_has_its_own_format(kind: str, said: dict) -> None:
    decoder = decoder_after(session(output_audio_format="pcm16"), response(kind, **said))
    assert decoder.audio_format == DEFAULT
    assert decoder.decode(delta(response_id="r1")).audio_format == ULAW
    assert decoder.decode(delta(response_id="r2")).audio_format == DEFAULT
    assert decoder.decode(delta()).audio_format == DEFAULT
    decoder.decode(session(output_audio_format="g711_alaw"))
    assert decoder.decode(delta(response_id="r1")).audio_format == ULAW
    assert decoder.decode(delta(response_id="r2")).audio_format == ALAW


def test_formats_of_interleaved_responses_in_any_order_of_keys(tier: str) -> None:
    decoder = decoder_after(
        response("response.created", "r1", output_audio_format="g711_ulaw"), response("response.created", "r2")
    )
    for _ in range(3):
        for name, expected in (("r1", ULAW), ("r2", DEFAULT)):
            for order in ("tdr", "trd", "drt", "rdt", "dtr", "rtd"):
                values = {"t": ("type", "response.audio.delta"), "d": ("delta", b64(RAW)), "r": ("response_id", name)}
                message = decoder.decode(dumps(**dict(values[key] for key in order)))
                assert message.audio_format == expected
                assert message.pcm.size == (16 if expected is ULAW else 8)


def test_a_response_beside_its_object() -> None:
    # xAI leaves `response` empty and names the response beside it.
    decoder = decoder_after(
        dumps(type="response.created", response_id="r1", response={"output_audio_format": "g711_ulaw"})
    )
    assert decoder.decode(delta(response_id="r1")).audio_format == ULAW


def test_a_response_without_a_format_or_an_id_changes_nothing() -> None:
    decoder = decoder_after(
        response("response.created", "r1"),
        response("response.created", "r2", output_audio_format="not specified"),
        response("response.created", None, output_audio_format="g711_ulaw"),
        b'{"type":"response.created"}',
        dumps(type="response.created", response="unimplemented"),
        dumps(type="response.done", response={}),
    )
    for name in ("r1", "r2", "r3"):
        assert decoder.decode(delta(response_id=name)).audio_format == DEFAULT


def test_formats_of_responses_are_bounded() -> None:
    decoder = rp.Decoder()
    for number in range(1500):
        decoder.decode(response("response.created", f"r{number}", output_audio_format="g711_ulaw"))
    formats = [decoder.decode(delta(response_id=f"r{number}")).audio_format for number in range(1500)]
    assert formats == [DEFAULT] * (1500 - 1024) + [ULAW] * 1024


def test_a_messages_own_format_is_over_all() -> None:
    decoder = decoder_after(
        session(output_audio_format="g711_alaw"), response("response.created", "r1", output_audio_format="g711_ulaw")
    )
    # vLLM-Omni
    omni = {
        "type": "response.output_audio.delta",
        "response_id": "r1",
        "audio": b64(RAW),
        "format": "pcm16",
        "sample_rate_hz": 16000,
    }
    for order in (omni, dict(reversed(omni.items()))):
        message = decoder.decode(dumps(**order))
        assert message.audio_format == AudioFormat("pcm16", 16000) and np.array_equal(message.pcm, PCM)
        assert message.format == "pcm16" and message.sample_rate_hz == 16000
    # OpenAI's translation
    translation = {
        "type": "session.output_audio.delta",
        "delta": b64(RAW),
        "sample_rate": 48000,
        "channels": 2,
        "format": "pcm16",
    }
    for order in (translation, dict(reversed(translation.items()))):
        message = decoder.decode(dumps(**order))
        assert message.audio_format == AudioFormat("pcm16", 48000, 2) and np.array_equal(message.pcm, PCM)
        assert (message.format, message.sample_rate, message.channels) == ("pcm16", 48000, 2)
    # None of it stays.
    assert decoder.decode(delta(response_id="r1")).audio_format == ULAW
    assert decoder.decode(delta()).audio_format == ALAW


def test_a_message_may_say_a_part_of_its_format() -> None:
    decoder = decoder_after(
        session(output_audio_format="g711_alaw"), response("response.created", "r1", output_audio_format="g711_ulaw")
    )
    wire = "response.output_audio.delta"
    assert decoder.decode(dumps(type=wire, audio=b64(RAW), sample_rate_hz=16000)).audio_format == AudioFormat(
        "g711_alaw", 16000
    )
    assert decoder.decode(
        dumps(type=wire, audio=b64(RAW), response_id="r1", sample_rate_hz=16000)
    ).audio_format == AudioFormat("g711_ulaw", 16000)
    assert decoder.decode(dumps(type=wire, audio=b64(RAW), format="s16le")).audio_format == DEFAULT
    translation = {"type": "session.output_audio.delta", "delta": b64(RAW)}
    assert decoder.decode(dumps(**translation, channels=2)).audio_format == AudioFormat("g711_alaw", 8000, 2)
    for surprise in (None, [], {}, 7.5, True, -1, "", "not specified"):
        said = {"format": surprise, "sample_rate": surprise, "channels": surprise}
        message = decoder.decode(dumps(**translation, **said))
        assert message.audio_format == ALAW, surprise
        assert message.to_dict() == translation | said


@pytest.mark.parametrize("forced", ["g711_ulaw", ULAW, "audio/pcmu"])
def test_a_forced_format_is_over_all_that_is_said(forced) -> None:
    decoder = rp.Decoder(audio_format=forced)
    frames = [
        session("session.created", output_audio_format="pcm16"),
        session(**nested({"type": "audio/pcma"})),
        response("response.created", "r1", output_audio_format="mp3"),
    ]
    for frame in frames:
        decoder.decode(frame)
        assert decoder.audio_format == ULAW
        for own in ({}, {"format": "pcm16", "sample_rate_hz": 16000}):
            message = decoder.decode(delta(response_id="r1", **own))
            assert message.audio_format == ULAW and message.pcm.size == 16
    assert rp.decode(delta(format="pcm16"), audio_format=forced).audio_format == ULAW


def test_decode_knows_no_session_but_what_the_message_says() -> None:
    rp.decode(session(output_audio_format="g711_ulaw"))
    assert rp.decode(delta()).audio_format == DEFAULT
    assert rp.decode(delta(format="g711_ulaw")).audio_format == ULAW
    message = rp.decode(delta(RAW[:3]))
    assert (message.sample_offset, message.incomplete_sample) == (None, RAW[2:3])
    assert rp.decode(delta(RAW[:3])).sample_offset is None


def test_an_odd_byte_is_none_in_g711() -> None:
    decoder = decoder_after(session(output_audio_format="g711_ulaw"))
    offsets = [decoder.decode(delta(bytes(n))).sample_offset for n in (3, 1, 0, 5)]
    assert offsets == [0, 3, 4, 4]
    assert decoder.decode(dumps(type="response.output_audio.done")).incomplete_sample == b""


# ---- dtype


def test_float32_is_scaled_into_minus_one_to_one(tier: str) -> None:
    everything = np.arange(-32768, 32768, dtype="<i2")
    message = rp.Decoder(dtype="float32").decode(delta(everything.tobytes()))
    assert message.pcm.dtype == np.float32 and message.pcm.flags.owndata and message.pcm.base is None
    assert np.array_equal(message.pcm, everything / np.float32(32768))
    assert message.pcm.min() == -1 and message.pcm.max() < 1
    for dtype in (np.float32, np.dtype("float32"), "f4"):
        assert rp.Decoder(dtype=dtype).decode(delta()).pcm.dtype == np.float32


@pytest.mark.parametrize("name", [*NAMES, "wav"])
def test_uint8_hands_the_payload_through(name: str, tier: str) -> None:
    decoder = decoder_after(session(output_audio_format=name), dtype="uint8")
    offset = 0
    for raw in (bytes(range(256)), b"", b"\xff", RAW[:3], bytes(5001)):
        message = decoder.decode(delta(raw, response_id="r"))
        assert message.pcm.dtype == np.uint8 and message.pcm.tobytes() == raw
        assert message.audio_format == NAMES.get(name, AudioFormat("wav", 24000))
        # No carry, and offsets in bytes.
        assert message.sample_offset == offset and message.incomplete_sample == b""
        offset += len(raw)
    assert decoder.decode(dumps(type="response.output_audio.done", response_id="r")).incomplete_sample == b""
    assert decoder.evicted_bytes == 0


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("name", ["mp3", "opus", "wav", "audio/opus"])
def test_what_is_no_pcm_names_itself_and_the_way_out(name: str, dtype: str) -> None:
    frame = delta(b"ID3\x04whatever", response_id="r1")
    ways = [
        (decoder_after(session(output_audio_format=name), dtype=dtype), frame),
        (decoder_after(session(**nested({"type": name})), dtype=dtype), frame),
        (decoder_after(response("response.created", "r1", output_audio_format=name), dtype=dtype), frame),
        (rp.Decoder(dtype=dtype, audio_format=name), frame),
        (rp.Decoder(dtype=dtype), delta(b"ID3\x04whatever", format=name)),
    ]
    for decoder, given in ways:
        with pytest.raises(rp.DecodeError) as caught:
            decoder.decode(given)
        assert repr(name) in str(caught.value) and 'dtype="uint8"' in str(caught.value)
        assert caught.value.field == "delta" and given[caught.value.position :].startswith(b64(b"ID3\x04").encode()[:5])
        assert caught.value.message_type == "response.output_audio.delta" and caught.value.frame == given
    # Nothing to decode is no error.
    assert decoder_after(session(output_audio_format=name)).decode(delta(b"")).pcm.size == 0


def ogg_page(kind: int, raw: bytes = b"x" * 50) -> bytes:
    return b"OggS\x00" + bytes([kind]) + bytes(20) + b"\x01" + bytes([len(raw)]) + raw


@pytest.mark.parametrize("kind", [0, 1, 2, 4])
def test_ogg_where_nobody_named_a_format(kind: int) -> None:
    # unmute sends Ogg/Opus and its session does not say so.
    frame = delta(ogg_page(kind), wire="response.audio.delta")
    for decode in (rp.decode, rp.Decoder().decode, rp.Decoder(dtype="float32").decode):
        with pytest.raises(rp.DecodeError) as caught:
            decode(frame)
        assert "'ogg'" in str(caught.value) and 'dtype="uint8"' in str(caught.value)
    assert rp.decode(frame, dtype="uint8").pcm.tobytes() == ogg_page(kind)
    # Where a session says that it is PCM, it is PCM.
    assert decoder_after(session(output_audio_format="pcm16")).decode(frame).pcm.size == len(ogg_page(kind)) // 2
    assert rp.decode(frame, audio_format="pcm16").pcm.size == len(ogg_page(kind)) // 2


def test_a_binary_audio_frame_says_that_it_is_one() -> None:
    decoder = decoder_after(session(output_audio_format="g711_ulaw"))
    for raw in (RAW, ogg_page(2), bytes(4800)):
        with pytest.raises(rp.DecodeError, match="binary frame, not JSON"):
            decoder.decode(raw)
    assert decoder.audio_format == ULAW


# ---- streams


def done(wire: str = "response.output_audio.done", **values) -> bytes:
    return dumps(type=wire, **values)


KEYS = [
    {},
    {"response_id": "r"},
    {"item_id": "i"},
    {"content_index": 0},
    {"response_id": "r", "item_id": "i"},
    {"response_id": "r", "item_id": "i", "content_index": 0},
    {"response_id": "r", "item_id": "i", "content_index": 1},
    {"response_id": "r", "item_id": "j", "content_index": 0},
    {"response_id": "s", "item_id": "i", "content_index": 0},
    {"response_id": "é\u20ac", "item_id": "x" * 300},
]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_each_stream_has_its_own_byte(dtype: str, tier: str) -> None:
    decoder = rp.Decoder(dtype=dtype)
    parts = [bytes([n, n + 1, n + 2]) for n in range(0, 3 * len(KEYS), 3)]
    for key, part in zip(KEYS, parts, strict=True):
        message = decoder.decode(delta(part, **key))
        assert (message.pcm.size, message.sample_offset, message.incomplete_sample) == (1, 0, b"")
    for key, part in zip(KEYS, parts, strict=True):
        message = decoder.decode(delta(b"\x7f", **key))
        expected = np.frombuffer(bytes([part[2], 0x7F]), "<i2")
        assert np.array_equal(message.pcm, expected if dtype == "int16" else expected / np.float32(32768))
        assert message.sample_offset == 1
    for key in KEYS:
        assert decoder.decode(done(**key)).incomplete_sample == b""
        assert decoder.decode(delta(RAW[:4], **key)).sample_offset == 0


def test_absent_and_null_ids_are_one() -> None:
    decoder = decoder_after(delta(b"\x01", response_id="r", item_id=None))
    assert decoder.decode(delta(b"\x02", response_id="r")).pcm.tolist() == [0x0201]


@pytest.mark.parametrize("wire", ["response.output_audio.done", "response.audio.done"])
def test_what_is_left_shows_at_done_and_a_stream_begins_again(wire: str) -> None:
    decoder = decoder_after(
        delta(b"\x01\x02\x03", response_id="r", item_id="i"), delta(b"\x09", response_id="r", item_id="j")
    )
    end = decoder.decode(done(wire, response_id="r", item_id="i"))
    assert isinstance(end, messages.ResponseAudioDone) and end.incomplete_sample == b"\x03"
    again = decoder.decode(delta(b"\x05\x06", response_id="r", item_id="i"))
    assert (again.pcm.tolist(), again.sample_offset) == ([0x0605], 0)
    assert decoder.decode(done(wire, response_id="r", item_id="i")).incomplete_sample == b""
    assert decoder.decode(done(wire, response_id="r", item_id="j")).incomplete_sample == b"\x09"
    assert decoder.decode(done(wire, response_id="never", item_id="seen")).incomplete_sample == b""
    assert decoder.evicted_bytes == 0


def test_what_is_left_shows_at_the_end_of_a_cancelled_response() -> None:
    decoder = decoder_after(
        delta(b"\x01\x02\x03", response_id="r", item_id="i"),
        delta(b"\x09", response_id="r", item_id="j"),
        delta(b"\x07", response_id="s", item_id="i"),
    )
    end = decoder.decode(dumps(type="response.done", response={"id": "r", "status": "cancelled"}))
    assert isinstance(end, messages.ResponseDone) and end.incomplete_sample == b"\x03\x09"
    for item in "ij":
        assert decoder.decode(delta(b"\x05\x06", response_id="r", item_id=item)).sample_offset == 0
    # The other response is untouched.
    assert decoder.decode(delta(b"\x08", response_id="s", item_id="i")).pcm.tolist() == [0x0807]
    assert decoder.decode(dumps(type="response.done", response={"id": "s"})).incomplete_sample == b""


def test_xai_ends_a_response_beside_its_object() -> None:
    decoder = decoder_after(delta(b"\x01\x02\x03", response_id="r"))
    assert decoder.decode(dumps(type="response.done", response_id="r", response={})).incomplete_sample == b"\x03"


def test_many_open_streams_are_bounded_and_what_is_dropped_is_counted() -> None:
    decoder = rp.Decoder()
    for number in range(1024):
        decoder.decode(delta(b"\x01\x02\x03", response_id="r", item_id=f"i{number}"))
    assert decoder.evicted_bytes == 0
    for number in range(1024, 1124):
        decoder.decode(delta(b"\x01\x02\x03" if number % 2 else b"\x01\x02", response_id="r", item_id=f"i{number}"))
    assert decoder.evicted_bytes == 100
    # Those that went begin again (and others go for them), the rest goes on.
    message = decoder.decode(delta(b"\x04", response_id="r", item_id="i500"))
    assert (message.pcm.tolist(), message.sample_offset) == ([0x0403], 1)
    message = decoder.decode(delta(b"\x04\x05", response_id="r", item_id="i0"))
    assert (message.pcm.tolist(), message.sample_offset) == ([0x0504], 0)
    assert decoder.evicted_bytes == 101
    # 1,023 of the streams hold one byte less those of i500 and the even ones behind 1,024, and i0 none.
    left = decoder.decode(dumps(type="response.done", response={"id": "r"})).incomplete_sample
    assert left == b"\x03" * (1024 - 101 - 1 + 50)


@pytest.mark.parametrize("kind", ["session.created", "session.started"])
def test_a_new_session_starts_afresh(kind: str) -> None:
    decoder = decoder_after(
        session("session.created", output_audio_format="g711_ulaw", input_audio_format="g711_alaw"),
        response("response.created", "r1", output_audio_format="g711_alaw"),
        delta(RAW, response_id="r1"),
        response("response.created", "r2", output_audio_format="pcm16"),
        delta(b"\x01\x02\x03", response_id="r2"),
    )
    decoder.decode(session(kind))
    assert decoder.audio_format == decoder.input_audio_format == DEFAULT
    message = decoder.decode(delta(b"\x05\x06\x07", response_id="r2"))
    assert (message.pcm.tolist(), message.sample_offset, message.audio_format) == ([0x0605], 0, DEFAULT)
    assert decoder.decode(delta(RAW, response_id="r1")).audio_format == DEFAULT
    # session.updated does not.
    decoder.decode(session("session.updated"))
    assert decoder.decode(delta(b"\x08", response_id="r2")).pcm.tolist() == [0x0807]
    assert rp.Decoder(audio_format="g711_ulaw").audio_format == ULAW
    forced = decoder_after(session(kind, output_audio_format="pcm16"), audio_format="g711_ulaw")
    assert forced.audio_format == ULAW


def test_a_byte_that_a_change_of_format_leaves_is_counted() -> None:
    decoder = decoder_after(delta(b"\x01\x02\x03"), session(output_audio_format="g711_ulaw"))
    assert decoder.decode(delta(b"\xff\xff")).pcm.tolist() == [0, 0]
    assert decoder.evicted_bytes == 1
    assert decoder.decode(done()).incomplete_sample == b""


def test_a_format_may_change_between_deltas_of_a_stream(tier: str) -> None:
    decoder = rp.Decoder()
    for _ in range(3):
        for name, count in (("pcm16", 8), ("g711_ulaw", 16), ("g711_alaw", 16)):
            decoder.decode(session(output_audio_format=name))
            for _ in range(2):
                assert decoder.decode(delta()).pcm.size == count


# ---- after a refusal


BAD = {
    "not base64": dumps(type="response.output_audio.delta", response_id="r", item_id="i", delta="AB*D"),
    "not base64, late": dumps(type="response.output_audio.delta", response_id="r", item_id="i", delta="A" * 9999 + "*"),
    "short": dumps(type="response.output_audio.delta", response_id="r", item_id="i", delta="ABC"),
    "payload of another kind": dumps(type="response.output_audio.delta", response_id="r", item_id="i", delta=7),
    "type last": dumps(response_id="r", item_id="i", delta="AB*D", type="response.output_audio.delta"),
    "no PCM": dumps(type="response.output_audio.delta", response_id="r", item_id="i", delta=b64(RAW), format="mp3"),
    "cut": delta(RAW, response_id="r", item_id="i")[:-3],
    "trailing": delta(RAW, response_id="r", item_id="i") + b"}",
    "a session, cut": session(output_audio_format="pcm16", **nested({"type": "audio/pcm", "rate": 8000}))[:-1],
    "a new session, trailing": session("session.created") + b"x",
    "a response, cut": response("response.created", "r", output_audio_format="mp3")[:-1],
    "an end, trailing": done(response_id="r", item_id="i") + b",",
    "a cancelled response, cut": dumps(type="response.done", response={"id": "r"})[:-1],
    "a video of another kind": dumps(type="response.video.delta", delta=[]),
    "not JSON": b"nonsense",
    "binary": bytes(100),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("carry", [True, False])
def test_after_a_refusal_all_is_as_before(bad: str, dtype: str, carry: bool, tier: str) -> None:
    first = delta(b"\x01\x02\x03" if carry else b"\x01\x02", response_id="r", item_id="i")
    frames = [session(**nested({"type": "audio/pcm", "rate": 16000})), first]
    disturbed, calm = decoder_after(*frames, dtype=dtype), decoder_after(*frames, dtype=dtype)
    for _ in range(2):
        with pytest.raises(rp.DecodeError):
            disturbed.decode(BAD[bad])
    for frame in (
        delta(b"\x04\x05\x06", response_id="r", item_id="i"),
        delta(RAW, response_id="s"),
        done(response_id="r", item_id="i"),
    ):
        assert_same(disturbed.decode(frame), calm.decode(frame))
    assert disturbed.audio_format == calm.audio_format == AudioFormat("pcm16", 16000)
    assert disturbed.evicted_bytes == 0


def assert_same(one, other) -> None:
    assert one == other
    assert one.incomplete_sample == other.incomplete_sample


# ---- audio elsewhere


def test_audio_in_items_is_in_the_sessions_formats() -> None:
    both = session("session.created", input_audio_format="g711_ulaw", output_audio_format="g711_alaw")
    content = [
        {"type": "input_audio", "audio": b64(b"\x00\x80"), "transcript": "hi"},
        {"type": "output_audio", "audio": b64(b"\x2a\xaa")},
        {"type": "audio", "audio": b64(b"\xd5")},
        {"type": "input_text", "text": "hi"},
        {"type": "input_audio", "audio": None},
        {"type": "input_audio", "audio": ""},
    ]
    item = {"id": "i", "type": "message", "role": "user", "content": content}
    decoder = decoder_after(both)
    for wire in (
        "conversation.item.created",
        "conversation.item.added",
        "conversation.item.retrieved",
        "response.output_item.done",
    ):
        frame = dumps(type=wire, item=item)
        parts = decoder.decode(frame).item.content
        assert [None if part.pcm is None else part.pcm.tolist() for part in parts] == [
            [-32124, 32124],
            [-32256, 32256],
            [8],
            None,
            None,
            [],
        ]
        assert parts[0].pcm.dtype == np.int16 and parts[0].pcm is not parts[0].pcm
        # Without a session it is pcm16.
        assert rp.decode(frame).item.content[0].pcm.tolist() == [-32768]
    message = decoder.decode(dumps(type="response.done", response={"id": "r", "output": [item]}))
    assert message.response.output[0].content[1].pcm.tolist() == [-32256, 32256]
    part = decoder.decode(dumps(type="response.content_part.done", part=content[1]))
    assert part.part.pcm.tolist() == [-32256, 32256]


def test_audio_in_an_item_has_the_format_of_when_it_was_decoded() -> None:
    decoder = rp.Decoder()
    frame = dumps(type="conversation.item.created", item={"content": [{"type": "audio", "audio": b64(b"\x00\x80")}]})
    before = decoder.decode(frame)
    decoder.decode(session(output_audio_format="g711_ulaw"))
    after = decoder.decode(frame)
    for message in (after, copy.copy(after), copy.deepcopy(after), pickle.loads(pickle.dumps(after))):
        assert message.item.content[0].pcm.tolist() == [-32124, 32124]
    assert before.item.content[0].pcm.tolist() == [-32768]


def test_an_item_of_three_megabytes(tier: str) -> None:
    raw = np.random.default_rng(4).bytes(2_600_001)
    item = {"id": "i", "content": [{"type": "input_audio", "audio": b64(raw), "transcript": "x"}]}
    for frame in (
        dumps(type="conversation.item.created", item=item),
        dumps(item=item, type="conversation.item.created"),
    ):
        assert len(frame) > 3_400_000
        for message in (rp.decode(frame), rp.Decoder().decode(frame.decode())):
            assert message.item.content[0].pcm.tobytes() == raw[:-1]


@pytest.mark.parametrize("audio", ["AB*D", "ABC", "AB==C", "\u00e9AAA", "AAA\\", 7, [], {}, True])
def test_bad_audio_in_an_item_is_an_error_on_access(audio) -> None:
    message = rp.decode(dumps(type="conversation.item.created", item={"content": [{"type": "audio", "audio": audio}]}))
    part = message.item.content[0]
    for _ in range(2):
        with pytest.raises(rp.DecodeError) as caught:
            part.pcm  # noqa: B018
        assert caught.value.field == "audio"
    assert part.audio == audio


def test_an_item_whose_format_is_no_pcm_says_so() -> None:
    decoder = decoder_after(session(output_audio_format="mp3"))
    part = decoder.decode(
        dumps(type="conversation.item.created", item={"content": [{"type": "audio", "audio": "AAAA"}]})
    ).item.content[0]
    with pytest.raises(rp.DecodeError, match="'mp3'"):
        part.pcm  # noqa: B018


def test_what_the_user_says_is_a_stream_of_its_own() -> None:
    # A sideband connection of GPT-Live: both directions, none with ids.
    both = session(
        "session.started",
        **{
            "audio": {
                "input": {"format": {"type": "audio/pcmu"}},
                "output": {"format": {"type": "audio/pcm", "rate": 16000}},
            }
        },
    )
    decoder = decoder_after(both)
    heard = decoder.decode(dumps(type="session.input_audio.append", audio=b64(b"\x00\x80\xff")))
    assert isinstance(heard, messages.SessionInputAudioAppend)
    assert heard.pcm.tolist() == [-32124, 32124, 0] and heard.audio_format == ULAW
    assert heard.audio == heard.delta == b64(b"\x00\x80\xff") and heard.event_id is None
    said = decoder.decode(dumps(type="session.output_audio.delta", delta=b64(b"\x01\x02\x03")))
    assert (said.pcm.tolist(), said.sample_offset, said.audio_format) == ([0x0201], 0, AudioFormat("pcm16", 16000))
    heard = decoder.decode(dumps(type="session.input_audio.append", audio=b64(b"\x00")))
    assert (heard.pcm.tolist(), heard.sample_offset) == ([-32124], 3)
    said = decoder.decode(dumps(type="session.output_audio.delta", delta=b64(b"\x04")))
    assert (said.pcm.tolist(), said.sample_offset) == ([0x0403], 1)
    assert decoder.evicted_bytes == 0


def test_split_samples_of_both_directions() -> None:
    decoder = rp.Decoder()
    for n in range(4):
        heard = decoder.decode(dumps(type="session.input_audio.append", audio=b64(bytes([n]))))
        said = decoder.decode(dumps(type="session.output_audio.delta", delta=b64(bytes([16 + n]))))
        assert heard.pcm.tolist() == ([] if n % 2 == 0 else [n - 1 | n << 8])
        assert said.pcm.tolist() == ([] if n % 2 == 0 else [15 + n | 16 + n << 8])
        assert heard.sample_offset == said.sample_offset == n // 2


def test_video_is_bytes() -> None:
    raw = bytes(range(256)) * 40
    values = {"type": "response.video.delta", "event_id": "e", "output_index": 0, "codec": "h264", "delta": b64(raw)}
    for decoder in (
        rp.Decoder(),
        rp.Decoder(dtype="float32"),
        rp.Decoder(audio_format="mp3"),
        decoder_after(delta(b"\x01")),
    ):
        for order in (values, dict(reversed(values.items()))):
            message = decoder.decode(dumps(**order))
            assert message.data == raw and type(message.data) is bytes and message.codec == "h264"
        for nothing in ({"delta": None}, {}):
            assert decoder.decode(dumps(type="response.video.delta", **nothing)).data is None
        assert decoder.decode(dumps(type="response.video.delta", delta="")).data == b""
        with pytest.raises(rp.DecodeError, match="not base64"):
            decoder.decode(dumps(type="response.video.delta", delta="AB*D"))


def test_type_last_after_a_megabyte(tier: str) -> None:
    raw = np.random.default_rng(3).bytes(1_000_000)
    decoder = decoder_after(response("response.created", "r", output_audio_format="g711_ulaw"))
    ours = decoder.decode(dumps(delta=b64(raw), item_id="i", response_id="r", type="response.output_audio.delta"))
    assert ours.audio_format == ULAW and ours.pcm.size == len(raw)
    decoder = rp.Decoder()
    ours = decoder.decode(dumps(delta=b64(raw), item_id="i", type="response.output_audio.delta", sample_rate_hz=16000))
    assert ours.pcm.tobytes() == raw and ours.audio_format == AudioFormat("pcm16", 16000)
    ours = decoder.decode(dumps(delta=b64(raw[:11]), item_id="i", type="response.output_audio.delta"))
    assert ours.pcm.tobytes() == raw[:10] and ours.sample_offset == 500_000
    ours = decoder.decode(dumps(delta=b64(raw[:-1]), item_id="i", type="response.output_audio.delta"))
    assert ours.pcm.tobytes() == raw[10:11] + raw[:-1] and ours.sample_offset == 500_005


def test_formats_of_their_own_that_look_alike() -> None:
    """What the message before said is remembered; true is not 1, and 8000.0 is no rate."""
    decoder = rp.Decoder(dtype="uint8")
    rates = []
    for rate in ("8000", "8000", "8000.0", "true", "1", "true", "8000", '"8000"', "null", "[8000]", "16000"):
        frame = f'{{"type":"response.audio.delta","delta":"AAAA","sample_rate_hz":{rate}}}'
        rates.append(decoder.decode(frame).audio_format.rate)
    assert rates == [8000, 8000, 24000, 24000, 1, 24000, 8000, 24000, 24000, 24000, 16000]


def test_the_stream_that_goes_on_follows_every_change() -> None:
    """The short way for the next delta of a stream is left wherever something else holds for it."""
    pcm = base64.b64encode(bytes(range(8))).decode()

    def delta(item: str = "i", **own: object) -> str:
        return json.dumps({"type": "response.output_audio.delta", "response_id": "r", "item_id": item, "output_index": 0,
                           "content_index": 0, "delta": pcm, **own})  # fmt: skip

    def session(name: str) -> str:
        return json.dumps({"type": "session.updated", "session": {"audio": {"output": {"format": {"type": name}}}}})

    decoder = rp.Decoder()
    seen = []
    for frame in (delta(), delta(), session("audio/pcmu"), delta(), delta(), session("audio/pcm"), delta(), delta("j"), delta("j"),
                  delta(), delta(format="g711_alaw"), delta(), '{"type":"response.output_audio.delta","delta":"***"}', delta(),
                  '{"type":"session.created"}', delta(), delta()):  # fmt: skip
        try:
            message = decoder.decode(frame)
        except rp.DecodeError:
            continue
        if isinstance(message, rp.messages.AudioMessage):
            seen.append((message.audio_format.encoding, message.sample_offset, message.pcm.size))
    ulaw, alaw = "g711_ulaw", "g711_alaw"
    assert seen == [
        ("pcm16", 0, 4), ("pcm16", 4, 4), (ulaw, 8, 8), (ulaw, 16, 8), ("pcm16", 24, 4), ("pcm16", 0, 4), ("pcm16", 4, 4),
        ("pcm16", 28, 4), (alaw, 32, 8), ("pcm16", 40, 4), ("pcm16", 44, 4), ("pcm16", 0, 4), ("pcm16", 4, 4)]  # fmt: skip


def test_a_decoder_that_was_not_set_up_has_the_defaults() -> None:
    decoder = rp.Decoder.__new__(rp.Decoder)
    assert decoder.dtype == "int16" and decoder.audio_format == DEFAULT
    assert np.array_equal(decoder.decode(dumps(type="response.audio.delta", delta=b64(RAW))).pcm, PCM)


def test_a_decoder_set_up_anew_and_in_vain() -> None:
    decoder = rp.Decoder(dtype="float32")
    frame = dumps(type="response.audio.delta", delta=b64(RAW * 1000))
    for _ in range(3):
        for wrong in ({"dtype": "int16", "audio_format": 5}, {"dtype": "int8"}, {"dtype": "int16", "only": [3]}):
            with pytest.raises((TypeError, ValueError)):
                decoder.__init__(**wrong)
            message = decoder.decode(frame)
            assert decoder.dtype == "float32" and message.pcm.dtype == "float32" and message.pcm.size == 8000
    decoder.__init__(dtype="uint8")
    for offset in (0, 16000):
        message = decoder.decode(frame)
        assert message.pcm.tobytes() == RAW * 1000 and message.sample_offset == offset


def test_what_a_message_leaves_unsaid_is_the_sessions() -> None:
    """The format of a message that names none is that of the session itself, not one that was equal to it before."""
    ogg = "T2dnUwAC" + "AAAA" * 8
    silent = dumps(type="response.audio.delta", delta=ogg, format=None, sample_rate_hz=None)
    named = dumps(type="session.updated", session={"audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}}}})
    for warm in (False, True):
        decoder = rp.Decoder()
        if warm:
            decoder.decode(silent.replace(ogg.encode(), b"AAAA"))
        with pytest.raises(rp.DecodeError, match="ogg"):
            decoder.decode(silent)
        decoder.decode(named)
        assert decoder.decode(silent).pcm.size == 15
        decoder.decode(dumps(type="session.created"))
        with pytest.raises(rp.DecodeError, match="ogg"):
            decoder.decode(silent)
