"""Views of what a classifier made of the input: sounds that were heard, options and their scores."""

from __future__ import annotations

from ._view import View


class SoundDetection(View):
    """A sound heard in the input and its score (LocalAI)."""

    label: str | None = None
    """The name of the sound."""
    score: float | None = None
    """How sure the classifier is, from 0 to 1."""
    index: int | None = None
    """The sound's place in the classifier's list."""


class ClassifierScore(View):
    """An option of the classifier and its probability (LocalAI)."""

    id: str | None = None
    """The option's id."""
    score: float | None = None
    """Its probability, from 0 to 1."""
