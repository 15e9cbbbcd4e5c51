"""Messages of the OpenAI Realtime API, GA and beta names of one message in one class.

If another provider adds fields to one of these messages, they come last in its class, after a comment with the name of the
provider.
"""

from __future__ import annotations

from typing import Any, Literal

from .._core import AudioEnd, AudioMessage, RealtimeServerMessage
from ..declare import Nested, NestedList, Samples, payload
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


class Error(RealtimeServerMessage, role="error"):
    """Something went wrong, at the client or the server; most sessions stay open. vLLM sends `error` as a string."""

    type: Literal["error"] = "error"
    error: Nested[RealtimeError] = Nested()
    """The error: kind, code, message and the parameter at fault."""
    # GPT-Live
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""
    # vLLM
    code: str | None = None
    """The kind of error, if `error` is a string."""


class SessionCreated(RealtimeServerMessage, role="session_start"):
    """The session is open, with the server's defaults: the first message of a connection."""

    type: Literal["session.created"] = "session.created"
    session: Nested[SessionConfig] = Nested()
    """The session, with all of its settings."""
    # vLLM
    id: str | None = None
    """The session's id."""
    created: int | None = None
    """When the session began, in seconds since 1970."""
    # vLLM-Omni: what a dropped client resumes with
    attachment_generation: int | None = None
    """How many connections this session has had."""
    resume_token: str | None = None
    """The secret with which a client resumes the session."""
    # Azure Foundry
    conversation_id: str | None = None
    """The conversation that the session belongs to."""
    # Smallest AI
    session_id: str | None = None
    """The session's id."""


class SessionUpdated(RealtimeServerMessage, role="session_update"):
    """The session after a session.update."""

    type: Literal["session.updated"] = "session.updated"
    session: Nested[SessionConfig] = Nested()
    """The session as it now is."""
    # GPT-Live
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class TranscriptionSessionCreated(RealtimeServerMessage, role="session_start"):
    """A transcription session is open (beta)."""

    type: Literal["transcription_session.created"] = "transcription_session.created"
    session: Nested[SessionConfig] = Nested()
    """The session, with all of its settings."""


class TranscriptionSessionUpdated(RealtimeServerMessage, role="session_update"):
    """The transcription session after an update (beta)."""

    type: Literal["transcription_session.updated"] = "transcription_session.updated"
    session: Nested[SessionConfig] = Nested()
    """The session, with all of its settings."""


class ConversationCreated(RealtimeServerMessage):
    """The session's conversation exists: right after session.created."""

    type: Literal["conversation.created"] = "conversation.created"
    conversation: Nested[Conversation] = Nested()
    """The conversation."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class ConversationItemCreated(RealtimeServerMessage, role="item_added"):
    """An item has joined the conversation (beta); GA sends conversation.item.added and .done instead."""

    type: Literal["conversation.item.created"] = "conversation.item.created"
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    item: Nested[ConversationItem] = Nested()
    """The item, as the server has it."""


class ConversationItemAdded(RealtimeServerMessage, role="item_added"):
    """An item has joined the conversation; one the model is still producing has no content yet."""

    type: Literal["conversation.item.added"] = "conversation.item.added"
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    item: Nested[ConversationItem] = Nested()
    """The item, as the server has it."""


class ConversationItemDone(RealtimeServerMessage, role="item_done"):
    """An item of the conversation is final, with all content but its audio."""

    type: Literal["conversation.item.done"] = "conversation.item.done"
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    item: Nested[ConversationItem] = Nested()
    """The item, as the server has it."""


class ConversationItemRetrieved(RealtimeServerMessage):
    """The item a conversation.item.retrieve asked for, with its audio."""

    type: Literal["conversation.item.retrieved"] = "conversation.item.retrieved"
    item: Nested[ConversationItem] = Nested()
    """The item, with its audio."""


class ConversationItemDeleted(RealtimeServerMessage, role="item_deleted"):
    """The client's conversation.item.delete has taken effect."""

    type: Literal["conversation.item.deleted"] = "conversation.item.deleted"
    item_id: str | None = None
    """The item that is gone."""
    # vLLM-Omni
    event: dict[str, Any] | None = None
    """The client's message that it answers."""


