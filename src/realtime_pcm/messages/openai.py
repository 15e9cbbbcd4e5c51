"""Messages of the OpenAI Realtime API, GA and beta names of one message in one class.

Where another provider adds fields to one of these messages, they stand last in its class, behind a comment with the name of the
provider.
"""

from __future__ import annotations

from typing import Any

from .._core import AudioEnd, AudioMessage, RealtimeServerMessage, Samples, payload
from ..objects import (
    ContentPart,
    Conversation,
    ConversationItem,
    LogProb,
    RateLimit,
    RealtimeError,
    RealtimeResponse,
    SessionConfig,
    TranscriptionLanguage,
    TranscriptionPhrase,
    Usage,
)

# The fields stand in the order in which OpenAI sends them: the walk expects the keys in that order.


class Error(RealtimeServerMessage, wire="error", role="error"):
    """Something went wrong, at the client or the server; most sessions stay open. vLLM sends `error` as a string."""

    error: RealtimeError | None
    # GPT-Live
    client_event_id: str | None
    # vLLM
    code: str | None


class SessionCreated(RealtimeServerMessage, wire="session.created", role="session_start"):
    """The session is open, with the server's defaults: the first message of a connection."""

    session: SessionConfig | None
    # vLLM
    id: str | None
    created: int | None
    # vLLM-Omni: what a dropped client resumes with
    attachment_generation: int | None
    resume_token: str | None


class SessionUpdated(RealtimeServerMessage, wire="session.updated", role="session_update"):
    """The session as it stands after a session.update."""

    session: SessionConfig | None
    # GPT-Live
    client_event_id: str | None
    # xAI
    previous_item_id: str | None


class TranscriptionSessionCreated(RealtimeServerMessage, wire="transcription_session.created", role="session_start"):
    """A transcription session is open (beta)."""

    session: SessionConfig | None


class TranscriptionSessionUpdated(RealtimeServerMessage, wire="transcription_session.updated", role="session_update"):
    """The transcription session as it stands after an update (beta)."""

    session: SessionConfig | None


class ConversationCreated(RealtimeServerMessage, wire="conversation.created"):
    """The session's conversation exists: right after session.created."""

    conversation: Conversation | None
    # xAI
    previous_item_id: str | None


class ConversationItemCreated(RealtimeServerMessage, wire="conversation.item.created", role="item_added"):
    """An item has joined the conversation (beta); GA sends conversation.item.added and .done instead."""

    previous_item_id: str | None
    item: ConversationItem | None


class ConversationItemAdded(RealtimeServerMessage, wire="conversation.item.added", role="item_added"):
    """An item has joined the conversation; one the model is still producing has no content yet."""

    previous_item_id: str | None
    item: ConversationItem | None


class ConversationItemDone(RealtimeServerMessage, wire="conversation.item.done", role="item_done"):
    """An item of the conversation is final, with all content but its audio."""

    previous_item_id: str | None
    item: ConversationItem | None


class ConversationItemRetrieved(RealtimeServerMessage, wire="conversation.item.retrieved"):
    """The item a conversation.item.retrieve asked for, with its audio."""

    item: ConversationItem | None


class ConversationItemDeleted(RealtimeServerMessage, wire="conversation.item.deleted", role="item_deleted"):
    """The client's conversation.item.delete has taken effect."""

    item_id: str | None
    # vLLM-Omni
    event: dict[str, Any] | None


class ConversationItemTruncated(RealtimeServerMessage, wire="conversation.item.truncated", role="truncated"):
    """The client's conversation.item.truncate has cut an assistant item's audio and dropped its transcript."""

    item_id: str | None
    content_index: int | None
    audio_end_ms: int | None
    # vLLM-Omni
    event: dict[str, Any] | None


class ConversationItemInputAudioTranscriptionDelta(
    RealtimeServerMessage, wire="conversation.item.input_audio_transcription.delta", role="user_transcript_delta"
):
    """More of the transcript of what the user said."""

    item_id: str | None
    content_index: int | None
    delta: str | None
    logprobs: list[LogProb] | None
    obfuscation: str | None
    # unmute
    start_time: float | None


class ConversationItemInputAudioTranscriptionCompleted(
    RealtimeServerMessage, wire="conversation.item.input_audio_transcription.completed", role="user_transcript"
):
    """The whole transcript of what the user said; it may come before or after the response to it."""

    item_id: str | None
    content_index: int | None
    transcript: str | None
    usage: Usage | None
    logprobs: list[LogProb] | None
    languages: list[TranscriptionLanguage] | None
    # Azure Voice Live
    phrases: list[TranscriptionPhrase] | None
    # xAI
    status: str | None
    previous_item_id: str | None
    # DashScope
    language: str | None
    emotion: str | None


