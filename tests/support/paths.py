"""Where the source tree keeps what tests read, and how one of its scripts becomes a module."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
EXAMPLES = ROOT / "examples"
TOOLS = ROOT / "tools"
TESTS = ROOT / "tests"
HARDENING = TESTS / "hardening"
FACTS = TESTS / "support" / "facts"
FUZZ_CORPUS = TESTS / "support" / "fuzz_corpus.tar.xz"


def load(script: Path) -> ModuleType:
    """A script of the tree, loaded as a module without running its `main`."""
    spec = importlib.util.spec_from_file_location(f"{script.stem}_script", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
