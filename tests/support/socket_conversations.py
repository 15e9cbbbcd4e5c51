"""Conversations as other sockets have them: (seconds, direction, frame), with an interruption, tools and several turns."""

from __future__ import annotations

import base64
import json
from typing import Any, Literal

import numpy as np

import realtime_pcm as rp

Said = tuple[float, Literal["received", "sent"], dict[str, Any]]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def tone(seconds: float, rate: int = 24_000, height: int = 500) -> bytes:
    return np.full(round(seconds * rate), height, "<i2").tobytes()


def messages(said: list[Said], catalogue: Any) -> list[tuple[float, Any]]:
    """The messages of a conversation with their times, decoded by the two sides of one session."""
    session = rp.Session()
    decoders = {
        "received": rp.Decoder(catalogue=catalogue, session=session),
        "sent": rp.Decoder(catalogue=catalogue, session=session, side="client"),
    }
    return [(time, decoders[way].decode(json.dumps(frame))) for time, way, frame in said]


# ---- Gemini Live


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def speech(seconds: float) -> dict[str, Any]:
    part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": b64(tone(seconds))}}
    return content(modelTurn={"parts": [part]})


def microphone(seconds: float) -> dict[str, Any]:
    return {"realtimeInput": {"audio": {"data": b64(tone(seconds, 16_000)), "mimeType": "audio/pcm;rate=16000"}}}


USAGE = {"promptTokenCount": 5, "responseTokenCount": 4, "totalTokenCount": 9}
CALLS = [{"id": "f1", "name": "weather", "args": {"city": "Rome"}}, {"id": "f2", "name": "clock", "args": {}}]
RESULTS = [{"id": "f1", "name": "weather", "response": {"output": "dry"}}]
GEMINI: list[Said] = [
    (0.0, "sent", {"setup": {"model": "models/gemini-live", "generationConfig": {"responseModalities": ["AUDIO"]}}}),
    (0.1, "received", {"setupComplete": {"sessionId": "s1"}}),
    (1.0, "sent", microphone(1.0)),
    (1.2, "received", content(inputTranscription={"text": "How is "})),
    (1.3, "received", content(inputTranscription={"text": "the weather?"})),
    (1.4, "received", {"toolCall": {"functionCalls": CALLS}}),
    (1.6, "sent", {"toolResponse": {"functionResponses": RESULTS}}),
    (1.7, "received", {"toolCallCancellation": {"ids": ["f2"]}}),
    (2.0, "received", content(outputTranscription={"text": "It is"}) | {"usageMetadata": {"totalTokenCount": 7}}),
    (2.0, "received", speech(1.0)),
    (2.1, "received", content(outputTranscription={"text": " dry in Rome, and"})),
    (2.2, "received", speech(2.0)),
    (3.0, "sent", microphone(0.5)),
    (3.5, "received", content(interrupted=True)),
    (3.5, "received", content(turnComplete=True) | {"usageMetadata": USAGE}),
    (3.6, "received", content(inputTranscription={"text": "Thank you."})),
    (4.0, "received", speech(0.5)),
    (4.1, "received", content(outputTranscription={"text": "You are welcome."})),
    (4.1, "received", content(generationComplete=True)),
    (4.6, "received", content(turnComplete=True)),
]

# ---- ElevenLabs Agents


def agent(number: int, seconds: float) -> dict[str, Any]:
    event = {"audio_base_64": b64(tone(seconds, 16_000)), "event_id": number}
    return {"audio_event": event, "type": "audio"}


def user(words: str) -> dict[str, Any]:
    return {"user_transcription_event": {"user_transcript": words}, "type": "user_transcript"}


def answer(words: str) -> dict[str, Any]:
    return {"agent_response_event": {"agent_response": words}, "type": "agent_response"}


