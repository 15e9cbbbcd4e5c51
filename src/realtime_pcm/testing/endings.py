"""Follows what a response has begun, and makes the messages that end it early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .._core import AudioMessage, RealtimeServerMessage, role_of
from ..conversation.rules import Parts, item_id_of, text_id, words_of
from .held import MAX_TRANSCRIPT, is_index

__all__ = ["Progress"]

Event = dict[str, Any]

# A delta -> the end of its stream, and the key under which the end has the whole text.
_ENDS = {
    "response.output_audio.delta": ("response.output_audio.done", None),
    "response.audio.delta": ("response.audio.done", None),
    "response.output_audio_transcript.delta": ("response.output_audio_transcript.done", "transcript"),
    "response.audio_transcript.delta": ("response.audio_transcript.done", "transcript"),
    "response.output_text.delta": ("response.output_text.done", "text"),
    "response.text.delta": ("response.text.done", "text"),
}
_ORDER = [end for end, _ in _ENDS.values()]
_STREAM_ENDS = frozenset(_ORDER)


@dataclass(slots=True)
class _Part:
    """A content part. open: the wire types that end its streams, with the keys of their texts. over: its audio has ended."""

    words: str = ""
    speaks: bool = False
    announced: str = ""  # its kind, while response.content_part.added is without its end
    open: dict[str, str | None] = field(default_factory=dict)
    over: bool = False


@dataclass(slots=True)
class _Item:
    raw: Event
    output_index: int
    added: bool = False  # conversation.item.added named it
    done: bool = False
    parts: Parts[_Part] = field(default_factory=Parts)


class Progress:
    """Follows the messages of one response. begun: whether its response.created was sent, or none is expected."""

    def __init__(self) -> None:
        self.response: Event | None = None
        self._items: dict[str, _Item] = {}

    def follow(self, message: RealtimeServerMessage) -> None:
        """Follows the next message of the response."""
        role = role_of(type(message))
        if role == "response_start":
            found = message.to_dict().get("response")
            self.response = found if isinstance(found, dict) else {}
        elif role in ("item_added", "item_done"):
            event = message.to_dict()
            raw = event.get("item")
            item_id = text_id(raw.get("id")) if isinstance(raw, dict) else None
            if item_id is None or not isinstance(raw, dict):
                return
            if hasattr(message, "response_id"):
                item = self._items.setdefault(item_id, _Item(raw, _index(event.get("output_index"))))
                item.raw, item.done = raw, item.done or role == "item_done"
            elif item_id in self._items:
                self._items[item_id].added |= role == "item_added"
        elif role in ("part_added", "part_done"):
            content = message.to_dict().get("part")
            kind = content.get("type") if isinstance(content, dict) else None
            part = self._part(message)
            if part is not None:
                part.announced = kind if role == "part_added" and isinstance(kind, str) else ""
        elif role == "tool_arguments_delta":
            called = self._items.get(str(getattr(message, "item_id", None)))
            if called is not None:
                so_far = str(called.raw.get("arguments") or "") + (words_of(message) or "")
                called.raw = {**called.raw, "arguments": so_far[:MAX_TRANSCRIPT]}
        elif message.type in _ENDS:
            self._delta(message)
        elif message.type in _STREAM_ENDS:
            part = self._part(message)
            if part is not None:
                part.open.pop(message.type, None)
                part.over |= role == "audio_end" or not part.speaks

    def _delta(self, message: RealtimeServerMessage) -> None:
        part = self._part(message)
        if part is None:
            return
        end, key = _ENDS[message.type]
        part.open[end] = key
        part.over = False
        if isinstance(message, AudioMessage):
            part.speaks = True
        else:
            part.words = (part.words + (words_of(message) or ""))[:MAX_TRANSCRIPT]

    def _part(self, message: Any) -> _Part | None:
        item_id = item_id_of(message)
        if item_id is None:
            return None
        item = self._items.get(item_id)
        if item is None:  # a server that announces no items
            raw = {"id": item_id, "type": "message", "role": "assistant"}
            item = self._items[item_id] = _Item(raw, _index(getattr(message, "output_index", None)))
        index = _index(getattr(message, "content_index", None))
        part = item.parts.find(index) or item.parts.by_index.setdefault(index, _Part())
        item.parts.newest = part
        return part

    def endings(self, response_id: str | None, status: str, details: Event) -> Iterator[tuple[str, Event]]:
        """The messages that end the response now: type and fields of each.

        This is an assumption, because no recorded frame shows a cancelled or failed response. Open streams, content parts and
        items end first, in the order in which recorded responses end, and items as "incomplete". Then comes the response.done.
        """
        output = []
        for item_id, item in self._items.items():
            place = {"response_id": response_id, "item_id": item_id, "output_index": item.output_index}
            content = []
            for index, part in item.parts.by_index.items():
                for end, key in sorted(part.open.items(), key=lambda end: _ORDER.index(end[0])):
                    yield end, {**place, "content_index": index, **({key: part.words} if key else {})}
                key = "transcript" if part.speaks or part.announced == "audio" else "text"
                if part.announced:
                    said = {"type": part.announced, key: part.words}
                    yield "response.content_part.done", {**place, "content_index": index, "part": said}
                content.append({"type": "output_audio" if key == "transcript" else "output_text", key: part.words})
            if item.done:
                output.append(item.raw)
                continue
            ended = {**item.raw, "status": "incomplete"}
            if content:
                ended["content"] = content
            if item.added:
                yield "conversation.item.done", {"item": ended}
            if "status" in item.raw:  # response.output_item.added announced it
                yield "response.output_item.done", {"response_id": response_id, "output_index": item.output_index, "item": ended}
            output.append(ended)
        begun = self.response or {"object": "realtime.response", "id": None}
        yield "response.done", {"response": {**begun, "status": status, "status_details": details, "output": output}}


def _index(value: object) -> int:
    return value if is_index(value) and isinstance(value, int) and value < 64 else 0
