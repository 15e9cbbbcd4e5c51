"""One frame of every message type with every bit flipped and cut everywhere: the verdict is the reference's, on every
tier; `python tests/hardening mutation` puts every value into every byte.
"""

from __future__ import annotations

import os

import pytest

from hardening import mutation
from hardening.frames import AUDIO_KINDS, KINDS

LONG = bool(os.environ.get("REALTIME_PCM_LONG"))
# One type in six by default, every audio type among them; CI runs them all.
CHOSEN = KINDS if LONG else [kind for number, kind in enumerate(KINDS) if number % 6 == 0 or kind in AUDIO_KINDS]


@pytest.mark.parametrize("kind", CHOSEN, ids=lambda kind: kind.type)
def test_every_mutant(kind) -> None:
    count, found = mutation.mutate(kind)
    assert not found, "\n".join(found[:3])
    assert count > 500
