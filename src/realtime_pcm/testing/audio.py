"""Audio of the loopback server: recorded, from a WAV file or made from text, in the format that a client asks for."""

from __future__ import annotations

import json
import os
import wave
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .._core import AudioEncoder, AudioMessage, Decoder, decode
from .._resample import RATES, to_float32, to_int16
from ..audio import AudioFormat
from ..messages import ResponseAudioDelta

if TYPE_CHECKING:
    from .._resample import Samples

__all__ = [
    "AnyAudio",
    "Encoder",
    "chunks",
    "cut_like",
    "formats_of",
    "resample",
    "samples_of",
    "spoken",
    "user_speech",
    "why_not",
]

AnyAudio: TypeAlias = str | os.PathLike[str] | np.ndarray[Any, Any] | float
RATE = 24_000  # of the audio of scripts
MAX_SECONDS = 3_600.0  # of one answer
_LETTER = 0.06  # seconds of speech per letter: 150 to 170 words a minute
_CHUNKS = (0.1, 0.15, 0.25)  # seconds of the first deltas of an answer; the others are as long as the last of these

_ENCODINGS = ("pcm16", "g711_ulaw", "g711_alaw")


def formats_of(session: dict[str, Any]) -> tuple[AudioFormat, AudioFormat]:
    """The input format and the output format that a session names, as a client reads them.

    Raises ValueError if the session has something that JSON cannot express.
    """
    decoder = Decoder()
    decoder.decode(json.dumps({"type": "session.updated", "session": session}, allow_nan=False))
    return decoder.input_audio_format, decoder.audio_format


def why_not(audio_format: AudioFormat) -> str | None:
    """Why the server has no audio in this format, or None if it has."""
    if audio_format.encoding not in _ENCODINGS:
        return "knows PCM and G.711 only"
    if audio_format.rate not in RATES:
        return f"knows rates from {RATES[0]:,} to {RATES[-1]:,} samples a second"
    if audio_format.channels != 1:
        return "sends one channel"
    return None


def resample(samples: Samples, rate: int, to_rate: int) -> Samples:
    """Resamples int16 with soxr. Raises ValueError, which says what to install, without soxr."""
    if rate == to_rate or not samples.size:
        return samples
    try:
        import soxr  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise ValueError('other rates than that of the recording need soxr: pip install "realtime-pcm[testing]"') from None
    resampled: Samples = to_int16(soxr.resample(to_float32(samples), rate, to_rate, quality="HQ"))
    return resampled


def cut_like(samples: Samples, lengths: list[int]) -> list[Samples]:
    """Cuts samples into pieces in proportion to `lengths`, without losing any."""
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(lengths) else 0
    if not total:
        return [samples[:0] for _ in lengths]
    places = [int(end) * samples.size // total for end in ends]
    return [samples[start:end] for start, end in zip([0, *places], places, strict=False)]


class Encoder:
    """Encodes samples as base64 payloads."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._encoder = AudioEncoder(ResponseAudioDelta, audio_format=audio_format)

    def payload(self, samples: Samples) -> str:
        """The text: canonical base64."""
        message = decode(self._encoder.encode(samples), dtype="uint8")
        assert isinstance(message, AudioMessage)
        return message.delta or ""


def chunks(samples: Samples, rate: int) -> list[Samples]:
    """Samples cut into the deltas in which OpenAI sends an answer: 100 ms, 150 ms, then 250 ms each."""
    pieces, start, number = [], 0, 0
    while start < samples.size:
        end = start + int(_CHUNKS[min(number, len(_CHUNKS) - 1)] * rate)
        pieces.append(samples[start:end])
        start, number = end, number + 1
    return pieces


@lru_cache(maxsize=32)
def spoken(text: str) -> Samples:
    """Mock speech of a text: a voice that hums one syllable per three letters, and is silent between words."""
    if not text.strip():
        return np.zeros(0, np.int16)
    text = " ".join(text.split())[: int(MAX_SECONDS / _LETTER)]
    pieces = []
    for number, word in enumerate(text.split(" ")):
        size = int(len(word) * _LETTER * RATE)
        syllables = max(1, round(len(word) / 3))
        at = np.arange(size) / RATE
        loudness = np.abs(np.sin(np.pi * syllables * np.arange(size) / max(1, size)))
        pitch = 110 + 15 * (number % 4)
        voice = np.sin(2 * np.pi * pitch * at) + 0.5 * np.sin(4 * np.pi * pitch * at) + 0.25 * np.sin(6 * np.pi * pitch * at)
        pieces += [loudness * voice * 5_000, np.zeros(int(_LETTER * RATE))]
    samples: Samples = np.concatenate(pieces).astype(np.int16)
    samples.flags.writeable = False
    return samples


def user_speech(text: str = "Has my parcel left the warehouse yet?", silence: float = 0.8) -> Samples:
    """Speech for the loopback server: a hum that lasts as long as saying the text, then `silence` seconds.

    The server detects speech and its end in it.

    Args:
        text: The text, for its length.
        silence: Seconds of silence at the end.

    Returns:
        A new array of int16 at 24,000 Hz.
    """
    return np.concatenate([spoken(text), np.zeros(round(silence * RATE), np.int16)])


def samples_of(audio: Any, rate: int | None) -> Samples:
    """Audio of a script as int16 at 24,000 Hz: a WAV file, an array at `rate`, or seconds of a voice that hums.

    Raises ValueError if the file is not a 16-bit PCM WAV or the audio is too long, OSError if it cannot be read.
    """
    if isinstance(audio, bool):
        raise TypeError("audio is an array, a path, or a number of seconds, not bool")
    if isinstance(audio, (int, float)):
        if not 0 <= audio <= MAX_SECONDS:
            raise ValueError(f"audio lasts from 0 to {MAX_SECONDS:g} seconds, not {audio:g}")
        voice = spoken("mmm" * (int(audio / _LETTER / 3) + 1))
        return np.resize(voice, int(audio * RATE))
    if isinstance(audio, np.ndarray):
        if audio.ndim != 1 or audio.dtype not in (np.int16, np.float32):
            raise ValueError(f"audio is a 1-D array of int16 or float32, not {audio.ndim}-D {audio.dtype}")
        samples = to_int16(audio) if audio.dtype == np.float32 else audio
    else:
        samples, own = _read_wav(audio)
        if rate not in (None, own):
            raise ValueError(f"{os.fspath(audio)}: has {own:,} samples a second, not {rate:,}")
        rate = own
    if samples.size > MAX_SECONDS * (rate or RATE):
        raise ValueError(f"audio lasts from 0 to {MAX_SECONDS:g} seconds, not {samples.size / (rate or RATE):g}")
    return resample(samples, rate or RATE, RATE)


def _read_wav(path: str | os.PathLike[str]) -> tuple[Samples, int]:
    try:
        with wave.open(os.fspath(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ValueError(f"{os.fspath(path)}: has samples of {8 * file.getsampwidth()} bits, not of 16")
            channels, rate = file.getnchannels(), file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{os.fspath(path)}: no WAV file of 16-bit PCM: {error or 'it ends too early'}") from None
    samples = samples[: samples.size - samples.size % channels]
    return np.ascontiguousarray(samples[::channels]), rate
