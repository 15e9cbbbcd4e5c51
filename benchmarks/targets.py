"""What to reach: the speed table of the design, a row here for each row there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .peers import CPP, FLOOR, JOIN, ONLY, OURS, OUT_EXACT

AUDIO_CASE = "audio: 16.2 kB"
LARGE_CASE = "audio: 73.8 kB"
TEXT_CASE = "text: 220 B delta"
SESSION_CASE = "session: decode_stream"
DROPPED_CASE = "kept: dropped at once"
BY_HAND = "orjson + pybase64"
FASTEST = "pysimdjson + fastpybase64"


@dataclass(frozen=True, slots=True)
class Target:
    """One row. The value is the peer's time over the base's of the same case, at least ``goal``; with ``share`` it is told the
    other way round, and is at most ``goal``: our time over the peer's, ours in one case over ours in another (``over``), or
    the time of a way of ours (``peer``) over that of the usual way. ``goal`` is by tier; a tier that has none is only told."""

    text: str
    case: str
    peer: str = OURS
    goal: Mapping[str, float] = field(default_factory=dict)
    share: bool = False
    over: str = ""


def _goals(avx512vbmi: float | None, avx2: float) -> dict[str, float]:
    return {"avx2": avx2} if avx512vbmi is None else {"avx512vbmi": avx512vbmi, "avx2": avx2}


TARGETS = (
    Target("16.2 kB frame: C++", AUDIO_CASE, CPP, _goals(3, 3)),
    Target("16.2 kB frame: fastest Python packages", AUDIO_CASE, FASTEST, _goals(6.5, 5)),
    Target("16.2 kB frame: orjson + pybase64", AUDIO_CASE, BY_HAND, _goals(11, 7.5)),
    Target("16.2 kB frame: openai SDK", AUDIO_CASE, "openai SDK", _goals(165, 105)),
    Target("16.2 kB frame, of a copy's time", AUDIO_CASE, FLOOR, _goals(1.3, 1.9), share=True),
    Target("73.8 kB frame, of a copy's time", LARGE_CASE, FLOOR, _goals(0.95, 1.5), share=True),
    Target("220 B delta: msgspec", TEXT_CASE, "msgspec", _goals(2.5, 2.4)),
    Target("220 B delta: orjson.loads", TEXT_CASE, "orjson.loads alone", _goals(4, 3.8)),
    Target("session through decode_stream: orjson + pybase64", SESSION_CASE, BY_HAND, _goals(5, 5.5)),
    Target("session through decode_stream: openai SDK", SESSION_CASE, "openai SDK", _goals(130, 105)),
    Target("session.created, one nested field: msgspec", "cold: session.created", "msgspec", _goals(1, 1)),
    Target("response.done, one nested field: msgspec", "cold: response.done", "msgspec", _goals(1, 1)),
    Target("40 arrays kept, of dropping each", "kept: 40 kept", goal=_goals(None, 1.3), share=True, over=DROPPED_CASE),
    Target("1,000 arrays kept, of dropping each", "kept: 1,000 kept", goal=_goals(None, 1.6), share=True, over=DROPPED_CASE),
    Target("`.delta` of 16.2 kB, of a copy's time", "delta_text: 16.2 kB audio", FLOOR, _goals(None, 1.3), share=True),
    Target("left out by `only=`, 220 B, of decoding", "left_out: 220 B delta", ONLY, _goals(None, 0.6), share=True),
    Target("left out by `only=`, 16.2 kB, of decoding", "left_out: 16.2 kB audio", ONLY, _goals(None, 0.4), share=True),
    Target("`[1e5,...]`: msgspec skipping", "numbers: [1e5,...]", "msgspec", _goals(None, 1)),
    Target("`[1.25e10,...]`: msgspec skipping", "numbers: [1.25e10,...]", "msgspec", _goals(None, 1)),
    Target("`[123,...]`: msgspec skipping", "numbers: [123,...]", "msgspec", _goals(None, 1)),
    Target("encode 20 ms of int16: pybase64 + join", "encode: int16, 20 ms", JOIN, _goals(None, 3)),
    Target("encode 100 ms of int16: pybase64 + join", "encode: int16, 100 ms", JOIN, _goals(None, 2)),
    Target("1,000 sessions, caches cold, p50: orjson + pybase64", "paced: session mix, p50", BY_HAND, _goals(None, 4)),
    Target("1,000 sessions, caches cold, p99: orjson + pybase64", "paced: session mix, p99", BY_HAND, _goals(None, 4)),
    # Said beside the table.
    Target("the same, frames just received, p50: orjson + pybase64", "paced: session mix, just received, p50", BY_HAND),
    Target("the same, frames just received, p99: orjson + pybase64", "paced: session mix, just received, p99", BY_HAND),
    Target("encode 20 ms of int16: the SDK's append", "encode: int16, 20 ms", "openai, append", _goals(None, 400)),
    Target(
        "encode 20 ms of float32, of int16",
        "encode: float32, 20 ms",
        goal=_goals(1.5, 1.5),
        share=True,
        over="encode: int16, 20 ms",
    ),
    Target("`out=`, exactly sized, of decoding without", "out: 16.2 kB audio", OUT_EXACT, _goals(1.03, 1.03), share=True),
)
# decode_stream over Decoder.decode in a loop, and milliseconds of import beyond NumPy's own: no more than these.
STREAM_CASES = ("stream: 220 B deltas", "stream: voice session")
STREAM_AT_MOST = 1.0
IMPORT_MS_AT_MOST = 20.0
# Page faults a message once warm, with 1,000 arrays kept: none, but for one now and then (a list that grows).
FAULTS_CASE = "kept: 1,000 kept"
FAULTS_AT_MOST = 0.01
