"""Frames of a session, as its tests need them: small, and with nothing in them that is not asked for."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm import AudioFormat

PCM = np.array([0, 1, -1, 256, -256, 32767, -32768, 12345], "<i2")
RAW = PCM.tobytes()
DEFAULT = AudioFormat("pcm16", 24000)
ULAW = AudioFormat("g711_ulaw", 8000)
ALAW = AudioFormat("g711_alaw", 8000)


def dumps(**values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def delta(raw: bytes = RAW, wire: str = "response.output_audio.delta", **values: Any) -> bytes:
    return dumps(type=wire, **values, delta=b64(raw))


def session(kind: str = "session.updated", **values: Any) -> bytes:
    return dumps(type=kind, event_id="e", session=values)


def nested(*formats: Any, side: str = "output") -> dict[str, Any]:
    return {"audio": {side: {"format": formats[0]}}}


def decoder_after(*frames: bytes, **options: Any) -> rp.Decoder:
    decoder = rp.Decoder(**options)
    for frame in frames:
        decoder.decode(frame)
    return decoder


def response(kind: str, response_id: str | None = "r1", **values: Any) -> bytes:
    return dumps(type=kind, response={"id": response_id, **values} if response_id else values)


def done(wire: str = "response.output_audio.done", **values: Any) -> bytes:
    return dumps(type=wire, **values)
