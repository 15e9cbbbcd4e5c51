"""Recordings of Realtime conversations: JSON lines, plain or compressed by gzip or zstd.

    with Recorder("call.jsonl.gz") as record:
        record.received(message)
        record.sent(frame)

    for entry in read_recording("call.jsonl.gz"):
        entry.line, entry.time, entry.direction, entry.message, entry.error

The first line of a recording names its version and the wall time. Each further line is one frame:
`{"time": seconds since then, "direction": "received" or "sent", "event": the frame}`. A frame that is not a JSON object with a
"type" is written as base64 to "raw", with its "error". `read_recording` reads other people's logs too: `shapes`.
`analyse` reports turns and their latency, interruptions, tools and problems.
"""

from __future__ import annotations

from .analysis import analyse
from .files import RecordingError
from .findings import Analysis
from .reader import Entry, Recording, read_recording
from .writer import Recorder

__all__ = ["Analysis", "Entry", "Recorder", "Recording", "RecordingError", "analyse", "read_recording"]
