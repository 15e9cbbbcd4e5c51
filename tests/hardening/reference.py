"""What a frame should decode to, and whether a message is that: orjson, pybase64 and NumPy, nothing of ours.

oracle.py says the same more slowly and for the audio of three types; this is for millions of frames of all of them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pybase64

import realtime_pcm as rp
from realtime_pcm.objects import View

from .frames import BY_TYPE, CLIENT_BY_TYPE, Kind

_BY_TYPE = {"server": BY_TYPE, "client": CLIENT_BY_TYPE}
_UNKNOWN = {side: by_type["a.type.of.tomorrow"].cls for side, by_type in _BY_TYPE.items()}
_ENCODINGS = {
    "pcm16": "pcm16",
    "audio/pcm": "pcm16",
    "pcm": "pcm16",
    "pcm24": "pcm16",
    "s16le": "pcm16",
    "g711_ulaw": "g711_ulaw",
    "pcmu": "g711_ulaw",
    "audio/pcmu": "g711_ulaw",
    "g711_alaw": "g711_alaw",
    "pcma": "g711_alaw",
    "audio/pcma": "g711_alaw",
}


def _ulaw(code: int) -> int:
    """ITU-T G.711, table 2a, at 16 bits."""
    code ^= 0xFF
    magnitude = ((((code & 15) << 1) + 33) << (code >> 4 & 7)) - 33
    return -4 * magnitude if code & 0x80 else 4 * magnitude


def _alaw(code: int) -> int:
    """ITU-T G.711, table 1a, at 16 bits."""
    code ^= 0x55
    exponent = code >> 4 & 7
    magnitude = ((code & 15) << 1) + 1 + (32 if exponent else 0)
    magnitude <<= max(exponent - 1, 0)
    return 8 * magnitude if code & 0x80 else -8 * magnitude


_TABLES = {
    "g711_ulaw": np.array([_ulaw(code) for code in range(256)], "<i2"),
    "g711_alaw": np.array([_alaw(code) for code in range(256)], "<i2"),
}


_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST_CHANNELS = 255


def names_too_many_channels(value: Any) -> bool:
    """Whether a whole number of channels, in any spelling that fits 64 bits, is more than a format may have."""
    if type(value) is str:
        number = Decimal(value) if len(value) <= 64 and _NUMBER.fullmatch(value) else Decimal(0)
    else:
        number = Decimal(value) if type(value) in (int, float) else Decimal(0)
    return _MOST_CHANNELS < number < 2**63 and number == number.to_integral_value()


class Expected:
    """A frame's values; the bytes of its payload and what they are, where its type has one; its kind, where it is known."""

    __slots__ = ("encoding", "kind", "payload", "side", "values")

    def __init__(self, values: dict[str, Any], payload: bytes | None, encoding: str, kind: Kind | None, side: str) -> None:
        self.values = values
        self.kind = kind
        self.side = side
        self.payload = payload
        self.encoding = encoding


def expect(frame: bytes | str, dtype: str = "int16", side: str = "server") -> Expected | None:
    """What the frame holds; None where it is to be refused."""
    try:
        values = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None
    if type(values) is not dict:
        return None
    name = values.get("type")
    if type(name) is not str:
        return None
    kind = _BY_TYPE[side].get(name)
    if kind is None or not kind.payload_keys:
        return Expected(values, None, "", kind, side)
    payload = None
    for key in kind.payload_keys:
        payload = values.get(key)
        if payload is not None:
            break
    if payload is None:
        payload = ""
    if type(payload) is not str:
        return None
    try:
        data = pybase64.b64decode(payload, validate=True, canonical=True)
    except ValueError:
        return None
    encoding = "pcm16"
    if "format" in kind.keys or kind.cls == "ResponseAudioDelta":
        named = values.get("format")
        if type(named) is str and named not in ("", "not specified"):
            encoding = _ENCODINGS.get(named.lower(), named)
    if "channels" in kind.keys and names_too_many_channels(values.get("channels")):
        encoding += " of more than 255 channels"
    if data and dtype != "uint8" and encoding not in ("pcm16", *_TABLES) and kind.is_audio:
        return None
    return Expected(values, data, encoding, kind, side)


