"""A loopback Realtime server that rehearses a conversation: for tests, examples and trying out a client.

    async with LoopbackServer() as server:
        async with websockets.connect(server.url) as ws: ...

A recording is split at its responses. Each `response.create`, and each turn that the client speaks, takes the next one. The
response after a tool call waits for the tool's output. When there are no more, responses are empty. `says`, `calls`, `fails` and
`user_says` write a script instead.

| a client sends | the server |
|---|---|
| session.update | merges the changes and answers session.updated; converts its audio to pcm16 of another rate, mu-law or A-law |
| input_audio_buffer.append | finds speech and silence in it: speech interrupts an answer, silence after it ends the turn |
| input_audio_buffer.commit | makes an item of it, if it is 100 ms or longer |
| conversation.item.create, .retrieve, .delete | keeps the conversation: ids, order, content |
| conversation.item.truncate | answers conversation.item.truncated, and holds that much; an error where the item has less |
| response.create | one response at a time; more at once if they are outside of the conversation |
| response.cancel | ends what is open as incomplete, then sends response.done with the status "cancelled" |
| input_audio_buffer.clear, output_audio_buffer.clear | answers .cleared |
| anything else | answers an error |

An error has the code that OpenAI's server gives for it, as far as it is publicly known. Unless `strict` is False, parameters that
OpenAI's server does not know are errors, too.

`interrupt` has the user interrupt the first answer: when that much of it was sent, the user speaks for a second. The server
cancels the response, writes down what was said, and answers it. With turn_detection off it does not listen, so nothing happens.

The owner of the server can ask for misbehaviour (`FAULTS`), and so can a client, in the query of its URL:
`?fault=close_1011@3&pace=1&autoplay=1&interrupt=1.2`. A query that cannot be understood is refused with 400.
`?intent=transcription` begins a session that only writes down what it hears.

No recorded frame shows the following, so these are assumptions:

- which messages a cancelled or failed response sends, and in which order (`Progress.endings`)
- some errors of a truncate (`KeptConversation.why_not_truncate`)
- output_audio_buffer.clear is answered over a WebSocket, as OpenAI does over WebRTC and SIP, and does not end the response
- how loud speech is (`Microphone`)
- if the previous answer goes on while the user speaks, the next one begins after it

Any web page in a browser on this machine can try to connect, and could then read the recording. So the server checks Origin and
refuses pages of other sites, and it refuses requests whose Host is not this machine. Clients are untrusted: a bad message gets an
error event, and everything that the server keeps is bounded (`MAX_*`). The server stops within two seconds: it closes each
connection, and cuts off clients that do not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import ssl as tls
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from .. import sample
from ..conversation import Item
from ..sockets import Socket, catalogue_of
from .audio import AnyAudio
from .call import Call
from .connection import Connection, Manners, Owner
from .faults import Fault, Wishes
from .handshake import LOOPBACK_HOSTS, LOOPBACK_ORIGINS, Doors, PlainRequest
from .held import HeldItem, KeptConversation
from .recorded import Frame
from .replay import Replay
from .script import Script
from .tls import certificate_for_loopback

__all__ = ["LoopbackServer", "loopback"]

_log = logging.getLogger("realtime_pcm")
# websockets reports each refused handshake as an error with a traceback.
_silent = logging.getLogger("realtime_pcm.testing")
_silent.setLevel(logging.CRITICAL + 1)

MAX_MESSAGE = 16 * 1024 * 1024  # bytes of one client message; a longer one closes its connection with 1009
MAX_KEPT = 1_000  # client messages in LoopbackServer.received
MAX_KEPT_BYTES = 16 * 1024 * 1024  # bytes of JSON of these messages
MAX_CALLS = 8  # connections in LoopbackServer.recent_calls
CLOSING_SECONDS = 1.0  # for clients to answer the close when the server stops
ABORTING_SECONDS = 0.5  # for handlers to end after their connections were cut


class LoopbackServer:
    """Rehearses a conversation with every client on 127.0.0.1.

    Args:
        frames: A recorded session: frames; or, to keep its times, the entries of `read_recording` or pairs of seconds and a
            frame. By default the packaged sample.
        pace: Speed of the audio: 1.0 is real time, 2.0 twice as fast. None: as fast as the client reads.
        autoplay: Sends the whole recording as soon as a client connects, without waiting for its messages.
        faults: Faults of FAULTS, as Fault or as text ("close_1011@3").
        interrupt: The user interrupts the first answer after this many seconds. None: never.
        strict: Refuses what OpenAI's server refuses. Pass False for clients of other providers.
        key: The API key that clients must send. None: any key, or none.
        ssl: TLS with the certificate of an SSLContext. True makes a certificate, which needs trustme.
        port: The port to listen on. 0: any free port; see the attribute `port`.
        origins: The Origin headers to let in: strings, patterns, and None for clients that send no such header. By default
            programs and the pages of this machine (`LOOPBACK_ORIGINS`).
        hosts: The names in Host headers to let in, without a port. By default those of this machine (`LOOPBACK_HOSTS`).
        catalogue: Another socket whose frames these are, as in `read_recording`; that of a `Recording` is known. The server then
            sends all of its frames in their order, and closes. Frames after the client's first message wait for one.

    Attributes:
        connections: How many clients were let in.
        received: The messages of clients, without input audio: the last 1,000, together at most 16 MiB.
        received_dropped: How many older messages were dropped for this bound.
        certificate: With ssl=True, the authority that clients must trust, as PEM: `ssl.create_default_context(cadata=...)`.

    Raises:
        ValueError: The recording cannot be replayed, a fault is unknown, or interrupt is negative.

    Examples:
        >>> async with LoopbackServer(interrupt=1.2) as server:
        ...     await my_client(server.url)
    """

    def __init__(
        self,
        frames: Iterable[Frame] | None = None,
        *,
        pace: float | None = None,
        autoplay: bool = False,
        faults: Sequence[Fault | str] = (),
        interrupt: float | None = None,
        strict: bool = True,
        key: str | None = None,
        ssl: tls.SSLContext | bool = False,
        port: int = 0,
        origins: Sequence[str | re.Pattern[str] | None] | None = None,
        hosts: Sequence[str] | None = None,
        catalogue: str | Socket[Any, Any] | None = None,
    ) -> None:
        self._sampled = frames is None
        chosen = catalogue_of(getattr(frames, "catalogue", None) if catalogue is None else catalogue)
        if chosen is not None and (frames is None or faults or interrupt is not None):
            raise ValueError(f"a recording of {chosen.name} is played as it is: give frames=, and neither faults= nor interrupt=")
        self._replay = None if chosen is None or frames is None else Replay(frames, chosen)
        self.script = Script.of(sample.lines() if frames is None or chosen is not None else frames)
        self.pace = pace
        self.autoplay = autoplay
        self.faults = [Fault.parse(fault) if isinstance(fault, str) else fault for fault in faults]
        if interrupt is not None and not interrupt >= 0:
            raise ValueError(f"interrupt is a number of seconds, 0 or more, not {interrupt}")
        self.interrupt = interrupt
        self.strict = strict
        self._doors = Doors(
            LOOPBACK_ORIGINS if origins is None else origins, LOOPBACK_HOSTS if hosts is None else hosts, self.faults, key, strict
        )
        self.certificate: str | None = None
        if ssl is True:
            ssl, self.certificate = certificate_for_loopback()
        self._ssl = ssl or None
        self.received_dropped = 0
        self.connections = 0
        self._calls: deque[Call] = deque()
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._told: set[str] = set()
        self._wanted_port = port
        self._server: Server | None = None
        self._transports: set[asyncio.Transport] = set()
        if not self.script.steps and not autoplay:
            self._tell_once("empty", "the recording has no responses: every answer will be empty")

    # ---- a script

    def says(self, text: str, *, audio: AnyAudio | None = None, rate: int | None = None, together: bool = False) -> Self:
        """The next response says this, as speech or text, whichever the client asked for.

        Args:
            text: The words.
            audio: The speech: a WAV file, an array of int16 or float32, or the seconds of a hum. None: a hum that lasts as long
                as saying the text.
            rate: The sample rate of an array; 24,000 by default.
            together: Puts it into the same response as the line before.

        Raises:
            ValueError: The audio cannot be used.
        """
        self._begin_script().says(text, audio, rate, together)
        return self

    def calls(
        self, name: str, arguments: Mapping[str, Any] | str | None = None, *, call_id: str | None = None, together: bool = False
    ) -> Self:
        """The next response calls a tool; the response after it waits for the output.

        Args:
            name: The tool's name.
            arguments: A dict, or JSON as text.
            call_id: The id of the call; by default a new one.
            together: Puts it into the same response as the line before.

        Raises:
            ValueError: The arguments are no JSON object, or another call has the call_id.
        """
        self._begin_script().calls(name, arguments, call_id, together)
        return self

    def fails(self, code: str, message: str | None = None) -> Self:
        """The next response fails with this code; with "max_output_tokens" or "content_filter" it is incomplete."""
        self._begin_script().fails(code, message)
        return self

    def user_says(self, text: str, *, after: float | None = None) -> Self:
        """The words of the client's next speech, for a session that transcribes it.

        Args:
            text: The words.
            after: The user interrupts the previous answer after this many seconds of it were sent. The client need not send
                audio.

        Raises:
            ValueError: The previous answer is not that long, or there is no answer between two lines of the user.
        """
        self._begin_script().user_says(text, after)
        return self

    def reads(self, text: str) -> Self:
        """Takes a script as text, one step per line: `user: ...`, `says: ...`, `calls: NAME {...}`, `fails: CODE`.

        Raises ValueError with the number of the first bad line.
        """
        self._begin_script().read(text)
        return self

    def _begin_script(self) -> Script:
        if self._replay is not None:
            raise ValueError(f"this server plays a recording of {self._replay.catalogue.name}: it cannot send a script")
        if self.autoplay:
            raise ValueError("autoplay sends a recording: it cannot send a script")
        self.script.begin(replace_steps=self._sampled)
        return self.script

    # ---- what a test asks

    @property
    def call(self) -> Call:
        """The newest connection. Raises RuntimeError if no client has connected."""
        if not self._calls:
            raise RuntimeError("no client has connected")
        return self._calls[-1]

    @property
    def session(self) -> dict[str, Any]:
        """The current session of the newest connection."""
        return self.call.session

    @property
    def conversation(self) -> KeptConversation:
        """The conversation of the newest connection: a `ConversationState` with its items in order."""
        return self.call.conversation

    @property
    def tool_outputs(self) -> list[str]:
        """The tool outputs of the newest connection, oldest first."""
        return list(self.conversation.tool_outputs)

    def heard_ms(self, item: str | HeldItem | Item | None = None) -> int:
        """How many milliseconds of an item the user has heard: everything that was sent, unless a truncate cut it.

        Args:
            item: The item or its id. None: the last one that the model spoke.

        Raises:
            KeyError: There is no such item.
        """
        wanted = item if item is None or isinstance(item, str) else item.item_id
        for held in reversed(self.call.items):
            if held.item_id == wanted or (wanted is None and held.role == "assistant" and held.sent_ms):
                return held.audio_ms
        raise KeyError(f"the conversation has no item {wanted}" if wanted else "the model has not spoken")

    @property
    def port(self) -> int:
        """The port of the server. Raises RuntimeError if it is not running."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        """The URL for WebSocket clients."""
        return f"ws{'s' if self._ssl else ''}://127.0.0.1:{self.port}/v1/realtime"

    @property
    def base_url(self) -> str:
        """The `base_url` for the openai SDK."""
        return f"http{'s' if self._ssl else ''}://127.0.0.1:{self.port}/v1"

    @property
    def recent_calls(self) -> list[Call]:
        """The last 8 connections, oldest first, each with its recording, conversation and session."""
        return list(self._calls)

    @property
    def received(self) -> list[dict[str, Any]]:
        """Messages from clients, oldest first. `received_dropped` counts those that are no longer kept."""
        return [json.loads(text) for text in tuple(self._kept)]

    def keep(self, text: bytes) -> None:
        """Keeps a message as text, because the parsed message could take many times the memory of its text."""
        self._kept.append(text)
        self._kept_bytes += len(text)
        while len(self._kept) > MAX_KEPT or self._kept_bytes > MAX_KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft())
            self.received_dropped += 1

    def _tell_once(self, key: str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            _log.warning("loopback server: %s", text)

    async def __aenter__(self) -> Self:
        transports, doors = self._transports, self._doors

        class Tracked(ServerConnection):
            """Known from its first byte on: websockets lists a connection only after the handshake. It knows GET only, too."""

            plain: PlainRequest | None = None
            begun = b""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                transports.add(cast("asyncio.Transport", transport))
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.discard(self.transport)
                super().connection_lost(exc)

            def data_received(self, data: bytes) -> None:
                if self.plain is None and self.begun is not None:
                    self.begun += data
                    if b"GET ".startswith(self.begun[:4]) and len(self.begun) < 4:
                        return
                    data, begun = self.begun, self.begun
                    self.begun = None  # type: ignore[assignment]
                    if not begun.startswith(b"GET "):
                        self.plain = PlainRequest()
                if self.plain is None:
                    super().data_received(data)
                elif not self.transport.is_closing() and self.plain.add(data):
                    self.transport.write(doors.answer(self.plain))
                    self.transport.close()

        self.script.recording.stopped = False
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self._wanted_port,
            create_connection=Tracked,
            compression=None,
            max_size=MAX_MESSAGE,
            max_queue=4,
            ping_interval=None,
            origins=cast("Sequence[Origin | re.Pattern[str] | None]", doors.origins),
            process_request=doors.admit,
            select_subprotocol=doors.choose,
            logger=_silent,
            ssl=self._ssl,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Closes each connection with 1001, and cuts off a client that has not answered after a second."""
        server, self._server = self._server, None
        if server is None:
            return
        self.script.recording.stopped = True
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

    async def _handle(self, ws: ServerConnection) -> None:
        self.connections += 1
        call = Call(None if self._replay is None else self._replay.catalogue)
        self._calls.append(call)
        while len(self._calls) > MAX_CALLS:
            self._calls.popleft().forget()
        wishes = Wishes.parse(ws.request.path if ws.request else "")
        # A client of the beta says so, and writes its session flat.
        beta = ws.request is not None and "realtime=v1" in (ws.request.headers.get("OpenAI-Beta") or "")
        manners = Manners(
            pace=self.pace if wishes.pace is None else wishes.pace or None,
            autoplay=self.autoplay or wishes.autoplay,
            faults=[*self.faults, *wishes.faults],
            interrupt=self.interrupt if wishes.interrupt is None else wishes.interrupt,
            strict=self.strict and not beta,
            transcribe=wishes.transcribe,
            session=self._doors.session_of(ws.request) if ws.request is not None else None,
        )
        try:
            if self._replay is not None:
                await self._replay.run(ws, call, manners.pace, self.keep)
            else:
                await Connection(self.script, manners, ws, call, Owner(self.keep, self._tell_once), self.connections).run()
        except ConnectionClosed:
            pass
        except Exception:
            _log.exception("loopback server: a connection failed")
            raise


@contextlib.contextmanager
def loopback(frames: Iterable[Frame] | None = None, **options: Any) -> Iterator[LoopbackServer]:
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
