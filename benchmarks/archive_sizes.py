"""How `realtime_pcm.arrow` grows: recordings of 1, 3 and 10 GB on disk, one and two workers; throughput and peak memory.

    python -m benchmarks.archive_sizes --folder /mnt/big [--gigabytes 1 3 10] [--reread 100] [--long-line]

It writes calls of three minutes (20 MB each, both sides, in the package's own recordings), and one recording of as many bytes,
reads them, and removes everything at the end; twice as many bytes must be free. Each worker is a process of its own, whose start
is part of its time, and whose peak memory is what the system has counted (ru_maxrss). A row is one run, not the best of several,
because at these sizes the disk is a part of it: the CPU time beside it is what other programs on the machine disturb least.
"cold" runs begin with files that are not in the page cache (posix_fadvise), all others with files that were just read. `cat`, a
copy in memory and `dd` give the bounds in the same minutes.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import realtime_pcm as rp
from realtime_pcm import arrow, messages, sample

TURNS = 25  # of a call: three minutes, half of which the user speaks
GIGA = 10**9
KINDS = ("calls", "one file")
COPIED = 10 * GIGA  # bytes that memcpy copies, whatever the size of the recordings is


# --- recordings


class Turn:
    """The packaged session's turn, with microphone audio before it, to be written again and again with other ids and audio."""

    def __init__(self) -> None:
        frames = sample.lines()
        self.head, self.frames = frames[:2], frames[2:]
        decoded = [rp.decode(frame) for frame in self.frames]
        found = [message.pcm for message in decoded if isinstance(message, messages.ResponseAudioDelta)]
        self.audio: np.ndarray = np.concatenate(found)

    def lines(self, number: int, noise: np.random.Generator, start: float) -> Iterator[bytes]:
        """The lines of one turn. Its audio is the sample's with other noise, so that no two turns have the same bytes."""
        louder = (self.audio * noise.uniform(0.3, 0.9)).astype(np.int16)
        audio = (louder + noise.integers(-8, 9, len(louder), np.int16)).astype("<i2").tobytes()
        at, seconds = 0, start
        for _ in range(36):  # 3.6 s of the microphone, 100 ms a frame
            payload = base64.b64encode(audio[at : at + 4800])
            yield b'{"time":%.3f,"direction":"sent","event":{"type":"input_audio_buffer.append","audio":"%b"}}\n' % (
                seconds,
                payload,
            )
            at, seconds = (at + 4800) % (len(audio) - 4800), seconds + 0.1
        at = 0
        for frame in self.frames:
            event = frame.replace(b"_DkR4", b"_%04d" % (number % 10_000))
            if b'"response.output_audio.delta"' in event:
                head, key, payload = event.partition(b'"delta":"')
                quote = payload.index(b'"')
                size = quote * 3 // 4
                event = head + key + base64.b64encode(audio[at : at + size]) + payload[quote:]
                at, seconds = at + size, seconds + 0.1
            yield b'{"time":%.3f,"direction":"received","event":%b}\n' % (seconds, event)


