"""The pages: each Python block runs as it is printed and passes both type checkers; the reference has every class; links lead
somewhere.

The blocks of a page go on from one another, as a reader does. A block with a title, such as `title="pipecat-ai==1.14.0"`, needs
that package: a slow test installs it into an environment of its own.
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import realtime_pcm
from realtime_pcm import client_messages, messages, objects, sockets
from support.paths import README, TOOLS

ROOT = README.parent
DOCS = ROOT / "docs"
PAGES = {path.relative_to(ROOT).as_posix(): path for path in (README, *sorted(DOCS.rglob("*.md")))}
FILES = (
    "https://raw.githubusercontent.com/realtime-pcm/realtime-pcm/main/",
    "https://github.com/realtime-pcm/realtime-pcm/blob/main/",
)
BLOCK = re.compile(r'^```python(?: title="(?P<needs>[^"]+)")?\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(?P<kind>\S*)", re.MULTILINE)

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="needs the source tree: docs/")


class Program(NamedTuple):
    """The blocks of a page as one program. `needs`: the packages that the blocks with a title name."""

    code: str
    needs: tuple[str, ...]


def program(page: str, *, with_needs: bool) -> Program:
    blocks = list(BLOCK.finditer(PAGES[page].read_text(encoding="utf-8")))
    needs = tuple(dict.fromkeys(block["needs"] for block in blocks if block["needs"]))
    code = "\n".join(block["code"] for block in blocks if with_needs or not block["needs"])
    return Program(code, needs)


WITH_CODE = [page for page in PAGES if program(page, with_needs=True).code]
BY_ENGINES = ("docs/guide/ray.md", "docs/guide/spark.md")  # tests/engines runs them
NEEDING = [page for page in WITH_CODE if program(page, with_needs=True).needs and page not in BY_ENGINES]


def test_every_block_is_read() -> None:
    """Nothing that a page prints as Python is passed over."""
    for page, path in PAGES.items():
        text = path.read_text(encoding="utf-8")
        assert len(re.findall(r"^ *```\s*\{?\s*\.?(?:python|py|pycon)\b", text, re.MULTILINE)) == len(BLOCK.findall(text)), page
    assert len(WITH_CODE) >= 12


@pytest.mark.slow  # each in a process of its own; test_readme.py runs README.md
@pytest.mark.parametrize("page", [page for page in WITH_CODE if page != "README.md"])
def test_a_page_runs_as_printed(page: str, tmp_path: Path) -> None:
    for package in ("websockets", "openai", "pybase64", "orjson", "picows", "fastapi", "uvicorn"):
        if re.search(rf"^(?:import|from) {package}\b", program(page, with_needs=False).code, re.MULTILINE):
            pytest.importorskip(package)
    source = tmp_path / "page.py"
    source.write_text(program(page, with_needs=False).code, encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", source], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def write_programs(folder: Path, pages: list[str], *, with_needs: bool) -> list[Path]:
    written = []
    for page in pages:
        path = folder / f"{page.replace('/', '_').replace('-', '_').removesuffix('.md')}.py"
        path.write_text(program(page, with_needs=with_needs).code, encoding="utf-8")
        written.append(path)
    return written


MYPY = ("--strict", "--disable-error-code=import-untyped", "--allow-untyped-calls")  # sounddevice and IPython have no types


def check_types(python: Path, folder: Path, programs: list[Path]) -> None:
    config = {
        "include": ["*.py"],
        "typeCheckingMode": "strict",
        "reportMissingModuleSource": "none",
        "reportMissingTypeStubs": "none",
        # frameworks leave types out
        "reportUnknownMemberType": "none",
        "reportUnknownArgumentType": "none",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    commands = (
        [sys.executable, "-m", "mypy", *MYPY, "--python-executable", python, "--cache-dir", folder / "mypy", *programs],
        [sys.executable, "-m", "pyright", "--pythonpath", python, "-p", folder],
    )
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout[-6_000:]


@pytest.mark.slow
def test_pages_pass_both_type_checkers(tmp_path: Path) -> None:
    for package in ("mypy", "pyright", "websockets", "openai", "pybase64", "picows", "fastapi", "uvicorn"):
        pytest.importorskip(package)
    check_types(Path(sys.executable), tmp_path, write_programs(tmp_path, WITH_CODE, with_needs=False))


@pytest.mark.slow
@pytest.mark.parametrize("page", NEEDING)
def test_recipes_run_with_their_frameworks(page: str, tmp_path: Path) -> None:
    """With the packages that the page names, in an environment of its own, which takes realtime_pcm and websockets from here."""
    pytest.importorskip("websockets")
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python" if sys.platform != "win32" else home / "Scripts" / "python.exe"
    install = [
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-compile",
        *program(page, with_needs=True).needs,
        "orjson",
        "websockets",
    ]
    done = subprocess.run(install, capture_output=True, text=True, timeout=900)
    if done.returncode:
        pytest.skip(f"pip could not install {program(page, with_needs=True).needs}: {done.stderr[-300:]}")
    site = next(home.rglob("site-packages"))
    (site / "realtime_pcm").symlink_to(Path(realtime_pcm.__file__).parent, target_is_directory=True)
    programs = write_programs(tmp_path, [page], with_needs=True)
    done = subprocess.run([python, programs[0]], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4_000:]
    check_types(python, tmp_path, programs)


def test_the_signatures_that_a_page_prints() -> None:
    import inspect

    text = PAGES["docs/reference/api.md"].read_text(encoding="utf-8")
    blocks = re.findall(r"^```text\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    printed = [" ".join(block.split()).replace("( ", "(").replace(", )", ")") for block in blocks]
    classes = (realtime_pcm.Decoder, realtime_pcm.AudioEncoder)
    assert printed == [f"{cls.__name__}{inspect.signature(cls)}" for cls in classes]


def test_the_reference_has_every_class_field_and_wire_name(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, TOOLS / "reference.py", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not [path for path in tmp_path.rglob("*.md") if "<!-- made" in path.read_text(encoding="utf-8")]
    compared = 0
    for name, package in (("server-messages", messages), ("client-messages", client_messages), ("objects", objects)):
        text = (tmp_path / "reference" / f"{name}.md").read_text(encoding="utf-8")
        headings = dict(re.findall(r"^### (\w+)(.*)\n", text, re.MULTILINE))
        sections = dict(re.findall(r"^### (\w+)[^\n]*\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
        for exported in package.__all__:
            cls = getattr(package, exported)
            if not getattr(cls, "__module__", "").startswith(f"{package.__name__}.") or cls is objects.View:
                continue
            section = sections[cls.__name__]
            assert exported == cls.__name__ or f"<code>{exported}</code>" in section  # an alias
            for field in cls.__match_args__:
                assert f"<code>{field}</code>" in section or cls.__base__.__name__ in section, (exported, field)
            wire = getattr(cls, "canonical_type", None)
            assert wire is None or f"`canonical_type`: <code>{wire}</code>" in section, exported
            assert wire is None or f"`{wire}`" in headings[cls.__name__], exported  # a search looks at headings first
            compared += 1
    assert compared > 180
    text = (tmp_path / "reference" / "sockets.md").read_text(encoding="utf-8")
    for module in pkgutil.iter_modules(sockets.__path__):
        socket = importlib.import_module(f"realtime_pcm.sockets.{module.name}")
        for cls in vars(socket).values():
            if isinstance(cls, type) and cls.__module__ == socket.__name__ and "Unknown" not in cls.__name__:
                section = text.partition(f" {{ #{module.name}-{cls.__name__.lower()} ")[2].partition("\n##")[0]
                assert section and all(f"<code>{field}</code>" in section for field in cls.__match_args__), cls
    providers = (tmp_path / "providers" / "index.md").read_text(encoding="utf-8")
    assert "[`response.output_audio.delta`](../reference/server-messages.md#responseaudiodelta)" in providers
    xai = (tmp_path / "providers" / "xai.md").read_text(encoding="utf-8")
    assert "#responseaudiodelta) |" in xai and "**<code>rid</code>**" in xai


def test_every_provider_has_its_messages_on_a_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "providers").glob("*.md"))
    for side, file in (("server", "provider_messages.json"), ("client", "client_messages.json")):
        entries = json.loads((ROOT / "tests" / "support" / file).read_text(encoding="utf-8"))
        for provider in {provider for entry in entries for provider in entry["fields"]}:
            assert f"<!-- made: {side} messages of {provider} -->" in text, (side, provider)


REFERENCE = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
DOCUMENTED = re.findall(r"^::: (realtime_pcm(?:\.\w+)*)\.(\w+)$", REFERENCE, re.MULTILINE)


def test_the_reference_has_every_public_name() -> None:
    """The list of modules in versioning.md is complete, and each name that one of them exports has its entry."""
    listed = re.findall(
        r"`(realtime_pcm[\w.]*)`", PAGES["docs/versioning.md"].read_text(encoding="utf-8").partition("Not public")[0]
    )
    made = {"realtime_pcm.messages", "realtime_pcm.client_messages", "realtime_pcm.objects"}
    whole = made | {f"{module}.{name}" for module, name in DOCUMENTED}
    assert set(listed) == {module for module, _ in DOCUMENTED} | (whole & set(listed)) and set(listed) > made
    names = {name for _, name in DOCUMENTED}
    for module in set(listed) - whole:
        for name in importlib.import_module(module).__all__:
            assert name in names or f"{module}.{name}" in listed or name == "__version__", (module, name)


def test_no_page_uses_a_private_module() -> None:
    for page, path in PAGES.items():
        if not page.endswith(("design.md", "experiments.md", "platforms.md")):
            assert not re.search(r"(?:import|from|:::).*\b_(?:core|playback|view)\b", path.read_text(encoding="utf-8")), page


def test_code_on_pages_fits_a_narrow_column() -> None:
    """88 columns: a page that is wider cuts off what stands at the end of a line."""
    wide = [
        (page, line)
        for page in WITH_CODE
        for block in BLOCK.finditer(PAGES[page].read_text(encoding="utf-8"))
        for line in block["code"].splitlines()
        if len(line) > 88 and page != "README.md"
    ]
    assert not wide


def test_connections_of_websockets_take_long_messages() -> None:
    """A message may be longer than the 1 MiB at which websockets closes the connection."""
    programs = {page: program(page, with_needs=True).code for page in WITH_CODE}
    programs |= {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")}
    found = 0
    for name, code in programs.items():
        tree = ast.parse(code)
        imported = [
            node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("websockets")
        ]
        connects = {alias.asname or alias.name for node in imported for alias in node.names if alias.name == "connect"}
        if any(
            alias.name == "connect"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "realtime_pcm.client"
            for alias in node.names
            if not alias.asname
        ):
            connects.discard("connect")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in connects:
                assert any(keyword.arg == "max_size" for keyword in node.keywords), (name, ast.unparse(node))
                found += 1
    assert found > 5


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Links to other pages and to files. Links to the web are looked at by form alone: a test opens no connection."""
    text = re.sub(r"^```.*?^```", "", PAGES[page].read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        assert "://" not in target, target
        path, _, part = target.partition("#")
        file = (PAGES[page].parent / path).resolve() if path else PAGES[page]
        assert file.exists(), target
        text_there = file.read_text(encoding="utf-8") if part else ""
        if part and "<!-- made: " not in text_there:
            assert part in map(anchor, re.findall(r"^#+ (.*)$", text_there, re.MULTILINE)), target


def pages_in(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from pages_in(target)


def test_every_page_is_in_the_navigation() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(pages_in(config["project"]["nav"])) == sorted(written)


def test_the_readme_links_hold_outside_the_repository() -> None:
    """The README is shown on package indexes too, where a relative link leads nowhere."""
    targets = re.findall(r"\]\(([^)\s]+)\)", README.read_text(encoding="utf-8"))
    assert targets and all(target.startswith("https://") for target in targets), targets
    for target in targets:
        for start in FILES:
            assert not target.startswith(start) or (ROOT / target.removeprefix(start)).exists(), target


def test_links_to_the_site_lead_to_its_pages() -> None:
    """From the README, from package indexes (pyproject.toml), and from the help texts and docstrings of the package."""
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    site = config["project"]["site_url"]
    pages = set(pages_in(config["project"]["nav"]))
    found = 0
    for path in (README, ROOT / "pyproject.toml", *sorted((ROOT / "src").rglob("*.py"))):
        for target in re.findall(re.escape(site) + r"([^)\s\"'`>]*)", path.read_text(encoding="utf-8")):
            page = target.removeprefix("latest/").partition("#")[0]
            assert not page or page.removesuffix(".html") + ".md" in pages, (path, target)
            found += 1
    assert found > 10
