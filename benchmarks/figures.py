"""The figures of docs/benchmarks.md, written from a recorded run: a column per tier, and in words where others are faster."""

from __future__ import annotations

import textwrap

from . import machine
from .calls import PACKAGES, Calls
from .peers import CPP, FLOOR
from .records import Run
from .report import ratio_text, table, time_text
from .targets import AUDIO_CASE, BY_HAND, FASTEST, SESSION_CASE, TEXT_CASE

PATH = machine.ROOT / "docs" / "benchmarks.md"
LATEST = "https://github.com/realtime-pcm/realtime-pcm/blob/main/benchmarks/results/latest.md"
TIER_NAMES = {"avx512vbmi": "AVX-512", "avx2": "AVX2", "ssse3": "SSSE3", "neon": "NEON", "scalar": "scalar"}
ROWS = {
    AUDIO_CASE: {
        FLOOR: "`bytearray(frame)`, which only copies",
        CPP: "C++: simdjson On-Demand + simdutf",
        FASTEST: "pysimdjson + fastpybase64",
        BY_HAND: "orjson + pybase64 (canonical)",
        "pydantic-core": "pydantic-core, tagged union",
        "openai SDK": "openai SDK's `parse_event` + base64 + NumPy",
    },
    TEXT_CASE: {
        CPP: "C++",
        "msgspec": "msgspec, tagged union",
        "orjson.loads alone": "`orjson.loads` alone",
        "openai SDK": "openai SDK",
    },
    SESSION_CASE: {CPP: "C++", BY_HAND: "orjson + pybase64", "openai SDK": "openai SDK"},
}
WHAT = {AUDIO_CASE: "**16.2 kB frame**", TEXT_CASE: "**220-byte delta**", SESSION_CASE: "**a message of a session**"}


def write(run: Run) -> None:
    _put("benchmarks", section(run))


def _put(name: str, section: str) -> None:
    """Replaces a section of the page."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = PATH.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{PATH.name} has no place for the figures: {begin} ... {end}")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    PATH.write_text(f"{head}{begin}\n{section}\n{end}{tail}", encoding="utf-8")


def section(run: Run) -> str:
    packages = run.machine.packages
    versions = ", ".join(
        f"{_title(name)} {packages[name]}"
        for name in ("numpy", "orjson", "pybase64", "msgspec", "pysimdjson", "pydantic-core", "openai")
        if name in packages
    )
    busy = ""
    if run.machine.load is not None and run.machine.load > 0.5:
        busy = f" Other programs were running on its {run.machine.cores} cores."
    what = (
        "The first row of each group is our time on each tier; the other rows are multiples of it. A *16.2 kB frame* holds 250 ms"
        " of speech: its type, ids and samples are read. A *220-byte delta* holds text. *A message of a session* is the average"
        " over a recorded session, read through `decode_stream`."
    )
    how = (
        f"Measured on {run.machine.cpu} with {run.machine.python}, {versions}.{busy} The"
        f" [whole report]({LATEST}) of this run has every case, with medians."
    )
    lines = [what, "", _figures(run), "", _where_others_win(run), "", how]
    return "\n".join(wrapped for line in lines for wrapped in _wrap(line))


def _figures(run: Run) -> str:
    rows = []
    for key, peers in ROWS.items():
        bases = [run.find(tier, key) for tier in run.tiers]
        ours = [case.cells.get(case.base) if case else None for case in bases]
        rows.append([f"{WHAT[key]}: realtime-pcm", *(time_text(cell.minimum) if cell and cell.minimum else "-" for cell in ours)])
        for peer, text in peers.items():
            cells = [run.cell(tier, key, peer) for tier in run.tiers]
            rows.append([text, *(ratio_text(cell.ratio) if cell and cell.ratio else "-" for cell in cells)])
    return table(["", *(TIER_NAMES.get(tier, tier) for tier in run.tiers)], rows)


def write_calls(calls: Calls) -> None:
    """The table of whole calls, and how it was measured."""
    packages = calls.machine.packages
    versions = ", ".join(f"{name} {packages[name]}" for name in PACKAGES if name in packages)
    what = (
        "A whole call over a real connection, both ways, while the caller speaks all the time. *CPU per call* is the client's CPU"
        " time for 4.2 s of it. *Calls per core* is how many calls one core can receive at real-time pace with 99 of 100 messages"
        " at most 20 ms late. It was found to within an eighth. The last row sends texts made in advance and decodes nothing:"
        " the cost of the connection alone."
    )
    rows = []
    for name, cost in calls.rows().items():
        held = calls.capacity.get(name)
        rows.append([name, f"{cost:.2f} ms", "" if held is None else f"{held:,.0f}"])
    how = f"Measured on {calls.machine.cpu} with {calls.machine.python}, {versions}."
    lines = [what, "", table(["", "CPU per call", "calls per core"], rows), "", how]
    _put("calls", "\n".join(wrapped for line in lines for wrapped in _wrap(line)))


def _where_others_win(run: Run) -> str:
    """The cases in which C++ is faster, tier by tier, and how much of our time it takes."""
    found = []
    for key, what in ((AUDIO_CASE, "16.2 kB frames"), (TEXT_CASE, "220-byte deltas"), (SESSION_CASE, "Whole sessions")):
        shares = []
        for tier in run.tiers:
            cell = run.cell(tier, key, CPP)
            if cell and cell.ratio and cell.ratio < 1:
                shares.append(f"{TIER_NAMES.get(tier, tier)} {cell.ratio:.2f}")
        if shares:
            found.append(f"{what}: {', '.join(shares)}.")
    if not found:
        return "C++ is slower in every row."
    return (
        "C++ is faster in some cases. It then takes these shares of our time. "
        + " ".join(found)
        + " It makes no Python objects: its ids are views that the next frame overwrites. It always runs on the best"
        " instruction set of the CPU."
    )


def _title(package: str) -> str:
    return {"numpy": "NumPy"}.get(package, package)


def _wrap(line: str) -> list[str]:
    """Lines of at most 130 characters; tables and pictures stay whole."""
    if line.startswith(("|", "!")):
        return line.split("\n")
    return textwrap.wrap(line, 130, break_long_words=False, break_on_hyphens=False) or [""]
