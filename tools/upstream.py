"""Try the project with the newest release of every package, and say what has changed since the pinned ones.

    python tools/upstream.py            in an environment of its own, which is removed at the end
    python tools/upstream.py FOLDER     in this folder, which stays

The report has four parts: the packages that are newer than the extra `test` pins them; the types and fields in which the
providers' packages differ from tests/support/facts; the tests that fail; the deprecations that each package warns of. Whatever
it says, the exit status is 0, because a release of somebody else's package is news and not a failure of this project.
The status is 2 where the check itself could not run. It needs a package index, and the C compiler of a usual build.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEPRECATIONS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")


class CannotRun(Exception):
    """The check could not be made: nothing is known about the packages."""


def pinned() -> dict[str, str]:
    """Package -> version, as the extra `test` pins them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (re.match(r"([\w.-]+)==([^\s;]+)", line) for line in project["optional-dependencies"]["test"])
    return {normal(pin[1]): pin[2] for pin in pins if pin}


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def run(*command: str | Path, what: str, allowed: tuple[int, ...] = (0,)) -> str:
    """The output of a command; CannotRun where its status is none of `allowed`."""
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode not in allowed:
        raise CannotRun(f"{what} ended with status {done.returncode}:\n{done.stdout[-4_000:]}")
    return done.stdout


def environment(folder: Path) -> Path:
    """The Python of an environment with this project and the newest release of each package that its tests use."""
    venv.create(folder, with_pip=True, clear=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*install, f"{ROOT}[cli]", *pinned(), what="pip install")
    return python


def installed(python: Path) -> dict[str, str]:
    listed = run(python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check", what="pip list")
    # A warning of pip may stand on a line of its own.
    [packages] = [json.loads(line) for line in listed.splitlines() if line.startswith("[{")]
    return {normal(package["name"]): package["version"] for package in packages}


# ---- In the other environment: the tests, with a plugin that counts


class Recorder:
    """What the tests of one run have warned of, and which of them failed."""

    def __init__(self) -> None:
        self.warnings: Counter[tuple[str, str]] = Counter()
        self.failed: list[str] = []

    def pytest_warning_recorded(self, warning_message: Any) -> None:
        if any(cls.__name__ in DEPRECATIONS for cls in warning_message.category.__mro__):
            text = " ".join(str(warning_message.message).split())
            self.warnings[package_of(warning_message.filename), f"{warning_message.category.__name__}: {text[:300]}"] += 1

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def package_of(filename: str) -> str:
    """The package whose code did what is deprecated; ours where it was the tests'."""
    _, found, inside = filename.replace(os.sep, "/").rpartition("/site-packages/")
    if found:
        return inside.partition("/")[0].removesuffix(".py")
    owners = {str(ROOT): "this project", sysconfig.get_path("stdlib"): "the standard library"}
    return next((owner for start, owner in owners.items() if filename.startswith(start)), "elsewhere")


def record_tests(report: Path, arguments: list[str]) -> int:
    """Run pytest and write to the file `report` what the Recorder saw."""
    import pytest

    recorder = Recorder()
    # These come after the filters of pyproject.toml, and the last that fits decides.
    always = [option for name in DEPRECATIONS for option in ("-W", f"always::{name}")]
    status = pytest.main(["-q", "-p", "no:cacheprovider", *always, *arguments], plugins=[recorder])
    warnings = [[*where, count] for where, count in sorted(recorder.warnings.items())]
    report.write_text(json.dumps({"warnings": warnings, "failed": recorder.failed}), encoding="utf-8")
    return int(status)


# ---- The report


def progress(what: str) -> None:
    print(f"-- {what}", file=sys.stderr, flush=True)


def part(title: str, lines: list[str], nothing: str) -> None:
    print(f"\n{title}", *(f"  {line}" for line in lines or [nothing]), sep="\n", flush=True)


def upstream(folder: Path) -> None:
    progress("installing the newest packages")
    python = environment(folder / "environment")
    versions = installed(python)
    newer = [
        f"{name} {versions.get(name)} (pinned: {pin})" for name, pin in sorted(pinned().items()) if versions.get(name) != pin
    ]
    part("Packages that are not as pinned", newer, "none")

    facts = run(python, ROOT / "tools" / "upstream_facts.py", "check", what="the check of the facts")
    part("Types and fields", facts.splitlines(), "no package was compared")

    progress("running all tests: minutes")
    report = folder / "report.json"
    output = run(python, __file__, "--record-tests", report, "--slow", ROOT / "tests", what="pytest", allowed=(0, 1))
    found = json.loads(report.read_text(encoding="utf-8"))
    part(f"Tests: {output.strip().splitlines()[-1]}", [f"failed: {name}" for name in found["failed"]], "none failed")

    totals: Counter[str] = Counter()
    for package, _, count in found["warnings"]:
        totals[package] += count
    lines = []
    for package, total in totals.most_common():
        lines.append(f"{package}: {total}")
        lines += [f"  {count} x {text}" for name, text, count in found["warnings"] if name == package]
    part("Deprecations, by the package whose code is warned of", lines, "none")


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["--record-tests", report, *rest]:
                return record_tests(Path(report), rest)
            case []:
                with tempfile.TemporaryDirectory() as folder:
                    upstream(Path(folder))
            case [folder] if not folder.startswith("-"):
                Path(folder).mkdir(parents=True, exist_ok=True)
                upstream(Path(folder).resolve())
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (CannotRun, OSError) as error:
        print(f"the check could not run: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
