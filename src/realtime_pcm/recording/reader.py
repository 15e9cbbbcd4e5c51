"""read_recording: the entries of a recording, one for each frame."""

from __future__ import annotations

import os
import zlib
from base64 import b64decode
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from io import BufferedReader, BytesIO
from typing import Any, Literal, NamedTuple, Self

from .._core import (
    AudioMessage,
    ClientAudioMessage,
    Decoder,
    RealtimeMessage,
    Session,
    UnknownClientMessage,
    UnknownMessage,
    _split_line,
    _unquote,
    decode,
)
from ..errors import DecodeError
from .calls import WATCHED, CallIds, Sessions
from .files import VERSION, FaultyData, RecordingError, open_to_read
from .left_out import is_marked, without_payload
from .sample import Sample
from .shapes import LONGEST_LINE, Found, Shape, recognise
from .shapes.embedded import found_in_text
from .shapes.foreign import foreign
from .shapes.frames import Direction, found_in_line, paths_of_line
from .shapes.given import OwnShape, shape_of
from .template import NO_TEMPLATE, Members, Template, Wrapper, frame_of, members_of, scalar
from .times import Clock
from .turned import turned_round
from .ways import Ways

__all__ = ["Entry", "Recording", "read_recording"]

LOOKED_AT = 200  # lines that may hold a frame, from which the shape is recognised
LOOKED_AT_BYTES = 1024 * 1024
PASSED_AT_ONCE = 1 << 18  # bytes of the rest of a line that is too long
MOST_EMPTY = 10_000  # lines in a row
FEW_EMPTY = 5  # lines in a row, after which no shape is looked for
NEWLINE = ord("\n")

BESIDE_TEXT = "in the text beside it"
FAULTS = (EOFError, OSError, zlib.error, FaultyData)  # of compressed data, and of the disk
UNKNOWN, AUDIO, WATCH = 1, 2, 3
_SPECIAL: dict[type, int] = {**dict.fromkeys(WATCHED, WATCH), UnknownMessage: UNKNOWN, UnknownClientMessage: UNKNOWN}


class Entry(NamedTuple):
    """One frame of a recording.

    line: its line in the file, from 1. time: seconds since the recording began; None where the file has no times. direction:
    "received" from the server, or "sent" to it. message: the frame, decoded; None where it was refused. error: why.
    """

    line: int
    time: float | None
    direction: Direction
    message: RealtimeMessage | None
    error: DecodeError | None

    @property
    def frame(self) -> bytes | str:
        """The frame; where no frame could be found in the line, the line."""
        if self.message is not None:
            return self.message.frame
        return self.error.frame if self.error is not None else b""


_new_entry = partial(tuple.__new__, Entry)  # what Entry(...) does, in less than half its time


