"""Messages that voice agents of Azure Foundry add to those of OpenAI and of Voice Live."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage
from ..declare import Nested
from ..objects import RealtimeError


class SessionSubagentStarted(RealtimeServerMessage):
    """The agent has asked another agent, and goes on talking."""

    type: Literal["session.subagent.started"] = "session.subagent.started"
    consultation_id: str | None = None
    """The id of what the subagent was asked."""
    call_id: str | None = None
    """The id of the tool call with which the agent asked it."""
    subagent_name: str | None = None
    """Which subagent it is."""


class SessionSubagentCompleted(RealtimeServerMessage):
    """The other agent has answered."""

    type: Literal["session.subagent.completed"] = "session.subagent.completed"
    consultation_id: str | None = None
    """The id of what the subagent was asked."""
    call_id: str | None = None
    """The id of the tool call with which the agent asked it."""
    subagent_name: str | None = None
    """Which subagent it is."""


class SessionSubagentAborted(RealtimeServerMessage):
    """The other agent will not answer."""

    type: Literal["session.subagent.aborted"] = "session.subagent.aborted"
    consultation_id: str | None = None
    """The id of what the subagent was asked."""
    call_id: str | None = None
    """The id of the tool call with which the agent asked it."""
    subagent_name: str | None = None
    """Which subagent it is."""
    reason: str | None = None
    """Why: "unknown_target", "timeout", "cancelled", "stopped_by_user", "superseded" or "failed"."""


class RtcCallSdpCreated(RealtimeServerMessage):
    """The server answers the offer of a WebRTC call."""

    type: Literal["rtc.call.sdp.created"] = "rtc.call.sdp.created"
    rtc_call_id: str | None = None
    """The id of the call."""
    sdp_answer: str | None = None
    """The server's session description for WebRTC."""


class RtcCallError(RealtimeServerMessage):
    """A WebRTC call could not be made, or has failed."""

    type: Literal["rtc.call.error"] = "rtc.call.error"
    operation: str | None = None
    """The action that was tried."""
    rtc_call_id: str | None = None
    """The id of the call, if it has one."""
    error: Nested[RealtimeError] = Nested()
    """The error."""
