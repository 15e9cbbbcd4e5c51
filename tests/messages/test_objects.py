"""The views of nested objects: what they declare, what they do with surprises, and that depth does not matter."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import sys
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm
from realtime_pcm import AudioFormat, DecodeError, objects
from realtime_pcm.objects import (
    ContentPart,
    ConversationItem,
    RateLimit,
    RealtimeError,
    RealtimeResponse,
    SessionConfig,
    Tool,
    Usage,
    View,
)
from support.provider_messages import plain

SURPRISES: list[Any] = ["unimplemented", "", 7, -1.5, True, [], [None, [1]], {}, {"k": {"k": []}}, [{"a": 1}, "b"]]
VIEWS = [getattr(objects, name) for name in objects.__all__]


def nested(depth: int, leaf: Any = "leaf") -> Any:
    """Objects and arrays in turn, so many levels of them."""
    value = leaf
    for level in range(depth):
        value = [value] if level % 2 else {"output": value}
    return value


# ---- Fields


@pytest.mark.parametrize("cls", VIEWS, ids=lambda cls: cls.__name__)
def test_absent_and_null_read_none(cls: type[View]) -> None:
    empty, nulls = cls({}), cls(dict.fromkeys(cls.__match_args__))
    for name in cls.__match_args__:
        assert getattr(empty, name) is None
        assert getattr(nulls, name) is None
    assert repr(empty) == f"{cls.__name__}()"


HOLDERS = {  # message, its field, and whether that is a list of views
    "session.created": ("session", False),
    "response.done": ("response", False),
    "conversation.item.added": ("item", False),
    "error": ("error", False),
    "rate_limits.updated": ("rate_limits", True),
}


def spellings(name: str, value: str) -> list[str]:
    """An object that holds one field, as JSON may say it."""
    key, escaped = json.dumps(name), '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"'
    return [
        f"{{{key}:{value}}}",
        f' {{ {escaped}\t:\n{value} ,"{"x" * 70}":0 }} ',
        f'{{{key}:["the last one counts"],"other":{{{key}:1}},{key}:{value}}}',
        f'{{"{name}x":1,"":{{}},{key}:{value},"\\u0000":2}}',
    ]


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_field_found_in_the_frame_is_the_one_of_the_whole_object(kind: str, tier: str) -> None:
    """The first reads look into the frame, later ones into what was parsed of it: nobody can tell them apart."""
    attribute, many = HOLDERS[kind]
    values = [json.dumps(surprise) for surprise in SURPRISES]
    values += [
        "null",
        "false",
        "1e2",
        "-0.0",
        "18446744073709551616",
        '"\\ud83d\\ude00é\\n"',
        '[ {"type" : "x"} , 1, [] ]',
        "[ ]",
    ]

    def views(frame: bytes) -> list[Any]:
        value = getattr(realtime_pcm.decode(frame), attribute)
        return value if many else [value]

    names = type(views(f'{{"type":"{kind}","{attribute}":{"[{}]" if many else "{}"}}}'.encode())[0]).__match_args__
    for name in names:
        for value in values:
            for spelled in spellings(name, value):
                value_of = f"[7,{spelled}, {spelled}]" if many else spelled
                frame = f'{{"type":"{kind}","{attribute}":{value_of}}}'.encode()
                for found, parsed in zip(views(frame), views(frame), strict=True):
                    if found == 7:
                        continue
                    whole = parsed.raw
                    assert plain(getattr(parsed, name)) == plain(whole.get(name))
                    first = [plain(getattr(found, name)) for _ in range(9)]
                    assert first == [whole.get(name)] * 9 and type(first[0]) is type(whole.get(name))
                    assert getattr(found, name) == getattr(parsed, name)
                    assert found == parsed and found.raw == whole


def test_a_view_outlives_its_message_and_frame() -> None:
    for reads in (1, 9):
        frame = b'{"type":"session.created","session":{"model":"a model","audio":{"output":{"voice":"ash"}}}}'
        session = realtime_pcm.decode(bytearray(frame)).session
        output = session.audio.output
        for _ in range(reads):
            assert (session.model, output.voice) == ("a model", "ash")
        assert output.raw == {"voice": "ash"} and pickle.loads(pickle.dumps(output)) == output


def test_audio_of_an_item_is_decoded_out_of_the_frame() -> None:
    samples = np.arange(-500, 500, dtype="<i2")
    text = base64.b64encode(samples.tobytes()).decode()

    def part(audio: str, kind: str = "output_audio") -> ContentPart:
        frame = f'{{"type":"conversation.item.added","item":{{"content":[{{"type":"{kind}","audio":{audio}}}]}}}}'
        return realtime_pcm.decode(frame).item.content[0]

    for spelled in (json.dumps(text), json.dumps(text).replace("/", "\\/"), json.dumps(text).replace("A", "\\u0041")):
        content = part(spelled)
        for _ in range(9):
            assert np.array_equal(content.pcm, samples)
        assert content.audio == text
    assert part("null").pcm is None
    for wrong, reason in (('"AAA"', "ends inside"), ('"AA\\u0041*"', "not base64"), ("7", "not a string"), ('"AAA\\n"', "white")):
        content = part(wrong)
        for _ in range(9):
            with pytest.raises(DecodeError, match=reason) as error:
                content.pcm  # noqa: B018
            assert error.value.position == {'"AA\\u0041*"': 3, '"AAA\\n"': 3, '"AAA"': 3}.get(wrong, 0)


@pytest.mark.parametrize("cls", VIEWS, ids=lambda cls: cls.__name__)
def test_surprises_are_handed_on(cls: type[View]) -> None:
    for value in SURPRISES:
        view = cls(dict.fromkeys(cls.__match_args__, value))
        for name in cls.__match_args__:
            got = getattr(view, name)
            assert plain(got) == value
            assert type(plain(got)) is type(value)
        assert "\n" not in repr(view)
        assert view == pickle.loads(pickle.dumps(view)) == copy.copy(view) == copy.deepcopy(view)


def test_nested_views() -> None:
    session = SessionConfig(
        {
            "audio": {
                "input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}, "format": None},
                "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "cedar"},
            },
            "voice": {"name": "alloy", "type": "openai"},
            "tools": [{"type": "function", "name": "f"}, "odd", None],
            "tracing": "auto",
        }
    )
    assert session.audio.output.format.rate == 24000
    assert session.audio.output.voice == "cedar"
    assert session.audio.input.turn_detection.eagerness == "low"
    assert session.audio.input.format is None
    assert session.voice.name == "alloy"
    assert session.tools[0].name == "f"
    assert session.tools[1:] == ["odd", None]
    assert session.tracing == "auto"


def test_shapes_that_xai_and_dashscope_send() -> None:
    response = RealtimeResponse({"status_details": "unimplemented", "usage": {}, "conversation_id": ""})
    assert response.status_details == "unimplemented"
    assert response.usage == Usage({})
    assert response.usage.total_tokens is None
    assert response.conversation_id == ""
    usage = Usage({"input_tokens_details": {"audio_tokens": 35}})
    assert usage.input_tokens_details.audio_tokens == 35


def test_undeclared_keys_are_in_raw_only() -> None:
    error = RealtimeError({"code": "c", "retryable": True})
    assert error.raw["retryable"] is True
    assert not hasattr(error, "retryable")
    assert repr(error) == "RealtimeError(code='c', +1 undeclared)"


def test_match_statement() -> None:
    match ConversationItem({"type": "function_call", "name": "f", "arguments": "{}"}):
        case ConversationItem(type="message"):
            raise AssertionError
        case ConversationItem(type="function_call", name=name, arguments=arguments):
            assert (name, arguments) == ("f", "{}")


def test_declaring_a_view() -> None:
    class Weather(View):
        """Of a private server."""

        degrees: float | None
        items: list[ConversationItem] | None
        inner: Weather | None

    class Report(Weather):
        today: Weather | None

    view = Report({"degrees": 1.5, "items": [{"id": "i"}], "today": {"degrees": 2}, "inner": {"degrees": 3}})
    assert Report.__match_args__ == ("degrees", "items", "inner", "today")
    assert (view.degrees, view.items[0].id, view.today.degrees) == (1.5, "i", 2)
    assert view.inner == Weather({"degrees": 3})
    for name in ("raw", "_formats"):
        with pytest.raises(TypeError, match="reserved"):
            type("Bad", (View,), {"__annotations__": {name: "str"}, "__module__": __name__})


# ---- Read-only, equality, copies


def test_read_only() -> None:
    limit = RateLimit({"name": "tokens"})
    for name in ("name", "raw", "_formats", "another"):
        with pytest.raises(AttributeError):
            setattr(limit, name, 1)
        with pytest.raises(AttributeError):
            delattr(limit, name)
    with pytest.raises(TypeError):
        hash(limit)
    assert not hasattr(limit, "__dict__")


def test_equality() -> None:
    assert RateLimit({"a": 1, "b": [1, {}]}) == RateLimit({"b": [1, {}], "a": 1})
    for other in ({"a": 1}, {"a": 1, "b": [1]}, {"a": 1, "b": [1, []]}, {"a": 1, "c": [1, {}]}, {"a": 2, "b": [1, {}]}):
        assert RateLimit({"a": 1, "b": [1, {}]}) != RateLimit(other)
    assert RateLimit({}) != RealtimeError({})
    assert RateLimit({}) != {}
    assert Usage({"seconds": 3}) == Usage({"seconds": 3.0})


def test_formats_are_part_of_equality_and_travel() -> None:
    wide = (AudioFormat("pcm16", 24000), AudioFormat("pcm16", 24000))
    narrow = (AudioFormat("g711_ulaw", 8000), AudioFormat("g711_alaw", 8000))
    raw = {"content": [{"type": "audio", "audio": "AAAA"}]}
    assert ConversationItem(raw) == ConversationItem(raw, wide)
    assert ConversationItem(raw) != ConversationItem(raw, narrow)
    item = ConversationItem(raw, narrow)
    for same in (item, copy.copy(item), copy.deepcopy(item), pickle.loads(pickle.dumps(item))):
        assert same == item
        assert same.content[0] == ContentPart(raw["content"][0], narrow)


def test_copy_shares_and_deepcopy_does_not() -> None:
    item = ConversationItem({"content": [{"text": "t"}]})
    assert copy.copy(item).raw is item.raw
    deep = copy.deepcopy(item)
    assert deep == item
    assert deep.raw is not item.raw
    assert deep.raw["content"][0] is not item.raw["content"][0]
    assert list(deep.raw) == list(item.raw)


@pytest.mark.parametrize("depth", [1, 2, 1000, 1022, 1023])
def test_depth(depth: int) -> None:
    view, same, other = (RealtimeResponse({"output": nested(depth, leaf)}) for leaf in ("a", "a", "b"))
    assert view == same
    assert view != other
    assert len(repr(view)) < 200
    for twin in (copy.copy(view), copy.deepcopy(view), pickle.loads(pickle.dumps(view))):
        assert twin == view
        assert twin != other


def test_depth_from_a_frame() -> None:
    # 1,024 levels are the most a frame may have; the frame and `response` are two.
    frame = '{"type":"response.done","response":{"output":' + "[" * 1022 + "]" * 1022 + "}}"
    view = realtime_pcm.decode(frame).response
    assert isinstance(view, RealtimeResponse)
    assert pickle.loads(pickle.dumps(view)) == view == copy.deepcopy(view)
    assert view == realtime_pcm.decode(frame).response


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"a": []},
        {"a": {}, "b": [[], {}, [{}]]},
        {"": {"": [{"": ""}]}},
        {"a": [1, [2, [3, {"b": 4, "c": [5]}], 6], {"d": None}, 7], "e": 8.5, "f": [True, False, None, "g"]},
    ],
)
def test_copies_keep_order_and_shape(raw: dict[str, Any]) -> None:
    for twin in (copy.deepcopy(Usage(raw)), pickle.loads(pickle.dumps(Usage(raw)))):
        assert json.dumps(twin.raw) == json.dumps(raw)


def test_repr_is_short_and_one_line() -> None:
    part = ContentPart({"type": "audio", "audio": "A" * 3_000_000, "transcript": "line\nline", "text": ""})
    assert len(repr(part)) < 200
    assert "\n" not in repr(part)
    item = ConversationItem({"id": "i", "content": [{}, {}], "tools": [], "error": {"code": 1}, "status": None})
    assert repr(item) == "ConversationItem(id='i', content=[ContentPart(), ContentPart()], tools=[], error=RealtimeError(code=1))"
    many = ConversationItem({"id": "i", "content": [{}] * 9, "output": "o" * 100, "reason": "r" * 55, "arguments": "a" * 55})
    assert repr(many) == (
        f"ConversationItem(id='i', content=[9], arguments='{'a' * 55}', output='{'o' * 56}'... 100 characters, +1 more)"
    )
    tool = Tool(type="mcp", authorization="Bearer secret", headers={"key": "secret"})
    assert repr(tool) == "Tool(type='mcp', authorization=..., headers=...)" == repr(SessionConfig(tools=[tool]).tools[0])
    assert repr(SessionConfig(client_secret={"value": "x"})) == "SessionConfig(client_secret=ClientSecret(value=...))"


# ---- Audio in content


def test_content_part_pcm() -> None:
    samples = np.array([0, 1, -1, 32767, -32768], dtype="<i2")
    text = base64.b64encode(samples.tobytes()).decode()
    part = ContentPart({"type": "output_audio", "audio": text, "transcript": "t"})
    assert part.pcm.dtype == np.int16
    np.testing.assert_array_equal(part.pcm, samples)
    assert part.audio == text
    assert part.transcript == "t"
    assert part.pcm is not part.pcm
    assert part.pcm.flags.owndata
    assert part.pcm.flags.writeable


@pytest.mark.parametrize("raw", [{}, {"audio": None}, {"type": "input_text", "text": "t"}])
def test_content_part_without_audio(raw: dict[str, Any]) -> None:
    assert ContentPart(raw).pcm is None


def test_content_part_with_empty_audio() -> None:
    assert ContentPart({"type": "input_audio", "audio": ""}).pcm.size == 0


def test_content_part_takes_the_format_of_its_direction() -> None:
    formats = (AudioFormat("g711_ulaw", 8000), AudioFormat("pcm16", 24000))
    text = base64.b64encode(bytes(8)).decode()
    assert ContentPart({"type": "input_audio", "audio": text}, formats).pcm.size == 8
    assert ContentPart({"type": "output_audio", "audio": text}, formats).pcm.size == 4
    assert ContentPart({"type": "audio", "audio": text}, formats).pcm.size == 4
    item = ConversationItem({"content": [{"type": "input_audio", "audio": text}]}, formats)
    assert item.content[0].pcm.size == 8
    response = RealtimeResponse({"output": [{"content": [{"type": "input_audio", "audio": text}]}]}, formats)
    assert response.output[0].content[0].pcm.size == 8


@pytest.mark.parametrize("audio", ["*", "AAA", "AAA=A", "AA\n==", "AB==", "é"])
def test_content_part_with_bad_audio(audio: str) -> None:
    part = ContentPart({"type": "output_audio", "audio": audio})
    assert part.audio == audio
    with pytest.raises(DecodeError):
        part.pcm  # noqa: B018


def test_content_part_with_audio_that_is_no_text() -> None:
    audio: object
    for audio in (7, [], {}, True):
        part = ContentPart({"type": "output_audio", "audio": audio})
        assert part.audio == audio
        with pytest.raises(DecodeError):
            part.pcm  # noqa: B018


def test_content_part_in_a_format_that_is_no_pcm() -> None:
    formats = (AudioFormat("pcm16", 24000), AudioFormat("mp3", 24000))
    with pytest.raises(DecodeError, match="mp3"):
        ContentPart({"type": "output_audio", "audio": "AAAA"}, formats).pcm  # noqa: B018


def test_lists_and_dicts_are_the_same_at_every_read() -> None:
    frame = '{"type":"session.created","session":{"model":"m","include":["a"],"output_modalities":["text"]}}'
    session = realtime_pcm.decode(frame).session
    assert session.model == "m" and session.include is session.include is session.raw["include"]


def test_a_view_with_an_init_of_its_own() -> None:
    made = []

    class Counted(View):
        """A view that counts."""

        model: str | None

        def __init__(self, raw: dict[str, Any], formats: Any = None) -> None:
            super().__init__(raw, formats)
            made.append(raw)

    class Holding(realtime_pcm.messages.RealtimeServerMessage):
        """A message that holds it."""

        type: Literal["test.counted"] = "test.counted"
        counted: Counted | None = None

    message = realtime_pcm.decode('{"type":"test.counted","counted":{"model":"m"}}')
    assert message.counted.model == "m" and made == [{"model": "m"}]


def test_a_parsed_view_lets_go_of_its_frame() -> None:
    # No constant: free-threaded Python counts no references to these.
    frame = b"".join([b'{"type":"session.created","session":{"model":"', b"m" * 1000, b'"}}'])
    before = sys.getrefcount(frame)
    session = realtime_pcm.decode(frame).session
    assert len(session.model) == 1000 and sys.getrefcount(frame) == before + 1
    assert len(session.raw["model"]) == 1000 and sys.getrefcount(frame) == before


@pytest.mark.parametrize(("text", "position"), [("*é", 0), ("é", 0), ("AAé", 2), ("\\u", 0), ("AAA\\", 3), ("AA\\/", 2)])
def test_positions_in_the_audio_of_an_item(text: str, position: int) -> None:
    part = ContentPart({"type": "audio", "audio": text})
    with pytest.raises(DecodeError) as caught:
        part.pcm  # noqa: B018
    assert caught.value.position == position
