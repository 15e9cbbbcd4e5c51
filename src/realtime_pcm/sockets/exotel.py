"""Exotel AgentStream (the Stream and Voicebot applets): a telephone call, both directions.

The facts are from developer.exotel.com/docs/agentstream/websocket-protocol and public code. It is Twilio's protocol with other
keys and other audio: 16-bit PCM, little-endian, at 8,000, 16,000 or 24,000 Hz, about 100 ms per frame. `start` names the rate
as text, and the default of the applets is 8,000 Hz; its encoding is "audio/x-raw" in the documentation, "slin" and
"audio/x-l16" in public code. Audio that is sent has to be a multiple of 320 bytes. That a mark comes back after `clear`, as
with Twilio, is a guess.
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

CATALOGUE: Catalogue[ServerMessage, ClientMessage] = Catalogue("exotel", tag="event", audio_format=AudioFormat("pcm16", 8000))


# ---- What Exotel sends


class Connected(RealtimeServerMessage, catalogue=CATALOGUE):
    """The first message: the socket is open."""

    type: Literal["connected"] = "connected"


class Start(RealtimeServerMessage, catalogue=CATALOGUE, role="session_start", reads=ONE_FORMAT):
    """The stream begins: its ids, its format, and the parameters that the applet gave it."""

    type: Literal["start"] = "start"
    sequence_number: str | None = None
    stream_sid: str | None = None
    session: dict[str, Any] | None = field("start")
    call_sid: str | None = field(("start", "call_sid"))
    account_sid: str | None = field(("start", "account_sid"))
    caller: str | None = field(("start", "from"))
    called: str | None = field(("start", "to"))
    custom_parameters: dict[str, Any] | None = field(("start", "custom_parameters"))
    encoding: str | None = field(("start", "media_format", "encoding"))
    sample_rate: str | None = field(("start", "media_format", "sample_rate"))
    bit_rate: str | None = field(("start", "media_format", "bit_rate"))


class Media(
    AudioMessage,
    catalogue=CATALOGUE,
    role={"pcm": "input_audio", "track": {"outbound": "audio"}},
    reads={"response_id": "stream_sid", "item_id": "track"},
):
    """A piece of the caller's speech. timestamp: milliseconds, as text. track: only where both directions are streamed."""

    type: Literal["media"] = "media"
    sequence_number: str | None = None
    stream_sid: str | None = None
    track: str | None = field(("media", "track"))
    chunk: str | None = field(("media", "chunk"))
    timestamp: str | None = field(("media", "timestamp"))
    pcm: Samples = payload(("media", "payload"))


class Mark(RealtimeServerMessage, catalogue=CATALOGUE, role="played"):
    """The audio before the mark of this name was played."""

    type: Literal["mark"] = "mark"
    sequence_number: str | None = None
    stream_sid: str | None = None
    name: str | None = field(("mark", "name"))


class Dtmf(RealtimeServerMessage, catalogue=CATALOGUE):
    """The caller pressed a key. duration: milliseconds, as text."""

    type: Literal["dtmf"] = "dtmf"
    sequence_number: str | None = None
    stream_sid: str | None = None
    digit: str | None = field(("dtmf", "digit"))
    duration: str | None = field(("dtmf", "duration"))


class Stop(RealtimeServerMessage, catalogue=CATALOGUE):
    """The stream is over."""

    type: Literal["stop"] = "stop"
    sequence_number: str | None = None
    stream_sid: str | None = None
    call_sid: str | None = field(("stop", "call_sid"))
    reason: str | None = field(("stop", "reason"))


class UnknownServerMessage(UnknownMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ServerMessage: TypeAlias = Connected | Start | Media | Mark | Dtmf | Stop | UnknownServerMessage


# ---- What we send to Exotel


class SendMedia(ClientAudioMessage, catalogue=CATALOGUE):
    """Audio to be played to the caller: 100 ms to 100 kB, a multiple of 320 bytes."""

    type: Literal["media"] = "media"
    stream_sid: str | None = None
    pcm: Samples = payload(("media", "payload"))


class SendMark(RealtimeClientMessage, catalogue=CATALOGUE):
    """A mark: it comes back when what was sent before it has been played."""

    type: Literal["mark"] = "mark"
    stream_sid: str | None = None
    name: str | None = field(("mark", "name"))


class Clear(RealtimeClientMessage, catalogue=CATALOGUE, role="interrupted"):
    """Drops audio that is not played yet."""

    type: Literal["clear"] = "clear"
    stream_sid: str | None = None


class UnknownClient(UnknownClientMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ClientMessage: TypeAlias = SendMedia | SendMark | Clear | UnknownClient
