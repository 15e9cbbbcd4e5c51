"""The items table, made from rows: who spoke, when, what was said, for how long, and how long the answer took."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from .._core import audio_roles, role_of, wire_class
from ..conversation import ConversationState
from ..conversation.clock import Clock
from ..conversation.rules import WORDS, Text, text_id
from ..conversation.turns import Moment, Turn, Turns
from ..recording import RecordingError, read_recording
from ..roles import OF_USER
from .batches import Batches
from .files import Source, limited, printable, sources
from .schema import ITEM_COLUMNS, PLACE, items_schema, require_pyarrow

__all__ = ["Items", "items"]

LONGEST_TEXT = 1 << 20  # characters of a transcript
MOST_ITEMS = 1 << 20  # without ids
MOST_TYPES = 1000  # whose roles are cached

_Meaning: TypeAlias = tuple[str | None, str | None, dict[str | None, str]]  # what Items._meaning gives


class _Item:
    """The state of one item."""

    def __init__(self) -> None:
        self.line = 1 << 62
        self.time: float | None = None
        self.end_time: float | None = None
        self.response_id: str | None = None
        self.role: str | None = None
        self.speaks = ""  # from the types of its messages
        self.seconds = 0.0
        self.has_audio = False
        self.from_ms: int | None = None
        self.to_ms: int | None = None
        self.words = Text(LONGEST_TEXT)
        self.given: str | None = None  # the text of the nested item
        self.latency: float | None = None

    def transcript(self) -> str | None:
        return str(self.words) or self.given

    def speaker(self) -> str | None:
        return self.role or self.speaks or None


class _Audio(NamedTuple):
    """A row with audio of the model."""

    kind: str
    canonical: str | None
    event_id: str | None
    batch: Any
    place: int

    def sounds_like(self, other: _Audio) -> bool:
        """Whether it has the same payload."""
        pcm, its = (row.batch.column("pcm")[row.place] for row in (self, other))
        return bool(pcm == its)


class Items:
    """Collects the items of one recording from its batches, which come in order."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._items: dict[str, _Item] = {}
        self._unnamed: dict[int, _Item] = {}  # by line: what the user wrote, until it has an id
        self._turns: Turns[Turn, _Item] = Turns(Turn)
        self._clock = Clock()
        self._before: _Audio | None = None  # the previous row with audio
        self._meanings: dict[tuple[str | None, str | None], _Meaning] = {}  # by direction and type

    def add(self, batch: Any) -> None:
        """Adds a batch of rows."""
        pa = require_pyarrow()
        import pyarrow.compute as pc

        pcm, seconds = batch.column("pcm"), batch.column("seconds")
        repeated = self._repeated_in(batch)
        if repeated:
            kept = pa.array(place not in repeated for place in range(batch.num_rows))
            seconds = pc.if_else(kept, seconds, 0.0)
        columns = {name: batch.column(name) for name in (*_KEYS, "line", "time", PLACE)}
        table = pa.table({**columns, "seconds": seconds}).filter(pc.is_valid(batch.column("item_id")))
        kinds = ["min", "max"]
        grouped = table.group_by(_KEYS, use_threads=False).aggregate(
            [("line", "min"), *(("time", kind) for kind in kinds), ("seconds", "sum"), (PLACE, "max")]
        )
        for group in grouped.to_pylist():
            self._add_group(group)
        length = pc.list_value_length if pa.types.is_large_list(pcm.type) else pc.binary_length
        self._follow(batch, pc.fill_null(length(pcm), 0))

    def _repeated_in(self, batch: Any) -> set[int]:
        """The audio rows that repeat an earlier one, by the rule of `conversation.rules.repeats` for messages."""
        found: set[int] = set()
        names = ("direction", "type", "event_id")
        rows = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
        for place, (direction, kind, event_id) in enumerate(rows):
            role, canonical, _ = self._meaning(direction, kind)
            if role != "audio":
                continue
            before, self._before = self._before, _Audio(kind, canonical, event_id, batch, place)
            if before is None:
                continue
            twins = kind != before.kind and canonical == before.canonical
            same = bool(event_id) and event_id == before.event_id
            if (same or twins) and self._before.sounds_like(before):
                found.add(place)
                if kind != before.kind:
                    self._before = None
        return found

    def _add_group(self, group: dict[str, Any]) -> None:
        item = self._items.setdefault(group["item_id"], _Item())
        role = self._role(group["direction"], group["type"], group["item_id"])
        item.line = min(item.line, group["line_min"])
        first, last = group["time_min"], group["time_max"]
        if first is not None:
            item.time = first if item.time is None else min(item.time, first)
            item.end_time = last if item.end_time is None else max(item.end_time, last)
        item.response_id = item.response_id or group["response_id"]
        item.role = item.role or group["role"]
        item.speaks = item.speaks or _speaker_of(role, group["response_id"])
        if group["seconds_sum"] is not None:
            item.seconds += group["seconds_sum"]
            item.has_audio = True
        place = group[f"{PLACE}_max"]
        if place is not None and role == "speech_started":
            item.from_ms = place
        elif place is not None and role == "speech_stopped":
            item.to_ms = place

    def _role(self, direction: str | None, kind: str | None, item_id: str | None) -> str | None:
        """What a row means: the role of its class, or the one that the id gives to audio: that of a telephone's track."""
        role, _, by_id = self._meaning(direction, kind)
        return by_id.get(item_id, role) if by_id else role

    def _meaning(self, direction: str | None, kind: str | None) -> _Meaning:
        """The role of the class that decodes messages of this type, its first wire name, and roles of its audio by item_id."""
        key = direction, kind
        found = self._meanings.get(key)
        if found is None:
            cls = None if kind is None else _class_of("client" if direction == "sent" else "server", kind)
            found = (None, None, {}) if cls is None else (role_of(cls), cls.canonical_type, _roles_by_id(cls))
            if len(self._meanings) < MOST_TYPES:
                self._meanings[key] = found
        return found

    def _follow(self, batch: Any, lengths: Any) -> None:
        """Updates turns and transcripts. Only the first of consecutive audio rows of an item matters."""
        names = ("direction", "type", "line", "time", "response_id", "item_id", "text", "role")
        last: Any = None
        for *row, count in zip(*(batch.column(name).to_pylist() for name in names), lengths.to_pylist(), strict=True):
            direction, kind, line, time, response_id, item_id, text, speaker = row
            self._clock.tell(time)
            role = self._role(direction, kind, item_id)
            if role is None or (role == "audio" and (not count or last == (response_id, item_id))):
                continue
            last = (response_id, item_id) if role == "audio" else None
            item = self._items.get(item_id)
            if item is not None and text is not None:
                if speaker is not None:
                    item.given = text
                elif role in WORDS:
                    WORDS[role](item.words, text)
            self._follow_turn(
                role, Moment(line, self._clock.now, 0.0), text_id(response_id), text_id(item_id), text, speaker, item
            )

    def _follow_turn(
        self,
        role: str,
        at: Moment,
        response_id: str | None,
        item_id: str | None,
        text: str | None,
        speaker: str | None,
        item: _Item | None,
    ) -> None:
        turns = self._turns
        if role == "audio":
            if turns.await_audio(response_id):
                turn = turns.audio(response_id, at)
                if item is not None:
                    item.latency = turn.latency
        elif role in WORDS:
            if text and role not in OF_USER and turns.await_words(response_id):
                turns.words(response_id, at)
        elif role in ("item_create", "item_added"):
            if speaker == "user" and text:
                self._wrote(item_id, text, at, role == "item_added")
        elif role == "tool_call":
            turns.of_response(response_id, at).tools += 1
        elif role == "speech_started":
            turns.speech_started(item_id, at)
        elif role == "speech_stopped":
            turns.speech_stopped(item_id, at)
        elif role == "commit":
            turns.commit(at)
        elif role == "committed":
            turns.committed(item_id, at)
        elif role == "response_create":
            turns.response_create(at)
        elif role == "response_cancel":
            turns.response_cancel()
        elif role == "response_start":
            turns.response_start(response_id, at)
        elif role == "response_end":
            turns.response_end(response_id, None, at)

    def _wrote(self, item_id: str | None, text: str, at: Moment, repeats: bool) -> None:
        """The user has written. An item without an id has a row too; the server's repetition of it may tell the id."""
        turn, written = self._turns.text(item_id, text, at, repeats=repeats)
        item = None if item_id is None else self._items.get(item_id)
        if written is not None and item is not None:
            self._unnamed.pop(written.line, None)
            item.line, item.time = min(item.line, written.line), written.time
        elif turn is not None and item_id is None:
            written = self._turns.written = self._unnamed[at.line] = _Item()
            written.line, written.time, written.end_time = at.line, at.time, at.time
            written.role, written.given = "user", text

    def follow(self, source: Source) -> None:
        """Adds the items that have no id, which rows do not tell, as ConversationState has them. source: the whole recording."""
        state = ConversationState(most=MOST_ITEMS, longest_text=LONGEST_TEXT)
        sizes: dict[int, tuple[int, float]] = {}
        found: dict[int, tuple[_Item, Any]] = {}
        file = source.open()
        try:
            with (
                suppress(RecordingError, OSError),
                read_recording(
                    file if source.size is None else limited(file, source.size),
                    call=source.call,
                    socket=source.socket,
                    catalogue=source.catalogue,
                ) as recording,
            ):
                for line, time, _, message, _ in recording:
                    if message is None:
                        continue
                    state.follow(message, time)
                    for number, held in islice(reversed(state._items.items()), 2):  # of each side one, which may have grown
                        if held.item_id is not None and number not in found:
                            continue
                        item = found.setdefault(number, (_Item(), held))[0]
                        item.line, item.time = min(item.line, line), time if item.time is None else item.time
                        size = len(held.words), held.audio_seconds
                        if sizes.get(number) != size:
                            sizes[number], item.end_time = size, time
        finally:
            if source.is_ours:
                file.close()
        waits = {turn.number: turn.latency for turn in state.turns}
        self._unnamed.clear()
        for number, (item, held) in found.items():
            named = self._items.get(held.item_id)
            if named is not None:  # its id came later
                if item.line < named.line:
                    named.line, named.time = item.line, item.time
                named.role, named.given = named.role or held.role, named.given or held.text or None
                continue
            self._unnamed[number] = item
            item.role = held.role or ("user" if held.side == "user" else "assistant")
            item.given, item.seconds = held.text or None, held.audio_seconds
            item.has_audio = item.seconds > 0
            if item.has_audio:
                item.latency = waits.pop(held.turn, None)

    def table(self) -> Any:
        """The items so far, in the order of their first lines."""
        found = [*self._items.items(), *((None, item) for item in self._unnamed.values())]
        rows = [self._row(item_id, item) for item_id, item in sorted(found, key=lambda one: one[1].line)]
        return require_pyarrow().Table.from_pylist(rows, schema=items_schema())

    def _row(self, item_id: str | None, item: _Item) -> dict[str, Any]:
        seconds = item.seconds if item.has_audio else None
        if seconds is None and item.from_ms is not None and item.to_ms is not None:
            seconds = (item.to_ms - item.from_ms) / 1000
        values = (
            self._source,
            item.line,
            item_id,
            item.response_id,
            item.speaker(),
            item.time,
            item.end_time,
            item.transcript(),
            seconds,
            item.latency,
        )
        return dict(zip(ITEM_COLUMNS, values, strict=True))


