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
FOLDERS = ("cli", "client", "client_messages", "messages", "objects", "testing")
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
    config: list[str | Path] = ["--config-file", Path(__file__).with_name("mypy.ini")]
    targets: list[str | Path] = [*config, "-p", "realtime_pcm"] if what == "package" else [*programs]
    # One cache for both: reading the clients takes most of the time.
    cache = tmp_path.parent / "mypy"
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, *targets, cwd=tmp_path)


def test_pyright(tmp_path: Path) -> None:
    """The programs and the examples strictly, and with them the package's stubs; of the package itself what has no stub."""
    pytest.importorskip("pyright")
    for program in PROGRAMS:
        shutil.copy(program, tmp_path)
    names = (
        "stream.py",
        "errors.py",
        "audio.py",
        "terminal.py",
        "declare.py",
        "playback.py",
        "_items.py",
        "_resample.py",
    )
    # Where it is installed, pyright reads the package without telling its errors.
    package = tmp_path / "realtime_pcm"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    read = [*(f"realtime_pcm/{name}" for name in (*names, *FOLDERS)), "*.py", "examples"]
    config = {"include": read, "strict": ["examples"], "reportMissingModuleSource": "none"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    run(sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", tmp_path, cwd=tmp_path)


# What a stub or a class may say that is not so, and the program that then must fail: a message that `only` leaves out is None.
DRIFT = (
    ("_core.pyi", "-> Decoder[M1 | M2 | M3 | M4 | M5 | M6, None]: ...", "-> Decoder[M1 | M2 | M3 | M4 | M5 | M6]: ..."),
    ("messages/openai.py", "    item_id: str | None = None\n", "    item_id: int = 0\n"),
    ("declare.py", "    Samples: TypeAlias = Field[npt.NDArray[Any], ", "    Samples: TypeAlias = Field[Any, "),
)


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_planted_drift_fails(tmp_path: Path, checker: str) -> None:
    """The assertions of typing_only.py hold for the stubs as they are, and fail for each change to one of them."""
    pytest.importorskip(checker)
    package = tmp_path / "realtime_pcm"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    program = shutil.copy(Path(__file__).with_name("typing_only.py"), tmp_path)
    if checker == "mypy":
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), program]
    else:
        command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, program]

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    done = check()
    assert done.returncode == 0, done.stdout[-4_000:]
    for name, as_it_is, drifted in DRIFT:
        stub = package / name
        text = stub.read_text(encoding="utf-8")
        assert as_it_is in text
        stub.write_text(text.replace(as_it_is, drifted), encoding="utf-8")
        done = check()
        assert done.returncode == 1 and "typing_only.py" in done.stdout, (name, drifted, done.stdout[-4_000:])
        stub.write_text(text, encoding="utf-8")
