"""What clients of OpenAI's translation sessions and of GPT-Live send."""

from __future__ import annotations

from .._core import ClientAudioEnd, ClientAudioMessage, RealtimeClientMessage, Samples, payload
from ..objects import ConversationItem, SessionConfig


class SessionInputAudioBufferAppend(ClientAudioMessage, wire="session.input_audio_buffer.append", role="input_audio"):
    """A piece of the speech that is to be translated."""

    pcm: Samples = payload("audio")


class SessionClose(ClientAudioEnd, wire="session.close"):
    """No more speech follows: the server finishes what it has, and closes."""

    # vLLM-Omni
    reason: str | None


class SessionStart(RealtimeClientMessage, wire="session.start", role="session_update"):
    """The client opens the session, with the format of the audio in both directions (GPT-Live)."""

    session: SessionConfig | None


class SessionInputAudioAppend(ClientAudioMessage, wire="session.input_audio.append", role="input_audio"):
    """A piece of the user's speech, which the server may copy to a sideband connection under the same name (GPT-Live)."""

    pcm: Samples = payload("audio")


class SessionInputAudioMute(RealtimeClientMessage, wire="session.input_audio.mute"):
    """The user's audio is no longer to be heard (GPT-Live)."""


class SessionInputAudioUnmute(RealtimeClientMessage, wire="session.input_audio.unmute"):
    """The user's audio is to be heard again (GPT-Live)."""


class SessionOutputAudioFixturePlay(ClientAudioMessage, wire="session.output_audio.fixture.play", reads={"session": None}):
    """A ready-made sound that the server is to play, whole, in place of speech (GPT-Live): pcm16 at 24,000 Hz in any session."""

    pcm: Samples = payload("audio")


class SessionInstructionsAppend(RealtimeClientMessage, wire="session.instructions.append"):
    """Instructions are to be laid into the session's timeline (GPT-Live)."""

    content: str | None
    delegation_id: str | None


class SessionThinkingAppend(RealtimeClientMessage, wire="session.thinking.append"):
    """Thoughts are to be laid into the session's timeline, unspoken (GPT-Live)."""

    content: str | None
    delegation_id: str | None


class SessionCommentaryAppend(RealtimeClientMessage, wire="session.commentary.append"):
    """Commentary is to be laid into the session's timeline (GPT-Live)."""

    content: str | None
    delegation_id: str | None


class DecisionCreate(RealtimeClientMessage, wire="decision.create"):
    """The session's questions are to be answered now (GPT-Live)."""


class DecisionItemCreate(RealtimeClientMessage, wire="decision.item.create"):
    """The client adds an item to what decisions are made from (GPT-Live)."""

    item: ConversationItem | None


class DecisionItemDelete(RealtimeClientMessage, wire="decision.item.delete"):
    """An item is to leave what decisions are made from (GPT-Live)."""

    item_id: str | None


class ResponseItemCreate(RealtimeClientMessage, wire="response.item.create"):
    """The client adds an item of the Responses API to the backend's conversation (GPT-Live)."""

    item: ConversationItem | None


class TransportDtmfSend(RealtimeClientMessage, wire="transport.dtmf.send"):
    """A telephone key is to be sent to the other end (GPT-Live)."""

    event: str | None
