"""Messages of clients of OpenAI's translation sessions and of GPT-Live."""

from __future__ import annotations

from typing import Literal

from .._core import ClientAudioEnd, ClientAudioMessage, RealtimeClientMessage
from ..declare import Nested, Samples, payload
from ..objects import ConversationItem, SessionConfig


class SessionInputAudioBufferAppend(ClientAudioMessage, role="input_audio"):
    """A piece of the speech that is to be translated."""

    type: Literal["session.input_audio_buffer.append"] = "session.input_audio_buffer.append"
    pcm: Samples = payload("audio")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""


class SessionClose(ClientAudioEnd):
    """No more speech follows: the server finishes what it has, and closes."""

    type: Literal["session.close"] = "session.close"
    # vLLM-Omni
    reason: str | None = None
    """Why the client ends the session."""


class SessionStart(RealtimeClientMessage, role="session_update"):
    """The client opens the session, with the format of the audio in both directions (GPT-Live)."""

    type: Literal["session.start"] = "session.start"
    session: Nested[SessionConfig] = Nested()
    """The settings of the session."""


class SessionInputAudioAppend(ClientAudioMessage, role="input_audio"):
    """A piece of the user's speech, which the server may copy to a sideband connection under the same name (GPT-Live)."""

    type: Literal["session.input_audio.append"] = "session.input_audio.append"
    pcm: Samples = payload("audio")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""


class SessionInputAudioMute(RealtimeClientMessage):
    """The server shall no longer listen to the user's audio (GPT-Live)."""

    type: Literal["session.input_audio.mute"] = "session.input_audio.mute"


class SessionInputAudioUnmute(RealtimeClientMessage):
    """The user's audio is to be heard again (GPT-Live)."""

    type: Literal["session.input_audio.unmute"] = "session.input_audio.unmute"


class SessionOutputAudioFixturePlay(ClientAudioMessage, reads={"session": None}):
    """A ready-made sound that the server is to play, whole, in place of speech (GPT-Live): pcm16 at 24,000 Hz in any session."""

    type: Literal["session.output_audio.fixture.play"] = "session.output_audio.fixture.play"
    pcm: Samples = payload("audio")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""


class SessionInstructionsAppend(RealtimeClientMessage):
    """Instructions are to be laid into the session's timeline (GPT-Live)."""

    type: Literal["session.instructions.append"] = "session.instructions.append"
    content: str | None = None
    """The instructions."""
    delegation_id: str | None = None
    """The delegated task that it belongs to."""


class SessionThinkingAppend(RealtimeClientMessage):
    """Thoughts are to be laid into the session's timeline, unspoken (GPT-Live)."""

    type: Literal["session.thinking.append"] = "session.thinking.append"
    content: str | None = None
    """The thoughts."""
    delegation_id: str | None = None
    """The delegated task that it belongs to."""


class SessionCommentaryAppend(RealtimeClientMessage):
    """Commentary is to be laid into the session's timeline (GPT-Live)."""

    type: Literal["session.commentary.append"] = "session.commentary.append"
    content: str | None = None
    """The commentary."""
    delegation_id: str | None = None
    """The delegated task that it belongs to."""


class DecisionCreate(RealtimeClientMessage):
    """The session's questions are to be answered now (GPT-Live)."""

    type: Literal["decision.create"] = "decision.create"


class DecisionItemCreate(RealtimeClientMessage):
    """The client adds an item to what decisions are made from (GPT-Live)."""

    type: Literal["decision.item.create"] = "decision.item.create"
    item: Nested[ConversationItem] = Nested()
    """The item to add."""


class DecisionItemDelete(RealtimeClientMessage):
    """An item is to leave what decisions are made from (GPT-Live)."""

    type: Literal["decision.item.delete"] = "decision.item.delete"
    item_id: str | None = None
    """The item to delete."""


class ResponseItemCreate(RealtimeClientMessage):
    """The client adds an item of the Responses API to the backend's conversation (GPT-Live)."""

    type: Literal["response.item.create"] = "response.item.create"
    item: Nested[ConversationItem] = Nested()
    """The item to add."""


class TransportDtmfSend(RealtimeClientMessage):
    """A telephone key is to be sent to the other end (GPT-Live)."""

    type: Literal["transport.dtmf.send"] = "transport.dtmf.send"
    event: str | None = None
    """The key: 0 to 9, *, #, or A to D."""
