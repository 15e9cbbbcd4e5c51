"""The catalogue of the other side: one class for each message a Realtime client sends, one module for each provider.

`decode(frame, side="client")` gives these. A message is declared once, in its provider's module; what is here and the dispatch
table follow from there. `ClientMessage` is the union of all of them and `UnknownClientMessage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core import (
    CarriesAudio,
    ClientAudioEnd,
    ClientAudioMessage,
    RealtimeClientMessage,
    RealtimeMessage,
    UnknownClientMessage,
    class_of as _class_of,
)
from ..declare import Nested, NestedList, Samples, field, payload
from . import dashscope, foundry, glm, nvidia, openai, openai_live, smallest, together, vllm, voice_live, xai

if TYPE_CHECKING:
    from typing import TypeAlias

    from .dashscope import *
    from .foundry import *
    from .glm import *
    from .nvidia import *
    from .openai import *
    from .openai_live import *
    from .smallest import *
    from .together import *
    from .vllm import *
    from .voice_live import *
    from .xai import *

    ClientMessage: TypeAlias = (
        SessionUpdate
        | TranscriptionSessionUpdate
        | InputAudioBufferAppend
        | InputAudioBufferCommit
        | InputAudioBufferClear
        | OutputAudioBufferClear
        | ConversationItemCreate
        | ConversationItemRetrieve
        | ConversationItemTruncate
        | ConversationItemDelete
        | ResponseCreate
        | ResponseCancel
        | SessionInputAudioBufferAppend
        | SessionClose
        | SessionStart
        | SessionInputAudioAppend
        | SessionInputAudioMute
        | SessionInputAudioUnmute
        | SessionOutputAudioFixturePlay
        | SessionInstructionsAppend
        | SessionThinkingAppend
        | SessionCommentaryAppend
        | DecisionCreate
        | DecisionItemCreate
        | DecisionItemDelete
        | ResponseItemCreate
        | TransportDtmfSend
        | InputAudioClear
        | InputAudioTurnStart
        | InputAudioTurnAppend
        | InputAudioTurnEnd
        | InputAudioTurnCancel
        | InputTextDelta
        | InputTextDone
        | SessionAvatarConnect
        | McpApprovalResponse
        | InputImageBufferAppend
        | InputTextBufferAppend
        | InputTextBufferCommit
        | InputTextBufferClear
        | SessionFinish
        | InputAudioBufferAppendVideoFrame
        | InputTextAppend
        | InputCancel
        | BargeIn
        | TurnSignal
        | PlaybackAck
        | SessionHeartbeat
        | SessionResume
        | SessionEventAck
        | RtcCallSdpCreate
        | TextDelta
        | TextDone
        | TextClear
        | TranscriptionSessionUpdated
        | TtsSessionUpdated
        | Echo
        | SynthesizeSessionUpdate
        | InputTextCommit
        | InputAudioBufferDone
        | SessionConfigure
        | UnknownClientMessage
    )

_MODULES = (openai, openai_live, voice_live, dashscope, glm, vllm, foundry, xai, together, nvidia, smallest)
_CLASSES = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__
}

globals().update(_CLASSES)

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll] - for a program, not for a checker
    "CarriesAudio",
    "ClientAudioEnd",
    "ClientAudioMessage",
    "ClientMessage",
    "Nested",
    "NestedList",
    "RealtimeClientMessage",
    "RealtimeMessage",
    "Samples",
    "UnknownClientMessage",
    "class_of",
    "field",
    "payload",
    *_CLASSES,
]


def class_of(wire_name: str) -> type[RealtimeClientMessage]:
    """The class of client messages with this `type`. Raises ValueError if there is none."""
    found: type[RealtimeClientMessage] = _class_of("client", wire_name)
    return found


def __getattr__(name: str) -> Any:
    if name != "ClientMessage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Made when asked for, as messages.ServerMessage is.
    from typing import Union

    union: Any = Union[(*_CLASSES.values(), UnknownClientMessage)]
    globals()[name] = union
    return union
