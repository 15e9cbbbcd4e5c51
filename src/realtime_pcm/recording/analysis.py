"""One pass over a recording: turns and their latency, items, interruptions, tools, usage, and problems.

    found = analyse("call.jsonl.gz")
    for turn in found.turns:
        print(turn.number, turn.latency, turn.audio_seconds)

The memory that it takes has a bound, whatever the length of the recording: audio is counted, not kept, and each list has a
limit, past which entries are counted in `left_out`.
"""

from __future__ import annotations

import math
import os
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from .._core import RealtimeServerMessage
from ..audio import AudioFormat
from ..conversation.held import InterruptionCause, ToolCalls
from ..conversation.meanings import handler_of, role_in
from ..conversation.rules import (
    WORDS,
    Dropped,
    Repeated,
    Text,
    add_numbers,
    item_id_of,
    key_of,
    milliseconds_of,
    name_of,
    numbers_in,
    raw_of,
    remember,
    response_id_of,
    text_id,
    words_in_item,
    words_of,
)
from ..conversation.turns import Moment, Turns
from ..errors import DecodeError
from ..objects._view import known_formats
from ..roles import OF_USER
from ..sockets import Socket
from .findings import Analysis, BadFrame, Gap, Interruption, Item, ServerError, Spread, Turn
from .placing import Placer
from .playing import Piece, Playing, Sink, Stream
from .reader import Entry, Recording, read_recording
from .tallies import Bounded, Types, Undeclared

__all__ = ["Analyser", "analyse"]

MOST = {
    "turns": 5000,
    "items": 10_000,
    "interruptions": 5000,
    "gaps": 5000,
    "tools": 5000,
    "bad_frames": 1000,
    "errors": 1000,
}
MOST_OPEN = 1024  # items and responses that are looked up by id
MOST_LATENCIES = 1_000_000
LONGEST_TEXT = 4000
LONGEST_REASON = 300
SHORTEST_ARRIVAL = 1e-6  # seconds: of less, no speed can be told
PAUSE = 1.0  # seconds: audio without ids that comes later is another stream
LONGEST_SENTENCE = 160  # characters of a transcript without ids that stand together


class Made(NamedTuple):
    """Audio of an item that the client made: int16, channels interleaved, in `format`; it begins at `start` on the axis."""

    start: float
    samples: Any
    format: AudioFormat


