"""Telnyx media streaming: a telephone call, both directions.

The facts are from developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket. It is Twilio's protocol with
other keys. The codec is that of the call: PCMU, PCMA and L16 are decoded, G722, OPUS and AMR-WB are not. No default is
documented, so that audio before `start` is refused. Frames may arrive out of order: `chunk` and `timestamp` say where they
belong. That the samples of L16 are little-endian is a guess.
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

CATALOGUE: Catalogue[ServerMessage, ClientMessage] = Catalogue(
    "telnyx", tag="event", audio_format=AudioFormat("the codec of the call", 8000)
)


# ---- What Telnyx sends


class Connected(RealtimeServerMessage, catalogue=CATALOGUE):
    """The first message: the socket is open."""

    type: Literal["connected"] = "connected"
    version: str | None = None


class Start(RealtimeServerMessage, catalogue=CATALOGUE, role="session_start", reads=ONE_FORMAT):
    """The stream begins: its ids and its format."""

    type: Literal["start"] = "start"
    sequence_number: str | None = None
    stream_id: str | None = None
    session: dict[str, Any] | None = field("start")
    call_control_id: str | None = field(("start", "call_control_id"))
    caller: str | None = field(("start", "from"))
    called: str | None = field(("start", "to"))
    client_state: str | None = field(("start", "client_state"))
    custom_parameters: dict[str, Any] | None = field(("start", "custom_parameters"))
    encoding: str | None = field(("start", "media_format", "encoding"))
    sample_rate: int | None = field(("start", "media_format", "sample_rate"))
    channels: int | None = field(("start", "media_format", "channels"))


class Media(
    AudioMessage,
    catalogue=CATALOGUE,
    role={"pcm": "input_audio", "track": {"outbound": "audio"}},
    reads={"response_id": "stream_id", "item_id": "track"},
):
    """A piece of the call. timestamp: milliseconds, as text."""

    type: Literal["media"] = "media"
    sequence_number: str | None = None
    track: str | None = field(("media", "track"))
    chunk: str | None = field(("media", "chunk"))
    timestamp: str | None = field(("media", "timestamp"))
    pcm: Samples = payload(("media", "payload"))
    stream_id: str | None = None


class Mark(RealtimeServerMessage, catalogue=CATALOGUE, role="played"):
    """The audio before the mark of this name was played, or was cleared."""

    type: Literal["mark"] = "mark"
    sequence_number: str | None = None
    stream_id: str | None = None
    name: str | None = field(("mark", "name"))


class Dtmf(RealtimeServerMessage, catalogue=CATALOGUE):
    """The caller pressed a key."""

    type: Literal["dtmf"] = "dtmf"
    sequence_number: str | None = None
    stream_id: str | None = None
    digit: str | None = field(("dtmf", "digit"))


class Error(RealtimeServerMessage, catalogue=CATALOGUE, role="error"):
    """Something that was sent was refused."""

    type: Literal["error"] = "error"
    stream_id: str | None = None
    error: dict[str, Any] | None = field("payload")


class Stop(RealtimeServerMessage, catalogue=CATALOGUE):
    """The stream is over."""

    type: Literal["stop"] = "stop"
    sequence_number: str | None = None
    stream_id: str | None = None
    call_control_id: str | None = field(("stop", "call_control_id"))


class UnknownServerMessage(UnknownMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ServerMessage: TypeAlias = Connected | Start | Media | Mark | Dtmf | Error | Stop | UnknownServerMessage


# ---- What we send to Telnyx


class SendMedia(ClientAudioMessage, catalogue=CATALOGUE):
    """20 ms to 30 s of audio to be played, in the codec of the stream."""

    type: Literal["media"] = "media"
    pcm: Samples = payload(("media", "payload"))


class SendMark(RealtimeClientMessage, catalogue=CATALOGUE):
    """A mark: it comes back when the audio before it has been played."""

    type: Literal["mark"] = "mark"
    name: str | None = field(("mark", "name"))


class Clear(RealtimeClientMessage, catalogue=CATALOGUE, role="interrupted"):
    """Drops audio that is not played yet. Pending marks come back."""

    type: Literal["clear"] = "clear"


class UnknownClient(UnknownClientMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ClientMessage: TypeAlias = SendMedia | SendMark | Clear | UnknownClient
