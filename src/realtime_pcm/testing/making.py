"""make: a message without a server."""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

from .._core import AudioEncoder, AudioMessage, ClientAudioMessage, Decoder, RealtimeClientMessage, RealtimeMessage, decode
from ..audio import AudioFormat

__all__ = ["make"]

M = TypeVar("M", bound=RealtimeMessage)


def make(
    message: type[M],
    *,
    pcm: Any = None,
    audio_format: AudioFormat | str | None = None,
    dtype: str = "int16",
    type: str | None = None,
    extra: dict[str, Any] | None = None,
    decoder: Decoder[Any, Any] | None = None,
    **fields: Any,
) -> M:
    """A message of the class `message`, built by encoding and decoding it, so that it is what a connection would give.

    pcm: for a class that has audio: a 1-D array of int16 or float32, or the payload's bytes; None: no payload.
    audio_format: of the payload, an AudioFormat or a name; by default pcm16 at 24,000 Hz, or that of `decoder`.
    dtype: of the message's pcm, as for decode: "int16", "float32", "uint8" or "bytes".
    type: the wire name, where the class has several; by default the first of them.
    extra: fields that the class does not declare. Other keywords: fields that it declares, any JSON value.
    decoder: a Decoder that reads the message, as the next one of its connection: its pcm then has a sample_offset. `dtype` and
        `audio_format` are then the decoder's own.

    Raises TypeError for a field that is not declared, and for a pcm of another type or of a class without audio; ValueError for
    a wire name that is not one of the class, and for a value that JSON cannot hold; DecodeError where no decoder would accept
    the message.
    """
    is_audio = issubclass(message, (AudioMessage, ClientAudioMessage))
    if message.canonical_type is None:
        raise TypeError(f"{message.__name__} has no wire name to make a message of")
    known = [name for name in (*message.__match_args__, "event_id") if name != "pcm"]
    for name in fields:
        if name not in known:
            raise TypeError(f"{message.__name__} has no field {name!r} to give; its fields are {', '.join(known)}")
    event: dict[str, Any] = {"type": type or message.canonical_type}
    side: Any = "client" if issubclass(message, RealtimeClientMessage) else "server"
    if decoder is not None:
        if audio_format is not None or dtype != "int16":
            raise TypeError("make() takes decoder=, or audio_format= and dtype=, not both")
        audio_format = decoder.input_audio_format if side == "client" else decoder.audio_format
    if pcm is not None:
        if not is_audio:
            raise TypeError(f"{message.__name__} has no audio")
        frame = json.loads(AudioEncoder(message, audio_format=audio_format).encode(pcm))
        del frame["type"]
        event |= frame
    event |= fields
    event |= extra or {}
    text = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    found: Any = (
        decode(text, dtype=cast(Any, dtype), audio_format=audio_format if is_audio else None, side=side)
        if decoder is None
        else decoder.decode(text)
    )
    if not isinstance(found, message):
        raise ValueError(f"{event['type']!r} is no wire name of {message.__name__}")
    made: M = found
    return made
