"""Tells the C compiler which functions of a Cython module run seldom, so that these are compiled for size.

    python seldom.py FROM.c TO.c

Cython has no word for it. A function that runs seldom has a first line that ends in `# seldom`. Cython writes that line into a
comment in front of the function's C; this script defines that C as PORTABLE_SELDOM (src/portable/compiler.h).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MARKED = re.compile(r" \* .*# seldom +# <<<<+$")
FUNCTION = re.compile(r"^static (?=[^=;]*\b__pyx_(f|pf|pw)_\w+\()")


def told(c: list[str]) -> tuple[list[str], int]:
    """The lines of C with PORTABLE_SELDOM where it belongs, and in how many places that is."""
    lines, seldom, places = [], False, 0
    for line in c:
        if line.startswith('/* "'):  # the comment in front of the next function
            seldom = False
        elif MARKED.match(line):
            seldom = True
        in_place = FUNCTION.sub("static PORTABLE_SELDOM ", line, count=1) if seldom else line
        places += in_place != line
        lines.append(in_place)
    return lines, places


def main(source: Path, target: Path) -> None:
    """Reads what Cython wrote, and writes it with the marks."""
    lines, places = told(source.read_text(encoding="utf-8").split("\n"))
    if places == 0:
        print(f"{source.name}: no function is marked as running seldom: the module becomes larger, and works", file=sys.stderr)
    target.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
