"""An extension of griffe, which reads the code for the pages: a line `name: what it is` of a docstring becomes an item of a list.

The docstrings name each parameter at the start of a line. Markdown would join these lines to one paragraph.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ITEM = re.compile(r"^(?P<names>[a-z_]+(?:, [a-z_]+)*): ")
OTHER = re.compile(r"^(?:Other keywords: |Raises )")


def as_list(text: str) -> str:
    """The docstring with a list where it names parameters, attributes and errors."""
    written: list[str] = []
    in_list = False
    for line in text.splitlines():
        found = ITEM.match(line)
        if found or (in_list and OTHER.match(line)):
            if not in_list and written and written[-1]:
                written.append("")
            in_list = True
            if found:
                names = ", ".join(f"`{name}`" for name in found["names"].split(", "))
                written.append(f"- {names}: {line[found.end() :]}")
            else:
                written.append(f"- {line}")
        elif in_list and line:
            written.append(f"    {line.strip()}")
        else:
            in_list = False
            written.append(line)
    return "\n".join(written)


class DocstringLists(griffe.Extension):  # type: ignore[misc] # griffe is not installed where mypy runs
    """Rewrites every docstring when its object has been read."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        seen: set[int] = set()

        def visit(node: griffe.Module | griffe.Class) -> None:
            for member in node.members.values():
                if isinstance(member, griffe.Alias) or id(member) in seen:
                    continue
                seen.add(id(member))
                if member.docstring is not None:
                    member.docstring.value = as_list(member.docstring.value)
                if isinstance(member, (griffe.Module, griffe.Class)):
                    visit(member)

        visit(pkg)
