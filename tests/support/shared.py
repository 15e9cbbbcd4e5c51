"""Test data outside the project: recorded sessions (captures/), conformance suites (suites/), message types (protocol/)."""

from __future__ import annotations

import os
from pathlib import Path

from support.paths import ROOT

SHARED = Path(os.environ.get("REALTIME_PCM_SHARED") or ROOT.parent / "shared")
NO_SHARED = "needs the shared test data: REALTIME_PCM_SHARED names its folder (default: ../shared)"


def shared_files(folder: str, pattern: str) -> list[Path]:
    """The files of one folder of the shared data, sorted; none where the data is not there."""
    return sorted((SHARED / folder).glob(pattern))


def captures() -> list[Path]:
    """The recorded sessions of Realtime servers. The folder also holds frames of sockets that speak other protocols."""
    others = ("gemini_", "sockets_")
    return [path for path in shared_files("captures", "*.jsonl") if not path.name.startswith(others)]
