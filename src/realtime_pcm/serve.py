"""A loopback Realtime server that replays a recorded session: for examples, tests and trying out a client.

    async with LoopbackServer(frames) as server:
        async with websockets.connect(server.url) as ws: ...

When a client connects, the server sends the frames that the recording has before `session.updated`. It answers
`session.update` by merging the client's changes into the session (audio/pcmu is the one format it converts to). It replays
the rest of the recording at each `response.create` and `input_audio_buffer.commit`, and whenever half a second of input audio
has come in, as with a voice-activity detector.

The owner of the server can ask for misbehaviour (`FAULTS`), and so can a client, in the query of its URL:
`?fault=close_1011@3&pace=1&autoplay=1`.

Any web page in a browser of this machine can try to connect, and could then read the recording. So the server refuses pages
of other sites, by the Origin that a browser sends, and requests whose Host is not this machine. Messages of clients are
untrusted: one that cannot be read is answered with an error event, and all that the server keeps has a bound (`MAX_*`).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self, cast
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Origin

from ._core import decode
from .errors import DecodeError
from .terminal import shown_name

__all__ = ["FAULTS", "LOOPBACK_HOSTS", "LOOPBACK_ORIGINS", "Fault", "LoopbackServer", "loopback"]

# Who may connect, unless the owner of the server names others: programs, which send no Origin, and pages of this machine.
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
LOOPBACK_ORIGINS = (None, re.compile(rf"https?://({'|'.join(map(re.escape, LOOPBACK_HOSTS))})(:\d+)?"))

MAX_MESSAGE = 16 * 1024 * 1024  # bytes of one client message; a longer one closes its connection with 1009
MAX_SESSION = 1024 * 1024  # characters of JSON of the session after a client's session.update
MAX_KEPT = 1_000  # client messages in LoopbackServer.received
MAX_KEPT_BYTES = 16 * 1024 * 1024  # bytes of JSON of these messages

AUDIO_TYPES = ("response.output_audio.delta", "response.audio.delta")

# A fault happens before the audio delta whose number it names. All of the recording is sent, unless the connection ends.
FAULTS = {
    "unknown_type": "a message of a type nobody has heard of",
    "bad_base64": "an audio delta that is not base64",
    "null_delta": "an audio delta whose payload is null",
    "error_event": "an error event",
    "late": "a pause of 300 ms",
    "duplicate": "the audio delta twice",
    "interleaved": "from here on, every audio delta also for a second response",
    "binary": "from here on, messages as binary frames",
    "close_1001": "the server goes away",
    "close_1009": "the server calls a message too big",
    "close_1011": "the server fails",
    "cut": "the TCP connection is cut without a close frame",
}


class Fault(NamedTuple):
    """The fault `kind` of FAULTS, before the audio delta number `at`, counted from 0."""

    kind: str
    at: int = 2

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`close_1011`, or `close_1011@5`."""
        kind, separator, at = text.partition("@")
        if kind not in FAULTS:
            raise ValueError(f"unknown fault {shown_name(repr(kind))}: known are {', '.join(FAULTS)}")
        if separator and not (at.isdecimal() and len(at) < 10):
            raise ValueError(f"fault {kind!r}: after the @ comes the number of an audio delta, from 0")
        return cls(kind, int(at)) if separator else cls(kind)


class Wishes(NamedTuple):
    """What the query of a client's URL asks for. pace: None where the query has none."""

    faults: list[Fault]
    pace: float | None
    autoplay: bool

    @classmethod
    def parse(cls, url: str) -> Wishes:
        """Raises ValueError for an unknown fault and for a pace that is not a number of 0 or more."""
        query = parse_qs(urlsplit(url).query)
        pace = None
        if "pace" in query:
            try:
                pace = float(query["pace"][0])
            except ValueError:
                pace = -1.0
            if not pace >= 0:
                raise ValueError("pace is a number, 0 or more")
        return cls([*map(Fault.parse, query.get("fault", []))], pace, query.get("autoplay") == ["1"])


