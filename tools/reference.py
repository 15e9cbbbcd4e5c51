"""Copy the pages to build/docs, which the site is built from, and put in the parts that are made from the declarations.

    python tools/reference.py            write build/docs
    python tools/reference.py FOLDER     write them there

A page asks for a part by its name, and says something in its place to those who read it in the repository:

    <!-- made: server messages -->
    ...
    <!-- /made -->

Parts: `server messages`, `client messages`, `objects`, `sockets`, `counts`, `who sends`, `server messages of PROVIDER`,
`client messages of PROVIDER`. A provider is a key in tests/support/provider_messages.json and client_messages.json. The modules
of the catalogue are read, not imported.
"""

from __future__ import annotations

import ast
import html
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE, CLIENT_PACKAGE, VIEWS = (ROOT / "src" / "realtime_pcm" / name for name in ("messages", "client_messages", "objects"))
SOCKETS = ROOT / "src" / "realtime_pcm" / "sockets"
FACTS = ROOT / "tests" / "support"
DOCS = ROOT / "docs"
BUILT = ROOT / "build" / "docs"
PART = re.compile(r"^<!-- made: (?P<name>[^>]+) -->\n.*?^<!-- /made -->\n", re.MULTILINE | re.DOTALL)

TITLES = {
    "openai": "OpenAI Realtime",
    "openai-live": "OpenAI Live",
    "openai-translation": "OpenAI translation",
    "openai_live": "OpenAI Live",
    "voice-live": "Azure Voice Live",
    "voice_live": "Azure Voice Live",
    "xai": "xAI",
    "dashscope": "DashScope",
    "glm": "GLM",
    "localai": "LocalAI",
    "speaches": "Speaches",
    "stepfun": "StepFun",
    "vllm": "vLLM",
    "vllm-omni": "vLLM-Omni",
    "inworld": "Inworld",
    "twilio": "Twilio",
    "telnyx": "Telnyx",
    "plivo": "Plivo",
    "exotel": "Exotel",
    "acs": "Azure Communication Services",
    "gemini": "Gemini Live",
    "elevenlabs": "ElevenLabs",
    "foundry": "Azure Foundry",
    "azure": "Azure OpenAI",
    "together": "Together AI",
    "nvidia": "NVIDIA",
    "smallest": "Smallest AI",
    "mai": "Microsoft MAI-Transcribe",
    "unmute": "Unmute",
}


class Field(NamedTuple):
    """One field of a class: its name, the type that it reads as, its wire names, and what it means."""

    name: str
    type: str
    keys: tuple[str, ...]
    doc: str


class Declared(NamedTuple):
    """One class statement."""

    name: str
    module: str
    base: str
    doc: str
    wires: tuple[str, ...]
    role: str | dict[str, Any] | None
    fields: tuple[Field, ...]
    aliases: tuple[str, ...]


def title(name: str) -> str:
    return TITLES.get(name, name)


def module_names(package: Path) -> list[str]:
    """The modules of a catalogue in the order in which the package lists them."""
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    assigned = {ast.unparse(node.targets[0]): ast.unparse(node.value) for node in tree.body if isinstance(node, ast.Assign)}
    listed = re.findall(r"\w+", assigned["_MODULES"])
    found = sorted(path.stem for path in package.glob("*.py") if path.stem != "__init__")
    if sorted(listed) != found:
        raise SystemExit(f"{package.name}/__init__.py lists {sorted(listed)}, the package holds {found}")
    return listed


