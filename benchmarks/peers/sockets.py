"""Frames of other sockets: audio in nested objects, read as a bridge reads it. `google-genai` reads those of Gemini Live."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from . import Wire


def ours() -> dict[str, Any]:
    from realtime_pcm import Decoder
    from realtime_pcm.sockets import elevenlabs, gemini, twilio

    def decoder(catalogue: Any, start: str, **options: Any) -> Any:
        made = Decoder(catalogue=catalogue, **options)
        made.decode(start)
        return made.decode

    of_gemini = decoder(gemini, '{"setupComplete":{}}')
    of_twilio, of_twilio_bytes = (decoder(twilio, TWILIO_START, dtype=dtype) for dtype in ("int16", "uint8"))
    of_elevenlabs = decoder(elevenlabs, ELEVENLABS_START)

    def read_gemini(frames: Sequence[Wire]) -> tuple[Any, ...]:
        for frame in frames:
            message = of_gemini(frame)
            kind, pcm = message.format, message.pcm
        return kind, pcm

    def read_twilio(frames: Sequence[Wire], decode: Any) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
            kind, stream, track, timestamp = message.type, message.stream_sid, message.track, message.timestamp
            pcm = message.pcm
        return kind, stream, track, timestamp, pcm

    def read_elevenlabs(frames: Sequence[Wire]) -> tuple[Any, ...]:
        for frame in frames:
            message = of_elevenlabs(frame)
            kind, number, pcm = message.type, message.number, message.pcm
        return kind, number, pcm

    return {
        "gemini": read_gemini,
        "twilio": partial(read_twilio, decode=of_twilio),
        "twilio_bytes": partial(read_twilio, decode=of_twilio_bytes),
        "elevenlabs": read_elevenlabs,
    }


def orjson_pybase64() -> dict[str, Any]:
    import orjson
    import pybase64

    return _by_key(orjson.loads, partial(pybase64.b64decode, validate=True, canonical=True))


def json_base64() -> dict[str, Any]:
    from base64 import b64decode

    return _by_key(json.loads, b64decode)


def _by_key(loads: Callable[[Any], Any], b64decode: Callable[[Any], Any]) -> dict[str, Any]:
    frombuffer, int16, uint8, table = np.frombuffer, np.dtype(np.int16), np.dtype(np.uint8), mulaw_table()

    def gemini(frames: Sequence[Wire]) -> tuple[Any, ...]:
        for frame in frames:
            blob = loads(frame)["serverContent"]["modelTurn"]["parts"][0]["inlineData"]
            kind, pcm = blob["mimeType"], frombuffer(b64decode(blob["data"]), int16)
        return kind, pcm

    def twilio(frames: Sequence[Wire], law: Any = table) -> tuple[Any, ...]:
        for frame in frames:
            message = loads(frame)
            media = message["media"]
            kind, stream, track, timestamp = message["event"], message["streamSid"], media["track"], media["timestamp"]
            pcm = frombuffer(b64decode(media["payload"]), uint8)
            if law is not None:
                pcm = law[pcm]
        return kind, stream, track, timestamp, pcm

    def elevenlabs(frames: Sequence[Wire]) -> tuple[Any, ...]:
        for frame in frames:
            message = loads(frame)
            event = message["audio_event"]
            kind, number = message["type"], event["event_id"]
            pcm = frombuffer(b64decode(event["audio_base_64"]), int16)
        return kind, number, pcm

    return {"gemini": gemini, "twilio": twilio, "twilio_bytes": partial(twilio, law=None), "elevenlabs": elevenlabs}


def google_genai() -> dict[str, Any]:
    """What AsyncSession._receive of google.genai.live does with a frame."""
    types: Any = import_module("google.genai.types")
    converters: Any = import_module("google.genai._live_converters")
    frombuffer, int16 = np.frombuffer, np.dtype(np.int16)

    def gemini(frames: Sequence[Wire]) -> tuple[Any, ...]:
        for frame in frames:
            kwargs = types.LiveServerMessage().model_dump()
            response = converters._LiveServerMessage_from_mldev(json.loads(frame))
            message = types.LiveServerMessage._from_response(response=response, kwargs=kwargs)
            blob = message.server_content.model_turn.parts[0].inline_data
            kind, pcm = blob.mime_type, frombuffer(blob.data, int16)
        return kind, pcm

    return {"gemini": gemini}


def mulaw_table() -> np.ndarray[Any, np.dtype[np.int16]]:
    """The 256 values of mu-law (ITU-T G.711, table 2a)."""
    codes = ~np.arange(256) & 0xFF
    magnitudes = (((codes & 15) << 1) + 33 << (codes >> 4 & 7)) - 33
    return np.where(codes & 0x80, -4 * magnitudes, 4 * magnitudes).astype(np.int16)


TWILIO_START = json.dumps(
    {
        "event": "start",
        "streamSid": "MZ1",
        "start": {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}},
    }
)
ELEVENLABS_START = json.dumps(
    {
        "conversation_initiation_metadata_event": {"agent_output_audio_format": "pcm_16000"},
        "type": "conversation_initiation_metadata",
    }
)
