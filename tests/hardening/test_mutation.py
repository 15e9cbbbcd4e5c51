"""One frame of every message type with every bit flipped and cut everywhere: the verdict is the reference's, on every
tier; `python tests/hardening mutation` puts every value into every byte.
"""

from __future__ import annotations

from typing import Any

import pytest

from hardening import mutation
from hardening.frames import AUDIO_KINDS, CLIENT_KINDS, KINDS

# One type in twelve, every audio type among them, belongs to the quick tests.
EVERY = [*KINDS, *CLIENT_KINDS]
QUICK = [kind for number, kind in enumerate(EVERY) if number % 12 == 0 or kind in AUDIO_KINDS]
ALL = [pytest.param(kind, id=kind.name, marks=() if kind in QUICK else pytest.mark.slow) for kind in EVERY]


@pytest.mark.parametrize("kind", ALL)
def test_every_mutant(kind: Any) -> None:
    count, found = mutation.mutate(kind)
    assert not found, "\n".join(found[:3])
    assert count > 500
