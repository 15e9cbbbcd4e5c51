"""Simulates playback: which audio of the model a listener hears, and which an interruption cuts off."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, Literal, NamedTuple, Protocol

from ..conversation import InterruptionCause
from ..conversation.rules import Parts
from .findings import Interruption, Item, Moment, Turn
from .placing import Placer

__all__ = ["Key", "Piece", "Playing", "Sink", "Stream"]

MOST_STREAMS = 1024
MOST_GAPS = 100

Key = tuple["str | None", "str | None", "int | None"]  # response_id, item_id, content_index: what a stream is told by


class Sink(Protocol):
    """Takes the samples of both sides with their places, such as a drawing of waveforms."""

    def add(self, side: Literal["user", "model"], start: float, samples: Any, rate: int, channels: int) -> None:
        """Samples, int16, channels interleaved, that begin at a place."""

    def unhear(self, start: float, end: float) -> None:
        """Between these places the model's audio was not heard: the user had interrupted."""


class Stream:
    """The audio of one content part of the model.

    start, end: its places. seconds: of audio that came. heard: seconds of them that were heard, where playing was stopped.
    """

    __slots__ = (
        "cut",
        "end",
        "gaps",
        "heard",
        "item",
        "key",
        "last_time",
        "over",
        "response",
        "seconds",
        "start",
        "turn",
    )

    def __init__(self, key: Key, item: Item, turn: Turn, response: str | None) -> None:
        self.key, self.item, self.turn, self.response = key, item, turn, response
        self.start: float | None = None
        self.end: float | None = None
        self.seconds = 0.0
        self.heard: float | None = None
        self.last_time: float | None = None
        self.gaps: list[tuple[float, float]] = []  # (after so many seconds of audio, seconds without it)
        self.over = False  # its end has come, and no audio since
        self.cut = False

    def place_of(self, seconds: float) -> float:
        """The place of a time in the audio, in seconds."""
        return (self.start or 0.0) + seconds + sum(gap for after, gap in self.gaps if after < seconds)

    def heard_by(self, place: float) -> float:
        """The seconds of audio that had been heard at a place, if all that came was played as it came."""
        heard = place - (self.start or 0.0)
        for after, gap in self.gaps:
            if heard > after:
                heard = max(after, heard - gap)
        return min(max(heard, 0.0), self.seconds)


class Piece(NamedTuple):
    """The place of a message's audio. start: None if nobody hears it. stream: None for the user's."""

    side: Literal["user", "model"]
    start: float | None
    stream: Stream | None


