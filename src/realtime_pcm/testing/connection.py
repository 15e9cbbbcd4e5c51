"""One connection of the loopback server: answers each message of its client."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from .._core import ClientAudioMessage, Decoder, role_of_message
from ..audio import AudioFormat
from ..conversation.rules import text_id
from ..errors import DecodeError
from ..terminal import shown_name
from .audio import formats_of, why_not
from .call import Call
from .endings import Progress
from .faults import Fault
from .held import Event, Refusal
from .misbehaviour import Misbehaviour
from .responses import Response, Responses
from .script import Script
from .session import at, modalities_of, text as text_of, transcription_session, updated
from .strict import why_not_item, why_not_response, why_not_session
from .user import Interruption, User

__all__ = ["Connection", "Manners"]

MAX_SESSION = 1024 * 1024  # characters of JSON of the session after a client's session.update
MAX_DEPTH = 100  # levels of a client's message: whoever reads it later may have a deeper stack than the server
_APPENDS = (
    "input_audio_buffer.append",
    "session.input_audio_buffer.append",
    "session.input_audio.append",
    "input_audio.turn.append",
)
_EVENTS = (
    "session.update",
    "transcription_session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.truncate",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)
_log = logging.getLogger("realtime_pcm")


class Manners(NamedTuple):
    """How a server treats a connection; see LoopbackServer. session: the one that the client's secret was made for."""

    pace: float | None
    autoplay: bool
    faults: Sequence[Fault]
    interrupt: float | None
    strict: bool
    transcribe: bool
    session: Event | None


class Owner(NamedTuple):
    """Callbacks from a connection to its server. keep: a message of the client. tell_once: a log message, by its key."""

    keep: Callable[[bytes], None]
    tell_once: Callable[[str, str], None]


