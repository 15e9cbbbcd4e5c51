"""The layout of a timeline: two lanes, the waits between them, and events and words below.

Nothing overlaps: each label takes a free shelf, and labels without one are counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from ..recording.findings import Analysis, Interruption, Item
from .scene import Line, Polygon, Rect, Scene, Text, clean, fitted, width_of, wrapped
from .waveform import Waveform

__all__ = ["clock", "facts_of", "laid_out", "notes_of"]

GUTTER = 70
RIGHT = 18
LANE = 74
NARROWEST, WIDEST = 1160, 8000
PIXELS_A_SECOND = 44
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)
EVENT_SHELVES, EVENT_HEIGHT = 3, 20  # shelves for each kind of event
LEFT_TO_RIGHT = "\u200e"  # what stands behind a name in Arabic or Hebrew is not drawn in its direction
WORD_SHELVES, WORD_LINE, WORD_LINES = 3, 16, 4
WORD_WIDTH = (150.0, 330.0)  # pixels of a block of words: the least, the most


class _Axis(NamedTuple):
    origin: float
    end: float
    left: float
    right: float

    def x(self, place: float) -> float:
        share = (place - self.origin) / (self.end - self.origin)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def holds(self, start: float, end: float | None = None) -> bool:
        return start <= self.end and (start if end is None else end) >= self.origin


class _Shelves:
    """Rows of labels that do not overlap."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._ends: list[float] = []

    def place(self, x: float, width: float) -> int | None:
        """The row with room for a label, or None."""
        for row, end in enumerate(self._ends):
            if end + 8 <= x:
                self._ends[row] = x + width
                return row
        if len(self._ends) < self._rows:
            self._ends.append(x + width)
            return len(self._ends) - 1
        return None

    @property
    def used(self) -> int:
        return len(self._ends)


def clock(seconds: float, step: float = 1.0) -> str:
    """A time on the axis: `7.5 s` if the recording is shorter than a minute, otherwise `1:07`."""
    digits = 1 if step < 1 else 0
    if abs(seconds) < 60:
        return f"{seconds:.{digits}f} s"
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    hours, rest = divmod(round(seconds, digits), 3600)
    minutes, rest = divmod(rest, 60)
    tail = f"{rest:04.1f}" if digits else f"{rest:02.0f}"
    return f"{sign}{hours:.0f}:{minutes:02.0f}:{tail}" if hours else f"{sign}{minutes:.0f}:{tail}"


