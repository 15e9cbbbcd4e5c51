"""Messages that xAI's Grok voice API adds; Inworld sends `ping` too."""

from __future__ import annotations

from .._core import RealtimeServerMessage


class Ping(RealtimeServerMessage, wire="ping"):
    """The connection is alive; nothing need be answered. `timestamp` is in milliseconds."""

    timestamp: int | None
    previous_item_id: str | None


class ConversationItemInputAudioTranscriptionUpdated(
    RealtimeServerMessage, wire="conversation.item.input_audio_transcription.updated", role="user_transcript_so_far"
):
    """The whole transcript of the user's speech so far, which may correct earlier ones."""

    item_id: str | None
    transcript: str | None
    content_index: int | None
    previous_item_id: str | None