class Analyser:
    """Takes the entries of a recording one by one. `finish` returns the analysis.

    sink: receives the samples of both sides with their places; None: nobody needs them. placer: places everything on the axis.
    piece: the place of the last entry's audio, or None. made: the audio of the last entry, if it is an item
    that the client made. bad_parts: parts of it whose audio is no audio. over: streams of the model that it has ended.
    """

    def __init__(self, sink: Sink | None = None) -> None:
        self._found = Analysis()
        self._lists = {name: Bounded[Any](most) for name, most in MOST.items()}
        self.placer = Placer()
        self.piece: Piece | None = None
        self.made: list[Made] = []
        self.bad_parts = 0
        self._sink = sink
        self._playing = Playing(self.placer, sink)
        self.over = self._playing.over
        self._types = Types()
        self._undeclared = Undeclared()
        self._latencies = array("d")
        self._repeated = Repeated()
        self._dropped = Dropped()
        self._turns: Turns[Turn, Item] = Turns(self._begin_turn)
        self._arrival: dict[int, list[float]] = {}  # turn -> seconds of audio, seconds that it took to come
        self._items: OrderedDict[Any, Item] = OrderedDict()
        self._tools = ToolCalls(self._lists["tools"].append, MOST_OPEN, LONGEST_REASON)
        self._speaking: Item | None = None  # the user's item between speech_started and speech_stopped
        self._buffer: tuple[float, float] | None = None  # places of the user's audio that is not committed
        self._unnamed: Item | None = None  # committed by the client; the server has not named it yet
        self._noted: Bounded[tuple[Interruption, Turn]] = Bounded(MOST["interruptions"])
        self._handlers: dict[type, Callable[[Any, Moment], None] | None] = {}
        self._texts: dict[int, tuple[Item, Text]] = {}
        self._line = 0
        self._numbers_left_out = 0  # of usage

    # --- entries

    @property
    def frames(self) -> int:
        """Frames so far, without those that were refused."""
        return self._found.frames

    @property
    def turn(self) -> int:
        """The number of the turn under way; 0 before the first."""
        return self._turns.count

    def feed(self, entry: Entry) -> None:
        """Takes the next entry."""
        line, time, direction, message, error = entry
        self._line = line
        found = self._found
        self.piece = None
        self.made.clear()
        self.over.clear()
        self.bad_parts = 0
        self.placer.clock.tell(time)
        if not found.timed and self.placer.now is not None:
            found.timed, found.origin = True, self.placer.now
        if error is not None or message is None:
            self._bad(entry)
            return
        frame = message.frame
        size = len(frame) if isinstance(frame, bytes) or frame.isascii() else len(frame.encode("utf-8", "surrogatepass"))
        found.frames += 1
        found.bytes += size
        self._types.add(direction, message, size)
        self._undeclared.add(direction, message)
        cls = type(message)
        try:
            handler = self._handlers[cls]
        except KeyError:
            handler = self._handlers[cls] = self._handler(cls)
        if handler is not None:
            handler(message, self._moment())

    def _handler(self, cls: type) -> Callable[[Any, Moment], None] | None:
        return handler_of(cls, lambda role: getattr(self, _HANDLERS.get(role, ""), None))

    def _moment(self) -> Moment:
        now = self.placer.now
        return Moment(self._line, now, self.placer.place)

    def _bad(self, entry: Entry) -> None:
        error = entry.error
        self._found.refused += 1
        if error is None:
            return
        at = self._moment()
        self._lists["bad_frames"].append(
            BadFrame(
                entry.line,
                at.time,
                at.place,
                entry.direction,
                name_of(error.message_type),
                name_of(error.field),
                error.position,
                error.reason[:LONGEST_REASON],
            )
        )

    # --- turns

    def _begin_turn(self, number: int, began: Literal["speech", "commit", "text", "response"], at: Moment) -> Turn:
        turn = Turn(number, began, at)
        self._lists["turns"].append(turn)
        return turn

    # --- items

    def _item(self, side: Literal["user", "model"], item_id: str | None, at: Moment, response: str | None = None) -> Item:
        """The item with an id. Without an id, the newest item of that side and response."""
        key = (side, item_id) if item_id is not None else (side, None, response)
        item = self._items.get(key)
        if item is None:
            turn = self._turns.of_response(response, at) if side == "model" else self._turns.current
            item = Item(turn.number if turn else 0, side, item_id, response, at.line, at.time, at.place, at.place)
            self._keep(key, item)
        return item

    def _keep(self, key: Any, item: Item) -> None:
        self._items[key] = item
        self._lists["items"].append(item)
        if len(self._items) > MOST_OPEN:
            self._items.popitem(last=False)

    # --- audio

    def _user_audio(self, message: Any, at: Moment) -> None:
        samples, format_ = message.pcm, message.audio_format
        seconds = len(samples) / format_.channels / format_.rate
        if not seconds:
            return
        start = self.placer.user(seconds)
        self._buffer = (start if self._buffer is None else self._buffer[0], start + seconds)
        self._hear_user(start, samples, seconds, format_)

    def _hear_user(self, start: float, samples: Any, seconds: float, format_: Any) -> None:
        self._found.user_audio_seconds += seconds
        self._found.origin = min(self._found.origin, start)
        self.piece = Piece("user", start, None)
        if self._sink is not None:
            self._sink.add("user", start, samples, format_.rate, format_.channels)

    def _item_made(self, message: Any, at: Moment) -> None:
        """An item of the client, which may have audio."""
        parts = getattr(message.item, "content", None)
        for part in parts if isinstance(parts, list) else []:
            if getattr(part, "type", None) != "input_audio":
                continue
            try:
                samples = part.pcm
            except DecodeError:
                self.bad_parts += 1
                continue
            format_, _ = known_formats(part._formats)
            if samples is not None and len(samples):
                seconds = len(samples) / format_.channels / format_.rate
                start = self.placer.made(seconds)
                self._hear_user(start, samples, seconds, format_)
                self.made.append(Made(start, samples, format_))
        self._item_seen(message, at)

    def _model_audio(self, message: Any, at: Moment) -> None:
        samples, format_ = message.pcm, message.audio_format
        seconds = len(samples) / format_.channels / format_.rate
        if self._repeated.take(message) or self._dropped.has(message):
            return
        if not seconds:
            if getattr(message, "delta", "") is None:
                self._audio_unknown(message, at)
            return
        key = key_of(message)
        response, item_id, _ = key
        stream = self._playing.stream(key)
        if stream is not None and key[:2] == (None, None) and self._paused(stream):
            self._playing.ended(key)
            self._items.pop(("model", None, None), None)
            stream = None
        if stream is None:
            turn = self._turns.of_response(response, at)
            item = self._item("model", item_id, at, response)
            stream = Stream(key, item, turn, response)
            self._playing.start(stream)
        turn, item = stream.turn, stream.item
        self._audio_came(response, at)
        if stream.cut:  # nobody hears it
            self._count_model(stream, seconds, format_)
            self.piece = Piece("model", None, stream)
            return
        start, gap = self._playing.piece(stream, seconds)
        self.piece = Piece("model", start, stream)
        if gap and at.time is not None:
            turn.gaps += 1
            turn.gap_seconds += gap
            turn.longest_gap = max(turn.longest_gap, gap)
            self._lists["gaps"].append(Gap(Moment(at.line, at.time, start - gap), turn.number, gap))
        if at.time is not None:
            if stream.last_time is not None:
                arrival = self._arrival.setdefault(turn.number, [0.0, 0.0])
                arrival[0] += seconds
                arrival[1] += at.time - stream.last_time
                turn.arrival_factor = arrival[0] / arrival[1] if arrival[1] > SHORTEST_ARRIVAL else None
                if len(self._arrival) > MOST_OPEN:
                    del self._arrival[next(iter(self._arrival))]
            stream.last_time = at.time
        if not item.spoken:
            item.start = start
        item.spoken = True
        item.end = start + seconds
        self._count_model(stream, seconds, format_)
        if self._sink is not None:
            self._sink.add("model", start, samples, format_.rate, format_.channels)

    def _audio_unknown(self, message: Any, at: Moment) -> None:
        """Notes audio that the log left out: its arrival is known, its length is not."""
        self._audio_came(key_of(message)[0], at)

    def _audio_came(self, response: str | None, at: Moment) -> None:
        if self._turns.await_audio(response):
            turn = self._turns.audio(response, at)
            if turn.latency is not None and len(self._latencies) < MOST_LATENCIES:
                self._latencies.append(turn.latency)

    def _count_model(self, stream: Stream, seconds: float, format_: Any) -> None:
        turn, item = stream.turn, stream.item
        item.audio_seconds += seconds
        item.rate, item.encoding = format_.rate, format_.encoding
        turn.audio_seconds += seconds
        turn.pieces += 1
        self._found.model_audio_seconds += seconds

    def _paused(self, stream: Stream) -> bool:
        now = self.placer.now
        return stream.turn is not self._turns.current or (now is not None and stream.end is not None and now > stream.end + PAUSE)

    def _audio_done(self, message: Any, at: Moment) -> None:
        self._playing.ended(key_of(message))

    # --- the user's input

    def _speech_started(self, message: Any, at: Moment) -> None:
        stream = self._playing.audible()
        if stream is not None:
            self._interrupted(at, "speech_started", stream, stopped=False)
        self._unnamed = None
        item_id = item_id_of(message)
        turn = self._turns.speech_started(item_id, at)
        item = self._item("user", item_id, at)
        item.turn, item.spoken = turn.number, True
        place = milliseconds_of(getattr(message, "audio_start_ms", None))
        item.start = item.end = at.place if place is None else self.placer.spoken_at(place)
        self._speaking = item

    def _speech_stopped(self, message: Any, at: Moment) -> None:
        item_id = item_id_of(message)
        turn = self._turns.speech_stopped(item_id, at)
        item = self._speaking or self._item("user", item_id, at)
        place = milliseconds_of(getattr(message, "audio_end_ms", None))
        item.end = max(item.start, at.place if place is None else self.placer.spoken_at(place))
        item.spoken = True
        self._count_user(turn, item)
        self._speaking = None
        self._buffer = None

    def _count_user(self, turn: Turn, item: Item) -> None:
        if self._found.user_audio_seconds:
            item.audio_seconds = item.end - item.start
            turn.user_audio_seconds += item.audio_seconds

    def _client_commit(self, message: Any, at: Moment) -> None:
        turn = self._turns.commit(at)
        self.placer.committed()
        if turn.speech_started is None and self._buffer is not None:
            item = Item(turn.number, "user", None, None, at.line, at.time, *self._buffer, spoken=True)
            self._keep(("user", None, at.line), item)
            self._unnamed = item
            self._count_user(turn, item)
        self._buffer = None

    def _server_commit(self, message: Any, at: Moment) -> None:
        item_id = item_id_of(message)
        turn = self._turns.committed(item_id, at)
        if self._unnamed is not None:
            self._unnamed.item_id = item_id
            self._items[("user", item_id)] = self._unnamed
            self._unnamed = None
        else:
            item = self._item("user", item_id, at)
            if not item.spoken:
                item.spoken, item.turn = True, turn.number
                if self._buffer is not None:
                    item.start, item.end = self._buffer
                    self._count_user(turn, item)
        self._buffer = None

    def _cleared(self, message: Any, at: Moment) -> None:
        self._buffer = None

    def _item_seen(self, message: Any, at: Moment) -> None:
        """An item joins the conversation: a text of the user, the output of a tool, or an item that the model fills."""
        raw = raw_of(message.item)
        kind, role, item_id = raw.get("type"), raw.get("role"), text_id(raw.get("id"))
        if kind == "function_call_output":
            self._tools.answered(raw.get("call_id"), at)
        elif kind in ("function_call", "mcp_call"):
            self._tools.seen(raw, self._turns.of_response(text_id(getattr(message, "response_id", None)), at), at)
        text = words_in_item(raw)
        if role == "user" and text:
            turn, written = self._turns.text(item_id, text, at, repeats=isinstance(message, RealtimeServerMessage))
            if written is not None and item_id is not None and ("user", item_id) not in self._items:
                written.item_id, self._items[("user", item_id)] = item_id, written
            if turn is None:
                return
            item = Item(turn.number, "user", item_id, None, at.line, at.time, at.place, at.place)
            self._keep(("user", item_id if item_id is not None else at.line), item)
            if item_id is None:
                self._turns.written = item
            _put(item, text)
        elif role == "assistant" and text and ("model", item_id) not in self._items:
            _put(self._item("model", item_id, at), text)

    def _ask(self, message: Any, at: Moment) -> None:
        self._turns.response_create(at)

    # --- responses

    def _response_created(self, message: Any, at: Moment) -> None:
        self._turns.response_start(response_id_of(message), at)
        self.placer.response_began()

    def _response_done(self, message: Any, at: Moment) -> None:
        raw, response = raw_of(message.response), response_id_of(message)
        turn = self._turns.response_end(response, name_of(raw.get("status")), at)
        usage = numbers_in(raw.get("usage") or raw_of(getattr(message, "usage", None)))
        self._numbers_left_out += add_numbers(self._found.usage, usage)
        add_numbers(turn.usage, usage)
        details = raw_of(raw.get("status_details"))
        if turn.status == "failed":
            self._error("response.done", raw_of(details.get("error")) or details, at, turn)
        for output in raw.get("output") or () if isinstance(raw.get("output"), list) else ():
            if isinstance(output, dict) and output.get("type") in ("function_call", "mcp_call"):
                self._tools.seen(output, turn, at)
        if raw.get("status") == "cancelled":
            stream = self._playing.of_response(response)
            self._interrupted(at, "cancelled", stream, stopped=True, turn=turn, response=response)
        self._playing.response_ended(response)
        self._items.pop(("model", None, response), None)
        self.placer.response_ended()

    def _interrupted(
        self,
        at: Moment,
        cause: InterruptionCause,
        stream: Stream | None,
        *,
        stopped: bool,
        turn: Turn | None = None,
        response: str | None = None,
    ) -> None:
        if stream is not None:
            turn, response = stream.turn, stream.response
        made = self._playing.interrupt(at, cause, stream, turn or self._turns.now(at), response, stopped)
        if made is not None:
            self._lists["interruptions"].append(made)
            self._noted.append((made, turn or self._turns.now(at)))

    def _cancel(self, message: Any, at: Moment) -> None:
        self._turns.response_cancel()
        response = text_id(getattr(message, "response_id", None))
        stream = self._playing.of_response(response) if response is not None else self._playing.audible()
        if stream is not None:
            self._interrupted(at, "response_cancel", stream, stopped=True)

    def _truncate(self, message: Any, at: Moment) -> None:
        """A truncate of the client, or the server's word that it has truncated."""
        end = milliseconds_of(message.audio_end_ms)
        stream = self._playing.of_item(text_id(message.item_id))
        if stream is None:
            return
        self._interrupted(at, "truncated" if role_in(message) == "truncated" else "truncate", stream, stopped=True)
        if end is not None:
            self._playing.truncated(stream, end)

    def _stopped(self, message: Any, at: Moment) -> None:
        """Notes that the model is no longer played. Without ids, the next audio is another answer."""
        stream = self._playing.audible()
        if stream is not None:
            self._interrupted(at, "interrupted", stream, stopped=True)
        self._dropped.interrupt(message)
        self._turns.interrupted(at)
        if stream is not None and stream.key == (None, None, None):
            self._playing.ended(stream.key)
            self._items.pop(("model", None, None), None)

    # --- text

    def _words(self, message: Any, item: Item) -> bool:
        """Gives the item the words of a message, as the message's role says. Whether it had any."""
        words = words_of(message) or ""
        text = self._texts.get(id(item))
        if text is None or text[0] is not item:
            text = item, Text(LONGEST_TEXT)
            remember(self._texts, id(item), text, MOST_OPEN)
        WORDS[role_in(message)](text[1], words)
        item.text, item.text_left_out = str(text[1]), text[1].left_out
        return bool(words)

    def _model_text(self, message: Any, at: Moment) -> None:
        """Adds a piece of the model's text or transcript, or all of it if the message has it whole."""
        response, item_id, _ = key_of(message)
        if response is None and item_id is None:
            self._live_text(message, at)
        elif self._words(message, self._item("model", item_id, at, response)) and self._turns.await_words(response):
            self._turns.words(response, at)

    def _user_text(self, message: Any, at: Moment) -> None:
        item_id = item_id_of(message)
        if item_id is None:
            self._live_text(message, at)
            return
        self._words(message, self._item("user", item_id, at))
        usage = raw_of(getattr(message, "usage", None))
        if usage:
            self._numbers_left_out += add_numbers(self._found.transcription_usage, numbers_in(usage))

    def _live_text(self, message: Any, at: Moment) -> None:
        """Adds a piece of a transcript without ids. Pieces are joined until a sentence ends."""
        words, role = words_of(message), role_in(message)
        side: Literal["user", "model"] = "user" if role in OF_USER else "model"
        if not words:
            return
        turn = self._turns.heard(role == "user_transcript", at) if side == "user" else self._turns.now(at)
        key = (side, "transcript", None)
        item = self._items.get(key)
        ended = item is None or len(item.text) > LONGEST_SENTENCE or item.text.rstrip().endswith((".", "!", "?", "。"))
        if item is None or ended or item.turn != turn.number:
            item = Item(turn.number, side, None, None, at.line, at.time, at.place, at.place)
            self._items.pop(key, None)
            self._keep(key, item)
        self._words(message, item)
        item.end = max(item.end, at.place)
        if side == "model" and self._turns.await_words(None):
            self._turns.words(None, at)

    # --- tools

    def _tool_turn(self, message: Any, at: Moment) -> Turn:
        return self._turns.of_response(text_id(getattr(message, "response_id", None)), at)

    def _arguments(self, message: Any, at: Moment) -> None:
        self._tools.more(message, self._tool_turn(message, at), at)

    def _arguments_done(self, message: Any, at: Moment) -> None:
        self._tools.complete(message, self._tool_turn(message, at), at)

    def _tool_answered(self, message: Any, at: Moment) -> None:
        self._tools.answered(message.call_id, at)

    def _tool_began(self, message: Any, at: Moment) -> None:
        self._tools.seen({"type": "mcp_call", "id": message.item_id}, self._turns.now(at), at)

    def _tool_done(self, message: Any, at: Moment) -> None:
        self._tools.answered(message.item_id, at)

    def _tool_failed(self, message: Any, at: Moment) -> None:
        call = self._tools.answered(message.item_id, at)
        if call is not None:
            call.failed = True

    # --- the rest

    def _error_message(self, message: Any, at: Moment) -> None:
        error = message.error
        raw = {"message": error} if isinstance(error, str) else raw_of(error)
        self._error(message.type, raw, at, self._turns.current)

    def _error(self, source: str, raw: dict[str, Any], at: Moment, turn: Turn | None) -> None:
        text = raw.get("message")
        self._lists["errors"].append(
            ServerError(
                turn.number if turn is not None else 0,
                at,
                source,
                name_of(raw.get("type")),
                name_of(raw.get("code")),
                text[:LONGEST_REASON] if isinstance(text, str) else None,
            )
        )
        if turn is not None:
            turn.errors += 1

    def _session(self, message: Any, at: Moment) -> None:
        model = name_of(raw_of(message.session).get("model"))
        self._found.model = model or self._found.model

    def _session_began(self, message: Any, at: Moment) -> None:
        self._playing.all_ended()
        self._repeated.forget()
        self._dropped = Dropped()
        self._session(message, at)

    def _session_usage(self, message: Any, at: Moment) -> None:
        numbers: dict[str, float] = {}
        self._numbers_left_out += add_numbers(numbers, numbers_in(raw_of(message.usage)))
        if numbers:
            self._found.session_usage = numbers

    # --- the end

    def finish(self, recording: Recording | None = None) -> Analysis:
        """The analysis. recording: adds its shape, its start and the number of dropped frames."""
        found, placer = self._found, self.placer
        self._playing.settle()
        for made, turn in self._noted:
            turn.interruptions += made.stopped
        if self._buffer is not None and not any(item.side == "user" for item in self._lists["items"]):
            item = Item(self._turns.count, "user", None, None, 0, None, *self._buffer, spoken=True)
            item.audio_seconds = found.user_audio_seconds
            self._lists["items"].append(item)
        if self._speaking is not None:
            self._speaking.end = max(self._speaking.end, placer.user_end, placer.place)
        found.times_back, found.time_faults = placer.clock.back, placer.clock.faults
        ends = [placer.place, placer.user_end, placer.model_end, *(item.end for item in self._lists["items"])]
        found.end = max(found.origin, *ends)
        found.lines = self._line
        for name, entries in self._lists.items():
            setattr(found, name, list(entries))
            if entries.left_out:
                found.left_out[name] = entries.left_out
        found.types, found.undeclared = self._types.all(), self._undeclared.all()
        for name, count in (
            ("types", self._types.left_out),
            ("undeclared", self._undeclared.left_out),
            ("usage", self._numbers_left_out),
        ):
            if count:
                found.left_out[name] = count
        if self._latencies:
            found.latency = _spread(self._latencies)
        if recording is not None:
            found.shape, found.started, found.dropped = recording.shape, recording.started, recording.dropped
        return found


