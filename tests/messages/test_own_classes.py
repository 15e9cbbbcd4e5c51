"""Message classes that a user declares: what a class statement may say, and what it is refused for."""

from __future__ import annotations

import base64
import gc
import itertools
import json
import pickle
import subprocess
import sys
import tracemalloc
import typing
from abc import ABCMeta
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, messages
from realtime_pcm.messages import AudioEnd, AudioMessage, RealtimeServerMessage, Samples, payload
from support.own_classes import declared

RAW = np.arange(-8, 8, dtype="<i2").tobytes()
TEXT = base64.b64encode(RAW).decode()
_numbers = itertools.count()


def fresh() -> str:
    """A wire name that no class has yet."""
    return f"own.{next(_numbers)}"


def dumps(**values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


# ---- Fields of a base, declared again


@pytest.mark.parametrize("keys", [("d",), ("a", "b", "c", "d"), ()])
def test_a_payload_declared_again_with_another_number_of_keys_is_refused(keys: tuple[str, ...]) -> None:
    base = declared("Base", RealtimeServerMessage, fresh(), {"d": "bytes | None", "h": "str | None"}, d=payload("x", "y"))
    body = {"d": payload(*keys)} if keys else {}
    with pytest.raises(TypeError, match=r"d: Base declares it with another number of wire keys"):
        declared("Again", base, fresh(), {"d": "bytes | None"}, **body)


def test_a_payload_declared_again_with_as_many_keys_leaves_the_other_fields_where_they_are() -> None:
    class Base(AudioMessage):
        type: Literal["own.base"] = "own.base"
        g: str | None = None
        pcm: Samples = payload("x", "y")
        h: str | None = None

    class Again(Base):
        type: Literal["own.again"] = "own.again"  # type: ignore[assignment]
        pcm: Samples = payload("u", "v")
        i: str | None = None

    message: Any = rp.decode(dumps(type="own.again", g="G", v=TEXT, h="H", i="I"))
    assert isinstance(message, Again)
    for cls in (Base, Again):
        assert (cls.g.__get__(message), cls.h.__get__(message)) == ("G", "H")
        assert cls.pcm.__get__(message).tobytes() == RAW
    assert message.i == "I" and super(Again, message).h == "H"


def test_the_descriptors_of_a_base_read_a_container_too() -> None:
    base = declared("Base", RealtimeServerMessage, fresh(), {"h": "str | None"})
    name = fresh()
    derived = declared("Derived", base, name)
    message: Any = rp.decode(dumps(type=name, h=[1, {"a": 2}]))
    assert base.h.__get__(message) == message.h == [1, {"a": 2}]
    assert super(derived, message).h is message.h


# ---- The end of a stream that carries bytes of its own


def test_an_end_with_a_payload_has_its_incomplete_sample() -> None:
    name = "own.end"

    class End(AudioEnd):
        type: Literal["own.end"] = "own.end"
        item_id: str | None = None
        d: bytes | None = payload("x")

    for frame in (dumps(type=name, item_id="i", x="AAEC"), dumps(type=name)):
        for message in (rp.decode(frame), rp.Decoder().decode(frame)):
            assert message.incomplete_sample == b""
            assert message == pickle.loads(pickle.dumps(message))
    decoder = rp.Decoder()
    decoder.decode(dumps(type="response.audio.delta", item_id="i", delta="AAEC"))
    message = decoder.decode(dumps(type=name, item_id="i", x="AAEC"))
    assert (message.incomplete_sample, message.d) == (b"\2", b"\0\1\2")


MADE = (
    "class P(m.AudioEnd):\n    type: Literal['test.p'] = 'test.p'\n    d: bytes = m.payload('x')",
    "class P(m.AudioMessage):\n    type: Literal['test.p'] = 'test.p'\n    pcm: object = m.payload('x')",
)


@pytest.fixture(scope="module")
def pickled() -> list[str]:
    """A message of each class of MADE, pickled by a process in which the class is P, as hexadecimal digits."""
    program = (
        "from typing import Literal\nimport pickle, realtime_pcm as rp, realtime_pcm.messages as m\n{}\n"
        "print(pickle.dumps(rp.Decoder().decode('{}')).hex())"
    )
    found = []
    for body in MADE:
        code = program.format(body, '{"type":"test.p","x":"AAEC"}')
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout.strip())
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        *MADE,
        "class P(m.AudioEnd):\n    type: Literal['test.p']\n    x: str",
        "class P(m.RealtimeServerMessage):\n    type: Literal['test.p']\n    d: bytes = m.payload('x')",
        "class P(m.RealtimeServerMessage):\n    type: Literal['test.p']\n    x: str",
        "class P(m.RealtimeServerMessage):\n    x: str",
        "P = None",
    ],
)
def test_a_pickle_read_by_any_class_of_its_name(body: str, pickled: list[str]) -> None:
    """Whatever P is where a pickle is read, the message is whole there and drops cleanly."""
    load = (
        "from typing import Literal\nimport gc, pickle, sys, realtime_pcm as rp, realtime_pcm.messages as m\n{}\n"
        "for dump in sys.argv[1:]:\n"
        "    for _ in range(50):\n        got = pickle.loads(bytes.fromhex(dump))\n        repr(got); got.to_dict(); got == got\n"
        "        getattr(got, 'incomplete_sample', b'').hex()\n        got.event_id\n        del got\n"
        "    gc.collect(); print('whole')"
    )
    done = subprocess.run([sys.executable, "-X", "dev", "-c", load.format(body), *pickled], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "whole\n" * 2), done.stderr[-2000:]


