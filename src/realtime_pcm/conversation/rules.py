"""The rules that everything shares: what an id is, when an answer ends, which audio is one part, what the words are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from .._core import CarriesAudio, RealtimeMessage
from ..audio import BYTES_OF_SAMPLE
from ..objects import View
from ..roles import TEXT_FIELDS

if TYPE_CHECKING:
    from ..messages import AudioMessage

MOST_ANSWERS = 1024  # under way
MOST_NUMBERS = 200  # of a usage
LARGEST_NUMBER = 1e15  # of a usage: sums of such numbers are exact, or nearly so, and never overflow
LONGEST_ID = 512
LONGEST_NAME = 200
DEEPEST = 6

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


# ---- Ids ---------------------------------------------------------------------------------------------------


def text_id(value: object) -> str | None:
    """An id that a server means: a string of 1 to 512 characters. Anything else, "" included, is no id."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID else None


def response_id_of(message: Any) -> str | None:
    """The id of the response that a message begins or ends."""
    # xAI leaves `response` empty and names the response beside it; any other JSON value may stand there.
    named = text_id(member_of(message.response, "id"))
    return text_id(getattr(message, "response_id", None)) if named is None else named


def item_id_of(message: Any) -> str | None:
    """The id of the item that a message belongs to. A private class need not declare it."""
    return text_id(getattr(message, "item_id", None))


def key_of(message: Any) -> tuple[str | None, str | None, int | None]:
    """Which audio a message of the model belongs to: its response_id, item_id and content_index."""
    index = index_of(getattr(message, "content_index", None))
    return text_id(getattr(message, "response_id", None)), item_id_of(message), index


def index_of(value: object) -> int | None:
    """A content_index; None for what is no whole number of at least 0."""
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def repeats(before: AudioMessage, message: AudioMessage) -> bool:
    """Whether a server sends the delta before once more.

    It does when both have the same event_id and the same payload: ids alone may be constant. It also does when both have the
    same payload under the two wire names of one message, GA and beta.
    """
    event_id: object = message.event_id
    same_id = isinstance(event_id, str) and bool(event_id) and event_id == before.event_id
    if not same_id and (message.type == before.type or type(message) is not type(before)):
        return False
    return message.delta == before.delta


class Repeated:
    """Tells which deltas of audio a server sends once more: `repeats`, for one delta after the other."""

    __slots__ = ("_before",)

    def __init__(self) -> None:
        self._before: AudioMessage | None = None

    def take(self, message: AudioMessage) -> bool:
        """Takes the next delta. Whether it repeats the one before."""
        before, self._before = self._before, message
        if before is None:
            return False
        if message.type is before.type:  # most of them, told without a call
            event_id: object = message.event_id
            if event_id is None or (type(event_id) is str and event_id != before.event_id):
                return False
        if not repeats(before, message):
            return False
        if before.type != message.type:
            self._before = None  # its twin has come: the next one is new, even if it sounds the same
        return True

    def forget(self) -> None:
        """Another connection begins."""
        self._before = None


