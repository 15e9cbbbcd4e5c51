"""Messages of Inworld's back channel: a short "uh-huh" while the user speaks.

The ids of a back channel are no items of the conversation: it cannot be truncated. Its audio is pcm16; that it has the rate of
the session's output is a guess.
"""

from __future__ import annotations

from typing import Literal

from .._core import AudioEnd, AudioMessage, RealtimeServerMessage
from ..declare import Samples, payload


class ResponseBackchannelAudioDelta(AudioMessage, reads={"response_id": "backchannel_id"}):
    """A piece of a back channel."""

    type: Literal["response.backchannel.audio.delta"] = "response.backchannel.audio.delta"
    backchannel_id: str | None = None
    """The id of this back channel."""
    pcm: Samples = payload("delta")
    """The samples."""


class ResponseBackchannelAudioDone(AudioEnd, reads={"response_id": "backchannel_id"}):
    """The audio of a back channel is complete."""

    type: Literal["response.backchannel.audio.done"] = "response.backchannel.audio.done"
    backchannel_id: str | None = None
    """The id of this back channel."""
    phrase: str | None = None
    """The words."""


class ResponseBackchannelSkipped(RealtimeServerMessage):
    """The server would have said something, and did not."""

    type: Literal["response.backchannel.skipped"] = "response.backchannel.skipped"
    backchannel_id: str | None = None
    """The id of this back channel, if it has one."""
    reason: str | None = None
    """Why: "deadline_missed", for example."""
