"""Values at a path of a JSON object: a tuple of keys, in which `...` is each element of an array."""

from __future__ import annotations

from types import EllipsisType
from typing import Any, TypeAlias

Path: TypeAlias = tuple["str | EllipsisType", ...]


def put(event: dict[str, Any], path: Path, value: Any) -> None:
    """Puts a value in, as the last member of each object on its way. An array on the way has one element."""
    holder: Any = event
    for key, inner in zip(path, (*path[1:], None), strict=True):
        kept = (holder[0] if holder else None) if key is ... else holder.pop(key, None)
        if inner is None:
            kept = value
        elif inner is ...:
            kept = kept if isinstance(kept, list) else []
        else:
            kept = kept if isinstance(kept, dict) else {}
        if key is ...:
            holder[:] = [kept]
        else:
            holder[key] = kept
        holder = kept


def closing(path: Path) -> str:
    """The brackets that follow the last value at a path, as `put` writes it."""
    return "".join("]" if key is ... else "}" for key in reversed(path))


def remove(found: Any, path: Path) -> None:
    """Removes the value at a path, in each element of arrays, and objects and arrays on the way that become empty."""
    key, behind = path[0], path[1:]
    if key is ...:
        if isinstance(found, list):
            for element in found if behind else ():
                remove(element, behind)
            found[:] = [element for element in found if element not in ({}, [])] if behind else []
    elif isinstance(found, dict) and key in found:
        if not behind:
            del found[key]
            return
        remove(found[key], behind)
        if found[key] in ({}, []):
            del found[key]


def merge(event: dict[str, Any], more: dict[str, Any]) -> None:
    """Adds the members of `more`, and those of objects that both have."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(event.get(key), dict):
            merge(event[key], value)
        else:
            event[key] = value


def in_words(path: Path) -> str:
    """A path as an error names it: serverContent.modelTurn.parts[].text."""
    return "".join("[]" if key is ... else f".{key}" for key in path)[1:]
