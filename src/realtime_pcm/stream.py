"""decode_stream: messages from whatever hands out frames.

Sources are recognised by what they offer, in `_sync_frames` and `_async_frames`; no client library is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import filterfalse
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from ._core import DecodedFrames, Decoder
from .errors import DecodeError

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Iterable
    from types import ModuleType
    from typing import Literal, NoReturn, Protocol, Union
    from weakref import WeakKeyDictionary

    import numpy.typing as npt

    from ._core import DType, Frame
    from .audio import AudioFormat
    from .messages import RealtimeServerMessage, ServerMessage

    class OpenAIConnection(Protocol):
        """A sync connection of the openai SDK: realtime, translation, live or beta."""

        def recv_bytes(self) -> bytes: ...

    class AsyncOpenAIConnection(Protocol):
        """An async connection of the openai SDK."""

        def recv_bytes(self) -> Awaitable[bytes]: ...

    class AiohttpWebSocket(Protocol):
        """aiohttp's ClientWebSocketResponse and WebSocketResponse."""

        @property
        def closed(self) -> bool: ...
        @property
        def close_code(self) -> int | None: ...
        def exception(self) -> BaseException | None: ...
        def receive(self) -> Awaitable[Any]: ...

    SyncSource = Union[Iterable[Frame], OpenAIConnection]
    AsyncSource = Union[AsyncIterable[Frame], AsyncOpenAIConnection, AiohttpWebSocket]
    Samples = Union[DType, npt.DTypeLike]
    Wanted = Union[str, type[RealtimeServerMessage]]
    Only = Union[Wanted, Iterable[Wanted]]

__all__ = ["AsyncMessageStream", "InvalidFrame", "MessageStream", "decode_stream"]

M = TypeVar("M", covariant=True)


class InvalidFrame:
    """A frame that was refused, as a stream with errors="yield" hands it on."""

    __slots__ = ("error", "frame")
    __match_args__ = ("frame", "error")

    frame: Frame
    error: DecodeError

    def __init__(self, frame: Frame, error: DecodeError) -> None:
        self.frame = frame
        self.error = error

    def __repr__(self) -> str:
        return f"InvalidFrame({self.error})"


# --- the streams


class MessageStream(Iterator[M]):
    """The messages of a sync source. `decoder` carries the session: hand it to the next stream to go on."""

    __slots__ = ()
    decoder: Decoder[Any]


class AsyncMessageStream(AsyncIterator[M]):
    """The messages of an async source. `decoder` carries the session: hand it to the next stream to go on.

    A cancelled wait loses no frame, and after an exception the next call goes on with the next frame.
    """

    __slots__ = ("_decode", "_errors", "_next_frame", "decoder")
    decoder: Decoder[Any]

    def __init__(self, frames: AsyncIterator[Frame], decoder: Decoder[Any], errors: str) -> None:
        self.decoder = decoder
        self._decode: Callable[[Frame], object] = decoder.decode
        self._next_frame: Callable[[], Awaitable[Frame]] = frames.__anext__
        self._errors = errors

    async def __anext__(self) -> M:
        while True:
            frame = await self._next_frame()
            try:
                message = self._decode(frame)
            except DecodeError as error:
                if self._errors == "raise":
                    raise
                if self._errors == "skip":
                    continue
                message = InvalidFrame(frame, error)
            if message is not None:
                return cast(M, message)


class _Strict(DecodedFrames, MessageStream[M]):
    """errors="raise". The __next__ it inherits keeps Python code out of the loop."""

    __slots__ = ()


class _Tolerant(MessageStream[M]):
    """errors="skip" and "yield"."""

    __slots__ = ("_decode", "_frames", "_skip", "decoder")

    def __init__(self, frames: Iterator[Frame], decoder: Decoder[Any], errors: str) -> None:
        self.decoder = decoder
        self._decode: Callable[[Frame], object] = decoder.decode
        self._frames = frames
        self._skip = errors == "skip"

    def __next__(self) -> M:
        for frame in self._frames:
            try:
                message = self._decode(frame)
            except DecodeError as error:
                if self._skip:
                    continue
                message = InvalidFrame(frame, error)
            if message is not None:
                return cast(M, message)
        raise StopIteration


# --- what a source offers, and how its frames are taken


def _async_frames(source: Any) -> AsyncIterator[Frame]:
    """Frames of anything with __aiter__."""
    if hasattr(source, "recv_bytes"):  # openai: realtime, translation, live, beta
        own = type(source).__aiter__
        return _AsyncReceived(source.recv_bytes, lambda: own(_Unparsed(source)))
    if hasattr(source, "receive") and hasattr(source, "close_code"):  # aiohttp, client and server
        return _AiohttpFrames(source)
    if hasattr(source, "recv"):  # websockets, picows.websockets
        return _AsyncReceived(_receiver(source.recv), source.__aiter__)
    frames = source.__aiter__()
    if hasattr(frames, "asend"):
        return _GeneratorFrames(frames)
    if hasattr(frames, "readline"):
        return _AsyncLines(frames)
    return cast("AsyncIterator[Frame]", frames)


