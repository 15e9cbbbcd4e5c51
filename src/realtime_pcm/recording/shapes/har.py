"""A HAR file, as browsers and proxies save it: the messages of one of its WebSockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from ..files import RecordingError
from .elements import ANY, DocumentError, elements, require_ijson
from .found import Found, Shape, passed_over
from .frames import KnownFrames

__all__ = ["recognise"]

_START = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
_MESSAGES = ("log", "entries", ANY, "_webSocketMessages", ANY)
FIRST_MESSAGES = 50  # of a WebSocket, among which there is a frame if it speaks Realtime
FIRST_BYTES = 1 << 20  # likewise, of their data


def recognise(head: bytes, socket: int | None, known: KnownFrames) -> Shape | None:
    """The shape, if a file begins as a HAR does. socket: which of the WebSockets that speak Realtime, from 1."""
    if not _START.match(head):
        return None
    require_ijson()
    return Shape("a HAR file: the messages of a WebSocket", partial(_read, known=known, socket=socket), document=True)


class _Socket:
    """A WebSocket of the file.

    speaks: whether it speaks Realtime; None as long as nobody knows. waiting: its messages until then.
    """

    def __init__(self, entry: int) -> None:
        self.entry = entry
        self.speaks: bool | None = None
        self.waiting: list[Found] = []
        self.size = 0

    def take(self, found: Found, known: bool) -> list[Found]:
        """Takes a message, known if it is a frame of a known type; those that are to be read now."""
        if self.speaks is None:
            self.waiting.append(found)
            self.size += len(found.frame or "")
            if known:
                self.speaks = True
            elif len(self.waiting) >= FIRST_MESSAGES or self.size > FIRST_BYTES:
                self.speaks = False
            ready, self.waiting = (self.waiting, []) if self.speaks is not None else ([], self.waiting)
            return ready
        return [found]


def _read(file: BinaryIO, known: KnownFrames, socket: int | None = None) -> Iterator[Found]:
    current: _Socket | None = None
    speaking = number = 0
    try:
        for element in elements(file, [_MESSAGES], strays=False):
            number += 1
            entry = element.places[0]
            if current is None or current.entry != entry:
                current = _Socket(entry)
            if current.speaks is False:
                yield passed_over(number)
                continue
            undecided = current.speaks is None
            found, _ = known.found_in(number, element.value, ("data",))
            ready = current.take(found, _speaks(element.value, known))
            if undecided and current.speaks:
                speaking += 1
                if socket is None and speaking == 2:
                    raise RecordingError(
                        "several WebSockets of this HAR file speak Realtime: choose one by its number, with --socket 1, "
                        "--socket 2 and so on, or read_recording(socket=1)"
                    )
            yield from ready if speaking == (socket or 1) else map(passed_over, range(number + 1 - len(ready), number + 1))
    except DocumentError as error:
        yield Found(number + 1, None, fault=str(error))
    if not speaking:
        raise RecordingError(
            "a HAR file in which no WebSocket speaks Realtime: open the developer tools before the call begins, and save the "
            "HAR file with its content"
            if not number
            else "a HAR file in which no WebSocket speaks Realtime"
        )
    if socket is not None and socket > speaking:
        raise RecordingError(f"there is no WebSocket {socket} that speaks Realtime in this HAR file: it has {speaking}")


def _speaks(message: object, known: KnownFrames) -> bool:
    """Whether a message holds a frame that only Realtime has: its type has a dot, unlike the "error" of other protocols."""
    paths = known.paths_of(message)
    return bool(paths) if known.catalogue is not None else any("." in str(known.type_at(message, path)) for path in paths)
