"""Finds the frame in a JSON value, whatever wrappers are around it."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ... import json_values
from ..._core import RealtimeMessage, UnknownClientMessage, UnknownMessage, decode, wire_class
from ...errors import DecodeError
from ..files import RecordingError
from .found import Found, Scalar, passed_over

if TYPE_CHECKING:
    from ...sockets import Catalogue

__all__ = [
    "FRAME_KEYS",
    "REALTIME",
    "Direction",
    "KnownFrames",
    "Path",
    "beside",
    "loads",
    "opened",
    "path_of_any",
    "says_something",
    "start_of",
]

Direction = Literal["received", "sent"]
Path = tuple[str | int, ...]
_SIDES: tuple[tuple[Literal["server", "client"], Direction], ...] = (("server", "received"), ("client", "sent"))

# Names of members that hold frames, by how often people choose them. Any other name will do; these are looked at first.
FRAME_KEYS = ("event", "data", "message", "frame", "payload", "msg")
DEEPEST = 8  # levels that a frame may lie down, each of which may be a string of JSON
MOST_MEMBERS = 64  # of an object, in which a frame is looked for
MOST_ENTRIES = 8  # of a list, likewise; a longer one is a document
MOST_BESIDE = 32
_IDS = ("event_id", "item_id", "previous_item_id", "response_id", "call_id")  # of frames, which say nothing of their log
LONGEST_SCALAR = 200
MOST_VALUES = 1_000_000  # of one line: more than a frame has, and what a parser makes of them fits into memory
FEW_BYTES = 1 << 20  # a line of which nobody counts the values


def loads(text: bytes | str) -> Any:
    """The JSON value of a text.

    Raises ValueError if it is not JSON, is nested too deeply, or has more than a million values.
    """
    if len(text) > FEW_BYTES:
        comma, brace = (b",", b"[") if isinstance(text, bytes) else (",", "[")
        if text.count(comma) + text.count(brace) > MOST_VALUES:  # type: ignore[arg-type]
            raise ValueError("more than a million values in one line")
    return json_values.parse(text)


class KnownFrames:
    """Which JSON values are frames: those of one catalogue.

    catalogue: that of another socket; None: that of the Realtime API. elsewhere: other sockets whose frames may not be in the
    same file; () if the caller has chosen one.
    """

    def __init__(self, catalogue: Catalogue[Any, Any] | None = None) -> None:
        self.catalogue = catalogue
        self.elsewhere: tuple[KnownFrames, ...] = ()
        self._options: dict[str, Any] = {} if catalogue is None else {"catalogue": catalogue}
        self._types = lru_cache(1024)(self._sides_of_type)
        self._fields = lru_cache(1024)(self._fields_of_type)
        self._lines = lru_cache(512)(self._paths_of_line)
        sides = () if catalogue is None else (catalogue.server, catalogue.client)
        # The keys that say the type of a frame.
        self._tags = ("type",) if catalogue is None else tuple(side.tag for side in sides if side.tag and not side.inside)
        # Words of which a line with a frame has one.
        self._words = (b"type",) if catalogue is None else words_of_catalogue(catalogue)

    @property
    def name(self) -> str:
        """The name of the catalogue."""
        return "Realtime" if self.catalogue is None else self.catalogue.name

    @property
    def has_types(self) -> bool:
        """Whether frames say their type: without one, any object may be a frame."""
        return self.catalogue is None or self.catalogue.server.tag is not None or self.catalogue.server.by_key

    def __repr__(self) -> str:
        return f"<KnownFrames: {self.name}>"

    def forget(self) -> None:
        """Looks into the catalogues anew: classes may have been declared since."""
        self._types.cache_clear()
        self._fields.cache_clear()
        self._lines.cache_clear()

    def may_be_in(self, text: bytes | str) -> bool:
        """Whether a text may hold a frame: a quick look, which finds too much."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return any(word in data for word in self._words)

    # --- one value

    def sides_of(self, value: object) -> tuple[Direction, ...]:
        """Which sides have a class for a value; none for what is no frame. If both have one, those that fit it best."""
        if not isinstance(value, dict):
            return ()
        if self.catalogue is None:
            return self.sides_of_type(value.get("type"))
        fits = {way: fit for side, way in _SIDES if (fit := self._fit(value, side)) is not None}
        best = min(fits.values(), default=None)
        return tuple(way for way, fit in fits.items() if fit == best)

    def sides_of_type(self, type_: object) -> tuple[Direction, ...]:
        """Which sides have a message of this wire name; none for a name that the catalogue of Realtime does not have."""
        return self._types(type_) if isinstance(type_, str) and 0 < len(type_) <= LONGEST_SCALAR else ()

    def _sides_of_type(self, type_: str) -> tuple[Direction, ...]:
        frame = json.dumps({"type": type_})
        return tuple(way for side, way in _SIDES if _declared(frame, side) is not None)

    def _fit(self, value: dict[str, Any], side: Literal["server", "client"]) -> tuple[int, int] | None:
        """How badly a value fits its class: members that the class does not declare, and fields that are not there."""
        message = self.message_of(value, side)
        if message is None:
            return None
        if isinstance(message, DecodeError):
            return (0, 0)
        return leaves_of(message.extra), sum(getattr(message, name) is None for name in type(message).__match_args__)

    def message_of(self, value: dict[str, Any], side: Literal["server", "client"]) -> Any:
        """The message of a value, or the DecodeError of its audio; None for what matches no class, or says nothing of one."""
        try:
            message = decode(json.dumps(value), side=side, dtype="uint8", **self._options)
        except DecodeError as error:
            return error if error.message_type else None
        except RecursionError:
            return None
        if isinstance(message, (UnknownMessage, UnknownClientMessage)):
            return None
        if type(message)._layout.catalogue.tag is None and not type(message)._layout.catalogue.by_key:
            return message if says_something(message) else None
        return message

    def misfit_of(self, value: dict[str, Any], way: Direction) -> tuple[int, int]:
        """How badly a frame of another socket fits its class: undeclared members, and fields that are not there."""
        return self._fit(value, "server" if way == "received" else "client") or (0, 0)

    def speaks(self, value: object) -> bool:
        """Whether a value is a frame that hardly another protocol has.

        A type of Realtime has a dot in it. A frame of another socket has a value in a field that its class declares.
        """
        if not isinstance(value, dict):
            return False
        if self.catalogue is None:
            return "." in str(value.get("type")) and bool(self.sides_of(value))
        messages = [self.message_of(value, side) for side, _ in _SIDES]
        return any(isinstance(one, DecodeError) or (one is not None and says_something(one)) for one in messages)

    def speaks_in(self, line: bytes) -> bool:
        """Whether a line of JSON holds such a frame."""
        try:
            value = loads(line)
        except ValueError:
            return False
        return any(self.speaks(opened(at_path(value, path))) for path in self.paths_of(value))

    def refuse_others(self, line: int, value: object) -> None:
        """Raises RecordingError if a value that holds no frame of this catalogue holds one of another socket."""
        for other in self.elsewhere:
            if any(other.speaks(opened(at_path(value, path))) for path in other.paths_of(value)):
                raise self.mixed_with(other, line)

    def mixed_with(self, other: KnownFrames, line: int) -> RecordingError:
        """What to raise for a file with the frames of two sockets, such as a telephone and a model."""
        choices = " or ".join(f"--catalogue {one.name}" for one in (self, other) if one.catalogue is not None)
        both = f"{self.name} and {other.name} (line {line})"
        return RecordingError(f"frames of two sockets, {both}: keep each in its own file, or choose with {choices}")

    def is_type(self, word: str) -> bool:
        """Whether a word is the name of a type."""
        if self.catalogue is None:
            return bool(self.sides_of_type(word))
        return any(wire_class(side, word, self.catalogue) is not None for side, _ in _SIDES)

    def _declared_in(self, value: dict[str, Any]) -> frozenset[str]:
        """The keys that the class of a frame has a meaning for: no other frame lies in them."""
        sides = self.sides_of(value)
        side: Literal["server", "client"] = "server" if "received" in sides else "client"
        if self.catalogue is None:
            return self._fields(str(value.get("type")), side)
        message = self.message_of(value, side)
        return frozenset(value) if not isinstance(message, RealtimeMessage) else keys_of(type(message))

    def _fields_of_type(self, type_: str, side: Literal["server", "client"]) -> frozenset[str]:
        return frozenset(_declared(json.dumps({"type": type_}), side) or ())

    def name_in(self, value: object) -> str | None:
        """The type that a value has, whether or not a class has it; None without one."""
        if not isinstance(value, dict):
            return None
        if self.catalogue is None:
            type_ = value.get("type")
            return type_ if isinstance(type_, str) else None
        for side, _ in _SIDES:
            message = self.message_of(value, side)
            if isinstance(message, RealtimeMessage):
                return message.type
            if message is not None:
                return str(message.message_type)
        return None

    # --- where frames lie

    def paths_of(self, value: object, depth: int = DEEPEST) -> list[Path]:
        """Where frames of known types lie in a JSON value: the keys and places down to each of them, strings of JSON opened.

        A type that is repeated beside the frame is no frame: the member that holds a frame of the same type is.
        """
        if depth == 0:
            return []
        if isinstance(value, list):
            if len(value) > MOST_ENTRIES:
                return []
            return [(place, *path) for place, entry in enumerate(value) for path in self._below(entry, depth)]
        if not isinstance(value, dict) or len(value) > MOST_MEMBERS:
            return []
        if self.sides_of(value):
            name = self.name_in(value)
            fields = self._declared_in(value)
            for key in value:
                if key in fields:
                    continue
                # Types of frames have a dot. "error", which has none, is what logs call a line, too.
                paths = [
                    path
                    for path in self._below(value[key], depth)
                    if (self.catalogue is None and "." not in str(name)) or self.type_at(value[key], path) == name
                ]
                if paths:
                    return [(key, *path) for path in paths]
            return [()]
        return [(key, *path) for key in _ordered(value) for path in self._below(value[key], depth)]

    def type_at(self, value: object, path: Path) -> object:
        """The type of the frame at a path."""
        return self.name_in(opened(at_path(value, path)))

    def _below(self, value: object, depth: int) -> list[Path]:
        inner = opened(value)
        return [] if inner is None else self.paths_of(inner, depth - 1)

    def paths_of_line(self, line: bytes) -> list[Path]:
        """The paths of frames in a line of JSON; none if it is not JSON."""
        return self._lines(line)

    def _paths_of_line(self, line: bytes) -> list[Path]:
        if line.lstrip()[:1] not in (b"{", b"["):
            return []
        try:
            return self.paths_of(loads(line))
        except ValueError:
            return []

    def found_in(self, number: int, value: object, path: Path, text: bytes | None = None) -> tuple[Found, Path]:
        """The frame in a JSON value, and its path.

        number: of the line or the element. path: where the frame before it lay. text: what the value was parsed from, if the
        frame may be the value itself, so that its bytes are kept.
        """
        inner = at_path(value, path)
        frame = opened(inner)
        if not (self.sides_of(frame) and (path or self.paths_of(value) == [()])):
            paths = self.paths_of(value)
            if len(paths) > 1:
                names = " and ".join(f'"{".".join(map(str, one))}"' for one in paths[:2])
                fault = f"{len(paths)} frames in one object, {names}: it is not known which was sent"
                return Found(number, None, fault=fault), path
            if paths:
                path = paths[0]
                inner = at_path(value, path)
            elif not self._may_be_unknown(frame, path):
                self.refuse_others(number, value)
                return passed_over(number), path
        beside_it = beside(value, path, self._tags)
        if not path and text is not None:
            return Found(number, text, beside_it), path
        text_ = _text_of(inner)
        return (passed_over(number) if text_ is None else Found(number, text_, beside_it)), path

    def _may_be_unknown(self, frame: object, path: Path) -> bool:
        """Whether a value that matches no class is a frame: it has a type, or is in the place of frames."""
        if not isinstance(frame, dict):
            return False
        if self.catalogue is None:
            return isinstance(frame.get("type"), str)
        return any(isinstance(frame.get(tag), str) for tag in self._tags) if self._tags else path != ()

    def found_in_line(self, number: int, line: bytes, path: Path) -> tuple[Found, Path]:
        """The frame in a line of JSON, and its path. Lines of text are skipped."""
        if line.lstrip()[:1] not in (b"{", b"["):
            return passed_over(number), path
        try:
            value = loads(line)
        except ValueError as error:
            return Found(number, None, fault=f"not JSON: {error}"), path
        return self.found_in(number, value, path, line)


