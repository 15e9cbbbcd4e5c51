"""JSON as Python objects: made of spans of a validated frame, written as text, compared and copied at any depth.

This is the only module that imports orjson.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

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


# --- to text

_WRITTEN_LEVELS = 250  # orjson writes 254
write_options = 0


def _write_first(value: Any, plain: Callable[[Any], Any], options: int) -> bytes:
    global write, fragment, write_options
    try:
        import orjson
    except ImportError:
        write, fragment = _standard_write, load
    else:
        write, fragment = orjson.dumps, orjson.Fragment
        write_options = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
    text: bytes = write(value, plain, write_options)
    return text


def _standard_write(value: Any, plain: Callable[[Any], Any], options: int) -> bytes:
    import json

    try:
        refuse(value, plain, "")
    except ValueError as error:
        raise TypeError from error  # as orjson; the caller asks `refuse` for the error
    return json.dumps(value, default=plain, ensure_ascii=False, separators=(",", ":")).encode()


# write(value, plain, write_options): a JSON value as bytes. `plain` gives what is written in place of a value that JSON has no
# form for, or raises TypeError. orjson writes null for a number that is not finite. So call `refuse` after a
# TypeError, and after a null in the bytes.
write: Any = _write_first


# fragment(text): what `plain` may give for a value whose JSON is known. _write_first sets it.
fragment: Any = load


def refuse(value: Any, plain: Callable[[Any], Any], name: str) -> None:
    """Raises the error for the first value that JSON cannot hold, if there is one; `name` begins the path to it.

    TypeError; ValueError for a number that is not finite, for half a surrogate pair and for too many levels.
    """
    waiting: list[tuple[Any, str, int]] = [(value, name, 0)]
    while waiting:
        here, path, level = waiting.pop()
        kind = type(here)
        if here is None or kind is bool:
            continue
        if level > _WRITTEN_LEVELS:
            raise ValueError(f"{name}: nested in more than {_WRITTEN_LEVELS} levels")
        if isinstance(here, str):
            _refuse_surrogate(here, path)
        elif isinstance(here, dict):
            for key, inner in reversed(here.items()):
                if not isinstance(key, str):
                    raise TypeError(f"{path}: a key of a JSON object is a str, not {type(key).__name__}")
                _refuse_surrogate(key, path)
                waiting.append((inner, f"{path}.{key}", level + 1))
        elif isinstance(here, list) or kind is tuple:
            waiting.extend((here[at], f"{path}[{at}]", level + 1) for at in range(len(here) - 1, -1, -1))
        elif isinstance(here, float):
            if not math.isfinite(here):
                raise ValueError(f"{path}: JSON has no {float(here)!r}")
        elif isinstance(here, int):
            if not -(1 << 63) <= here < 1 << 64:
                raise TypeError(f"{path}: an integer of more than 64 bits")
        else:
            try:
                instead = plain(here)
            except TypeError as error:
                raise TypeError(f"{path}: {error}") from None
            if isinstance(instead, (str, int, float, list, dict)):
                waiting.append((instead, path, level + 1))


def _refuse_surrogate(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{path}: the character at {error.start} is a lone surrogate, which JSON cannot hold") from None


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


# --- from a text that nobody has validated


def _parse_first(text: bytes | str) -> Any:
    global parse
    try:
        import orjson
    except ImportError:
        parse = _standard_parse
    else:
        parse = orjson.loads
    return parse(text)


# The value of a text. ValueError for what is no JSON, or is nested too deeply.
parse: Callable[[bytes | str], Any] = _parse_first


def _standard_parse(text: bytes | str) -> Any:
    import json

    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
