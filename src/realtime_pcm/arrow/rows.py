"""A row of one entry of a recording, in plain Python: what the columns hold is said here."""

from __future__ import annotations

from typing import Any

from .._core import COLUMN_OBJECTS, COLUMN_PLACES, COLUMN_TEXTS, AudioMessage, ClientAudioMessage, RealtimeMessage, roles_at
from ..conversation.meanings import meanings_of
from ..conversation.rules import words_of
from ..objects import ContentPart, ConversationItem, RealtimeError, RealtimeResponse
from ..recording import Entry

__all__ = ["Row", "row_of"]

# One value for each column behind `source`. pcm is a 1-D NumPy array, or None.
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
    text = next((found for name in COLUMN_TEXTS if (found := _text(message, name)) is not None), None)
    role = None
    for name in COLUMN_OBJECTS:
        view = getattr(message, name, None)
        if isinstance(view, ConversationItem):
            item_id = _string(view.id) if item_id is None else item_id
            role = _string(view.role)
            text = _text_of_item(view) if text is None else text
        elif isinstance(view, RealtimeResponse):
            response_id = _string(view.id) if response_id is None else response_id
        elif isinstance(view, ContentPart):
            text = _text_of_part(view) if text is None else text
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
    if isinstance(message, (AudioMessage, ClientAudioMessage)):
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
    """A declared field that is a string. The payload of audio is no text."""
    if name == "delta" and isinstance(message, (AudioMessage, ClientAudioMessage)):
        return None
    return _string(getattr(message, name, None))


def _integer(message: RealtimeMessage, name: str) -> int | None:
    value = getattr(message, name, None)
    return value if type(value) is int and -_INT64 <= value < _INT64 else None


def _fits(value: int) -> int | None:
    return value if value < 1 << 31 else None


def _text_of_part(part: ContentPart) -> str | None:
    found = _string(part.text)
    return _string(part.transcript) if found is None else found


def _text_of_item(item: ConversationItem) -> str | None:
    content = item.content
    if not isinstance(content, (list, tuple)):
        return None
    texts = [text for part in content if isinstance(part, ContentPart) and (text := _text_of_part(part)) is not None]
    return " ".join(texts) if texts else None
