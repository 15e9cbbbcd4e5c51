"""Recognises files that cannot be read as a conversation, and says what to do."""

from __future__ import annotations

import re

__all__ = ["cut_off", "foreign"]

FIRST = 1 << 16  # bytes that are looked at

# Files that hold frames which some shape would read, but not as they were sent: they would be another conversation.
_CUT = (
    (
        re.compile(rb"\A\d{1,12}:\d{1,6}:[A-Za-z]"),
        "this is a flow file of mitmproxy: its option hardump makes a HAR file of it (mitmdump -n -r, --set hardump=call.har)",
    ),
    (
        re.compile(rb" [<>%] (?:TEXT|BINARY|CONT) [^\n]*\[(?:continued, )?\d+ bytes"),
        "this is the debug log of websockets, which cuts long frames: what it left out is lost; record the next call (Recorder)",
    ),
)

# Shapes that no reader here takes, by their first bytes.
_FOREIGN = (
    (
        re.compile(rb"\wEvent\((?:[a-z_]+=|[^\n]{0,2000}?\btype='[a-z_.]+')"),
        "these are events as Python prints the openai SDK's objects: print event.model_dump_json() instead of event",
    ),
    (
        re.compile(rb"^[ \t]*+(?:\{[ \t]*+)?type: '[a-z_.]+'", re.MULTILINE),
        "these are objects as Node prints them, which cuts what is long or deep: print JSON.stringify(event) instead of event",
    ),
    (
        re.compile(rb"^[ \t]*+(?:- )?type: [\"']?[a-z_]+\.[a-z_.]+[\"']?[ \t\r]*+$", re.MULTILINE),
        "this is YAML: save each frame as a line of JSON instead",
    ),
    (re.compile(rb'"\{""type""'), "this is CSV: save each frame as a line of JSON instead"),
)


def cut_off(head: bytes) -> str | None:
    """What the first bytes of a file are, if each of its frames has lost a part, and what to do."""
    return next((words for pattern, words in _CUT if pattern.search(head, 0, FIRST)), None)


def foreign(head: bytes) -> str | None:
    """What the first bytes of a file are, if no frame was found in them, and what to do; None if nobody knows."""
    return next((words for pattern, words in _FOREIGN if pattern.search(head, 0, FIRST)), None)
