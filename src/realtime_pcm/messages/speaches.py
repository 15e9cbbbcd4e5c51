"""Messages that Speaches adds on a WebRTC data channel, which carries long messages in pieces."""

from __future__ import annotations

from .._core import RealtimeServerMessage


class FullMessage(RealtimeServerMessage, wire="full_message"):
    """A whole message: `data` is its JSON as base64 text."""

    id: str | None
    data: str | None


class PartialMessage(RealtimeServerMessage, wire="partial_message"):
    """A piece of a message too long for one send: `data` is a piece of its JSON as base64 text."""

    id: str | None
    data: str | None
    fragment_index: int | None
    total_fragments: int | None
