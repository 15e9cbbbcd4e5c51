"""AudioFormat, and the names of formats: those on the wire, and those that people write.

On the wire, only the names and rates of the providers' documents are known. The meaning of any other name is not guessed:
audio of such a format is refused with an error that names the format, and the caller can force a format. A caller who names
a format knows which one is meant, so that more spellings are understood there (`forced_format`).
"""

from __future__ import annotations

# A name on the wire -> our name of the encoding, and the rate where none is sent. The core fills it at import: its one table of
# names is in src/session/formats.c.
_WIRE_NAMES: dict[str, tuple[str, int]] = {}

# Our name of an encoding -> the bytes of one sample as it is sent; likewise.
BYTES_OF_SAMPLE: dict[str, int] = {}

_longest_name = 0  # characters that are kept of a name that the wire does not have; likewise

# As audio_encoding in src/session/formats.h.
_CODES = {"pcm16": 0, "g711_ulaw": 1, "g711_alaw": 2, "float32": 3, "wav": 4}

# What a format may have: counts that columns of tables and headers of WAV files hold. No sound has more.
MOST_RATE = (1 << 31) - 1
MOST_CHANNELS = 255

# Names that say nothing, as the server may send them.
_SILENT = ("", "not specified")


class AudioFormat:
    """The meaning of a payload's bytes. Immutable and hashable.

    `audio_format` of a message is the format of its payload as sent. Rate and channels hold for the array too. The encoding
    may not: dtype="int16" and "float32" expand G.711, so linear samples may come with "g711_ulaw". With dtype="uint8" the
    array has the payload's bytes.

    Args:
        encoding: "pcm16" (signed 16-bit, little-endian), "float32" (little-endian, 1.0 is full scale), "g711_ulaw",
            "g711_alaw", "wav" (each payload is a WAV file, whose header has rate and channels), or any other name as the
            server sent it. Only dtype="uint8" gives payloads of other encodings.
        rate: Samples per second, at most 2,147,483,647.
        channels: Number of interleaved channels, at most 255.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: rate or channels is out of range.
    """

    __slots__ = ("_code", "channels", "encoding", "rate")
    __match_args__ = ("encoding", "rate", "channels")

    encoding: str
    rate: int
    channels: int
    _code: int

    def __init__(self, encoding: str, rate: int, channels: int = 1) -> None:
        if not isinstance(encoding, str):
            raise TypeError(f"encoding is a str, not {type(encoding).__name__}")
        for name, value, most in (("rate", rate, MOST_RATE), ("channels", channels, MOST_CHANNELS)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} is an int, not {type(value).__name__}")
            if not 0 < value <= most:
                raise ValueError(f"{name} is a number from 1 to {most:,}")
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


# The format while nobody has named one.
DEFAULT = AudioFormat("pcm16", 24000)


def forced_format(audio_format: object, dtype: str) -> AudioFormat | None:
    """The format that a caller forces with `audio_format=`, or None.

    audio_format: an AudioFormat, a name or None. Known are the names on the wire and the names that people write, in upper or
        lower case, with any separators: "mulaw", "u-law", "PCMU", "G.711 A-law", "audio/x-alaw", "pcm_s16le".
    dtype: the decoder's. "uint8" gives the bytes of any encoding; the others need PCM or G.711.
    Raises TypeError for an audio_format of another type. Raises ValueError for a name that says nothing, and, unless dtype is
        "uint8", for an encoding that is neither PCM nor G.711; the error tells the nearest known name.
    """
    if audio_format is None:
        return None
    if isinstance(audio_format, AudioFormat):
        found, written = audio_format, f"the encoding of {audio_format!r}"
    elif isinstance(audio_format, str):
        name = audio_format if audio_format.lower() in _WIRE_NAMES else _SPELLINGS.get(_spelling(audio_format), audio_format)
        if name in _SILENT:
            raise ValueError(f"audio_format {audio_format!r} names no format")
        found = AudioFormat(*_WIRE_NAMES.get(name.lower(), (name[:_longest_name], 24000)))
        written = f"audio_format {audio_format[:100]!r}"
    else:
        raise TypeError(f"audio_format is an AudioFormat, a name or None, not {type(audio_format).__name__}")
    if found._code < 0 and dtype != "uint8":
        raise ValueError(
            f'{written} is neither PCM nor G.711{_hint(found.encoding)}; dtype="uint8" takes any name and gives the bytes as sent'
        )
    return found


def _spelling(name: str) -> str:
    """A name in lower case, without its separators and without the "audio/" and "x-" of a media type."""
    name = name[:128].strip().lower().removeprefix("audio/").removeprefix("x-")
    # The letter mu and the micro sign.
    return "".join(filter(str.isalnum, name.replace("\u03bc", "mu").replace("\u00b5", "mu")))


# _spelling(name) -> name on the wire: of the names on the wire, and of other names that people write.
_SPELLINGS: dict[str, str] = {}


def learn_names(names: dict[str, tuple[str, int]], sample_bytes: dict[str, int], longest: int) -> None:
    """Takes from the core the names that the wire has, the bytes of one sample, and how much is kept of another name."""
    global _longest_name
    _longest_name = longest
    _WIRE_NAMES.update(names)
    BYTES_OF_SAMPLE.update(sample_bytes)
    _SPELLINGS.update({_spelling(name): name for name in names})
    _SPELLINGS.update(dict.fromkeys(("pcms16le", "linear16"), "pcm16"))
    _SPELLINGS.update(dict.fromkeys(("ulaw", "mulaw", "pcmulaw", "pcmmulaw", "g711mulaw", "g711u"), "g711_ulaw"))
    _SPELLINGS.update(dict.fromkeys(("alaw", "pcmalaw", "g711a"), "g711_alaw"))


def _hint(encoding: str) -> str:
    """For an error: the known name nearest to `encoding`, or all known names if none is near."""
    spelling = _spelling(encoding)
    if spelling in _SPELLINGS:  # then a caller made an AudioFormat by a name that only audio_format= understands
        return f": AudioFormat calls it {_WIRE_NAMES[_SPELLINGS[spelling]][0]!r}"
    if spelling == "g711":
        return ": say 'g711_ulaw' or 'g711_alaw'"
    from difflib import get_close_matches

    # "pcm24" of DashScope means 24 kHz. Whoever writes "pcm32" means bits, so "pcm24" is no hint.
    near = get_close_matches(spelling, [known for known in _SPELLINGS if known != "pcm24"], n=1)
    if not near:
        return "; the known names are 'pcm16', 'float32', 'g711_ulaw', 'g711_alaw' and 'wav'"
    name = _SPELLINGS[near[0]]
    return f"; did you mean {(name if _spelling(name) == near[0] else near[0])!r}?"