def analyse(
    source: str | os.PathLike[str] | Any | Iterable[Entry],
    *,
    sink: Sink | None = None,
    catalogue: str | Socket[Any, Any] | None = None,
) -> Analysis:
    """Analyses a recording in one pass: turns, latency, interruptions, tools, usage, errors.

    Args:
        source: A path or an open file, as in `read_recording`.
        sink: Receives the samples of both sides with their times.
        catalogue: Another socket whose frames these are, as in `read_recording`.

    Raises:
        RecordingError: As in `read_recording`.
        OSError: As in `read_recording`.
    """
    analyser = Analyser(sink)
    with read_recording(source, catalogue=catalogue) as recording:
        for entry in recording:
            analyser.feed(entry)
    return analyser.finish(recording)


def _put(item: Item, text: str) -> None:
    room = LONGEST_TEXT - len(item.text)
    item.text += text[:room]
    item.text_left_out += max(0, len(text) - room)


def _spread(values: array[float]) -> Spread:
    ordered = sorted(values)
    count = len(ordered)
    return Spread(count, ordered[0], ordered[count // 2], ordered[min(count - 1, math.ceil(count * 0.95) - 1)], ordered[-1])


# Role -> the method that takes its messages.
_HANDLERS: dict[str, str] = {
    "input_audio": "_user_audio",
    "audio": "_model_audio",
    "audio_end": "_audio_done",
    "speech_started": "_speech_started",
    "speech_stopped": "_speech_stopped",
    "commit": "_client_commit",
    "committed": "_server_commit",
    "clear": "_cleared",
    "item_create": "_item_made",
    "item_added": "_item_seen",
    "response_create": "_ask",
    "response_start": "_response_created",
    "response_end": "_response_done",
    "response_cancel": "_cancel",
    "truncate": "_truncate",
    "truncated": "_truncate",
    "interrupted": "_stopped",
    "transcript_delta": "_model_text",
    "transcript_so_far": "_model_text",
    "transcript_end": "_model_text",
    "text_delta": "_model_text",
    "text_so_far": "_model_text",
    "text_end": "_model_text",
    "user_transcript_delta": "_user_text",
    "user_transcript_so_far": "_user_text",
    "user_transcript": "_user_text",
    "user_transcript_failed": "_error_message",
    "tool_arguments_delta": "_arguments",
    "tool_call": "_arguments_done",
    "tool_output": "_tool_answered",
    "tool_started": "_tool_began",
    "tool_done": "_tool_done",
    "tool_failed": "_tool_failed",
    "error": "_error_message",
    "session_start": "_session_began",
    "session_update": "_session",
    "usage": "_session_usage",
}
