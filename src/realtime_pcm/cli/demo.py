"""`realtime-pcm demo`: decodes the packaged sample to a WAV file and a transcript."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import console, new_file, new_folder, say, shown_line

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the WAV and the transcript.")] = Path("realtime-pcm-demo"),
) -> None:
    """Decode the packaged sample, a spoken turn, to a WAV file and a transcript."""
    from collections import Counter

    import numpy as np
    from rich.table import Table

    import realtime_pcm as rp
    from realtime_pcm import messages, sample

    from .bench import time_decoding
    from .wavs import Form, Wavs

    types: Counter[str] = Counter()
    pieces, words, form = [], [], Form("pcm16", 24_000, 1)
    frames = sample.lines()
    for message in rp.decode_stream(frames):
        types[message.type] += 1
        if isinstance(message, messages.ResponseAudioDelta):
            pieces.append(message.pcm)
            form = Form(message.audio_format.encoding, message.audio_format.rate, message.audio_format.channels)
        elif isinstance(message, messages.ResponseAudioTranscriptDelta):
            words.append(message.delta or "")
    samples, text = np.concatenate(pieces), "".join(words).strip()

    # Files first: the reader of standard output may close it.
    new_folder(out)
    wavs = Wavs()
    wav = wavs.begin(out / "sample.wav", form)
    try:
        wavs.write(wav, samples)
        wavs.finish(wav)
    finally:
        wavs.abandon_all()
    with new_file(out / "sample.txt") as file:
        file.write(f"{text}\n".encode())

    screen = console()
    table = Table("message type", "count", title="Messages by type", title_justify="left")
    table.columns[1].justify = "right"
    for name, count in types.most_common():
        table.add_row(name, str(count))
    table.add_row("all", str(len(frames)), style="bold")
    screen.print(table)
    rms = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
    length = len(samples) / form.rate
    say(screen, f"audio: {length:.3f} s ({len(samples)} samples at {form.rate} Hz), RMS {rms:.1f} of 32768 -> ", end="")
    say(screen, shown_line(str(wav.path)), "bold")
    say(screen, "transcript: -> ", end="")
    say(screen, shown_line(str(out / "sample.txt")), "bold")
    say(screen, text, "italic", wrap=True)
    took, passes = time_decoding([("received", frame) for frame in frames], 1.0)
    size = sum(map(len, frames))
    say(
        screen,
        f"decoding: {len(frames)} frames, {size:,} bytes in {took * 1e6:,.0f} us: {len(frames) / took:,.0f} messages/s, "
        f"{size / took / 1e6:,.0f} MB/s, {length / took:,.0f} s of audio per second (median of {passes:,} passes over frames in "
        f"memory, one thread, {rp.simd_tier()} kernel)",
        wrap=True,
    )
