"""Fields at a path: through objects and arrays, absent, of another kind, twice; payloads in several elements of an array."""

from __future__ import annotations

import base64
import json
import random
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.messages import AudioMessage, RealtimeServerMessage, Samples, field, payload
from realtime_pcm.sockets import Catalogue
from support.own_classes import declared

DEEP: Catalogue[Any, Any] = Catalogue("deep", tag="kind")


class Parts(AudioMessage, catalogue=DEEP):
    type: Literal["parts"] = "parts"
    id: str | None = None
    text: str | None = field(("content", "parts", ..., "text"))
    format: str | None = field(("content", "parts", ..., "blob", "type"))
    pcm: Samples = payload(("content", "parts", ..., "blob", "data"))
    turn: int | None = field(("content", "turn"))


class Flat(RealtimeServerMessage, catalogue=DEEP):
    type: Literal["flat"] = "flat"
    name: str | None = field(("a", "b", "c"), ("a", "b", "C"))
    inner: dict | None = field(("a", "b"))
    data: bytes | None = payload(("x", "data"), "data")


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def part(raw: bytes, type_: str | None = "pcm16") -> dict[str, Any]:
    return {"blob": {"type": type_, "data": b64(raw)}}


def decode(content: Any, **more: Any) -> Any:
    return rp.decode(json.dumps({"kind": "parts", **more, "content": content}), catalogue=DEEP)


def test_a_payload_in_an_array_is_decoded_and_the_fields_beside_it() -> None:
    raw = bytes(range(200)) * 100
    for frame in (
        {
            "kind": "parts",
            "id": "1",
            "content": {"turn": 3, "parts": [{"text": "a"}, part(raw), {"text": "b"}], "more": [1, {"x": "]"}]},
        },
        {"content": {"more": {}, "parts": [part(raw), {"text": "a"}], "turn": 3}, "id": "1", "kind": "parts"},
    ):
        for text in (json.dumps(frame), json.dumps(frame, indent=2), json.dumps(frame).replace("parts", "p\\u0061rts")):
            message = rp.decode(text, catalogue=DEEP)
            assert isinstance(message, Parts)
            assert (message.id, message.text, message.turn, message.format) == ("1", "a", 3, "pcm16")
            assert message.pcm.tobytes() == raw
            assert message.delta == b64(raw)


@pytest.mark.parametrize(
    "content",
    [
        None,
        1,
        "text",
        [],
        {},
        {"parts": {}},
        {"parts": []},
        {"parts": [1, None, [], "blob", {"blob": 1}, {"blob": []}]},
        {"parts": [{"blob": {"data": None}}]},
        {"parts": [{"Blob": {"data": "AAAA"}}]},
        [{"parts": [{"blob": {"data": "AAAA"}}]}],
    ],
)
def test_a_path_through_a_value_of_another_kind_finds_nothing(content: Any) -> None:
    message = decode(content)
    assert message.pcm.size == 0
    assert message.delta is None
    assert (message.text, message.format, message.turn) == (None, None, None)


def test_what_is_at_the_end_of_a_path_may_be_of_any_kind_but_the_payload() -> None:
    message = decode({"turn": {"x": [1]}, "parts": [{"text": 5}]})
    assert (message.turn, message.text) == ({"x": [1]}, 5)
    with pytest.raises(rp.DecodeError, match="expected a base64 string or null") as caught:
        decode({"parts": [{"blob": {"data": 5}}]})
    assert caught.value.field == "content.parts[].blob.data"
    with pytest.raises(rp.DecodeError, match="not base64 at byte"):
        decode({"parts": [{"blob": {"data": "AA*A"}}]})


def test_of_duplicate_keys_the_last_one_counts_at_every_level() -> None:
    def one(text: str) -> Any:
        return rp.decode('{"kind":"parts",' + text + "}", catalogue=DEEP)

    a, b = b64(b"\1\0"), b64(b"\2\0\3\0")
    assert one(f'"content":{{"parts":[{{"blob":{{"data":"{a}","data":"{b}"}}}}]}}').pcm.tolist() == [2, 3]
    assert one(f'"content":{{"parts":[{{"blob":{{"data":"{a}"}},"blob":{{"data":"{b}"}}}}]}}').pcm.tolist() == [2, 3]
    assert one(f'"content":{{"parts":[{{"blob":{{"data":"{a}"}}}}],"parts":[{{"blob":{{"data":"{b}"}}}}]}}').pcm.tolist() == [
        2,
        3,
    ]
    assert one(f'"content":{{"parts":[{{"blob":{{"data":"{a}"}}}}],"parts":[]}}').pcm.tolist() == []
    assert one(f'"content":{{"parts":[{{"blob":{{"data":"{a}"}}}}]}},"content":{{"turn":1}}').pcm.tolist() == []
    kept = one(f'"content":{{"parts":[{{"blob":{{"data":"{b}"}}}},{{"blob":{{"data":"{a}","data":"{a}"}}}}],"turn":1,"turn":2}}')
    assert (kept.pcm.tolist(), kept.turn) == ([2, 3, 1], 2)


