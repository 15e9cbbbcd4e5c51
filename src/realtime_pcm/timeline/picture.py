"""A scene as PNG, by matplotlib (the extra `plot`)."""

from __future__ import annotations

import warnings
from typing import Any, BinaryIO

from .scene import SIZES, STYLES, Line, Polygon, Rect, Scene

__all__ = ["png", "require_matplotlib"]

SHARPNESS = 2  # pixels of the file a pixel of the scene
MOST_PIXELS = 12_000  # on one side: broader pictures are drawn less sharply


def require_matplotlib() -> None:
    """Raises ModuleNotFoundError, which says what to install, without matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ModuleNotFoundError(
            'a .png needs matplotlib: pip install "realtime-pcm[plot]"; .svg and .html need nothing', name="matplotlib"
        ) from None


def png(scene: Scene, file: BinaryIO, *, dark: bool = False) -> None:
    """Draws a scene and writes it to a file."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    sharpness = min(SHARPNESS, MOST_PIXELS / max(scene.width, scene.height))
    figure = Figure(figsize=(scene.width / 100, scene.height / 100), dpi=100 * sharpness)
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    for order, shape in enumerate(scene.shapes):
        style = STYLES[shape.style]
        color = style.dark if dark else style.light
        options: dict[str, Any] = {"zorder": order, "alpha": style.opacity}
        if isinstance(shape, Polygon):
            axes.add_collection(PolyCollection([shape.points], facecolors=color, linewidths=0, **options))
        elif isinstance(shape, Rect):
            axes.add_patch(Rectangle((shape.x, shape.y), shape.width, shape.height, facecolor=color, linewidth=0, **options))
        elif isinstance(shape, Line):
            dash: Any = (0, tuple(float(part) for part in style.dash.split())) if style.dash else "-"
            line = {"color": color, "linewidth": style.width * 0.72, "linestyle": dash, **options}
            axes.plot([shape.x1, shape.x2], [shape.y1, shape.y2], **line)
        else:
            pixels, bold = SIZES[shape.size]
            align = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
            # parse_math: a text of a recording may hold dollar signs.
            axes.text(
                shape.x, shape.y, shape.text, fontsize=pixels * 0.72 * 0.93, fontweight="bold" if bold else "normal", color=color,
                ha=align, va="baseline", parse_math=False, family=_fonts(), **options,
            )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box is drawn
        figure.savefig(file, format="png")


_known: list[str] = []


def _fonts() -> list[str]:
    """DejaVu Sans, which comes with matplotlib, and installed fonts for other scripts."""
    if not _known:
        from matplotlib import font_manager

        names = {font.name for font in font_manager.fontManager.ttflist}
        others = [name for name in sorted(names) if name.startswith(("Noto Sans CJK", "Noto Sans Arabic", "Noto Sans Hebrew"))]
        _known.extend(["DejaVu Sans", *others[:4]])
    return _known
