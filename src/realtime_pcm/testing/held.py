"""The conversation that the loopback server keeps: items in order, to be retrieved and truncated."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..conversation import ConversationState, Item
from ..conversation.rules import text_id

__all__ = ["HeldItem", "KeptConversation", "Refusal", "is_index"]

MAX_ITEMS = 1_000  # the oldest are forgotten
MAX_TRANSCRIPT = 100_000  # characters of one item
MAX_ITEM_BYTES = 16 * 1024 * 1024  # of JSON of all items; the oldest then lose their content

Event = dict[str, Any]


class Refusal(NamedTuple):
    """Why a client's message is refused, for its error event. `param`: the parameter at fault."""

    code: str
    message: str
    param: str | None = None


@dataclass(frozen=True, slots=True)
class HeldItem:
    """An item of the conversation, as the loopback server keeps it.

    Attributes:
        item_id: The id of the item.
        role: "assistant", "user", another role from a frame, or None.
        status: "in_progress", "completed", "incomplete", or None.
        sent_ms: Milliseconds of its audio that were sent.
        audio_ms: Milliseconds that are left after a truncate.
        transcript: Its words; None after a truncate.
    """

    item_id: str
    role: str | None
    status: str | None
    sent_ms: int
    audio_ms: int
    transcript: str | None


def is_index(value: object) -> bool:
    """Whether a value is a whole number of 0 or more."""
    return type(value) is int and value >= 0


def _text(raw: Event) -> bytes:
    # Kept as text, because the parsed item could take many times the memory. ASCII, because it may hold lone surrogates.
    return json.dumps(raw, allow_nan=False, separators=(",", ":")).encode()