class ConversationItemInputAudioTranscriptionSegment(
    RealtimeServerMessage, wire="conversation.item.input_audio_transcription.segment"
):
    """A segment of the input transcript with its speaker and its seconds in the audio."""

    item_id: str | None
    content_index: int | None
    text: str | None
    id: str | None
    speaker: str | None
    start: float | None
    end: float | None
    # LocalAI
    logprobs: list[LogProb] | None
    speaker_name: str | None


class ConversationItemInputAudioTranscriptionFailed(
    RealtimeServerMessage, wire="conversation.item.input_audio_transcription.failed", role="user_transcript_failed"
):
    """The user's audio could not be transcribed; the response to it goes on."""

    item_id: str | None
    content_index: int | None
    error: RealtimeError | None


class InputAudioBufferCommitted(RealtimeServerMessage, wire="input_audio_buffer.committed", role="committed"):
    """The input buffer has become a user item, at the client's word or by turn detection."""

    previous_item_id: str | None
    item_id: str | None
    # vLLM-Omni
    event: dict[str, Any] | None


class InputAudioBufferCleared(RealtimeServerMessage, wire="input_audio_buffer.cleared"):
    """The input buffer has been emptied at the client's word."""


class InputAudioBufferSpeechStarted(RealtimeServerMessage, wire="input_audio_buffer.speech_started", role="speech_started"):
    """The user has begun to speak: the moment to stop playing."""

    audio_start_ms: int | None
    item_id: str | None
    # xAI
    previous_item_id: str | None


class InputAudioBufferSpeechStopped(RealtimeServerMessage, wire="input_audio_buffer.speech_stopped", role="speech_stopped"):
    """The user has stopped speaking; a commit follows."""

    audio_end_ms: int | None
    item_id: str | None
    # xAI
    previous_item_id: str | None


class InputAudioBufferTimeoutTriggered(RealtimeServerMessage, wire="input_audio_buffer.timeout_triggered"):
    """Nobody spoke for turn_detection.idle_timeout_ms; the silence is committed and answered."""

    audio_start_ms: int | None
    audio_end_ms: int | None
    item_id: str | None


class InputAudioBufferDtmfEventReceived(RealtimeServerMessage, wire="input_audio_buffer.dtmf_event_received"):
    """A telephone key was pressed (SIP); it has no event_id."""

    event: str | None
    received_at: int | None
    # xAI
    digit: str | None


class OutputAudioBufferStarted(RealtimeServerMessage, wire="output_audio_buffer.started"):
    """The server has begun to play a response to the caller (WebRTC and SIP)."""

    response_id: str | None


class OutputAudioBufferStopped(RealtimeServerMessage, wire="output_audio_buffer.stopped"):
    """The server has played a response to its end (WebRTC and SIP)."""

    response_id: str | None


class OutputAudioBufferCleared(RealtimeServerMessage, wire="output_audio_buffer.cleared", role="interrupted"):
    """What was still to be played has been dropped: the user interrupted, or the client asked."""

    response_id: str | None


class ResponseCreated(RealtimeServerMessage, wire="response.created", role="response_start"):
    """The model has begun a response, its status in_progress."""

    response: RealtimeResponse | None
    # vLLM-Omni
    response_id: str | None
    # xAI
    previous_item_id: str | None


class ResponseDone(AudioEnd, wire="response.done", role="response_end"):
    """A response is over, whatever its status, with its items and its usage but no audio."""

    response: RealtimeResponse | None
    # xAI and vLLM-Omni
    response_id: str | None
    # xAI
    usage: Usage | None
    previous_item_id: str | None


class ResponseOutputItemAdded(RealtimeServerMessage, wire="response.output_item.added", role="item_added"):
    """The model has begun an item of a response."""

    response_id: str | None
    output_index: int | None
    item: ConversationItem | None
    # xAI
    previous_item_id: str | None


class ResponseOutputItemDone(RealtimeServerMessage, wire="response.output_item.done", role="item_done"):
    """An item of a response is over, complete or interrupted."""

    response_id: str | None
    output_index: int | None
    item: ConversationItem | None
    # xAI
    previous_item_id: str | None


class ResponseContentPartAdded(RealtimeServerMessage, wire="response.content_part.added", role="part_added"):
    """The model has begun a content part of an item."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    part: ContentPart | None
    # xAI
    previous_item_id: str | None


class ResponseContentPartDone(RealtimeServerMessage, wire="response.content_part.done", role="part_done"):
    """A content part is over, with its text or transcript; xAI leaves out the part."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    part: ContentPart | None
    # xAI
    previous_item_id: str | None


class ResponseTextDelta(RealtimeServerMessage, wire=("response.output_text.delta", "response.text.delta"), role="text_delta"):
    """More of the model's text."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    delta: str | None
    obfuscation: str | None


class ResponseTextDone(RealtimeServerMessage, wire=("response.output_text.done", "response.text.done"), role="text_end"):
    """The whole text of a content part."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    text: str | None


