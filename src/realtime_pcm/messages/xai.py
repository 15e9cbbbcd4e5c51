"""Messages that xAI's Grok voice API adds, and those of its speech from text; Inworld sends `ping` too."""

from __future__ import annotations

from typing import Literal

from .._core import AudioEnd, AudioMessage, RealtimeServerMessage
from ..declare import Samples, payload


class Ping(RealtimeServerMessage):
    """The connection is alive; nothing need be answered. `timestamp` is in milliseconds."""

    type: Literal["ping"] = "ping"
    timestamp: int | None = None
    """When the server sent it, in milliseconds since 1970."""
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class ConversationItemInputAudioTranscriptionUpdated(RealtimeServerMessage, role="user_transcript_so_far"):
    """The whole transcript of the user's speech so far, which may correct earlier ones."""

    type: Literal["conversation.item.input_audio_transcription.updated"] = "conversation.item.input_audio_transcription.updated"
    item_id: str | None = None
    """The item that it belongs to."""
    transcript: str | None = None
    """All of the user's words so far."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    previous_item_id: str | None = None
    """The item before it in the conversation; None for the first."""


class AudioDelta(AudioMessage):
    """A piece of speech that was made of text. The URL names its format: give `audio_format=`."""

    type: Literal["audio.delta"] = "audio.delta"
    pcm: Samples = payload("delta")
    """The samples."""


class AudioDone(AudioEnd):
    """The speech of a text is complete."""

    type: Literal["audio.done"] = "audio.done"


class AudioClear(RealtimeServerMessage):
    """Words that are not spoken yet are dropped."""

    type: Literal["audio.clear"] = "audio.clear"
