"""A user's own shape: a function from lines to frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from .found import Found, Lines, Shape

__all__ = ["OwnShape", "shape_of"]

# From the lines, without newlines, to the frames: seconds since the recording began, "received" or "sent", the frame.
OwnShape = Callable[[Iterable[bytes]], Iterable[tuple[float | None, str | None, bytes | str]]]


def shape_of(given: OwnShape) -> Shape:
    """The shape of a user's function: its words are the first line of its docstring, or its name."""
    first = (given.__doc__ or "").strip().partition("\n")[0]
    return Shape(first or f"read by {getattr(given, '__name__', repr(given))}", partial(_read, given))


def _read(given: OwnShape, lines: Lines) -> Iterator[Found]:
    number = 0

    def counted() -> Iterator[bytes]:
        nonlocal number
        for number, line in lines:  # noqa: B007
            yield line

    for time, direction, frame in given(counted()):
        yield Found(number, frame, {"time": time, "direction": direction})
