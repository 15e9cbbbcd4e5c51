"""The committed stubs are those the catalogue gives, and they name what is there at run time."""

from __future__ import annotations

import ast
import importlib
import inspect
import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import realtime_pcm as rp
from realtime_pcm import client_messages, messages, objects
from realtime_pcm.playback import PlaybackBuffer
from support.paths import TOOLS, load

# What the packages of the two sides export beside the messages themselves.
BASES = {
    "AudioEnd",
    "AudioMessage",
    "CarriesAudio",
    "class_of",
    "RealtimeMessage",
    "RealtimeServerMessage",
    "ServerMessage",
    "UnknownMessage",
    "payload",
}
CLIENT_BASES = {
    "CarriesAudio",
    "class_of",
    "ClientAudioEnd",
    "ClientAudioMessage",
    "ClientMessage",
    "RealtimeClientMessage",
    "RealtimeMessage",
    "UnknownClientMessage",
    "payload",
}
TOOL = TOOLS / "stubs.py"
PACKAGE = Path(rp.__file__).parent

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
                first = next(item for item in node.body if isinstance(item, ast.Assign))
                cls = getattr(package, node.name)
                assert cls.__match_args__ == ast.literal_eval(first.value), (path.name, node.name)
                compared += 1
    aliases = [name for name in messages.__all__ if name not in BASES and getattr(messages, name).__name__ != name]
    of_messages = len(messages.__all__) - len(BASES) - len(aliases) + len(client_messages.__all__) - len(CLIENT_BASES)
    assert compared == of_messages + len(objects.__all__) - 1


def documented(node: ast.Module | ast.ClassDef, owner: object, name: str) -> Iterator[tuple[str, str, str]]:
    """Each docstring of a stub that stands at run time too: its name, the stub's text, the run time's."""
    for item in node.body:
        if isinstance(item, (ast.ClassDef, ast.FunctionDef)):
            there = inspect.getattr_static(owner, item.name, None)
            if there is None:
                continue
            said, kept = ast.get_docstring(item), getattr(there, "__doc__", None)
            # A descriptor without a text of its own has that of its class.
            if said and isinstance(kept, str) and kept != type(there).__doc__:
                yield f"{name}.{item.name}", said, inspect.cleandoc(kept)
            if isinstance(item, ast.ClassDef):
                yield from documented(item, there, f"{name}.{item.name}")


@pytest.mark.parametrize("name", ["_core", "_playback", "stream"])
def test_editors_show_the_docstrings_of_the_code(name: str) -> None:
    """The stubs that are written by hand have each docstring as the code has it. `_core` and `_playback` are compiled: an editor
    cannot read them."""
    module = importlib.import_module(f"realtime_pcm.{name}")
    tree = ast.parse((PACKAGE / f"{name}.pyi").read_text(encoding="utf-8"))
    compared = list(documented(tree, module, name))
    assert len(compared) >= 6
    for where, said, kept in compared:
        assert said == kept, where


@pytest.mark.parametrize("cls", [rp.Decoder, rp.AudioEncoder, rp.Session, PlaybackBuffer], ids=lambda cls: cls.__name__)
def test_a_class_tells_its_signature(cls: type) -> None:
    """What inspect reads from the docstring is what the class takes: each default given by name is the same as none given."""
    parameters = inspect.signature(cls).parameters
    given = {name: 24_000 for name in parameters if name == "rate"}
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD and parameter.default is not parameter.empty
    }
    if cls is rp.AudioEncoder:
        assert list(parameters) == ["message", "audio_format", "session", "fields"]
        assert cls(**defaults).encode(b"") == cls().encode(b"")
        return
    cls(**given, **defaults)
    with pytest.raises(TypeError):
        cls(**given, **defaults, unheard_of=1)
    if cls is rp.Decoder:
        assert repr(cls(**defaults)) == repr(cls())
        assert list(parameters) == ["dtype", "audio_format", "only", "side", "session", "lone_surrogates"]
    title = f"{cls.__name__}{inspect.signature(cls)}".removesuffix(" -> 'None'")
    # pydoc leaves out a signature without parameters; newer ones break a long one into lines, and take the quotes away.
    page = pydoc.render_doc(cls, renderer=pydoc.plaintext)  # type: ignore[attr-defined]
    assert not parameters or re.sub(r"\W", "", title) in re.sub(r"\W", "", page)


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
            "--mypy-config-file",
            str(Path(__file__).with_name("mypy.ini")),
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
