"""Views of a conversation, its items and their content, and of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core import part_pcm
from ._view import View, known_formats
from .session import Tool

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


# A class stands behind the classes that its fields name.


class Conversation(View):
    """The conversation a session opened."""

    id: str | None
    object: str | None


class RealtimeError(View):
    """What went wrong: kind, code, message, the parameter and the client event at fault."""

    type: str | None
    code: str | int | None
    message: str | None
    param: str | None
    event_id: str | None
    client_event_id: str | None


class ContentPart(View):
    """A part of an item's content: text, audio with its transcript, or an image."""

    type: str | None
    text: str | None
    audio: str | None
    transcript: str | None
    format: str | None
    id: str | None
    image_url: str | None
    detail: str | None
    refusal: str | None
    data: Any

    @property
    def pcm(self) -> npt.NDArray[np.int16] | None:
        """The samples of `audio`, decoded at each read: int16, 1-D, channels interleaved; None where there is no audio.

        A part of type `input_audio` is in the session's input format, any other part in its output format; both are pcm16 at
        24,000 Hz where no session is known. Raises DecodeError where the audio is not canonical base64, or its format is
        neither PCM nor G.711.
        """
        return part_pcm(self, known_formats(self._formats))


class Speaker(View):
    """Who spoke, as far as the voice is known (LocalAI)."""

    name: str | None
    id: str | None
    labels: dict[str, str] | None
    confidence: float | None
    distance: float | None
    matched: bool | None


class ConversationItem(View):
    """An item of the conversation: a message, a function call or its output, or a step of MCP."""

    id: str | None
    object: str | None
    type: str | None
    status: str | None
    role: str | None
    content: list[ContentPart] | None
    name: str | None
    call_id: str | None
    arguments: str | None
    output: str | None
    server_label: str | None
    tools: list[Tool] | None
    error: RealtimeError | None
    approval_request_id: str | None
    approve: bool | None
    reason: str | None
    # GPT-Live
    phase: str | None
    namespace: str | None
    input: str | None
    # Azure Voice Live
    queries: list[str] | None
    results: list[dict[str, Any]] | None
    # LocalAI
    speaker: Speaker | None
