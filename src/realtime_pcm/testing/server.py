"""A loopback Realtime server that replays a recorded session: for tests, examples and trying out a client.

    async with LoopbackServer() as server:
        async with websockets.connect(server.url) as ws: ...

When a client connects, the server sends the frames that the recording has before `session.updated`. It replays the rest of the
recording at each `response.create` and, unless the session has `turn_detection: null`, at each `input_audio_buffer.commit` and
whenever half a second of input audio has come in, as with a voice-activity detector. The first replay on a connection is byte
for byte what was recorded, as long as the client keeps the recorded format; later ones have response and item ids of their own.

| a client sends | the server |
|---|---|
| session.update | merges the changes and answers session.updated; converts its audio to pcm16 of another rate, mu-law or A-law |
| conversation.item.truncate | answers conversation.item.truncated, and holds that much; an error where the item has less |
| response.cancel | ends what is open as incomplete, then sends response.done with the status "cancelled" |
| response.create in the middle of an answer | answers an error |
| conversation.item.create, .delete | answers .added and .done, or .deleted |
| input_audio_buffer.clear, output_audio_buffer.clear | answers .cleared |
| input_audio_buffer.commit | answers .committed where the session has `turn_detection: null` |
| anything else | answers an error |

`interrupt` has the user interrupt the first answer: when that much of it was sent, the server sends
input_audio_buffer.speech_started and, unless the session's turn_detection has `interrupt_response: false`, cancels the response
as "turn_detected".

Assumptions, because no recorded frame shows them: what a cancelled response sends, and in which order (`Held.cancellation`); the
errors of a truncate (`Held.truncate`) and of a delete; that output_audio_buffer.clear is answered over a WebSocket at all, which
OpenAI does over WebRTC and SIP, and that it does not end the response; that half a second of any audio is speech. The texts of
the errors of response.create and response.cancel are those of public reports.

The owner of the server can ask for misbehaviour (`FAULTS`), and so can a client, in the query of its URL:
`?fault=close_1011@3&pace=1&autoplay=1&interrupt=1.2`.

Any web page in a browser of this machine can try to connect, and could then read the recording. So the server refuses pages
of other sites, by the Origin that a browser sends, and requests whose Host is not this machine. Messages of clients are
untrusted: one that cannot be read is answered with an error event, and all that the server keeps has a bound (`MAX_*`). The
server stops within two seconds: it closes each connection, and cuts off the clients that do not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Origin

from .. import sample
from .call import Call
from .connection import Connection, Manners
from .faults import Fault, Wishes
from .script import Script

__all__ = ["LOOPBACK_HOSTS", "LOOPBACK_ORIGINS", "LoopbackServer", "loopback"]

# Who may connect, unless the owner of the server names others: programs, which send no Origin, and pages of this machine.
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
LOOPBACK_ORIGINS = (None, re.compile(rf"https?://({'|'.join(map(re.escape, LOOPBACK_HOSTS))})(:\d+)?"))

MAX_MESSAGE = 16 * 1024 * 1024  # bytes of one client message; a longer one closes its connection with 1009
MAX_KEPT = 1_000  # client messages in LoopbackServer.received
MAX_KEPT_BYTES = 16 * 1024 * 1024  # bytes of JSON of these messages
MAX_CALLS = 8  # connections in LoopbackServer.calls
CLOSING_SECONDS = 1.0  # for clients to answer the close when the server stops
ABORTING_SECONDS = 0.5  # for handlers to end after their connections were cut


class LoopbackServer:
    """Replays `frames` to every client on 127.0.0.1.

    frames: a recorded session, one frame an entry; the packaged sample where none are given.
    pace: None: as fast as the client reads. 1.0: in the time that the audio takes to play; 2.0: twice as fast.
    autoplay: send the whole recording as soon as a client connects, without waiting for its messages.
    faults: of FAULTS, as Fault or as text ("close_1011@3").
    interrupt: the seconds of the first answer after which the user interrupts it; None: never.
    port: to listen at; 0: any free port, which `port` then tells.
    origins: the Origin headers to let in: strings, patterns, and None for clients that send no such header. By default programs
        and the pages of this machine (`LOOPBACK_ORIGINS`).
    hosts: the names in Host headers to let in, without a port. By default those of this machine (`LOOPBACK_HOSTS`).

    calls: the last 8 connections, oldest first: what both sides said, and what the server holds.
    connections: how many clients were let in.
    received: the messages of clients, without input audio: the last 1,000 of them, together at most 16 MiB.
    received_dropped: how many older messages were dropped for this bound.
    Raises ValueError for a recording that cannot be replayed, an unknown fault, and a negative interrupt.
    """

    def __init__(
        self,
        frames: Iterable[bytes | str] | None = None,
        *,
        pace: float | None = None,
        autoplay: bool = False,
        faults: Sequence[Fault | str] = (),
        interrupt: float | None = None,
        port: int = 0,
        origins: Sequence[str | re.Pattern[str] | None] | None = None,
        hosts: Sequence[str] | None = None,
    ) -> None:
        self.script = Script(sample.lines() if frames is None else frames)
        self.pace = pace
        self.autoplay = autoplay
        self.faults = [Fault.parse(fault) if isinstance(fault, str) else fault for fault in faults]
        if interrupt is not None and not interrupt >= 0:
            raise ValueError(f"interrupt is a number of seconds, 0 or more, not {interrupt}")
        self.interrupt = interrupt
        self.origins = LOOPBACK_ORIGINS if origins is None else tuple(origins)
        self.hosts = frozenset(LOOPBACK_HOSTS if hosts is None else map(str.lower, hosts))
        self.received_dropped = 0
        self.connections = 0
        self._calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._wanted_port = port
        self._server: Server | None = None
        self._transports: set[asyncio.Transport] = set()

    @property
    def port(self) -> int:
        """The port that it listens on; RuntimeError where it is not running."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        """What a WebSocket client connects to."""
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    @property
    def base_url(self) -> str:
        """What the openai SDK takes as base_url."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def calls(self) -> list[Call]:
        """The last 8 connections, oldest first."""
        return list(self._calls)

    @property
    def received(self) -> list[dict[str, Any]]:
        """What clients have sent, oldest first; `received_dropped` counts what is no longer kept."""
        return [json.loads(text) for text in tuple(self._kept)]

    def keep(self, text: bytes) -> None:
        """Keeps a message as text, because the parsed message could take many times the memory of its text."""
        self._kept.append(text)
        self._kept_bytes += len(text)
        while len(self._kept) > MAX_KEPT or self._kept_bytes > MAX_KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft())
            self.received_dropped += 1

    async def __aenter__(self) -> Self:
        transports = self._transports

        class Tracked(ServerConnection):
            """Known from its first byte on: websockets lists a connection only after the handshake."""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                transports.add(cast("asyncio.Transport", transport))
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.discard(self.transport)
                super().connection_lost(exc)

        self.script.stopped = False
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self._wanted_port,
            create_connection=Tracked,
            compression=None,
            max_size=MAX_MESSAGE,
            max_queue=4,
            ping_interval=None,
            origins=cast("Sequence[Origin | re.Pattern[str] | None]", self.origins),
            process_request=self._admit,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Closes each connection with 1001, and cuts off a client that has not answered after a second."""
        server, self._server = self._server, None
        if server is None:
            return
        self.script.stopped = True
        server.close()
        closed = asyncio.create_task(server.wait_closed())
        try:
            await asyncio.wait([closed], timeout=CLOSING_SECONDS)
        finally:  # a second Ctrl-C cancels the wait
            for transport in self._transports:
                transport.abort()
        await asyncio.wait([closed], timeout=ABORTING_SECONDS)

    async def serve_forever(self) -> None:
        """Serves until the task that waits here is cancelled."""
        assert self._server is not None
        # Not Server.serve_forever: when it is cancelled, it waits until all clients have gone.
        await self._server.wait_closed()

    def _admit(self, ws: ServerConnection, request: Request) -> Response | None:
        """The answer that refuses a request; None for a request that may go on. `serve` checks its Origin next."""
        hosts = request.headers.get_all("Host")
        # A page can have its own host name resolve to 127.0.0.1. The request then still has that name as its Host.
        if len(hosts) != 1 or re.sub(r":\d*$", "", hosts[0]).lower() not in self.hosts:
            return ws.respond(403, "This server answers requests whose Host is this machine.\n")
        try:
            Wishes.parse(request.path)
        except ValueError as error:
            return ws.respond(400, f"{error}\n")
        return None

    async def _handle(self, ws: ServerConnection) -> None:
        self.connections += 1
        call = Call()
        self._calls.append(call)
        wishes = Wishes.parse(ws.request.path if ws.request else "")
        manners = Manners(
            pace=self.pace if wishes.pace is None else wishes.pace,
            autoplay=self.autoplay or wishes.autoplay,
            faults=[*self.faults, *wishes.faults],
            interrupt=self.interrupt if wishes.interrupt is None else wishes.interrupt,
        )
        with contextlib.suppress(ConnectionClosed):
            await Connection(self.script, manners, ws, call, self.keep).run()


@contextlib.contextmanager
def loopback(frames: Iterable[bytes | str] | None = None, **options: Any) -> Iterator[LoopbackServer]:
    """A LoopbackServer in a thread of its own, for sync clients. `options` are those of LoopbackServer."""
    server = LoopbackServer(frames, **options)
    ready: threading.Event = threading.Event()
    failure: list[BaseException] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with server:
            ready.set()
            await stop.wait()

    def target() -> None:
        try:
            loop.run_until_complete(run())
        except BaseException as error:
            failure.append(error)
        finally:
            loop.close()
            ready.set()

    thread = threading.Thread(target=target, name="loopback-server", daemon=True)
    thread.start()
    ready.wait()
    if failure:
        raise failure[0]
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
