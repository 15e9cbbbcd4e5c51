"""Messages written by keyword: what is written is what decoding its frame gives, and nothing else is ever built."""

from __future__ import annotations

import contextlib
import copy
import enum
import functools
import gc
import itertools
import json
import pickle
import sys
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import client_messages, json_values, messages
from realtime_pcm._core import RealtimeMessage
from realtime_pcm.objects import AudioConfig, AudioOutputConfig, ContentPart, ConversationItem, SessionConfig, Tool, View

PCM = np.array([1, -1, 256, -32768], np.int16)
SIDES: list[tuple[Any, Any]] = [(messages, "server"), (client_messages, "client")]
SIDES_OF_AUDIO: list[tuple[Any, Any]] = [
    (lambda: messages.ResponseAudioDelta(pcm=PCM), "server"),
    (lambda: client_messages.InputAudioBufferAppend(pcm=PCM), "client"),
]
CLASSES = [
    pytest.param(cls, side, id=cls.__name__)
    for package, side in SIDES
    for name in package.__all__
    if isinstance(cls := getattr(package, name), type) and issubclass(cls, RealtimeMessage) and cls.canonical_type is not None
]


def test_the_frame_is_the_text_to_send() -> None:
    message = client_messages.SessionUpdate(session={"type": "realtime", "instructions": "Be brief."}, event_id="event_1")
    assert message.frame == (
        '{"type":"session.update","session":{"type":"realtime","instructions":"Be brief."},"event_id":"event_1"}'
    )
    assert message.frame_text is message.frame
    assert message.session is not None and message.session.instructions == "Be brief."
    assert type(message) is client_messages.SessionUpdate and message == rp.decode(message.frame, side="client")


def test_frame_text_is_a_str_whatever_was_decoded() -> None:
    text = '{"type":"error","error":{"message":"\u00e9"}}'
    for frame in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        assert rp.decode(frame).frame_text == text


@pytest.mark.parametrize(("cls", "side"), CLASSES)
def test_every_message_equals_what_its_frame_decodes_to(cls: Any, side: Any) -> None:
    values: tuple[Any, ...] = ('\u00e9"\\', 7, -0.5, True, None, {"a": [1, {"b": None}]}, ["x", 2])
    holder = cls._layout.payload_name
    names = [name for name in cls.__match_args__ if name != holder]
    fields = {name: values[at % len(values)] for at, name in enumerate(names)}
    if "format" in fields:
        fields |= {"format": "pcm16"} | {
            name: value
            for name, value in (("sample_rate", 16_000), ("sample_rate_hz", 16_000), ("channels", 1))
            if name in fields
        }
    payload = {holder: b"\1\2\3\4"} if holder else {}
    message = cls(event_id="event_1", **fields, **payload, extra={"undeclared": [1]})
    assert type(message) is cls and message.type == cls.canonical_type
    assert message == rp.decode(message.frame, side=side) == rp.decode(message.frame_text.encode(), side=side)
    sent = json.loads(message.frame)
    assert sent["type"] == cls.canonical_type and sent["event_id"] == "event_1" and message.extra == {"undeclared": [1]}
    assert {name: sent[name] for name in names} == fields
    assert cls().frame == json.dumps({"type": cls.canonical_type}, separators=(",", ":"))


@pytest.mark.parametrize("make", [np.array, lambda pcm: pcm.astype(">i2"), lambda pcm: pcm / 32768])
def test_samples_are_encoded_from_any_array(make: Any) -> None:
    array = make(PCM)
    given = array.astype(np.float32) if array.dtype == np.float64 else array
    message = messages.ResponseAudioDelta(pcm=given, item_id="x")
    assert message.pcm.dtype == np.int16 and np.array_equal(message.pcm, PCM)
    assert not np.shares_memory(message.pcm, given)
    assert json.loads(message.frame) == {"type": "response.output_audio.delta", "item_id": "x", "delta": "AQD//wABAIA="}
    assert message.sample_offset is None and message.audio_format == rp.AudioFormat("pcm16", 24_000)
    assert message.frame == rp.AudioEncoder(messages.ResponseAudioDelta, item_id="x").encode(given)


