"""Audio that a log left out: a length, a mark or the first characters in place of the payload."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Literal

from ..errors import DecodeError
from .shapes.frames import loads

__all__ = ["audio_is_left_out", "is_marked", "lacks_payload", "without_payload"]

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
    payload = _object(error.frame).get(error.field or "")
    return is_marked(error.frame, error) or (isinstance(payload, str) and SHORTEST_CUT <= len(payload) <= LONGEST)


def is_marked(frame: bytes | str, error: DecodeError) -> bool:
    """Whether something stands in place of the payload that nobody takes for base64: a length, a mark, dots."""
    value = _object(frame)
    if error.field is None or error.field not in value:
        return False
    payload = value[error.field]
    if not isinstance(payload, str):
        return True
    return len(payload) <= LONGEST and _MARK.search(payload) is not None and not _is_base64(payload)


def _is_base64(payload: str) -> bool:
    """Whether a payload is whole: then its format is what was refused, and letters such as XXX stand there by chance."""
    try:
        return bool(b64decode(payload, validate=True))
    except ValueError:
        return False


def without_payload(frame: bytes | str, key: str | None = None) -> bytes | None:
    """The frame with null in place of its payload; None for a frame whose payload stays.

    key: the member with the payload. If it is not known, a payload of more than 1,024 characters stays.
    """
    value = _object(frame)
    if key is None:
        key = next((name for name in PAYLOADS if isinstance(value.get(name), str) and len(value[name]) <= LONGEST), None)
    if key is None or key not in value:
        return None
    value[key] = None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def lacks_payload(frame: bytes | str, keys: Sequence[str]) -> Literal["absent", "null"] | None:
    """Whether a frame has none of the members that hold a payload, or null in their place; None if it has a payload."""
    value = _object(frame)
    present = [value[key] for key in keys if key in value]
    return "absent" if not present else "null" if all(one is None for one in present) else None


def _object(frame: bytes | str) -> dict[str, Any]:
    try:
        value = loads(frame)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