class Recording(Iterator[Entry]):
    """The entries of a recording. Closes its file at the end, if it was given a path; a context manager.

    shape: how the file holds its frames, in words. session: the Session that both sides share. dropped: frames that the Recorder
    had no room for, so far. refused: entries with an error, so far. passed_over: lines without a frame, so far. audio_left_out:
    audio messages whose audio the log does not have, so far; their `pcm` is empty.
    """

    def __init__(
        self,
        source: Any,
        dtype: Any,
        audio_format: Any,
        shape: OwnShape | None = None,
        call: str | None = None,
        socket: int | None = None,
    ) -> None:
        self.session = Session()
        self.shape = "plain frames"
        self.dropped = self.refused = self.passed_over = self.audio_left_out = 0
        options: dict[str, Any] = {"dtype": dtype, "audio_format": audio_format, "session": self.session}
        self._decode: dict[Direction, Any] = {
            "received": Decoder(**options).decode,
            "sent": Decoder(side="client", **options).decode,
        }
        self._started: datetime | None = None
        self._clock: Clock | None = None
        self._line = 0
        self._wrapper: Wrapper | None = None
        self._shape: Shape | None = None  # of which the fast ways read nothing
        self._time: str | None = None
        self._ways = Ways()
        self._call: str | None = None
        self._calls = CallIds(call)
        self._sessions = Sessions()
        self._turned = self._left_out = False
        self._untimed: str | None = None
        self._unknown = 0  # the first frames, if none of them has a type that is known
        self._whole_seconds = False
        self._first: deque[bytes] = deque()
        self._waiting: deque[Entry] = deque()
        self._changed = self._changed_from = 0
        self._fault: str | None = None
        self._ended = False
        self._empty_from = self._empty_to = 0  # the last run of empty lines: its first line, and the one behind it
        self._file, self._opened = open_to_read(source)
        try:
            if shape is None:
                self._recognise(socket)
            else:
                self._shape = shape_of(shape)
                self.shape = self._shape.words
                self._time, self._clock, self._ways = "time", Clock(), Ways("direction")
        except BaseException:
            self.close()
            raise
        if self._shape is not None:
            self._entries = self._read_found(self._shape)
        else:
            self._entries = self._read()

    @property
    def started(self) -> datetime | None:
        """When the recording began; None where the file does not say, or where no line with a time was read yet."""
        return self._started if self._clock is None else self._clock.started

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the file, a sentence each; complete at the end of the entries."""
        told: list[str] = []
        if self._turned:
            told.append("the newest frame comes first: the recording was turned round")
        if self._untimed is not None:
            told.append(f'"{self._untimed}" looks like a time, but could not be read as one: the recording has no times')
        if self._clock is not None and self._clock.unread:
            told.append(f"{_lines(self._clock.unread)} no time that could be read")
        if self._whole_seconds:
            told.append("the times are whole seconds: a latency may be a second off")
        if self.audio_left_out:
            messages_ = "1 message" if self.audio_left_out == 1 else f"{self.audio_left_out:,} messages"
            told.append(f"the log left out the audio of {messages_}: how long it was is not known")
        if self._calls.left_out:
            was = "was" if self._calls.left_out == 1 else "were"
            told.append(f"{_lines(self._calls.left_out)} the id of another call, or none, and {was} left out")
        if self._changed:
            told.append(f"{_lines(self._changed)} another shape than the first ones")
        if self.passed_over:
            told.append(f"{_lines(self.passed_over)} no frame")
        if self._unknown:
            has = "the first frame has no" if self._unknown == 1 else f"none of the first {self._unknown:,} frames has a"
            told.append(f"{has} type that is known: frames of another service are not understood")
        return told

    def close(self) -> None:
        """Closes what was opened; no entries follow."""
        if self._opened:
            self._file.close()
        self._first.clear()
        self._ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording: {self.shape}, line {self._line}, refused {self.refused}>"

    # --- what the first lines show

    def _recognise(self, socket: int | None) -> None:
        """Looks at the first lines, which stay to be read, and finds out their shape and what stands beside the frames."""
        goes_on = self._look()
        numbered = enumerate(self._first, self._line + 1)
        lines = [(number, line.rstrip(b"\r\n")) for number, line in numbered if not line.isspace()]
        head = b"".join(self._first)
        if goes_on:
            lines.pop()
        if self._wrapper is not None or not head.strip():
            return
        shape = recognise(lines, head, socket=socket)
        if goes_on and (shape is None or not shape.document):
            self._first[-1] += self._next_line(LONGEST_LINE - len(self._first[-1]))
            head = b"".join(self._first)
            lines.append((self._line + len(self._first), self._first[-1].rstrip(b"\r\n")))
            shape = recognise(lines, head, socket=socket)
        if shape is None:
            raise RecordingError(foreign(head) or _nothing_in(lines))
        if socket is not None and not shape.words.startswith("a HAR"):
            raise RecordingError("socket= (--socket) chooses a WebSocket of a HAR file, and this is none")
        self.shape = shape.words
        sample = Sample(shape.read(BytesIO(head) if shape.document else lines), plain=shape.key == "")
        other = None if sample.speaks else foreign(head)
        if other is not None:
            raise RecordingError(other)
        self._use(shape, sample)

    def _look(self) -> bool:
        """Reads the first lines. Whether the last of them goes on."""
        size = likely = empty = 0
        while likely < LOOKED_AT and size < LOOKED_AT_BYTES:
            line = self._next_line(LOOKED_AT_BYTES)
            if not line:
                break
            if line.isspace() and not self._first:
                self._line += 1
                too_many = self._empty_lines()
                if too_many is not None:
                    self._waiting.append(too_many)
                continue
            self._first.append(line)
            empty = empty + 1 if line.isspace() else 0
            if empty > FEW_EMPTY and likely:  # the reading passes them faster
                break
            if line[-1] != NEWLINE and len(line) == LOOKED_AT_BYTES:
                return True
            if not size and b'"realtime-pcm"' in line:
                members = members_of(line)
                if members is not None and _is_own(line, members):
                    self._wrapper = Wrapper("event", "time", Ways("direction"), own=True)
                    self.shape = f"a recording of realtime-pcm, version {VERSION}"
                    self._read_header(line, members)
                    return False
            size += max(len(line), 64)  # of memory
            likely += b"type" in line
            if size >= LOOKED_AT_BYTES and not likely:  # a frame may still come: nothing of this holds one
                self._line += len(self._first)
                self.passed_over += len(self._first)
                self._first.clear()
                size = 1  # the first line is over
        return False

    def _use(self, shape: Shape, sample: Sample) -> None:
        """Takes what the first frames show for true of all, and chooses the way to read."""
        self._unknown = 0 if sample.known else len(sample.found)
        self._whole_seconds = sample.whole_seconds
        self._turned, self._left_out, self._untimed = sample.reversed, sample.left_out, sample.untimed
        self._ways, self._call = sample.ways, sample.call
        if sample.time is not None:
            self._time, self._clock = sample.time
        if self._calls.chosen is not None and self._call is None:
            raise RecordingError("call= (--call) chooses one of several calls, and no member of these lines says whose they are")
        if self._call is None:
            sample.watch_sessions()
        elif not self._turned:
            watch = CallIds(self._calls.chosen)
            for found in sample.found:
                watch.take(found.beside.get(self._call))
        for word, name in (("time", self._time), ("direction", self._ways.name)):
            if name is not None:
                self.shape += f", {word} {BESIDE_TEXT}" if shape.of_text and not name.isalpha() else f', {word} in "{name}"'
        if self._turned:
            self.shape += ", newest first: turned round"
        if shape.key is None or self._turned or self._left_out or self._calls.chosen is not None:
            self._shape = shape
        elif shape.key:
            self._wrapper = Wrapper(shape.key, self._time, self._ways, self._call, self._clock)
        elif self._time is not None or self._ways.name is not None or self._call is not None:
            self._shape = shape

    def _next_line(self, limit: int) -> bytes:
        try:
            return self._file.readline(limit)
        except FAULTS as error:
            return self._stopped(error)

    def _read_header(self, line: bytes, members: Members) -> None:
        started = scalar(line[slice(*members["started"])]) if "started" in members else None
        try:
            self._started = datetime.fromisoformat(str(started))
        except ValueError:
            self._started = None
        self._line += len(self._first)
        self._first.clear()

    # --- entries

    def __iter__(self) -> Iterator[Entry]:  # noqa: PYI034
        # A for loop gets the generator itself, which spares it a call for each entry.
        return self._entries

    def __next__(self) -> Entry:
        return next(self._entries)

    def _read(self) -> Iterator[Entry]:
        """The entries, in one loop with local names: what it adds to the work of the decoder is paid for every frame."""
        first, readline, decode, ways = self._first, self._file.readline, self._decode, self._ways.words
        split, unquote, new = _split_line, _unquote, _new_entry
        special = _SPECIAL | dict.fromkeys(_below(AudioMessage) | _below(ClientAudioMessage), AUDIO)
        received = decode["received"]
        wrapper = self._wrapper
        before, behind, time_at, way_at, quoted, call_at = NO_TEMPLATE
        scale, origin = 1.0, 0.0
        call = b""
        yield from self.entries_before()
        while True:
            try:
                line = first.popleft() if first else b"" if self._ended else readline(LONGEST_LINE)
            except FAULTS as error:
                line = self._stopped(error)
            if not line:
                break
            self._line += 1
            if line[-1] != NEWLINE and len(line) >= LONGEST_LINE:
                yield self._overlong(line)
            elif wrapper is None:
                frame = line if line[-1] != NEWLINE else line[:-2] if line[-2:-1] == b"\r" else line[:-1]
                try:
                    message = received(frame)
                except DecodeError as error:
                    empty = not frame or frame.isspace()
                    entry = self._empty_lines() if empty else self._without_frame(frame, error, None, None)
                    if entry is not None:
                        yield entry
                    continue
                kind = special.get(type(message))
                if kind is None:
                    yield new((self._line, None, "received", message, None))
                elif kind == AUDIO:
                    if len(message.pcm):
                        yield new((self._line, None, "received", message, None))
                    else:
                        yield self._silent(frame, message, None, "received")
                elif kind == UNKNOWN:
                    yield self._of_other_side(frame, message, None, "received")
                else:
                    self._sessions.take(message)
                    yield new((self._line, None, "received", message, None))
            else:
                found = split(line, before, behind)
                text = None if found is None else unquote(found[0]) if quoted else found[0]
                if found is not None and text is not None:
                    way = (ways.get(found[way_at]) or ways.get(found[way_at].lower()) or "received") if way_at else "received"
                    if call_at and found[call_at] != call:
                        call = found[call_at]
                        self._calls.take(scalar(call))
                    try:
                        message = decode[way](text)
                    except DecodeError:
                        pass  # a fault of the frame or of the line: the slow way finds out
                    else:
                        time = None
                        if time_at:
                            try:
                                time = (
                                    float(found[time_at]) * scale - origin if scale == scale else wrapper.seconds(found[time_at])
                                )
                            except ValueError:
                                time = wrapper.seconds(found[time_at])
                        kind = special.get(type(message))
                        if kind is None:
                            yield new((self._line, time, way, message, None))
                        elif kind == AUDIO:
                            if len(message.pcm):
                                yield new((self._line, time, way, message, None))
                            else:
                                yield self._silent(text, message, time, way)
                        elif kind == UNKNOWN:
                            yield self._of_other_side(text, message, time, way)
                        else:
                            self._sessions.take(message)
                            yield new((self._line, time, way, message, None))
                        continue
                entry = self._empty_lines() if line.isspace() else self._unwrap(line.rstrip(b"\r\n"), wrapper)
                before, behind, time_at, way_at, quoted, call_at = self._template
                scale, origin = wrapper.numbers()
                call = b""
                if entry is not None:
                    yield entry
        yield from self._end()
        self.close()

    _template = NO_TEMPLATE

    # --- any other shape

    def _read_found(self, shape: Shape) -> Iterator[Entry]:
        """The entries of what a shape finds."""
        found = shape.read(_Whole(self)) if shape.document else shape.read(self._lines())
        for one in turned_round(found) if self._turned else found:
            while self._waiting:
                yield self._waiting.popleft()
            self._line = one.line
            if one.frame is None:
                if one.fault:
                    yield self._refused(DecodeError(one.fault, 0, None, None, b""), None, None)
                else:
                    self.passed_over += 1
                continue
            if self._call is not None and not self._calls.take(one.beside.get(self._call)):
                continue
            yield self._entry(one.frame, *self._told(one))
        yield from self._waiting
        yield from self._end()
        self.close()

    def _told(self, found: Found) -> tuple[float | None, Direction]:
        """The time and the direction that stand beside a frame."""
        time = None if self._time is None or self._clock is None else self._clock.seconds(found.beside.get(self._time))
        way = None if self._ways.name is None else self._ways.of(found.beside.get(self._ways.name))
        return time, way or "received"

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines with their numbers, without newlines and without blank ones. What is too long waits as an entry."""
        number = self._line
        while True:
            line = self._first.popleft() if self._first else b"" if self._ended else self._next_line(LONGEST_LINE)
            if not line:
                return
            number += 1
            if line[-1] != NEWLINE and len(line) >= LONGEST_LINE:
                self._line = number
                self._waiting.append(self._overlong(line))
            elif line.isspace():
                self._line = number
                too_many = self._empty_lines()
                number = self._line
                if too_many is not None:
                    self._waiting.append(too_many)
            else:
                yield number, line.rstrip(b"\r\n")

    def read_on(self, size: int) -> bytes:
        """The next bytes of a document."""
        if self._first:
            data = self._first.popleft()
            if len(data) > size:
                self._first.appendleft(data[size:])
            return data[:size]
        if self._ended:
            return b""
        try:
            return self._file.read(size)
        except FAULTS as error:
            return self._stopped(error)

    # --- for realtime_pcm.arrow, which finds the lines itself

    def entries_before(self) -> list[Entry]:
        """What is to be said before the first line."""
        before = [*self._waiting]
        self._waiting.clear()
        return before

    def lines_to_read(self) -> tuple[bytes, int]:
        """The lines from which the shape was recognised, for the caller to read, and the number of the line before them."""
        first = b"".join(self._first)
        self._first.clear()
        return first, self._line

    def fill(self, buffer: memoryview) -> int:
        """Reads further bytes into a buffer. 0: the file ends here; `damaged` says whether in the middle of its data."""
        count = 0
        while count < len(buffer) and not self._ended:
            try:
                read = int(self._file.readinto1(buffer[count:]))  # type: ignore[attr-defined]
            except FAULTS as error:
                self._stopped(error)
                break
            if not read:
                break
            count += read
        return count

    @property
    def size(self) -> int:
        """How many bytes the file has, if it is a file of the disk that is not packed; else 0."""
        try:
            return os.fstat(self._file.fileno()).st_size if type(self._file) is BufferedReader else 0
        except (OSError, ValueError):
            return 0

    @property
    def damaged(self) -> bool:
        """Whether the data end where they should not. A line that is cut off there is left out, and entry_of_end says so."""
        return self._fault is not None

    def entry_of_end(self, line: int) -> Entry | None:
        """The entry behind the last line, where the file ends too early."""
        self._line = line
        return next(self._end(), None)

    def entry_of_overlong(self, line: bytes, number: int) -> Entry:
        """The entry of the first LONGEST_LINE bytes of a line that is longer; the caller leaves out the rest."""
        self._line = number
        return self._refused(self._overlong_fault(line), None, None)

    def entry_of(self, line: bytes, number: int) -> Entry | None:
        """The entry of a line, its newline included; None for one without a frame. An empty one is the first of too many."""
        self._line = number
        wrapper = self._wrapper
        if line.isspace():
            return self._too_empty(number)
        if wrapper is None:
            frame = line if line[-1] != NEWLINE else line[:-2] if line[-2:-1] == b"\r" else line[:-1]
            return self._plain(frame)
        before, behind, time_at, way_at, quoted, _ = self._template
        found = _split_line(line, before, behind)
        text = None if found is None else _unquote(found[0]) if quoted else found[0]
        if found is not None and text is not None:
            way = (self._ways.of_json(found[way_at]) or "received") if way_at else "received"
            try:
                message = self._decode[way](text)
            except DecodeError:
                pass  # a fault of the frame or of the line: the slow way finds out
            else:
                time = wrapper.seconds(found[time_at]) if time_at else None
                if _SPECIAL.get(type(message)) == UNKNOWN:
                    return self._of_other_side(text, message, time, way)
                return Entry(self._line, time, way, message, None)
        return self._unwrap(line.rstrip(b"\r\n"), wrapper)

    def _plain(self, frame: bytes) -> Entry | None:
        try:
            message = self._decode["received"](frame)
        except DecodeError as error:
            return self._without_frame(frame, error, None, None)
        if _SPECIAL.get(type(message)) == UNKNOWN:
            return self._of_other_side(frame, message, None, "received")
        return Entry(self._line, None, "received", message, None)

    @property
    def is_fast(self) -> bool:
        """Whether each line is a frame, or a wrapper that `template` and `wrapper` describe."""
        return self._shape is None

    @property
    def words(self) -> dict[bytes, Direction]:
        """What the words of the lines' direction mean, as JSON."""
        return self._ways.words

    @property
    def wrapper(self) -> Wrapper | None:
        """How lines hold their frames; None for plain frames."""
        return self._wrapper

    @property
    def template(self) -> Template:
        """What the lines so far have in common."""
        return self._template

    def _stopped(self, error: Exception) -> bytes:
        """The end of a file whose compressed data are at fault. Raises an OSError of the disk."""
        # gzip tells damaged data by an OSError without a number.
        if isinstance(error, OSError) and error.errno is not None:
            raise error
        self._fault = "the gzip data end too early" if isinstance(error, EOFError) else str(error)
        self._ended = True
        return b""

    def _empty_lines(self) -> Entry | None:
        """Passes the empty lines that follow the one that was read. An entry where there are too many of them in a row."""
        if self._line != self._empty_to:
            self._empty_from = self._line
        told = self._line - self._empty_from > MOST_EMPTY
        while not (self._first or self._ended):
            try:
                ahead = self._file.peek(1)  # type: ignore[attr-defined]
                end = ahead.rfind(b"\n", 0, len(ahead) - len(ahead.lstrip())) + 1
                if not end:
                    break
                self._line += ahead.count(b"\n", 0, end)
                self._file.read(end)
            except FAULTS as error:
                self._stopped(error)
        self._empty_to = self._line + 1
        too_many = self._empty_to - self._empty_from > MOST_EMPTY
        return self._too_empty(self._empty_from + MOST_EMPTY) if too_many and not told else None

    def _too_empty(self, number: int) -> Entry:
        error = DecodeError(f"more than {MOST_EMPTY:,} empty lines in a row: they are passed over", 0, None, None, b"")
        return self._refused(error, None, None)._replace(line=number)

    def _overlong(self, line: bytes) -> Entry:
        start = line[:1000]
        while line and line[-1] != NEWLINE and not self._ended:
            try:
                line = self._file.readline(PASSED_AT_ONCE)
            except FAULTS as error:
                line = self._stopped(error)
        return self._refused(self._overlong_fault(start), None, None)

    @staticmethod
    def _overlong_fault(start: bytes) -> DecodeError:
        return DecodeError(f"a line of more than {LONGEST_LINE} bytes", LONGEST_LINE, None, None, start[:1000])

    @staticmethod
    def _end_fault(why: str) -> DecodeError:
        return DecodeError(f"the file ends here: {why}", 0, None, None, b"")

    def _entry(self, frame: bytes | str, time: float | None, way: Direction) -> Entry:
        if self._left_out:
            frame = self._emptied(frame)
        try:
            message = self._decode[way](frame)
        except DecodeError as error:
            return self._refused_frame(frame, error, time, way)
        kind = _SPECIAL.get(type(message))
        if kind == UNKNOWN:
            return self._of_other_side(frame, message, time, way)
        if kind == WATCH:
            self._sessions.take(message)
        return Entry(self._line, time, way, message, None)

    def _of_other_side(self, frame: bytes | str, message: RealtimeMessage, time: float | None, way: Direction) -> Entry:
        """A message that this side does not know.

        If the other side knows it, the file has no directions, or was written by the other end of the connection.
        """
        if self._wrapper is not None and self._wrapper.own:
            return Entry(self._line, time, way, message, None)
        known = UnknownClientMessage if way == "received" else UnknownMessage
        side = "client" if way == "received" else "server"
        other: Direction = "sent" if way == "received" else "received"
        try:
            # As bytes: only the session, which decode() does not know, says whether the format of audio is one of ours.
            if type(decode(frame, side=side, dtype="uint8")) is not known:  # type: ignore[call-overload]
                return Entry(self._line, time, other, self._decode[other](frame), None)
        except DecodeError as error:
            return self._refused_frame(frame, error, time, other)
        return Entry(self._line, time, way, message, None)

    def _refused(self, error: DecodeError, time: float | None, way: Direction | None) -> Entry:
        self.refused += 1
        return Entry(self._line, time, way or "received", None, error)

    def _refused_frame(self, frame: bytes | str, error: DecodeError, time: float | None, way: Direction) -> Entry:
        """The entry of a frame that was refused: without its audio, if something stands in place of that."""
        own = self._wrapper is not None and self._wrapper.own
        emptied = without_payload(frame, error.field) if error.field and not own and is_marked(frame, error) else None
        if emptied is not None:
            with suppress(DecodeError):
                message = self._decode[way](emptied)
                self.audio_left_out += 1
                return Entry(self._line, time, way, message, None)
        return self._refused(error, time, way)

    def _without_frame(self, line: bytes, error: DecodeError, time: float | None, way: Direction | None) -> Entry | None:
        """The entry of a line in which this shape found no frame: it may have another shape. None if it holds none at all."""
        if error.message_type is not None:
            return self._refused_frame(line, error, time, way or "received")
        if self._wrapper is not None and self._wrapper.own:
            return self._refused(error, time, way)
        found, _ = found_in_line(self._line, line, ("",))
        if found.frame is None and not found.fault:
            found, _ = found_in_text(self._line, line.decode("utf-8", "surrogateescape"), ())
        if found.fault:
            return self._refused(error, time, way)
        if found.frame is None:
            self.passed_over += 1
            return None
        return self._of_other_shape(found)

    def _of_other_shape(self, found: Found) -> Entry:
        """The entry of a frame in a line that has not the shape of the first ones."""
        self._changed_from = self._changed_from or self._line
        self._changed += 1
        return self._entry(found.frame or b"", *self._told(found))

    def _silent(self, frame: bytes | str, message: Any, time: float | None, way: Direction) -> Entry:
        """The entry of an audio message without audio. Its type may only be repeated beside the frame that holds it."""
        if without_payload(frame, "delta") is None and without_payload(frame, "audio") is None:
            self.audio_left_out += 1
            found, _ = found_in_line(
                self._line, frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass"), ()
            )
            if found.frame is not None and found.frame != frame:
                self.audio_left_out -= 1
                return self._of_other_shape(found)
        elif getattr(message, "delta", "") is None:
            self.audio_left_out += 1
        return Entry(self._line, time, way, message, None)

    def _end(self) -> Iterator[Entry]:
        """What is to be said when all lines are read."""
        if self._fault is not None:
            yield self._refused(self._end_fault(self._fault), None, None)
        if self._changed and (self._time is not None or self._ways.name is not None):
            lines = "1 line has" if self._changed == 1 else f"{self._changed:,} lines have"
            reason = (
                f"from line {self._changed_from} on {lines} another shape, without times that could be read: split the file there"
            )
            yield self._refused(DecodeError(reason, 0, None, None, b""), None, None)

    def _emptied(self, frame: bytes | str) -> bytes | str:
        """The frame without its payload, if that was left out or cut."""
        sides: tuple[Literal["server", "client"], ...] = ("server", "client")
        for side in sides:
            try:
                message = decode(frame, side=side)
            except DecodeError as error:
                emptied: bytes | str | None = without_payload(frame, error.field) if error.field else None
            else:
                if not isinstance(message, (AudioMessage, ClientAudioMessage)):
                    continue
                emptied = without_payload(frame) or (None if len(message.pcm) else frame)
            self.audio_left_out += emptied is not None
            return frame if emptied is None else emptied
        return frame

    def _unwrap(self, line: bytes, wrapper: Wrapper) -> Entry | None:
        """A line that the last template does not fit, or whose frame was refused: its members are looked up one by one.

        None for a line without a frame, which counts what was dropped.
        """
        members = members_of(line)
        if members is None:
            return self._without_frame(line, _fault_of(line), None, None)
        values = {key: line[slice(*span)] for key, span in members.items() if key != wrapper.frame}
        time = wrapper.seconds(values.get(wrapper.time or ""))
        way = self._ways.of_json(values.get(wrapper.direction or "", b"")) or "received"
        if wrapper.own and "raw" in values:
            return self._entry(_from_base64(values["raw"]), time, way)
        if wrapper.own and "dropped" in values:
            count = scalar(values["dropped"])
            self.dropped += count if isinstance(count, int) else 0
            return None
        if wrapper.call is not None:
            self._calls.take(scalar(values.get(wrapper.call, b"null")))
        key = wrapper.frame
        if key not in members and not wrapper.own:
            paths = paths_of_line(line)
            if len(paths) != 1 or len(paths[0]) != 1:
                return self._without_frame(line, _no_frame(key, line), time, way)
            key = str(paths[0][0])
        frame = frame_of(line[slice(*members[key])]) if key in members else None
        if frame is None:
            return self._without_frame(line, _no_frame(key, line), time, way)
        try:
            self._template = Template.of(line, members, key, wrapper.time, wrapper.direction, wrapper.call)
        except ValueError:
            self._template = NO_TEMPLATE
        return self._entry(frame, time, way)


