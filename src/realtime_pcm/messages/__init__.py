"""The catalogue: one class for each message a Realtime server sends, one module for each provider.

A message is declared once, in the module of its provider. The names in this module and the dispatch table are made from these
declarations. `ServerMessage` is the union of all message classes and `UnknownMessage`; type checkers need it written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core import (
    AudioEnd,
    AudioMessage,
    CarriesAudio,
    RealtimeMessage,
    RealtimeServerMessage,
    UnknownMessage,
    class_of as _class_of,
)
from ..declare import Nested, NestedList, Samples, field, payload
from . import (
    dashscope,
    foundry,
    glm,
    inworld,
    localai,
    mai,
    nvidia,
    openai,
    openai_live,
    smallest,
    speaches,
    stepfun,
    together,
    vllm,
    voice_live,
    xai,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    from .dashscope import *
    from .foundry import *
    from .glm import *
    from .inworld import *
    from .localai import *
    from .mai import *
    from .nvidia import *
    from .openai import *
    from .openai_live import *
    from .smallest import *
    from .speaches import *
    from .stepfun import *
    from .together import *
    from .vllm import *
    from .voice_live import *
    from .xai import *

    ServerMessage: TypeAlias = (
        Error
        | SessionCreated
        | SessionUpdated
        | TranscriptionSessionCreated
        | TranscriptionSessionUpdated
        | ConversationCreated
        | ConversationItemCreated
        | ConversationItemAdded
        | ConversationItemDone
        | ConversationItemRetrieved
        | ConversationItemDeleted
        | ConversationItemTruncated
        | ConversationItemInputAudioTranscriptionDelta
        | ConversationItemInputAudioTranscriptionCompleted
        | ConversationItemInputAudioTranscriptionSegment
        | ConversationItemInputAudioTranscriptionFailed
        | InputAudioBufferCommitted
        | InputAudioBufferCleared
        | InputAudioBufferSpeechStarted
        | InputAudioBufferSpeechStopped
        | InputAudioBufferTimeoutTriggered
        | InputAudioBufferDtmfEventReceived
        | OutputAudioBufferStarted
        | OutputAudioBufferStopped
        | OutputAudioBufferCleared
        | ResponseCreated
        | ResponseDone
        | ResponseOutputItemAdded
        | ResponseOutputItemDone
        | ResponseContentPartAdded
        | ResponseContentPartDone
        | ResponseTextDelta
        | ResponseTextDone
        | ResponseAudioTranscriptDelta
        | ResponseAudioTranscriptDone
        | ResponseAudioDelta
        | ResponseAudioDone
        | ResponseFunctionCallArgumentsDelta
        | ResponseFunctionCallArgumentsDone
        | ResponseMcpCallArgumentsDelta
        | ResponseMcpCallArgumentsDone
        | ResponseMcpCallInProgress
        | ResponseMcpCallCompleted
        | ResponseMcpCallFailed
        | McpListToolsInProgress
        | McpListToolsCompleted
        | McpListToolsFailed
        | RateLimitsUpdated
        | SessionStarted
        | SessionPaused
        | SessionResumed
        | SessionClosed
        | SessionOutputAudioDelta
        | SessionInputAudioAppend
        | SessionInputTranscriptDelta
        | SessionOutputTranscriptDelta
        | SessionUsageUpdated
        | SessionInputAudioMuted
        | SessionInputAudioUnmuted
        | SessionInstructionsAppended
        | SessionThinkingAppended
        | SessionCommentaryAppended
        | SessionOutputAudioFixturePlaying
        | SessionOutputAudioFixturePlayed
        | SessionDelegationCreated
        | ResponseEvent
        | DecisionEvent
        | DecisionItemCreated
        | DecisionItemDeleted
        | TransportRinging
        | TransportAnswered
        | TransportFailed
        | TransportDtmfReceived
        | TransportDtmfSend
        | TransportDtmfSent
        | Info
        | WarningMessage
        | SessionAvatarConnecting
        | SessionAvatarSwitchToSpeaking
        | SessionAvatarSwitchToIdle
        | ResponseAnimationBlendshapesDelta
        | ResponseAnimationBlendshapesDone
        | ResponseAnimationVisemeDelta
        | ResponseAnimationVisemeDone
        | ResponseAudioTimestampDelta
        | ResponseAudioTimestampDone
        | ResponseAudioTranscriptAnnotationAdded
        | ResponseVideoDelta
        | ResponseInvocationDelta
        | ResponseWebSearchCallInProgress
        | ResponseWebSearchCallSearching
        | ResponseWebSearchCallCompleted
        | ResponseFileSearchCallInProgress
        | ResponseFileSearchCallSearching
        | ResponseFileSearchCallCompleted
        | Ping
        | ConversationItemInputAudioTranscriptionUpdated
        | SessionFinished
        | ConversationItemInputAudioTranscriptionText
        | ResponseTextText
        | ResponseAudioTranscriptText
        | Heartbeat
        | ResponseFunctionCallSimpleBrowser
        | ResponseFunctionCallSimpleBrowserResult
        | ResponseThinkingDelta
        | ResponseThinkingDone
        | ConversationItemSpeaker
        | ConversationItemSoundDetection
        | LocalaiClassifierResult
        | LocalaiModelFailover
        | TranscriptionDelta
        | TranscriptionDone
        | SessionReplaced
        | SessionResyncRequired
        | SessionExpired
        | SessionHeartbeatAck
        | TurnEvent
        | ResponseListen
        | ResponseSpeak
        | OverlapDecision
        | PlaybackAcknowledged
        | FullMessage
        | PartialMessage
        | AudioDelta
        | AudioDone
        | AudioClear
        | SessionSubagentStarted
        | SessionSubagentCompleted
        | SessionSubagentAborted
        | RtcCallSdpCreated
        | RtcCallError
        | ResponseBackchannelAudioDelta
        | ResponseBackchannelAudioDone
        | ResponseBackchannelSkipped
        | ConversationItemInputAudioTranscriptionIntermediate
        | ConversationItemSpeechData
        | ConversationItemSpeechCompleted
        | SynthesizeSessionUpdated
        | SessionConfigured
        | ConversationItemInputTextReceived
        | ConversationItemAudioOutputDelta
        | ConversationItemAudioOutputDone
        | ConversationItemWordTimestamps
        | ConversationItemTtsFailed
        | ContextCancelled
        | InputAudioBufferProcessed
        | ConversationItemInputAudioTranscriptionStartOfTurn
        | ConversationItemInputAudioTranscriptionEagerEndOfTurn
        | ConversationItemInputAudioTranscriptionTurnResumed
        | ConversationItemInputAudioTranscriptionEndOfTurn
        | EchoResponse
        | UnknownMessage
    )

_MODULES = (
    openai,
    openai_live,
    voice_live,
    xai,
    dashscope,
    glm,
    stepfun,
    localai,
    vllm,
    speaches,
    foundry,
    inworld,
    together,
    nvidia,
    smallest,
    mai,
)
_CLASSES = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__
}

globals().update(_CLASSES)

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll] - for a program, not for a checker
    "AudioEnd",
    "AudioMessage",
    "CarriesAudio",
    "Nested",
    "NestedList",
    "RealtimeMessage",
    "RealtimeServerMessage",
    "Samples",
    "ServerMessage",
    "UnknownMessage",
    "class_of",
    "field",
    "payload",
    *_CLASSES,
]


def class_of(wire_name: str) -> type[RealtimeServerMessage]:
    """The class of server messages with this `type`. Raises ValueError if there is none."""
    found: type[RealtimeServerMessage] = _class_of("server", wire_name)
    return found


def __getattr__(name: str) -> Any:
    if name != "ServerMessage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Made at its first use: the union of some 150 classes takes longer to make than all else in this module.
    from typing import Union

    union: Any = Union[(*_CLASSES.values(), UnknownMessage)]
    globals()[name] = union
    return union