def _declared(frame: str, side: Literal["server", "client"]) -> tuple[str, ...] | None:
    """The fields that the class of a frame of the Realtime API declares; None if no class has its type."""
    try:
        message = decode(frame, side=side)
    except DecodeError as error:  # a class of the user may want more
        return () if error.message_type is not None else None
    return None if isinstance(message, (UnknownMessage, UnknownClientMessage)) else type(message).__match_args__


def keys_of(cls: Any) -> frozenset[str]:
    """The members of a frame that a class declares, or that have declared fields inside; those that say its type too."""
    layout = cls._layout
    catalogue = layout.catalogue
    places = (place if isinstance(place, str) else place[0] for place in layout.places if place is not None)
    own = layout.wire_names if catalogue.by_key and catalogue.inside is None else ()
    return frozenset((*places, *own, *filter(None, (catalogue.tag, catalogue.inside))))


def words_of_catalogue(catalogue: Catalogue[Any, Any]) -> tuple[bytes, ...]:
    """Words of which a line with a frame of this catalogue has one."""
    words: set[str] = set()
    for side in (catalogue.server, catalogue.client):
        if side.tag is not None or side.by_key:
            words.update(side.wire_names())
        else:
            words.update(key for name in side.wire_names() for key in keys_of(wire_class(side.side, name, catalogue)))
    return (*(word.encode() for word in sorted(words)), b"eyJ")


