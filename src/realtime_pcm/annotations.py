"""What the annotations of a class statement say about the fields of a message or a view."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
# The annotations of most fields. They name no view, and need no search for one.
_FLAT = ("str | None", "int | None", "float | None", "bool | None")
_NO_VIEWS = frozenset({"Any", "None", "bool", "bytes", "dict", "float", "int", "list", "str", "Samples"})
_NESTED = ("list", "List", "dict", "Dict", "tuple", "Mapping", "Sequence")


def annotations_of(cls: type) -> Mapping[str, Any]:
    """The annotations of a class statement, without those of the base classes."""
    if sys.version_info >= (3, 14):
        try:
            return cls.__annotations__
        except NameError:
            # The module has no `from __future__ import annotations`, and a name in an annotation exists for type checkers only.
            import annotationlib

            return annotationlib.get_annotations(cls, format=annotationlib.Format.STRING)
    return cls.__annotations__


def is_nested(annotation: Any) -> bool:
    """Whether the annotation names a list, a dict or the like."""
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
    """The view class of this name that is not in the namespace of the module: a function made it, or it is being made now."""
    waiting: list[type] = base.__subclasses__()
    while waiting:
        view = waiting.pop()
        if view.__name__ == name and view.__module__ == module:
            return view
        waiting.extend(view.__subclasses__())
    return None
