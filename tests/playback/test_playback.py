"""PlaybackBuffer, promise by promise. The model of all of them at once is tests/support/playback_model.py."""

from __future__ import annotations

import array
import copy
import ctypes
import gc
import os
import pickle
import re
import subprocess
import sys
import tracemalloc
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import messages
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from support.playback_audio import IDS, OTHER, RATE, audio, counting, heard, up
from support.playback_model import plain
from support.session_frames import RAW, b64, delta, done, dumps, response, session

# ---- write and read


def test_what_is_written_is_read_in_order_and_silence_follows() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    assert heard(player, 5) == []
    assert player.write(audio(10, 1, decoder, **IDS)) == 10
    assert player.write(audio(5, 11, decoder, **IDS)) == 5
    assert player.queued == 15
    assert heard(player, 4) == up(1, 4)
    assert heard(player, 0) == []
    assert heard(player, 20) == up(5, 15)
    assert player.queued == 0
    assert heard(player, 3) == []


def test_the_memory_goes_round() -> None:
    player, decoder = PlaybackBuffer(RATE, seconds=7 / RATE), rp.Decoder()
    for turn in range(100):
        assert player.write(audio(5, 5 * turn, decoder, **IDS)) == 5
        assert heard(player, 5) == up(5 * turn, 5 * turn + 4)
    assert player.refused == 0
    [cut] = player.interrupt().truncations
    assert (cut.samples, cut.received) == (500, 500)


def test_full_refuses_the_newest_and_never_waits() -> None:
    player, decoder = PlaybackBuffer(RATE, seconds=10 / RATE), rp.Decoder()
    assert player.write(audio(8, 1, decoder, **IDS)) == 8
    assert player.write(audio(8, 9, decoder, **IDS)) == 2
    assert player.write(audio(8, 17, decoder, **IDS)) == 0
    assert (player.refused, player.queued) == (14, 10)
    assert heard(player, 20) == up(1, 10)
    # What comes next stands where it belongs, behind what is missing.
    assert player.write(audio(30 * 24, 25, decoder, **IDS)) == 10
    assert heard(player, 24) == up(25, 34)
    [cut] = player.interrupt().truncations
    assert (cut.samples, cut.received) == (34, 24 + 720)


def test_other_messages_are_ignored() -> None:
    player = PlaybackBuffer(RATE)
    decoder = rp.Decoder()
    for frame in (
        session("session.created"),
        response("response.created"),
        dumps(type="rate_limits.updated"),
        dumps(type="x.y"),
        done(**IDS),
        response("response.done"),
        done("conversation.item.added"),
        dumps(type="response.created", response="text"),
        dumps(type="response.done", response=["r"]),
    ):
        assert player.write(decoder.decode(frame)) == 0
    bad = next(iter(rp.decode_stream([b"{"], errors="yield")))
    assert player.write(bad) == 0 and player.write(None) == 0
    assert player.write(audio(0, **IDS)) == 0
    said = player.interrupt()
    assert plain(said) == {key: [] for key in ("truncations", "unidentified", "unheard", "played", "deleted")}


@pytest.mark.parametrize("given", [b"{}", "{}", RAW, 5, np.zeros(4, np.int16)], ids=lambda given: type(given).__name__)
def test_a_frame_is_no_message(given: Any) -> None:
    for call in (PlaybackBuffer(RATE).write, PlaybackTracker().sent):
        with pytest.raises(TypeError, match="takes a decoded message"):
            call(given)


def test_the_users_own_speech_is_not_played() -> None:
    player = PlaybackBuffer(RATE)
    message = rp.decode(dumps(type="session.input_audio.append", audio="AAAAAAAA"))
    assert isinstance(message, messages.AudioMessage) and message.pcm.size == 3
    assert player.write(message) == 0 and PlaybackTracker().sent(message) is None


