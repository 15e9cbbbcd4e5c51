"""Makes the row of a recording's entry, in plain Python. This defines what each column holds; the C code must agree.

Texts and ids follow `conversation.rules`, except that ids of any length are kept. `seconds` is computed when columns are
exported.
"""

from __future__ import annotations

from typing import Any

from .._bulk import COLUMN_OBJECTS, COLUMN_PLACES
from .._core import CarriesAudio, RealtimeMessage, roles_at
from ..conversation.meanings import meanings_of
from ..conversation.rules import raw_of, words_in, words_of
from ..objects import ContentPart, ConversationItem, RealtimeError, RealtimeResponse
from ..recording import Entry

__all__ = ["Row", "row_of"]

# One value per column after `source`, without `seconds`. pcm is a 1-D NumPy array or None.
Row = tuple[Any, ...]

_INT64 = 1 << 63


def row_of(entry: Entry) -> Row:
    """The row of an entry."""
    message = entry.message
    if message is None:
        error = entry.error
        type_ = None if error is None else error.message_type
        return (entry.line, entry.time, entry.direction, type_, *[None] * 13, _plain(str(error)))
    response_id, item_id = _text(message, "response_id"), _text(message, "item_id")
    text = words_of(message)
    if text is None:
        text = _text(message, "arguments")
    role = None
    for name in COLUMN_OBJECTS:
        view = getattr(message, name, None)
        if isinstance(view, ConversationItem):
            item_id = _string(view.id) if item_id is None else item_id
            role = _string(view.role)
            text = words_in(view.raw.get("content")) or None if text is None else text
        elif isinstance(view, RealtimeResponse):
            response_id = _string(view.id) or response_id
        elif isinstance(view, ContentPart):
            text = words_in([raw_of(view)]) or None if text is None else text
        elif isinstance(view, RealtimeError):
            text = _string(view.message) if text is None else text
    if text is None and roles_at(type(message)):
        said = (words_of(meant) for _, meant in meanings_of(message) if meant is not message)
        text = next((words for words in said if words is not None), None)
    pcm: Any = None
    offset: int | None = None
    encoding: str | None = None
    rate: int | None = None
    channels: int | None = None
    if isinstance(message, CarriesAudio):
        pcm, offset = message.pcm, message.sample_offset
        audio = message.audio_format
        encoding, rate, channels = audio.encoding, _fits(audio.rate), _fits(audio.channels)
    return (
        entry.line,
        entry.time,
        entry.direction,
        message.type,
        _text(message, "event_id"),
        response_id,
        item_id,
        _integer(message, "output_index"),
        _integer(message, "content_index"),
        next((place for name in COLUMN_PLACES if (place := _integer(message, name)) is not None), None),
        text,
        pcm,
        encoding,
        rate,
        channels,
        offset,
        role,
        None,
    )


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _text(message: RealtimeMessage, name: str) -> str | None:
    """The value of a declared field, if it is a string."""
    return _string(getattr(message, name, None))


def _integer(message: RealtimeMessage, name: str) -> int | None:
    value = getattr(message, name, None)
    return value if type(value) is int and -_INT64 <= value < _INT64 else None


def _fits(value: int) -> int | None:
    return value if value < 1 << 31 else None
