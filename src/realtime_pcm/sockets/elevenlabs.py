"""ElevenLabs: the Agents socket, and the text-to-speech socket `stream-input` (its catalogue is TTS), both directions.

The facts are from elevenlabs.io/docs (client events, client-to-server events), fern/apis/api/asyncapi.yml of elevenlabs-docs,
the elevenlabs package, and the tests of elevenlabs-swift-sdk. Agents: `type` is the type of a frame, and comes last in many.
The first message names the formats, "pcm_16000" or "ulaw_8000"; until then it is the first, which the AudioInterface of the
package takes. An interruption names the event up to which audio is to be dropped. A client's audio has no `type`, but the key
`user_audio_chunk`. Text to speech: frames have no type at all, and the URL names the format: by default "mp3_44100_128", which
is refused.
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
from ..roles import ReadName
from . import Catalogue

CATALOGUE: Catalogue[ServerMessage, ClientMessage] = Catalogue("elevenlabs", keys=True, audio_format=AudioFormat("pcm16", 16_000))
TTS: Catalogue[TtsServerMessage, TtsClientMessage] = Catalogue(
    "elevenlabs-tts", tag=None, audio_format=AudioFormat("mp3_44100_128", 44_100)
)

_FORMATS: dict[ReadName, str] = {"format": "agent_output_audio_format", "input_format": "user_input_audio_format"}


# ---- Agents: what the server sends


class ConversationInitiationMetadata(
    RealtimeServerMessage,
    catalogue=CATALOGUE,
    role="session_start",
    reads=_FORMATS,
):
    """The conversation begins: its id, and the formats of both sides."""

    type: Literal["conversation_initiation_metadata"] = "conversation_initiation_metadata"
    session: dict[str, Any] | None = field("conversation_initiation_metadata_event")
    conversation_id: str | None = field(("conversation_initiation_metadata_event", "conversation_id"))
    agent_output_audio_format: str | None = field(("conversation_initiation_metadata_event", "agent_output_audio_format"))
    user_input_audio_format: str | None = field(("conversation_initiation_metadata_event", "user_input_audio_format"))


class Audio(AudioMessage, catalogue=CATALOGUE):
    """A piece of the agent's speech. number: counts the events, for interruptions. alignment: when each character is spoken."""

    type: Literal["audio"] = "audio"
    number: int | None = field(("audio_event", "event_id"))
    alignment: dict[str, Any] | None = field(("audio_event", "alignment"))
    pcm: Samples = payload(("audio_event", "audio_base_64"))


class Interruption(RealtimeServerMessage, catalogue=CATALOGUE, role="interrupted"):
    """The user speaks: audio up to this event is to be dropped."""

    type: Literal["interruption"] = "interruption"
    number: int | None = field(("interruption_event", "event_id"))


class UserTranscript(RealtimeServerMessage, catalogue=CATALOGUE, role="user_transcript"):
    """The user's words."""

    type: Literal["user_transcript"] = "user_transcript"
    transcript: str | None = field(("user_transcription_event", "user_transcript"))


class AgentResponse(RealtimeServerMessage, catalogue=CATALOGUE, role="transcript_end"):
    """All of the agent's words."""

    type: Literal["agent_response"] = "agent_response"
    transcript: str | None = field(("agent_response_event", "agent_response"))


class AgentChatResponsePart(RealtimeServerMessage, catalogue=CATALOGUE):
    """A piece of the agent's text. part: "start", "delta" or "stop"."""

    type: Literal["agent_chat_response_part"] = "agent_chat_response_part"
    text: str | None = field(("text_response_part", "text"))
    part: str | None = field(("text_response_part", "type"))


class AgentResponseCorrection(RealtimeServerMessage, catalogue=CATALOGUE):
    """The agent's words up to the interruption."""

    type: Literal["agent_response_correction"] = "agent_response_correction"
    original: str | None = field(("agent_response_correction_event", "original_agent_response"))
    corrected: str | None = field(("agent_response_correction_event", "corrected_agent_response"))


class ClientToolCall(RealtimeServerMessage, catalogue=CATALOGUE, role="tool_call", reads={"arguments": "parameters"}):
    """The client is to run a tool, and to send a ClientToolResult."""

    type: Literal["client_tool_call"] = "client_tool_call"
    name: str | None = field(("client_tool_call", "tool_name"))
    call_id: str | None = field(("client_tool_call", "tool_call_id"))
    parameters: dict[str, Any] | None = field(("client_tool_call", "parameters"))


class VadScore(RealtimeServerMessage, catalogue=CATALOGUE):
    """How probable it is that the user speaks, from 0 to 1."""

    type: Literal["vad_score"] = "vad_score"
    score: float | None = field(("vad_score_event", "vad_score"))


