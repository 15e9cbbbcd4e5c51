"""decode_stream: the messages of anything that hands out frames. stream.pyi has its overloads.

`_sync_frames` and `_async_frames` recognise a source by its attributes; no client library is imported here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator
from functools import partial
from importlib import import_module
from itertools import filterfalse
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._core import DecodedFrames, Decoder
from .errors import DecodeError
from .terminal import shown_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import ClassVar, Protocol

    from ._core import Frame

    class AiohttpWebSocket(Protocol):
        """aiohttp's ClientWebSocketResponse and WebSocketResponse."""

        @property
        def closed(self) -> bool: ...
        @property
        def close_code(self) -> int | None: ...
        def exception(self) -> BaseException | None: ...
        def receive(self) -> Awaitable[Any]: ...

    class StarletteWebSocket(Protocol):
        """The WebSocket of Starlette, which FastAPI hands on."""

        def receive(self) -> Awaitable[Any]: ...
        def iter_text(self) -> AsyncIterator[str]: ...

    class WebSocketClient(Protocol):
        """The WebSocket of websocket-client."""

        def recv_data_frame(self, control_frame: bool = False) -> Any: ...


__all__ = ["AsyncMessageStream", "InvalidFrame", "MessageStream", "decode_stream"]

M = TypeVar("M", covariant=True)


class InvalidFrame:
    """A refused frame. A stream with errors="yield" gives it in place of the message.

    Two are equal if their frames are equal and their errors have the same reason, position, message type and field. Not
    hashable. It can be copied and pickled; its attributes cannot be set.

    Attributes:
        frame: The frame, bytes or str; a copy if the source gave a bytearray or memoryview.
        error: The DecodeError.
    """

    __slots__ = ("error", "frame")
    __match_args__ = ("frame", "error")
    __hash__: ClassVar[None]  # type: ignore[assignment]

    frame: bytes | str
    error: DecodeError

    def __init__(self, frame: Frame, error: DecodeError) -> None:
        put = object.__setattr__
        put(self, "frame", bytes(frame) if isinstance(frame, (bytearray, memoryview)) else frame)
        put(self, "error", error)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"InvalidFrame is read-only: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"InvalidFrame is read-only: {name}")

    def __repr__(self) -> str:
        return f"InvalidFrame({self.error})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, InvalidFrame):
            return NotImplemented
        # `python -bb` raises where bytes are compared with str.
        if isinstance(self.frame, str) != isinstance(other.frame, str) or self.frame != other.frame:
            return False
        facts = ("reason", "position", "message_type", "field")
        return all(getattr(self.error, name) == getattr(other.error, name) for name in facts)

    def __reduce__(self) -> tuple[type[InvalidFrame], tuple[bytes | str, DecodeError]]:
        return InvalidFrame, (self.frame, self.error)


# --- the streams


class MessageStream(Iterator[M]):
    """The messages of a sync source. After a DecodeError the next call goes on with the next frame."""

    __slots__ = ()

    @property
    @abstractmethod
    def decoder(self) -> Decoder[M, None]:
        """The Decoder, which knows the session. Pass it as decoder= to another stream to continue where this one stopped."""

    @property
    def skipped(self) -> int:
        """How many refused frames errors="skip" has left out so far; 0 for another `errors`."""
        return 0


class AsyncMessageStream(AsyncIterator[M]):
    """The messages of an async source. After an exception the next call goes on with the next frame.

    A connection: a wait that is cancelled loses no frame, and the next call waits for the next frame. An async generator:
    it runs inside the call, as under a plain `async for`, so that asyncio.timeout, a TaskGroup or a cancel scope around
    its yields work. A cancelled wait raises CancelledError in the generator, and ends it unless the generator catches it.
    """

    __slots__ = ("_decode", "_decoder", "_errors", "_next_frame", "_skipped", "_source")

    def __init__(self, frames: AsyncIterator[Frame], decoder: Decoder[Any, Any], errors: str, source: str) -> None:
        self._decoder = decoder
        self._decode: Callable[[Frame], object] = decoder.decode
        self._next_frame: Callable[[], Awaitable[Frame]] = frames.__anext__
        self._errors = errors
        self._skipped = 0
        self._source = source

    @property
    def decoder(self) -> Decoder[M, None]:
        """The Decoder, which knows the session. Pass it as decoder= to another stream to continue where this one stopped."""
        return self._decoder

    @property
    def skipped(self) -> int:
        """How many refused frames errors="skip" has left out so far; 0 for another `errors`."""
        return self._skipped

    async def __anext__(self) -> M:
        while True:
            frame = await self._next_frame()
            try:
                message = self._decode(frame)
            except DecodeError as error:
                if self._errors == "raise":
                    raise
                if self._errors == "skip":
                    self._skipped += 1
                    if self._skipped == 1:
                        tell_first_skipped(error)
                    continue
                message = InvalidFrame(error.frame, error)
            if message is not None:
                return cast(M, message)

    def __repr__(self) -> str:
        return _described("AsyncMessageStream", self._source, self._errors, self._skipped)