def _below(cls: type) -> set[type]:
    """A class and all that derive from it."""
    return {cls}.union(*map(_below, cls.__subclasses__()))


class _Whole:
    """The file of a recording, for a parser of streams."""

    def __init__(self, recording: Recording) -> None:
        self.read = recording.read_on


def _no_frame(key: str, line: bytes) -> DecodeError:
    return DecodeError(f'no frame as "{key}", where this recording has them', 0, None, None, line)


def _lines(count: int) -> str:
    return "1 line has" if count == 1 else f"{count:,} lines have"


def _is_own(line: bytes, members: Members) -> bool:
    """Whether a line is the header of one of our recordings. RecordingError for a version that this release does not read."""
    if "recording" not in members or line[slice(*members["recording"])] != b'"realtime-pcm"':
        return False
    version = scalar(line[slice(*members["version"])]) if "version" in members else None
    if version != VERSION:
        raise RecordingError(f"a recording of version {version!r}, and this release of realtime-pcm reads version {VERSION}")
    return True


def _nothing_in(lines: Sequence[tuple[int, bytes]]) -> str:
    """The sentence for a file in whose first lines there is no frame: it says what is wrong with the first of them."""
    first = "first line" if len(lines) == 1 else f"first {len(lines):,} lines"
    told = f'no frame could be read: no JSON object in the {first} has a "type" that a Realtime message has'
    for number, line in lines[:1]:
        try:
            decode(line)
        except DecodeError as error:
            told += f"; line {number}: {error}"
    return told


