"""Messages that clients of NVIDIA's speech servers send."""

from __future__ import annotations

from typing import Literal

from .._core import ClientAudioEnd, RealtimeClientMessage
from ..declare import Nested
from ..objects import SessionConfig


class SynthesizeSessionUpdate(RealtimeClientMessage, role="session_update"):
    """Changes the settings of the speech."""

    type: Literal["synthesize_session.update"] = "synthesize_session.update"
    session: Nested[SessionConfig] = Nested()
    """The settings to change."""


class InputTextCommit(RealtimeClientMessage):
    """Speak the appended text."""

    type: Literal["input_text.commit"] = "input_text.commit"


class InputAudioBufferDone(ClientAudioEnd):
    """There will be no more audio."""

    type: Literal["input_audio_buffer.done"] = "input_audio_buffer.done"
