"""Which audio messages are played, and what an interruption says of them: what the buffer and the tracker share.

`playback.py` says what is played and what is late.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .messages import (
    AudioEnd,
    AudioMessage,
    RealtimeServerMessage,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionInputAudioAppend,
    SessionStarted,
)
from .stream import InvalidFrame

if TYPE_CHECKING:
    from typing import TypeGuard

    from ._playback import Report
    from ._resample import Resampler, Samples

_MOST_RESPONSES = 1024  # responses under way
_MOST_SILENCED = 4096   # interrupted responses and items: more than one interruption can have
_LONGEST_ID = 512


# ---- What an interruption says -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truncation:
    """An item of which a part was heard.

    item_id, content_index: what the server calls it; content_index is 0 where the messages had none. samples: how many of
    its samples were heard, on each channel, in its own rate; never more than were received. audio_end_ms: samples * 1000 //
    rate, 1 or more. frame: the JSON text of the conversation.item.truncate to send. response_id: str or None. rate: the
    item's own, in samples a second. received: the samples of it that had come.
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

    delete_frame: the JSON text of the conversation.item.delete that removes the item; None where it has no item_id, or where
    another content part of the same item was heard. The other fields are those of Truncation.
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
    """What became of the items since the interruption before, each in the order in which its first audio came.

    truncations: heard in part; send each one's `frame`. unheard: nothing was heard. played: heard to the end. unidentified:
    heard in part but without an item_id, so that no frame can name them; their `frame` is "".
    """

    truncations: tuple[Truncation, ...]
    unheard: tuple[UnheardItem, ...]
    played: tuple[PlayedItem, ...]
    unidentified: tuple[Truncation, ...]


def _said_of(reports: list[Report], streams: dict[int, Stream]) -> Interruption:
    truncations: list[Truncation] = []
    unidentified: list[Truncation] = []
    played: list[PlayedItem] = []
    silent: list[tuple[Stream, int, int]] = []
    heard: set[str | None] = {None}
    for item, received, samples, complete in reports:
        stream = streams[item]
        response_id, item_id, index = stream.key
        content_index = index or 0
        end_ms = samples * 1000 // stream.item_rate
        if complete:
            played.append(PlayedItem(item_id, content_index, samples, response_id, stream.item_rate))
        elif end_ms == 0:
            silent.append((stream, samples, received))
            continue
        else:
            frame = "" if item_id is None else _frame(
                "conversation.item.truncate", item_id=item_id, content_index=content_index, audio_end_ms=end_ms)
            (unidentified if item_id is None else truncations).append(
                Truncation(item_id, content_index, samples, end_ms, frame, response_id, stream.item_rate, received))
        heard.add(item_id)
    unheard = []
    for stream, samples, received in silent:
        response_id, item_id, index = stream.key
        delete = None if item_id in heard else _frame("conversation.item.delete", item_id=item_id)
        unheard.append(UnheardItem(item_id, index or 0, samples, delete, response_id, stream.item_rate, received))
    return Interruption(tuple(truncations), tuple(unheard), tuple(played), tuple(unidentified))


