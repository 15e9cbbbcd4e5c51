"""Messages that StepFun's Step-Realtime adds."""

from __future__ import annotations

from .._core import RealtimeServerMessage


class ResponseThinkingDelta(RealtimeServerMessage, wire="response.thinking.delta"):
    """More of what the model thinks before it speaks."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    delta: str | None


class ResponseThinkingDone(RealtimeServerMessage, wire="response.thinking.done"):
    """The model has done thinking and begins to speak."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    text: str | None
