"""One connection of the loopback server: what it answers, and the turn that is being replayed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from .._core import ClientAudioMessage, Decoder
from ..audio import AudioFormat
from ..errors import DecodeError
from ..terminal import shown_name
from .audio import formats_of, why_not
from .call import Call
from .faults import Fault, bad_base64, null_delta, twin
from .script import Recorded, Script

__all__ = ["Connection", "Manners"]

MAX_SESSION = 1024 * 1024  # characters of JSON of the session after a client's session.update
MAX_DEPTH = 100  # levels of a client's message: whoever reads it later may have a deeper stack than the server
_ENOUGH = 0.5  # seconds of input audio that begin a turn
_APPENDS = (
    "input_audio_buffer.append",
    "session.input_audio_buffer.append",
    "session.input_audio.append",
    "input_audio.turn.append",
)
# The names of the formats of one direction: the key in `session.audio`, and the flat key of the beta.
_FLAT = {"input": "input_audio_format", "output": "output_audio_format"}


class Manners(NamedTuple):
    """How a server treats a connection; LoopbackServer says what each means."""

    pace: float | None
    autoplay: bool
    faults: Sequence[Fault]
    interrupt: float | None


def _dump(event: object) -> str:
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _at(holder: object, *keys: str) -> Any:
    for key in keys:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder


def _is_deep(event: dict[str, Any]) -> bool:
    """Whether parsed JSON has more than MAX_DEPTH levels."""
    level: list[Any] = [event]
    for _ in range(MAX_DEPTH):
        holders = (holder.values() if isinstance(holder, dict) else holder for holder in level)
        level = [inner for holder in holders for inner in holder if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


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


def _updated(session: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The session with a client's changes. Of the two ways to name a format, the one that the client used counts."""
    merged = _merge(session, changes)
    for direction, flat in _FLAT.items():
        nested = _at(merged, "audio", direction, "format")
        if flat in changes and nested is not None and _at(changes, "audio", direction, "format") is None:
            audio = {**merged["audio"], direction: {**merged["audio"][direction]}}
            del audio[direction]["format"]
            merged["audio"] = audio
    return merged


