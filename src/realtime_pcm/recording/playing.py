"""What a listener hears of the model, and what an interruption cuts off."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, Literal, Protocol

from .findings import Interruption, Item, Moment, Turn
from .placing import Placer

__all__ = ["Playing", "Sink", "Stream"]

MOST_STREAMS = 1024
MOST_GAPS = 100


class Sink(Protocol):
    """Takes the samples of both sides with their places, such as a drawing of waveforms."""

    def add(self, side: Literal["user", "model"], start: float, samples: Any, rate: int, channels: int) -> None:
        """Samples, int16, channels interleaved, that begin at a place."""

    def unhear(self, start: float, end: float) -> None:
        """Between these places the model's audio was not heard: the user had interrupted."""


class Stream:
    """The audio of one content part of the model."""

    __slots__ = ("cut", "done", "end", "gaps", "item", "last_time", "response", "seconds", "start", "turn")

    def __init__(self, item: Item, turn: Turn, response: str | None) -> None:
        self.item, self.turn, self.response = item, turn, response
        self.start: float | None = None
        self.end: float | None = None
        self.seconds = 0.0  # of audio that came
        self.last_time: float | None = None
        self.gaps: list[tuple[float, float]] = []  # (after so many seconds of audio, seconds of silence)
        self.done = False
        self.cut = False

    def place_of(self, seconds: float) -> float:
        """Where this second of the audio stands."""
        return (self.start or 0.0) + seconds + sum(gap for after, gap in self.gaps if after < seconds)

    def heard_by(self, place: float) -> float:
        """The seconds of audio that had been heard at a place, if all that came was played as it came."""
        heard = place - (self.start or 0.0)
        for after, gap in self.gaps:
            if heard > after:
                heard = max(after, heard - gap)
        return min(max(heard, 0.0), self.seconds)


class Playing:
    """The streams of the model, and the interruption that is not yet settled."""

    def __init__(self, placer: Placer, sink: Sink | None) -> None:
        self._placer = placer
        self._sink = sink
        self._streams: OrderedDict[Any, Stream] = OrderedDict()
        self._recent: deque[Stream] = deque(maxlen=64)
        self._open: tuple[Interruption, Stream | None] | None = None

    def stream(self, key: Any) -> Stream | None:
        """The stream of a (response_id, item_id, content_index) that is not over."""
        return self._streams.get(key)

    def start(self, key: Any, stream: Stream) -> None:
        """A stream begins. It settles what came before it."""
        self.settle()
        self._streams[key] = stream
        self._recent.append(stream)
        if len(self._streams) > MOST_STREAMS:
            self._streams.popitem(last=False)

    def piece(self, stream: Stream, seconds: float) -> tuple[float, float]:
        """The place of a piece of the stream, and the silence before it."""
        start, gap = self._placer.model(stream.end, seconds)
        if gap and len(stream.gaps) < MOST_GAPS:
            stream.gaps.append((stream.seconds, gap))
        if stream.start is None:
            stream.start = start
        stream.end = start + seconds
        stream.seconds += seconds
        return start, gap

    def ended(self, key: Any) -> None:
        """The audio of one stream is over."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.done = True

    def response_ended(self, response: str | None) -> None:
        """All streams of a response are over; those without ids too, where the response has none."""
        for key in [key for key, stream in self._streams.items() if stream.response == response]:
            self.ended(key)

    def audible(self) -> Stream | None:
        """The stream that is heard now."""
        now = self._placer.now
        for stream in reversed(self._recent):
            if stream.cut or stream.start is None or stream.end is None:
                continue
            if not stream.done:
                return stream
            if now is not None and stream.start <= now < stream.end:
                return stream
        return None

    def of_item(self, item_id: str | None) -> Stream | None:
        """The stream of an item, the newest of the last 64."""
        return next((stream for stream in reversed(self._recent) if item_id is not None and stream.item.item_id == item_id), None)

    def of_response(self, response: str | None) -> Stream | None:
        """The stream of a response, likewise."""
        return next((stream for stream in reversed(self._recent) if stream.response == response), None)

    def interrupt(
        self, at: Moment, cause: str, stream: Stream | None, turn: Turn, response: str | None, stopped: bool
    ) -> Interruption | None:
        """Notes an interruption, or adds to the one that is not yet settled. A new one is given back."""
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
        """What was interrupted is known by now: audio that was not heard is taken off the axis."""
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
        stream.item.heard_end = cut
        for later in self._recent:
            if later.start is not None and later.start > stream.start and not later.cut:
                later.cut = True
                later.item.heard_end = later.start
        if end > cut:
            if self._sink is not None:
                self._sink.unhear(cut, end)
            self._placer.stopped(cut)