def test_payloads_of_several_elements_come_one_after_the_other() -> None:
    rng = random.Random(5)
    for _ in range(30):
        pieces = [rng.randbytes(rng.choice((0, 1, 2, 3, 5, 64, 1001))) for _ in range(rng.randrange(2, 6))]
        raw = b"".join(pieces)
        message = decode({"parts": [part(piece) for piece in pieces]})
        assert message.pcm.tobytes() + message.incomplete_sample == raw
        decoder = rp.Decoder(catalogue=DEEP, dtype="float32")
        frame = json.dumps({"kind": "parts", "content": {"parts": [part(piece) for piece in pieces]}})
        whole = np.frombuffer((raw + raw)[: len(raw + raw) // 2 * 2], "<i2").astype(np.float32) / 32768
        assert np.array_equal(np.concatenate([decoder.decode(frame).pcm, decoder.decode(frame).pcm]), whole)


def test_ten_thousand_parts() -> None:
    pieces = [bytes((i & 255, i >> 8)) for i in range(10_000)]
    message = decode({"parts": [part(piece) for piece in pieces]})
    assert np.array_equal(message.pcm, np.arange(10_000))
    with pytest.raises(rp.DecodeError, match="not base64 at byte") as caught:
        decode({"parts": [*map(part, pieces), {"blob": {"type": "pcm16", "data": "AA*A"}}]})
    assert isinstance(caught.value.frame, str)
    assert caught.value.frame[caught.value.position] == "*"


def test_audio_of_two_formats_in_one_frame_is_refused() -> None:
    with pytest.raises(rp.DecodeError, match="audio of two formats in one message") as caught:
        decode({"parts": [part(b"\0\0"), part(b"\0\0", "g711_ulaw")]})
    assert isinstance(caught.value.frame, str)
    assert caught.value.frame[caught.value.position :].startswith("g711_ulaw")
    decoder = rp.Decoder(catalogue=DEEP, only="flat")
    assert decoder.decode(json.dumps({"kind": "parts", "content": {"parts": [part(b"\0"), part(b"\0", "x")]}})) is None
    assert decode({"parts": [part(b"\0\0"), {"text": "a", "blob": {"type": "image/png"}}]}).pcm.size == 1


def test_spellings_of_one_path_and_payloads_that_are_no_audio() -> None:
    def flat(**values: Any) -> Any:
        return rp.decode(json.dumps({"kind": "flat", **values}), catalogue=DEEP)

    assert flat(a={"b": {"c": "1"}}).name == flat(a={"b": {"C": "1"}}).name == "1"
    assert flat(a={"b": {"c": "1"}}).inner == {"c": "1"}
    assert flat(x={"data": "AAE="}).data == flat(data="AAE=").data == b"\0\1"
    assert flat(x={"data": None}, data="AAE=").data == b"\0\1"
    assert flat(x={}).data is None


def test_extra_has_what_no_path_leads_to() -> None:
    message = decode({"turn": 1, "more": 2, "parts": [{"text": "a", "x": 1}, part(b"\0\0"), 7]}, other=[1])
    assert message.extra == {"content": {"more": 2, "parts": [{"x": 1}, 7]}, "other": [1]}
    assert decode({"turn": 1, "parts": [{"text": "a"}]}).extra == {}


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ({"pcm": ("media.payload",)}, r"a path is a tuple of keys, \('media', 'payload'\)"),
        ({"pcm": (("a", ..., "b"), "c")}, "in the elements of an array has one path"),
        ({"pcm": ("a", ("a", "b"))}, "holds the payload"),
        ({"pcm": (5,)}, "takes wire keys, and paths"),
        ({"pcm": ((),)}, "takes wire keys, and paths"),
        ({"pcm": ((..., "a"),)}, "takes wire keys, and paths"),
        ({"pcm": (("a", 5),)}, "a path has keys"),
        ({"pcm": (("a", ""),)}, "1 to 64 bytes"),
    ],
)
def test_a_path_that_a_class_cannot_have_is_refused(body: dict[str, Any], match: str) -> None:
    with pytest.raises(TypeError, match=match):
        declared("Refused", AudioMessage, "refused", {"pcm": "Samples"}, options={"catalogue": DEEP}, pcm=payload(*body["pcm"]))


def test_paths_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(TypeError, match="another path has an object where this has an array"):

        class _Both(RealtimeServerMessage, catalogue=DEEP):
            type: Literal["both"] = "both"
            a: str | None = field(("x", ..., "y"))
            b: str | None = field(("x", "y"))

    with pytest.raises(TypeError, match=r"x\.y is the payload, and no path leads through it"):

        class _Through(AudioMessage, catalogue=DEEP):
            type: Literal["through"] = "through"
            a: str | None = field(("x", "y", "z"))
            pcm: Samples = payload(("x", "y"))

    with pytest.raises(TypeError, match=r"x\.y is declared twice"):

        class _Twice(RealtimeServerMessage, catalogue=DEEP):
            type: Literal["twice"] = "twice"
            a: str | None = field(("x", "y"))
            b: str | None = field(("x", "y"))

    with pytest.raises(TypeError, match="more than 63 keys"):
        declared("Many", RealtimeServerMessage, "many", {"a": "str"}, options={"catalogue": DEEP}, a=field(tuple("x" * 64)))


def test_a_derived_class_reads_the_fields_of_its_base() -> None:
    class _Base(RealtimeServerMessage, catalogue=DEEP):
        a: str | None = field(("x", "a"))
        id: str | None = None

    class _More(_Base, catalogue=DEEP):
        type: Literal["more"] = "more"
        b: str | None = field(("x", "b"))
        c: str | None = None
        d: str | None = field(("y", "d"))

    message = rp.decode('{"kind":"more","x":{"a":"1","b":"2"},"id":"3","c":"4","y":{"d":"5"}}', catalogue=DEEP)
    assert (message.a, message.b, message.id, message.c, message.d) == ("1", "2", "3", "4", "5")
