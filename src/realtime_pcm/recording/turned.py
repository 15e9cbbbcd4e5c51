"""A recording whose newest frame comes first, turned round: its frames wait in a temporary file."""

from __future__ import annotations

import marshal
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from tempfile import SpooledTemporaryFile
from typing import Any

from .._core import RealtimeServerMessage, role_of
from ..conversation.rules import item_id_of, response_id_of
from .files import RecordingError
from .shapes import Found

__all__ = ["is_reversed", "turned_round"]

IN_MEMORY = 8 << 20  # bytes; more of them go to the disk
MOST_BYTES = 4 << 30  # of the disk
_LENGTH = struct.Struct("<I")


def is_reversed(times: Sequence[float | None], first: Sequence[Any]) -> bool:
    """Whether a recording begins with its newest frame. times: of its first frames. first: their messages."""
    known = [time for time in times if time is not None]
    steps = [later - earlier for earlier, later in pairwise(known) if later != earlier]
    if len(steps) < 2:
        return _ends_first(first) and all(step < 0 for step in steps)
    return sum(step < 0 for step in steps) > 0.8 * len(steps)


# Role -> what its message begins or ends, and whether it begins it.
_EDGES = {
    "response_start": ("response", True),
    "response_end": ("response", False),
    "speech_started": ("speech", True),
    "speech_stopped": ("speech", False),
    "session_start": ("session", True),
    "session_update": ("session", False),
}


def _ends_first(first: Sequence[Any]) -> bool:
    """Whether ends come before their begins, and never the other way round."""
    ended: set[object] = set()
    begun: set[object] = set()
    backwards = forwards = 0
    for message in first:
        edge = _EDGES.get(role_of(type(message)) or "") if isinstance(message, RealtimeServerMessage) else None
        if edge is None:
            continue
        what, begins = edge
        named = response_id_of(message) if what == "response" else item_id_of(message)
        key = (what, None if what == "session" else named)
        if begins:
            backwards += key in ended
            begun.add(key)
        else:
            forwards += key in begun and what != "session"  # a session of several connections has several updates
            ended.add(key)
    return backwards > 0 and not forwards


def turned_round(found: Iterable[Found]) -> Iterator[Found]:
    """The same in the opposite order. Raises RecordingError for more than 4 GiB."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        for one in found:
            packed = marshal.dumps((one.line, one.frame, dict(one.beside), one.fault))
            file.write(packed)
            file.write(_LENGTH.pack(len(packed)))
            if file.tell() > MOST_BYTES:
                raise RecordingError("the newest frame comes first, and more than 4 GiB follow: sort the file by time first")
        end = file.tell()
        while end:
            file.seek(end - _LENGTH.size)
            (size,) = _LENGTH.unpack(file.read(_LENGTH.size))
            end -= _LENGTH.size + size
            file.seek(end)
            yield Found(*marshal.loads(file.read(size)))
