"""AudioFormat, and how the wire names one. The names and rates are those of the providers' own documents."""

from __future__ import annotations

# What the wire calls an encoding: our name for it and the rate that goes without saying. None: no rate of its own.
_WIRE_NAMES: dict[str, tuple[str, int]] = {
    "pcm16": ("pcm16", 24000),  # OpenAI beta
    "audio/pcm": ("pcm16", 24000),  # OpenAI GA
    "pcm": ("pcm16", 24000),  # DashScope, Inworld
    "pcm24": ("pcm16", 24000),  # DashScope: 24 kHz, 16 bits
    "s16le": ("pcm16", 24000),  # vLLM-Omni
    "pcm16_8000hz": ("pcm16", 8000),  # Voice Live, and its older spelling
    "pcm16-8000hz": ("pcm16", 8000),
    "pcm16_16000hz": ("pcm16", 16000),
    "pcm16-16000hz": ("pcm16", 16000),
    "g711_ulaw": ("g711_ulaw", 8000),  # OpenAI beta
    "audio/pcmu": ("g711_ulaw", 8000),  # OpenAI GA
    "pcmu": ("g711_ulaw", 8000),
    "g711_alaw": ("g711_alaw", 8000),
    "audio/pcma": ("g711_alaw", 8000),
    "pcma": ("g711_alaw", 8000),
}

_CODES = {"pcm16": 0, "g711_ulaw": 1, "g711_alaw": 2}

# Says nothing (xAI's flat output_audio_format beside the nested one that counts).
_SILENT = ("", "not specified")


class AudioFormat:
    """What a payload's bytes mean: encoding, rate in samples a second, channels (interleaved).

    encoding: "pcm16" (signed 16-bit little endian), "g711_ulaw", "g711_alaw", or another provider's name as sent,
    which only dtype="uint8" can hand on. Immutable, hashable.
    """

    __slots__ = ("_code", "channels", "encoding", "rate")
    __match_args__ = ("encoding", "rate", "channels")

    encoding: str
    rate: int
    channels: int

    def __init__(self, encoding: str, rate: int, channels: int = 1) -> None:
        if not isinstance(encoding, str):
            raise TypeError(f"encoding is a str, not {type(encoding).__name__}")
        for name, value in (("rate", rate), ("channels", channels)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} is an int, not {type(value).__name__}")
            if value <= 0:
                raise ValueError(f"{name} is positive, not {value}")
        put = object.__setattr__
        put(self, "encoding", encoding)
        put(self, "rate", rate)
        put(self, "channels", channels)
        put(self, "_code", _CODES.get(encoding, -1))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"AudioFormat is read-only: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"AudioFormat is read-only: {name}")

    def __repr__(self) -> str:
        channels = "" if self.channels == 1 else f", channels={self.channels}"
        return f"AudioFormat({self.encoding!r}, {self.rate}{channels})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AudioFormat):
            return NotImplemented
        return (self.encoding, self.rate, self.channels) == (other.encoding, other.rate, other.channels)

    def __hash__(self) -> int:
        return hash((self.encoding, self.rate, self.channels))

    def __reduce__(self) -> tuple[type[AudioFormat], tuple[str, int, int]]:
        return AudioFormat, (self.encoding, self.rate, self.channels)


DEFAULT = AudioFormat("pcm16", 24000)


def named_format(name: str | None, rate: object = None, channels: object = None) -> AudioFormat | None:
    """The format a wire name and, where they are sent too, a rate and channels stand for; None where they say nothing.

    A name that is not known is kept as the encoding, at the rate sent with it or 24,000; no more of it than 128
    characters, for a session may send megabytes.
    """
    if name is None or name in _SILENT:
        if not _is_count(rate):
            return None
        name = "pcm16"
    encoding, default_rate = _WIRE_NAMES.get(name.lower(), (name, 24000)) if len(name) <= 128 else (name[:128], 24000)
    return AudioFormat(
        encoding,
        rate if _is_count(rate) else default_rate,  # type: ignore[arg-type]
        channels if _is_count(channels) else 1,  # type: ignore[arg-type]
    )


def own_format(base: AudioFormat, name: str | None, rate: object, channels: object) -> AudioFormat:
    """What a message says of its own format; what it leaves unsaid is `base`'s, where no name says it."""
    if name is not None and name not in _SILENT:
        return named_format(name, rate, channels) or base
    if not (_is_count(rate) or _is_count(channels)):
        return base
    return AudioFormat(
        base.encoding,
        rate if _is_count(rate) else base.rate,  # type: ignore[arg-type]
        channels if _is_count(channels) else base.channels,  # type: ignore[arg-type]
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31
