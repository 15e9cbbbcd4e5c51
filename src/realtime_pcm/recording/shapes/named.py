"""An object per line with the frame's type under another name, and the rest of the frame next to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .found import Found, Lines, Shape, passed_over
from .frames import REALTIME, KnownFrames, beside, loads, opened

__all__ = ["recognise"]


def recognise(lines: Lines, known: KnownFrames) -> tuple[int, Shape]:
    """How many of the lines hold a type and a body, and the shape. Frames of other sockets have no type to be named."""
    if known.catalogue is not None:
        return 0, Shape("", _read)
    found = [parts for _, line in lines if (parts := _parts(_value(line))) is not None]
    words = f'wrapped: the type is "{found[0][0]}", the rest of the frame "{found[0][1]}"' if found else ""
    return len(found), Shape(words, _read)


def _value(line: bytes) -> object:
    try:
        return loads(line) if line.lstrip()[:1] == b"{" else None
    except ValueError:
        return None


def _parts(value: object) -> tuple[str, str, dict[str, Any]] | None:
    """The names of the members with the type and the body, and the body."""
    if not isinstance(value, dict):
        return None
    type_ = next((key for key, scalar in value.items() if isinstance(scalar, str) and REALTIME.sides_of_type(scalar)), None)
    bodies = [(key, body) for key, member in value.items() if isinstance(body := opened(member), dict) and "type" not in body]
    return None if type_ is None or len(bodies) != 1 else (type_, *bodies[0])


def _read(lines: Lines) -> Iterator[Found]:
    for number, line in lines:
        value = _value(line)
        parts = _parts(value)
        if parts is None or not isinstance(value, dict):
            yield passed_over(number)
            continue
        type_, key, body = parts
        frame = json.dumps({"type": value[type_], **body}, ensure_ascii=False, separators=(",", ":"))
        yield Found(number, frame, beside(value, (key,)))