class Ping(RealtimeServerMessage, catalogue=CATALOGUE):
    """The client is to send a Pong with this number."""

    type: Literal["ping"] = "ping"
    number: int | None = field(("ping_event", "event_id"))
    ping_ms: int | None = field(("ping_event", "ping_ms"))


class UnknownServerMessage(UnknownMessage, catalogue=CATALOGUE):
    """A frame of another type, or of none. All of it is in `extra`."""


ServerMessage: TypeAlias = (
    ConversationInitiationMetadata
    | Audio
    | Interruption
    | UserTranscript
    | AgentResponse
    | AgentChatResponsePart
    | AgentResponseCorrection
    | ClientToolCall
    | VadScore
    | Ping
    | UnknownServerMessage
)


# ---- Agents: what a client sends


class UserAudioChunk(ClientAudioMessage, catalogue=CATALOGUE, role="input_audio"):
    """A piece of the user's speech."""

    type: Literal["user_audio_chunk"] = "user_audio_chunk"
    pcm: Samples = payload("user_audio_chunk")


class ConversationInitiationClientData(RealtimeClientMessage, catalogue=CATALOGUE):
    """The first message: what this conversation has that differs from the agent's settings."""

    type: Literal["conversation_initiation_client_data"] = "conversation_initiation_client_data"
    conversation_config_override: dict[str, Any] | None = None
    custom_llm_extra_body: dict[str, Any] | None = None
    dynamic_variables: dict[str, Any] | None = None
    source_info: dict[str, Any] | None = None
    user_id: str | None = None


class Pong(RealtimeClientMessage, catalogue=CATALOGUE):
    """The answer to a Ping; `event_id` is its number."""

    type: Literal["pong"] = "pong"


class ClientToolResult(RealtimeClientMessage, catalogue=CATALOGUE, role="tool_output", reads={"call_id": "tool_call_id"}):
    """The result of a tool."""

    type: Literal["client_tool_result"] = "client_tool_result"
    tool_call_id: str | None = None
    result: Any = None
    is_error: bool | None = None


class ContextualUpdate(RealtimeClientMessage, catalogue=CATALOGUE):
    """Something for the agent to know, to which it does not respond."""

    type: Literal["contextual_update"] = "contextual_update"
    text: str | None = None


class UserMessage(RealtimeClientMessage, catalogue=CATALOGUE, role="user_transcript"):
    """The user's words, as text."""

    type: Literal["user_message"] = "user_message"
    text: str | None = None


class MultimodalMessage(RealtimeClientMessage, catalogue=CATALOGUE):
    """Text and files of the user. text: a UserMessage. files: of each its `file_id`; file: the first of them."""

    type: Literal["multimodal_message"] = "multimodal_message"
    text: dict[str, Any] | None = None
    file: dict[str, Any] | None = None
    files: list[Any] | None = None


class Feedback(RealtimeClientMessage, catalogue=CATALOGUE):
    """Whether the user likes what the agent did; `event_id` is the number of that event. score: "like" or "dislike" (guess)."""

    type: Literal["feedback"] = "feedback"
    score: str | None = None


class UserActivity(RealtimeClientMessage, catalogue=CATALOGUE):
    """The user is there: the agent does not speak for a while."""

    type: Literal["user_activity"] = "user_activity"


class UnknownClient(UnknownClientMessage, catalogue=CATALOGUE):
    """A frame of another type, or of none. All of it is in `extra`."""


ClientMessage: TypeAlias = (
    UserAudioChunk
    | ConversationInitiationClientData
    | Pong
    | ClientToolResult
    | ContextualUpdate
    | UserMessage
    | MultimodalMessage
    | Feedback
    | UserActivity
    | UnknownClient
)


# ---- Text to speech


class TtsAudio(AudioMessage, catalogue=TTS, reads={"item_id": "context_id"}, role={"is_final": "audio_end"}):
    """A piece of speech, and when each character of it is spoken. Its format is that of the URL: give `audio_format=`."""

    type: Literal["audio"] = "audio"
    pcm: Samples = payload("audio")
    is_final: bool | None = field("isFinal")
    normalized_alignment: dict[str, Any] | None = field("normalizedAlignment")
    alignment: dict[str, Any] | None = None
    context_id: str | None = field("contextId")


class TtsText(RealtimeClientMessage, catalogue=TTS):
    """A piece of text to be spoken."""

    type: Literal["text"] = "text"
    text: str | None = None
    voice_settings: dict[str, Any] | None = None
    generation_config: dict[str, Any] | None = None
    generator_config: dict[str, Any] | None = None
    pronunciation_dictionary_locators: list[Any] | None = None
    try_trigger_generation: bool | None = None
    flush: bool | None = None
    context_id: str | None = None
    close_context: bool | None = None
    close_socket: bool | None = None


TtsServerMessage: TypeAlias = TtsAudio
TtsClientMessage: TypeAlias = TtsText
