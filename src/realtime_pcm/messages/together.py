"""Messages of Together AI: speech from text, and transcription with turns.

Speech is pcm16 at 24,000 samples per second, unless the URL asks for another format.
"""

from __future__ import annotations

from typing import Any, Literal

from .._core import AudioEnd, AudioMessage, RealtimeServerMessage
from ..declare import Nested, Samples, payload
from ..objects import RealtimeError


class ConversationItemInputTextReceived(RealtimeServerMessage):
    """The server has taken text that is to be spoken."""

    type: Literal["conversation.item.input_text.received"] = "conversation.item.input_text.received"
    text: str | None = None
    """The text."""


class ConversationItemAudioOutputDelta(AudioMessage):
    """A piece of the speech."""

    type: Literal["conversation.item.audio_output.delta"] = "conversation.item.audio_output.delta"
    item_id: str | None = None
    """The item that it belongs to."""
    pcm: Samples = payload("delta")
    """The samples."""


class ConversationItemAudioOutputDone(AudioEnd):
    """The speech of an item is complete."""

    type: Literal["conversation.item.audio_output.done"] = "conversation.item.audio_output.done"
    item_id: str | None = None
    """The item that it belongs to."""


class ConversationItemWordTimestamps(RealtimeServerMessage):
    """When words of the speech are spoken."""

    type: Literal["conversation.item.word_timestamps"] = "conversation.item.word_timestamps"
    item_id: str | None = None
    """The item that it belongs to."""
    words: list[str] | None = None
    """The words."""
    start_seconds: list[float] | None = None
    """When each of them begins, in seconds."""
    end_seconds: list[float] | None = None
    """When each of them ends, in seconds."""


class ConversationItemTtsFailed(RealtimeServerMessage, role="error"):
    """The text could not be spoken."""

    type: Literal["conversation.item.tts.failed"] = "conversation.item.tts.failed"
    error: Nested[RealtimeError] = Nested()
    """The error."""


class ContextCancelled(RealtimeServerMessage):
    """The words of a context that are not spoken yet are dropped."""

    type: Literal["context.cancelled"] = "context.cancelled"


class InputAudioBufferProcessed(RealtimeServerMessage):
    """The server needs no audio from before this time any more."""

    type: Literal["input_audio_buffer.processed"] = "input_audio_buffer.processed"
    processed_ms: float | None = None
    """A time in the audio that was appended, in milliseconds."""


class ConversationItemInputAudioTranscriptionStartOfTurn(RealtimeServerMessage, role="speech_started"):
    """The user begins to speak."""

    type: Literal["conversation.item.input_audio_transcription.start_of_turn"] = (
        "conversation.item.input_audio_transcription.start_of_turn"
    )
    item_id: str | None = None
    """The item that it belongs to."""
    transcript: str | None = None
    """The user's words in this turn."""
    end_of_turn_confidence: float | None = None
    """How certain it is that the user is done, from 0 to 1."""


class ConversationItemInputAudioTranscriptionEagerEndOfTurn(RealtimeServerMessage):
    """The user is probably done: an answer may be prepared."""

    type: Literal["conversation.item.input_audio_transcription.eager_end_of_turn"] = (
        "conversation.item.input_audio_transcription.eager_end_of_turn"
    )
    item_id: str | None = None
    """The item that it belongs to."""
    transcript: str | None = None
    """The user's words in this turn."""
    end_of_turn_confidence: float | None = None
    """How certain it is that the user is done, from 0 to 1."""


class ConversationItemInputAudioTranscriptionTurnResumed(RealtimeServerMessage):
    """The user goes on after all."""

    type: Literal["conversation.item.input_audio_transcription.turn_resumed"] = (
        "conversation.item.input_audio_transcription.turn_resumed"
    )
    item_id: str | None = None
    """The item that it belongs to."""
    transcript: str | None = None
    """The user's words in this turn."""
    end_of_turn_confidence: float | None = None
    """How certain it is that the user is done, from 0 to 1."""


class ConversationItemInputAudioTranscriptionEndOfTurn(RealtimeServerMessage, role="speech_stopped"):
    """The user is done."""

    type: Literal["conversation.item.input_audio_transcription.end_of_turn"] = (
        "conversation.item.input_audio_transcription.end_of_turn"
    )
    item_id: str | None = None
    """The item that it belongs to."""
    transcript: str | None = None
    """The user's words in this turn."""
    end_of_turn_confidence: float | None = None
    """How certain it is that the user is done, from 0 to 1."""


class EchoResponse(RealtimeServerMessage):
    """The answer to an echo: it measures the way there and back."""

    type: Literal["echo.response"] = "echo.response"
    echo_id: Any = None
    """The id of the echo."""
    client_sent_at: Any = None
    """When the client sent it, as the client said."""
    server_received_at: float | None = None
    """When the server received it."""
    server_sent_at: float | None = None
    """When the server answered."""
    payload: Any = None
    """The text that the client sent."""
