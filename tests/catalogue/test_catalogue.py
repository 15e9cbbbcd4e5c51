"""The catalogue of each side against a list of what each provider sends there (provider_messages.json, client_messages.json)."""

from __future__ import annotations

import base64
import itertools
import json
import keyword
from collections.abc import Callable
from typing import Any, get_args

import orjson
import pytest

import realtime_pcm
from realtime_pcm import messages, objects
from support.own_classes import declared
from support.provider_messages import BY_TYPE, PAYLOADS, SIDES, Side, decode, plain, wire_fields

RESERVED = {
    "type",
    "event_id",
    "frame",
    "extra",
    "pcm",
    "audio_format",
    "sample_offset",
    "incomplete_sample",
    "to_dict",
}
# What says the format of audio in the message itself: a surprise there is a test of the decoder, not of the catalogue.
FORMAT = {"format": "pcm16", "sample_rate": 24000, "sample_rate_hz": 24000, "channels": 1}
PAYLOAD = bytes(range(250)) + b"\xff\x7f"

VALUES: dict[str, Any] = {
    "object": {"id": "x", "list": [1, {"deep": None}], "type": "audio/pcm", "nested": {"a": {}}},
    "array": [{"id": "one"}, {"id": "two", "content": [{"text": "t"}]}, "three", 4, None, [5]],
    "string": 'quoted "text" with a \\ and a line\nend, é, \U0001f600',
    "empty string": "",
    "int": -1234567890123,
    "zero": 0,
    "float": 0.6875,
    "true": True,
    "false": False,
    "null": None,
}

# xAI and DashScope write some keys elsewhere than OpenAI; LocalAI and Speaches write `type` last.
ORDERS: dict[str, Callable[[list[str]], list[str]]] = {
    "type first": lambda keys: keys,
    "type last": lambda keys: list(reversed(keys)),
    "event_id first": lambda keys: [keys[1], keys[0], *keys[2:]],
    "sorted": sorted,
}


every_side = pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
every_entry = pytest.mark.parametrize(
    "entry",
    [entry for side in SIDES.values() for entry in side.entries],
    ids=lambda entry: f"{entry['side']} {entry['type']}",
)


def side_of(entry: dict[str, Any]) -> Side:
    return SIDES[entry["side"]]


def build(entry: dict[str, Any], value: Any, order: str = "type first") -> dict[str, Any]:
    keys = ["type", "event_id", *wire_fields(entry)]
    filled = dict.fromkeys(keys, value) | {"type": entry["type"], "event_id": "event_1"}
    _, payload_keys = PAYLOADS.get(entry["class"], ("", ()))
    if payload_keys:
        filled |= {key: known for key, known in FORMAT.items() if key in filled}
        # Of two keys for one payload a message has one.
        for key in payload_keys:
            filled.pop(key, None)
        filled[payload_keys[0]] = base64.b64encode(PAYLOAD).decode()
        keys = [key for key in keys if key in filled]
    return {key: filled[key] for key in ORDERS[order](keys)}


def check_fields(entry: dict[str, Any], sent: dict[str, Any]) -> None:
    message = decode(sent, entry["side"])
    assert type(message) is side_of(entry).class_of(entry)
    assert message.type == entry["type"]
    assert message.event_id == "event_1"
    assert message.to_dict() == sent
    payload_field, payload_keys = PAYLOADS.get(entry["class"], ("", ()))
    undeclared = {}
    for key, value in sent.items():
        if key in ("type", "event_id"):
            continue
        if key in payload_keys:
            got = getattr(message, payload_field)
            assert (got.tobytes() if payload_field == "pcm" else got) == PAYLOAD
            if payload_field == "pcm":
                assert getattr(message, "delta" if entry["side"] == "server" else key) == value
        elif key in RESERVED or keyword.iskeyword(key):
            undeclared[key] = value
        else:
            got = plain(getattr(message, key))
            assert got == value, key
            assert type(got) is type(value), key
    assert message.extra == undeclared


@every_entry
def test_every_field_comes_back_equal(entry: dict[str, Any]) -> None:
    for value in VALUES.values():
        check_fields(entry, build(entry, value))


