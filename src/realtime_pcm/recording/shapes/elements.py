"""The elements of JSON documents as a parser of streams finds them, one at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO, NamedTuple

from .found import LONGEST_LINE
from .frames import MOST_VALUES, REALTIME

__all__ = ["ANY", "DocumentError", "Element", "elements", "require_ijson"]

ANY = "*"  # in a pattern: each element of an array
DEEPEST = 1024  # levels, as in a frame
BUFFER = 1 << 16
MOST_KEPT = 1024  # bytes of an escape at the end of what was read
BACKSLASH = ord("\\")

Pattern = tuple[str, ...]


class DocumentError(ValueError):
    """A document that is no JSON from here on. Elements before that place were whole."""


class Element(NamedTuple):
    """A value at one of the patterns.

    pattern: which; None for a frame that lies elsewhere. places: the number of each array's element on the way
    down, from 0. value: Python objects; None for an element that is too large.
    """

    pattern: Pattern | None
    places: tuple[int, ...]
    value: Any


def require_ijson() -> Any:
    """The module ijson. ModuleNotFoundError, which says what to install, if it is not there."""
    try:
        import ijson
    except ImportError:
        raise ModuleNotFoundError(
            'a document of JSON needs the package ijson: pip install "realtime-pcm[recording]"', name="ijson"
        ) from None
    return ijson


def elements(
    file: BinaryIO, patterns: Collection[Pattern], *, listed: bool = False, strays: bool = True, unfinished: bool = False
) -> Iterator[Element]:
    """The values at the patterns, in the order of the file. A pattern is a way down from the root: keys, and ANY in an array.

    listed: whether commas separate the root's values, without brackets. strays: whether frames of known types at other places are
    told, as elements without a pattern. unfinished: whether an element that the file cuts off is given as far as it goes. Raises
    DocumentError where the file is no JSON.
    """
    depths = {len(pattern) for pattern in patterns}
    keys: list[str] = []
    places: list[int] = []
    built: _Builder | None = None
    try:
        for event, value in _events(file, listed):
            if built is not None:
                if built.take(event, value):
                    yield Element(tuple(keys), tuple(places), None if built.is_too_large and not unfinished else built.root)
                    built = None
                continue
            if event == "map_key":
                keys[-1] = value
                continue
            if event == "end_map" or event == "end_array":
                keys.pop()
                if event == "end_array":
                    places.pop()
                continue
            if keys and keys[-1] is ANY:
                places[-1] += 1
            if len(keys) in depths and tuple(keys) in patterns:
                if event == "start_map" or event == "start_array":
                    built = _Builder(event == "start_map")
                else:
                    yield Element(tuple(keys), tuple(places), value)
            elif event == "start_map":
                keys.append("")
            elif event == "start_array":
                keys.append(ANY)
                places.append(-1)
            elif strays and event == "string" and keys and keys[-1] == "type" and REALTIME.sides_of_type(value):
                yield Element(None, tuple(places), None)
            if len(keys) > DEEPEST:
                raise DocumentError(f"nested more than {DEEPEST} levels deep")
    except DocumentError:
        if unfinished and built is not None:
            yield Element(tuple(keys), tuple(places), built.root)
        # Of a list without brackets, the comma after the last element is no fault.
        if not (listed and len(keys) == 1 and built is None):
            raise


# Half of a surrogate pair, which the parser would replace in silence: as an escape in the bytes, and as the mark in its place.
_HALF = re.compile(
    rb"((?<!\\)(?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F][0-9a-fA-F]{2})"
)
_MARK = "\ufdd0half-a-pair-"  # it begins with a character that no text has
_MARKED = re.compile(f"{_MARK}(....)")
_OPEN = re.compile(rb"\\[^\\]{0,11}\Z")  # an escape, or the first half of a pair, that may go on


class _Marked:
    """The bytes of a file, with a mark in place of each half of a surrogate pair."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._kept = b""

    def read(self) -> bytes:
        """The next bytes; nothing at the end of the file."""
        data = b""
        while not data:
            read = self._file.read(BUFFER)
            data = self._kept + read
            self._kept = b""
            goes_on = _OPEN.search(data, max(0, len(data) - 12)) if read else None
            if goes_on is not None:
                start = goes_on.start()
                while start and data[start - 1] == BACKSLASH and len(data) - start < MOST_KEPT:
                    start -= 1
                data, self._kept = data[:start], data[start:]
            elif not read:
                break
        if b"\\ud" in data or b"\\uD" in data:
            data = _HALF.sub(rb"\1" + _MARK.encode() + rb"\2", data)
        return data


def _restored(text: str) -> str:
    """A text with its halves of pairs, for which there were marks."""
    return _MARKED.sub(lambda half: chr(int(half[1], 16)), text) if _MARK in text else text


def _events(file: BinaryIO, listed: bool) -> Iterator[tuple[str, Any]]:
    """The events of the parser, to the last one before a fault, which is a DocumentError."""
    ijson = require_ijson()
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, multiple_values=True, use_float=True)
    fault: str | None = None
    marked = _Marked(file)
    data = b"[" if listed else marked.read()
    while fault is None:
        try:
            if data:
                parser.send(data)
            else:
                if listed:
                    parser.send(b"]")
                fault = ""
                parser.close()
        except ijson.JSONError as error:
            early = "premature" in str(error) or "ncomplete" in str(error)
            fault = "the JSON ends too early" if early else "from here on this is not JSON"
        except UnicodeDecodeError:
            fault = "a text from here on is not UTF-8, or holds half of a surrogate pair"
        except StopIteration:
            fault = "from here on this is not JSON"
        yield from events
        del events[:]
        data = marked.read() if fault is None else b""
    if fault:
        raise DocumentError(fault)


class _Builder:
    """Python objects of the events of one value; what is too large or too deep is left out."""

    def __init__(self, is_object: bool) -> None:
        self.root: Any = {} if is_object else []
        self.is_too_large = False
        self._open: list[Any] = [self.root]
        self._key = ""
        self._depth = 1
        self._values = self._size = 0

    def take(self, event: str, value: Any) -> bool:
        """Takes an event. Whether the value ends with it."""
        if event == "map_key":
            self._key = _restored(value)
            self._size += len(value)
            return False
        if event == "end_map" or event == "end_array":
            self._depth -= 1
            if not self.is_too_large:
                self._open.pop()
            return self._depth == 0
        starts = event == "start_map" or event == "start_array"
        self._depth += starts
        self._values += 1
        if event == "string":
            self._size += len(value)
            value = _restored(value)
        if self._values > MOST_VALUES or self._size > LONGEST_LINE or self._depth > DEEPEST:
            self.is_too_large = True
        if self.is_too_large:
            return False
        made: Any = {} if event == "start_map" else [] if event == "start_array" else value
        parent = self._open[-1]
        if isinstance(parent, list):
            parent.append(made)
        else:
            parent[self._key] = made
        if starts:
            self._open.append(made)
        return False
