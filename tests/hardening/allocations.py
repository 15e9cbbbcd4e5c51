"""Every allocation of an operation fails once, alone and with all that follow it.

Python's allocator by _testcapi.set_nomemory, the blocks of arrays by the hook of their cache, NumPy's own data (where that cache
is off) by a handler of this file. Each case runs in a forked child, so that
a crash is a result like any other: the parent goes on behind the point that crashed.
"""

from __future__ import annotations

import copy
import ctypes
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm import _core, client_messages, memory, messages, objects
from support.own_classes import declared

from .frames import BY_TYPE, real_frame

# ---- Making allocations fail -------------------------------------------------------------------------------


class PythonAllocator:
    """Raw, memory and object domains of the interpreter, small objects among them."""

    def __init__(self) -> None:
        import _testcapi

        self.fail, self.heal = _testcapi.set_nomemory, _testcapi.remove_mem_hooks

    def arm(self, first: int, alone: bool) -> None:
        self.fail(first, first + 1 if alone else 0)


class _Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]


class _Handler(ctypes.Structure):
    """PyDataMem_Handler of NumPy's C API, version 1."""

    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("allocator", _Allocator)]


class NumpyData:
    """The data of NumPy arrays."""

    _SET_HANDLER = 304  # PyDataMem_SetHandler's place in NumPy's table of functions

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        libc.malloc.restype = libc.calloc.restype = ctypes.c_void_p
        libc.malloc.argtypes = [ctypes.c_size_t]
        libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
        memory.set_cache_limit(0)
        self.seen, self.first, self.alone, self.armed = 0, 0, False, False

        @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
        def malloc(_context: int, size: int) -> int | None:
            return None if self._fails() else libc.malloc(size)

        @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
        def calloc(_context: int, count: int, size: int) -> int | None:
            return None if self._fails() else libc.calloc(count, size)

        @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
        def realloc(_context: int, pointer: int, size: int) -> int | None:
            return None

        # Arrays are freed while exceptions are on their way, which a callback into Python would clear: nothing is freed,
        # abs() takes the call. Only a child that soon ends has this handler.
        self._kept = (malloc, calloc, realloc, libc.abs)
        functions = [ctypes.cast(function, ctypes.c_void_p) for function in self._kept]
        self._handler = _Handler(b"failing", 1, _Allocator(None, *functions))
        new_capsule = ctypes.pythonapi.PyCapsule_New
        new_capsule.restype = ctypes.py_object
        new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        self._capsule = new_capsule(ctypes.addressof(self._handler), b"mem_handler", None)
        pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
        pointer_of.restype = ctypes.c_void_p
        pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
        try:
            from numpy._core import _multiarray_umath, multiarray
        except ImportError:  # NumPy 1
            from numpy.core import _multiarray_umath, multiarray  # type: ignore[no-redef]

        table = ctypes.cast(pointer_of(_multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
        set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[self._SET_HANDLER])
        set_handler(self._capsule)
        assert multiarray.get_handler_name() == "failing"

    def _fails(self) -> bool:
        if not self.armed:
            return False
        self.seen += 1
        return self.seen == self.first + 1 or (self.seen > self.first and not self.alone)

    def arm(self, first: int, alone: bool) -> None:
        self.seen, self.first, self.alone, self.armed = 0, first, alone, True

    def heal(self) -> None:
        self.armed = False


class Blocks:
    """The memory of arrays."""

    def arm(self, first: int, alone: bool) -> None:
        memory.clear_cache()
        _core._refuse_blocks(first, 1 if alone else 1_000_000)

    def heal(self) -> None:
        _core._refuse_blocks(0, 0)


# ---- What is done while they fail ----------------------------------------------------------------------------


@dataclass
class Case:
    """`prepare` makes what the operation works on, `operate` is what must survive, `state` what shall not have changed
    if it did not succeed."""

    name: str
    prepare: Callable[[], Any]
    operate: Callable[[Any], Any]
    state: Callable[[Any], Any] = field(default=lambda _: None)
    parses: bool = False  # calls orjson, which may itself crash without memory
    foreign: bool = False  # NumPy's and pickle's own code, which without memory raises other errors too


_DELTA = BY_TYPE["response.output_audio.delta"]
_IDS = b'"response_id":"resp_CgbnAy6UkXb","item_id":"item_CgbnAy6UkXb","content_index":250'
_ODD = b'{"type":"response.output_audio.delta",%s,"delta":"AAEC"}' % _IDS
_SESSION = (
    b'{"type":"session.created","session":{"output_audio_format":"g711_ulaw","audio":{"input":{"format":{"type":"audio/pcma"}}}}}'
)
_OTHER_SESSION = b'{"type":"session.updated","session":{"audio":{"output":{"format":{"type":"audio/opus","rate":48000}}}}}'
_PROBES = [
    _ODD,
    real_frame(_DELTA),
    b'{"type":"response.output_audio.delta","response_id":"r2","delta":"AAEC"}',
    b'{"type":"response.output_audio.done",%s}' % _IDS,
    b'{"type":"response.done","response":{"id":"r2"}}',
]


def _session_state(decoder: rp.Decoder) -> Any:
    """All that the next frames can show of a decoder's state."""
    seen: list[Any] = [decoder.audio_format, decoder.input_audio_format, decoder.evicted_bytes]
    for frame in _PROBES:
        try:
            message = decoder.decode(frame)
        except rp.DecodeError as error:
            seen.append(str(error))
            continue
        for name in ("audio_format", "sample_offset", "incomplete_sample"):
            seen.append(getattr(message, name, None))
        if isinstance(message, messages.AudioMessage):
            seen.append(message.pcm[:12].tolist())
    return seen


def _decoder(*before: bytes, **options: Any) -> rp.Decoder:
    decoder = rp.Decoder(**options)
    for frame in before:
        decoder.decode(frame)
    return decoder


def _decode(frame: Any, *before: bytes, **options: Any) -> tuple[Callable[[], Any], Callable[[Any], Any], Callable[[Any], Any]]:
    def prepare() -> rp.Decoder:
        return _decoder(*before, **options)

    def operate(decoder: rp.Decoder) -> Any:
        try:
            return decoder.decode(frame)
        except rp.DecodeError:
            return None

    return prepare, operate, _session_state


def _fresh_frames() -> Iterator[bytes | str]:
    """Frames without a container in a declared field: no class learns anything from them."""
    yield real_frame(_DELTA)
    yield b'{"delta":"AAECAw==","item_id":"\xc3\xa9","response_id":"\xf0\x9f\x98\x80","type":"response.audio.delta"}'
    yield b'{"type":"response.audio.delta","delta":"\\u0041AEC","event_id":"\\u00e9"}'
    yield (
        b'{"type":"response.text.delta","delta":"\xe6\x97\xa5\xe6\x9c\xac","content_index":-1.5e3,'
        b'"output_index":18446744073709551615}'
    )
    yield b'{"type":"response.text.delta","delta":123456789012345678901234567890,"event_id":"e","item_id":true}'
    yield b'{"type":"a.type.of.tomorrow","event_id":"e","x":[1,2]}'
    yield '{"type":"response.text.delta","delta":"日本","event_id":"é"}'
    yield b'{"type":"response.video.delta","delta":"AAEC"}'
    yield b'{"delta":"AAEC","type":"response.video.delta"}'
    yield b'{"type":"session.output_audio.delta","format":"audio/pcmu","sample_rate":8000,"delta":"AAEC"}'
    yield real_frame(_DELTA, bytes(50_000))
    yield real_frame(_DELTA, bytes(300_001))


def _bad_frames() -> Iterator[bytes | str]:
    yield b'{"type":"response.audio.delta","delta":"AAE*"}'
    yield b'{"delta":"AAE","type":"response.audio.delta"}'
    yield b'{"type":"response.audio.delta","delta":5}'
    yield b'{"type":"error","\xc3\xa9":tru}'
    yield b'{"type":"error"'
    yield b"{}"
    yield '{"type":"é\ud800"}'
    yield b'{"type":"session.output_audio.delta","format":"mp3","delta":"AAEC"}'


def _declare(number: list[int]) -> str:
    number[0] += 1
    name = f"test.allocation.{os.getpid()}.{number[0]}"
    declared("Probe", messages.RealtimeServerMessage, name, {"a": "str | None"}, __module__=__name__)
    rp.decode(b'{"type":"error"}')
    return name


def _decode_alone(frame: bytes) -> Callable[[Any], Any]:
    return lambda _: rp.decode(frame, dtype="float32")


def decode_cases() -> list[Case]:
    """Decoding and flat fields: no other package is called, so nothing may crash."""
    cases = []
    for number, frame in enumerate(_fresh_frames()):
        cases.append(Case(f"decoder, frame {number}", *_decode(frame)))
        cases.append(Case(f"decoder that holds a byte, frame {number}", *_decode(frame, _ODD)))
        cases.append(Case(f"decode(), frame {number}", lambda: None, _decode_alone(frame)))
    for number, frame in enumerate(_bad_frames()):
        cases.append(Case(f"bad frame {number}", *_decode(frame, _ODD)))
    sessions = {
        "session.created": _SESSION,
        "session.updated": _OTHER_SESSION,
        "audio.done": _PROBES[3],
        "response.created": b'{"type":"response.created","response":{"id":"r2","output_audio_format":"g711_alaw"}}',
        "response.done": (
            b'{"type":"response.done","response":{"id":"resp_CgbnAy6UkXb","audio":{"output":{"format":{"type":"audio/pcmu"}}}}}'
        ),
    }
    second = _ODD.replace(b"item_C", b"item_D")
    # What is not understood of a format has been said once: without memory, logging itself runs for ever in CPython 3.11.
    said = (_OTHER_SESSION, _OTHER_SESSION.replace(b"opus", b"pcm"), _SESSION.replace(b"g711_ulaw", b"pcm16"))
    for name, frame in sessions.items():
        for odd in ((), (_ODD,), (_ODD, second)):
            cases.append(Case(f"{name} after {len(odd)} odd deltas", *_decode(frame, *said, *odd)))
        cases.append(Case(f"{name}, left out", *_decode(frame, *said, _ODD, second, only="error")))
    for frame in (_ODD, real_frame(_DELTA)):
        cases.append(Case("delta left out", *_decode(frame, _ODD, only="error")))
        cases.append(Case("delta left out, first", *_decode(frame, only="error")))
    for options in ({"dtype": "float32"}, {"dtype": "uint8"}, {"audio_format": "g711_ulaw"}):
        cases.append(Case(f"delta, {options}", *_decode(_ODD, _ODD, **options)))
    cases.append(Case("delta in the session's format", *_decode(_ODD, _SESSION, _ODD)))
    many = [b'{"type":"response.audio.delta","response_id":"%d","delta":"AAEC"}' % i for i in range(1024)]
    cases.append(Case("stream evicted", *_decode(_ODD, *many)))
    for form in (bytearray, memoryview):
        cases.append(Case(f"frame of {form.__name__}", *_decode(form(_ODD), _ODD)))
    out = np.zeros(4000, "int16")
    prepare, _, state = _decode(_ODD, _ODD)
    cases.append(Case("out=", prepare, lambda decoder: decoder.decode(real_frame(_DELTA), out), state))
    counter = [0]
    cases.append(
        Case(
            "container where a field is flat",
            lambda: _declare(counter),
            lambda name: rp.decode('{"type":"%s","a":[1]}' % name),
            lambda name: rp.decode('{"type":"%s","a":"b"}' % name).a,
        )
    )
    cases.append(Case("a class declared", lambda: counter, _declare, lambda _: rp.decode(b'{"type":"error"}').type))
    cases.append(Case("Decoder()", lambda: None, lambda _: rp.Decoder(audio_format="pcmu", only=messages.Error)))
    for errors in ("raise", "skip", "yield"):
        cases.append(Case(f"stream, errors={errors!r}", *_stream(errors)))
    return cases


def _stream(errors: str) -> tuple[Callable[[], Any], Callable[[Any], Any], Callable[[Any], Any]]:
    def prepare() -> Any:
        decoder = _decoder(_ODD)
        return decoder, rp.decode_stream(iter([_ODD, b"{}", _ODD]), errors=errors, decoder=decoder)

    def operate(made: Any) -> Any:
        return next(made[1])

    return prepare, operate, lambda made: _session_state(made[0])


def _through_pickle(message: Any) -> Any:
    return pickle.loads(pickle.dumps(message))


def _common_cases(message: Any) -> list[Case]:
    name, nested = type(message).__name__, hasattr(message, "response")
    return [
        # The repr of a nested object has orjson parse it.
        Case(f"repr of {name}", lambda: message, repr, repr, parses=nested, foreign=nested),
        Case(f"copy of {name}", lambda: message, copy.copy, repr),
        Case(f"deepcopy of {name}", lambda: message, copy.deepcopy, repr),
        Case(f"pickle of {name}", lambda: message, _through_pickle, repr, foreign=True),
        Case(f"equality of {name}", lambda: message, lambda m: m == copy.copy(m), repr, foreign=True),
    ]


def object_cases() -> list[Case]:
    """What messages do beside: some of it parses with orjson."""
    done, audio = rp.decode(real_frame(BY_TYPE["response.done"])), rp.Decoder().decode(real_frame(_DELTA))
    text = rp.decode(b'{"type":"response.text.delta","delta":"hello","event_id":"e"}')
    cases = [
        Case("delta as text", lambda: audio, lambda message: message.delta, repr),
        Case("field that is absent", lambda: text, lambda message: message.item_id, repr),
    ]
    for message in (done, audio, text):
        cases += _common_cases(message)
    fresh = real_frame(BY_TYPE["response.done"])
    cases += [
        Case("view", lambda: rp.decode(fresh), lambda m: m.response, repr, True),
        Case("field of a view", lambda: rp.decode(fresh), lambda m: m.response.output[0].content[0].transcript, repr, True),
        Case("to_dict()", lambda: rp.decode(fresh), lambda m: m.to_dict(), repr, parses=True, foreign=True),
        Case("extra", lambda: rp.decode(b'{"type":"error","x":[1,"a"]}'), lambda m: m.extra, repr, True),
        Case(
            "event_id that is a list",
            lambda: None,
            lambda _: rp.decode(b'{"type":"error","event_id":[1,"a",{}]}').event_id,
            repr,
            True,
        ),
    ]
    return cases


def _session_config(words: str) -> Any:
    tool = objects.Tool(type="function", name="weather", description=words)
    return objects.SessionConfig(instructions=words, tools=[tool, objects.Tool(name="hang_up")], tracing=None)


def writing_cases() -> list[Case]:
    """Messages by keyword. Strings beyond ASCII, floats and dicts are orjson's to write."""
    cancel, update = client_messages.ResponseCancel, client_messages.SessionUpdate
    cancel(), update()  # the first of a class notes where its fields stand
    return [
        Case("a message of flat fields", lambda: None, lambda _: cancel(response_id="r" * 300, event_id="e\n"), repr),
        Case("a message by a dict", lambda: {"response_id": "r"}, lambda given: cancel.__call__(**given), repr),
        Case("a long message", lambda: None, lambda _: cancel(response_id="r" * 3_000), repr),
        Case("nested objects", lambda: None, lambda _: update(session=_session_config("x"), model="m"), repr),
        Case("long nested objects", lambda: None, lambda _: update(session=_session_config("x" * 3_000)), repr),
        Case("what orjson writes", lambda: None, lambda _: update(session={"a": ["\u00e9", None, 0.5]}), repr, True, True),
        Case("an object that orjson writes", lambda: None, lambda _: _session_config("\u00e9"), repr, True, True),
    ]


# ---- Running them ------------------------------------------------------------------------------------------


@dataclass
class Result:
    """Of one case: how many points failed with MemoryError, what went wrong, where orjson crashed."""

    name: str
    points: int = 0
    wrong: list[str] = field(default_factory=list)
    crashes: list[int] = field(default_factory=list)


def _child(case: Case, allocator: Any, alone: bool, start: int, write: Callable[[str], None], limit: int) -> None:
    """Points from `start` on, each announced before it is tried, until one is behind the last allocation."""
    untouched = repr(case.state(case.prepare()))
    made = case.prepare()
    case.operate(made)
    moved = repr(case.state(made))
    survived = 0
    for point in range(start, limit):
        made = case.prepare()
        write(f"at {point}")
        result = None
        allocator.arm(point, alone)
        try:
            result = case.operate(made)
        except MemoryError:
            allocator.heal()
            outcome = "memory"
        except BaseException as error:
            allocator.heal()
            outcome = repr(error)[:300] + "".join(traceback.format_tb(error.__traceback__))[-600:]
        else:
            allocator.heal()
            outcome = "done"
        del result
        state = repr(case.state(made))
        wanted = untouched if outcome == "memory" else moved
        if outcome not in ("memory", "done") and not case.foreign:
            write(f"wrong {point}: {outcome!r}")
        elif state != wanted and outcome in ("memory", "done"):
            write(f"wrong {point}: {outcome}, state {state} instead of {wanted}")
        if outcome == "done":
            # Some failures are got over, by orjson or NumPy: only a stretch of points without one is the end.
            survived += 1
            if survived == 12:
                return
        else:
            survived = 0
            write("memory")
    write(f"wrong {limit}: still not done")


def run_case(case: Case, kind: str, alone: bool, limit: int = 3000) -> Result:
    """The case with every point, in as many children as crash."""
    result = Result(case.name)
    start = 0
    while True:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reading)
                signal.alarm(120)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                allocator = {"python": PythonAllocator, "blocks": Blocks, "numpy": NumpyData}[kind]()

                def tell(line: str, pipe: int = writing) -> None:
                    os.write(pipe, line.encode() + b"\0")

                _child(case, allocator, alone, start, tell, limit)
            except BaseException as error:
                os.write(writing, b"wrong: harness: " + repr(error).encode() + b"\0")
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            lines = pipe.read().decode().split("\0")[:-1]
        _, status = os.waitpid(child, 0)
        at = start
        for line in lines:
            if line.startswith("at "):
                at = int(line[3:])
            elif line == "memory":
                result.points += 1
            elif line.startswith("wrong"):
                result.wrong.append(line)
        if status == 0:
            return result
        result.crashes.append(at)
        if len(result.crashes) > 200:
            return result
        start = at + 1


def run(kinds: tuple[str, ...] = ("python", "blocks", "numpy"), verbose: bool = False) -> int:
    started = time.monotonic()
    failed = points = orjson_crashes = cases = 0
    for kind in kinds:
        for case in (*decode_cases(), *object_cases(), *writing_cases()):
            for alone in (True, False):
                result = run_case(case, kind, alone)
                cases += 1
                points += result.points
                if case.parses:
                    orjson_crashes += len(result.crashes)
                bad = result.wrong or (result.crashes and not case.parses)
                failed += bool(bad)
                if bad or verbose:
                    print(
                        f"{kind}, {'one' if alone else 'all'}: {case.name}: {result.points} points, "
                        f"crashes {result.crashes}, wrong {len(result.wrong)}",
                        file=sys.stderr,
                    )
                for line in result.wrong[:2]:
                    print("   ", line[:1500])
    print(
        f"{points:,} failed allocations of {cases} cases in {time.monotonic() - started:.0f} s: {failed} cases wrong, "
        f"{orjson_crashes} crashes within orjson"
    )
    return 1 if failed else 0