def write_calls(folder: Path, size: int, *, one_file: bool) -> None:
    """Recordings of `size` bytes in all, in two folders, so that two workers have half each; or one recording."""
    noise, turn = np.random.default_rng(0), Turn()
    written = number = 0
    for name in ("0", "1"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    while written < size:
        path = folder / f"{number % 2}" / f"call-{number:05}.jsonl"
        with path.open("wb", buffering=1 << 20) as file:
            file.write(b'{"recording":"realtime-pcm","version":1,"started":"2026-01-01T00:00:00+00:00"}\n')
            for frame in turn.head:
                file.write(b'{"time":0.0,"direction":"received","event":%b}\n' % frame)
            turns = 0
            while (written + file.tell() < size) if one_file else turns < TURNS:
                file.writelines(turn.lines(turns, noise, turns * 7.2))
                turns += 1
            written += file.tell()
        number += 1


# --- runs


class Run(NamedTuple):
    """seconds: wall time. peak: bytes of the largest worker. cpu: seconds of all workers."""

    seconds: float
    peak: int
    cpu: float


def start(*command: object) -> int:
    """A process; its id."""
    with open(os.devnull, "wb") as nothing:
        return subprocess.Popen(list(map(str, command)), stdout=nothing).pid


def together(*commands: tuple[object, ...]) -> Run:
    """Processes at the same time."""
    begin = time.perf_counter()
    peak, cpu = 0, 0.0
    for process in [start(*command) for command in commands]:
        _, status, usage = os.wait4(process, 0)
        if status:
            raise SystemExit(f"a worker has failed: {commands}")
        peak, cpu = max(peak, usage.ru_maxrss * 1024), cpu + usage.ru_utime + usage.ru_stime
    return Run(time.perf_counter() - begin, peak, cpu)


def worker(way: str, *arguments: object) -> tuple[object, ...]:
    return (sys.executable, "-m", "benchmarks.archive_sizes", "--worker", way, *arguments)


def work(way: str, arguments: list[str]) -> None:
    """What a worker does."""
    if way == "read":
        folder, times = arguments
        for _ in range(int(times)):
            for _ in arrow.read(folder):
                pass
    elif way == "to_parquet":
        folder, out, pcm = arguments
        arrow.to_parquet(folder, out, pcm="sent" if pcm == "sent" else "int16")
    elif way == "write":
        folder, size, kind = arguments
        write_calls(Path(folder), int(size), one_file=kind == "one file")
    elif way == "rows":
        rows = arrow.read(arguments[0]).read_all().select(["line", "type", "error"]).to_pylist()
        print(*(f"    {row}" for row in rows), sep="\n", file=sys.stderr)
    elif way == "memcpy":
        source, target = np.ones(1 << 24, np.uint8), np.ones(1 << 24, np.uint8)
        for _ in range(int(arguments[0]) >> 24):
            np.copyto(target, source)
    elif way == "nothing":
        pass


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def forget(folder: Path) -> None:
    """Takes the files out of the page cache."""
    for path in files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def show(name: str, workers: int, size: int, run: Run, more: str = "") -> None:
    print(
        f"  {name:26}{workers} worker{'s' if workers > 1 else ' '}{run.seconds:9.2f} s{size / run.seconds / 1e6:8.0f} MB/s"
        f"{size / run.cpu / 1e6:8.0f} MB a CPU second{run.peak / 1e6:6.0f} MB peak   load {os.getloadavg()[0]:.1f}{more}",
        flush=True,
    )


def written_to(out: Path) -> str:
    written = sum(path.stat().st_size for path in files(out))
    begin = time.perf_counter()
    os.sync()
    text = f"; {written / 1e9:.2f} GB written, {time.perf_counter() - begin:.1f} s more until the disk had them"
    shutil.rmtree(out)
    return text


def measure(folder: Path, size: int, kind: str) -> None:
    calls, out = folder / "calls", folder / "out"
    together(worker("write", calls, size, kind))
    os.sync()
    size = sum(path.stat().st_size for path in files(calls))
    print(f"\n{kind}: {size / 1e9:.2f} GB in {len(files(calls))} recordings", flush=True)
    halves = [calls / "0", calls / "1"]
    forget(calls)
    cat = (shutil.which("cat") or "cat", *files(calls))
    show("cat > /dev/null, cold", 1, size, together(cat))
    show("cat > /dev/null", 1, size, together(cat))
    show("memcpy of 16 MiB", 1, COPIED, together(worker("memcpy", COPIED)))
    show("memcpy of 16 MiB", 2, COPIED, together(*(worker("memcpy", COPIED // 2) for _ in halves)))
    forget(calls)
    show("read, cold", 1, size, together(worker("read", calls, 1)))
    show("read", 1, size, together(worker("read", calls, 1)))
    if kind == "one file":
        show("to_parquet", 1, size, together(worker("to_parquet", calls, out, "int16")), written_to(out))
        return
    show("read", 2, size, together(*(worker("read", half, 1) for half in halves)))
    show('to_parquet, pcm="sent"', 1, size, together(worker("to_parquet", calls, out, "sent")), written_to(out))
    archive = (sys.executable, "-m", "realtime_pcm", "archive")
    show("realtime-pcm archive", 1, size, together((*archive, calls, "--out", out)), written_to(out))
    run = together(*((*archive, half, "--out", out / half.name) for half in halves))
    show("realtime-pcm archive", 2, size, run, written_to(out))


def reread(folder: Path, size: int) -> None:
    """The recordings that are there, again and again."""
    calls = folder / "calls"
    there = sum(path.stat().st_size for path in files(calls))
    times = round(size / there)
    print(f"\n{times} times {there / 1e9:.2f} GB, output discarded", flush=True)
    show("read", 1, times * there, together(worker("read", calls, times)))
    show("read", 2, times * there, together(*(worker("read", calls / half, times) for half in "01")))


def long_line(folder: Path) -> None:
    """A recording whose second line has 1 GB."""
    path = folder / "line" / "long.jsonl"
    path.parent.mkdir(parents=True)
    frame = b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"'
    with path.open("wb") as file:
        file.write(sample.lines()[0] + b"\n" + frame)
        for _ in range(1000):
            file.write(b"AAAA" * 250_000)
        file.write(b'"}\n' + sample.lines()[0] + b"\n")
    size = path.stat().st_size
    print(f"\na line of {size / 1e9:.2f} GB", flush=True)
    show("read", 1, size, together(worker("read", path, 1)))
    together(worker("rows", path))
    command = [sys.executable, "-m", "realtime_pcm", "archive", str(path), "--out", str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    print(f"    archive: status {done.returncode}\n    {done.stdout}    {done.stderr}", end="")
    shutil.rmtree(path.parent)
    shutil.rmtree(folder / "out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the recordings are written, and removed again")
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1, 3, 10])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--reread", type=float, default=0, help="gigabytes that are read of the last size, again and again")
    parser.add_argument("--long-line", action="store_true")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker[0], given.worker[1:])
        return
    if given.folder is None:
        parser.error("--folder is needed")
    folder = given.folder / "archive_sizes"
    folder.mkdir()
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        print(f"tier {rp.simd_tier()}, {os.cpu_count()} cores, {memory / 1e9:.0f} GB, Python {sys.version.split()[0]}")
        bare = together(worker("nothing"))
        print(f"a worker that does nothing: {bare.seconds:.2f} s, {bare.peak / 1e6:.0f} MB", flush=True)
        dd = ("dd", "if=/dev/zero", f"of={folder / 'dd'}", "bs=1M", "count=1000", "conv=fsync", "status=none")
        show("dd to the disk", 1, 1000 << 20, together(dd))
        (folder / "dd").unlink()
        if given.long_line:
            long_line(folder)
        for gigabytes in given.gigabytes:
            for kind in given.kinds:
                measure(folder, int(gigabytes * GIGA), kind)
                if given.reread and kind == "calls" and gigabytes == given.gigabytes[-1]:
                    reread(folder, int(given.reread * GIGA))
                shutil.rmtree(folder / "calls")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
