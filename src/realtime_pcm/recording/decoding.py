"""From the frames of a recording to its entries: whose a frame is, what its log left out, and whether two calls mix."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Literal

from .._core import (
    CarriesAudio,
    Decoder,
    RealtimeMessage,
    Session,
    UnknownClientMessage,
    UnknownMessage,
    decode,
    role_of,
    roles_at,
)
from ..conversation.rules import text_id
from ..errors import DecodeError
from ..roles import OF_CALLS
from .calls import Sessions
from .entry import Entry, new_entry
from .left_out import is_marked, lacks_payload, place_of, without_payload
from .shapes.frames import REALTIME, Direction, KnownFrames, loads
from .spelling import in_snake_case

__all__ = ["PLAIN", "Frames"]

PLAIN, UNKNOWN, AUDIO, OF_CALL = range(1, 5)  # what is to be done about messages of a class


class Frames:
    """Makes the entries of frames. own: whether we wrote the recording, so that its directions count, and nothing is left out.

    known: which values are frames. by_fit: whether a class that fits it says who sent a frame, since nothing beside it does.
    session: what both sides share. left_out: whether the log left out its audio, or cut it. camel: whether keys
    of frames are in camelCase. refused: entries with an error, so
    far. audio_left_out: audio messages whose audio the log does not have, so far. changed: frames that were found in a line
    which has another shape than the first ones; changed_from: the first of these lines.
    """

    def __init__(self, dtype: Any, audio_format: Any, known: KnownFrames = REALTIME) -> None:
        self.session = Session()
        self.own = self.left_out = self.camel = self.by_fit = False
        self._known = known
        self.refused = self.audio_left_out = 0
        self.changed = self.changed_from = 0
        self._catalogue: dict[str, Any] = {} if known.catalogue is None else {"catalogue": known.catalogue}
        options: dict[str, Any] = {"dtype": dtype, "audio_format": audio_format, "session": self.session, **self._catalogue}
        self.decode: dict[Direction, Any] = {
            "received": Decoder(**options).decode,
            "sent": Decoder(side="client", **options).decode,
        }
        self.kinds: dict[type, int] = {}  # of classes
        self._sessions = Sessions()

    def kind_of(self, cls: type[RealtimeMessage]) -> int:
        """How to handle the messages of a class; cached in `kinds`."""
        if issubclass(cls, (UnknownMessage, UnknownClientMessage)):
            kind = PLAIN if self.own else UNKNOWN
        elif issubclass(cls, CarriesAudio):
            kind = PLAIN if self.own else AUDIO
        else:
            kind = OF_CALL if role_of(cls) in OF_CALLS else PLAIN
        self.kinds[cls] = kind
        return kind

    def entry(self, line: int, frame: bytes | str, time: float | None, way: Direction) -> Entry:
        """The entry of a frame."""
        if self.camel:
            frame = in_snake_case(frame)
        if self.left_out:
            frame = self._emptied(frame)
        if self.by_fit:
            way = self._fitting(frame, way)
        try:
            message = self.decode[way](frame)
        except DecodeError as error:
            return self.of_refused(line, frame, error, time, way)
        if self.left_out and isinstance(message, CarriesAudio):  # it is counted
            return Entry(line, time, way, message, None)
        kind = self.kinds.get(type(message)) or self.kind_of(type(message))
        if kind == PLAIN:
            return new_entry((line, time, way, message, None))
        return self.of_message(kind, line, frame, message, time, way)

    def of_message(self, kind: int, line: int, frame: bytes | str, message: Any, time: float | None, way: Direction) -> Entry:
        """The entry of a message of any kind but PLAIN."""
        if kind == UNKNOWN:
            return self._of_other_side(line, frame, message, time, way)
        if kind == OF_CALL:
            self._sessions.take(role_of(type(message)), message)
        elif not len(message.pcm):
            return self._silent(line, frame, message, time, way)
        elif self._catalogue and role_of(type(message)) == "input_audio":
            self._sessions.stream(text_id(getattr(message, "response_id", None)))
        return new_entry((line, time, way, message, None))

    def tell(self, role: str, id_: str | None) -> None:
        """Follows a message that somebody else decoded. Raises RecordingError if two calls mix."""
        self._sessions.told(role, id_)

    def refuse(self, line: int, error: DecodeError, time: float | None = None, way: Direction | None = None) -> Entry:
        """The entry of a line that could not be read."""
        self.refused += 1
        return Entry(line, time, way or "received", None, error)

    def of_refused(self, line: int, frame: bytes | str, error: DecodeError, time: float | None, way: Direction) -> Entry:
        """The entry of a refused frame, without its audio if the log replaced that."""
        emptied = without_payload(frame, place_of(error)) if error.field and not self.own and is_marked(frame, error) else None
        if emptied is not None:
            with suppress(DecodeError):
                message = self.decode[way](emptied)
                self.audio_left_out += 1
                return Entry(line, time, way, message, None)
        return self.refuse(line, error, time, way)

    def of_other_shape(self, line: int, frame: bytes | str, time: float | None, way: Direction) -> Entry:
        """The entry of a frame in a line that has not the shape of the first ones."""
        self.changed_from = self.changed_from or line
        self.changed += 1
        return self.entry(line, frame, time, way)

    def _of_other_side(
        self, line: int, frame: bytes | str, message: RealtimeMessage, time: float | None, way: Direction
    ) -> Entry:
        """A message that this side does not know.

        If the other side knows it, the file has no directions, or was written by the other end of the connection.
        """
        unknown = UnknownClientMessage if way == "received" else UnknownMessage
        side = "client" if way == "received" else "server"
        other: Direction = "sent" if way == "received" else "received"
        try:
            # As bytes: only the session, which decode() does not know, says whether the format of audio is one of ours.
            other_message = decode(frame, side=side, dtype="uint8", **self._catalogue)  # type: ignore[call-overload]
            if isinstance(other_message, unknown):
                self._is_elsewhere(line, frame)
                return Entry(line, time, way, message, None)
            message = self.decode[other](frame)
        except DecodeError as error:
            return self.of_refused(line, frame, error, time, other)
        kind = PLAIN if self.left_out else self.kind_of(type(message))
        if kind in (AUDIO, OF_CALL):
            return self.of_message(kind, line, frame, message, time, other)
        return Entry(line, time, other, message, None)

    def _fitting(self, frame: bytes | str, way: Direction) -> Direction:
        """Who sent a frame, as its class says: where both sides have one, the one that fits it better."""
        try:
            sides = self._known.sides_of(loads(frame))
        except ValueError:
            return way
        return sides[0] if len(sides) == 1 else way

    def _is_elsewhere(self, line: int, frame: bytes | str) -> None:
        """Raises RecordingError if a frame that matches no class is one of another socket."""
        if self._known.elsewhere:
            try:
                value = loads(frame)
            except ValueError:
                return
            self._known.refuse_others(line, value)

    def _silent(self, line: int, frame: bytes | str, message: Any, time: float | None, way: Direction) -> Entry:
        """The entry of an audio message without audio. Its type may only be repeated beside the frame that holds it."""
        if roles_at(type(message)):  # it may mean something else
            return new_entry((line, time, way, message, None))
        lacks = lacks_payload(frame, type(message)._layout.payload_places)
        if lacks == "absent":
            text = frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass")
            found, _ = self._known.found_in_line(line, text, ())
            if found.frame is not None and found.frame != frame:
                return self.of_other_shape(line, found.frame, time, way)
        self.audio_left_out += lacks is not None
        return Entry(line, time, way, message, None)

    def _emptied(self, frame: bytes | str) -> bytes | str:
        """The frame without its payload, if that was left out or cut."""
        sides: tuple[Literal["server", "client"], ...] = ("server", "client")
        for side in sides:
            try:
                message = decode(frame, side=side, **self._catalogue)
            except DecodeError as error:
                emptied: bytes | str | None = without_payload(frame, place_of(error)) if error.field else None
            else:
                if not isinstance(message, CarriesAudio) or roles_at(type(message)):
                    continue
                emptied = without_payload(frame) or (None if len(message.pcm) else frame)
            self.audio_left_out += emptied is not None
            return frame if emptied is None else emptied
        return frame