@pytest.mark.parametrize("encoding", ["g711_ulaw", "g711_alaw"])
def test_the_format_is_the_one_that_is_given(encoding: str) -> None:
    codes = bytes(range(256))
    message = client_messages.InputAudioBufferAppend(pcm=codes, audio_format=encoding)
    assert message.audio_format == rp.AudioFormat(encoding, 8_000) and len(message.pcm) == 256
    assert message == rp.decode(message.frame, side="client", audio_format=encoding)
    again = client_messages.InputAudioBufferAppend(pcm=message.pcm, audio_format=rp.AudioFormat(encoding, 8_000))
    assert np.array_equal(again.pcm, message.pcm)


def test_the_format_is_the_one_that_the_message_names() -> None:
    message = messages.ResponseAudioDelta(pcm=np.zeros(80, np.int16), format="g711_ulaw")
    assert message.audio_format == rp.AudioFormat("g711_ulaw", 8_000) and len(message.pcm) == 80
    assert json.loads(message.frame)["delta"] == "/" * 106 + "8="
    assert message == rp.decode(message.frame)
    rate = messages.SessionOutputAudioDelta(pcm=PCM, sample_rate=16_000)
    assert rate.audio_format == rp.AudioFormat("pcm16", 16_000) and np.array_equal(rate.pcm, PCM)


def test_an_encoding_without_samples_is_sent_as_bytes() -> None:
    message = client_messages.InputAudioBufferAppend(pcm=b"OpusHead", audio_format=rp.AudioFormat("opus", 48_000))
    assert message.pcm.dtype == np.uint8 and message.pcm.tobytes() == b"OpusHead"


def test_text_beyond_ascii_stands_beside_a_payload() -> None:
    message = client_messages.InputAudioBufferAppend(pcm=PCM, event_id="\u00e9\U0001f600")
    assert message.event_id == "\u00e9\U0001f600" and np.array_equal(message.pcm, PCM)
    assert message == rp.decode(message.frame, side="client")


def test_a_payload_that_is_no_audio_is_bytes() -> None:
    for data in (b"jpeg", bytearray(b"jpeg"), memoryview(b"jpeg"), np.frombuffer(b"jpeg", np.uint8)):
        message = client_messages.InputAudioBufferAppendVideoFrame(data=data, client_timestamp=3)
        assert message.data == b"jpeg" and json.loads(message.frame)["video_frame"] == "anBlZw=="
    with pytest.raises(TypeError, match="bytes"):
        client_messages.InputAudioBufferAppendVideoFrame(data=PCM)


def test_another_wire_name_of_the_class_may_be_given() -> None:
    message = messages.ResponseAudioDelta(type="response.audio.delta", pcm=PCM)
    assert message.type == "response.audio.delta" and json.loads(message.frame)["type"] == "response.audio.delta"


def test_a_message_of_an_unknown_type_is_written_with_its_type() -> None:
    message = client_messages.UnknownClientMessage(type="hum", extra={"key": "a"}, event_id="e")
    assert type(message) is client_messages.UnknownClientMessage and message.type == "hum" and message.extra == {"key": "a"}
    assert message == rp.decode(message.frame, side="client")
    with pytest.raises(ValueError, match=r"'session\.update' is SessionUpdate's"):
        client_messages.UnknownClientMessage(type="session.update")
    with pytest.raises(TypeError, match="takes the wire name as type="):
        messages.UnknownMessage()


def test_views_are_taken_as_they_are() -> None:
    created = rp.decode(b'{"type":"session.created","session":{"model":"m","tools":[{"name":"t"}],"x":[null]}}')
    assert isinstance(created, messages.SessionCreated)
    session = created.session
    assert session is not None
    message = client_messages.SessionUpdate(session=session)
    assert message.frame == '{"type":"session.update","session":{"model":"m","tools":[{"name":"t"}],"x":[null]}}'
    session.raw["model"] = "other"
    assert client_messages.SessionUpdate(session=session).session == SessionConfig({**session.raw})
    nested = client_messages.ResponseCreate(response={"input": [ConversationItem({"id": "i"}), {"id": "j"}]})
    assert nested.response is not None and nested.response.raw == {"input": [{"id": "i"}, {"id": "j"}]}


