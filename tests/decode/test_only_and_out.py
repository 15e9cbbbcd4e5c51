"""`only=`: what is left out is followed all the same. `out=`: samples into the caller's memory, or nothing."""

from __future__ import annotations

import base64
import ctypes
import itertools
import json
import mmap
import operator
import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, messages

RAW = np.arange(-8, 8, dtype="<i2").tobytes()
AUDIO = "response.output_audio.delta"
DTYPES = {"int16": 2, "float32": 2, "uint8": 1}  # payload bytes a sample of pcm16


def dumps(**values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def delta(raw: bytes = RAW, wire: str = AUDIO, **values: Any) -> bytes:
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
    (messages.Error, {"error"}),
    (messages.ResponseAudioDelta, DELTAS),
    ([messages.ResponseAudioDelta, "session.created"], DELTAS | {"session.created"}),
    (messages.AudioMessage, AUDIO_NAMES),
    (messages.AudioEnd, ENDS),
    (messages.UnknownMessage, PRIVATE),
    (["error", messages.UnknownMessage], PRIVATE | {"error"}),
    (messages.RealtimeServerMessage, set(FRAMES)),
    (frozenset(["error"]), {"error"}),
]


@pytest.mark.parametrize(("only", "wanted"), CHOICES, ids=range(len(CHOICES)))
def test_only_what_is_named_is_built(only: Any, wanted: set[str], tier: str) -> None:
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
def test_only_takes_names_and_classes(only: Any) -> None:
    with pytest.raises(TypeError):
        rp.Decoder(only=only)


