"""Recordings of Realtime conversations: JSON lines, plain or compressed by gzip or zstd.

    with Recorder("call.jsonl.gz") as record:
        record.received(message)
        record.sent(frame)

    for entry in read_recording("call.jsonl.gz"):
        entry.line, entry.time, entry.direction, entry.message, entry.error

The first line of a recording names its version and the wall time. Each further line is one frame:
`{"time": seconds since then, "direction": "received" or "sent", "event": the frame}`. A frame that is no JSON object with a
"type" stands as base64 in "raw", with its "error". `read_recording` reads other people's logs too: `shapes`.
`analyse` says what happened in a recording: turns and their latency, interruptions, tools, what is wrong.
"""

from __future__ import annotations

from .analysis import analyse
from .files import RecordingError
from .findings import Analysis
from .reader import Entry, Recording, read_recording
from .writer import Recorder

__all__ = ["Analysis", "Entry", "Recorder", "Recording", "RecordingError", "analyse", "read_recording"]
