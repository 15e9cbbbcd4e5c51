"""Makes src/realtime_pcm/sample/session.jsonl: one spoken turn, laid out like a recorded OpenAI GA session.

    python tools/make_sample.py [FILE]

Needs numpy and the espeak-ng command. The speech is synthetic; ids and padding come from a seeded generator, so the
same espeak-ng gives the same file.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

RATE = 24_000
MODEL = "gpt-realtime"
VOICE = "marin"
QUESTION = "Hi, has my parcel left the warehouse yet?"
# Short: more than nine tenths of the file are speech, which hardly packs, and every wheel carries it.
ANSWER = "Good news: it went out this morning. It’s with you by noon."
INSTRUCTIONS = "You answer questions about deliveries. Be brief, friendly and exact."
# Bytes of PCM a delta: 100 ms, 150 ms, then 250 ms each, as the server cuts them.
FIRST_CUTS = (4_800, 7_200)
CUT = 12_000

ALPHABET = string.ascii_letters + string.digits
DEFAULT_TARGET = Path(__file__).resolve().parent.parent / "src/realtime_pcm/sample/session.jsonl"


class Recording:
    """Collects events in the server's key order and spelling."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.second = 0

    def new_id(self, prefix: str) -> str:
        # Five characters that follow the clock, then sixteen at random.
        clock = "DkR4" + ALPHABET[self.second]
        return f"{prefix}_{clock}{''.join(self.random.choices(ALPHABET, k=16))}"

    def add(self, type_: str, **fields: Any) -> None:
        event = {"type": type_, "event_id": self.new_id("event"), **fields}
        self.lines.append(json.dumps(event, ensure_ascii=False, separators=(",", ":")))

    def add_text(self, type_: str, delta: str, **fields: Any) -> None:
        """A text delta: padded by `obfuscation` so that its length says nothing."""
        padding = "".join(self.random.choices(ALPHABET, k=16 - len(delta) % 16))
        self.add(type_, **fields, delta=delta, obfuscation=padding)


