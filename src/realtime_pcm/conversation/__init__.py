"""What messages mean for a conversation.

    state = ConversationState()
    async for message in rp.decode_stream(ws):
        state.follow(message, time.monotonic())                 # and what you send, decoded with side="client"
    for turn in state.turns:
        print(turn.number, turn.latency, turn.status)

A message means what the `role=` of its class says (realtime_pcm.roles), so the messages of a private server count too. What is
kept is bounded: the oldest items, responses, turns, tool calls and interruptions are forgotten, and `forgotten` counts them.

Playback, the analysis of recordings, the tables and the loopback server use the rules of this module: what an id is, when an
answer ends, which audio is one part, what comes twice, where a turn begins, and how latency is measured.
"""

from __future__ import annotations

from .held import Interruption, InterruptionCause, Item, Part, Response, ToolCall
from .state import ConversationState
from .turns import LatencyFrom, Moment, Turn

__all__ = [
    "ConversationState",
    "Interruption",
    "InterruptionCause",
    "Item",
    "LatencyFrom",
    "Moment",
    "Part",
    "Response",
    "ToolCall",
    "Turn",
]
