"""The types to build that `only=` names."""

from __future__ import annotations

from typing import Any

from .errors import did_you_mean


def wanted_types(only: Any, catalogue: Any, message_class: type) -> tuple[bytes, bool, tuple[Any, ...]]:
    """What `only=` asks for.

    Args:
        only: Wire types and message classes.
        catalogue: The core's table of the types of one side.
        message_class: RealtimeMessage.

    Returns:
        At the number of each type, 1 to build it; whether to build messages of types that no class declares; and the names, for
        a repr. Types that are declared later are not built.

    Raises:
        TypeError: It holds something else.
        ValueError: A wire type is unknown, or no message of this side is of the class.
    """
    try:
        entries = (only,) if isinstance(only, (str, type)) else tuple(only)
    except TypeError:
        raise TypeError(f"only= takes wire types and message classes, not {only!r}") from None
    types = dict(catalogue.types)
    unknown_class = catalogue.unknown.layout.cls
    numbers = bytearray(max((found.number for found in types.values()), default=-1) + 1)
    unknown = False
    for entry in entries:
        if isinstance(entry, str):
            found = types.get(str.__str__(entry))
            if found is None:
                near = did_you_mean(str.__str__(entry), list(types))
                raise ValueError(
                    f"only={entry!r}: no message class has this wire type{near} "
                    f"({unknown_class.__name__} stands for all types that no class has)"
                )
            numbers[found.number] = 1
        elif isinstance(entry, type) and issubclass(entry, message_class):
            if not catalogue.may_have(entry):
                raise ValueError(f"only={entry.__name__}: no message of the {catalogue.side} is of this class")
            for found in types.values():
                numbers[found.number] |= issubclass(found.layout.cls, entry)
            unknown |= issubclass(unknown_class, entry)
        else:
            raise TypeError(f"only= takes wire types and message classes, not {entry!r}")
    return bytes(numbers), unknown, tuple(entry if isinstance(entry, str) else entry.__name__ for entry in entries)
