"""Messages that Smallest AI's speech-to-speech adds to those of OpenAI. Its input is pcm16 at 16,000 samples per second."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage
from ..declare import Nested
from ..objects import SessionConfig


class SessionConfigured(RealtimeServerMessage, role="session_update"):
    """The session has these settings: the answer to session.configure."""

    type: Literal["session.configured"] = "session.configured"
    session: Nested[SessionConfig] = Nested()
    """The settings that the server has taken."""