def says_something(message: Any) -> bool:
    """Whether a message has a value in a field that its class declares."""
    pcm: Any = getattr(message, "pcm", None)
    values = (getattr(message, name) for name in type(message).__match_args__)
    return any(value is not None and (value is not pcm or len(pcm) > 0) for value in values)


def leaves_of(value: object) -> int:
    """How many scalars a JSON value has."""
    left, count = [value], 0
    while left:
        one = left.pop()
        if isinstance(one, (dict, list)):
            left += one.values() if isinstance(one, dict) else one
        else:
            count += 1
    return count


def opened(value: object) -> object:
    """A list or a dict; what a string of JSON, plain or as base64, holds; None for anything else."""
    if isinstance(value, (dict, list)):
        return value
    if not isinstance(value, str):
        return None
    text: str | bytes = value
    start = value.lstrip()[:8]
    if start.startswith("eyJ"):
        try:
            text = b64decode(value, validate=True)
        except ValueError:
            return None
    elif not start.startswith("{"):
        return None
    try:
        found = loads(text)
    except ValueError:
        return None
    return found if isinstance(found, (dict, list)) else None


def _ordered(value: dict[str, Any]) -> list[str]:
    return [key for key in FRAME_KEYS if key in value] + [key for key in value if key not in FRAME_KEYS]