@pytest.mark.parametrize(
    ("only", "text"),
    [
        ("response.output_audio.delt", "did you mean 'response.output_audio.delta'"),
        (["error", "private.one"], "only='private.one': no message class has this wire type"),
        ("", "no message class has this wire type"),
    ],
)
def test_a_name_that_no_class_has_is_refused(only: Any, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        rp.Decoder(only=only)
    assert text in str(caught.value) and "UnknownMessage" in str(caught.value)


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
    payload: object
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
        following, whole = rp.Decoder(dtype=dtype, only=[]), rp.Decoder(dtype=dtype)
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


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_first_delta_that_a_forced_decoder_leaves_out_may_go_on_from_a_stream_of_another(dtype: str) -> None:
    first = rp.Decoder(dtype=dtype)
    leaving_out = rp.Decoder(dtype=dtype, only="error", audio_format="pcm16", session=first.session)
    size = first.decode(delta()).pcm.size
    assert leaving_out.decode(delta()) is None
    assert first.decode(delta()).sample_offset == 2 * size


def test_a_decoder_of_a_session_leaves_out_what_it_was_told_to() -> None:
    decoder = rp.Decoder(only="error")
    assert decoder.decode('{"type":"x"}') is None
    assert rp.Decoder(session=decoder.session).decode('{"type":"x"}').type == "x"
    assert rp.Decoder(only=messages.UnknownMessage).decode('{"type":"x"}').type == "x"


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


def test_out_stays_as_it_was_where_a_later_type_makes_it_no_audio() -> None:
    """A frame may say its type twice: the last one counts, and what is no audio writes no samples."""
    for frame in (
        b'{"type":"response.audio.delta","delta":"%s","type":"error"}' % b64(RAW).encode(),
        b'{"delta":"%s","type":"response.audio.delta","type":"response.text.delta"}' % b64(RAW).encode(),
        b'{"type":"response.audio.delta","delta":"%s","x":1,"type":"response.video.delta"}' % b64(RAW).encode(),
    ):
        for size in (len(RAW) // 2, 1000):
            out = np.full(size, 7, np.int16)
            decoder = rp.Decoder()
            decoder.decode(delta(), np.empty(100, np.int16))
            message = decoder.decode(frame, out)
            assert not isinstance(message, messages.AudioMessage) and (out == 7).all()


# ---- only=: the same state as without it, whatever the frames hold


def mixed_frames(random: np.random.Generator, count: int) -> list[bytes]:
    """Frames of every kind that moves a session, with payloads that are absent, null, empty, odd, escaped or no PCM."""
    names = ["pcm16", "g711_ulaw", "g711_alaw", "mp3", "opus", "pcm16_8000hz"]
    made = []

    def pick(choices: list) -> object:
        return choices[random.integers(len(choices))]

    for _ in range(count):
        ids = {
            "response_id": pick(["r", "s", None, 5, "e\u00e9"]),
            "item_id": pick(["i", "j", True]),
            "content_index": pick([0, 1, None, 1.5]),
        }
        kind = random.integers(10)
        if kind < 6:
            wire = pick([AUDIO, AUDIO, "response.audio.delta", "session.output_audio.delta", "session.input_audio.append"])
            values = dict(ids) if random.random() < 0.9 else {}
            key = "audio" if wire == "session.input_audio.append" else "delta"
            payload = pick([b64(RAW[: random.integers(17)]), None, "", b64(RAW[:3]), "absent"])
            if payload != "absent":
                values[key] = payload
            if random.random() < 0.1:
                values["format"] = pick([*names, 3, None])
            frame = dumps(type=wire, **values)
            if random.random() < 0.1:
                frame = frame.replace(b"/", b"\\/").replace(b"A", b"\\u0041")
        elif kind == 6:
            frame = dumps(type=pick(["response.output_audio.done", "response.audio.done"]), **ids)
        elif kind == 7:
            response = {"id": ids["response_id"]} | ({"output_audio_format": pick(names)} if random.random() < 0.5 else {})
            frame = dumps(type=pick(["response.created", "response.done"]), response=response)
        elif kind == 8:
            frame = dumps(
                type=pick(["session.updated", "session.updated", "session.created"]),
                session={"output_audio_format": pick(names), "input_audio_format": pick(names)},
            )
        else:
            frame = dumps(type="error", error={"code": "c"})
        made.append(frame)
    return made


STEPS = int(os.environ.get("REALTIME_PCM_ONLY_FRAMES", "6000"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_whatever_is_left_out_the_state_is_the_same(dtype: str) -> None:
    """A decoder that leaves a random part out gives, for the rest, what one gives that builds all of it."""
    random = np.random.default_rng(int(os.environ.get("REALTIME_PCM_ONLY_SEED", "24000")))
    kinds = [
        AUDIO,
        "response.audio.delta",
        "session.output_audio.delta",
        "session.input_audio.append",
        "response.output_audio.done",
        "response.done",
        "session.updated",
        "response.created",
        "error",
    ]
    built = refused = 0
    for _ in range(max(1, STEPS // 60)):
        only = [kind for kind in kinds if random.random() < 0.4]
        part, whole = rp.Decoder(dtype=dtype, only=only), rp.Decoder(dtype=dtype)
        for frame in mixed_frames(random, 60):
            wanted = json.loads(frame)["type"] in only
            outcomes = []
            for decoder in (part, whole):
                try:
                    outcomes.append(decoder.decode(frame))
                except rp.DecodeError as error:
                    outcomes.append(str(error))
            if wanted:
                assert outcomes[0] == outcomes[1], frame
                built += 1
                refused += isinstance(outcomes[0], str)
            else:
                assert outcomes[0] is None
            assert (part.audio_format, part.input_audio_format, part.evicted_bytes) == (
                whole.audio_format,
                whole.input_audio_format,
                whole.evicted_bytes,
            ), frame
    assert built > STEPS / 8 and (dtype == "uint8" or refused > 20)


# ---- only=: a stream that gives nothing stands still for nobody


class Stop(Exception):
    pass


@pytest.mark.parametrize("size", [80, 20_000])
def test_signals_are_seen_while_nothing_is_built(size: int) -> None:
    """After a signal at most some 128 KiB are walked: counted in frames, not in time."""
    frame = delta(bytes(size))
    raise_it = ctypes.PyDLL(None)["raise"]  # in C, with the GIL: the handler runs when somebody looks for signals
    before, after = iter([frame] * 100), iter([frame] * 1_000_000)

    def stop(*_: object) -> None:
        raise Stop

    previous = signal.signal(signal.SIGUSR1, stop)
    try:
        source = itertools.chain(before, filter(None, map(raise_it, [signal.SIGUSR1])), after)
        with pytest.raises(Stop):
            next(rp.decode_stream(source, only="error"))
        walked = (1_000_000 - operator.length_hint(after)) * len(frame)
        assert 0 < walked < 300_000
        # Nothing is lost: the stream goes on.
        assert next(rp.decode_stream(itertools.chain(after, [dumps(type="error")]), only=messages.Error)).type == "error"
    finally:
        signal.signal(signal.SIGUSR1, previous)


@pytest.mark.slow
def test_other_threads_run_while_nothing_is_built() -> None:
    """A thread that only waits for the GIL gets it long before millions of frames are passed over."""
    frames = iter([delta()] * 20_000_000)
    seen: list[int] = []
    ready = threading.Barrier(2)

    def look() -> None:
        ready.wait()
        seen.append(operator.length_hint(frames))

    other = threading.Thread(target=look)
    other.start()
    stream = rp.decode_stream(itertools.islice(frames, 2_000_000), only="error")
    ready.wait()
    assert next(stream, None) is None
    left = operator.length_hint(frames)
    other.join()
    assert seen[0] > left
