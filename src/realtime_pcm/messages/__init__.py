"""The catalogue: one class for each message a Realtime server sends, one module for each provider.

A message is declared once, in the module of its provider. The names in this module, the dispatch table and the stubs are made
from these declarations. `ServerMessage` is the union of all message classes and `UnknownMessage`.
"""

from __future__ import annotations

from typing import Any

from .._core import (
    AudioEnd,
    AudioMessage,
    CarriesAudio,
    RealtimeMessage,
    RealtimeServerMessage,
    UnknownMessage,
    class_of as _class_of,
    field,
    payload,
)
from . import (
    dashscope,
    glm,
    localai,
    openai,
    openai_live,
    speaches,
    stepfun,
    vllm,
    voice_live,
    xai,
)

_MODULES = (openai, openai_live, voice_live, xai, dashscope, glm, stepfun, localai, vllm, speaches)
_CLASSES = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__
}

globals().update(_CLASSES)

__all__ = [
    "AudioEnd",
    "AudioMessage",
    "CarriesAudio",
    "RealtimeMessage",
    "RealtimeServerMessage",
    "ServerMessage",
    "UnknownMessage",
    "class_of",
    "field",
    "payload",
    *_CLASSES,
]


def class_of(wire_name: str) -> type[RealtimeServerMessage]:
    """The class of the messages of a server that have this `type`. Raises ValueError where there is none."""
    found: type[RealtimeServerMessage] = _class_of("server", wire_name)
    return found


def __getattr__(name: str) -> Any:
    if name != "ServerMessage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Made at its first use: the union of some 120 classes takes longer to make than all else in this module.
    from typing import Union

    union = Union[(*_CLASSES.values(), UnknownMessage)]
    globals()[name] = union
    return union
