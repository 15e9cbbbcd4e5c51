"""A scene as SVG: all text escaped, all styles by class, light and dark by what the reader's system prefers."""

from __future__ import annotations

import html
from collections.abc import Iterator

from .scene import SIZES, STYLES, Line, Polygon, Rect, Scene, Text

__all__ = ["css", "svg"]


def css() -> str:
    """The styles of a scene, for the light and for the dark."""
    light = [_rule(name, style.light) for name, style in STYLES.items()]
    dark = [_rule(name, style.dark) for name, style in STYLES.items()]
    fixed = []
    for name, style in STYLES.items():
        parts = [f"opacity:{style.opacity:g}"] if style.opacity != 1 else []
        if style.stroke:
            parts += ["fill:none", f"stroke-width:{style.width:g}"]
            parts += [f"stroke-dasharray:{style.dash}"] if style.dash else []
        fixed += [f".p-{name}{{{';'.join(parts)}}}"] if parts else []
    sizes = [
        f".s-{name}{{font-size:{pixels}px{';font-weight:700' if bold else ''}}}" for name, (pixels, bold) in SIZES.items()
    ]
    base = ".timeline text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;direction:ltr;unicode-bidi:isolate}"
    return "".join([base, *light, *fixed, *sizes, "@media (prefers-color-scheme:dark){", *dark, "}"])


def _rule(name: str, color: str) -> str:
    return f".p-{name}{{{'stroke' if STYLES[name].stroke else 'fill'}:{color}}}"


def svg(scene: Scene, *, alone: bool = True) -> Iterator[str]:
    """The pieces of the SVG. alone: a file of its own, with its styles; else a part of a page, which has them."""
    label = html.escape(scene.title)
    size = f'width="{scene.width:g}" height="{scene.height:g}" viewBox="0 0 {scene.width:g} {scene.height:g}"'
    if alone:
        yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" {size} role="img" aria-label="Timeline of {label}">\n'
    if alone:
        yield f"<title>{label}</title>\n<style>{css()}</style>\n"
    for shape in scene.shapes:
        yield _element(shape) + "\n"
    if not alone:
        yield f'<line id="cursor" x1="{scene.left:g}" y1="{scene.top - 6:g}" x2="{scene.left:g}" y2="{scene.bottom:g}"/>\n'
    yield "</svg>\n"


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
