"""Every refusal is a DecodeError that names what, where and in which message; the next frame decodes."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import pickle
import random
from typing import Any

import orjson
import pytest

import realtime_pcm as rp
from support import oracle

GOOD = b'{"type":"response.text.delta","event_id":"e","delta":"hello"}'

# frame, reason, position, message_type, field: JSON first, then root and type, then the payload
REFUSALS = [
    (b"", "empty frame", 0, None, None),
    (b"  \n", "empty frame", 3, None, None),
    (b"\xef\xbb\xbf{}", "byte order mark", 0, None, None),
    (b"\x00\x01\x02\x03", "binary frame, not JSON (raw audio is not decoded here)", 0, None, None),
    (b"1\x00\x01", "binary frame, not JSON (raw audio is not decoded here)", 1, None, None),
    (b"hello", "expected a JSON value", 0, None, None),
    (b"[1,2]", "expected a JSON object", 0, None, None),
    (b' "x"', "expected a JSON object", 1, None, None),
    (b"[1,2", "unexpected end of frame", 4, None, None),
    (b"null x", "bytes after the end of the JSON object", 5, None, None),
    (b"{}", 'no "type"', 1, None, None),
    (b'{"a":{"type":"x"}}', 'no "type"', 17, None, None),
    (b'{"type":1}', "expected a string", 8, None, "type"),
    (b'{"type":null}', "expected a string", 8, None, "type"),
    (b'{"type":"error","type":["x"]}', "expected a string", 23, None, "type"),
    (b'{"type":"error"', "unexpected end of frame", 15, "error", None),
    (b'{"type":"error"]', "expected ',' or the closing bracket", 15, "error", None),
    (b'{"type":"error",}', "expected a key in double quotes", 16, "error", None),
    (b'{"type":"error",x:1}', "expected a key in double quotes", 16, "error", None),
    (b'{"type":"error","x" 1}', "expected ':'", 20, "error", None),
    (b'{"type":"error","x":}', "expected a JSON value", 20, "error", "x"),
    (b'{"type":"error","x":NaN}', "expected a JSON value", 20, "error", "x"),
    (b'{"type":"error","x":nul}', "not a JSON literal", 23, "error", "x"),
    (b'{"type":"error","x":01}', "number with a leading zero", 21, "error", "x"),
    (b'{"type":"error","x":1.}', "not a JSON number", 22, "error", "x"),
    (b'{"type":"error","x":-}', "not a JSON number", 21, "error", "x"),
    (b'{"type":"error","x":1e400}', "number out of range of a double", 20, "error", "x"),
    (b'{"type":"error","x":"a\nb"}', "unescaped control byte in a string", 22, "error", "x"),
    (b'{"type":"error","x":"a\\x"}', "not a JSON escape", 22, "error", "x"),
    (b'{"type":"error","x":"\\ud800"}', "lone surrogate", 21, "error", "x"),
    # What is there decides, not how much follows.
    (b'{"type":"error","x":"\\u1"}', "not a JSON escape", 21, "error", "x"),
    (b'{"type":"error","x":"\\ud8', "unexpected end of frame", 25, "error", "x"),
    (b'{"type":"error","x":"\\ud800', "unexpected end of frame", 27, "error", "x"),
    (b'{"type":"error","x":"\\ud800\\', "unexpected end of frame", 28, "error", "x"),
    (b'{"type":"error","x":"\\ud800\\n"}', "lone surrogate", 21, "error", "x"),
    (b'{"type":"error","x":"\\ud800\\u1"}', "not a JSON escape", 27, "error", "x"),
    (b'{"type":"error","x":"a\xff"}', "not UTF-8", 22, "error", "x"),
    (b'{"type":"error","x":"\xed\xa0\x80"}', "not UTF-8", 21, "error", "x"),
    (b'{"type":"error","x":{"y":[1,}}', "expected a JSON value", 28, "error", "x"),
    (b'{"type":"error","\xc3":1}', "not UTF-8", 17, "error", None),
    (b'{"type":"error"} x', "bytes after the end of the JSON object", 17, "error", None),
    (b'{"type":"error"}{', "bytes after the end of the JSON object", 16, "error", None),
    (b'{"delta":"*","type":"response.audio.delta"', "unexpected end of frame", 42, "response.audio.delta", None),
    (b'{"type":"response.audio.delta","delta":"*","x":tru}', "not a JSON literal", 50, "response.audio.delta", "x"),
    (b'{"type":"response.audio.delta","delta":"*"}', "not base64", 40, "response.audio.delta", "delta"),
    (b'{"type":"response.audio.delta","delta":5}', "expected a base64 string or null", 39, "response.audio.delta", "delta"),
    (b'{"type":"response.audio.delta","audio":"A"}', "base64 ends inside a group of four", 41, "response.audio.delta", "audio"),
]


@pytest.mark.parametrize(("frame", "reason", "position", "message_type", "field"), REFUSALS)
def test_refusal(frame: bytes, reason: str, position: int, message_type: Any, field: Any, tier: str) -> None:
    forms = [frame, bytearray(frame)]
    with contextlib.suppress(UnicodeDecodeError):
        forms.append(frame.decode())
    decoder = rp.Decoder()
    for given in forms:
        with pytest.raises(rp.DecodeError) as caught:
            decoder.decode(given)
        error = caught.value
        assert (error.reason, error.position, error.message_type, error.field) == (reason, position, message_type, field)
        assert error.frame == given
        assert decoder.decode(GOOD).delta == "hello"


def test_every_refusal_is_the_oracles_too() -> None:
    for frame, *_ in REFUSALS:
        with pytest.raises(oracle.Refused):
            oracle.decode(frame)


def test_what_an_error_says() -> None:
    frame = b'{"type":"response.output_audio.delta","event_id":"e","delta":"AAAA*AAA"}'
    with pytest.raises(rp.DecodeError) as caught:
        rp.decode(frame)
    error = caught.value
    assert isinstance(error, ValueError)
    assert str(error) == "response.output_audio.delta: delta: not base64 at byte 66: '*'"
    assert "AAAA" not in str(error) and "AAAA" not in repr(error)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is rp.DecodeError and str(twin) == str(error)
        for name in ("reason", "position", "message_type", "field", "frame"):
            assert getattr(twin, name) == getattr(error, name)
    assert str(rp.DecodeError("not UTF-8", 1, None, None, b"\xff\xfe")) == "not UTF-8 at byte 1: 0xfe"
    assert str(rp.DecodeError("unexpected end of frame", 2, "a\nb", None, "é")) == "'a\\nb': unexpected end of frame at byte 2"


def test_positions_in_str_are_of_its_utf8() -> None:
    frame = '{"type":"error","x":"é日","y":tru}'
    with pytest.raises(rp.DecodeError) as caught:
        rp.decode(frame)
    assert caught.value.position == frame.encode().index(b"tru}") + 3


class Text(str):
    pass


@pytest.mark.parametrize("form", [str, Text])
def test_surrogates_in_str(form: Any) -> None:
    """UTF-8 cannot hold them; where JSON is at fault before, that counts."""
    frame = form('{"type":"error","x":"é\ud800"}')
    with pytest.raises(rp.DecodeError, match="lone surrogate at byte 23") as caught:
        rp.decode(frame)
    assert (caught.value.message_type, caught.value.field, caught.value.frame) == ("error", "x", frame)
    with pytest.raises(rp.DecodeError, match="expected a key in double quotes at byte 1"):
        rp.decode(form('{x "\ud800"}'))


ODD = ["=", "-", "_", " ", "\n", "*", "é", "\x7f", "\\", '"', "\x00", "\U0001f600"]


def payloads() -> list[str]:
    """Every short text over a small alphabet with padding, and long ones with one or two faults anywhere."""
    texts = ["".join(letters) for n in range(6) for letters in itertools.product("AQ/=", repeat=n)]
    rng = random.Random(20)
    for length in (4, 8, 60, 64, 68, 128, 252, 256, 260):
        for _ in range(60):
            text = rng.choices("ABCXYZabcxyz0189+/", k=length)
            for _ in range(rng.randrange(1, 3)):
                text[rng.randrange(length)] = rng.choice(ODD)
            texts.append("".join(text)[: length - rng.randrange(3)])
    return texts


def frames_with(payload: str) -> list[tuple[bytes, int]]:
    """Frames that hold the payload in different places, and where its text begins."""
    raw = json.dumps(payload, ensure_ascii=False).encode()
    heads = [
        (b'{"type":"response.audio.delta","delta":', b"}"),
        (b'{"delta":', b',"type":"response.audio.delta"}'),
        (b'{"event_id":"e","type":"response.audio.delta","delta":', b',"content_index":0,"x":"' + b"y" * 900 + b'"}'),
    ]
    return [(head + raw + tail, len(head) + 1) for head, tail in heads]


def test_positions_in_base64(tier: str) -> None:
    """The position is that of the first byte after which no canonical text is possible, in every order of keys."""
    seen = 0
    for payload in payloads():
        fault = oracle.base64_fault(payload)
        for frame, start in frames_with(payload):
            if fault is None:
                assert rp.decode(frame).delta == payload
                continue
            written = json.dumps(payload[:fault], ensure_ascii=False).encode()
            with pytest.raises(rp.DecodeError) as caught:
                rp.decode(frame)
            assert caught.value.position == start + len(written) - 2, payload
            assert caught.value.field == "delta"
            seen += 1
    assert seen > 1000


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("AAA", "base64 ends inside a group of four"),
        ("AA=", "base64 ends inside a group of four"),
        ("AB==", "base64 with set pad bits"),
        ("AAB=", "base64 with set pad bits"),
        ("AAA A", "white space in base64"),
        ("AA\nA", "white space in base64"),
        ("A-AA", "url-safe base64 letter"),
        ("AA_A", "url-safe base64 letter"),
        ("A=AA", "base64 padding out of place"),
        ("AAAA====", "base64 padding out of place"),
        ("=", "base64 padding out of place"),
        ("AA==AAAA", "base64 padding out of place"),
        ("AA=A", "base64 padding out of place"),
        ("AéAA", "not base64"),
    ],
)
def test_each_fault_of_base64_has_its_reason(payload: str, reason: str, tier: str) -> None:
    for frame, _ in frames_with(payload):
        with pytest.raises(rp.DecodeError) as caught:
            rp.decode(frame)
        assert caught.value.reason == reason


def check_against_oracle(frame: bytes) -> None:
    try:
        expected = oracle.decode(frame)
    except oracle.Refused:
        with pytest.raises(rp.DecodeError) as caught:
            rp.decode(frame)
        assert 0 <= caught.value.position <= len(frame)
    else:
        message = rp.decode(frame)
        assert message.to_dict() == expected.values
        if expected.payload is not None:
            assert message.pcm.tobytes() + message.incomplete_sample == expected.payload


REAL = [
    (
        b'{"type":"response.output_audio.delta","event_id":"event_1","response_id":"resp_1","item_id":"item_1",'
        b'"output_index":0,"content_index":0,"delta":"AAECAwQFBgcICQoLDA0ODxAREhM="}'
    ),
    b'{"content_index":0,"delta":"AAECAwQFBgcICQoLDA0ODxAREhMU","event_id":"e","type":"response.audio.delta"}',
    '{"type":"response.output_audio_transcript.delta","event_id":"event_2","delta":"it’s \\u00e9 \\ud83d\\ude00"}'.encode(),
    b'{"type":"response.done","response":{"id":"r","output":[{"content":[1.5,-2e3,true,null]}],"usage":{"a":[[],{}]}}}',
]


@pytest.mark.parametrize("frame", REAL, ids=range(len(REAL)))
def test_every_truncation_and_byte_flip(frame: bytes, tier: str) -> None:
    for end in range(len(frame)):
        with pytest.raises(rp.DecodeError):
            rp.decode(frame[:end])
    for index in range(len(frame)):
        for bit in range(8):
            flipped = bytearray(frame)
            flipped[index] ^= 1 << bit
            check_against_oracle(bytes(flipped))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("place", ["x", "response", "delta"])
def test_depth(opening: str, place: str, tier: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    for levels, accepted in ((1023, True), (1024, False), (200_000, False)):
        core = opening * levels + "1" + closing * levels
        frame = f'{{"type":"response.done","{place}":{core}}}'.encode()
        if accepted:
            orjson.loads(frame)
            rp.decode(frame)
        else:
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(frame)
            with pytest.raises(rp.DecodeError, match="more than 1024 levels") as caught:
                rp.decode(frame)
            assert caught.value.position == frame.index(core.encode()) + 1023 * len(opening)
