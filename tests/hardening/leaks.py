"""Nothing stays behind, whatever the frame: memory blocks, reference counts, resident memory."""

from __future__ import annotations

import copy
import gc
import sys
import time
from pathlib import Path

import realtime_pcm as rp

from .frames import KINDS, Kind, real_frame
from .generate import Generator


def frames_of(kind: Kind) -> list[bytes | str | bytearray]:
    """A frame of the kind in each form, with other ids, a container in a flat field, and refused for a fault of each
    stage."""
    frame = real_frame(kind)
    frames: list[bytes | str | bytearray] = [frame, frame.decode(), bytearray(frame), frame.replace(b'"event_CgbnAz"', b"[1,{}]")]
    frames += [frame.replace(b"_CgbnAy", b"_%dOther" % number) for number in range(3)]
    frames += [frame[:-1], frame[:-1] + b',"x":"\xff"}', frame[:-1] + b',"type":1}', frame[:-1] + b',"x":"\\u00e9","x":1e400}']
    if kind.payload_keys:
        key = kind.payload_keys[0].encode()
        frames += [
            frame[:-1] + b',"' + key + b'":"AAE*"}',
            frame[:-1] + b',"' + key + b'":7}',
            frame[:-1] + b',"' + key + b'":"AAEC"}',
        ]
    return frames


def use(decoder: rp.Decoder, frames: list[bytes | str | bytearray], rounds: int) -> None:
    """Decodes all of them so often; reads every field of each message, and prints and copies the message."""
    for _ in range(rounds):
        for frame in frames:
            try:
                message = decoder.decode(frame)
            except rp.DecodeError as error:
                str(error)
                continue
            for name in ("event_id", *type(message).__match_args__):
                getattr(message, name)
            message.to_dict(), message.extra, repr(message), copy.copy(message), copy.deepcopy(message)


def _counts(frames: list[bytes | str | bytearray]) -> list[int]:
    gc.collect()
    classes = {type(rp.decode(frame)) for frame in frames[:1]}
    return [sys.getrefcount(it) for it in (*frames, *classes)] + [sys.getrefcount(None), sys.getallocatedblocks()]


def grown(kind: Kind, frames_a_window: int, windows: int = 3) -> int:
    """The most that a reference count, or the number of blocks, has grown by in each of the windows. What others cache
    for once comes in one window, a leak in all."""
    frames = frames_of(kind)
    decoder = rp.Decoder()
    rounds = max(1, frames_a_window // len(frames))
    use(decoder, frames, min(rounds, 20))
    gc.collect()
    gc.freeze()  # what was there before need not be looked through each time
    columns: list[list[int]] = []
    for _ in range(windows):
        before = _counts(frames)
        use(decoder, frames, rounds)
        columns.append([after - start for start, after in zip(before, _counts(frames), strict=True)])
    gc.unfreeze()
    worst: int = max(min(column) for column in zip(*columns, strict=True))
    return worst


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/smaps_rollup") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Rss:"))


def resident_growth(frames: int) -> int:
    """How much resident memory grows over so many generated frames, after a tenth as many."""
    generator = Generator(13, payload_limit=60_000)
    pool: list[bytes | str | bytearray] = [frame for kind in KINDS for frame in generator.batch(kind, 8)]
    decoder = rp.Decoder()
    use(decoder, pool, max(2, frames // 10 // len(pool)))
    gc.collect()
    before = resident()
    use(decoder, pool, frames // len(pool))
    gc.collect()
    return resident() - before


def run(frames_a_type: int, frames: int) -> int:
    started = time.monotonic()
    worst = 0
    for number, kind in enumerate(KINDS):
        most = grown(kind, frames_a_type // 3)
        worst = max(worst, most)
        if most > 10:
            print(f"{kind.type}: {most}")
        if number % 16 == 0:
            print(f"  {number} types, {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(
        f"{frames_a_type:,} frames of each of {len(KINDS)} types in {time.monotonic() - started:.0f} s: grown by {worst} at most"
    )
    started = time.monotonic()
    growth = resident_growth(frames) if Path("/proc/self/smaps_rollup").exists() else 0
    print(f"{frames:,} frames in {time.monotonic() - started:.0f} s: resident memory grown by {growth // 1024:,} KiB")
    return 1 if worst > 10 or growth > 256 * 1024 else 0