def test_a_private_servers_messages() -> None:
    class Radio(messages.AudioMessage):
        type: Literal["test.playback.radio"] = "test.playback.radio"
        item_id: str | None = None
        pcm: Any = messages.payload("data")

    class RadioOver(messages.AudioEnd):
        type: Literal["test.playback.over"] = "test.playback.over"
        item_id: str | None = None

    player = PlaybackBuffer(RATE)
    decoder = rp.Decoder()
    assert player.write(decoder.decode(dumps(type="test.playback.radio", item_id="i", data="AQACAAMA"))) == 3
    player.write(decoder.decode(dumps(type="test.playback.over", item_id="i")))
    assert heard(player, 9) == [1, 2, 3] and player.underruns == 0
    assert plain(player.interrupt())["played"] == [("i", 0, 3)]


# ---- formats


def test_int16_into_float32_and_back() -> None:
    samples = np.array([0, 1, -1, 32_767, -32_768, 256], "<i2")
    frame = delta(samples.tobytes(), **IDS)
    player = PlaybackBuffer(RATE, dtype="float32")
    player.write(rp.decode(frame))
    assert heard(player, 9) == (samples / 32768).tolist()
    player = PlaybackBuffer(RATE)
    player.write(rp.decode(frame, dtype="float32"))
    assert heard(player, 9) == samples.tolist()


def test_float32_is_rounded_to_even_and_saturated() -> None:
    message: Any = rp.decode(delta(bytes(20), **IDS), dtype="float32")
    values = [0.5, 1.5, 2.5, -0.5, -1.5]
    message.pcm[:] = [value / 32768 for value in values] + [1.0, -1.5, float("nan"), float("inf"), float("-inf")]
    player = PlaybackBuffer(RATE)
    player.write(message)
    assert heard(player, 20) == [0, 2, 2, 0, -2, 32_767, -32_768, 0, 32_767, -32_768]


def test_bytes_are_not_played() -> None:
    player = PlaybackBuffer(RATE)
    with pytest.raises(ValueError, match="int16 or float32"):
        player.write(rp.decode(delta(), dtype="uint8"))
    assert player.queued == 0 and player.interrupt().unheard == ()


def test_mono_goes_to_all_channels() -> None:
    player = PlaybackBuffer(RATE, channels=2)
    assert player.write(audio(10, 1, **IDS)) == 10
    out = np.full((4, 2), 99, np.int16)
    assert player.read(out) == 4 and out.tolist() == [[i, i] for i in up(1, 4)]
    flat = np.full(16, 99, np.int16)
    assert player.read(flat) == 6 and flat.tolist() == [i for i in up(5, 10) for _ in "12"] + [0] * 4
    assert plain(player.interrupt())["unheard"] == [("i1", 0, 10, 10)]


def stereo(decoder: rp.Decoder, raw: bytes) -> Any:
    return decoder.decode(dumps(type="session.output_audio.delta", channels=2, delta=b64(raw)))


def test_stereo_of_messages_that_cut_a_sample_in_two() -> None:
    player, decoder = PlaybackBuffer(RATE, channels=2), rp.Decoder()
    raw = counting(100)
    assert player.write(stereo(decoder, raw[:6])) == 1  # 1 2, and the left of 3 4
    assert player.write(stereo(decoder, raw[6:7])) == 0
    assert player.write(stereo(decoder, raw[7:40])) == 9
    assert player.write(stereo(decoder, raw[40:])) == 40
    out = np.empty((48, 2), np.int16)
    assert player.read(out) == 48 and out.ravel().tolist() == up(1, 96)
    assert plain(player.interrupt())["unidentified"] == [(None, 0, 48, 2, 50)]


def test_stereo_that_begins_in_the_middle_of_a_sample() -> None:
    player, decoder = PlaybackBuffer(RATE, channels=2), rp.Decoder()
    stereo(decoder, counting(3))
    assert player.write(stereo(decoder, counting(9, 4))) == 4
    out = np.empty((4, 2), np.int16)
    player.read(out)
    assert out.ravel().tolist() == up(5, 12)


def test_channels_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="2 channels and the player 1"):
        PlaybackBuffer(RATE).write(stereo(rp.Decoder(), counting(4)))


# ---- what is read into


