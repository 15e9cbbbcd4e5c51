"""Every allocation of decoding fails once: MemoryError each time, no crash, the decoder as it was before."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from hardening import SANITIZED
from support.paths import HARDENING


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.skipif(SANITIZED, reason="a failing allocator hides what ASan looks for, and orjson crashes under it")
@pytest.mark.skipif(np.__version__ < "2", reason="NumPy 1 crashes where it has no memory to compare two arrays")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there json and orjson themselves return a result beside a MemoryError")
def test_every_allocation() -> None:
    pytest.importorskip("_testcapi")
    done = subprocess.run([sys.executable, str(HARDENING), "allocations"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    figures = done.stdout.split()
    assert int(figures[0].replace(",", "")) > 1500, done.stdout
