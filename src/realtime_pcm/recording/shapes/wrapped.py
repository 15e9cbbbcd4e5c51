"""A JSON object or list per line, with the frame as a member: an object or a string of JSON, under any name, at any level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from .found import Found, Lines, Shape
from .frames import REALTIME, KnownFrames, Path, path_of_any, start_of

__all__ = ["recognise", "recognise_unknown"]


def recognise(lines: Lines, known: KnownFrames) -> tuple[int, Shape]:
    """How many of the lines hold a frame, and the shape."""
    paths: Counter[Path] = Counter()
    quoted = 0
    flat = True
    for _, line in lines:
        inner = known.paths_of_line(line)
        if len(inner) == 1 and inner[0]:
            paths[inner[0]] += 1
            start = start_of(line, inner[0])
            quoted += start != ""
            flat = flat and start != "eyJ"  # base64
    if not paths:
        return 0, Shape("", partial(_read, known))
    return paths.total(), _shape(paths, 2 * quoted > paths.total(), flat, known)


def recognise_unknown(lines: Lines) -> Shape | None:
    """The shape of lines whose frames have types that no catalogue has; None if nothing in them has a type."""
    paths = Counter(path for _, line in lines if (path := path_of_any(line)) is not None)
    if not paths:
        return None
    return (
        Shape("plain frames", partial(_read, REALTIME, path=()), key="")
        if paths.most_common(1)[0][0] == ()
        else _shape(paths, False, True, REALTIME)
    )


def _shape(paths: Counter[Path], quoted: bool, flat: bool, known: KnownFrames) -> Shape:
    common = [path for path, _ in paths.most_common(3)]
    names = " or ".join(f'"{".".join(map(str, path))}"' for path in common)
    flat = flat and all(len(path) == 1 and isinstance(path[0], str) for path in paths)
    words = f"wrapped: the frame is {names}, {'a string of JSON' if quoted else 'an object'}"
    return Shape(words, partial(_read, known, path=common[0]), key=str(common[0][0]) if flat else None)


def _read(known: KnownFrames, lines: Lines, path: Path = ()) -> Iterator[Found]:
    for number, line in lines:
        found, path = known.found_in_line(number, line, path)
        yield found