class KeptConversation(ConversationState):
    """The conversation of one connection: a ConversationState whose items are in order.

    Items of responses with `conversation: "none"` are left out.
    """

    def __init__(self) -> None:
        super().__init__(most=MAX_ITEMS, longest_text=MAX_TRANSCRIPT)
        self._order: list[str] = []
        self._raw: dict[str, bytes] = {}
        self._bytes = 0
        self._outside: dict[str, None] = {}
        self._calls: dict[str, str | None] = {}  # the calls of tools, and their outputs
        self.tool_outputs: list[str] = []

    # ---- what it holds

    @property
    def items(self) -> list[Item]:
        """The items in order, without deleted ones."""
        place = {item_id: number for number, item_id in enumerate(self._order.copy())}
        found = [item for item in super().items if item.item_id not in self._outside]
        return sorted(found, key=lambda item: place.get(item.item_id or "", len(place)))

    def held(self) -> tuple[HeldItem, ...]:
        """The items, with how much of their audio was sent and how much is left."""
        items = []
        for item in self.items:
            parts = [*item.parts.by_index.values()]
            left = sum(part.milliseconds if part.cut_ms is None else part.cut_ms for part in parts)
            words = None if any(part.cut_ms is not None for part in parts) else item.text or None
            sent = sum(part.milliseconds for part in parts)
            items.append(HeldItem(item.item_id or "", item.role, item.status, sent, left, words))
        return tuple(items)

    def has(self, item_id: object) -> bool:
        """Whether the conversation has an item with this id."""
        return isinstance(item_id, str) and item_id in self._raw

    @property
    def last_id(self) -> str | None:
        """The id of the last item, or None."""
        return self._order[-1] if self._order else None

    @property
    def open_calls(self) -> list[str]:
        """The call_ids of tool calls without output."""
        return [call_id for call_id, output in self._calls.items() if output is None]

    def knows_call(self, call_id: object) -> bool:
        """Whether a tool was called with this id."""
        return isinstance(call_id, str) and call_id in self._calls

    # ---- items

    def place(self, raw: Event, previous: str | None) -> str | None:
        """Inserts an item after another, at the end (None) or at the beginning ("root"). Returns the id of the item before it.

        An existing item stays in its place, and `raw` replaces its contents.
        """
        item_id, text = str(raw["id"]), _text(raw)
        if item_id in self._raw:
            place = self._order.index(item_id)
        else:
            place = len(self._order)
            if previous is not None:
                place = 0 if previous == "root" else self._order.index(previous) + 1
            self._order.insert(place, item_id)
        self._write(item_id, text)
        while len(self._order) > MAX_ITEMS:
            self.remove(self._order[0])
            place -= 1
        return self._order[place - 1] if place > 0 else None

    def put_outside(self, item_id: str) -> None:
        """Notes an item outside of the conversation."""
        if len(self._outside) >= MAX_ITEMS:
            del self._outside[next(iter(self._outside))]
        self._outside[item_id] = None

    def remove(self, item_id: str) -> None:
        """Removes an item from the conversation."""
        self._order.remove(item_id)
        self._bytes -= len(self._raw.pop(item_id))

    def retrieve(self, item_id: str) -> Event:
        """The current item."""
        return dict(json.loads(self._raw[item_id]))

    def change(self, item_id: str, change: Callable[[Event], None]) -> None:
        """Changes each content part of an item, if it exists."""
        if item_id in self._raw:
            raw = self.retrieve(item_id)
            for part in raw.get("content") or ():
                if isinstance(part, dict):
                    change(part)
            self._write(item_id, _text(raw))

    def called(self, call_id: str) -> None:
        """Notes a tool call."""
        if len(self._calls) >= MAX_ITEMS:
            del self._calls[next(iter(self._calls))]
        self._calls[call_id] = None

    def output(self, call_id: str, output: str) -> None:
        """Notes the output of a tool."""
        self._calls[call_id] = output
        self.tool_outputs.append(output)
        del self.tool_outputs[:-MAX_ITEMS]

    def _write(self, item_id: str, text: bytes) -> None:
        self._bytes += len(text) - len(self._raw.get(item_id, b""))
        self._raw[item_id] = text
        for oldest in self._order:
            if self._bytes <= MAX_ITEM_BYTES:
                break
            if len(self._raw.get(oldest, b"")) > 1024:
                kept = {key: value for key, value in self.retrieve(oldest).items() if key in ("id", "type", "role", "status")}
                short = _text({**kept, "content": []})
                self._bytes += len(short) - len(self._raw[oldest])
                self._raw[oldest] = short

    # ---- truncate

    def why_not_truncate(self, item_id: object, content_index: object, audio_end_ms: object) -> Refusal | None:
        """Why an item's audio cannot be cut, or None.

        Public reports of OpenAI's server show two errors: `Audio content of 3700ms is already shorter than 3760ms`, and
        `Only model output audio messages can be truncated` with the code unsupported_content_type, for an audio_end_ms of 0
        before the first audio. Two things are assumptions: 0 is also refused after the first audio, and audio that is sent after
        the truncation does not count.
        """
        for name, value in (("item_id", item_id), ("content_index", content_index), ("audio_end_ms", audio_end_ms)):
            if value is None:
                return Refusal("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
        if not isinstance(item_id, str) or not is_index(content_index) or not is_index(audio_end_ms):
            return Refusal(
                "invalid_value", "a truncate has item_id, a str, and content_index and audio_end_ms, ints of 0 or more"
            )
        if not self.has(item_id):
            message = f"Error truncating item: the item with id '{item_id[:64]}' does not exist."
            return Refusal("item_truncate_invalid_item_id", message)
        item = self.item(text_id(item_id) or "")
        part = item.parts.by_index.get(content_index) if item is not None and isinstance(content_index, int) else None
        if item is None or item.role != "assistant" or part is None or not part.milliseconds or not audio_end_ms:
            return Refusal("unsupported_content_type", "Only model output audio messages can be truncated")
        left = part.milliseconds if part.cut_ms is None else part.cut_ms
        if isinstance(audio_end_ms, int) and audio_end_ms > left:
            return Refusal("invalid_value", f"Audio content of {left}ms is already shorter than {audio_end_ms}ms")
        return None

    def truncate(self, item_id: str) -> None:
        """Deletes the words of an item whose audio was cut, because nobody knows which were heard."""
        self.change(item_id, lambda part: part.pop("transcript", None))
