"""connect() and Call: messages of the server in, messages and audio of the client out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, overload

from .._core import AudioEncoder, CallObject, Decoder, RealtimeClientMessage, Session
from ..conversation.meanings import meanings_of
from ..errors import DecodeError
from ..recording import Recorder
from ..stream import InvalidFrame, tell_first_skipped
from .endpoints import Endpoint, Sendable
from .errors import CallClosed
from .sending import Microphone, Requests
from .socket import BINARY, CLEAN, TEXT, Socket, open_socket

if TYPE_CHECKING:
    import os
    from ssl import SSLContext
    from typing import Literal, Never, Unpack

    import numpy.typing as npt

    from .._core import M1, M2, M3, M4, M5, M6, Classes, DType, Wanted
    from ..audio import AudioFormat
    from ..messages import Error, ServerMessage
    from .sending import Pcm

__all__ = ["Call", "connect"]

M = TypeVar("M", covariant=True)
_Server = TypeVar("_Server")

TIMEOUT = 10.0
MAX_MESSAGE = 64 * 1024 * 1024
MAX_QUEUE = 4 * 1024 * 1024


class Call(CallObject, Generic[M]):
    """A call that is open: iterate over it for the messages of the server. connect() makes it.

    A clean close (1000, 1001, or no code) ends the iteration; any other raises CallClosed. A refused frame is treated as
    decode_stream() treats it, by the `errors` of connect(). A cancelled wait loses no message, and `break` leaves the call as it
    is. One task iterates at a time; any task of the same event loop may send.
    """

    def __init__(
        self,
        decoder: Decoder[Any, Any],
        errors: str,
        endpoint: Endpoint[Any],
        append: type[RealtimeClientMessage] | AudioEncoder | None,
        recorder: Recorder | None,
        timeout: float,
        max_message: int,
        max_queue: int,
    ) -> None:
        super().__init__(decoder, asyncio.get_running_loop().create_future, max_queue, TEXT, BINARY)
        self._socket = Socket(self, max_message)
        self._errors = errors
        self._skipped = 0
        self._recorder = recorder
        self._record = None if recorder is None else recorder.received
        self._timeout = timeout
        self._requests = Requests(decoder.session, endpoint.catalogue)
        self._heard = asyncio.Event()
        append = append or endpoint.append
        self._microphone = None if append is None else Microphone(decoder.session, append)
        self._encoder = None if self._microphone is None else self._microphone.encoder

    # --- what is known of the call

    @property
    def session(self) -> Session:
        """The `Session` with the current formats of both directions. An AudioEncoder or a Decoder can share it."""
        return self._decoder.session

    @property
    def skipped(self) -> int:
        """How many refused frames errors="skip" has left out so far; 0 for another `errors`."""
        return self._skipped

    @property
    def recorder(self) -> Recorder | None:
        """The Recorder of record=, which counts what it has written and dropped."""
        return self._recorder

    @property
    def closed(self) -> CallClosed | None:
        """How the call ended, a clean end included; None while it goes on."""
        return self._socket.end

    def refused(self, error: Error) -> bytes | str | None:
        """The frame that an error of the server is about.

        `send` gives each message an event_id that has none, and the last 256 messages are kept, up to 1 MiB; audio is neither
        numbered nor kept. None if the error names no event, or one that is not kept.
        """
        return self._requests.named_by(error)

    def __repr__(self) -> str:
        end = self._socket.end
        return f"<Call, {'open' if end is None else f'ended with code {end.code}'}, {self._queued:,} bytes queued>"

    # --- receiving

    if TYPE_CHECKING:

        def __aiter__(self) -> AsyncIterator[M]: ...
        def __anext__(self) -> Coroutine[Any, Any, M]: ...

    def _refused(self, frame: bytes, error: DecodeError) -> object:
        if self._errors == "skip":
            self._skipped += 1
            if self._skipped == 1:
                tell_first_skipped(error)
            return None
        return error if self._errors == "raise" else InvalidFrame(frame, error)

    def _follow(self, frame: bytes, message: object) -> None:
        self._settled = self._requests.follow(frame, message)
        if self._settled:
            self._heard.set()

    def _pause(self, paused: bool) -> None:
        if paused:
            self._socket.pause()
        else:
            self._socket.resume()

    def _raise_end(self, end: CallClosed) -> Never:
        if end.code in CLEAN:
            raise StopAsyncIteration
        raise CallClosed(end.code, end.reason)

    def _over(self, end: CallClosed) -> None:
        self._heard.set()
        super()._over(end)

    # --- sending

    async def send(self, message: str | bytes | Sendable) -> None:
        """Sends a message. Waits while the network takes no more; a cancelled wait sends nothing.

        Args:
            message (str | bytes | Sendable): the text of a client message, or anything that has it as `frame`: a message of
                `client_messages`, a Truncation of the player. If it has no event_id it gets one, for `refused`; audio goes as
                it is.

        Raises:
            TypeError: it is neither text nor has a frame.
            DecodeError: the text is not a valid message.
            CallClosed: the call is over.

        """
        frame = message if isinstance(message, (str, bytes)) else getattr(message, "frame", None)
        if not isinstance(frame, (str, bytes)):
            raise TypeError(f"send() takes the text of a message, or an object with it as .frame, not {type(message).__name__}")
        await self._socket.wait_unblocked()
        frame, sent = self._requests.put(frame)
        self._settled = self._requests.settled
        if not self._settled:
            self._heard.clear()
        if self._microphone is not None:
            for role, _ in meanings_of(sent):
                if role == "clear":
                    self._microphone.drop()
                elif role in ("commit", "audio_end", "speech_stopped"):
                    for rest in self._microphone.finish():
                        self._send(rest)
        self._send(frame)

    def send_audio(self, pcm: Pcm, *, rate: int | None = None) -> Coroutine[Any, Any, None]:
        """Sends audio of the user, in the input format of the session.

        Waits until the session is settled: until the server has said something, and has answered every update of the session
        that was sent. Long audio goes as several frames.

        Args:
            pcm (ndarray | bytes): a 1-D array of int16, or of float32 in [-1, 1), channels interleaved; bytes are the payload as
                it is.
            rate (int | None): the rate of `pcm` in samples per second. Another rate than the session's is resampled as it streams
                (extra `play`); the end of speech (input_audio_buffer.commit) sends what the resampler still holds.

        Raises:
            TimeoutError: the session was not settled within the `timeout` of connect().
            TypeError, ValueError: as AudioEncoder.encode.
            CallClosed: the call is over.

        """
        return self._say(pcm, rate)

    async def _send_audio(self, pcm: Pcm, rate: int | None) -> None:
        microphone = self._microphone
        if microphone is None:
            raise TypeError("this endpoint does not say how audio is sent: give connect() append=, a message class with audio")
        if not self._settled:
            await self._wait_settled()
        for frame in microphone.frames(pcm, rate):
            if self._socket.blocked:
                await self._socket.wait_unblocked()
            self._send(frame)

    async def _wait_settled(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                while not self._settled and self._socket.end is None:
                    await self._heard.wait()
        except TimeoutError:
            raise TimeoutError(
                f"the server has not settled the session within {self._timeout:g} s: it has said nothing, or has not answered a "
                "session.update. Audio in a format of your choice: call.send(realtime_pcm.encode_append(pcm, audio_format=...))"
            ) from None

    def _send(self, frame: bytes | str) -> None:
        self._socket.send(frame)
        if self._recorder is not None:
            self._recorder.sent(frame)

    # --- the end

    async def close(self) -> None:
        """Closes the call within half a second, whatever the server does. Leaving the block of connect() does the same.

        Messages that have come can still be read; what comes from now on is dropped.
        """
        await self._socket.close()


class _Options(TypedDict, total=False):
    """The options of connect() that change no type."""

    headers: Mapping[str, str] | None
    dtype: DType | npt.DTypeLike
    audio_format: AudioFormat | str | None
    lone_surrogates: Literal["refuse", "replace"]
    append: type[RealtimeClientMessage] | AudioEncoder | None
    record: str | os.PathLike[str] | None
    timeout: float
    max_message: int
    max_queue: int
    ssl: SSLContext | None
    proxy: str | None


@overload
def connect(  # type: ignore[overload-overlap]
    endpoint: Endpoint[Any] | str,
    *,
    only: Classes[M1, M2, M3, M4, M5, M6],
    errors: Literal["raise", "skip"] = "raise",
    **options: Unpack[_Options],
) -> AbstractAsyncContextManager[Call[M1 | M2 | M3 | M4 | M5 | M6]]: ...
@overload
def connect(
    endpoint: Endpoint | str,
    *,
    only: Wanted | None = None,
    errors: Literal["raise", "skip"] = "raise",
    **options: Unpack[_Options],
) -> AbstractAsyncContextManager[Call[ServerMessage]]: ...
@overload
def connect(
    endpoint: Endpoint[_Server],
    *,
    only: Wanted | None = None,
    errors: Literal["raise", "skip"] = "raise",
    **options: Unpack[_Options],
) -> AbstractAsyncContextManager[Call[_Server]]: ...
@overload
def connect(  # type: ignore[overload-overlap]
    endpoint: Endpoint[Any] | str,
    *,
    only: Classes[M1, M2, M3, M4, M5, M6],
    errors: Literal["yield"],
    **options: Unpack[_Options],
) -> AbstractAsyncContextManager[Call[M1 | M2 | M3 | M4 | M5 | M6 | InvalidFrame]]: ...
@overload
def connect(
    endpoint: Endpoint | str,
    *,
    only: Wanted | None = None,
    errors: Literal["yield"],
    **options: Unpack[_Options],
) -> AbstractAsyncContextManager[Call[ServerMessage | InvalidFrame]]: ...
@overload
def connect(
    endpoint: Endpoint[_Server],
    *,
    only: Wanted | None = None,
    errors: Literal["yield"],
    **options: Unpack[_Options],
) -> AbstractAsyncContextManager[Call[_Server | InvalidFrame]]: ...
@asynccontextmanager
async def connect(
    endpoint: Endpoint[Any] | str,
    *,
    only: Any = None,
    errors: str = "raise",
    headers: Mapping[str, str] | None = None,
    dtype: Any = "int16",
    audio_format: AudioFormat | str | None = None,
    lone_surrogates: Literal["refuse", "replace"] = "refuse",
    append: type[RealtimeClientMessage] | AudioEncoder | None = None,
    record: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - of the handshake, not of the block
    max_message: int = MAX_MESSAGE,
    max_queue: int = MAX_QUEUE,
    ssl: SSLContext | None = None,
    proxy: str | None = None,
) -> AsyncIterator[Call[Any]]:
    """A call, as a context manager: leaving its block closes the call.

    Args:
        endpoint (Endpoint | str): openai(), azure(), voice_live(), xai(), dashscope(), gemini(), elevenlabs(), an Endpoint, or a
            URL of the Realtime API.
        only (str | type | Iterable | None): as in decode_stream().
        errors (str): as in decode_stream().
        dtype (str): as in decode_stream().
        audio_format (AudioFormat | str | None): as in decode_stream().
        lone_surrogates (str): as in decode_stream().
        headers (Mapping[str, str] | None): headers of the handshake, for a URL.
        append (type | AudioEncoder | None): the message that send_audio() sends, or an encoder of it; by default the endpoint's.
            client_messages.SessionInputAudioAppend for GPT-Live, SessionInputAudioBufferAppend for translation.
        record (path | None): the file for a recording of both sides, which must not exist yet; see Recorder.
        timeout (float): seconds for the whole handshake, the key included, and for the session to settle.
        max_message (int): bytes of one message of the server, however many fragments it has. A longer one ends the call with
            1009.
        max_queue (int): bytes of frames that may wait to be read; each counts as its length and 1,024 bytes. Past them nothing is
            read from the network until half of them were taken.
        ssl (SSLContext | None): for a server whose certificate only you know.
        proxy (str | None): an http://, https://, socks4:// or socks5:// URL. No environment variable is looked at.

    Raises:
        CallRefused: the call could not be made.
        FileExistsError, OSError: of the recording.
        TypeError, ValueError: an argument is wrong; see decode_stream().

    A connection counts as lost after 40 seconds without a byte, pongs included. There is no compression and no reconnect.

    Examples:
        >>> async with connect(openai("gpt-realtime")) as call:
        ...     async for message in call:
        ...         print(message)
    """
    if errors not in ("raise", "skip", "yield"):
        raise ValueError(f"errors must be 'raise', 'skip' or 'yield', not {errors!r}")
    if isinstance(endpoint, str):
        endpoint = Endpoint(endpoint, headers=headers)
    elif not isinstance(endpoint, Endpoint):
        raise TypeError(f"connect() takes an Endpoint, such as openai(), or a URL, not {type(endpoint).__name__}")
    elif headers is not None:
        raise TypeError("connect() takes headers= with a URL; an Endpoint has its own")
    decoder: Decoder[Any, Any] = Decoder(
        dtype=dtype, only=only, audio_format=audio_format, lone_surrogates=lone_surrogates, catalogue=endpoint.catalogue
    )
    recorder = None if record is None else Recorder(record, catalogue=endpoint.catalogue)
    call: Call[Any] = Call(decoder, errors, endpoint, append, recorder, timeout, max_message, max_queue)
    try:
        await open_socket(call._socket, endpoint, seconds=timeout, max_message=max_message, ssl=ssl, proxy=proxy)
    except BaseException:
        if recorder is not None and record is not None:
            recorder.__exit__(*sys.exc_info())
            Path(record).unlink()  # noqa: ASYNC240 - a second try may have the same name
        raise
    try:
        if endpoint.first is not None:
            await call.send(endpoint.first)
        yield call
    finally:
        try:
            await call.close()
        finally:
            if recorder is not None:
                await asyncio.to_thread(recorder.__exit__, *sys.exc_info())
