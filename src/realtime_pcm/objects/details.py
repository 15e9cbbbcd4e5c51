"""Views of what single messages carry: transcripts, delegations, and providers' additions."""

from __future__ import annotations

from typing import Any

from ._view import View

# A class stands behind the classes that its fields name.


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


class Delegation(View):
    """A task that the voice model has handed on (GPT-Live)."""

    id: str | None
    type: str | None
    target: str | None
    response_id: str | None


class SoundDetection(View):
    """A sound heard in the input and its score (LocalAI)."""

    label: str | None
    score: float | None
    index: int | None


class ClassifierScore(View):
    """An option of the classifier and its probability (LocalAI)."""

    id: str | None
    score: float | None
