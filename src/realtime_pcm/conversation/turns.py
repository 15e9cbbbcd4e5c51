"""Turns and their measures: which turn a message belongs to, and how long the user waited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

from .rules import MOST_ANSWERS, remember

LatencyFrom = Literal["speech_stopped", "committed", "commit", "response.create"]


class Moment(NamedTuple):
    """When something happened: the number of the message, from 1; seconds, None where nobody said; the place in a picture."""

    line: int
    time: float | None
    place: float


@dataclass(slots=True)
class Turn:
    """What the user put in, and all that the model answered until the user's next input.

    Attributes:
        began: What began it: "speech", "commit", "text" or, where the model speaks unasked, "response".
        committed: By the server.
        commit: By the client.
        asked: The first response.create.
        first_text: The first words of the model, written or spoken.
        done: The last response.done.
        latency: Seconds from `latency_from` to the first audio.
        text_latency: To the first words.
        responses: How many.
        tools: How many.
        status: Of the last response, such as "completed".
        cancelled: The client asked for its end.
    """

    number: int
    began: Literal["speech", "commit", "text", "response"]
    at: Moment
    speech_started: Moment | None = None
    speech_stopped: Moment | None = None
    committed: Moment | None = None
    commit: Moment | None = None
    asked: Moment | None = None
    response_created: Moment | None = None
    first_text: Moment | None = None
    first_audio: Moment | None = None
    done: Moment | None = None
    latency: float | None = None
    latency_from: LatencyFrom | None = None
    text_latency: float | None = None
    responses: int = 0
    status: str | None = None
    cancelled: bool = False
    tools: int = 0
    usage: dict[str, float] = field(default_factory=dict)


def wait_of(turn: Turn) -> tuple[Moment | None, LatencyFrom | None]:
    """From when the user waits for an answer, as far as is known by now, and what says so."""
    if turn.speech_stopped is not None:
        return turn.speech_stopped, "speech_stopped"
    if turn.committed is not None:
        return turn.committed, "committed"
    if turn.commit is not None:
        return turn.commit, "commit"
    if turn.asked is not None:
        return turn.asked, "response.create"
    return None, None


def seconds_between(start: Moment | None, end: Moment | None) -> float | None:
    """Seconds from one moment to the other; None where one of them is not known."""
    if start is None or end is None or start.time is None or end.time is None:
        return None
    return end.time - start.time


_T = TypeVar("_T", bound=Turn)
_I = TypeVar("_I")


class Turns(Generic[_T, _I]):
    """Which turn a message belongs to, and the measures of each turn.

    make: a new turn from its number, what began it, and when. The ids are those of `text_id`.
    """

    def __init__(self, make: Callable[[int, Literal["speech", "commit", "text", "response"], Moment], _T]) -> None:
        self._make = make
        self.count = 0
        self.current: _T | None = None
        self._of_responses: dict[str | None, _T] = {}
        self._speaking: _T | None = None  # between speech_started and speech_stopped
        self._user_items: dict[str, None] = {}
        self._committed = False  # by the client; the server has not said so yet
        self._made: str | None = None  # the text of a user's item that has no id yet
        self.written: _I | None = None  # that item, if whoever keeps items says so
        self._cut: _T | None = None  # interrupted, on a server that announces no responses; its end may still be told

    # ---- which turn

    def _new(self, began: Literal["speech", "commit", "text", "response"], at: Moment) -> _T:
        self.count += 1
        self.current = self._make(self.count, began, at)
        return self.current

    def _input(self, began: Literal["speech", "commit", "text"], at: Moment) -> _T:
        """The turn of the user's input: a new one where the model has answered the last."""
        turn = self.current
        if turn is None or turn.responses or turn.first_audio is not None or turn.first_text is not None:
            turn = self._new(began, at)
        return turn

    def heard(self, whole: bool, at: Moment) -> _T:
        """The turn of the user's words, where they have no ids and nothing else tells of the user's speech.

        whole: of whole words, so that those after an answer begin a turn; pieces may be late, and wait for the answer's end.
        """
        turn = self.current
        if turn is None:
            return self._new("speech", at)
        if turn.speech_started is not None or turn.committed is not None or turn.response_created is not None:
            return turn
        answered = turn.first_audio is not None or turn.first_text is not None
        return self._new("speech", at) if turn.done is not None or (whole and answered) else turn

    def interrupted(self, at: Moment) -> None:
        """The model was stopped. On a server that announces no responses, that is the end of an answer."""
        turn = self.current
        if turn is None or turn.response_created is not None or turn.done is not None:
            return
        if turn.first_audio is not None or turn.first_text is not None:
            self._cut = turn
            turn.responses += 1
            turn.status, turn.done = "cancelled", at

    def now(self, at: Moment) -> _T:
        """The turn of what the model does, where nothing else tells."""
        return self.current or self._new("response", at)

    def of_response(self, response_id: str | None, at: Moment) -> _T:
        """The turn of a response."""
        return self._of_responses.get(response_id) or self.now(at)

    # ---- the user

    def speech_started(self, item_id: str | None, at: Moment) -> _T:
        """The user speaks."""
        self._committed, self._made, self.written = False, None, None
        turn = self._speaking = self._input("speech", at)
        turn.speech_started = turn.speech_started or at
        turn.speech_stopped = turn.committed = turn.commit = None
        self._name(item_id)
        return turn

    def speech_stopped(self, item_id: str | None, at: Moment) -> _T:
        """The user has stopped: a translator answers while the user speaks, so the turn is that of the beginning."""
        turn = self._speaking or self._input("speech", at)
        turn.speech_stopped = at
        self._speaking = None
        self._name(item_id)
        return turn

    def commit(self, at: Moment) -> _T:
        """The client says that the user's turn is over."""
        turn = self._input("commit", at)
        turn.commit = at
        self._committed = True
        return turn

    def committed(self, item_id: str | None, at: Moment) -> _T:
        """The server has made an item of it."""
        turn = self.current if self._committed and self.current is not None else self._input("commit", at)
        turn.committed = turn.committed or at
        self._committed = False
        self._name(item_id)
        return turn

    def text(self, item_id: str | None, words: str, at: Moment, *, repeats: bool) -> tuple[_T | None, _I | None]:
        """The user has written: the turn, or None if the item is known; and the item without an id that this text repeats.

        Whoever keeps an item of a text without an id puts it into `written`. If its repetition has an id, that is the item's.

        repeats: a server says so, which repeats what the client has written: with an id, or without one.
        """
        if item_id is not None and item_id in self._user_items:
            return None, None
        known = repeats and self._made == words
        written = self.written if known else None
        self._name(item_id)
        self._made, self.written = (words, written) if item_id is None else (None, None)
        return (None if known else self._input("text", at)), written

    def _name(self, item_id: str | None) -> None:
        if item_id is not None:
            remember(self._user_items, item_id, None, MOST_ANSWERS)

    # ---- the model

    def response_create(self, at: Moment) -> _T:
        """The client asks for an answer: to what the user said, to a tool's output, or without either."""
        turn = self.current
        if turn is None or (turn.done is not None and not turn.cancelled and not turn.tools):
            turn = self._new("response", at)
        if turn.asked is None and turn.first_audio is None:
            turn.asked = at
        return turn

    def response_cancel(self) -> None:
        """The client asks for the end of the answer. Asking anew belongs to the same turn."""
        if self.current is not None and self.current.done is None:
            self.current.cancelled = True

    def response_start(self, response_id: str | None, at: Moment) -> _T:
        """An answer begins."""
        turn = self.now(at)
        turn.responses += 1
        turn.status = "in_progress"
        turn.response_created = turn.response_created or at
        remember(self._of_responses, response_id, turn, MOST_ANSWERS)
        return turn

    def response_end(self, response_id: str | None, status: str | None, at: Moment) -> _T:
        """An answer is over."""
        known = self._of_responses.get(response_id)
        if known is None and response_id is None and self._cut is not None:
            cut, self._cut = self._cut, None  # the end of what was interrupted
            return cut
        turn = known or self.now(at)
        if known is None:
            turn.responses += 1
        turn.status, turn.done = status or "completed", at
        return turn

    def words(self, response_id: str | None, at: Moment) -> _T:
        """The model has written or said something."""
        turn = self.of_response(response_id, at)
        if turn is not self._cut:
            self._cut = None
        if turn.first_text is None:
            turn.first_text = at
            turn.text_latency = seconds_between(wait_of(turn)[0], at)
        return turn

    def await_words(self, response_id: str | None) -> bool:
        """Whether no words have come in the turn of this response."""
        turn = self._of_responses.get(response_id) or self.current
        return turn is None or turn.first_text is None

    def await_audio(self, response_id: str | None) -> bool:
        """Whether no audio has come in the turn of this response."""
        turn = self._of_responses.get(response_id) or self.current
        return turn is None or turn.first_audio is None or self._is_over(response_id, turn)

    def _is_over(self, response_id: str | None, turn: Turn) -> bool:
        """Whether audio without ids begins another turn: the server announces no responses, and has ended this one."""
        return response_id is None and turn.done is not None and turn.response_created is None

    def audio(self, response_id: str | None, at: Moment) -> _T:
        """Audio of the model has come."""
        turn = self.of_response(response_id, at)
        if self._is_over(response_id, turn):
            turn = self._new("response", at)
        self._cut = None
        if turn.first_audio is None:
            turn.first_audio = at
            start, name = wait_of(turn)
            turn.latency, turn.latency_from = seconds_between(start, at), name
        return turn