def test_buffers_that_are_read_into() -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    memory = ffi.new("char[]", 200)
    for out in (
        np.empty(100, np.int16),
        np.empty((100, 1), np.int16),
        bytearray(200),
        memoryview(bytearray(200)),
        array.array("h", [0] * 100),
        memoryview(np.empty((100, 1), np.int16)),
        ffi.buffer(memory, 200),
    ):
        player = PlaybackBuffer(RATE)
        player.write(audio(60, 1, **IDS))
        player.check(out)
        assert player.read(out) == 60 and player.error is None
        assert np.frombuffer(bytes(out), np.int16).tolist() == up(1, 60) + [0] * 40


c: Any = ctypes  # its exporter leaves the strides of a Py_buffer out, and the shape where there is none
CTYPES = (c.Array, c._SimpleCData)
pairs: Any = type("Pair", (c.Structure,), {"_fields_": [("name", c.c_char_p), ("value", c.c_int)]})

WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "None": (lambda: None, TypeError, "writable buffer"),
    "list": (lambda: [0] * 10, TypeError, "writable buffer"),
    "bytes": (lambda: b"\x07" * 10, ValueError, "read-only"),
    "read-only array": (lambda: np.broadcast_to(np.full(1, 7, np.int16), 10), ValueError, "read-only"),
    "every second": (lambda: np.full(20, 7, np.int16)[::2], ValueError, "contiguous"),
    "a column": (lambda: np.full((10, 2), 7, np.int16)[:, 0], ValueError, "contiguous"),
    "Fortran": (lambda: np.full((10, 2), 7, np.int16, order="F"), ValueError, "contiguous"),
    "memoryview of every second": (lambda: memoryview(bytearray(b"\7" * 20))[::2], ValueError, "contiguous"),
    "float32": (lambda: np.full(10, 7, np.float32), ValueError, "dtype"),
    "float64": (lambda: np.full(10, 7, np.float64), ValueError, "dtype"),
    "uint8 array": (lambda: np.full(10, 7, np.uint8), ValueError, "dtype"),
    "big endian": (lambda: np.full(10, 7, ">i2"), ValueError, "dtype"),
    "objects": (lambda: np.array(["a", None]), ValueError, "dtype"),
    "uint16 buffer": (lambda: array.array("H", [7] * 10), ValueError, "dtype"),
    "objects in a memoryview": (lambda: memoryview(np.array(["a", None])), ValueError, "dtype"),
    "structures": (lambda: np.full(10, 7, [("left", "i2")]), ValueError, "dtype"),
    "times": (lambda: np.full(10, 7, "m8[s]"), ValueError, "dtype"),
    "int32 of ctypes": (lambda: (c.c_int32 * 4)(1, 2, 3, 4), ValueError, "dtype"),
    "float of ctypes": (lambda: (c.c_float * 8)(*range(8)), ValueError, "dtype"),
    "big endian of ctypes": (lambda: (c.c_int16.__ctype_be__ * 4)(1, 2, 3, 4), ValueError, "dtype"),
    "rows of ctypes": (lambda: ((c.c_int16 * 3) * 4)((1, 2, 3)), ValueError, r"\(n, channels\)"),
    "one int16 of ctypes": (lambda: c.c_int16(7), ValueError, r"\(n, channels\)"),
    "no int32 of ctypes": (c.c_int32 * 0, ValueError, "dtype"),
    "pointers of ctypes": (lambda: (c.c_void_p * 4)(1, 2, 3, 4), ValueError, "dtype"),
    "strings of ctypes": (lambda: (c.c_char_p * 2)(b"a", b"b"), ValueError, "dtype"),
    "objects of ctypes": (lambda: (c.py_object * 2)("a", None), ValueError, "dtype"),
    "structures of ctypes": (lambda: (pairs * 2)((b"a", 1), (b"b", 2)), ValueError, "dtype"),
    "memoryview of ctypes": (lambda: memoryview((c.c_int32 * 4)(1, 2, 3, 4)), ValueError, "dtype"),
    "stereo": (lambda: np.full((10, 2), 7, np.int16), ValueError, r"\(n, channels\)"),
    "three dimensions": (lambda: np.full((10, 1, 1), 7, np.int16), ValueError, r"\(n, channels\)"),
    "no dimension": (lambda: np.full((), 7, np.int16), ValueError, r"\(n, channels\)"),
    "an odd byte": (lambda: bytearray(b"\7" * 11), ValueError, r"\(n, channels\)"),
}