class ConversationItemTruncated(RealtimeServerMessage, role="truncated"):
    """The client's conversation.item.truncate has cut an assistant item's audio and dropped its transcript."""

    type: Literal["conversation.item.truncated"] = "conversation.item.truncated"
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    audio_end_ms: int | None = None
    """How many milliseconds of the item's audio are left."""
    # vLLM-Omni
    event: dict[str, Any] | None = None
    """The client's message that it answers."""
    # Azure Foundry
    item: Nested[ConversationItem] = Nested()
    """The item as it is now."""
    # xAI
    transcript: str | None = None
    """The remaining words."""


class ConversationItemInputAudioTranscriptionDelta(RealtimeServerMessage, role="user_transcript_delta"):
    """More of the transcript of what the user said."""

    type: Literal["conversation.item.input_audio_transcription.delta"] = "conversation.item.input_audio_transcription.delta"
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    delta: str | None = None
    """The next piece of the transcript."""
    logprobs: NestedList[LogProb] = NestedList()
    """The tokens of the transcript with their probabilities, if the session includes them."""
    obfuscation: str | None = None
    """Padding of random length, against traffic analysis. Ignore it."""
    # unmute
    start_time: float | None = None
    """When the words begin, in seconds."""
    # Together
    start: float | None = None
    """When the words begin in the speech that the server has heard, in seconds."""
    duration: float | None = None
    """How long they take, in seconds."""
    tokens: list[dict[str, Any]] | None = None
    """The tokens, each with `token_id`, `text` and `confidence`."""


class ConversationItemInputAudioTranscriptionCompleted(RealtimeServerMessage, role="user_transcript"):
    """The whole transcript of what the user said; it may come before or after the response to it."""

    type: Literal["conversation.item.input_audio_transcription.completed"] = (
        "conversation.item.input_audio_transcription.completed"
    )
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    transcript: str | None = None
    """All of the user's words."""
    usage: Nested[Usage] = Nested()
    """The usage: tokens or seconds."""
    logprobs: NestedList[LogProb] = NestedList()
    """The tokens of the transcript with their probabilities, if the session includes them."""
    languages: NestedList[TranscriptionLanguage] = NestedList()
    """The languages that were heard."""
    # Azure Voice Live
    phrases: NestedList[TranscriptionPhrase] = NestedList()
    """The phrases with their times."""
    # xAI
    status: str | None = None
    """How the transcription ended."""
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # DashScope
    language: str | None = None
    """The language that was heard, as a code such as `en`."""
    emotion: str | None = None
    """The mood that was heard."""
    # Together
    start: float | None = None
    """When the words begin in the speech that the server has heard, in seconds."""
    duration: float | None = None
    """How long they take, in seconds."""
    tokens: list[dict[str, Any]] | None = None
    """The tokens, each with `token_id`, `text` and `confidence`."""
    # NVIDIA
    is_last_result: bool | None = None
    """Whether it is the last one of the audio."""
    words_info: dict[str, Any] | None = None
    """The words with their times."""


class ConversationItemInputAudioTranscriptionSegment(RealtimeServerMessage):
    """A segment of the input transcript with its speaker and its seconds in the audio."""

    type: Literal["conversation.item.input_audio_transcription.segment"] = "conversation.item.input_audio_transcription.segment"
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    text: str | None = None
    """The words of the segment."""
    id: str | None = None
    """The segment's id."""
    speaker: str | None = None
    """A label of who spoke."""
    start: float | None = None
    """When the segment begins, in seconds."""
    end: float | None = None
    """When the segment ends, in seconds."""
    # LocalAI
    logprobs: NestedList[LogProb] = NestedList()
    """The tokens of the transcript with their probabilities, if the session includes them."""
    speaker_name: str | None = None
    """The name of who spoke, if the voice is known."""


class ConversationItemInputAudioTranscriptionFailed(RealtimeServerMessage, role="user_transcript_failed"):
    """The user's audio could not be transcribed; the response to it goes on."""

    type: Literal["conversation.item.input_audio_transcription.failed"] = "conversation.item.input_audio_transcription.failed"
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    error: Nested[RealtimeError] = Nested()
    """The error."""
    # Together
    event_type: str | None = None
    """The message that could not be made: "delta" or "completed"; None if the session fails."""
    start: float | None = None
    """When the audio begins that was lost, in seconds."""
    duration: float | None = None
    """How long it is, in seconds."""


