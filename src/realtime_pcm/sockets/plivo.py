"""Plivo audio streams: a telephone call, both directions.

The facts are from plivo.com/docs (Audio Streaming) and public code. The format is mu-law at 8,000 Hz, or 16-bit PCM
("audio/x-l16", little-endian) at 8,000 or 16,000 Hz. The default of the attribute `contentType` is "audio/x-l16;rate=8000".
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

CATALOGUE: Catalogue[ServerMessage, ClientMessage] = Catalogue("plivo", tag="event", audio_format=AudioFormat("pcm16", 8000))


# ---- What Plivo sends


class Start(RealtimeServerMessage, catalogue=CATALOGUE, role="session_start", reads=ONE_FORMAT):
    """The stream begins: its ids and its format."""

    type: Literal["start"] = "start"
    session: dict[str, Any] | None = field("start")
    stream_id: str | None = field(("start", "streamId"))
    call_id: str | None = field(("start", "callId"))
    account_id: str | None = field(("start", "accountId"))
    tracks: list[Any] | None = field(("start", "tracks"))
    encoding: str | None = field(("start", "mediaFormat", "encoding"))
    sample_rate: int | None = field(("start", "mediaFormat", "sampleRate"))


class Media(
    AudioMessage,
    catalogue=CATALOGUE,
    role={"pcm": "input_audio", "track": {"outbound": "audio"}},
    reads={"response_id": "stream_id", "item_id": "track"},
):
    """A piece of the call. timestamp: milliseconds, as text."""

    type: Literal["media"] = "media"
    track: str | None = field(("media", "track"))
    chunk: Any = field(("media", "chunk"))
    timestamp: str | None = field(("media", "timestamp"))
    pcm: Samples = payload(("media", "payload"))
    stream_id: str | None = field("streamId")


class Dtmf(RealtimeServerMessage, catalogue=CATALOGUE):
    """The caller pressed a key."""

    type: Literal["dtmf"] = "dtmf"
    stream_id: str | None = field("streamId")
    digit: str | None = field(("dtmf", "digit"))


class PlayedStream(RealtimeServerMessage, catalogue=CATALOGUE, role="played"):
    """The audio before the checkpoint of this name was played."""

    type: Literal["playedStream"] = "playedStream"
    stream_id: str | None = field("streamId")
    name: str | None = None


class ClearedAudio(RealtimeServerMessage, catalogue=CATALOGUE):
    """Audio that was not played yet is dropped."""

    type: Literal["clearedAudio"] = "clearedAudio"
    stream_id: str | None = field("streamId")


class Stop(RealtimeServerMessage, catalogue=CATALOGUE):
    """The stream is over."""

    type: Literal["stop"] = "stop"
    stream_id: str | None = field("streamId")


class UnknownServerMessage(UnknownMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ServerMessage: TypeAlias = Start | Media | Dtmf | PlayedStream | ClearedAudio | Stop | UnknownServerMessage


# ---- What we send to Plivo


class PlayAudio(
    ClientAudioMessage,
    catalogue=CATALOGUE,
    reads={"format": "content_type"},
):
    """Audio to be played, with its format."""

    type: Literal["playAudio"] = "playAudio"
    stream_id: str | None = field("streamId")
    content_type: str | None = field(("media", "contentType"))
    sample_rate: int | None = field(("media", "sampleRate"))
    pcm: Samples = payload(("media", "payload"))


class Checkpoint(RealtimeClientMessage, catalogue=CATALOGUE):
    """A checkpoint: `playedStream` says when the audio before it has been played."""

    type: Literal["checkpoint"] = "checkpoint"
    stream_id: str | None = field("streamId")
    name: str | None = None


class ClearAudio(RealtimeClientMessage, catalogue=CATALOGUE, role="interrupted"):
    """Drops audio that is not played yet."""

    type: Literal["clearAudio"] = "clearAudio"
    stream_id: str | None = field("streamId")


class UnknownClient(UnknownClientMessage, catalogue=CATALOGUE):
    """A frame of another event, or of none. All of it is in `extra`."""


ClientMessage: TypeAlias = PlayAudio | Checkpoint | ClearAudio | UnknownClient
