"""mypy and pyright over the package and over tests/typing/typing_*.py, which use it as a program does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import realtime_pcm
from support.paths import EXAMPLES

PACKAGE = Path(realtime_pcm.__file__).parent
PROGRAMS = sorted(Path(__file__).parent.glob("typing_*.py"))
# Each of them reads the packages of all clients first.
pytestmark = pytest.mark.slow
CLIENTS = ("aiohttp", "openai", "picows", "typer", "typing_extensions", "websockets")


@pytest.fixture(autouse=True)
def clients() -> None:
    for name in CLIENTS:
        pytest.importorskip(name)


def run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-8_000:]


@pytest.mark.parametrize("what", ["package", "programs"])
def test_mypy(tmp_path: Path, what: str) -> None:
    pytest.importorskip("mypy")
    programs = [*PROGRAMS, *sorted(EXAMPLES.glob("*.py"))]
    targets: list[str | Path] = ["-p", "realtime_pcm"] if what == "package" else [*programs]
    # One cache for both: reading the clients takes most of the time.
    cache = tmp_path.parent / "mypy"
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, *targets, cwd=tmp_path)


def test_pyright(tmp_path: Path) -> None:
    """The programs strictly, and with them the package's stubs; of the package itself what has no stub."""
    pytest.importorskip("pyright")
    for program in PROGRAMS:
        shutil.copy(program, tmp_path)
    names = ("stream.py", "serve.py", "cli.py", "errors.py", "audio.py", "terminal.py", "playback.py", "_items.py", "_resample.py")
    for name in names:
        text = (PACKAGE / name).read_text(encoding="utf-8")
        # Outside the package its relative imports would not resolve.
        text = text.replace("from .", "from realtime_pcm.").replace("from realtime_pcm. import", "from realtime_pcm import")
        (tmp_path / name).write_text(text, encoding="utf-8")
    config = {"include": ["*.py"], "reportMissingModuleSource": "none"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    run(sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", tmp_path, cwd=tmp_path)
