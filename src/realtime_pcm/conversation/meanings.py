"""What a message means: the role of its class, and those of its fields, where one message may mean several things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .._core import audio_roles, role_of, role_of_message, roles_at
from ..objects import View
from ..roles import ROLES, TEXT_FIELDS

__all__ = ["handler_of", "meanings_of", "role_in"]

# Roles that speak of one object: role -> the name that the object has where the role is that of a class.
_OBJECTS: dict[str, str] = {role: needs[0][0] for role, (needs, _) in ROLES.items() if len(needs) == 1 and len(needs[0]) == 1}
# Roles of which each element of a list means it. Its members may have other names than the fields of a message.
_OF_ELEMENTS = ("item_create", "tool_call", "tool_output", "tool_failed")
_OTHER_NAMES = {"call_id": "id", "arguments": "args"}

_Handler: TypeAlias = Callable[..., None]


class AtField:
    """What one field of a message says, with the attributes of a message whose class has the field's role.

    Its words are the field's, or those of the field's object; of the message it has the ids. A name that neither has is None.
    """

    __slots__ = ("_message", "_value", "role")

    def __init__(self, message: Any, value: object, role: str) -> None:
        self._message, self._value, self.role = message, value, role

    def __getattr__(self, name: str) -> Any:
        value = self._value
        if isinstance(value, dict):
            found = value.get(name)
            if found is None and self.role in _OF_ELEMENTS:
                found = value.get(_OTHER_NAMES.get(name))
        else:
            found = getattr(value, name, None) if isinstance(value, View) else None
        if found is not None:
            return found
        if name == _OBJECTS.get(self.role) and not isinstance(value, bool) and name not in _OTHER_NAMES:
            return value
        if name in TEXT_FIELDS:  # those of the message are of another role
            return value if name == "text" and isinstance(value, str) else None
        return getattr(self._message, name, None)


def role_in(message: Any) -> str:
    """The role of a message, or of what a field of it says; "" without one."""
    return message.role if isinstance(message, AtField) else role_of_message(message) or ""


def meanings_of(message: Any) -> list[tuple[str, Any]]:
    """What a message means, in order: a role, and what says it."""
    cls = type(message)
    role, fields = role_of_message(message), roles_at(cls)
    found: list[tuple[str, Any]] = []
    # Of a message that may mean several things, the audio is one.
    if role is not None and not (fields and hasattr(message, "pcm") and message.delta is None):
        found.append((role, message))
    for name, role in fields:
        value = getattr(message, name)
        if value is None or value is False or (role == "text_delta" and getattr(message, "thought", None) is True):
            continue
        values = value if isinstance(value, list) and role in _OF_ELEMENTS else (value,)
        found += [(role, AtField(message, one, role)) for one in values]
    return found


def handler_of(cls: type, find: Callable[[str], _Handler | None]) -> _Handler | None:
    """What takes the messages of a class. find: what takes those of a role; None for a role that means nothing there."""
    if not roles_at(cls) and not audio_roles(cls):
        role = role_of(cls)
        return None if role is None else find(role)

    def each(message: Any, *more: Any) -> None:
        for role, meant in meanings_of(message):
            handler = find(role)
            if handler is not None:
                handler(meant, *more)

    return each
