"""What outlives what: arrays, frames, decoders, classes; and the collector running in the middle of a decode."""

from __future__ import annotations

import base64
import copy
import gc
import json
import pickle
import subprocess
import sys
import sysconfig
import weakref
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from hardening.frames import AUDIO_KINDS, KINDS, SAMPLES, real_frame
from hardening.threads import outcome, session_frames
from support.own_classes import declared

DELTA = b'{"type":"response.output_audio.delta","response_id":"%s","item_id":"i","content_index":0,"delta":"%s"}'


def delta(stream: str, payload: bytes) -> bytes:
    return DELTA % (stream.encode(), base64.b64encode(payload))


@pytest.mark.parametrize("kind", AUDIO_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8"])
def test_arrays_outlive_message_decoder_and_frame(kind: Any, dtype: str) -> None:
    arrays, wanted = [], None
    for _ in range(20):
        frame = bytearray(real_frame(kind))
        decoder = rp.Decoder(dtype=dtype, side=kind.side)
        message = decoder.decode(bytes(frame))
        wanted = message.pcm.tobytes() if wanted is None else wanted
        arrays.append(message.pcm)
        del message, decoder
        frame[:] = bytes(len(frame))
        gc.collect()
    for number, array in enumerate(arrays):
        assert array.tobytes() == wanted and array.flags.owndata
        array[:] = number
    assert [int(array[0]) for array in arrays] == list(range(20))


@pytest.mark.parametrize("form", [bytearray, lambda frame: memoryview(bytearray(frame))], ids=["bytearray", "memoryview"])
@pytest.mark.parametrize("kind", KINDS[::9] + AUDIO_KINDS, ids=lambda kind: kind.name)
def test_a_frame_changed_after_decode(kind: Any, form: Any) -> None:
    whole = real_frame(kind)
    given = form(whole)
    message = rp.Decoder(side=kind.side).decode(given)
    given[:] = b"\0" * len(whole)
    assert message.frame == whole and message.to_dict() == json.loads(whole)
    again = rp.Decoder(side=kind.side).decode(whole)
    assert message == again and repr(message) == repr(again)
    error = None
    given = form(whole[:-1])
    try:
        rp.decode(given)
    except rp.DecodeError as caught:
        error = caught
    given[:] = b"\0" * (len(whole) - 1)
    assert error is not None and error.frame == whole[:-1] and "end of frame" in str(error)


def test_a_bytearray_is_not_held() -> None:
    """Whoever gave it may resize it at once, also after a refusal."""
    for frame in (delta("r", SAMPLES), delta("r", SAMPLES)[:-1], b"{}"):
        given = bytearray(frame)
        try:
            kept: Any = rp.decode(given)
        except rp.DecodeError as error:
            kept = error
        given += b"more"
        given.clear()
        assert kept is not None


def test_views_outlive_their_message() -> None:
    frame = (
        b'{"type":"response.done","response":{"id":"r","output":[{"id":"i","content":[{"type":"output_audio","audio":"%s"}]}]}}'
    )
    message: Any = rp.decode(frame % base64.b64encode(SAMPLES))
    part = message.response.output[0].content[0]
    del message
    gc.collect()
    pcm = part.pcm
    del part
    gc.collect()
    assert pcm.tobytes() == SAMPLES


# How surely the collector runs where it may: from 3.12 on it waits until the decoder is back in Python, and without the GIL it
# comes when it will.
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
COLLECTIONS = -1 if FREE_THREADED else int(sys.version_info < (3, 12))


class Collecting:
    """Runs `work` whenever the collector runs, which is at every allocation that it may; never within itself."""

    def __init__(self, work: Any) -> None:
        self.work = work
        self.busy = False
        self.raised: list[BaseException] = []

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start" and not self.busy:
            self.busy = True
            try:
                self.work()
            except BaseException as error:  # the collector would only print it
                self.raised.append(error)
            finally:
                self.busy = False

    def __enter__(self) -> None:
        self.threshold = gc.get_threshold()
        gc.callbacks.append(self)
        gc.set_threshold(1, 1, 1)

    def __exit__(self, *_: object) -> None:
        gc.set_threshold(*self.threshold)
        gc.callbacks.remove(self)
        assert not self.raised, self.raised[0]


def test_the_collector_in_the_middle_of_a_decode() -> None:
    """What it runs decodes with the same decoder: streams of its own, a refused frame, a response's format."""
    decoder = rp.Decoder()
    inner: list[Any] = []
    outer: list[Any] = []
    piece = b"\1\0\2\0\3"
    refused = delta("inner", SAMPLES)[:-3] + b'*"}'

    def work() -> None:
        inner.append(decoder.decode(delta("inner", piece)))
        with pytest.raises(rp.DecodeError):
            decoder.decode(refused)
        decoder.decode(b'{"type":"response.done","response":{"id":"other","output_audio_format":"g711_ulaw"}}')

    pieces = [bytes((turn & 255, turn >> 8, 7)) for turn in range(400)]
    tracked: list[object] = []
    with Collecting(work):
        for turn, sent in enumerate(pieces):
            tracked.append([])  # the next container that is made, one of the decoder's, lets the collector run
            outer.append(decoder.decode(delta("outer", sent)))
            tracked.append([])
            with pytest.raises(rp.DecodeError):
                decoder.decode(delta(f"fresh {turn}", sent)[:-3] + b'*"}')
            tracked.append([])
            decoder.decode(delta(f"fresh {turn}", sent))
            decoder.decode(b'{"type":"response.done","response":{"id":"fresh %d"}}' % turn)
    assert len(inner) > COLLECTIONS * 200
    for heard, whole in ((inner, piece * len(inner)), (outer, b"".join(pieces))):
        assert b"".join(message.pcm.tobytes() for message in heard) == whole[: len(whole) // 2 * 2]
        assert [message.sample_offset for message in heard] == list(np.cumsum([0, *(m.pcm.size for m in heard[:-1])]))[
            : len(heard)
        ]


def test_the_collector_in_every_kind_of_frame() -> None:
    frames = session_frames()
    expected = [outcome(rp.Decoder().decode, frame) for frame in frames]
    shared = rp.Decoder()
    ran: list[Any] = []
    tracked: list[object] = []
    with Collecting(lambda: ran.append(shared.decode(delta("r", b"\1\0")))):
        for frame, wanted in zip(frames, expected, strict=True):
            tracked.append([])
            assert outcome(rp.Decoder().decode, frame) == wanted
    assert len(ran) > COLLECTIONS * len(frames) / 2


def test_the_collector_while_classes_are_declared() -> None:
    """A finaliser that declares a class and decodes, while a class is being declared and decoded."""
    count = 0

    def declare(name: str) -> str:
        declared("Own", rp.messages.RealtimeServerMessage, name, {"a": "str | None"})
        return type(rp.decode(json.dumps({"type": name}))).__name__

    def work() -> None:
        nonlocal count
        if count < 60:
            count += 1
            assert declare(f"test.collected.{count}") == "Own"

    with Collecting(work):
        for number in range(30):
            assert declare(f"test.outside.{number}") == "Own"
    assert count >= COLLECTIONS * 60
    for number in range(30):
        assert type(rp.decode(f'{{"type":"test.outside.{number}","a":"b"}}')).__name__ == "Own"
    for number in range(count):
        assert rp.decode(f'{{"type":"test.collected.{number + 1}","a":"b"}}').a == "b"


def test_a_users_class_deleted() -> None:
    def declare() -> tuple[Any, Any]:
        class Gone(rp.messages.AudioMessage):
            type: Literal["test.gone"] = "test.gone"
            level: int | None = None
            more: dict | None = None
            pcm: np.ndarray = rp.messages.payload("sound")

        return rp.decode(b'{"type":"test.gone","level":3,"more":{"a":[1]},"sound":"AAEC"}'), weakref.ref(Gone)

    message, _ = declare()
    gc.collect()
    assert (message.level, message.more, message.pcm.tolist(), message.incomplete_sample) == (3, {"a": [1]}, [256], b"\2")
    twin = copy.deepcopy(message)
    assert twin == message and type(rp.decode(b'{"type":"test.gone","sound":"AAEC"}')) is type(message)
    del message
    gc.collect()
    assert twin.to_dict()["sound"] == "AAEC" and "level=3" in repr(twin)


def test_a_class_that_never_gets_a_name() -> None:
    """Declared, refused and collected: nothing of it may stay reachable from the core."""
    for number in range(200):
        with pytest.raises(TypeError):
            declared("Refused", rp.messages.RealtimeServerMessage, "error", {f"f{number}": "int"})
        declared("Nameless", rp.messages.AudioMessage, (), {f"f{number}": "int"})
        if number % 20 == 0:
            gc.collect()
    gc.collect()
    assert rp.decode(b'{"type":"error","error":{"code":"c"}}').error.code == "c"


def test_a_pickle_where_its_class_is_not_declared() -> None:
    """The message is an unknown one there: it keeps its frame, and has no slot for audio."""

    class Elsewhere(rp.messages.AudioMessage):
        type: Literal["test.elsewhere"] = "test.elsewhere"
        a: int | None = None
        pcm: np.ndarray = rp.messages.payload("sound")

    class EndElsewhere(rp.messages.AudioEnd):
        type: Literal["test.elsewhere.done"] = "test.elsewhere.done"
        a: int | None = None

    pickled = pickle.dumps(
        [
            rp.Decoder().decode(frame)
            for frame in (
                b'{"type":"test.elsewhere","a":1,"sound":"AAEC"}',
                b'{"type":"test.elsewhere.done","a":1,"event_id":"e"}',
            )
        ]
        * 50
    )
    script = (
        "import pickle, sys, gc\nfor _ in range(20):\n    loaded = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "for m in loaded: assert type(m).__name__ == 'UnknownMessage' and m.extra['a'] == 1 and m.event_id in (None, 'e'), m\n"
        "del loaded, m; gc.collect(); print('ok')"
    )
    done = subprocess.run([sys.executable, "-c", script, pickled.hex()], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr[-1500:]


def test_deep_copies_share_nothing_that_can_change() -> None:
    message: Any = rp.Decoder().decode(delta("r", SAMPLES)[:-1] + b',"event_id":[1,{"a":2}]}')
    assert message.event_id == [1, {"a": 2}]
    twin = copy.deepcopy(message)
    assert twin == message and twin.sample_offset == 0 and twin.audio_format == message.audio_format
    twin.event_id.append(3)
    twin.pcm[0] += 1
    assert message.event_id == [1, {"a": 2}] and message != twin and not np.shares_memory(message.pcm, twin.pcm)
    assert copy.copy(message).event_id is message.event_id


def test_the_collector_ends_the_stream_that_goes_on() -> None:
    """A flat field gets an array for the first time: to keep it makes Python objects, so that the collector may run before the
    stream moves on."""
    ended = 0
    for number in range(20):
        name = f"lifetimes.collected{number}"
        fields = {"response_id": "str | None", "output_index": "int | None", "pcm": "Samples"}
        declared("Collected", rp.messages.AudioMessage, name, fields, pcm=rp.messages.payload("delta"))
        decoder = rp.Decoder()

        def work(decoder: rp.Decoder = decoder) -> None:
            nonlocal ended
            decoder.decode(b'{"type":"response.done","response":{"id":"r"}}')
            # The memory of the stream that is over is used again.
            decoder.decode(delta("other", SAMPLES))
            ended += 1

        frame = {"type": name, "response_id": "r", "output_index": 1, "delta": base64.b64encode(SAMPLES).decode()}
        assert decoder.decode(json.dumps(frame)).sample_offset == 0
        frame["output_index"] = [1]
        tracked: list[object] = []
        text = json.dumps(frame).encode()
        before = ended
        with Collecting(work):
            tracked.append([])
            message = decoder.decode(text)
        if COLLECTIONS == 1:  # else the collector may run behind decode() too
            assert message.sample_offset == (0 if ended > before else len(SAMPLES) // 2)
        assert message.output_index == [1]
    assert ended >= COLLECTIONS * 20


def test_ids_that_repeat_are_one_str() -> None:
    """Of the items, two take turns. A decoder that was away for long makes new strings, and then uses the old ones again."""
    decoder, other = rp.Decoder(), rp.Decoder()

    def ids(decoder: Any, item: str) -> tuple[Any, Any]:
        message = decoder.decode(json.dumps({"type": "response.text.delta", "response_id": "resp_1", "item_id": item}))
        assert (message.response_id, message.item_id) == ("resp_1", item)
        return message.response_id, message.item_id

    user, answer = ids(decoder, "item_user"), ids(decoder, "item_answer")
    for _ in range(3):
        for item, before in (("item_user", user), ("item_answer", answer), ("item_answer", answer)):
            assert all(a is b for a, b in zip(ids(decoder, item), before, strict=True))
    third = ids(decoder, "item_third")
    assert ids(decoder, "item_answer")[1] is answer[1] and ids(decoder, "item_third")[1] is third[1]
    assert ids(decoder, "item_user")[1] is not user[1]
    again = ids(decoder, "item_third")
    assert again[0] is user[0] and again[1] is third[1]
    if FREE_THREADED:
        return
    for _ in range(200):
        ids(other, "item_other")
    assert ids(decoder, "item_third")[1] is not third[1]
    assert ids(decoder, "item_third")[1] is third[1]