def test_nested_objects_are_written_by_keyword() -> None:
    session = SessionConfig(
        type="realtime",
        instructions="Be brief.",
        turn_detection=None,
        audio=AudioConfig(output=AudioOutputConfig(voice="marin")),
        tools=[Tool(type="function", name="weather"), {"type": "web_search"}],
        extra={"undeclared": [1]},
    )
    raw = {
        "type": "realtime",
        "instructions": "Be brief.",
        "turn_detection": None,
        "audio": {"output": {"voice": "marin"}},
        "tools": [{"type": "function", "name": "weather"}, {"type": "web_search"}],
        "undeclared": [1],
    }
    message = client_messages.SessionUpdate(session=session)
    assert json.loads(message.frame) == {"type": "session.update", "session": raw}
    assert message == client_messages.SessionUpdate(session=raw) and message.session == session == SessionConfig(raw)
    assert session.to_dict() == session.raw == raw and session.extra == {"undeclared": [1]}
    assert session.audio is not None and session.audio.output is not None and session.audio.output.voice == "marin"
    assert session.tools is not None and session.tools[0] == Tool(type="function", name="weather")
    copied = session.to_dict()
    copied["tools"].clear()
    assert session.raw == raw


def test_what_was_given_may_change_afterwards() -> None:
    parameters = {"type": "object"}
    tool = Tool(name="weather", parameters=parameters)
    parameters["type"] = "array"
    assert tool.parameters == {"type": "object"} and tool == pickle.loads(pickle.dumps(tool))