class Recorded(NamedTuple):
    """A frame of the recording, its type and the length of its audio."""

    text: str
    type: str
    seconds: float  # of audio


def _dump(event: object) -> str:
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _session_of(text: str) -> dict[str, Any]:
    session = json.loads(text).get("session")
    return session if isinstance(session, dict) else {}


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        # A format is replaced as a whole: the rate of the old format says nothing about the new one.
        if isinstance(old, dict) and isinstance(value, dict) and key != "format":
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _output_format(session: dict[str, Any]) -> dict[str, Any]:
    """The output format of a session, as an object in the form of GA."""
    found: Any = session
    for key in ("audio", "output", "format"):
        found = found.get(key) if isinstance(found, dict) else None
    if isinstance(found, dict) and isinstance(found.get("type"), str):
        return dict(found)
    flat = session.get("output_audio_format")
    name = {"g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}.get(flat) if isinstance(flat, str) else None
    return {"type": name} if name else {"type": "audio/pcm", "rate": 24_000}


def _to_mulaw(pcm: bytes) -> bytes:
    """Turns int16 at 24 kHz into G.711 mu-law at 8 kHz. Each sample is the mean of three: a better filter is not needed here."""
    import numpy as np

    samples = np.frombuffer(pcm[: len(pcm) // 6 * 6], "<i2").reshape(-1, 3).mean(axis=1).astype(np.int32)
    magnitude = np.minimum(np.abs(samples), 32_635) + 132
    exponent = np.log2(magnitude).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def _read(frames: Iterable[bytes | str]) -> list[Recorded]:
    """Reads a recording. Raises ValueError where it holds no frames, or a frame that no client could decode."""
    recording = []
    for number, frame in enumerate(frames, 1):
        raw = frame if isinstance(frame, str) else bytes(frame)
        if not raw.strip():
            continue
        try:
            kind = decode(raw, dtype="uint8").type
            text = raw if isinstance(raw, str) else raw.decode()
            event = json.loads(text)
        except DecodeError as error:
            raise ValueError(f"frame {number} of the recording: {error}") from error
        except RecursionError:
            raise ValueError(f"frame {number} of the recording is nested too deeply to be replayed") from None
        seconds = 0.0
        if kind in AUDIO_TYPES and isinstance(event.get("delta"), str):
            seconds = len(base64.b64decode(event["delta"])) / 48_000
        recording.append(Recorded(text.strip(), kind, seconds))
    if not recording:
        raise ValueError("the recording holds no frames")
    return recording


class LoopbackServer:
    """Replays `frames` to every client on 127.0.0.1.

    pace: None: as fast as the client reads. 1.0: in the time that the audio takes to play; 2.0: twice as fast.
    autoplay: send the whole recording as soon as a client connects, without waiting for its messages.
    faults: of FAULTS, as Fault or as text ("close_1011@3").
    port: to listen at; 0: any free port, which `port` then tells.
    origins: the Origin headers to let in: strings, patterns, and None for clients that send no such header. By default programs
        and the pages of this machine (`LOOPBACK_ORIGINS`).
    hosts: the names in Host headers to let in, without a port. By default those of this machine (`LOOPBACK_HOSTS`).

    received: the messages of clients, without input audio: the last 1,000 of them, together at most 16 MiB.
    received_dropped: how many older messages were dropped for this bound.
    Raises ValueError for a recording that cannot be replayed and for an unknown fault.
    """

    def __init__(
        self,
        frames: Iterable[bytes | str],
        *,
        pace: float | None = None,
        autoplay: bool = False,
        faults: Sequence[Fault | str] = (),
        port: int = 0,
        origins: Sequence[str | re.Pattern[str] | None] | None = None,
        hosts: Sequence[str] | None = None,
    ) -> None:
        recording = _read(frames)
        types = [frame.type for frame in recording]
        greeting = types.index("session.updated") if "session.updated" in types else 1
        self.greeting = recording[:greeting]
        self.updated = recording[greeting] if types[greeting : greeting + 1] == ["session.updated"] else None
        self.turn = recording[greeting + (self.updated is not None) :]
        self.pace = pace
        self.autoplay = autoplay
        self.faults = [Fault.parse(fault) if isinstance(fault, str) else fault for fault in faults]
        self.origins = LOOPBACK_ORIGINS if origins is None else tuple(origins)
        self.hosts = frozenset(LOOPBACK_HOSTS if hosts is None else map(str.lower, hosts))
        self.received_dropped = 0
        self.connections = 0
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._wanted_port = port
        self._server: Server | None = None

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
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self._wanted_port,
            compression=None,
            max_size=MAX_MESSAGE,
            max_queue=4,
            ping_interval=None,
            origins=cast("Sequence[Origin | re.Pattern[str] | None]", self.origins),
            process_request=self._admit,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()

    async def serve_forever(self) -> None:
        """Serves until the task that waits here is cancelled."""
        assert self._server is not None
        await self._server.serve_forever()

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
        with contextlib.suppress(ConnectionClosed):
            await _Client(self, ws).run()


class _Client:
    """One connection: its session, and the turn that is being replayed to it."""

    def __init__(self, server: LoopbackServer, ws: ServerConnection) -> None:
        self.server = server
        self.ws = ws
        wishes = Wishes.parse(ws.request.path if ws.request else "")
        self.faults = [*server.faults, *wishes.faults]
        self.pace = server.pace if wishes.pace is None else wishes.pace
        self.autoplay = server.autoplay or wishes.autoplay
        self.binary = self.interleaved = False
        self.event_number = 0
        self.input_seconds = 0.0
        self.playing: asyncio.Task[None] | None = None
        self.session = _session_of((server.updated or server.greeting[0]).text)
        self.format = _output_format(self.session)
        self.recorded_format = self.format

    async def run(self) -> None:
        for frame in self.server.greeting:
            await self.send(frame.text)
        if self.autoplay:
            self.playing = asyncio.create_task(self.play_it_all())
        try:
            while True:
                text = await self.ws.recv(decode=False)
                if not self.autoplay:
                    await self.answer(text)
        finally:
            if self.playing is not None:
                self.playing.cancel()

    async def send(self, text: str) -> None:
        await self.ws.send(text.encode() if self.binary else text)

    async def emit(self, type_: str, **fields: Any) -> None:
        self.event_number += 1
        text = _dump({"type": type_, "event_id": f"event_loopback{self.event_number:013d}", **fields})
        # A client may have sent an escaped lone surrogate, which UTF-8 cannot hold: it is sent back escaped, too.
        await self.send(text.encode("utf-8", "backslashreplace").decode())

    async def fail(self, code: str, message: str, event_id: str | None = None) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": None}
        await self.emit("error", error={**error, "event_id": event_id})

    async def answer(self, text: bytes) -> None:
        try:
            event = json.loads(str(text, "utf-8"))
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                raise ValueError("no object with a type")
        except (ValueError, RecursionError):
            return await self.fail("invalid_json", "a client message is a JSON object with a string as its type")
        try:
            await self.follow(event, text)
        except (ValueError, RecursionError):
            await self.fail("invalid_value", "the message holds what JSON cannot say, or is nested too deeply")

    async def follow(self, event: dict[str, Any], text: bytes) -> None:
        kind = event["type"]
        if kind == "input_audio_buffer.append":
            rate = 48_000 if self.format["type"] == "audio/pcm" else 8_000
            audio = event.get("audio")
            self.input_seconds += (len(audio) if isinstance(audio, str) else 0) * 3 / 4 / rate
            if self.input_seconds >= 0.5:
                self.start()
            return
        self.server.keep(text)
        if kind == "session.update":
            await self.update(event)
        elif kind in ("response.create", "input_audio_buffer.commit"):
            self.start()
        elif kind == "response.cancel":
            if self.playing is not None:
                self.playing.cancel()
        elif kind == "conversation.item.create":
            for name in ("conversation.item.added", "conversation.item.done"):
                await self.emit(name, previous_item_id=event.get("previous_item_id"), item=event.get("item"))
        elif kind in ("input_audio_buffer.clear", "conversation.item.truncate"):
            pass
        else:
            await self.fail("unknown_event", f"the loopback server knows no {shown_name(repr(kind))}", event.get("event_id"))

    async def update(self, event: dict[str, Any]) -> None:
        changes = event.get("session") or {}
        if not isinstance(changes, dict):
            await self.fail("invalid_value", "session is a JSON object", event.get("event_id"))
            return
        session = _merge(self.session, changes)
        if len(_dump(session)) > MAX_SESSION:
            await self.fail("invalid_value", f"a session has at most {MAX_SESSION} characters", event.get("event_id"))
            return
        format_ = _output_format(session)
        if format_ != self.recorded_format and format_["type"] != "audio/pcmu":
            message = f"the loopback server cannot send {shown_name(format_['type'])}"
            await self.fail("invalid_value", message, event.get("event_id"))
            return
        self.session, self.format = session, format_
        await self.emit("session.updated", session=session)

    def start(self) -> None:
        self.input_seconds = 0.0
        if self.playing is None or self.playing.done():
            self.playing = asyncio.create_task(self.play())

    async def play_it_all(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            if self.server.updated is not None:
                await self.send(self.server.updated.text)
            await self.play()
            await self.ws.close()

    async def play(self) -> None:
        """Sends the recorded turn, each delta at the time at which its audio begins to play."""
        with contextlib.suppress(ConnectionClosed):
            begun = asyncio.get_running_loop().time()
            played, number = 0.0, 0
            for frame in self.server.turn:
                text = frame.text if self.format == self.recorded_format else self.convert(frame)
                if not frame.seconds:
                    await self.send(text)
                    continue
                if self.pace:
                    pause = begun + played / self.pace - asyncio.get_running_loop().time()
                    await asyncio.sleep(max(0.0, pause))
                for fault in self.faults:
                    if fault.at == number and not await self.misbehave(fault.kind, text):
                        return
                await self.send(text)
                if self.interleaved:
                    await self.send(self.twin(text))
                played, number = played + frame.seconds, number + 1

    async def misbehave(self, kind: str, delta: str) -> bool:
        """Does what the fault says. False where it has ended the connection."""
        event = json.loads(delta)
        if kind == "unknown_type":
            await self.emit("response.hologram.delta", delta="AAAA", nested={"deep": [1, None]})
        elif kind == "bad_base64":
            await self.send(_dump({**event, "delta": "AAA*" + event["delta"][4:]}))
        elif kind == "null_delta":
            await self.send(_dump({**event, "delta": None}))
        elif kind == "error_event":
            await self.fail("rate_limit_exceeded", "asked for by the client")
        elif kind == "late":
            await asyncio.sleep(0.3)
        elif kind == "duplicate":
            await self.send(delta)
        elif kind == "interleaved":
            self.interleaved = True
        elif kind == "binary":
            self.binary = True
        elif kind == "cut":
            self.ws.transport.abort()
            return False
        else:
            code = int(kind.removeprefix("close_"))
            await self.ws.close(code, "asked for by the client")
            return False
        return True

    @staticmethod
    def twin(delta: str) -> str:
        """The same delta once more, for a second response."""
        event = json.loads(delta)
        return _dump({**event, "response_id": "resp_loopback2", "item_id": "item_loopback2"})

    def convert(self, frame: Recorded) -> str:
        """The frame with its audio in the format that the client asked for, and with the name of that format."""
        if frame.seconds:
            event = json.loads(frame.text)
            pcm = base64.b64decode(event["delta"])
            return _dump({**event, "delta": base64.b64encode(_to_mulaw(pcm)).decode()})
        if frame.type in ("response.created", "response.done"):
            event = json.loads(frame.text)
            with contextlib.suppress(KeyError, TypeError):
                event["response"]["audio"]["output"]["format"] = self.format
            return _dump(event)
        return frame.text


@contextlib.contextmanager
def loopback(frames: Iterable[bytes | str], **options: Any) -> Iterator[LoopbackServer]:
    """A LoopbackServer in a thread of its own, for sync clients."""
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