def _sync_frames(source: Any) -> Iterator[Frame]:
    """Frames of anything with __iter__."""
    if hasattr(source, "recv_bytes"):  # openai
        own = type(source).__iter__
        return _Received(source.recv_bytes, lambda: own(_Unparsed(source)))
    if hasattr(source, "recv"):  # websockets
        return _Received(_receiver(source.recv), source.__iter__)
    if hasattr(source, "readline"):  # an open JSONL file
        return filterfalse(methodcaller("isspace"), source)
    return iter(source)


def _refuse(source: Any) -> TypeError | None:
    """Why the source cannot be streamed; None where it can."""
    name = type(source).__name__
    if isinstance(source, (bytes, bytearray, memoryview, str)) or hasattr(source, "__fspath__"):
        return TypeError(
            f"decode_stream() takes an iterable of frames, a connection or an open file, not {name}: "
            "for one frame call decode(frame), for a file pass open(path, 'rb')"
        )
    # Before anything else: websockets.connect() is awaitable and an async iterator (of connections).
    if hasattr(source, "__await__"):
        if hasattr(source, "close") and hasattr(source, "cr_code"):
            source.close()  # a coroutine nobody will await would warn as well
        return TypeError(
            f"{name} is not connected yet: await it, or use 'async with ... as connection', and pass the connection"
        )
    if hasattr(source, "__aiter__") or hasattr(source, "__iter__"):
        return None
    if hasattr(source, "__aenter__") or hasattr(source, "__enter__"):
        word = "async with" if hasattr(source, "__aenter__") else "with"
        return TypeError(f"{name} is not connected yet: pass the connection that '{word} ... as connection' gives")
    return TypeError(f"decode_stream() takes an iterable of frames, a connection or an open file, not {name}")


def _receiver(recv: Callable[..., Any]) -> Callable[[], Any]:
    """`recv` giving bytes, where it lets us: decoding UTF-8 to str first would be a second pass over the frame."""
    from inspect import signature

    try:
        takes_decode = "decode" in signature(recv).parameters
    except (TypeError, ValueError):
        takes_decode = False
    return partial(recv, decode=False) if takes_decode else recv


class _Received(Iterator["Frame"]):
    """Frames of a sync connection, one receive call each.

    What a failed receive means (a clean end, an exception, a reconnect) is the client's to say: its own iteration is
    asked, which receives again.
    """

    __slots__ = ("_own_iteration", "_receive")

    def __init__(self, receive: Callable[[], Frame], own_iteration: Callable[[], Iterator[Frame]]) -> None:
        self._receive = receive
        self._own_iteration = own_iteration

    def __next__(self) -> Frame:
        try:
            return self._receive()
        except Exception:
            pass
        return next(self._own_iteration())


class _AsyncReceived(AsyncIterator["Frame"]):
    """Frames of an async connection; as `_Received`."""

    __slots__ = ("_own_iteration", "_receive")

    def __init__(
        self, receive: Callable[[], Awaitable[Frame]], own_iteration: Callable[[], AsyncIterator[Frame]]
    ) -> None:
        self._receive = receive
        self._own_iteration = own_iteration

    async def __anext__(self) -> Frame:
        try:
            return await self._receive()
        except Exception:
            pass
        return await self._own_iteration().__anext__()


class _Unparsed:
    """An openai connection as its own iteration is to see it: the same object, but `recv` does not parse.

    The SDK offers reconnection in its iteration alone, and that parses every event. Its iteration method, called on
    this, keeps its closing and reconnecting rules and yields frames.
    """

    __slots__ = ("__target",)

    def __init__(self, target: Any) -> None:
        object.__setattr__(self, "_Unparsed__target", target)

    @property
    def recv(self) -> Any:
        return self.__target.recv_bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__target, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__target, name, value)


class _AiohttpFrames(AsyncIterator["Frame"]):
    """Frames of an aiohttp WebSocket, which reports its end as messages and swallows the close code."""

    # aiohttp.WSMsgType; the first ones are opcodes of RFC 6455.
    TEXT, BINARY, CLOSE, PING, PONG, CLOSING, ERROR = 1, 2, 8, 9, 10, 0x100, 0x102

    __slots__ = ("_cancelled", "_ended", "_socket")

    def __init__(self, socket: AiohttpWebSocket) -> None:
        self._socket = socket
        self._ended = False
        self._cancelled = False

    async def __anext__(self) -> Frame:
        if self._ended:
            raise StopAsyncIteration
        socket = self._socket
        while True:
            was_closed = socket.closed
            try:
                message = await socket.receive()
            except BaseException:
                # aiohttp sets close_code 1006 when its receive is cancelled, though the connection lives on.
                self._cancelled = True
                raise
            kind = message.type
            if kind == self.TEXT or kind == self.BINARY:
                return cast("Frame", message.data)
            if kind != self.PING and kind != self.PONG:
                break
        self._ended = True
        if kind == self.ERROR:
            raise message.data
        if kind == self.CLOSING:  # closed from this side
            raise StopAsyncIteration
        if was_closed and (error := socket.exception()) is not None:
            raise error
        code = message.data if kind == self.CLOSE else socket.close_code
        if code in (None, 0, 1000, 1001) or (code == 1006 and was_closed and self._cancelled):
            raise StopAsyncIteration
        from aiohttp import WebSocketError

        reason = message.extra if kind == self.CLOSE else None
        raise WebSocketError(code, f"connection closed with code {code}" + (f": {reason}" if reason else ""))


