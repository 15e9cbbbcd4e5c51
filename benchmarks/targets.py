"""What to reach: the speed table of the design, as data. A ratio is the peer's time over ours, so that more is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .peers import CPP, FLOOR, OURS, STREAM


@dataclass(frozen=True, slots=True)
class Target:
    """``at_least`` by tier; the text is how the design says it, ``dream`` what lies beyond."""

    text: str
    case: str
    peer: str
    at_least: Mapping[str, float]
    dream: float | None = None


def _both(value: float) -> dict[str, float]:
    return {"avx512vbmi": value, "avx2": value}


AUDIO_CASE = "audio: 16.2 kB"
TEXT_CASE = "text: 220 B delta"
SESSION_CASE = "session: voice session"

TARGETS = (
    Target("16.2 kB frame, orjson + pybase64 by hand", AUDIO_CASE, "orjson + pybase64", {"avx512vbmi": 15, "avx2": 8}),
    Target("16.2 kB frame, fastest Python packages", AUDIO_CASE, "pysimdjson + fastpybase64", {"avx512vbmi": 6, "avx2": 3}, 8),
    Target("16.2 kB frame, openai SDK", AUDIO_CASE, "openai SDK", {"avx512vbmi": 200, "avx2": 120}),
    Target("16.2 kB frame, plain copy of the frame", AUDIO_CASE, FLOOR, {"avx512vbmi": 1 / 1.25, "avx2": 1 / 2.2}, 1),
    Target("16.2 kB frame, C++", AUDIO_CASE, CPP, {"avx512vbmi": 2.5, "avx2": 1.5}),
    Target("220 B delta, msgspec tagged union", TEXT_CASE, "msgspec", _both(2)),
    Target("220 B delta, orjson.loads alone", TEXT_CASE, "orjson.loads alone", _both(3)),
    Target("whole voice session, openai SDK", SESSION_CASE, "openai SDK", _both(180)),
    Target("whole voice session, orjson + pybase64 by hand", SESSION_CASE, "orjson + pybase64", _both(8)),
)
# decode_stream over Decoder.decode in a loop, and milliseconds of import beyond NumPy's own: no more than these.
STREAM_CASES = ("stream: 220 B deltas", "stream: voice session")
STREAM_AT_MOST = 1.0
STREAM_PAIR = (OURS, STREAM)
IMPORT_MS_AT_MOST = 20.0