class InputAudioBufferCommitted(RealtimeServerMessage, role="committed"):
    """The input buffer has become a user item, at the client's word or by turn detection."""

    type: Literal["input_audio_buffer.committed"] = "input_audio_buffer.committed"
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    item_id: str | None = None
    """The user's item that the audio became."""
    # vLLM-Omni
    event: dict[str, Any] | None = None
    """The client's message that it answers."""


class InputAudioBufferCleared(RealtimeServerMessage):
    """The input buffer has been emptied at the client's word."""

    type: Literal["input_audio_buffer.cleared"] = "input_audio_buffer.cleared"


class InputAudioBufferSpeechStarted(RealtimeServerMessage, role="speech_started"):
    """The user has begun to speak: the moment to stop playing."""

    type: Literal["input_audio_buffer.speech_started"] = "input_audio_buffer.speech_started"
    audio_start_ms: int | None = None
    """Begin of the speech, in milliseconds of the session's audio."""
    item_id: str | None = None
    """The item that the speech will become."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class InputAudioBufferSpeechStopped(RealtimeServerMessage, role="speech_stopped"):
    """The user has stopped speaking; a commit follows."""

    type: Literal["input_audio_buffer.speech_stopped"] = "input_audio_buffer.speech_stopped"
    audio_end_ms: int | None = None
    """End of the speech, in milliseconds of the session's audio."""
    item_id: str | None = None
    """The item that the speech will become."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class InputAudioBufferTimeoutTriggered(RealtimeServerMessage):
    """Nobody spoke for turn_detection.idle_timeout_ms; the silence is committed and answered."""

    type: Literal["input_audio_buffer.timeout_triggered"] = "input_audio_buffer.timeout_triggered"
    audio_start_ms: int | None = None
    """Begin of the silence, in milliseconds of the session's audio."""
    audio_end_ms: int | None = None
    """End of the silence, in milliseconds of the session's audio."""
    item_id: str | None = None
    """The item that the silence becomes."""


class InputAudioBufferDtmfEventReceived(RealtimeServerMessage):
    """A telephone key was pressed (SIP); it has no event_id."""

    type: Literal["input_audio_buffer.dtmf_event_received"] = "input_audio_buffer.dtmf_event_received"
    event: str | None = None
    """The key: 0 to 9, *, #, or A to D."""
    received_at: int | None = None
    """When the key was pressed, in seconds since 1970."""
    # xAI
    digit: str | None = None
    """The key."""


class OutputAudioBufferStarted(RealtimeServerMessage):
    """The server has begun to play a response to the caller (WebRTC and SIP)."""

    type: Literal["output_audio_buffer.started"] = "output_audio_buffer.started"
    response_id: str | None = None
    """The response that is played."""


class OutputAudioBufferStopped(RealtimeServerMessage):
    """The server has played a response to its end (WebRTC and SIP)."""

    type: Literal["output_audio_buffer.stopped"] = "output_audio_buffer.stopped"
    response_id: str | None = None
    """The response that was played."""


class OutputAudioBufferCleared(RealtimeServerMessage, role="interrupted"):
    """Audio that was not played yet has been dropped: the user interrupted, or the client asked."""

    type: Literal["output_audio_buffer.cleared"] = "output_audio_buffer.cleared"
    response_id: str | None = None
    """The response that was stopped."""


