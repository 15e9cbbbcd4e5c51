"""AudioEncoder: the frame is what json and the oracle's bytes say, on every tier; bad input is refused first."""

from __future__ import annotations

import array
import base64
import ctypes
import functools
import json
import math
import os
import threading
import warnings
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioEncoder, AudioFormat, messages
from realtime_pcm._core import ClientAudioMessage
from support.g711 import alaw_of, ulaw_of

RANDOM_ARRAYS = int(os.environ.get("REALTIME_PCM_ENCODED_ARRAYS", "300"))
LAWS = ("g711_ulaw", "g711_alaw")


class Spoken(ClientAudioMessage, role="input_audio"):
    type: Literal["test.spoken"] = "test.spoken"
    turn: int | None = None
    name: str | None = None
    pcm: np.ndarray = messages.payload("audio")


class Answered(messages.AudioMessage):
    type: Literal["test.answered", "test.answered.old"] = "test.answered"
    item_id: str | None = None
    pcm: np.ndarray = messages.payload("sound")


def payload_of(frame: str | bytes) -> bytes:
    return base64.b64decode(json.loads(frame)["audio"], validate=True)


def decoded(frame: str, **options: Any) -> Any:
    return rp.decode(frame, side="client", **options)


# ---- An oracle: exact, and slow


def rounded(value: float) -> int:
    """A float32 as int16: times 32768, half to even, saturated; NaN is 0."""
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return 32767 if value > 0 else -32768
    return max(-32768, min(32767, round(Fraction(value) * 32768)))


@functools.cache
def rounded_all(values: bytes) -> np.ndarray:
    return np.array([rounded(float(value)) for value in np.frombuffer(values, np.float32)], np.int16)


# ---- The text


def test_the_text_of_a_frame() -> None:
    pcm = np.array([1, -1, 256], np.int16)
    assert AudioEncoder(Spoken).encode(pcm) == '{"type":"test.spoken","audio":"AQD//wAB"}'
    assert AudioEncoder(Spoken).encode_bytes(pcm) == b'{"type":"test.spoken","audio":"AQD//wAB"}'
    encoder = AudioEncoder(Spoken, turn=3)
    assert encoder.encode(pcm) == '{"type":"test.spoken","turn":3,"audio":"AQD//wAB"}'
    assert encoder.encode(pcm, event_id="e", turn=None) == '{"type":"test.spoken","turn":null,"event_id":"e","audio":"AQD//wAB"}'
    assert AudioEncoder(Answered, item_id="i").encode(pcm) == '{"type":"test.answered","item_id":"i","sound":"AQD//wAB"}'
    assert AudioEncoder(Spoken).encode(b"") == '{"type":"test.spoken","audio":""}'
    assert repr(encoder) == "AudioEncoder(Spoken, audio_format=AudioFormat('pcm16', 24000))"
    assert encoder.message is Spoken and encoder.audio_format == AudioFormat("pcm16", 24000)


@pytest.mark.parametrize("value", [
    "", "plain", 'quo"te', "back\\slash", "\x00\x1f\x7f", "é", "Ω", "\u2028", "\ud7ff\ue000", "\U0001f600", "\U0010ffff",
    "x" * 5000 + "é", 0, -1, 2**100, True, False, None, 0.1, -2.5e-300, 1e22,
])  # fmt: skip
def test_fields_are_escaped_as_json_escapes_them(value: Any) -> None:
    frame = AudioEncoder(Spoken).encode(np.zeros(2, np.int16), name=value)
    assert frame == json.dumps({"type": "test.spoken", "name": value, "audio": "AAAAAA=="}, separators=(",", ":"))
    assert frame.isascii() and decoded(frame).name == value


# ---- Every sample


@pytest.mark.parametrize("encoding", ["pcm16", *LAWS])
def test_every_int16(encoding: str, tier: str) -> None:
    every = np.arange(-32768, 32768, dtype=np.int16)
    sent = payload_of(AudioEncoder(Spoken, audio_format=encoding).encode(every))
    if encoding == "pcm16":
        assert sent == every.astype("<i2").tobytes()
    else:
        law = ulaw_of if encoding == "g711_ulaw" else alaw_of
        assert list(sent) == [law(int(sample)) for sample in every]
    message = decoded(AudioEncoder(Spoken, audio_format=encoding).encode(every), audio_format=encoding)
    assert encoding != "pcm16" or np.array_equal(message.pcm, every)


