"""Pictures of a recording: two waveforms, waits, interruptions, tools, errors and transcripts on one time axis.

    with open("call.html", "wb") as file:
        draw("call.jsonl.gz", file, "html")

SVG and HTML need no other package; PNG needs the extra `plot`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from ..recording.analysis import Analyser
from ..recording.findings import Analysis
from ..recording.reader import read_recording
from ..sockets import Socket
from .layout import laid_out
from .page import page
from .picture import png, require_matplotlib
from .sound import Sound
from .svg import svg
from .waveform import Waveform

__all__ = ["FORMATS", "Format", "Timeline", "draw"]

Format: TypeAlias = Literal["png", "svg", "html"]
FORMATS: tuple[Format, ...] = ("png", "svg", "html")


class Timeline:
    """Draws a recording. Pass its entries to `analyser.feed`, then call `write`.

    Args:
        format: "png", "svg" or "html". Only the HTML page has sound.
        window: The part of the recording to draw: begin and end, in seconds. None: all of it.

    Raises:
        ModuleNotFoundError: "png" needs matplotlib (extra `plot`).
        ValueError: The window begins before 0, or ends before it begins.
    """

    def __init__(self, format: Format, window: tuple[float, float] | None = None) -> None:
        if format == "png":
            require_matplotlib()
        if window is not None and not 0 <= window[0] < window[1]:
            raise ValueError(f"a part from {window[0]:g} s to {window[1]:g} s: it begins at 0 or later, and before its end")
        self._format = format
        self._window = window
        self._sound = Sound() if format == "html" else None
        self._waves = Waveform(self._sound, window)
        self.analyser = Analyser(self._waves)

    def write(self, found: Analysis, file: BinaryIO, name: str, *, width: int | None = None, dark: bool = False) -> None:
        """Draws the analysis.

        Args:
            found: The result of the analyser.
            file: A file that is open to write bytes.
            name: The title.
            width: Width in pixels. None: 1,160 to 8,000, depending on the length of the recording.
            dark: Draws a dark PNG. SVG and HTML follow the reader's system.
        """
        window = self._window or (found.origin, found.end)
        window = (window[0], max(min(window[1], found.end), window[0] + 0.5))
        scene = laid_out(found, self._waves, name, width=width, window=window, head=self._format != "html")
        if self._format == "png":
            png(scene, file, dark=dark)
            return
        if self._format == "svg":
            pieces = svg(scene)
        else:
            sound = self._sound if self._sound is not None and self._sound.seconds else None
            pieces = page(found, scene, sound, self._waves.origin or 0.0, window)
        file.writelines(piece.encode() for piece in pieces)


def draw(
    source: str | os.PathLike[str] | Any,
    file: BinaryIO,
    format: Format,
    *,
    name: str | None = None,
    window: tuple[float, float] | None = None,
    width: int | None = None,
    dark: bool = False,
    catalogue: str | Socket[Any, Any] | None = None,
) -> Analysis:
    """Draws a recording in one pass, and returns its analysis.

    It raises the exceptions of `read_recording` and `Timeline`.

    Args:
        source: A path or an open file, as in `read_recording`.
        file: A file that is open to write bytes.
        format: "png", "svg" or "html".
        name: The title. None: the name of the file.
        window: The part of the axis to draw, as for Timeline.
        width: Width in pixels, as for Timeline.write.
        dark: Draws a dark PNG.
        catalogue: Another socket whose frames these are, as for read_recording.

    Examples:
        >>> with open("call.svg", "wb") as file:
        ...     draw("call.jsonl.gz", file, "svg")
    """
    timeline = Timeline(format, window)
    with read_recording(source, catalogue=catalogue) as recording:
        for entry in recording:
            timeline.analyser.feed(entry)
    found = timeline.analyser.finish(recording)
    if name is None:
        name = Path(source).name if isinstance(source, (str, os.PathLike)) else "recording"
    timeline.write(found, file, name, width=width, dark=dark)
    return found
