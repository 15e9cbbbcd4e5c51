"""Frames as the servers write them, made from a seed: sizes, key orders, spacing and the mix of a session are the real ones,
every byte of the content is made up here. Each frame comes with the answer that a decoder must give for it."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

SEED = 20241001
RATE = 24_000

AUDIO = "response.output_audio.delta"
TRANSCRIPT = "response.output_audio_transcript.delta"
TEXT = "response.output_text.delta"
ARGUMENTS = "response.function_call_arguments.delta"
INPUT_TRANSCRIPT = "conversation.item.input_audio_transcription.delta"
CREATED = "session.created"
ITEM_ADDED = "conversation.item.added"
DONE = "response.done"
APPEND = "input_audio_buffer.append"
TEXT_DELTAS = frozenset((TRANSCRIPT, TEXT, ARGUMENTS))

# Frame length in bytes: OpenAI's first, second and following deltas, the median at xAI, the largest reported at Azure OpenAI.
AUDIO_SIZES = {"6.6 kB": 6_600, "9.8 kB": 9_800, "16.2 kB": 16_200, "31.5 kB": 31_500, "73.8 kB": 73_800}
ITEM_SIZE = 3_476_354
USUAL = AUDIO_SIZES["16.2 kB"]
ENVELOPE = 207  # what stands around the delta in OpenAI's audio frames

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_WORDS = (
    "the of and to a in is that it was for on are with as his they at be this from or had by word but what some we can out"
    " other were all there when up use your how said an each she which do their time if will way about many then them would"
    " write like so these her long make thing see him two has look more day could go come did my sound no most number who"
    " over know water"
).split()


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame and its answer: (type, event_id, response_id, item_id, payload), the payload being samples, a string or None;
    ids that a loop does not read are None. For other kinds of loop: (accepted,), (samples,), (base64 text,). Where samples are
    sent, ``wire`` is the array, and the answer (type, bytes of the payload)."""

    wire: Any
    answer: tuple[Any, ...]

    @property
    def size(self) -> int:
        """Bytes of the frame, or of the samples."""
        return len(self.wire) if isinstance(self.wire, bytes) else int(self.wire.nbytes)


