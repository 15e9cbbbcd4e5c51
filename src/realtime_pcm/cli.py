"""The `realtime-pcm` command.

Text of a recording is first made fit for a terminal, then printed as a Text of rich, in which no markup works.
"""

from __future__ import annotations

import os
import sys
import time
import wave
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np

import realtime_pcm as rp
from realtime_pcm.terminal import shown_name, shown_text

if TYPE_CHECKING:
    from rich.table import Table

MISSING = "realtime-pcm: the command line needs the 'cli' extra: pip install \"realtime-pcm[cli]\""

try:
    import typer
    from rich.console import Console
    from rich.text import Text
except ImportError as error:
    if (error.name or "").partition(".")[0] not in ("typer", "rich", "click"):
        raise
    sys.exit(MISSING)

__all__ = ["app", "main"]

app = typer.Typer(
    name="realtime-pcm",
    help="Decode what Realtime voice servers send.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
OutDir = Annotated[Path, typer.Option("--out", help="Folder for the WAV and the transcript.", file_okay=False)]
Number = np.ndarray[Any, Any]

MOST_TYPES = 100  # rows of the table; a recording may hold any number of types


class Track(NamedTuple):
    """The audio of a recording in one piece, as a WAV holds it."""

    samples: Number
    rate: int


class Recording:
    """A JSONL recording, decoded."""

    def __init__(self, frames: list[bytes]) -> None:
        self.frames: list[bytes] = []  # those that were not refused
        self.types: Counter[str] = Counter()
        self.errors: list[rp.DecodeError] = []
        self.transcript = ""
        self.odd_deltas = 0  # transcript deltas whose text is not a string
        pieces: list[Number] = []
        formats = []
        for frame, message in zip(frames, rp.decode_stream(frames, errors="yield"), strict=True):
            if isinstance(message, rp.InvalidFrame):
                self.errors.append(message.error)
                continue
            self.frames.append(frame)
            self.types[message.type] += 1
            if isinstance(message, rp.messages.ResponseAudioDelta):
                pieces.append(message.pcm)
                formats.append(message.audio_format)
            elif isinstance(message, rp.messages.ResponseAudioTranscriptDelta):
                delta: object = message.delta
                if isinstance(delta, str):
                    self.transcript += delta
                elif delta is not None:
                    self.odd_deltas += 1
            elif message.type == "response.done" and self.transcript and not self.transcript.endswith("\n"):
                self.transcript += "\n"
        self.rates = Counter(format_.rate for format_ in formats)
        self.channels = {format_.channels for format_ in formats}
        self.pieces = pieces

    def track(self) -> Track | None:
        """The audio in one piece; None where there is none, or where it cannot be one WAV."""
        if not self.pieces or len(self.rates) != 1 or self.channels != {1}:
            return None
        return Track(np.concatenate(self.pieces), next(iter(self.rates)))


def write_wav(path: Path, track: Track) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(track.rate)
        file.writeframes(track.samples.astype("<i2").tobytes())


def rms(samples: Number) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64))))) if len(samples) else 0.0


