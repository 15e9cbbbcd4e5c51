"""pysimdjson's proxy of the parsed document and fastpybase64: the fastest pair of Python packages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import fastpybase64
import numpy as np
import simdjson

from ..frames import AUDIO, CREATED, DONE, INPUT_TRANSCRIPT, ITEM_ADDED, TEXT_DELTAS
from .by_key import read_one


def loops() -> dict[str, Any]:
    # One parser for all frames; it refuses to parse while a proxy of the last document lives, hence each `message = None`.
    parse: Any = simdjson.Parser().parse
    b64decode = partial(fastpybase64.b64decode, validate=True)
    frombuffer, int16 = np.frombuffer, np.dtype(np.int16)

    def audio(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = parse(frame)
            kind, event_id = message["type"], message["event_id"]
            response_id, item_id = message["response_id"], message["item_id"]
            pcm = frombuffer(b64decode(message["delta"]), int16)
            message = None
        return kind, event_id, response_id, item_id, pcm

    def text(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = parse(frame)
            kind, event_id = message["type"], message["event_id"]
            response_id, item_id = message["response_id"], message["item_id"]
            delta = message["delta"]
            message = None
        return kind, event_id, response_id, item_id, delta

    def session(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = parse(frame)
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
            message = None
        return kind, event_id, response_id, item_id, payload

    def item(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            message = parse(frame)
            kind, event_id = message["type"], message["event_id"]
            pcm = frombuffer(b64decode(message["item"]["content"][0]["audio"]), int16)
            message = None
        return kind, event_id, None, None, pcm

    one = read_one, parse, lambda message: frombuffer(b64decode(message["delta"]), int16)
    return {"audio": audio, "text": text, "session": session, "item": item, "one": one}
