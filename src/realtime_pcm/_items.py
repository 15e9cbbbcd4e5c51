"""Which audio messages are played, and what an interruption says of them: what the buffer and the tracker share.

`playback.py` says what is played and what is late.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._core import role_of_message
from .conversation.meanings import meanings_of
from .conversation.rules import Answer, Answers, Dropped, Parts, Repeated, key_of, remember, response_id_of
from .messages import AudioMessage, RealtimeServerMessage
from .stream import InvalidFrame

if TYPE_CHECKING:
    from typing import TypeGuard

    from ._playback import Report
    from ._resample import Resampler, Samples

_MOST_SILENCED = 4096  # interrupted items: more than one interruption can have


# ---- What an interruption says -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truncation:
    """An item of which a part was heard.

    Attributes:
        item_id: The server's name of the item.
        content_index: The content part's index; 0 if the messages had none.
        samples: How many of its samples were heard, per channel, at its own rate. Never more than were received.
        audio_end_ms: samples * 1000 // rate, at least 1.
        frame: The JSON text of the conversation.item.truncate to send.
        response_id: The response that it belongs to, or None.
        rate: The item's own sample rate, in samples per second.
        received: How many of its samples had arrived.
    """

    item_id: str | None
    content_index: int
    samples: int
    audio_end_ms: int
    frame: str
    response_id: str | None
    rate: int
    received: int


@dataclass(frozen=True, slots=True)
class UnheardItem:
    """An item of which less than a millisecond was heard. Servers refuse to truncate it; it can be deleted instead.

    The other attributes are those of Truncation.

    Attributes:
        delete_frame: The JSON text of the conversation.item.delete that removes the item. None if it has no item_id, or if
            another content part of the same item was heard.
    """

    item_id: str | None
    content_index: int
    samples: int
    delete_frame: str | None
    response_id: str | None
    rate: int
    received: int


@dataclass(frozen=True, slots=True)
class PlayedItem:
    """An item that has ended and was heard to its end. Nothing is to be sent for it. Its fields are those of Truncation."""

    item_id: str | None
    content_index: int
    samples: int
    response_id: str | None
    rate: int


@dataclass(frozen=True, slots=True)
class Interruption:
    """The items since the previous interruption, in the order of their first audio, and how much of each was heard.

    Send `frames` to a Realtime server.

    Attributes:
        truncations: Items that were heard in part, each with its `frame`.
        unheard: Items that were not heard at all. Each has a `delete_frame`, or None.
        played: Items that were heard to the end.
        unidentified: Items that were heard in part but have no item_id, so no frame can name them. Their `frame` is "".
    """

    truncations: tuple[Truncation, ...]
    unheard: tuple[UnheardItem, ...]
    played: tuple[PlayedItem, ...]
    unidentified: tuple[Truncation, ...]

    @property
    def frames(self) -> list[str]:
        """What to tell a Realtime server: JSON texts, to be sent one by one.

        They truncate the items that were heard in part. They delete those that were not heard at all, because servers refuse to
        truncate at 0 ms.
        """
        deleted = [item.delete_frame for item in self.unheard if item.delete_frame is not None]
        return [cut.frame for cut in self.truncations] + deleted


def _said_of(reports: list[Report], streams: dict[int, Stream]) -> Interruption:
    truncations: list[Truncation] = []
    unidentified: list[Truncation] = []
    played: list[PlayedItem] = []
    silent: list[tuple[Stream, int, int]] = []
    heard: set[str | None] = {None}
    for item, received, samples, complete in reports:
        stream = streams[item]
        (response_id, item_id), index = stream.key
        content_index = index or 0
        end_ms = samples * 1000 // stream.item_rate
        if complete:
            played.append(PlayedItem(item_id, content_index, samples, response_id, stream.item_rate))
        elif stream.gone:
            continue
        elif end_ms == 0:
            silent.append((stream, samples, received))
            continue
        else:
            frame = (
                ""
                if item_id is None
                else _frame("conversation.item.truncate", item_id=item_id, content_index=content_index, audio_end_ms=end_ms)
            )
            (unidentified if item_id is None else truncations).append(
                Truncation(item_id, content_index, samples, end_ms, frame, response_id, stream.item_rate, received)
            )
        heard.add(item_id)
    unheard = []
    for stream, samples, received in silent:
        (response_id, item_id), index = stream.key
        delete = None if item_id in heard else _frame("conversation.item.delete", item_id=item_id)
        unheard.append(UnheardItem(item_id, index or 0, samples, delete, response_id, stream.item_rate, received))
    return Interruption(tuple(truncations), tuple(unheard), tuple(played), tuple(unidentified))


def _frame(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


# ---- What comes in -----------------------------------------------------------------------------------------

Item = tuple["str | None", "str | None"]  # response_id, item_id
Key = tuple[Item, "int | None"]  # and the first content_index


class Stream:
    """How far one item has come in.

    Its messages fall into segments: stretches without a gap and in one format. Within a segment a sample's place in the item
    follows from its number. `expected` and `start` count in units of the messages' own arrays: samples of each channel, or
    bytes where the decoder's dtype is uint8.
    """

    __slots__ = (
        "answer",
        "expected",
        "gone",
        "index",
        "item",
        "item_rate",
        "key",
        "last_index",
        "origin",
        "over",
        "rate",
        "resampler",
        "rest",
        "start",
        "unit",
    )

    def __init__(self, key: Key, answer: Answer | None, item: int, rate: int, unit: int) -> None:
        self.key = key
        self.last_index = key[1]  # the content_index of its newest message
        self.answer = answer  # the announced answer that it is part of
        self.item = item  # its number in the ledger
        self.item_rate = rate  # places in the item count samples of this rate
        self.over = False  # its end has come, and no audio since
        self.gone = False  # its session is gone: no frame can name it any more
        self.expected = 0  # the sample_offset of the next message
        self.rate = rate  # of the segment
        self.unit = unit  # what one sample on all channels is in `expected`
        self.origin = 0  # the place at which the segment begins
        self.start = 0  # the sample_offset at which the segment begins
        self.index = 0  # samples of the segment that left the resampler
        self.resampler: Resampler | None = None
        self.rest: Samples | None = None  # the beginning of a sample whose other channels come with the next message

    def begin_segment(self, rate: int, unit: int, start: int) -> None:
        self.origin = self.received + max(0, start - self.expected) // unit * self.item_rate // rate
        self.rate = rate
        self.unit = unit
        self.start = self.expected = start
        self.index = 0
        self.resampler = None
        self.rest = None

    @property
    def samples(self) -> int:
        """The segment's whole samples so far."""
        return (self.expected - self.start) // self.unit

    @property
    def received(self) -> int:
        """The item's samples so far."""
        return self.origin + self.samples * self.item_rate // self.rate