def speech(generator: np.random.Generator, count: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Something like voiced speech: a wandering pitch with a few harmonics, breath noise, a slow envelope."""
    time = np.arange(count) / RATE
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time + generator.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(phase * harmonic) / harmonic for harmonic in range(1, 6))
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 2.3 * time + generator.uniform(0, 6))
    signal: np.ndarray[Any, np.dtype[Any]] = 6_000 * envelope * voice + generator.normal(0, 40, count)
    return signal.astype("<i2")


def dumps(value: object) -> bytes:
    """Compact, non-ASCII as it is: the form of nearly every server."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class Server:
    """Makes the frames of one connection: ids that stay for a response, event ids that never repeat."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        self._generator = np.random.default_rng(seed)
        self.conversation_id = self.id("conv")
        self.start_response()

    def start_response(self) -> None:
        self.response_id, self.item_id = self.id("resp"), self.id("item")

    def id(self, prefix: str) -> str:
        return f"{prefix}_{self.letters(21)}"

    def uuid(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def letters(self, count: int) -> str:
        return "".join(self._random.choices(_ALPHABET, k=count))

    def word(self) -> str:
        return " " + self._random.choice(_WORDS)

    def sentence(self, words: int) -> str:
        return "".join(self.word() for _ in range(words)).strip().capitalize() + "."

    def samples(self, count: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        return speech(self._generator, count)

    def event(self, type: str, **fields: object) -> Frame:
        """Any message, in OpenAI's order: type, event_id, then the fields as given."""
        event_id = self.id("event")
        answer: tuple[Any, ...] = (type, event_id, None, None, None)
        if "delta" in fields:
            answer = (type, event_id, fields.get("response_id"), fields["item_id"], fields["delta"])
        elif type == ITEM_ADDED:
            answer = (type, event_id, None, None, cast("dict[str, object]", fields["item"])["id"])
        return Frame(dumps({"type": type, "event_id": event_id, **fields}), answer)

    def delta(self, type: str, text: str) -> Frame:
        """A text, transcript or argument delta with the padding key that OpenAI adds to these: 16 bytes with the text."""
        fields: dict[str, object] = {"response_id": self.response_id, "item_id": self.item_id, "output_index": 0}
        if type == ARGUMENTS:
            fields["call_id"] = f"call_{self.letters(16)}"
        else:
            fields["content_index"] = 0
        return self.event(type, **fields, delta=text, obfuscation=self.letters(max(1, 16 - len(text))))

    def bare_delta(self, type: str, text: str) -> Frame:
        """A delta of about 220 bytes, without padding key."""
        ids = {"response_id": self.response_id, "item_id": self.item_id, "output_index": 0, "content_index": 0}
        return self.event(type, **ids, delta=text)

    def audio(self, size: int, provider: str = "openai") -> Frame:
        """One audio delta, about ``size`` bytes of frame, in the order and spacing of ``provider``."""
        samples = self.samples((size - ENVELOPE) // 8 * 3)
        return PROVIDERS[provider](self, base64.b64encode(samples.tobytes()).decode(), samples)

    def numbers(self, piece: str, size: int) -> Frame:
        """An audio delta with an undeclared array of one number, again and again, about ``size`` bytes."""
        plain = self.audio(ENVELOPE + 64)
        array = ",".join([piece] * (size // (len(piece) + 1)))
        return Frame(plain.wire[:-1] + b',"numbers":[' + array.encode() + b"]}", plain.answer)

    # Cold messages: once a session or once a response.

    def session_created(self) -> Frame:
        session = {
            "type": "realtime", "object": "realtime.session", "id": self.id("sess"), "model": "gpt-realtime",
            "output_modalities": ["audio"], "instructions": " ".join(self.sentence(14) for _ in range(7)), "tools": [],
            "tool_choice": "auto", "max_output_tokens": "inf", "tracing": None, "truncation": "auto", "prompt": None,
            "expires_at": 1_785_217_650,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": RATE}, "transcription": None, "noise_reduction": None,
                    "turn_detection": {
                        "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
                        "idle_timeout_ms": None, "create_response": True, "interrupt_response": True,
                    },
                },
                "output": {"format": {"type": "audio/pcm", "rate": RATE}, "voice": "marin", "speed": 1.0},
            },
            "include": None,
        }  # fmt: skip
        return self._nested(CREATED, "session", session, session["model"])

    def response_created(self) -> Frame:
        return self._nested("response.created", "response", self._response("in_progress", [], None), None)

    def response_done(self, transcript: str) -> Frame:
        usage = {
            "total_tokens": 412, "input_tokens": 263, "output_tokens": 149,
            "input_token_details": {
                "text_tokens": 201, "audio_tokens": 62, "image_tokens": 0, "cached_tokens": 192,
                "cached_tokens_details": {"text_tokens": 192, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": 34, "audio_tokens": 115},
        }  # fmt: skip
        item = self._item("completed", [{"type": "output_audio", "transcript": transcript}])
        return self._nested(DONE, "response", self._response("completed", [item], usage), "completed")

    def item_added(self, size: int = 0) -> Frame:
        """An item; with a size, one that carries that many bytes of the user's audio, which are then its payload."""
        part: dict[str, object] = {"type": "input_audio", "transcript": None}
        payload: object = None
        if size:
            payload = self.samples((size - 330) // 8 * 3)
            part["audio"] = base64.b64encode(payload.tobytes()).decode()
        item = {"id": self.id("item"), "type": "message", "status": "completed", "role": "user", "content": [part]}
        event_id = self.id("event")
        wire = dumps({"type": ITEM_ADDED, "event_id": event_id, "previous_item_id": None, "item": item})
        return Frame(wire, (ITEM_ADDED, event_id, None, None, item["id"] if payload is None else payload))

    def _nested(self, type: str, key: str, value: object, payload: object) -> Frame:
        event_id = self.id("event")
        return Frame(dumps({"type": type, "event_id": event_id, key: value}), (type, event_id, None, None, payload))

    def _item(self, status: str, content: list[dict[str, str]]) -> dict[str, object]:
        return {"id": self.item_id, "type": "message", "status": status, "role": "assistant", "content": content}

    def _response(self, status: str, output: list[object], usage: object) -> dict[str, object]:
        return {
            "object": "realtime.response", "id": self.response_id, "status": status, "status_details": None,
            "output": output, "conversation_id": self.conversation_id, "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": {"type": "audio/pcm", "rate": RATE}, "voice": "marin"}},
            "usage": usage, "metadata": None,
        }  # fmt: skip

    # Whole turns, in the order and mix of OpenAI's traffic: 27 audio, 16 transcript and 7 input transcript deltas, 20 others.

    def voice_turn(self) -> Iterator[Frame]:
        self.start_response()
        user_item = self.id("item")
        user = {"id": user_item, "type": "message", "status": "completed", "role": "user",
                "content": [{"type": "input_audio", "transcript": None}]}  # fmt: skip
        yield self.event("input_audio_buffer.speech_started", audio_start_ms=1_460, item_id=user_item)
        yield self.event("input_audio_buffer.speech_stopped", audio_end_ms=4_256, item_id=user_item)
        yield self.event("input_audio_buffer.committed", previous_item_id=None, item_id=user_item)
        yield self.event(ITEM_ADDED, previous_item_id=None, item=user)
        yield self.event("conversation.item.done", previous_item_id=None, item=user)
        yield self.response_created()
        indices: dict[str, object] = {"response_id": self.response_id, "output_index": 0}
        place = {**indices, "item_id": self.item_id, "content_index": 0}
        yield self.event("response.output_item.added", **indices, item=self._item("in_progress", []))
        yield self.event(ITEM_ADDED, previous_item_id=user_item, item=self._item("in_progress", []))
        yield self.event("response.content_part.added", **place, part={"type": "audio", "transcript": ""})
        words = [self.word() for _ in range(16)]
        heard = [self.word() for _ in range(7)]
        for number in range(27):
            if number < 7:
                fields: dict[str, object] = {"item_id": user_item, "content_index": 0, "delta": heard[number]}
                yield self.event(INPUT_TRANSCRIPT, **fields, obfuscation=self.letters(max(1, 16 - len(heard[number]))))
            if number < 16:
                yield self.delta(TRANSCRIPT, words[number])
            yield self.audio({0: 6_607, 1: 9_807}.get(number, 16_207))
        yield self.event("conversation.item.input_audio_transcription.completed", item_id=user_item, content_index=0,
                         transcript="".join(heard), usage={"type": "duration", "seconds": 3})  # fmt: skip
        transcript = "".join(words)
        content = [{"type": "output_audio", "transcript": transcript}]
        yield self.event("response.output_audio.done", **place)
        yield self.event("response.output_audio_transcript.done", **place, transcript=transcript)
        yield self.event("response.content_part.done", **place, part={"type": "audio", "transcript": transcript})
        yield self.event("conversation.item.done", previous_item_id=user_item, item=self._item("completed", content))
        yield self.event("response.output_item.done", **indices, item=self._item("completed", content))
        yield self.response_done(transcript)
        limits = [{"name": "tokens", "limit": 4_000_000, "remaining": 3_999_102, "reset_seconds": 0.013}]
        yield self.event("rate_limits.updated", rate_limits=limits)

    def tool_turn(self) -> Iterator[Frame]:
        """A function call answered in text: 12 argument deltas, 20 text deltas."""
        self.start_response()
        yield self.response_created()
        arguments = ['{"', "city", '":"', "Lon", "don", '","', "unit", '":"', "cel", "sius", '"', "}"]
        for piece in arguments:
            yield self.delta(ARGUMENTS, piece)
        yield self.event("response.function_call_arguments.done", response_id=self.response_id, item_id=self.item_id,
                         output_index=0, call_id=f"call_{self.letters(16)}", name="get_weather",
                         arguments="".join(arguments))  # fmt: skip
        yield self.response_done("")
        self.start_response()
        yield self.response_created()
        words = [self.word() for _ in range(20)]
        for word in words:
            yield self.delta(TEXT, word)
        yield self.event("response.output_text.done", response_id=self.response_id, item_id=self.item_id, output_index=0,
                         content_index=0, text="".join(words))  # fmt: skip
        yield self.response_done("".join(words))


def _openai(type: str) -> Callable[[Server, str, Any], Frame]:
    def make(server: Server, delta: str, samples: Any) -> Frame:
        event_id, response_id, item_id = server.id("event"), server.response_id, server.item_id
        wire = dumps({"type": type, "event_id": event_id, "response_id": response_id, "item_id": item_id, "output_index": 0,
                      "content_index": 0, "delta": delta})  # fmt: skip
        return Frame(wire, (type, event_id, response_id, item_id, samples))

    return make


def _event_id_first(server: Server, delta: str, samples: Any) -> Frame:
    type, event_id = "response.audio.delta", server.id("event")
    wire = dumps({"event_id": event_id, "type": type, "response_id": server.response_id, "item_id": server.item_id,
                  "output_index": 0, "content_index": 0, "delta": delta})  # fmt: skip
    return Frame(wire, (type, event_id, server.response_id, server.item_id, samples))


def _xai(server: Server, delta: str, samples: Any) -> Frame:
    event_id, rid = server.uuid(), server.uuid()
    wire = dumps({"type": AUDIO, "event_id": event_id, "item_id": server.item_id, "response_id": server.response_id,
                  "delta": delta, "content_index": 0, "output_index": 0, "rid": rid,
                  "audio_duration_ms": len(samples) * 1000 // RATE, "ts": 1_785_214_083_561,
                  "previous_item_id": None})  # fmt: skip
    return Frame(wire, (AUDIO, event_id, server.response_id, server.item_id, samples))


def _speaches(server: Server, delta: str, samples: Any) -> Frame:
    type, event_id = "response.audio.delta", server.id("event")
    wire = dumps({"content_index": 0, "delta": delta, "event_id": event_id, "item_id": server.item_id, "output_index": 0,
                  "response_id": server.response_id, "type": type})  # fmt: skip
    return Frame(wire, (type, event_id, server.response_id, server.item_id, samples))


def _localai(server: Server, delta: str, samples: Any) -> Frame:
    wire = dumps({"response_id": server.response_id, "item_id": server.item_id, "output_index": 0, "content_index": 0,
                  "delta": delta, "type": AUDIO})  # fmt: skip
    return Frame(wire, (AUDIO, None, server.response_id, server.item_id, samples))


def _vllm_omni(server: Server, delta: str, samples: Any) -> Frame:
    wire = json.dumps({"type": AUDIO, "audio": delta, "format": "pcm16", "sample_rate_hz": RATE}).encode()
    return Frame(wire, (AUDIO, None, None, None, samples))


def _escaped(server: Server, delta: str, samples: Any) -> Frame:
    """PHP's json_encode: every slash of the base64 escaped."""
    plain = _openai("response.audio.delta")(server, delta, samples)
    return Frame(plain.wire.replace(b"/", rb"\/"), plain.answer)


PROVIDERS: dict[str, Callable[[Server, str, Any], Frame]] = {
    "openai": _openai(AUDIO),
    "openai beta": _openai("response.audio.delta"),
    "voice live, dashscope": _event_id_first,
    "xai": _xai,
    "speaches, hf": _speaches,
    "localai": _localai,
    "vllm-omni": _vllm_omni,
    "php relay": _escaped,
}


def session(turns: int, seed: int = SEED) -> list[Frame]:
    """A conversation with OpenAI: the greeting, spoken turns, a function call after every fourth."""
    server = Server(seed)
    frames = [server.session_created()]
    for turn in range(turns):
        frames += server.voice_turn()
        if turn % 4 == 3:
            frames += server.tool_turn()
    return frames


def short_session(seed: int = SEED) -> list[Frame]:
    """The greeting, one spoken turn, one function call: 106 messages."""
    server = Server(seed)
    return [server.session_created(), *server.voice_turn(), *server.tool_turn()]


def base64_of(frame: Frame) -> str:
    """The text of an audio frame's payload."""
    return str(json.loads(frame.wire)["delta"])


NUMBERS = ("1e5", "1.25e10", "123")


def hostile(size: int) -> dict[str, Frame]:
    """Shapes that are cheap to send and costly to read carelessly, each a field of an audio message, about ``size`` bytes."""

    def field(value: bytes) -> bytes:
        return b'{"type":"response.output_audio.delta","event_id":"event_1","extra":' + value + b',"delta":"AAAAAAAA"}'

    def text(piece: bytes) -> bytes:
        return field(b'"' + piece * (size // len(piece)) + b'"')

    keys = b",".join(b'"%07d":0' % number for number in range(size * 1_000_000 // (4 << 20)))
    shapes = {
        "quotes, escaped": text(rb"\""),
        "quotes, bare": b'{"type":' + b'"' * size + b"}",
        "backslashes": text(rb"\\"),
        "\\u escapes": text(rb"\u0041"),
        "surrogate pairs": text(rb"\ud83d\ude00"),
        "three-byte UTF-8": text("音".encode()),
        "[],[],": field(b"[" + b"[]," * (size // 3) + b"0]"),
        "one number": field(b"0." + b"1" * size),
        "one key": field(b'{"' + b"k" * size + b'":0}'),
        "a million keys": field(b"{" + keys + b"}"),
        "a million top keys": b'{"type":"response.output_audio.delta",' + keys + b',"delta":"AAAAAAAA"}',
        "spaces": field(b"0" + b" " * size),
        "base64, all \\u": b'{"type":"response.output_audio.delta","delta":"' + rb"\u0041" * (size // 24 * 4) + b'"}',
        "base64, cut short": b'{"type":"response.output_audio.delta","delta":"' + b"A" * size,
    }
    refused = {"quotes, bare", "base64, cut short"}
    return {name: Frame(wire, (name not in refused,)) for name, wire in shapes.items()}


# ---- Frames of other sockets. Their answers: what peers/sockets.py reads.


def _base64_of(samples: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(samples.tobytes()).decode()


def gemini(generator: np.random.Generator, count: int) -> Frame:
    """Speech of Gemini Live, as recorded frames have it."""
    samples = speech(generator, count)
    blob = {"mimeType": "audio/pcm;rate=24000", "data": _base64_of(samples)}
    return Frame(_dumps({"serverContent": {"modelTurn": {"parts": [{"inlineData": blob}]}}}), (blob["mimeType"], samples))


def twilio(generator: np.random.Generator, as_sent: bool = False) -> Frame:
    """20 ms of a telephone."""
    from .peers.sockets import mulaw_table

    codes = generator.integers(0, 256, 160, np.uint8)
    stream, timestamp = "MZ" + 4 * "0123abcd", str(generator.integers(1_000_000))
    media = {"track": "inbound", "chunk": "7", "timestamp": timestamp, "payload": _base64_of(codes)}
    wire = _dumps({"event": "media", "sequenceNumber": "9", "media": media, "streamSid": stream})
    return Frame(wire, ("media", stream, "inbound", timestamp, codes if as_sent else mulaw_table()[codes]))


def elevenlabs(generator: np.random.Generator, count: int) -> Frame:
    """Speech of ElevenLabs Agents: the type comes last."""
    samples = speech(generator, count)
    number = int(generator.integers(1000))
    event = {"audio_base_64": _base64_of(samples), "event_id": number}
    return Frame(_dumps({"audio_event": event, "type": "audio"}), ("audio", number, samples))


def _dumps(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()
