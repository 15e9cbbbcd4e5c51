"""Messages that clients of Azure Voice Live send in addition to the beta names of OpenAI."""

from __future__ import annotations

from typing import Literal

from .._core import ClientAudioEnd, ClientAudioMessage, RealtimeClientMessage
from ..declare import Samples, payload


class InputAudioClear(ClientAudioEnd, role="clear"):
    """All input audio that is under way is to be forgotten."""

    type: Literal["input_audio.clear"] = "input_audio.clear"


class InputAudioTurnStart(RealtimeClientMessage):
    """A turn of the user's begins, at the client's word."""

    type: Literal["input_audio.turn.start"] = "input_audio.turn.start"
    turn_id: str | None = None
    """The turn that it belongs to."""


class InputAudioTurnAppend(ClientAudioMessage, role="input_audio"):
    """A piece of the user's speech, in a turn that the client has begun."""

    type: Literal["input_audio.turn.append"] = "input_audio.turn.append"
    turn_id: str | None = None
    """The turn that it belongs to."""
    pcm: Samples = payload("audio")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""


class InputAudioTurnEnd(ClientAudioEnd, role="commit"):
    """The user's turn is over."""

    type: Literal["input_audio.turn.end"] = "input_audio.turn.end"
    turn_id: str | None = None
    """The turn that it belongs to."""


class InputAudioTurnCancel(ClientAudioEnd, role="clear"):
    """The user's turn is to be forgotten."""

    type: Literal["input_audio.turn.cancel"] = "input_audio.turn.cancel"
    turn_id: str | None = None
    """The turn that it belongs to."""


class InputTextDelta(RealtimeClientMessage):
    """More of the text of an item that the client writes bit by bit; `id` is the item's."""

    type: Literal["input_text.delta"] = "input_text.delta"
    id: str | None = None
    """The item that is written."""
    delta: str | None = None
    """The next piece of text."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""


class InputTextDone(RealtimeClientMessage):
    """The text of an item is complete; `id` is the item's."""

    type: Literal["input_text.done"] = "input_text.done"
    id: str | None = None
    """The item that is written."""
    content_index: int | None = None
    """The content part's place in the item, from 0."""


class SessionAvatarConnect(RealtimeClientMessage):
    """The client's side of the handshake for the avatar's video."""

    type: Literal["session.avatar.connect"] = "session.avatar.connect"
    client_sdp: str | None = None
    """The client's session description for WebRTC."""


class McpApprovalResponse(RealtimeClientMessage):
    """A name in Voice Live's list of client messages. No document has its fields, so they are all in `extra`."""

    type: Literal["mcp_approval_response"] = "mcp_approval_response"
