"""The tables: their columns, and the version that stands in their metadata."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

__all__ = [
    "ERROR_COLUMNS",
    "ITEM_COLUMNS",
    "ROW_COLUMNS",
    "VERSION",
    "Pcm",
    "errors_schema",
    "items_schema",
    "require_pyarrow",
    "rows_schema",
]

VERSION = 2  # of the columns: it changes when a column is renamed, removed, or gets another type or meaning

Pcm = Literal["int16", "sent"]

PLACE = "speech_at_ms"

# Column -> (type, what stands in it). A column is null where the frame does not say it, or says it as another JSON type.
ROW_COLUMNS = {
    "source": ("string", "the path of the recording"),
    "line": ("int64", "the line of the recording, from 1; 0 in the one row of a file that cannot be read as a recording"),
    "time": ("float64", "seconds since the recording began; null where the recording has no times"),
    "direction": ("string", '"received" from the server, or "sent" to it'),
    "type": ("string", "the wire type of the frame"),
    "event_id": ("string", "the id of the event"),
    "response_id": ("string", "the id of the response, or that of the nested response"),
    "item_id": ("string", "the id of the item, or that of the nested item"),
    "output_index": ("int64", "the place of the item in its response"),
    "content_index": ("int64", "the place of the content part in its item"),
    PLACE: ("int64", "milliseconds into the input audio: where speech began or ended; no duration"),
    "text": ("string", "a piece of text, a transcript, arguments of a call, or the text of the nested item, part or error"),
    "pcm": ("large_list<int16>", 'the samples, channels interleaved; with pcm="sent" large_binary, the bytes as they were sent'),
    "encoding": ("string", '"pcm16", "g711_ulaw", "g711_alaw" or another name: what was sent'),
    "rate": ("int32", "samples a second"),
    "channels": ("int32", "how many channels"),
    "sample_offset": ("int64", 'the index of the first sample in its stream; with pcm="sent" that of the first byte'),
    "seconds": ("float64", "how long the audio of this row is; null where it is not known"),
    "role": ("string", 'who speaks in the nested item: "user", "assistant" or "system"'),
    "error": ("string", "why the line was refused; null for a line that was read"),
}

ITEM_COLUMNS = {
    "source": ("string", "the path of the recording"),
    "line": ("int64", "the first line that names the item"),
    "item_id": ("string", "the id of the item"),
    "response_id": ("string", "the response that the item belongs to; null for what the user said"),
    "speaker": ("string", '"user", "assistant" or "system"'),
    "time": ("float64", "when the item was first named: seconds since the recording began"),
    "end_time": ("float64", "when it was last named"),
    "transcript": ("string", "what was said or written"),
    "seconds": ("float64", "how long the audio is; null where nothing says it"),
    "latency": (
        "float64",
        "seconds that the user waited for the answer (docs/guide/conversation.md), in the row of the item whose audio came first",
    ),
}

ERROR_COLUMNS = {
    "source": ("string", "the path of the recording"),
    "line": ("int64", "the line, from 1; 0 where the whole file is at fault"),
    "type": ("string", "the wire type of the frame, as far as it could be read"),
    "error": ("string", "what is wrong"),
}


def require_pyarrow() -> Any:
    """The module pyarrow; ModuleNotFoundError, which says what to install, where it is not there."""
    try:
        import pyarrow
    except ImportError:
        raise ModuleNotFoundError(
            'realtime_pcm.arrow needs the package pyarrow: pip install "realtime-pcm[arrow]"', name="pyarrow"
        ) from None
    return pyarrow


@cache
def _schema(name: str, pcm: str = "") -> Any:
    """The schema of a table. It is kept, because making it takes as long as reading some hundred rows."""
    pa = require_pyarrow()
    columns = {"rows": ROW_COLUMNS, "items": ITEM_COLUMNS, "errors": ERROR_COLUMNS}[name]
    if pcm == "sent":
        columns = {**columns, "pcm": ("large_binary", columns["pcm"][1])}
    types = {
        "string": pa.string(),
        "int64": pa.int64(),
        "int32": pa.int32(),
        "float64": pa.float64(),
        "large_list<int16>": pa.large_list(pa.field("item", pa.int16(), nullable=False)),
        "large_binary": pa.large_binary(),
    }
    fields = [
        pa.field(column, types[kind], nullable=column not in ("source", "line"), metadata={"description": words})
        for column, (kind, words) in columns.items()
    ]
    metadata = {"realtime_pcm.table": name, "realtime_pcm.version": str(VERSION)}
    return pa.schema(fields, metadata=metadata | {"realtime_pcm.pcm": pcm} if pcm else metadata)


def rows_schema(pcm: Pcm = "int16") -> Any:
    """The pyarrow.Schema of the rows. ValueError for a `pcm` that is neither "int16" nor "sent"."""
    if pcm not in ("int16", "sent"):
        raise ValueError(f"pcm is 'int16' or 'sent', not {pcm!r}")
    return _schema("rows", pcm)


def items_schema() -> Any:
    """The pyarrow.Schema of the items."""
    return _schema("items")


def errors_schema() -> Any:
    """The pyarrow.Schema of the errors."""
    return _schema("errors")