class ResponseAudioTranscriptDelta(
    RealtimeServerMessage,
    wire=("response.output_audio_transcript.delta", "response.audio_transcript.delta"),
    role="transcript_delta",
):
    """More of the transcript of what the model says; it runs ahead of the audio."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    delta: str | None
    obfuscation: str | None
    # xAI
    rid: str | None
    start_time: float | None
    previous_item_id: str | None
    # GLM
    client_timestamp: int | None
    # vLLM-Omni
    metadata: dict[str, Any] | None


class ResponseAudioTranscriptDone(
    RealtimeServerMessage, wire=("response.output_audio_transcript.done", "response.audio_transcript.done"), role="transcript_end"
):
    """The whole transcript of a content part."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    transcript: str | None
    # xAI
    previous_item_id: str | None


class ResponseAudioDelta(AudioMessage, wire=("response.output_audio.delta", "response.audio.delta")):
    """A piece of the model's speech: about 100 ms in the first delta of a response, 250 ms later on."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    pcm: Samples = payload("delta", "audio")
    # xAI
    rid: str | None
    latency: str | None
    audio_duration_ms: int | None
    ts: int | None
    previous_item_id: str | None
    # GLM
    client_timestamp: int | None
    # vLLM-Omni, which names the format in the message and may send the base64 as `audio`
    format: str | None
    sample_rate_hz: int | None
    metadata: dict[str, Any] | None


class ResponseAudioDone(AudioEnd, wire=("response.output_audio.done", "response.audio.done")):
    """The audio of a content part is over."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    # xAI
    previous_item_id: str | None
    # vLLM-Omni
    has_audio: bool | None


class ResponseFunctionCallArgumentsDelta(
    RealtimeServerMessage, wire="response.function_call_arguments.delta", role="tool_arguments_delta"
):
    """More of the arguments of a function call, as a piece of JSON text."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    call_id: str | None
    delta: str | None
    obfuscation: str | None
    # xAI
    previous_item_id: str | None


class ResponseFunctionCallArgumentsDone(RealtimeServerMessage, wire="response.function_call_arguments.done", role="tool_call"):
    """The whole arguments of a function call, as JSON text: the client may run it."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    call_id: str | None
    name: str | None
    arguments: str | None
    # xAI
    previous_item_id: str | None
    # GLM
    client_timestamp: int | None


class ResponseMcpCallArgumentsDelta(RealtimeServerMessage, wire="response.mcp_call_arguments.delta", role="tool_arguments_delta"):
    """More of the arguments of a call to an MCP tool, as a piece of JSON text."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    delta: str | None
    obfuscation: str | None


class ResponseMcpCallArgumentsDone(RealtimeServerMessage, wire="response.mcp_call_arguments.done", role="tool_call"):
    """The whole arguments of a call to an MCP tool, as JSON text."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    arguments: str | None


class ResponseMcpCallInProgress(RealtimeServerMessage, wire="response.mcp_call.in_progress", role="tool_started"):
    """The server is calling an MCP tool."""

    output_index: int | None
    item_id: str | None


class ResponseMcpCallCompleted(RealtimeServerMessage, wire="response.mcp_call.completed", role="tool_done"):
    """A call to an MCP tool has succeeded."""

    output_index: int | None
    item_id: str | None


class ResponseMcpCallFailed(RealtimeServerMessage, wire="response.mcp_call.failed", role="tool_failed"):
    """A call to an MCP tool has failed."""

    output_index: int | None
    item_id: str | None


class McpListToolsInProgress(RealtimeServerMessage, wire="mcp_list_tools.in_progress"):
    """The server is asking an MCP server for its tools."""

    item_id: str | None


class McpListToolsCompleted(RealtimeServerMessage, wire="mcp_list_tools.completed"):
    """The tools of an MCP server are known."""

    item_id: str | None


class McpListToolsFailed(RealtimeServerMessage, wire="mcp_list_tools.failed"):
    """An MCP server did not list its tools."""

    item_id: str | None


class RateLimitsUpdated(RealtimeServerMessage, wire="rate_limits.updated", role="rate_limits"):
    """What is left of the account's limits: at the beginning of a response, its tokens reserved."""

    rate_limits: list[RateLimit] | None


# The GA wire names spelled as classes.
ResponseOutputTextDelta = ResponseTextDelta
ResponseOutputTextDone = ResponseTextDone
ResponseOutputAudioTranscriptDelta = ResponseAudioTranscriptDelta
ResponseOutputAudioTranscriptDone = ResponseAudioTranscriptDone
ResponseOutputAudioDelta = ResponseAudioDelta
ResponseOutputAudioDone = ResponseAudioDone
