"""Messages of clients of the OpenAI Realtime API, GA and beta, and of similar servers: xAI, Inworld, LocalAI, Speaches.

Fields that clients of another provider add to one of these wire types come last in its class, under the provider's name.
"""

from __future__ import annotations

from typing import Literal

from .._core import ClientAudioEnd, ClientAudioMessage, RealtimeClientMessage
from ..declare import Nested, Samples, payload
from ..objects import ConversationItem, RealtimeResponse, SessionConfig

# The order of the fields is the order in which OpenAI's own client sends them: the walk predicts the next key from it.


class SessionUpdate(RealtimeClientMessage, role="session_update"):
    """Changes the session. Settings that are left out stay. The server answers with session.updated."""

    type: Literal["session.update"] = "session.update"
    session: Nested[SessionConfig] = Nested()
    """The settings to change; the others stay."""
    # vLLM
    model: str | None = None
    """The model to use."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""


class TranscriptionSessionUpdate(RealtimeClientMessage, role="session_update"):
    """The client asks for a transcription session as it wants it (beta)."""

    type: Literal["transcription_session.update"] = "transcription_session.update"
    session: Nested[SessionConfig] = Nested()
    """The settings to change; the others stay."""


class InputAudioBufferAppend(ClientAudioMessage, role="input_audio"):
    """A piece of the user's speech: usually 20 to 100 ms, 15 MiB at the most."""

    type: Literal["input_audio_buffer.append"] = "input_audio_buffer.append"
    pcm: Samples = payload("audio")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""
    # vLLM-Omni, which names the format in the message
    format: str | None = None
    """The name of the audio format, if the message says it."""
    sample_rate_hz: int | None = None
    """The rate of the samples, in samples per second."""
    duration_ms: int | None = None
    """How long the audio is, in milliseconds."""
    audio_end_ms: int | None = None
    """End of the audio, in milliseconds of the session's audio."""
    is_speech: bool | None = None
    """Whether the client heard speech in the audio."""
    video_frames: list[str] | None = None
    """Frames of video that belong to the audio, as base64 text."""


class InputAudioBufferCommit(ClientAudioEnd, role="commit"):
    """Ends the user's turn: appended audio becomes an item. With turn detection, the server does this on its own."""

    type: Literal["input_audio_buffer.commit"] = "input_audio_buffer.commit"
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""
    # vLLM and vLLM-Omni
    final: bool | None = None
    """Whether no more audio follows."""
    # vLLM-Omni
    response_create: bool | None = None
    """Whether the model is to answer."""
    is_speech: bool | None = None
    """Whether the client heard speech in the audio."""


class InputAudioBufferClear(ClientAudioEnd, role="clear"):
    """Discards the appended audio."""

    type: Literal["input_audio_buffer.clear"] = "input_audio_buffer.clear"
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""


class OutputAudioBufferClear(RealtimeClientMessage, role="interrupted"):
    """The server is to stop playing (WebRTC and SIP); a response.cancel comes before it."""

    type: Literal["output_audio_buffer.clear"] = "output_audio_buffer.clear"
    # vLLM-Omni
    response_id: str | None = None
    """The response to stop playing."""


class ConversationItemCreate(RealtimeClientMessage, role="item_create"):
    """The client adds an item to the conversation: a message, the output of a function, an answer to an approval request."""

    type: Literal["conversation.item.create"] = "conversation.item.create"
    previous_item_id: str | None = None
    """The item to put it after; by default the last one, and `root` for the beginning."""
    item: Nested[ConversationItem] = Nested()
    """The item to add."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""


class ConversationItemRetrieve(RealtimeClientMessage):
    """The client asks for an item as the server has it, with its audio."""

    type: Literal["conversation.item.retrieve"] = "conversation.item.retrieve"
    item_id: str | None = None
    """The item to send."""


class ConversationItemTruncate(RealtimeClientMessage, role="truncate"):
    """Of an assistant item, only so many milliseconds were heard: the server is to forget the rest."""

    type: Literal["conversation.item.truncate"] = "conversation.item.truncate"
    item_id: str | None = None
    """The assistant's item to cut."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    audio_end_ms: int | None = None
    """How many milliseconds of the item's audio were heard."""


class ConversationItemDelete(RealtimeClientMessage, role="item_delete"):
    """An item is to leave the conversation."""

    type: Literal["conversation.item.delete"] = "conversation.item.delete"
    item_id: str | None = None
    """The item to delete."""


class ResponseCreate(RealtimeClientMessage, role="response_create"):
    """The model is to answer, with what `response` says in place of the session's settings."""

    type: Literal["response.create"] = "response.create"
    response: Nested[RealtimeResponse] = Nested()
    """Settings of this response that differ from the session's."""
    # Azure Voice Live
    additional_instructions: str | None = None
    """Instructions that are added to the session's."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""


class ResponseCancel(RealtimeClientMessage, role="response_cancel"):
    """The model is to stop answering: the named response, or the one that is under way."""

    type: Literal["response.cancel"] = "response.cancel"
    response_id: str | None = None
    """The response to stop; by default the one under way."""
    # GLM
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""
