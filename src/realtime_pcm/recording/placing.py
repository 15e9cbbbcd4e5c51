"""Places the audio of both sides on one time axis.

With times, the user's audio is placed where it was spoken, just before it was sent. The model's is placed where a listener who
plays each chunk on arrival would hear it: after whatever is still playing. Without times, each side is laid end to end by its
number of samples. The model's answer then begins where the user's audio so far ends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from ..conversation.clock import Clock

__all__ = ["SHORTEST_GAP", "Placer"]

SHORTEST_GAP = 0.02  # seconds: shorter pauses between two pieces nobody hears
JITTER = 0.3  # seconds that a piece of the user's audio may be late and still follow the one before it
MOST_JUMPS = 10_000


class Placer:
    """Gives each piece of audio, and each line, its place on the axis."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.user_end = 0.0
        self.model_end = 0.0
        self._user_seconds = 0.0  # of all audio that the user appended
        self._appended_end: float | None = None  # the place of its end
        self._jumps: list[float] = []  # seconds of user audio before each piece that does not follow the one before it
        self._jumped_to: list[float] = []  # where these pieces stand
        self._clock = 0.0
        self._overlapping = False  # the user's audio went on while the model's last response came
        self._answered = self._committed = False

    @property
    def now(self) -> float | None:
        """The time of the line; None as long as no line has one."""
        return self.clock.now

    @property
    def place(self) -> float:
        """The place of a line without audio."""
        if self.now is not None:
            return self.now
        return self._clock if self._jumps else max(self._clock, self.model_end)

    def user(self, seconds: float) -> float:
        """The place of the next piece that the user appends."""
        if self.now is not None:
            spoken = self.now - seconds
            late = 0.0 if self._appended_end is None else JITTER
            start = spoken if spoken > self.user_end + late else self.user_end
        else:
            start = self.user_end
            if self._committed or (self._answered and not self._overlapping):
                start = max(start, self.model_end)
            self._answered = self._committed = False
            self._overlapping = True
        if start != self._appended_end:
            if len(self._jumps) >= 2 * MOST_JUMPS:
                del self._jumps[:MOST_JUMPS], self._jumped_to[:MOST_JUMPS]
            self._jumps.append(self._user_seconds)
            self._jumped_to.append(start)
        self._user_seconds += seconds
        self.user_end = self._appended_end = start + seconds
        self._clock = max(self._clock, self.user_end)
        return start

    def made(self, seconds: float) -> float:
        """The place of audio that the user sends within an item: it was not spoken then, so it begins there."""
        start = max(self.user_end, self.place)
        self.user_end = start + seconds
        if self.now is None:
            self._clock = max(self._clock, self.user_end)
        return start

    def model(self, seconds: float, begins: bool) -> tuple[float, float]:
        """The place of the next piece of the model, and the silence before it, which a listener hears.

        begins: whether it is the first piece of its item, before which silence is no fault.
        """
        start, silence = self.model_end, 0.0
        if self.now is None:
            if begins:
                start = max(self._clock, start)
        elif begins:
            start = max(self.now, start)
        elif self.now - start > SHORTEST_GAP:
            start, silence = self.now, self.now - start
        self.model_end = start + seconds
        return start, silence

    def committed(self) -> None:
        """Notes a commit of the client: the user's next speech comes after the answer."""
        self._committed = True

    def response_began(self) -> None:
        """Notes the begin of a response. It is not known yet whether the user's audio continues next to it."""
        self._overlapping = False

    def response_ended(self) -> None:
        """Notes the end of a response. If the user's audio does not continue next to it, the conversation continues after it."""
        self._answered = True
        if not self._overlapping:
            self._clock = max(self._clock, self.model_end)

    def stopped(self, end: float) -> None:
        """The model is silent from this place on."""
        self.model_end = end

    def place_of_user(self, seconds: float, end: bool = False) -> float | None:
        """The place of a second of the audio that the user appended; None where there is none.

        end: what ends there is meant, so a pause after it does not count.
        """
        if not self._jumps:
            return None
        number = (bisect_left if end else bisect_right)(self._jumps, seconds) - 1
        return self._jumped_to[0] if number < 0 else self._jumped_to[number] + seconds - self._jumps[number]

    def spoken_at(self, milliseconds: float) -> float:
        """The place of a time in the user's audio as the server counts it, in milliseconds; the line's place if unknown."""
        seconds = milliseconds / 1000
        place = self.place_of_user(seconds)
        if place is None:
            if self.now is not None:
                return self.now
            self._clock = max(self._clock, seconds)
            return seconds
        return self.place if place > self.user_end + JITTER else place
