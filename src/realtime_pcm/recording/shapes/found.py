"""The output of every shape: frames, with the scalars next to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

__all__ = ["LONGEST_LINE", "Found", "Lines", "Shape", "passed_over"]

LONGEST_LINE = 64 * 1024 * 1024  # bytes; a frame is some 20 MB at the most, and a little more as a string of JSON

Scalar = str | int | float | bool | None
Lines = Iterable[tuple[int, bytes]]  # the number of a line, from 1, and its bytes without the newline


class Found(NamedTuple):
    """What one line, or one element of a document, held.

    line: the number of the line, or of the element. frame: None if there is none. beside: the scalars next to the frame by
    name, among which its time, its direction and the id of its call are looked for. fault: why a frame that should be here
    could not be read. A line with neither is passed over, and counted.
    """

    line: int
    frame: bytes | str | None
    beside: Mapping[str, Scalar] = {}
    fault: str = ""


class Shape(NamedTuple):
    """A shape that was recognised.

    words: one sentence that says what it is. read: from the lines to what they hold; from the open file if it is a document.
    document: whether `read` takes the file. key: the member that holds the frame, if each line is an object with the frame at its
    top level and the fast way may be taken; "" if the line is the frame; None for any other shape. of_text: whether the frame
    has words next to it, not members.
    """

    words: str
    read: Callable[..., Iterator[Found]]
    document: bool = False
    key: str | None = None
    of_text: bool = False


def passed_over(line: int) -> Found:
    """A line without a frame."""
    return Found(line, None)