def _frame(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


# ---- What comes in -----------------------------------------------------------------------------------------

Key = tuple["str | None", "str | None", "int | None"]


class Stream:
    """How far one item has come in.

    Its messages fall into segments: stretches without a gap and in one format. Within a segment a sample's place in the item
    follows from its number. `expected` and `start` count in units of the messages' own arrays: samples of each channel, or
    bytes where the decoder's dtype is uint8.
    """

    __slots__ = ("expected", "index", "item", "item_rate", "key", "origin", "over", "rate", "resampler", "rest", "start", "unit")

    def __init__(self, key: Key, item: int, rate: int, unit: int) -> None:
        self.key = key
        self.item = item                # its number in the ledger
        self.item_rate = rate           # places in the item count samples of this rate
        self.over = False               # its end has come
        self.expected = 0               # the sample_offset of the next message
        self.rate = rate                # of the segment
        self.unit = unit                # what one sample on all channels is in `expected`
        self.origin = 0                 # the place at which the segment begins
        self.start = 0                  # the sample_offset at which the segment begins
        self.index = 0                  # samples of the segment that left the resampler
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
    """Which audio is to be played: what is new. Not what came before, nor what was interrupted."""

    __slots__ = ("_begin", "_end", "duplicates", "forgotten", "full", "late", "responses", "silenced", "silenced_rest", "streams",
                 "streams_of_items")

    def __init__(self, begin: Callable[[], int], end: Callable[[Stream], None]) -> None:
        self._begin = begin
        self._end = end
        self.streams: dict[Key, Stream] = {}
        self.streams_of_items: dict[int, Stream] = {}      # by their number in the ledger
        self.responses: dict[str, None] = {}                # those under way
        self.silenced: dict[tuple[str, str], None] = {}     # ("response" or "item", id)
        self.silenced_rest = False                          # audio without ids is late
        self.late = self.duplicates = self.forgotten = 0
        self.full = False

    def follow(self, message: object) -> None:
        """What a message without audio does: a response or a session begins, audio ends. Others do nothing."""
        if isinstance(message, ResponseCreated):
            response_id = _response_id(message)
            if response_id is not None:
                _remember(self.responses, response_id, _MOST_RESPONSES)
            self.silenced_rest = False
        elif isinstance(message, ResponseDone):
            response_id = _response_id(message)
            if response_id is not None:
                self.responses.pop(response_id, None)
            self._finish([stream for stream in self.streams.values() if stream.key[0] == response_id])
        elif isinstance(message, AudioEnd):
            stream = self.streams.get(_key(message))
            self._finish([] if stream is None else [stream])
        elif isinstance(message, (SessionCreated, SessionStarted)):
            # Another connection: its ids have nothing to do with those before.
            self._finish(list(self.streams.values()))
            self.streams.clear()
            self.responses.clear()
            self.silenced.clear()
            self.silenced_rest = False

    def _finish(self, streams: list[Stream]) -> None:
        for stream in streams:
            if not stream.over:
                stream.over = True
                self._end(stream)

    def place(self, message: AudioMessage, size: int, offset: int | None, rate: int, unit: int) -> tuple[Stream, int, bool] | None:
        """The stream of a message's audio, how much of its beginning came before, and whether a segment begins.

        None where all of it is late, came before, or finds no room in the ledger: `full` is then true. size, offset: in the
        units of Stream.expected. The stream stands where it did before the message.
        """
        self.full = False
        key = _key(message)
        response_id, item_id, _ = key
        if ("response", response_id) in self.silenced or ("item", item_id) in self.silenced or (
                self.silenced_rest and response_id is None and item_id is None):
            self.late += size // unit
            return None
        stream = self.streams.get(key)
        if stream is not None and stream.over and response_id is None and item_id is None:
            stream = None               # what follows the end of audio without ids is the next one
        if stream is None:
            stream = self._new(key, rate, unit)
            self.full = stream is None
            return None if stream is None else (stream, 0, True)
        if stream.over:
            self.duplicates += size // unit
            return None
        if (rate, unit) != (stream.rate, stream.unit):
            return stream, 0, True
        skip = 0 if offset is None else max(0, stream.expected - offset)
        if skip >= size:
            self.duplicates += size // unit
            return None
        self.duplicates += skip // unit
        return stream, skip, offset is not None and offset > stream.expected

    def _new(self, key: Key, rate: int, unit: int) -> Stream | None:
        item = self._begin()
        if item < 0:
            return None
        forgotten = self.streams_of_items.get(item)
        if forgotten is not None:
            self.forgotten += 1
            if self.streams.get(forgotten.key) is forgotten:
                del self.streams[forgotten.key]
        stream = Stream(key, item, rate, unit)
        self.streams[key] = self.streams_of_items[item] = stream
        return stream

    def interrupted(self, reports: list[Report]) -> Interruption:
        """Silences all that is known, and says what the ledger's reports mean."""
        said = _said_of(reports, self.streams_of_items)
        for response_id in self.responses:
            _remember(self.silenced, ("response", response_id), _MOST_SILENCED)
        for stream in self.streams_of_items.values():
            response_id_, item_id, _ = stream.key
            if response_id_ is not None:
                _remember(self.silenced, ("response", response_id_), _MOST_SILENCED)
            if item_id is not None:
                _remember(self.silenced, ("item", item_id), _MOST_SILENCED)
        self.silenced_rest = True
        self.responses.clear()
        self.streams.clear()
        self.streams_of_items.clear()
        return said


def _remember(known: dict[Any, None], what: object, most: int) -> None:
    """Adds to a table of bounded size; the oldest entry makes room."""
    if what not in known and len(known) >= most:
        del known[next(iter(known))]
    known[what] = None


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= _LONGEST_ID else None


def _key(message: RealtimeServerMessage) -> Key:
    # A private class need not declare all three.
    index = getattr(message, "content_index", None)
    return (
        _id(getattr(message, "response_id", None)),
        _id(getattr(message, "item_id", None)),
        index if type(index) is int and 0 <= index < 1 << 63 else None,
    )


def _response_id(message: ResponseCreated | ResponseDone) -> str | None:
    # xAI leaves `response` empty and names the response beside it; any other JSON value may stand there.
    named = _id(getattr(message.response, "id", None))
    return _id(message.response_id) if named is None else named


def is_speech(message: object) -> TypeGuard[AudioMessage]:
    """Whether a message carries what the model says. GPT-Live copies the user's speech to a sideband: that is not to be played."""
    return isinstance(message, AudioMessage) and not isinstance(message, SessionInputAudioAppend)


def require_message(message: object, method: str) -> None:
    if not isinstance(message, (RealtimeServerMessage, InvalidFrame, type(None))):
        raise TypeError(f"{method} takes a decoded message, not {type(message).__name__}: decode the frame first")
