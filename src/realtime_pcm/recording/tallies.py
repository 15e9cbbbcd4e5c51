"""Counts of what passes by: types, fields that nobody declared, numbers of usage. What is kept is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from .._core import RealtimeMessage, UnknownClientMessage, UnknownMessage
from ..annotations import annotations_of, view_in
from ..objects import View
from .findings import TypeCount, UndeclaredField

__all__ = ["Bounded", "Types", "Undeclared", "add_numbers", "name_of", "numbers_in", "raw_of"]

T = TypeVar("T")

MOST_TYPES = 1000
MOST_FIELDS = 1000
MOST_NUMBERS = 200
LARGEST_NUMBER = 1e15  # of a usage object: sums of such numbers are exact, or nearly so, and never overflow
LONGEST_NAME = 200
DEEPEST = 6
UNKNOWN = (UnknownMessage, UnknownClientMessage)


def name_of(value: object) -> str | None:
    """A name or id of a frame, at most 200 characters of it; None for what is no string."""
    return value[:LONGEST_NAME] if isinstance(value, str) else None


def raw_of(value: object) -> dict[str, Any]:
    """The dict that a view or a dict holds; an empty one for anything else, since a server may send anything."""
    found = value.raw if isinstance(value, View) else value
    return found if isinstance(found, dict) else {}


class Bounded(list[T], Generic[T]):
    """A list that keeps its first entries and counts the others."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self.left_out = 0

    def append(self, entry: T) -> None:
        """Keeps or counts."""
        if len(self) < self._most:
            super().append(entry)
        else:
            self.left_out += 1


class Types:
    """Frames by side and type."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], TypeCount] = {}
        self.left_out = 0

    def add(self, direction: str, message: RealtimeMessage, size: int) -> None:
        """Counts one frame."""
        key = (direction, message.type)
        found = self._counts.get(key)
        if found is None:
            known = not isinstance(message, UNKNOWN)
            key = (direction, message.type[:LONGEST_NAME])
            found = self._counts.get(key)
            if found is None:
                if len(self._counts) >= MOST_TYPES:
                    self.left_out += 1
                    return
                found = self._counts[key] = TypeCount(direction, key[1], known)
        found.count += 1
        found.bytes += size

    def all(self) -> list[TypeCount]:
        """The most frequent first."""
        return sorted(self._counts.values(), key=lambda one: (-one.count, one.direction, one.type))


class Undeclared:
    """Fields that the catalogue does not declare, in messages and in their views."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], UndeclaredField] = {}
        self._views: dict[type, tuple[str, ...]] = {}
        self.left_out = 0

    def add(self, direction: str, message: RealtimeMessage) -> None:
        """Counts the fields of one message. Those of an unknown message are not counted: it declares none."""
        cls = type(message)
        views = self._views.get(cls)
        if views is None:
            views = self._views[cls] = () if issubclass(cls, UNKNOWN) else _view_fields(cls)
        if cls in UNKNOWN:
            return
        extra = message.extra
        if extra:
            for key in extra:
                self._count(direction, message.type, key)
        for name in views:
            for path in _undeclared(getattr(message, name), name, DEEPEST):
                self._count(direction, message.type, path)

    def _count(self, direction: str, type_: str, path: str) -> None:
        key = (direction, type_[:LONGEST_NAME], path[:LONGEST_NAME])
        found = self._counts.get(key)
        if found is None:
            if len(self._counts) >= MOST_FIELDS:
                self.left_out += 1
                return
            found = self._counts[key] = UndeclaredField(*key)
        found.count += 1

    def all(self) -> list[UndeclaredField]:
        """The most frequent first."""
        return sorted(self._counts.values(), key=lambda one: (-one.count, one.direction, one.type, one.field))


def _view_fields(cls: type) -> tuple[str, ...]:
    names: list[str] = []
    for base in cls.__mro__:
        if base in (object, RealtimeMessage) or "__annotations__" not in base.__dict__:
            continue
        for name, annotation in annotations_of(base).items():
            if name in getattr(cls, "__match_args__", ()) and view_in(annotation, base.__module__, View)[0] is not None:
                names.append(name)
    return tuple(names)


def _undeclared(value: object, path: str, depth: int) -> Iterator[str]:
    """The paths of keys that views do not declare. A list counts as its entries."""
    if depth == 0:
        return
    if isinstance(value, list):
        for entry in value:
            yield from _undeclared(entry, path, depth - 1)
    elif isinstance(value, View):
        declared = type(value).__match_args__
        for key in value.raw:
            if key not in declared:
                yield f"{path}.{key}"
            elif value.raw[key].__class__ in (dict, list):
                yield from _undeclared(getattr(value, key), f"{path}.{key}", depth - 1)


def numbers_in(value: object, path: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, float | None]]:
    """The numbers of a usage object with their paths; None for one that no usage can be. Costs sent as text are read too."""
    if isinstance(value, dict) and depth:
        for key, part in value.items():
            yield from numbers_in(part, f"{path}.{key}"[:LONGEST_NAME] if path else key[:LONGEST_NAME], depth - 1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value if abs(value) <= LARGEST_NUMBER else None
    elif isinstance(value, str) and "cost" in path.lower() and len(value) < 40:
        try:
            number = float(value)
        except ValueError:
            return
        yield path, number if abs(number) <= LARGEST_NUMBER else None


def add_numbers(sums: dict[str, float], value: object) -> int:
    """Adds each number of a usage object to its sum; how many were left out: no usage can be so large, or there is no room."""
    left_out = 0
    for path, number in numbers_in(value):
        if number is not None and (path in sums or len(sums) < MOST_NUMBERS):
            sums[path] = sums.get(path, 0) + number
        else:
            left_out += 1
    return left_out
