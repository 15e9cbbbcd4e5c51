"""Frames whose keys a log wrote in camelCase: `responseId`, where the wire has `response_id`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from .shapes.frames import loads

__all__ = ["in_snake_case", "is_camel_case"]

DEEPEST = 16  # levels
_CAMEL = re.compile(
    rb'"(?:event|response|item|previousItem|call)Id"\s*:|"(?:content|output)Index"\s*:|"audio(?:Start|End)Ms"\s*:'
)
_SNAKE = re.compile(rb'"(?:event|response|item|previous_item|call)_id"\s*:|"(?:content|output)_index"\s*:')
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def is_camel_case(frames: Iterable[bytes | str]) -> bool:
    """Whether the ids of frames have such keys, and none has the wire's."""
    found = False
    for frame in frames:
        text = frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass")
        if _SNAKE.search(text):
            return False
        found = found or _CAMEL.search(text) is not None
    return found


def in_snake_case(frame: bytes | str) -> bytes | str:
    """The frame with the wire's keys."""
    try:
        value = loads(frame)
    except ValueError:
        return frame
    return json.dumps(_renamed(value, DEEPEST), separators=(",", ":"))


def _renamed(value: Any, depth: int) -> Any:
    if depth == 0:
        return value
    if isinstance(value, dict):
        return {_HUMP.sub(r"_\1", key).lower(): _renamed(inner, depth - 1) for key, inner in value.items()}
    return [_renamed(inner, depth - 1) for inner in value] if isinstance(value, list) else value
