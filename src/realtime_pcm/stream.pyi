from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Coroutine, Iterable, Iterator
from typing import Any, ClassVar, Generic, Literal, Never, NoReturn, Protocol, TypeAlias, overload

import numpy.typing as npt
from typing_extensions import TypeVar

from ._core import M1, M2, M3, M4, M5, M6, Classes, Decoder, DType, Frame, Session, Wanted
from .audio import AudioFormat
from .client_messages import ClientMessage
from .errors import DecodeError
from .messages import ServerMessage
from .sockets import Socket

__all__ = ["AsyncMessageStream", "InvalidFrame", "MessageStream", "decode_stream"]

# What a stream gives: its messages, and with errors="yield" an InvalidFrame too.
M = TypeVar("M", covariant=True)
_Refused = TypeVar("_Refused", covariant=True, default=Never)
_Any = TypeVar("_Any")
_Server = TypeVar("_Server")
_Client = TypeVar("_Client")
_LeftOut = TypeVar("_LeftOut")

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

class StarletteWebSocket(Protocol):
    """The WebSocket of Starlette, which FastAPI hands on."""

    def receive(self) -> Awaitable[Any]: ...
    def iter_text(self) -> AsyncIterator[str]: ...

class WebSocketClient(Protocol):
    """The WebSocket of websocket-client."""

    def recv_data_frame(self, control_frame: bool = False) -> Any: ...

SyncSource: TypeAlias = Iterable[Frame] | OpenAIConnection | WebSocketClient
AsyncSource: TypeAlias = AsyncIterable[Frame] | AsyncOpenAIConnection | AiohttpWebSocket | StarletteWebSocket

class InvalidFrame:
    """A refused frame. A stream with errors="yield" gives it in place of the message.

    Two are equal if their frames are equal and their errors have the same reason, position, message type and field. Not
    hashable. It can be copied and pickled; its attributes cannot be set.

    Attributes:
        frame: The frame, bytes or str; a copy if the source gave a bytearray or memoryview.
        error: The DecodeError.
    """

    __match_args__ = ("frame", "error")
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __init__(self, frame: Frame, error: DecodeError) -> None: ...
    @property
    def frame(self) -> bytes | str: ...
    @property
    def error(self) -> DecodeError: ...
    def __eq__(self, other: object) -> bool: ...

class MessageStream(Iterator[M | _Refused], Generic[M, _Refused]):
    """The messages of a sync source. After a DecodeError the next call goes on with the next frame."""

    @property
    @abstractmethod
    def decoder(self) -> Decoder[M, None]:
        """The Decoder, which knows the session. Pass it as decoder= to another stream to continue where this one stopped."""
    @property
    def skipped(self) -> int:
        """How many refused frames errors="skip" has left out so far; 0 for another `errors`."""

class AsyncMessageStream(AsyncIterator[M | _Refused], Generic[M, _Refused]):
    """The messages of an async source. After an exception the next call goes on with the next frame.

    A connection: a wait that is cancelled loses no frame, and the next call waits for the next frame. An async generator:
    it runs inside the call, as under a plain `async for`, so that asyncio.timeout, a TaskGroup or a cancel scope around
    its yields work. A cancelled wait raises CancelledError in the generator, and ends it unless the generator catches it.
    """

    def __init__(self, frames: AsyncIterator[Frame], decoder: Decoder[M, Any], errors: str, source: str) -> None: ...
    @property
    def decoder(self) -> Decoder[M, None]:
        """The Decoder, which knows the session. Pass it as decoder= to another stream to continue where this one stopped."""
    @property
    def skipped(self) -> int:
        """How many refused frames errors="skip" has left out so far; 0 for another `errors`."""
    async def __anext__(self) -> M | _Refused: ...

def tell_first_skipped(error: DecodeError) -> None:
    """Logs the first frame that errors="skip" leaves out of a stream, so that a user learns of it. `skipped` counts them all."""

# The async overloads come first: a type checker takes the first one for a connection whose class has a base that it does not know
# (a compiled one). The overload for `str` comes before the sync ones, because a str is an iterable of str to a type checker.

@overload
def decode_stream(  # type: ignore[overload-overlap]
    source: AsyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Classes[M1, M2, M3, M4, M5, M6],
    side: Literal["server", "client"] = ...,
    catalogue: Socket[Any, Any] | None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[M1 | M2 | M3 | M4 | M5 | M6]:
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
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[ServerMessage]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: Socket[_Server, Any],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[_Server]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[ClientMessage]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: Socket[Any, _Client],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[_Client]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: Decoder[_Any, _LeftOut],
) -> AsyncMessageStream[_Any]: ...
@overload
def decode_stream(  # type: ignore[overload-overlap]
    source: AsyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Classes[M1, M2, M3, M4, M5, M6],
    side: Literal["server", "client"] = ...,
    catalogue: Socket[Any, Any] | None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[M1 | M2 | M3 | M4 | M5 | M6, InvalidFrame]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[ServerMessage, InvalidFrame]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: Socket[_Server, Any],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[_Server, InvalidFrame]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[ClientMessage, InvalidFrame]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: Socket[Any, _Client],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> AsyncMessageStream[_Client, InvalidFrame]: ...
@overload
def decode_stream(
    source: AsyncSource,
    *,
    errors: Literal["yield"],
    decoder: Decoder[_Any, _LeftOut],
) -> AsyncMessageStream[_Any, InvalidFrame]: ...
@overload
def decode_stream(source: str | bytes | bytearray | memoryview | Coroutine[Any, Any, Any]) -> NoReturn: ...
@overload
def decode_stream(  # type: ignore[overload-overlap]
    source: SyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Classes[M1, M2, M3, M4, M5, M6],
    side: Literal["server", "client"] = ...,
    catalogue: Socket[Any, Any] | None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[M1 | M2 | M3 | M4 | M5 | M6]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[ServerMessage]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: Socket[_Server, Any],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[_Server]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[ClientMessage]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: Socket[Any, _Client],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[_Client]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["raise", "skip"] = "raise",
    decoder: Decoder[_Any, _LeftOut],
) -> MessageStream[_Any]: ...
@overload
def decode_stream(  # type: ignore[overload-overlap]
    source: SyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Classes[M1, M2, M3, M4, M5, M6],
    side: Literal["server", "client"] = ...,
    catalogue: Socket[Any, Any] | None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[M1 | M2 | M3 | M4 | M5 | M6, InvalidFrame]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[ServerMessage, InvalidFrame]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["server"] = ...,
    catalogue: Socket[_Server, Any],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[_Server, InvalidFrame]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: None = ...,
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[ClientMessage, InvalidFrame]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["yield"],
    decoder: None = None,
    dtype: DType | npt.DTypeLike = ...,
    audio_format: AudioFormat | str | None = ...,
    only: Wanted | None = ...,
    side: Literal["client"],
    catalogue: Socket[Any, _Client],
    session: Session | None = ...,
    lone_surrogates: Literal["refuse", "replace"] = ...,
) -> MessageStream[_Client, InvalidFrame]: ...
@overload
def decode_stream(
    source: SyncSource,
    *,
    errors: Literal["yield"],
    decoder: Decoder[_Any, _LeftOut],
) -> MessageStream[_Any, InvalidFrame]: ...
