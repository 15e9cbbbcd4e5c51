"""What clients of vLLM-Omni's duplex sessions send beside the names of OpenAI."""

from __future__ import annotations

from typing import Any

from .._core import ClientAudioEnd, RealtimeClientMessage


class InputTextAppend(RealtimeClientMessage, wire="input.text.append"):
    """Text of the user's, in the middle of a turn."""

    text: str | None


class InputCancel(ClientAudioEnd, wire="input.cancel", role="clear"):
    """What the user has said is to be forgotten."""


class BargeIn(RealtimeClientMessage, wire="barge_in"):
    """The user has cut in: the model is to stop."""


class TurnSignal(RealtimeClientMessage, wire="turn.signal"):
    """Whose turn it is has changed at the client, or what `event` names is to be done with `payload`."""

    event: str | None
    payload: dict[str, Any] | None


class PlaybackAck(RealtimeClientMessage, wire="playback.ack"):
    """So much of a response has been played."""

    played_ms: int | None
    committed_ms: int | None
    response_id: str | None
    item_id: str | None


class SessionHeartbeat(RealtimeClientMessage, wire="session.heartbeat"):
    """The client is still there."""


class SessionResume(RealtimeClientMessage, wire="session.resume"):
    """A client that was cut off wants its session back."""

    session_id: str | None
    resume_token: str | None
    last_received_server_event_seq: int | None


class SessionEventAck(RealtimeClientMessage, wire="session.event_ack"):
    """The client has received the server's messages up to this number."""

    server_event_seq: int | None
