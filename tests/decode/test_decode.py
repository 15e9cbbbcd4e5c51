"""One frame: its forms, its fields, its audio, whatever the order and spelling of its keys."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import numpy as np
import orjson
import pybase64
import pytest

import realtime_pcm as rp
from realtime_pcm import messages
from support import oracle

PCM = np.arange(-700, 700, dtype="<i2")
DELTA = {
    "type": "response.output_audio.delta",
    "event_id": "event_1",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "content_index": 0,
    "delta": base64.b64encode(PCM.tobytes()).decode(),
}


def dumps(values: dict, **options: Any) -> bytes:
    return json.dumps(values, separators=(",", ":"), **options).encode()


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, lambda frame: frame.decode()])
def test_forms_of_a_frame(form: Any, tier: str) -> None:
    message = rp.decode(form(dumps(DELTA)))
    assert isinstance(message, messages.ResponseAudioDelta)
    assert np.array_equal(message.pcm, PCM)
    assert message.pcm.dtype == np.int16 and message.pcm.ndim == 1
    assert message.pcm.flags.owndata and message.pcm.flags.writeable and message.pcm.base is None
    assert message.to_dict() == DELTA
    assert message.extra == {}
    assert message.delta == DELTA["delta"]


@pytest.mark.parametrize("frame", [None, 1, 1.5, ["{}"], object(), np.zeros(4, "u1")])
def test_a_frame_of_another_type_is_a_type_error(frame: Any) -> None:
    with pytest.raises(TypeError, match="a frame is bytes, str, bytearray or memoryview"):
        rp.decode(frame)
    with pytest.raises(TypeError):
        rp.Decoder().decode(frame)


def test_every_order_of_keys_gives_the_same(tier: str) -> None:
    keys = ["type", "delta", "response_id", "content_index", "event_id"]
    for order in itertools.permutations(keys):
        message = rp.decode(dumps({key: DELTA[key] for key in order}))
        assert np.array_equal(message.pcm, PCM)
        assert (message.response_id, message.content_index, message.event_id) == ("resp_1", 0, "event_1")
        assert message.item_id is None and message.output_index is None


@pytest.mark.parametrize("space", ["", " ", "\t", "\r\n", " \n\r\t "])
def test_white_space(space: str, tier: str) -> None:
    members = f"{space},{space}".join(f"{json.dumps(k)}{space}:{space}{json.dumps(v)}" for k, v in DELTA.items())
    message = rp.decode(f"{space}{{{space}{members}{space}}}{space}")
    assert np.array_equal(message.pcm, PCM) and message.event_id == "event_1"


BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def escape_all(text: str) -> str:
    return '"' + "".join(f"\\u{ord(character):04X}" for character in text) + '"'


def test_escaped_keys_type_and_payload(tier: str) -> None:
    frame = "{" + ",".join(f"{escape_all(k)}:{escape_all(v) if isinstance(v, str) else v}" for k, v in DELTA.items()) + "}"
    for given in (frame, frame.encode()):
        message = rp.decode(given)
        assert np.array_equal(message.pcm, PCM)
        assert message.response_id == "resp_1" and message.type == DELTA["type"]
        assert message.delta == DELTA["delta"]


@pytest.mark.parametrize(
    "spelled",
    [lambda t: t.replace("/", "\\/"), lambda t: t.replace("+", "\\u002B"), lambda t: t.replace("=", "\\u003d")],
    ids=["PHP", ".NET", "Gson"],
)
def test_base64_escaped_as_serialisers_do(spelled: Any, tier: str) -> None:
    pcm = np.frombuffer(np.random.default_rng(1).bytes(20_002), "<i2")
    payload = base64.b64encode(pcm.tobytes()).decode()
    assert all(symbol in payload for symbol in "/+=")
    frame = f'{{"type":"response.audio.delta","delta":"{spelled(payload)}","event_id":"e"}}'
    assert np.array_equal(rp.decode(frame).pcm, pcm)
    assert rp.decode(frame).delta == payload


@pytest.mark.parametrize("piece", [b"\\/", b'\\"', b"a\\n", b'{\\"key\\":\\"value\\"},', b"ABC\\/DE"])
def test_many_escapes_and_one_other_thing(piece: bytes, tier: str) -> None:
    """Long runs of escapes are walked in blocks: whatever stands at whichever place of them, as orjson has it."""
    run = piece * (360 // len(piece))
    others = [b"", b"x", b"\\", b"\\\\", b"\\u0041", b"\\uD83D\\uDE00", b"\\uD83D", b"\\x", b'"', b"\n", b"\xc3\xa9", b"\xff"]
    for at in range(280):
        for other in others:
            frame = b'{"type":"response.text.delta","delta":"' + run[:at] + other + run[at:] + b'"}'
            try:
                expected = orjson.loads(frame)["delta"]
            except orjson.JSONDecodeError:
                with pytest.raises(rp.DecodeError):
                    rp.decode(frame)
            else:
                assert rp.decode(frame).delta == expected, frame


@pytest.mark.parametrize("every", [1, 2, 5, 63, 64, 65])
def test_escaped_slashes_of_any_density(every: int, tier: str) -> None:
    """Payloads of all lengths around a block, a slash here and there; and one other thing among them."""
    generator = np.random.default_rng(every)
    for count in [*range(4, 300, 4), 1_020, 1_024, 1_028, 5_000]:
        symbols = generator.choice(list(BASE64), count)
        symbols[generator.integers(every) :: every] = "/"
        payload = "".join(symbols)
        escaped = payload.replace("/", "\\/")
        frame = f'{{"type":"response.audio.delta","delta":"{escaped}"}}'
        decoded = base64.b64decode(payload)
        assert rp.decode(frame, dtype="uint8").pcm.tobytes() == decoded
        at = int(generator.integers(len(escaped)))
        for other in ("\\u002B", "\\n", "*", "\\\\", "="):
            if escaped[at - 1 : at] == "\\":
                at -= 1
            wrong = frame.replace(escaped, escaped[:at] + other + escaped[at:])
            plain = orjson.loads(wrong)["delta"]
            try:
                given = pybase64.b64decode(plain, validate=True)
                canonical = pybase64.b64encode(given).decode() == plain
            except ValueError:
                canonical = False
            if not canonical:
                with pytest.raises(rp.DecodeError):
                    rp.decode(wrong, dtype="uint8")
            else:
                assert rp.decode(wrong, dtype="uint8").pcm.tobytes() == decoded


def test_the_last_of_duplicate_keys_wins(tier: str) -> None:
    good, bad = DELTA["delta"], "*"
    cases = {
        f'{{"type":"error","type":"response.audio.delta","delta":"{good}"}}': PCM,
        f'{{"type":"response.audio.delta","delta":"{bad}","delta":"{good}"}}': PCM,
        f'{{"delta":"{bad}","type":"response.audio.delta","delta":"{good}"}}': PCM,
        f'{{"delta":"{good}","type":"response.audio.delta","delta":null}}': PCM[:0],
        f'{{"type":"response.audio.delta","delta":"{good}","delta":""}}': PCM[:0],
        f'{{"type":"response.text.delta","delta":"{good}","type":"response.audio.delta"}}': PCM,
        f'{{"type":7,"delta":"{good}","type":"response.audio.delta"}}': PCM,
    }
    for frame, pcm in cases.items():
        message = rp.decode(frame)
        assert isinstance(message, messages.ResponseAudioDelta)
        assert np.array_equal(message.pcm, pcm), frame
        assert message.to_dict() == orjson.loads(frame)
    text = rp.decode(f'{{"type":"response.audio.delta","delta":"{bad}","type":"response.text.delta","event_id":"e"}}')
    assert isinstance(text, messages.ResponseTextDelta) and text.delta == bad
    with pytest.raises(rp.DecodeError, match="not base64"):
        rp.decode(f'{{"type":"response.audio.delta","delta":"{good}","delta":"{bad}"}}')


def test_more_members_before_type_than_are_remembered(tier: str) -> None:
    for count in (0, 1, 15, 16, 17, 18, 40):
        members = {f"k{i}": i for i in range(count)} | {key: DELTA[key] for key in reversed(DELTA)}
        message = rp.decode(dumps(members))
        assert np.array_equal(message.pcm, PCM), count
        assert message.item_id == "item_1" and message.event_id == "event_1"
        assert message.extra == {f"k{i}": i for i in range(count)}


@pytest.mark.parametrize("size", [*range(70), 127, 128, 129, 4095, 4096, 4097, 48_000, 61_440, 61_441, 200_001, 3_000_000])
def test_payload_sizes(size: int, tier: str) -> None:
    raw = np.random.default_rng(size).bytes(size)
    payload = base64.b64encode(raw).decode()
    for frame in (
        f'{{"type":"response.audio.delta","delta":"{payload}"}}',
        f'{{"delta":"{payload}","type":"response.audio.delta"}}',
        f'{{"type":"response.audio.delta","delta":"{payload}","content_index":0,"x":"{"y" * 30}"}}',
        f'{{"type":"response.audio.delta","delta":"{payload}","x":"{"y" * 2000}"}}',
    ):
        expected = oracle.decode(frame)
        message = rp.decode(frame.encode())
        assert message.pcm.tobytes() == expected.pcm.tobytes()
        assert message.pcm.size == size // 2
        assert message.incomplete_sample == expected.incomplete_sample == raw[size // 2 * 2 :]


@pytest.mark.parametrize("payload", ["null", '""'])
def test_no_audio(payload: str) -> None:
    message = rp.decode(f'{{"type":"response.audio.delta","delta":{payload}}}')
    assert message.pcm.shape == (0,) and message.pcm.dtype == np.int16
    assert message.delta == (None if payload == "null" else "")
    absent = rp.decode('{"type":"response.audio.delta"}')
    assert absent.pcm.shape == (0,) and absent.delta is None


NUMBERS = [
    "0",
    "-0",
    "1",
    "-1",
    "9",
    "10",
    "123456789012345678",
    "1234567890123456789",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "1" + "0" * 100,
    "-0.0",
    "0.1",
    "1e5",
    "1E+5",
    "1.5e-7",
    "5e-324",
    "1e-400",
    "1.7976931348623157e308",
    "123.456",
    "0e999999999999",
    "2.2250738585072011e-308",
    "9007199254740993",
    "-1e0",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_orjsons(number: str) -> None:
    frame = f'{{"type":"response.text.delta","content_index":{number}}}'
    expected = orjson.loads(frame)["content_index"]
    value = rp.decode(frame).content_index
    assert repr(value) == repr(expected) and type(value) is type(expected)


TEXTS = [
    "",
    "a",
    "ÿ",
    "Ā",
    "€",
    "\U0001f600",
    "\x00",
    '"\\/\b\f\n\r\t',
    "naïve café",
    "日本語" * 30,
    "a" * 15 + "é",
    "é" + "a" * 99,
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_texts(text: str, ascii_only: bool, tier: str) -> None:
    frame = json.dumps({"type": "response.text.delta", "delta": text}, ensure_ascii=ascii_only)
    for given in (frame, frame.encode()):
        message = rp.decode(given)
        assert message.delta == text
        assert message.frame == given
    # The string is of the narrowest kind, as the interpreter requires.
    assert message.delta.encode("utf-32") == text.encode("utf-32") and hash(message.delta) == hash(text)


CONTAINERS = [[], {}, [1, [2, {"a": None}]], {"a": {"b": []}}]


@pytest.mark.parametrize("value", [1, -2.5, True, False, "text", *CONTAINERS])
def test_declared_fields_of_another_type_are_handed_on(value: Any) -> None:
    frame = dumps({"type": "response.text.delta", "delta": value, "response_id": value, "event_id": value})
    message = rp.decode(frame)
    assert message.delta == value and message.response_id == value and message.event_id == value
    nested = rp.decode(dumps({"type": "response.done", "response": value}))
    assert (nested.response.raw if isinstance(value, dict) else nested.response) == value
    # What came flat before and after reads as before.
    assert rp.decode(dumps({"type": "response.text.delta", "delta": "x"})).delta == "x"
    for decoder in (rp.Decoder(), rp.Decoder(dtype="uint8")):
        message = decoder.decode(dumps(DELTA | {"item_id": value, "content_index": value}))
        assert np.array_equal(message.pcm.view("<i2"), PCM) and message.item_id == value


@pytest.mark.parametrize("value", [1, True, [], {}, 1.5])
def test_a_payload_of_another_type_is_refused(value: Any) -> None:
    frame = dumps({"type": "response.audio.delta", "delta": value})
    with pytest.raises(rp.DecodeError, match="expected a base64 string or null") as caught:
        rp.decode(frame)
    assert caught.value.field == "delta" and caught.value.position == frame.index(b'"delta":') + 8


def test_unknown_types_lose_nothing() -> None:
    values = {"type": "some.new.thing", "event_id": "e", "n": 1, "deep": {"a": [1, 2]}, "delta": "***"}
    message = rp.decode(dumps(values))
    assert type(message) is messages.UnknownMessage
    assert message.type == "some.new.thing" and message.event_id == "e"
    assert message.to_dict() == values
    assert message.extra == {key: values[key] for key in ("n", "deep", "delta")}
    assert "some.new.thing" in repr(message)
    long = rp.decode(dumps({"type": "x" * 5000}))
    assert long.type == "x" * 5000
    assert rp.decode('{"type":""}').type == ""
    assert rp.decode('{"type":"é\\u0000"}').type == "é\x00"


def test_frames_that_change_later_do_not_matter() -> None:
    frame = bytearray(dumps(DELTA))
    view = rp.decode(memoryview(frame))
    message = rp.decode(frame)
    frame[:] = b"x" * len(frame)
    for decoded in (view, message):
        assert decoded.to_dict() == DELTA and decoded.delta == DELTA["delta"] and np.array_equal(decoded.pcm, PCM)
        assert type(decoded.frame) is bytes


def test_decode_takes_a_format_and_a_dtype() -> None:
    payload = base64.b64encode(bytes([0, 0x80, 0x7F, 0xFF])).decode()
    frame = f'{{"type":"response.audio.delta","delta":"{payload}"}}'
    assert rp.decode(frame, dtype="uint8").pcm.tolist() == [0, 0x80, 0x7F, 0xFF]
    mu_law = rp.decode(frame, audio_format="g711_ulaw")
    assert mu_law.pcm.tolist() == [-32124, 32124, 0, 0]
    assert mu_law.audio_format == rp.AudioFormat("g711_ulaw", 8000)
    assert rp.decode(frame, dtype="float32", audio_format="pcm16").pcm.dtype == np.float32
    with pytest.raises(ValueError):
        rp.decode(frame, dtype="int32")
    with pytest.raises(TypeError):
        rp.decode(frame, audio_format=7)


def test_a_type_behind_the_payload_may_be_another_than_before(tier: str) -> None:
    """What was decoded as the type of the message before is that of this one, or decoded anew."""
    decoder = rp.Decoder()
    payload = DELTA["delta"]
    out = np.zeros(2 * PCM.size, "<i2")
    kinds = ["response.audio.delta", "response.text.delta", "response.audio.delta", "no.such.type", "response.video.delta",
             "response.output_audio.delta", "response.done", "response.audio.delta"]  # fmt: skip
    for first in kinds:
        for second in kinds:
            for shuffled in itertools.permutations(("delta", "type", "item_id")):
                for kind in (first, second, second):
                    values = {"delta": payload, "type": kind, "item_id": "i"}
                    frame = dumps({key: values[key] for key in shuffled})
                    out[:] = 7
                    for message in (decoder.decode(frame), rp.decode(frame), decoder.decode(frame, out)):
                        assert message.type == kind and message.to_dict() == values
                        if isinstance(message, messages.AudioMessage):
                            assert np.array_equal(message.pcm, PCM)
                    assert isinstance(message, messages.AudioMessage) or (out == 7).all()
    for kind in kinds:
        decoder.decode(dumps({"type": "response.audio.delta", "delta": payload}))
        for wrong in ("", ',"type":7', ',"type":null', f',"type":"{kind}"}}{{', f',"type":"{kind}",'):
            with pytest.raises(rp.DecodeError):
                decoder.decode(f'{{"delta":"{payload}"{wrong}}}')
