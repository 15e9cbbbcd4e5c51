"""Values in the repr of a message: one short line, however long they are."""

from __future__ import annotations

from typing import Any

from .audio import BYTES_OF_SAMPLE, AudioFormat


def brief(value: object) -> str:
    """A string, bytes or a number."""
    if isinstance(value, str) and len(value) > 60:
        return f"{value[:56]!r}... {len(value)} characters"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return repr(value)


def samples(pcm: Any, audio_format: AudioFormat) -> str:
    """Audio as `int16[4800] 200 ms`. pcm: an array, or bytes of int16 samples. The format is that of the payload."""
    per_second = audio_format.rate * audio_format.channels
    if type(pcm) is bytes:
        text, size = f"bytes[{len(pcm)}]", len(pcm)
        per_second *= 2
    else:
        text, size = f"{pcm.dtype.name}[{pcm.size}]", pcm.size
        if pcm.dtype == "uint8":
            per_second *= BYTES_OF_SAMPLE.get(audio_format.encoding, 1)
    return f"{text} {1000 * size / per_second:.0f} ms" if audio_format._code >= 0 else text