def _is_deep(event: Event) -> bool:
    """Whether parsed JSON has more than MAX_DEPTH levels."""
    level: list[Any] = [event]
    for _ in range(MAX_DEPTH):
        holders = (holder.values() if isinstance(holder, dict) else holder for holder in level)
        level = [inner for holder in holders for inner in holder if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


class Connection:
    """Talks to one client until the client or a fault ends the connection. replay: the number of this connection, from 1."""

    def __init__(self, script: Script, manners: Manners, ws: ServerConnection, call: Call, owner: Owner, replay: int) -> None:
        self.script = script
        self.ws = ws
        self.call = call
        self.owner = owner
        self.replay = replay
        self.faults = manners.faults
        self.pace = manners.pace
        self.strict = manners.strict
        self._autoplay = manners.autoplay
        self._interrupt = manners.interrupt
        self.binary = self.interleaved = self.two_names = self.slow = False  # what faults have begun
        self.asked_modalities: list[str] | None = None  # by the client, for the session
        self.spoke = False  # audio of the model was sent
        self._events = itertools.count(1)
        self._numbers = itertools.count(1)
        self.conversation = call.conversation
        recording = script.recording
        session = recording.session
        if script.scripted:
            session = at(json.loads(recording.greeting[0].text), "session") or {}
        if manners.transcribe:
            session = transcription_session(session)
        self._greets_anew = manners.transcribe or manners.session is not None
        call.session = updated(session, manners.session) if manners.session is not None else session
        self.format: AudioFormat = recording.formats[1]
        self.conversation_id = f"conv_loopback{replay:08d}"
        self.follower = Decoder(session=call.formats)
        self.hearing = Decoder(side="client", session=call.formats)

    async def run(self) -> None:
        """Greets the client and answers until the connection ends, then raises ConnectionClosed."""
        self.responses = Responses(self)
        self.user = User(self)
        playing: asyncio.Task[None] | None = None
        try:
            await self._greet()
            if self._autoplay:
                playing = asyncio.create_task(self._play_it_all())
            while True:
                text = await self.ws.recv(decode=False)
                self.call.keep("sent", text)
                if not self._autoplay:
                    await self.answer(text)
        finally:
            self.user.stop()
            self.responses.stop()
            if playing is not None:
                playing.cancel()

    async def _greet(self) -> None:
        for frame in self.script.recording.greeting:
            text = frame.text if self.replay == 1 else self.script.recording.again(frame.text, self.replay)
            if self._greets_anew and frame.type == "session.created":
                text = text_of({**json.loads(text), "session": self.call.session})
            await self.send(text)
        # The session as a later session.updated would tell it.
        with contextlib.suppress(DecodeError):
            self.follower.decode(text_of({"type": "session.updated", "session": self.call.session}))

    # ---- what it is

    @property
    def answers(self) -> bool:
        """Whether the model answers. In a transcription session it does not."""
        return bool(self.call.session.get("type") != "transcription")

    @property
    def tells_speech(self) -> bool:
        """Whether the server reports the user's speech. GPT-Live and translations do not."""
        return self.script.recording.announces or self.script.scripted or not self.script.steps

    def ids(self, kind: str) -> str:
        """A new id for an "item", a "resp" or a "call"."""
        return f"{kind}_loopback{self.replay:05d}x{next(self._numbers):06d}"

    def tell_once(self, key: str, text: str) -> None:
        """Logs a message once per server."""
        self.owner.tell_once(key, text)

    def interruption_of(self, response: Response) -> Interruption | None:
        """When the user interrupts a response."""
        if response.next is None or response.outside:
            return None
        following = self.script.user_before(response.next)
        if following is not None and following.interrupts is not None:
            return Interruption(following.interrupts, following.user)
        if self._interrupt is None:
            return None
        after, self._interrupt = self._interrupt, None  # once a connection: the answer after it can be heard to its end
        return Interruption(after, following.user if following is not None else None)

    # ---- sending

    async def send(self, text: str, progress: Progress | None = None) -> None:
        """Sends a frame, records it and follows it. progress: that of its response."""
        self.call.keep("received", text)
        try:
            message = self.follower.decode(text)
        except DecodeError:  # a fault, or an odd frame of the recording: nobody can follow it
            pass
        else:
            self.conversation.follow(message, self.call.seconds)
            if progress is not None:
                progress.follow(message)
                self.spoke = self.spoke or role_of_message(message) == "audio"
        await self.ws.send(text.encode() if self.binary else text)

    async def send_half(self, text: str) -> None:
        """Sends the first half of a frame as an unfinished fragment."""
        self.ws.protocol.send_text(text.encode()[: len(text) // 2], fin=False)
        self.ws.transport.write(b"".join(self.ws.protocol.data_to_send()))

    def text_of(self, event: Event) -> str:
        """The text of the server's own message. Raises ValueError if it has something that JSON cannot express."""
        named = {"type": event["type"], "event_id": f"event_loopback{next(self._events):013d}", **event}
        # A client may have sent an escaped lone surrogate, which UTF-8 cannot hold: it is sent back escaped, too.
        return text_of(named).encode("utf-8", "backslashreplace").decode()

    async def emit(self, type_: str, **fields: Any) -> None:
        """Sends a message of the server's own."""
        await self.send(self.text_of({"type": type_, **fields}))

    async def fail(self, refusal: Refusal, event_id: object = None) -> None:
        """Sends an error event. event_id: that of the client's message."""
        error = {"type": "invalid_request_error", "code": refusal.code, "message": refusal.message, "param": refusal.param}
        await self.emit("error", error={**error, "event_id": event_id})

    def with_format(self, response: Event) -> Event:
        """The object of a response. If the audio was converted, it names the format that the client asked for."""
        if self.format == self.script.recording.formats[1]:
            return dict(response)
        made = json.loads(text_of(response))
        nested = at(self.call.session, "audio", "output", "format")
        with contextlib.suppress(AttributeError, KeyError, TypeError):
            if "output_audio_format" in made or nested is None:
                made["output_audio_format"] = self.call.session.get("output_audio_format")
            if nested is None:
                made.get("audio", {}).get("output", {}).pop("format", None)
            else:
                made["audio"]["output"]["format"] = nested
        return made  # type: ignore[no-any-return]

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
            await self.fail(Refusal("invalid_json", f"a client message has at most {MAX_DEPTH} levels"))
            return
        except ValueError:
            await self.fail(Refusal("invalid_json", "a client message is a JSON object with a string as its type"))
            return
        try:
            if event["type"] not in _APPENDS:
                self.owner.keep(text)
            refusal = await self._follow(event, text)
            if refusal is not None:
                await self.fail(refusal, event.get("event_id"))
        except ValueError:
            await self.fail(Refusal("invalid_value", "the message holds what JSON cannot say"))

    async def _follow(self, event: Event, text: bytes) -> Refusal | None:
        """Carries out a message, or returns why not. Raises ValueError if it cannot be sent back as JSON."""
        match event["type"]:
            case kind if kind in _APPENDS:
                return await self._hear(text)
            case "session.update" | "transcription_session.update":
                return await self._update(event)
            case "response.create":
                return self._create_response(event, text)
            case "response.cancel":
                refusal = self.responses.cancel(event.get("response_id"))
                if refusal is None:
                    self._note(text)
                return refusal
            case "input_audio_buffer.commit":
                refusal = await self.user.commit()
                if refusal is None:
                    self._note(text)
                return refusal
            case "input_audio_buffer.clear":
                self.user.clear()
                await self.emit("input_audio_buffer.cleared")
            case "output_audio_buffer.clear":
                await self.emit("output_audio_buffer.cleared", response_id=self.responses.last_id)
            case "conversation.item.create":
                return await self._create_item(event)
            case "conversation.item.retrieve" | "conversation.item.delete":
                return await self._find_item(event)
            case "conversation.item.truncate":
                where = {name: event.get(name) for name in ("item_id", "content_index", "audio_end_ms")}
                refusal = self.conversation.why_not_truncate(**where)
                if refusal is not None:
                    return refusal
                self.conversation.truncate(str(event["item_id"]))
                await self.emit("conversation.item.truncated", **where)
            case unknown:
                known = ", ".join(f"'{name}'" for name in _EVENTS)
                message = f"Invalid value: '{shown_name(unknown)}'. Supported values are: {known}."
                return Refusal("invalid_value", message, "type")
        return None

    def _note(self, text: bytes) -> None:
        """Lets the conversation follow a client's message that was carried out."""
        with contextlib.suppress(DecodeError):
            self.conversation.follow(self.hearing.decode(text), self.call.seconds)

    async def _hear(self, text: bytes) -> Refusal | None:
        """Takes input audio."""
        try:
            message = self.hearing.decode(text)
        except DecodeError as error:
            return Refusal("invalid_value", str(error), "audio")
        if isinstance(message, ClientAudioMessage):
            pcm = message.pcm
            if message.audio_format.channels > 1:
                pcm = pcm[:: message.audio_format.channels]
            await self.user.hear(pcm, message.audio_format.rate)
        return None

    async def _update(self, event: Event) -> Refusal | None:
        """Answers a session.update."""
        changes = event.get("session")
        if changes is None and self.strict:
            return Refusal("missing_required_parameter", "Missing required parameter: 'session'.", "session")
        changes = {} if changes is None else changes
        if not isinstance(changes, dict):
            return Refusal("invalid_type", "Invalid type for 'session': expected an object.", "session")
        if self.strict:
            refusal = why_not_session(changes, self.call.session, self.spoke)
            if refusal is not None:
                return refusal
        session = updated(self.call.session, changes)
        if len(text_of(session)) > MAX_SESSION:
            return Refusal("invalid_value", f"a session has at most {MAX_SESSION} characters")
        refused, audio_format = await self._accept(session)
        if refused is not None:
            return Refusal("invalid_value", refused)
        self.call.session, self.format = session, audio_format
        self.asked_modalities = modalities_of(changes) or self.asked_modalities
        await self.emit("session.updated", session=session)
        return None

    async def _accept(self, session: Event) -> tuple[str | None, AudioFormat]:
        """Why the server cannot serve a session, or None; and the format of the session's output."""
        recorded_input, recorded = self.script.recording.formats
        heard, spoken = formats_of(session)
        for name, wanted, known in (("hear", heard, recorded_input), ("send", spoken, recorded)):
            reason = None if wanted == known else why_not(wanted)
            if reason is not None:
                return f"the loopback server cannot {name} {shown_name(wanted.encoding)} at {wanted.rate} Hz: it {reason}", spoken
        if spoken != recorded:
            try:
                await asyncio.to_thread(self.script.recording.in_format, spoken)
            except ValueError as error:
                return f"the loopback server cannot convert its recording: {error}", spoken
        return None, spoken

    def _create_response(self, event: Event, text: bytes) -> Refusal | None:
        asked = event.get("response")
        asked = {} if asked is None else asked
        if not isinstance(asked, dict):
            return Refusal("invalid_type", "Invalid type for 'response': expected an object.", "response")
        text_of(asked)
        if self.strict:
            if not self.answers:
                return Refusal("invalid_value", "Cannot create a response in a transcription session.")
            refusal = why_not_response(asked)
            if refusal is not None:
                return refusal
        refusal = self.responses.create(asked)
        if refusal is None and asked.get("conversation") != "none":
            self._note(text)
        return refusal

    async def _create_item(self, event: Event) -> Refusal | None:
        item, previous = event.get("item"), event.get("previous_item_id")
        refusal = why_not_item(item) if self.strict or not isinstance(item, dict) else None
        if refusal is not None:
            return refusal
        assert isinstance(item, dict)
        if previous is not None and previous != "root" and not self.conversation.has(previous):
            message = f"Error adding item: the previous item with id '{shown_name(str(previous))}' does not exist."
            return Refusal("item_create_invalid_previous_item_id", message, "previous_item_id")
        item_id = text_id(item.get("id"))
        if self.conversation.has(item_id):
            message = f"Error adding item: an item with id '{item_id}' already exists."
            return Refusal("item_create_duplicate_item_id", message, "item.id")
        call_id = item.get("call_id")
        if item.get("type") == "function_call_output":
            if self.strict and not self.conversation.knows_call(call_id):
                name = shown_name(str(call_id))
                return Refusal("invalid_tool_call_id", f"Tool call ID '{name}' not found in conversation.", "item.call_id")
            if isinstance(call_id, str):
                self.conversation.output(call_id, str(item.get("output")))
        elif item.get("type") == "function_call" and text_id(call_id) is not None:
            self.conversation.called(str(call_id))
        made = {**item, "id": item_id or self.ids("item")}
        if made.get("type") in ("message", "function_call"):
            made.setdefault("status", "completed")
        before = self.conversation.place(made, previous)
        shown = {**made, "content": [_without_audio(part) for part in made["content"]]} if _has_audio(made) else made
        for name in ("added", "done"):
            await self.emit(f"conversation.item.{name}", previous_item_id=before, item=shown)
        return None

    async def _find_item(self, event: Event) -> Refusal | None:
        verb = event["type"].rpartition(".")[2]
        item_id = event.get("item_id")
        if item_id is None:
            return Refusal("missing_required_parameter", "Missing required parameter: 'item_id'.", "item_id")
        if not self.conversation.has(item_id):
            what = {"retrieve": "retrieving", "delete": "deleting"}[verb]
            message = f"Error {what} item: the item with id '{shown_name(str(item_id))}' does not exist."
            return Refusal(f"item_{verb}_invalid_item_id", message)
        if verb == "retrieve":
            await self.emit("conversation.item.retrieved", item=self.conversation.retrieve(item_id))
        else:
            self.conversation.remove(item_id)
            await self.emit("conversation.item.deleted", item_id=item_id)
        return None

    # ---- all at once

    async def _play_it_all(self) -> None:
        """Sends the whole recording for autoplay, then closes."""
        recording = self.script.recording
        misbehaviour = Misbehaviour(self, None)
        clock = asyncio.get_running_loop().time
        with contextlib.suppress(ConnectionClosed):
            if recording.updated is not None:
                await self.send(recording.updated.text)
            begun, played, number = clock(), 0.0, 0
            first = next((frame.time for frame in recording.turn if frame.time is not None), None)
            progress = Progress()
            for frame in recording.turn:
                if self.pace and (frame.seconds or frame.time is not None):
                    due = played if frame.time is None or first is None else frame.time - first
                    await asyncio.sleep(begun + (due + misbehaviour.behind) / self.pace - clock())
                if frame.seconds and not await misbehaviour.before(number, frame.text, frame.seconds):
                    return
                await self.send(frame.text, progress)
                if frame.seconds:
                    await misbehaviour.after(frame.text)
                    played, number = played + frame.seconds, number + 1
            await self.ws.close()


def _has_audio(item: Event) -> bool:
    content = item.get("content")
    return isinstance(content, list) and any(at(part, "audio") for part in content)


def _without_audio(part: Any) -> Any:
    """A content part without its audio, which only a retrieve returns."""
    return {key: value for key, value in part.items() if key != "audio"} if isinstance(part, dict) else part
