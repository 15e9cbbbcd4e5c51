"""The tools that look at the packages of others: what they read, what they call a difference, and what they count."""

from __future__ import annotations

import asyncio
import copy
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.paths import FACTS, ROOT, TOOLS, load

FILES = sorted(FACTS.glob("*.json"))

pytestmark = pytest.mark.skipif(not TOOLS.is_dir(), reason="needs the source tree: tools/")


@pytest.fixture(scope="module")
def facts() -> ModuleType:
    return load(TOOLS / "upstream_facts.py")


@pytest.fixture(scope="module")
def upstream() -> ModuleType:
    return load(TOOLS / "upstream.py")


# ---- Facts


# Packages that the extra `test` does not install: they were read once. Where one of them is installed, in
# the version of its file, it is read again like the others.
READ_ONCE = {"azure-ai-projects", "dashscope", "elevenlabs", "google-genai", "pipecat-ai", "smallestai", "together"}


def is_read_again(path: Path) -> bool:
    package, _, version = path.stem.rpartition("-")
    try:
        return package not in READ_ONCE or importlib.metadata.version(package) == version
    except importlib.metadata.PackageNotFoundError:
        return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_looks_as_the_tool_writes_it(path: Path, facts: ModuleType) -> None:
    known = json.loads(path.read_text(encoding="utf-8"))
    assert path.name == f"{known['package']}-{known['version']}.json"
    assert known["package"] in facts.PACKAGES
    assert path.read_text(encoding="utf-8") == facts.text_of(known)


@pytest.mark.slow  # it imports the whole of the packages
@pytest.mark.parametrize("path", list(filter(is_read_again, FILES)), ids=lambda path: path.stem)
def test_a_file_is_what_the_tool_writes(path: Path, facts: ModuleType) -> None:
    """Where this very version is installed, reading it again gives the file, byte for byte."""
    package, _, version = path.stem.rpartition("-")
    try:
        installed = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        installed = "none"
    if installed != version:
        pytest.skip(f"needs {package} {version}, not {installed}")
    assert facts.text_of(facts.read(package)) == path.read_text(encoding="utf-8")


