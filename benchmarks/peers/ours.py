"""realtime_pcm, as a client of one connection uses it."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from realtime_pcm import DecodeError, Decoder, decode_stream

from ..frames import AUDIO, CREATED, DONE, ENVELOPE, INPUT_TRANSCRIPT, ITEM_ADDED, TEXT_DELTAS, USUAL
from .by_attribute import read_one


def loops() -> dict[str, Any]:
    decode: Any = Decoder().decode  # every loop reads the fields of its own kind of message

    def audio(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
            kind, event_id = message.type, message.event_id
            response_id, item_id = message.response_id, message.item_id
            pcm = message.pcm
        return kind, event_id, response_id, item_id, pcm

    def text(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
            kind, event_id = message.type, message.event_id
            response_id, item_id = message.response_id, message.item_id
            delta = message.delta
        return kind, event_id, response_id, item_id, delta

    def session(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
            kind, event_id = message.type, message.event_id
            response_id = item_id = payload = None
            if kind == AUDIO:
                response_id, item_id = message.response_id, message.item_id
                payload = message.pcm
            elif kind in TEXT_DELTAS:
                response_id, item_id = message.response_id, message.item_id
                payload = message.delta
            elif kind == INPUT_TRANSCRIPT:
                item_id, payload = message.item_id, message.delta
            elif kind == ITEM_ADDED:
                payload = message.item.id
            elif kind == DONE:
                payload = message.response.status
            elif kind == CREATED:
                payload = message.session.model
        return kind, event_id, response_id, item_id, payload

    def item(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
            kind, event_id = message.type, message.event_id
            pcm = message.item.content[0].pcm
        return kind, event_id, None, None, pcm

    def json(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            try:
                decode(frame)
                accepted = True
            except DecodeError:
                accepted = False
        return (accepted,)

    def stream(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
        return message.type, message.event_id

    def left_out(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
        return (message is not None,)

    def out(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            pcm = decode(frame).pcm
        return (pcm,)

    return {
        "audio": audio, "text": text, "session": session, "item": item, "json": json, "stream": stream, "left_out": left_out,
        "out": out, "delta": DeltaLoop(), "one": connection(),
    }  # fmt: skip


_PCM = attrgetter("pcm")


def connection() -> tuple[Any, ...]:
    return read_one, Decoder().decode, _PCM


class DeltaLoop:
    """Reads `.delta` of messages that were decoded when the list was first seen."""

    def __init__(self) -> None:
        self._opened: tuple[Sequence[bytes], list[Any]] | None = None

    def __call__(self, frames: Sequence[bytes]) -> tuple[Any, ...]:
        if self._opened is None or self._opened[0] is not frames:
            decode: Any = Decoder().decode
            self._opened = frames, [decode(frame) for frame in frames]
        for message in self._opened[1]:
            delta = message.delta
        return (delta,)


def only_loops() -> dict[str, Any]:
    decode: Any = Decoder(only=("error",)).decode

    def left_out(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
        return (message is None,)

    return {"left_out": left_out}


def out_loops() -> dict[str, Any]:
    return _into(np.empty(16 * USUAL, np.int16))


def exact_out_loops() -> dict[str, Any]:
    return _into(np.empty((USUAL - ENVELOPE) // 8 * 3, np.int16))


def _into(array: Any) -> dict[str, Any]:
    decode: Any = Decoder().decode

    def out(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            pcm = decode(frame, array).pcm
        return (pcm,)

    return {"out": out}


def stream_loops() -> dict[str, Any]:
    def stream(frames: Sequence[bytes]) -> tuple[Any, ...]:
        message: Any
        for message in decode_stream(frames):  # noqa: B007 - read after the loop
            pass
        return message.type, message.event_id

    def session(frames: Sequence[bytes]) -> tuple[Any, ...]:
        message: Any
        for message in decode_stream(frames):
            kind, event_id = message.type, message.event_id
            response_id = item_id = payload = None
            if kind == AUDIO:
                response_id, item_id = message.response_id, message.item_id
                payload = message.pcm
            elif kind in TEXT_DELTAS:
                response_id, item_id = message.response_id, message.item_id
                payload = message.delta
            elif kind == INPUT_TRANSCRIPT:
                item_id, payload = message.item_id, message.delta
            elif kind == ITEM_ADDED:
                payload = message.item.id
            elif kind == DONE:
                payload = message.response.status
            elif kind == CREATED:
                payload = message.session.model
        return kind, event_id, response_id, item_id, payload

    return {"stream": stream, "session": session}
