"""ConversationState: what the messages so far have made of a conversation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from numpy import ndarray

from .._core import RealtimeServerMessage
from .clock import LONGEST_PAUSE, Clock
from .held import Interruption, InterruptionCause, Item, Part, Response, ToolCall, ToolCalls
from .meanings import handler_of
from .rules import (
    Answers,
    Dropped,
    Repeated,
    Text,
    add_numbers,
    index_of,
    item_id_of,
    milliseconds_of,
    name_of,
    numbers_in,
    raw_of,
    remember,
    response_id_of,
    samples_in,
    text_id,
    words_in_item,
    words_of,
)
from .turns import Moment, Turn, Turns

if TYPE_CHECKING:
    from ..messages import RealtimeMessage

MOST_PARTS = 64  # of one item

_moment = tuple.__new__  # in half the time of Moment(...)


class ConversationState:
    """Follows the messages of a conversation, of both sides or of one.

    Args:
        most: how many items, responses, turns, tool calls and interruptions of each are kept.
        longest_text: characters of an item's words, and of a call's arguments, that are kept.

    Attributes:
        turn: the turn under way; None before the first.
        user_speaks: whether the user speaks, as far as the server says.
        usage: the sum of each number in the usage of all responses, by its path.
        session_usage: the last that the server gave for the whole session.
        session: as a message had it last.
        rate_limits: likewise.
        errors: how many errors were told.
        forgotten: how many of each kind are no longer kept, by name.

    """

    def __init__(self, *, most: int = 1024, longest_text: int = 32_768) -> None:
        if most < 1 or longest_text < 1:
            raise ValueError(f"most and longest_text are at least 1, not {most} and {longest_text}")
        self._most, self._longest_text = most, longest_text
        self.messages = 0
        self.user_speaks = False
        self.usage: dict[str, float] = {}
        self.session_usage: dict[str, float] = {}
        self.session: Any = None
        self.rate_limits: Any = None
        self.errors = 0
        self._clock = Clock(None)
        self._lost = dict.fromkeys(("items", "responses", "turns", "interruptions"), 0)
        self._handlers: dict[type, Callable[[Any, float | None], None]] = {}
        self._turns_kept: deque[Turn] = deque(maxlen=most)
        self._turns: Turns[Turn, Item] = Turns(self._begin_turn)
        self._tools = ToolCalls(lambda call: None, most, longest_text)
        self._items: dict[int, Item] = {}  # by number, in the order of their beginning
        self._item_numbers: dict[tuple[str, str | None, str | None], int] = {}  # the newest of a side, of these ids
        self._numbers_of_ids: dict[str, int] = {}  # the newest of an item_id
        self._items_begun = 0
        self._responses: dict[str | None, Response] = {}
        self._answers = Answers()
        self._interruptions: deque[Interruption] = deque(maxlen=most)
        self._repeated = Repeated()
        self._dropped = Dropped()
        self._last_audio: Item | None = None
        self._recent: Item | None = None  # the item of the model's last message, and its ids; until another item begins
        self._recent_item_id: object = None
        self._recent_response_id: object = None
        # Of that item: whether its turn has words, and audio; the part that spoke last, and what the message called it.
        self._recent_worded = self._recent_heard = False
        self._recent_part: Part | None = None
        self._recent_index: object = None

    def __repr__(self) -> str:
        return f"<ConversationState: {self._turns.count} turns, {len(self._items)} items after {self.messages} messages>"

    # ---- what it holds

    @property
    def items(self) -> list[Item]:
        """The items that were not deleted, the oldest first."""
        return list(self._items.values())

    @property
    def responses(self) -> list[Response]:
        """The responses, the oldest first."""
        return list(self._responses.values())

    @property
    def turns(self) -> list[Turn]:
        """The turns, the oldest first."""
        return list(self._turns_kept)

    @property
    def turn(self) -> Turn | None:
        """The turn under way."""
        return self._turns.current

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tools that were called, the oldest first."""
        return list(self._tools.calls.values())

    @property
    def interruptions(self) -> list[Interruption]:
        """The interruptions, the oldest first."""
        return list(self._interruptions)

    @property
    def forgotten(self) -> dict[str, int]:
        """How many of each kind are no longer kept."""
        return {**self._lost, "tool_calls": self._tools.forgotten}

    def item(self, item_id: str, response_id: str | None = None) -> Item | None:
        """The newest item of this id; of this response, where it is named."""
        if response_id is None:
            return self._items.get(self._numbers_of_ids.get(item_id, 0))
        return self._items.get(self._item_numbers.get(("model", item_id, response_id), 0))

    # ---- following

    def follow(self, message: RealtimeMessage, time: float | None = None) -> None:
        """Takes the next message of either side. time: seconds of any clock; jumps of it are left out."""
        self.messages += 1
        clock = self._clock
        before = clock.now
        if before is None or time is None or not before <= time <= before + LONGEST_PAUSE or not clock.is_true:
            clock.tell(time)
            time = clock.now
        else:
            clock.now = time
        cls = type(message)
        try:
            handler = self._handlers[cls]
        except KeyError:
            handler = self._handlers[cls] = self._handler(cls)
        handler(message, time)

    def _handler(self, cls: type) -> Callable[[Any, float | None], None]:
        handler = handler_of(cls, lambda role: getattr(self, f"_on_{role}", None)) or self._on_nothing
        if handler == self._on_audio and all(hasattr(cls, name) for name in ("item_id", "response_id", "content_index")):
            return self._take_audio
        if handler == self._on_text_delta and all(hasattr(cls, name) for name in ("item_id", "response_id", "delta")):
            return handler if hasattr(cls, "stash") else self._take_words
        return handler

    def _take_audio(self, message: Any, time: float | None) -> None:
        """Audio that goes on where the last went; _on_audio takes any other."""
        part, pcm, audio = self._recent_part, message.pcm, message.audio_format
        if (
            not self._recent_heard
            or self._recent is None
            or part is None
            or part.over
            or message.item_id is not self._recent_item_id
            or message.response_id is not self._recent_response_id
            or message.content_index is not self._recent_index
            or audio.rate != part.rate
            or type(pcm) is not ndarray
            or pcm.itemsize == 1
            or self._dropped.number >= 0
        ):
            self._on_audio(message, time)
        elif not self._repeated.take(message):
            part.samples += pcm.size // audio.channels

    def _take_words(self, message: Any, time: float | None) -> None:
        """Words that go on where the last went; _on_text_delta takes any other."""
        words = message.delta
        if (
            self._recent_worded
            and self._recent is not None
            and message.item_id is self._recent_item_id
            and message.response_id is self._recent_response_id
            and type(words) is str
        ):
            self._recent.words.add(words)
        else:
            self._on_text_delta(message, time)

    def _at(self, time: float | None) -> Moment:
        return _moment(Moment, (self.messages, time, 0.0 if time is None else time))

    def _on_nothing(self, message: Any, time: float | None) -> None:
        pass

    def _begin_turn(self, number: int, began: Any, at: Moment) -> Turn:
        turn = Turn(number, began, at)
        self._recent_worded = self._recent_heard = False
        self._lost["turns"] += len(self._turns_kept) == self._most
        self._turns_kept.append(turn)
        return turn

    # ---- items

    def _find_item(
        self, side: Literal["user", "model"], item_id: str | None, response_id: str | None, time: float | None
    ) -> Item:
        key = (side, item_id, response_id)
        item = self._items.get(self._item_numbers.get(key, 0))
        if item is None:
            item = self._new_item(side, item_id, response_id, time)
            remember(self._item_numbers, key, self._items_begun, self._most)
            if item_id is not None:
                remember(self._numbers_of_ids, item_id, self._items_begun, self._most)
        return item

    def _new_item(self, side: Literal["user", "model"], item_id: str | None, response_id: str | None, time: float | None) -> Item:
        turn = self._turns.current
        item = Item(item_id, side, response_id, turn.number if turn else 0, self._at(time), Text(self._longest_text))
        self._items_begun += 1
        self._recent = None
        self._lost["items"] += remember(self._items, self._items_begun, item, self._most)
        return item

    def _name_item(self, item: Item, item_id: str) -> None:
        """Gives an item of the user its id, which the server has told."""
        number = next((number for number, known in reversed(self._items.items()) if known is item), 0)
        if number:
            item.item_id = item_id
            remember(self._item_numbers, ("user", item_id, None), number, self._most)
            remember(self._numbers_of_ids, item_id, number, self._most)

    def _model_item(self, message: Any, time: float | None) -> Item:
        """The item of the model that a message belongs to: items are told apart per response."""
        named, answers = getattr(message, "item_id", None), getattr(message, "response_id", None)
        # A decoder gives the ids of the message before as the same objects: to compare more would cost more.
        if named is self._recent_item_id and answers is self._recent_response_id and self._recent is not None:
            return self._recent
        item_id, response_id = text_id(named), text_id(answers)
        item = None if item_id is None or response_id is not None else self.item(item_id)
        if item is None or item.side != "model":
            item = self._find_item("model", item_id, response_id, time)
        self._recent, self._recent_item_id, self._recent_response_id = item, named, answers
        self._recent_worded = self._recent_heard = False
        return item

    def _user_item(self, message: Any, time: float | None) -> Item:
        return self._find_item("user", item_id_of(message), None, time)

    def _heard_item(self, message: Any, time: float | None, whole: bool = False) -> Item:
        """The item of the user's words: without an id, one for each turn."""
        if item_id_of(message) is None:
            before = self._turns.current
            turn = self._turns.heard(whole, self._at(time))
            if turn is not before and before is not None:
                self._item_numbers.pop(("user", None, None), None)
                self._answer_over(None)
        return self._user_item(message, time)

    def _answer_over(self, response_id: str | None) -> None:
        """What the model says next without an item_id is another item."""
        self._item_numbers.pop(("model", None, response_id), None)
        self._recent = None

    def _on_item_added(self, message: Any, time: float | None) -> None:
        raw = raw_of(message.item)
        kind, role, item_id = raw.get("type"), raw.get("role"), text_id(raw.get("id"))
        at = self._at(time)
        response_id = text_id(getattr(message, "response_id", None))
        if kind == "function_call_output":
            self._tools.answered(raw.get("call_id"), at)
        elif kind in ("function_call", "mcp_call"):
            self._tools.seen(raw, self._turns.of_response(response_id, at), at)
        words = words_in_item(raw)
        written: Item | None = None
        if role == "user" and words:
            turn, written = self._turns.text(item_id, words, at, repeats=isinstance(message, RealtimeServerMessage))
            if turn is not None and item_id is None:
                written = self._turns.written = self._new_item("user", None, None, time)
        if item_id is None and written is None:
            return
        if item_id is not None and written is not None and self.item(item_id) is None:
            self._name_item(written, item_id)
        known = written if item_id is None else self.item(item_id, response_id)
        if known is None:
            side: Literal["user", "model"] = "model" if role == "assistant" or response_id is not None else "user"
            known = self._find_item(side, item_id, response_id, time)
        known.role, known.type = name_of(role) or known.role, name_of(kind) or known.type
        known.status = name_of(raw.get("status")) or known.status
        known.given = words[: self._longest_text] or known.given

    _on_item_done = _on_item_create = _on_item_added

    def _on_item_deleted(self, message: Any, time: float | None) -> None:
        item_id = text_id(message.item_id)
        if item_id is not None:
            self._items.pop(self._numbers_of_ids.pop(item_id, 0), None)
            self._recent = None

    # ---- the user

    def _on_speech_started(self, message: Any, time: float | None) -> None:
        at = self._at(time)
        self.user_speaks = True
        speaking = self._answers.of(None) is not None
        if speaking:
            self._interrupted("speech_started", at, None)
        item_id = item_id_of(message)
        self._turns.speech_started(item_id, at)
        self._user_item(message, time)

    def _on_speech_stopped(self, message: Any, time: float | None) -> None:
        self.user_speaks = False
        self._turns.speech_stopped(item_id_of(message), self._at(time))
        self._user_item(message, time)

    def _on_commit(self, message: Any, time: float | None) -> None:
        self._turns.commit(self._at(time))

    def _on_committed(self, message: Any, time: float | None) -> None:
        self._turns.committed(item_id_of(message), self._at(time))
        self._user_item(message, time)

    def _on_user_transcript_delta(self, message: Any, time: float | None) -> None:
        words = words_of(message)
        if words:
            self._heard_item(message, time).words.add(words)

    def _on_user_transcript_so_far(self, message: Any, time: float | None) -> None:
        self._heard_item(message, time).words.say(words_of(message) or "")

    def _on_user_transcript(self, message: Any, time: float | None) -> None:
        self._heard_item(message, time, whole=True).words.end(words_of(message) or "")

    # ---- the model

    def _on_response_create(self, message: Any, time: float | None) -> None:
        self._turns.response_create(self._at(time))

    def _on_response_cancel(self, message: Any, time: float | None) -> None:
        self._turns.response_cancel()
        self._interrupted("response_cancel", self._at(time), message)

    def _on_response_start(self, message: Any, time: float | None) -> None:
        response_id, at = response_id_of(message), self._at(time)
        turn = self._turns.response_start(response_id, at)
        self._recent_worded = self._recent_heard = False
        self._answers.begin(response_id)
        self._responses.pop(response_id, None)
        self._lost["responses"] += remember(self._responses, response_id, Response(response_id, turn.number, at), self._most)

    def _on_response_end(self, message: Any, time: float | None) -> None:
        raw, response_id, at = raw_of(message.response), response_id_of(message), self._at(time)
        turn = self._turns.response_end(response_id, name_of(raw.get("status")), at)
        self._answers.end(response_id)
        response = self._responses.get(response_id)
        if response is None:
            response = Response(response_id, turn.number, None)
            self._lost["responses"] += remember(self._responses, response_id, response, self._most)
        response.done, response.status = at, turn.status or "completed"
        usage = numbers_in(raw.get("usage") or raw_of(getattr(message, "usage", None)))
        add_numbers(self.usage, usage)
        add_numbers(turn.usage, usage)
        output = raw.get("output")
        for one in output if isinstance(output, list) else ():
            if isinstance(one, dict) and one.get("type") in ("function_call", "mcp_call"):
                self._tools.seen(one, turn, at)
        if raw.get("status") == "cancelled":
            self._interrupted("cancelled", at, message, response_id)
        self._end_parts(response_id)
        self._answer_over(response_id)

    def _end_parts(self, response_id: str | None) -> None:
        item = self._last_audio
        if item is not None and item.parts.newest is not None and response_id in (None, item.response_id):
            item.parts.newest.over = True

    def _on_audio(self, message: Any, time: float | None) -> None:
        repeated = self._repeated.take(message)
        samples, rate = samples_in(message)
        if not samples:
            response_id = text_id(getattr(message, "response_id", None))
            if getattr(message, "delta", "") is None and self._turns.await_audio(response_id):  # a log that left the audio out
                self._turns.audio(response_id, self._at(time))
            return
        if repeated or self._dropped.has(message):
            return
        item = self._model_item(message, time)
        index = index_of(getattr(message, "content_index", None))
        parts = item.parts
        part = parts.by_index.get(index) or parts.find(index)
        if part is None:
            if len(parts.by_index) >= MOST_PARTS:
                del parts.by_index[next(iter(parts.by_index))]
            part = parts.by_index[index] = Part(index, 0, rate)
        part.over = False
        parts.newest = part
        if rate == part.rate:
            part.samples += samples
        else:
            part.add(samples, rate)
        self._last_audio = item
        if self._turns.await_audio(item.response_id):
            turn = self._turns.audio(item.response_id, self._at(time))
            if item.item_id is None and item.response_id is None:
                item.turn = turn.number
        # Without a response_id, the end of a turn is seen only by asking anew.
        self._recent_heard = item.response_id is not None
        self._recent_part, self._recent_index = part, getattr(message, "content_index", None)

    def _on_audio_end(self, message: Any, time: float | None) -> None:
        item = self._model_item(message, time)
        part = item.parts.find(index_of(getattr(message, "content_index", None)))
        if part is not None:
            part.over = True

    def _on_text_delta(self, message: Any, time: float | None) -> None:
        words = words_of(message)
        if words:
            item = self._model_item(message, time)
            item.words.add(words)
            self._note_words(item, time)

    def _on_text_so_far(self, message: Any, time: float | None) -> None:
        item, words = self._model_item(message, time), words_of(message) or ""
        item.words.say(words)
        if words:
            self._note_words(item, time)

    def _on_text_end(self, message: Any, time: float | None) -> None:
        item, words = self._model_item(message, time), words_of(message) or ""
        item.words.end(words)
        if words:
            self._note_words(item, time)

    def _note_words(self, item: Item, time: float | None) -> None:
        if self._turns.await_words(item.response_id):
            self._turns.words(item.response_id, self._at(time))
        self._recent_worded = True

    _on_transcript_delta, _on_transcript_so_far, _on_transcript_end = _on_text_delta, _on_text_so_far, _on_text_end

    # ---- tools

    def _tool_turn(self, message: Any, at: Moment) -> Turn:
        return self._turns.of_response(text_id(getattr(message, "response_id", None)), at)

    def _on_tool_arguments_delta(self, message: Any, time: float | None) -> None:
        at = self._at(time)
        self._tools.more(message, self._tool_turn(message, at), at)

    def _on_tool_call(self, message: Any, time: float | None) -> None:
        at = self._at(time)
        self._tools.complete(message, self._tool_turn(message, at), at)

    def _on_tool_output(self, message: Any, time: float | None) -> None:
        self._tools.answered(message.call_id, self._at(time))

    def _on_tool_started(self, message: Any, time: float | None) -> None:
        at = self._at(time)
        self._tools.seen({"type": "mcp_call", "id": message.item_id}, self._turns.now(at), at)

    def _on_tool_done(self, message: Any, time: float | None) -> None:
        self._tools.answered(message.item_id, self._at(time))

    def _on_tool_failed(self, message: Any, time: float | None) -> None:
        call = self._tools.answered(message.item_id, self._at(time))
        if call is not None:
            call.failed = True

    # ---- interruptions

    def _interrupted(self, cause: InterruptionCause, at: Moment, message: Any, response_id: str | None = None) -> None:
        turn = self._turns.current
        made = Interruption(at, turn.number if turn else 0, cause)
        made.item_id = item_id_of(message)
        made.response_id = response_id or text_id(getattr(message, "response_id", None))
        self._lost["interruptions"] += len(self._interruptions) == self._most
        self._interruptions.append(made)
        end = milliseconds_of(getattr(message, "audio_end_ms", None))
        if end is None or made.item_id is None:
            return
        made.audio_end_ms = round(end)
        item = self.item(made.item_id)
        part = item.parts.find(index_of(getattr(message, "content_index", None))) if item is not None else None
        if part is not None:
            part.cut_ms = min(made.audio_end_ms, part.milliseconds if part.cut_ms is None else part.cut_ms)

    def _on_interrupted(self, message: Any, time: float | None) -> None:
        at = self._at(time)
        self._interrupted("interrupted", at, message)
        self._dropped.interrupt(message)
        if not self._answers.announced:
            self._turns.interrupted(at)
            self._end_parts(None)
            self._answer_over(None)

    def _on_truncate(self, message: Any, time: float | None) -> None:
        self._interrupted("truncate", self._at(time), message)

    def _on_truncated(self, message: Any, time: float | None) -> None:
        self._interrupted("truncated", self._at(time), message)

    # ---- the session

    def _on_session_start(self, message: Any, time: float | None) -> None:
        self.session = message.session
        self._answers = Answers()
        self._dropped = Dropped()
        self._item_numbers.clear()
        self._numbers_of_ids.clear()
        self._repeated.forget()
        self._last_audio = self._turns.written = self._recent = None
        self.user_speaks = False

    def _on_session_update(self, message: Any, time: float | None) -> None:
        if isinstance(message, RealtimeServerMessage):  # a client asks, a server says
            self.session = getattr(message, "session", None)

    def _on_usage(self, message: Any, time: float | None) -> None:
        numbers: dict[str, float] = {}
        add_numbers(numbers, numbers_in(raw_of(message.usage)))
        self.session_usage = numbers or self.session_usage

    def _on_rate_limits(self, message: Any, time: float | None) -> None:
        self.rate_limits = message.rate_limits

    def _on_error(self, message: Any, time: float | None) -> None:
        self.errors += 1

    _on_user_transcript_failed = _on_error