class Dropped:
    """Which audio is late, where audio has numbers: an interruption names the last one that it drops."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = -1  # of the last piece that is late

    def interrupt(self, message: Any) -> None:
        """Takes a message of the role `interrupted`."""
        number = index_of(getattr(message, "number", None))
        if number is not None:
            self.number = number

    def has(self, message: Any) -> bool:
        """Whether this audio is late."""
        if self.number < 0:
            return False
        number = index_of(getattr(message, "number", None))
        return number is not None and number <= self.number


def remember(table: dict[_Key, _Value], key: _Key, value: _Value, most: int) -> int:
    """Adds to a table of bounded size; the oldest entry makes room. How many were forgotten: 0 or 1."""
    full = key not in table and len(table) >= most
    if full:
        del table[next(iter(table))]
    table[key] = value
    return int(full)


# ---- Values of a message that may be anything --------------------------------------------------------------


def raw_of(value: object) -> dict[str, Any]:
    """The dict that a view or a dict holds; an empty one for anything else, since a server may send anything."""
    found = value.raw if isinstance(value, View) else value
    return found if isinstance(found, dict) else {}


_text_fields: dict[type, tuple[str, ...]] = {}  # of each class: where its messages may have words


def words_of(message: RealtimeMessage) -> str | None:
    """The words of a message: the first of TEXT_FIELDS that its class declares and that is a string, but for audio in it."""
    cls = type(message)
    names = _text_fields.get(cls)
    if names is None:
        names = _text_fields[cls] = _text_fields_of(cls)
    for name in names:
        words = getattr(message, name, None)
        if isinstance(words, str):
            stash = getattr(message, "stash", None)  # DashScope: what may still change
            return words + stash if isinstance(stash, str) else words
    return None


def _text_fields_of(cls: type) -> tuple[str, ...]:
    if not issubclass(cls, RealtimeMessage):
        return TEXT_FIELDS  # a field of a message: see meanings.py
    return tuple(name for name in TEXT_FIELDS if hasattr(cls, name) and not (name == "delta" and issubclass(cls, CarriesAudio)))


def member_of(value: object, name: str) -> Any:
    """A member of the object that a view or a dict holds; None without it, and of anything else."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None) if isinstance(value, View) else None


def words_in(content: object) -> str:
    """The words of an item's content: of each part its text or, without one, its transcript."""
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [[text for text in (part.get("text"), part.get("transcript")) if text and isinstance(text, str)] for part in parts]
    return " ".join(found[0] for found in texts if found)


def words_in_item(raw: dict[str, Any]) -> str:
    """The words of an item as a dict; Gemini calls its content `parts`."""
    return words_in(raw.get("content", raw.get("parts")))


def milliseconds_of(value: object) -> float | None:
    """The milliseconds that a message names; None for what is no number from 0 to 1e12, such as true."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        return None
    return float(value)


def arguments_of(value: object) -> str | None:
    """The arguments of a call as JSON text: some servers send the object itself. None for anything else."""
    if isinstance(value, (dict, View)):
        return json.dumps(raw_of(value), ensure_ascii=False, separators=(",", ":"))
    return value if isinstance(value, str) else None


def samples_in(message: Any) -> tuple[int, int]:
    """How many samples of each channel a message of audio has, whatever the decoder's dtype, and their rate."""
    pcm, audio_format = message.pcm, message.audio_format
    count = len(pcm)
    if isinstance(pcm, bytes):
        count //= 2
    elif pcm.itemsize == 1:
        width = BYTES_OF_SAMPLE.get(audio_format.encoding)
        count = 0 if width is None else count // width
    return count // audio_format.channels, audio_format.rate


Numbers: TypeAlias = list[tuple[str, float | None]]


def numbers_in(value: object) -> Numbers:
    """The numbers of a usage object with their paths; None for one that no usage can be. Costs sent as text are read too."""
    found: Numbers = []
    _find_numbers(found, value, "", DEEPEST)
    return found


def _find_numbers(found: Numbers, value: object, path: str, depth: int) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        found.append((path, value if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else None))
    elif isinstance(value, dict):
        if depth:
            for key, part in value.items():
                _find_numbers(found, part, (f"{path}.{key}" if path else key)[:LONGEST_NAME], depth - 1)
    elif isinstance(value, float):
        found.append((path, value if abs(value) <= LARGEST_NUMBER else None))
    elif isinstance(value, str) and len(value) < 40 and "cost" in path.lower():
        try:
            number = float(value)
        except ValueError:
            return
        found.append((path, number if abs(number) <= LARGEST_NUMBER else None))


