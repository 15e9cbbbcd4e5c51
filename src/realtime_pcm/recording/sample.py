"""Facts from the first frames of a recording: times, directions, calls, order, and whether the audio was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from .._core import CarriesAudio, Decoder, Session, UnknownMessage, decode, role_of, roles_at
from ..errors import DecodeError
from .calls import Sessions, find_call
from .left_out import audio_is_left_out
from .shapes import Found
from .shapes.frames import REALTIME, Direction, KnownFrames, loads
from .spelling import in_snake_case, is_camel_case
from .times import Clock, Evidence, find_time, looks_like_time
from .turned import is_reversed
from .ways import find_ways

__all__ = ["MOST_FRAMES", "Sample"]

MOST_FRAMES = 200
FEW = 10  # times that may all be whole seconds by chance
IN_FRAME = 0.9  # of the frames: a member inside frames is a time if so many have it, for some servers send times of their own


class Sample:
    """The first frames.

    time: the name of the time beside them, and its clock; None without one. ways: what says who sent a frame. call: the member
    with the id of the call. reversed: whether the newest comes first. left_out: whether the audio was. camel: whether the
    frames have keys in camelCase. known: how many have a
    type that a catalogue knows. untimed: a member that has the name of a time, and was not taken for one.
    """

    def __init__(self, found: Iterable[Found], *, plain: bool = False, known: KnownFrames = REALTIME) -> None:
        self.found = list(islice((one for one in found if one.frame is not None), MOST_FRAMES))
        self._known = known
        self.lines: set[int] = set()  # of frames that match a class
        self.spoken_lines: set[int] = set()  # of these, frames that hardly another protocol has
        self.misfit = (0, 0)  # of frames of other sockets: members that no class declares, and fields that are not there
        self.camel = known is REALTIME and is_camel_case(one.frame or b"" for one in self.found)
        if self.camel:
            self.found = [one._replace(frame=in_snake_case(one.frame or b"")) for one in self.found]
        self._messages: list[Any] = []
        self._evidence: list[Evidence] = []
        self._ids: list[str | None] = []
        self._types: set[str] = set()  # those that are known
        self._sides: list[tuple[Direction, ...]] = []
        self._spoken: list[tuple[Any, float]] = []
        self._refused: list[DecodeError] = []
        session = Session()
        self._catalogue: dict[str, Any] = {} if known.catalogue is None else {"catalogue": known.catalogue}
        self._server = Decoder(session=session, **self._catalogue)
        self._client = Decoder(side="client", session=session, **self._catalogue)
        for one in self.found:
            self._take(one.frame or b"", one.line)
        self.known = sum(map(bool, self._sides))
        beside: list[Mapping[str, object]] = [one.beside for one in self.found]
        if plain:
            counts = Counter(name for scalars in beside for name in scalars)
            names = {name for name, count in counts.items() if count >= IN_FRAME * len(beside)}
            beside = [{name: scalar for name, scalar in scalars.items() if name in names} for scalars in beside]
        self.time = find_time(beside, self._evidence)
        self.ways = find_ways(beside, self._sides, known.is_type)
        taken = {self.ways.name, self.time[0] if self.time else None}
        self.call = find_call(beside, self._ids, taken)
        self.beside = beside
        self.left_out = audio_is_left_out(
            [message for message, _ in self._spoken], self._refused, [seconds for _, seconds in self._spoken]
        )
        times = self._times()
        self.reversed = is_reversed(times, self._messages)
        self.whole_seconds = len(times) >= FEW and all(time is not None and time == int(time) for time in times)
        first = beside[0] if beside and self.time is None else {}
        self.untimed = next((name for name, value in first.items() if value is not None and looks_like_time(name)), None)

    def _take(self, frame: bytes | str, line: int) -> None:
        message: Any = None
        side: Direction = "received"
        sides: tuple[Direction, ...] | None = None
        if self._known.catalogue is not None:
            sides = self._fit(frame, line)
            side = sides[0] if sides else "received"
        try:
            message = (self._server if side == "received" else self._client).decode(frame)
            if sides is None and isinstance(message, UnknownMessage):
                message = self._client.decode(frame)
                side = "sent"
        except DecodeError as error:
            if error.field is not None and not self._is_whole(frame, side):
                self._refused.append(error)
            self._told(error.message_type, sides)
            self._evidence.append(Evidence(0.0, False))
            self._ids.append(None)
            return
        self._told(message.type, sides)
        seconds = 0.0
        if isinstance(message, CarriesAudio) and (len(message.pcm) or not roles_at(type(message))):
            audio = message.audio_format
            seconds = len(message.pcm) / audio.channels / audio.rate
            self._spoken.append((message, seconds))
        self._evidence.append(Evidence(seconds, side == "sent"))
        ids = [getattr(message, "response_id", None), getattr(getattr(message, "response", None), "id", None)]
        self._ids.append(next((one for one in ids if isinstance(one, str)), None))
        self._messages.append(message)

    def _fit(self, frame: bytes | str, line: int) -> tuple[Direction, ...]:
        """The sides of a frame of another socket."""
        try:
            value = loads(frame)
        except ValueError:
            return ()
        sides = self._known.sides_of(value)
        if sides:
            self.lines.add(line)
            more, less = self._known.misfit_of(value, sides[0])
            self.misfit = self.misfit[0] + more, self.misfit[1] + less
        if self._known.speaks(value):
            self.spoken_lines.add(line)
        return sides

    def _told(self, type_: str | None, sides: tuple[Direction, ...] | None) -> None:
        sides = self._known.sides_of_type(type_) if sides is None else sides
        self._sides.append(sides)
        if sides and type_ is not None:
            self._types.add(type_)

    @property
    def speaks(self) -> bool:
        """Whether there is a frame that hardly another protocol has: the types of Realtime have a dot in them."""
        return bool(self.spoken_lines) if self._known.catalogue is not None else any("." in type_ for type_ in self._types)

    def watch_sessions(self) -> None:
        """Raises RecordingError if frames of two sessions come in turn."""
        watch = Sessions()
        for message in self._messages if not self.reversed else ():
            watch.take(role_of(type(message)), message)

    def _times(self) -> list[float | None]:
        if self.time is None:
            return []
        name, clock = self.time[0], Clock(self.time[1].scale)
        return [clock.seconds(scalars.get(name)) for scalars in self.beside]

    def _is_whole(self, frame: bytes | str, side: Direction) -> bool:
        """Whether the payload of a frame is base64, in a format that cannot be decoded, say."""
        options = {"side": "client" if side == "sent" else "server", **self._catalogue}
        try:
            decode(frame, dtype="uint8", **options)
        except DecodeError:
            return False
        return True
