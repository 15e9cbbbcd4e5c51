"""What messages mean for a conversation: its ids, its answers, and what comes twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .messages import AudioMessage, ResponseCreated, ResponseDone

MOST_ANSWERS = 1024  # under way
LONGEST_ID = 512

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


# ---- Ids ---------------------------------------------------------------------------------------------------


def text_id(value: object) -> str | None:
    """An id that a server means: a string of 1 to 512 characters. Anything else, "" included, is no id."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID else None


def response_id_of(message: ResponseCreated | ResponseDone) -> str | None:
    """The id of the response that a message begins or ends."""
    # xAI leaves `response` empty and names the response beside it; any other JSON value may stand there.
    named = text_id(getattr(message.response, "id", None))
    return text_id(message.response_id) if named is None else named


def repeats(before: AudioMessage, message: AudioMessage) -> bool:
    """Whether a server sends the delta before once more.

    It does when both have the same event_id and the same payload: ids alone may be constant. It also does when both have the
    same payload under the two wire names of one message, GA and beta.
    """
    same_id = bool(message.event_id) and message.event_id == before.event_id
    if not same_id and (message.type == before.type or type(message) is not type(before)):
        return False
    return message.delta == before.delta


def remember(table: dict[_Key, _Value], key: _Key, value: _Value, most: int) -> None:
    """Adds to a table of bounded size; the oldest entry makes room."""
    if key not in table and len(table) >= most:
        del table[next(iter(table))]
    table[key] = value


# ---- Answers -----------------------------------------------------------------------------------------------


class Answer:
    """A response that was announced: response.created has come, and response.done has not."""

    __slots__ = ("interrupted", "over")

    def __init__(self) -> None:
        self.interrupted = False  # the audio that is still due is late
        self.over = False


class Answers:
    """The responses under way.

    Servers that send response.created end each response with response.done. What names no response under way belongs to the
    newest of them: some servers leave the ids of deltas empty, or give them ids of their own.
    """

    __slots__ = ("_newest", "_under_way", "announced")

    def __init__(self) -> None:
        self.announced = False  # the server sends response.created
        self._under_way: dict[str | None, Answer] = {}
        self._newest: Answer | None = None

    def begin(self, response_id: str | None) -> None:
        """The response was created."""
        self.announced = True
        before = self._under_way.pop(response_id, None)
        if before is not None:
            before.over = True  # the same id again is another answer
        self._newest = Answer()
        remember(self._under_way, response_id, self._newest, MOST_ANSWERS)

    def of(self, response_id: str | None) -> Answer | None:
        """The answer under way that a message with this response_id is part of."""
        return self._under_way.get(response_id, self._newest)

    def end(self, response_id: str | None) -> None:
        """The response is done. An id that no response under way has ends all of them."""
        ended = self._under_way.pop(response_id, None)
        if ended is not None:
            ended.over = True
        else:
            for answer in self._under_way.values():
                answer.over = True
            self._under_way.clear()
        self._newest = next(reversed(self._under_way.values()), None)

    def interrupt(self) -> None:
        """The audio that is still due of them is late."""
        for answer in self._under_way.values():
            answer.interrupted = True

    def resume(self) -> None:
        """It is not."""
        for answer in self._under_way.values():
            answer.interrupted = False
