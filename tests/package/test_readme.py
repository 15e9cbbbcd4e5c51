"""The README's code runs as printed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from support.paths import README

BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 2
    assert "decode_stream" in BLOCKS[0]


@pytest.mark.parametrize("index", range(len(BLOCKS)))
def test_example_runs(index: int) -> None:
    # Examples go on from one another, as a reader does.
    code = "\n".join(BLOCKS[: index + 1])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert " s: " in done.stdout
