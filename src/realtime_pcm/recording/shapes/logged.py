"""Lines of a log or a console: words, then the frame as JSON or as Python prints it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

from .embedded import depth_of, found_in_text
from .found import LONGEST_LINE, Found, Lines, Shape, passed_over
from .frames import KnownFrames, Path

__all__ = ["recognise"]

LINES_ABOVE = 2  # lines over a frame, in which its time and its direction may stand
LONGEST_ABOVE = 200
GOES_ON = tuple(" \t}])\"'{[")  # how a line begins that continues a value


def recognise(lines: Lines, known: KnownFrames) -> tuple[int, Shape]:
    """How many frames the lines hold, and the shape."""
    found = sum(one.frame is not None for one in _read(known, lines))
    return found, Shape("lines of text, with a frame in each", partial(_read, known), of_text=True)


def _read(known: KnownFrames, lines: Lines) -> Iterator[Found]:
    path: Path = ()
    opened: list[str] = []  # lines of a value that goes on
    first = size = depth = 0
    above: deque[str] = deque(maxlen=LINES_ABOVE)
    for number, line in lines:
        text = line.decode("utf-8", "surrogateescape")
        found, path = found_in_text(number, text, path, known, " ".join((*above, "")))
        if found.frame is None and not found.fault:
            if opened and text[:1] not in GOES_ON:
                yield from (passed_over(first + place) for place in range(len(opened)))
                above.extend(one[:LONGEST_ABOVE] for one in opened)
                opened.clear()
                depth = 0
            if opened:
                depth += depth_of(text)
            elif text.rstrip()[-1:] in ("{", "[", ",") and "{" in text:
                first, size, depth = number, 0, depth_of(text[text.index("{") :])
            if depth > 0:
                opened.append(text)
                size += len(line)
                if size < LONGEST_LINE:
                    continue
            elif opened:
                opened.append(text)
                found, path = found_in_text(first, "\n".join(opened), path, known, " ".join((*above, "")))
                if found.frame is not None or found.fault:
                    opened.clear()
        yield from (passed_over(first + place) for place in range(len(opened)))
        opened.clear()
        depth = 0
        above.append(text[:LONGEST_ABOVE])
        if found.frame is not None:
            above.clear()
        yield found
    yield from (passed_over(first + place) for place in range(len(opened)))