def path_of_any(line: bytes) -> Path | None:
    """Where an object with a type lies in a line of JSON, whatever the type: under a usual name, or the line itself."""
    try:
        value = loads(line) if line.lstrip()[:1] == b"{" else None
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    for key in FRAME_KEYS:
        inner = opened(value.get(key))
        if isinstance(inner, dict) and isinstance(inner.get("type"), str):
            return (key,)
    return () if isinstance(value.get("type"), str) else None


def start_of(line: bytes, path: Path) -> str:
    """The first characters of the string that is the frame at a path in a line of JSON; none if it is an object."""
    value = at_path(loads(line), path)
    return value[:3] if isinstance(value, str) else ""


def at_path(value: object, path: Path) -> object:
    """The value at a path, or None. A string is returned as it is."""
    for step in path:
        value = opened(value)
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _text_of(value: object) -> bytes | str | None:
    """The frame in a value as text; None unless the value is an object or a string with one."""
    if isinstance(value, str):
        if value.startswith("eyJ"):
            try:
                return b64decode(value, validate=True)
            except ValueError:
                return None
        return value if value.lstrip()[:1] == "{" else None
    if not isinstance(value, dict):
        return None
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: the decoder says where
        return json.dumps(value, separators=(",", ":"))
    return text


def beside(value: object, path: Path, tags: tuple[str, ...] = ("type",)) -> dict[str, Scalar]:
    """The scalars beside the frame at a path, at each level above it; those of an outer level win.

    If the value is the frame itself: its own.
    """
    found: dict[str, Scalar] = {}
    if not path:
        _add_scalars(found, value, (*tags, *_IDS))
    for step in path:
        value = opened(value)
        _add_scalars(found, value, (step,))
        value = at_path(value, (step,))
    return found


def _add_scalars(found: dict[str, Scalar], value: object, without: tuple[str | int, ...]) -> None:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, scalar in pairs:
        if key in without or isinstance(scalar, (dict, list)) or len(found) >= MOST_BESIDE:
            continue
        if not isinstance(scalar, str) or len(scalar) <= LONGEST_SCALAR:
            found.setdefault(str(key), scalar)


REALTIME = KnownFrames()