def place(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    """A key, or a path as `a.b[].c`. Constants of the module may begin a path."""
    if isinstance(node, ast.Constant):
        return "[]" if node.value is ... else str(node.value)
    if isinstance(node, ast.Starred):
        return place(node.value, constants)
    if isinstance(node, ast.Name):
        return place(constants[node.id], constants)
    assert isinstance(node, ast.Tuple), ast.dump(node)
    return ".".join(place(part, constants) for part in node.elts).replace(".[]", "[]")


def wire_places(node: ast.AnnAssign, constants: dict[str, ast.expr]) -> tuple[str, ...]:
    """The places that payload() or field() names, if a field has one of these."""
    if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in ("payload", "field"):
        return tuple(place(argument, constants) for argument in node.value.args)
    return ()


def wire_names(node: ast.ClassDef) -> tuple[str, ...]:
    """The names in `type: Literal[...]` of a message class."""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == "type" and item.value is not None:
            return tuple(str(word.value) for word in ast.walk(item.annotation) if isinstance(word, ast.Constant))
    return ()


def read_type(annotation: ast.expr) -> str:
    """What a field reads as: the view of a Nested, and of a Literal beside `str` the str, because the text names the values."""
    text = ast.unparse(annotation)
    text = re.sub(r"Literal\[[^]]*\] \| str", "str", text)
    text = re.sub(r"^NestedList\[(.*)\]$", r"list[\1] | None", text)
    return re.sub(r"^Nested\[(.*)\]$", r"\1 | None", text)


def declared(path: Path) -> list[Declared]:
    """The classes of a module, in their order."""
    found = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
    assigned = [(name, ast.unparse(value)) for name, value in constants.items()]
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        fields = []
        wires = () if path.parent == VIEWS else wire_names(node)
        for item, below in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(item, ast.AnnAssign) and not ast.unparse(item.target).startswith("_"):
                name = ast.unparse(item.target)
                text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
                if name != "type" or not wires:
                    fields.append(Field(name, read_type(item.annotation), wire_places(item, constants) or (name,), str(text)))
            if isinstance(item, ast.FunctionDef) and not item.name.startswith("_") and item.returns is not None:
                text = (ast.get_docstring(item) or "").partition("\n")[0]
                fields.append(Field(item.name, ast.unparse(item.returns), (), text))
        role = next((ast.literal_eval(word.value) for word in node.keywords if word.arg == "role"), None)
        base = ast.unparse(node.bases[0]) if node.bases else ""
        doc = ast.get_docstring(node) or ""
        aliases = tuple(alias for alias, name in assigned if name == node.name)
        found.append(Declared(node.name, path.stem, base, doc, wires, role, tuple(fields), aliases))
    return found


def facts(name: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((FACTS / name).read_text(encoding="utf-8"))
    return read


def senders(entries: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """class -> wire name -> provider -> the fields that it sends."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for entry in entries:
        found.setdefault(entry["class"], {})[entry["type"]] = entry["fields"]
    return found


def code(text: str) -> str:
    """Text as code inside a table: a bar would end the cell."""
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"


def prose(text: str) -> str:
    """A docstring as Markdown. What is not between backticks is text: no markup and no HTML of its own."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([\\*_<>\[\]])", r"\\\1", piece) for piece in pieces)


def linked(annotation: str, known: set[str]) -> str:
    """A type, with links to the views that it names. They are links of Markdown: `zensical build --strict` checks those."""
    pieces = re.split(r"(\w+)", annotation)
    if not known.intersection(pieces):
        return code(annotation)
    links = [f"[{word}](objects.md#{word.lower()})" if word in known else prose(word) for word in pieces]
    return "".join(links).replace("|", r"\|")


def among(some: list[str], all_of_them: list[str]) -> str:
    """Some of the providers that send a message, in few words."""
    others = [title(provider) for provider in all_of_them if provider not in some]
    if not others:
        return "all"
    if len(others) < min(4, len(some)):
        return f"all except {', '.join(others)}"
    return ", ".join(map(title, some))


def class_section(one: Declared, known: set[str], sent: dict[str, dict[str, list[str]]] | None) -> str:
    # A search finds headings first, so a class has its wire names in its heading. Its anchor is the class alone.
    names = "".join(f" `{wire}`" for wire in one.wires)
    # They come first in its text too: that puts `session.update` before `session.updated` in the results.
    text = f"### {one.name}{names} {{ #{one.name.lower()} data-toc-label='{one.name}' }}\n\n"
    if one.wires:
        text += f"Wire: {', '.join(code(wire) for wire in one.wires)}.\n\n"
    text += f"{prose(one.doc)}\n\n"
    if one.wires:
        text += f"`canonical_type`: {code(one.wires[0])}."
        if one.base in ("AudioMessage", "ClientAudioMessage"):
            text += " It carries audio."
        if one.base in ("AudioEnd", "ClientAudioEnd"):
            text += " It ends audio, and has `incomplete_sample`."
        if one.role:
            text += f' Role: `"{one.role}"`.'
        if one.aliases:
            text += f" Alias: {', '.join(code(alias) for alias in one.aliases)}."
        text += "\n\n"
        keys = [key for field in one.fields for key in field.keys[:1]][:3]
        members = "".join(f',"{key}":…' for key in keys)
        text += f"""Frame: {code(f'{{"type":"{one.wires[0]}"{members}}}')}\n\n"""
    elif one.base and one.base != "View":
        text += f"The fields of `{one.base}`, and:\n\n"
    if not one.fields:
        return text
    providers = sorted({provider for fields in (sent or {}).values() for provider in fields}, key=title)
    if providers:
        text += f"Sent by {', '.join(map(title, providers))}.\n\n"
    text += "| field | type | meaning |" + (" sent by |" if providers else "") + "\n"
    text += "|---|---|---|" + ("---|" if providers else "") + "\n"
    for field in one.fields:
        on_the_wire = "" if field.keys == (field.name,) else ", ".join(code(key) for key in field.keys)
        name = code(field.name) + (f"<br>on the wire {on_the_wire}" if on_the_wire else "")
        text += f"| {name} | {linked(field.type, known)} | {prose(field.doc)} |"
        if providers:
            by = [
                provider
                for provider in providers
                if any(key in fields.get(provider, ()) for fields in (sent or {}).values() for key in field.keys)
            ]
            text += f" {among(by, providers)} |"
        text += "\n"
    return text + "\n"


def side_classes(package: Path, entries: list[dict[str, Any]], known: set[str]) -> str:
    by_class = senders(entries)
    text = ""
    for module in module_names(package):
        text += f"## {title(module)}\n\n"
        for one in declared(package / f"{module}.py"):
            text += class_section(one, known, by_class.get(one.name))
    return text


def object_classes(known: set[str]) -> str:
    text = ""
    for path in sorted(VIEWS.glob("[a-z]*.py")):
        text += f"## {path.stem.capitalize()}\n\n"
        for one in declared(path):
            text += class_section(one, known, None)
    return text


def socket_classes() -> str:
    """The messages of every socket, with the place of each field on the wire."""
    text = ""
    for path in sorted(SOCKETS.glob("[a-z]*.py"), key=lambda path: list(TITLES).index(path.stem)):
        text += f"## {title(path.stem)}\n\n`realtime_pcm.sockets.{path.stem}`\n\n"
        for one in declared(path):
            if not one.wires and not one.fields:
                continue  # what any other frame becomes
            names = "".join(f" `{wire}`" for wire in one.wires)
            text += f"### {one.name}{names} {{ #{path.stem}-{one.name.lower()} data-toc-label='{one.name}' }}\n\n"
            text += f"{'You send it. ' if 'Client' in one.base else ''}{prose(one.doc)}\n\n"
            if isinstance(one.role, str):
                text += f'Role: `"{one.role}"`.\n\n'
            of_fields = one.role if isinstance(one.role, dict) else {}
            for field_name, of_values in of_fields.items():
                for value, role in of_values.items() if isinstance(of_values, dict) else ():
                    text += f'Role: `"{of_fields["pcm"]}"`; `"{role}"` if `{field_name}` is `"{value}"`.\n\n'
            if one.fields:
                text += "| field | type | on the wire |\n|---|---|---|\n"
                for field in one.fields:
                    text += f"| {code(field.name)} | {code(field.type)} | {'<br>'.join(map(code, field.keys))} |\n"
            text += "\n"
    return text


def who_sends(entries: list[dict[str, Any]], page: str) -> str:
    """One row for each wire name: a matrix with a column for each provider would be wider than a page."""
    text = "| wire name | providers |\n|---|---|\n"
    for entry in sorted(entries, key=lambda entry: entry["type"]):
        names = ", ".join(sorted((title(provider) for provider in entry["fields"]), key=str.lower))
        text += f"| [`{entry['type']}`]({page}#{entry['class'].lower()}) | {names} |\n"
    return text


def counts(server: list[dict[str, Any]], client: list[dict[str, Any]]) -> str:
    """One row for each provider: how many messages of each side it has."""
    providers = sorted(
        {provider for entry in server + client for provider in entry["fields"]}, key=lambda name: title(name).lower()
    )
    text = "| provider | server messages | client messages |\n|---|--:|--:|\n"
    for provider in providers:
        of_server, of_client = (sum(provider in entry["fields"] for entry in entries) for entries in (server, client))
        text += f"| {title(provider)} | {of_server} | {of_client or ''} |\n"
    return text


def of_provider(provider: str, entries: list[dict[str, Any]], page: str) -> str:
    """One row for each message of a provider. Fields that OpenAI does not send in it are bold."""
    text = "| wire name | fields |\n|---|---|\n"
    for entry in sorted(entries, key=lambda entry: entry["type"]):
        if provider in entry["fields"]:
            usual = entry["fields"].get("openai", ())
            bold = not provider.startswith("openai")
            fields = (code(key) if key in usual or not bold else f"**{code(key)}**" for key in entry["fields"][provider])
            text += f"| [`{entry['type']}`]({page}#{entry['class'].lower()}) | {', '.join(fields)} |\n"
    return text


def parts() -> dict[str, str]:
    """Every part that a page may ask for, by its name. The pages that do are one folder below docs."""
    known = {one.name for path in VIEWS.glob("[a-z]*.py") for one in declared(path)}
    server, client = facts("provider_messages.json"), facts("client_messages.json")
    server_page, client_page = "../reference/server-messages.md", "../reference/client-messages.md"
    made = {
        "server messages": side_classes(PACKAGE, server, known),
        "client messages": side_classes(CLIENT_PACKAGE, client, known),
        "objects": object_classes(known),
        "sockets": socket_classes(),
        "counts": counts(server, client),
        "who sends": f"### Server messages\n\n{who_sends(server, server_page)}\n"
        f"### Client messages\n\n{who_sends(client, client_page)}",
    }
    for provider in {provider for entry in server + client for provider in entry["fields"]}:
        for side, entries, page in (("server", server, server_page), ("client", client, client_page)):
            if any(provider in entry["fields"] for entry in entries):
                made[f"{side} messages of {provider}"] = of_provider(provider, entries, page)
    return made


def main(arguments: list[str]) -> int:
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0]) if arguments else BUILT
    made = parts()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.toml"))
    for path in folder.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(PART.sub(lambda part: made[part["name"]], text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
