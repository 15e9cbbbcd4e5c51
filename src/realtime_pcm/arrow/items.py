"""One row an item: who spoke, when, what was said, for how long, and how long the answer took. Made of the rows."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from .schema import ITEM_COLUMNS, items_schema, require_pyarrow

__all__ = ["Items", "items"]

# The messages from which the wait for an answer is measured: the user has ended, or the client asks.
_TRIGGERS = ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "response.create")
_ENDS = (".done", ".completed", ".final")


class _Item:
    """What is known of one item so far."""

    def __init__(self) -> None:
        self.line = self.answer_line = 1 << 62
        self.time: float | None = None
        self.end_time: float | None = None
        self.answer_time: float | None = None
        self.response_id: str | None = None
        self.role: str | None = None
        self.speaks = ""  # as the types of the messages show it
        self.seconds = 0.0
        self.has_audio = False
        self.from_ms: int | None = None
        self.to_ms: int | None = None
        self.whole: dict[int, str] = {}  # content index -> the whole text
        self.pieces: dict[int, list[tuple[int, str]]] = {}  # content index -> (line, a piece of the text)
        self.text: str | None = None  # of the nested item

    def transcript(self) -> str | None:
        parts = []
        for index in sorted({*self.whole, *self.pieces}):
            pieces = "".join(text for _, text in sorted(self.pieces.get(index, ())))
            parts.append(self.whole.get(index) or pieces)
        spoken = " ".join(part for part in parts if part)
        return spoken or self.text

    def speaker(self) -> str | None:
        return self.role or self.speaks or None


class Items:
    """Collects the items of one recording from its batches of rows, in their order."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._items: dict[str, _Item] = {}
        self._triggers: list[tuple[int, float]] = []

    def add(self, batch: Any) -> None:
        """Takes in a batch of rows."""
        pa = require_pyarrow()
        import pyarrow.compute as pc

        types = batch.column("type")
        if batch.column("time").null_count < batch.num_rows:
            asked = batch.filter(pc.is_in(types, value_set=pa.array(_TRIGGERS)))
            for line, time in zip(asked.column("line").to_pylist(), asked.column("time").to_pylist(), strict=True):
                if time is not None:
                    self._triggers.append((line, time))
        samples = pc.list_value_length(batch.column("pcm")) if pa.types.is_large_list(batch.schema.field("pcm").type) else None
        if samples is None:
            samples = pc.divide(pc.binary_length(batch.column("pcm")), _width(batch))
        texts = batch.column("text")
        answers = pc.or_(pc.greater(pc.fill_null(samples, 0), 0), pc.greater(pc.fill_null(pc.binary_length(texts), 0), 0))
        table = pa.table(
            {
                **{name: batch.column(name) for name in (*_KEYS, "line", "time", "text", "audio_ms")},
                "samples": samples,
                "answers": answers,
            }
        ).filter(pc.is_valid(batch.column("item_id")))
        kinds = ["min", "max"]
        grouped = table.group_by([*_KEYS, "answers"], use_threads=False).aggregate(
            [("line", "min"), *(("time", kind) for kind in kinds), ("samples", "sum"), ("audio_ms", "max")]
        )
        for group in grouped.to_pylist():
            self._add_group(group)
        self._add_texts(table)

    def _add_group(self, group: dict[str, Any]) -> None:
        item = self._items.setdefault(group["item_id"], _Item())
        kind = group["type"] or ""
        item.line = min(item.line, group["line_min"])
        first, last = group["time_min"], group["time_max"]
        if first is not None:
            item.time = first if item.time is None else min(item.time, first)
            item.end_time = last if item.end_time is None else max(item.end_time, last)
        item.response_id = item.response_id or group["response_id"]
        item.role = item.role or group["role"]
        item.speaks = item.speaks or _speaker_of(kind)
        if group["samples_sum"] is not None and group["rate"]:
            item.seconds += group["samples_sum"] / (group["rate"] * (group["channels"] or 1))
            item.has_audio = True
        place = group["audio_ms_max"]
        if place is not None:
            if kind.endswith("started"):
                item.from_ms = place
            else:
                item.to_ms = place
        if kind.endswith(".delta") and group["answers"] and group["line_min"] < item.answer_line:
            item.answer_line, item.answer_time = group["line_min"], first

    def _add_texts(self, table: Any) -> None:
        import pyarrow.compute as pc

        table = table.filter(pc.is_valid(table.column("text")))
        names = ("item_id", "type", "content_index", "line", "text", "role")
        for item_id, kind, index, line, text, role in zip(*(table.column(name).to_pylist() for name in names), strict=True):
            item = self._items[item_id]
            if role is not None:
                item.text = text
            elif "transcript" in kind or ".text." in kind or "_text." in kind:
                if kind.endswith(".delta"):
                    item.pieces.setdefault(index or 0, []).append((line, text))
                elif kind.endswith(_ENDS):
                    item.whole[index or 0] = text

    def table(self) -> Any:
        """The items so far, in the order of their first lines."""
        rows = [self._row(item_id, item) for item_id, item in sorted(self._items.items(), key=lambda found: found[1].line)]
        return require_pyarrow().Table.from_pylist(rows, schema=items_schema())

    def _row(self, item_id: str, item: _Item) -> dict[str, Any]:
        seconds = item.seconds if item.has_audio else None
        if seconds is None and item.from_ms is not None and item.to_ms is not None:
            seconds = (item.to_ms - item.from_ms) / 1000
        latency = None
        if item.answer_time is not None and item.speaker() == "assistant":
            # The last one before the answer: batches come in the order of their lines.
            number = bisect_left(self._triggers, item.answer_line, key=lambda trigger: trigger[0]) - 1
            latency = item.answer_time - self._triggers[number][1] if number >= 0 else None
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
            latency,
        )
        return dict(zip(ITEM_COLUMNS, values, strict=True))


_KEYS = ("item_id", "response_id", "type", "role", "content_index", "encoding", "rate", "channels")


def _speaker_of(kind: str) -> str:
    """Who speaks in the item, as far as the type of a message about it shows."""
    if kind.startswith("input_audio_buffer.") or ".input_audio_transcription." in kind:
        return "user"
    return "assistant" if kind.startswith("response.") else ""


def _width(batch: Any) -> Any:
    """Bytes that one sample has as it was sent: 2 of PCM, else 1."""
    import pyarrow.compute as pc

    pcm16 = pc.equal(pc.fill_null(batch.column("encoding"), ""), "pcm16")
    return pc.if_else(pcm16, 2, 1)


def items(batches: Any) -> Any:
    """The items that rows tell of, as a pyarrow.Table: one row an item of each recording.

    batches: the batches of `read`, or any others with its columns; the rows of one recording in their order.
    The schema is items_schema(). An item that is only named stands in it too.
    """
    pa = require_pyarrow()
    found: dict[str, Items] = {}
    for batch in batches:
        names = batch.column("source")
        for name in names.unique().to_pylist():
            import pyarrow.compute as pc

            part = batch if batch.num_rows and len(names.unique()) == 1 else batch.filter(pc.equal(names, name))
            found.setdefault(name, Items(name)).add(part)
    tables = [collected.table() for collected in found.values()]
    return pa.concat_tables(tables) if tables else items_schema().empty_table()
