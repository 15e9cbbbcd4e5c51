"""Messages of NVIDIA's speech servers (Riva, Speech NIM): speech from text.

Speech is pcm16 in the format that `session.output_audio_params` names, 22,050 samples per second by default. The session does not
follow it: give `audio_format=`.
"""

from __future__ import annotations

from typing import Any, Literal

from .._core import AudioEnd, AudioMessage, RealtimeServerMessage
from ..declare import Nested, Samples, payload
from ..objects import SessionConfig


class ConversationItemSpeechData(AudioMessage):
    """A piece of the speech."""

    type: Literal["conversation.item.speech.data"] = "conversation.item.speech.data"
    pcm: Samples = payload("audio")
    """The samples."""


class ConversationItemSpeechCompleted(AudioEnd):
    """A piece of text has been spoken."""

    type: Literal["conversation.item.speech.completed"] = "conversation.item.speech.completed"
    is_last_result: bool | None = None
    """Whether it was the last one."""
    synthesis_metadata: dict[str, Any] | None = None
    """How long it took, and how long it is."""


class SynthesizeSessionUpdated(RealtimeServerMessage, role="session_update"):
    """The session speaks with these settings."""

    type: Literal["synthesize_session.updated"] = "synthesize_session.updated"
    session: Nested[SessionConfig] = Nested()
    """The session, with its settings."""
