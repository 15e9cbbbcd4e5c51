"""Columns of the tables, and the version in their metadata."""

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

VERSION = 2  # raise it when a column is renamed or removed, or changes its type or meaning

Pcm = Literal["int16", "sent"]

PLACE = "speech_at_ms"

# Column -> (type, description). A value is null if the frame does not have it, or has it as another JSON type.
ROW_COLUMNS = {
    "source": ("string", "the path of the recording"),
    "line": ("int64", "the line in the file, from 1; 0 in the single row of a file that is not a recording"),
    "time": ("float64", "seconds since the recording began; null if it has no times"),
    "direction": ("string", '"received" from the server, or "sent" to it'),
    "type": ("string", "the wire type of the frame"),
    "event_id": ("string", "the id of the event"),
    "response_id": ("string", "the id of the response, or of the nested response"),
    "item_id": ("string", "the id of the item, or of the nested item"),
    "output_index": ("int64", "the index of the item in its response"),
    "content_index": ("int64", "the index of the content part in its item"),
    PLACE: ("int64", "where speech began or ended, in milliseconds into the input audio; not a duration"),
    "text": ("string", "a text delta, a transcript, tool arguments, or the text of the nested item, part or error"),
    "pcm": ("large_list<int16>", 'the samples, channels interleaved; with pcm="sent" large_binary, the bytes as they were sent'),
    "encoding": ("string", 'the format that was sent: "pcm16", "g711_ulaw", "g711_alaw" or another name'),
    "rate": ("int32", "samples per second"),
    "channels": ("int32", "number of channels"),
    "sample_offset": ("int64", 'the index of the first sample in its stream, or of the first byte with pcm="sent"'),
    "seconds": ("float64", "duration of this row's audio; null if unknown"),
    "role": ("string", 'who speaks in the nested item: "user", "assistant" or "system"'),
    "error": ("string", "why the frame was refused; null if it was not"),
}

ITEM_COLUMNS = {
    "source": ("string", "the path of the recording"),
    "line": ("int64", "the first line that names the item"),
    "item_id": ("string", "the id of the item; null if the socket sends none"),
    "response_id": ("string", "the response that the item belongs to; null for the user's items"),
    "speaker": ("string", '"user", "assistant" or "system"'),
    "time": ("float64", "when a message first named the item, in seconds since the recording began"),
    "end_time": ("float64", "when a message last named it"),
    "transcript": ("string", "the words that were said or written"),
    "seconds": ("float64", "duration of the audio; null if unknown"),
    "latency": (
        "float64",
        "seconds that the user waited for the answer (docs/guide/conversation.md), on the item whose audio came first",
    ),
}

ERROR_COLUMNS = {
    "source": ("string", "the path of the recording"),
    "line": ("int64", "the line in the file, from 1; 0 if the whole file is at fault"),
    "type": ("string", "the wire type of the frame, as far as it could be read"),
    "error": ("string", "what is wrong with it"),
}


def require_pyarrow() -> Any:
    """The module pyarrow. Raises ModuleNotFoundError, which says what to install."""
    try:
        import pyarrow
    except ImportError:
        raise ModuleNotFoundError(
            'realtime_pcm.arrow needs the package pyarrow: pip install "realtime-pcm[arrow]"', name="pyarrow"
        ) from None
    return pyarrow


@cache
def _schema(name: str, pcm: str = "") -> Any:
    """The schema of a table, cached because making it takes as long as reading some hundred rows."""
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
    """The `pyarrow.Schema` of the rows.

    Args:
        pcm: As in `read`.

    Raises:
        ValueError: `pcm` is neither "int16" nor "sent".
    """
    if pcm not in ("int16", "sent"):
        raise ValueError(f"pcm must be 'int16' or 'sent', not {pcm!r}")
    return _schema("rows", pcm)


def items_schema() -> Any:
    """The `pyarrow.Schema` of the items table."""
    return _schema("items")


def errors_schema() -> Any:
    """The `pyarrow.Schema` of the errors table."""
    return _schema("errors")
