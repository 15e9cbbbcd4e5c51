"""The pages on Ray Data and Spark run as they are printed, with the releases that the extra `engines` pins."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conftest import REQUIRED, needed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r'^```python title="(?P<needs>[^"]+)"\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("page", "module"), [("ray", "ray"), ("spark", "pyspark")])
def test_a_page_runs_as_printed(page: str, module: str, tmp_path: Path) -> None:
    needed(module)
    if module == "pyspark" and not REQUIRED and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    blocks = list(BLOCK.finditer((ROOT / "docs" / "guide" / f"{page}.md").read_text(encoding="utf-8")))
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["engines"]
    assert len(blocks) == 2 and {block["needs"] for block in blocks} < set(pins)
    (tmp_path / "page.py").write_text("\n".join(block["code"] for block in blocks), encoding="utf-8")
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**os.environ, **quiet, "PYSPARK_PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4_000:]
    assert "62 lines, 0 refused: " in done.stdout
    check_types(tmp_path)


def check_types(folder: Path) -> None:
    """mypy strictly; pyright without its strictest rules, which ask for types that Ray, Spark and pyarrow do not declare."""
    for module in ("mypy", "pyright"):
        needed(module)
    (folder / "pyrightconfig.json").write_text(json.dumps({"include": ["page.py"], "typeCheckingMode": "standard"}))
    for command in (
        ["mypy", "--strict", "--cache-dir", "mypy", "page.py"],
        ["pyright", "--pythonpath", sys.executable, "-p", "."],
    ):
        done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout[-6_000:]
