"""provider_messages.json: what each provider sends, message by message, and which of its keys hold base64."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import realtime_pcm as rp

ENTRIES: list[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
BY_TYPE = {entry["type"]: entry for entry in ENTRIES}

# The keys that hold base64, by class, the first one that is neither absent nor null counting: what is decoded from them
# is the field named beside them.
PAYLOADS = {
    "ResponseAudioDelta": ("pcm", ("delta", "audio")),
    "SessionOutputAudioDelta": ("pcm", ("delta",)),
    "SessionInputAudioAppend": ("pcm", ("audio",)),
    "ResponseVideoDelta": ("data", ("delta",)),
}


def payload_keys(cls: str) -> tuple[str, ...]:
    """The keys of a class that hold base64; most classes have none."""
    return PAYLOADS[cls][1] if cls in PAYLOADS else ()


def wire_fields(entry: dict[str, Any]) -> list[str]:
    """The keys that any provider sends with this type, each once."""
    return list(dict.fromkeys(itertools.chain(*entry["fields"].values())))


def decode(message: dict[str, Any]) -> rp.messages.ServerMessage:
    """The message that a frame with these values decodes to."""
    return rp.decode(json.dumps(message, ensure_ascii=False).encode())


def plain(value: Any) -> Any:
    """What a field holds as the JSON had it: views taken off again."""
    if isinstance(value, rp.objects.View):
        return value.raw
    return [plain(entry) for entry in value] if isinstance(value, list) else value
