"""Messages of OpenAI's translation sessions and of GPT-Live; what they share is one class."""

from __future__ import annotations

from typing import Any

from .._core import AudioMessage, RealtimeServerMessage, Samples, payload
from ..objects import ContextWindow, ConversationItem, Delegation, RealtimeError, SessionConfig, Usage


class SessionStarted(RealtimeServerMessage, wire="session.started", role="session_start"):
    """The session is open (GPT-Live): the first message of a connection."""

    session: SessionConfig | None
    client_event_id: str | None


class SessionPaused(RealtimeServerMessage, wire="session.paused"):
    """Nobody has spoken for a while, so the model pauses; speech resumes it (GPT-Live over WebRTC)."""

    client_event_id: str | None


class SessionResumed(RealtimeServerMessage, wire="session.resumed", role="session_update"):
    """Speech has resumed a paused model (GPT-Live), or a dropped client has its session again (vLLM-Omni)."""

    client_event_id: str | None
    # vLLM-Omni
    session_id: str | None
    session: SessionConfig | None
    attachment_generation: int | None
    resume_token: str | None


class SessionClosed(RealtimeServerMessage, wire="session.closed", role="usage"):
    """The session is over and no message follows; GPT-Live adds the reason, the session and its usage."""

    reason: str | None
    session: SessionConfig | None
    usage: Usage | None
    client_event_id: str | None
    # vLLM-Omni
    session_id: str | None
    event: dict[str, Any] | None


class SessionOutputAudioDelta(AudioMessage, wire="session.output_audio.delta"):
    """A piece of the spoken translation, or of GPT-Live's unbroken output (which has no event_id)."""

    pcm: Samples = payload("delta")
    sample_rate: int | None
    channels: int | None
    format: str | None
    elapsed_ms: int | None
    # GPT-Live
    start_ms: int | None
    end_ms: int | None


class SessionInputAudioAppend(AudioMessage, wire="session.input_audio.append", role="input_audio"):
    """A piece of the user's speech, copied to a sideband connection (GPT-Live); it has no event_id."""

    pcm: Samples = payload("audio")


class SessionInputTranscriptDelta(RealtimeServerMessage, wire="session.input_transcript.delta", role="user_transcript_delta"):
    """More of the transcript of what the user says."""

    delta: str | None
    elapsed_ms: int | None
    # GPT-Live
    start_ms: int | None
    end_ms: int | None
    client_event_id: str | None


class SessionOutputTranscriptDelta(RealtimeServerMessage, wire="session.output_transcript.delta", role="transcript_delta"):
    """More of the transcript of the translation, or of what GPT-Live says."""

    delta: str | None
    elapsed_ms: int | None
    # GPT-Live
    start_ms: int | None
    end_ms: int | None
    client_event_id: str | None


class SessionUsageUpdated(RealtimeServerMessage, wire="session.usage.updated", role="usage"):
    """The session's seconds so far, and how full the model's context is (GPT-Live)."""

    usage: Usage | None
    context_window: ContextWindow | None
    client_event_id: str | None


class SessionInputAudioMuted(RealtimeServerMessage, wire="session.input_audio.muted"):
    """The user's audio is no longer heard (GPT-Live)."""

    client_event_id: str | None


class SessionInputAudioUnmuted(RealtimeServerMessage, wire="session.input_audio.unmuted"):
    """The user's audio is heard again (GPT-Live)."""

    client_event_id: str | None


class SessionInstructionsAppended(RealtimeServerMessage, wire="session.instructions.appended"):
    """Instructions of the client have been laid into the session's timeline (GPT-Live)."""

    start_ms: int | None
    end_ms: int | None
    client_event_id: str | None


class SessionThinkingAppended(RealtimeServerMessage, wire="session.thinking.appended"):
    """Thoughts of the client have been laid into the session's timeline, unspoken (GPT-Live)."""

    start_ms: int | None
    end_ms: int | None
    client_event_id: str | None


class SessionCommentaryAppended(RealtimeServerMessage, wire="session.commentary.appended"):
    """Commentary of the client has been laid into the session's timeline (GPT-Live)."""

    start_ms: int | None
    end_ms: int | None
    client_event_id: str | None


class SessionOutputAudioFixturePlaying(RealtimeServerMessage, wire="session.output_audio.fixture.playing"):
    """A ready-made sound has begun to play in the output (GPT-Live)."""

    client_event_id: str | None


class SessionOutputAudioFixturePlayed(RealtimeServerMessage, wire="session.output_audio.fixture.played"):
    """A ready-made sound has played to its end (GPT-Live)."""

    client_event_id: str | None


class SessionDelegationCreated(RealtimeServerMessage, wire="session.delegation.created"):
    """The voice model has handed a task to the client or to a backend (GPT-Live)."""

    offset_ms: int | None
    delegation: Delegation | None
    client_event_id: str | None


class ResponseEvent(RealtimeServerMessage, wire="response.event"):
    """An event of the backend's response to a delegation, wrapped whole (GPT-Live)."""

    delegation_id: str | None
    event: dict[str, Any] | None
    client_event_id: str | None


class DecisionEvent(RealtimeServerMessage, wire="decision.event"):
    """The answers to the questions a trigger or a delegation asked (GPT-Live)."""

    event: dict[str, Any] | None
    delegation_id: str | None
    trigger_id: str | None
    source_event_id: str | None
    source_event_type: str | None


class DecisionItemCreated(RealtimeServerMessage, wire="decision.item.created"):
    """An item has joined what decisions are made from (GPT-Live)."""

    item: ConversationItem | None
    client_event_id: str | None


class DecisionItemDeleted(RealtimeServerMessage, wire="decision.item.deleted"):
    """An item has left what decisions are made from (GPT-Live)."""

    item_id: str | None
    client_event_id: str | None


class TransportRinging(RealtimeServerMessage, wire="transport.ringing"):
    """The called telephone rings (GPT-Live)."""

    session_id: str | None


class TransportAnswered(RealtimeServerMessage, wire="transport.answered"):
    """The call has been answered (GPT-Live)."""

    session_id: str | None


class TransportFailed(RealtimeServerMessage, wire="transport.failed"):
    """The call has failed (GPT-Live)."""

    session_id: str | None
    error: RealtimeError | None


class TransportDtmfReceived(RealtimeServerMessage, wire="transport.dtmf.received"):
    """The caller pressed a telephone key (GPT-Live)."""

    event: str | None


class TransportDtmfSend(RealtimeServerMessage, wire="transport.dtmf.send"):
    """A telephone key is to be sent to the other end (GPT-Live)."""

    event: str | None
    client_event_id: str | None


class TransportDtmfSent(RealtimeServerMessage, wire="transport.dtmf.sent"):
    """A telephone key has been sent to the other end (GPT-Live)."""

    event: str | None
    client_event_id: str | None


class Info(RealtimeServerMessage, wire="info"):
    """A note of the server that is no error (GPT-Live)."""

    code: str | None
    message: str | None
    client_event_id: str | None
