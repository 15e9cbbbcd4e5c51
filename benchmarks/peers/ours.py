"""realtime_pcm, as a client of one connection uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from realtime_pcm import DecodeError, Decoder, decode_stream

from ..frames import AUDIO, CREATED, DONE, INPUT_TRANSCRIPT, ITEM_ADDED, TEXT_DELTAS


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

    return {"audio": audio, "text": text, "session": session, "item": item, "json": json, "stream": stream}


def stream_loops() -> dict[str, Any]:
    def stream(frames: Sequence[bytes]) -> tuple[Any, ...]:
        message: Any
        for message in decode_stream(frames):  # noqa: B007 - read after the loop
            pass
        return message.type, message.event_id

    return {"stream": stream}
