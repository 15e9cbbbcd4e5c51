"""Messages that Alibaba DashScope (Qwen Omni, live translation, Qwen ASR) adds.

Its `.text` messages repeat what is settled in `text` and put what may still change in `stash`.
"""

from __future__ import annotations

from .._core import RealtimeServerMessage


class SessionFinished(RealtimeServerMessage, wire="session.finished"):
    """All work is done after the client's session.finish; the connection may be closed."""


class ConversationItemInputAudioTranscriptionText(
    RealtimeServerMessage, wire="conversation.item.input_audio_transcription.text", role="user_transcript_so_far"
):
    """The transcript of the user's speech so far, with the language and the mood heard in it."""

    item_id: str | None
    content_index: int | None
    text: str | None
    stash: str | None
    language: str | None
    emotion: str | None


class ResponseTextText(RealtimeServerMessage, wire="response.text.text", role="text_so_far"):
    """The translation so far, in a session that writes only."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    text: str | None
    stash: str | None


class ResponseAudioTranscriptText(RealtimeServerMessage, wire="response.audio_transcript.text", role="transcript_so_far"):
    """The transcript of the spoken translation so far."""

    response_id: str | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    text: str | None
    stash: str | None
