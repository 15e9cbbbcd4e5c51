"""Messages that clients of xAI's speech from text send."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeClientMessage


class TextDelta(RealtimeClientMessage):
    """More of the text that is to be spoken."""

    type: Literal["text.delta"] = "text.delta"
    delta: str | None = None
    """The next piece of the text."""


class TextDone(RealtimeClientMessage):
    """The text is complete."""

    type: Literal["text.done"] = "text.done"


class TextClear(RealtimeClientMessage):
    """Drops words that are not spoken yet."""

    type: Literal["text.clear"] = "text.clear"
