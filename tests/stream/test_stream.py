"""decode_stream over plain sources: iterables, generators, files; refusals, errors=, only=, decoder=, cancelled waits."""

from __future__ import annotations

import asyncio
import base64
import copy
import io
import json
import logging
import pickle
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import sample
from realtime_pcm.stream import AsyncMessageStream, MessageStream

AUDIO = "response.output_audio.delta"
FRAMES = sample.lines()
TYPES = [json.loads(frame)["type"] for frame in FRAMES]


def audio(payload: bytes, **fields: Any) -> bytes:
    event = {"type": AUDIO, "event_id": "event_1", "response_id": "resp_1", "item_id": "item_1"}
    return json.dumps({**event, "content_index": 0, **fields, "delta": base64.b64encode(payload).decode()}).encode()


GOOD, BAD, LAST = audio(b"\1\0\2\0"), audio(b"\3\0\4\0").replace(b'=="', b'*="'), audio(b"\5\0")
assert b"*" in BAD


class AsyncFrames:
    """An async iterator that is no generator."""

    def __init__(self, frames: list[Any]) -> None:
        self.frames = iter(frames)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for frame in self.frames:
            return frame
        raise StopAsyncIteration


async def generated(frames: list[Any], pause: float = 0.0) -> AsyncGenerator[Any, None]:
    for frame in frames:
        await asyncio.sleep(pause)
        yield frame


def run(coroutine: Any) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(coroutine, 30)

    return asyncio.run(bounded())


def pull(stream: Any) -> list[Any]:
    """Everything a stream gives, sync or async, exceptions in their place."""
    items: list[Any] = []

    async def pull_async() -> None:
        while True:
            try:
                items.append(await anext(stream))
            except StopAsyncIteration:
                return
            except Exception as error:
                items.append(error)

    if hasattr(stream, "__anext__"):
        run(pull_async())
        return items
    while True:
        try:
            items.append(next(stream))
        except StopIteration:
            return items
        except Exception as error:
            items.append(error)


def kinds(items: list[Any]) -> list[str]:
    return [type(item).__name__ for item in items]


def values(items: list[Any]) -> list[list[int]]:
    return [item.pcm.tolist() for item in items if isinstance(item, rp.messages.AudioMessage)]


as_list: Any = list
as_tuple: Any = tuple
as_iterator: Any = iter
as_generator: Any = lambda frames: (frame for frame in frames)  # noqa: E731
SOURCES = [as_list, as_tuple, as_iterator, as_generator, AsyncFrames, generated]
every_source = pytest.mark.parametrize(
    "source", SOURCES, ids=["list", "tuple", "iterator", "generator", "async_iterator", "async_generator"]
)


@every_source
@pytest.mark.parametrize("kind", [bytes, bytes.decode, bytearray, memoryview], ids=["bytes", "str", "bytearray", "view"])
def test_any_iterable_of_any_kind_of_frame(source: Any, kind: Any) -> None:
    stream = rp.decode_stream(source([kind(frame) for frame in FRAMES]))
    items = pull(stream)
    assert [item.type for item in items] == TYPES
    assert pull(stream) == []  # an ended stream stays ended


def test_streams_are_iterator_classes() -> None:
    for options in ({}, {"only": [AUDIO]}, {"errors": "skip"}, {"errors": "yield"}, {"decoder": rp.Decoder()}):
        sync = rp.decode_stream([GOOD], **options)
        assert isinstance(sync, MessageStream) and iter(sync) is sync
        assert not hasattr(sync, "send")
        assert isinstance(sync.decoder, rp.Decoder)
        asynchronous = rp.decode_stream(AsyncFrames([GOOD]), **options)
        assert isinstance(asynchronous, AsyncMessageStream) and asynchronous.__aiter__() is asynchronous
        assert not hasattr(asynchronous, "asend")
        assert isinstance(asynchronous.decoder, rp.Decoder)


def every_stream() -> list[Any]:
    """One stream of each class, over frames that all of them get through."""
    sources: list[Any] = [lambda: [GOOD, LAST], lambda: AsyncFrames([GOOD, LAST]), lambda: generated([GOOD, LAST])]
    return [rp.decode_stream(source(), errors=errors) for source in sources for errors in ("raise", "skip", "yield")]