# Memory that is no sequence of numbers, or none in the order of C: it is left alone.
LEFT = re.compile("None|list|bytes|read-only|every second|column|Fortran|objects|structures|times|pointers|strings")


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_layout_is_an_error_and_silence_in_contiguous_numbers(name: str) -> None:
    make, kind, text = WRONG[name]
    player = PlaybackBuffer(RATE)
    player.write(audio(60, 1, **IDS))
    out = make()
    before = bytes_of(out)
    with pytest.raises(kind, match=text):
        player.check(out)
    assert player.error is None and bytes_of(out) == before
    assert player.read(out) == 0
    assert player.error is not None and re.search(text, player.error)
    if LEFT.search(name):
        assert bytes_of(out) == before
    else:
        assert not any(bytes_of(out))
    assert player.queued == 60


def bytes_of(given: Any) -> Any:
    if isinstance(given, np.ndarray):
        return given.tolist() if given.dtype == object else given.tobytes()
    if isinstance(given, memoryview) and given.format == "O":
        return given.obj.tolist()
    return bytes(given) if isinstance(given, (bytes, bytearray, memoryview, array.array, *CTYPES)) else repr(given)


@pytest.mark.parametrize(
    ("given", "options", "text"),
    [
        ((), {}, "PlaybackBuffer needs the rate of what plays, in samples per second: PlaybackBuffer(24_000)"),
        ((RATE, "int16"), {}, "PlaybackBuffer takes one argument without its name, the rate"),
        ((RATE,), {"size": 1}, "PlaybackBuffer has no argument 'size'"),
    ],
)
def test_a_wrong_call_is_told_by_the_name_of_the_class(given: tuple[Any, ...], options: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=re.escape(text)):
        PlaybackBuffer(*given, **options)


def test_a_buffer_that_raises() -> None:
    view = memoryview(bytearray(10))
    view.release()
    player = PlaybackBuffer(RATE)
    assert player.read(view) == 0 and "writable buffer" in str(player.error)
    assert player.read(np.empty(3, np.int16)) == 0


def test_a_read_asks_for_no_memory() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(30_000, 1, decoder, **IDS))
    raw = bytearray(960)
    for out in (np.empty(480, np.int16), np.empty((480, 1), np.int16), raw):
        player.read(out)
        gc.collect()
        tracemalloc.start()
        try:
            player.read(out)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[1]
            for _ in range(10):
                player.read(out)
            assert tracemalloc.get_traced_memory()[1] - before < 200  # the loop's own iterator and this tuple
        finally:
            tracemalloc.stop()
    assert player.queued == 30_000 - 3 * 12 * 480


# ---- the object itself


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"rate": 0}, ValueError),
        ({"rate": -5}, ValueError),
        ({"rate": 24e3}, TypeError),
        ({"rate": True}, TypeError),
        ({"channels": 0}, ValueError),
        ({"channels": "2"}, TypeError),
        ({"dtype": "uint8"}, ValueError),
        ({"dtype": "float64"}, ValueError),
        ({"seconds": 0}, ValueError),
        ({"seconds": float("nan")}, ValueError),
        ({"seconds": float("inf")}, ValueError),
        ({"seconds": "9"}, TypeError),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        PlaybackBuffer(**({"rate": RATE} | arguments))


def test_dtypes_as_numpy_names_them() -> None:
    for dtype in ("float32", np.float32, np.dtype("float32")):
        assert PlaybackBuffer(RATE, dtype=dtype).dtype == "float32"
    assert PlaybackBuffer(RATE).dtype == "int16"


