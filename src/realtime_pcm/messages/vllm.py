"""Messages that vLLM (transcription only) and vLLM-Omni (duplex speech) add."""

from __future__ import annotations

from typing import Any

from .._core import RealtimeServerMessage
from ..objects import RealtimeResponse, TranscriptionSegment, Usage


class TranscriptionDelta(RealtimeServerMessage, wire="transcription.delta", role="user_transcript_delta"):
    """More of the transcript; `segments` are those it closes, where the server was asked for them."""

    delta: str | None
    language: str | None
    segments: list[TranscriptionSegment] | None


class TranscriptionDone(RealtimeServerMessage, wire="transcription.done", role="user_transcript"):
    """The whole transcript and its usage."""

    text: str | None
    usage: Usage | None
    language: str | None
    segments: list[TranscriptionSegment] | None


class SessionReplaced(RealtimeServerMessage, wire="session.replaced"):
    """A newer connection has taken the session over: the last message of the older one."""

    session_id: str | None
    attachment_generation: int | None


class SessionResyncRequired(RealtimeServerMessage, wire="session.resync_required"):
    """Messages were lost in between and the client must start over."""

    session_id: str | None
    reason: str | None


class SessionExpired(RealtimeServerMessage, wire="session.expired"):
    """The session was idle too long and is over."""

    session_id: str | None
    reason: str | None


class SessionHeartbeatAck(RealtimeServerMessage, wire="session.heartbeat_ack"):
    """The answer to the client's heartbeat."""

    session_id: str | None


class TurnEvent(RealtimeServerMessage, wire="turn.event"):
    """Whose turn it is has changed."""

    session_id: str | None
    event: str | None
    turn_state: str | None
    epoch: int | None


class ResponseListen(RealtimeServerMessage, wire="response.listen"):
    """The model has decided to go on listening."""

    session_id: str | None
    epoch: int | None
    response: RealtimeResponse | None
    response_id: str | None


class ResponseSpeak(RealtimeServerMessage, wire="response.speak"):
    """The model has decided to speak."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    metadata: dict[str, Any] | None


class OverlapDecision(RealtimeServerMessage, wire="overlap.decision"):
    """What is done about the user speaking while the model speaks."""

    session_id: str | None
    epoch: int | None
    policy: str | None
    action: str | None
    reason: str | None
    metadata: dict[str, Any] | None


class PlaybackAcknowledged(RealtimeServerMessage, wire="playback.acknowledged"):
    """The server knows how much the client has played."""

    event: dict[str, Any] | None