def test_the_decoder_of_a_stream_cannot_be_exchanged() -> None:
    """A stream holds on to the decoder that it began with, and says so: another one would have another session."""
    for stream in every_stream():
        decoder = stream.decoder
        for other in (None, rp.Decoder(dtype="float32"), 7):
            with pytest.raises(AttributeError):
                stream.decoder = other
        with pytest.raises(AttributeError):
            del stream.decoder
        with pytest.raises(AttributeError):
            stream.skipped = 3
        assert stream.decoder is decoder
        assert values(pull(stream)) == [[1, 2], [5]]


def test_what_a_stream_says_of_itself() -> None:
    strict, skipping, yielding, *asynchronous = every_stream()
    assert repr(strict) == "<MessageStream of list, errors='raise', skipped 0>"
    assert repr(skipping) == "<MessageStream of list, errors='skip', skipped 0>"
    assert repr(yielding) == "<MessageStream of list, errors='yield', skipped 0>"
    assert [repr(stream) for stream in asynchronous] == [
        f"<AsyncMessageStream of {source}, errors={errors!r}, skipped 0>"
        for source in ("AsyncFrames", "async_generator")
        for errors in ("raise", "skip", "yield")
    ]
    stream = rp.decode_stream(io.BytesIO(BAD + b"\n" + GOOD), errors="skip")
    next(stream)
    assert repr(stream) == "<MessageStream of BytesIO, errors='skip', skipped 1>"


def test_an_empty_source() -> None:
    assert pull(rp.decode_stream([])) == []
    assert pull(rp.decode_stream(AsyncFrames([]))) == []
    assert pull(rp.decode_stream(io.BytesIO(b"\n\n"))) == []


# --- files


SPACED = b"\n" + b"\n \t\r\n\n".join(FRAMES) + b"\n\n"


