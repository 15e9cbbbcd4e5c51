"""What clients of the OpenAI Realtime API send, GA and beta, and of all that speak like it: xAI, Inworld, LocalAI, Speaches.

Fields that clients of another provider add to one of these wire types stand last in its class, under the provider's name.
"""

from __future__ import annotations

from .._core import ClientAudioEnd, ClientAudioMessage, RealtimeClientMessage, Samples, payload
from ..objects import ConversationItem, RealtimeResponse, SessionConfig

# The order of the fields is the order in which OpenAI's own client sends them: the walk predicts the next key from it.


class SessionUpdate(RealtimeClientMessage, wire="session.update", role="session_update"):
    """The client asks for a session as it wants it; what it leaves out stays. The server says what holds in session.updated."""

    session: SessionConfig | None
    # vLLM
    model: str | None
    # GLM
    client_timestamp: int | None


class TranscriptionSessionUpdate(RealtimeClientMessage, wire="transcription_session.update", role="session_update"):
    """The client asks for a transcription session as it wants it (beta)."""

    session: SessionConfig | None


class InputAudioBufferAppend(ClientAudioMessage, wire="input_audio_buffer.append", role="input_audio"):
    """A piece of the user's speech: usually 20 to 100 ms, 15 MiB at the most."""

    pcm: Samples = payload("audio")
    # GLM
    client_timestamp: int | None
    # vLLM-Omni, which names the format in the message
    format: str | None
    sample_rate_hz: int | None
    duration_ms: int | None
    audio_end_ms: int | None
    is_speech: bool | None
    video_frames: list[str] | None


class InputAudioBufferCommit(ClientAudioEnd, wire="input_audio_buffer.commit", role="commit"):
    """The user's turn is over: what was appended becomes an item. With turn detection the server does this by itself."""

    # GLM
    client_timestamp: int | None
    # vLLM and vLLM-Omni
    final: bool | None
    # vLLM-Omni
    response_create: bool | None
    is_speech: bool | None


class InputAudioBufferClear(ClientAudioEnd, wire="input_audio_buffer.clear", role="clear"):
    """What was appended is to be forgotten."""

    # GLM
    client_timestamp: int | None


class OutputAudioBufferClear(RealtimeClientMessage, wire="output_audio_buffer.clear", role="interrupted"):
    """The server is to stop playing (WebRTC and SIP); a response.cancel comes before it."""

    # vLLM-Omni
    response_id: str | None


class ConversationItemCreate(RealtimeClientMessage, wire="conversation.item.create", role="item_create"):
    """The client adds an item to the conversation: a message, the output of a function, an answer to an approval request."""

    previous_item_id: str | None
    item: ConversationItem | None
    # GLM
    client_timestamp: int | None


class ConversationItemRetrieve(RealtimeClientMessage, wire="conversation.item.retrieve"):
    """The client asks for an item as the server has it, with its audio."""

    item_id: str | None


class ConversationItemTruncate(RealtimeClientMessage, wire="conversation.item.truncate", role="truncate"):
    """Of an assistant item, only so many milliseconds were heard: the server is to forget the rest."""

    item_id: str | None
    content_index: int | None
    audio_end_ms: int | None


class ConversationItemDelete(RealtimeClientMessage, wire="conversation.item.delete", role="item_delete"):
    """An item is to leave the conversation."""

    item_id: str | None


class ResponseCreate(RealtimeClientMessage, wire="response.create", role="response_create"):
    """The model is to answer, with what `response` says in place of the session's settings."""

    response: RealtimeResponse | None
    # Azure Voice Live
    additional_instructions: str | None
    # GLM
    client_timestamp: int | None


class ResponseCancel(RealtimeClientMessage, wire="response.cancel", role="response_cancel"):
    """The model is to stop answering: the named response, or the one that is under way."""

    response_id: str | None
    # GLM
    client_timestamp: int | None
