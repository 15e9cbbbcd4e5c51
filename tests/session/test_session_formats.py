"""The format of audio: who names it, by which names, and what it and the dtype make of a payload."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import orjson
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat
from support.session_frames import ALAW, DEFAULT, PCM, RAW, ULAW, b64, decoder_after, delta, dumps, nested, response, session

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
    "float32": AudioFormat("float32", 24000),
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
    nothing: object
    for nothing in (None, "not specified", "", {}, {"type": None}, [], 5, {"type": 7}):
        said = {"output_audio_format": "g711_ulaw", **nested(nothing)}
        assert decoder_after(session(**said)).audio_format == ULAW, nothing


@pytest.mark.parametrize(
    "nothing", [None, "", "not specified", 7, [], {}, {"type": "not specified"}, {"rate": None}, {"rate": "x"}]
)
@pytest.mark.parametrize("start", ["session.created", "session.updated"])
def test_what_says_nothing_changes_nothing(nothing: Any, start: str) -> None:
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


# However a server writes a whole number. JavaScript and Go write 16000.0 and 1.6e4, and some servers quote numbers.
SIXTEEN = ["16000", "16000.0", "1.6e4", "16e+3", "160000e-1", '"16000"', '"16000.0"', '"1.6e4"']


@pytest.mark.parametrize("rate", SIXTEEN)
def test_a_rate_is_the_same_number_however_it_is_written(rate: str) -> None:
    """24,000 Hz in its place would play 1.5 times too fast."""
    expected = AudioFormat("pcm16", 16000)
    for key in ("rate", "sample_rate"):
        said = (
            f'{{"type":"session.updated","session":{{"audio":{{"output":{{"format":{{"type":"audio/pcm","{key}":{rate}}}}}}}}}}}'
        )
        assert decoder_after(said.encode()).audio_format == expected
    for key in ("sample_rate", "input_audio_sampling_rate"):
        said = f'{{"type":"session.updated","session":{{"{key}":{rate}}}}}'
        assert decoder_after(said.encode()).input_audio_format == expected
    frame = f'{{"type":"response.audio.delta","delta":"AAAA","sample_rate_hz":{rate}}}'
    message = rp.decode(frame)
    assert message.audio_format == expected and message.sample_rate_hz == orjson.loads(rate)


@pytest.mark.parametrize("rate", [0, -1, 1.5, "16 kHz", "016000", "0x10", "", " 16000", True, [], 1 << 40, "1e400"])
def test_a_rate_that_is_none_is_not_taken(rate: Any) -> None:
    assert decoder_after(session(**nested({"type": "audio/pcm", "rate": rate}))).audio_format == DEFAULT


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        ({"output_audio_format": "mp3"}, "mp3"),
        ({"output_audio_format": 7}, "7"),
        (nested({"type": 7}), "7"),
        (nested({"type": "audio/pcm", "rate": "16 kHz"}), "16 kHz"),
        (nested({"type": "audio/pcm", "rate": 1.5}), "1.5"),
        (nested({"type": "audio/pcm", "channels": "two"}), "two"),
        ({"sample_rate": [16000]}, "[16000]"),
    ],
)
@pytest.mark.parametrize("only", [None, "error"])
def test_a_format_that_is_not_understood_is_said_once(
    said: dict[str, Any], doubt: str, only: Any, caplog: pytest.LogCaptureFixture
) -> None:
    frame = session(**said)
    decoder = rp.Decoder(only=only)
    shared = rp.Decoder(session=decoder.session)
    for _ in range(3):
        decoder.decode(frame)
        shared.decode(frame)
    told = [record.getMessage() for record in caplog.records if record.name == "realtime_pcm"]
    assert told == [f"session.updated names an audio format that is not understood: {doubt!r}; audio_format= forces one"]


def test_a_log_that_fails_keeps_no_message_from_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(logging.getLogger("realtime_pcm"), "warning", fails)
    assert rp.Decoder().decode(session(audio={"output": {"format": {"type": "audio/pcm", "rate": "fast"}}})).session is not None


def test_a_rate_of_a_delta_that_is_not_understood_is_said_too(caplog: pytest.LogCaptureFixture) -> None:
    decoder = rp.Decoder()
    for _ in range(3):
        assert decoder.decode(delta(sample_rate_hz="fast")).audio_format == DEFAULT
    assert [record.getMessage() for record in caplog.records] == [
        "response.output_audio.delta names an audio format that is not understood: 'fast'; audio_format= forces one"
    ]


@pytest.mark.parametrize(
    "said", [{}, {"output_audio_format": None}, {"output_audio_format": "not specified"}, nested({}), nested("")]
)
def test_nothing_is_said_of_a_format_that_is_not_named(said: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    decoder_after(session(**said)).decode(delta())
    assert not caplog.records


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


@pytest.mark.parametrize("rate", [None, 0, -1, "fast", 1.5, True, [], {}])
def test_a_rate_beside_that_is_none_changes_nothing(rate: Any) -> None:
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
        decoder_after(session(**said | {"input_audio_format": "g711_ulaw", "input_audio_sampling_rate": 8000})).input_audio_format
        == ULAW
    )


# ---- per response, per message, forced


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


def test_formats_of_responses_with_ids_of_any_length() -> None:
    """The session keeps the format of the last response apart from those of the others, and a long id among the others."""
    ids = ["r", "s", *("x" * length for length in range(38, 48)), "y" * 300, "z" * 256]
    decoder = rp.Decoder()
    said: dict[str, AudioFormat] = {}
    for first, second in ((ULAW, ALAW), (ALAW, ULAW)):
        for number, name in enumerate([*ids, "r", ids[-1], "s"]):
            said[name] = first if number % 2 else second
            decoder.decode(response("response.created", name, output_audio_format=said[name].encoding))
            for known in ids:
                assert decoder.decode(delta(response_id=known)).audio_format == said.get(known, DEFAULT)
    decoder.decode(session("session.created"))
    assert [decoder.decode(delta(response_id=known)).audio_format for known in ids] == [DEFAULT] * len(ids)


def test_a_response_beside_its_object() -> None:
    # xAI leaves `response` empty and names the response beside it.
    decoder = decoder_after(dumps(type="response.created", response_id="r1", response={"output_audio_format": "g711_ulaw"}))
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
    assert decoder.decode(dumps(type=wire, audio=b64(RAW), sample_rate_hz=16000)).audio_format == AudioFormat("g711_alaw", 16000)
    assert decoder.decode(dumps(type=wire, audio=b64(RAW), response_id="r1", sample_rate_hz=16000)).audio_format == AudioFormat(
        "g711_ulaw", 16000
    )
    assert decoder.decode(dumps(type=wire, audio=b64(RAW), format="s16le")).audio_format == DEFAULT
    translation = {"type": "session.output_audio.delta", "delta": b64(RAW)}
    assert decoder.decode(dumps(**translation, channels=2)).audio_format == AudioFormat("g711_alaw", 8000, 2)
    surprise: object
    for surprise in (None, [], {}, 7.5, True, -1, "", "not specified"):
        said: dict[str, object] = {"format": surprise, "sample_rate": surprise, "channels": surprise}
        message = decoder.decode(dumps(**translation, **said))
        assert message.audio_format == ALAW, surprise
        assert message.to_dict() == translation | said


@pytest.mark.parametrize("forced", ["g711_ulaw", ULAW, "audio/pcmu"])
def test_a_forced_format_is_over_all_that_is_said(forced: Any) -> None:
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


@pytest.mark.parametrize("name", [*NAMES, "webm"])
def test_uint8_hands_the_payload_through(name: str, tier: str) -> None:
    decoder = decoder_after(session(output_audio_format=name), dtype="uint8")
    offset = 0
    for raw in (bytes(range(256)), b"", b"\xff", RAW[:3], bytes(5001)):
        message = decoder.decode(delta(raw, response_id="r"))
        assert message.pcm.dtype == np.uint8 and message.pcm.tobytes() == raw
        assert message.audio_format == NAMES.get(name, AudioFormat("webm", 24000))
        # No carry, and offsets in bytes.
        assert message.sample_offset == offset and message.incomplete_sample == b""
        offset += len(raw)
    assert decoder.decode(dumps(type="response.output_audio.done", response_id="r")).incomplete_sample == b""
    assert decoder.evicted_bytes == 0


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("name", ["mp3", "opus", "webm", "audio/opus"])
def test_what_is_no_pcm_names_itself_and_the_way_out(name: str, dtype: str) -> None:
    frame = delta(b"ID3\x04whatever", response_id="r1")
    ways = [
        (decoder_after(session(output_audio_format=name), dtype=dtype), frame),
        (decoder_after(session(**nested({"type": name})), dtype=dtype), frame),
        (decoder_after(response("response.created", "r1", output_audio_format=name), dtype=dtype), frame),
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


def test_formats_of_their_own_that_look_alike() -> None:
    """What the message before said is remembered; true is not 1, and 8000.5 is no rate."""
    decoder = rp.Decoder(dtype="uint8")
    rates = []
    for rate in ("8000", "8000", "8000.5", "true", "1", "true", "8000", '"8000"', "null", "[8000]", "16000"):
        frame = f'{{"type":"response.audio.delta","delta":"AAAA","sample_rate_hz":{rate}}}'
        rates.append(decoder.decode(frame).audio_format.rate)
    assert rates == [8000, 8000, 24000, 24000, 1, 24000, 8000, 8000, 24000, 24000, 16000]


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


# ---- numbers that no format can have


@pytest.mark.parametrize("rate", [0, -1, 1 << 31, 1 << 40, 10**400])
def test_a_rate_that_a_caller_may_not_name(rate: int) -> None:
    with pytest.raises(ValueError, match="rate is a number from 1 to 2,147,483,647"):
        AudioFormat("pcm16", rate)


@pytest.mark.parametrize("channels", [0, -1, 256, 40_000, 1 << 20_000], ids=["0", "-1", "256", "40000", "huge"])
def test_channels_that_a_caller_may_not_name(channels: int) -> None:
    with pytest.raises(ValueError, match="channels is a number from 1 to 255"):
        AudioFormat("pcm16", 24_000, channels)


@pytest.mark.parametrize("channels", [256, 40_000, (1 << 31) - 1, 1 << 31, 1 << 62])
@pytest.mark.parametrize("name", ["audio/pcm", "g711_ulaw", "x" * 200])
def test_more_channels_than_a_format_may_have_are_refused_by_name(name: str, channels: int) -> None:
    named = session("session.updated", **nested({"type": name, "rate": 24_000, "channels": channels}))
    with pytest.raises(rp.DecodeError, match="of more than 255 channels") as refused:
        decoder_after(named).decode(delta(b"123456"))
    assert refused.value.field == "delta"
    with pytest.raises(rp.DecodeError, match="of more than 255 channels"):
        rp.decode(delta(b"123456", "session.output_audio.delta", format=name, channels=channels))
    raw = decoder_after(named, dtype="uint8")
    assert len(raw.decode(delta(b"123456")).pcm) == 6


@pytest.mark.parametrize("channels", [0, -5, True, "two", 1.5, 1e30, None, 255])
def test_channels_that_are_no_count_are_as_if_they_were_not_sent(channels: object) -> None:
    decoder = decoder_after(session("session.updated", **nested({"type": "audio/pcm", "rate": 24_000, "channels": channels})))
    assert decoder.audio_format == AudioFormat("pcm16", 24_000, 255 if channels == 255 else 1)