def _fault_of(line: bytes) -> DecodeError:
    """Why a line is no JSON object."""
    try:
        decode(line)
    except DecodeError as error:
        return error
    return DecodeError("a wrapper nested too deeply", 0, None, None, line)


def _from_base64(value: bytes) -> bytes:
    try:
        return b64decode(value[1:-1], validate=True)
    except ValueError:
        return value


def read_recording(
    path_or_file: str | os.PathLike[str] | Any,
    *,
    dtype: Any = "int16",
    audio_format: Any = None,
    shape: OwnShape | None = None,
    call: str | None = None,
    socket: int | None = None,
) -> Recording:
    """The entries of a recording, in the order of time: an iterator, which reads as it goes.

    The shape of the file is recognised from its first 200 frames or first MiB: what a Recorder wrote, plain frames, wrappers,
    lines of logs and consoles, JSON documents, HAR files. `.shape` says what it is, and `.notes` what else should be known. A
    line that holds a frame that is refused is an Entry with its error; lines without frames are counted in `passed_over`. Where
    a file has no directions, the type of a message tells its side.

    Args:
        path_or_file: A path, or a file that is open in binary mode, which stays open. The first bytes tell whether it is packed,
            by gzip or zstd.
        dtype: As in Decoder, for both sides.
        audio_format: As in Decoder, for both sides.
        shape: Your own shape: a function that takes the lines (an iterable of bytes, without newlines) and yields for each frame
            its time (seconds, or None), its direction ("received", "sent" or None) and the frame.
        call: The id of the call to read, if the file holds several at once.
        socket: Which WebSocket of a HAR file to read, from 1, of those that speak Realtime.

    Raises:
        RecordingError: The file is no recording, or holds several calls at once; the latter may show in the middle of the file.
        OSError: As open() does.
        ModuleNotFoundError: zstd or a JSON document needs the extra `recording`.

    """
    return Recording(path_or_file, dtype, audio_format, shape, call, socket)
