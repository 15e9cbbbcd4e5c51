"""View, the base class of all views of nested objects.

A view reads one JSON object, and no content of that object is an error: a key that the view does not declare is in `raw`, a
value of another type than declared is given as it is, an absent or null value is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar

from .. import json_values
from .._core import ViewField, ViewObject
from ..annotations import annotations_of, view_in
from ..audio import DEFAULT, AudioFormat

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V", bound="View")

# The formats of the session's input and output; None where no session was known.
Formats: TypeAlias = tuple[AudioFormat, AudioFormat] | None

_RESERVED = frozenset({"raw", "_formats", "_summary"})


class _ViewType(type):
    """Gives every view class empty slots: a view has no dict of its own."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> _ViewType:
        namespace.setdefault("__slots__", ())
        return super().__new__(mcls, name, bases, namespace, **kwargs)


class View(ViewObject, metaclass=_ViewType):
    """One nested object of a message: the declared fields as attributes, the whole object as `raw`."""

    __match_args__: ClassVar[tuple[str, ...]] = ()
    # Up to four fields that the repr of a message shows of this view.
    _summary: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = list(cls.__match_args__)
        for name, annotation in annotations_of(cls).items():
            if name in cls.__dict__ or "ClassVar" in str(annotation):
                continue
            if name in _RESERVED or (name.startswith("__") and name.endswith("__")):
                raise TypeError(f"{cls.__name__}.{name}: the name is reserved")
            type.__setattr__(cls, name, ViewField(name, *view_in(annotation, cls.__module__, View)))
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
        return json_values.same(self.raw, other.raw)

    # A view may hold lists and dicts: two equal views may become unequal when one of these is changed.
    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return type(self)(self.raw, self._formats)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(json_values.rebuild(json_values.flatten(self.raw)), self._formats)

    def __reduce__(self) -> tuple[Callable[..., View], tuple[Any, ...]]:
        return _restore, (type(self), json_values.flatten(self.raw), self._formats)


def known_formats(formats: Formats) -> tuple[AudioFormat, AudioFormat]:
    """The formats, or, of a view that was decoded without a session, the default formats."""
    return (DEFAULT, DEFAULT) if formats is None else formats


def _brief(value: Any) -> str:
    if type(value) is str:
        return repr(value) if len(value) <= 60 else f"{value[:56]!r}... {len(value)} characters"
    if type(value) is list:
        return f"[{len(value)}]" if value else "[]"
    if type(value) is dict:
        return f"{{{len(value)} keys}}" if value else "{}"
    return repr(value)


def _restore(cls: type[V], flat: list[Any], formats: Formats) -> V:
    return cls(json_values.rebuild(flat), formats)
