"""The recorded audio in the format that a client asks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core import AudioEncoder, AudioMessage, Decoder, decode
from .._resample import RATES, to_float32, to_int16
from ..audio import AudioFormat
from ..messages import ResponseAudioDelta

if TYPE_CHECKING:
    from .._resample import Samples

__all__ = ["Encoder", "cut_like", "formats_of", "resample", "why_not"]

_ENCODINGS = ("pcm16", "g711_ulaw", "g711_alaw")


def formats_of(session: dict[str, Any]) -> tuple[AudioFormat, AudioFormat]:
    """The input format and the output format that a session names, as a client reads them.

    Raises ValueError where the session holds what JSON cannot say.
    """
    decoder = Decoder()
    decoder.decode(json.dumps({"type": "session.updated", "session": session}, allow_nan=False))
    return decoder.input_audio_format, decoder.audio_format


def why_not(audio_format: AudioFormat) -> str | None:
    """Why the server has no audio of this format; None where it has."""
    if audio_format.encoding not in _ENCODINGS:
        return "knows PCM and G.711 only"
    if audio_format.rate not in RATES:
        return f"knows rates from {RATES[0]:,} to {RATES[-1]:,} samples a second"
    if audio_format.channels != 1:
        return "sends one channel"
    return None


def resample(samples: Samples, rate: int, to_rate: int) -> Samples:
    """int16 samples at another rate, by soxr. Raises ValueError, which says what to install, where soxr is not there."""
    if rate == to_rate or not samples.size:
        return samples
    try:
        import soxr  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise ValueError('other rates than that of the recording need soxr: pip install "realtime-pcm[testing]"') from None
    resampled: Samples = to_int16(soxr.resample(to_float32(samples), rate, to_rate, quality="HQ"))
    return resampled


def cut_like(samples: Samples, lengths: list[int]) -> list[Samples]:
    """Cuts samples into as many pieces as `lengths` has, in the same proportions, so that nothing is lost between two pieces."""
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(lengths) else 0
    if not total:
        return [samples[:0] for _ in lengths]
    places = [int(end) * samples.size // total for end in ends]
    return [samples[start:end] for start, end in zip([0, *places], places, strict=False)]


class Encoder:
    """Samples as the base64 text of a payload."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._encoder = AudioEncoder(ResponseAudioDelta, audio_format=audio_format)

    def payload(self, samples: Samples) -> str:
        """The text: canonical base64."""
        message = decode(self._encoder.encode(samples), dtype="uint8")
        assert isinstance(message, AudioMessage)
        return message.delta or ""
