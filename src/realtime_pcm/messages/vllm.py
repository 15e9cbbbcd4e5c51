"""Messages that vLLM (transcription only) and vLLM-Omni (duplex speech) add."""

from __future__ import annotations

from typing import Any, Literal

from .._core import RealtimeServerMessage
from ..declare import Nested, NestedList
from ..objects import RealtimeResponse, TranscriptionSegment, Usage


class TranscriptionDelta(RealtimeServerMessage, role="user_transcript_delta"):
    """More of the transcript. `segments` has those that it closes, if the client asked for them."""

    type: Literal["transcription.delta"] = "transcription.delta"
    delta: str | None = None
    """The next piece of the transcript."""
    language: str | None = None
    """The language that was heard, as a code such as `en`."""
    segments: NestedList[TranscriptionSegment] = NestedList()
    """The segments that this piece closes."""


class TranscriptionDone(RealtimeServerMessage, role="user_transcript"):
    """The whole transcript and its usage."""

    type: Literal["transcription.done"] = "transcription.done"
    text: str | None = None
    """The transcript, whole."""
    usage: Nested[Usage] = Nested()
    """The usage: tokens or seconds."""
    language: str | None = None
    """The language that was heard, as a code such as `en`."""
    segments: NestedList[TranscriptionSegment] = NestedList()
    """The segments that the transcript is made of."""


class SessionReplaced(RealtimeServerMessage):
    """A newer connection has taken the session over: the last message of the older one."""

    type: Literal["session.replaced"] = "session.replaced"
    session_id: str | None = None
    """The session that it belongs to."""
    attachment_generation: int | None = None
    """How many connections this session has had."""


class SessionResyncRequired(RealtimeServerMessage):
    """Messages were lost in between and the client must start over."""

    type: Literal["session.resync_required"] = "session.resync_required"
    session_id: str | None = None
    """The session that it belongs to."""
    reason: str | None = None
    """Why it happened."""


class SessionExpired(RealtimeServerMessage):
    """The session was idle too long and is over."""

    type: Literal["session.expired"] = "session.expired"
    session_id: str | None = None
    """The session that it belongs to."""
    reason: str | None = None
    """Why it happened."""


class SessionHeartbeatAck(RealtimeServerMessage):
    """The answer to the client's heartbeat."""

    type: Literal["session.heartbeat_ack"] = "session.heartbeat_ack"
    session_id: str | None = None
    """The session that it belongs to."""


class TurnEvent(RealtimeServerMessage):
    """Whose turn it is has changed."""

    type: Literal["turn.event"] = "turn.event"
    session_id: str | None = None
    """The session that it belongs to."""
    event: str | None = None
    """What has happened."""
    turn_state: str | None = None
    """Whose turn it is."""
    epoch: int | None = None
    """A number that grows with each interruption."""


class ResponseListen(RealtimeServerMessage):
    """The model has decided to go on listening."""

    type: Literal["response.listen"] = "response.listen"
    session_id: str | None = None
    """The session that it belongs to."""
    epoch: int | None = None
    """A number that grows with each interruption."""
    response: Nested[RealtimeResponse] = Nested()
    """The response, as far as it is known."""
    response_id: str | None = None
    """The response that it belongs to."""


class ResponseSpeak(RealtimeServerMessage):
    """The model has decided to speak."""

    type: Literal["response.speak"] = "response.speak"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    metadata: dict[str, Any] | None = None
    """Values that the server adds."""


class OverlapDecision(RealtimeServerMessage):
    """The reaction when the user speaks while the model speaks."""

    type: Literal["overlap.decision"] = "overlap.decision"
    session_id: str | None = None
    """The session that it belongs to."""
    epoch: int | None = None
    """A number that grows with each interruption."""
    policy: str | None = None
    """The rule that was applied."""
    action: str | None = None
    """The action."""
    reason: str | None = None
    """Why it happened."""
    metadata: dict[str, Any] | None = None
    """Values that the server adds."""


class PlaybackAcknowledged(RealtimeServerMessage):
    """The server knows how much the client has played."""

    type: Literal["playback.acknowledged"] = "playback.acknowledged"
    event: dict[str, Any] | None = None
    """The amount that the client reported as played."""
