"""Refuses sessions, responses and items that OpenAI's server refuses, with the codes and texts of its errors."""

from __future__ import annotations

from typing import Any

from ..terminal import shown_name
from .held import Event, Refusal
from .session import at

__all__ = ["why_not_item", "why_not_response", "why_not_session"]

# The parameters, by the path of the object that holds them. "" stands for the session or the response itself.
_DETECTION = {
    "server_vad": (
        "type", "threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms",
        "create_response", "interrupt_response",
    ),
    "semantic_vad": ("type", "eagerness", "create_response", "interrupt_response"),
}  # fmt: skip
_INPUT = ("format", "noise_reduction", "transcription", "turn_detection")
_SESSION = {
    "": (
        "type", "object", "id", "expires_at", "model", "output_modalities", "instructions", "audio", "include", "tracing",
        "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "truncation", "prompt", "reasoning",
    ),
    "audio": ("input", "output"),
    "audio.input": _INPUT,
    "audio.input.format": ("type", "rate"),
    "audio.input.noise_reduction": ("type",),
    "audio.input.transcription": ("model", "language", "languages", "prompt", "keywords", "delay"),
    "audio.output": ("format", "voice", "speed"),
    "audio.output.format": ("type", "rate"),
}  # fmt: skip
_TRANSCRIPTION = {
    "": ("type", "object", "id", "expires_at", "audio", "include"),
    "audio": ("input",),
    **{path: names for path, names in _SESSION.items() if path.startswith("audio.input")},
}
_RESPONSE = {
    "": (
        "audio", "conversation", "input", "instructions", "max_output_tokens", "metadata", "output_modalities",
        "parallel_tool_calls", "prompt", "reasoning", "tool_choice", "tools",
    ),
    "audio": ("output",),
    "audio.output": ("format", "voice"),
    "audio.output.format": ("type", "rate"),
}  # fmt: skip
_VALUES = {
    "audio.input.format.type": ("audio/pcm", "audio/pcmu", "audio/pcma"),
    "audio.output.format.type": ("audio/pcm", "audio/pcmu", "audio/pcma"),
    "audio.input.noise_reduction.type": ("near_field", "far_field"),
    "audio.input.turn_detection.type": ("server_vad", "semantic_vad"),
    "audio.input.turn_detection.eagerness": ("low", "medium", "high", "auto"),
    "conversation": ("auto", "none"),
}
_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "instructions": (str, "a string"),
    "model": (str, "a string"),
    "output_modalities": (list, "an array of strings"),
    "tools": (list, "an array of objects"),
    "audio": (dict, "an object"),
    "audio.input": (dict, "an object"),
    "audio.output": (dict, "an object"),
    "audio.output.speed": ((int, float), "a decimal"),
    "audio.input.turn_detection.silence_duration_ms": (int, "an integer"),
    "audio.input.turn_detection.prefix_padding_ms": (int, "an integer"),
    "audio.input.turn_detection.idle_timeout_ms": (int, "an integer"),
    "audio.input.turn_detection.create_response": (bool, "a boolean"),
    "audio.input.turn_detection.interrupt_response": (bool, "a boolean"),
    "metadata": (dict, "a map of strings"),
    "input": (list, "an array of objects"),
}
_ITEMS = {
    "message": ("role", "content"),
    "function_call": ("name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "mcp_approval_response": ("approval_request_id", "approve"),
    "mcp_list_tools": (),
    "mcp_call": (),
    "mcp_approval_request": (),
}
_ITEM = (
    "id", "object", "type", "status", "role", "content", "name", "call_id", "arguments", "output", "approval_request_id",
    "approve", "reason", "server_label", "tools", "error", "phase",
)  # fmt: skip
_CONTENT = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text", "output_audio"),
}
_NEEDED = {"input_text": "text", "output_text": "text", "input_image": "image_url", "input_audio": "audio"}
_NAMES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "an integer", float: "a decimal"}


def _missing(name: str) -> Refusal:
    return Refusal("missing_required_parameter", f"Missing required parameter: '{name}'.", name)


def _unsupported(name: str, value: object, known: tuple[str, ...]) -> Refusal:
    said = value if isinstance(value, str) else repr(value)
    *others, last = (f"'{one}'" for one in known)
    names = f"{', '.join(others)} and {last}" if others else last
    return Refusal("invalid_value", f"Invalid value: '{shown_name(said[:64])}'. Supported values are: {names}.", name)


def _wrong_kind(name: str, value: object, expected: str) -> Refusal:
    got = "null" if value is None else _NAMES.get(type(value), type(value).__name__)
    return Refusal("invalid_type", f"Invalid type for '{name}': expected {expected}, but got {got} instead.", name)


