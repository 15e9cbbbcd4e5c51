"""Bounded counts of message types, and of fields that nobody declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from .._core import RealtimeMessage, UnknownClientMessage, UnknownMessage
from ..conversation.rules import DEEPEST, LONGEST_NAME
from ..declare import annotations_of, view_in
from ..objects import View
from .findings import TypeCount, UndeclaredField

__all__ = ["Bounded", "Types", "Undeclared"]

T = TypeVar("T")

MOST_TYPES = 1000
MOST_FIELDS = 1000
UNKNOWN = (UnknownMessage, UnknownClientMessage)


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
