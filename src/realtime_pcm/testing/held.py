"""What the loopback server holds of a conversation: its items, how much audio of each, and the response under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .._core import AudioMessage, RealtimeServerMessage, role_of
from ..conversation.rules import Parts, samples_in, text_id, words_of

__all__ = ["Held", "HeldItem", "Refusal"]

MAX_ITEMS = 1_000  # the oldest are forgotten
MAX_TRANSCRIPT = 100_000  # characters of one content part

Refusal = tuple[str, str]  # the code and the message of an error
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HeldItem:
    """An item of the conversation as the loopback server holds it.

    item_id: str. role: "assistant", "user", what else a frame said, or None. status: "in_progress", "completed", "incomplete", or
    None. sent_ms: milliseconds of audio that were sent of it. audio_ms: those that are left of them after a truncate. transcript:
    what was said of its words, None after a truncate.
    """

    item_id: str
    role: str | None
    status: str | None
    sent_ms: int
    audio_ms: int
    transcript: str | None


@dataclass(slots=True)
class _Part:
    """A content part. samples: sent, at `rate`. cut: milliseconds that a truncate left. open: the types that end its streams."""

    samples: int = 0
    rate: int = 24_000
    cut: int | None = None
    transcript: str = ""
    kind: str = ""  # as response.content_part.added names it; "" where there was none
    open: dict[str, str | None] = field(default_factory=dict)  # the wire type of the end -> the key of its text
    over: bool = False  # its audio, or its text where it has none

    @property
    def sent_ms(self) -> int:
        return self.samples * 1000 // self.rate


@dataclass(slots=True)
class _Item:
    item_id: str
    role: str | None
    status: str | None
    response_id: str | None = None
    output_index: int = 0
    listed: bool = False  # conversation.item.added named it
    parts: Parts[_Part] = field(default_factory=Parts)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= 64 else None


def _index(value: object) -> int:
    return value if type(value) is int and 0 <= value < 64 else 0


# A delta -> the end of its stream, and the key under which the end has the whole text.
_ENDS = {
    "response.output_audio.delta": ("response.output_audio.done", None),
    "response.audio.delta": ("response.audio.done", None),
    "response.output_audio_transcript.delta": ("response.output_audio_transcript.done", "transcript"),
    "response.audio_transcript.delta": ("response.audio_transcript.done", "transcript"),
    "response.output_text.delta": ("response.output_text.done", "text"),
    "response.text.delta": ("response.text.done", "text"),
}


class Held:
    """Follows the messages that are sent, and answers what concerns items."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}
        self.response: Event | None = None  # the object of the response under way
        self.response_id: str | None = None  # of the response that began last

    def items(self) -> tuple[HeldItem, ...]:
        """The items, in the order in which they were first named. May be called in any thread."""
        held = []
        for item in self._items.copy().values():
            parts = item.parts.by_index.copy().values()
            sent = sum(part.sent_ms for part in parts)
            left = sum(part.sent_ms if part.cut is None else part.cut for part in parts)
            words = "".join(part.transcript for part in parts)
            cut = any(part.cut is not None for part in parts)
            held.append(HeldItem(item.item_id, item.role, item.status, sent, left, None if cut else words or None))
        return tuple(held)

    # ---- what was sent

    def follow(self, message: RealtimeServerMessage) -> None:
        """Takes a message that the server sends."""
        role = role_of(type(message))
        if role == "response_start":
            response = message.to_dict().get("response")
            self.response = response if isinstance(response, dict) else {}
            self.response_id = text_id(self.response.get("id"))
        elif role == "response_end":
            self.response = None
        elif role in ("item_added", "item_done"):
            event = message.to_dict()
            item = self._named(event.get("item"))
            if item is not None and hasattr(message, "response_id"):
                item.response_id = text_id(event.get("response_id")) or self.response_id
                item.output_index = _index(event.get("output_index"))
            elif item is not None:
                item.listed |= role == "item_added"
        elif role == "item_deleted":
            self._items.pop(str(getattr(message, "item_id", None)), None)
        elif role in ("part_added", "part_done"):
            content = message.to_dict().get("part")
            kind = content.get("type") if isinstance(content, dict) else None
            part = self._part(message)
            if part is not None:
                part.kind = (_word(kind) or "") if role == "part_added" else ""
        else:
            self._follow_stream(message, role)

    def _follow_stream(self, message: RealtimeServerMessage, role: str | None) -> None:
        end = _ENDS.get(message.type)
        if end is None and message.type not in _STREAM_ENDS:
            return
        part = self._part(message)
        if part is None:
            return
        if end is None:
            part.open.pop(message.type, None)
            part.over |= role == "audio_end" or not part.samples
            return
        part.open[end[0]] = end[1]
        part.over = False
        if isinstance(message, AudioMessage):
            samples, rate = samples_in(message)
            part.samples = part.samples * rate // part.rate + samples
            part.rate = rate
        else:
            part.transcript = (part.transcript + (words_of(message) or ""))[:MAX_TRANSCRIPT]

    def _named(self, named: object) -> _Item | None:
        """The item that an object of a message names, with what that object says of it."""
        item_id = text_id(named.get("id")) if isinstance(named, dict) else None
        if item_id is None or not isinstance(named, dict):
            return None
        item = self._item(item_id, _word(named.get("role")))
        item.status = _word(named.get("status")) or item.status
        return item

    def _item(self, item_id: str, role: str | None) -> _Item:
        item = self._items.get(item_id)
        if item is None:
            while len(self._items) >= MAX_ITEMS:
                del self._items[next(iter(self._items))]
            item = self._items[item_id] = _Item(item_id, role, None)
        item.role = role or item.role
        return item

    def _part(self, message: RealtimeServerMessage) -> _Part | None:
        item_id = text_id(getattr(message, "item_id", None))
        if item_id is None:
            return None
        item = self._item(item_id, None)
        item.role = item.role or "assistant"
        item.response_id = item.response_id or text_id(getattr(message, "response_id", None))
        item.output_index = item.output_index or _index(getattr(message, "output_index", None))
        index = _index(getattr(message, "content_index", None))
        part = item.parts.find(index) or item.parts.by_index.setdefault(index, _Part())
        item.parts.newest = part
        return part

    # ---- what a client asks for

    def truncate(self, item_id: object, content_index: object, audio_end_ms: object) -> Refusal | None:
        """Cuts an item's audio. Returns the code and the message of an error where it cannot be cut.

        Two texts of errors have been seen in public reports of OpenAI's server: `Audio content of 3700ms is already shorter
        than 3760ms`, and `Only model output audio messages can be truncated` with the code unsupported_content_type, where
        audio_end_ms was 0 before the first audio. Assumptions are: the other errors; that 0 is refused after the first audio,
        too; that what is sent of the item after its truncation does not count.
        """
        if not isinstance(item_id, str) or type(audio_end_ms) is not int or type(content_index) is not int or audio_end_ms < 0:
            return "invalid_value", "a truncate has item_id, a str, and content_index and audio_end_ms, ints of 0 or more"
        item = self._items.get(item_id)
        if item is None:
            return "invalid_value", "the item to truncate does not exist"
        part = item.parts.by_index.get(content_index)
        if item.role != "assistant" or part is None or not part.sent_ms or not audio_end_ms:
            return "unsupported_content_type", "Only model output audio messages can be truncated"
        left = part.sent_ms if part.cut is None else part.cut
        if audio_end_ms > left:
            return "invalid_value", f"Audio content of {left}ms is already shorter than {audio_end_ms}ms"
        part.cut = audio_end_ms
        return None

    def knows(self, item_id: object) -> bool:
        """Whether an item of this id is held."""
        return isinstance(item_id, str) and item_id in self._items

    def cancellation(self, reason: Literal["client_cancelled", "turn_detected"]) -> Iterator[tuple[str, Event]]:
        """The messages that end the response under way: the type and the fields of each.

        An assumption: no recorded frame shows a cancelled response. The open streams, content parts and items end first, items as
        "incomplete", in the order in which recorded responses end; then comes the response.done.
        """
        output = []
        response_id = self.response_id
        for item in [item for item in self._items.values() if response_id is not None and item.response_id == response_id]:
            place = {"response_id": response_id, "item_id": item.item_id, "output_index": item.output_index}
            content = []
            for index, part in item.parts.by_index.items():
                for end, key in list(part.open.items()):
                    yield end, {**place, "content_index": index, **({key: part.transcript} if key else {})}
                said = {"type": part.kind or "audio", "transcript": part.transcript}
                if part.kind:
                    yield "response.content_part.done", {**place, "content_index": index, "part": said}
                content.append({**said, "type": "output_audio" if part.samples else "output_text"})
            ended = {"id": item.item_id, "type": "message", "role": item.role, "content": content}
            if item.status == "in_progress":
                ended["status"] = "incomplete"
                if item.listed:
                    yield "conversation.item.done", {"item": ended}
                yield "response.output_item.done", {"response_id": response_id, "output_index": item.output_index, "item": ended}
            else:
                ended["status"] = item.status
            output.append(ended)
        done = {
            **(self.response or {"object": "realtime.response", "id": None}),
            "status": "cancelled",
            "status_details": {"type": "cancelled", "reason": reason},
            "output": output,
        }
        yield "response.done", {"response": done}


_STREAM_ENDS = frozenset(end for end, _ in _ENDS.values())
