"""The openai SDK: `parse_event` of its realtime connection, then base64 and NumPy as its examples do."""

from __future__ import annotations

from base64 import b64decode
from typing import Any, cast

import numpy as np
from openai.resources.realtime.realtime import RealtimeConnection

from .by_attribute import make_loops, read_one


def loops() -> dict[str, Any]:
    return make_loops(_parse_event(), _samples)


def connection() -> tuple[Any, ...]:
    return read_one, _parse_event(), lambda message: _samples(message.delta)


def _parse_event() -> Any:
    return RealtimeConnection(cast(Any, None)).parse_event  # it asks nothing of the socket


def _samples(delta: str) -> Any:
    return np.frombuffer(b64decode(delta), np.int16)
