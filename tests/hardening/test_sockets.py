"""Frames of other sockets, shaken at every level and flipped at every bit, on every tier; the long run is
`python tests/hardening sockets`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import orjson
import pytest

import realtime_pcm as rp
from hardening import socket_runs, sockets
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


@pytest.mark.parametrize("seed", range(2))
def test_connections(seed: int) -> None:
    frames, found = socket_runs.run_connections((seed, FRAMES // 200))
    assert not found, "\n".join(found[:3])
    assert frames > FRAMES // 4


@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_ten_thousand_parts_between_two_halves_of_a_sample(dtype: str) -> None:
    kind = next(kind for kind in EVERY if kind.name == "gemini server serverContent")

    def frame(count: int, tail: int = 0) -> bytes:
        parts = [{"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AQID"}} for _ in range(count)]
        return orjson.dumps({"serverContent": {"modelTurn": {"parts": parts}, "tail": "x" * tail}})

    sent = [(frame(count, tail), True, room) for count in (1, 10_000, 0, 9_999, 2) for tail, room in ((0, None), (600, 60_000))]
    assert list(socket_runs.play(kind, dtype, sent)) == []


def test_the_maker_makes_what_it_should() -> None:
    """Of each class with audio: messages with samples, odd ones, refusals; long tails, duplicates, types at the end."""
    maker = socket_runs.Maker(3)
    audio = socket_runs.audio_kinds()
    assert len({(kind.catalogue, kind.side) for kind in audio}) == 15
    for kind in audio:
        frames = [maker.frame(kind) for _ in range(400)]
        cls = socket_runs.expect_class(kind)
        held = [sockets.expect(frame, kind) for frame in frames]
        own = [one.payload or b"" for one in held if one is not None and one.cls is cls]
        assert len(own) > 150 and held.count(None) > 30, kind.name
        assert sum(len(payload) % 2 for payload in own) > 20 and own.count(b"") > 10, kind.name
        key = cls._layout.payload_places[-1]
        last = (key if isinstance(key, str) else key[-1]).encode()
        for many, what in (
            (sum(len(frame) - frame.rfind(b'"' + last) > 500 for frame in frames), "what follows is long"),
            (sum(frame.count(b'"%b":' % last) > 1 for frame in frames), "two payloads"),
            (sum(b"\\" in frame for frame in frames), "escapes"),
        ):
            assert many > 20, (kind.name, what)
    tagged = next(kind for kind in audio if kind.name == "elevenlabs server audio")
    assert sum(maker.frame(tagged).endswith(b'"type":"audio"}') for _ in range(400)) > 60


def test_the_model_of_a_connection_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    kind, dtype, sent = next(
        found for seed in range(99) if (found := socket_runs.connection(seed, 60))[0].name == "elevenlabs server audio"
    )
    assert list(socket_runs.play(kind, dtype, sent)) == []
    monkeypatch.setattr(socket_runs, "samples", lambda raw, encoding, dtype: (np.zeros(len(raw) // 2, dtype), b""))
    assert list(socket_runs.play(kind, dtype, sent))


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
    assert expected is not None and sockets.differences(message, expected) == []
    for old, new, name in (
        (b'"text":"Hi"', b'"text":"Ho"', "text"),
        (b'"thought":true', b'"thought":1', "thought"),
        (b'"data":"AQEB', b'"data":"AQEC', "pcm"),
        (b'"serverContent"', b'"toolCall"', "class"),
        (b'"serverContent"', b'"server"', "unknown"),
    ):
        assert old in frame
        other = sockets.expect(frame.replace(old, new, 1), kind)
        assert other is not None and any(name in line for line in sockets.differences(message, other)), name