def test_the_repr_shows_what_a_message_holds() -> None:
    said = ContentPart(type="input_text", text="Hi")
    message = client_messages.ConversationItemCreate(item=ConversationItem(type="message", role="user", content=[said]))
    assert repr(message) == (
        "ConversationItemCreate(item=ConversationItem(type='message', role='user', "
        "content=[ContentPart(type='input_text', text='Hi')]))"
    )


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"instruction": "x"}, TypeError, "SessionConfig has no field 'instruction', did you mean 'instructions'?"),
        ({"temperature": float("nan")}, ValueError, "SessionConfig.temperature: JSON has no nan"),
        ({"voice": "\ud800"}, ValueError, "SessionConfig.voice: the character at 0 is a lone surrogate"),
        ({"tools": [Tool(name="x"), {1: 2}]}, TypeError, "SessionConfig.tools[1]: a key of a JSON object is a str, not int"),
        ({"client": b"x"}, TypeError, "SessionConfig.client: JSON has no bytes"),
        ({"extra": {"model": "m"}}, TypeError, "'model' is declared: give it as model=, not in extra"),
        ({"extra": "model"}, TypeError, "extra is a dict, not str"),
    ],
)
def test_a_nested_object_that_cannot_be_written_is_refused_by_name(given: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        SessionConfig(**given)
    assert says in str(caught.value) and type(caught.value) is error


def test_a_view_takes_a_dict_or_keywords() -> None:
    with pytest.raises(TypeError, match="takes a dict or keywords, not both"):
        SessionConfig({"model": "m"}, voice="marin")
    with pytest.raises(TypeError, match="reserved"):
        type("Own", (View,), {"__annotations__": {"to_dict": "str | None"}})


def test_a_class_is_found_by_its_wire_name() -> None:
    assert messages.class_of("response.audio.delta") is messages.ResponseAudioDelta
    assert client_messages.class_of("session.update") is client_messages.SessionUpdate
    with pytest.raises(
        ValueError, match=r"no message class has the wire type 'sessions\.update', did you mean 'session\.update'"
    ):
        client_messages.class_of("sessions.update")


def test_the_ga_names_are_names_of_the_classes() -> None:
    for name in ("TextDelta", "TextDone", "AudioDelta", "AudioDone", "AudioTranscriptDelta", "AudioTranscriptDone"):
        cls = getattr(messages, f"Response{name}")
        assert getattr(messages, f"ResponseOutput{name}") is cls
        spelled = "".join(word.capitalize() for word in cls.canonical_type.replace(".", "_").split("_"))
        assert spelled == f"ResponseOutput{name}"


def test_one_class_is_above_the_audio_messages_of_both_sides() -> None:
    of_server, of_client = messages.ResponseAudioDelta(pcm=PCM), client_messages.InputAudioBufferAppend(pcm=PCM)
    assert isinstance(of_server, rp.CarriesAudio) and isinstance(of_client, rp.CarriesAudio)
    assert not isinstance(messages.Error(), rp.CarriesAudio)
    for message, side in SIDES_OF_AUDIO:
        decoder = rp.Decoder(side=side, only=rp.CarriesAudio)
        assert decoder.decode(message().frame) is not None and decoder.decode('{"type":"error"}') is None
    with pytest.raises(TypeError, match="CarriesAudio"):
        type("Own", (rp.CarriesAudio,), {})


class Kind(enum.Enum):
    ITEM = "message"


def test_values_that_json_has_a_form_for() -> None:
    item = {"type": Kind.ITEM, "content": ({"a": np.float64(0.5)},), "id": None}
    message = client_messages.ConversationItemCreate(item=item)
    assert message.item is not None and message.item.raw == {"type": "message", "content": [{"a": 0.5}], "id": None}


def test_written_messages_are_pickled_and_copied() -> None:
    message = messages.ResponseAudioDelta(pcm=PCM, audio_format="g711_ulaw", item_id="x")
    assert pickle.loads(pickle.dumps(message)) == message


def endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


BAD: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (
        client_messages.SessionUpdate,
        {"session_": {}},
        TypeError,
        "SessionUpdate has no field 'session_', did you mean 'session'?",
    ),
    (
        client_messages.SessionUpdate,
        {"xyz": 1},
        TypeError,
        "its fields are session, model, client_timestamp, event_id, type, extra",
    ),
    (messages.ResponseAudioDelta, {"delta": "AAA="}, TypeError, "no field 'delta'"),
    (messages.ResponseDone, {"pcm": PCM}, TypeError, "no field 'pcm'"),
    (messages.ResponseDone, {"audio_format": "pcm16"}, TypeError, "no field 'audio_format'"),
    (messages.AudioMessage, {}, TypeError, "AudioMessage has no wire name"),
    (messages.RealtimeServerMessage, {}, TypeError, "RealtimeServerMessage has no wire name"),
    (RealtimeMessage, {}, TypeError, "RealtimeMessage has no wire name"),
    (
        messages.ResponseAudioDelta,
        {"type": "response.done"},
        ValueError,
        "none of its wire names, response.output_audio.delta, resp",
    ),
    (messages.Error, {"error": {"a": object()}}, TypeError, "Error.error.a: JSON has no object"),
    (messages.Error, {"error": {"a": b"x"}}, TypeError, "Error.error.a: JSON has no bytes"),
    (messages.Error, {"error": {1: 2}}, TypeError, "Error.error: a key of a JSON object is a str, not int"),
    (messages.Error, {"error": {"a": 1 << 64}}, TypeError, "Error.error.a: an integer of more than 64 bits"),
    (messages.Error, {"error": {"a": [0.5, float("nan")]}}, ValueError, "Error.error.a[1]: JSON has no nan"),
    (messages.Error, {"error": {"a": None, "b": np.float64("inf")}}, ValueError, "Error.error.b: JSON has no inf"),
    (messages.Error, {"code": float("-inf")}, ValueError, "Error.code: JSON has no -inf"),
    (messages.Error, {"code": "a\ud800"}, ValueError, "Error.code: the character at 1 is a lone surrogate"),
    (messages.Error, {"error": {"\udfff": 1}}, ValueError, "Error.error: the character at 0 is a lone surrogate"),
    (messages.Error, {"error": endless()}, ValueError, "Error: nested in more than 250 levels"),
    (messages.Error, {"error": SessionConfig({"a": float("nan")})}, ValueError, "Error.error.a: JSON has no nan"),
    (messages.Error, {"extra": {"code": "x"}}, TypeError, "'code' is declared: give it as code=, not in extra"),
    (messages.Error, {"extra": {"type": "x"}}, TypeError, "'type' is declared"),
    (messages.Error, {"extra": [1]}, TypeError, "extra is a dict, not list"),
    (messages.Error, {"extra": {2: 1}}, TypeError, "a key of a JSON object is a str, not int"),
    (messages.ResponseAudioDelta, {"pcm": PCM, "extra": {"audio": "AAA="}}, TypeError, "give it as pcm=, not in extra"),
    (messages.ResponseAudioDelta, {"pcm": PCM.astype(np.int32)}, TypeError, "int16 or float32"),
    (messages.ResponseAudioDelta, {"pcm": PCM.astype(np.float64)}, TypeError, "int16 or float32"),
    (messages.ResponseAudioDelta, {"pcm": PCM.reshape(2, 2)}, ValueError, "one dimension"),
    (messages.ResponseAudioDelta, {"pcm": b"odd"}, ValueError, "3 bytes are odd"),
    (messages.ResponseAudioDelta, {"pcm": "AAA="}, TypeError, "pcm is a 1-D array"),
    (messages.ResponseAudioDelta, {"pcm": PCM, "audio_format": "mp4"}, ValueError, "neither PCM nor G.711"),
    (
        messages.ResponseAudioDelta,
        {"pcm": PCM, "audio_format": rp.AudioFormat("opus", 48_000)},
        ValueError,
        "give the payload's bytes",
    ),
]


