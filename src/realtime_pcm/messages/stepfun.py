"""Messages that StepFun's Step-Realtime adds."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage


class ResponseThinkingDelta(RealtimeServerMessage):
    """More of what the model thinks before it speaks."""

    type: Literal["response.thinking.delta"] = "response.thinking.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    delta: str | None = None
    """The next piece of the thoughts."""


class ResponseThinkingDone(RealtimeServerMessage):
    """The model has done thinking and begins to speak."""

    type: Literal["response.thinking.done"] = "response.thinking.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    text: str | None = None
    """The thoughts, whole."""
