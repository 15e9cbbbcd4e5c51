"""`only=`: what is left out is followed all the same. `out=`: samples into the caller's memory, or nothing."""

from __future__ import annotations

import base64
import json
import mmap
import time

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, messages

RAW = np.arange(-8, 8, dtype="<i2").tobytes()
AUDIO = "response.output_audio.delta"
DTYPES = {"int16": 2, "float32": 2, "uint8": 1}  # payload bytes a sample of pcm16


def dumps(**values) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def delta(raw: bytes = RAW, wire: str = AUDIO, **values) -> bytes:
    return dumps(type=wire, **values, delta=b64(raw))


def session(name: str, kind: str = "session.updated") -> bytes:
    return dumps(type=kind, session={"output_audio_format": name})


# ---- only=

FRAMES = {
    "session.created": session("pcm16", "session.created"),
    "response.output_audio.delta": delta(),
    "response.audio.delta": delta(wire="response.audio.delta"),
    "session.output_audio.delta": delta(wire="session.output_audio.delta"),
    "session.input_audio.append": dumps(type="session.input_audio.append", audio=b64(RAW)),
    "response.output_audio.done": dumps(type="response.output_audio.done"),
    "response.audio.done": dumps(type="response.audio.done"),
    "response.done": dumps(type="response.done", response={}),
    "response.output_text.delta": dumps(type="response.output_text.delta", delta="x"),
    "response.video.delta": dumps(type="response.video.delta", delta=b64(RAW)),
    "error": dumps(type="error", error={}),
    "private.one": dumps(type="private.one", n=1),
    "private.two": dumps(type="private.two"),
}
AUDIO_NAMES = {
    "response.output_audio.delta",
    "response.audio.delta",
    "session.output_audio.delta",
    "session.input_audio.append",
}
DELTAS = {"response.output_audio.delta", "response.audio.delta"}
PRIVATE = {"private.one", "private.two"}
ENDS = {"response.output_audio.done", "response.audio.done", "response.done"}
CHOICES = [
    ([], set()),
    ((), set()),
    ("error", {"error"}),
    (["error", "response.audio.delta"], {"error", "response.audio.delta"}),
    ({"no.such.type"}, set()),
    (messages.Error, {"error"}),
    (messages.ResponseAudioDelta, DELTAS),
    ([messages.ResponseAudioDelta, "session.created"], DELTAS | {"session.created"}),
    (messages.AudioMessage, AUDIO_NAMES),
    (messages.AudioEnd, ENDS),
    (messages.UnknownMessage, PRIVATE),
    (["private.one"], {"private.one"}),
    (["private.one", messages.UnknownMessage], PRIVATE),
    (messages.RealtimeServerMessage, set(FRAMES)),
    (frozenset(["error"]), {"error"}),
]


@pytest.mark.parametrize(("only", "wanted"), CHOICES, ids=range(len(CHOICES)))
def test_only_what_is_named_is_built(only, wanted: set[str], tier: str) -> None:
    decoder = rp.Decoder(only=only)
    for _ in range(2):
        for name, frame in FRAMES.items():
            values = json.loads(frame)
            # In other places, and escaped, `type` is the same.
            last = dumps(**dict(reversed(values.items())))
            escaped = frame.replace(name.encode(), b"\\u%04x" % ord(name[0]) + name[1:].encode(), 1)
            for given in (frame, last, escaped, frame.decode()):
                message = decoder.decode(given)
                if name in wanted:
                    assert message.type == name and message.to_dict() == values
                else:
                    assert message is None, name


@pytest.mark.parametrize("only", [[7], [None], [int], [rp.objects.SessionConfig], 7])
def test_only_takes_names_and_classes(only) -> None:
    with pytest.raises(TypeError):
        rp.Decoder(only=only)


def test_only_everything_is_no_only() -> None:
    assert rp.Decoder(only=None).decode(FRAMES["private.one"]).type == "private.one"


def test_a_stream_leaves_out_what_only_does() -> None:
    found = list(rp.decode_stream(list(FRAMES.values()), only=[messages.AudioEnd]))
    assert [message.type for message in found] == [name for name in FRAMES if name in ENDS]