@every_entry
def test_key_order_does_not_matter(entry: dict[str, Any]) -> None:
    for order, kind in itertools.product(ORDERS, ("object", "string", "int")):
        check_fields(entry, build(entry, VALUES[kind], order))


@every_entry
def test_each_provider_s_own_shape(entry: dict[str, Any]) -> None:
    for provider, fields in entry["fields"].items():
        own = {**entry, "fields": {provider: fields}}
        sent = build(own, "text")
        message = decode(sent, entry["side"])
        assert not isinstance(message, side_of(entry).unknown)
        for name in set(type(message).__match_args__) - set(sent) - {"pcm", "data"}:
            assert getattr(message, name) is None, (provider, name)
        if own["class"] not in PAYLOADS:
            check_fields(own, sent)


@every_entry
def test_all_fields_absent(entry: dict[str, Any]) -> None:
    message = decode({"type": entry["type"]}, entry["side"])
    assert type(message) is side_of(entry).class_of(entry)
    assert message.event_id is None
    assert message.extra == {}
    for name in type(message).__match_args__:
        value = getattr(message, name)
        assert (value.size == 0) if name == "pcm" else (value in (None, b"")), name


@every_side
def test_the_list_is_the_catalogue(side: Side) -> None:
    listed: dict[str, set[str]] = {}
    for entry in side.entries:
        listed.setdefault(entry["class"], set()).update(wire_fields(entry))
    exported = {name: getattr(side.package, name) for name in side.package.__all__}
    declared = {
        name
        for name, value in exported.items()
        if isinstance(value, type) and issubclass(value, side.base) and value.__module__.startswith(f"{side.package.__name__}.")
        if value.__name__ == name  # an alias is no declaration
    }
    assert declared == set(listed)
    for name, keys in listed.items():
        fields = set(exported[name].__match_args__)
        payload_field, payload_keys = PAYLOADS.get(name, ("", ()))
        assert {key for key in keys if not keyword.iskeyword(key)} - RESERVED == (fields - {payload_field} | set(payload_keys)), (
            f"{name}: its class and its line in tests/support have different fields"
        )


@pytest.mark.parametrize(("side", "types", "classes"), [("server", 157, 151), ("client", 62, 61)])
def test_counts(side: str, types: int, classes: int) -> None:
    entries = SIDES[side].entries
    assert len(SIDES[side].by_type) == len(entries) == types
    assert len({entry["class"] for entry in entries}) == classes


@every_side
def test_no_field_bears_a_reserved_name(side: Side) -> None:
    for entry in side.entries:
        cls = side.class_of(entry)
        assert not (set(cls.__match_args__) - {"pcm"}) & RESERVED
        assert len(cls.__match_args__) <= 31


@every_entry
def test_a_wire_name_is_one_class_s(entry: dict[str, Any]) -> None:
    side = side_of(entry)
    with pytest.raises(TypeError, match=entry["class"]):
        declared("Another", side.base, entry["type"], __module__=__name__)
    assert type(decode({"type": entry["type"]}, entry["side"])) is side.class_of(entry)


@every_side
def test_no_name_shadows_a_builtin(side: Side) -> None:
    import builtins

    assert not [name for name in side.package.__all__ if hasattr(builtins, name)]


@every_side
def test_every_message_has_one_line_of_documentation(side: Side) -> None:
    for entry in side.entries:
        doc = side.class_of(entry).__doc__
        assert doc and "\n" not in doc.strip(), entry["class"]


def test_the_rust_enum_s_names() -> None:
    names = {
        "session.created": "SessionCreated",
        "session.updated": "SessionUpdated",
        "conversation.item.created": "ConversationItemCreated",
        "input_audio_buffer.committed": "InputAudioBufferCommitted",
        "input_audio_buffer.cleared": "InputAudioBufferCleared",
        "input_audio_buffer.speech_started": "InputAudioBufferSpeechStarted",
        "input_audio_buffer.speech_stopped": "InputAudioBufferSpeechStopped",
        "response.created": "ResponseCreated",
        "response.audio.delta": "ResponseAudioDelta",
        "response.audio_transcript.delta": "ResponseAudioTranscriptDelta",
        "response.text.delta": "ResponseTextDelta",
        "response.done": "ResponseDone",
        "error": "Error",
        "rate_limits.updated": "RateLimitsUpdated",
    }
    for wire, name in names.items():
        assert BY_TYPE[wire]["class"] == name


