"""The faults that the loopback server makes on request, and the requests in the query of a client's URL."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from ..terminal import shown_name

__all__ = ["FAULTS", "REFUSALS", "Fault", "Wishes", "bad_base64", "null_delta", "other_name", "payload_key", "twin"]

# A fault happens before the audio delta whose number it names; what it does to text happens before a delta of text, too. All of
# the answer is sent, unless the response or the connection ends. REFUSALS happen to the handshake, _WHOLE to the response or the
# spoken turn whose number they name.
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
    "close_mid_delta": "the server fails in the middle of an audio delta, of which it sends half",
    "session_expired": "the session has reached its longest duration, and ends",
    "response_failed": "the response fails",
    "response_incomplete": "the response ends as incomplete: it has no more tokens",
    "rate_limit": "the response number N, from 0, fails before its first delta: too many tokens",
    "transcription_failed": "the spoken turn number N, from 0, cannot be transcribed",
    "slow_audio": "from here on, audio takes twice as long as it plays",
    "two_names": "from here on, every audio delta also under its other name, GA or beta",
    "http_401": "the handshake is refused: the key is wrong",
    "http_429": "the handshake is refused: too many requests",
}
REFUSALS = {
    "http_401": (401, "invalid_api_key", "Incorrect API key provided."),
    "http_429": (429, "rate_limit_exceeded", "Rate limit reached for requests. Please try again in 1s."),
}
_WHOLE = ("rate_limit", "transcription_failed")
_OTHER_NAMES = {
    "response.output_audio.delta": "response.audio.delta",
    "response.audio.delta": "response.output_audio.delta",
}


class Fault(NamedTuple):
    """The fault `kind` of FAULTS, before the audio delta number `at`, counted from 0."""

    kind: str
    at: int = 2

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Reads `close_1011` or `close_1011@5`."""
        kind, separator, at = text.partition("@")
        if kind not in FAULTS:
            raise ValueError(f"unknown fault {shown_name(repr(kind))}: known are {', '.join(FAULTS)}")
        if separator and not (at.isdecimal() and len(at) < 10):
            raise ValueError(f"fault {kind!r}: after the @ comes the number of an audio delta, from 0")
        return cls(kind, int(at) if separator else 0 if kind in _WHOLE else 2)


class Wishes(NamedTuple):
    """The query of a client's URL. pace, interrupt: None if absent. transcribe: whether it wants transcripts only."""

    faults: list[Fault]
    pace: float | None
    autoplay: bool
    interrupt: float | None
    transcribe: bool

    @classmethod
    def parse(cls, url: str) -> Wishes:
        """Raises ValueError for an unknown fault, and for a pace or an interrupt that is not a number of 0 or more."""
        query = parse_qs(urlsplit(url).query)
        faults = [*map(Fault.parse, query.get("fault", []))]
        autoplay, transcribe = query.get("autoplay") == ["1"], query.get("intent") == ["transcription"]
        return cls(faults, _number(query, "pace"), autoplay, _number(query, "interrupt"), transcribe)


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
    """The key of the payload in an audio message; "delta" if it has none."""
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
    """A copy of the audio message, for a second response."""
    return _dump({**json.loads(delta), "response_id": "resp_loopback2", "item_id": "item_loopback2"})


def other_name(delta: str) -> str:
    """The audio message under its other wire name."""
    event = json.loads(delta)
    return _dump({**event, "type": _OTHER_NAMES.get(event["type"], event["type"])})
