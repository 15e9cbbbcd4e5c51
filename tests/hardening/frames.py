"""One plausible frame per message type, from what each provider and its clients are known to send (provider_messages.json,
client_messages.json).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Literal

from support.provider_messages import CLIENT, PAYLOADS, SERVER, Side, payload_keys, wire_fields

_ITEM = {
    "id": "item_CgbnAx",
    "object": "realtime.item",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "Hei, “verden” \U0001f600"}],
}
_VALUES: dict[str, Any] = {
    "response": {
        "id": "resp_CgbnAw",
        "object": "realtime.response",
        "status": "cancelled",
        "output": [_ITEM],
        "status_details": {"type": "cancelled", "reason": "turn_detected"},
        "usage": {"total_tokens": 319, "input_token_details": {"cached_tokens": 0, "text_tokens": 119}},
    },
    "session": {
        "id": "sess_1",
        "model": "gpt-realtime",
        "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}}},
        "turn_detection": None,
        "temperature": 0.8,
        "tools": [],
    },
    "item": _ITEM,
    "part": _ITEM["content"][0],
    "conversation": {"id": "conv_1", "object": "realtime.conversation"},
    "error": {"type": "invalid_request_error", "code": "no_active", "message": "Nothing to cancel", "param": None},
    "usage": {"type": "tokens", "total_tokens": 26, "input_token_details": {"audio_tokens": 17}},
    "rate_limits": [{"name": "tokens", "limit": 40000, "remaining": 39000, "reset_seconds": 1.5}],
    "logprobs": [{"token": "h", "logprob": -0.25, "bytes": [104]}],
    "transcript": "en linje\nog “en” til, \U0001f600",
    "arguments": '{"city":"Oslo"}',
    "format": "pcm16",
    "channels": 1,
    "sample_rate": 24000,
    "sample_rate_hz": 24000,
}
SAMPLES = bytes(range(1, 251)) + b"\xff\x7f"


@dataclass(frozen=True)
class Kind:
    """What frames of one message type are made of."""

    type: str
    cls: str
    keys: tuple[str, ...]  # declared, beside type and event_id, in the order of the wire
    payload_keys: tuple[str, ...]
    side: Literal["server", "client"] = "server"

    @property
    def name(self) -> str:
        return self.type if self.side == "server" else f"client {self.type}"

    @property
    def is_audio(self) -> bool:
        """Whether the payload is samples: else it is bytes."""
        return bool(self.payload_keys) and PAYLOADS[self.cls][0] == "pcm"


def _kinds(side: Side) -> list[Kind]:
    kinds = []
    for entry in side.entries:
        keys = tuple(key for key in wire_fields(entry) if key != "event_id")
        kinds.append(Kind(entry["type"], entry["class"], keys, payload_keys(entry["class"]), side.name))
    return [*kinds, Kind("a.type.of.tomorrow", side.unknown.__name__, ("item", "delta"), (), side.name)]


# What servers send, and what clients do.
KINDS = _kinds(SERVER)
CLIENT_KINDS = _kinds(CLIENT)
BY_TYPE = {kind.type: kind for kind in KINDS}
CLIENT_BY_TYPE = {kind.type: kind for kind in CLIENT_KINDS}
AUDIO_KINDS = [kind for kind in (*KINDS, *CLIENT_KINDS) if kind.is_audio]


def plausible(key: str) -> Any:
    """A value as a server sends it under this key."""
    if key in _VALUES:
        return _VALUES[key]
    if key.endswith("_id") or key in ("id", "rid"):
        return key.removesuffix("_id") + "_CgbnAy6UkXb"
    if key.endswith(("_index", "_ms", "_count")) or key in ("start", "end", "ts", "latency"):
        return 250
    return f"a value of {key}"


def real_frame(kind: Kind, samples: bytes = SAMPLES) -> bytes:
    """A whole frame of the kind, its keys in the order of the wire."""
    values: dict[str, Any] = {"type": kind.type, "event_id": "event_CgbnAz"}
    values |= {key: plausible(key) for key in kind.keys}
    for key in kind.payload_keys:
        values.pop(key, None)
    if kind.payload_keys:
        values[kind.payload_keys[0]] = base64.b64encode(samples).decode()
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