class _Strict(DecodedFrames, MessageStream[M]):
    """The stream of errors="raise". It inherits __next__ from compiled code, so that no Python code runs for each frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return _described("MessageStream", self._source, "raise", 0)


class _Tolerant(MessageStream[M]):
    """The stream of errors="skip" and "yield"."""

    __slots__ = ("_decode", "_decoder", "_frames", "_skip", "_skipped", "_source")

    def __init__(self, frames: Iterator[Frame], decoder: Decoder[Any, Any], errors: str, source: str) -> None:
        self._decoder = decoder
        self._decode: Callable[[Frame], object] = decoder.decode
        self._frames = frames
        self._skip = errors == "skip"
        self._skipped = 0
        self._source = source

    @property
    def decoder(self) -> Decoder[M, None]:
        return self._decoder

    @property
    def skipped(self) -> int:
        return self._skipped

    def __next__(self) -> M:
        for frame in self._frames:
            try:
                message = self._decode(frame)
            except DecodeError as error:
                if self._skip:
                    self._skipped += 1
                    if self._skipped == 1:
                        tell_first_skipped(error)
                    continue
                message = InvalidFrame(error.frame, error)
            if message is not None:
                return cast(M, message)
        raise StopIteration

    def __repr__(self) -> str:
        return _described("MessageStream", self._source, "skip" if self._skip else "yield", self._skipped)


def _described(kind: str, source: str, errors: str, skipped: int) -> str:
    return f"<{kind} of {source}, errors={errors!r}, skipped {skipped}>"


def tell_first_skipped(error: DecodeError) -> None:
    """Logs the first frame that errors="skip" leaves out of a stream, so that a user learns of it. `skipped` counts them all."""
    import logging

    logging.getLogger("realtime_pcm").warning(
        'errors="skip" left out a frame; the stream counts further ones in .skipped without logging them: %s', error
    )


# --- what a source offers, and how its frames are taken


def _is_starlette(source: Any) -> bool:
    # Its base is a Mapping, so that it has the __iter__ of one.
    return hasattr(source, "iter_text") and hasattr(source, "receive")


def _async_frames(source: Any) -> AsyncIterator[Frame]:
    """The frames of a source with __aiter__, or of Starlette."""
    if _is_starlette(source):
        return _StarletteFrames(source)
    if hasattr(source, "recv_bytes"):  # openai: realtime, translation, live, beta
        own = type(source).__aiter__
        return _AsyncReceived(source.recv_bytes, lambda: own(_Unparsed(source)))
    if hasattr(source, "receive") and hasattr(source, "close_code"):  # aiohttp, client and server
        return _AiohttpFrames(source)
    if hasattr(source, "recv"):  # websockets, picows.websockets
        return _AsyncReceived(_receiver(source.recv), source.__aiter__)
    frames = source.__aiter__()
    if hasattr(frames, "readline"):
        return _AsyncLines(frames)
    return cast("AsyncIterator[Frame]", frames)


def _sync_frames(source: Any) -> Iterator[Frame]:
    """The frames of a source with __iter__."""
    if hasattr(source, "recv_bytes"):  # openai
        own = type(source).__iter__
        return _Received(source.recv_bytes, lambda: own(_Unparsed(source)))
    if hasattr(source, "recv_data_frame"):  # websocket-client
        return _WebSocketClientFrames(source)
    if hasattr(source, "recv"):  # websockets
        return _Received(_receiver(source.recv), source.__iter__)
    if hasattr(source, "readline"):  # an open JSONL file
        return filterfalse(methodcaller("isspace"), source)
    return iter(source)


def _refusal_of(source: Any) -> TypeError | None:
    """The TypeError for a source that cannot be streamed; None for one that can."""
    name = type(source).__name__
    if isinstance(source, (bytes, bytearray, memoryview, str)) or hasattr(source, "__fspath__"):
        return TypeError(
            f"decode_stream() takes an iterable of frames, a connection or an open file, not {name}: "
            "for one frame call decode(frame), for a file pass open(path, 'rb')"
        )
    # This stands before the look for __aiter__: websockets.connect() is awaitable, and an async iterator of connections.
    if hasattr(source, "__await__"):
        if hasattr(source, "close") and hasattr(source, "cr_code"):
            source.close()  # else the coroutine, which nobody awaits, would warn
        return TypeError(f"{name} is not connected yet: await it, or use 'async with ... as connection', and pass the connection")
    if hasattr(source, "__aiter__") or _is_starlette(source):
        return None
    if hasattr(source, "__iter__"):
        mapping = hasattr(source, "keys")  # its iterator would give names
        return TypeError(f"decode_stream() takes an iterable of frames, not a mapping: {name}") if mapping else None
    if hasattr(source, "__aenter__") or hasattr(source, "__enter__"):
        word = "async with" if hasattr(source, "__aenter__") else "with"
        return TypeError(f"{name} is not connected yet: pass the connection that '{word} ... as connection' gives")
    return TypeError(
        f"decode_stream() takes an iterable of frames, a connection or an open file, not {name}: pass a generator, sync or "
        "async, that yields its frames, or call Decoder().decode(frame) where it hands them to you"
    )


def _receiver(recv: Callable[..., Any]) -> Callable[[], Any]:
    """`recv`, with decode=False if it has that option, to get bytes: making a str is one more pass over the frame."""
    from inspect import signature

    try:
        takes_decode = "decode" in signature(recv).parameters
    except (TypeError, ValueError):
        takes_decode = False
    return partial(recv, decode=False) if takes_decode else recv


class _Received(Iterator["Frame"]):
    """The frames of a sync connection: each call of __next__ receives one.

    Where a receive fails, the client library decides what that means: a clean end, an exception or a reconnect. So the exception
    is dropped, and the library's own iteration is asked for the next frame: that iteration receives once more, and raises or ends
    as its library decides. Its frames may be str.
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
    """The frames of an async connection, in the way of _Received."""

    __slots__ = ("_own_iteration", "_receive")

    def __init__(self, receive: Callable[[], Awaitable[Frame]], own_iteration: Callable[[], AsyncIterator[Frame]]) -> None:
        self._receive = receive
        self._own_iteration = own_iteration

    async def __anext__(self) -> Frame:
        try:
            return await self._receive()
        except Exception:
            pass
        return await self._own_iteration().__anext__()


