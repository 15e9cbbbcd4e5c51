"""Shapes and styles of a picture, for both SVG and PNG. Each shape has a class, which has a style."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from ..terminal import shown_text

__all__ = ["SIZES", "STYLES", "Line", "Polygon", "Rect", "Scene", "Style", "Text", "clean", "fitted", "width_of", "wrapped"]

_UNFIT_FOR_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Style(NamedTuple):
    """Fill, stroke and opacity of a class of shapes, in light and dark."""

    light: str
    dark: str
    stroke: bool = False
    opacity: float = 1.0
    width: float = 1.0
    dash: str = ""


STYLES = {
    "paper": Style("#ffffff", "#14161a"),
    "lane": Style("#f4f5f7", "#1d2026"),
    "grid": Style("#dfe2e7", "#2f343c", stroke=True),
    "middle": Style("#c9ced6", "#434a55", stroke=True),
    "speech": Style("#2563eb", "#60a5fa", opacity=0.16),
    "speech-edge": Style("#2563eb", "#60a5fa", stroke=True, width=1.5),
    "user": Style("#2563eb", "#60a5fa"),
    "model": Style("#047857", "#34d399"),
    "unheard": Style("#8a94a3", "#6b7482", opacity=0.55),
    "cut": Style("#dc2626", "#f87171", opacity=0.09),
    "wait": Style("#b45309", "#fbbf24"),
    "gap": Style("#ea580c", "#fb923c", opacity=0.75),
    "red-line": Style("#dc2626", "#f87171", stroke=True, width=1.5, dash="4 3"),
    "tool-bar": Style("#7c3aed", "#a78bfa"),
    "tool-line": Style("#7c3aed", "#a78bfa", stroke=True, dash="2 3"),
    "dot": Style("#dc2626", "#f87171"),
    "ink": Style("#1b1f24", "#e8eaed"),
    "dim": Style("#5b6470", "#a0a8b4"),
    "warn": Style("#92400e", "#fbbf24"),
    "red": Style("#b91c1c", "#fca5a5"),
    "violet": Style("#6d28d9", "#c4b5fd"),
    "blue": Style("#1d4ed8", "#93c5fd"),
    "green": Style("#046c4e", "#6ee7b7"),
    "orange": Style("#9a3412", "#fdba74"),
}
SIZES = {"title": (17, True), "head": (13, False), "strong": (13, True), "label": (12, True), "small": (12, False)}


class Rect(NamedTuple):
    """A rectangle. title: its tooltip."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str = ""


class Line(NamedTuple):
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    style: str
    title: str = ""


class Polygon(NamedTuple):
    """An area by its corners."""

    points: tuple[tuple[float, float], ...]
    style: str


class Text(NamedTuple):
    """Text on one line. y: its base line. anchor: "start", "middle" or "end"."""

    x: float
    y: float
    text: str
    style: str
    size: str = "small"
    anchor: str = "start"
    title: str = ""


class Scene(NamedTuple):
    """A picture: shapes from back to front. left, right: the x of the ends of the axis. top, bottom: the y of the lanes."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    title: str
    shapes: list[Rect | Line | Polygon | Text]


def clean(text: str) -> str:
    """Text of a recording for one line of a picture. Control characters, and characters that XML does not allow, are escaped."""
    return _UNFIT_FOR_XML.sub("\N{REPLACEMENT CHARACTER}", " ".join(shown_text(text).split()))


# The width of letters in parts of the font's size, as broad as in the broadest font that is likely to be there (DejaVu Sans).
_NARROW = frozenset("iljI.,:;'|!ft()[]/\\ -")
_BROAD = frozenset("mwMW@%&—")


def width_of(text: str, size: str) -> float:
    """An upper estimate of the width of a text in pixels."""
    pixels, bold = SIZES[size]
    total = 0.0
    for letter in text:
        if letter in _NARROW:
            total += 0.40
        elif letter in _BROAD:
            total += 0.98
        elif letter.isascii():
            total += 0.70 if letter.isupper() else 0.63
        elif unicodedata.combining(letter):
            continue
        else:
            total += 1.05 if unicodedata.east_asian_width(letter) in "WF" else 0.75
    return total * pixels * (1.1 if bold else 1.0)


def fitted(text: str, size: str, room: float) -> str:
    """The text, cut to a width in pixels, with an ellipsis if it was cut."""
    if width_of(text, size) <= room:
        return text
    room -= width_of("…", size)
    total = 0.0
    for place, letter in enumerate(text):
        total += width_of(letter, size)
        if total > room:
            return f"{text[:place].rstrip()}…"
    return text


def wrapped(text: str, size: str, room: float, most: int) -> list[str]:
    """The text in at most `most` lines of a width in pixels. The last line ends with an ellipsis if text is missing."""
    lines: list[str] = []
    line = ""
    # Text without blanks, as in Chinese, may break anywhere.
    words = re.findall(r"[^\s\u2e80-\uffdc]+\s*|[\u2e80-\uffdc]\s*", text)
    for number, word in enumerate(words):
        if not line or width_of((line + word).rstrip(), size) <= room:
            line += word
            continue
        if len(lines) == most - 1:
            lines.append(fitted(line + "".join(words[number:])[:400], size, room))
            return lines
        lines.append(fitted(line.rstrip(), size, room))
        line = word
    if line.strip():
        lines.append(fitted(line.rstrip(), size, room))
    return lines
