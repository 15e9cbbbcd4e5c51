"""What a conversation holds: items, responses, tool calls and interruptions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .rules import Parts, Text, arguments_of, name_of, remember, text_id
from .turns import Moment, Turn, seconds_between


@dataclass(slots=True)
class Part:
    """The audio of one content part. samples: received, at `rate`. cut_ms: what a truncate left of them. over: its end came."""

    content_index: int | None
    samples: int = 0
    rate: int = 24_000
    cut_ms: int | None = None
    over: bool = False

    @property
    def milliseconds(self) -> int:
        """Milliseconds of audio that were received."""
        return self.samples * 1000 // self.rate

    def add(self, samples: int, rate: int) -> None:
        """Takes in samples of any rate."""
        if rate != self.rate:
            self.samples = self.samples * rate // self.rate
            self.rate = rate
        self.samples += samples


@dataclass(slots=True)
class Item:
    """An item of the conversation. turn: the number of its turn, 0 before the first. at: when it was first named.

    Attributes:
        side: Whose it is.
        role: As the server named them.
        type: As the server named them.
        status: As the server named them.
        parts: The audio of its content parts.
    """

    item_id: str | None
    side: Literal["user", "model"]
    response_id: str | None
    turn: int
    at: Moment
    words: Text
    given: str = ""
    role: str | None = None
    type: str | None = None
    status: str | None = None
    parts: Parts[Part] = field(default_factory=Parts)

    @property
    def text(self) -> str:
        """Its words, written or spoken: all of them; else those that the item was named with."""
        return str(self.words).strip() or self.given

    @property
    def audio_seconds(self) -> float:
        """Of the audio that was received."""
        return sum(part.samples / part.rate for part in self.parts.by_index.values())


@dataclass(slots=True)
class Response:
    """A response. created, done: when. status: "in_progress" until its end."""

    response_id: str | None
    turn: int
    created: Moment | None
    done: Moment | None = None
    status: str = "in_progress"


@dataclass(slots=True)
class ToolCall:
    """A tool that the model called.

    Attributes:
        kind: "function", which the client runs, or "mcp", which the server runs.
        arguments: As JSON text, so far.
        asked: When they were complete.
        answered: When the output was sent.
        seconds: From one to the other; None where the times or the output are not known.
    """

    turn: int
    kind: str
    name: str | None
    call_id: str | None
    arguments: str | None
    asked: Moment
    answered: Moment | None = None
    seconds: float | None = None
    failed: bool = False

    @property
    def input(self) -> Any:
        """The arguments as Python values; None where they are not complete, or no JSON."""
        try:
            return None if self.arguments is None else json.loads(self.arguments)
        except (ValueError, RecursionError):
            return None

    def answer(self, at: Moment) -> None:
        """The output has come; the first counts."""
        if self.answered is None:
            self.answered = at
            self.seconds = seconds_between(self.asked, at)


# What shows that the model was interrupted: the role of the message that said so, or the status of the response that ended.
InterruptionCause = Literal["speech_started", "response_cancel", "cancelled", "interrupted", "truncate", "truncated"]


@dataclass(slots=True)
class Interruption:
    """The model was interrupted.

    Attributes:
        cause: What said so: the role of the message, or "cancelled" if a response ended with that status.
        audio_end_ms: How much of the item was heard.
    """

    at: Moment
    turn: int
    cause: InterruptionCause
    item_id: str | None = None
    response_id: str | None = None
    audio_end_ms: int | None = None


class ToolCalls:
    """The tools that the model called, by call_id, or by item_id where the server runs them.

    began: called with each new one. longest: characters of arguments that are kept.
    """

    def __init__(self, began: Callable[[ToolCall], None], most: int, longest: int) -> None:
        self._began, self._most, self._longest = began, most, longest
        self.calls: dict[str, ToolCall] = {}
        self.forgotten = 0

    def seen(self, raw: dict[str, Any], turn: Turn, at: Moment) -> ToolCall | None:
        """A call as an item has it."""
        call_id = text_id(raw.get("call_id"))
        key = call_id or text_id(raw.get("id"))
        if key is None:
            return None
        call = self.calls.get(key)
        if call is None:
            call = ToolCall(turn.number, "mcp" if raw.get("type") == "mcp_call" else "function", None, key, None, at)
            turn.tools += 1
            self.forgotten += remember(self.calls, key, call, self._most)
            self._began(call)
        call.name = call.name or name_of(raw.get("name"))
        arguments = arguments_of(raw.get("arguments"))
        if arguments:
            call.arguments = arguments[: self._longest]
        if call.kind == "mcp" and isinstance(raw.get("output"), str):
            call.answer(at)
        return call

    def of_message(self, message: Any) -> dict[str, Any]:
        """What a message about a call says, as an item has it."""
        raw = {name: getattr(message, name, None) for name in ("call_id", "name", "arguments")}
        raw["id"] = getattr(message, "item_id", None)
        if text_id(raw["call_id"]) is None:
            raw["type"] = "mcp_call"
        return raw

    def more(self, message: Any, turn: Turn, at: Moment) -> None:
        """More of the arguments."""
        call = self.seen(self.of_message(message), turn, at)
        delta = message.delta
        if call is not None and isinstance(delta, str):
            call.arguments = ((call.arguments or "") + delta)[: self._longest]

    def complete(self, message: Any, turn: Turn, at: Moment) -> None:
        """The arguments are complete: the tool may run."""
        call = self.seen(self.of_message(message), turn, at)
        if call is not None:
            call.asked = at

    def answered(self, key: object, at: Moment) -> ToolCall | None:
        """The output of a call has come."""
        call = self.calls.get(text_id(key) or "")
        if call is not None:
            call.answer(at)
        return call
