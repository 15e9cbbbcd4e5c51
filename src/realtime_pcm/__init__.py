"""Realtime voice API frames to typed messages with NumPy PCM audio, in one pass."""

from . import _again, client_messages, messages, objects
from ._core import AudioEncoder, CarriesAudio, Decoder, Session, __version__, decode, encode_append, simd_tier
from .audio import AudioFormat
from .errors import DecodeError
from .stream import InvalidFrame, decode_stream

__all__ = [
    "AudioEncoder",
    "AudioFormat",
    "CarriesAudio",
    "DecodeError",
    "Decoder",
    "InvalidFrame",
    "Session",
    "__version__",
    "client_messages",
    "decode",
    "decode_stream",
    "encode_append",
    "messages",
    "objects",
    "simd_tier",
]

_again.keep()
