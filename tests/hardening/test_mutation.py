"""One frame of every message type with every bit flipped and cut everywhere: the verdict is the reference's, on every
tier; `python tests/hardening mutation` puts every value into every byte.
"""

from __future__ import annotations

from typing import Any

import pytest

from hardening import mutation
from hardening.frames import CLIENT_KINDS, KINDS

# One type in twenty-four and the audio that OpenAI sends belong to the quick tests.
EVERY = [*KINDS, *CLIENT_KINDS]
OPENAI_AUDIO = ("response.output_audio.delta", "input_audio_buffer.append")
QUICK = [kind for number, kind in enumerate(EVERY) if number % 24 == 0 or kind.type in OPENAI_AUDIO]
ALL = [pytest.param(kind, id=kind.name, marks=() if kind in QUICK else pytest.mark.slow) for kind in EVERY]


@pytest.mark.parametrize("kind", ALL)
def test_every_mutant(kind: Any) -> None:
    count, found = mutation.mutate(kind)
    assert not found, "\n".join(found[:3])
    assert count > 500
