"""An object per line that a service made of a line of text, as Docker or journald do: the frame is in that text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .embedded import found_in_members
from .found import Found, Lines, Shape
from .frames import KnownFrames, loads

__all__ = ["recognise"]


def recognise(lines: Lines, known: KnownFrames) -> tuple[int, Shape]:
    """How many of the lines hold a frame, and the shape."""
    found = sum(one.frame is not None for one in _read(known, lines))
    return found, Shape("lines of a log service, with a frame in the text of each", partial(_read, known), of_text=True)


def _read(known: KnownFrames, lines: Lines) -> Iterator[Found]:
    for number, line in lines:
        try:
            value = loads(line) if line.lstrip()[:1] == b"{" else None
        except ValueError as error:
            yield Found(number, None, fault=f"not JSON: {error}")
            continue
        yield found_in_members(number, value, known)
