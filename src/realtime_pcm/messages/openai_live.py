"""Messages of OpenAI's translation sessions and of GPT-Live; what they share is one class."""

from __future__ import annotations

from typing import Any, Literal

from .._core import AudioMessage, PayloadText, RealtimeServerMessage
from ..declare import Nested, Samples, payload
from ..objects import ContextWindow, ConversationItem, Delegation, RealtimeError, SessionConfig, Usage


class SessionStarted(RealtimeServerMessage, role="session_start"):
    """The session is open (GPT-Live): the first message of a connection."""

    type: Literal["session.started"] = "session.started"
    session: Nested[SessionConfig] = Nested()
    """The session, with all of its settings."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionPaused(RealtimeServerMessage):
    """Nobody has spoken for a while, so the model pauses; speech resumes it (GPT-Live over WebRTC)."""

    type: Literal["session.paused"] = "session.paused"
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionResumed(RealtimeServerMessage, role="session_update"):
    """Speech has resumed a paused model (GPT-Live), or a dropped client has its session again (vLLM-Omni)."""

    type: Literal["session.resumed"] = "session.resumed"
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""
    # vLLM-Omni
    session_id: str | None = None
    """The session that it belongs to."""
    session: Nested[SessionConfig] = Nested()
    """The session, with all of its settings."""
    attachment_generation: int | None = None
    """How many connections this session has had."""
    resume_token: str | None = None
    """The secret with which a client resumes the session."""


class SessionClosed(RealtimeServerMessage, role="usage"):
    """The session is over and no message follows; GPT-Live adds the reason, the session and its usage."""

    type: Literal["session.closed"] = "session.closed"
    reason: str | None = None
    """Why the session ended."""
    session: Nested[SessionConfig] = Nested()
    """The session, with all of its settings."""
    usage: Nested[Usage] = Nested()
    """The usage of the whole session."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""
    # vLLM-Omni
    session_id: str | None = None
    """The session that it belongs to."""
    event: dict[str, Any] | None = None
    """The client's message that it answers."""


class SessionOutputAudioDelta(AudioMessage):
    """A piece of the spoken translation, or of GPT-Live's unbroken output (which has no event_id)."""

    type: Literal["session.output_audio.delta"] = "session.output_audio.delta"
    pcm: Samples = payload("delta")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""
    sample_rate: int | None = None
    """The rate of the samples, in samples per second."""
    channels: int | None = None
    """How many channels the samples have."""
    format: str | None = None
    """The name of the audio format."""
    elapsed_ms: int | None = None
    """Position of the piece in the session, in milliseconds."""
    # GPT-Live
    start_ms: int | None = None
    """Its begin in the session's timeline, in milliseconds."""
    end_ms: int | None = None
    """Its end in the session's timeline, in milliseconds."""


class SessionInputAudioAppend(AudioMessage, role="input_audio"):
    """A piece of the user's speech, copied to a sideband connection (GPT-Live); it has no event_id."""

    type: Literal["session.input_audio.append"] = "session.input_audio.append"
    pcm: Samples = payload("audio")
    """The samples: a 1-D array of the dtype of the decoder, by default int16; channels are interleaved."""
    audio = PayloadText("audio")


