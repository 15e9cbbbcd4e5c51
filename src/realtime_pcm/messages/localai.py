"""Messages that LocalAI adds; it sends `type` last."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage
from ..declare import Nested, NestedList
from ..objects import ClassifierScore, SoundDetection, Speaker


class ConversationItemSpeaker(RealtimeServerMessage):
    """Who spoke an item of the user's, once the voice has been compared with the known ones."""

    type: Literal["conversation.item.speaker"] = "conversation.item.speaker"
    item_id: str | None = None
    """The item that it belongs to."""
    speaker: Nested[Speaker] = Nested()
    """Who spoke."""


class ConversationItemSoundDetection(RealtimeServerMessage):
    """The sounds heard in a committed piece of audio, the likeliest first."""

    type: Literal["conversation.item.sound_detection"] = "conversation.item.sound_detection"
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    detections: NestedList[SoundDetection] = NestedList()
    """The sounds with their scores."""


class LocalaiClassifierResult(RealtimeServerMessage):
    """Which ready-made answer was chosen for a turn and how surely: before the response's items."""

    type: Literal["localai.classifier.result"] = "localai.classifier.result"
    response_id: str | None = None
    """The response that it belongs to."""
    scores: NestedList[ClassifierScore] = NestedList()
    """The answers with their probabilities."""
    chosen_id: str | None = None
    """The answer that was chosen."""
    threshold: float | None = None
    """The score that an answer needs."""
    fallback: str | None = None
    """The fallback if no answer reaches the threshold."""
    latency_ms: int | None = None
    """How long the choice took, in milliseconds."""
    arguments: str | None = None
    """The arguments of the call, whole, as JSON text."""
    fill_latency_ms: int | None = None
    """How long filling in the arguments took, in milliseconds."""


class LocalaiModelFailover(RealtimeServerMessage):
    """Which model serves a stage of the pipeline now; the wire's `from`, no Python name, is in `.extra`."""

    type: Literal["localai.model.failover"] = "localai.model.failover"
    chain: str | None = None
    """The chain of models."""
    stage: str | None = None
    """The stage of the pipeline."""
    to: str | None = None
    """The model that serves the stage now."""
    state: str | None = None
    """The state of the stage."""
    reason: str | None = None
    """Why it happened."""
