"""The committed stubs are those the catalogue gives, and they name what is there at run time."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from realtime_pcm import client_messages, messages, objects
from support.paths import TOOLS, load

# What the packages of the two sides export beside the messages themselves.
BASES = {"AudioEnd", "AudioMessage", "RealtimeMessage", "RealtimeServerMessage", "ServerMessage", "UnknownMessage", "payload"}
CLIENT_BASES = {
    "ClientAudioEnd",
    "ClientAudioMessage",
    "ClientMessage",
    "RealtimeClientMessage",
    "RealtimeMessage",
    "UnknownClientMessage",
    "payload",
}
TOOL = TOOLS / "stubs.py"

pytestmark = pytest.mark.skipif(not TOOL.exists(), reason="needs the source tree: tools/stubs.py")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load(TOOL)


def test_committed_stubs_are_up_to_date(tool: ModuleType) -> None:
    assert tool.stale() == []


@pytest.mark.parametrize("package", [messages, client_messages], ids=lambda package: package.__name__)
def test_stub_exports_what_the_package_does(tool: ModuleType, package: ModuleType) -> None:
    text = tool.stubs()[tool.ROOT / package.__name__.rpartition(".")[2] / "__init__.pyi"]
    exported = next(
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert exported == package.__all__


def test_stub_match_args_are_those_of_the_classes(tool: ModuleType) -> None:
    compared = 0
    for path, text in tool.stubs().items():
        package = {tool.PACKAGE: messages, tool.CLIENT_PACKAGE: client_messages, tool.VIEWS: objects}[path.parent]
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                first = node.body[0]
                assert isinstance(first, ast.Assign)
                cls = getattr(package, node.name)
                assert cls.__match_args__ == ast.literal_eval(first.value), (path.name, node.name)
                compared += 1
    of_messages = len(messages.__all__) - len(BASES) + len(client_messages.__all__) - len(CLIENT_BASES)
    assert compared == of_messages + len(objects.__all__) - 1


USAGE = """
from __future__ import annotations

from typing import Any

import numpy.typing as npt
from typing_extensions import assert_type

import realtime_pcm
from realtime_pcm import messages
from realtime_pcm.objects import RealtimeError, SessionConfig, View

message = realtime_pcm.decode(b"")
assert_type(message, messages.ServerMessage)

match message:
    case messages.ResponseAudioDelta(item_id=item, pcm=pcm):
        assert_type(item, str | None)
        assert_type(pcm, npt.NDArray[Any])
    case messages.ResponseAudioTranscriptDelta(response, _, index):
        assert_type(response, str | None)
        assert_type(index, int | None)
    case messages.Error(error=error) if error is not None:
        assert_type(error, RealtimeError)
    case messages.AudioMessage(pcm=other):
        assert_type(other, npt.NDArray[Any])
    case messages.UnknownMessage(type=name):
        unknown: str = name

if message.type == "error":
    assert_type(message, messages.Error)
if message.type == "session.created":
    assert_type(message.session, SessionConfig | None)
if message.type == "response.audio.delta":
    assert_type(message, messages.ResponseAudioDelta)


class Weather(messages.RealtimeServerMessage, wire="weather"):
    degrees: float | None
    place: Place | None


class Place(View):
    name: str | None


class Radio(messages.AudioMessage, wire="radio"):
    station: str | None
    pcm: npt.NDArray[Any] = messages.payload("data")
"""


@pytest.mark.slow
def test_comparing_type_and_matching_narrow(tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api")
    pytest.importorskip("typing_extensions")
    if not Path(messages.__file__).parent.parent.joinpath("_core.pyi").exists():
        pytest.skip("the stub of the core is not there")
    usage = tmp_path / "usage.py"
    usage.write_text(USAGE, encoding="utf-8")
    output, errors, status = mypy.run(["--strict", "--cache-dir", str(tmp_path / "cache"), str(usage)])
    assert status == 0, output + errors


@pytest.mark.slow
def test_the_stubs_are_those_of_the_modules() -> None:
    for needed in ("mypy", "aiohttp", "websockets", "typer"):
        pytest.importorskip(needed)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy.stubtest",
            "realtime_pcm",
            "--ignore-missing-stub",
            "--ignore-unused-allowlist",
            "--allowlist",
            str(Path(__file__).with_name("stubtest_allowlist.txt")),
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