class _Unparsed:
    """A stand-in for an openai connection: it has the attributes of the connection, but its `recv` does not parse the frame.

    Only the iteration of the SDK reconnects, and that iteration parses every event. Called with this object as `self`, the
    SDK's iteration method closes and reconnects by its own rules, and yields frames.
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


_CLEAN = (None, 0, 1000, 1001, 1005)  # close codes that end a stream; 1005 and below 1000: the close frame had none


class _AiohttpFrames(AsyncIterator["Frame"]):
    """The frames of an aiohttp WebSocket.

    aiohttp reports the end of a connection as a message, and its iteration drops the close code.
    """

    # The values of aiohttp.WSMsgType. Those below 16 are opcodes of RFC 6455.
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
        if code in _CLEAN or (code == 1006 and was_closed and self._cancelled):
            raise StopAsyncIteration
        # No import statement: type checkers would follow it, and read aiohttp for every user who checks a file.
        error_class: Callable[[int, str], Exception] = import_module("aiohttp").WebSocketError
        reason = message.extra if kind == self.CLOSE else None
        why = f": {shown_text(reason)}" if isinstance(reason, str) and reason else ""
        raise error_class(code, f"connection closed with code {code}{why}")


class _StarletteFrames(AsyncIterator["Frame"]):
    """The frames of a WebSocket of Starlette or FastAPI that was accepted.

    Its own iterators take either text or bytes, and end in silence whatever the close code.
    """

    __slots__ = ("_ended", "_socket")

    def __init__(self, socket: StarletteWebSocket) -> None:
        self._socket = socket
        self._ended = False

    async def __anext__(self) -> Frame:
        if self._ended:
            raise StopAsyncIteration
        message = await self._socket.receive()
        if message["type"] == "websocket.receive":
            text = message.get("text")
            return cast("Frame", message["bytes"] if text is None else text)
        if message["type"] != "websocket.disconnect":
            raise TypeError("the WebSocket was not accepted yet: await websocket.accept() before decode_stream()")
        self._ended = True
        code = message.get("code", 1005)
        if code in _CLEAN:
            raise StopAsyncIteration
        raise import_module("starlette.websockets").WebSocketDisconnect(code, message.get("reason"))


class _WebSocketClientFrames(Iterator["Frame"]):
    """The frames of websocket-client, whose own `recv` gives "" for a close frame and drops its code."""

    __slots__ = ("_ended", "_socket")

    def __init__(self, socket: WebSocketClient) -> None:
        self._socket = socket
        self._ended = False

    def __next__(self) -> Frame:
        if self._ended:
            raise StopIteration
        opcode, frame = self._socket.recv_data_frame()
        if opcode != 8:
            return cast("Frame", frame.data)
        self._ended = True
        code = int.from_bytes(frame.data[:2], "big") if len(frame.data) >= 2 else 1005
        if code in _CLEAN:
            raise StopIteration
        reason = shown_text(frame.data[2:].decode("utf-8", "replace"))
        raise import_module("websocket").WebSocketConnectionClosedException(
            f"connection closed with code {code}" + (f": {reason}" if reason else "")
        )


class _AsyncLines(AsyncIterator["Frame"]):
    """The lines of an async JSONL file, without blank ones."""

    __slots__ = ("_lines",)

    def __init__(self, lines: AsyncIterator[Any]) -> None:
        self._lines = lines

    async def __anext__(self) -> Frame:
        while True:
            line = await self._lines.__anext__()
            if not line.isspace():
                return cast("Frame", line)


# --- decode_stream


def _new_decoder(decoder: object, given: dict[str, Any]) -> Decoder[Any, Any]:
    """A decoder with the options that were given to decode_stream."""
    options = {name: value for name, value in given.items() if value is not ...}
    if decoder is not None:
        raise TypeError(f"decode_stream() takes decoder= or {', '.join(options)}=, not both")
    only = options.get("only")
    if only is not None and not (isinstance(only, (str, type)) or hasattr(only, "__iter__")):
        raise TypeError(
            f"decode_stream() takes a wire type, a message class or an iterable of these as only=, not {type(only).__name__}"
        )
    return Decoder(**options)


def decode_stream(
    source: Any,
    *,
    errors: str = "raise",
    decoder: Decoder[Any, Any] | None = None,
    dtype: Any = ...,
    audio_format: Any = ...,
    only: Any = ...,
    side: Any = ...,
    catalogue: Any = ...,
    session: Any = ...,
    lone_surrogates: Any = ...,
) -> MessageStream[Any] | AsyncMessageStream[Any]:
    """The messages of a source, one per frame. An async source gives an async stream.

    The source stays open when the stream ends or is dropped. The options after `decoder` are those of a new Decoder, with
    its defaults.

    Args:
        source: An iterable or async iterable of frames, a connection (websockets, aiohttp, picows.websockets, Starlette and
            FastAPI, websocket-client, the openai SDK) or an open JSONL file.
        errors: How to treat a bad frame. "raise" raises its DecodeError; the next call continues with the next frame.
            "skip" leaves it out, counts it in `stream.skipped`, and logs the first one of each stream. "yield" gives an
            InvalidFrame in its place.
        decoder: A Decoder that already knows the session, instead of a new one.
        dtype: Type of the samples: "int16", "float32", "uint8" or "bytes".
        audio_format: A format to force.
        only: Wire types and message classes to build; other messages are left out.
        side: "client" reads the messages that clients send.
        catalogue: The messages of another socket, such as realtime_pcm.sockets.twilio.
        session: The Session of another decoder, of either side, to share.
        lone_surrogates: "replace" decodes frames with half a surrogate pair.

    Raises:
        DecodeError: With errors="raise", from the iteration: a frame was refused. The next step goes on after it.
        TypeError: The source is not a stream of frames; the message says what to pass instead.
        ValueError: An option has a wrong value.

    Examples:
        >>> async for message in rp.decode_stream(ws):
        ...     print(message)
    """
    if errors not in ("raise", "skip", "yield"):
        raise ValueError(f"errors must be 'raise', 'skip' or 'yield', not {errors!r}")
    refusal = _refusal_of(source)
    if refusal is not None:
        raise refusal
    if dtype is audio_format is only is side is catalogue is session is lone_surrogates is ...:
        if decoder is None:
            decoder = Decoder()
        elif not isinstance(decoder, Decoder):
            raise TypeError(f"decode_stream() takes a Decoder as decoder=, not {type(decoder).__name__}")
    else:
        given = {
            "dtype": dtype,
            "audio_format": audio_format,
            "only": only,
            "side": side,
            "catalogue": catalogue,
            "session": session,
            "lone_surrogates": lone_surrogates,
        }
        decoder = _new_decoder(decoder, given)
    name = type(source).__name__
    if hasattr(source, "__aiter__") or _is_starlette(source):
        return AsyncMessageStream(_async_frames(source), decoder, errors, name)
    frames = _sync_frames(source)
    if errors == "raise":
        return _Strict(frames, decoder, name)
    return _Tolerant(frames, decoder, errors, name)