MALFORMED = {
    "error": (
        dumps(type="error", error={})[:-1],
        b'{"type":"error","error":{"a":NaN}}',
        b'{"type":"error","x":"\xff"}',
        b'{"type":"error"}}',
    ),
    AUDIO: (delta()[:-1], delta() + b",", b'{"type":"response.output_audio.delta","delta":"AAAA","x":01}'),
    "private.one": (b'{"type":"private.one","n":1e400}', b'{"type":"private.one","n":"\\x"}'),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_left_out_is_validated_as_json(name: str, tier: str) -> None:
    for frame in MALFORMED[name]:
        errors = []
        for decoder in (rp.Decoder(only="session.created"), rp.Decoder()):
            with pytest.raises(rp.DecodeError) as caught:
                decoder.decode(frame)
            errors.append((caught.value.reason, caught.value.position, caught.value.message_type, caught.value.field))
        assert errors[0] == errors[1]
    # As JSON, no further: its payload is not looked at.
    for payload in (7, [], "AB*D", "ABC"):
        assert rp.Decoder(only="error").decode(dumps(type=AUDIO, delta=payload)) is None
        assert rp.Decoder(only="error").decode(dumps(type="response.video.delta", delta=payload)) is None
    with pytest.raises(rp.DecodeError):
        rp.Decoder(only="error").decode(b'{"type":7}')
    with pytest.raises(rp.DecodeError):
        rp.Decoder(only="error").decode(b"[]")


# Frames that move a session, in an order that makes each matter to the next.
MOVES = [
    session("pcm16", "session.created"),
    delta(RAW[:3], response_id="r", item_id="i"),
    delta(RAW[3:8], response_id="r", item_id="i"),
    delta(RAW[:5], response_id="r", item_id="j"),
    dumps(type=AUDIO, response_id="r", item_id="j"),
    dumps(type=AUDIO, response_id="r", item_id="j", delta=None),
    delta(b"", response_id="r", item_id="j"),
    dumps(delta=b64(RAW[5:10]), item_id="j", response_id="r", type=AUDIO),
    dumps(type="response.created", response={"id": "u", "output_audio_format": "g711_ulaw"}),
    delta(RAW[:7], response_id="u"),
    delta(RAW[:7], response_id="u", format="pcm16", sample_rate_hz=16000),
    delta(RAW[:7], response_id="v", format="g711_alaw"),
    dumps(type="session.output_audio.delta", delta=b64(RAW[:5]), sample_rate=48000, channels=2, format="pcm16"),
    dumps(type="session.input_audio.append", audio=b64(RAW[:3])),
    session("g711_alaw"),
    delta(RAW[:5], response_id="w"),
    dumps(type=AUDIO, response_id="w", audio=b64(RAW[14:])).replace(b"A", b"\\u0041"),
    session("pcm16"),
    dumps(type="response.output_audio.done", response_id="r", item_id="i"),
    delta(RAW[:2], response_id="r", item_id="i"),
    dumps(type="response.done", response={"id": "r", "status": "cancelled"}),
    delta(RAW[:2], response_id="r", item_id="j"),
]
LATER = [
    delta(RAW[:5], response_id="r", item_id="i"),
    delta(RAW[:5], response_id="r", item_id="j"),
    delta(RAW[:5], response_id="u"),
    delta(RAW[:5], response_id="v"),
    delta(RAW[:5], response_id="w"),
    delta(RAW[:5], wire="session.output_audio.delta"),
    dumps(type="session.input_audio.append", audio=b64(RAW[:5])),
    dumps(type="conversation.item.created", item={"content": [{"type": "audio", "audio": b64(RAW)}]}),
    *(dumps(type="response.done", response={"id": name}) for name in "ruvw"),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_left_out_moves_the_state_all_the_same(dtype: str, tier: str) -> None:
    for cut in range(len(MOVES) + 1):
        following, whole = rp.Decoder(dtype=dtype, only=["no.such.type"]), rp.Decoder(dtype=dtype)
        for frame in MOVES[:cut]:
            assert following.decode(frame) is None
            whole.decode(frame)
        assert following.audio_format == whole.audio_format
        assert following.evicted_bytes == whole.evicted_bytes
        # From here on all are wanted: a decoder's `only` does not change, so each of these is asked of a fresh one.
        for frame in LATER:
            only_it = rp.Decoder(dtype=dtype, only=json.loads(frame)["type"])
            for moved in MOVES[:cut]:
                only_it.decode(moved)
            mixed = rp.Decoder(dtype=dtype)
            for moved in MOVES[:cut]:
                mixed.decode(moved)
            one, other = only_it.decode(frame), mixed.decode(frame)
            assert one == other and getattr(one, "incomplete_sample", None) == getattr(other, "incomplete_sample", None)


def test_left_out_streams_are_bounded_too() -> None:
    decoder = rp.Decoder(only="error")
    for number in range(1024 + 50):
        assert decoder.decode(delta(RAW[:3], response_id="r", item_id=f"i{number}")) is None
    assert decoder.evicted_bytes == 50


@pytest.mark.parametrize("size", [12_000, 55_200, 3_000_000])
def test_leaving_out_is_cheaper_than_decoding(size: int) -> None:
    frame = delta(bytes(size), response_id="r", item_id="i")
    count = max(20, 4_000_000 // size)

    def seconds(decoder: rp.Decoder) -> float:
        start = time.perf_counter()
        for _ in range(count):
            decoder.decode(frame)
        return time.perf_counter() - start

    # By 1.1 to 4, by size and tier; no more is asserted than must hold on a busy machine.
    pairs = [(seconds(left_out), seconds(built)) for left_out, built in [(rp.Decoder(only="error"), rp.Decoder())] * 15]
    assert min(pair[0] for pair in pairs) < 1.05 * min(pair[1] for pair in pairs)


# ---- out=


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("raw", [b"", RAW[:1], RAW[:2], RAW[:7], RAW, bytes(range(256)) * 300])
def test_samples_go_into_out(dtype: str, raw: bytes, tier: str) -> None:
    expected = rp.decode(delta(raw), dtype=dtype).pcm
    for room in (expected.size, expected.size + 1, 2 * len(raw) + 100):
        for values in ({"type": AUDIO, "delta": b64(raw)}, {"delta": b64(raw), "type": AUDIO}):
            out = np.full(room, 77, dtype)
            message = rp.Decoder(dtype=dtype).decode(dumps(**values), out)
            assert np.array_equal(message.pcm, expected) and message.pcm.dtype == expected.dtype
            assert message.pcm.shape == expected.shape
            assert (out[expected.size :] == 77).all()
            assert np.array_equal(out[: expected.size], expected)
            if expected.size:
                assert np.shares_memory(message.pcm, out)
                out[0] = 5
                assert message.pcm[0] == 5
                assert message.pcm.ctypes.data == out.ctypes.data


def test_out_may_be_any_c_contiguous_array() -> None:
    expected = np.frombuffer(RAW, "<i2")
    memory = mmap.mmap(-1, 4096)
    big = np.zeros((4, 100), np.int16)
    arrays = [
        np.zeros((4, 8), np.int16),
        np.frombuffer(memory, np.int16),
        np.frombuffer(bytearray(200), np.int16),
        big[1],
        big[1:3],
        np.zeros(100, np.int16)[10:90],
        np.zeros(40, np.int16).view(np.recarray),
        np.zeros((1, 40), np.int16).view(np.matrix),
    ]
    decoder = rp.Decoder()
    for number, out in enumerate(arrays):
        message = decoder.decode(delta(), out)
        assert message.pcm.ndim == 1 and np.array_equal(message.pcm, expected)
        assert np.shares_memory(message.pcm, out) and message.sample_offset == 16 * number
        assert np.array_equal(np.asarray(out).reshape(-1)[:16], expected)
    assert not big[0].any() and not big[3].any()
    del message, arrays, out


def test_the_byte_before_goes_into_out_too(tier: str) -> None:
    decoder = rp.Decoder()
    out = np.zeros(16, np.int16)
    assert decoder.decode(delta(RAW[:3]), out).pcm.tolist() == [-8]
    message = decoder.decode(delta(RAW[3:]), out[:15])
    assert message.pcm.tolist() == list(range(-7, 8)) and message.sample_offset == 1
    assert out[15] == 0


READ_ONLY = np.zeros(100, np.int16)
READ_ONLY.flags.writeable = False
MISALIGNED = np.zeros(201, np.uint8)[1:].view(np.int16)
UNFIT = {
    "too small": np.full(15, 77, np.int16),
    "empty": np.zeros(0, np.int16),
    "uint16": np.full(100, 77, np.uint16),
    "int32": np.full(100, 77, np.int32),
    "float32": np.full(100, 77, np.float32),
    "uint8": np.full(100, 77, np.uint8),
    "object": np.full(100, None),
    "big endian": np.full(100, 77, ">i2"),
    "every other": np.full(100, 77, np.int16)[::2],
    "reversed": np.full(100, 77, np.int16)[::-1],
    "fortran": np.asfortranarray(np.full((10, 10), 77, np.int16)),
    "column": np.full((100, 2), 77, np.int16)[:, 0],
    "broadcast": np.broadcast_to(np.int16(77), 100),
    "read-only": READ_ONLY,
    "misaligned": MISALIGNED,
    "no array": bytearray(200),
    "a list": [0] * 100,
    "a memoryview": memoryview(bytearray(200)).cast("h"),
}


@pytest.mark.parametrize("unfit", UNFIT)
@pytest.mark.parametrize("carry", [True, False])
def test_an_unfit_out_is_refused_and_all_is_as_before(unfit: str, carry: bool, tier: str) -> None:
    out = UNFIT[unfit]
    before = bytes(out) if not isinstance(out, (np.ndarray, list)) else np.array(out).tobytes()
    decoder = rp.Decoder()
    decoder.decode(session("pcm16", "session.created"))
    decoder.decode(delta(RAW[:3] if carry else RAW[:2], response_id="r"))
    frames = [
        delta(RAW, response_id="r"),
        dumps(delta=b64(RAW), response_id="r", type=AUDIO),
        delta(RAW, response_id="r").replace(b"/", b"\\/"),
    ]
    for frame in frames:
        with pytest.raises(ValueError) as caught:
            decoder.decode(frame, out)
        assert type(caught.value) is ValueError and "out" in str(caught.value)
        after = bytes(out) if not isinstance(out, (np.ndarray, list)) else np.array(out).tobytes()
        assert before == after
    message = decoder.decode(delta(RAW, response_id="r"))
    assert message.sample_offset == 1
    expected = (RAW[2:3] + RAW)[:32] if carry else RAW
    assert message.pcm.tobytes() == expected


LATE = {
    # Payload first, and then a format of half the bytes a sample: what looked large enough is not.
    "the message says so behind its payload": ([], dumps(type=AUDIO, delta=b64(RAW), format="g711_ulaw")),
    "the response is named behind its payload": (
        [
            dumps(type="response.created", response={"id": "u", "output_audio_format": "g711_ulaw"}),
            delta(RAW, response_id="r"),
        ],
        dumps(type=AUDIO, delta=b64(RAW), response_id="u"),
    ),
    "the session has changed": ([delta(RAW, response_id="r"), session("g711_alaw")], delta(RAW, response_id="u")),
    "the payload comes twice": (
        [],
        b'{"type":"%s","delta":"%s","delta":"%s"}' % (AUDIO.encode(), b64(RAW).encode(), b64(bytes(64)).encode()),
    ),
    "a payload under either key": ([], dumps(type=AUDIO, audio=b64(RAW), delta=b64(bytes(64)))),
}


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_nothing_is_written_before_out_is_known_to_be_large_enough(late: str, dtype: str, tier: str) -> None:
    frames, frame = LATE[late]
    decoder, calm = rp.Decoder(dtype=dtype), rp.Decoder(dtype=dtype)
    for given in frames:
        decoder.decode(given)
        calm.decode(given)
    out = np.full(20, 77, dtype)
    with pytest.raises(ValueError, match="out holds 20 samples, the message has 32"):
        decoder.decode(frame, out)
    assert (out == 77).all()
    assert decoder.decode(frame, np.zeros(32, dtype)) == calm.decode(frame)


def test_out_beside_what_carries_no_audio() -> None:
    decoder = rp.Decoder()
    out = np.full(4, 77, np.int16)
    assert decoder.decode(dumps(type="error", error={}), out).type == "error"
    assert decoder.decode(dumps(type=AUDIO), out).pcm.size == 0
    assert decoder.decode(dumps(type="response.video.delta", delta=b64(RAW)), out).data == RAW
    only = rp.Decoder(only="error")
    assert only.decode(delta(), out) is None
    assert (out == 77).all()


def test_after_a_decode_error_out_serves_again(tier: str) -> None:
    decoder = rp.Decoder()
    out = np.zeros(16, np.int16)
    with pytest.raises(rp.DecodeError):
        decoder.decode(delta()[:-1], out)
    with pytest.raises(rp.DecodeError):
        decoder.decode(dumps(type=AUDIO, delta="A" * 41 + "*AA"), out)
    message = decoder.decode(delta(), out)
    assert message.pcm.tobytes() == RAW and message.sample_offset == 0


def test_formats_and_out(tier: str) -> None:
    decoder = rp.Decoder(audio_format="g711_ulaw")
    out = np.zeros(32, np.int16)
    message = decoder.decode(delta(), out)
    assert message.pcm.size == 32 and message.audio_format == AudioFormat("g711_ulaw", 8000)
    assert np.array_equal(out, rp.decode(delta(), audio_format="g711_ulaw").pcm)