_KEYS = ("item_id", "response_id", "direction", "type", "role")


def _speaker_of(role: str | None, response_id: str | None) -> str:
    """Who speaks in the item, judging by a message about it."""
    if role in OF_USER:
        return "user"
    if role == "input_audio":
        return "user"
    return "assistant" if response_id is not None or role == "audio" else ""


def _roles_by_id(cls: Any) -> dict[str | None, str]:
    """The roles that values of a field give to a class's audio, if rows have that field as item_id."""
    field = cls._layout.reads.get("item_id", "item_id")
    return {value: role for name, value, role in audio_roles(cls) if name == field}


@cache
def _other_sockets() -> list[Any]:
    from ..sockets import catalogues

    return catalogues()


def _class_of(side: Literal["server", "client"], kind: str) -> Any:
    """The class that decodes messages of this type: of the Realtime API, else of the first socket that has one."""
    found = wire_class(side, kind)
    return found or next((cls for one in _other_sockets() if (cls := wire_class(side, kind, one)) is not None), None)


def _is_path(given: Any) -> bool:
    return isinstance(given, (str, os.PathLike)) or hasattr(given, "read") or hasattr(given, "open")


def _is_seekable(file: Any) -> bool:
    return bool(getattr(file, "seekable", lambda: False)())


def items(batches: Any) -> Any:
    """The items of recordings as a `pyarrow.Table`, made from their rows.

    Every item that a row names has a row, even if nothing else is known of it. Some sockets send no ids (Gemini Live,
    ElevenLabs), and telephones none for what is played: give the path of such a recording. Each turn then has an item of each
    side, as in ConversationState, whose `item_id` is null.

    Args:
        batches: Batches from `read`, or others with these columns. Rows of a recording must be in order. Or what `read` takes: a
            path, a folder, a URL, an open file that can be read twice, or a list of these.

    Returns:
        A table with the schema `items_schema()`.
    """
    pa = require_pyarrow()
    found: dict[str, Items] = {}
    if _is_path(batches) or (isinstance(batches, (list, tuple)) and batches and all(map(_is_path, batches))):
        for source in sources(batches):
            start = 0 if source.is_ours or not _is_seekable(source.given) else source.given.tell()
            made = Batches(source)
            collected = found[printable(source.name)] = Items(printable(source.name))
            for batch in made:
                collected.add(batch)
            if made.catalogue is not None and (source.is_ours or _is_seekable(source.given)):
                if not source.is_ours:
                    source.given.seek(start)
                collected.follow(source)
        batches = ()
    for batch in batches:
        names = batch.column("source")
        for name in names.unique().to_pylist():
            import pyarrow.compute as pc

            part = batch if batch.num_rows and len(names.unique()) == 1 else batch.filter(pc.equal(names, name))
            found.setdefault(name, Items(name)).add(part)
    tables = [collected.table() for collected in found.values()]
    return pa.concat_tables(tables) if tables else items_schema().empty_table()
