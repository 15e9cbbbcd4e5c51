"""read_recording: the entries of a recording, one for each frame."""

from __future__ import annotations

import os
import zlib
from base64 import b64decode
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from io import BufferedReader
from typing import Any, NamedTuple, Self

from .._core import Decoder, RealtimeMessage, Session, UnknownClientMessage, UnknownMessage, _split_line, _unquote, decode
from ..errors import DecodeError
from .files import FaultyData, RecordingError, open_to_read
from .shapes import (
    DIRECTIONS,
    FRAME_KEYS,
    Direction,
    Members,
    Template,
    Wrapper,
    frame_of,
    is_plain,
    members_of,
    scalar,
    way_of,
    wrapper_of,
)

__all__ = ["Entry", "Recording", "read_recording"]

LONGEST_LINE = 64 * 1024 * 1024  # bytes; a frame is some 20 MB at the most, and a little more as a string of JSON
PASSED_AT_ONCE = 1 << 18  # bytes of the rest of a line that is too long
MOST_EMPTY = 10_000  # lines in a row
LOOKED_AT = 20  # lines from which the shape is recognised
LOOKED_AT_BYTES = 4 * 1024 * 1024
NEWLINE = ord("\n")

UNKNOWN = (UnknownMessage, UnknownClientMessage)
FAULTS = (EOFError, OSError, zlib.error, FaultyData)  # of compressed data, and of the disk
NO_TEMPLATE = Template((b"\n",), (), 0, 0, False)  # fits no line


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
    had no room for, so far. refused: entries with an error, so far.
    """

    def __init__(self, source: Any, dtype: Any, audio_format: Any) -> None:
        self.session = Session()
        self.shape = "plain frames"
        self.dropped = 0
        self.refused = 0
        options: dict[str, Any] = {"dtype": dtype, "audio_format": audio_format, "session": self.session}
        self._decode: dict[Direction, Any] = {
            "received": Decoder(**options).decode,
            "sent": Decoder(side="client", **options).decode,
        }
        self._started: datetime | None = None
        self._line = 0
        self._wrapper: Wrapper | None = None
        self._templates: list[Template] = []
        self._hint = ""
        self._first: deque[bytes] = deque()
        self._fault: str | None = None
        self._ended = False
        self._empty_from = self._empty_to = 0  # the last run of empty lines: its first line, and the one behind it
        self._file, self._opened = open_to_read(source)
        try:
            self._recognise()
        except BaseException:
            self.close()
            raise
        self._entries = self._read()

    @property
    def started(self) -> datetime | None:
        """When the recording began; None where the file does not say, or where no line with a time was read yet."""
        clock = self._wrapper.clock if self._wrapper is not None else None
        return self._started if clock is None else clock.started

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

    def _recognise(self) -> None:
        """Looks at the first lines, which stay to be read, until one of them shows the shape of all."""
        size = 0
        hopeful = False
        while len(self._first) < LOOKED_AT and size < LOOKED_AT_BYTES:
            try:
                line = self._file.readline(LONGEST_LINE)
            except FAULTS as error:
                line = self._stopped(error)
            if not line:
                break
            self._first.append(line)
            size += len(line)
            if line.isspace():
                continue
            self._refuse_other_json(line)
            if is_plain(line):
                return
            members = members_of(line)
            if members is None:
                continue
            self._wrapper = wrapper_of(members, line)
            if self._wrapper is not None:
                self.shape = self._wrapper.words
                if self._wrapper.own:
                    self._read_header(line, members)
                return
            hopeful = hopeful or "type" in members
        if size and not hopeful:
            self.shape = "unknown"
            names = ", ".join(f'"{key}"' for key in FRAME_KEYS[:4])
            self._hint = f'a line of a recording is a frame, which has a string "type", or an object with a frame as {names}'

    def _refuse_other_json(self, line: bytes) -> None:
        text = line.strip()
        number = len(self._first)
        if text in (b"{", b"["):
            raise RecordingError(
                f"line {number} only opens a JSON value: this is JSON printed over several lines, and a recording has one frame "
                f"a line; `jq -c {'.' if text == b'{' else '.[]'} FILE` makes one of it"
            )
        if text.startswith(b"[") and text.endswith((b"]", b",")):
            raise RecordingError(
                f"line {number} is a JSON array, and a recording has one frame a line: `jq -c '.[]' FILE` makes one of it"
            )

    def _read_header(self, line: bytes, members: Members) -> None:
        started = scalar(line[slice(*members["started"])]) if "started" in members else None
        try:
            self._started = datetime.fromisoformat(str(started))
        except ValueError:
            self._started = None
        self._line = len(self._first)
        self._first.clear()

    # --- entries

    def __iter__(self) -> Iterator[Entry]:  # noqa: PYI034
        # A for loop gets the generator itself, which spares it a call for each entry.
        return self._entries

    def __next__(self) -> Entry:
        return next(self._entries)

    def _read(self) -> Iterator[Entry]:
        """The entries, in one loop with local names: what it adds to the work of the decoder is paid for every frame."""
        first, readline, decode, ways = self._first, self._file.readline, self._decode, DIRECTIONS
        split, unquote, new = _split_line, _unquote, _new_entry
        received = decode["received"]
        wrapper = self._wrapper
        before, behind, time_at, way_at, quoted = NO_TEMPLATE
        scale, origin = 1.0, 0.0
        while True:
            try:
                line = first.popleft() if first else b"" if self._ended else readline(LONGEST_LINE)
            except FAULTS as error:
                line = self._stopped(error)
            if not line:
                break
            self._line += 1
            if line[-1] != NEWLINE and len(line) == LONGEST_LINE:
                yield self._overlong(line)
            elif wrapper is None:
                frame = line if line[-1] != NEWLINE else line[:-2] if line[-2:-1] == b"\r" else line[:-1]
                try:
                    message = received(frame)
                except DecodeError as error:
                    entry = self._refused(error, None, None) if frame and not frame.isspace() else self._empty_lines()
                    if entry is not None:
                        yield entry
                    continue
                if type(message) in UNKNOWN:
                    yield self._of_other_side(frame, message, None, "received")
                else:
                    yield new((self._line, None, "received", message, None))
            else:
                found = split(line, before, behind)
                text = None if found is None else unquote(found[0]) if quoted else found[0]
                if found is not None and text is not None:
                    way = (ways.get(found[way_at]) or way_of(found[way_at]) or "received") if way_at else "received"
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
                        if type(message) in UNKNOWN:
                            yield self._of_other_side(text, message, time, way)
                        else:
                            yield new((self._line, time, way, message, None))
                        continue
                entry = self._empty_lines() if line.isspace() else self._unwrap(line.rstrip(b"\r\n"), wrapper)
                before, behind, time_at, way_at, quoted = self._template
                scale, origin = wrapper.numbers()
                if entry is not None:
                    yield entry
        if self._fault is not None:
            yield self._refused(self._end_fault(self._fault), None, None)
        self.close()

    _template = NO_TEMPLATE

    # --- for realtime_pcm.arrow, which finds the lines itself

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
        return None if self._fault is None else self._refused(self._end_fault(self._fault), None, None)

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
            return self._entry(frame, None, "received")
        before, behind, time_at, way_at, quoted = self._template
        found = _split_line(line, before, behind)
        text = None if found is None else _unquote(found[0]) if quoted else found[0]
        if found is not None and text is not None:
            way = (way_of(found[way_at]) or "received") if way_at else "received"
            try:
                message = self._decode[way](text)
            except DecodeError:
                pass  # a fault of the frame or of the line: the slow way finds out
            else:
                time = wrapper.seconds(found[time_at]) if time_at else None
                if type(message) in UNKNOWN:
                    return self._of_other_side(text, message, time, way)
                return Entry(self._line, time, way, message, None)
        return self._unwrap(line.rstrip(b"\r\n"), wrapper)

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
        try:
            message = self._decode[way](frame)
        except DecodeError as error:
            return self._refused(error, time, way)
        if type(message) in UNKNOWN:
            return self._of_other_side(frame, message, time, way)
        return Entry(self._line, time, way, message, None)

    def _of_other_side(self, frame: bytes | str, message: RealtimeMessage, time: float | None, way: Direction) -> Entry:
        """A message that this side does not know.

        Where the other side knows it, the file has no directions, or was written by the other end of the connection.
        """
        if self._wrapper is not None and self._wrapper.own:
            return Entry(self._line, time, way, message, None)
        known = UnknownClientMessage if way == "received" else UnknownMessage
        side = "client" if way == "received" else "server"
        other: Direction = "sent" if way == "received" else "received"
        try:
            if type(decode(frame, side=side)) is not known:  # type: ignore[call-overload]
                return Entry(self._line, time, other, self._decode[other](frame), None)
        except DecodeError as error:
            return self._refused(error, time, other)
        return Entry(self._line, time, way, message, None)

    def _refused(self, error: DecodeError, time: float | None, way: Direction | None) -> Entry:
        self.refused += 1
        if self._hint and error.message_type is None:
            error = DecodeError(f"{error.reason} ({self._hint})", error.position, None, error.field, error.frame)
        return Entry(self._line, time, way or "received", None, error)

    def _unwrap(self, line: bytes, wrapper: Wrapper) -> Entry | None:
        """A line that the last template does not fit, or whose frame was refused: its members are looked up one by one.

        None for a line without a frame, which counts what was dropped.
        """
        members = members_of(line)
        if members is None:
            return self._refused(_fault_of(line), None, None)
        values = {key: line[slice(*span)] for key, span in members.items() if key != wrapper.frame}
        time = wrapper.seconds(values.get(wrapper.time or ""))
        way = way_of(values.get(wrapper.direction or "")) or "received"
        if wrapper.own and "raw" in values:
            return self._entry(_from_base64(values["raw"]), time, way)
        if wrapper.own and "dropped" in values:
            count = scalar(values["dropped"])
            self.dropped += count if isinstance(count, int) else 0
            return None
        value = line[slice(*members[wrapper.frame])] if wrapper.frame in members else b""
        frame = frame_of(value)
        if frame is None:
            error = DecodeError(f'no frame as "{wrapper.frame}", where this recording has them', 0, None, None, line)
            return self._refused(error, time, way)
        try:
            self._template = Template.of(line, members, wrapper.frame, wrapper.time, wrapper.direction)
        except ValueError:
            self._template = NO_TEMPLATE
        return self._entry(frame, time, way)


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


def read_recording(path_or_file: str | os.PathLike[str] | Any, *, dtype: Any = "int16", audio_format: Any = None) -> Recording:
    """The entries of a recording, in the order of its lines: an iterator, which reads as it goes.

    path_or_file: a path, or a file that is open in binary mode, which stays open. The first bytes tell whether it is packed, by
        gzip or zstd. The lines are those of a Recorder, plain frames, or other people's wrappers, recognised once: `.shape` says
        what they are.
    dtype, audio_format: as in Decoder, for both sides.
    A line that holds no frame, or one that is refused, is an Entry with its error. Where a file has no directions, the type of a
    message tells its side.
    Raises RecordingError for a file that is no recording, OSError as open() does, ModuleNotFoundError where zstd needs the extra
    `recording`.
    """
    return Recording(path_or_file, dtype, audio_format)
