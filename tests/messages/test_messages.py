"""Messages as objects: reading, comparing, copying, pickling, matching, printing; and declaring one's own."""

from __future__ import annotations

import base64
import copy
import gc
import json
import pickle
import sys
import weakref
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import messages
from support.own_classes import declared

PCM = np.arange(4800, dtype="<i2")
AUDIO = json.dumps(
    {
        "type": "response.output_audio.delta",
        "event_id": "event_1",
        "response_id": "resp_1",
        "item_id": "item_1",
        "output_index": 0,
        "content_index": 0,
        "delta": base64.b64encode(PCM.tobytes()).decode(),
        "more": [1],
    }
).encode()
DONE = json.dumps(
    {
        "type": "response.done",
        "event_id": "event_2",
        "response": {"id": "resp_1", "status": "completed", "output": [{"id": "item_1", "type": "message"}], "new": 1},
    }
).encode()
TEXT = b'{"type":"response.text.delta","event_id":"event_3","delta":"hello","surprise":{"a":[1]}}'


def all_three() -> list:
    decoder = rp.Decoder()
    return [decoder.decode(frame) for frame in (AUDIO, DONE, TEXT)]


@pytest.mark.parametrize("index", range(3))
def test_attributes_cannot_be_set(index: int) -> None:
    message = all_three()[index]
    for name in (*type(message).__match_args__, "type", "event_id", "frame", "extra", "anything"):
        with pytest.raises(AttributeError, match="read-only"):
            setattr(message, name, 1)
        with pytest.raises(AttributeError):
            delattr(message, name)
    with pytest.raises(TypeError):
        vars(message)


def test_the_payload_as_text_says_its_own_name_when_somebody_sets_it() -> None:
    message = rp.decode(b'{"type":"input_audio_buffer.append","audio":"AAA="}', side="client")
    for name in ("audio", "delta"):
        with pytest.raises(AttributeError, match=f"^InputAudioBufferAppend is read-only: {name}$"):
            setattr(message, name, "")


def test_no_message_is_made_without_its_frame() -> None:
    for cls in (messages.ResponseAudioDelta, messages.RealtimeServerMessage, messages.UnknownMessage):
        with pytest.raises(TypeError):
            object.__new__(cls)
        with pytest.raises(TypeError):
            cls.__new__(cls, 1, a=2)


@pytest.mark.parametrize("index", range(3))
def test_copies(index: int) -> None:
    message = all_three()[index]
    if index == 1:
        assert message.response.id == "resp_1"  # parsed already, and not shared with the deep copy
    for twin in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert twin == message and not (twin != message)  # noqa: SIM202 - both operators
        assert type(twin) is type(message)
        assert repr(twin) == repr(message)
        assert twin.to_dict() == message.to_dict() and twin.frame == message.frame
        for name in (*type(message).__match_args__, "type", "event_id"):
            if name != "pcm":
                assert getattr(twin, name) == getattr(message, name)
    if index == 0:
        assert copy.copy(message).pcm is message.pcm
        assert not np.shares_memory(copy.deepcopy(message).pcm, message.pcm)
        assert copy.copy(message).sample_offset == message.sample_offset
    if index == 1:
        assert copy.copy(message).response is message.response
        assert copy.deepcopy(message).response.raw is not message.response.raw


def test_a_pickle_keeps_the_audio_as_it_is() -> None:
    decoder = rp.Decoder(dtype="float32")
    decoder.decode(AUDIO)
    message = decoder.decode(AUDIO)
    message.pcm[0] = 0.5
    twin = pickle.loads(pickle.dumps(message))
    assert twin.pcm.dtype == np.float32 and twin.pcm[0] == 0.5 and twin.sample_offset == 4800
    assert twin.audio_format == rp.AudioFormat("pcm16", 24000)
    assert twin == message


def test_equality() -> None:
    one, done, text = all_three()
    assert one == rp.Decoder().decode(AUDIO)
    assert one != rp.decode(AUDIO)  # no offset there
    assert one != done and one != "x" and (one == 5) is False
    changed = rp.Decoder().decode(AUDIO)
    changed.pcm[3] += 1
    assert one != changed
    spaced = json.dumps(json.loads(TEXT), indent=1).encode()
    assert rp.decode(spaced) == text and rp.decode(spaced).frame != text.frame
    reordered = json.dumps(dict(reversed(json.loads(TEXT).items())))
    assert rp.decode(reordered) == text
    assert rp.decode(TEXT.replace(b"[1]", b"[2]")) != text
    for message in (one, done, text):
        with pytest.raises(TypeError, match="unhashable"):
            hash(message)