class Playing:
    """The streams of the model, and the interruption that is not yet settled.

    over: streams that are over, until somebody clears the list.
    """

    def __init__(self, placer: Placer, sink: Sink | None) -> None:
        self._placer = placer
        self._sink = sink
        self.over: list[Stream] = []
        self._streams: OrderedDict[Key, Stream] = OrderedDict()
        self._items: dict[tuple[str | None, str | None], Parts[Stream]] = {}
        self._of_response: dict[str | None, dict[Key, None]] = {}  # their keys by their response
        self._recent: deque[Stream] = deque(maxlen=64)
        self._open: tuple[Interruption, Stream | None] | None = None

    def stream(self, key: Key) -> Stream | None:
        """The stream that audio with these ids, or its end, belongs to; None: it begins one."""
        parts = self._items.get(key[:2])
        return None if parts is None else parts.find(key[2])

    def start(self, stream: Stream) -> None:
        """Begins a stream. This settles an earlier interruption."""
        self.settle()
        self._streams[stream.key] = stream
        self._of_response.setdefault(stream.key[0], {})[stream.key] = None
        parts = self._items.setdefault(stream.key[:2], Parts())
        parts.by_index[stream.key[2]] = parts.newest = stream
        self._recent.append(stream)
        if len(self._streams) > MOST_STREAMS:
            self._forget(next(iter(self._streams)))

    def _forget(self, key: Key) -> None:
        """No audio of this stream can follow."""
        stream = self._streams.pop(key)
        stream.over = True
        self.over.append(stream)
        keys = self._of_response[key[0]]
        del keys[key]
        if not keys:
            del self._of_response[key[0]]
        parts = self._items[key[:2]]
        del parts.by_index[key[2]]
        if not parts.by_index:
            del self._items[key[:2]]
        elif parts.newest is stream:
            parts.newest = None

    def piece(self, stream: Stream, seconds: float) -> tuple[float, float]:
        """The place of a piece of the stream, and the silence before it."""
        start, silence = self._placer.model(seconds, begins=stream.end is None)
        if stream.start is None or stream.end is None:
            stream.start = start
        elif start - stream.end > 1e-6 and len(stream.gaps) < MOST_GAPS:  # silence, or another stream
            stream.gaps.append((stream.seconds, start - stream.end))
        stream.end = start + seconds
        stream.seconds += seconds
        stream.over = False
        self._items[stream.key[:2]].newest = stream
        return start, silence

    def ended(self, key: Key) -> None:
        """Ends the audio of one stream, or of all if an end without ids fits none. More of an item may follow."""
        stream = self.stream(key)
        if stream is None:
            if key == (None, None, None):
                self.all_ended()
        elif stream.key[1] is None:
            self._forget(stream.key)
        else:
            stream.over = True

    def response_ended(self, response: str | None) -> None:
        """All streams of a response are over; of a response without an id, and streams without one, all of them."""
        if response is None:
            self.all_ended()
            return
        for key in [*self._of_response.get(response, ()), *self._of_response.get(None, ())]:
            self._forget(key)

    def all_ended(self) -> None:
        """All streams are over: another session begins."""
        for key in [*self._streams]:
            self._forget(key)

    def audible(self) -> Stream | None:
        """The stream that is heard now."""
        now = self._placer.now
        for stream in reversed(self._recent):
            if stream.cut or stream.start is None or stream.end is None:
                continue
            if not stream.over:
                return stream
            if now is not None and stream.start <= now < stream.end:
                return stream
        return None

    def of_item(self, item: object) -> Stream | None:
        """The stream of an item: the newest of the last 64."""
        return next((stream for stream in reversed(self._recent) if item is not None and stream.key[1] == item), None)

    def of_response(self, response: object) -> Stream | None:
        """The stream of a response, likewise."""
        return next((stream for stream in reversed(self._recent) if stream.key[0] == response), None)

    def interrupt(
        self, at: Moment, cause: InterruptionCause, stream: Stream | None, turn: Turn, response: str | None, stopped: bool
    ) -> Interruption | None:
        """Notes an interruption, or adds to the one that is not settled yet. Returns a new one."""
        if stream is not None and stream.cut:
            return None  # it is told again
        if self._open is not None and (stream is None or self._open[1] is None or self._open[1] is stream):
            open_, known = self._open
            if known is not None or stream is None:
                if cause not in open_.causes:
                    open_.causes.append(cause)
                open_.stopped |= stopped
                return None
        self.settle()
        made = Interruption(at, turn.number, stream.item.item_id if stream else None, response, [cause], stopped)
        made.heard_from, made.heard_ms = "arrived", 0
        if stream is not None:
            heard = stream.seconds
            if self._placer.now is not None:
                heard = stream.heard_by(self._placer.now)
                if heard < stream.seconds:
                    made.heard_from = "elapsed"
            made.heard_ms = round(heard * 1000)
        self._open = (made, stream)
        return made

    def truncated(self, stream: Stream | None, milliseconds: float) -> None:
        """The client has said how much of an item was heard: the item of the interruption that was noted last."""
        if self._open is not None and self._open[1] is stream and self._open[0].heard_from != "truncate":
            self._open[0].heard_ms = round(milliseconds)
            self._open[0].heard_from = "truncate"

    def settle(self) -> None:
        """Settles the interruption: removes audio that was not heard from the axis."""
        if self._open is None:
            return
        made, stream = self._open
        self._open = None
        if stream is None or stream.start is None or stream.end is None:
            return
        made.received_ms = round(stream.seconds * 1000)
        if not made.stopped:
            return
        cut = min(stream.place_of((made.heard_ms or 0) / 1000), stream.end)
        end = self._placer.model_end
        stream.cut = True
        stream.heard = min((made.heard_ms or 0) / 1000, stream.seconds)
        stream.item.heard_end = cut
        for later in self._recent:  # a player drops what is queued
            if later.start is not None and later.start > stream.start and not later.cut:
                later.cut = True
                later.heard = later.heard_by(cut)
                later.item.heard_end = max(later.start, cut)
        if end > cut:
            if self._sink is not None:
                self._sink.unhear(cut, end)
            self._placer.stopped(cut)
