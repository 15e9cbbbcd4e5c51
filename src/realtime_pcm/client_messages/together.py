"""Messages that clients of Together AI send."""

from __future__ import annotations

from typing import Any, Literal

from .._core import RealtimeClientMessage
from ..declare import Nested
from ..objects import SessionConfig


class TranscriptionSessionUpdated(RealtimeClientMessage, role="session_update"):
    """Changes the settings of the transcription. Together takes this name from clients."""

    type: Literal["transcription_session.updated"] = "transcription_session.updated"
    session: Nested[SessionConfig] = Nested()
    """The settings to change."""


class TtsSessionUpdated(RealtimeClientMessage, role="session_update"):
    """Changes the settings of the speech. Together takes this name from clients."""

    type: Literal["tts_session.updated"] = "tts_session.updated"
    session: Nested[SessionConfig] = Nested()
    """The settings to change."""


class Echo(RealtimeClientMessage):
    """Asks for an echo.response with the same id."""

    type: Literal["echo"] = "echo"
    echo_id: Any = None
    """An id of your choice."""
    payload: Any = None
    """Anything, to be sent back."""
