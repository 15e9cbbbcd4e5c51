"""Clock: when messages came, whatever faults their times have."""

from __future__ import annotations

import math

LONGEST_PAUSE = 3600.0  # seconds between two frames; a longer pause is taken for a fault of the clock
LONGEST_STEP_BACK = 1.0  # seconds, likewise


class Clock:
    """The times of messages, made to go forward only, so that no fault of a clock makes a wait of a year.

    now: seconds; None as long as no message has a time. back: messages with a time before that of an earlier one. faults:
    messages whose time goes back by more than a second, or forward by more than an hour. A faulty message gets the time of the
    one before it. If the next message fits only the faulty one's clock, later times are shifted so that the pause between the
    two clocks is left out.

    Args:
        begin: the time at which it begins, 0 for a recording; None for that of the first message.
    """

    __slots__ = ("_begin", "_other", "_shift", "back", "faults", "is_true", "now")

    def __init__(self, begin: float | None = 0.0) -> None:
        self._begin = begin
        self.is_true = True  # there was no fault yet
        self.now: float | None = None
        self.back = self.faults = 0
        self._shift = 0.0
        self._other: float | None = None  # the shift that the last faulty message would need

    def tell(self, time: float | None) -> None:
        """Takes the time of the next message."""
        if time is None or not math.isfinite(time):
            return
        now = self.now
        if now is None:
            now = time if self._begin is None else self._begin
        moment = time + self._shift
        if self.now is not None and moment < now:
            self.back += 1
        if not _follows(moment, now):
            if self._other is None or not _follows(time + self._other, now):
                self.faults += 1
                self.is_true = False
                self._other = now - time
                self.now = now
                return
            self._shift = self._other
            moment = time + self._shift
        self._other = None
        self.now = max(now, moment)


def _follows(moment: float, now: float) -> bool:
    return -LONGEST_STEP_BACK <= moment - now <= LONGEST_PAUSE
