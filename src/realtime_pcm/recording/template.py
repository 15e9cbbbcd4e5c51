"""The fast way through lines that are wrappers: a line is split into the text before the frame, the frame and the text after it.

The line is JSON exactly if the decoder accepts that frame, because the text of a JSON object has one reading only.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from .._bulk import unquote
from .times import Clock
from .ways import Ways

__all__ = ["NO_TEMPLATE", "Members", "Template", "Wrapper", "frame_of", "members_of", "scalar"]


class Span(NamedTuple):
    """The position of a value in its line."""

    start: int
    end: int


Members = dict[str, Span]

_SCAN = json.JSONDecoder(strict=False).raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


def members_of(line: bytes) -> Members | None:
    """The members of a line that is an object, with the positions of their values; None for other lines."""
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
    """The common form of the lines of one wrapper: the names of their members, and the meaning of each.

    before: the keys up to the frame's, in quotes. behind: those after it. time, direction: the places of these values among those
    of the line, where the frame stands first; 0: there is none. quoted: the frame is a string of JSON. call: as time.
    """

    before: tuple[bytes, ...]
    behind: tuple[bytes, ...]
    time: int
    direction: int
    quoted: bool
    call: int = 0

    @classmethod
    def of(
        cls, line: bytes, members: Members, frame: str, time: str | None, direction: str | None, call: str | None = None
    ) -> Template:
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
            order.index(call) if call in members else 0,
        )


# --- the slow way


def frame_of(value: bytes) -> bytes | str | None:
    """The frame in a member's value, which is an object or a string of JSON; None for other values."""
    if value.startswith(b"{"):
        return value
    if not value.startswith(b'"'):
        return None
    text: object = unquote(value)
    if text is None:
        text = scalar(value)
    return text if isinstance(text, (bytes, str)) and text.lstrip()[:1] in (b"{", "{") else None


def scalar(value: bytes) -> object:
    """The scalar that a piece of a line means; None if it is not a JSON scalar."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return None if isinstance(found, (dict, list)) else found


NO_TEMPLATE = Template((b"\n",), (), 0, 0, False)  # fits no line


class Wrapper(NamedTuple):
    """The names that the wrappers of a recording have for their members, and what the values beside the frame mean.

    call: the member with the id of the call. clock: None for seconds since the beginning. own: whether we wrote the recording.
    """

    frame: str
    time: str | None
    ways: Ways
    call: str | None = None
    clock: Clock | None = None
    own: bool = False

    @property
    def direction(self) -> str | None:
        """The member that says who sent the frame."""
        return self.ways.name

    def seconds(self, value: bytes | None) -> float | None:
        """The seconds since the beginning that the JSON text of a time means; None if it means none."""
        if value is None:
            return None
        if self.clock is not None:
            plain = value[:1] == b'"' and b"\\" not in value and value.isascii()
            return self.clock.seconds(value[1:-1].decode() if plain else scalar(value))
        try:
            return float(value)
        except ValueError:
            return None

    def numbers(self) -> tuple[float, float]:
        """The factor and the offset for numeric times; NaN while unknown."""
        return (1.0, 0.0) if self.clock is None else self.clock.numbers()
