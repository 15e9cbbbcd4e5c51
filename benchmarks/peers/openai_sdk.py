"""The openai SDK: `parse_event` of its realtime connection, then base64 and NumPy as its examples do."""

from __future__ import annotations

from base64 import b64decode
from typing import Any, cast

import numpy as np
from openai.resources.realtime.realtime import RealtimeConnection

from .by_attribute import make_loops


def loops() -> dict[str, Any]:
    connection = RealtimeConnection(cast(Any, None))  # parse_event asks nothing of the socket
    return make_loops(connection.parse_event, lambda delta: np.frombuffer(b64decode(delta), np.int16))