@pytest.mark.parametrize("mode", ["rb", "r"])
def test_an_open_jsonl_file(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(SPACED)
    with open(path, mode, encoding=None if "b" in mode else "utf-8") as file:
        stream = rp.decode_stream(file)
        first = next(stream)
        assert first.type == "session.created"
        assert [first.type, *(message.type for message in stream)] == TYPES
        assert not file.closed


def test_files_in_memory_and_unbuffered(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(SPACED)
    assert [m.type for m in rp.decode_stream(io.BytesIO(SPACED))] == TYPES
    assert [m.type for m in rp.decode_stream(io.StringIO(SPACED.decode()))] == TYPES
    with open(path, "rb", buffering=0) as raw:
        assert [m.type for m in rp.decode_stream(raw)] == TYPES


def test_an_async_file() -> None:
    class Lines(AsyncFrames):
        async def readline(self) -> bytes:
            raise NotImplementedError

    stream = rp.decode_stream(Lines(SPACED.splitlines(keepends=True)))
    assert [m.type for m in pull(stream)] == TYPES


def test_a_blank_line_is_a_frame_where_the_source_is_no_file() -> None:
    assert kinds(pull(rp.decode_stream([b"\n"]))) == ["DecodeError"]


# --- errors=


@every_source
def test_errors_raise_goes_on_with_the_next_frame(source: Any) -> None:
    items = pull(rp.decode_stream(source([GOOD, BAD, b"{", 7, LAST])))
    assert kinds(items) == ["ResponseAudioDelta", "DecodeError", "DecodeError", "TypeError", "ResponseAudioDelta"]
    assert values(items) == [[1, 2], [5]]
    assert items[-1].sample_offset == 2
    assert (items[1].message_type, items[1].field) == (AUDIO, "delta")


@every_source
@pytest.mark.parametrize("only", [None, [AUDIO]])
def test_errors_skip(source: Any, only: Any) -> None:
    items = pull(rp.decode_stream(source([BAD, GOOD, BAD, b"{", b"", LAST, BAD]), errors="skip", only=only))
    assert kinds(items) == ["ResponseAudioDelta"] * 2
    assert items[-1].sample_offset == 2


@every_source
@pytest.mark.parametrize("only", [None, [AUDIO]])
def test_what_is_skipped_is_counted_and_the_first_is_logged(source: Any, only: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):  # each stream tells its own first one
        caplog.clear()
        stream = rp.decode_stream(source([GOOD, BAD, b"{", LAST, BAD]), errors="skip", only=only)
        assert stream.skipped == 0
        assert kinds(pull(stream)) == ["ResponseAudioDelta"] * 2
        assert stream.skipped == 3
        [record] = caplog.records
        assert (record.name, record.levelno) == ("realtime_pcm", logging.WARNING)
        with pytest.raises(rp.DecodeError) as caught:
            rp.decode(BAD)
        assert record.getMessage().endswith(f": {caught.value}")


@every_source
@pytest.mark.parametrize("errors", ["raise", "yield"])
def test_what_is_raised_or_yielded_is_not_skipped(source: Any, errors: Any, caplog: pytest.LogCaptureFixture) -> None:
    stream = rp.decode_stream(source([GOOD, BAD, b"{", LAST]), errors=errors)
    assert len(pull(stream)) == 4
    assert stream.skipped == 0
    assert not caplog.records


def test_what_a_log_says_of_a_frame_is_safe_to_print(caplog: pytest.LogCaptureFixture) -> None:
    list(rp.decode_stream(['{"type":"\\u001b]0;title\\u0007\\u202e","x":}'], errors="skip"))
    [record] = caplog.records
    assert r"\x1b]0;title\x07\u202e" in record.getMessage()
    assert record.getMessage().isprintable()


@every_source
@pytest.mark.parametrize("only", [None, [AUDIO]])
def test_errors_yield(source: Any, only: Any) -> None:
    items = pull(rp.decode_stream(source([GOOD, BAD, LAST]), errors="yield", only=only))
    assert kinds(items) == ["ResponseAudioDelta", "InvalidFrame", "ResponseAudioDelta"]
    invalid = items[1]
    assert invalid.frame is BAD
    assert isinstance(invalid.error, rp.DecodeError) and invalid.error.frame == BAD
    assert repr(invalid) == f"InvalidFrame({invalid.error})"
    match invalid:
        case rp.InvalidFrame(frame, error):
            assert (frame, error) == (BAD, invalid.error)
        case _:
            pytest.fail("InvalidFrame matches by position")


@every_source
def test_an_invalid_frame_keeps_what_was_refused(source: Any) -> None:
    """A client that reads into one buffer writes the next frame over the last one."""
    buffers = [bytearray(BAD), memoryview(bytearray(BAD))]
    items = pull(rp.decode_stream(source([*buffers, BAD.decode()]), errors="yield"))
    for buffer in buffers:
        buffer[:] = bytes(len(buffer))
    assert [item.frame for item in items] == [BAD, BAD, BAD.decode()]
    assert [item.error.frame for item in items] == [BAD, BAD, BAD.decode()]
    for item in items:
        for twin in (pickle.loads(pickle.dumps(item)), copy.copy(item), copy.deepcopy(item)):
            assert twin == item and not twin != item  # noqa: SIM202 - both operators
            assert type(twin.frame) is type(item.frame)
            assert str(twin.error) == str(item.error)


def test_when_invalid_frames_are_equal() -> None:
    def invalid(frame: Any) -> rp.InvalidFrame:
        [item] = rp.decode_stream([frame], errors="yield")
        assert isinstance(item, rp.InvalidFrame)
        return item

    item = invalid(BAD)
    assert item == invalid(bytearray(BAD)) and item == rp.InvalidFrame(memoryview(BAD), item.error)
    assert item != invalid(BAD.decode())  # nor a BytesWarning
    assert item != invalid(BAD + b" ")
    error = item.error
    for other in (
        rp.DecodeError("another reason", error.position, error.message_type, error.field, BAD),
        rp.DecodeError(error.reason, error.position + 1, error.message_type, error.field, BAD),
        rp.DecodeError(error.reason, error.position, None, error.field, BAD),
        rp.DecodeError(error.reason, error.position, error.message_type, None, BAD),
    ):
        assert item != rp.InvalidFrame(BAD, other)
    assert item != BAD and item != error
    with pytest.raises(TypeError, match="unhashable"):
        hash(item)
    changes: tuple[Callable[[], None], ...] = (
        lambda: setattr(item, "frame", b""),
        lambda: setattr(item, "error", error),
        lambda: delattr(item, "frame"),
    )
    for change in changes:
        with pytest.raises(AttributeError, match="InvalidFrame is read-only"):
            change()


@every_source
@pytest.mark.parametrize("errors", ["skip", "yield"])
def test_errors_is_about_frames_only(source: Any, errors: Any) -> None:
    """A frame of a wrong Python type is a mistake of the program, and raised whatever errors= says."""
    items = pull(rp.decode_stream(source([GOOD, None, LAST]), errors=errors))
    assert kinds(items) == ["ResponseAudioDelta", "TypeError", "ResponseAudioDelta"]


@every_source
def test_the_sources_own_exception_is_raised(source: Any) -> None:
    class Broken(Exception):
        pass

    def frames() -> Iterator[bytes]:
        yield GOOD
        raise Broken

    async def async_frames() -> AsyncGenerator[bytes, None]:
        yield GOOD
        raise Broken

    for errors in ("raise", "skip", "yield"):
        assert kinds(pull(rp.decode_stream(frames(), errors=errors))) == ["ResponseAudioDelta", "Broken"]
        assert kinds(pull(rp.decode_stream(async_frames(), errors=errors))) == ["ResponseAudioDelta", "Broken"]


def test_an_unknown_errors_mode() -> None:
    with pytest.raises(ValueError, match="'raise', 'skip' or 'yield', not 'ignore'"):
        rp.decode_stream([GOOD], errors="ignore")


# --- only=, decoder=, options


@every_source
def test_only_leaves_out_what_is_not_wanted(source: Any) -> None:
    items = pull(rp.decode_stream(source(FRAMES), only=["session.created", rp.messages.ResponseDone]))
    assert [item.type for item in items] == ["session.created", "response.done"]
    items = pull(rp.decode_stream(source(FRAMES), only=rp.messages.AudioMessage))
    assert {item.type for item in items} == {AUDIO} and len(items) == TYPES.count(AUDIO)


@every_source
def test_a_decoder_with_only(source: Any) -> None:
    decoder = rp.Decoder(only=["response.done"])
    stream = rp.decode_stream(source(FRAMES), decoder=decoder)
    assert stream.decoder is decoder
    assert [item.type for item in pull(stream)] == ["response.done"]


@every_source
def test_options_reach_the_decoder(source: Any) -> None:
    [message] = pull(rp.decode_stream(source([GOOD]), dtype="float32", audio_format="audio/pcmu"))
    assert message.pcm.dtype == np.float32 and len(message.pcm) == 4
    assert message.audio_format == rp.AudioFormat("g711_ulaw", 8000)


@every_source
def test_handing_the_decoder_on(source: Any) -> None:
    """Offsets, half samples and the format go from one stream to the next."""
    updated = b'{"type":"session.updated","session":{"audio":{"output":{"format":{"type":"audio/pcm","rate":16000}}}}}'
    first = rp.decode_stream(source([updated, audio(b"\1\0\2")]))
    items = pull(first)
    second = rp.decode_stream(source([audio(b"\0\3\0")]), decoder=first.decoder)
    assert second.decoder is first.decoder
    items += pull(second)
    assert values(items) == [[1], [2, 3]]
    assert [item.sample_offset for item in items[1:]] == [0, 1]
    assert {item.audio_format.rate for item in items[1:]} == {16000}


@every_source
def test_streams_share_nothing_by_themselves(source: Any) -> None:
    items = pull(rp.decode_stream(source([audio(b"\1\0\2")]))) + pull(rp.decode_stream(source([audio(b"\3\0")])))
    assert values(items) == [[1], [3]]
    assert items[1].sample_offset == 0


def test_decoder_and_options_exclude_each_other() -> None:
    with pytest.raises(TypeError, match="decoder= or dtype, only=, not both"):
        rp.decode_stream([GOOD], decoder=rp.Decoder(), dtype="uint8", only=None)
    with pytest.raises(ValueError, match="dtype"):
        rp.decode_stream([GOOD], dtype="int8")


@every_source
def test_wrong_arguments_are_refused_in_the_words_of_decode_stream(source: Any) -> None:
    for errors in ("raise", "skip", "yield"):
        with pytest.raises(TypeError, match=r"^decode_stream\(\) got an unexpected keyword argument 'foo'$"):
            rp.decode_stream(source([GOOD]), errors=errors, foo=1)
        says = r"^decode_stream\(\) takes a wire type, a message class or an iterable of these as only=, not int$"
        with pytest.raises(TypeError, match=says):
            rp.decode_stream(source([GOOD]), errors=errors, only=3)
        with pytest.raises(TypeError, match=r"^decode_stream\(\) takes a Decoder as decoder=, not str$"):
            rp.decode_stream(source([GOOD]), errors=errors, decoder="mine")


def test_the_options_stand_in_the_signature() -> None:
    import inspect

    names = list(inspect.signature(rp.decode_stream).parameters)
    assert names == [
        "source",
        "errors",
        "decoder",
        "dtype",
        "audio_format",
        "only",
        "side",
        "catalogue",
        "session",
        "lone_surrogates",
    ]


def test_leaving_a_generator_leaves_it_usable() -> None:
    frames = (frame for frame in FRAMES)
    for message in rp.decode_stream(frames):
        if message.type == "response.created":
            break
    assert next(frames) == FRAMES[TYPES.index("response.created") + 1]

    async def talk() -> None:
        generator = generated(FRAMES)
        async for message in rp.decode_stream(generator):
            if message.type == "response.created":
                break
        assert await anext(generator) == FRAMES[TYPES.index("response.created") + 1]

    run(talk())


# --- refusals


async def connect() -> None:
    """Stands for a connector that was not awaited."""


class Connector:
    """What `websockets.connect` gives: awaitable, an async context manager, and an iterator of connections."""

    def __await__(self) -> Any:
        raise NotImplementedError

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    def __aiter__(self) -> Any:
        raise NotImplementedError


class Manager:
    """What the openai SDK's connect() gives."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exc_info: object) -> None: ...


class AsyncManager:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *exc_info: object) -> None: ...


@pytest.mark.filterwarnings("error")  # a coroutine that was never awaited
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: b"{}", r"not bytes: for one frame call decode\(frame\), for a file pass open\(path, 'rb'\)"),
        (lambda: "session.jsonl", r"not str: for one frame call decode\(frame\)"),
        (lambda: bytearray(b"{}"), "not bytearray: for one frame"),
        (lambda: memoryview(b"{}"), "not memoryview: for one frame"),
        (connect, "coroutine is not connected yet: await it"),
        (Connector, "Connector is not connected yet: await it, or use 'async with ... as connection'"),
        (Manager, "Manager is not connected yet: pass the connection that 'with ... as connection' gives"),
        (AsyncManager, "AsyncManager is not connected yet: pass the connection that 'async with ... as connection' gives"),
        (lambda: 7, "an open file, not int: pass a generator"),
        (lambda: None, "an open file, not NoneType: pass a generator"),
        (lambda: Path("session.jsonl"), r"Path: .*for a file pass open\(path, 'rb'\)"),
    ],
)
def test_sources_that_are_none(make: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        rp.decode_stream(make())


# --- cancelled waits


def test_cancelling_the_task_that_streams() -> None:
    async def talk() -> list[Any]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()

        class Source:
            def __aiter__(self) -> Any:
                return self

            async def __anext__(self) -> bytes:
                return await queue.get()

        source = Source()
        got: list[Any] = []
        first = rp.decode_stream(source)

        async def consume() -> None:
            async for message in first:
                got.append(message)

        task = asyncio.ensure_future(consume())
        await queue.put(GOOD)
        while not got:  # noqa: ASYNC110
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await queue.put(LAST)
        got.append(await anext(rp.decode_stream(source, decoder=first.decoder)))
        return got

    items = run(talk())
    assert values(items) == [[1, 2], [5]]
    assert items[1].sample_offset == 2


def test_streaming_imports_no_event_loop() -> None:
    script = (
        "import sys, realtime_pcm as rp\n"
        'list(rp.decode_stream([b\'{"type":"error"}\']))\n'
        "print([name for name in ('asyncio', 'websockets', 'aiohttp', 'openai', 'picows') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