@pytest.mark.parametrize("encoding", LAWS)
def test_every_code_comes_back(encoding: str, tier: str) -> None:
    codes = bytes(range(256))
    encoder = AudioEncoder(Spoken, audio_format=encoding)
    message = decoded(encoder.encode(codes), audio_format=encoding)
    for dtype in (np.int16, np.float32):
        samples = message.pcm if dtype is np.int16 else message.pcm / np.float32(32768)
        back = payload_of(encoder.encode(samples.astype(dtype)))
        # mu-law has two codes for zero, 0x7F and 0xFF; encoding gives 0xFF.
        assert back == codes if encoding == "g711_alaw" else back == codes.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize("encoding", ["pcm16", *LAWS])
def test_every_exponent_of_a_float(encoding: str, tier: str) -> None:
    mantissas = [0, 1, 2, 0x3FFFFF, 0x400000, 0x400001, 0x7FFFFE, 0x7FFFFF, *(1 << bit for bit in range(23))]
    bits = [sign << 31 | exponent << 23 | mantissa for sign in (0, 1) for exponent in range(256) for mantissa in mantissas]
    values = np.array(bits, np.uint32).view(np.float32)
    halves = np.arange(-65540, 65541, dtype=np.float64) / 2 / 32768
    everything = np.concatenate([values, halves.astype(np.float32), np.nextafter(halves.astype(np.float32), np.float32(9))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = rounded_all(everything.tobytes())
    sent = payload_of(AudioEncoder(Spoken, audio_format=encoding).encode(everything))
    assert sent == payload_of(AudioEncoder(Spoken, audio_format=encoding).encode(expected))
    assert encoding != "pcm16" or sent == expected.astype("<i2").tobytes()


def test_random_arrays_of_any_stride_and_byte_order(tier: str) -> None:
    random = np.random.default_rng(24_000)
    encoders = {name: AudioEncoder(Spoken, audio_format=name) for name in ("pcm16", *LAWS)}
    for _ in range(RANDOM_ARRAYS):
        base = random.integers(-32768, 32768, int(random.integers(1, 3000))).astype(np.int16)
        step = int(random.choice([1, 1, 2, 3, -1, -2, 7]))
        given: Any = base[int(random.integers(len(base))) :: step]
        if random.random() < 0.4:
            given = (given / np.float32(32768)).astype(np.float32)
        if random.random() < 0.3:
            given = given.astype(given.dtype.newbyteorder())
        if random.random() < 0.1:
            shifted = np.zeros(given.nbytes + 1, np.uint8)[1:].view(given.dtype)  # not aligned
            shifted[:] = given
            given = shifted
        name = str(random.choice(list(encoders)))
        plain = np.ascontiguousarray(given, given.dtype.newbyteorder("="))
        as_int = plain if plain.dtype == np.int16 else (plain * 32768).astype(np.int16)
        frame = encoders[name].encode(given)
        assert frame == encoders[name].encode(as_int.copy())
        assert frame == encoders[name].encode(payload_of(frame))
        if name == "pcm16":
            assert payload_of(frame) == as_int.astype("<i2").tobytes()
            assert np.array_equal(decoded(frame).pcm, as_int)


def test_repeated_and_broadcast_arrays(tier: str) -> None:
    encoder = AudioEncoder(Spoken)
    same = np.broadcast_to(np.int16(7), 5000)
    assert payload_of(encoder.encode(same)) == np.full(5000, 7, "<i2").tobytes()


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)])
def test_a_payload_as_it_is(make: Any, tier: str) -> None:
    for size in [*range(0, 200, 2), 4800, 600_000]:
        data = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
        assert payload_of(AudioEncoder(Spoken).encode(make(data))) == data


def test_other_encodings_take_their_bytes() -> None:
    encoder = AudioEncoder(Spoken, audio_format=AudioFormat("opus", 48000))
    assert payload_of(encoder.encode(b"\1\2\3")) == b"\1\2\3"
    with pytest.raises(ValueError, match=r"'opus' is neither PCM nor G\.711"):
        encoder.encode(np.zeros(3, np.int16))


# ---- The session's format


