"""The view of a task that a voice model hands on."""

from __future__ import annotations

from ._view import View


class Delegation(View):
    """A task that the voice model has handed on (GPT-Live)."""

    id: str | None
    type: str | None
    target: str | None
    response_id: str | None
