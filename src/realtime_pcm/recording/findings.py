"""What an analysis of a recording finds, as plain objects; `Analysis.to_dict` gives them for JSON.

A `Moment` says when something happened in three ways: the line of the file, the time that this line has, and the place on the
axis of a picture. The place is always there; where the recording has no times, it follows from the lengths of the audio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from .. import conversation
from ..conversation import InterruptionCause, LatencyFrom, Moment, ToolCall

__all__ = [
    "Analysis",
    "BadFrame",
    "Gap",
    "Interruption",
    "Item",
    "LatencyFrom",
    "Moment",
    "ServerError",
    "Spread",
    "ToolCall",
    "Turn",
    "TypeCount",
    "UndeclaredField",
]


@dataclass(slots=True)
class TypeCount:
    """The frames of one type. known: whether the catalogue of its side has the type. bytes: of the frames, as UTF-8."""

    direction: str
    type: str
    known: bool
    count: int = 0
    bytes: int = 0


@dataclass(slots=True)
class UndeclaredField:
    """A field that frames of a type had and the catalogue does not declare, as a path such as `response.usage.cost`."""

    direction: str
    type: str
    field: str
    count: int = 0


@dataclass(slots=True)
class BadFrame:
    """A line whose frame was refused. position: the byte of the frame at which the fault is."""

    line: int
    time: float | None
    place: float
    direction: str
    type: str | None
    field: str | None
    position: int
    reason: str


@dataclass(slots=True)
class ServerError:
    """An error that the server told. turn: 0 before the first. source: the type of the message that told it."""

    turn: int
    at: Moment
    source: str
    type: str | None
    code: str | None
    message: str | None


@dataclass(slots=True)
class Gap:
    """The model's audio came too late: a listener who plays each piece as it comes heard silence for so many seconds."""

    at: Moment
    turn: int
    seconds: float


@dataclass(slots=True)
class Interruption:
    """The model was to be silent before its audio was over, or the user spoke while it was heard.

    Attributes:
        causes: What shows it, in order, each once: "speech_started", "interrupted", "truncated" (from the server),
            "response_cancel", "truncate" (from the client), "cancelled" (the status of the response that ended).
        stopped: Whether the recording shows that playing ended. If not, the user may have talked over the model.
        heard_ms: How much of the item was heard.
        heard_from: How that is known: "truncate" (the client said it), "elapsed" (the time since the item's first audio, an
            upper bound) or "arrived" (all audio that had arrived by then, an upper bound).
        received_ms: How much of the item arrived in the end.
    """

    at: Moment
    turn: int
    item_id: str | None
    response_id: str | None
    causes: list[InterruptionCause]
    stopped: bool = False
    heard_ms: int | None = None
    heard_from: str | None = None
    received_ms: int = 0


@dataclass(slots=True)
class Item:
    """An item of the conversation with audio or text.

    Attributes:
        start: Where it begins on the axis, in seconds.
        end: Where it ends on the axis, in seconds.
        heard_end: Where listening ended, if it was cut short.
        audio_seconds: How much audio the recording has of it.
        text: Its transcript or text, up to 4,000 characters.
    """

    turn: int
    side: Literal["user", "model"]
    item_id: str | None
    response_id: str | None
    line: int
    time: float | None
    start: float
    end: float
    heard_end: float | None = None
    audio_seconds: float = 0.0
    rate: int | None = None
    encoding: str | None = None
    spoken: bool = False
    text: str = ""
    text_left_out: int = 0


@dataclass(slots=True)
class Turn(conversation.Turn):
    """A turn of a recording: what realtime_pcm.conversation says of it, and what only a recording shows.

    Attributes:
        arrival_factor: Seconds of audio that arrived per second, after the first chunk. Above 1 it arrives faster than it
            plays.
    """

    user_audio_seconds: float = 0.0
    audio_seconds: float = 0.0
    pieces: int = 0
    arrival_factor: float | None = None
    gaps: int = 0
    gap_seconds: float = 0.0
    longest_gap: float = 0.0
    interruptions: int = 0
    errors: int = 0


class Spread(NamedTuple):
    """How values are spread, in seconds. turns: how many."""

    turns: int
    smallest: float
    median: float
    p95: float
    largest: float


@dataclass(slots=True)
class Analysis:
    """The result of an analysis. Lists are bounded: `left_out` counts, per list, the entries that were left out.

    Attributes:
        shape: How the file stores its frames, as in Recording.
        started: When the recording began, as in Recording.
        dropped: How many frames the recorder dropped, as in Recording.
        model: The name of the model; the last one, if it changed.
        timed: Whether lines have times.
        origin: Begin of the time axis, in seconds.
        end: End of the time axis, in seconds.
        times_back: How many lines have an earlier time than a line before them.
        time_faults: How many lines jump back by more than a second or ahead by more than an hour. They get the time of the
            line before.
        usage: The sum of each number in the usage of all responses, by its path. Numbers beyond 1e15 are counted in
            `left_out`.
        transcription_usage: The same for the user's transcripts.
        session_usage: The last usage that the server gave for the whole session.
    """

    shape: str = ""
    started: datetime | None = None
    model: str | None = None
    timed: bool = False
    origin: float = 0.0
    end: float = 0.0
    lines: int = 0
    frames: int = 0
    bytes: int = 0
    refused: int = 0
    dropped: int = 0
    times_back: int = 0
    time_faults: int = 0
    user_audio_seconds: float = 0.0
    model_audio_seconds: float = 0.0
    latency: Spread | None = None
    types: list[TypeCount] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    tools: list[ToolCall] = field(default_factory=list)
    usage: dict[str, float] = field(default_factory=dict)
    transcription_usage: dict[str, float] = field(default_factory=dict)
    session_usage: dict[str, float] = field(default_factory=dict)
    undeclared: list[UndeclaredField] = field(default_factory=list)
    bad_frames: list[BadFrame] = field(default_factory=list)
    errors: list[ServerError] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Length of the time axis, in seconds."""
        return max(0.0, self.end - self.origin)

    @property
    def clock_in_words(self) -> str:
        """A description of what is wrong with the times; empty if nothing is."""
        if not self.time_faults:
            return ""
        lines = "1 time goes" if self.time_faults == 1 else f"{self.time_faults:,} times go"
        return f"{lines} back by more than a second or forward by more than an hour: the time before was taken"

    def to_dict(self) -> dict[str, Any]:
        """A new dict with the same names, ready for JSON. Seconds are rounded to microseconds."""
        made: dict[str, Any] = _plain(self)
        return made


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None  # JSON has no name for the others
    if isinstance(value, (Moment, Spread)):
        return {name: _plain(part) for name, part in zip(value._fields, value, strict=True)}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value