@every_side
def test_other_names_follow_the_wire(side: Side) -> None:
    for entry in side.entries:
        wire = entry["type"].replace("response.output_audio", "response.audio")
        wire = wire.replace("response.output_text", "response.text")
        pattern = "".join(word.capitalize() for word in wire.replace(".", "_").split("_"))
        assert entry["class"] == {"Warning": "WarningMessage"}.get(pattern, pattern)


def test_either_key_of_an_audio_payload() -> None:
    text = base64.b64encode(PAYLOAD).decode()
    for sent in (
        {"type": "response.output_audio.delta", "audio": text, "format": "pcm16", "sample_rate_hz": 24000},
        {"sample_rate_hz": 24000, "delta": text, "type": "response.output_audio.delta"},
    ):
        message = decode(sent)
        assert isinstance(message, messages.ResponseAudioDelta)
        assert message.pcm.tobytes() == PAYLOAD
        assert message.delta == text
        assert message.sample_rate_hz == 24000


@every_side
def test_the_union_of_a_side_has_all_its_classes(side: Side) -> None:
    members = set(get_args(getattr(side.package, side.union)))
    assert members == {side.class_of(entry) for entry in side.entries} | {side.unknown}
    with pytest.raises(AttributeError):
        side.package.no_such_name  # noqa: B018


def test_views_of_nested_fields() -> None:
    message = decode(
        {
            "type": "response.done",
            "response": {"usage": {"input_token_details": {"cached_tokens": 3}}, "output": [{"id": "i"}]},
        }
    )
    assert isinstance(message, messages.ResponseDone)
    assert isinstance(message.response, objects.RealtimeResponse)
    assert message.response.usage.input_token_details.cached_tokens == 3
    assert [item.id for item in message.response.output] == ["i"]
    limits = decode({"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "remaining": 5}, 7]})
    assert isinstance(limits.rate_limits[0], objects.RateLimit)
    assert limits.rate_limits[1] == 7
    error = decode({"type": "error", "error": "a string, as vLLM has it", "code": "internal"})
    assert (error.error, error.code) == ("a string, as vLLM has it", "internal")


@pytest.mark.parametrize("name", ["test.été", 'test.a"b', "test.c\\b", "test.d\ne", "test.\udc80", "test.\x7f"])
def test_names_that_json_may_spell_otherwise(name: str, tier: str) -> None:
    """A type that came before is looked for as it stands in a frame: these do not stand there as they are declared."""
    key = {"test.été": "é", 'test.a"b': 'x"y'}.get(name, "x")
    cls = next((known for known in messages.RealtimeServerMessage.__subclasses__() if known.__name__ == f"Odd {name!r}"), None)
    if cls is None:
        cls = declared(f"Odd {name!r}", messages.RealtimeServerMessage, name, {"event": "str | None", key: "str | None"})
    filler = "x" * 80
    raw = name.encode("utf-8", "surrogatepass")
    frames = [
        json.dumps({"type": name, "event": "e", key: filler, "event_id": filler}, ensure_ascii=flag).encode(
            "utf-8", "surrogatepass"
        )
        for flag in (True, False)
    ]
    frames.append(b'{"type":"' + raw + b'","event":"e","' + key.encode() + b'":"' + filler.encode() + b'"}')
    frames.append(frames[-1].replace(b'"event":"e"', b'"event":*'))
    decoder = realtime_pcm.Decoder()
    for frame in frames * 3:
        try:
            expected = orjson.loads(frame)
        except orjson.JSONDecodeError:
            with pytest.raises(realtime_pcm.DecodeError) as error:
                decoder.decode(frame)
            assert error.value.message_type in (None, name) or name not in str(error.value.message_type)
            str(error.value).encode("utf-8", "surrogatepass")
        else:
            message = decoder.decode(frame)
            assert message.type == expected["type"] and message.to_dict() == expected
            assert isinstance(message, cls) == (expected["type"] == name)
            if isinstance(message, cls):
                assert getattr(message, key) == expected.get(key)
