"""Views read their fields in the outline that the walk has made, or in the frame: both must give what json.loads gives.

A frame with "type" in front has an outline, unless its object has too many members or an escaped key. The same object with "type"
behind it has none.
"""

from __future__ import annotations

import copy
import json
import pickle
import random
from typing import Any, Literal

import pytest

import realtime_pcm as rp
from realtime_pcm.objects import SessionConfig

FIELDS = [name for name in vars(SessionConfig) if not name.startswith("_")]
PLAIN = [name for name in FIELDS if name not in ("audio", "tools", "turn_detection")]
SCALARS = [
    '"x"',
    '""',
    '"gr\\u00fc\\n"',
    '"gr\u00fc\u00dfe \U0001f600"',
    "0",
    "-12",
    "1.5",
    "2e3",
    "1E-2",
    "true",
    "false",
    "null",
    "[]",
    "{}",
]
NESTED = ['[{"voice":"no","format":{"rate":1}}]', '{"format":"no"}', '[[{"audio":1}],{"id":"no"}]']


def member(key: str, value: str, random_: random.Random) -> str:
    space = random_.choice(("", "", "", " ", "\n\t"))
    return f'"{key}"{space}:{space}{value}'


def make_object(members: list[str], random_: random.Random) -> str:
    space = random_.choice(("", "", "", " ", "\r\n"))
    return "{" + space + f"{space},{space}".join(members) + space + "}"


def make_audio(random_: random.Random) -> str:
    sides = []
    for side in random_.choices(("output", "input", "format", "other"), k=random_.randrange(4)):
        named = random_.choice((*SCALARS, '{"type":"audio/pcmu"}', '{"type":"audio/pcm","rate":24000}', '{"rate":{"format":3}}'))
        inner = [
            member(key, named if key == "format" else random_.choice(SCALARS), random_)
            for key in random_.choices(("format", "voice", "speed", "turn_detection"), k=random_.randrange(4))
        ]
        sides.append(member(side, random_.choice((make_object(inner, random_), *SCALARS[:4])), random_))
    return make_object(sides, random_)


def make_session(random_: random.Random, count: int) -> str:
    members = []
    for _ in range(count):
        key = random_.choice((*FIELDS, "audio", "audio", "undeclared", "", "k" * random_.choice((64, 255, 256, 300))))
        value = make_audio(random_) if key == "audio" else random_.choice((*SCALARS, *NESTED))
        members.append(member(key, value, random_))
    return make_object(members, random_)


def plain(value: Any) -> Any:
    return value.raw if isinstance(value, rp.objects.View) else value


def same(view: Any, parsed: Any, fields: list[str]) -> None:
    for name in random.sample(fields, min(len(fields), 6)):
        value = getattr(view, name)
        wanted = parsed.get(name)
        assert plain(value) == wanted, name
        assert isinstance(value, rp.objects.View) or type(value) is type(wanted), name
    if isinstance(view.audio, rp.objects.View) and isinstance(view.audio.output, rp.objects.View):
        output = parsed["audio"]["output"]
        assert plain(view.audio.output.voice) == output.get("voice")
        assert plain(view.audio.output.format) == output.get("format")


@pytest.mark.parametrize("seed", range(8))
def test_views_give_what_json_gives(seed: int) -> None:
    random_ = random.Random(seed)
    random.seed(seed)
    for _ in range(400):
        text = make_session(random_, random_.choice((0, 1, 3, 8, 20, 63, 64, 65, 90)))
        parsed = json.loads(text)
        formats = set()
        for frame in ('{"type":"session.created","session":' + text + "}", '{"session":' + text + ',"type":"session.created"}'):
            decoder = rp.Decoder()
            message = decoder.decode(frame.encode())
            same(message.session, parsed, PLAIN)
            formats.add((decoder.audio_format, decoder.input_audio_format))
        assert len(formats) == 1, frame  # the outline and the frame name the same formats


