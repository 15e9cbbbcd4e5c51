"""1,024 levels and more in a thread of 128 KiB, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hardening import SANITIZED
from support.paths import HARDENING


@pytest.mark.slow
@pytest.mark.skipif(SANITIZED, reason="ASan needs more stack")
def test_the_deepest_frames_in_a_small_stack() -> None:
    done = subprocess.run([sys.executable, str(HARDENING), "stack"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
    assert "as promised" in done.stdout