class ResponseCreated(RealtimeServerMessage, role="response_start"):
    """The model has begun a response, its status in_progress."""

    type: Literal["response.created"] = "response.created"
    response: Nested[RealtimeResponse] = Nested()
    """The response, still without output."""
    # vLLM-Omni
    response_id: str | None = None
    """The response that it belongs to."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class ResponseDone(AudioEnd, role="response_end"):
    """A response is over, whatever its status, with its items and its usage but no audio."""

    type: Literal["response.done"] = "response.done"
    response: Nested[RealtimeResponse] = Nested()
    """The response, with its status, its items and its usage."""
    # xAI and vLLM-Omni
    response_id: str | None = None
    """The response that it belongs to."""
    # xAI
    usage: Nested[Usage] = Nested()
    """The usage: tokens or seconds."""
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class ResponseOutputItemAdded(RealtimeServerMessage, role="item_added"):
    """The model has begun an item of a response."""

    type: Literal["response.output_item.added"] = "response.output_item.added"
    response_id: str | None = None
    """The response that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    item: Nested[ConversationItem] = Nested()
    """The item, as the server has it."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class ResponseOutputItemDone(RealtimeServerMessage, role="item_done"):
    """An item of a response is over, complete or interrupted."""

    type: Literal["response.output_item.done"] = "response.output_item.done"
    response_id: str | None = None
    """The response that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    item: Nested[ConversationItem] = Nested()
    """The item, as the server has it."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class ResponseContentPartAdded(RealtimeServerMessage, role="part_added"):
    """The model has begun a content part of an item."""

    type: Literal["response.content_part.added"] = "response.content_part.added"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    part: Nested[ContentPart] = Nested()
    """The content part."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # Azure OpenAI: what `part` says
    content: Nested[ContentPart] = Nested()
    """The content part again."""


class ResponseContentPartDone(RealtimeServerMessage, role="part_done"):
    """A content part is over, with its text or transcript; xAI leaves out the part."""

    type: Literal["response.content_part.done"] = "response.content_part.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    part: Nested[ContentPart] = Nested()
    """The content part."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # Azure OpenAI: what `part` says
    content: Nested[ContentPart] = Nested()
    """The content part again."""


class ResponseTextDelta(RealtimeServerMessage, role="text_delta"):
    """More of the model's text."""

    type: Literal["response.output_text.delta", "response.text.delta"] = "response.output_text.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    delta: str | None = None
    """The next piece of text."""
    obfuscation: str | None = None
    """Padding of random length, against traffic analysis. Ignore it."""


class ResponseTextDone(RealtimeServerMessage, role="text_end"):
    """The whole text of a content part."""

    type: Literal["response.output_text.done", "response.text.done"] = "response.output_text.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    text: str | None = None
    """The text, whole."""


class ResponseAudioTranscriptDelta(RealtimeServerMessage, role="transcript_delta"):
    """More of the transcript of what the model says; it runs ahead of the audio."""

    type: Literal["response.output_audio_transcript.delta", "response.audio_transcript.delta"] = (
        "response.output_audio_transcript.delta"
    )
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    delta: str | None = None
    """The next piece of the transcript."""
    obfuscation: str | None = None
    """Padding of random length, against traffic analysis. Ignore it."""
    # xAI
    rid: str | None = None
    """An id of the server's own."""
    start_time: float | None = None
    """When the words begin, in seconds."""
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""
    # vLLM-Omni
    metadata: dict[str, Any] | None = None
    """Values that the server adds."""


class ResponseAudioTranscriptDone(RealtimeServerMessage, role="transcript_end"):
    """The whole transcript of a content part."""

    type: Literal["response.output_audio_transcript.done", "response.audio_transcript.done"] = (
        "response.output_audio_transcript.done"
    )
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    transcript: str | None = None
    """All of the model's words in this part."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class ResponseAudioDelta(AudioMessage):
    """A piece of the model's speech: about 100 ms in the first delta of a response, 250 ms later on."""

    type: Literal["response.output_audio.delta", "response.audio.delta"] = "response.output_audio.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    pcm: Samples = payload("delta", "audio")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""
    # xAI
    rid: str | None = None
    """An id of the server's own."""
    latency: str | None = None
    """How many seconds the server took."""
    audio_duration_ms: int | None = None
    """How long the audio is, in milliseconds."""
    ts: int | None = None
    """When the server sent it, in milliseconds."""
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""
    # vLLM-Omni, which names the format in the message and may send the base64 as `audio`
    format: str | None = None
    """The name of the audio format, if the message says it."""
    sample_rate_hz: int | None = None
    """The rate of the samples, in samples per second."""
    metadata: dict[str, Any] | None = None
    """Values that the server adds."""


class ResponseAudioDone(AudioEnd):
    """The audio of a content part is over."""

    type: Literal["response.output_audio.done", "response.audio.done"] = "response.output_audio.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # vLLM-Omni
    has_audio: bool | None = None
    """Whether the part had any audio."""


