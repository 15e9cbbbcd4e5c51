"""Azure Communication Services: the media stream of a call, both directions.

The facts are from the tests of azure-communication-callautomation and from Azure-Samples/call-center-voice-agent-accelerator.
What the service sends has keys in camelCase and its type in `kind`; what it takes has the same keys in PascalCase. That the audio
it takes has the format that it announces is a guess. Until it announces one, the format is PCM at 16,000 Hz, the default of
learn.microsoft.com/azure/communication-services/how-tos/call-automation/audio-streaming-quickstart.
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
    "acs", tag="kind", client_tag="Kind", audio_format=AudioFormat("pcm16", 16_000)
)


# ---- What the service sends


class AudioMetadata(RealtimeServerMessage, catalogue=CATALOGUE, role="session_start", reads=ONE_FORMAT):
    """The stream begins: its format. length: bytes of each piece of audio."""

    type: Literal["AudioMetadata"] = "AudioMetadata"
    session: dict[str, Any] | None = field("audioMetadata")
    subscription_id: str | None = field(("audioMetadata", "subscriptionId"))
    encoding: str | None = field(("audioMetadata", "encoding"))
    sample_rate: int | None = field(("audioMetadata", "sampleRate"))
    channels: int | None = field(("audioMetadata", "channels"))
    length: int | None = field(("audioMetadata", "length"))


class AudioData(AudioMessage, catalogue=CATALOGUE, role="input_audio", reads={"item_id": "participant"}):
    """A piece of what a participant says. timestamp: a date and time, as text."""

    type: Literal["AudioData"] = "AudioData"
    timestamp: str | None = field(("audioData", "timestamp"))
    pcm: Samples = payload(("audioData", "data"))
    participant: str | None = field(("audioData", "participantRawID"))
    silent: bool | None = field(("audioData", "silent"))


class DtmfData(RealtimeServerMessage, catalogue=CATALOGUE):
    """The caller pressed a key."""

    type: Literal["DtmfData"] = "DtmfData"
    data: str | None = field(("dtmfData", "data"))


class UnknownServerMessage(UnknownMessage, catalogue=CATALOGUE):
    """A frame of another kind, or of none. All of it is in `extra`."""


ServerMessage: TypeAlias = AudioMetadata | AudioData | DtmfData | UnknownServerMessage


# ---- What we send to the service


class SendAudio(ClientAudioMessage, catalogue=CATALOGUE):
    """Audio to be played to the call."""

    type: Literal["AudioData"] = "AudioData"
    stop_audio: dict[str, Any] | None = field("StopAudio")
    pcm: Samples = payload(("AudioData", "Data"))


class StopAudio(RealtimeClientMessage, catalogue=CATALOGUE, role="interrupted"):
    """Drops audio that is not played yet."""

    type: Literal["StopAudio"] = "StopAudio"
    audio_data: dict[str, Any] | None = field("AudioData")
    stop_audio: dict[str, Any] | None = field("StopAudio")


class UnknownClient(UnknownClientMessage, catalogue=CATALOGUE):
    """A frame of another kind, or of none. All of it is in `extra`."""


ClientMessage: TypeAlias = SendAudio | StopAudio | UnknownClient
