"""What a class statement's annotations say: of messages and of views."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
# What most fields are: settled without a look at the words.
_FLAT = ("str | None", "int | None", "float | None", "bool | None")
_NO_VIEWS = frozenset({"Any", "None", "bool", "bytes", "dict", "float", "int", "list", "str", "Samples"})
_NESTED = ("list", "List", "dict", "Dict", "tuple", "Mapping", "Sequence")


def annotations_of(cls: type) -> Mapping[str, Any]:
    """The annotations of a class statement, those of its bases not among them."""
    if sys.version_info >= (3, 14):
        try:
            return cls.__annotations__
        except NameError:
            # No future import, and a name that exists for type checkers only.
            import annotationlib

            return annotationlib.get_annotations(cls, format=annotationlib.Format.STRING)
    return cls.__annotations__


def is_nested(annotation: Any) -> bool:
    """Whether the annotation names a container."""
    text = annotation if isinstance(annotation, str) else repr(annotation)
    return any(word in text for word in _NESTED)


def view_in(annotation: Any, module: str, base: type) -> tuple[type | None, bool]:
    """The view class (a class below `base`) that an annotation names, and whether it names a list of them."""
    if annotation in _FLAT:
        return None, False
    text = annotation if isinstance(annotation, str) else repr(annotation)
    many = "list[" in text or "List[" in text
    namespace = getattr(sys.modules.get(module), "__dict__", {})
    for word in _IDENTIFIER.findall(text):
        if word in _NO_VIEWS:
            continue
        named = namespace.get(word) or _local_view(word, module, base)
        if isinstance(named, type) and issubclass(named, base):
            return named, many
    return None, many


def _local_view(name: str, module: str, base: type) -> type | None:
    """The view class of this name that a function of the module has made, or that is just being made."""
    waiting: list[type] = base.__subclasses__()
    while waiting:
        view = waiting.pop()
        if view.__name__ == name and view.__module__ == module:
            return view
        waiting.extend(view.__subclasses__())
    return None
