"""Messages that Azure Voice Live adds to the beta names of OpenAI."""

from __future__ import annotations

from typing import Any

from .._core import RealtimeServerMessage, payload
from ..objects import RealtimeError


class WarningMessage(RealtimeServerMessage, wire="warning"):
    """Something is not as asked, and the session goes on without it."""

    warning: RealtimeError | None


class SessionAvatarConnecting(RealtimeServerMessage, wire="session.avatar.connecting"):
    """The avatar's video connection is being made: the server's side of the handshake."""

    server_sdp: str | None


class SessionAvatarSwitchToSpeaking(RealtimeServerMessage, wire="session.avatar.switch_to_speaking"):
    """The avatar begins to speak."""

    turn_id: str | None


class SessionAvatarSwitchToIdle(RealtimeServerMessage, wire="session.avatar.switch_to_idle"):
    """The avatar has stopped speaking."""

    turn_id: str | None


class ResponseAnimationBlendshapesDelta(RealtimeServerMessage, wire="response.animation_blendshapes.delta"):
    """More frames of the face's blend shapes, as lists of weights or as one encoded string."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    frame_index: int | None
    frames: list[list[float]] | str | None


class ResponseAnimationBlendshapesDone(RealtimeServerMessage, wire="response.animation_blendshapes.done"):
    """The face's blend shapes for a content part are complete."""

    response_id: str | None
    item_id: str | None
    output_index: int | None


class ResponseAnimationVisemeDelta(RealtimeServerMessage, wire="response.animation_viseme.delta"):
    """A mouth shape and its time in the audio."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    audio_offset_ms: int | None
    viseme_id: int | None


class ResponseAnimationVisemeDone(RealtimeServerMessage, wire="response.animation_viseme.done"):
    """The mouth shapes of a content part are complete."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None


class ResponseAudioTimestampDelta(RealtimeServerMessage, wire="response.audio_timestamp.delta"):
    """A word the model says and its time in the audio."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    audio_offset_ms: int | None
    audio_duration_ms: int | None
    text: str | None
    timestamp_type: str | None


class ResponseAudioTimestampDone(RealtimeServerMessage, wire="response.audio_timestamp.done"):
    """The word times of a content part are complete."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None


class ResponseAudioTranscriptAnnotationAdded(RealtimeServerMessage, wire="response.audio_transcript.annotation.added"):
    """A source or note belongs to what the model says."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    annotation_index: int | None
    annotation: dict[str, Any] | None


class ResponseVideoDelta(RealtimeServerMessage, wire="response.video.delta"):
    """A piece of the avatar's video, encoded as `codec` says; `data` is its bytes."""

    output_index: int | None
    codec: str | None
    data: bytes | None = payload("delta")


class ResponseInvocationDelta(RealtimeServerMessage, wire="response.invocation.delta"):
    """A step of the agent that answers; `delta` is an object."""

    delta: dict[str, Any] | None


class ResponseWebSearchCallInProgress(RealtimeServerMessage, wire="response.web_search_call.in_progress"):
    """The model has called the web search."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    sequence_number: int | None


class ResponseWebSearchCallSearching(RealtimeServerMessage, wire="response.web_search_call.searching"):
    """The web search is running."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    sequence_number: int | None


class ResponseWebSearchCallCompleted(RealtimeServerMessage, wire="response.web_search_call.completed"):
    """The web search is over."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    sequence_number: int | None


class ResponseFileSearchCallInProgress(RealtimeServerMessage, wire="response.file_search_call.in_progress"):
    """The model has called the file search."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    sequence_number: int | None


class ResponseFileSearchCallSearching(RealtimeServerMessage, wire="response.file_search_call.searching"):
    """The file search is running."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    sequence_number: int | None


class ResponseFileSearchCallCompleted(RealtimeServerMessage, wire="response.file_search_call.completed"):
    """The file search is over."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    sequence_number: int | None
