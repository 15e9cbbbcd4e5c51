"""Documents of JSON: an array of frames or of wrappers, an object with such an array, values one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO

from .elements import ANY, DocumentError, Pattern, elements
from .embedded import found_in_members
from .found import Found, Shape
from .frames import KnownFrames, Path

__all__ = ["recognise"]


def recognise(head: bytes, known: KnownFrames) -> tuple[int, Shape]:
    """How many frames the first bytes of a file hold, and the shape."""
    best: tuple[int, Shape] = (0, Shape("", partial(_read, known=known)))
    for listed in (False, True) if head.lstrip()[:1] == b"{" else (False,):
        pattern, count = _pattern(head, listed, known)
        if count > best[0]:
            read = partial(_read, known=known, pattern=pattern, listed=listed)
            best = count, Shape(_words(pattern, listed), read, document=True)
    return best


def _words(pattern: Pattern, listed: bool) -> str:
    if listed:
        return "JSON objects with commas between them"
    if not pattern:
        return "JSON values one after the other"
    names = [key for key in pattern if key != ANY]
    return f'a JSON document: the frames are the elements of "{".".join(names)}"' if names else "a JSON array of frames"


def _pattern(head: bytes, listed: bool, known: KnownFrames) -> tuple[Pattern, int]:
    """Where the elements lie that hold one frame each, and how many: the shortest way down on which most of them lie."""
    found: Counter[Pattern] = Counter()
    with suppress(DocumentError):  # the bytes may end anywhere
        for element in elements(BytesIO(head), [()], listed=listed, strays=False, unfinished=True):
            _count(element.value, found, known)
    return max(found.items(), key=lambda one: (one[1], -len(one[0])), default=((), 0))


def _count(root: Any, found: Counter[Pattern], known: KnownFrames) -> None:
    """Counts the elements of arrays, and the values of the root, that hold one frame each."""
    todo: list[tuple[Any, Pattern]] = [(root, ())]
    while todo:
        value, way = todo.pop()
        if not way or way[-1] == ANY:
            paths = known.paths_of(value)
            # A root with a list of one frame is a document that has just begun.
            if len(paths) == 1 and (way or not any(isinstance(step, int) for step in paths[0])):
                found[way] += 1
                continue
            if way and not paths and found_in_members(0, value, known).frame is not None:
                found[way] += 1
                continue
        if isinstance(value, dict):
            todo.extend((inner, (*way, key)) for key, inner in value.items() if isinstance(inner, (dict, list)))
        elif isinstance(value, list):
            todo.extend((inner, (*way, ANY)) for inner in value)


def _read(file: BinaryIO, known: KnownFrames, pattern: Pattern = (), listed: bool = False) -> Iterator[Found]:
    path: Path = ()
    number = strays = 0
    try:
        for element in elements(file, [pattern], listed=listed):
            if element.pattern is None:
                strays += 1
                continue
            number += 1
            if element.value is None:
                yield Found(number, None, fault="an element that is too large")
                continue
            found, path = known.found_in(number, element.value, path)
            yield found if found.frame is not None or found.fault else found_in_members(number, element.value, known)
    except DocumentError as error:
        yield Found(number + 1, None, fault=str(error))
    if strays:
        yield Found(number, None, fault=f"frames lie in other places of this document too, {strays} of them: they are not read")
