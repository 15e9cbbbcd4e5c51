"""What clients of Azure Voice Live send beside the beta names of OpenAI."""

from __future__ import annotations

from .._core import ClientAudioEnd, ClientAudioMessage, RealtimeClientMessage, Samples, payload


class InputAudioClear(ClientAudioEnd, wire="input_audio.clear", role="clear"):
    """All input audio that is under way is to be forgotten."""


class InputAudioTurnStart(RealtimeClientMessage, wire="input_audio.turn.start"):
    """A turn of the user's begins, at the client's word."""

    turn_id: str | None


class InputAudioTurnAppend(ClientAudioMessage, wire="input_audio.turn.append", role="input_audio"):
    """A piece of the user's speech, in a turn that the client has begun."""

    turn_id: str | None
    pcm: Samples = payload("audio")


class InputAudioTurnEnd(ClientAudioEnd, wire="input_audio.turn.end", role="commit"):
    """The user's turn is over."""

    turn_id: str | None


class InputAudioTurnCancel(ClientAudioEnd, wire="input_audio.turn.cancel", role="clear"):
    """The user's turn is to be forgotten."""

    turn_id: str | None


class InputTextDelta(RealtimeClientMessage, wire="input_text.delta"):
    """More of the text of an item that the client writes bit by bit; `id` is the item's."""

    id: str | None
    delta: str | None
    content_index: int | None


class InputTextDone(RealtimeClientMessage, wire="input_text.done"):
    """The text of an item is complete; `id` is the item's."""

    id: str | None
    content_index: int | None


class SessionAvatarConnect(RealtimeClientMessage, wire="session.avatar.connect"):
    """The client's side of the handshake for the avatar's video."""

    client_sdp: str | None


class McpApprovalResponse(RealtimeClientMessage, wire="mcp_approval_response"):
    """A name in Voice Live's list of client messages; no document has its fields, so all of them are in `extra`."""
