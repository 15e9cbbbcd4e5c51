"""Which JSON value is a frame, and where it lies in the values that people put around it."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import lru_cache
from typing import Any, Literal

from ... import json_values
from ..._core import UnknownClientMessage, UnknownMessage, decode
from ...errors import DecodeError
from .found import Found, Scalar, passed_over

__all__ = [
    "FRAME_KEYS",
    "Direction",
    "Path",
    "beside",
    "forget",
    "found_in",
    "found_in_line",
    "loads",
    "opened",
    "path_of_any",
    "paths_of",
    "paths_of_line",
    "sides_of",
    "start_of",
    "type_at",
]

Direction = Literal["received", "sent"]
Path = tuple[str | int, ...]

# Names of members that hold frames, by how often people choose them. Any other name will do; these are looked at first.
FRAME_KEYS = ("event", "data", "message", "frame", "payload", "msg")
DEEPEST = 8  # levels that a frame may lie down, each of which may be a string of JSON
MOST_MEMBERS = 64  # of an object, in which a frame is looked for
MOST_ENTRIES = 8  # of a list, likewise; a longer one is a document
MOST_BESIDE = 32
_IDS = ("event_id", "item_id", "previous_item_id", "response_id", "call_id")  # of frames, which say nothing of their log
LONGEST_SCALAR = 200
MOST_VALUES = 1_000_000  # of one line: more than a frame has, and what a parser makes of them fits into memory
FEW_BYTES = 1 << 20  # a line of which nobody counts the values


def loads(text: bytes | str) -> Any:
    """The JSON value of a text.

    Raises ValueError for what is no JSON, is nested too deeply, or has more than a million values.
    """
    if len(text) > FEW_BYTES:
        comma, brace = (b",", b"[") if isinstance(text, bytes) else (",", "[")
        if text.count(comma) + text.count(brace) > MOST_VALUES:  # type: ignore[arg-type]
            raise ValueError("more than a million values in one line")
    return json_values.parse(text)


def sides_of(type_: object) -> tuple[Direction, ...]:
    """Which sides have a message of this wire name; none for a name that no catalogue has."""
    return _sides_of(type_) if isinstance(type_, str) and 0 < len(type_) <= LONGEST_SCALAR else ()


@lru_cache(1024)
def _sides_of(type_: str) -> tuple[Direction, ...]:
    frame = json.dumps({"type": type_})
    sides: tuple[tuple[Literal["server", "client"], Direction], ...] = (("server", "received"), ("client", "sent"))
    return tuple(way for side, way in sides if _declared(frame, side) is not None)


@lru_cache(1024)
def _fields_of(type_: str, side: Literal["server", "client"]) -> frozenset[str]:
    return frozenset(_declared(json.dumps({"type": type_}), side) or ())


def forget() -> None:
    """Looks into the catalogues anew: classes may have been declared since."""
    _sides_of.cache_clear()
    _fields_of.cache_clear()
    paths_of_line.cache_clear()


def _declared(frame: str, side: Literal["server", "client"]) -> tuple[str, ...] | None:
    """The fields that the class of a frame declares; None if no class has its type."""
    try:
        message = decode(frame, side=side)
    except DecodeError as error:  # a class of the user may want more
        return () if error.message_type is not None else None
    return None if isinstance(message, (UnknownMessage, UnknownClientMessage)) else type(message).__match_args__


def opened(value: object) -> object:
    """A list or a dict; what a string of JSON, plain or as base64, holds; None for anything else."""
    if isinstance(value, (dict, list)):
        return value
    if not isinstance(value, str):
        return None
    text: str | bytes = value
    start = value.lstrip()[:8]
    if start.startswith("eyJ"):
        try:
            text = b64decode(value, validate=True)
        except ValueError:
            return None
    elif not start.startswith("{"):
        return None
    try:
        found = loads(text)
    except ValueError:
        return None
    return found if isinstance(found, (dict, list)) else None


def paths_of(value: object, depth: int = DEEPEST) -> list[Path]:
    """Where frames of known types lie in a JSON value: the keys and places down to each of them, strings of JSON opened.

    A type that is repeated beside the frame is no frame: the member that holds a frame of the same type is.
    """
    if depth == 0:
        return []
    if isinstance(value, list):
        if len(value) > MOST_ENTRIES:
            return []
        return [(place, *path) for place, entry in enumerate(value) for path in _below(entry, depth)]
    if not isinstance(value, dict) or len(value) > MOST_MEMBERS:
        return []
    type_ = value.get("type")
    sides = sides_of(type_)
    if sides:
        fields = _fields_of(str(type_), "server" if "received" in sides else "client")
        for key in value:
            if key in fields:
                continue
            # Types of frames have a dot. "error", which has none, is what logs call a line, too.
            paths = [path for path in _below(value[key], depth) if "." not in str(type_) or type_at(value[key], path) == type_]
            if paths:
                return [(key, *path) for path in paths]
        return [()]
    return [(key, *path) for key in _ordered(value) for path in _below(value[key], depth)]


def type_at(value: object, path: Path) -> object:
    """The type of the frame at a path."""
    frame = opened(at_path(value, path))
    return frame.get("type") if isinstance(frame, dict) else None


def _below(value: object, depth: int) -> list[Path]:
    inner = opened(value)
    return [] if inner is None else paths_of(inner, depth - 1)


def _ordered(value: dict[str, Any]) -> list[str]:
    return [key for key in FRAME_KEYS if key in value] + [key for key in value if key not in FRAME_KEYS]


@lru_cache(512)
def paths_of_line(line: bytes) -> list[Path]:
    """Where frames lie in a line of JSON; nowhere in what is no JSON."""
    if line.lstrip()[:1] not in (b"{", b"["):
        return []
    try:
        return paths_of(loads(line))
    except ValueError:
        return []


def path_of_any(line: bytes) -> Path | None:
    """Where an object with a type lies in a line of JSON, whatever the type: under a usual name, or the line itself."""
    try:
        value = loads(line) if line.lstrip()[:1] == b"{" else None
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    for key in FRAME_KEYS:
        inner = opened(value.get(key))
        if isinstance(inner, dict) and isinstance(inner.get("type"), str):
            return (key,)
    return () if isinstance(value.get("type"), str) else None


def start_of(line: bytes, path: Path) -> str:
    """The first characters of the string that is the frame at a path in a line of JSON; none if it is an object."""
    value = at_path(loads(line), path)
    return value[:3] if isinstance(value, str) else ""


def at_path(value: object, path: Path) -> object:
    """What lies at a path, a string as it is; None if nothing does."""
    for step in path:
        value = opened(value)
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _text_of(value: object) -> bytes | str | None:
    """The frame that a value is, as text; None for a value that is no object and no string that holds one."""
    if isinstance(value, str):
        if value.startswith("eyJ"):
            try:
                return b64decode(value, validate=True)
            except ValueError:
                return None
        return value if value.lstrip()[:1] == "{" else None
    if not isinstance(value, dict):
        return None
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: the decoder says where
        return json.dumps(value, separators=(",", ":"))
    return text


def beside(value: object, path: Path) -> dict[str, Scalar]:
    """The scalars beside the frame at a path, at each level above it; those of an outer level win.

    If the value is the frame itself: its own.
    """
    found: dict[str, Scalar] = {}
    if not path:
        _add_scalars(found, value, ("type", *_IDS))
    for step in path:
        value = opened(value)
        _add_scalars(found, value, (step,))
        value = at_path(value, (step,))
    return found


def _add_scalars(found: dict[str, Scalar], value: object, without: tuple[str | int, ...]) -> None:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, scalar in pairs:
        if key in without or isinstance(scalar, (dict, list)) or len(found) >= MOST_BESIDE:
            continue
        if not isinstance(scalar, str) or len(scalar) <= LONGEST_SCALAR:
            found.setdefault(str(key), scalar)


def found_in(number: int, value: object, path: Path, text: bytes | None = None) -> tuple[Found, Path]:
    """The frame in a JSON value, and where it lies.

    number: of the line or the element. path: where the frame before it lay. text: what the value was parsed from, if the
    frame may be the value itself, so that its bytes are kept.
    """
    inner = at_path(value, path)
    frame = opened(inner)
    if not (isinstance(frame, dict) and sides_of(frame.get("type")) and (path or paths_of(value) == [()])):
        paths = paths_of(value)
        if len(paths) > 1:
            names = " and ".join(f'"{".".join(map(str, one))}"' for one in paths[:2])
            return Found(number, None, fault=f"{len(paths)} frames in one object, {names}: it is not known which was sent"), path
        if paths:
            path = paths[0]
            inner = at_path(value, path)
        elif not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
            return passed_over(number), path
    if not path and text is not None:
        return Found(number, text, beside(value, path)), path
    text_ = _text_of(inner)
    return (passed_over(number) if text_ is None else Found(number, text_, beside(value, path))), path


def found_in_line(number: int, line: bytes, path: Path) -> tuple[Found, Path]:
    """The frame in a line of JSON, and where it lies; what is text, and no JSON, is passed over."""
    if line.lstrip()[:1] not in (b"{", b"["):
        return passed_over(number), path
    try:
        value = loads(line)
    except ValueError as error:
        return Found(number, None, fault=f"not JSON: {error}"), path
    return found_in(number, value, path, line)
