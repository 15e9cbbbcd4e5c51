"""Catalogues of other sockets: how a frame says its type, and which fields the session reads."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.messages import AudioMessage, RealtimeServerMessage, Samples, UnknownMessage, payload
from realtime_pcm.sockets import Catalogue

SAMPLES = np.arange(8, dtype="<i2")
TEXT = base64.b64encode(SAMPLES.tobytes()).decode()


def dumps(**values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


# ---- One key says the type

PHONE: Catalogue[Any, Any] = Catalogue("phone", tag="event")


class Audio(AudioMessage, catalogue=PHONE, reads={"item_id": "leg", "format": "codec", "sample_rate": "hz"}):
    type: Literal["media"] = "media"
    leg: str | None = None
    codec: str | None = None
    hz: int | None = None
    pcm: Samples = payload("audio")


class Ring(RealtimeServerMessage, catalogue=PHONE):
    type: Literal["ring"] = "ring"
    number: str | None = None
    type_: str | None = None


class Unheard(UnknownMessage, catalogue=PHONE):
    pass


@pytest.mark.parametrize("order", [("event", "leg", "audio"), ("audio", "leg", "event"), ("leg", "audio", "event")])
def test_the_tag_may_stand_anywhere(order: tuple[str, ...]) -> None:
    values = {"event": "media", "leg": "a", "audio": TEXT}
    decoder = rp.Decoder(catalogue=PHONE)
    for start in (0, 8):  # the second time the type is a guess that comes true
        message = decoder.decode(dumps(**{key: values[key] for key in order}))
        assert isinstance(message, Audio)
        assert (message.type, message.leg, message.sample_offset) == ("media", "a", start)
        assert np.array_equal(message.pcm, SAMPLES)
        assert message.extra == {}


def test_a_field_named_type_is_any_other_in_such_a_catalogue() -> None:
    message = rp.decode(b'{"type":"media","event":"ring","number":"5"}', catalogue=PHONE)
    assert isinstance(message, Ring)
    assert (message.type, message.number, message.extra) == ("ring", "5", {"type": "media"})


@pytest.mark.parametrize(
    ("frame", "type_", "extra"),
    [
        (b'{"event":"wave","x":1}', "wave", {"x": 1}),
        (b'{"x":1}', "", {"x": 1}),
        (b'{"event":5}', "", {"event": 5}),
        (b'{"event":null,"number":"5"}', "", {"event": None, "number": "5"}),
        (b"{}", "", {}),
        (b' { "event" : ["ring"] } ', "", {"event": ["ring"]}),
    ],
)
def test_a_frame_that_matches_no_class_is_the_unknown_message(frame: bytes, type_: str, extra: dict[str, Any]) -> None:
    for decoder in (rp.Decoder(catalogue=PHONE), rp.Decoder(catalogue=PHONE)):
        decoder.decode(b'{"event":"ring","number":"5","padding":"' + b"." * 80 + b'"}')
        message = decoder.decode(frame)
        assert type(message) is Unheard
        assert (message.type, message.extra) == (type_, extra)


def test_json_is_checked_as_ever_and_the_realtime_catalogue_still_wants_a_type() -> None:
    with pytest.raises(rp.DecodeError, match="unexpected end"):
        rp.decode(b'{"event":"ring"', catalogue=PHONE)
    with pytest.raises(rp.DecodeError, match='no "type"'):
        rp.decode(b'{"event":"ring"}')
    with pytest.raises(rp.DecodeError, match="not base64"):
        rp.decode(b'{"event":"media","audio":"!!!!"}', catalogue=PHONE)


def test_of_several_tags_the_last_one_counts() -> None:
    message = rp.decode(b'{"event":"media","audio":"AAAA","event":"ring","number":"5"}', catalogue=PHONE)
    assert isinstance(message, Ring)
    assert message.number == "5"


def test_streams_and_formats_are_read_from_the_fields_that_the_class_names() -> None:
    decoder = rp.Decoder(catalogue=PHONE)
    assert decoder.decode(dumps(event="media", leg="a", audio=TEXT)).sample_offset == 0
    assert decoder.decode(dumps(event="media", leg="b", audio=TEXT)).sample_offset == 0
    message = decoder.decode(dumps(event="media", leg="a", audio=TEXT, codec="pcmu", hz=16_000))
    assert message.sample_offset == 8
    assert message.audio_format == rp.AudioFormat("g711_ulaw", 16_000)


def test_what_reads_names_is_checked() -> None:
    with pytest.raises(TypeError, match="names no field"):

        class _NoField(AudioMessage, catalogue=PHONE, reads={"item_id": "leg"}):
            type: Literal["m1"] = "m1"
            pcm: Samples = payload("audio")

    with pytest.raises(TypeError, match="none of response_id"):

        class _NoName(AudioMessage, catalogue=PHONE, reads={"leg": "leg"}):
            type: Literal["m2"] = "m2"
            leg: str | None = None
            pcm: Samples = payload("audio")


def test_a_session_that_starts_names_its_formats_in_flat_fields() -> None:
    legs: Catalogue[Any, Any] = Catalogue("legs", tag="event")
    names = {"input_format": "codec", "format": "codec", "sample_rate": "hz", "input_sample_rate": "hz"}

    class _Start(RealtimeServerMessage, catalogue=legs, role="session_start", reads=names):
        type: Literal["start"] = "start"
        session: dict | None = None
        codec: str | None = None
        hz: int | None = None

    decoder = rp.Decoder(catalogue=legs)
    decoder.decode(dumps(event="start", codec="pcma"))
    assert decoder.audio_format == decoder.input_audio_format == rp.AudioFormat("g711_alaw", 8000)
    decoder.decode(dumps(event="start", codec="pcm", hz=16_000))
    assert decoder.audio_format == decoder.input_audio_format == rp.AudioFormat("pcm16", 16_000)
    decoder.decode(dumps(event="start"))
    assert decoder.audio_format == decoder.input_audio_format == rp.AudioFormat("pcm16", 24_000)


# ---- Keys say the type

KEYED: Catalogue[Any, Any] = Catalogue("keyed", tag=None, keys=True)


class Content(AudioMessage, catalogue=KEYED):
    type: Literal["content"] = "content"
    usage: dict | None = None
    pcm: Samples = payload("sound")


class Usage(RealtimeServerMessage, catalogue=KEYED):
    type: Literal["usage"] = "usage"
    usage: dict | None = None
    content: dict | None = None


@pytest.mark.parametrize(
    ("frame", "cls"),
    [
        (b'{"usage":{"n":1}}', Usage),
        (b'{"usage":{"n":1},"content":{},"sound":"AAAAAA=="}', Content),
        (b'{"sound":"AAAAAA==","content":{},"usage":{"n":1}}', Content),
        (b'{"sound":"AAAAAA==","usage":{"n":1}}', Usage),
        (b'{"us\\u0061ge":{"n":1},"c\\u006fntent":{},"sound":"AAAAAA=="}', Content),
    ],
)
def test_of_several_keys_the_class_that_was_declared_first_counts(frame: bytes, cls: type) -> None:
    for before in (b"{}", b'{"usage":{"n":1}}', b'{"content":{},"sound":"AAAAAA=="}'):
        decoder = rp.Decoder(catalogue=KEYED)
        decoder.decode(before)
        message = decoder.decode(frame)
        assert type(message) is cls
        assert message.usage == {"n": 1}
        if cls is Content:
            assert message.pcm.size == 2


def test_a_frame_with_none_of_the_keys_is_unknown() -> None:
    message = rp.decode(b'{"more":1}', catalogue=KEYED)
    assert isinstance(message, UnknownMessage)
    assert message.extra == {"more": 1}


# ---- One class, or an object that holds the tag or the keys


def test_a_catalogue_without_tag_and_keys_has_one_class() -> None:
    single: Catalogue[Any, Any] = Catalogue("single", tag=None)

    class _Speech(AudioMessage, catalogue=single):
        type: Literal["speech"] = "speech"
        pcm: Samples = payload("audio")

    message = rp.decode(dumps(final=True, audio=TEXT), catalogue=single)
    assert isinstance(message, _Speech)
    assert (message.type, message.extra) == ("speech", {"final": True})
    assert np.array_equal(message.pcm, SAMPLES)
    with pytest.raises(TypeError, match="has one class"):

        class _Second(RealtimeServerMessage, catalogue=single):
            type: Literal["second"] = "second"


@pytest.mark.parametrize(("tag", "keys"), [("name", False), (None, True), ("name", True)])
def test_the_type_may_stand_in_an_object(tag: str | None, keys: bool) -> None:
    inner: Catalogue[Any, Any] = Catalogue("inner", tag=tag, keys=keys, inside="event")

    class _Hello(RealtimeServerMessage, catalogue=inner):
        type: Literal["hello"] = "hello"
        event: dict | None = None
        id: str | None = None

    said: dict[str, Any] = {"name": "hello"} if tag else {"hello": {}}
    for frame in (dumps(event=said, id="1"), dumps(id="1", event={"x": [{"name": "no"}], **said})):
        message = rp.decode(frame, catalogue=inner)
        assert type(message) is _Hello
        assert (message.type, message.id) == ("hello", "1")
    for frame in (dumps(**said), dumps(event=[said]), dumps(event={"x": said}), dumps(event="hello")):
        assert isinstance(rp.decode(frame, catalogue=inner), UnknownMessage)


# ---- Options


def test_a_catalogue_works_in_every_entry_point() -> None:
    frame = dumps(event="media", leg="a", audio=TEXT)
    (message,) = rp.decode_stream([frame], catalogue=PHONE)
    assert isinstance(message, Audio)
    assert list(rp.decode_stream([frame, b'{"event":"ring"}'], catalogue=PHONE, only=Ring)) == [
        rp.decode(b'{"event":"ring"}', catalogue=PHONE)
    ]
    assert next(iter(rp.decode_stream([frame, b'{"event":"wave"}'], catalogue=PHONE, only=UnknownMessage))).type == "wave"
    assert rp.Decoder(catalogue=PHONE, only="ring").decode(frame) is None
    with pytest.raises(ValueError, match="no message of the server"):
        rp.Decoder(catalogue=PHONE, only=rp.messages.SessionCreated)
    with pytest.raises(TypeError, match="catalogue= takes"):
        rp.Decoder(catalogue="phone")
    assert "catalogue=<Catalogue phone>" in repr(rp.Decoder(catalogue=PHONE))
    for again in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert again == message
    with pytest.raises(TypeError, match="of another catalogue"):

        class _Other(Ring, catalogue=KEYED):
            type: Literal["m3"] = "m3"  # type: ignore[assignment]


def test_a_base_hands_its_catalogue_on() -> None:
    class _Base(RealtimeServerMessage, catalogue=PHONE):
        leg: str | None = None

    class _Held(_Base):
        type: Literal["held"] = "held"

    assert type(rp.decode(b'{"event":"held","leg":"a"}', catalogue=PHONE)) is _Held


def test_what_a_catalogue_takes_is_checked() -> None:
    with pytest.raises(ValueError, match="there is neither"):
        Catalogue("x", tag=None, inside="event")
    with pytest.raises(ValueError, match="1 to 64 bytes"):
        Catalogue("x", tag="")
