"""Messages that clients of Smallest AI's speech-to-speech send."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeClientMessage
from ..declare import Nested
from ..objects import SessionConfig


class SessionConfigure(RealtimeClientMessage, role="session_update"):
    """The first message: the settings of the session."""

    type: Literal["session.configure"] = "session.configure"
    session: Nested[SessionConfig] = Nested()
    """The settings."""