def _why_not(root: str, holder: Event, known: dict[str, tuple[str, ...]], path: str = "") -> Refusal | None:
    """The first parameter of an object that is unknown, or has an unknown value."""
    for name, value in holder.items():
        here = f"{path}.{name}".lstrip(".")
        full = shown_name(f"{root}.{here}"[:200])
        if name not in known[path]:
            return Refusal("unknown_parameter", f"Unknown parameter: '{full}'.", full)
        if value is None:
            continue
        kind = _KINDS.get(here)
        if kind is not None and (not isinstance(value, kind[0]) or (isinstance(value, bool) and kind[0] is not bool)):
            return _wrong_kind(full, value, kind[1])
        if here in _VALUES and value not in _VALUES[here]:
            return _unsupported(full, value, _VALUES[here])
        if here.endswith("format.rate") and isinstance(value, int) and value != 24_000:
            wrong = ("below", "minimum", ">=") if value < 24_000 else ("above", "maximum", "<=")
            message = f"Invalid '{full}': integer {wrong[0]} {wrong[1]} value. "
            message += f"Expected a value {wrong[2]} 24000, but got {value} instead."
            return Refusal(f"integer_{wrong[0]}_{wrong[1][:3]}_value", message, full)
        if here in known:
            if not isinstance(value, dict):
                return _wrong_kind(full, value, "an object")
            inner = _why_not(root, value, known, here)
            if inner is not None:
                return inner
    return _why_not_modalities(root, holder) if not path else None


def _why_not_modalities(root: str, holder: Event) -> Refusal | None:
    wanted = holder.get("output_modalities")
    if wanted is not None and wanted not in (["audio"], ["text"]):
        full, said = f"{root}.output_modalities", shown_name(", ".join(f"'{one}'" for one in wanted)[:64])
        message = f"Invalid modalities: [{said}]. Supported combinations are: ['text'] and ['audio']."
        return Refusal("invalid_value", message, full)
    return None


def why_not_session(changes: Event, session: Event, spoke: bool) -> Refusal | None:
    """Why a session.update is refused. session: the current one. spoke: whether audio of the model was sent."""
    kind = changes.get("type")
    if kind is None:
        return _missing("session.type")
    if kind not in ("realtime", "transcription"):
        return _unsupported("session.type", kind, ("realtime", "transcription"))
    now = session.get("type", "realtime")
    if kind != now:
        return Refusal(
            "invalid_parameter", f"Passing a {kind} session update event to a {now} session is not allowed.", "session.type"
        )
    known = dict(_TRANSCRIPTION if kind == "transcription" else _SESSION)
    detection = at(changes, "audio", "input", "turn_detection")
    if isinstance(detection, dict):
        chosen = detection.get("type")
        if chosen is None:
            return _missing("session.audio.input.turn_detection.type")
        known["audio.input.turn_detection"] = _DETECTION.get(str(chosen), ("type",))
    refusal = _why_not("session", changes, known)
    if refusal is not None:
        return refusal
    voice = at(changes, "audio", "output", "voice")
    if spoke and voice is not None and voice != at(session, "audio", "output", "voice"):
        return Refusal("cannot_update_voice", "Cannot update a conversation's voice if assistant audio is present.")
    return None


def why_not_response(asked: Event) -> Refusal | None:
    """Why a response.create is refused."""
    refusal = _why_not("response", asked, _RESPONSE)
    if refusal is not None:
        return refusal
    for name, value in (asked.get("metadata") or {}).items():
        if not isinstance(value, str):
            return _wrong_kind(f"response.metadata.{shown_name(name[:64])}", value, "a string")
    return None


def why_not_item(item: Any) -> Refusal | None:
    """Why a conversation.item.create is refused, judging by its item alone."""
    if item is None:
        return _missing("item")
    if not isinstance(item, dict):
        return _wrong_kind("item", item, "an object")
    kind = item.get("type")
    if kind is None:
        return _missing("item.type")
    if not isinstance(kind, str) or kind not in _ITEMS:
        return _unsupported("item.type", kind, tuple(_ITEMS))
    for name in item:
        if name not in _ITEM:
            full = f"item.{shown_name(name[:64])}"
            return Refusal("unknown_parameter", f"Unknown parameter: '{full}'.", full)
    for name in _ITEMS[kind]:
        if item.get(name) is None:
            return _missing(f"item.{name}")
    item_id = item.get("id")
    if item_id is not None and not isinstance(item_id, str):
        return _wrong_kind("item.id", item_id, "a string")
    if item_id is not None and len(item_id) > 32:
        message = "Invalid 'item.id': string too long. Expected a string with maximum length 32, "
        message += f"but got a string with length {len(item_id)} instead."
        return Refusal("string_above_max_length", message, "item.id")
    return _why_not_message(item) if kind == "message" else None


def _why_not_message(item: Event) -> Refusal | None:
    role, content = item["role"], item["content"]
    if not isinstance(role, str) or role not in _CONTENT:
        return _unsupported("item.role", role, tuple(_CONTENT))
    if not isinstance(content, list):
        return _wrong_kind("item.content", content, "an array of objects")
    for place, part in enumerate(content):
        name = f"item.content[{place}]"
        if not isinstance(part, dict):
            return _wrong_kind(name, part, "an object")
        if part.get("type") is None:
            return _missing(f"{name}.type")
        if part["type"] not in _CONTENT[role]:
            return _unsupported(f"{name}.type", part["type"], _CONTENT[role])
        needed = _NEEDED.get(part["type"])
        if needed is not None and not isinstance(part.get(needed), str):
            return _missing(f"{name}.{needed}")
    return None
