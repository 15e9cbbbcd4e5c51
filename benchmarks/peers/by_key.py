"""A JSON parser, a base64 decoder and NumPy, put together by hand: dicts, read by key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..frames import AUDIO, CREATED, DONE, INPUT_TRANSCRIPT, ITEM_ADDED, TEXT_DELTAS
from . import Wire


def json_base64() -> dict[str, Any]:
    return _loops(json.loads, base64.b64decode)


def orjson_base64() -> dict[str, Any]:
    import orjson

    return _loops(orjson.loads, base64.b64decode)


def orjson_pybase64() -> dict[str, Any]:
    import orjson
    import pybase64

    return _loops(orjson.loads, partial(pybase64.b64decode, validate=True, canonical=True))


def orjson_fastpybase64() -> dict[str, Any]:
    import fastpybase64
    import orjson

    return _loops(orjson.loads, partial(fastpybase64.b64decode, validate=True))


def json_alone() -> dict[str, Any]:
    return _parse(json.loads)


def orjson_alone() -> dict[str, Any]:
    import orjson

    return _parse(orjson.loads)


def _loops(loads: Callable[[Any], Any], b64decode: Callable[[Any], Any]) -> dict[str, Any]:
    frombuffer, int16 = np.frombuffer, np.dtype(np.int16)

    def audio(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = loads(frame)
            kind, event_id = message["type"], message["event_id"]
            response_id, item_id = message["response_id"], message["item_id"]
            pcm = frombuffer(b64decode(message["delta"]), int16)
        return kind, event_id, response_id, item_id, pcm

    def text(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = loads(frame)
            kind, event_id = message["type"], message["event_id"]
            response_id, item_id = message["response_id"], message["item_id"]
            delta = message["delta"]
        return kind, event_id, response_id, item_id, delta

    def session(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = loads(frame)
            kind, event_id = message["type"], message["event_id"]
            response_id = item_id = payload = None
            if kind == AUDIO:
                response_id, item_id = message["response_id"], message["item_id"]
                payload = frombuffer(b64decode(message["delta"]), int16)
            elif kind in TEXT_DELTAS:
                response_id, item_id = message["response_id"], message["item_id"]
                payload = message["delta"]
            elif kind == INPUT_TRANSCRIPT:
                item_id, payload = message["item_id"], message["delta"]
            elif kind == ITEM_ADDED:
                payload = message["item"]["id"]
            elif kind == DONE:
                payload = message["response"]["status"]
            elif kind == CREATED:
                payload = message["session"]["model"]
        return kind, event_id, response_id, item_id, payload

    def item(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = loads(frame)
            kind, event_id = message["type"], message["event_id"]
            pcm = frombuffer(b64decode(message["item"]["content"][0]["audio"]), int16)
        return kind, event_id, None, None, pcm

    one = read_one, loads, lambda message: frombuffer(b64decode(message["delta"]), int16)
    return {"audio": audio, "text": text, "session": session, "item": item, "one": one}


def read_one(decode: Callable[[Any], Any], samples: Callable[[Any], Any], frame: Wire) -> tuple[Any, ...]:
    """What the loop `session` reads, of one frame."""
    message = decode(frame)
    kind, event_id = message["type"], message["event_id"]
    response_id = item_id = payload = None
    if kind == AUDIO:
        response_id, item_id = message["response_id"], message["item_id"]
        payload = samples(message)
    elif kind in TEXT_DELTAS:
        response_id, item_id = message["response_id"], message["item_id"]
        payload = message["delta"]
    elif kind == INPUT_TRANSCRIPT:
        item_id, payload = message["item_id"], message["delta"]
    elif kind == ITEM_ADDED:
        payload = message["item"]["id"]
    elif kind == DONE:
        payload = message["response"]["status"]
    elif kind == CREATED:
        payload = message["session"]["model"]
    return kind, event_id, response_id, item_id, payload


def _parse(loads: Callable[[Any], Any]) -> dict[str, Any]:
    def text(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = loads(frame)
        return tuple(message[key] for key in ("type", "event_id", "response_id", "item_id", "delta"))

    def parse(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            try:
                loads(frame)
                accepted = True
            except ValueError:
                accepted = False
        return (accepted,)

    return {"text": text, "json": parse}
