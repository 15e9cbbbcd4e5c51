"""The plot: three panels, one for each thing a client does all day."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from .peers import FLOOR, OURS
from .records import CaseResult, Run
from .report import ratio_text, time_text
from .targets import AUDIO_CASE, SESSION_CASE, TEXT_CASE

COLOURS = {OURS: "#0b7285", FLOOR: "#adb5bd"}
OTHERS = "#e8a33d"


def svg(run: Run, path: Path) -> None:
    """GB/s of frame for audio, messages a second for text and for whole sessions; the best tier, on a logarithmic axis."""
    panels = (
        (AUDIO_CASE, "16.2 kB audio frame, GB/s of frame"),
        (TEXT_CASE, "220 B text delta, messages/s"),
        (SESSION_CASE, "whole voice session, messages/s"),
    )
    plt.rcParams.update({"svg.hashsalt": "realtime-pcm", "svg.fonttype": "path", "font.size": 9})
    figure, axes = plt.subplots(1, len(panels), figsize=(13.5, 4.2), layout="constrained")
    for axis, (key, title) in zip(axes, panels, strict=True):
        case = run.find(run.best_tier, key)
        if case:
            _panel(axis, case, title, per_byte=key == AUDIO_CASE)
    machine = run.machine
    figure.suptitle(f"{machine.cpu}, {run.best_tier}, {machine.python}; x: time of the peer over ours", fontsize=9)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _panel(axis: Axes, case: CaseResult, title: str, *, per_byte: bool) -> None:
    bars = sorted(((name, cell) for name, cell in case.cells.items() if cell.minimum), key=lambda bar: -bar[1].minimum)
    values = [case.frame_bytes / cell.minimum if per_byte else 1e9 / cell.minimum for _, cell in bars]
    axis.barh([name for name, _ in bars], values, color=[COLOURS.get(name, OTHERS) for name, _ in bars])
    for place, ((name, cell), value) in enumerate(zip(bars, values, strict=True)):
        note = time_text(cell.minimum)
        if name != OURS and cell.ratio is not None:
            note += f", {ratio_text(cell.ratio)}"
        axis.text(value * 1.08, place, note, va="center", fontsize=7.5)
    axis.set_xscale("log")
    axis.set_xlim(min(values) / 2, max(values) * 9)  # room for the notes
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