@pytest.mark.parametrize(
    ("session", "model"),
    [
        ('{"model":"a","model":"b"}', "b"),
        ('{"model":"a","mod\\u0065l":"b"}', "b"),
        ('{"mod\\u0065l":"b","model":"a"}', "a"),
        ('{"tools":[{"model":"no"}],"audio":{"model":"no"}}', None),
        ('{"' + '":1,"'.join(f"k{i}" for i in range(63)) + '":1,"model":"a"}', "a"),
        ('{"' + '":1,"'.join(f"k{i}" for i in range(64)) + '":1,"model":"a"}', "a"),
    ],
    ids=["twice", "escaped last", "escaped first", "deeper", "64 members", "65 members"],
)
def test_which_member_counts(session: str, model: str | None) -> None:
    message = rp.decode('{"type":"session.created","session":' + session + "}")
    assert message.session.model == model
    assert message.session.raw.get("model") == model
    assert message.session.model == model


def test_the_last_of_two_objects_counts() -> None:
    for first, second, model in (
        ('{"model":"a"}', '{"model":"b"}', "b"),
        ('{"model":"a"}', "{}", None),
        ("[1]", '{"model":"b"}', "b"),
        ("null", '{"model":"b"}', "b"),
    ):
        assert rp.decode(f'{{"type":"session.created","session":{first},"session":{second}}}').session.model == model
    for second, value in (("null", None), ("7", 7), ('"x"', "x"), ("[1]", [1])):
        frame = '{"type":"session.created","session":{"model":"a"},"session":' + second + "}"
        assert rp.decode(frame).session == value


def test_an_outline_stays_with_copies_and_parsed_views() -> None:
    message = rp.decode('{"type":"session.created","session":{"model":"a","audio":{"output":{"voice":"b"}}}}')
    audio = message.session.audio
    for one in (message, copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert (one.session.model, one.session.audio.output.voice) == ("a", "b")
    assert message.session.raw["audio"]["output"]["voice"] == audio.output.voice == "b"
    assert audio.raw == {"output": {"voice": "b"}} and audio.output.voice == "b"
    assert message == copy.copy(message)


def test_a_view_class_that_gives_one_object_again_and_again() -> None:
    """Nothing stays of the object that the view stood for before: neither its outline nor what was parsed."""
    kept: list[Any] = []

    class Once(rp.objects.View):
        """Once"""

        a: str | None
        b: str | None

        def __new__(cls, *given: Any) -> Any:
            if not kept:
                kept.append(super().__new__(cls))
            return kept[0]

    class Message(rp.messages.RealtimeServerMessage):
        """Holds a view that is always the same object."""

        type: Literal["once.only"] = "once.only"
        thing: Once | None = None

    long = "x" * 5_000
    for frame, a, b in (
        ('{"type":"once.only","thing":{"a":"' + long + '","b":"far behind"}}', long, "far behind"),
        ('{"thing":{"a":"q","b":"w"},"type":"once.only"}', "q", "w"),
        ('{"type":"once.only","thing":{}}', None, None),
        ('{"type":"once.only","thing":{"b":"v"}}', None, "v"),
    ):
        thing = rp.decode(frame).thing
        assert (thing.a, thing.b) == (a, b)
        assert thing.raw.get("a") == a
    assert len(kept) == 1


def test_a_view_class_whose_new_takes_what_a_view_is_made_of() -> None:
    class Counted(rp.objects.View):
        """Counts its members when it is made."""

        a: str | None

        def __new__(cls, raw: dict[str, Any], formats: Any = None) -> Any:
            made = super().__new__(cls)
            kept.append(len(raw))
            return made

    class Message(rp.messages.RealtimeServerMessage):
        """Holds such views."""

        type: Literal["counted.views"] = "counted.views"
        thing: Counted | None = None
        things: list[Counted] | None = None

    kept: list[int] = []
    message: Any = rp.decode('{"type":"counted.views","thing":{"a":"x","b":1},"things":[{"a":"y"},{}]}')
    assert message.thing.a == "x" and [one.a for one in message.things] == ["y", None]
    assert kept == [2, 1, 0]
    assert copy.copy(message.thing) == copy.deepcopy(message.thing) == message.thing
