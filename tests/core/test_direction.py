"""Files use what stands above them, never in circles: the parts of the core, and the modules of the package."""

from __future__ import annotations

import ast
import re

import pytest

from support.paths import ROOT

PACKAGE = ROOT / "src" / "realtime_pcm"

pytestmark = pytest.mark.skipif(not (PACKAGE / "_core.pyx").exists(), reason="needs the source tree")

# --- the parts of the core


def parts() -> dict[str, str]:
    """The include files of the core and their text, in the order in which _core.pyx includes them."""
    names = re.findall(r'^include "([^"]+)"', (PACKAGE / "_core.pyx").read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (PACKAGE / name).read_text(encoding="utf-8") for name in names}


_SILENT = re.compile(r'"""(?:[^\\]|\\.)*?"""|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|#[^\n]*', re.DOTALL)
_BRACES = re.compile(r"\{([^{}]*)\}")


def code_of(text: str) -> str:
    """The text without comments and strings; what an f-string puts between braces is code."""

    def silence(found: re.Match[str]) -> str:
        string = found[0]
        formatted = text[max(0, found.start() - 1) : found.start()] in ("f", "F") and not string.startswith("#")
        kept = " ".join(_BRACES.findall(string)) if formatted else ""
        return f" {kept} " + "\n" * string.count("\n")

    return _SILENT.sub(silence, text)


_DEFINITIONS = [
    re.compile(r"^(?:cdef\s+|cpdef\s+)?class\s+(\w+)", re.MULTILINE),
    re.compile(r"^def\s+(\w+)", re.MULTILINE),
    re.compile(r"^(?:cdef|cpdef)\s+[^=\n(]*?\b(\w+)\s*\(", re.MULTILINE),  # a function
    re.compile(r"^cdef\s+(?:struct|union)\s+(\w+)", re.MULTILINE),
    re.compile(r"^ctypedef\s+.*?\(\*(\w+)\)", re.MULTILINE),
    re.compile(r"^cdef\s+[^=\n(:]*?\b(\w+)\s*(?:=|$)", re.MULTILINE),  # a variable
    re.compile(r"^(\w+)(?:\[:\])?\s*=[^=]", re.MULTILINE),
]
# In a block of extern declarations, or of an enum.
_BLOCK = re.compile(r"^cdef\s+(?:extern\s+from\s+[^\n]*|enum\s*\w*):\n((?:[ \t]+[^\n]*\n|\n)+)", re.MULTILINE)
_IN_BLOCK = re.compile(r"\b(\w+)\s*\(|^\s+([A-Z]\w+)\s*(?:=.*)?$", re.MULTILINE)


def definitions(text: str) -> set[str]:
    code = code_of(text)
    found = {name for pattern in _DEFINITIONS for name in pattern.findall(code)}
    for block in _BLOCK.findall(code):
        found |= {function or constant for function, constant in _IN_BLOCK.findall(block)}
    return found - {"__name__", "void"}


def uses(text: str) -> set[str]:
    """Names on their own: no attributes, no keywords of a call, and no methods that are defined."""
    return set(re.findall(r"(?<![\w.])(?<!def )([A-Za-z_]\w*)\b(?!\s*=[^=])", code_of(text)))


def upward(files: dict[str, str]) -> list[str]:
    """Each use of a name that only a later file defines."""
    defined = {name: definitions(text) for name, text in files.items()}
    found = []
    order = list(files)
    for place, name in enumerate(order):
        above = set().union(*(defined[other] for other in order[: place + 1]))
        for later in order[place + 1 :]:
            for used in sorted((uses(files[name]) & defined[later]) - above):
                found.append(f"{name} uses {used}, which {later} defines")
    return found


def test_each_part_of_the_core_uses_only_those_above_it() -> None:
    files = parts()
    assert len(files) >= 11 and all(len(definitions(text)) >= 1 for text in files.values())
    assert upward(files) == []


