"""Where the audio of both sides stands on one axis.

With times, audio of the user stands where it was spoken, just before it was sent, and audio of the model where a listener hears
it who plays each piece as it comes. Without times each side is laid end to end by the number of its samples: the model's answer
begins where the user's audio ends that had been sent by then.
"""

from __future__ import annotations

from collections import deque

__all__ = ["SHORTEST_GAP", "Placer"]

SHORTEST_GAP = 0.02  # seconds: shorter pauses between two pieces nobody hears
JITTER = 0.3  # seconds that a piece of the user's audio may be late and still follow the one before it
MOST_JUMPS = 1000


class Placer:
    """Gives each piece of audio, and each line, its place on the axis."""

    def __init__(self) -> None:
        self.now: float | None = None  # the time of the line; None as long as no line has one
        self.user_end = 0.0
        self.model_end = 0.0
        self._user_seconds = 0.0  # of all audio that the user sent
        self._jumps: deque[tuple[float, float]] = deque(maxlen=MOST_JUMPS)  # (seconds of user audio, where they stand)
        self._clock = 0.0
        self._overlapping = False  # the user's audio went on while the model's last response came
        self._answered = False

    def begin(self, time: float) -> None:
        """The first time of the recording: the axis begins there."""
        self.user_end = self.model_end = time

    @property
    def place(self) -> float:
        """Where a line stands that is no audio."""
        if self.now is not None:
            return self.now
        return self._clock if self._jumps else max(self._clock, self.model_end)

    def user(self, seconds: float) -> float:
        """The place of the next piece of the user's audio."""
        if self.now is not None:
            spoken = self.now - seconds
            start = spoken if spoken > self.user_end + JITTER else self.user_end
        else:
            start = self.user_end
            if self._answered and not self._overlapping:
                start = max(start, self.model_end)
            self._answered = False
            self._overlapping = True
        if not self._jumps or start != self.user_end:
            self._jumps.append((self._user_seconds, start))
        self._user_seconds += seconds
        self.user_end = start + seconds
        self._clock = max(self._clock, self.user_end)
        return start

    def model(self, end: float | None, seconds: float) -> tuple[float, float]:
        """The place of the next piece of an item of the model, and the silence before it, which a listener hears.

        end: where the item's last piece ended; None for the first piece, which waits until the item before it is over.
        """
        if self.now is None:
            start = max(self._clock, self.model_end) if end is None else end
            gap = 0.0
        elif end is None:
            start, gap = max(self.now, self.model_end), 0.0
        else:
            late = self.now - end
            start, gap = (self.now, late) if late > SHORTEST_GAP else (end, 0.0)
        self.model_end = max(self.model_end, start + seconds)
        return start, gap

    def response_began(self) -> None:
        """A response begins. Whether the user's audio goes on beside it is not known yet."""
        self._overlapping = False

    def response_ended(self) -> None:
        """A response has come whole. Where the user's audio does not go on beside it, the conversation goes on behind it."""
        self._answered = True
        if not self._overlapping:
            self._clock = max(self._clock, self.model_end)

    def stopped(self, end: float) -> None:
        """The model is silent from this place on."""
        self.model_end = end

    def spoken_at(self, milliseconds: float) -> float:
        """The place of a millisecond of the user's audio as the server counts it; the line's own place where it is not known."""
        seconds = milliseconds / 1000
        if not self._jumps:
            if self.now is None:
                self._clock = max(self._clock, seconds)
                return seconds
            return self.now
        place = None
        for before, start in reversed(self._jumps):
            if before <= seconds:
                place = start + seconds - before
                break
        if place is None or place > self.user_end + JITTER:
            return self.place
        return place
