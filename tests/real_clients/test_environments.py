"""What the environments of clients hold, and what becomes of a test whose environment is not there."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from real_clients import environments
from real_clients.environments import HERE, PROGRAMS
from support.paths import ROOT

PAGE = ROOT / "docs" / "guide" / "rehearsal-clients.md"
PINS = {path.stem: path.read_text(encoding="utf-8") for path in (HERE / "requirements").glob("*.txt")}
NODE = json.loads((HERE / "node" / "package.json").read_text(encoding="utf-8"))
LOCK = json.loads((HERE / "node" / "package-lock.json").read_text(encoding="utf-8"))


@pytest.mark.skipif(not PAGE.is_file(), reason="needs the source tree: docs/")
def test_the_page_names_the_versions_that_run() -> None:
    named = re.findall(r"^\| ([^|]+?) \| ([\d.]+) \| `", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) == 8
    for client, version in named:
        package = client.split(" ")[0]
        if package.startswith("@") or "node" in client:
            assert NODE["dependencies"][package] == version, client
        else:
            assert any(f"\n{package}=={version}\n" in f"\n{pins}" for pins in PINS.values()), client


def test_every_package_is_pinned() -> None:
    for name, pins in PINS.items():
        assert all(re.fullmatch(r"[\w.-]+==[\w.+]+", line) for line in pins.splitlines()), name
    wanted = {**NODE["dependencies"], **NODE["optionalDependencies"]}
    assert wanted == {**LOCK["packages"][""]["dependencies"], **LOCK["packages"][""]["optionalDependencies"]}
    for name, version in wanted.items():
        assert LOCK["packages"][f"node_modules/{name}"]["version"] == version
    for package in LOCK["packages"].values():
        assert "resolved" not in package  # it would name an index of packages


def test_every_program_has_a_test() -> None:
    from real_clients.test_real_clients import CLIENTS, PAGES

    shared = {"plan.py", "node.mjs", "conversation.mjs", "agents.mjs"}
    assert {path.name for path in PROGRAMS.iterdir() if path.is_file()} - shared == {
        *(client.program for client in CLIENTS.values()),
        *PAGES.values(),
    }
    assert {client.environment for client in CLIENTS.values()} == {*PINS, "node"}


def test_without_an_environment_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setattr(environments, "NAMED", None)
    monkeypatch.setattr(environments, "REQUIRED", False)
    with pytest.raises(pytest.skip.Exception, match="openai is not installed"):
        environments.python_with("openai")
    with pytest.raises(pytest.skip.Exception, match="node is not installed"):
        environments.node_project()


@pytest.mark.parametrize("required", [False, True])
def test_an_environment_that_cannot_be_made(required: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It skips the test, or fails it where the clients are required; the reason is the first error of the program."""
    monkeypatch.setattr(environments, "REQUIRED", required)
    program = "print('try'); print('error: no index'); print('see a log'); raise SystemExit(1)"
    with pytest.raises((pytest.fail if required else pytest.skip).Exception, match="cannot be installed: error: no index"):
        environments._run("x cannot be installed", sys.executable, "-c", program)
    with pytest.raises((pytest.fail if required else pytest.skip).Exception, match=r"cannot be installed: .*no-such-program"):
        environments._run("x cannot be installed", "no-such-program")
