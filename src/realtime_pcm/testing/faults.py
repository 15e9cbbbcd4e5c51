"""What the loopback server does wrong when it is asked to, and what the query of a client's URL asks for."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from ..terminal import shown_name

__all__ = ["FAULTS", "Fault", "Wishes", "bad_base64", "null_delta", "payload_key", "twin"]

# A fault happens before the audio delta whose number it names. All of the recording is sent, unless the connection ends.
FAULTS = {
    "unknown_type": "a message of a type nobody has heard of",
    "bad_base64": "an audio delta that is not base64",
    "null_delta": "an audio delta whose payload is null",
    "error_event": "an error event",
    "late": "a pause of 300 ms",
    "duplicate": "the audio delta twice",
    "interleaved": "from here on, every audio delta also for a second response",
    "binary": "from here on, messages as binary frames",
    "close_1001": "the server goes away",
    "close_1009": "the server calls a message too big",
    "close_1011": "the server fails",
    "cut": "the TCP connection is cut without a close frame",
}


class Fault(NamedTuple):
    """The fault `kind` of FAULTS, before the audio delta number `at`, counted from 0."""

    kind: str
    at: int = 2

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`close_1011`, or `close_1011@5`."""
        kind, separator, at = text.partition("@")
        if kind not in FAULTS:
            raise ValueError(f"unknown fault {shown_name(repr(kind))}: known are {', '.join(FAULTS)}")
        if separator and not (at.isdecimal() and len(at) < 10):
            raise ValueError(f"fault {kind!r}: after the @ comes the number of an audio delta, from 0")
        return cls(kind, int(at)) if separator else cls(kind)


class Wishes(NamedTuple):
    """What the query of a client's URL asks for. pace, interrupt: None where the query has none."""

    faults: list[Fault]
    pace: float | None
    autoplay: bool
    interrupt: float | None

    @classmethod
    def parse(cls, url: str) -> Wishes:
        """Raises ValueError for an unknown fault, and for a pace or an interrupt that is not a number of 0 or more."""
        query = parse_qs(urlsplit(url).query)
        faults = [*map(Fault.parse, query.get("fault", []))]
        return cls(faults, _number(query, "pace"), query.get("autoplay") == ["1"], _number(query, "interrupt"))


def _number(query: dict[str, list[str]], name: str) -> float | None:
    if name not in query:
        return None
    try:
        number = float(query[name][0])
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ValueError(f"{name} is a number, 0 or more")
    return number


def _dump(event: object) -> str:
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def payload_key(event: dict[str, object]) -> str:
    """The key of an audio message under which its payload stands; "delta" where it has none."""
    return next((key for key in ("delta", "audio") if isinstance(event.get(key), str)), "delta")


def bad_base64(delta: str) -> str:
    """The audio message with a payload that is not base64."""
    event = json.loads(delta)
    key = payload_key(event)
    return _dump({**event, key: "AAA*" + str(event[key])[4:]})


def null_delta(delta: str) -> str:
    """The audio message with null as its payload."""
    event = json.loads(delta)
    return _dump({**event, payload_key(event): None})


def twin(delta: str) -> str:
    """The same audio message once more, for a second response."""
    return _dump({**json.loads(delta), "response_id": "resp_loopback2", "item_id": "item_loopback2"})
