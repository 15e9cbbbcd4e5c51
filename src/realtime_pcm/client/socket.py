"""One WebSocket on picows: whole messages in, frames out, and an end that says why.

picows does TLS, proxies, the handshake, pings and framing. It passes on each fragment of a message separately and bounds only
single frames, so this module joins fragments and bounds messages. It also pauses reading, which picows never does on its own.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from io import BytesIO
from ssl import SSLContext, SSLError
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

try:
    import picows
    from picows import WSCloseCode, WSListener, WSMsgType, WSProtocolError
    from python_socks import ProxyError
except ImportError as error:
    raise ImportError(
        "realtime_pcm.client needs picows: pip install 'realtime-pcm[client]'. "
        "On a Python that picows has no wheel for, websockets and realtime_pcm.decode_stream() do the same at twice the cost"
    ) from error

from ..terminal import shown_text
from .endpoints import Endpoint, shown_url
from .errors import CallClosed, CallRefused

if TYPE_CHECKING:
    from picows import WSFrame, WSTransport

    from .._core import CallObject

__all__ = ["Socket", "open_socket"]

PING = 20.0  # seconds without a byte of the server before a ping, and seconds that its pong may take
CLOSING = 0.5  # seconds that the server has to answer a close frame
SHOWN = 500  # bytes of an answer that a CallRefused shows

TEXT, BINARY, CONTINUATION, CLOSE = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION, WSMsgType.CLOSE
CLEAN = (1000, 1001, 1005)

# picows would log the handshake with its key at level 9, and every failure that is raised here as well.
_SILENT = logging.Logger("realtime_pcm.client.picows", logging.CRITICAL + 1)  # noqa: LOG001 - no handler can be given to it


class Socket(WSListener):
    """The WebSocket of one call."""

    def __init__(self, call: CallObject, max_message: int) -> None:
        self.end: CallClosed | None = None
        self.abandoned = False
        self.closing = False
        self.transport: WSTransport  # from the end of the handshake on
        self.was_opened = False
        self._call = call
        call._other_frame = self._on_other_frame
        self._give_frames_to(call._on_ws_frame)
        self._max_message = max_message
        self._joined: BytesIO | None = None
        self._size = 0
        self._received_close: tuple[int, str] | None = None
        self._closed_here = False
        self._paused = False
        self._unblocked = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    # --- what the call does

    @property
    def blocked(self) -> bool:
        """Not connected, no room in the network's buffer, or over."""
        return self._call._write is None

    async def wait_unblocked(self) -> None:
        """Waits until the network accepts data. Raises CallClosed if it never will again."""
        while self.blocked:
            if self.end is not None:
                raise CallClosed(self.end.code, self.end.reason)
            if self.closing:
                raise CallClosed(1006, "the call is being closed")
            await self._unblocked.wait()

    def send(self, frame: bytes | str) -> None:
        """Sends one text message, while not `blocked`."""
        self.transport.send(TEXT, frame)

    def pause(self) -> None:
        """Reads no more from the network, until `resume`."""
        if not self._paused:
            self._paused = True
            self.transport.underlying_transport.pause_reading()
            self.transport.notify_user_specific_pong_received()  # a pong that is under way would not be read in time

    def resume(self) -> None:
        """Reads again."""
        if self._paused:
            self._paused = False
            self.transport.underlying_transport.resume_reading()

    async def close(self) -> None:
        """Closes; within CLOSING seconds, whatever the server does."""
        if self._watching is None:
            return
        self._stop_sending()
        if self.end is None:
            self._closed_here = self._received_close is None
            if not self.transport.is_close_frame_sent:
                self.transport.send_close(WSCloseCode.OK)
            self.resume()  # the answer comes after all that the server has sent
            try:
                await asyncio.wait((self._watching,), timeout=CLOSING)
            finally:
                self.transport.disconnect(graceful=False)
        await asyncio.wait((self._watching,))

    # --- what picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake has come to its end."""
        if self.abandoned:  # whoever wanted this call was cancelled, or has given up
            transport.disconnect(graceful=False)
            return
        self.transport, self.was_opened = transport, True
        self.resume_writing()
        self._watching = asyncio.get_running_loop().create_task(self._watch(transport))

    def _give_frames_to(self, take: Callable[[WSTransport, WSFrame], None]) -> None:
        # An attribute of the instance, which picows finds first: no Python code runs for a whole message.
        self.on_ws_frame = take  # type: ignore[assignment, method-assign]

    def _on_other_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame that is not a whole message, or a fragment. A WSProtocolError makes picows close with its code."""
        kind = frame.msg_type
        if kind is CLOSE:
            self._answer_close(transport, frame)
        elif self.closing or transport.is_close_frame_sent:
            pass
        elif kind is TEXT or kind is BINARY:
            if self._joined is not None:
                raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "a message began inside another one")
            self._joined, self._size = BytesIO(), 0
            self._give_frames_to(self._on_other_frame)
            self._join(frame)
        elif kind is CONTINUATION:
            if self._joined is None:
                raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "a fragment came without the beginning of its message")
            self._join(frame)

    def _join(self, frame: WSFrame) -> None:
        joined = self._joined
        assert joined is not None
        # An empty fragment counts too: otherwise a server could send them for ever.
        self._size += frame.payload_size or 1
        if self._size > self._max_message:
            self._joined = None
            raise WSProtocolError(
                WSCloseCode.MESSAGE_TOO_BIG, f"a message in fragments has more than {self._max_message:,} bytes (max_message=)"
            )
        joined.write(frame.get_payload_as_memoryview())
        if frame.fin:
            self._joined = None
            self._give_frames_to(self._call._on_ws_frame)
            self._call._receive(joined.getvalue())  # getvalue() shares its bytes: no copy

    def _answer_close(self, transport: WSTransport, frame: WSFrame) -> None:
        payload = frame.get_payload_as_bytes()
        code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
        self._received_close = code, shown_text(payload[2:].decode("utf-8", "replace"))
        self._stop_sending()
        if not transport.is_close_frame_sent:
            transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        # What was sent before may wait for a server that does not read.
        asyncio.get_running_loop().call_later(CLOSING, transport.disconnect, False)

    def pause_writing(self) -> None:
        """The buffer of the network is full."""
        self._call._write = None
        self._unblocked.clear()

    def resume_writing(self) -> None:
        """The buffer of the network has room."""
        self._call._write = None if self.closing else self.transport.send
        self._unblocked.set()

    def _stop_sending(self) -> None:
        self.closing = True
        self._call._write = None
        self._give_frames_to(self._on_other_frame)
        self._unblocked.set()  # whoever waits learns of it

    def send_user_specific_ping(self, transport: WSTransport) -> None:
        """Nothing has come for PING seconds."""
        if self._paused:
            # Nothing is read, so no pong would be. picows expects one as soon as this function has returned.
            asyncio.get_running_loop().call_soon(transport.notify_user_specific_pong_received)
        else:
            transport.send_ping()

    async def _watch(self, transport: WSTransport) -> None:
        try:
            await transport.wait_disconnected()
            sent = transport.close_handshake and transport.close_handshake.sent
            lost = (sent.reason if sent else None) or "the connection was lost without a close frame"
            code, reason = (1000, "") if self._closed_here else self._received_close or (1006, lost)
        except WSProtocolError as error:
            code, reason = int(error.code), str(error)
        except Exception as error:  # of what was called with a message: a MemoryError
            code, reason = 1011, repr(error)
        self.end = CallClosed(code, reason)
        self._joined = None
        self._stop_sending()
        self._call._over(self.end)


# --- the handshake


async def open_socket(
    socket: Socket, endpoint: Endpoint, *, seconds: float, max_message: int, ssl: SSLContext | None, proxy: str | None
) -> None:
    """Connects the socket. CallRefused says why it could not."""
    where = shown_url(endpoint.url)
    secrets: list[str] = []

    def refused(reason: str, status: int | None = None, body: bytes = b"") -> CallRefused:
        return CallRefused(where, _shown(reason, secrets), status, _shown(body.decode("utf-8", "replace"), secrets))

    connected = False
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            headers, secrets = await endpoint.handshake_headers()
            secrets += filter(None, [urlsplit(proxy).password] if proxy else [])
            try:
                await picows.ws_connect(
                    lambda request, response: socket,
                    endpoint.url,
                    ssl_context=ssl,
                    websocket_handshake_timeout=seconds,
                    logger_name=_SILENT,
                    enable_auto_ping=True,
                    auto_ping_idle_timeout=PING,
                    auto_ping_reply_timeout=PING,
                    max_frame_size=max_message,
                    extra_headers=headers,
                    max_redirects=0,  # picows would hand the key to whatever host the answer names
                    proxy=proxy,
                )
            except picows.WSHandshakeError as error:
                raise _of_answer(error, refused) from None
            except TimeoutError:
                raise refused(f"no answer within {seconds:g} s") from None
            except SSLError as error:
                raise refused(f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}") from None
            except OSError as error:
                raise refused(error.strerror or str(error)) from None
            except (ProxyError, picows.WSError) as error:
                raise refused(f"the proxy: {error}" if isinstance(error, ProxyError) else str(error)) from None
        if not socket.was_opened:
            raise refused("the server closed the connection instead of answering")
        connected = True
    except TimeoutError:
        if not limit.expired():
            raise
        raise refused(f"no answer within {seconds:g} s") from None
    finally:
        socket.abandoned = not connected


def _of_answer(error: picows.WSHandshakeError, refused: Callable[..., CallRefused]) -> CallRefused:
    """The status line and the first bytes of the body of an answer that is not a WebSocket."""
    head, body = error.raw_header or b"", error.raw_body or b""
    status = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})(?: ([^\r\n]*))?", head)
    if status is None:
        return refused("the answer is no HTTP", None, head + body)
    code, phrase = int(status[1]), (status[2] or b"").decode("utf-8", "replace")
    if code == 101:
        return refused(str(error), code, body)
    if 300 <= code < 400:
        return refused(f"{phrase} (no redirect is followed: it would take the key to another host)", code, body)
    return refused(phrase, code, body)


def _shown(text: str, secrets: list[str]) -> str:
    """The beginning of a text of the server on one line, without the secrets that it may repeat."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return shown_text(" ".join(text[:SHOWN].split()))
