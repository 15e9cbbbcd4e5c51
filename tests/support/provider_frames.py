"""One realistic frame for each wire type and provider of provider_messages.json: its keys in the order and with the
spacing of that provider's serialiser, values of the kind and size it sends. Made here, not recorded.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from support.provider_messages import ENTRIES

# Bytes of PCM in a delta as the provider sends them; the others as OpenAI.
DELTA_BYTES = {"xai": 23_456, "dashscope": 15_518, "localai": 96_000, "speaches": 4_096, "vllm-omni": 7_680}
UUIDS = ("xai", "localai")
NO_EVENT_ID = ("localai", "vllm", "vllm-omni")
NO_EVENT_ID_IN = {
    ("openai-live", "session.output_audio.delta"),
    ("openai-live", "session.input_audio.append"),
    ("glm", "heartbeat"),
    ("openai", "input_audio_buffer.dtmf_event_received"),
}
TYPE_LAST = ("localai", "speaches")
EVENT_ID_FIRST = ("voice-live", "dashscope", "glm", "stepfun")
DEFAULT_SPACES = ("vllm", "vllm-omni")
ASCII_ONLY = ("vllm", "vllm-omni", "unmute")
# Written as provider_messages.json lists them; for the others the order below.
AS_LISTED = ("xai", "glm", "dashscope", "voice-live", "vllm-omni", "inworld", "localai")
ORDER = [
    "previous_item_id",
    "response_id",
    "item_id",
    "output_index",
    "content_index",
    "call_id",
    "name",
    "item",
    "part",
    "session",
    "conversation",
    "response",
    "delta",
    "text",
    "transcript",
    "arguments",
    "audio",
]

# What a provider's session says of its audio.
SESSIONS: dict[str, dict[str, Any]] = {
    "openai": {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_E5aq",
        "model": "gpt-realtime",
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": 1785216283,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 200,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
        },
        "include": None,
    },
    "openai-translation": {
        "type": "translation",
        "id": "sess_t",
        "audio": {"input": {"transcription": None}, "output": {"language": "de"}},
    },
    "openai-live": {
        "id": "live_1",
        "model": "gpt-live",
        "status": "active",
        "audio": {"format": {"type": "audio/pcm", "rate": 16000}, "output": {"voice": "cedar"}},
    },
    "voice-live": {
        "id": "sess_v",
        "model": "gpt-realtime",
        "modalities": ["text", "audio"],
        "instructions": "Antworte kurz.",
        "voice": {"name": "de-DE-SeraphinaMultilingualNeural", "type": "azure-standard"},
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16_16000hz",
        "input_audio_transcription": None,
        "turn_detection": {"type": "azure_semantic_vad"},
        "tools": [],
        "max_response_output_tokens": "inf",
        "input_audio_sampling_rate": 16000,
        "animation": None,
    },
    "xai": {
        "id": "a1f1",
        "object": "realtime.session",
        "voice": "ara",
        "model": "grok-voice-latest",
        "modalities": ["audio"],
        "input_audio_format": "not specified",
        "output_audio_format": "not specified",
        "turn_detection": {"type": "server_vad"},
        "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": 48000}, "transport": "json"},
            "output": {"format": {"type": "audio/pcm", "rate": 44100}, "transport": "json"},
        },
    },
    "dashscope": {
        "sample_rate": 16000,
        "output_audio_format": "pcm24",
        "modalities": ["text", "audio"],
        "id": "sess_WvWc",
        "turn_detection": {"type": "server_vad", "silence_duration_ms": 1000},
        "translation": {"language": "en"},
        "model": "qwen3-omni-flash-realtime",
        "voice": "Tina",
        "input_audio_format": "pcm",
        "object": "realtime.session",
    },
    "glm": {
        "object": "realtime.session",
        "id": "d9ee",
        "model": "glm-realtime",
        "modalities": ["text", "audio"],
        "voice": "tongtong",
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm",
        "beta_fields": {"chat_mode": "audio", "tts_source": "e2e"},
    },
    "inworld": {
        "type": "realtime",
        "id": "s",
        "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": 24000}},
            "output": {"format": {"type": "audio/pcmu"}, "voice": "Clive"},
        },
    },
    "vllm-omni": {"id": "s", "object": "realtime.session", "model": "Qwen3-Omni", "modalities": ["audio"]},
    "unmute": {
        "instructions": {"type": "constant", "text": "H\u00e9"},
        "voice": "unmute-prod/x.wav",
        "allow_recording": False,
    },
}

PCM16_AT = 24_000
# (input, output) as AudioFormat's arguments, once the session is known.
FORMATS = {
    "openai": (("pcm16", 24000), ("pcm16", 24000)),
    "openai-live": (("pcm16", 16000), ("pcm16", 16000)),
    "voice-live": (("pcm16", 16000), ("pcm16", 16000)),
    "xai": (("pcm16", 48000), ("pcm16", 44100)),
    "dashscope": (("pcm16", 16000), ("pcm16", 24000)),
    "inworld": (("pcm16", 24000), ("g711_ulaw", 8000)),
}


def formats_of(provider: str) -> tuple[tuple[str, int], tuple[str, int]]:
    return FORMATS.get(provider, (("pcm16", PCM16_AT), ("pcm16", PCM16_AT)))


@dataclass(frozen=True)
class ProviderFrame:
    provider: str
    type: str
    class_name: str
    text: str
    payload: bytes  # what its base64 stands for; b"" where it has none

    @property
    def name(self) -> str:
        return f"{self.provider} {self.type}"


def _id(kind: str, provider: str, rng: random.Random) -> str:
    if provider in UUIDS:
        digits = f"{rng.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return f"{kind}_" + "".join(rng.choices(letters, k=21))


def _part(kind: str) -> dict[str, Any]:
    return {"type": kind, "transcript": "Gr\u00fc\u00df Gott \u2013 wie geht's?"}


def _values(provider: str, wire: str, rng: random.Random) -> dict[str, Any]:
    """A value for every key that any provider sends."""
    item = {
        "id": _id("item", provider, rng),
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [_part("output_audio" if provider in ("openai", "xai", "inworld", "localai") else "audio")],
    }
    response: dict[str, Any] = {
        "object": "realtime.response",
        "id": _id("resp", provider, rng),
        "status": "completed",
        "status_details": None,
        "output": [item],
        "conversation_id": "",
        "metadata": None,
        "usage": {
            "total_tokens": 253,
            "input_tokens": 132,
            "output_tokens": 121,
            "input_token_details": {"text_tokens": 119, "cached_tokens": 64},
        },
    }
    if provider == "xai":
        response |= {"status_details": "unimplemented", "usage": {}}
    if provider in ("openai", "xai"):
        response["audio"] = {
            "output": {k: v for k, v in SESSIONS[provider]["audio"]["output"].items() if k in ("format", "voice")}
        }
    if provider in ("voice-live", "dashscope"):
        response["output_audio_format"] = SESSIONS[provider]["output_audio_format"]
    # Events within events, or the name of one.
    event: Any = {"type": "input", "digit": "5"} if "event" in wire or "dtmf" in wire else "client.event"
    if wire == "input_audio_buffer.dtmf_event_received":
        event = "9"
    text = 'It\u2019s 21 \u00b0C, "sunny" \U0001f31e'
    return {
        "response_id": _id("resp", provider, rng),
        "item_id": _id("item", provider, rng),
        "call_id": _id("call", provider, rng),
        "previous_item_id": None if provider == "xai" else _id("item", provider, rng),
        "output_index": 0,
        "content_index": 0,
        "session": SESSIONS.get(provider, {}),
        "response": response,
        "item": item,
        "part": _part("audio"),
        "conversation": {"id": _id("conv", provider, rng), "object": "realtime.conversation"},
        "error": {
            "type": "invalid_request_error",
            "code": "invalid_value",
            "message": "Invalid value: 'x'.",
            "param": "session.y",
            "event_id": None,
        },
        "warning": {"message": "voice changed", "code": "w", "param": None},
        "rate_limits": [{"name": "requests", "limit": 5000, "remaining": 4999, "reset_seconds": 0.012}],
        "usage": {"type": "tokens", "total_tokens": 22, "input_tokens": 13, "output_tokens": 9},
        "logprobs": [{"token": "It", "logprob": -0.0021, "bytes": [73, 116]}],
        "languages": [{"language": "en"}],
        "phrases": [],
        "delta": '{"city":"K\u00f6ln"}' if "arguments" in wire else text[: rng.randint(2, 24)],
        "transcript": text,
        "text": text,
        "arguments": '{"city":"K\u00f6ln","unit":"c"}',
        "name": "get_weather",
        "obfuscation": "qX3vR0",
        "stash": "and",
        "language": "en",
        "emotion": "neutral",
        "audio_start_ms": 1184,
        "audio_end_ms": 2144,
        "start_ms": 0,
        "end_ms": 250,
        "elapsed_ms": 200,
        "offset_ms": 12,
        "start": 0.25,
        "end": 1.75,
        "start_time": 0.96,
        "audio_duration_ms": 489,
        "audio_offset_ms": 50,
        "latency": "0.68",
        "latency_ms": 12.5,
        "fill_latency_ms": 3.25,
        "ts": 1785214083561,
        "timestamp": 1785214083561,
        "client_timestamp": 1737454096061,
        "received_at": 1763114912,
        "created": 1763114912,
        "rid": _id("rid", provider, rng),
        "sample_rate": 24000,
        "sample_rate_hz": 24000,
        "channels": 1,
        "format": "pcm16",
        "codec": "h264",
        "frame_index": 3,
        "frames": [[0.0, 0.25], [1.0, 0.5]],
        "viseme_id": 7,
        "timestamp_type": "word",
        "server_sdp": "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\n",
        "annotation": {"type": "url_citation", "url": "https://example.org/?a=1&b=2"},
        "annotation_index": 0,
        "sequence_number": 4,
        "turn_id": "turn_1",
        "turn_state": "speaking",
        "event": event,
        "epoch": 2,
        "action": "continue",
        "policy": "barge_in",
        "reason": "timeout",
        "metadata": {"trace": "a/b"},
        "session_id": "sess_1",
        "attachment_generation": 1,
        "resume_token": "tok",
        "has_audio": True,
        "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": text}],
        "code": "c",
        "message": "m",
        "data": "e30=",
        "fragment_index": 0,
        "total_fragments": 2,
        "id": _id("id", provider, rng),
        "speaker": {"id": "spk_1", "name": "Ada", "confidence": 0.9},
        "speaker_name": "Ada",
        "detections": [{"label": "bell", "score": 0.8}],
        "scores": {"a": 0.9, "b": 0.1},
        "chosen_id": "a",
        "threshold": 0.5,
        "fallback": False,
        "chain": ["a", "b"],
        "stage": "tts",
        "from": "a",
        "to": "b",
        "state": "failed",
        "status": "completed",
        "digit": "5",
        "delegation": {"id": "d", "status": "open"},
        "delegation_id": "d",
        "trigger_id": "t",
        "client_event_id": None,
        "source_event_id": "e",
        "source_event_type": "response.done",
        "context_window": {"used_tokens": 10},
        "conversation_id": "conv_1",
        "consultation_id": "c1",
        "subagent_name": "billing",
        "rtc_call_id": "rtc_1",
        "sdp_answer": "v=0\r\n",
        "operation": "create",
        "content": _part("audio"),
        "backchannel_id": "b1",
        "phrase": "uh-huh",
        "words": ["It\u2019s", "21"],
        "start_seconds": [0.0, 0.25],
        "end_seconds": [0.25, 0.5],
        "end_of_turn_confidence": 0.75,
        "processed_ms": 1500.0,
        "echo_id": 1,
        "client_sent_at": 1785214083.25,
        "server_received_at": 1785214083.5,
        "server_sent_at": 1785214083.75,
        "payload": {"a": 1},
        "duration": 0.5,
        "tokens": [{"token_id": 7, "text": "It", "confidence": 0.9}],
        "event_type": "delta",
        "is_last_result": True,
        "words_info": {"words": []},
        "synthesis_metadata": {"audio_duration_ms": 250},
        "intermediate": text,
    }


def _ordered(provider: str, wire: str, values: dict[str, Any], event_id: str | None) -> dict[str, Any]:
    keys = list(values)
    if provider not in AS_LISTED:
        known = {key: place for place, key in enumerate(ORDER)}
        keys.sort(key=lambda key: known.get(key, len(ORDER)))
    head = {"type": wire} | ({} if event_id is None else {"event_id": event_id})
    if provider in EVENT_ID_FIRST:
        head = dict(reversed(head.items()))
    members = {key: values[key] for key in keys}
    if provider == "speaches":
        return dict(sorted(({k: v for k, v in head.items() if k != "type"} | members).items())) | {"type": wire}
    if provider in TYPE_LAST:
        return members | head
    if (provider, wire) == ("xai", "session.updated"):
        return {"session": members.pop("session")} | head | members
    if (provider, wire) == ("dashscope", "response.text.done"):
        return {"text": members.pop("text")} | head | members
    return head | members


def _payload_key(provider: str, wire: str) -> str | None:
    if wire == "session.input_audio.append" or (provider, wire) == ("vllm-omni", "response.output_audio.delta"):
        return "audio"
    if wire == "conversation.item.speech.data":
        return "audio"
    return "delta" if wire.endswith(("audio.delta", "audio_output.delta", "video.delta")) else None


def provider_frames() -> Iterator[ProviderFrame]:
    """All of them, the same each time."""
    for entry in ENTRIES:
        wire = entry["type"]
        for provider, fields in entry["fields"].items():
            rng = random.Random(f"{provider} {wire}")
            every = _values(provider, wire, rng)
            payload = b""
            key = _payload_key(provider, wire)
            if key is not None:
                payload = rng.randbytes(DELTA_BYTES.get(provider, 12_000))
                every[key] = base64.b64encode(payload).decode()
            unknown = [name for name in fields if name not in every]
            assert not unknown, f"{wire}: _values() has no value for {unknown}: add one as {provider} writes it"
            # vLLM-Omni has two names for the payload and sends one.
            values = {name: every[name] for name in fields if (name, key) != ("delta", "audio")}
            bare = provider in NO_EVENT_ID or (provider, wire) in NO_EVENT_ID_IN
            members = _ordered(provider, wire, values, None if bare else _id("event", provider, rng))
            spaces = (", ", ": ") if provider in DEFAULT_SPACES else (",", ":")
            text = json.dumps(members, separators=spaces, ensure_ascii=provider in ASCII_ONLY)
            yield ProviderFrame(provider, wire, entry["class"], text, payload)
