"""Views of what was recognised in audio: tokens, languages, phrases and segments of a transcript."""

from __future__ import annotations

from typing import Any

from ._view import View


class LogProb(View):
    """A token of a transcript and its log probability."""

    token: str | None = None
    """The token."""
    logprob: float | None = None
    """The logarithm of its probability."""
    bytes: list[int] | None = None
    """The UTF-8 of the token."""


class TranscriptionLanguage(View):
    """A language heard in the input."""

    code: str | None = None
    """The language as a code, such as `en`."""


class TranscriptionPhrase(View):
    """A phrase of a transcript with its time in the audio (Azure Voice Live)."""

    offset_milliseconds: int | None = None
    """Begin of the phrase in the audio."""
    duration_milliseconds: int | None = None
    """How long the phrase is."""
    text: str | None = None
    """The words."""
    words: list[dict[str, Any]] | None = None
    """Each word with its time."""
    locale: str | None = None
    """The language and region that were heard, such as `en-US`."""
    confidence: float | None = None
    """How sure the transcript is, from 0 to 1."""


class TranscriptionSegment(View):
    """A piece of a transcript and the second at which it ends (vLLM)."""

    text: str | None = None
    """The words of the segment."""
    end: float | None = None
    """When the segment ends, in seconds."""