def samples(payload: bytes, encoding: str, dtype: str) -> tuple[np.ndarray, bytes]:
    """A payload's samples, and the byte at its end that makes none."""
    if dtype == "uint8":
        return np.frombuffer(payload, np.uint8), b""
    whole = len(payload) // 2 * 2
    if encoding in _TABLES:
        found, rest = _TABLES[encoding][np.frombuffer(payload, np.uint8)], b""
    else:
        found, rest = np.frombuffer(payload[:whole], "<i2"), payload[whole:]
    return (found / np.float32(32768) if dtype == "float32" else found), rest


def same_value(value: Any, expected: Any) -> bool:
    """Of equal type, and equal to the last bit."""
    if isinstance(value, View):
        return same_view(value, expected)
    if type(value) is not type(expected):
        return False
    if type(value) is list and any(isinstance(entry, View) for entry in value):
        return len(value) == len(expected) and all(map(same_value, value, expected))
    return value == expected and (value != 0 or type(value) is not float or str(value) == str(expected))


def same_view(view: View, expected: Any) -> bool:
    """The first fields, which are found in the frame, then the whole of what it parses, and one field of that."""
    if type(expected) is not dict:
        return False
    declared = type(view).__match_args__
    sent = [name for name in expected if name in declared]
    missing = next((name for name in declared if name not in expected), None)
    for name in (*sent[-4:], missing):
        if name is not None and not same_value(getattr(view, name), expected.get(name)):
            return False
    return same_value(view.raw, expected) and all(same_value(getattr(view, name), expected[name]) for name in sent[:1])


def differences(message: Any, expected: Expected, dtype: str = "int16") -> list[str]:
    """Where a message is not what the frame holds; the payload is compared too."""
    values = expected.values
    if message is None:
        return ["nothing was built"]
    found = [] if message.type == values["type"] else [f"type {message.type!r}"]
    if type(message).__name__ != (expected.kind.cls if expected.kind else _UNKNOWN[expected.side]):
        found.append(f"class {type(message).__name__}")
    payload_names: tuple[str, ...] = ()
    if expected.payload is not None:
        payload_names = ("pcm",) if expected.kind.is_audio else ("data",)
        found += payload_differences(message, expected, dtype)
    for name in ("event_id", *type(message).__match_args__):
        if name not in payload_names and not same_value(getattr(message, name), values.get(name)):
            found.append(f"{name} {getattr(message, name)!r}")
    return found


def payload_differences(message: Any, expected: Expected, dtype: str = "int16") -> list[str]:
    if not isinstance(message, (rp.messages.AudioMessage, rp.client_messages.ClientAudioMessage)):
        payload = expected.payload
        absent = not payload and all(expected.values.get(key) is None for key in expected.kind.payload_keys)
        return [] if message.data == (None if absent else payload) else [f"data {message.data!r}"]
    wanted, rest = samples(expected.payload, expected.encoding, dtype)
    pcm = message.pcm
    if dtype == "bytes":
        if type(pcm) is not bytes:
            return [f"pcm is a {type(pcm).__name__}"]
        pcm = np.frombuffer(pcm, "<i2")
    elif pcm.dtype != dtype or pcm.ndim != 1 or not pcm.flags.owndata or not pcm.flags.writeable:
        return [f"array {pcm.dtype} {pcm.shape} {pcm.flags}"]
    if pcm.tobytes() != wanted.tobytes():
        return [f"pcm of {pcm.size} samples, not {wanted.size}" if pcm.size != wanted.size else "pcm"]
    if dtype != "uint8" and message.incomplete_sample != rest:
        return [f"incomplete_sample {message.incomplete_sample!r}"]
    return []
