"""The catalogue of the other side: one class for each message a Realtime client sends, one module for each provider.

`decode(frame, side="client")` gives these. A message is declared once, in its provider's module; what is here, the dispatch
table and the stubs follow from there. `ClientMessage` is the union of all of them and `UnknownClientMessage`.
"""

from __future__ import annotations

from typing import Any

from .._core import (
    CarriesAudio,
    ClientAudioEnd,
    ClientAudioMessage,
    RealtimeClientMessage,
    RealtimeMessage,
    UnknownClientMessage,
    class_of as _class_of,
    field,
    payload,
)
from . import dashscope, glm, openai, openai_live, vllm, voice_live

_MODULES = (openai, openai_live, voice_live, dashscope, glm, vllm)
_CLASSES = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__
}

globals().update(_CLASSES)

__all__ = [
    "CarriesAudio",
    "ClientAudioEnd",
    "ClientAudioMessage",
    "ClientMessage",
    "RealtimeClientMessage",
    "RealtimeMessage",
    "UnknownClientMessage",
    "class_of",
    "field",
    "payload",
    *_CLASSES,
]


def class_of(wire_name: str) -> type[RealtimeClientMessage]:
    """The class of the messages of a client that have this `type`. Raises ValueError where there is none."""
    found: type[RealtimeClientMessage] = _class_of("client", wire_name)
    return found


def __getattr__(name: str) -> Any:
    if name != "ClientMessage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Made when asked for, as messages.ServerMessage is.
    from typing import Union

    union = Union[(*_CLASSES.values(), UnknownClientMessage)]
    globals()[name] = union
    return union
