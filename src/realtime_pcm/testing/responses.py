"""The responses of one connection: takes the next step, sends it, cancels and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from websockets.exceptions import ConnectionClosed

from .._core import role_of, wire_class
from ..conversation.rules import raw_of, text_id
from ..terminal import shown_name
from .endings import Progress
from .held import Refusal
from .misbehaviour import Misbehaviour
from .recorded import Recorded
from .script import Step, frames_of
from .session import at, modalities_of, text as text_of
from .written import empty_usage, written

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Response", "Responses"]

MAX_OUTSIDE = 16  # responses outside of the conversation that are under way at once
_EMPTY = Step()
_log = logging.getLogger("realtime_pcm")

Event = dict[str, Any]


class _Frame(NamedTuple):
    """The next message to send: a recorded text or an event, and its role. time: seconds after the question, if known."""

    content: str | Event
    role: str | None
    seconds: float
    time: float | None = None


def _role(event: Event) -> str | None:
    cls = wire_class("server", event["type"])
    return None if cls is None else role_of(cls)


class Response:
    """A response in progress. asked: its response.create. outside: whether it is outside of the conversation."""

    def __init__(self, step: Step, asked: Event, number: int) -> None:
        self.step = step
        self.asked = asked
        self.outside = asked.get("conversation") == "none"
        self.number = number  # of the response, from 0, for the whole connection
        self.id: str | None = None
        self.progress = Progress()
        self.wake = asyncio.Event()
        self.begun = asyncio.Event()  # its response.created was sent, or it is over
        self.ending: tuple[str, Event] | None = None  # the status and the details with which it is to end
        self.finished = False  # its response.done was sent
        self.began_at = 0.0  # milliseconds of the client's audio
        self.next: int | None = None  # the number of the step after its own
        self.task: asyncio.Task[None] | None = None

    def end(self, status: str, details: Event) -> None:
        """Ends the response before its next frame. The first caller decides how."""
        if self.ending is None:
            self.ending = status, details
            self.wake.set()

    async def over(self) -> None:
        """Waits until its last message was sent."""
        if self.task is not None:
            await asyncio.wait([self.task])


class Responses:
    """Begins and ends the responses of a connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.cursor = 0  # the next step
        self.active: Response | None = None
        self.last_id: str | None = None
        self.owed = False  # an answer that begins when the one under way is over
        self._outside: list[Response] = []
        self._awaited: list[str] = []  # the calls whose outputs the next step waits for
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- beginning

    def create(self, asked: Event) -> Refusal | None:
        """Begins the response that a client asks for, or returns why not."""
        outside = asked.get("conversation") == "none"
        if not outside and self.active is not None:
            name = shown_name(str(self.active.id or ""))
            message = f"Conversation already has an active response in progress: {name}. "
            message += "Wait until the response is finished before creating a new one."
            return Refusal("conversation_already_has_active_response", message)
        if outside and len(self._outside) >= MAX_OUTSIDE:
            return Refusal("rate_limit_exceeded", f"at most {MAX_OUTSIDE} responses outside of the conversation at once")
        self.start(asked)
        return None

    def start(self, asked: Event | None = None) -> Response:
        """Begins a response."""
        response = Response(self._take(), asked or {}, self._count)
        response.next = None if response.step is _EMPTY else self.cursor
        self._count += 1
        response.began_at = self.connection.user.microphone.position
        if response.outside:
            self._outside.append(response)
        else:
            self.active = response
        response.task = asyncio.create_task(self._perform(response))
        self._tasks.add(response.task)
        response.task.add_done_callback(self._tasks.discard)
        return response

    def _take(self) -> Step:
        """The next step; an empty one if there is none, or if a tool's output is missing."""
        script = self.connection.script
        step = script[self.cursor]
        waiting = [call_id for call_id in self._awaited if call_id in self.connection.conversation.open_calls]
        if waiting:
            self.connection.tell_once(
                "waits", f"the next answer waits for the output of the tool call {shown_name(waiting[0])}: this response is empty"
            )
            return _EMPTY
        if step is None:
            self.connection.tell_once("over", f"the script is over after {len(script.steps)} responses: further ones are empty")
            return _EMPTY
        self._awaited.clear()
        self.cursor += 1
        return step

    # ---- ending

    def cancel(self, response_id: object) -> Refusal | None:
        """Cancels the response that a client names, or that of the conversation."""
        found = [response for response in (self.active, *self._outside) if response is not None]
        wanted = [one for one in found if (one is self.active if response_id is None else response_id == one.id)]
        if not wanted:
            return Refusal("response_cancel_not_active", "Cancellation failed: no active response found")
        wanted[0].end("cancelled", {"type": "cancelled", "reason": "client_cancelled"})
        return None

    def stop(self) -> None:
        """Ends all responses when the connection ends."""
        for task in self._tasks:
            task.cancel()

    # ---- sending

    async def _perform(self, response: Response) -> None:
        try:
            await self._send_frames(response, await self._frames(response))
        except ConnectionClosed:
            pass
        except Exception:
            _log.exception("loopback server: a response failed")
            raise
        finally:
            self._done(response)
        if self.owed and self.active is None:
            self.owed = False
            self.start()

    def _done(self, response: Response) -> None:
        if not response.finished and not response.outside:
            self.connection.user.answered(response.id, response.began_at)
        response.finished = True
        response.begun.set()
        if self.active is response:
            self.active = None
        if response in self._outside:
            self._outside.remove(response)

    async def _frames(self, response: Response) -> list[_Frame]:
        """The messages of a response, as recorded, unless the client wants text and speech was recorded, or the reverse."""
        connection, step = self.connection, response.step
        asked = modalities_of(response.asked) or connection.asked_modalities
        speaks = "audio" in (asked or modalities_of(connection.call.session) or ["audio"])
        recording = connection.script.recording
        if step.places:
            turn = recording.turn
            if connection.format != recording.formats[1]:
                turn = await asyncio.to_thread(recording.in_format, connection.format)
            frames = frames_of(step.places, turn)
            recorded_speaks = any(frame.seconds for frame in frames)
            if asked is None or speaks == recorded_speaks or step.calls or not recording.announces:
                return [self._as_recorded(frame, step) for frame in frames]
        number = connection.ids
        made = {**self._object(speaks, response), "id": number("resp")}
        events = await asyncio.to_thread(list, written(step, made, speaks, connection.format, number))
        return [_Frame(connection.text_of(event) if seconds else event, _role(event), seconds) for event, seconds in events]

    def _as_recorded(self, frame: Recorded, step: Step) -> _Frame:
        connection = self.connection
        text = connection.script.recording.again(frame.text, connection.replay)
        after = None if frame.time is None or step.asked is None else max(0.0, frame.time - step.asked)
        return _Frame(text, frame.role, frame.seconds, after)

    def _object(self, speaks: bool, response: Response) -> Event:
        session = self.connection.call.session
        output = at(session, "audio", "output") or {}
        own = at(response.asked, "audio", "output") or {}
        voice = own.get("voice") or output.get("voice") or session.get("voice")
        return {
            "object": "realtime.response",
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "conversation_id": self.connection.conversation_id,
            "output_modalities": ["audio"] if speaks else ["text"],
            "max_output_tokens": response.asked.get("max_output_tokens", session.get("max_output_tokens", "inf")),
            "audio": {"output": {"format": output.get("format"), "voice": voice}},
            "usage": None,
            "metadata": None,
        }

    async def _send_frames(self, response: Response, frames: list[_Frame]) -> None:
        connection = self.connection
        clock = asyncio.get_running_loop().time
        misbehaviour = Misbehaviour(connection, response)
        interruption = connection.interruption_of(response)
        begun, played, number = clock(), 0.0, 0
        misbehaviour.at_the_start()
        for frame in frames:
            if frame.seconds and connection.pace:
                due = played if frame.time is None else frame.time
                await self._pause(response, begun + (due + misbehaviour.behind) / connection.pace)
            elif frame.time is not None and connection.pace:
                await self._pause(response, begun + frame.time / connection.pace)
            if await self._ended(response):
                return
            if interruption is not None and 0 < played >= interruption.after:
                if connection.pace:
                    await self._pause(response, begun + interruption.after / connection.pace)
                await connection.user.interrupt(interruption)
                interruption = None
                if await self._ended(response):
                    return
            delta = bool(frame.seconds) or frame.role == "text_delta"
            if delta and not await misbehaviour.before(number, frame.content, frame.seconds):
                return
            if await self._ended(response):
                return
            await self._send(response, frame, misbehaviour)
            played, number = played + frame.seconds, number + delta
        await self._ended(response)

    async def _pause(self, response: Response, until: float) -> None:
        """Waits until a time of the loop's clock, or until the response shall end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(response.wake.wait(), max(0.0, until - asyncio.get_running_loop().time()))

    async def _send(self, response: Response, frame: _Frame, misbehaviour: Misbehaviour) -> None:
        connection, content = self.connection, frame.content
        if frame.seconds and isinstance(content, str):
            await connection.send(content, response.progress)
            await misbehaviour.after(content)
            return
        event = json.loads(content) if isinstance(content, str) else content
        fitted = self._fitted(response, event)
        if fitted is None:
            return
        text = connection.text_of(fitted) if content is event else text_of(fitted)
        if isinstance(content, str) and fitted == event:
            text = content  # byte for byte as it was recorded
        if frame.role == "response_end":
            self._done(response)  # before the client can answer it
        await connection.send(text, response.progress)
        if frame.role == "response_start":
            response.begun.set()

    def _fitted(self, response: Response, event: Event) -> Event | None:
        """The event in the form of this connection, or None if it is not sent there."""
        role, connection = _role(event), self.connection
        item = event.get("item")
        if isinstance(item, dict) and text_id(item.get("id")) is not None:
            if "response_id" not in event:
                if response.outside:
                    return None
                previous = connection.conversation.place(item, None)
                if "previous_item_id" in event:
                    event = {**event, "previous_item_id": previous}
            elif response.outside:
                connection.conversation.put_outside(item["id"])
            else:
                connection.conversation.place(item, None)
            if item.get("type") == "function_call" and role == "item_done" and not response.outside:
                self._note_call(item)
        if role == "response_end" and not response.outside:  # some servers announce calls nowhere else
            for called in raw_of(event.get("response")).get("output") or ():
                if isinstance(called, dict) and called.get("type") == "function_call":
                    self._note_call(called)
        if role in ("response_start", "response_end"):
            event = {**event, "response": self._fitted_object(response, event.get("response"))}
        return event

    def _note_call(self, item: Event) -> None:
        call_id = text_id(item.get("call_id"))
        if item.get("status") == "incomplete":  # it was cancelled: nobody runs it
            return
        if call_id is not None and not self.connection.conversation.knows_call(call_id):
            self.connection.conversation.called(call_id)
            self._awaited.append(call_id)

    def _fitted_object(self, response: Response, found: object) -> Any:
        if not isinstance(found, dict):
            return found
        connection = self.connection
        made = connection.with_format(found)
        response.id = text_id(made.get("id"))
        if not response.outside:
            self.last_id = response.id
        if "metadata" in response.asked:
            made["metadata"] = response.asked["metadata"]
        if response.outside:
            made["conversation_id"] = None
        return made

    async def _ended(self, response: Response) -> bool:
        """Whether the response was ended early. Then this sends the messages that end it."""
        # What is to end has to begin: a client waits for its response.done.
        announced = response.progress.response is not None or not self.connection.script.recording.announces
        if response.ending is None or response.finished or not announced:
            return False
        connection = self.connection
        for kind, fields in response.progress.endings(response.id, *response.ending):
            event: Event | None = {"type": kind, **fields}
            if kind == "conversation.item.done":
                event = {"type": kind, "previous_item_id": None, **fields}
            if kind == "response.done":
                done = raw_of(fields["response"])
                event = {"type": kind, "response": {**done, "usage": done.get("usage") or empty_usage()}}
                self._done(response)
            event = self._fitted(response, event or {})
            if event is not None:
                await connection.send(connection.text_of(event), response.progress)
        return True
