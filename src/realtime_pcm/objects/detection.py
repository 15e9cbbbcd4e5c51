"""Views of what a classifier made of the input: sounds that were heard, options and their scores."""

from __future__ import annotations

from ._view import View


class SoundDetection(View):
    """A sound heard in the input and its score (LocalAI)."""

    label: str | None
    score: float | None
    index: int | None


class ClassifierScore(View):
    """An option of the classifier and its probability (LocalAI)."""

    id: str | None
    score: float | None
