"""read_recording: the entries of a recording, one for each frame."""

from __future__ import annotations

import os
from base64 import b64decode
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

from .._bulk import LineSplitter
from .._core import Session, decode
from ..errors import DecodeError
from ..sockets import Socket, catalogue_of
from .beginning import given, look_at
from .decoding import PLAIN, Frames
from .entry import Entry, new_entry
from .lines import MOST_EMPTY, LineFile, is_whole, without_newline
from .shapes import LONGEST_LINE, Found, Shape
from .shapes.embedded import found_in_text
from .shapes.frames import REALTIME, Direction, KnownFrames
from .shapes.given import OwnShape
from .template import NO_TEMPLATE, Template, Wrapper, frame_of, members_of, scalar
from .turned import turned_round

__all__ = ["Entry", "Recording", "read_recording"]


class Recording(Iterator[Entry]):
    """The entries of a recording. A context manager; it closes its file at the end if it was given a path.

    Attributes:
        shape: A description of how the file stores its frames.
        session: The Session that both sides share.
        catalogue: The sockets.Catalogue of its frames; None for those of the Realtime API.
        dropped: How many frames the Recorder dropped, so far.
        refused: How many entries have an error, so far.
        passed_over: How many lines have no frame, so far.
        audio_left_out: How many audio messages lack their audio in the log, so far. Their `pcm` is empty.
    """

    def __init__(
        self,
        source: Any,
        dtype: Any,
        audio_format: Any,
        shape: OwnShape | None = None,
        call: str | None = None,
        socket: int | None = None,
        catalogue: Any = None,
    ) -> None:
        chosen = catalogue_of(catalogue)
        known = REALTIME if chosen is None else KnownFrames(chosen)
        self.dropped = 0
        self._template = NO_TEMPLATE
        self._waiting: deque[Entry] = deque()
        self._file = LineFile(source)
        try:
            self._begun = begun = given(shape, known) if shape is not None else look_at(self._file, call, socket, known)
            self._frames = Frames(dtype, audio_format, begun.known)
        except BaseException:
            self.close()
            raise
        self._known = begun.known
        self.session: Session = self._frames.session
        self.catalogue = begun.known.catalogue
        self.shape = begun.words
        self.passed_over = begun.passed_over
        self._frames.left_out, self._frames.camel, self._frames.by_fit = begun.left_out, begun.camel, begun.by_fit
        self._frames.own = begun.wrapper is not None and begun.wrapper.own
        if begun.too_empty is not None:
            self._waiting.append(self._too_empty(begun.too_empty))
        if begun.shape is not None:
            self._entries = self._read_found(begun.shape)
        elif begun.wrapper is not None:
            self._entries = self._read_wrapped(begun.wrapper)
        else:
            self._entries = self._read_plain()

    @property
    def refused(self) -> int:
        """Entries with an error, so far."""
        return self._frames.refused

    @property
    def audio_left_out(self) -> int:
        """Audio messages whose audio the log does not have, so far."""
        return self._frames.audio_left_out

    @property
    def started(self) -> datetime | None:
        """When the recording began; None if the file does not say, or before a line with a time was read."""
        return self._begun.started if self._begun.clock is None else self._begun.clock.started

    @property
    def notes(self) -> list[str]:
        """Remarks about the file, one sentence each. Complete after the last entry."""
        begun, told = self._begun, []
        if begun.turned:
            told.append("the newest frame comes first: the recording was turned round")
        if begun.untimed is not None:
            told.append(f'"{begun.untimed}" looks like a time, but could not be read as one: the recording has no times')
        if begun.clock is not None and begun.clock.unread:
            told.append(f"{_lines(begun.clock.unread)} no time that could be read")
        if begun.whole_seconds:
            told.append("the times are whole seconds: a latency may be a second off")
        if begun.by_fit:
            told.append("nothing says who sent a frame: it belongs to the side whose class fits it better")
        if begun.camel:
            told.append('the frames have keys in camelCase, such as "itemId": they were read as those of the wire')
        if self.audio_left_out:
            messages_ = "1 message" if self.audio_left_out == 1 else f"{self.audio_left_out:,} messages"
            told.append(f"the log left out the audio of {messages_}: how long it was is not known")
        if begun.calls.left_out:
            was = "was" if begun.calls.left_out == 1 else "were"
            told.append(f"{_lines(begun.calls.left_out)} the id of another call, or none, and {was} left out")
        if self._frames.changed:
            told.append(f"{_lines(self._frames.changed)} another shape than the first ones")
        if self.passed_over:
            told.append(f"{_lines(self.passed_over)} no frame")
        if begun.between is not None:
            told.append(f"frames of {begun.between} are not read with those of Realtime: --catalogue {begun.between} reads them")
        if begun.unknown:
            has = "the first frame has no" if begun.unknown == 1 else f"none of the first {begun.unknown:,} frames has a"
            told.append(f"{has} type that is known: frames of another service are not understood")
        return told

    def close(self) -> None:
        """Closes the file. No entries follow."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording: {self.shape}, line {self._file.number}, refused {self.refused}>"

    # --- entries

    def __iter__(self) -> Iterator[Entry]:  # noqa: PYI034
        # A for loop gets the generator itself, which spares it a call for each entry.
        return self._entries

    def __next__(self) -> Entry:
        return next(self._entries)

    def _read_plain(self) -> Iterator[Entry]:
        """The entries of lines that are frames. The loop is short because its cost adds to every decode."""
        file, frames, new = self._file, self._frames, new_entry
        next_line, kinds, received = file.next, frames.kinds, frames.decode["received"]
        yield from self.entries_before()
        while line := next_line():
            if not is_whole(line):
                yield self._overlong(line)
                continue
            frame = without_newline(line)
            try:
                message = received(frame)
            except DecodeError as error:
                empty = not frame or frame.isspace()
                entry = self._empty_lines() if empty else self._without_frame(file.number, frame, error)
                if entry is not None:
                    yield entry
                continue
            kind = kinds.get(type(message)) or frames.kind_of(type(message))
            if kind == PLAIN:
                yield new((file.number, None, "received", message, None))
            else:
                yield frames.of_message(kind, file.number, frame, message, None, "received")
        yield from self._end()
        self.close()

    def _read_wrapped(self, wrapper: Wrapper) -> Iterator[Entry]:
        """The entries of lines that are objects with the frame as a member."""
        file, frames, new = self._file, self._frames, new_entry
        next_line, kinds = file.next, frames.kinds
        received, sent = frames.decode["received"], frames.decode["sent"]
        split = self._splitter(wrapper).split
        yield from self.entries_before()
        while line := next_line():
            if not is_whole(line):
                yield self._overlong(line)
                continue
            found = split(line)
            if found is not None:
                frame, time, way, call = found
                if call is not None:
                    self._begun.calls.take(scalar(call))
                try:
                    message = sent(frame) if way == "sent" else received(frame)
                except DecodeError:
                    pass  # a fault of the frame or of the line: the slow way finds out
                else:
                    if isinstance(time, bytes):
                        time = wrapper.seconds(time)
                    kind = kinds.get(type(message)) or frames.kind_of(type(message))
                    if kind == PLAIN:
                        yield new((file.number, time, way or "received", message, None))
                    else:
                        yield frames.of_message(kind, file.number, frame, message, time, way or "received")
                    continue
            entry = self._empty_lines() if line.isspace() else self._unwrap(file.number, line.rstrip(b"\r\n"), wrapper)
            split = self._splitter(wrapper).split
            if entry is not None:
                yield entry
        yield from self._end()
        self.close()

    def _splitter(self, wrapper: Wrapper) -> LineSplitter:
        return LineSplitter(*self._template, wrapper.ways.words, *wrapper.numbers())

    # --- any other shape

    def _read_found(self, shape: Shape) -> Iterator[Entry]:
        """The entries of the frames that a shape finds."""
        file = self._file
        found = shape.read(file if shape.document else self._numbered())
        for one in turned_round(found) if self._begun.turned else found:
            while self._waiting:
                yield self._waiting.popleft()
            if one.frame is None:
                if one.fault:
                    yield self._frames.refuse(one.line, DecodeError(one.fault, 0, None, None, b""))
                else:
                    self.passed_over += 1
                continue
            call = self._begun.call
            if call is not None and not self._begun.calls.take(one.beside.get(call)):
                continue
            yield self._frames.entry(one.line, one.frame, *self._told(one))
        yield from self._waiting
        yield from self._end()
        self.close()

    def _told(self, found: Found) -> tuple[float | None, Direction]:
        """The time and the direction next to a frame."""
        begun = self._begun
        time = None if begun.time is None or begun.clock is None else begun.clock.seconds(found.beside.get(begun.time))
        way = None if begun.ways.name is None else begun.ways.of(found.beside.get(begun.ways.name))
        return time, way or "received"

    def _numbered(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not blank, without newlines, with their numbers. A line that is too long waits as an entry."""
        file = self._file
        while line := file.next():
            if not is_whole(line):
                self._waiting.append(self._overlong(line))
            elif line.isspace():
                too_many = self._empty_lines()
                if too_many is not None:
                    self._waiting.append(too_many)
            else:
                yield file.number, line.rstrip(b"\r\n")

    # --- for realtime_pcm.arrow, which finds the lines itself

    def entries_before(self) -> list[Entry]:
        """The entries that come before the first line."""
        before = [*self._waiting]
        self._waiting.clear()
        return before

    def lines_to_read(self) -> tuple[bytes, int]:
        """The lines from which the shape was recognised, for the caller to read, and the number of the line before them."""
        first = b"".join(self._file.first)
        self._file.first.clear()
        return first, self._file.number

    def fill(self, buffer: memoryview) -> int:
        """Reads more bytes into a buffer. Returns 0 at the end of the file; `damaged` says whether it ended too early."""
        return self._file.fill(buffer)

    @property
    def size(self) -> int:
        """Size of an uncompressed file on disk in bytes; otherwise 0."""
        return self._file.size

    @property
    def damaged(self) -> bool:
        """Whether the data end too early. The cut line is left out, and `entry_of_end` reports it."""
        return self._file.fault is not None

    def entry_of_end(self, line: int) -> Entry | None:
        """The entry after the last line, if the file ends too early."""
        self._file.number = line
        return next(self._end(), None)

    def entry_of_overlong(self, line: bytes, number: int) -> Entry:
        """The entry of a line that is too long, from its first LONGEST_LINE bytes. The caller skips the rest."""
        fault = DecodeError(f"a line of more than {LONGEST_LINE} bytes", LONGEST_LINE, None, None, line[:1000])
        return self._frames.refuse(number, fault)

    def entry_of(self, line: bytes, number: int) -> Entry | None:
        """The entry of a line, its newline included; None for one without a frame. An empty one is the first of too many."""
        self._file.number = number
        if line.isspace():
            return self._too_empty(number)
        wrapper = self._begun.wrapper
        if wrapper is not None:
            return self._unwrap(number, line.rstrip(b"\r\n"), wrapper)
        frame = without_newline(line)
        try:
            message = self._frames.decode["received"](frame)
        except DecodeError as error:
            return self._without_frame(number, frame, error)
        kind = self._frames.kind_of(type(message))
        if kind == PLAIN:
            return Entry(number, None, "received", message, None)
        return self._frames.of_message(kind, number, frame, message, None, "received")

    def tell(self, role: str, id_: str | None) -> None:
        """Follows a frame that the caller read. Raises RecordingError if two calls mix."""
        self._frames.tell(role, id_)

    @property
    def is_fast(self) -> bool:
        """Whether each line is a frame, or a wrapper that `template` and `wrapper` describe."""
        return self._begun.shape is None

    @property
    def words(self) -> dict[bytes, Direction]:
        """The JSON words for directions, and their meaning."""
        return self._begun.ways.words if self._begun.wrapper is None else self._begun.wrapper.ways.words

    @property
    def wrapper(self) -> Wrapper | None:
        """How lines wrap their frames; None for plain frames."""
        return self._begun.wrapper

    @property
    def template(self) -> Template:
        """The common form of the lines so far."""
        return self._template

    # --- lines that are out of the ordinary

    def _empty_lines(self) -> Entry | None:
        """Passes the empty lines that follow the one that was read. An entry where there are too many of them in a row."""
        number = self._file.pass_empty()
        return None if number is None else self._too_empty(number)

    def _too_empty(self, number: int) -> Entry:
        fault = DecodeError(f"more than {MOST_EMPTY:,} empty lines in a row: they are passed over", 0, None, None, b"")
        return self._frames.refuse(number, fault)

    def _overlong(self, line: bytes) -> Entry:
        self._file.pass_rest(line)
        return self.entry_of_overlong(line, self._file.number)

    def _without_frame(
        self, number: int, line: bytes, error: DecodeError, time: float | None = None, way: Direction | None = None
    ) -> Entry | None:
        """The entry of a line in which this shape found no frame: it may have another shape. None if it holds none at all."""
        if error.message_type is not None:
            return self._frames.of_refused(number, line, error, time, way or "received")
        if self._frames.own:
            return self._frames.refuse(number, error, time, way)
        found, _ = self._known.found_in_line(number, line, ("",))
        if found.frame is None and not found.fault:
            found, _ = found_in_text(number, line.decode("utf-8", "surrogateescape"), (), self._known)
        if found.fault:
            return self._frames.refuse(number, error, time, way)
        if found.frame is None:
            self.passed_over += 1
            return None
        return self._frames.of_other_shape(number, found.frame, *self._told(found))

    def _unwrap(self, number: int, line: bytes, wrapper: Wrapper) -> Entry | None:
        """A line that the last template does not fit, or whose frame was refused: its members are looked up one by one.

        None for a line without a frame, which counts what was dropped.
        """
        members = members_of(line)
        if members is None:
            return self._without_frame(number, line, _fault_of(line))
        values = {key: line[slice(*span)] for key, span in members.items() if key != wrapper.frame}
        time = wrapper.seconds(values.get(wrapper.time or ""))
        way = wrapper.ways.of_json(values.get(wrapper.direction or "", b"")) or "received"
        if wrapper.own and "raw" in values:
            return self._frames.entry(number, _from_base64(values["raw"]), time, way)
        if wrapper.own and "dropped" in values:
            self.dropped += _count_in(values["dropped"])
            return None
        if wrapper.call is not None:
            self._begun.calls.take(scalar(values.get(wrapper.call, b"null")))
        key = wrapper.frame
        if key not in members and not wrapper.own:
            paths = self._known.paths_of_line(line)
            if len(paths) != 1 or len(paths[0]) != 1:
                return self._without_frame(number, line, _no_frame(key, line), time, way)
            key = str(paths[0][0])
        frame = frame_of(line[slice(*members[key])]) if key in members else None
        if frame is None:
            return self._without_frame(number, line, _no_frame(key, line), time, way)
        if wrapper.clock is not None and wrapper.time not in (None, *values):
            if key != wrapper.frame:
                return self._frames.of_other_shape(number, frame, time, way)
            wrapper.clock.unread += 1
        try:
            self._template = Template.of(line, members, key, wrapper.time, wrapper.direction, wrapper.call)
        except ValueError:
            self._template = NO_TEMPLATE
        return self._frames.entry(number, frame, time, way)

    def _end(self) -> Iterator[Entry]:
        """What is to be said when all lines are read."""
        number, frames, fault = self._file.number, self._frames, self._file.fault
        if fault is not None:
            yield frames.refuse(number, DecodeError(f"the file ends here: {fault}", 0, None, None, b""))
        if frames.changed and (self._begun.time is not None or self._begun.ways.name is not None):
            changed = f"from line {frames.changed_from} on {_lines(frames.changed)} another shape"
            reason = f"{changed}, without times that could be read: split the file there"
            yield frames.refuse(number, DecodeError(reason, 0, None, None, b""))