# ---- Types that say they are what they are not


def test_a_message_keeps_its_class() -> None:
    message: Any = rp.decode(dumps(type="session.created", session={"id": "s"}))
    put = object.__dict__["__class__"].__set__
    for other in (messages.ResponseAudioDelta, messages.UnknownMessage, RealtimeServerMessage, object, int):
        with pytest.raises(TypeError):
            put(message, other)
    with pytest.raises(TypeError):
        messages.SessionCreated.__bases__ = (messages.ResponseAudioDelta,)
    assert type(message) is messages.SessionCreated and message.session.id == "s"


def test_what_claims_to_be_a_message_is_refused() -> None:
    class Liar:
        __class__ = property(lambda self: messages.ResponseAudioDelta)

    liar: Any = Liar()
    assert isinstance(liar, messages.ResponseAudioDelta)
    readers = [
        *(
            vars(messages.ResponseAudioDelta)[name].__get__
            for name in ("pcm", "item_id", "obfuscation")
            if name in vars(messages.ResponseAudioDelta)
        ),
        vars(messages.SessionCreated)["session"].__get__,
        vars(AudioMessage)["delta"].__get__,
        vars(rp.CarriesAudio)["audio_format"].__get__,
        vars(rp.CarriesAudio)["pcm_format"].__get__,
        RealtimeServerMessage.to_dict,
        RealtimeServerMessage.__repr__,
        RealtimeServerMessage.__copy__,
        RealtimeServerMessage.__reduce__,
        RealtimeServerMessage.extra.__get__,
    ]
    for read in readers:
        with pytest.raises(TypeError):
            read(liar)
    view: Any = type("Liar", (), {"__class__": property(lambda self: rp.objects.SessionConfig)})()
    with pytest.raises(TypeError):
        rp.objects.SessionConfig.id.__get__(view)