def test_the_deepest_frame() -> None:
    """None of these recurses over what was parsed."""
    before = sys.getrecursionlimit()
    for core in (b"[" * 1023 + b"]" * 1023, b'{"a":' * 1023 + b"1" + b"}" * 1023):
        frame = b'{"type":"response.done","response":' + core + b',"x":1}'
        other = b'{"x":1,"type":"response.done","response":' + core + b"}"
        message, twin = rp.decode(frame), rp.decode(other)
        assert message == twin
        assert message.response is not None
        for same in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
            assert same == twin
        assert len(repr(message)) < 300
        assert message.extra == {"x": 1}
    assert sys.getrecursionlimit() == before


def test_repr_is_one_short_line() -> None:
    audio, done, text = all_three()
    assert repr(audio) == (
        "ResponseAudioDelta(event_id='event_1', response_id='resp_1', item_id='item_1', output_index=0, content_index=0, "
        "pcm=int16[4800] 200 ms)"
    )
    assert repr(text) == "ResponseTextDelta(event_id='event_3', delta='hello')"
    assert repr(done).startswith("ResponseDone(") and "response=RealtimeResponse(id='resp_1', status='completed'" in repr(done)
    assert "resp_1" in repr(done.response)
    mu_law = rp.Decoder(dtype="uint8", audio_format="g711_ulaw").decode(AUDIO)
    assert "pcm=uint8[9600] 1200 ms" in repr(mu_law)
    long = rp.decode('{"type":"response.text.delta","delta":"' + "x" * 10_000 + '"}')
    assert len(repr(long)) < 200 and "10000 characters" in repr(long)


def test_pattern_matching() -> None:
    seen = []
    for message in all_three():
        match message:
            case messages.ResponseAudioDelta(item_id=item, pcm=pcm):
                seen.append((item, pcm.size))
            case messages.ResponseTextDelta(delta=text):
                seen.append(text)
            case messages.ResponseDone(response=messages.RealtimeServerMessage()):
                seen.append("no")
            case messages.AudioEnd(incomplete_sample=rest):
                seen.append(rest)
    assert seen == [("item_1", 4800), b"", "hello"]
    match all_three()[2]:
        case messages.ResponseTextDelta(response, item):  # type: ignore[misc]  # at run time there are positions
            assert (response, item) == (None, None)


def test_type_tells_beta_from_ga() -> None:
    beta, ga = (rp.decode(f'{{"type":"{name}"}}') for name in ("response.audio.delta", "response.output_audio.delta"))
    assert type(beta) is type(ga) is messages.ResponseAudioDelta
    assert (beta.type, ga.type) == ("response.audio.delta", "response.output_audio.delta")


def test_nested_values_are_parsed_once_and_kept() -> None:
    done = all_three()[1]
    assert done.response is done.response
    assert done.response.status == "completed" and done.response.raw["new"] == 1
    assert done.response.output[0].id == "item_1"
    first, second = done.to_dict(), done.to_dict()
    first["response"]["id"] = "changed"
    assert second["response"]["id"] == "resp_1" and done.to_dict() == second
    text = all_three()[2]
    assert text.extra == {"surprise": {"a": [1]}}
    assert text.extra is not text.extra


# ---- Lifetimes ---------------------------------------------------------------------------------------------


def test_arrays_outlive_everything() -> None:
    decoder = rp.Decoder()
    frame = bytes(bytearray(AUDIO))
    pcm = decoder.decode(frame).pcm
    other = decoder.decode(frame).pcm
    del decoder, frame
    gc.collect()
    assert np.array_equal(pcm, PCM) and not np.shares_memory(pcm, other)
    pcm[:] = 0
    assert np.array_equal(other, PCM)


def test_messages_are_not_tracked_by_the_collector() -> None:
    for message in all_three():
        assert not gc.is_tracked(message)
        with pytest.raises(TypeError):
            weakref.ref(message)


# ---- Declaring -----------------------------------------------------------------------------------------------


class Weather(messages.RealtimeServerMessage):
    """A private server's message."""

    type: Literal["test.weather", "test.weather.beta"] = "test.weather"
    place: str | None = None
    degrees: float | None = None
    wind: dict | None = None


class Noise(messages.AudioMessage):
    type: Literal["test.noise"] = "test.noise"
    item_id: str | None = None
    level: int | None = None
    pcm: np.ndarray = messages.payload("sound", "noise")


class Blob(messages.RealtimeServerMessage):
    type: Literal["test.blob"] = "test.blob"
    data: bytes | None = messages.payload("data")
    name: str | None = None


def test_a_declared_message() -> None:
    message = rp.decode(b'{"type":"test.weather.beta","place":"Oslo","degrees":-3.5,"wind":{"from":"NW"},"x":1}')
    assert type(message) is Weather
    assert (message.place, message.degrees, message.wind, message.extra) == ("Oslo", -3.5, {"from": "NW"}, {"x": 1})
    assert Weather.__match_args__ == ("place", "degrees", "wind")
    assert pickle.loads(pickle.dumps(message)) == message