def add_numbers(sums: dict[str, float], numbers: Numbers) -> int:
    """Adds each of the numbers_in a usage object to its sum.

    Returns how many were left out: no usage can be so large, or there is no room.
    """
    left_out = 0
    for path, number in numbers:
        if number is not None and (path in sums or len(sums) < MOST_NUMBERS):
            sums[path] = sums.get(path, 0) + number
        else:
            left_out += 1
    return left_out


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


# ---- Parts of an item --------------------------------------------------------------------------------------


class _HasEnd(Protocol):
    over: bool


_P = TypeVar("_P", bound=_HasEnd)


class Parts(Generic[_P]):
    """The audio of one item: its content parts, by the content_index of the first message of each.

    A part goes on under another content_index as long as no end of its audio has come: some servers count chunks with it. After
    an end the same content_index goes on with its part, and another begins the next.
    """

    __slots__ = ("by_index", "newest")

    def __init__(self) -> None:
        self.by_index: dict[int | None, _P] = {}
        self.newest: _P | None = None  # the part that spoke last

    def find(self, content_index: int | None) -> _P | None:
        """The part that audio with this content_index, or its end, belongs to; None: another part begins."""
        part = self.by_index.get(content_index)
        if part is None and self.newest is not None and not self.newest.over:
            part = self.newest
        return part


# ---- Words -------------------------------------------------------------------------------------------------


class Text:
    """The words of one item: pieces, and whole texts that take the place of the pieces since the whole text before.

    Servers differ in what an end holds. One may come for each sentence: then all of them are kept, with a space between. It
    may repeat all that came before, or come twice: then it takes its place. left_out: characters behind the first `most`.
    """

    __slots__ = ("_letters", "_pieces", "_whole", "left_out", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.left_out = 0
        self._whole = ""
        self._pieces: list[str] = []
        self._letters = 0  # of the pieces

    def __str__(self) -> str:
        return _joined(self._whole, "".join(self._pieces)) if self._pieces else self._whole

    def __bool__(self) -> bool:
        return bool(self._whole or self._letters)

    def __len__(self) -> int:
        return len(self._whole) + self._letters

    def add(self, words: str) -> None:
        """More words."""
        letters = len(words)
        room = self.most - self._letters - len(self._whole)
        if letters > room:
            words = words[: max(0, room)]
            self.left_out += letters - len(words)
            letters = len(words)
        if letters:
            self._letters += letters
            pieces = self._pieces
            pieces.append(words)
            if len(pieces) >= 256:  # many short strings take more memory than a long one
                pieces[:] = ["".join(pieces)]

    def say(self, words: str) -> None:
        """All words since the last end: they take the place of those that came before."""
        self._pieces.clear()
        self._letters = 0
        self.add(words)

    def end(self, words: str) -> None:
        """A whole text. An empty one ends the pieces, which stand."""
        pieces = "".join(self._pieces)
        self._pieces.clear()
        self._letters = 0
        if not words:
            words = pieces
        elif not pieces and self._whole:
            if self._whole.endswith(words):
                return  # told again
            if words.startswith(self._whole):
                self._whole = ""  # all of it so far
        whole = _joined(self._whole, words)
        self.left_out += max(0, len(whole) - self.most)
        self._whole = whole[: self.most]


# What a role says of the words of an item: there are more of them, these are all so far, or this is a whole text.
WORDS: dict[str, Callable[[Text, str], None]] = {
    f"{whose}_{step}": how
    for whose in ("text", "transcript", "user_transcript")
    for step, how in (("delta", Text.add), ("so_far", Text.say), ("end", Text.end))
}
WORDS["user_transcript"] = WORDS.pop("user_transcript_end")


def _joined(before: str, words: str) -> str:
    if not before or not words or before[-1].isspace() or words[0].isspace() or ord(before[-1]) >= 0x2E80:
        return before + words
    return f"{before} {words}"


def name_of(value: object) -> str | None:
    """A name of a frame, at most 200 characters of it; None for what is no string."""
    return value[:LONGEST_NAME] if isinstance(value, str) else None
