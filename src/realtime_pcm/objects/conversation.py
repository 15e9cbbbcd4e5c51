"""Views of a conversation, its items and their content, and of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._core import part_pcm
from ..declare import Nested, NestedList
from ._view import View, known_formats
from .session import Tool

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


# A class stands behind the classes that its fields name.


class Conversation(View):
    """The conversation a session opened."""

    id: str | None = None
    """The conversation's id."""
    object: str | None = None
    """The kind of object: `realtime.conversation`."""


class RealtimeError(View):
    """The error: kind, code, message, the parameter and the client event at fault."""

    type: str | None = None
    """The kind of error, such as `invalid_request_error`."""
    code: str | int | None = None
    """The error's code, if it has one."""
    message: str | None = None
    """A description of the error, for people."""
    param: str | None = None
    """The parameter at fault, if one is."""
    event_id: str | None = None
    """The event_id of the client's message at fault, if one is."""
    client_event_id: str | None = None
    """The event_id of the client's message at fault, if one is."""


class ContentPart(View):
    """A part of an item's content: text, audio with its transcript, or an image."""

    type: (
        Literal["input_text", "input_audio", "input_image", "output_text", "output_audio", "text", "audio", "item_reference"]
        | str
        | None
    ) = None
    """The kind of content: `input_text`, `input_audio`, `input_image`, `output_text` or `output_audio`."""
    text: str | None = None
    """The text, of a part that is text."""
    audio: str | None = None
    """The audio as base64 text; `pcm` has its samples."""
    transcript: str | None = None
    """The words of the audio."""
    format: str | None = None
    """The format of the audio."""
    id: str | None = None
    """The id of an item that the part refers to."""
    image_url: str | None = None
    """The image: a `data:` URL with its bytes, or an address."""
    detail: Literal["auto", "low", "high"] | str | None = None
    """How closely the model looks at the image: `auto`, `low` or `high`."""
    refusal: str | None = None
    """Why the model does not answer."""
    data: Any = None
    """Content of another kind."""

    @property
    def pcm(self) -> npt.NDArray[np.int16] | None:
        """The samples of `audio`, decoded at each read: int16, 1-D, channels interleaved; None without audio.

        A part of type `input_audio` is in the session's input format, any other part in its output format; both are pcm16 at
        24,000 Hz where no session is known. Raises DecodeError where the audio is not canonical base64, or its format is
        neither PCM nor G.711.
        """
        return part_pcm(self, known_formats(self._formats))


class Speaker(View):
    """Who spoke, as far as the voice is known (LocalAI)."""

    name: str | None = None
    """The speaker's name."""
    id: str | None = None
    """The speaker's id."""
    labels: dict[str, str] | None = None
    """Other facts about the speaker."""
    confidence: float | None = None
    """How sure the match is, from 0 to 1."""
    distance: float | None = None
    """How far the voice is from the known one."""
    matched: bool | None = None
    """Whether the voice is known."""


class ConversationItem(View):
    """An item of the conversation: a message, a function call or its output, or a step of MCP."""

    id: str | None = None
    """The item's id; a client may choose it."""
    object: str | None = None
    """The kind of object: `realtime.item`."""
    type: (
        Literal[
            "message",
            "function_call",
            "function_call_output",
            "mcp_list_tools",
            "mcp_call",
            "mcp_approval_request",
            "mcp_approval_response",
        ]
        | str
        | None
    ) = None
    """The kind of item: `message`, `function_call`, `function_call_output`, or a step of MCP."""
    status: Literal["in_progress", "completed", "incomplete"] | str | None = None
    """How far it is: `in_progress`, `completed` or `incomplete`."""
    role: Literal["system", "user", "assistant"] | str | None = None
    """Who speaks, in a message: `system`, `user` or `assistant`."""
    content: NestedList[ContentPart] = NestedList()
    """The parts of a message."""
    name: str | None = None
    """The name of the tool, in a call."""
    call_id: str | None = None
    """The call; a `function_call_output` answers the call of the same id."""
    arguments: str | None = None
    """The arguments of a call, as JSON text."""
    output: str | None = None
    """The output of the tool: text, often JSON."""
    server_label: str | None = None
    """The label of the MCP server."""
    tools: NestedList[Tool] = NestedList()
    """The tools that an MCP server lists."""
    error: Nested[RealtimeError] = Nested()
    """Why a call to an MCP tool failed."""
    approval_request_id: str | None = None
    """The request for approval that the item answers."""
    approve: bool | None = None
    """Whether the call is approved."""
    reason: str | None = None
    """Why the call is approved or not."""
    # GPT-Live
    phase: Literal["commentary", "final_answer"] | str | None = None
    """The kind of the assistant's message: `commentary` or `final_answer`."""
    namespace: str | None = None
    """The group that the tool belongs to."""
    input: str | None = None
    """The input of a custom tool."""
    # Azure Voice Live
    queries: list[str] | None = None
    """The queries."""
    results: list[dict[str, Any]] | None = None
    """The results."""
    # LocalAI
    speaker: Nested[Speaker] = Nested()
    """Who spoke."""
    # Azure Foundry
    created_at: int | None = None
    """When the item was made, in seconds since 1970."""
    response_id: str | None = None
    """The response that it belongs to."""
    # xAI
    interruptible: bool | None = None
    """Whether a `force_message` may be interrupted."""