def test_a_metaclass_is_refused() -> None:
    class Lying(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return True

    for metaclass in (Lying, ABCMeta):
        with pytest.raises(TypeError, match="metaclass"):
            metaclass("Own", (RealtimeServerMessage,), {})


def test_a_class_is_declared_once() -> None:
    with pytest.raises(TypeError, match="declared already"):
        messages.Error.__init_subclass__()
    with pytest.raises(TypeError):
        messages.Error.anything = 1


# ---- Names


Alias = Literal
WIRE = Literal["own.named"]


class Both(RealtimeServerMessage):
    """Of two names; the default is the canonical one."""

    type: Literal["own.two", 'own."three"]'] = 'own."three"]'


def test_the_literal_holds_the_wire_names() -> None:
    for name in ("own.two", 'own."three"]'):
        message = rp.decode(dumps(type=name))
        assert type(message) is Both and message.type == name and type(message.type) is str
    assert Both.canonical_type == Both().type == 'own."three"]'
    assert json.loads(Both(type="own.two").frame_text) == {"type": "own.two"}


@pytest.mark.parametrize(
    ("annotation", "default", "text"),
    [
        ("Alias['own.alias']", "own.alias", "not as an alias of Literal"),
        ("WIRE", "own.named", "not as an alias of Literal"),
        ("str", "own.str", "write the wire names as `type: Literal"),
        ("Literal[WIRE]", "own.named", "write the wire names"),
        ("Literal[5]", 5, "write the wire names"),
        ("Literal[b'own.bytes']", b"own.bytes", "write the wire names"),
        ("Literal['own.a'] | None", None, "write the wire names"),
        ("Literal['own.a']", "own.b", "the default of `type` is one of its names, not 'own.b'"),
        ("Literal['own.a']", None, "the default of `type` is one of its names, not None"),
        ("Literal['own.a', 'own.a']", "own.a", "a wire name stands twice"),
        ("Literal['']", "", "a wire name is a str of 1 to 256 bytes"),
        (f"Literal['{'x' * 257}']", "x" * 257, "a wire name is a str of 1 to 256 bytes"),
    ],
)
def test_wire_names_that_cannot_be(annotation: str, default: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        type("Own", (RealtimeServerMessage,), {"__annotations__": {"type": annotation}, "type": default})
    assert str(caught.value).startswith("Own: ") and text in str(caught.value)


def test_annotations_that_are_no_text() -> None:
    """A module without `from __future__ import annotations`."""
    own: Any = type(
        "Own",
        (RealtimeServerMessage,),
        {"__annotations__": {"type": Literal["own.objects", "own.more"], "a": str | None}, "type": "own.objects"},
    )
    message: Any = rp.decode(dumps(type="own.more", a="b"))
    assert type(message) is own and message == own(type="own.more", a="b") and message.a == "b"


def test_the_older_way_is_refused_with_the_newer_one() -> None:
    with pytest.raises(TypeError, match=r'Own: wire= is gone. .*`type: Literal\["a.name", "another.name"\] = "a.name"`'):
        type("Own", (RealtimeServerMessage,), {}, wire="own.older")


def test_a_field_with_a_value_is_refused() -> None:
    for base in (RealtimeServerMessage, rp.objects.View):
        with pytest.raises(TypeError, match=r"Own.a: the default of a field is None. Annotate a constant with ClassVar"):
            declared("Own", base, (), {"a": "int"}, a=5)
        own = declared("Own", base, (), {"a": "ClassVar[int]", "b": "int"}, a=5, b=None)
        assert own.__match_args__ == ("b",) and own.a == 5


@pytest.mark.parametrize(
    "name", ["__eq__", "__doc__", "__class__", "__init_subclass__", "_layout", "canonical_type", "pcm_format", "pcm"]
)
def test_names_that_are_taken(name: str) -> None:
    with pytest.raises(TypeError, match=f"Own.{name}: the name is"):
        declared("Own", RealtimeServerMessage, (), {name: "str"})


def test_canonical_type() -> None:
    old, new = (rp.decode(dumps(type=name, delta=TEXT)) for name in ("response.audio.delta", "response.output_audio.delta"))
    assert old.canonical_type == new.canonical_type == "response.output_audio.delta"
    assert rp.decode(dumps(type="nobody.knows")).canonical_type is None
    assert messages.UnknownMessage.canonical_type is None and AudioMessage.canonical_type is None


def test_annotations_can_be_resolved() -> None:
    hints = typing.get_type_hints(messages.ResponseAudioDelta)
    assert hints["pcm"] is np.ndarray and hints["item_id"] == str | None
    for name in messages.__all__:
        declared = getattr(messages, name)
        if isinstance(declared, type) and issubclass(declared, RealtimeServerMessage):
            typing.get_type_hints(declared)


# ---- Many classes


def test_memory_and_tables_grow_with_the_number_of_classes() -> None:
    """A class costs what it holds: twice as many take twice as much."""

    def declare(count: int) -> int:
        tracemalloc.start()
        try:
            for _ in range(count):
                declared("Own", RealtimeServerMessage, fresh(), {"a": "str"}, __module__=__name__)
            gc.collect()  # what class statements leave behind is no cost of a class
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    declare(64)
    # The smaller of two: in one of them Python may double its table of interned strings, 2 MB.
    small, large = (min(declare(count), declare(count)) for count in (250, 1000))
    assert large < 5 * small and large / 1000 < 24_000


# ---- A private server whole: its session, response, audio and end are followed


class PrivateSession(RealtimeServerMessage, role="session_start"):
    type: Literal["acme.hello"] = "acme.hello"
    session: rp.objects.SessionConfig | None = None


class PrivateChange(RealtimeServerMessage, role="session_update"):
    type: Literal["acme.settings"] = "acme.settings"
    session: rp.objects.SessionConfig | None = None


class PrivateTurn(RealtimeServerMessage, role="response_start"):
    type: Literal["acme.turn"] = "acme.turn"
    response: rp.objects.RealtimeResponse | None = None


class PrivateVoice(AudioMessage):
    type: Literal["acme.voice"] = "acme.voice"
    response_id: str | None = None
    item_id: str | None = None
    pcm: np.ndarray = payload("sound")


class PrivateHeard(AudioMessage, role="input_audio"):
    type: Literal["acme.heard"] = "acme.heard"
    pcm: np.ndarray = payload("sound")


class PrivateEnd(AudioEnd):
    type: Literal["acme.voice.end"] = "acme.voice.end"
    response_id: str | None = None
    item_id: str | None = None


class PrivateTurnEnd(AudioEnd, role="response_end"):
    type: Literal["acme.turn.end"] = "acme.turn.end"
    response: rp.objects.RealtimeResponse | None = None


def private_session(names: dict[str, str]) -> list[bytes]:
    """The same conversation in the words of a server; `names`: OpenAI's word -> the server's."""
    where = {"response_id": "r", "item_id": "i"}
    odd = base64.b64encode(RAW[:5]).decode()
    frames = [
        {"type": "session.created", "session": {"output_audio_format": "pcm16", "input_audio_format": "g711_ulaw"}},
        {"type": "response.output_audio.delta", **where, "delta": odd},
        {"type": "response.output_audio.delta", **where, "delta": odd},
        {"type": "response.output_audio.delta", **where, "delta": odd},
        {"type": "response.output_audio.done", **where},
        {"type": "response.output_audio.delta", **where, "delta": odd},
        {"type": "session.input_audio.append", "audio": odd},
        {"type": "session.updated", "session": {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 16000}}}}},
        {"type": "response.output_audio.delta", "response_id": "s", "item_id": "j", "delta": odd},
        {"type": "response.created", "response": {"id": "t", "output_audio_format": "g711_alaw"}},
        {"type": "response.output_audio.delta", "response_id": "t", "item_id": "k", "delta": odd},
        {"type": "response.output_audio.delta", "response_id": "s", "item_id": "j", "delta": odd + ""},
        {"type": "response.done", "response": {"id": "s"}},
        {"type": "response.done", "response": {"id": "r"}},
        {"type": "session.created", "session": {}},
        {"type": "response.output_audio.delta", **where, "delta": odd},
    ]
    renamed = []
    for frame in frames:
        frame["type"] = names.get(frame["type"], frame["type"])
        keys = {"delta": "sound", "audio": "sound"} if names else {}
        renamed.append(json.dumps({keys.get(key, key): value for key, value in frame.items()}).encode())
    return renamed


