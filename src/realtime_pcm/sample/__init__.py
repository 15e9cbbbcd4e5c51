"""One spoken turn, laid out like a recorded OpenAI GA session (speech by espeak-ng; see tools/make_sample.py)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

__all__ = ["lines", "path"]


def path() -> Path:
    """The JSONL file: one frame a line."""
    return Path(str(files(__name__).joinpath("session.jsonl")))


def lines() -> list[bytes]:
    """The frames in their order, each as a server would send it."""
    return path().read_bytes().splitlines()