def _no_frame(key: str, line: bytes) -> DecodeError:
    return DecodeError(f'no frame as "{key}", where this recording has them', 0, None, None, line)


def _lines(count: int) -> str:
    return "1 line has" if count == 1 else f"{count:,} lines have"


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


MOST_DROPPED = 1 << 53  # frames, of all lines together: what a Recorder can count


def _count_in(value: bytes) -> int:
    """How many frames a line says were dropped; 0 for what no Recorder writes."""
    count = scalar(value)
    return count if type(count) is int and 0 < count <= MOST_DROPPED else 0


def read_recording(
    path_or_file: str | os.PathLike[str] | Any,
    *,
    dtype: Any = "int16",
    audio_format: Any = None,
    shape: OwnShape | None = None,
    call: str | None = None,
    socket: int | None = None,
    catalogue: str | Socket[Any, Any] | None = None,
) -> Recording:
    """The entries of a recording in order of time: an iterator that reads the file as you go.

    The shape of the file is recognised from its first 200 frames or first MiB: files of a Recorder, plain frames, wrappers, lines
    of logs and consoles, JSON documents, HAR files. `.shape` describes it, and `.notes` has anything else worth knowing. A bad
    frame is an Entry with its error. Lines without a frame are counted in `passed_over`. If a file has no directions, the type of
    a message decides which side sent it.

    Args:
        path_or_file: A path, or a file open in binary mode, which stays open. Compression with gzip or zstd is recognised from
            the first bytes.
        dtype: As in Decoder, for both sides.
        audio_format: As in Decoder, for both sides.
        shape: Your own shape: a function that takes the lines (an iterable of bytes, without newlines) and yields for each frame
            its time (seconds, or None), its direction ("received", "sent" or None) and the frame.
        call: The id of the call to read, if the file has several.
        socket: Which WebSocket of a HAR file to read, from 1, of those that speak Realtime.
        catalogue: Another socket whose frames these are: its name ("gemini"), its module or its Catalogue. None: the frames tell
            whether they are those of the Realtime API or of a socket of `realtime_pcm.sockets`.

    Raises:
        RecordingError: The file is not a recording, or has several calls or frames of two sockets. That may only show in the
            middle of the file.
        OSError: The file cannot be opened.
        ModuleNotFoundError: zstd or a JSON document needs the extra `recording`.
        ValueError: No catalogue has this name.
    """
    return Recording(path_or_file, dtype, audio_format, shape, call, socket, catalogue)
