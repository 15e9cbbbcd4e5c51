"""The packages that `nox -s engines` has, and that it requires."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

REQUIRED = bool(os.environ.get("REALTIME_PCM_REQUIRE_ENGINES"))


def needed(module: str) -> Any:
    """The module; without it the test is skipped, or fails where it is required."""
    if REQUIRED:
        return importlib.import_module(module)
    return pytest.importorskip(module)