class Connection:
    """Talks to one client, until that client or a fault ends the connection."""

    def __init__(self, script: Script, manners: Manners, ws: ServerConnection, call: Call, keep: Callable[[bytes], None]) -> None:
        self.script = script
        self.ws = ws
        self.call = call
        self.keep = keep
        self.faults = manners.faults
        self.pace = manners.pace
        self.autoplay = manners.autoplay
        self.interrupt = manners.interrupt
        self.binary = self.interleaved = False
        self.event_number = 0
        self.heard_seconds = self.new_seconds = 0.0  # of input audio, in all and since the last turn began
        self.playing: asyncio.Task[None] | None = None
        self.replays = 0
        self.wake = asyncio.Event()
        self.reason: Literal["client_cancelled", "turn_detected"] | None = None
        self.finished = False  # the response.done of the turn that is being replayed was sent
        call.session = script.session
        self.format: AudioFormat = script.formats[1]
        self.follower = Decoder(session=call.formats)
        self.hearing = Decoder(side="client", session=call.formats)

    async def run(self) -> None:
        """Greets, and answers until the connection ends. Raises ConnectionClosed then."""
        for frame in self.script.greeting:
            await self.send(frame.text)
        # The session as a later session.updated would tell it.
        with contextlib.suppress(DecodeError):
            self.follower.decode(_dump({"type": "session.updated", "session": self.script.session}))
        if self.autoplay:
            self.playing = asyncio.create_task(self.play_it_all())
        try:
            while True:
                text = await self.ws.recv(decode=False)
                self.call.keep("sent", text)
                if not self.autoplay:
                    await self.answer(text)
        finally:
            if self.playing is not None:
                self.playing.cancel()

    # ---- sending

    async def send(self, text: str) -> None:
        """Sends a frame, keeps it, and follows what it says."""
        self.call.keep("received", text)
        with contextlib.suppress(DecodeError):  # a fault, or an odd frame of the recording: nobody can follow it
            self.call.held.follow(self.follower.decode(text))
        await self.ws.send(text.encode() if self.binary else text)

    async def emit(self, type_: str, **fields: Any) -> None:
        """Sends a message of the server's own."""
        self.event_number += 1
        text = _dump({"type": type_, "event_id": f"event_loopback{self.event_number:013d}", **fields})
        # A client may have sent an escaped lone surrogate, which UTF-8 cannot hold: it is sent back escaped, too.
        await self.send(text.encode("utf-8", "backslashreplace").decode())

    async def fail(self, code: str, message: str, event_id: object = None) -> None:
        """Sends an error event. event_id: of the message that the client sent."""
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": None}
        await self.emit("error", error={**error, "event_id": event_id})

    # ---- what a client asks for

    async def answer(self, text: bytes) -> None:
        """Answers a frame of the client, whatever is in it."""
        try:
            event = json.loads(str(text, "utf-8"))
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                raise ValueError("no object with a type")
            if _is_deep(event):
                raise RecursionError
        except RecursionError:
            await self.fail("invalid_json", f"a client message has at most {MAX_DEPTH} levels")
            return
        except ValueError:
            await self.fail("invalid_json", "a client message is a JSON object with a string as its type")
            return
        try:
            await self.follow(event, text)
        except ValueError:
            await self.fail("invalid_value", "the message holds what JSON cannot say")

    async def follow(self, event: dict[str, Any], text: bytes) -> None:
        """Does what a message asks for. Raises ValueError where the message cannot be sent back as JSON."""
        kind, event_id = event["type"], event.get("event_id")
        if kind in _APPENDS:
            await self.hear(text, event_id)
            return
        self.keep(text)
        held = self.call.held
        match kind:
            case "session.update":
                await self.update(event)
            case "response.create":
                if self.answering:
                    response_id = shown_name(str(held.response_id))
                    message = f"Conversation already has an active response in progress: {response_id}. "
                    message += "Wait until the response is finished before creating a new one."
                    await self.fail("conversation_already_has_active_response", message, event_id)
                    return
                self.start()
            case "input_audio_buffer.commit":
                if self.detects_turns:
                    self.start()
                else:
                    self.new_seconds = 0.0
                    await self.emit("input_audio_buffer.committed", previous_item_id=None, item_id="item_loopback_input")
            case "response.cancel":
                named = event.get("response_id")
                if not self.answering or (named is not None and named != held.response_id):
                    message = "Cancellation failed: no active response found"
                    await self.fail("response_cancel_not_active", message, event_id)
                    return
                self.cancel("client_cancelled")
            case "input_audio_buffer.clear":
                self.new_seconds = 0.0
                await self.emit("input_audio_buffer.cleared")
            case "output_audio_buffer.clear":
                await self.emit("output_audio_buffer.cleared", response_id=held.response_id)
            case "conversation.item.create":
                for name in ("conversation.item.added", "conversation.item.done"):
                    await self.emit(name, previous_item_id=event.get("previous_item_id"), item=event.get("item"))
            case "conversation.item.truncate":
                where = {name: event.get(name) for name in ("item_id", "content_index", "audio_end_ms")}
                refusal = held.truncate(**where)
                if refusal is not None:
                    await self.fail(*refusal, event_id)
                    return
                await self.emit("conversation.item.truncated", **where)
            case "conversation.item.delete":
                if not held.knows(event.get("item_id")):
                    await self.fail("invalid_value", "the item to delete does not exist", event_id)
                    return
                await self.emit("conversation.item.deleted", item_id=event["item_id"])
            case _:
                await self.fail("unknown_event", f"the loopback server knows no {shown_name(repr(kind))}", event_id)

    async def hear(self, text: bytes, event_id: object) -> None:
        """Takes input audio, and begins a turn where there is enough of it."""
        try:
            message = self.hearing.decode(text)
        except DecodeError as error:
            await self.fail("invalid_value", str(error), event_id)
            return
        if isinstance(message, ClientAudioMessage):
            audio = message.audio_format
            seconds = message.pcm.size / (audio.rate * audio.channels)
            self.heard_seconds += seconds
            self.new_seconds += seconds
        if self.new_seconds >= _ENOUGH and self.detects_turns:
            self.start()

    async def update(self, event: dict[str, Any]) -> None:
        """Answers a session.update."""
        changes = event.get("session") or {}
        if not isinstance(changes, dict):
            await self.fail("invalid_value", "session is a JSON object", event.get("event_id"))
            return
        session = _updated(self.call.session, changes)
        if len(_dump(session)) > MAX_SESSION:
            await self.fail("invalid_value", f"a session has at most {MAX_SESSION} characters", event.get("event_id"))
            return
        refused, audio_format = await self.accept(session)
        if refused is not None:
            await self.fail("invalid_value", refused, event.get("event_id"))
            return
        self.call.session, self.format = session, audio_format
        await self.emit("session.updated", session=session)

    async def accept(self, session: dict[str, Any]) -> tuple[str | None, AudioFormat]:
        """Why the server cannot serve a session, or None; and the format of the session's output."""
        recorded_input, recorded = self.script.formats
        heard, spoken = formats_of(session)
        for name, wanted, known in (("hear", heard, recorded_input), ("send", spoken, recorded)):
            reason = None if wanted == known else why_not(wanted)
            if reason is not None:
                return f"the loopback server cannot {name} {shown_name(wanted.encoding)} at {wanted.rate} Hz: it {reason}", spoken
        if spoken != recorded:
            try:
                await asyncio.to_thread(self.script.in_format, spoken)
            except ValueError as error:
                return f"the loopback server cannot convert its recording: {error}", spoken
        return None, spoken

    # ---- the turn

    @property
    def answering(self) -> bool:
        """Whether a response is under way, or about to begin."""
        return self.playing is not None and not self.playing.done() and not self.finished

    @property
    def detects_turns(self) -> bool:
        """False where the session has turn_detection: null. Then response.create alone begins an answer."""
        holder = _at(self.call.session, "audio", "input")
        holder = holder if isinstance(holder, dict) and "turn_detection" in holder else self.call.session
        return holder.get("turn_detection", "") is not None

    def start(self) -> None:
        """Begins the turn, unless one is under way."""
        self.new_seconds = 0.0
        if self.playing is None or self.playing.done():
            self.reason = None
            self.wake.clear()
            self.finished = False
            self.playing = asyncio.create_task(self.play())

    def cancel(self, reason: Literal["client_cancelled", "turn_detected"]) -> None:
        """Has the turn end before its next frame."""
        if self.reason is None:
            self.reason = reason
            self.wake.set()

    async def play_it_all(self) -> None:
        """Sends what autoplay promises: all of the recording, then the close."""
        with contextlib.suppress(ConnectionClosed):
            if self.script.updated is not None:
                await self.send(self.script.updated.text)
            await self.play()
            await self.ws.close()

    async def play(self) -> None:
        """Sends the recorded turn, each delta at the time at which its audio begins to play."""
        with contextlib.suppress(ConnectionClosed):
            frames = self.script.turn
            if self.format != self.script.formats[1]:
                frames = await asyncio.to_thread(self.script.in_format, self.format)
            self.replays += 1
            begun = asyncio.get_running_loop().time()
            played, number = 0.0, 0
            for frame in frames:
                if await self.ends_here(begun, played):
                    return
                text = self.script.again(self.with_format(frame), self.replays)
                if not frame.seconds:
                    await self.send(text)
                    self.finished = self.finished or frame.type == "response.done"
                    continue
                if self.pace:
                    await self.pause(begun + played / self.pace)
                    if await self.ends_here(begun, played):
                        return
                for fault in self.faults:
                    if fault.at == number and not await self.misbehave(fault.kind, text):
                        return
                await self.send(text)
                if self.interleaved:
                    await self.send(twin(text))
                played, number = played + frame.seconds, number + 1
            await self.ends_here(begun, played)

    async def pause(self, until: float) -> None:
        """Waits until a time of the loop's clock, or until the turn is cancelled."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), max(0.0, until - asyncio.get_running_loop().time()))

    async def ends_here(self, begun: float, played: float) -> bool:
        """Whether the turn ended before all of it was sent: because the client cancelled it, or by the scripted interruption."""
        if self.interrupt is not None and 0 < played >= self.interrupt and not self.finished:
            if self.pace:
                await self.pause(begun + self.interrupt / self.pace)
            self.interrupt = None  # once a connection: the answer after it can be heard to its end
            now = int(self.heard_seconds * 1000)
            await self.emit("input_audio_buffer.speech_started", audio_start_ms=now, item_id="item_loopback_speech")
            detection = _at(self.call.session, "audio", "input", "turn_detection") or self.call.session.get("turn_detection")
            if _at(detection, "interrupt_response") is not False:
                self.cancel("turn_detected")
        held = self.call.held
        # What was cancelled has to begin before it can end: a client waits for its response.done.
        if self.reason is None or self.finished or (held.response is None and self.script.creates_response):
            return False
        for kind, fields in held.cancellation(self.reason):
            if kind == "response.done":
                self.finished = True
            await self.emit(kind, **fields)
        return True

    def with_format(self, frame: Recorded) -> str:
        """The text of a frame; where the audio was converted, its response names the format that the client asked for."""
        if self.format == self.script.formats[1] or frame.type not in ("response.created", "response.done"):
            return frame.text
        event = json.loads(frame.text)
        nested = _at(self.call.session, "audio", "output", "format")
        with contextlib.suppress(KeyError, TypeError):
            response = event["response"]
            if "output_audio_format" in response or nested is None:
                response["output_audio_format"] = self.call.session.get("output_audio_format")
            if nested is None:
                response.get("audio", {}).get("output", {}).pop("format", None)
            else:
                response["audio"]["output"]["format"] = nested
        return _dump(event)

    async def misbehave(self, kind: str, delta: str) -> bool:
        """Does what the fault says. False where it has ended the connection."""
        match kind:
            case "unknown_type":
                await self.emit("response.hologram.delta", delta="AAAA", nested={"deep": [1, None]})
            case "bad_base64":
                await self.send(bad_base64(delta))
            case "null_delta":
                await self.send(null_delta(delta))
            case "error_event":
                await self.fail("rate_limit_exceeded", "asked for by the client")
            case "late":
                await asyncio.sleep(0.3)
            case "duplicate":
                await self.send(delta)
            case "interleaved":
                self.interleaved = True
            case "binary":
                self.binary = True
            case "cut":
                self.ws.transport.abort()
                return False
            case _:
                await self.ws.close(int(kind.removeprefix("close_")), "asked for by the client")
                return False
        return True