class SessionInputTranscriptDelta(RealtimeServerMessage, role="user_transcript_delta"):
    """More of the transcript of what the user says."""

    type: Literal["session.input_transcript.delta"] = "session.input_transcript.delta"
    delta: str | None = None
    """The next piece of the transcript."""
    elapsed_ms: int | None = None
    """Position of the piece in the session, in milliseconds."""
    # GPT-Live
    start_ms: int | None = None
    """Its begin in the session's timeline, in milliseconds."""
    end_ms: int | None = None
    """Its end in the session's timeline, in milliseconds."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionOutputTranscriptDelta(RealtimeServerMessage, role="transcript_delta"):
    """More of the transcript of the translation, or of what GPT-Live says."""

    type: Literal["session.output_transcript.delta"] = "session.output_transcript.delta"
    delta: str | None = None
    """The next piece of the transcript."""
    elapsed_ms: int | None = None
    """Position of the piece in the session, in milliseconds."""
    # GPT-Live
    start_ms: int | None = None
    """Its begin in the session's timeline, in milliseconds."""
    end_ms: int | None = None
    """Its end in the session's timeline, in milliseconds."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionUsageUpdated(RealtimeServerMessage, role="usage"):
    """The session's seconds so far, and how full the model's context is (GPT-Live)."""

    type: Literal["session.usage.updated"] = "session.usage.updated"
    usage: Nested[Usage] = Nested()
    """The usage of the session so far."""
    context_window: Nested[ContextWindow] = Nested()
    """How full the model's context is."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionInputAudioMuted(RealtimeServerMessage):
    """The server no longer listens to the user's audio (GPT-Live)."""

    type: Literal["session.input_audio.muted"] = "session.input_audio.muted"
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionInputAudioUnmuted(RealtimeServerMessage):
    """The user's audio is heard again (GPT-Live)."""

    type: Literal["session.input_audio.unmuted"] = "session.input_audio.unmuted"
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionInstructionsAppended(RealtimeServerMessage):
    """Instructions of the client have been laid into the session's timeline (GPT-Live)."""

    type: Literal["session.instructions.appended"] = "session.instructions.appended"
    start_ms: int | None = None
    """Its begin in the session's timeline, in milliseconds."""
    end_ms: int | None = None
    """Its end in the session's timeline, in milliseconds."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionThinkingAppended(RealtimeServerMessage):
    """Thoughts of the client have been laid into the session's timeline, unspoken (GPT-Live)."""

    type: Literal["session.thinking.appended"] = "session.thinking.appended"
    start_ms: int | None = None
    """Its begin in the session's timeline, in milliseconds."""
    end_ms: int | None = None
    """Its end in the session's timeline, in milliseconds."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionCommentaryAppended(RealtimeServerMessage):
    """Commentary of the client has been laid into the session's timeline (GPT-Live)."""

    type: Literal["session.commentary.appended"] = "session.commentary.appended"
    start_ms: int | None = None
    """Its begin in the session's timeline, in milliseconds."""
    end_ms: int | None = None
    """Its end in the session's timeline, in milliseconds."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionOutputAudioFixturePlaying(RealtimeServerMessage):
    """A ready-made sound has begun to play in the output (GPT-Live)."""

    type: Literal["session.output_audio.fixture.playing"] = "session.output_audio.fixture.playing"
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionOutputAudioFixturePlayed(RealtimeServerMessage):
    """A ready-made sound has played to its end (GPT-Live)."""

    type: Literal["session.output_audio.fixture.played"] = "session.output_audio.fixture.played"
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class SessionDelegationCreated(RealtimeServerMessage):
    """The voice model has handed a task to the client or to a backend (GPT-Live)."""

    type: Literal["session.delegation.created"] = "session.delegation.created"
    offset_ms: int | None = None
    """When the task was handed on in the session's timeline, in milliseconds."""
    delegation: Nested[Delegation] = Nested()
    """The task."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class ResponseEvent(RealtimeServerMessage):
    """An event of the backend's response to a delegation, wrapped whole (GPT-Live)."""

    type: Literal["response.event"] = "response.event"
    delegation_id: str | None = None
    """The delegated task that it belongs to."""
    event: dict[str, Any] | None = None
    """The event of the Responses API, whole."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class DecisionEvent(RealtimeServerMessage):
    """The answers to the questions a trigger or a delegation asked (GPT-Live)."""

    type: Literal["decision.event"] = "decision.event"
    event: dict[str, Any] | None = None
    """The answers."""
    delegation_id: str | None = None
    """The delegated task that it belongs to."""
    trigger_id: str | None = None
    """The trigger that asked."""
    source_event_id: str | None = None
    """The event_id of the message that set the trigger off."""
    source_event_type: str | None = None
    """The type of the message that set the trigger off."""


class DecisionItemCreated(RealtimeServerMessage):
    """An item has joined what decisions are made from (GPT-Live)."""

    type: Literal["decision.item.created"] = "decision.item.created"
    item: Nested[ConversationItem] = Nested()
    """The item."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class DecisionItemDeleted(RealtimeServerMessage):
    """An item has left what decisions are made from (GPT-Live)."""

    type: Literal["decision.item.deleted"] = "decision.item.deleted"
    item_id: str | None = None
    """The item that is gone."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class TransportRinging(RealtimeServerMessage):
    """The called telephone rings (GPT-Live)."""

    type: Literal["transport.ringing"] = "transport.ringing"
    session_id: str | None = None
    """The session that it belongs to."""


class TransportAnswered(RealtimeServerMessage):
    """The call has been answered (GPT-Live)."""

    type: Literal["transport.answered"] = "transport.answered"
    session_id: str | None = None
    """The session that it belongs to."""


class TransportFailed(RealtimeServerMessage):
    """The call has failed (GPT-Live)."""

    type: Literal["transport.failed"] = "transport.failed"
    session_id: str | None = None
    """The session that it belongs to."""
    error: Nested[RealtimeError] = Nested()
    """The error."""


class TransportDtmfReceived(RealtimeServerMessage):
    """The caller pressed a telephone key (GPT-Live)."""

    type: Literal["transport.dtmf.received"] = "transport.dtmf.received"
    event: str | None = None
    """The key: 0 to 9, *, #, or A to D."""


class TransportDtmfSend(RealtimeServerMessage):
    """A telephone key is to be sent to the other end (GPT-Live)."""

    type: Literal["transport.dtmf.send"] = "transport.dtmf.send"
    event: str | None = None
    """The key: 0 to 9, *, #, or A to D."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class TransportDtmfSent(RealtimeServerMessage):
    """A telephone key has been sent to the other end (GPT-Live)."""

    type: Literal["transport.dtmf.sent"] = "transport.dtmf.sent"
    event: str | None = None
    """The key: 0 to 9, *, #, or A to D."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""


class Info(RealtimeServerMessage):
    """A note from the server that is not an error (GPT-Live)."""

    type: Literal["info"] = "info"
    code: str | None = None
    """The kind of note."""
    message: str | None = None
    """The note, for people."""
    client_event_id: str | None = None
    """The event_id of the client's message that led to it, if one did."""
