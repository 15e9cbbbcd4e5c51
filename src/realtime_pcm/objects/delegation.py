"""The view of a task that a voice model hands on."""

from __future__ import annotations

from typing import Literal

from ._view import View


class Delegation(View):
    """A task that the voice model has handed on (GPT-Live)."""

    id: str | None = None
    """The task's id."""
    type: str | None = None
    """The kind of object: `delegation`."""
    target: Literal["client", "responses", "decisions"] | str | None = None
    """Who runs the task: `client`, `responses` or `decisions`."""
    response_id: str | None = None
    """The backend's response, if it runs the task."""
