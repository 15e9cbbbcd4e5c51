"""Frames of other sockets, shaken at every level and flipped at every bit, on every tier; the long run is
`python tests/hardening sockets`.
"""

from __future__ import annotations

import os
from typing import Any

import orjson
import pytest

import realtime_pcm as rp
from hardening import sockets
from realtime_pcm.sockets import catalogues

FRAMES = int(os.environ.get("REALTIME_PCM_FRAMES", "6000"))
EVERY = sockets.kinds()
QUICK = ("gemini server serverContent", "twilio server media", "elevenlabs server audio", "gemini client realtime_input")
ALL = [pytest.param(kind, id=kind.name, marks=() if kind.name in QUICK else pytest.mark.slow) for kind in EVERY]


@pytest.mark.parametrize("seed", range(2))
def test_shaken_frames(seed: int) -> None:
    _, seen, found = sockets.run_one((seed, FRAMES // 2))
    assert not found, "\n".join(found[:3])
    assert seen["frames"] == FRAMES // 2


@pytest.mark.parametrize("kind", ALL)
def test_every_mutant(kind: Any) -> None:
    count, found = sockets.mutate(kind)
    assert not found, "\n".join(found[:3])
    assert count > 100


def test_the_shaker_makes_what_it_should() -> None:
    """Frames of every kind: most are of its class, some unknown, some refused."""
    shaker = sockets.Shaker(5)
    assert {kind.catalogue for kind in EVERY} == set(catalogues())
    for kind in EVERY:
        expected = sockets.expect(orjson.dumps(kind.frame), kind)
        assert expected is not None and expected.cls is not None
        held = [sockets.expect(shaker.frame(kind), kind) for _ in range(200)]
        own = sum(one is not None and one.cls is expected.cls for one in held)
        assert own > 80, kind.name
    assert any(one is None for one in held)


def test_the_reference_sees_what_is_wrong() -> None:
    kind = next(kind for kind in EVERY if kind.name == "gemini server serverContent")
    frame = orjson.dumps(kind.frame)
    message = rp.decode(frame, dtype="uint8", catalogue=kind.catalogue)
    expected = sockets.expect(frame, kind)
    assert expected is not None and sockets.differences(message, expected, kind) == []
    for old, new, name in (
        (b'"text":"Hi"', b'"text":"Ho"', "text"),
        (b'"thought":true', b'"thought":1', "thought"),
        (b'"data":"AQEB', b'"data":"AQEC', "pcm"),
        (b'"serverContent"', b'"toolCall"', "class"),
        (b'"serverContent"', b'"server"', "unknown"),
    ):
        assert old in frame
        other = sockets.expect(frame.replace(old, new, 1), kind)
        assert other is not None and any(name in line for line in sockets.differences(message, other, kind)), name
