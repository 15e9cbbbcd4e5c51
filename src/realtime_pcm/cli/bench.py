"""`realtime-pcm bench`: how fast recordings decode on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from .console import Call, Failure, Socket, Source, console, each, entries, find, say, shown_line

if TYPE_CHECKING:
    from realtime_pcm.recording import Entry

__all__ = ["Timing", "bench", "time_decoding"]

MOST_BYTES = 1 << 28  # of frames kept in memory; more would not change the result
FEWEST_PASSES = 3


class Timing(NamedTuple):
    """The median time of a pass, in seconds, and the number of passes."""

    seconds: float
    passes: int


def bench(
    sessions: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[SESSION]...", help="Recordings, folders, patterns, or `-`; the packaged sample by default."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.0, max=3600.0, help="How many seconds to decode each recording, over and over.")
    ] = 1.0,
    call: Call = None,
    socket: Socket = None,
) -> None:
    """Measure how many messages and bytes per second one thread decodes from memory.

    This measures decoding only: no files, no network, no wrappers. The project's benchmarks compare other packages.
    """
    from realtime_pcm import __version__, sample, simd_tier

    out = console()
    say(out, f"realtime-pcm {__version__}, {simd_tier()} kernel, one thread; the median of many passes over frames in memory")
    if not sessions:
        _tell(out, "the packaged sample", [("received", frame) for frame in sample.lines()], seconds)
        return

    def take(source: Source) -> None:
        frames: list[tuple[str, Any]] = []
        size = refused = number = 0
        first = ""
        with entries(source, dtype="uint8", call=call, socket=socket) as (_, found):
            for number, entry in enumerate(found, 1):  # noqa: B007
                if entry.error is not None:
                    refused += 1
                    first = first or f"line {entry.line}: {entry.error}"
                    continue
                frames.append(_frame(entry))
                size += len(frames[-1][1])
                if size > MOST_BYTES:
                    break
        if not frames:
            raise Failure(f"{source.name}: {f'no frame could be read; {first}' if refused else 'an empty recording'}")
        name = shown_line(source.name) + (f" (its first {number:,} frames)" if size > MOST_BYTES else "")
        refused += _tell(out, name, frames, seconds)
        if refused:
            raise Failure(f"{source.name}: refused frames were skipped: {refused:,}" + (f"; the first: {first}" if first else ""))

    each(find(sessions), take)


def _frame(entry: Entry) -> tuple[str, Any]:
    frame = entry.frame
    return entry.direction, frame.encode() if isinstance(frame, str) else bytes(frame)


def _tell(out: Any, name: str, frames: list[tuple[str, Any]], seconds: float) -> int:
    """Times the frames and prints the result. Returns how many were refused and skipped."""
    frames, audio, refused = _decodable(frames)
    if not frames:
        raise Failure(f"{name}: no frame in it can be decoded")
    took, passes = time_decoding(frames, seconds)
    size = sum(len(frame) for _, frame in frames)
    count = len(frames)
    say(out, f"{name}: {count:,} frames, {size:,} bytes, {audio:,.1f} s of audio", "bold")
    speed = f"  {count / took:,.0f} messages/s, {size / took / 1e6:,.0f} MB/s, {took / count * 1e6:.2f} us per message"
    say(out, speed + (f", {audio / took:,.0f} s of audio per second" if audio else "") + f" ({passes:,} passes)")
    return refused


def _decodable(frames: list[tuple[str, Any]]) -> tuple[list[tuple[str, Any]], float, int]:
    """The frames that decode, the seconds of audio in them, and the number of other frames."""
    from realtime_pcm.errors import DecodeError

    decode = _decoders()
    kept: list[tuple[str, Any]] = []
    audio = 0.0
    for direction, frame in frames:
        try:
            message = decode[direction](frame)
        except DecodeError:
            continue
        kept.append((direction, frame))
        form = getattr(message, "audio_format", None)
        if form is not None and getattr(message, "pcm", None) is not None:
            audio += len(message.pcm) / form.channels / form.rate
    return kept, audio, len(frames) - len(kept)


def _decoders() -> dict[str, Any]:
    from realtime_pcm import Decoder

    received = Decoder()
    return {"received": received.decode, "sent": Decoder(side="client", session=received.session).decode}


def time_decoding(frames: list[tuple[str, Any]], seconds: float) -> Timing:
    """Decodes all frames over and over. Each pass reads one attribute of every message and drops the message."""
    passes: list[float] = []
    deadline = time.perf_counter() + seconds
    while len(passes) < FEWEST_PASSES or time.perf_counter() < deadline:
        decode = _decoders()
        calls = [(decode[direction], frame) for direction, frame in frames]
        start = time.perf_counter()
        for call, frame in calls:
            call(frame).type  # noqa: B018
        passes.append(time.perf_counter() - start)
    return Timing(sorted(passes)[len(passes) // 2], len(passes))
