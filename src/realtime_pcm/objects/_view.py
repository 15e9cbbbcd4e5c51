"""The base of all views, and what its fields are made of.

A view reads one parsed JSON object and never fails on what it finds there: a key it does not declare
is in `raw`, a value of another shape than declared is handed on as it is, an absent or null value is None.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from .._core import ViewField, ViewObject
from ..audio import DEFAULT, AudioFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

V = TypeVar("V", bound="View")

# Of the session's input and its output; None where no session was known.
Formats: TypeAlias = tuple[AudioFormat, AudioFormat] | None

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
# What most fields are: settled without a look at their words.
_FLAT = ("str | None", "int | None", "float | None", "bool | None")
_NO_VIEWS = frozenset({"Any", "None", "bool", "bytes", "dict", "float", "int", "list", "str", "Samples"})
_RESERVED = frozenset({"raw", "_formats"})


class _ViewType(type):
    """Gives every view class empty slots: a view has no dict of its own."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> _ViewType:
        namespace.setdefault("__slots__", ())
        return super().__new__(mcls, name, bases, namespace, **kwargs)


class View(ViewObject, metaclass=_ViewType):
    """One nested object of a message: the declared fields as attributes, the whole object as `raw`."""

    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = list(cls.__match_args__)
        for name, annotation in annotations_of(cls).items():
            if name in cls.__dict__:
                continue
            if name in _RESERVED:
                raise TypeError(f"{cls.__name__}.{name}: the name is reserved")
            type.__setattr__(cls, name, ViewField(name, *view_in(annotation, cls.__module__)))
            names.append(name)
        type.__setattr__(cls, "__match_args__", tuple(names))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only: {name}")

    def __repr__(self) -> str:
        shown = []
        for name in self.__match_args__:
            value = self.raw.get(name)
            if value is not None:
                shown.append(f"{name}={_brief(value)}")
        undeclared = sum(key not in self.__match_args__ for key in self.raw)
        if undeclared:
            shown.append(f"+{undeclared} undeclared")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        if self._formats != other._formats and known_formats(self._formats) != known_formats(other._formats):
            return False
        return same_json(self.raw, other.raw)

    # A view may hold lists and dicts, and two equal ones may change apart.
    __hash__ = None  # type: ignore[assignment]

    def __copy__(self: V) -> V:
        return type(self)(self.raw, self._formats)

    def __deepcopy__(self: V, memo: dict[int, Any]) -> V:
        return type(self)(_rebuild(_flatten(self.raw)), self._formats)

    def __reduce__(self) -> tuple[Callable[..., View], tuple[Any, ...]]:
        return _restore, (type(self), _flatten(self.raw), self._formats)


# The next two serve the message classes too.


def annotations_of(cls: type) -> Mapping[str, Any]:
    """The annotations of a class statement, its bases' not among them."""
    if sys.version_info >= (3, 14):
        try:
            return cls.__annotations__
        except NameError:
            # No future import, and a name that exists for type checkers only.
            import annotationlib

            return annotationlib.get_annotations(cls, format=annotationlib.Format.STRING)
    return cls.__annotations__


def view_in(annotation: Any, module: str) -> tuple[type[View] | None, bool]:
    """The view class an annotation names, and whether it names a list of them."""
    if annotation in _FLAT:
        return None, False
    text = annotation if isinstance(annotation, str) else repr(annotation)
    many = "list[" in text or "List[" in text
    namespace = getattr(sys.modules.get(module), "__dict__", {})
    for word in _IDENTIFIER.findall(text):
        if word in _NO_VIEWS:
            continue
        named = namespace.get(word) or _local_view(word, module)
        if isinstance(named, type) and issubclass(named, View):
            return named, many
    return None, many


def _local_view(name: str, module: str) -> type[View] | None:
    """The view class of this name that a function of the module has made, or that is just being made."""
    waiting = View.__subclasses__()
    while waiting:
        view = waiting.pop()
        if view.__name__ == name and view.__module__ == module:
            return view
        waiting.extend(view.__subclasses__())
    return None


def known_formats(formats: Formats) -> tuple[AudioFormat, AudioFormat]:
    """The formats of a view decoded without a session are the default ones."""
    return (DEFAULT, DEFAULT) if formats is None else formats


def _brief(value: Any) -> str:
    if type(value) is str:
        return repr(value) if len(value) <= 60 else f"{value[:56]!r}... {len(value)} characters"
    if type(value) is list:
        return f"[{len(value)}]" if value else "[]"
    if type(value) is dict:
        return f"{{{len(value)} keys}}" if value else "{}"
    return repr(value)


# A frame may nest 1,024 levels, more than the interpreter's own comparing, copying and pickling stand:
# the three below walk with a stack of their own.


def same_json(one: Any, other: Any) -> bool:
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


def _flatten(value: Any) -> list[Any]:
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


def _rebuild(flat: list[Any]) -> Any:
    # Backwards, so that the children of a container lie ready, the first on top, when it comes.
    ready: list[Any] = []
    for token in reversed(flat):
        if type(token) is not tuple:
            ready.append(token)
        elif token[0] == "dict":
            ready.append({key: ready.pop() for key in token[1:]})
        else:
            ready.append([ready.pop() for _ in range(token[1])])
    return ready.pop()


def _restore(cls: type[V], flat: list[Any], formats: Formats) -> V:
    return cls(_rebuild(flat), formats)