def test_a_private_server_is_followed_as_openai_is() -> None:
    private = {
        "session.created": "acme.hello",
        "session.updated": "acme.settings",
        "response.created": "acme.turn",
        "response.done": "acme.turn.end",
        "response.output_audio.delta": "acme.voice",
        "response.output_audio.done": "acme.voice.end",
        "session.input_audio.append": "acme.heard",
    }

    def heard(frames: list[bytes], decoder: rp.Decoder) -> list[Any]:
        seen: list[Any] = []
        for frame in frames:
            message: Any = decoder.decode(frame)
            if isinstance(message, AudioMessage):
                seen.append((message.audio_format, message.sample_offset, message.pcm.tolist(), message.incomplete_sample))
            else:
                seen.append((getattr(message, "incomplete_sample", None), decoder.audio_format, decoder.input_audio_format))
        return seen

    known, own = rp.Decoder(), rp.Decoder()
    expected = heard(private_session({}), known)
    assert heard(private_session(private), own) == expected
    assert own.evicted_bytes == known.evicted_bytes
    assert expected[4] == (RAW[4:5], AudioFormat("pcm16", 24000), AudioFormat("g711_ulaw", 8000))
    assert expected[10][0] == AudioFormat("g711_alaw", 8000) and expected[-1][1] == 0


@pytest.mark.parametrize(
    ("base", "body", "role", "text"),
    [
        (RealtimeServerMessage, {}, "session_begin", "role='session_begin' is none of input_audio, audio_end"),
        (RealtimeServerMessage, {}, "session_start", "needs a field `session`"),
        (RealtimeServerMessage, {"session": "str"}, "response_end", "needs a field `response`"),
        (RealtimeServerMessage, {}, "input_audio", "is an audio message's"),
        (RealtimeServerMessage, {}, 7, "role=7 is none of"),
    ],
)
def test_roles_that_cannot_be(base: type, body: dict[str, str], role: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        declared("Own", base, fresh(), body, role=role)
    assert text in str(caught.value)


def test_a_role_is_inherited() -> None:
    name = fresh()
    declared("Own", messages.SessionCreated, name)
    decoder = rp.Decoder()
    decoder.decode(dumps(type=name, session={"output_audio_format": "g711_ulaw"}))
    assert decoder.audio_format == AudioFormat("g711_ulaw", 8000)