@pytest.mark.parametrize(("cls", "given", "error", "says"), BAD)
def test_what_cannot_be_written_is_refused_by_name(cls: Any, given: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        cls(**given)
    assert says in str(caught.value) and type(caught.value) is error


def test_fields_are_keywords() -> None:
    with pytest.raises(TypeError, match="takes its fields as keywords"):
        client_messages.SessionUpdate({"instructions": "x"})


def test_the_keywords_that_were_given_stay_as_they_are() -> None:
    given = {"event_id": "e", "session": {"a": [1]}}
    client_messages.SessionUpdate(**given)
    assert given == {"event_id": "e", "session": {"a": [1]}}


@pytest.fixture
def without_orjson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orjson", None)
    for name in ("load", "fragment"):
        monkeypatch.setattr(json_values, name, json_values._load_first)
    monkeypatch.setattr(json_values, "write", json_values._write_first)


@pytest.mark.usefixtures("without_orjson")
def test_without_orjson_the_same_is_written() -> None:
    test_the_frame_is_the_text_to_send()
    test_views_are_taken_as_they_are()
    test_values_that_json_has_a_form_for()
    test_text_beyond_ascii_stands_beside_a_payload()
    assert json_values.write is json_values._standard_write


@pytest.mark.usefixtures("without_orjson")
@pytest.mark.parametrize(("cls", "given", "error", "says"), BAD)
def test_without_orjson_the_same_is_refused(cls: Any, given: dict[str, Any], error: type[Exception], says: str) -> None:
    test_what_cannot_be_written_is_refused_by_name(cls, given, error, says)


QUICK: list[tuple[Any, dict[str, Any]]] = [
    (client_messages.ResponseCancel, {}),
    (
        client_messages.ResponseCancel,
        {"response_id": 'r\u00e9\U0001f600\x7f\n"', "event_id": None, "client_timestamp": -(1 << 63)},
    ),
    (client_messages.ResponseCancel, {"response_id": Kind.ITEM, "event_id": [1, {"a": 2}]}),
    (client_messages.ResponseCancel, {"response_id": {"a": None}, "client_timestamp": (1 << 64) - 1}),
    (client_messages.ResponseCancel, {"response_id": 0.5, "client_timestamp": True}),
    (client_messages.ResponseCancel, {"response_id": type("Text", (str,), {})("r"), "event_id": np.float64(2)}),
    (client_messages.InputAudioBufferCommit, {"final": False, "is_speech": None}),
    (client_messages.SessionUpdate, {"session": {"turn_detection": None, "temperature": 0.5, "x": [1.5, (2, None)]}}),
    (client_messages.SessionUpdate, {"session": SessionConfig(turn_detection=None, tools=[{"name": "t"}, Tool(name="u\u00e9")])}),
    (client_messages.SessionUpdate, {"session": SessionConfig({"model": "m"})}),
    (client_messages.SessionUpdate, {"session": "a name"}),
    (client_messages.SessionUpdate, {"session": [], "model": 12345678901}),
    (client_messages.PlaybackAck, {"played_ms": 0, "committed_ms": -7, "item_id": ""}),
    (messages.ResponseDone, {"response": {"id": "r", "output": [ConversationItem(id="i")]}, "usage": {}}),
    (messages.RateLimitsUpdated, {"rate_limits": [{"name": "tokens"}, None, 7]}),
    (messages.ResponseTextDelta, {"delta": "a", "obfuscation": "xyz", "content_index": 0}),
    (messages.ResponseFunctionCallArgumentsDone, {"arguments": '{"a":1}'}),
]


@pytest.mark.parametrize(("cls", "given"), QUICK)
def test_a_message_is_what_decoding_its_frame_gives(cls: Any, given: dict[str, Any]) -> None:
    """In whatever way it is written: each attribute, its repr, its copies and its pickle."""
    side = "client" if cls.__module__.startswith("realtime_pcm.client") else "server"
    message, decoded = cls(**given), rp.decode(cls(**given).frame, side=side)
    assert message.frame == decoded.frame and message.type == decoded.type and message == decoded
    for name in (*cls.__match_args__, "event_id"):
        one, other = getattr(message, name), getattr(decoded, name)
        assert one == other and type(one) is type(other), name
        assert getattr(message, name) is one
    assert repr(message) == repr(decoded) and message.extra == decoded.extra == {}
    assert getattr(message, "incomplete_sample", b"") == b""
    for made in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert made == decoded and repr(made) == repr(decoded)
    assert message.to_dict().keys() == {"type", *given}


@pytest.mark.parametrize("words", ["x" * 900, "x" * 70_000, "\u00e9" * 900, "null" * 400, '"\\\n\x7f' * 300])
def test_long_texts_are_written_as_short_ones(words: str) -> None:
    session = {"instructions": words, "tools": [{"name": "t", "description": words}], "temperature": 0.5, "tracing": None}
    for given in (session, SessionConfig(**{**session, "tools": [Tool(name="t", description=words)]})):
        message = client_messages.SessionUpdate(session=given, model="m")
        assert json.loads(message.frame) == {"type": "session.update", "session": session, "model": "m"}
        assert message.session == SessionConfig(session) and message == rp.decode(message.frame, side="client")
    for number in (float("nan"), np.float64("inf")):
        with pytest.raises(ValueError, match=r"SessionUpdate\.session\.tools\[0\]\.x: JSON has no"):
            client_messages.SessionUpdate(session={**session, "tools": [{"x": number}]})


def test_classes_are_called_in_every_way() -> None:
    cls: Any = client_messages.ResponseCancel
    frame = '{"type":"response.cancel","response_id":"r"}'
    given = {"response_id": "r"}
    for made in (cls(**given), cls.__call__(**given), functools.partial(cls, **given)(), cls.__new__(cls, **given)):
        assert made.frame == frame
    tool: Any = Tool
    for view in (tool(name="t"), tool({"name": "t"}), functools.partial(tool, name="t")(), tool.__call__(name="t")):
        assert view.raw == {"name": "t"}
    assert tool().raw == tool(None).raw == tool(None, None).raw == {}
    with pytest.raises(TypeError):
        tool({}, None, 3)


def test_a_view_class_with_its_own_making_is_made_by_it() -> None:
    made: list[Any] = []

    class Counted(View):
        name: str | None = None

        def __init__(self, *args: Any, **fields: Any) -> None:
            made.append(fields)
            super().__init__(*args, **fields)

    class Called(type(View)):  # type: ignore[misc]
        def __call__(cls, *args: Any, **fields: Any) -> Any:
            made.append("called")
            return super().__call__(*args, **fields)

    class Odd(View, metaclass=Called):
        name: str | None = None

    assert Counted(name="x").name == "x" and Odd(name="y").name == "y" and made == [{"name": "x"}, "called"]


@pytest.mark.parametrize("nulls", [1, 2, 3])
def test_a_number_that_is_not_finite_hides_behind_no_null(nulls: int) -> None:
    values: list[Any] = [*[None] * (nulls - 1), float("nan")]
    for places in set(itertools.permutations(range(nulls))):
        shuffled = [values[place] for place in places]
        for made in (
            dict(zip("abc", shuffled, strict=False)),
            {"x": {"y": shuffled}, "null": "null"},
            {"a": [shuffled[0], {"b": tuple(shuffled[1:])}], "c": "x" * 9_000},
            {"a": None, "b": [[{"c": one}] for one in shuffled], "d": 0.5},
        ):
            with pytest.raises(ValueError, match="JSON has no nan"):
                client_messages.SessionUpdate(session=made)
            finite = json.loads(json.dumps(made).replace("NaN", "null"))
            assert json.loads(client_messages.SessionUpdate(session=finite).frame)["session"] == finite


def test_nothing_that_was_written_stays_behind() -> None:
    words, session = "x" * 2_000, {"a": [None, "\u00e9", 0.5]}
    given: list[dict[str, Any]] = [
        {"session": session},
        {"session": SessionConfig(instructions=words, tools=[Tool(name="t")], tracing=None)},
        {"session": SessionConfig(extra=session), "model": words, "event_id": None},
        {"session": {"a": float("nan")}},
        {"sessions": words},
    ]

    def write() -> tuple[int, ...]:
        for fields in given * 200:
            with contextlib.suppress(ValueError, TypeError):
                client_messages.SessionUpdate(**fields)
            with contextlib.suppress(ValueError, TypeError):
                SessionConfig(instructions=words, tools=[Tool(name=words, parameters=session)], **fields)
        gc.collect()
        return (
            sys.getallocatedblocks(),
            *map(sys.getrefcount, (None, words, session, SessionConfig, client_messages.SessionUpdate)),
        )

    write()
    before, after = write(), write()
    assert all(later - earlier < 100 for earlier, later in zip(before, after, strict=True))