def _length(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def facts_of(found: Analysis) -> list[tuple[str, str]]:
    """Facts about the whole recording, each with its text style."""
    turns = len(found.turns) + found.left_out.get("turns", 0)
    facts = [(f"{turns:,} {'turn' if turns == 1 else 'turns'}", "ink")]
    if found.latency is not None:
        spread = found.latency
        longest = f", longest {_length(spread.largest)}" if spread.turns > 1 else ""
        facts.append((f"first audio after {_length(spread.median)}{' (median)' if longest else ''}{longest}", "warn"))
    cuts = sum(one.stopped for one in found.interruptions)
    gaps = sum(turn.gaps for turn in found.turns)
    for count, one, many, style in (
        (cuts, "interruption", "interruptions", "red"),
        (gaps, "gap", "gaps", "orange"),
        (len(found.tools), "tool call", "tool calls", "violet"),
        (len(found.errors), "error", "errors", "red"),
        (found.refused, "bad frame", "bad frames", "red"),
        (sum(one.count for one in found.types if not one.known), "frame of an unknown type", "frames of unknown types", "dim"),
    ):
        if count:
            facts.append((f"{count:,} {one if count == 1 else many}", style))
    tokens = found.usage.get("total_tokens")
    if tokens:
        facts.append((f"{tokens:,.0f} tokens", "dim"))
    return facts


def notes_of(found: Analysis) -> list[str]:
    """Remarks that are necessary to read the picture correctly."""
    notes = []
    if not found.timed:
        notes.append(
            "This recording has no times: audio stands by its own length, one side after the other. Waits are not known."
        )
    if found.time_faults:
        notes.append(f"{found.clock_in_words}.")
    if not found.user_audio_seconds and any(item.side == "user" and item.spoken for item in found.items):
        notes.append("The user's audio is not in this recording: shaded is where the server heard speech.")
    return notes


def _legend(found: Analysis) -> str:
    parts = []
    if found.user_audio_seconds and any(item.side == "user" and item.end > item.start for item in found.items):
        parts.append("Shaded above: speech as the server heard it.")
    if any(cut.stopped for cut in found.interruptions):
        parts.append("Grey below: audio that was not heard, after an interruption.")
    if found.gaps:
        parts.append("Orange: silence, because audio came too late.")
    if found.user_audio_seconds and found.model_audio_seconds:
        parts.append("Each lane has its own scale.")
    return " ".join(parts)


def laid_out(
    found: Analysis,
    waves: Waveform,
    name: str,
    *,
    width: int | None = None,
    window: tuple[float, float] | None = None,
    head: bool = True,
) -> Scene:
    """Lays out an analysis and its waveforms.

    name: of the recording. width: in pixels; None: by the length. window: the visible part of the axis; None: all.
    head: whether to put name, facts and notes above; the HTML page has them as text.
    """
    origin, end = window or (found.origin, found.end)
    end = max(end, origin + 0.5)
    if width is None:
        width = int(min(max(NARROWEST, GUTTER + RIGHT + (end - origin) * PIXELS_A_SECOND), WIDEST))
    axis = _Axis(origin, end, GUTTER, width - RIGHT)
    shapes: list[Rect | Line | Polygon | Text] = []
    y = _header(shapes, found, name, width) if head else 6.0
    top = y + 18
    waits = found.latency is not None
    user, wait, model = top, top + LANE + 4, top + LANE + (4 + 2 * 18 + 4 if waits else 8)
    bottom = model + LANE
    _ticks(shapes, axis, y + 10, user, bottom)
    _lanes(shapes, axis, found, waves, user, model)
    if waits:
        _waits(shapes, axis, found, wait)
    y, missing = _events(shapes, axis, found, user, bottom)
    for side in ("user", "model"):
        y, more = _words(shapes, axis, found, side, y)
        missing += more
    for line in wrapped(_legend(found), "small", width - GUTTER - RIGHT, 3):
        y += 16
        shapes.append(Text(GUTTER, y, line, "dim"))
    if missing:
        y += 18
        labels = "1 label has" if missing == 1 else f"{missing:,} labels have"
        shapes.append(Text(GUTTER, y, f"{labels} no room here: a page (.html) lists all turns.", "dim"))
    y += 14
    paper = Rect(0, 0, width, y, "paper")
    return Scene(width, y, axis.left, axis.right, user, bottom, clean(name), [paper, *shapes])


def _header(shapes: list[Rect | Line | Polygon | Text], found: Analysis, name: str, width: int) -> float:
    room = width - 16 - RIGHT
    shapes.append(Text(16, 28, fitted(clean(name), "title", room), "ink", "title"))
    parts = [f"{clock(found.seconds, 0.1)} long", f"{found.frames:,} frames", found.shape]
    if found.started is not None:
        parts.insert(0, found.started.isoformat(sep=" ", timespec="seconds"))
    if found.model:
        parts.append(found.model)
    shapes.append(Text(16, 48, fitted(clean(" · ".join(parts)), "small", room), "dim"))
    x = 16.0
    for text, style in facts_of(found):
        wide = width_of(text, "strong")
        if x + wide > width - RIGHT:
            break
        shapes.append(Text(x, 70, text, style, "strong"))
        x += wide + 16
    y = 78.0
    for note in notes_of(found):
        y += 16
        shapes.append(Text(16, y, fitted(note, "small", room), "warn"))
    return y + 8


def _ticks(shapes: list[Rect | Line | Polygon | Text], axis: _Axis, y: float, top: float, bottom: float) -> None:
    a_second = (axis.right - axis.left) / (axis.end - axis.origin)
    step = next((step for step in STEPS if step * a_second >= 74), STEPS[-1])
    while (axis.end - axis.origin) / step > 400:
        step *= 2
    for lane in (top, bottom - LANE):
        shapes.append(Rect(axis.left, lane, axis.right - axis.left, LANE, "lane"))
    number = -int(-axis.origin // step)
    while number * step <= axis.end + 1e-9:
        x = axis.x(number * step)
        shapes.append(Line(x, top, x, bottom, "grid"))
        text = clock(number * step, step)
        half = width_of(text, "small") / 2
        if x - half < axis.left - 12:
            shapes.append(Text(x, y, text, "dim"))
        elif x + half <= axis.right + RIGHT:
            shapes.append(Text(x, y, text, "dim", anchor="middle"))
        number += 1


def _lanes(
    shapes: list[Rect | Line | Polygon | Text], axis: _Axis, found: Analysis, waves: Waveform, user: float, model: float
) -> None:
    for label, style, y in (("User", "blue", user), ("Model", "green", model)):
        shapes.append(Text(12, y + LANE / 2 + 4, label, style, "label"))
    starts = sorted(item.start for item in found.items if item.side == "model" and item.spoken)
    for item in found.items:
        if item.side == "user" and item.spoken and item.end > item.start and axis.holds(item.start, item.end):
            left, right = axis.x(item.start), axis.x(item.end)
            title = f"user, turn {item.turn}: {clock(item.start, 0.1)} to {clock(item.end, 0.1)}"
            shapes.append(Rect(left, user, max(right - left, 1.5), LANE, "speech", title))
            shapes.extend(Line(x, user, x, user + LANE, "speech-edge") for x in (left, right))
        elif item.side == "model" and item.heard_end is not None and axis.holds(item.heard_end, item.end):
            # What comes after the interruption stands over what it cut off.
            number = bisect_right(starts, item.heard_end)
            after = starts[number] if number < len(starts) else item.end
            left, right = axis.x(item.heard_end), axis.x(min(item.end, after))
            title = f"not heard: {_length(max(0.0, item.end - item.heard_end))}"
            shapes.append(Rect(left, model, max(right - left, 0.0), LANE, "cut", title))
    for y, lanes in ((user, ("user",)), (model, ("unheard", "model"))):
        shapes.append(Line(axis.left, y + LANE / 2, axis.right, y + LANE / 2, "middle"))
        peak = max(2000, *(max(-int(waves.low[lane].min()), int(waves.high[lane].max())) for lane in lanes))
        for lane in lanes:
            shapes.extend(_wave(axis, waves, lane, y + LANE / 2, (LANE / 2 - 3) / peak))
    for gap in found.gaps:
        if axis.holds(gap.at.place, gap.at.place + gap.seconds):
            left, right = axis.x(gap.at.place), axis.x(gap.at.place + gap.seconds)
            title = f"gap of {_length(gap.seconds)}: the model's audio came too late"
            shapes.append(Rect(left, model + LANE - 7, max(right - left, 2), 7, "gap", title))


def _wave(axis: _Axis, waves: Waveform, lane: str, middle: float, scale: float) -> Iterable[Polygon]:
    count = int(axis.right - axis.left)
    low, high = waves.columns(lane, axis.origin, axis.end, count)
    step = (axis.right - axis.left) / count
    column = 0
    while column < count:
        if low[column] > high[column]:
            column += 1
            continue
        first = column
        while column < count and low[column] <= high[column]:
            column += 1
        upper, lower = [], []
        for place in range(first, column):
            left = axis.left + place * step
            upper.append((left, middle - max(int(high[place]) * scale, 0.6)))
            lower.append((left, middle - min(int(low[place]) * scale, -0.6)))
        if column == first + 1:
            upper.append((upper[0][0] + step, upper[0][1]))
            lower.append((lower[0][0] + step, lower[0][1]))
        yield Polygon((*upper, *reversed(lower)), lane)


def _waits(shapes: list[Rect | Line | Polygon | Text], axis: _Axis, found: Analysis, y: float) -> None:
    """Draws the wait for the first audio of each turn between the lanes."""
    shapes.append(Text(12, y + 22, "Wait", "warn", "label"))
    shelves = _Shelves(2)
    for turn in found.turns:
        begin = turn.speech_stopped or turn.committed or turn.asked or turn.response_created
        if turn.first_audio is None or turn.latency is None or begin is None:
            continue
        if not axis.holds(begin.place, turn.first_audio.place):
            continue
        left, right = axis.x(begin.place), axis.x(turn.first_audio.place)
        text = _length(turn.latency)
        wide = max(right - left, 2) + 6 + width_of(text, "strong")
        at_end = left + wide > axis.right  # no room behind the bar: the label stands before it
        row = shelves.place(left - (wide if at_end else 0), wide)
        if row is None:
            continue
        middle = y + 9 + row * 18
        title = f"turn {turn.number}: {text} from {(turn.latency_from or '').replace('_', ' ')} to the first audio"
        shapes.append(Rect(left, middle - 4, max(right - left, 2), 8, "wait", title))
        shapes.append(Text(left - 6 if at_end else max(right, left + 2) + 6, middle + 5, text, "warn", "strong",
                           "end" if at_end else "start", title))  # fmt: skip


def _events(
    shapes: list[Rect | Line | Polygon | Text], axis: _Axis, found: Analysis, top: float, bottom: float
) -> tuple[float, int]:
    """Draws interruptions, tools, and errors with bad frames below the lanes, each kind on its own shelves."""
    cuts = [
        _Event(cut.at.place, _cut_words(cut), "red" if cut.stopped else "dim", "dot" if cut.stopped else "unheard", "red-line")
        for cut in found.interruptions
    ]
    tools = []
    for call in found.tools:
        took = f" {_length(call.seconds)}" if call.seconds is not None else "" if call.answered else " (no answer)"
        name = clean(call.name or "without a name")
        name += "" if name.isascii() else LEFT_TO_RIGHT
        words = f"tool {name}{' failed' if call.failed else ''}{took}"
        tools.append(_Event(call.asked.place, words, "violet", "tool-bar", "tool-line"))
        if call.answered is not None and call.seconds and axis.holds(call.asked.place, call.answered.place):
            left, right = axis.x(call.asked.place), axis.x(call.answered.place)
            shapes.append(Rect(left, bottom + 1, max(right - left, 1.5), 4, "tool-bar", words))
    faults = [
        _Event(one.at.place, clean(f"error: {one.message or one.code or one.type or one.source}"), "red", "dot", "")
        for one in found.errors
    ]
    faults += [
        _Event(bad.place, clean(f"bad frame, line {bad.line}: {bad.reason}"), "red", "dot", "") for bad in found.bad_frames
    ]
    first = y = bottom + 8
    missing = 0
    for events in (cuts, tools, faults):
        shelves = _Shelves(EVENT_SHELVES)
        for event in sorted((event for event in events if axis.holds(event.place)), key=lambda event: event.place):
            missing += not _event(shapes, axis, event, shelves, y, top, bottom)
        y += shelves.used * EVENT_HEIGHT
    if y > first:
        shapes.append(Text(12, first + 11, "Events", "dim", "label"))
    return y + 4, missing


class _Event(NamedTuple):
    place: float
    words: str
    ink: str
    mark: str
    line: str  # through the lanes; "" for none


def _event(
    shapes: list[Rect | Line | Polygon | Text], axis: _Axis, event: _Event, shelves: _Shelves, y: float, top: float, bottom: float
) -> bool:
    """Draws a mark with its label, if a shelf has room."""
    x = axis.x(event.place)
    label = fitted(event.words, "small", 300)
    wide = 12 + width_of(label, "small")
    behind = x + wide <= axis.right + RIGHT  # else the words stand before their mark
    row = shelves.place(x - 4 if behind else max(axis.left, x - wide), wide)
    if row is None:
        return False
    y += row * EVENT_HEIGHT
    if event.line:  # not through the waits, whose words it would strike out
        shapes.append(Line(x, top, x, top + LANE, event.line, event.words))
        shapes.append(Line(x, bottom - LANE, x, bottom, event.line, event.words))
    shapes.append(Rect(x - 3.5, y + 3, 7, 7, event.mark, event.words))
    anchor = "start" if behind else "end"
    shapes.append(Text(x + 9 if behind else x - 9, y + 11, label, event.ink, anchor=anchor, title=event.words))
    return True


def _cut_words(cut: Interruption) -> str:
    if not cut.stopped:
        return "spoken beside the model"
    about = "" if cut.heard_from == "truncate" else "at most "
    return f"interrupted: heard {about}{(cut.heard_ms or 0) / 1000:.2f} of {cut.received_ms / 1000:.2f} s"


def _words(shapes: list[Rect | Line | Polygon | Text], axis: _Axis, found: Analysis, side: str, y: float) -> tuple[float, int]:
    """Draws the words of one side, each item below its audio."""
    items = sorted(
        (item for item in found.items if item.side == side and item.text and axis.holds(item.start, item.end)),
        key=lambda item: item.start,
    )
    if not items:
        return y, 0
    shelves = _Shelves(WORD_SHELVES)
    style = "blue" if side == "user" else "green"
    missing = 0
    first = y + 6
    placed: list[tuple[Item, float, int, list[str]]] = []
    for number, item in enumerate(items):
        x = axis.x(item.start)
        after = axis.x(items[number + 1].start) if number + 1 < len(items) else axis.right
        room = min(max(after - x - 16, WORD_WIDTH[0]), WORD_WIDTH[1])
        lines = wrapped(clean(item.text), "small", room, WORD_LINES)
        wide = max(width_of(line, "small") for line in lines) + 8
        left = max(axis.left, min(x, axis.right - wide))
        row = shelves.place(left, wide)
        if row is None:
            missing += 1
            continue
        placed.append((item, left, row, lines))
    tall = [max((len(lines) for _, _, row, lines in placed if row == shelf), default=0) for shelf in range(shelves.used)]
    tops = [first + sum(tall[:shelf]) * WORD_LINE + shelf * 8 for shelf in range(shelves.used)]
    shapes.append(Text(12, first + 12, "Said", style, "label"))
    for item, left, row, lines in placed:
        top = tops[row]
        shapes.append(Rect(left, top + 2, 2.5, len(lines) * WORD_LINE - 2, side))
        title = clean(item.text)[:1000]
        for number, line in enumerate(lines):
            shapes.append(Text(left + 8, top + 12 + number * WORD_LINE, line, "ink", title=title))
    return first + sum(tall) * WORD_LINE + max(0, shelves.used - 1) * 8 + 8, missing
