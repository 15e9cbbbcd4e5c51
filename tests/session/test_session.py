"""A decoder follows its session: streams and their offsets, refusals, audio in items, setting up."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, messages
from support.session_frames import DEFAULT, PCM, RAW, ULAW, b64, decoder_after, delta, done, dumps, nested, response, session

# ---- streams

KEYS: list[dict[str, Any]] = [
    {},
    {"response_id": "r"},
    {"item_id": "i"},
    {"response_id": "r", "item_id": "i"},
    {"response_id": "r", "item_id": "j", "content_index": 0},
    {"response_id": "s", "item_id": "i", "content_index": 1},
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
        # Later audio of an item goes on where that item stood: servers send audio after the done. Without an item nothing tells
        # it from new audio, which begins at 0.
        assert decoder.decode(delta(RAW[:4], **key)).sample_offset == (2 if "item_id" in key else 0)


@pytest.mark.parametrize("name", ["response_id", "item_id", "content_index"])
def test_absent_null_and_empty_ids_are_one(name: str) -> None:
    """LiteLLM sends "" where it knows no id."""
    ids = {"response_id": "r", "item_id": "i", "content_index": 0}
    del ids[name]
    decoder = rp.Decoder()
    for number, nothing in enumerate(({}, {name: None}, {name: ""}, {name: None}, {})):
        message = decoder.decode(delta(b"\x01\x02\x03\x04", **ids, **nothing))
        assert message.sample_offset == 2 * number
    assert decoder.decode(delta(b"\x05", **ids)).pcm.size == 0
    assert decoder.decode(done(**ids, **{name: ""})).incomplete_sample == b"\x05"


def test_a_content_index_that_counts_chunks_is_one_stream() -> None:
    """Hugging Face's speech-to-speech numbers the chunks of an item so. The samples that are split between them are whole."""
    raw = bytes(range(1, 200))
    decoder, heard, at = rp.Decoder(), b"", 0
    for index in range(0, len(raw), 11):
        message = decoder.decode(delta(raw[index : index + 11], response_id="r", item_id="i", content_index=index // 11))
        assert message.sample_offset == at
        at += message.pcm.size
        heard += message.pcm.tobytes()
    assert decoder.decode(done(response_id="r", item_id="i", content_index=index // 11)).incomplete_sample == raw[-1:]
    assert heard == raw[:-1]


def test_parts_of_an_item_with_a_done_between_them_are_streams_of_their_own() -> None:
    ids = {"response_id": "r", "item_id": "i"}
    decoder = decoder_after(delta(RAW[:4], **ids, content_index=0), done(**ids, content_index=0))
    assert decoder.decode(delta(RAW[:6], **ids, content_index=1)).sample_offset == 0
    # Audio of the first part comes late, and then the second part goes on.
    assert decoder.decode(delta(RAW[:2], **ids, content_index=0)).sample_offset == 2
    assert decoder.decode(delta(RAW[:2], **ids, content_index=1)).sample_offset == 3
    decoder.decode(response("response.done", "r"))
    assert [decoder.decode(delta(RAW[:2], **ids, content_index=index)).sample_offset for index in (0, 1)] == [0, 1]


@pytest.mark.parametrize("spelling", [1, 1.0, "1", "1.0", "1e0"])
def test_a_content_index_is_the_same_number_however_it_is_written(spelling: Any) -> None:
    ids = {"response_id": "r", "item_id": "i"}
    decoder = decoder_after(delta(RAW[:4], **ids, content_index=1), done(**ids, content_index=1))
    message = decoder.decode(delta(RAW[:4], **ids, content_index=spelling))
    assert message.sample_offset == 2 and message.content_index == spelling and type(message.content_index) is type(spelling)
    decoder.decode(done(**ids, content_index=spelling))
    assert decoder.decode(delta(RAW[:4], **ids, content_index=1.5)).sample_offset == 0


@pytest.mark.parametrize("wire", ["response.output_audio.done", "response.audio.done"])
def test_the_carry_shows_at_the_done_and_the_stream_goes_on(wire: str) -> None:
    decoder = decoder_after(delta(b"\x01\x02\x03", response_id="r", item_id="i"), delta(b"\x09", response_id="r", item_id="j"))
    end = decoder.decode(done(wire, response_id="r", item_id="i"))
    assert isinstance(end, messages.ResponseAudioDone) and end.incomplete_sample == b"\x03"
    # New audio of the item, without the byte that the done has handed out.
    again = decoder.decode(delta(b"\x05\x06", response_id="r", item_id="i"))
    assert (again.pcm.tolist(), again.sample_offset) == ([0x0605], 1)
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


def test_a_response_done_without_an_id_leaves_the_input_alone() -> None:
    decoder = rp.Decoder()
    append = '{"type":"session.input_audio.append","audio":"AAAAAAAA"}'
    decoder.decode(append)
    decoder.decode('{"type":"response.done","response":{}}')
    assert decoder.decode(append).sample_offset == 3


def test_xai_ends_a_response_beside_its_object() -> None:
    decoder = decoder_after(delta(b"\x01\x02\x03", response_id="r"))
    assert decoder.decode(dumps(type="response.done", response_id="r", response={})).incomplete_sample == b"\x03"


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


def assert_same(one: Any, other: Any) -> None:
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
def test_bad_audio_in_an_item_is_an_error_on_access(audio: Any) -> None:
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
        audio={
            "input": {"format": {"type": "audio/pcmu"}},
            "output": {"format": {"type": "audio/pcm", "rate": 16000}},
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
        decoder_after(session(output_audio_format="mp3")),
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


def test_the_stream_that_goes_on_follows_every_change() -> None:
    """The short way for the next delta of a stream is left wherever something else holds for it."""

    def speak(item: str = "i", **own: object) -> bytes:
        return delta(bytes(range(8)), response_id="r", item_id=item, output_index=0, content_index=0, **own)

    def named(name: str) -> bytes:
        return session(**nested({"type": name}))

    decoder = rp.Decoder()
    seen = []
    for frame in (speak(), speak(), named("audio/pcmu"), speak(), speak(), named("audio/pcm"), speak(), speak("j"), speak("j"),
                  speak(), speak(format="g711_alaw"), speak(), delta(b"").replace(b'""', b'"***"'), speak(),
                  dumps(type="session.created"), speak(), speak()):  # fmt: skip
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


# ---- setting up


def test_a_decoder_that_was_not_set_up_has_the_defaults() -> None:
    decoder = rp.Decoder.__new__(rp.Decoder)
    assert decoder.dtype == "int16" and decoder.audio_format == DEFAULT
    assert np.array_equal(decoder.decode(dumps(type="response.audio.delta", delta=b64(RAW))).pcm, PCM)


def test_a_decoder_is_set_up_once() -> None:
    """Another dtype or side in the middle of a session would change what its streams and arrays mean."""
    frame = dumps(type="response.audio.delta", delta=b64(RAW * 1000))
    made: Any = rp.Decoder(dtype="float32")
    used: Any = rp.Decoder.__new__(rp.Decoder)
    used.decode(frame)
    for decoder, dtype in ((made, "float32"), (used, "int16")):
        for _ in range(2):
            with pytest.raises(TypeError, match="called twice, or after a decode"):
                decoder.__init__(dtype="uint8")
            message = decoder.decode(frame)
            assert decoder.dtype == dtype and message.pcm.dtype == dtype and message.pcm.size == 8000


def test_an_option_that_is_refused_leaves_the_decoder_as_it_was() -> None:
    decoder: Any = rp.Decoder.__new__(rp.Decoder)
    for wrong in ({"dtype": "uint8", "audio_format": 5}, {"dtype": "int8"}, {"dtype": "uint8", "only": [3]}, {"session": 1}):
        with pytest.raises((TypeError, ValueError)):
            decoder.__init__(**wrong)
        assert (decoder.dtype, decoder.audio_format) == ("int16", DEFAULT)
    decoder.__init__(dtype="float32")
    assert decoder.dtype == "float32"
