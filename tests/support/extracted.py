"""What `extract` makes of a recording."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from realtime_pcm.cli.speech import Speech
from realtime_pcm.cli.wavs import Wavs
from realtime_pcm.recording import read_recording


def extracted(source: Any) -> tuple[dict[str | None, str], dict[str | None, float]]:
    """The words of each item, and the seconds of the model's audio, as `extract` writes them."""
    if isinstance(source, io.BytesIO):
        source.seek(0)
    words: dict[str | None, str] = {}
    seconds: defaultdict[str | None, float] = defaultdict(float)
    with TemporaryDirectory() as folder, read_recording(source) as recording:
        wavs = Wavs()
        speech = Speech(Path(folder), wavs, recording, None)
        for entry in recording:
            speech.take(entry)
        speech.finish()
        wavs.abandon_all()
        speech.microphone.close()
        for item in speech.items:
            words[item.id] = item.text or words.get(item.id, "")
            if item.side == "model":
                seconds[item.id] += item.seconds
    return words, seconds
