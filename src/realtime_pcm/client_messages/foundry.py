"""Messages that clients of voice agents of Azure Foundry send."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeClientMessage
from ..declare import Nested
from ..objects import SessionConfig


class RtcCallSdpCreate(RealtimeClientMessage):
    """Offers a WebRTC call."""

    type: Literal["rtc.call.sdp.create"] = "rtc.call.sdp.create"
    sdp_offer: str | None = None
    """The client's session description for WebRTC."""
    session: Nested[SessionConfig] = Nested()
    """The session that the call is to have."""
