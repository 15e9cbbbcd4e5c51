"""How a recording holds its frames: one a line, or as a member of an object that people call a wrapper.

A wrapper is recognised once, from its first lines, and then read without parsing it: a `Template` splits a line into the text
before the frame, the frame and the text behind it. The line is JSON exactly if the decoder accepts that frame, because the text
of a JSON object has one reading only.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from .._core import UnknownClientMessage, UnknownMessage, _unquote, decode
from ..errors import DecodeError
from .files import RecordingError

__all__ = [
    "DIRECTIONS",
    "FRAME_KEYS",
    "VERSION",
    "Direction",
    "Members",
    "Template",
    "Wrapper",
    "frame_of",
    "is_plain",
    "members_of",
    "scalar",
    "way_of",
    "wrapper_of",
]

VERSION = 1  # of our own recordings

Direction = Literal["received", "sent"]

# The names of the member that holds the frame, and of those beside it, by how often people choose them.
FRAME_KEYS = ("event", "data", "message", "frame", "payload", "msg")
TIME_KEYS = ("time", "timestamp", "ts", "t", "at", "time_ms", "timestamp_ms", "ts_ms", "t_ms", "elapsed_ms", "offset_ms")
DIRECTION_KEYS = ("direction", "dir", "side", "source", "from", "sender", "origin")

_RECEIVED = "received recv receive in inbound incoming rx server from_server server_to_client down downstream input < <- <<"
_SENT = "sent send out outbound outgoing tx client from_client client_to_server to_server up upstream output > -> >>"
DIRECTIONS: dict[bytes, Direction] = {
    **{f'"{word}"'.encode(): "received" for word in _RECEIVED.split()},
    **{f'"{word}"'.encode(): "sent" for word in _SENT.split()},
}


class Span(NamedTuple):
    """Where a value stands in its line."""

    start: int
    end: int


Members = dict[str, Span]

_SCAN = json.JSONDecoder(strict=False).raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


def members_of(line: bytes) -> Members | None:
    """The members of the object that a line is, with the places of their values; None where the line is no object."""
    text = line.decode("latin-1")  # one character a byte: places stay places
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        return None
    members: Members = {}
    at = _skip(text, at + 1)
    try:
        if text[at : at + 1] == "}":
            at += 1
        else:
            while True:
                key, at = _SCAN(text, at)
                at = _skip(text, at)
                if not isinstance(key, str) or text[at : at + 1] != ":":
                    return None
                start = _skip(text, at + 1)
                _, at = _SCAN(text, start)
                members[key] = Span(start, at)
                at = _skip(text, at)
                if text[at : at + 1] == "}":
                    at += 1
                    break
                if text[at : at + 1] != ",":
                    return None
                at = _skip(text, at + 1)
    except (ValueError, RecursionError):
        return None
    return members if _skip(text, at) == len(text) else None


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


# --- the fast way


class Template(NamedTuple):
    """What lines of one wrapper have in common: the names of their members, and which of them is what.

    before: the keys up to the frame's, in quotes. behind: those after it. time, direction: the places of these values in what
    `_split_line` gives, where the frame stands first; 0: there is none. quoted: the frame is a string of JSON.
    """

    before: tuple[bytes, ...]
    behind: tuple[bytes, ...]
    time: int
    direction: int
    quoted: bool

    @classmethod
    def of(cls, line: bytes, members: Members, frame: str, time: str | None, direction: str | None) -> Template:
        """The template of lines that have the members of this one in the same order. ValueError where a key needs escapes."""
        keys = list(members)
        if not all(key.isascii() and key.isprintable() and '"' not in key and "\\" not in key for key in keys):
            raise ValueError("a key that needs escapes")
        place = keys.index(frame)
        quoted = [f'"{key}"'.encode() for key in keys]
        order = [frame, *keys[:place], *keys[place + 1 :]]
        return cls(
            tuple(quoted[: place + 1]),
            tuple(quoted[place + 1 :]),
            order.index(time) if time in members else 0,
            order.index(direction) if direction in members else 0,
            line.startswith(b'"', members[frame].start),
        )


# --- the slow way


def frame_of(value: bytes) -> bytes | str | None:
    """The frame that a member's value is or, as a string of JSON, holds; None where it is neither an object nor such a string."""
    if value.startswith(b"{"):
        return value
    if not value.startswith(b'"'):
        return None
    text = _unquote(value)
    if text is not None:
        return text
    found = scalar(value)
    return found if isinstance(found, str) else None


