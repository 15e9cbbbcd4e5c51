"""The session of a connection, and how a client's session.update changes it."""

from __future__ import annotations

import json
from typing import Any

from .held import Event

__all__ = ["at", "detection_of", "modalities_of", "text", "transcribes", "transcription_session", "updated"]

# Recorded sessions have these values where the client named none; those of semantic_vad are from the API reference.
_DETECTION: dict[str, Event] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True},
}
_TRANSCRIPTION: Event = {"model": None, "language": None, "prompt": None}
# The names of the formats of one direction: the key in `session.audio`, and the flat key of the beta.
_FLAT = {"input": "input_audio_format", "output": "output_audio_format"}


def text(event: object) -> str:
    """The JSON text of a value. Raises ValueError if it has something that JSON cannot express."""
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def at(holder: object, *keys: str) -> Any:
    """The value under these keys of nested objects, or None."""
    for key in keys:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder


def _merge(base: Event, changes: Event) -> Event:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        # A format is replaced as a whole: the rate of the old format says nothing about the new one. So is the detection of turns
        # if its kind changes.
        same_kind = not isinstance(value, dict) or "type" not in value or at(old, "type") == value["type"]
        if isinstance(old, dict) and isinstance(value, dict) and key != "format" and same_kind:
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def updated(session: Event, changes: Event) -> Event:
    """The session with a client's changes. If the type of a setting changes, its other values get their defaults.

    There are two ways to name a format; the one that the client used counts.
    """
    merged = _merge(session, _with_defaults(session, changes))
    for direction, flat in _FLAT.items():
        nested = at(merged, "audio", direction, "format")
        if flat in changes and nested is not None and at(changes, "audio", direction, "format") is None:
            audio = {**merged["audio"], direction: {**merged["audio"][direction]}}
            del audio[direction]["format"]
            merged["audio"] = audio
    return merged


def _with_defaults(session: Event, changes: Event) -> Event:
    """The changes, with defaults for a turn detection or transcription that the session did not have before."""
    asked, made = at(changes, "audio", "input"), {}
    for name, key in (("turn_detection", "type"), ("transcription", "model")):
        value, before = at(asked, name), at(session, "audio", "input", name)
        if not isinstance(value, dict) or (name == "transcription" and before) or value.get(key) == at(before, key):
            continue
        defaults = _DETECTION.get(str(value.get("type"))) if name == "turn_detection" else _TRANSCRIPTION
        made[name] = {**(defaults or {}), **value}
    if not made:
        return changes
    return {**changes, "audio": {**changes["audio"], "input": {**asked, **made}}}


def modalities_of(holder: Event) -> list[str] | None:
    """The modalities of a session or a response, or None."""
    found = holder.get("output_modalities", holder.get("modalities"))
    return found if isinstance(found, list) and found else None


def detection_of(session: Event) -> Event | None:
    """The session's turn detection; None for `turn_detection: null`, where the client commits."""
    holder = at(session, "audio", "input")
    holder = holder if isinstance(holder, dict) and "turn_detection" in holder else session
    if "turn_detection" not in holder:
        # A transcription session detects turns only if it is told to.
        return {}
    found = holder["turn_detection"]
    return found if isinstance(found, dict) else None


def transcribes(session: Event) -> bool:
    """Whether the user's speech is transcribed."""
    return bool(at(session, "audio", "input", "transcription") or session.get("input_audio_transcription"))


def transcription_session(session: Event) -> Event:
    """The first session of a connection with `?intent=transcription`."""
    audio = at(session, "audio", "input") or {}
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": session.get("id"),
        "expires_at": session.get("expires_at"),
        "audio": {"input": {**audio, "transcription": audio.get("transcription")}},
        "include": None,
    }
