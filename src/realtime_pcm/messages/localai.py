"""Messages that LocalAI adds; it sends `type` last."""

from __future__ import annotations

from .._core import RealtimeServerMessage
from ..objects import ClassifierScore, SoundDetection, Speaker


class ConversationItemSpeaker(RealtimeServerMessage, wire="conversation.item.speaker"):
    """Who spoke an item of the user's, once the voice has been compared with the known ones."""

    item_id: str | None
    speaker: Speaker | None


class ConversationItemSoundDetection(RealtimeServerMessage, wire="conversation.item.sound_detection"):
    """The sounds heard in a committed piece of audio, the likeliest first."""

    item_id: str | None
    content_index: int | None
    detections: list[SoundDetection] | None


class LocalaiClassifierResult(RealtimeServerMessage, wire="localai.classifier.result"):
    """Which ready-made answer was chosen for a turn and how surely: before the response's items."""

    response_id: str | None
    scores: list[ClassifierScore] | None
    chosen_id: str | None
    threshold: float | None
    fallback: str | None
    latency_ms: int | None
    arguments: str | None
    fill_latency_ms: int | None


class LocalaiModelFailover(RealtimeServerMessage, wire="localai.model.failover"):
    """Which model serves a stage of the pipeline now; the wire's `from`, no Python name, is in `.extra`."""

    chain: str | None
    stage: str | None
    to: str | None
    state: str | None
    reason: str | None
