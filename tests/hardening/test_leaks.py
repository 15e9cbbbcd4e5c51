"""No memory block and no reference stays behind, whatever the frame; the long run is `python tests/hardening leaks`."""

from __future__ import annotations

import sys

import pytest

from hardening import SANITIZED, leaks
from hardening.frames import KINDS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(SANITIZED, reason="ASan keeps what was freed")]


def test_frames_of_every_type() -> None:
    grown = {kind.type: leaks.grown(kind, 220) for kind in KINDS}
    assert {name: most for name, most in grown.items() if most > 10} == {}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_resident_memory() -> None:
    # The first windows may still fill arenas; a leak of a byte a frame would show in each.
    growths = [leaks.resident_growth(30_000) for _ in range(3)]
    assert min(growths) <= 256 * 1024, growths
