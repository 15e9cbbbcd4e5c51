"""Gemini Live: what the server sends, and what a client sends.

The facts are from google-genai (LiveServerMessage and LiveClientMessage in google/genai/types.py) and from recorded calls of
pydantic-ai. The type of a frame is the key that is there; a frame with `serverContent` may carry `usageMetadata` too. Frames may
be binary WebSocket messages, and pretty-printed. There are no ids: a turn lasts until `turnComplete` or `interrupted`.

Audio is 16-bit PCM, at 24,000 Hz from the server and at 16,000 Hz from the client, unless a frame says another rate
(ai.google.dev/gemini-api/docs/live-guide).

Servers send keys in camelCase. Clients send either spelling (`realtimeInput`, `realtime_input`), and their audio often in the
URL-safe alphabet.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from .._core import (
    AudioMessage,
    ClientAudioMessage,
    RealtimeClientMessage,
    RealtimeServerMessage,
    UnknownClientMessage,
    UnknownMessage,
)
from ..audio import AudioFormat
from ..declare import Samples, field, payload
from . import Catalogue

CATALOGUE: Catalogue[ServerMessage, ClientMessage] = Catalogue(
    "gemini",
    tag=None,
    keys=True,
    url_safe=True,
    audio_format=AudioFormat("pcm16", 24_000),
    input_audio_format=AudioFormat("pcm16", 16_000),
)

_PART = ("serverContent", "modelTurn", "parts", ...)


# ---- What the server sends. Where a frame has two of these keys, the class that comes first here counts.


class ServerContent(
    AudioMessage,
    catalogue=CATALOGUE,
    role={
        "input_transcript": "user_transcript_delta",
        "output_transcript": "transcript_delta",
        "text": "text_delta",
        "usage_metadata": "usage",
        "interrupted": "interrupted",
        "generation_complete": "audio_end",
        "turn_complete": "response_end",
    },
):
    """A piece of the model's turn: audio, text, a transcript, an interruption or the end of the turn.

    pcm: the audio of all parts, one after the other; their `mimeType` has to be the same. format: that type; without a rate it is
    24,000 Hz. text, thought: of the first part that has a text; a thought is nothing that the model says.
    """

    type: Literal["serverContent"] = "serverContent"
    usage_metadata: dict[str, Any] | None = field("usageMetadata")
    text: str | None = field((*_PART, "text"))
    thought: bool | None = field((*_PART, "thought"))
    format: str | None = field((*_PART, "inlineData", "mimeType"))
    pcm: Samples = payload((*_PART, "inlineData", "data"))
    input_transcript: str | None = field(("serverContent", "inputTranscription", "text"))
    output_transcript: str | None = field(("serverContent", "outputTranscription", "text"))
    interrupted: bool | None = field(("serverContent", "interrupted"))
    generation_complete: bool | None = field(("serverContent", "generationComplete"))
    turn_complete: bool | None = field(("serverContent", "turnComplete"))
    waiting_for_input: bool | None = field(("serverContent", "waitingForInput"))
    grounding_metadata: dict[str, Any] | None = field(("serverContent", "groundingMetadata"))
    url_context_metadata: dict[str, Any] | None = field(("serverContent", "urlContextMetadata"))
    turn_complete_reason: str | None = field(("serverContent", "turnCompleteReason"))
    interim_input_transcript: str | None = field(("serverContent", "interimInputTranscription", "text"))
    interaction_status: str | None = field(("serverContent", "interactionStatus"))


class SetupComplete(RealtimeServerMessage, catalogue=CATALOGUE, role="session_start"):
    """The server has taken the setup: the conversation begins."""

    type: Literal["setupComplete"] = "setupComplete"
    session: dict[str, Any] | None = field("setupComplete")
    session_id: str | None = field(("setupComplete", "sessionId"))


class ToolCall(RealtimeServerMessage, catalogue=CATALOGUE, role={"function_calls": "tool_call", "usage_metadata": "usage"}):
    """The model calls functions: `function_calls` has dicts with `id`, `name` and `args`."""

    type: Literal["toolCall"] = "toolCall"
    usage_metadata: dict[str, Any] | None = field("usageMetadata")
    function_calls: list[Any] | None = field(("toolCall", "functionCalls"))


class ToolCallCancellation(RealtimeServerMessage, catalogue=CATALOGUE, role={"ids": "tool_failed"}):
    """Calls that are not to be answered any more."""

    type: Literal["toolCallCancellation"] = "toolCallCancellation"
    ids: list[Any] | None = field(("toolCallCancellation", "ids"))


class GoAway(RealtimeServerMessage, catalogue=CATALOGUE):
    """The server will close the connection. time_left: a duration such as "10s"."""

    type: Literal["goAway"] = "goAway"
    time_left: str | None = field(("goAway", "timeLeft"))


class SessionResumptionUpdate(RealtimeServerMessage, catalogue=CATALOGUE):
    """A handle with which a later connection goes on with this session."""

    type: Literal["sessionResumptionUpdate"] = "sessionResumptionUpdate"
    new_handle: str | None = field(("sessionResumptionUpdate", "newHandle"))
    resumable: bool | None = field(("sessionResumptionUpdate", "resumable"))
    last_consumed_client_message_index: int | None = field(("sessionResumptionUpdate", "lastConsumedClientMessageIndex"))


class VoiceActivity(RealtimeServerMessage, catalogue=CATALOGUE):
    """The server heard the user begin or stop to speak."""

    type: Literal["voiceActivity"] = "voiceActivity"
    voice_activity_type: str | None = field(("voiceActivity", "voiceActivityType"))
    audio_offset: str | None = field(("voiceActivity", "audioOffset"))


class VoiceActivityDetectionSignal(RealtimeServerMessage, catalogue=CATALOGUE):
    """The older form of VoiceActivity, for a setup with `explicitVadSignal`."""

    type: Literal["voiceActivityDetectionSignal"] = "voiceActivityDetectionSignal"
    vad_signal_type: str | None = field(("voiceActivityDetectionSignal", "vadSignalType"))


class UsageMetadata(RealtimeServerMessage, catalogue=CATALOGUE, role="usage"):
    """The usage of the turn, in a frame of its own."""

    type: Literal["usageMetadata"] = "usageMetadata"
    usage: dict[str, Any] | None = field("usageMetadata")


class UnknownServerMessage(UnknownMessage, catalogue=CATALOGUE):
    """A frame with none of the keys above. All of it is in `extra`."""


ServerMessage: TypeAlias = (
    ServerContent
    | SetupComplete
    | ToolCall
    | ToolCallCancellation
    | GoAway
    | SessionResumptionUpdate
    | VoiceActivity
    | VoiceActivityDetectionSignal
    | UsageMetadata
    | UnknownServerMessage
)


# ---- What a client sends


class RealtimeInput(
    ClientAudioMessage,
    catalogue=CATALOGUE,
    role={
        "pcm": "input_audio",
        "text": "user_transcript",
        "activity_start": "speech_started",
        "activity_end": "speech_stopped",
        "audio_stream_end": "audio_end",
    },
):
    """The user's speech, text, or a mark of activity.

    pcm: the audio of `audio`. format: its type, "audio/pcm;rate=16000". video: an image. media_chunks: what older clients send in
    place of `audio` and `video`; it is not decoded.
    """

    type: Literal["realtimeInput", "realtime_input"] = "realtimeInput"
    format: str | None = field(
        ("realtimeInput", "audio", "mimeType"), ("realtime_input", "audio", "mimeType"), ("realtime_input", "audio", "mime_type")
    )
    pcm: Samples = payload(("realtimeInput", "audio", "data"), ("realtime_input", "audio", "data"))
    text: str | None = field(("realtimeInput", "text"), ("realtime_input", "text"))
    activity_start: dict[str, Any] | None = field(("realtimeInput", "activityStart"), ("realtime_input", "activityStart"))
    activity_end: dict[str, Any] | None = field(("realtimeInput", "activityEnd"), ("realtime_input", "activityEnd"))
    audio_stream_end: bool | None = field(("realtimeInput", "audioStreamEnd"), ("realtime_input", "audioStreamEnd"))
    video: dict[str, Any] | None = field(("realtimeInput", "video"), ("realtime_input", "video"))
    media_chunks: list[Any] | None = field(("realtimeInput", "mediaChunks"), ("realtime_input", "mediaChunks"))


class Setup(RealtimeClientMessage, catalogue=CATALOGUE, role="session_update", reads={"session": "setup"}):
    """The first message of a connection: the model, what it is to say and how."""

    type: Literal["setup"] = "setup"
    setup: dict[str, Any] | None = field("setup")
    model: str | None = field(("setup", "model"))


class ClientContent(
    RealtimeClientMessage, catalogue=CATALOGUE, role={"turns": "item_create", "turn_complete": "response_create"}
):
    """Turns of the conversation, as text."""

    type: Literal["clientContent", "client_content"] = "clientContent"
    turns: list[Any] | None = field(("clientContent", "turns"), ("client_content", "turns"))
    turn_complete: bool | None = field(
        ("clientContent", "turnComplete"), ("client_content", "turnComplete"), ("client_content", "turn_complete")
    )


class ToolResponse(RealtimeClientMessage, catalogue=CATALOGUE, role={"function_responses": "tool_output"}):
    """The results of functions."""

    type: Literal["toolResponse", "tool_response"] = "toolResponse"
    function_responses: list[Any] | None = field(
        ("toolResponse", "functionResponses"), ("tool_response", "functionResponses"), ("tool_response", "function_responses")
    )


class ContextUpdate(RealtimeClientMessage, catalogue=CATALOGUE):
    """What the model is to be told anew: tools and instructions."""

    type: Literal["contextUpdate", "context_update"] = "contextUpdate"
    tools: dict[str, Any] | None = field(("contextUpdate", "tools"), ("context_update", "tools"))
    system_instruction: Any = field(("contextUpdate", "systemInstruction"), ("context_update", "systemInstruction"))


class UnknownClient(UnknownClientMessage, catalogue=CATALOGUE):
    """A frame with none of the keys above. All of it is in `extra`."""


ClientMessage: TypeAlias = RealtimeInput | Setup | ClientContent | ToolResponse | ContextUpdate | UnknownClient
