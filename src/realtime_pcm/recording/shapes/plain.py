"""Frames as they are, one per line."""

from __future__ import annotations

from collections.abc import Iterator

from .found import Found, Lines, Shape
from .frames import found_in_line, paths_of_line

__all__ = ["recognise"]


def recognise(lines: Lines) -> tuple[int, Shape]:
    """How many of the lines are frames, and the shape."""
    return sum(paths_of_line(line) == [()] for _, line in lines), Shape("plain frames", _read, key="")


def _read(lines: Lines) -> Iterator[Found]:
    for number, line in lines:
        yield found_in_line(number, line, ())[0]
