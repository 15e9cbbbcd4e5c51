"""Twilio Media Streams: a telephone call, both directions. SignalWire and others send the same.

The facts are from twilio.com/docs/voice/media-streams/websocket-messages and from a recorded call. `event` is the type of a
frame. Audio is mu-law at 8,000 Hz, 160 bytes per frame, in `media.payload`, before `start` too. A `mark` comes back when the
audio before it was played; after `clear`, all marks that wait come back at once.

SignalWire (developer.signalwire.com/compatibility-api/cxml/voice/stream) has Twilio's messages and keys. Its attribute `codec`
also allows 16-bit PCM at 16,000 and 24,000 Hz; that `mediaFormat` then says "audio/x-L16", little-endian, is a guess.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from .._core import (
    AudioMessage,
    ClientAudioMessage,
    RealtimeClientMessage,
    RealtimeServerMessage,
    UnknownClientMessage,
    UnknownMessage,
)
from ..audio import AudioFormat
from ..declare import Samples, field, payload
from . import ONE_FORMAT, Catalogue

CATALOGUE: Catalogue[ServerMessage, ClientMessage] = Catalogue("twilio", tag="event", audio_format=AudioFormat("g711_ulaw", 8000))


# ---- What Twilio sends


class Connected(RealtimeServerMessage, catalogue=CATALOGUE):
    """The first message: the socket is open."""

    type: Literal["connected"] = "connected"
    protocol: str | None = None
    version: str | None = None


class Start(RealtimeServerMessage, catalogue=CATALOGUE, role="session_start", reads=ONE_FORMAT):
    """The stream begins: its ids, its format, and the parameters that the TwiML gave it."""

    type: Literal["start"] = "start"
    sequence_number: str | None = field("sequenceNumber")
    session: dict[str, Any] | None = field("start")
    account_sid: str | None = field(("start", "accountSid"))
    call_sid: str | None = field(("start", "callSid"))
    tracks: list[Any] | None = field(("start", "tracks"))
    encoding: str | None = field(("start", "mediaFormat", "encoding"))
    sample_rate: int | None = field(("start", "mediaFormat", "sampleRate"))
    channels: int | None = field(("start", "mediaFormat", "channels"))
    custom_parameters: dict[str, Any] | None = field(("start", "customParameters"))
    stream_sid: str | None = field("streamSid")


class Media(
    AudioMessage,
    catalogue=CATALOGUE,
    role={"pcm": "input_audio", "track": {"outbound": "audio"}},
    reads={"response_id": "stream_sid", "item_id": "track"},
):
    """20 ms of the caller's speech, or of the other track. timestamp: milliseconds since the stream began, as text."""

    type: Literal["media"] = "media"
    sequence_number: str | None = field("sequenceNumber")
    track: str | None = field(("media", "track"))
    chunk: str | None = field(("media", "chunk"))
    timestamp: str | None = field(("media", "timestamp"))
    pcm: Samples = payload(("media", "payload"))
    stream_sid: str | None = field("streamSid")


class Mark(RealtimeServerMessage, catalogue=CATALOGUE, role="played"):
    """All audio before the mark of this name was played, or was cleared."""

    type: Literal["mark"] = "mark"
    sequence_number: str | None = field("sequenceNumber")
    stream_sid: str | None = field("streamSid")
    name: str | None = field(("mark", "name"))


class Dtmf(RealtimeServerMessage, catalogue=CATALOGUE):
    """The caller pressed a key."""

    type: Literal["dtmf"] = "dtmf"
    stream_sid: str | None = field("streamSid")
    sequence_number: str | None = field("sequenceNumber")
    track: str | None = field(("dtmf", "track"))
    digit: str | None = field(("dtmf", "digit"))


class Stop(RealtimeServerMessage, catalogue=CATALOGUE):
    """The stream is over."""

    type: Literal["stop"] = "stop"
    sequence_number: str | None = field("sequenceNumber")
    account_sid: str | None = field(("stop", "accountSid"))
    call_sid: str | None = field(("stop", "callSid"))
    stream_sid: str | None = field("streamSid")


class UnknownServerMessage(UnknownMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ServerMessage: TypeAlias = Connected | Start | Media | Mark | Dtmf | Stop | UnknownServerMessage


# ---- What we send to Twilio


class SendMedia(ClientAudioMessage, catalogue=CATALOGUE):
    """Audio to be played to the caller, of any length: Twilio buffers it."""

    type: Literal["media"] = "media"
    stream_sid: str | None = field("streamSid")
    pcm: Samples = payload(("media", "payload"))


class SendMark(RealtimeClientMessage, catalogue=CATALOGUE):
    """A mark: it comes back when what was sent before it has been played."""

    type: Literal["mark"] = "mark"
    stream_sid: str | None = field("streamSid")
    name: str | None = field(("mark", "name"))


class Clear(RealtimeClientMessage, catalogue=CATALOGUE, role="interrupted"):
    """Drops audio that is not played yet. All pending marks come back."""

    type: Literal["clear"] = "clear"
    stream_sid: str | None = field("streamSid")


class UnknownClient(UnknownClientMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ClientMessage: TypeAlias = SendMedia | SendMark | Clear | UnknownClient
