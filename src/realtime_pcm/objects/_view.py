"""View, the base class of all views of nested objects.

A view reads one JSON object and accepts any content. Keys that the view does not declare are in `raw`. A value of another type
than declared is returned as it is. An absent or null value is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar

from .. import json_values
from .._core import ViewField, ViewObject, declare_view
from ..audio import DEFAULT, AudioFormat
from ..declare import annotations_of, is_field, view_in
from ..writing import check_extra

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V", bound="View")

# The formats of the session's input and output; None where no session was known.
Formats: TypeAlias = tuple[AudioFormat, AudioFormat] | None

_RESERVED = frozenset({"raw", "to_dict", "extra", "_formats", "_heads", "_hidden", "_brief", "_check_extra"})

# How long the repr of a view may be, and how many levels of views it shows.
_ROOM = 200
_LEVELS = 3


class _ViewType(type):
    """Gives every view class empty slots: a view has no dict of its own."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> _ViewType:
        namespace.setdefault("__slots__", ())
        return super().__new__(mcls, name, bases, namespace, **kwargs)


class View(ViewObject, metaclass=_ViewType):
    """One nested object of a message: the declared fields as attributes, the whole object as `raw`.

    Decoding a frame makes views. To write one, call its class with the fields as keywords: `Prompt(id="p", version="2")`. A
    field that is not given is left out, and None is written as null. `extra`: a dict of fields that the class does not declare.
    A nested object may be a view or a dict.
    Raises TypeError for a field that is not declared, and for a value that JSON cannot hold; ValueError for a number that is not
    finite, and for half a surrogate pair.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    # Fields that no repr shows: keys and passwords.
    _hidden: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = list(cls.__match_args__)
        for name, annotation in annotations_of(cls).items():
            if not is_field(cls, name, annotation):
                continue
            if name in _RESERVED or (name.startswith("__") and name.endswith("__")):
                raise TypeError(f"{cls.__name__}.{name}: the name is reserved")
            type.__setattr__(cls, name, ViewField(name, *view_in(annotation, cls.__module__, View)))
            names.append(name)
        type.__setattr__(cls, "__match_args__", tuple(names))
        declare_view(cls, names)

    @classmethod
    def _check_extra(cls, extra: Any) -> None:
        check_extra(cls, extra, {name: name for name in cls.__match_args__})

    # For a type checker a view is a frozen dataclass, and `extra` is one of its keywords: see ViewObject.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(f"{type(self).__name__} is read-only: {name}")

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__} is read-only: {name}")

        @property
        def extra(self) -> dict[str, Any]:
            """The undeclared fields: a fresh dict at each read."""
            return {key: value for key, value in self.to_dict().items() if key not in self.__match_args__}

    def to_dict(self) -> dict[str, Any]:
        """All of the object as fresh Python objects, which the caller may change."""
        copied: dict[str, Any] = json_values.rebuild(json_values.flatten(self.raw))
        return copied

    def __repr__(self) -> str:
        return _shown(self, _ROOM, _LEVELS)

    @staticmethod
    def _brief(value: Any) -> str:
        """A view or a list for the repr of a message."""
        return _brief(value, _ROOM, _LEVELS)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        if self._formats != other._formats and known_formats(self._formats) != known_formats(other._formats):
            return False
        return json_values.same(self.raw, other.raw)

    # A view may hold lists and dicts: two equal views may become unequal when one of these is changed.
    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return _of_raw(type(self), self.raw, self._formats)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return _restore(type(self), json_values.flatten(self.raw), self._formats)

    def __reduce__(self) -> tuple[Callable[..., View], tuple[Any, ...]]:
        return _restore, (type(self), json_values.flatten(self.raw), self._formats)


def known_formats(formats: Formats) -> tuple[AudioFormat, AudioFormat]:
    """The formats, or, of a view that was decoded without a session, the default formats."""
    return (DEFAULT, DEFAULT) if formats is None else formats


def _shown(view: View, room: int, levels: int) -> str:
    shown: list[str] = []
    hidden = 0
    for name in view.__match_args__:
        value = getattr(view, name)
        if value is None:
            continue
        text = "..." if name in view._hidden else _brief(value, room - len(name), levels)
        if len(name) + len(text) > room:
            hidden += 1
            continue
        room -= len(name) + len(text) + 3
        shown.append(f"{name}={text}")
    if hidden:
        shown.append(f"+{hidden} more")
    undeclared = sum(key not in view.__match_args__ for key in view.raw)
    if undeclared:
        shown.append(f"+{undeclared} undeclared")
    return f"{type(view).__name__}({', '.join(shown)})"


def _brief(value: Any, room: int, levels: int) -> str:
    """A value in `room` characters, or in the fewest that say what it is."""
    if type(value) is str:
        return repr(value) if len(value) <= 60 else f"{value[:56]!r}... {len(value)} characters"
    if isinstance(value, View):
        text = _shown(value, room, levels - 1) if levels else ""
        return text if 0 < len(text) <= room else f"{{{len(value.raw)} keys}}"
    if type(value) is dict:
        return f"{{{len(value)} keys}}" if value else "{}"
    if type(value) is list:
        text = ""
        if len(value) <= 8:
            text = f"[{', '.join(f'[{len(one)}]' if type(one) is list else _brief(one, room, levels) for one in value)}]"
        return text if 0 < len(text) <= room else f"[{len(value)}]"
    return repr(value)


def _restore(cls: type[V], flat: list[Any], formats: Formats) -> V:
    return _of_raw(cls, json_values.rebuild(flat), formats)


def _of_raw(cls: Callable[..., V], raw: dict[str, Any], formats: Formats) -> V:
    """A view of a dict: what ViewObject takes, and no type checker lets a caller give."""
    return cls(raw, formats)