def test_what_sent_frames_show(facts: ModuleType) -> None:
    found: dict[str, dict[str, str]] = {}
    sent = [{"type": "say", "how": {"loud": [1, "very"]}}, {"type": "say", "how": {"fast": True}, "why": None}]
    assert facts.describe("Say", sent, found) == "Say"
    assert found == {
        "Say": {"type": "string", "how": "Say.how", "why": "any?"},
        "Say.how": {"loud": "[integer | string]?", "fast": "boolean?"},
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_complete(path: Path) -> None:
    """Every model that a field names is described, but those of the Responses API that only clients of Live send."""
    known = json.loads(path.read_text(encoding="utf-8"))
    kinds = [kind for fields in known["models"].values() for kind in fields.values()]
    named = {word for kind in kinds for word in re.findall(r"[\w.]*[A-Z][\w.]*", kind)}
    assert len(named) > {
        "dashscope": 15,
        "pipecat-ai": 30,
        "together": 3,
        "smallestai": 10,
        "google-genai": 20,
        "elevenlabs": 12,
    }.get(known["package"], 50)
    others = ("responses.", "shared.") if known["package"] != "google-genai" else "types."  # of Gemini, Live alone is described
    assert {name for name in named - known["models"].keys() if not name.startswith(others)} == set()
    words = {word for kind in kinds for word in re.findall(r"[\w.]+", kind)} - named
    assert words <= {"string", "integer", "number", "boolean", "null", "any"}


OLD = {
    "server": {"ga": {"said": "Said", "gone": "Gone"}, "beta": {"said": "OldSaid"}},
    "client": {"ga": {"say": "Say"}},
    "models": {
        "Said": {"text": "string", "usage": "Usage?", "type": "string"},
        "OldSaid": {"text": "string", "type": "string"},
        "Gone": {"why": "string"},
        "Say": {"text": "string"},
        "Usage": {"seconds": "integer", "inner": "[Usage | string]"},
    },
}


def changed(**models: Any) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    new["models"] |= models
    return new


def test_differences(facts: ModuleType) -> None:
    usage = OLD["models"]["Usage"]
    assert facts.differences(OLD, OLD) == []
    assert facts.differences(OLD, changed(Usage={**usage, "minutes": "Minutes"}, Minutes={"whole": "integer"})) == [
        "+ server nested field usage.minutes of said"]  # fmt: skip
    assert facts.differences(changed(Usage={**usage, "minutes": "integer"}), OLD) == [
        "- server nested field usage.minutes of said"]  # fmt: skip
    assert facts.differences(OLD, changed(Usage={**usage, "seconds": "number?"})) == [
        "~ server nested field usage.seconds (integer -> number) of said"]  # fmt: skip
    assert facts.differences(OLD, changed(Say={"text": "string", "voice": "string?"})) == ["+ client field voice of say"]
    # What one API has is known, though another lacks it.
    assert facts.differences(OLD, changed(OldSaid=OLD["models"]["Said"])) == []
    # A class under a new name is the same on the wire.
    renamed = changed(Said={**OLD["models"]["Said"], "usage": "live.SessionUsage?"}, **{"live.SessionUsage": usage})
    renamed["models"]["live.SessionUsage"] = {**usage, "inner": "[live.SessionUsage | string]"}
    assert facts.differences(OLD, renamed) == []
    without = copy.deepcopy(OLD)
    del without["server"]["ga"]["gone"]
    without["client"]["ga"]["shout"] = "Gone"
    assert facts.differences(OLD, without) == ["- server type gone {why}", "+ client type shout {why}"]


def test_the_newest_facts_are_compared(facts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for version in ("9.2", "10.0", "9.10.1"):
        (tmp_path / f"a-{version}.json").write_text(json.dumps({"package": "a", "version": version, **OLD}))
    monkeypatch.setattr(facts, "FACTS", tmp_path)
    assert [known["version"] for known in facts.recorded("a")] == ["9.2", "9.10.1", "10.0"]
    new = {"version": "11.0", **changed(Gone={"why": "string", "when": "integer"})}

    def read(package: str) -> dict[str, Any]:
        if package == "absent":
            raise importlib.metadata.PackageNotFoundError(package)
        if package == "rebuilt":
            raise AttributeError("no such union")
        return new

    monkeypatch.setattr(facts, "read", read)
    monkeypatch.setattr(facts, "PACKAGES", ("a", "unrecorded", "absent", "rebuilt"))
    assert facts.main(["check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a 11.0 against the facts of 10.0: 1 differences",
        "  + server field when of gone",
        "unrecorded 11.0: no facts are recorded",
        "absent: not installed",
        "rebuilt: this tool cannot read it: AttributeError: no such union",
    ]
    assert facts.main(["explain"]) == 2


# ---- The newest of everything


def test_the_tests_extra_names_one_version_of_each_package(upstream: ModuleType) -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, [needs] = whole["project"], whole["tool"]["dynamic-metadata"]
    lines = project["optional-dependencies"]["test"]
    assert len(upstream.pinned()) == len(lines) - 1 and lines[0] == "realtime-pcm[arrow,cli,client,play,plot,recording,testing]"
    extras = project["optional-dependencies"]
    needed = [
        *needs["with_gil"],
        *(line for name in ("cli", "play", "plot", "recording") for line in extras[name]),
    ]
    assert {upstream.normal(re.match(r"[\w.-]+", line)[0]) for line in needed} <= upstream.pinned().keys()
    for path in FILES:
        package, _, version = path.stem.rpartition("-")
        assert upstream.pinned().get(package) == (None if package in READ_ONCE else version)


def test_whose_code_is_warned_of(upstream: ModuleType) -> None:
    folder = "/home/a/lib/python3.13/site-packages"
    assert upstream.package_of(f"{folder}/openai/lib/_websocket.py") == "openai"
    assert upstream.package_of(f"{folder}/typing_extensions.py") == "typing_extensions"
    assert upstream.package_of(str(ROOT / "tests" / "command_line" / "test_cli.py")) == "this project"
    assert upstream.package_of(asyncio.__file__) == "the standard library"
    assert upstream.package_of("/home/a/script.py") == "elsewhere"


TESTS = """
import warnings

def test_that_warns():
    for message in ("old\\n  way", "old\\n  way", "no deprecation"):
        warnings.warn(message, UserWarning if message[0] == "n" else PendingDeprecationWarning)

def test_that_fails():
    assert False
"""


@pytest.mark.slow
def test_what_is_recorded_of_a_run(tmp_path: Path) -> None:
    report, tests = tmp_path / "report.json", tmp_path / "test_some.py"
    tests.write_text(TESTS)
    command = [sys.executable, str(TOOLS / "upstream.py"), "--record-tests", str(report), str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads(report.read_text()) == {
        "warnings": [["elsewhere", "PendingDeprecationWarning: old way", 2]],
        "failed": ["test_some.py::test_that_fails"],
    }


def test_a_run_that_is_not_understood(upstream: ModuleType, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_environment(folder: Path) -> Path:
        raise upstream.CannotRun("pip install ended with status 1")

    assert upstream.main(["--help"]) == 2
    monkeypatch.setattr(upstream, "environment", no_environment)
    assert upstream.main([]) == 2
    assert "the check could not run: pip install ended" in capsys.readouterr().err
