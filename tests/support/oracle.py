"""What a frame should decode to, by code that shares nothing with ours: orjson, pybase64 and NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pybase64

PAYLOAD_KEYS = {
    "response.output_audio.delta": ("delta", "audio"),
    "response.audio.delta": ("delta", "audio"),
    "session.output_audio.delta": ("delta",),
}


class Refused(Exception):
    """`stage` tells which rule refused: "json", "root", "type" or "payload"."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage


@dataclass
class Expected:
    """A frame's values, and the bytes of its audio payload (None where its type has none)."""

    values: dict[str, Any]
    payload: bytes | None

    @property
    def pcm(self) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        assert self.payload is not None
        whole = len(self.payload) // 2 * 2
        return np.frombuffer(self.payload[:whole], "<i2")

    @property
    def incomplete_sample(self) -> bytes:
        assert self.payload is not None
        return self.payload[len(self.payload) // 2 * 2 :]


def base64(text: str) -> bytes:
    """Canonical RFC 4648 base64; Refused otherwise."""
    try:
        return pybase64.b64decode(text, validate=True, canonical=True)
    except ValueError:
        raise Refused("payload") from None


def decode(frame: bytes | str) -> Expected:
    """The frame's values by the policy, or Refused."""
    try:
        values = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise Refused("json") from None
    if type(values) is not dict:
        raise Refused("root")
    if type(values.get("type")) is not str:
        raise Refused("type")
    keys = PAYLOAD_KEYS.get(values["type"])
    if keys is None:
        return Expected(values, None)
    for key in keys:
        payload = values.get(key)
        if payload is None:
            continue
        if type(payload) is not str:
            raise Refused("payload")
        return Expected(values, base64(payload))
    return Expected(values, b"")


_SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _can_become_canonical(prefix: str) -> bool:
    """Whether some text that begins with `prefix` is canonical base64: by trying what could complete its last group."""
    group = prefix[len(prefix) // 4 * 4 :]
    whole = prefix[: len(prefix) - len(group)]
    if "=" in whole[:-4]:
        return False
    if "=" in whole and group:
        return False
    for completion in ("", "=", "==", "A", "AA", "AAA", "A=", "A==", "AA="):
        text = prefix + completion
        if len(text) % 4 == 0:
            try:
                base64(text)
            except Refused:
                continue
            return True
    return False


def base64_fault(text: str) -> int | None:
    """The index of the first character after which no canonical text is possible (the last symbol for pad bits, the
    length where it is short); None where the text is canonical."""
    for end in range(1, len(text) + 1):
        if _can_become_canonical(text[:end]):
            continue
        if text[end - 1] == "=" and end % 4 in (3, 0):
            # Padding may stand here: then it is the symbol before it that has bits set.
            symbols = text[:end].rstrip("=")
            clean = symbols[:-1] + "A" + text[len(symbols) : end]
            if set(symbols) <= set(_SYMBOLS) and _can_become_canonical(clean):
                return len(symbols) - 1
        return end - 1
    try:
        base64(text)
    except Refused:
        return len(text)
    return None
