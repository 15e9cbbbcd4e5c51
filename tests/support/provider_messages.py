"""What each provider sends (provider_messages.json) and what its clients do (client_messages.json), message by message."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import realtime_pcm as rp
from realtime_pcm import client_messages, messages


@dataclass(frozen=True)
class Side:
    """One side of a conversation: its catalogue, and the list of what is sent there."""

    name: Literal["server", "client"]
    package: ModuleType
    base: type[messages.RealtimeMessage]
    unknown: type[messages.RealtimeMessage]
    union: str
    entries: list[dict[str, Any]]

    @property
    def by_type(self) -> dict[str, dict[str, Any]]:
        return {entry["type"]: entry for entry in self.entries}

    def class_of(self, entry: dict[str, Any]) -> Any:
        return getattr(self.package, entry["class"])


def read_list(name: str, side: str) -> list[dict[str, Any]]:
    """The entries of a list: type, class, and for each provider the keys that it sends; each is told its side."""
    return [{"side": side, **entry} for entry in json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))]


SERVER = Side(
    "server",
    messages,
    messages.RealtimeServerMessage,
    messages.UnknownMessage,
    "ServerMessage",
    read_list("provider_messages.json", "server"),
)
CLIENT = Side(
    "client",
    client_messages,
    client_messages.RealtimeClientMessage,
    client_messages.UnknownClientMessage,
    "ClientMessage",
    read_list("client_messages.json", "client"),
)
SIDES = {side.name: side for side in (SERVER, CLIENT)}

# What servers send.
ENTRIES = SERVER.entries
BY_TYPE = SERVER.by_type

# The keys that hold base64, by class, the first one that is neither absent nor null counting: what is decoded from them
# is the field named beside them. A class of one name on both sides has the same keys there.
PAYLOADS = {
    "ResponseAudioDelta": ("pcm", ("delta", "audio")),
    "SessionOutputAudioDelta": ("pcm", ("delta",)),
    "SessionInputAudioAppend": ("pcm", ("audio",)),
    "ResponseVideoDelta": ("data", ("delta",)),
    "ResponseBackchannelAudioDelta": ("pcm", ("delta",)),
    "AudioDelta": ("pcm", ("delta",)),
    "ConversationItemAudioOutputDelta": ("pcm", ("delta",)),
    "ConversationItemSpeechData": ("pcm", ("audio",)),
    # of clients
    "InputAudioBufferAppend": ("pcm", ("audio",)),
    "SessionInputAudioBufferAppend": ("pcm", ("audio",)),
    "InputAudioTurnAppend": ("pcm", ("audio",)),
    "SessionOutputAudioFixturePlay": ("pcm", ("audio",)),
    "InputImageBufferAppend": ("data", ("image",)),
    "InputAudioBufferAppendVideoFrame": ("data", ("video_frame",)),
}


def payload_keys(cls: str) -> tuple[str, ...]:
    """The keys of a class that hold base64; most classes have none."""
    return PAYLOADS[cls][1] if cls in PAYLOADS else ()


def wire_fields(entry: dict[str, Any]) -> list[str]:
    """The keys that any provider sends with this type, each once."""
    return list(dict.fromkeys(itertools.chain(*entry["fields"].values())))


def decode(message: dict[str, Any], side: Any = "server") -> Any:
    """The message that a frame with these values decodes to."""
    return rp.decode(json.dumps(message, ensure_ascii=False).encode(), side=side)


def plain(value: Any) -> Any:
    """What a field holds as the JSON had it: views taken off again."""
    if isinstance(value, rp.objects.View):
        return value.raw
    return [plain(entry) for entry in value] if isinstance(value, list) else value