class ResponseFunctionCallArgumentsDelta(RealtimeServerMessage, role="tool_arguments_delta"):
    """More of the arguments of a function call, as a piece of JSON text."""

    type: Literal["response.function_call_arguments.delta"] = "response.function_call_arguments.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    call_id: str | None = None
    """The call of the tool; its output carries the same id."""
    delta: str | None = None
    """The next piece of the arguments, which are JSON text."""
    obfuscation: str | None = None
    """Padding of random length, against traffic analysis. Ignore it."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # Smallest AI
    name: str | None = None
    """The name of the tool."""


class ResponseFunctionCallArgumentsDone(RealtimeServerMessage, role="tool_call"):
    """The whole arguments of a function call, as JSON text: the client may run it."""

    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    call_id: str | None = None
    """The call of the tool; its output carries the same id."""
    name: str | None = None
    """The name of the tool."""
    arguments: str | None = None
    """The arguments of the call, whole, as JSON text."""
    # xAI
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""


class ResponseMcpCallArgumentsDelta(RealtimeServerMessage, role="tool_arguments_delta"):
    """More of the arguments of a call to an MCP tool, as a piece of JSON text."""

    type: Literal["response.mcp_call_arguments.delta"] = "response.mcp_call_arguments.delta"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    delta: str | None = None
    """The next piece of the arguments, which are JSON text."""
    obfuscation: str | None = None
    """Padding of random length, against traffic analysis. Ignore it."""


class ResponseMcpCallArgumentsDone(RealtimeServerMessage, role="tool_call"):
    """The whole arguments of a call to an MCP tool, as JSON text."""

    type: Literal["response.mcp_call_arguments.done"] = "response.mcp_call_arguments.done"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    arguments: str | None = None
    """The arguments of the call, whole, as JSON text."""


class ResponseMcpCallInProgress(RealtimeServerMessage, role="tool_started"):
    """The server is calling an MCP tool."""

    type: Literal["response.mcp_call.in_progress"] = "response.mcp_call.in_progress"
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    item_id: str | None = None
    """The item that it belongs to."""


class ResponseMcpCallCompleted(RealtimeServerMessage, role="tool_done"):
    """A call to an MCP tool has succeeded."""

    type: Literal["response.mcp_call.completed"] = "response.mcp_call.completed"
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    item_id: str | None = None
    """The item that it belongs to."""


class ResponseMcpCallFailed(RealtimeServerMessage, role="tool_failed"):
    """A call to an MCP tool has failed."""

    type: Literal["response.mcp_call.failed"] = "response.mcp_call.failed"
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    item_id: str | None = None
    """The item that it belongs to."""


class McpListToolsInProgress(RealtimeServerMessage):
    """The server is asking an MCP server for its tools."""

    type: Literal["mcp_list_tools.in_progress"] = "mcp_list_tools.in_progress"
    item_id: str | None = None
    """The item that it belongs to."""


class McpListToolsCompleted(RealtimeServerMessage):
    """The tools of an MCP server are known."""

    type: Literal["mcp_list_tools.completed"] = "mcp_list_tools.completed"
    item_id: str | None = None
    """The item that it belongs to."""


class McpListToolsFailed(RealtimeServerMessage):
    """An MCP server did not list its tools."""

    type: Literal["mcp_list_tools.failed"] = "mcp_list_tools.failed"
    item_id: str | None = None
    """The item that it belongs to."""


class RateLimitsUpdated(RealtimeServerMessage, role="rate_limits"):
    """The account's remaining limits. Sent when a response begins, with its tokens reserved."""

    type: Literal["rate_limits.updated"] = "rate_limits.updated"
    rate_limits: NestedList[RateLimit] = NestedList()
    """The limits, one for requests and one for tokens."""


# The GA wire names spelled as classes.
ResponseOutputTextDelta = ResponseTextDelta
ResponseOutputTextDone = ResponseTextDone
ResponseOutputAudioTranscriptDelta = ResponseAudioTranscriptDelta
ResponseOutputAudioTranscriptDone = ResponseAudioTranscriptDone
ResponseOutputAudioDelta = ResponseAudioDelta
ResponseOutputAudioDone = ResponseAudioDone
