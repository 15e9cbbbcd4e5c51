"""Several calls in one recording: told by the ids that lines have, or by what the frames of two sessions say in turn."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from ..conversation.rules import item_id_of, remember, response_id_of, text_id
from ..roles import OF_CALLS
from .files import RecordingError

__all__ = ["CallIds", "Sessions", "find_call"]

# Names of members that tell calls apart.
_CALL = re.compile(
    r"(?i)^(?:.*[_.-])?(?:call|session|conn|connection|conversation|socket|ws|websocket|room)(?:[_-]?(?:s?id|uuid|key|name|no|number))?$"
)
# Names that tell calls apart in some logs, and speakers, threads or requests of one call in others.
_PERHAPS = re.compile(
    r"(?i)^(?:.*[_.-])?(?:id|sid|client|peer|user|agent|worker|stream|channel|trace|task|thread|request)"
    r"(?:[_-]?(?:s?id|uuid|key|name|no|number))?$|^word "
)
MOST_IDS = 64  # of calls that are over, and of responses under way
MOST_BEFORE = 1024  # responses that earlier sessions have not ended
LONGEST_SHOWN = 60


def find_call(beside: Sequence[Mapping[str, object]], ids: Sequence[str | None], taken: set[str | None]) -> str | None:
    """The name of the member that says which call a frame belongs to; None if none does.

    ids: for each of the first frames, an id of its response or item. taken: names that mean something else.
    """
    for name in dict.fromkeys(name for scalars in beside for name in scalars):
        sure = _CALL.search(name) is not None
        if name in taken or not (sure or _PERHAPS.search(name)):
            continue
        groups: dict[object, set[str]] = {}
        lines: dict[object, int] = {}
        for scalars, id_ in zip(beside, ids, strict=True):
            value = scalars.get(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                lines[value] = lines.get(value, 0) + 1
                groups.setdefault(value, set()).update({id_} if id_ else ())
        if not lines or len(lines) > MOST_IDS or len(lines) > max(1, len(ids) // 3):
            continue
        told = [group for group in groups.values() if group]
        # An id of each request or of a side is no id of a call: frames of one call share their ids.
        if len(told) > 1 and sum(map(len, told)) > len(set().union(*told)):
            continue
        if len(told) < 2 and (len(lines) > 1 or not sure):
            continue
        return name
    return None


def shown(value: object) -> str:
    """An id in a sentence."""
    return str(value)[:LONGEST_SHOWN]


class CallIds:
    """Watches the ids of calls. chosen: the id of the call to be read; None: the file must hold one after the other."""

    def __init__(self, chosen: str | None) -> None:
        self.chosen = chosen
        self.seen: OrderedDict[object, None] = OrderedDict()
        self.left_out = 0
        self._last: object = None

    def take(self, value: object) -> bool:
        """Whether the line is to be read. Raises RecordingError for the second of two calls at once."""
        if self.chosen is not None:
            wanted = value is not None and str(value) == self.chosen
            self.left_out += not wanted
            if value is not None and len(self.seen) < MOST_IDS:
                self.seen[value] = None
            return wanted
        if value is None or value == self._last:
            return True
        if value in self.seen:
            raise RecordingError(mixed([*self.seen]))
        self._last = value
        if len(self.seen) < MOST_IDS:
            self.seen[value] = None
        return True


def mixed(ids: Sequence[object]) -> str:
    """The sentence for a file with several calls at once."""
    names = ", ".join(shown(one) for one in ids[:4]) + (" and others" if len(ids) > 4 else "")
    return f"several calls at once, {names}: choose one with --call ID, or read_recording(call=ID)"


class Sessions:
    """Watches for the frames of two sessions at once in a file whose lines do not say which call they belong to."""

    def __init__(self) -> None:
        self._session: str | None = None
        self._several = False
        self._before: dict[str, None] = {}  # responses that earlier sessions have not ended
        self._open: set[str] = set()
        self._speaking: str | None = None
        self._stream: str | None = None
        self._streams: dict[str, None] = {}  # of telephones, so far

    def stream(self, id_: str | None) -> None:
        """Takes the stream of a piece of a telephone call. Raises RecordingError if two calls take turns."""
        if id_ is None or id_ == self._stream:
            return
        if id_ in self._streams:
            self._mixed()
        self._stream = id_
        remember(self._streams, id_, None, MOST_IDS)

    def take(self, role: str | None, message: Any) -> None:
        """Takes a message of one of the roles of OF_CALLS. Raises RecordingError if it proves that two sessions speak in turn."""
        if role == "session_start":
            self.told(role, text_id(getattr(message.session, "id", None)))
        elif role in ("response_start", "response_end"):
            self.told(role, response_id_of(message))
        elif role in OF_CALLS:
            self.told(role, item_id_of(message))

    def told(self, role: str | None, id_: str | None) -> None:
        """The same, of what the message says: the id of its session, its response, or the item of the user's speech."""
        if role == "session_start":
            if id_ is None:
                return
            if self._session is not None and id_ != self._session:
                self._several = True
                for open_ in self._open:
                    remember(self._before, open_, None, MOST_BEFORE)
                self._open.clear()
                self._speaking = None
            self._session = id_
        elif role == "speech_started":
            if self._several and self._speaking not in (None, id_):
                self._mixed()
            self._speaking = id_
        elif role == "speech_stopped":
            self._speaking = None
        elif role == "response_end":
            if id_ in self._before and id_ not in self._open:
                self._mixed()
            self._open.discard(id_ or "")
        elif id_ is not None:
            self._before.pop(id_, None)  # ids may be the same in each session
            if self._several and self._open and id_ not in self._open:
                self._mixed()
            if len(self._open) < MOST_IDS:
                self._open.add(id_)

    def _mixed(self) -> None:
        raise RecordingError(
            "the frames of two sessions in turn, and nothing beside them says whose they are: keep each call in its own file"
        )
