"""Parsed JSON: makes Python objects of spans of a validated frame, and compares and copies such objects, at any depth.

This is the only module that imports orjson.
"""

from __future__ import annotations

import re
from typing import Any

# --- from a span of a frame


def _integer(text: str) -> int | float:
    """As in orjson, an integer that 64 bits do not hold becomes a float."""
    if len(text) < 19 or (len(text) < 21 and -(1 << 63) <= int(text) < 1 << 64):
        return int(text)
    return float(text)


def _load_first(span: Any) -> Any:
    global load
    try:
        import orjson
    except ImportError:
        # orjson has no wheels for free-threaded Python. The frame was validated, so the standard library reads the same values.
        load = _standard_loader()
    else:
        parse = orjson.loads
        failed = orjson.JSONDecodeError

        def load_fast(span: Any) -> Any:
            try:
                return parse(span)
            except (failed, SystemError) as error:
                # The walk has accepted this span, so orjson had no memory, whatever it says. A SystemError means that orjson
                # overlooked a failed allocation, and returned a result while the exception was still set.
                raise MemoryError("orjson could not allocate") from error

        load = load_fast
    return load(span)


load = _load_first


def _standard_loader() -> Any:
    import json

    def load(span: Any) -> Any:
        text = span if isinstance(span, str) else bytes(span).decode()
        # json recurses once for each level of nesting. A frame may have 1,024 levels, and a thread little stack.
        return _load_deep(text) if _is_deep(text) else json.loads(text, parse_int=_integer)

    return load


_SHALLOW = 32  # levels: the catalogue's messages have fewer than ten
_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]')


def _is_deep(text: str) -> bool:
    """Whether valid JSON has more than _SHALLOW levels."""
    if text.count("[") + text.count("{") <= _SHALLOW:
        return False
    depth = 0
    for match in _BRACKET.finditer(text):
        first = text[match.start()]
        if first in "[{":
            depth += 1
            if depth > _SHALLOW:
                return True
        elif first != '"':
            depth -= 1
    return False


_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?\d+)(\.\d+)?([eE][-+]?\d+)?")
_LITERALS = {"t": (True, 4), "f": (False, 5), "n": (None, 4)}


def _load_deep(text: str) -> Any:
    """Reads valid JSON of any depth without recursion."""
    from json.decoder import scanstring  # type: ignore[attr-defined]

    roots: list[Any] = []
    containers: list[Any] = [roots]  # the open lists and dicts, the innermost last
    keys: list[str | None] = [None]  # for each open container: the key whose value comes next, or None
    at = 0
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        if at == len(text):
            return roots[0]
        first = text[at]
        container = containers[-1]
        value: Any
        if first in ",:":
            at += 1
            continue
        if first in "}]":
            containers.pop()
            keys.pop()
            at += 1
            continue
        if type(container) is dict and keys[-1] is None:
            keys[-1], at = scanstring(text, at + 1)
            continue
        if first in "{[":
            value = {} if first == "{" else []
            at += 1
        elif first == '"':
            value, at = scanstring(text, at + 1)
        elif first in _LITERALS:
            value, length = _LITERALS[first]
            at += length
        else:
            number = _NUMBER.match(text, at)
            assert number is not None
            value = float(number[0]) if number[2] or number[3] else _integer(number[0])
            at = number.end()
        if type(container) is dict:
            container[keys[-1]] = value
            keys[-1] = None
        else:
            container.append(value)
        if first in "{[":
            containers.append(value)
            keys.append(None)


# --- Python compares, copies and pickles by recursion, once for each level; the functions below do not recurse


def same(one: Any, other: Any) -> bool:
    """one == other, for parsed JSON of any depth."""
    pairs = [(one, other)]
    while pairs:
        a, b = pairs.pop()
        if a is b:
            continue
        if type(a) is dict and type(b) is dict:
            if len(a) != len(b):
                return False
            for key, value in a.items():
                if key not in b:
                    return False
                pairs.append((value, b[key]))
        elif type(a) is list and type(b) is list:
            if len(a) != len(b):
                return False
            pairs.extend(zip(a, b, strict=True))
        elif type(a) in (dict, list) or type(b) in (dict, list) or a != b:
            return False
    return True


def flatten(value: Any) -> list[Any]:
    """The value in preorder: a dict as the tuple of its keys, a list as the 1-tuple of its length."""
    flat: list[Any] = []
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if type(here) is dict:
            flat.append(("dict", *here))
            waiting.extend(reversed(here.values()))
        elif type(here) is list:
            flat.append(("list", len(here)))
            waiting.extend(reversed(here))
        else:
            flat.append(here)
    return flat


def rebuild(flat: list[Any]) -> Any:
    """A new copy of the value that `flatten` was given."""
    # From the end to the start: when a container comes, its children lie ready, the first one on top.
    ready: list[Any] = []
    for token in reversed(flat):
        if type(token) is not tuple:
            ready.append(token)
        elif token[0] == "dict":
            ready.append({key: ready.pop() for key in token[1:]})
        else:
            ready.append([ready.pop() for _ in range(token[1])])
    return ready.pop()
