"""Recordings to tables: `realtime_pcm.arrow` against what others make of the same file, one and two threads.

    python -m benchmarks.archive [--megabytes 4 256] [--rounds 5]

Each way reads the same file of JSON lines, and gives the number of rows, and the bytes and a checksum of the audio or text in
it. The checks come first, and a way that finds anything else ends the run. Then all ways take turns; the smallest CPU time of
each counts, and the wall time of one and two threads. `cat` and `memcpy` find nothing: they are the bounds. pyarrow.json leaves
base64 as it is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

import realtime_pcm as rp
from realtime_pcm import arrow, messages, sample

Found = tuple[int, int, int]  # rows, bytes, checksum
Way = Callable[[Path, bool], Found | None]


def write(path: Path, kind: str, size: int) -> None:
    """A file of one session: deltas of audio, or of transcripts, with ids that change."""
    types = {"audio": b"output_audio.delta", "text": b"output_audio_transcript.delta"}
    frames = [frame for frame in sample.lines() if b'"response.' + types[kind] in frame]
    number = 0
    with path.open("wb") as file:
        file.write(next(frame for frame in sample.lines() if b'"session.created"' in frame) + b"\n")
        while file.tell() < size:
            for frame in frames:
                at = frame.index(b':"event_') + 8
                file.write(frame[:at] + b"%08d" % number + frame[at + 8 :] + b"\n")
                number += 1


def checked(rows: int, parts: list[bytes]) -> Found:
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    return rows, sum(map(len, parts)), check


# --- the ways. `check` keeps what was found; without it the way only does its work


def by_stream(path: Path, check: bool) -> Found | None:
    rows, parts = 0, []
    with path.open("rb", buffering=1 << 18) as file:
        for message in rp.decode_stream(file):
            rows += 1
            if check and isinstance(message, messages.ResponseAudioDelta):
                parts.append(message.pcm.tobytes())
            elif check and isinstance(message, messages.ResponseAudioTranscriptDelta):
                parts.append((message.delta or "").encode())
    return checked(rows, parts) if check else None


def by_arrow(path: Path, check: bool) -> Found | None:
    rows, parts = 0, []
    for batch in arrow.read(path):
        rows += batch.num_rows
        if check:
            parts.append(batch.column("pcm").values.to_numpy().tobytes())
            parts += [text.encode() for text in batch.column("text").to_pylist() if text is not None]
    return checked(rows, parts) if check else None


def by_orjson(path: Path, check: bool) -> Found | None:
    import orjson
    from pybase64 import b64decode

    rows, parts = 0, []
    with path.open("rb", buffering=1 << 18) as file:
        for line in file:
            frame = orjson.loads(line)
            rows += 1
            if frame["type"] == "response.output_audio.delta":
                pcm = np.frombuffer(b64decode(frame["delta"], validate=True), np.int16)
                if check:
                    parts.append(pcm.tobytes())
            elif check and "delta" in frame:
                parts.append(frame["delta"].encode())
    return checked(rows, parts) if check else None


def by_pyarrow_json(path: Path, check: bool) -> Found | None:
    import pyarrow.json as pj
    from pybase64 import b64decode

    table = pj.read_json(path, pj.ReadOptions(use_threads=False, block_size=1 << 24))
    if not check:
        return None
    pairs = zip(table.column("type").to_pylist(), table.column("delta").to_pylist(), strict=True)
    return checked(table.num_rows, [_plain(kind, delta, b64decode) for kind, delta in pairs if delta is not None])


def _plain(kind: str, delta: str, decode: Callable[[str], bytes]) -> bytes:
    return decode(delta) if kind == "response.output_audio.delta" else delta.encode()


def by_polars(path: Path, check: bool) -> Found | None:
    import polars as pl

    audio = pl.col("type") == "response.output_audio.delta"
    frame = pl.read_ndjson(path, infer_schema_length=None).with_columns(
        pcm=pl.when(audio).then(pl.col("delta")).str.decode("base64"),
        text=pl.when(~audio).then(pl.col("delta")),
    )
    if not check:
        return None
    parts = frame.get_column("pcm").drop_nulls().to_list()
    parts += [text.encode() for text in frame.get_column("text").drop_nulls()]
    return checked(frame.height, parts)


def by_duckdb(path: Path, check: bool) -> Found | None:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as base:
        table = base.sql(
            "select type, case when type = 'response.output_audio.delta' then from_base64(delta) end as pcm, "
            "case when type <> 'response.output_audio.delta' then delta end as text "
            "from read_json(?, format='newline_delimited', "
            "columns={type: 'VARCHAR', event_id: 'VARCHAR', item_id: 'VARCHAR', delta: 'VARCHAR'}, maximum_object_size=67108864)",
            params=[str(path)],
        ).to_arrow_table()
    if not check:
        return None
    parts = [pcm for pcm in table.column("pcm").to_pylist() if pcm is not None]
    parts += [text.encode() for text in table.column("text").to_pylist() if text is not None]
    return checked(table.num_rows, parts)


def by_cat(path: Path, check: bool) -> Found | None:
    if not check:
        with open(os.devnull, "wb") as nothing:
            subprocess.run([shutil.which("cat") or "cat", str(path)], stdout=nothing, check=True)
    return None


class Copy:
    """memcpy of as many bytes, between two arrays that are there."""

    def __init__(self, size: int) -> None:
        self.source, self.target = np.ones(size, np.uint8), np.ones(size, np.uint8)

    def __call__(self, path: Path, check: bool) -> Found | None:
        np.copyto(self.target, self.source)
        return None


OURS = "realtime_pcm.arrow"
WAYS: dict[str, Way] = {
    OURS: by_arrow,
    "decode_stream(open(...))": by_stream,
    "orjson + pybase64": by_orjson,
    "pyarrow.json, base64 left": by_pyarrow_json,
    "Polars, base64": by_polars,
    "DuckDB, base64": by_duckdb,
}


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process, with all of its threads, and of those that it ran: other programs disturb it least."""
    before, own = os.times(), time.process_time()
    work()
    own = time.process_time() - own
    after = os.times()
    return own + max(0.0, after.children_user + after.children_system - before.children_user - before.children_system)