class Conversation:
    """Which audio is to be played: what is new. Not what came before, nor what was interrupted and is still due."""

    __slots__ = (
        "_begin",
        "_dropped",
        "_end",
        "_late_end",
        "_repeated",
        "answers",
        "duplicates",
        "forgotten",
        "full",
        "items",
        "late",
        "silenced",
        "streams_of_items",
    )

    def __init__(self, begin: Callable[[], int], end: Callable[[Stream], None]) -> None:
        self._begin = begin
        self._end = end
        self._repeated = Repeated()
        self.items: dict[Item, Parts[Stream]] = {}
        self.streams_of_items: dict[int, Stream] = {}  # by their number in the ledger
        self.answers = Answers()
        self.silenced: dict[Item, None] = {}  # interrupted items of answers that nobody announced
        self.late = self.duplicates = self.forgotten = 0
        self.full = False
        self._dropped = Dropped()
        self._late_end = 0  # where such audio of a stream without ids has ended

    def follow(self, message: RealtimeServerMessage | InvalidFrame | None) -> None:
        """Follows a message without audio: the begin of a response or session, the end of audio. Ignores others."""
        if isinstance(message, RealtimeServerMessage):
            for role, meant in meanings_of(message):
                self._follow(role, meant)

    def _follow(self, role: str, message: Any) -> None:
        if role == "response_start":
            self.answers.begin(response_id_of(message))
            self.silenced.clear()
        elif role == "response_end":
            response_id = response_id_of(message)
            self.answers.end(response_id)
            for key in [key for key in self.silenced if key[0] is None or key[0] == response_id]:
                del self.silenced[key]
            self._end_answers(response_id)
        elif role == "audio_end":
            item, content_index = _key(message)
            without_ids = item == (None, None)
            if not self.answers.announced:
                self.silenced.clear() if without_ids else self.silenced.pop(item, None)
            stream = self._find(item, content_index)
            self._finish(self._open() if without_ids else [] if stream is None else [stream])
        elif role in ("interrupted", "user_transcript") and not self.answers.announced:
            # Without ids, an interruption is the end of an answer, and the user's next words are that of what was due.
            if role == "interrupted" or _key(message)[0] == (None, None):
                self.silenced.clear()
                self._finish(self._open())
            if role == "interrupted":
                self._dropped.interrupt(message)
        elif role == "session_start":
            # Another connection: its ids have nothing to do with those before.
            self._finish(self._open())
            for stream in self.streams_of_items.values():
                stream.gone = True
            self.items.clear()
            self.silenced.clear()
            self.answers = Answers()
            self._repeated.forget()
            self._dropped = Dropped()
            self._late_end = 0

    def _end_answers(self, response_id: str | None) -> None:
        """Ends the items of a response that is done: what comes under their ids is another answer's."""
        over = []
        for stream in self._open():
            named = stream.key[0][0]
            if named == response_id or (named is None if stream.answer is None else stream.answer.over):
                over.append(stream)
        self._finish(over)
        for stream in over:
            self._drop(stream)

    def _open(self) -> list[Stream]:
        """The streams that ids name."""
        return [stream for parts in self.items.values() for stream in parts.by_index.values()]

    def _drop(self, stream: Stream) -> None:
        """Drops a stream: later audio with its ids is another stream."""
        item, content_index = stream.key
        parts = self.items.get(item)
        if parts is not None and parts.by_index.get(content_index) is stream:
            del parts.by_index[content_index]
            if not parts.by_index:
                del self.items[item]
            elif parts.newest is stream:
                parts.newest = None

    def _find(self, item: Item, content_index: int | None) -> Stream | None:
        parts = self.items.get(item)
        return None if parts is None else parts.find(content_index)

    def _finish(self, streams: list[Stream]) -> None:
        for stream in streams:
            if not stream.over:
                stream.over = True
                self._end(stream)

    def place(
        self, message: AudioMessage, size: int, offset: int | None, rate: int, unit: int
    ) -> tuple[Stream, int, bool] | None:
        """The stream of a message's audio, how much of its beginning came before, and whether a segment begins.

        None where all of it is late, came before, or finds no room in the ledger: `full` is then true. size, offset: in the
        units of Stream.expected. The stream is then as it was before the message.
        """
        self.full = False
        repeated = self._repeated.take(message)
        item, content_index = _key(message)
        answer = self.answers.of(item[0])
        if (answer is not None and answer.interrupted) or item in self.silenced:
            self.late += size // unit
            return None
        if self._dropped.has(message):
            self.late += size // unit
            self._late_end = (offset or 0) + size
            return None
        stream = self._find(item, content_index)
        if repeated:
            self.duplicates += size // unit
            if stream is not None and offset == stream.expected:
                # The decoder has counted it: those samples are no part of the item.
                stream.expected += size
                stream.start += size
            return None
        if stream is None or (stream.over and item[1] is None):
            stream = self._new((item, content_index), answer, rate, unit)
            self.full = stream is None
            if stream is not None and item == (None, None):
                stream.start = stream.expected = self._late_end  # the decoder has counted what was late
                self._late_end = 0
            return None if stream is None else (stream, 0, True)
        # A decoder may count anew after an end, or under another content_index.
        restarts = offset == 0 and (stream.over or content_index != stream.last_index)
        anew = restarts or (rate, unit) != (stream.rate, stream.unit)
        skip = 0
        if not anew and offset is not None:
            skip = max(0, stream.expected - offset)
            if skip >= size:
                self.duplicates += size // unit
                return None
            self.duplicates += skip // unit
            anew = offset > stream.expected
        stream.over = False
        stream.last_index = content_index
        self.items[item].newest = stream
        return stream, skip, anew

    def _new(self, key: Key, answer: Answer | None, rate: int, unit: int) -> Stream | None:
        number = self._begin()
        if number < 0:
            return None
        forgotten = self.streams_of_items.get(number)
        if forgotten is not None:
            self.forgotten += 1
            self._drop(forgotten)
        stream = Stream(key, answer, number, rate, unit)
        parts = self.items.setdefault(key[0], Parts())
        parts.by_index[key[1]] = parts.newest = self.streams_of_items[number] = stream
        return stream

    def interrupted(self, reports: list[Report]) -> Interruption:
        """Silences what is still due of all that is known, and says what the ledger's reports mean."""
        said = _said_of(reports, self.streams_of_items)
        self.answers.interrupt()
        for stream in self._open():
            if stream.answer is None and not stream.over:
                remember(self.silenced, stream.key[0], None, _MOST_SILENCED)
        self.items.clear()
        self.streams_of_items.clear()
        return said

    def resume(self) -> None:
        """Ends the silence of an interruption by hand."""
        self.answers.resume()
        self.silenced.clear()


def _key(message: object) -> Key:
    response_id, item_id, index = key_of(message)
    return (response_id, item_id), index


def is_speech(message: object) -> TypeGuard[AudioMessage]:
    """Whether a message carries what the model says: GPT-Live copies the user's speech to a sideband; nobody plays that."""
    return isinstance(message, AudioMessage) and role_of_message(message) == "audio"


def require_message(message: object, method: str) -> None:
    if not isinstance(message, (RealtimeServerMessage, InvalidFrame, type(None))):
        raise TypeError(f"{method} takes a decoded message, not {type(message).__name__}: decode the frame first")
