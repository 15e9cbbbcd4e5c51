"""Times of other people's recordings: which scalar beside the frames is the time, and in which unit it is written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal, NamedTuple

from .shapes.moments import moment_of

__all__ = ["Clock", "Evidence", "find_time", "looks_like_time"]

# Names of times, by how often people choose them.
TIME_KEYS = ("time", "timestamp", "ts", "t", "at", "time_ms", "timestamp_ms", "ts_ms", "t_ms", "elapsed_ms", "offset_ms")
_TIMELY = re.compile(
    r"(?i)time|stamp|date|when|elaps|moment|clock|epoch|mono|perf|^@?ts|ts$|_at$|millis|micros|nanos|secs?$|seconds"
    r"|^(?:.*_)?[mnu]s$|offset|uptime|since|(?-i:At$|Ms$|Ns$)"
)
# Numbers that grow, and count something else.
_NEVER = re.compile(
    r"(?i)(?:^|_|\b)(?:seq|sequence|count|counter|index|idx|number|num|no|lines?|id|pid|tid|bytes|size|len|length|level|v"
    r"|version|port|chunk|code|tokens?)$|(?-i:Id$|Number$|Count$)"
)
_UNITS = (
    (1e-9, re.compile(r"(?:^|_|[a-z])(?:ns|nanos|nanoseconds)$|Ns$|Nanos$")),
    (1e-6, re.compile(r"(?:^|_)(?:us|micros|microseconds)$|Us$|Micros$")),
    (1e-3, re.compile(r"(?:^|_)(?:ms|millis|milliseconds|msec|msecs)$|Ms$|Millis$")),
    (1.0, re.compile(r"(?:^|_)(?:s|sec|secs|seconds)$|Sec$|Secs$|Seconds$")),
)
_SCALES = (1.0, 1e-3, 1e-6, 1e-9)
_WITH_UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s?(ns|us|µs|ms|s)")
_SUFFIXES = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
FRAMES_PER_SECOND = 20.0  # of a usual call, on average
HALF_A_DAY = 43_200.0
FEW = 10  # times, from which no unit can be told


class Evidence(NamedTuple):
    """What a frame says of the time that passed. audio: seconds of audio that it carries; sent: by the client."""

    audio: float
    sent: bool


class Reading(NamedTuple):
    """What a scalar says.

    kind: "date" (seconds since 1970), "clock" (seconds of a day), "unit" (seconds), "number" (of a unit that is not known yet).
    """

    value: float
    kind: Literal["date", "clock", "unit", "number"]


def _read(scalar: object) -> Reading | None:
    if isinstance(scalar, bool) or scalar is None:
        return None
    if isinstance(scalar, str):
        try:
            number = float(scalar)
        except ValueError:
            try:
                date = datetime.fromisoformat(scalar)
            except ValueError:
                pass
            else:
                return Reading((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp(), "date")
            found = moment_of(scalar)
            if found is not None:
                return Reading(found.seconds, "date" if found.dated else "clock")
            unit = _WITH_UNIT.fullmatch(scalar.strip())
            return Reading(float(unit[1]) * _SUFFIXES[unit[2]], "unit") if unit else None
    elif isinstance(scalar, (int, float)):
        try:
            number = float(scalar)
        except OverflowError:
            return None
    else:
        return None
    return Reading(number, "number") if math.isfinite(number) else None


def looks_like_time(name: str) -> bool:
    """Whether a member has a name that people give to times."""
    return name in TIME_KEYS or _TIMELY.search(name) is not None


def find_time(beside: Sequence[Mapping[str, object]], evidence: Sequence[Evidence]) -> tuple[str, Clock] | None:
    """The name of the time beside frames, and its clock; None if nothing beside them grows like one.

    beside: the scalars beside the first frames, in the order of the lines. evidence: what these frames say of the time.
    """
    best: tuple[tuple[int, ...], str, Clock] | None = None
    for place, name in enumerate(dict.fromkeys(name for scalars in beside for name in scalars)):
        known = TIME_KEYS.index(name) if name in TIME_KEYS else len(TIME_KEYS)
        timely = looks_like_time(name)
        if _NEVER.search(name) and not timely:
            continue
        readings = [_read(scalars.get(name)) for scalars in beside]
        values = [reading for reading in readings if reading is not None]
        if len(values) < 0.5 * len(beside) or not values:
            continue
        kinds = {reading.kind for reading in values}
        numbers = [reading.value for reading in values]
        grows = _grows(numbers)
        if "number" in kinds and not timely and not _may_be_time(numbers, grows):
            continue
        if len(values) > 2 and not grows and not timely:
            continue
        if _jumps(numbers):
            continue
        scale = 1.0
        if "number" in kinds:
            pairs = [(reading.value, said) for reading, said in zip(readings, evidence, strict=True) if reading is not None]
            scale = _scale_of(name, pairs)
            if not timely and _misfit(scale, pairs) > 1.5:
                continue
        rank = (known, 0 if timely else 1, 0 if "date" in kinds else 1, place)
        if best is None or rank < best[0]:
            best = rank, name, Clock(scale)
    return None if best is None else best[1:]


def _grows(numbers: Sequence[float]) -> bool:
    """Whether numbers go mostly one way."""
    steps = [later - earlier for earlier, later in pairwise(numbers) if later != earlier]
    back = sum(step < 0 for step in steps)
    return bool(steps) and min(back, len(steps) - back) <= 0.1 * len(steps)


def _jumps(numbers: Sequence[float]) -> bool:
    """Whether numbers often go back, as times do not: a clock may be set once or twice, in a short recording, too."""
    steps = [later - earlier for earlier, later in pairwise(numbers) if later != earlier]
    back = sum(step < 0 for step in steps)
    return min(back, len(steps) - back) > max(2, 0.3 * len(steps))


def _may_be_time(numbers: Sequence[float], grows: bool) -> bool:
    """Whether numbers without a name that says so may be times: they grow, and do not count."""
    if len(numbers) < 3 or not grows:
        return False
    return len({later - earlier for earlier, later in pairwise(numbers)}) > 1


def _scale_of(name: str, pairs: Sequence[tuple[float, Evidence]]) -> float:
    """How many seconds one is, of numbers with a name."""
    size = abs(pairs[0][0])
    for scale, unit in _UNITS:
        if unit.search(name):
            return scale
    for scale in _SCALES:
        if 1e8 < size * scale < 1e11:
            return scale
    # A few lines say nothing; seconds are usual.
    doubt = 0.25 if len(pairs) >= FEW else math.inf
    return min(_SCALES, key=lambda scale: _misfit(scale, pairs) + (0.0 if scale == 1.0 else doubt))


def _passed(values: Sequence[float]) -> float:
    """The sum of the steps from value to value, without the longest tenth of them: a clock may have been set."""
    steps = sorted(abs(later - earlier) for earlier, later in pairwise(values))
    return sum(steps[: len(steps) - len(steps) // 10])


def _misfit(scale: float, pairs: Sequence[tuple[float, Evidence]]) -> float:
    """How far a unit is from what the frames say, in powers of ten, on average."""
    misfits = []
    span = _passed([value for value, _ in pairs]) * scale
    if span > 0:
        misfits.append(abs(math.log10(span * FRAMES_PER_SECOND / len(pairs))))
    for sent in (True, False):
        pieces = [(value, said.audio) for value, said in pairs if said.audio and said.sent is sent]
        passed = _passed([value for value, _ in pieces]) * scale if len(pieces) > 2 else 0.0
        audio = sum(seconds for _, seconds in pieces[1:])
        if passed > 0 and audio > 0:
            # A microphone sends as it hears; a model's audio comes faster than it plays.
            misfits.append(abs(math.log10(passed / audio)) if sent else max(0.0, math.log10(passed / audio)))
    return sum(misfits) / len(misfits) if misfits else 0.0


class Clock:
    """Reads times as seconds since the first of them.

    started: when the first one was, if that is a date. unread: how many were no times.
    """

    __slots__ = ("_dates", "_days", "_first", "_last", "scale", "started", "unread")

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._first: float | None = None
        self._last: float | None = None
        self._days = 0.0
        self._dates = False  # the last one was a date of ISO 8601
        self.started: datetime | None = None
        self.unread = 0

    def seconds(self, scalar: object) -> float | None:
        """The time that a scalar means; None if it means none."""
        if self._dates and isinstance(scalar, str) and self._first is not None:  # the short way
            try:
                date = datetime.fromisoformat(scalar)
            except ValueError:
                self._dates = False
            else:
                return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - self._first
        reading = _read(scalar)
        if reading is None:
            self.unread += 1
            return None
        self._dates = reading.kind == "date"
        seconds = reading.value * (self.scale if reading.kind == "number" else 1.0)
        if reading.kind == "clock":
            if self._last is not None and self._last - seconds > HALF_A_DAY:  # midnight
                self._days += 2 * HALF_A_DAY
            self._last = seconds
            seconds += self._days
        if self._first is None:
            self._first = seconds
            if 1e8 < seconds < 1e11:
                self.started = datetime.fromtimestamp(seconds, UTC)
        return seconds - self._first

    def numbers(self) -> tuple[float, float]:
        """What a time that is a number is multiplied by, and what is then subtracted; NaN as long as nobody knows."""
        return (math.nan, math.nan) if self._first is None else (self.scale, self._first)
