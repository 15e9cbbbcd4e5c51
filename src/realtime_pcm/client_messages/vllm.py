"""Messages that clients of vLLM-Omni's duplex sessions send in addition to the names of OpenAI."""

from __future__ import annotations

from typing import Any, Literal

from .._core import ClientAudioEnd, RealtimeClientMessage


class InputTextAppend(RealtimeClientMessage):
    """Text of the user's, in the middle of a turn. NVIDIA: text that is to be spoken, under the second name."""

    type: Literal["input.text.append", "input_text.append"] = "input.text.append"
    text: str | None = None
    """The text."""


class InputCancel(ClientAudioEnd, role="clear"):
    """Discards the user's words."""

    type: Literal["input.cancel"] = "input.cancel"


class BargeIn(RealtimeClientMessage):
    """The user has cut in: the model is to stop."""

    type: Literal["barge_in"] = "barge_in"


class TurnSignal(RealtimeClientMessage):
    """Whose turn it is has changed at the client, or what `event` names is to be done with `payload`."""

    type: Literal["turn.signal"] = "turn.signal"
    event: str | None = None
    """What has happened, or is to be done."""
    payload: dict[str, Any] | None = None
    """The data of the event."""


class PlaybackAck(RealtimeClientMessage):
    """So much of a response has been played."""

    type: Literal["playback.ack"] = "playback.ack"
    played_ms: int | None = None
    """How many milliseconds were played."""
    committed_ms: int | None = None
    """How many milliseconds can no longer be taken back."""
    response_id: str | None = None
    """The response that it belongs to."""
    item_id: str | None = None
    """The item that it belongs to."""


class SessionHeartbeat(RealtimeClientMessage):
    """The client is still there."""

    type: Literal["session.heartbeat"] = "session.heartbeat"


class SessionResume(RealtimeClientMessage):
    """A client that was cut off wants its session back."""

    type: Literal["session.resume"] = "session.resume"
    session_id: str | None = None
    """The session to resume."""
    resume_token: str | None = None
    """The secret with which a client resumes the session."""
    last_received_server_event_seq: int | None = None
    """The number of the last message that arrived."""


class SessionEventAck(RealtimeClientMessage):
    """The client has received the server's messages up to this number."""

    type: Literal["session.event_ack"] = "session.event_ack"
    server_event_seq: int | None = None
    """The number of the last message that arrived."""