@pytest.mark.parametrize(
    ("part", "line", "name"),
    [
        ("core/values.pxi", "cdef object planted(data):\n    return _refusal_of(data)\n", None),
        ("core/values.pxi", "cdef object planted(f):\n    return _put_audio(f, NULL)\n", "_put_audio"),
        ("core/samples.pxi", "cdef object planted():\n    return Session()\n", "Session"),
        ("core/views.pxi", "cdef object planted(Layout layout):\n    return layout\n", "Layout"),
        ("core/message.pxi", "def planted(frame):\n    return decode(frame)\n", "decode"),
        ("core/catalogue.pxi", "cdef object planted():\n    return UnknownMessage\n", "UnknownMessage"),
        ("core/session.pxi", "cdef bint planted(decoder):\n    return isinstance(decoder, Decoder)\n", "Decoder"),
        ("core/bases.pxi", "planted = f'{MAX_TRIES}'\n", "MAX_TRIES"),
        ("core/tier.pxi", "cdef int planted = DTYPE_INT16\n", "DTYPE_INT16"),
    ],
)
def test_a_planted_use_is_caught(part: str, line: str, name: str | None) -> None:
    files = parts()
    files[part] += "\n" + line
    found = upward(files)
    assert (name is None and found == []) or (len(found) == 1 and found[0].startswith(f"{part} uses {name}, which"))


def test_the_map_lists_the_parts_in_their_order() -> None:
    listed = re.findall(r"^#\s+(core/\w+\.pxi)\s", (PACKAGE / "_core.pxd").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == list(parts())
    assert sorted(path.name for path in (PACKAGE / "core").iterdir()) == sorted(name.split("/")[1] for name in parts())


def test_no_list_comprehension_in_the_core() -> None:
    """Cython 3.3 drops one reference too many where the list of a comprehension cannot grow: a crash without memory."""
    found = [
        f"{name}: {line.strip()}"
        for name, text in parts().items()
        for line in code_of(text).splitlines()
        if re.search(r"\[[^\[\]]*\bfor\b[^\[\]]*\bin\b[^\[\]]*\]", line)
    ]
    assert found == []


# --- the modules of the package


def compiled() -> dict[str, set[str]]:
    """Compiled module -> the modules of the package that it imports, or takes types and functions from."""
    there = {path.stem for path in [*PACKAGE.glob("*.py"), *PACKAGE.glob("*.pyx")]}  # a .pxd without a module declares C
    graph = {}
    for path in PACKAGE.glob("*.pyx"):
        text = path.read_text(encoding="utf-8")
        named = ", ".join(re.findall(r"^from \. import (.+)$", text, re.MULTILINE)).split(", ")
        graph[path.stem] = there & {*named, *re.findall(r"^from \.(\w+) c?import", text, re.MULTILINE)}
    return graph


def imports() -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports when it runs, in functions too."""
    graph = compiled()
    assert graph["_core"] == {"declare", "json_values", "paths", "reprs", "audio", "errors", "only"}
    assert graph["_bulk"] == {"_core", "roles"}
    for part in parts().values():
        assert not re.search(r"^\s*(?:from|import)\s+\.", part, re.MULTILINE)
    modules = {path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): path for path in PACKAGE.rglob("*.py")}
    for module, path in modules.items():
        name = module.removesuffix(".__init__") if module != "__init__" else ""
        package = module.rpartition(".")[0] if path.name != "__init__.py" else name
        found: set[str] = set()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        hidden = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not node.level or node in hidden:
                continue
            base = package.split(".") if package else []
            base = base[: len(base) - (node.level - 1)]
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{target}.{alias.name}".strip(".")
                exists = inner in modules or f"{inner}.__init__" in modules or (PACKAGE / f"{inner}.pyx").exists()
                found.add(inner if exists else target)
        graph[name or "__init__"] = {entry or "__init__" for entry in found} - {name or "__init__"}
    return graph


def test_the_modules_import_in_one_direction() -> None:
    graph = imports()
    # A package's own parts stand above the package, which only collects them.
    done: set[str] = set()
    order: list[str] = []

    def visit(module: str, road: tuple[str, ...]) -> None:
        assert module not in road, " -> ".join([*road, module])
        if module in done:
            return
        for other in sorted(graph.get(module, ())):
            visit(other, (*road, module))
        done.add(module)
        order.append(module)

    for module in sorted(graph):
        visit(module, ())
    assert order.index("declare") < order.index("_core") < order.index("objects._view") < order.index("messages.openai")