def test_reprs() -> None:
    player = PlaybackBuffer(RATE, channels=2, dtype="float32")
    player.write(audio(1_200, 1, **IDS))
    assert repr(player) == "<PlaybackBuffer 24000 Hz float32, 2 channels: 0.050 s queued>"
    tracker = PlaybackTracker()
    tracker.sent(audio(1_200, 1, **IDS))
    assert repr(tracker) == "<PlaybackTracker: 1200 samples sent, 0 acknowledged>"


@pytest.mark.parametrize("make", [lambda: PlaybackBuffer(RATE), PlaybackTracker])
def test_neither_pickled_nor_copied(make: Any) -> None:
    for call in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            call(make())


def test_an_interruption_is_pickled() -> None:
    player = PlaybackBuffer(RATE)
    player.write(audio(1_200, 1, **IDS))
    heard(player, 600)
    said = player.interrupt()
    assert pickle.loads(pickle.dumps(said)) == said and "Truncation(item_id='i1'" in repr(said)


def test_the_package_does_not_import_it() -> None:
    code = "import sys, realtime_pcm; print([name for name in sys.modules if 'playback' in name or 'soxr' in name])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_memory_is_given_back() -> None:
    for _ in range(300):  # 300 times 60 MB would not fit
        player = PlaybackBuffer(RATE, seconds=1_200)
        player.write(audio(1_200, 1, **IDS))
    assert player.queued == 1_200


# ---- bounded state


def test_more_items_than_are_remembered() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for number in range(1_500):
        ids = {"response_id": f"r{number}", "item_id": f"i{number}", "content_index": 0}
        assert player.write(audio(24, 1, decoder, **ids)) == 24
        player.write(decoder.decode(done(**ids)))
        heard(player, 24)
    said = player.interrupt()
    assert [item.item_id for item in said.played] == [f"i{number}" for number in range(1_500 - 1_024, 1_500)]
    assert player.forgotten == 1_500 - 1_024


def test_more_items_than_are_remembered_and_none_was_read() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for number in range(1_100):
        player.write(audio(24, 1, decoder, item_id=f"i{number}"))
    assert (player.queued, player.refused, player.forgotten) == (1_024 * 24, 76 * 24, 0)
    assert len(player.interrupt().unheard) == 1_024
    assert player.write(audio(24, 1, decoder, item_id="i0")) == player.write(audio(24, 1, decoder, item_id="i1023")) == 0


def test_more_runs_than_are_remembered() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for number in range(3_000):
        player.write(audio(1, number, decoder, **IDS))
        player.write(audio(1, number, decoder, **OTHER))
    assert (player.queued, player.refused) == (4_096, 6_000 - 4_096)
    heard(player, 1_000)
    for number in range(10):  # what was read makes room
        player.write(audio(1, number, decoder, **IDS))
        player.write(audio(1, number, decoder, **OTHER))
    assert player.queued == 3_096 + 20
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 500, 20, 3_010), ("i2", 0, 500, 20, 3_010)]


def test_more_interruptions_than_are_remembered() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for number in range(5_000):
        player.write(decoder.decode(response("response.created", f"r{number}")))
        player.interrupt()
    assert player.write(audio(24, 1, decoder, response_id="r4999")) == 0
    player.write(decoder.decode(response("response.created", None)))
    assert player.write(audio(24, 1, decoder, response_id="r4999")) == 0
    assert player.write(audio(24, 1, decoder, response_id="r0")) == 24


# ---- fork


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_has_a_copy_of_its_own() -> None:
    player, tracker, decoder = PlaybackBuffer(RATE), PlaybackTracker(), rp.Decoder()
    message = audio(240, 1, decoder, **IDS)
    player.write(message)
    name = tracker.sent(message)
    heard(player, 100)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # In the child there is another conversation from here on.
            assert heard(player, 50) == up(101, 150)
            assert player.write(audio(240, 241, decoder, **IDS)) == 240
            assert plain(player.interrupt())["truncations"] == [("i1", 0, 150, 6, 480)]
            assert tracker.acknowledge(str(name)) and len(tracker.interrupt().truncations) == 1
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert heard(player, 10) == up(101, 110)
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 110, 4, 240)]