FORMATS = {
    "conversation_id": "c1",
    "agent_output_audio_format": "pcm_16000",
    "user_input_audio_format": "pcm_16000",
}
CALL = {"tool_name": "weather", "tool_call_id": "t1", "parameters": {"city": "Rome"}}
ELEVENLABS: list[Said] = [
    (0.0, "sent", {"type": "conversation_initiation_client_data", "dynamic_variables": {}}),
    (0.1, "received", {"conversation_initiation_metadata_event": FORMATS, "type": "conversation_initiation_metadata"}),
    (1.0, "sent", {"user_audio_chunk": b64(tone(1.0, 16_000))}),
    (1.2, "received", user("How is the weather?")),
    (1.3, "received", {"client_tool_call": CALL, "type": "client_tool_call"}),
    (1.5, "sent", {"type": "client_tool_result", "tool_call_id": "t1", "result": "dry", "is_error": False}),
    (2.0, "received", answer("It is dry in Rome, and warm.")),
    (2.0, "received", agent(1, 1.0)),
    (2.2, "received", agent(2, 2.0)),
    (3.0, "sent", {"user_audio_chunk": b64(tone(0.5, 16_000))}),
    (3.5, "received", {"interruption_event": {"event_id": 3}, "type": "interruption"}),
    (3.5, "received", agent(3, 0.25)),  # late
    (3.6, "received", user("Thank you.")),
    (4.0, "received", answer("You are welcome.")),
    (4.0, "received", agent(4, 0.5)),
]

# ---- Twilio Media Streams: the leg of a call; what is sent is played to the caller

START = {
    "accountSid": "AC1",
    "streamSid": "MZ1",
    "callSid": "CA1",
    "tracks": ["inbound"],
    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    "customParameters": {},
}


def heard(number: int, track: str = "inbound") -> dict[str, Any]:
    media = {"track": track, "chunk": str(number), "timestamp": str(20 * number), "payload": b64(bytes(range(160)))}
    return {"event": "media", "sequenceNumber": str(number + 1), "media": media, "streamSid": "MZ1"}


def played(seconds: float) -> dict[str, Any]:
    return {"event": "media", "streamSid": "MZ1", "media": {"payload": b64(b"\x90" * round(8000 * seconds))}}


def mark(name: str, number: int | None = None) -> dict[str, Any]:
    frame: dict[str, Any] = {"event": "mark", "streamSid": "MZ1", "mark": {"name": name}}
    return frame if number is None else {"event": "mark", "sequenceNumber": str(number), **frame}


TWILIO: list[Said] = [
    (0.0, "received", {"event": "connected", "protocol": "Call", "version": "1.0.0"}),
    (0.0, "received", {"event": "start", "sequenceNumber": "1", "start": START, "streamSid": "MZ1"}),
    *((0.02 * number, "received", heard(number)) for number in range(1, 51)),
    (1.2, "sent", played(0.5)),
    (1.2, "sent", mark("audio-1")),
    (1.3, "sent", played(1.5)),
    (1.3, "sent", mark("audio-2")),
    (1.7, "received", mark("audio-1", 52)),
    (2.0, "received", heard(53)),
    (2.2, "sent", {"event": "clear", "streamSid": "MZ1"}),
    (2.2, "received", mark("audio-2", 54)),
    (3.0, "sent", played(0.25)),
    (3.5, "received", {"event": "stop", "sequenceNumber": "55", "stop": {"callSid": "CA1"}, "streamSid": "MZ1"}),
]

# ---- Azure Communication Services

ABOUT = {"subscriptionId": "q0", "encoding": "PCM", "sampleRate": 16_000, "channels": 1, "length": 640}


def participant(seconds: float, name: str = "8:acs:x") -> dict[str, Any]:
    data = {"timestamp": "2026-01-01T00:00:00Z", "data": b64(tone(seconds, 16_000)), "participantRawID": name, "silent": False}
    return {"kind": "AudioData", "audioData": data}


ACS: list[Said] = [
    (0.0, "received", {"kind": "AudioMetadata", "audioMetadata": ABOUT}),
    (0.5, "received", participant(0.5)),
    (1.0, "received", participant(0.5)),
    (1.2, "sent", {"Kind": "AudioData", "AudioData": {"Data": b64(tone(1.0, 16_000))}, "StopAudio": None}),
    (1.7, "sent", {"Kind": "StopAudio", "AudioData": None, "StopAudio": {}}),
    (2.0, "received", {"kind": "DtmfData", "dtmfData": {"data": "5"}}),
]

ALL: dict[str, list[Said]] = {"gemini": GEMINI, "elevenlabs": ELEVENLABS, "twilio": TWILIO, "acs": ACS}
