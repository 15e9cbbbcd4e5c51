"""A recording of another socket, such as Gemini Live, that the loopback server plays: the server's frames in their order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from .._core import ClientAudioMessage, Decoder
from ..errors import DecodeError
from ..recording import Entry
from .recorded import Frame, read_frames

if TYPE_CHECKING:
    from ..sockets import Catalogue
    from .call import Call

__all__ = ["Replay"]


class Replay:
    """The frames of a server of another socket.

    If the recording shows that the client spoke, the frames after its first message wait for the client's first message.
    Nothing else that a client says changes what is sent.

    Args:
        frames: As for LoopbackServer.
        catalogue: That of the socket.

    Raises:
        ValueError: The recording has no frames of the server, or one that no client could decode.
    """

    def __init__(self, frames: Iterable[Frame], catalogue: Catalogue[Any, Any]) -> None:
        every = list(frames)
        self.catalogue = catalogue
        self._frames, _ = read_frames(every, Decoder(dtype="uint8", catalogue=catalogue))
        ways = [one.direction for one in every if isinstance(one, Entry)]
        self._first = ways.index("sent") if "sent" in ways else len(self._frames)  # how many frames the client does not wait for

    async def run(self, ws: ServerConnection, call: Call, pace: float | None, keep: Callable[[bytes], None]) -> None:
        """Talks to one client until the connection ends: all is sent, then the server closes. Raises ConnectionClosed then.

        Args:
            ws: The connection.
            call: What is kept of it.
            pace: As for LoopbackServer.
            keep: Called with each message of the client that is no audio.
        """
        hearing = Decoder(side="client", catalogue=self.catalogue, session=call.formats)
        spoken = asyncio.Event()
        sending = asyncio.create_task(self._send(ws, call, pace, spoken))
        try:
            while True:
                text = await ws.recv(decode=False)
                call.keep("sent", text)
                with contextlib.suppress(DecodeError):
                    message = hearing.decode(text)
                    call.conversation.follow(message, call.seconds)
                    if not (isinstance(message, ClientAudioMessage) and len(message.pcm)):
                        keep(text)
                spoken.set()
        finally:
            sending.cancel()

    async def _send(self, ws: ServerConnection, call: Call, pace: float | None, spoken: asyncio.Event) -> None:
        follower = Decoder(catalogue=self.catalogue, session=call.formats)
        clock = asyncio.get_running_loop().time
        begun, played, first = clock(), 0.0, None
        with contextlib.suppress(ConnectionClosed):
            for number, frame in enumerate(self._frames):
                if number == self._first:
                    await spoken.wait()
                    begun, played, first = clock(), 0.0, frame.time
                first = frame.time if first is None else first
                if pace:
                    due = played if frame.time is None or first is None else frame.time - first
                    await asyncio.sleep(begun + due / pace - clock())
                call.keep("received", frame.text)
                call.conversation.follow(follower.decode(frame.text), call.seconds)
                await ws.send(frame.text)
                played += frame.seconds
            await ws.close()
