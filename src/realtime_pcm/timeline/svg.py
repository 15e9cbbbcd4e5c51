"""A scene as SVG, with escaped text, and light and dark styles for the reader's system."""

from __future__ import annotations

import html
from collections.abc import Iterator

from .scene import SIZES, STYLES, Line, Polygon, Rect, Scene, Text

__all__ = ["MARGIN", "css", "svg", "svg_of_page"]

MARGIN = 60  # pixels on the left that hold the labels of the lanes


def css() -> str:
    """The styles of a scene, for light and dark."""
    light = [_rule(name, style.light) for name, style in STYLES.items()]
    dark = [_rule(name, style.dark) for name, style in STYLES.items()]
    fixed = []
    for name, style in STYLES.items():
        parts = [f"opacity:{style.opacity:g}"] if style.opacity != 1 else []
        if style.stroke:
            parts += ["fill:none", f"stroke-width:{style.width:g}"]
            parts += [f"stroke-dasharray:{style.dash}"] if style.dash else []
        fixed += [f".p-{name}{{{';'.join(parts)}}}"] if parts else []
    sizes = [f".s-{name}{{font-size:{pixels}px{';font-weight:700' if bold else ''}}}" for name, (pixels, bold) in SIZES.items()]
    base = (
        ".timeline text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
        "direction:ltr;unicode-bidi:isolate}"
    )
    return "".join([base, *light, *fixed, *sizes, "@media (prefers-color-scheme:dark){", *dark, "}"])


def _rule(name: str, color: str) -> str:
    return f".p-{name}{{{'stroke' if STYLES[name].stroke else 'fill'}:{color}}}"


def svg(scene: Scene) -> Iterator[str]:
    """The pieces of an SVG file."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield _opening(0, scene.width, scene.height, f'role="img" aria-label="Timeline of {html.escape(scene.title)}"')
    yield f"<title>{html.escape(scene.title)}</title>\n<style>{css()}</style>\n"
    for shape in scene.shapes:
        yield _element(shape) + "\n"
    yield "</svg>\n"


def svg_of_page(scene: Scene) -> Iterator[str]:
    """The pieces of two SVGs: the labels of the lanes, which stay in view, and the rest, which scrolls and has a cursor.

    The second begins at the x of MARGIN.
    """
    yield _opening(0, MARGIN, scene.height, 'id="labels" aria-hidden="true"')
    yield from (_element(shape) + "\n" for shape in scene.shapes if _is_label(shape))
    yield "</svg>"
    yield _opening(
        MARGIN, scene.width, scene.height, f'id="lanes" role="img" aria-label="Timeline of {html.escape(scene.title)}"'
    )
    yield from (_element(shape) + "\n" for shape in scene.shapes if not _is_label(shape))
    yield f'<line id="cursor" x1="{scene.left:g}" y1="{scene.top - 6:g}" x2="{scene.left:g}" y2="{scene.bottom:g}"/>\n'
    yield "</svg>\n"


def _is_label(shape: object) -> bool:
    return isinstance(shape, Text) and shape.size == "label"


def _opening(left: float, right: float, height: float, attributes: str) -> str:
    size = f'width="{right - left:g}" height="{height:g}" viewBox="{left:g} 0 {right - left:g} {height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" {size} {attributes}>\n'


def _element(shape: Rect | Line | Polygon | Text) -> str:
    if isinstance(shape, Polygon):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        return f'<polygon class="p-{shape.style}" points="{points}"/>'
    title = f"<title>{html.escape(shape.title)}</title>" if shape.title else ""
    if isinstance(shape, Rect):
        box = f'x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}"'
        return f'<rect class="p-{shape.style}" {box}>{title}</rect>' if title else f'<rect class="p-{shape.style}" {box}/>'
    if isinstance(shape, Line):
        ends = f'x1="{shape.x1:.1f}" y1="{shape.y1:.1f}" x2="{shape.x2:.1f}" y2="{shape.y2:.1f}"'
        return f'<line class="p-{shape.style}" {ends}>{title}</line>' if title else f'<line class="p-{shape.style}" {ends}/>'
    anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
    place = f'x="{shape.x:.1f}" y="{shape.y:.1f}"{anchor}'
    return f'<text class="p-{shape.style} s-{shape.size}" {place}>{html.escape(shape.text)}{title}</text>'