def time_decoding(frames: list[bytes], seconds: float = 1.0) -> tuple[float, int]:
    """The seconds of one pass over all frames (the median of the passes), and the number of passes.

    A pass decodes each frame from memory, on one thread, reads one attribute of the message and drops the message.
    """
    passes: list[float] = []
    deadline = time.perf_counter() + seconds
    while len(passes) < 3 or time.perf_counter() < deadline:
        start = time.perf_counter()
        for message in rp.decode_stream(frames):
            message.type  # noqa: B018
        passes.append(time.perf_counter() - start)
    return sorted(passes)[len(passes) // 2], len(passes)


def types_table(types: Counter[str]) -> Table:
    from rich.table import Table

    table = Table("message type", "count", title="Messages by type", title_justify="left")
    table.columns[1].justify = "right"
    for name, count in types.most_common(MOST_TYPES):
        table.add_row(Text(shown_name(name)), str(count))
    if len(types) > MOST_TYPES:
        rest = types.most_common()[MOST_TYPES:]
        table.add_row(f"{len(rest)} more types", str(sum(count for _, count in rest)))
    table.add_row("all", str(sum(types.values())), style="bold")
    return table


def report(recording: Recording, out: Path, name: str) -> None:
    """Writes the WAV and the transcript, and prints a summary of the recording."""
    console = Console()

    def say(text: str, style: str = "", soft_wrap: bool = True) -> None:
        console.print(Text(shown_text(text), style), soft_wrap=soft_wrap)

    console.print(types_table(recording.types))
    for error in recording.errors[:10]:
        say(f"refused: {error}", "red", soft_wrap=False)
    if len(recording.errors) > 10:
        say(f"refused: {len(recording.errors) - 10} more", "red")

    out.mkdir(parents=True, exist_ok=True)
    track = recording.track()
    if track is not None:
        wav = out / f"{name}.wav"
        write_wav(wav, track)
        length = len(track.samples) / track.rate
        say(
            f"audio: {length:.3f} s ({len(track.samples)} samples at {track.rate} Hz), "
            f"RMS {rms(track.samples):.1f} of 32768 -> {wav}"
        )
    elif recording.pieces:
        rates = _listed(f"{rate} Hz" for rate in recording.rates)
        channels = _listed(map(str, sorted(recording.channels)))
        say(f"audio: not written, one WAV cannot hold it all: {rates}, channels {channels}")
    else:
        say("audio: none")
    if recording.transcript:
        text = out / f"{name}.txt"
        text.write_text(recording.transcript.rstrip("\n") + "\n", encoding="utf-8")
        say(f"transcript: -> {text}")
        say(recording.transcript.rstrip("\n"), "italic", soft_wrap=False)
    if recording.odd_deltas:
        say(f"transcript: deltas left out because they are no text: {recording.odd_deltas}", "red")

    took, passes = time_decoding(recording.frames)
    size = sum(map(len, recording.frames))
    count = len(recording.frames)
    audio = f", {len(track.samples) / track.rate / took:,.0f} s of audio a second" if track is not None else ""
    say(
        f"decoding: {count} frames, {size:,} bytes in {took * 1e6:,.0f} us: {count / took:,.0f} messages/s, "
        f"{size / took / 1e6:,.0f} MB/s{audio} (median of {passes} passes over frames in memory, one thread, "
        f"{rp.simd_tier()} kernel)"
    )


def _listed(words: Iterable[str]) -> str:
    """The first ten words, and how many more there are: a recording may hold any number."""
    every = list(words)
    return ", ".join(every[:10]) + (f" and {len(every) - 10} more" if len(every) > 10 else "")


def read_frames(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().split(b"\n") if line and not line.isspace()]


@app.command()
def demo(out: OutDir = Path("realtime-pcm-demo")) -> None:
    """Decode the packaged sample, a spoken turn, to a WAV and a transcript."""
    from realtime_pcm import sample

    report(Recording(sample.lines()), out, "sample")


@app.command()
def decode(
    file: Annotated[Path, typer.Argument(help="A recording: one JSON frame a line.", exists=True, dir_okay=False)],
    out: OutDir = Path("."),
) -> None:
    """Decode a recorded session to a WAV and a transcript."""
    recording = Recording(read_frames(file))
    report(recording, out, file.stem)
    if recording.errors:
        raise typer.Exit(1)


@app.command()
def serve(
    file: Annotated[
        Path | None, typer.Argument(help="A recording; the packaged sample if none.", exists=True, dir_okay=False)
    ] = None,
    port: Annotated[int, typer.Option(help="0: any free port.")] = 8765,
    pace: Annotated[float, typer.Option(help="1: in the time the audio takes; 0: as fast as the client reads.")] = 1.0,
    autoplay: Annotated[bool, typer.Option("--autoplay", help="Send it all on connecting, waiting for nothing.")] = False,
    fault: Annotated[list[str] | None, typer.Option(help="Misbehave, NAME or NAME@DELTA; 'list' shows the names.")] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Let in web pages of this origin, too (https://app.example); else only those of this machine."),
    ] = None,
) -> None:
    """Replay a recorded session to Realtime clients on this machine."""
    import asyncio

    from realtime_pcm import sample

    try:
        from realtime_pcm.testing import FAULTS, LOOPBACK_ORIGINS, LoopbackServer
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "websockets":
            raise
        sys.exit(MISSING)
    if fault and "list" in fault:
        for name, meaning in FAULTS.items():
            typer.echo(f"{name:14} {meaning}")
        return
    frames = read_frames(file) if file else sample.lines()
    try:
        server = LoopbackServer(
            frames,
            pace=pace or None,
            autoplay=autoplay,
            faults=fault or (),
            port=port,
            origins=[*LOOPBACK_ORIGINS, *origin] if origin else None,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error

    async def run() -> None:
        async with server:
            typer.echo(f"listening on {server.url}", color=False)
            sys.stdout.flush()
            await server.serve_forever()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def main() -> None:
    """The command `realtime-pcm`."""
    try:
        app()
    except BrokenPipeError:
        # The reader of our output has gone (`| head`). stdout becomes the null device, or else Python's flush at exit would fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
