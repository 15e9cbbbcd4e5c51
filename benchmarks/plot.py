"""The charts: time per message of every peer as a multiple of ours, and CPU time per call.

Times per message need a logarithmic axis. It has no zero for bars to begin at, so that chart has dots. Text stays text, and one
file serves light and dark pages: a style sheet inside it replaces the colours."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .calls import FLOOR as CALL_FLOOR, OURS as OUR_CALLS, Calls
from .peers import CPP_AVX2, OURS
from .records import CaseResult, Run
from .report import ratio_text, time_text
from .targets import AUDIO_CASE, SESSION_CASE, TEXT_CASE

PANELS = ((AUDIO_CASE, "16.2 kB of audio"), (TEXT_CASE, "220 B of text"), (SESSION_CASE, "whole session, a message"))
INK, FAINT, BAND, PAPER, OUR_DOT, DOT = "#1f2328", "#d1d9e0", "#f1f3f5", "#ffffff", "#0b7285", "#c2570c"
DARK = {INK: "#f0f6fc", FAINT: "#3d444d", BAND: "#1a2029", PAPER: "#0d1117", OUR_DOT: "#3bc9db", DOT: "#ff922b"}
SETTINGS = {
    "svg.hashsalt": "realtime-pcm", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "text.color": INK,
    "axes.edgecolor": FAINT, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.facecolor": PAPER,
    "figure.facecolor": PAPER, "savefig.facecolor": PAPER,
}  # fmt: skip
WIDTH, ROW = 8.6, 0.25  # inches; at the README's width a point is a third more than a pixel


def svg(run: Run, path: Path) -> None:
    """The best tier; each peer's time over ours on a logarithmic axis that all three panels share, the time beside the dot."""
    cases = [run.find(run.best_tier, key) for key, _ in PANELS]
    rows = _rows([case for case in cases if case])
    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(1, len(PANELS), sharey=True, sharex=True, figsize=(WIDTH, 0.95 + ROW * len(rows)))
        figure.subplots_adjust(
            left=0.235, right=0.975, top=1 - 0.5 / (0.95 + ROW * len(rows)), bottom=0.55 / (0.95 + ROW * len(rows))
        )
        for axis, case, (_, title) in zip(axes, cases, PANELS, strict=True):
            _panel(axis, case, rows, title)
        axes[0].set_yticks(range(len(rows)), rows)
        axes[0].set_ylim(len(rows) - 0.4, -0.6)
        machine = run.machine
        figure.text(
            0.99,
            0.02,
            f"Time over ours (less is faster). {machine.cpu}, {run.best_tier}, {machine.python}",
            ha="right",
            fontsize=8.5,
        )
        _save(figure, path)


def calls_svg(calls: Calls, path: Path) -> None:
    """CPU time per call as bars on one axis from zero; ours in its own colour, the cost of the connection alone faint."""
    rows = calls.rows()
    least = rows.get(OUR_CALLS[-1])
    with plt.rc_context(SETTINGS):
        height = 0.75 + 0.3 * len(rows)
        figure, axis = plt.subplots(figsize=(WIDTH, height))
        figure.subplots_adjust(left=0.29, right=0.985, top=1 - 0.4 / height, bottom=0.35 / height)
        for place, (name, cost) in enumerate(rows.items()):
            colour = OUR_DOT if name in OUR_CALLS else FAINT if name == CALL_FLOOR else DOT
            axis.barh(place, cost, height=0.62, color=colour)
            times = f", {ratio_text(cost / least)}" if least and name not in OUR_CALLS and name != CALL_FLOOR else ""
            axis.annotate(f"{cost:.2f} ms{times}", (cost, place), (6, 0), textcoords="offset points", va="center", fontsize=8.5)
        axis.set_yticks(range(len(rows)), list(rows))
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_xlim(0, 1.22 * max(rows.values()))
        axis.set_xticks([])
        axis.tick_params(length=0)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        figure.text(
            0.015,
            1 - 0.25 / height,
            "CPU time of the client for a call of 4.2 s, both ways, and how many times that of realtime_pcm.client",
            fontsize=10,
        )
        note = f"Less is better. {calls.machine.cpu}, {calls.machine.python}"
        figure.text(0.985, 0.1 / height, note, ha="right", fontsize=8.5)
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    path.write_text(_for_both_pages(text.getvalue()), encoding="utf-8")


def _rows(cases: list[CaseResult]) -> list[str]:
    """The peers, fastest first by the first panel that has them; ours and decode_stream are one row."""
    place: dict[str, float] = {}
    for case in cases:
        for name, cell in case.cells.items():
            if cell.minimum and name != CPP_AVX2:
                place.setdefault(OURS if name == case.base else name, 1 if name == case.base else cell.ratio or 0)
    return sorted(place, key=lambda name: place[name])


def _panel(axis: Axes, case: CaseResult | None, rows: list[str], title: str) -> None:
    axis.set_title(title, fontsize=10)
    axis.set_xscale("log")
    axis.set_xlim(0.3, 4_000)
    axis.xaxis.set_major_locator(LogLocator(numticks=6))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    axis.tick_params(length=0)
    axis.set_axisbelow(True)
    axis.grid(axis="x", color=FAINT, linewidth=0.6)
    for band in range(0, len(rows), 2):
        axis.axhspan(band - 0.5, band + 0.5, color=BAND, linewidth=0, zorder=-1)
    axis.axvline(1, color=OUR_DOT, linewidth=1)
    axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
    for name, cell in case.cells.items() if case else ():
        row = OURS if case and name == case.base else name
        if not cell.minimum or row not in rows:
            continue
        ratio = 1.0 if row == OURS else cell.ratio or 0
        axis.plot(ratio, rows.index(row), "o", markersize=5.5, color=OUR_DOT if row == OURS else DOT)
        note = time_text(cell.minimum) + ("" if row == OURS else f", {ratio_text(ratio)}")
        where, offset = ("right", -6) if ratio > 80 else ("left", 6)
        place = (max(ratio, 1) if where == "left" else ratio, rows.index(row))  # the text never crosses the line of ours
        axis.annotate(note, place, (offset, 0), textcoords="offset points", va="center", ha=where, fontsize=8)


def _for_both_pages(svg: str) -> str:
    """Names instead of colours, which a style sheet fills in by the reader's setting."""
    names = {colour: f"c{number}" for number, colour in enumerate(DARK)}
    light = "".join(f"--{name}:{colour};" for colour, name in names.items())
    dark = "".join(f"--{name}:{DARK[colour]};" for colour, name in names.items())
    for colour, name in names.items():
        svg = svg.replace(colour, f"var(--{name})")
    style = f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}text{{fill:var(--c0)}}</style>"
    svg = svg.replace(" \nL", " L").replace(" \nz", " z")
    head, end, rest = svg.partition(" <defs>")
    return head + f" {style}\n" + end + rest
