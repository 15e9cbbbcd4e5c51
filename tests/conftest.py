"""Fixtures: the tiers of this machine, and the shared test data where it lies beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from realtime_pcm import _core, simd_tier

SHARED = Path(__file__).parents[2] / "shared"
TIERS = _core._available_tiers()

# CI names the tiers that its machine must have: what is not here is then a failure, not a silence.
REQUIRED = [name for name in os.environ.get("REALTIME_PCM_REQUIRE_TIERS", "").split(",") if name]


def pytest_report_header() -> str:
    return f"realtime_pcm: {_core.__file__}; tiers of this machine: {', '.join(TIERS)}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in REQUIRED if name not in TIERS]
    if missing:
        pytest.exit(f"tiers required but not here: {', '.join(missing)}", returncode=1)


@pytest.fixture(params=TIERS)
def tier(request: pytest.FixtureRequest):
    """Runs a test once with each tier that this machine has."""
    before = simd_tier()
    _core._use_tier(request.param)
    assert simd_tier() == request.param
    yield request.param
    _core._use_tier(before)


def shared_files(folder: str, pattern: str) -> list[Path]:
    return sorted((SHARED / folder).glob(pattern))


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside the project")
    return SHARED
