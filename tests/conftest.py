"""Fixtures and options: the tiers of this machine, the slow tests, and the test data that lies outside the project."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm import _core, simd_tier
from support.shared import NO_SHARED, SHARED
from support.tiers import TIERS

# CI names the tiers that its machine must have: what is not here is then a failure, not a silence.
REQUIRED = [name for name in os.environ.get("REALTIME_PCM_REQUIRE_TIERS", "").split(",") if name]
LEFT_OUT = pytest.StashKey[int]()
MOST_WORKERS = 8  # each collects all tests before it runs its share


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the slow tests too (`-m slow` runs only them)")


@pytest.hookimpl(tryfirst=True)  # before that of pytest-xdist
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Several files run in parallel, one worker per core, where pytest-xdist is installed. `-n 0`, `-s`, `--pdb`: no workers."""
    options = config.option
    if getattr(options, "numprocesses", 0) is not None or hasattr(config, "workerinput"):
        return  # not installed, told how many, or within a worker
    in_sight = options.capture == "no" or options.usepdb or options.trace or options.collectonly
    one_file = len({path.partition("::")[0] for path in config.args}) == 1 and not Path(config.args[0]).is_dir()
    if not in_sight and not one_file:
        options.numprocesses = "auto"
        options.maxprocesses = options.maxprocesses or MOST_WORKERS
        if options.dist == "no":
            options.dist = "worksteal"  # neighbours stay together, and with them what a module prepares once


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Every second worker collects the folders from the other end.

    pytest rewrites the assertions of a test module when it is first imported, which takes longer in a fresh clone than all
    else in collecting. Workers that come from both ends find half of it done.
    """
    config = session.config
    worker = getattr(config, "workerinput", {}).get("workerid", "gw0")
    if int(worker.removeprefix("gw")) % 2 and all(Path(path).is_dir() for path in config.args):
        config.args = [
            str(path) for folder in config.args for path in sorted(Path(folder).iterdir(), reverse=True) if is_room(path)
        ]


def is_room(path: Path) -> bool:
    """Whether a folder of the tests, or a module in `tests` itself, may hold tests."""
    return (path.is_dir() and path.name not in ("__pycache__", "c")) or path.match("test_*.py")


def pytest_report_header() -> list[str]:
    absent = "none, the project's own samples stand in (REALTIME_PCM_SHARED names the folder, default: ../shared)"
    return [
        f"realtime_pcm: {_core.__file__}; tiers of this machine: {', '.join(TIERS)}",
        f"shared test data: {SHARED if SHARED.is_dir() else absent}",
    ]


def pytest_configure(config: pytest.Config) -> None:
    missing = [name for name in REQUIRED if name not in TIERS]
    if missing:
        pytest.exit(f"tiers required but not here: {', '.join(missing)}", returncode=1)
    if "REALTIME_PCM_SHARED" in os.environ and not SHARED.is_dir():
        pytest.exit(f"REALTIME_PCM_SHARED is no folder: {SHARED}", returncode=1)


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path)  # the same for all workers, see pytest_collection
    if config.getoption("--slow") or "slow" in config.getoption("-m"):
        return
    # A test that is named by its own id runs, slow or not.
    named = tuple(argument.rpartition("/")[2] for argument in config.args if "::" in argument)
    slow = [
        item
        for item in items
        if item.get_closest_marker("slow") and not item.nodeid.rpartition("/")[2].startswith(named or ("/",))
    ]
    config.stash[LEFT_OUT] = len(slow)
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_testnodedown(node: Any) -> None:
    """Takes from a worker how many tests it left out: all workers leave out the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(
            f"{left_out} slow tests were left out: `pytest -m slow` runs these, `pytest --slow` runs all tests."
        )


@pytest.fixture(scope="module", autouse=True)
def _only_the_tests_own_objects() -> None:
    """gc.collect() looks through what a module's tests make, not through thousands of collected tests each time."""
    gc.collect()
    gc.freeze()


# A tier that the environment forces, as nox -s tiers does, is the one to test: other runs have the others.
FORCED = os.environ.get("REALTIME_PCM_SIMD")


@pytest.fixture(params=[FORCED] if FORCED else TIERS)
def tier(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test once with each tier that this machine has."""
    before = simd_tier()
    _core._use_tier(request.param)
    assert simd_tier() == request.param
    yield request.param
    _core._use_tier(before)


@pytest.fixture(scope="session")
def protocol() -> Path:
    """The folder of the shared lists of message types."""
    if not SHARED.is_dir():
        pytest.skip(NO_SHARED)
    return SHARED / "protocol"