class _AsyncLines(AsyncIterator["Frame"]):
    """Lines of an async JSONL file; blank ones are no frames."""

    __slots__ = ("_lines",)

    def __init__(self, lines: AsyncIterator[Any]) -> None:
        self._lines = lines

    async def __anext__(self) -> Frame:
        while True:
            line = await self._lines.__anext__()
            if not line.isspace():
                return cast("Frame", line)


class _GeneratorFrames(AsyncIterator["Frame"]):
    """Frames of an async generator.

    A cancellation that reaches a waiting generator ends it for good, so under asyncio each step runs in its own task
    and a cancelled wait leaves the step running. The next wait, of this stream or another over the same generator,
    takes it up.
    """

    __slots__ = ("_generator",)
    _left_running: WeakKeyDictionary[AsyncGenerator[Frame, None], Task[Frame]] | None = None

    def __init__(self, generator: AsyncGenerator[Frame, None]) -> None:
        self._generator = generator

    async def __anext__(self) -> Frame:
        asyncio = sys.modules.get("asyncio")
        if asyncio is None or asyncio._get_running_loop() is None:  # another event loop, with rules of its own
            return await self._generator.__anext__()
        tasks = self._tasks()
        task = tasks.pop(self._generator, None)
        if task is None:
            task = self._start(asyncio)
        if task.done():
            return task.result()
        try:
            return cast("Frame", await asyncio.shield(task))
        except asyncio.CancelledError:
            if not task.cancelled():
                tasks[self._generator] = task
            raise

    @classmethod
    def _tasks(cls) -> WeakKeyDictionary[AsyncGenerator[Frame, None], Task[Frame]]:
        if cls._left_running is None:
            from weakref import WeakKeyDictionary

            _GeneratorFrames._left_running = WeakKeyDictionary()
        return cast("WeakKeyDictionary[AsyncGenerator[Frame, None], Task[Frame]]", cls._left_running)

    def _start(self, asyncio: ModuleType) -> Task[Frame]:
        step = _step(self._generator)
        if sys.version_info >= (3, 12):
            # Started at once: a frame that is there already costs no turn of the loop.
            task = asyncio.Task(step, loop=asyncio.get_running_loop(), eager_start=True)
        else:
            task = asyncio.ensure_future(step)
        return cast("Task[Frame]", task)


async def _step(generator: AsyncGenerator[Frame, None]) -> Frame:
    return await generator.__anext__()


# --- decode_stream

# The async overloads come first: a connection whose class has an unknown base (a compiled one) matches whichever does.
# Those for `str` (an iterable of str, to a type checker) come before the sync ones.


@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: Decoder[Any] | None = None,
    dtype: Samples = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Only | None = ...,
) -> AsyncMessageStream[ServerMessage]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["yield"],
    decoder: Decoder[Any] | None = None,
    dtype: Samples = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Only | None = ...,
) -> AsyncMessageStream[ServerMessage | InvalidFrame]: ...
@overload
def decode_stream(source: str | bytes | bytearray | memoryview | Coroutine[Any, Any, Any]) -> NoReturn: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: Decoder[Any] | None = None,
    dtype: Samples = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Only | None = ...,
) -> MessageStream[ServerMessage]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["yield"],
    decoder: Decoder[Any] | None = None,
    dtype: Samples = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Only | None = ...,
) -> MessageStream[ServerMessage | InvalidFrame]: ...


def decode_stream(
    source: Any, *, errors: str = "raise", decoder: Decoder[Any] | None = None, **options: Any
) -> MessageStream[Any] | AsyncMessageStream[Any]:
    """The messages of `source`, one a frame.

    source: an iterable or async iterable of frames, a connection (websockets, aiohttp, picows.websockets, the openai
        SDK) or an open JSONL file. It stays open when the stream is left.
    errors: what a refused frame does: "raise" its DecodeError (the next call goes on with the next frame), "skip", or
        "yield" an InvalidFrame in its place.
    decoder: one that already knows the session, instead of the options of a new Decoder.
    """
    if errors not in ("raise", "skip", "yield"):
        raise ValueError(f"errors must be 'raise', 'skip' or 'yield', not {errors!r}")
    refusal = _refuse(source)
    if refusal is not None:
        raise refusal
    if decoder is None:
        decoder = Decoder(**options)
    elif options:
        raise TypeError(f"decode_stream() takes decoder= or {', '.join(options)}=, not both")
    if hasattr(source, "__aiter__"):
        return AsyncMessageStream(_async_frames(source), decoder, errors)
    frames = _sync_frames(source)
    return _Strict(frames, decoder) if errors == "raise" else _Tolerant(frames, decoder, errors)