def speak(text: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The text as 24 kHz mono int16."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "speech.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-s", "165", "-a", "90", "-w", str(spoken), text], check=True)
        with wave.open(str(spoken), "rb") as file:
            assert file.getnchannels() == 1 and file.getsampwidth() == 2
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return resample(samples, rate)


def resample(samples: np.ndarray[Any, Any], rate: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Band-limited resampling to 24 kHz: the spectrum is padded (or cut) and turned back."""
    divisor = np.gcd(rate, RATE)
    step_in, step_out = rate // divisor, RATE // divisor
    # Silence on both ends: a whole number of steps, and room for the transform's wrap-around.
    padded = np.concatenate([np.zeros(rate // 20), samples, np.zeros(rate // 20 + -len(samples) % step_in)])
    padded = np.concatenate([padded, np.zeros(-len(padded) % step_in)])
    length = len(padded) // step_in * step_out
    spectrum = np.fft.rfft(padded)
    kept = np.zeros(length // 2 + 1, complex)
    count = min(len(spectrum), len(kept))
    kept[:count] = spectrum[:count]
    wave_out = np.fft.irfft(kept, length) * (length / len(padded))
    whole: np.ndarray[Any, np.dtype[np.int16]] = np.clip(np.rint(wave_out), -32768, 32767).astype(np.int16)
    return whole


def coarse(samples: np.ndarray[Any, np.dtype[np.int16]]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Speech with fewer bits: a wheel carries it in a third of the bytes.

    Each 20 ms is rounded to multiples of a power of two that is at most a third of its RMS, and between 16 and 512.
    The noise of that stays about 27 dB below the speech, wherever it is loud or quiet.
    """
    rounded = samples.astype(np.int64)
    for start in range(0, len(rounded), RATE // 50):
        piece = rounded[start : start + RATE // 50]
        loudness = np.sqrt(np.mean(np.square(piece)))
        step = 1 << min(max(int(loudness / 3).bit_length() - 1, 4), 9)
        piece[:] = (piece + step // 2) // step * step
    whole: np.ndarray[Any, np.dtype[np.int16]] = np.clip(rounded, -32_768, 32_767).astype(np.int16)
    return whole


def cut(pcm: bytes) -> list[bytes]:
    """The audio in the sizes the server sends; silence fills the last delta."""
    pieces, start = [], 0
    for size in FIRST_CUTS:
        pieces.append(pcm[start : start + size])
        start += size
    while start < len(pcm):
        pieces.append(pcm[start : start + CUT].ljust(CUT, b"\0"))
        start += CUT
    return pieces


def tokens(text: str) -> list[str]:
    """Words with the space before them, and punctuation, each on its own."""
    return re.findall(r" ?[\w’]+|[^\w\s]", text)


def session(recording_id: str, instructions: str, transcription: object) -> dict[str, Any]:
    pcm = {"type": "audio/pcm", "rate": RATE}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": recording_id,
        "model": MODEL,
        "output_modalities": ["audio"],
        "instructions": instructions,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": 1_767_225_600,
        "audio": {
            "input": {
                "format": pcm,
                "transcription": transcription,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 200,
                    "idle_timeout_ms": None,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {"format": pcm, "voice": VOICE, "speed": 1.0},
        },
        "include": None,
    }


def item(item_id: str, role: str, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": item_id, "type": "message", "status": status, "role": role, "content": content}


def response(response_id: str, conversation_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": "in_progress",
        "status_details": None,
        "output": [],
        "conversation_id": conversation_id,
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {"output": {"format": {"type": "audio/pcm", "rate": RATE}, "voice": VOICE}},
        "usage": None,
        "metadata": None,
        **changes,
    }


def usage(seconds: float) -> dict[str, Any]:
    text_in, audio_in, text_out, audio_out = 21, 24, len(tokens(ANSWER)) + 12, round(seconds * 20)
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def record(pcm: bytes) -> list[str]:
    log = Recording(seed=24_000)
    session_id, conversation_id = log.new_id("sess"), log.new_id("conv")
    log.add("session.created", session=session(session_id, "You are a helpful assistant.", None))
    transcription = {"model": "gpt-4o-mini-transcribe", "language": None, "prompt": None}
    log.add("session.updated", session=session(session_id, INSTRUCTIONS, transcription))

    log.second += 3
    asked = log.new_id("item")
    log.add("input_audio_buffer.speech_started", audio_start_ms=620, item_id=asked)
    log.add("input_audio_buffer.speech_stopped", audio_end_ms=2_976, item_id=asked)
    log.add("input_audio_buffer.committed", previous_item_id=None, item_id=asked)
    question = item(asked, "user", "completed", [{"type": "input_audio", "transcript": None}])
    log.add("conversation.item.added", previous_item_id=None, item=question)
    log.add("conversation.item.done", previous_item_id=None, item=question)

    answer_id, response_id = log.new_id("item"), log.new_id("resp")
    log.add("response.created", response=response(response_id, conversation_id))
    heard = tokens(QUESTION)
    transcribed = {"item_id": asked, "content_index": 0}
    for delta in heard[:3]:
        log.add_text("conversation.item.input_audio_transcription.delta", delta, **transcribed)

    started = item(answer_id, "assistant", "in_progress", [])
    log.add("response.output_item.added", response_id=response_id, output_index=0, item=started)
    log.add("conversation.item.added", previous_item_id=asked, item=started)
    place = {"response_id": response_id, "item_id": answer_id, "output_index": 0, "content_index": 0}
    log.add("response.content_part.added", **place, part={"type": "audio", "transcript": ""})

    # The transcript runs ahead of the audio, and the audio ahead of real time.
    pending = tokens(ANSWER)
    ahead, heard = 4, heard[3:]
    for number, piece in enumerate(cut(pcm)):
        for delta in pending[:ahead]:
            log.add_text("response.output_audio_transcript.delta", delta, **place)
        pending, ahead = pending[ahead:], log.random.choice((0, 0, 2, 3, 4))
        for delta in heard[:2]:
            log.add_text("conversation.item.input_audio_transcription.delta", delta, **transcribed)
        heard = heard[2:]
        if number == 8:
            log.add(
                "conversation.item.input_audio_transcription.completed",
                **transcribed,
                transcript=QUESTION,
                usage={"type": "duration", "seconds": 3},
            )
        if number % 12 == 11:
            log.second += 1
        log.add("response.output_audio.delta", **place, delta=base64.b64encode(piece).decode())
    for delta in pending:
        log.add_text("response.output_audio_transcript.delta", delta, **place)

    log.add("response.output_audio.done", **place)
    log.add("response.output_audio_transcript.done", **place, transcript=ANSWER)
    log.add("response.content_part.done", **place, part={"type": "audio", "transcript": ANSWER})
    answer = item(answer_id, "assistant", "completed", [{"type": "output_audio", "transcript": ANSWER}])
    log.add("conversation.item.done", previous_item_id=asked, item=answer)
    log.add("response.output_item.done", response_id=response_id, output_index=0, item=answer)
    spent = usage(len(pcm) / 2 / RATE)
    done = response(response_id, conversation_id, status="completed", output=[answer], usage=spent)
    log.add("response.done", response=done)
    limits = [
        {"name": "requests", "limit": 5_000, "remaining": 4_999, "reset_seconds": 0.012},
        {"name": "tokens", "limit": 400_000, "remaining": 395_112, "reset_seconds": 0.733},
    ]
    log.add("rate_limits.updated", rate_limits=limits)
    return log.lines


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_TARGET
    pcm = coarse(speak(ANSWER)).tobytes()
    lines = record(pcm)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{target}: {len(lines)} messages, {len(pcm) / 2 / RATE:.2f} s, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
