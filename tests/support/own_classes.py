"""Message classes that a test declares at run time, where a class statement cannot name the wire name or the fields."""

from __future__ import annotations

from typing import Any


def declared(
    name: str,
    base: type,
    wire: str | tuple[str, ...] = (),
    fields: dict[str, str] | None = None,
    /,
    role: str | dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
    **body: Any,
) -> Any:
    """What this class statement gives. wire: the names in `type: Literal[...]`. fields: name -> annotation. options: its
    other keywords. body: what else the class holds."""
    names = (wire,) if isinstance(wire, str) else wire
    if names:
        fields = {"type": f"Literal[{', '.join(map(repr, names))}]", **(fields or {})}
        body = {"type": names[0], **body}
    keywords = (options or {}) if role is None else {"role": role, **(options or {})}
    return type(name, (base,), {"__annotations__": fields or {}, **body}, **keywords)
