"""Frames inside a text: as JSON, as a string of JSON, or as Python prints a dict, a str or bytes."""

from __future__ import annotations

import ast
import json
import re
from typing import NamedTuple

from .found import Found, Scalar, passed_over
from .frames import KnownFrames, Path, beside, loads
from .moments import MOMENT

__all__ = ["Embedded", "beside_text", "depth_of", "embedded_in", "found_in_members", "found_in_text"]

MOST_TRIES = 16  # places of one line at which a value may begin
MOST_VALUES = 50_000  # of a dict as Python prints it: parsing one takes some 300 bytes of memory
WORDS = 6  # of the text before a value, from either end, in which a direction or a time is looked for

_scan = json.JSONDecoder(strict=False).raw_decode
_STARTS = re.compile(r"""b?["'](?=\s*[{\\])|\{""")
_KEY = re.compile(r"""\{\s*["']""")
_LITERAL = re.compile(r"""b?(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+")""", re.DOTALL)
_TOKENS = re.compile(r"""'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\](),]""", re.DOTALL)
_BAD_ESCAPE = re.compile(r"""\\(?![\\'"abfnrtvxuUN0-7])""")
_SPLIT = re.compile(r"""[^\s\[\](){}|,;="']+""")


class Embedded(NamedTuple):
    """A value that holds a frame. start, end: its place in the text. value: what it is. text: as written, if it is JSON."""

    start: int
    end: int
    value: object
    text: bytes | None


def embedded_in(number: int, text: str, known: KnownFrames) -> list[Embedded]:
    """The values in a text that hold frames of known types."""
    found: list[Embedded] = []
    at = tries = 0
    while tries < MOST_TRIES:
        start = _STARTS.search(text, at)
        if start is None:
            break
        tries += 1
        made = _json_at(text, start.start()) if start[0] == "{" else _string_at(text, start.start())
        if made is None:
            if _KEY.match(text, start.start()):  # an object that is damaged, or goes on: what lies in it is no frame of its own
                break
            at = start.end()
            continue
        at = made.end
        if known.paths_of(made.value):
            found.append(made)
            tries = 0
        else:
            known.refuse_others(number, made.value)
    return found


def _json_at(text: str, start: int) -> Embedded | None:
    try:
        value, end = _scan(text, start)
    except (ValueError, RecursionError):
        return _dict_at(text, start)
    return Embedded(start, end, value, text[start:end].encode("utf-8", "surrogateescape"))


def _dict_at(text: str, start: int) -> Embedded | None:
    """A dict as Python prints it."""
    depth = values = 0
    for token in _TOKENS.finditer(text, start):
        if token[0] in "{[(":
            depth += 1
            values += 1
        elif token[0] in "}])":
            depth -= 1
            if depth == 0:
                value = _evaluated(text[start : token.end()])
                return Embedded(start, token.end(), value, None) if isinstance(value, dict) else None
        elif token[0] == ",":
            values += 1
        if values > MOST_VALUES:
            break
    return None


def _string_at(text: str, start: int) -> Embedded | None:
    """A string of JSON, as JSON or as Python writes it."""
    if text[start] == '"':
        try:
            inner, end = _scan(text, start)
            return Embedded(start, end, loads(inner), inner.encode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            pass
    literal = _LITERAL.match(text, start)
    if literal is None:
        return None
    inner = _evaluated(literal[0])
    if not isinstance(inner, (str, bytes)):
        return None
    try:
        made = inner if isinstance(inner, bytes) else inner.encode("utf-8", "surrogateescape")
        return Embedded(start, literal.end(), loads(inner), made)
    except ValueError:
        return None


def _evaluated(text: str) -> object:
    """The value of a Python literal, or None. Nothing is run."""
    if _BAD_ESCAPE.search(text):  # Python prints none, and would warn of it on standard error
        return None
    try:
        value = ast.literal_eval(text)
        if isinstance(value, dict):
            json.dumps(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value


def beside_text(before: str, behind: str) -> dict[str, Scalar]:
    """The words around a value by their place, and the time among them, if there is one."""
    found: dict[str, Scalar] = {}
    moment = MOMENT.search(before) or MOMENT.search(behind)
    if moment is not None:
        found["time"] = moment[0]
        before = before.replace(moment[0], " ", 1)
    words = [word.rstrip(":") or word for word in _SPLIT.findall(before[-1000:])]
    for place, word in enumerate(words[:WORDS]):
        found[f"word {place + 1}"] = word[:100]
    for place, word in enumerate(reversed(words[-WORDS:])):
        found[f"word -{place + 1}"] = word[:100]
    return found


def depth_of(line: str) -> int:
    """How many more braces and brackets a line opens than it closes, outside strings."""
    return sum(1 if token[0] in "{[" else -1 if token[0] in "}]" else 0 for token in _TOKENS.finditer(line))


def found_in_text(number: int, text: str, path: Path, known: KnownFrames, above: str = "") -> tuple[Found, Path]:
    """The frame in a line of text, and where it lies in its value.

    path: where the frame before it lay. above: the lines before this one, which may have its time.
    """
    values = embedded_in(number, text, known)
    if not values:
        return passed_over(number), path
    if len(values) > 1:
        return Found(number, None, fault=f"{len(values)} frames in one line"), path
    start, end, value, written = values[0]
    found, path = known.found_in(number, value, path, written)
    if found.frame is None:
        return found, path
    return found._replace(beside={**beside_text(above + text[:start], text[end:]), **found.beside}), path


def found_in_members(number: int, value: object, known: KnownFrames) -> Found:
    """The frame in the text that is a member of an object."""
    for key, text in value.items() if isinstance(value, dict) else ():
        if isinstance(text, str) and known.may_be_in(text):
            found, _ = found_in_text(number, text, (), known)
            if found.frame is not None or found.fault:
                return found._replace(beside={**found.beside, **beside(value, (key,))})
    return passed_over(number)
