"""What a message means: `role=` of its class statement, and what each role does.

A class names its role, or inherits that of its base; where one message may mean several things, its fields have roles. Playback,
the analysis of recordings, tables and the loopback server then treat its messages as they treat those of OpenAI.
docs/guide/conversation.md has this table for readers.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

__all__ = ["OF_CALLS", "OF_CLASSES", "OF_USER", "READ", "ROLES", "TEXT_FIELDS", "ReadName", "Role", "RoleName"]

TEXT_FIELDS = ("delta", "transcript", "text")  # in which a message may have words: the first that it declares


# The keys of ROLES, for type checkers.
RoleName = Literal[
    "input_audio",
    "audio_end",
    "audio",
    "session_start",
    "session_update",
    "usage",
    "rate_limits",
    "error",
    "speech_started",
    "speech_stopped",
    "commit",
    "committed",
    "clear",
    "user_transcript_delta",
    "user_transcript_so_far",
    "user_transcript",
    "user_transcript_failed",
    "response_create",
    "response_start",
    "response_end",
    "response_cancel",
    "text_delta",
    "text_so_far",
    "text_end",
    "transcript_delta",
    "transcript_so_far",
    "transcript_end",
    "part_added",
    "part_done",
    "item_create",
    "item_added",
    "item_done",
    "item_delete",
    "item_deleted",
    "tool_arguments_delta",
    "tool_call",
    "tool_started",
    "tool_done",
    "tool_failed",
    "tool_output",
    "interrupted",
    "played",
    "truncate",
    "truncated",
]


# The roles whose messages tell one call from another: _bulk.pyx passes on what they say.
OF_CALLS: tuple[str, ...] = ("session_start", "speech_started", "speech_stopped", "response_start", "response_end")


# The roles of what a server says of the user.
OF_USER: frozenset[str] = frozenset(
    {
        "speech_started",
        "speech_stopped",
        "committed",
        "user_transcript_delta",
        "user_transcript_so_far",
        "user_transcript",
        "user_transcript_failed",
    }
)


# The roles that a field cannot have, because the core looks for what they say in messages of a class.
OF_CLASSES: tuple[str, ...] = ("audio", "input_audio", "session_start", "session_update")


# What the session and the roles read of a message. The field of the same name holds it, unless the class statement says `reads=`.
ReadName = Literal[
    "response_id",
    "item_id",
    "content_index",
    "format",
    "sample_rate",
    "channels",
    "input_format",
    "input_sample_rate",
    "session",
    "response",
    "error",
    "client_event_id",
    "call_id",
    "arguments",
]
READ: tuple[ReadName, ...] = get_args(ReadName)


class Role(NamedTuple):
    """One meaning.

    Attributes:
        needs: The fields that a class of this role declares, one of each tuple.
        effect: What its messages do to a conversation.
    """

    needs: tuple[tuple[str, ...], ...]
    effect: str


_WORDS = (TEXT_FIELDS,)
_ITEM_ID = (("item_id",),)

ROLES: dict[RoleName, Role] = {
    # ---- audio
    "input_audio": Role((), "The user's speech: pcm goes on in the input stream. Audio messages only."),
    "audio_end": Role((), "The audio of one content part is complete, or that of everything if it names no ids."),
    "audio": Role((), "The model's speech: pcm goes on in the item. What an audio message means unless it says otherwise."),
    # ---- the session
    "session_start": Role((("session",),), "A connection begins: formats, streams and ids start afresh."),
    "session_update": Role((("session",),), "The session has these formats; from a client: it asks for them."),
    "usage": Role((("usage",),), "What the whole session has used so far."),
    "rate_limits": Role((("rate_limits",),), "What is left of the limits."),
    "error": Role((("error",),), "Something was refused or failed; it may be the client's session update."),
    # ---- the user's turn
    "speech_started": Role((), "The user speaks: a turn begins, and what the model says is interrupted."),
    "speech_stopped": Role((), "The user has stopped speaking: latency counts from here."),
    "commit": Role((), "From a client: the user's turn is over. Latency counts from here if the server says neither."),
    "committed": Role((), "The user's speech is an item. Latency counts from here if nothing said that speech stopped."),
    "clear": Role((), "From a client: what was appended is forgotten."),
    "user_transcript_delta": Role(_WORDS, "More of what the user said."),
    "user_transcript_so_far": Role(_WORDS, "All of what the user is saying, which may correct what came before."),
    "user_transcript": Role(_WORDS, "What the user said, whole; of several for one item, all are kept."),
    "user_transcript_failed": Role((("error",),), "What the user said could not be written down."),
    # ---- responses
    "response_create": Role((), "From a client: the model is to answer. Latency counts from the first of a turn at last."),
    "response_start": Role((("response",),), "A response begins; its ids are new, and audio of it is due until its end."),
    "response_end": Role((("response",),), "A response is over, with its status, its usage and all of its audio."),
    "response_cancel": Role((), "From a client: the response is to stop."),
    "text_delta": Role(_WORDS, "More of the model's text."),
    "text_so_far": Role(_WORDS, "All of the text that the model is writing, which may correct what came before."),
    "text_end": Role(_WORDS, "A piece of the model's text, whole; of several for one item, all are kept."),
    "transcript_delta": Role(_WORDS, "More of the words of the model's speech."),
    "transcript_so_far": Role(_WORDS, "All of the words of the model's speech, which may correct what came before."),
    "transcript_end": Role(_WORDS, "The words of a piece of the model's speech, whole; of several for one item, all are kept."),
    "part_added": Role((("part",),), "A content part of an item begins."),
    "part_done": Role((("part",),), "A content part of an item is complete."),
    # ---- items
    "item_create": Role(
        (("item",),), "From a client: it adds an item. A user's text begins a turn, a tool's output answers a call."
    ),
    "item_added": Role((("item",),), "The conversation has this item; a tool call in it is noted."),
    "item_done": Role((("item",),), "This item is final."),
    "item_delete": Role(_ITEM_ID, "From a client: the item is to go."),
    "item_deleted": Role(_ITEM_ID, "The item is gone."),
    # ---- tools
    "tool_arguments_delta": Role((("delta",),), "More of the arguments of a call, as JSON text."),
    "tool_call": Role(
        (("arguments",),), "The arguments of a call are complete: the tool may run. Each element of a list is one."
    ),
    "tool_started": Role(_ITEM_ID, "The server runs a tool by itself."),
    "tool_done": Role(_ITEM_ID, "That tool has answered."),
    "tool_failed": Role(_ITEM_ID, "That tool has failed, or its call was cancelled."),
    "tool_output": Role((("call_id",),), "From a client: what a tool gave. Of a list, each element is the answer to a call."),
    # ---- interruptions
    "interrupted": Role(
        (), "What the model says is no longer played. If it has a `number`, audio whose `number` is not larger is late."
    ),
    "played": Role((("name",),), "What was sent before the mark of this `name` has been played, or dropped."),
    "truncate": Role((("item_id",), ("audio_end_ms",)), "From a client: so many milliseconds of the item were heard."),
    "truncated": Role((("item_id",), ("audio_end_ms",)), "The server has cut the item to what was heard."),
}


def missing_of(role: RoleName, names: tuple[str, ...]) -> tuple[str, ...]:
    """The fields of which a class of this role has to declare one and does not; () if it lacks none."""
    return next((group for group in ROLES[role].needs if not set(group) & set(names)), ())
