"""The loops over typed messages, read by attribute, whose audio is still to be turned into samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..frames import AUDIO, CREATED, DONE, INPUT_TRANSCRIPT, ITEM_ADDED, TEXT_DELTAS
from . import Wire


def make_loops(decode: Callable[[Any], Any], samples: Callable[[Any], Any]) -> dict[str, Any]:
    """``decode`` makes a message of a frame, ``samples`` an array of what stands in its ``delta``."""

    def audio(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = decode(frame)
            kind, event_id = message.type, message.event_id
            response_id, item_id = message.response_id, message.item_id
            pcm = samples(message.delta)
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
                payload = samples(message.delta)
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
            pcm = samples(message.item.content[0].audio)
        return kind, event_id, None, None, pcm

    one = read_one, decode, lambda message: samples(message.delta)
    return {"audio": audio, "text": text, "session": session, "item": item, "one": one}


def read_one(decode: Callable[[Any], Any], samples: Callable[[Any], Any], frame: Wire) -> tuple[Any, ...]:
    """What the loop `session` reads, of one frame."""
    message = decode(frame)
    kind, event_id = message.type, message.event_id
    response_id = item_id = payload = None
    if kind == AUDIO:
        response_id, item_id = message.response_id, message.item_id
        payload = samples(message)
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
