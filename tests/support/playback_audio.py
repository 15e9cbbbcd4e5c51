"""Audio that counts up, so that each sample says which it is."""

from __future__ import annotations

from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm.playback import PlaybackBuffer
from support.session_frames import delta

RATE = 24_000
IDS = {"response_id": "r1", "item_id": "i1", "content_index": 0}
OTHER = {"response_id": "r2", "item_id": "i2", "content_index": 0}


def counting(count: int, first: int = 1) -> bytes:
    return np.arange(first, first + count, dtype="<i2").tobytes()


def audio(count: int, first: int = 1, decoder: rp.Decoder | None = None, **ids: Any) -> Any:
    """A delta of `count` samples that count up; from a decoder, else of no known offset."""
    frame = delta(counting(count, first), **ids)
    return rp.decode(frame) if decoder is None else decoder.decode(frame)


def heard(player: PlaybackBuffer, count: int) -> list[Any]:
    """What a read of `count` samples gives, without its silence."""
    out = np.full(count, 99, player.dtype)
    number = player.read(out)
    assert not out[number:].any()
    return list(out[:number].tolist())


def up(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))