def test_the_format_of_a_session_as_it_stands() -> None:
    decoder = rp.Decoder()
    spoken, answered = AudioEncoder(Spoken, session=decoder.session), AudioEncoder(Answered, session=decoder.session)
    pcm = np.array([0, 1000, -1000], np.int16)
    assert len(payload_of(spoken.encode(pcm))) == 6
    decoder.decode(
        json.dumps(
            {"type": "session.updated", "session": {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_alaw"}}
        )
    )
    assert payload_of(spoken.encode(pcm)) == bytes(map(ulaw_of, (0, 1000, -1000)))
    assert base64.b64decode(json.loads(answered.encode(pcm))["sound"]) == bytes(map(alaw_of, (0, 1000, -1000)))
    assert (spoken.audio_format.encoding, answered.audio_format.encoding) == LAWS
    assert spoken.encode(pcm, rate=8000) == spoken.encode(pcm)
    with pytest.raises(ValueError, match="rate of 24000, the session 8000: wait until the session has settled"):
        spoken.encode(pcm, rate=24_000)
    with pytest.raises(ValueError, match="rate of 8000, the format 24000: resample them first"):
        AudioEncoder(Spoken).encode(pcm, rate=8000)


def test_encode_append() -> None:
    pcm = np.arange(480, dtype=np.int16)
    text = base64.b64encode(pcm.astype("<i2").tobytes()).decode()
    assert rp.encode_append(pcm) == '{"type":"input_audio_buffer.append","audio":"%s"}' % text
    assert json.loads(rp.encode_append(pcm, event_id='e"1')) == {
        "type": "input_audio_buffer.append",
        "event_id": 'e"1',
        "audio": text,
    }
    assert len(payload_of(rp.encode_append(pcm, audio_format="mulaw"))) == 480
    assert rp.encode_append(pcm, audio_format=AudioFormat("pcm16", 16000)) == rp.encode_append(pcm)
    with pytest.raises(ValueError, match="did you mean"):
        rp.encode_append(pcm, audio_format="pcm1")


# Buffers of samples that are no arrays, each with the array of the same samples.
TONE = np.sin(np.arange(480, dtype=np.float32) / 8) / 4
INTS = (TONE * 32767).astype(np.int16)
BUFFERS: dict[str, tuple[Any, Any]] = {
    "memoryview of float32": (memoryview(TONE), TONE),
    "array of f": (array.array("f", TONE.tolist()), TONE),
    "float of ctypes": ((ctypes.c_float * 480)(*TONE.tolist()), TONE),
    "memoryview of int16": (memoryview(INTS), INTS),
    "big endian": (memoryview(INTS.astype(">i2")), INTS),
    "every second": (memoryview(INTS)[::2], INTS[::2]),
    "backwards": (memoryview(TONE)[::-1], TONE[::-1]),
    "array of h": (array.array("h", INTS.tolist()), INTS),
    "int16 of ctypes": ((ctypes.c_int16 * 480)(*INTS.tolist()), INTS),
    "nothing": (array.array("f"), np.zeros(0, np.float32)),
}


@pytest.mark.parametrize("encoding", ["pcm16", *LAWS])
@pytest.mark.parametrize("name", BUFFERS)
def test_a_buffer_of_samples_is_converted_as_an_array_is(name: str, encoding: str) -> None:
    buffer, samples = BUFFERS[name]
    encoder = AudioEncoder(Spoken, audio_format=encoding)
    assert encoder.encode(buffer) == encoder.encode(samples)
    assert encoder.encode_bytes(buffer) == encoder.encode_bytes(samples)


def test_a_buffer_of_bytes_is_the_payload() -> None:
    data = INTS.tobytes()
    encoder = AudioEncoder(Spoken, audio_format="g711_ulaw")
    signed = np.frombuffer(data, np.int8)
    for given in (
        memoryview(data).cast("c"),
        memoryview(signed),
        memoryview(data).cast("B", (480, 2)),
        array.array("B", data),
        array.array("b", signed.tolist()),
        (ctypes.c_ubyte * 960)(*data),
        (ctypes.c_char * 960).from_buffer_copy(data),
        type("Bytes", (bytes,), {})(data),
    ):
        assert payload_of(encoder.encode(given)) == data


# ---- Bad input


@pytest.mark.parametrize(
    ("pcm", "error", "text"),
    [
        (np.zeros((2, 2), np.int16), ValueError, "one dimension"),
        (np.zeros(4, np.int32), TypeError, "not an array of int32"),
        (np.zeros(4, np.float64), TypeError, "not an array of float64"),
        (np.zeros(4, np.int8), TypeError, "not an array of int8"),
        (np.zeros(4, bool), TypeError, "not an array of bool"),
        (np.array(3, np.int16), ValueError, "one dimension"),
        (b"abc", ValueError, "3 bytes are odd"),
        (bytearray(5), ValueError, "5 bytes are odd"),
        ("text", TypeError, "1-D array of int16 or float32"),
        ([1, 2], TypeError, "1-D array of int16 or float32"),
        (None, TypeError, "1-D array of int16 or float32"),
        (memoryview(bytes(8))[::2], TypeError, "contiguous"),
        (memoryview(np.zeros(4)), TypeError, "not an array of float64"),
        (array.array("i", [1]), TypeError, "not an array of int32"),
        (memoryview(np.zeros(4, bool)), TypeError, "not an array of bool"),
        (memoryview(np.array([None])), TypeError, "not an array of object"),
        (memoryview(INTS).cast("B").cast("h", (240, 2)), ValueError, "one dimension"),
        ((ctypes.c_void_p * 2)(), TypeError, "1-D array of int16 or float32"),
        (ctypes.c_float(1), ValueError, "one dimension"),
        (np.float32(1), ValueError, "one dimension"),
    ],
)
def test_samples_that_cannot_be_encoded(pcm: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        AudioEncoder(Spoken).encode(pcm)


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"colour": 1}, TypeError, "no field 'colour'"),
        ({"audio": "AAAA"}, TypeError, "no field 'audio'"),
        ({"type": "x"}, TypeError, "no field 'type'"),
        ({"name": ["x"]}, TypeError, "name is a str, int, float, bool or None, not list"),
        ({"name": b"x"}, TypeError, "not bytes"),
        ({"name": math.nan}, ValueError, "JSON has no nan"),
        ({"name": -math.inf}, ValueError, "JSON has no -inf"),
        ({"name": "ab\ud800"}, ValueError, "the character at 2 is a lone surrogate"),
    ],
)
def test_fields_that_cannot_be_given(fields: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        AudioEncoder(Spoken).encode(b"", **fields)
    with pytest.raises(error, match=text):
        AudioEncoder(Spoken, **fields)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        ((messages.Error,), {}, TypeError, "a message class that has audio"),
        ((messages.AudioMessage,), {}, TypeError, "a message class that has audio"),
        ((messages.ResponseVideoDelta,), {}, TypeError, "a message class that has audio"),
        (("response.audio.delta",), {}, TypeError, "a message class that has audio"),
        ((Spoken,), {"audio_format": "pcm16", "session": rp.Session()}, TypeError, "not both"),
        ((Spoken,), {"session": rp.Decoder()}, TypeError, "takes a Session"),
        ((Spoken,), {"audio_format": 5}, TypeError, "audio_format"),
    ],
)
def test_encoders_that_cannot_be(arguments: Any, options: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        AudioEncoder(*arguments, **options)


def test_an_encoder_without_init() -> None:
    encoder = AudioEncoder.__new__(AudioEncoder)
    assert encoder.message is None
    with pytest.raises(TypeError):
        encoder.encode(b"")


def test_one_encoder_in_many_threads() -> None:
    decoder = rp.Decoder()
    encoder = AudioEncoder(Spoken, session=decoder.session)
    updates = [json.dumps({"type": "session.updated", "session": {"input_audio_format": name}}) for name in ("pcm16", *LAWS)]
    pcm = np.arange(-3000, 3000, dtype=np.int16)
    known = {encoder.encode(pcm) for frame in updates if decoder.decode(frame)}
    wrong: list[str] = []

    def work() -> None:
        for _ in range(300):
            frame = encoder.encode(pcm)
            if frame not in known:
                wrong.append(frame)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for turn in range(600):
        decoder.decode(updates[turn % 3])
    for thread in threads:
        thread.join(60)
    assert len(known) == 3 and not wrong


def test_where_audioop_differs() -> None:
    """audioop left Python in 3.13. Its mu-law differs from G.191 for 508 negative samples, its A-law nowhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    every = np.arange(-32768, 32768, dtype=np.int16)
    for name, theirs, count in (("g711_ulaw", audioop.lin2ulaw, 508), ("g711_alaw", audioop.lin2alaw, 0)):
        ours = np.frombuffer(payload_of(AudioEncoder(Spoken, audio_format=name).encode(every)), np.uint8)
        differ = every[ours != np.frombuffer(theirs(every.astype("<i2").tobytes(), 2), np.uint8)]
        assert len(differ) == count and (differ < 0).all()
