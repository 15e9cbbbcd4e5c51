"""A browser for tests: chromium or Chrome, driven by playwright.

Where one of them is missing the tests are left out, unless REALTIME_PCM_REQUIRE_BROWSER is set: they then fail.
REALTIME_PCM_CHROMIUM names another executable.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["open_browser"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("REALTIME_PCM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
REQUIRED = bool(os.environ.get("REALTIME_PCM_REQUIRE_BROWSER"))
FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--autoplay-policy=no-user-gesture-required"
).split()


@contextmanager
def open_browser() -> Iterator[Any]:
    """A browser of playwright, closed at the end."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if REQUIRED:
            raise
        pytest.skip("needs playwright: pip install playwright (REALTIME_PCM_REQUIRE_BROWSER makes this a failure)")
    if CHROMIUM is None:
        if REQUIRED:
            pytest.fail("no chromium, and REALTIME_PCM_REQUIRE_BROWSER is set")
        pytest.skip("needs chromium on the PATH, or REALTIME_PCM_CHROMIUM (REALTIME_PCM_REQUIRE_BROWSER makes this a failure)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()
