"""Messages that Azure Voice Live adds to the beta names of OpenAI."""

from __future__ import annotations

from typing import Any, Literal

from .._core import RealtimeServerMessage
from ..declare import Nested, payload
from ..objects import RealtimeError


class WarningMessage(RealtimeServerMessage):
    """Something is not as asked, and the session goes on without it."""

    type: Literal["warning"] = "warning"
    warning: Nested[RealtimeError] = Nested()
    """A description of what differs from the request."""


class SessionAvatarConnecting(RealtimeServerMessage):
    """The avatar's video connection is being made: the server's side of the handshake."""

    type: Literal["session.avatar.connecting"] = "session.avatar.connecting"
    server_sdp: str | None = None
    """The server's session description for WebRTC."""


class SessionAvatarSwitchToSpeaking(RealtimeServerMessage):
    """The avatar begins to speak."""

    type: Literal["session.avatar.switch_to_speaking"] = "session.avatar.switch_to_speaking"
    turn_id: str | None = None
    """The turn that it belongs to."""


class SessionAvatarSwitchToIdle(RealtimeServerMessage):
    """The avatar has stopped speaking."""

    type: Literal["session.avatar.switch_to_idle"] = "session.avatar.switch_to_idle"
    turn_id: str | None = None
    """The turn that it belongs to."""


class ResponseAnimationBlendshapesDelta(RealtimeServerMessage):
    """More frames of the face's blend shapes, as lists of weights or as one encoded string."""

    type: Literal["response.animation_blendshapes.delta"] = "response.animation_blendshapes.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    frame_index: int | None = None
    """The number of the first frame."""
    frames: list[list[float]] | str | None = None
    """The weights of each frame: lists of numbers, or one encoded string."""


class ResponseAnimationBlendshapesDone(RealtimeServerMessage):
    """The face's blend shapes for a content part are complete."""

    type: Literal["response.animation_blendshapes.done"] = "response.animation_blendshapes.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""


class ResponseAnimationVisemeDelta(RealtimeServerMessage):
    """A mouth shape and its time in the audio."""

    type: Literal["response.animation_viseme.delta"] = "response.animation_viseme.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    audio_offset_ms: int | None = None
    """Its position in the audio of the content part, in milliseconds."""
    viseme_id: int | None = None
    """The number of the mouth shape."""


class ResponseAnimationVisemeDone(RealtimeServerMessage):
    """The mouth shapes of a content part are complete."""

    type: Literal["response.animation_viseme.done"] = "response.animation_viseme.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""


class ResponseAudioTimestampDelta(RealtimeServerMessage):
    """A word the model says and its time in the audio."""

    type: Literal["response.audio_timestamp.delta"] = "response.audio_timestamp.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    audio_offset_ms: int | None = None
    """Its position in the audio of the content part, in milliseconds."""
    audio_duration_ms: int | None = None
    """How long the word takes, in milliseconds."""
    text: str | None = None
    """The word."""
    timestamp_type: str | None = None
    """The unit that the times belong to: `word`."""


class ResponseAudioTimestampDone(RealtimeServerMessage):
    """The word times of a content part are complete."""

    type: Literal["response.audio_timestamp.done"] = "response.audio_timestamp.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""


class ResponseAudioTranscriptAnnotationAdded(RealtimeServerMessage):
    """A source or note belongs to what the model says."""

    type: Literal["response.audio_transcript.annotation.added"] = "response.audio_transcript.annotation.added"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    annotation_index: int | None = None
    """The note's place among those of the part, from 0."""
    annotation: dict[str, Any] | None = None
    """The note."""


class ResponseVideoDelta(RealtimeServerMessage):
    """A piece of the avatar's video, encoded as `codec` says; `data` is its bytes."""

    type: Literal["response.video.delta"] = "response.video.delta"
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    codec: str | None = None
    """How the video is encoded."""
    data: bytes | None = payload("delta")
    """The next bytes of the video."""


class ResponseInvocationDelta(RealtimeServerMessage):
    """A step of the agent that answers; `delta` is an object."""

    type: Literal["response.invocation.delta"] = "response.invocation.delta"
    delta: dict[str, Any] | None = None
    """The step."""


class ResponseWebSearchCallInProgress(RealtimeServerMessage):
    """The model has called the web search."""

    type: Literal["response.web_search_call.in_progress"] = "response.web_search_call.in_progress"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    sequence_number: int | None = None
    """Its number among the messages of the response."""


class ResponseWebSearchCallSearching(RealtimeServerMessage):
    """The web search is running."""

    type: Literal["response.web_search_call.searching"] = "response.web_search_call.searching"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    sequence_number: int | None = None
    """Its number among the messages of the response."""


class ResponseWebSearchCallCompleted(RealtimeServerMessage):
    """The web search is over."""

    type: Literal["response.web_search_call.completed"] = "response.web_search_call.completed"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    sequence_number: int | None = None
    """Its number among the messages of the response."""


class ResponseFileSearchCallInProgress(RealtimeServerMessage):
    """The model has called the file search."""

    type: Literal["response.file_search_call.in_progress"] = "response.file_search_call.in_progress"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    sequence_number: int | None = None
    """Its number among the messages of the response."""


class ResponseFileSearchCallSearching(RealtimeServerMessage):
    """The file search is running."""

    type: Literal["response.file_search_call.searching"] = "response.file_search_call.searching"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    sequence_number: int | None = None
    """Its number among the messages of the response."""


class ResponseFileSearchCallCompleted(RealtimeServerMessage):
    """The file search is over."""

    type: Literal["response.file_search_call.completed"] = "response.file_search_call.completed"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    sequence_number: int | None = None
    """Its number among the messages of the response."""
