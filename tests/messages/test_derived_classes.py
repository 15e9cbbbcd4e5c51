"""Message classes below other message classes: every descriptor of a base reads the right slot of every message below it."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import pickle
import random
import struct
from typing import Any, Literal

import pytest

import realtime_pcm as rp
from realtime_pcm.messages import AudioEnd, AudioMessage, RealtimeMessage, RealtimeServerMessage, payload
from realtime_pcm.objects import View
from support.own_classes import declared

_numbers = itertools.count()


def fresh() -> str:
    """A wire name that no class has yet."""
    return f"derived.{next(_numbers)}"


def dumps(**values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


class Thing(View):
    id: str | None


class Other(View):
    id: str | None


class Holder(RealtimeServerMessage):
    type: Literal["derived.holder"] = "derived.holder"
    item: Thing | None = None


def statement(name: str, base: type, wire: str | tuple[str, ...] = (), /, role: str | None = None, **fields: Any) -> Any:
    """A class statement. fields: name -> annotation, or (annotation, payload)."""
    annotations = {field: said[0] if isinstance(said, tuple) else said for field, said in fields.items()}
    body = {field: said[1] for field, said in fields.items() if isinstance(said, tuple)}
    return declared(name, base, wire, annotations, role=role, __module__=__name__, **body)


def id_of_item(cls: Any, message: Any) -> Any:
    """`super().item.id`, of the class that derives from `cls`, or what stands in the place of the view."""
    item = cls.item.__get__(message, type(message))
    return item.id if isinstance(item, View) else item


# ---- The outline of a nested object

# An entry of an outline: where key and value stand, lengths and flags. What a sender would like the base to read.
FORGED = struct.pack("<IIIBB??", 20, 4_000_000_000, 4_000_000_064, 2, 1, False, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("str | None", "text"),
        ("str | None", None),
        ("int | None", 7),
        ("str | None", {"id": "flat"}),
        ("Other | None", {"id": "other"}),
        ("list[Other] | None", [{"id": "other"}]),
        (("bytes | None", payload("data")), base64.b64encode(FORGED).decode()),
        (("bytes | None", payload("data")), None),
    ],
)
@pytest.mark.parametrize("base_first", [True, False])
def test_a_base_reads_its_object_whatever_field_follows_it(field: Any, value: Any, base_first: bool) -> None:
    name = fresh()
    derived = statement("Derived", Holder, name, data=field)
    message = rp.decode(dumps(type=name, item={"id": "x"}, data=value))
    for cls in (Holder, derived) if base_first else (derived, Holder):
        assert id_of_item(cls, message) == "x"
    assert Holder.item.__get__(message) is message.item


def test_a_read_through_a_base_makes_the_view_of_the_message_s_own_class() -> None:
    name, flat = fresh(), fresh()
    statement("Changed", Holder, name, item="Other | None")
    statement("Flat", Holder, flat, item="str | None")
    changed: Any = rp.decode(dumps(type=name, item={"id": "x"}))
    assert type(Holder.item.__get__(changed)) is Other and type(changed.item) is Other
    as_dict: Any = rp.decode(dumps(type=flat, item={"id": "x"}))
    assert Holder.item.__get__(as_dict) == as_dict.item == {"id": "x"}


def test_a_role_below_gives_the_outline_to_another_field() -> None:
    name = fresh()
    derived = statement("Led", Holder, name, role="session_update", session="Other | None")
    message: Any = rp.decode(dumps(type=name, item={"id": "x"}, session={"id": "s"}))
    assert (id_of_item(Holder, message), id_of_item(derived, message), message.session.id) == ("x", "x", "s")


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda message: pickle.loads(pickle.dumps(message))])
def test_a_copy_is_read_through_a_base(duplicate: Any) -> None:
    name = fresh()
    statement("Copied", Holder, name, note="str | None", data=("bytes | None", payload("data")))
    message = rp.decode(dumps(type=name, item={"id": "x"}, note="n", data=base64.b64encode(FORGED).decode()))
    assert id_of_item(Holder, duplicate(message)) == "x"
    assert id_of_item(Holder, message) == "x"


def test_event_id_is_read_through_every_base() -> None:
    class Middle(RealtimeServerMessage):
        pass

    name = fresh()
    derived = statement("Ends", Middle, name, note="str | None")
    flat, nested = (rp.decode(dumps(type=name, event_id=event_id)) for event_id in ("e", {"a": [1]}))
    for cls in (derived, Middle, RealtimeServerMessage, RealtimeMessage):
        assert cls.event_id.__get__(flat) == "e"
        assert cls.event_id.__get__(nested) == {"a": [1]}
    assert rp.decode(dumps(type=fresh(), event_id=[1])).event_id == [1]


def test_the_text_of_a_payload_stays_where_a_derived_class_gives_its_key_to_a_field() -> None:
    below, above = fresh(), fresh()
    samples = base64.b64encode(b"\1\0\2\0").decode()
    base = statement("Heard", AudioMessage, above, pcm=("Samples", payload("speech")))
    statement("Said", base, below, pcm=("Samples", payload("sound")), a="str | None", speech="str | None")
    said: Any = rp.decode(dumps(type=below, sound=samples, a="a", speech={"id": 1}))
    assert said.speech == {"id": 1}
    heard: Any = rp.decode(dumps(type=above, speech=samples))
    assert heard.speech == samples and heard.pcm.tolist() == [1, 2]


# ---- Any hierarchy

_KINDS = ["str | None", "int | None", "Any", "list[Any] | None", "dict[str, Any] | None", "Thing | None", "list[Thing] | None"]
_VALUES: list[Any] = [None, "text", 5, 1.5, True, [], {}, {"id": "x"}, [{"id": "y"}, 3], {"id": {"id": [None]}}, "é\n"]


def _plain(value: Any) -> Any:
    if isinstance(value, View):
        return value.raw
    return [_plain(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(20))
def test_every_descriptor_of_every_base_reads_what_json_gives(seed: int) -> None:
    rng = random.Random(seed)
    top = rng.choice([RealtimeServerMessage, AudioMessage, AudioEnd])
    chain: list[Any] = [top]
    fields: dict[str, None] = {}
    audio = {"pcm": ("Samples", payload("delta"))} if top is AudioMessage else {}
    for level in range(rng.randint(2, 5)):
        own = {f"f{level}_{i}": rng.choice(_KINDS) for i in range(rng.randint(0, 4))}
        again = {name: rng.choice(_KINDS) for name in fields if rng.random() < 0.2}  # with another view, or none
        wire = fresh()
        chain.append(statement(f"Level{level}", chain[-1], wire, **again, **own, **audio))
        audio = {}
        fields |= dict.fromkeys(own)
        for _ in range(6):
            sent = {name: rng.choice(_VALUES) for name in fields if rng.random() < 0.8}
            sent["event_id"] = rng.choice(_VALUES)
            if top is AudioMessage:
                sent["delta"] = base64.b64encode(rng.randbytes(4)).decode()
            message: Any = rp.decode(dumps(type=wire, **dict(rng.sample(list(sent.items()), len(sent)))))
            message = rng.choice([lambda m: m, copy.copy, copy.deepcopy])(message)
            reads = [(cls, name) for cls in chain for name in ("event_id", *fields) if hasattr(cls, name)]
            for cls, name in rng.sample(reads, len(reads)):
                assert _plain(getattr(cls, name).__get__(message)) == sent.get(name), (cls, name)
            repr(message)


# ---- What is refused


def test_a_base_that_was_not_declared_is_refused() -> None:
    class Vendor(RealtimeServerMessage):
        type: Literal["derived.vendor"] = "derived.vendor"
        a: str | None = None
        b: str | None = None

        def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
            if not abstract:
                super().__init_subclass__(**kwargs)

    class Mixin:
        pass

    layout = Vendor._layout
    for bases, body in [
        ((Vendor,), {}),
        ((Vendor, Mixin), {}),
        ((Mixin, Vendor), {}),
        ((Vendor,), {"_layout": layout}),
        ((Vendor,), {"_layout": type(layout)()}),
    ]:
        middle = type("Middle", bases, body, abstract=True)
        name = fresh()
        with pytest.raises(TypeError, match=r"Leaf: its base Middle was never declared: .*__init_subclass__"):
            declared("Leaf", middle, name, {"x": "str | None"})
        with pytest.raises(TypeError):
            rp.AudioEncoder(middle)
        assert isinstance(rp.decode(dumps(type=name)), rp.messages.UnknownMessage)

    class Direct(Vendor):
        type: Literal["derived.direct"] = "derived.direct"  # type: ignore[assignment]
        x: str | None = None

    assert Direct.__match_args__ == ("a", "b", "x")


def test_only_a_message_class_is_declared() -> None:
    declare: Any = RealtimeMessage.__init_subclass__.__func__
    for cls in (list, dict, View, type("Plain", (), {}), 3, None):
        with pytest.raises(TypeError, match="no message class"):
            declare(cls)
    assert [3, *list("a")] == [3, "a"]  # as before
