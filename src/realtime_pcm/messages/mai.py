"""Messages that Microsoft's MAI-Transcribe adds."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage


class ConversationItemInputAudioTranscriptionIntermediate(RealtimeServerMessage):
    """All that the user is saying, as far as it is known; it may change."""

    type: Literal["conversation.item.input_audio_transcription.intermediate"] = (
        "conversation.item.input_audio_transcription.intermediate"
    )
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    intermediate: str | None = None
    """All of the user's words so far."""
