"""Generated frames of every message type against orjson, pybase64 and NumPy, on every tier; the long run is
`python tests/hardening differential`.
"""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest

import realtime_pcm as rp
from hardening import differential, reference
from hardening.frames import BY_TYPE, CLIENT_BY_TYPE, CLIENT_KINDS, KINDS, real_frame
from hardening.generate import Generator

FRAMES = int(os.environ.get("REALTIME_PCM_FRAMES", "30000"))


@pytest.mark.parametrize("seed", range(3))
def test_generated_frames(seed: int) -> None:
    _, seen, found = differential.run_one((seed, FRAMES // 3))
    assert not found, "\n".join(found[:3])
    assert seen["frames"] == FRAMES // 3


def test_the_generator_makes_what_it_should() -> None:
    """Frames of every type, most of them accepted, and every kind of refusal among the rest."""
    generator = Generator(4)
    reasons: Counter[str] = Counter()
    accepted: Counter[tuple[str, str]] = Counter()
    every = [*KINDS, *CLIENT_KINDS]
    for kind in every:
        for frame in generator.batch(kind, 400):
            try:
                accepted[kind.side, type(rp.decode(frame, side=kind.side)).__name__] += 1
            except rp.DecodeError as error:
                reasons[error.reason] += 1
    assert min(accepted[kind.side, kind.cls] for kind in every) > 100
    whole = [reason.decode() for reason in _reasons()]
    # Frames of 1,025 levels are too long to be drawn from a pool: test_stack.py makes them.
    assert [reason for reason in whole if reason not in reasons and "1024 levels" not in reason] == []
    assert 0.1 < reasons.total() / (400 * len(every)) < 0.35


def _reasons() -> list[bytes]:
    """The reasons of wire.h, as the compiled module holds them."""
    from pathlib import Path

    from realtime_pcm import _core

    assert _core.__file__
    binary = Path(_core.__file__).read_bytes()
    start = binary.index(b"empty frame\0")
    texts = binary[start : start + 2000].split(b"\0")
    return [text for text in texts[: texts.index(b"base64 with set pad bits") + 1] if text]


def test_the_reference_sees_what_is_wrong() -> None:
    """Each kind of difference, one at a time."""
    frame = real_frame(BY_TYPE["response.output_audio.delta"])
    message = rp.decode(frame)
    assert reference.differences(message, reference.expect(frame)) == []
    for changed, name in (
        (frame.replace(b'"item_id":"item', b'"item_id":"Item'), "item_id"),
        (frame.replace(b"AQID", b"AQIE"), "pcm"),
        (frame.replace(b'"content_index":250', b'"content_index":250.0'), "content_index"),
        (frame.replace(b"response.output_audio.delta", b"response.audio.delta"), "type"),
        (frame.replace(b"response.output_audio.delta", b"response.text.delta"), "class"),
        (frame.replace(b'"AQID', b'"'), "pcm of 126 samples, not 124"),
    ):
        assert changed != frame
        assert any(name in line for line in reference.differences(message, reference.expect(changed))), name
    message.pcm[7] += 1
    assert reference.differences(message, reference.expect(frame)) == ["pcm"]
    frame = real_frame(CLIENT_BY_TYPE["input_audio_buffer.append"])
    appended = rp.decode(frame, side="client")
    assert reference.differences(appended, reference.expect(frame, side="client")) == []
    assert reference.differences(rp.decode(frame), reference.expect(frame)) == []
    assert reference.differences(appended, reference.expect(frame))[0] == "class InputAudioBufferAppend"


def test_the_references_g711() -> None:
    """Against values out of the standard: both laws at the ends of their segments."""
    ulaw, alaw = reference._TABLES["g711_ulaw"], reference._TABLES["g711_alaw"]
    assert [int(ulaw[code]) for code in (0x00, 0x80, 0x7F, 0xFF, 0xF0, 0xE0)] == [-32124, 32124, 0, 0, 120, 372]
    assert [int(alaw[code]) for code in (0xD5, 0x55, 0xAA, 0x2A, 0xC5)] == [8, -8, 32256, -32256, 264]
    assert np.all(np.diff(ulaw[0x80:].astype(int)) <= 0)
