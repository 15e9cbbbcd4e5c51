"""The shapes of logs, one module each: from lines or a document to frames.

`recognise` tries the most common ones first. A shape gives the frames and the scalars next to them. `beside.py` then decides
which of these are the time, the direction and the id of the call, for all shapes alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..files import RecordingError
from . import collected, documents, foreign, har, logged, named, plain, wrapped
from .found import LONGEST_LINE, Found, Lines, Shape
from .frames import KnownFrames

__all__ = ["LONGEST_LINE", "Found", "Lines", "Shape", "recognise"]

_ONE_OBJECT = (plain, wrapped)
_OTHERS = (logged, collected, named)
MOST = 0.5  # of the lines that may hold a frame: a shape that reads so many is taken at once


def recognise(lines: Sequence[tuple[int, bytes]], head: bytes, known: KnownFrames, *, socket: int | None = None) -> Shape | None:
    """The shape of a file; None if no frame was found.

    lines: its first lines, whole. head: its first bytes. known: which values are frames. socket: which WebSocket of a HAR file.
    Raises RecordingError, which says what to do, for a file that cannot be read as a conversation, and ModuleNotFoundError for a
    document without ijson.
    """
    known.forget()
    try:
        return _recognise(lines, head, known, socket)
    finally:
        known.forget()  # what is kept of the lines


def _recognise(lines: Sequence[tuple[int, bytes]], head: bytes, known: KnownFrames, socket: int | None) -> Shape | None:
    lost = foreign.cut_off(head)
    if lost is not None:
        raise RecordingError(lost)
    shape = har.recognise(head, socket, known)
    if shape is not None:
        return shape
    missing: ModuleNotFoundError | None = None
    likely = sum(known.may_be_in(line) for _, line in lines)
    best: tuple[int, Shape | None] = (0, None)
    for module in _ONE_OBJECT:
        found = module.recognise(lines, known)
        if found[0] > best[0]:
            best = found
    if best[0] > 1 and best[0] >= MOST * likely and not _has_labels(lines, best[0], known):
        return best[1]
    if head.lstrip()[:1] in (b"{", b"["):
        try:
            found = documents.recognise(head, known)
        except ModuleNotFoundError as error:  # no fault as long as another shape will do
            missing = error
        if found[0] > best[0]:
            best = found
    labelled = best[1] is not None and not best[1].document and _has_labels(lines, best[0], known)
    for module in _OTHERS:
        found = module.recognise(lines, known)
        if found[0] > best[0] or (labelled and module is logged and found[0] == best[0]):
            best = found
    if missing is not None and not best[0]:
        raise missing
    return best[1] or (wrapped.recognise_unknown(lines) if known.catalogue is None else None)


def _has_labels(lines: Sequence[tuple[int, bytes]], frames: int, known: KnownFrames) -> bool:
    """Whether most frames have a line of words above them, such as "2026-03-14 09:26:53 received:"."""
    labels = sum(known.may_be_in(line) and not known.may_be_in(above) for (_, above), (_, line) in pairwise(lines))
    return labels > 0.8 * frames