def test_a_declared_audio_message() -> None:
    payload = base64.b64encode(PCM.tobytes()).decode()
    for key in ("sound", "noise"):
        message = rp.decode(json.dumps({"type": "test.noise", key: payload, "item_id": "i"}))
        assert np.array_equal(message.pcm, PCM) and message.sound == message.delta == payload
        assert message.item_id == "i" and message.level is None
    both = rp.decode(json.dumps({"type": "test.noise", "noise": "*", "sound": payload}))
    assert np.array_equal(both.pcm, PCM)
    late = rp.decode(json.dumps({"type": "test.noise", "noise": payload, "sound": None}))
    assert np.array_equal(late.pcm, PCM)
    with pytest.raises(rp.DecodeError) as caught:
        rp.decode(json.dumps({"type": "test.noise", "noise": "*"}))
    assert caught.value.field == "noise"


def test_a_declared_message_with_bytes() -> None:
    for order in ({"data": "AAEC/w==", "name": "x"}, {"name": "x", "data": "AAEC/w=="}):
        for frame in ({"type": "test.blob"} | order, order | {"type": "test.blob"}):
            message = rp.Decoder().decode(json.dumps(frame))
            assert message.data == b"\x00\x01\x02\xff" and message.name == "x"
    assert rp.decode('{"type":"test.blob"}').data is None
    with pytest.raises(rp.DecodeError, match="not base64"):
        rp.decode('{"type":"test.blob","data":"*AAA"}')


@pytest.mark.parametrize("name", ["event_id", "frame", "extra", "audio_format", "sample_offset", "to_dict", "pcm"])
def test_reserved_names(name: str) -> None:
    with pytest.raises(TypeError, match="reserved"):
        declared("Bad", messages.RealtimeServerMessage, "test.bad", {name: "int"})
    assert type(rp.decode('{"type":"test.bad"}')) is messages.UnknownMessage


def test_taken_wire_names() -> None:
    for wire in ("error", ("test.fresh", "response.audio.delta"), ("test.twice", "test.twice"), 5 * ("x" * 300,), ("",)):
        with pytest.raises(TypeError):
            declared("Bad", messages.RealtimeServerMessage, wire)
    assert type(rp.decode('{"type":"test.fresh"}')) is messages.UnknownMessage
    assert type(rp.decode('{"type":"error"}')) is messages.Error


def test_too_many_fields() -> None:
    with pytest.raises(TypeError, match="more than 31 fields"):
        type("Bad", (messages.RealtimeServerMessage,), {"__annotations__": {f"f{i}": "int" for i in range(40)}})


def test_subclasses_inherit_fields() -> None:
    class Base(messages.RealtimeServerMessage):
        one: int | None

    class Derived(Base):
        type: Literal["test.derived"] = "test.derived"
        two: int | None = None

    message = rp.decode('{"type":"test.derived","two":2,"one":1}')
    assert (message.one, message.two) == (1, 2) and isinstance(message, Base)
    assert Derived.__match_args__ == ("one", "two")
    held = weakref.ref(Derived)
    del Derived, Base
    gc.collect()
    # A class lives as long as its wire name is taken.
    assert held() is type(message) is type(rp.decode('{"type":"test.derived"}'))


def test_what_cannot_be_declared() -> None:
    base, audio = messages.RealtimeServerMessage, messages.AudioMessage

    class Mixin:
        pass

    named: dict[str, Any] = {"__annotations__": {"type": "Literal['test.bad']"}, "type": "test.bad"}
    samples = {"__annotations__": {"type": "Literal['test.bad']", "pcm": "Samples"}}
    for bases, body in (
        ((audio,), {}),  # no payload
        ((messages.ResponseTextDelta, messages.ResponseAudioDelta), {}),
        ((base, Mixin), {}),
        ((audio,), samples | {"pcm": messages.payload("frame")}),
        ((audio,), samples | {"pcm": messages.payload("delta", "type")}),
        ((messages.ResponseTextDelta,), {"item_id": property(lambda self: "mine")}),
    ):
        with pytest.raises(TypeError):
            type("Bad", bases, named | body)
    assert type(rp.decode('{"type":"test.bad"}')) is messages.UnknownMessage


def test_methods_and_descriptors_refuse_what_is_no_message() -> None:
    base: Any = messages.RealtimeServerMessage
    lazy = messages.ResponseCreated.__dict__["response"]
    other = rp.decode('{"type":"x"}')
    calls: tuple[Callable[[], object], ...] = (
        lambda: base.__repr__(5),
        lambda: base.__copy__(object()),
        lambda: base.__deepcopy__(5, {}),
        lambda: lazy.__get__(5),
        lambda: lazy.__get__(other),
        lambda: messages.AudioMessage.__dict__["delta"].__get__(5),
    )
    for call in calls:
        with pytest.raises((TypeError, AttributeError)):
            call()
    for wrong in (5, object(), "no_such_field"):
        with pytest.raises((AttributeError, TypeError)):
            type(other).__setattr__(other, wrong, 1)