def scalar(value: bytes) -> object:
    """The scalar that a piece of a line means; None where it is no JSON, or no scalar."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return None if isinstance(found, (dict, list)) else found


def way_of(value: bytes | None) -> Direction | None:
    """The direction that a wrapper's word means; None for a word that is not known."""
    return DIRECTIONS.get(value.lower()) if value else None


# --- the shape


class Wrapper:
    """The names that a recording's wrapper has for its members, and the clock of its times."""

    __slots__ = ("clock", "direction", "frame", "own", "time", "words")

    def __init__(self, frame: str, time: str | None, direction: str | None, *, own: bool = False, quoted: bool = False) -> None:
        self.frame, self.time, self.direction, self.own = frame, time, direction, own
        self.clock = None if own or time is None else Clock(time)
        beside = [f'{word} in "{key}"' for word, key in (("time", time), ("direction", direction)) if key]
        words = [f'wrapped: the frame is "{frame}", {"a string of JSON" if quoted else "an object"}', *beside]
        self.words = f"a recording of realtime-pcm, version {VERSION}" if own else ", ".join(words)

    def seconds(self, value: bytes | None) -> float | None:
        """The seconds since the beginning that the JSON text of a time means; None where it means none."""
        if value is None:
            return None
        if self.clock is not None:
            return self.clock.seconds(value)
        try:
            return float(value)
        except ValueError:
            return None

    def numbers(self) -> tuple[float, float]:
        """What a time that is a number is multiplied by, and what is then subtracted; NaN as long as nobody knows."""
        return (1.0, 0.0) if self.clock is None else self.clock.numbers()


def is_plain(line: bytes) -> bool:
    """Whether the line is a frame of a type that one of the catalogues knows, even if its payload is bad."""
    for side, unknown in (("server", UnknownMessage), ("client", UnknownClientMessage)):
        try:
            if type(decode(line, side=side)) is not unknown:  # type: ignore[call-overload]
                return True
        except DecodeError as error:
            if error.message_type is not None and members_of(line) is not None:
                return True
    return False


def wrapper_of(members: Members, line: bytes) -> Wrapper | None:
    """The wrapper that a line shows; None where none of its members holds a frame."""
    if "recording" in members and line[slice(*members["recording"])] == b'"realtime-pcm"':
        version = scalar(line[slice(*members["version"])]) if "version" in members else None
        if version != VERSION:
            raise RecordingError(f"a recording of version {version!r}, and this release of realtime-pcm reads version {VERSION}")
        return Wrapper("event", "time", "direction", own=True)
    for key in FRAME_KEYS:
        value = line[slice(*members[key])] if key in members else b""
        frame = frame_of(value)
        if frame is None:
            continue
        try:
            decode(frame, dtype="uint8")
        except DecodeError as error:
            if error.message_type is None:
                continue
        time = next((name for name in TIME_KEYS if name in members), None)
        direction = next((name for name in DIRECTION_KEYS if name in members), None)
        return Wrapper(key, time, direction, quoted=value.startswith(b'"'))
    return None


# --- times


class Clock:
    """Reads the times of a wrapper as seconds since the first of them.

    A number is taken for seconds, or, where its size or its key says so, for milliseconds, microseconds or nanoseconds; a text
    for a date and time of ISO 8601. started: when the first one was, where that is a date.
    """

    __slots__ = ("_first", "_scale", "started")

    def __init__(self, key: str) -> None:
        self._scale = 1e-3 if key.endswith("_ms") else 0.0
        self._first: float | None = None
        self.started: datetime | None = None

    def seconds(self, value: bytes | None) -> float | None:
        """The time that the JSON text of a scalar means; None where it means none."""
        if value is None:
            return None
        try:
            seconds = self._from_text(value[1:-1].decode()) if value[:1] == b'"' else self._from_number(float(value))
        except (ValueError, OverflowError):
            return None
        if self._first is None:
            self._first = seconds
            if 1e8 < seconds < 1e11:
                self.started = datetime.fromtimestamp(seconds, UTC)
        return seconds - self._first

    def numbers(self) -> tuple[float, float]:
        """See Wrapper.numbers."""
        return self._scale or math.nan, math.nan if self._first is None else self._first

    def _from_number(self, number: float) -> float:
        if not self._scale:
            size = abs(number)
            self._scale = 1e-9 if size > 1e17 else 1e-6 if size > 1e14 else 1e-3 if size > 1e11 else 1.0
        return number * self._scale

    def _from_text(self, text: str) -> float:
        try:
            return self._from_number(float(text))
        except ValueError:
            moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