def repeat(way: Way, path: Path, times: int) -> None:
    for _ in range(times):
        way(path, False)


def twice(paths: list[Path]) -> None:
    """Two threads, each of which reads a file."""
    threads = [threading.Thread(target=by_arrow, args=(path, False)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure(folder: Path, kind: str, size: int, rounds: int) -> None:
    path = folder / f"{kind}.jsonl"
    write(path, kind, size)
    size = path.stat().st_size
    ways = dict(WAYS)
    found: dict[str, Found | None] = {}
    for name, way in list(ways.items()):
        try:
            found[name] = way(path, True)
        except ImportError as error:
            print(f"  {name}: left out, {error}")
            del ways[name]
    if len({*found.values()}) != 1:
        raise SystemExit(f"the ways find different things: {found}")
    ways |= {"cat > /dev/null": by_cat, "memcpy": Copy(size)}
    best = dict.fromkeys(ways, float("inf"))
    times = max(1, int(1e8 / size))  # the clock of CPU time ticks in 10 ms
    for _ in range(rounds):
        for name, way in ways.items():
            taken = cpu_seconds(lambda way=way: repeat(way, path, times)) / times  # type: ignore[misc]
            best[name] = min(best[name], taken)
    with arrow.Batches(path) as batches:
        for _ in batches:
            pass
    print(f"\n{kind}: {size / 1e6:.0f} MB, {batches.lines} lines; the GIL was taken for {batches.slow_lines} of them")
    print(f"  {'':28}{'GB/s':>8}{'of ours':>10}")
    for name, taken in sorted(best.items(), key=lambda pair: pair[1]):
        print(f"  {name:28}{size / taken / 1e9:8.2f}{taken / best[OURS]:9.2f}x")
    other = folder / f"{kind}-2.jsonl"
    shutil.copyfile(path, other)
    one = min(seconds(lambda: by_arrow(path, False)) for _ in range(rounds))
    two = min(seconds(lambda: twice([path, other])) for _ in range(rounds))
    print(f"  two threads, a file each: {2 * one / two:.2f} times the work of one thread ({2 * size / two / 1e9:.2f} GB/s)")
    other.unlink()
    path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[4, 256], help="sizes of the files")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"tier {rp.simd_tier()}, {os.cpu_count()} cores{load}, Python {sys.version.split()[0]}; "
        f"CPU time, the best of {given.rounds}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in given.megabytes:
            for kind in ("audio", "text"):
                measure(Path(folder), kind, int(megabytes * 1e6), given.rounds)


if __name__ == "__main__":
    main()
