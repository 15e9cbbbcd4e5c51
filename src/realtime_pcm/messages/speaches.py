"""Messages that Speaches adds on a WebRTC data channel, which carries long messages in pieces."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage


class FullMessage(RealtimeServerMessage):
    """A whole message: `data` is its JSON as base64 text."""

    type: Literal["full_message"] = "full_message"
    id: str | None = None
    """The message's id."""
    data: str | None = None
    """The message as base64 text of its JSON."""


class PartialMessage(RealtimeServerMessage):
    """A piece of a message too long for one send: `data` is a piece of its JSON as base64 text."""

    type: Literal["partial_message"] = "partial_message"
    id: str | None = None
    """The message that the piece belongs to."""
    data: str | None = None
    """The piece as base64 text."""
    fragment_index: int | None = None
    """The piece's place in the message, from 0."""
    total_fragments: int | None = None
    """How many pieces the message has."""
