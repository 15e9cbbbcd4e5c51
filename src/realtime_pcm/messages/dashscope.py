"""Messages that Alibaba DashScope (Qwen Omni, live translation, Qwen ASR) adds.

Its `.text` messages repeat what is settled in `text` and put what may still change in `stash`.
"""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage


class SessionFinished(RealtimeServerMessage):
    """All work is done after the client's session.finish; the connection may be closed."""

    type: Literal["session.finished"] = "session.finished"


class ConversationItemInputAudioTranscriptionText(RealtimeServerMessage, role="user_transcript_so_far"):
    """The transcript of the user's speech so far, with the language and the mood heard in it."""

    type: Literal["conversation.item.input_audio_transcription.text"] = "conversation.item.input_audio_transcription.text"
    item_id: str | None = None
    """The item that it belongs to."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    text: str | None = None
    """The user's words so far that will no longer change."""
    stash: str | None = None
    """The end of the text, which may still change."""
    language: str | None = None
    """The language that was heard, as a code such as `en`."""
    emotion: str | None = None
    """The mood that was heard."""


class ResponseTextText(RealtimeServerMessage, role="text_so_far"):
    """The translation so far, in a session that writes only."""

    type: Literal["response.text.text"] = "response.text.text"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    text: str | None = None
    """The text so far that no longer changes."""
    stash: str | None = None
    """The end of the text, which may still change."""


class ResponseAudioTranscriptText(RealtimeServerMessage, role="transcript_so_far"):
    """The transcript of the spoken translation so far."""

    type: Literal["response.audio_transcript.text"] = "response.audio_transcript.text"
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""
    output_index: int | None = None
    """The item's place in the output of the response, from 0."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""
    text: str | None = None
    """The transcript so far that no longer changes."""
    stash: str | None = None
    """The end of the text, which may still change."""
