"""`realtime-pcm demo`: the packaged sample, decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the WAV and the transcript.", file_okay=False)] = Path(
        "realtime-pcm-demo"
    ),
) -> None:
    """Decode the packaged sample, a spoken turn, to a WAV and a transcript."""
    from realtime_pcm import sample

    from .decode import Recording, report

    report(Recording(sample.lines()), out, "sample")
