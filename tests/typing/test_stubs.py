"""The classes and the stubs say to type checkers what is there at run time."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
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

# What the packages of the two sides export beside the messages themselves.
BASES = {
    "AudioEnd",
    "AudioMessage",
    "CarriesAudio",
    "class_of",
    "Nested",
    "NestedList",
    "RealtimeMessage",
    "RealtimeServerMessage",
    "Samples",
    "ServerMessage",
    "UnknownMessage",
    "field",
    "payload",
}
CLIENT_BASES = {
    "CarriesAudio",
    "class_of",
    "ClientAudioEnd",
    "ClientAudioMessage",
    "ClientMessage",
    "Nested",
    "NestedList",
    "RealtimeClientMessage",
    "RealtimeMessage",
    "Samples",
    "UnknownClientMessage",
    "field",
    "payload",
}
PACKAGE = Path(rp.__file__).parent


@pytest.mark.parametrize(
    ("package", "bases", "unknown"),
    [(messages, BASES, "UnknownMessage"), (client_messages, CLIENT_BASES, "UnknownClientMessage")],
    ids=["server", "client"],
)
def test_the_union_for_type_checkers_has_every_class(package: ModuleType, bases: set[str], unknown: str) -> None:
    """The union is the one list of classes that is written by hand."""
    assert package.__file__
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    for_checkers = next(node for node in tree.body if isinstance(node, ast.If))
    union = next(node for node in for_checkers.body if isinstance(node, ast.AnnAssign))
    assert union.value
    listed = [node.id for node in ast.walk(union.value) if isinstance(node, ast.Name)]
    classes = {name: getattr(package, name) for name in package.__all__ if name not in bases}
    assert sorted(listed) == sorted({cls.__name__ for cls in classes.values()} | {unknown})
    assert ast.unparse(union.target) in bases


def test_each_field_has_a_docstring_and_a_default() -> None:
    """An editor shows the string below a field; a field without a default would be a keyword that must be given."""
    fields = 0
    for package in (messages, client_messages, objects):
        assert package.__file__
        for path in sorted(Path(package.__file__).parent.glob("[a-z]*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if not isinstance(node, ast.ClassDef):
                    continue
                for field, below in itertools.zip_longest(node.body, node.body[1:]):
                    if not isinstance(field, ast.AnnAssign) or "ClassVar" in ast.unparse(field.annotation):
                        continue
                    name = ast.unparse(field.target)
                    assert field.value is not None, (node.name, name)
                    if name != "type" or package is objects:
                        text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
                        assert isinstance(text, str) and text.endswith("."), (node.name, name)
                        fields += 1
    assert fields > 750


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


@pytest.mark.parametrize("name", ["_bulk", "_core", "_playback", "stream"])
def test_editors_show_the_docstrings_of_the_code(name: str) -> None:
    """The stubs that are written by hand have each docstring as the code has it. Those of compiled modules
    are all that an editor can read."""
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
        assert list(parameters) == ["dtype", "audio_format", "only", "side", "catalogue", "session", "lone_surrogates"]
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
            *(f"realtime_pcm.{name}" for name in ("_bulk", "_core", "_playback", "stream")),  # a module of Python is its own stub
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
