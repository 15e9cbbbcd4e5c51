"""Audio that a log left out: a length, a mark or the first characters in place of the payload."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Literal

from ..errors import DecodeError
from .shapes.frames import loads

__all__ = ["audio_is_left_out", "is_marked", "lacks_payload", "place_of", "without_payload"]

Place = str | tuple[Any, ...]  # of a payload: a key, or a path

FEW = 2  # audio messages from which it can be told
SHORTEST = 0.005  # seconds of audio that nobody sends alone
PAYLOADS = ("delta", "audio")
FEWEST_SAMPLES = 8  # of a payload that was cut
SHORTEST_CUT = 30  # characters, likewise
LONGEST = 1024  # characters that logs keep of a payload
_MARK = re.compile(r"[<>\[\](){}… ]|\.\.\.|[Xx*]{3,}|^(?:redacted|omitted|truncated)", re.IGNORECASE)


def audio_is_left_out(read: Sequence[Any], errors: Sequence[DecodeError], seconds: Sequence[float]) -> bool:
    """Whether the audio of a recording was left out, or cut down to its first characters.

    read: the audio messages among its first frames. seconds: of their audio. errors: of the frames whose payload was refused.
    """
    if len(read) + len(errors) < FEW or not all(map(_is_replaced, errors)):
        return False
    whole = [(len(message.pcm), length) for message, length in zip(read, seconds, strict=True) if length]
    if not whole:
        return True
    return len(whole) >= FEW and len(set(whole)) == 1 and whole[0][0] >= FEWEST_SAMPLES and whole[0][1] < SHORTEST


def _is_replaced(error: DecodeError) -> bool:
    """Whether a payload that was refused is a mark, or the beginning of a longer one."""
    payload = next(iter(_at(_object(error.frame), place_of(error))), None)
    return is_marked(error.frame, error) or (isinstance(payload, str) and SHORTEST_CUT <= len(payload) <= LONGEST)


def is_marked(frame: bytes | str, error: DecodeError) -> bool:
    """Whether the log replaced the payload with something that is clearly not base64: a length, a mark, dots."""
    payloads = _at(_object(frame), place_of(error))
    if error.field is None or not payloads:
        return False
    payload = payloads[0]
    if not isinstance(payload, str):
        return True
    return len(payload) <= LONGEST and _MARK.search(payload) is not None and not _is_base64(payload)


def _is_base64(payload: str) -> bool:
    """Whether a payload is whole: then its format is what was refused, and letters such as XXX stand there by chance."""
    try:
        return bool(b64decode(payload, validate=True))
    except ValueError:
        return False


def place_of(error: DecodeError) -> Place:
    """Where the payload stands that was refused. A path is told in words: media.payload, parts[].data."""
    words = error.field or ""
    if "." not in words:
        return words
    return tuple(... if key == "[]" else key for key in words.replace("[]", ".[]").split("."))


def _at(value: object, place: Place) -> list[Any]:
    """The values at a place."""
    keys = (place,) if isinstance(place, str) else place
    for number, key in enumerate(keys, 1):
        if key is ...:
            found = value if isinstance(value, list) else []
            return [inner for element in found for inner in _at(element, keys[number:])]
        if not isinstance(value, dict) or key not in value:
            return []
        value = value[key]
    return [value]


def without_payload(frame: bytes | str, key: Place | None = None) -> bytes | None:
    """The frame with null in place of its payload; None for a frame whose payload stays.

    key: the member with the payload. If it is not known, a payload of more than 1,024 characters stays.
    """
    value = _object(frame)
    if key is None:
        key = next((name for name in PAYLOADS if isinstance(value.get(name), str) and len(value[name]) <= LONGEST), None)
    if key is None or not _at(value, key):
        return None
    _empty(value, (key,) if isinstance(key, str) else key)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _empty(value: Any, place: tuple[Any, ...]) -> None:
    """Replaces the value at a path with null."""
    key, behind = place[0], place[1:]
    if key is ...:
        for element in value if isinstance(value, list) else ():
            _empty(element, behind)
    elif isinstance(value, dict) and key in value:
        if behind:
            _empty(value[key], behind)
        else:
            value[key] = None


def lacks_payload(frame: bytes | str, places: Sequence[Place]) -> Literal["absent", "null"] | None:
    """Whether a frame has none of the members that hold a payload, or null in their place; None if it has a payload."""
    value = _object(frame)
    present = [one for place in places for one in _at(value, place)]
    return "absent" if not present else "null" if all(one is None for one in present) else None


def _object(frame: bytes | str) -> dict[str, Any]:
    try:
        value = loads(frame)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
