"""Views of what was recognised in audio: tokens, languages, phrases and segments of a transcript."""

from __future__ import annotations

from typing import Any

from ._view import View


class LogProb(View):
    """A token of a transcript and its log probability."""

    token: str | None
    logprob: float | None
    bytes: list[int] | None


class TranscriptionLanguage(View):
    """A language heard in the input."""

    code: str | None


class TranscriptionPhrase(View):
    """A phrase of a transcript with its time in the audio (Azure Voice Live)."""

    offset_milliseconds: int | None
    duration_milliseconds: int | None
    text: str | None
    words: list[dict[str, Any]] | None
    locale: str | None
    confidence: float | None


class TranscriptionSegment(View):
    """A piece of a transcript and the second at which it ends (vLLM)."""

    text: str | None
    end: float | None
