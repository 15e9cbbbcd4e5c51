"""What a stranger's recording may cost the reader: memory and work for what is packed, and for lines without anything."""

from __future__ import annotations

import gzip
import io
import random
import struct
import subprocess
import sys
from functools import partial
from typing import Any

import pytest

from hardening import SANITIZED
from realtime_pcm import arrow, sample
from realtime_pcm.recording import Entry, RecordingError, files, lines as line_files, read_recording
from support.steps import steps

FRAMES = sample.lines()
FRAME = b'{"type":"response.created"}'
MOST = line_files.MOST_EMPTY


def read(data: bytes) -> list[Entry]:
    return list(read_recording(io.BytesIO(data)))


# --- empty lines

EMPTY = [b"\n", b"\r\n", b" \n", b"\t \x0b\x0c\r\n"]
WRAPPED = b'{"event":%b,"time":1}'


@pytest.mark.parametrize("line", [FRAME, WRAPPED % FRAME], ids=["plain", "wrapped"])
@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("count", [0, 1, MOST - 1, MOST, MOST + 1, 10 * MOST])
def test_empty_lines_are_passed_and_too_many_in_a_row_are_said_once(line: bytes, empty: bytes, count: int) -> None:
    data = line + b"\n" + empty * count + line + b"\n" + empty * 3 + line
    entries = read(data)
    bad = [(entry.line, entry.error.reason) for entry in entries if entry.error is not None]
    assert [entry.line for entry in entries if entry.message is not None] == [1, count + 2, count + 6]
    said = [(MOST + 2, f"more than {MOST:,} empty lines in a row: they are passed over")] if count > MOST else []
    assert bad == said
    rows = arrow.read(io.BytesIO(data)).read_all().select(["line", "error"]).to_pylist()
    assert [(row["line"], row["error"]) for row in rows] == [
        (entry.line, None if entry.error is None else str(entry.error)) for entry in entries
    ]


def test_each_run_of_too_many_is_said() -> None:
    data = b"\n".join([FRAME, b"\n" * (MOST + 5), FRAME, b"\n" * (MOST + 5), FRAME])
    assert [entry.error is not None for entry in read(data)] == [False, True, False, True, False]


def test_empty_lines_at_the_ends_of_a_recording_are_counted_too() -> None:
    for data in (b"\n" * (2 * MOST), b" \n" * (2 * MOST) + b" "):
        assert [(entry.line, entry.message) for entry in read(data)] == [(MOST + 1, None)]
    first, last = read(b"\n" * (2 * MOST) + FRAME)
    assert first.error is not None and last.line == 2 * MOST + 1
    first, last = read(FRAME + b"\n" + b"\n" * (2 * MOST))
    assert first.line == 1 and last.line == MOST + 2 and last.error is not None


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_no_step_is_made_for_an_empty_line(empty: bytes, pack: Any) -> None:
    """10, 1,000 and 100,000 of them: only the buffers of the file take steps."""
    counts = []
    for count in (10, 1_000, 100_000):
        data = pack(FRAME + b"\n" + empty * count + FRAME)
        counts.append(steps(partial(read, data)))
    assert counts[1] < counts[0] + 1_000
    assert counts[2] < counts[0] + 100_000


def test_a_line_of_white_space_is_one_empty_line() -> None:
    spaces = b" " * (3 << 18)
    assert [entry.line for entry in read(b"\n".join([FRAME, spaces, spaces, FRAME]))] == [1, 4]


def test_packed_newlines_that_are_damaged_are_told() -> None:
    packed = gzip.compress(FRAME + b"\n" * 300_000)
    entries = read(packed[:-4])
    assert "the file ends here" in str(entries[-1].error) and entries[0].message is not None


# --- zstd


def test_zstd_is_unpacked_in_pieces_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    zstandard = pytest.importorskip("zstandard")
    data = b"\n".join(FRAMES) + b"\n"
    packed = b"".join(
        zstandard.ZstdCompressor(write_checksum=True, level=level).compress(part)
        for level, part in ((1, data), (3, b""), (19, b"\n" * 5_000_000), (3, data))
    )
    largest = 0
    unpacked = files._Unpacked._unpacked

    def watched(self: Any) -> memoryview:
        nonlocal largest
        ready = unpacked(self)
        largest = max(largest, len(ready))
        return ready

    monkeypatch.setattr(files._Unpacked, "_unpacked", watched)
    entries = read(packed)
    assert [entry.frame for entry in entries if entry.message is not None] == FRAMES * 2
    assert 1 << 20 < largest <= 32 << 20


def _runs(blocks: int, window: int = 0x58, last: bytes = b"") -> bytes:
    """A frame of zstd: so many blocks, each 128 KiB of one byte in four bytes. window: its exponent, times 8."""
    block = struct.pack("<I", 131_072 << 3 | 2)[:3] + b"a"
    end = struct.pack("<I", len(last) << 3 | 1)[:3] + last
    return b"\x28\xb5\x2f\xfd\x00" + bytes([window]) + block * blocks + end


def test_a_zstd_file_may_not_ask_for_a_window_of_any_size() -> None:
    pytest.importorskip("zstandard")
    at_most = files.WIDEST_WINDOW.bit_length() - 1 - 10
    assert len(read(_runs(1, at_most << 3, b"\n" + FRAME))) == 1  # the line of text before it is passed over
    with pytest.raises(RecordingError, match=r"window of more than 64 MiB: unpack them first \(zstd --long=31\)"):
        read_recording(io.BytesIO(_runs(1, (at_most + 1) << 3)))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the module resource")
@pytest.mark.skipif(SANITIZED, reason="ASan keeps what was freed")
@pytest.mark.parametrize("window", [0x58, 16 << 3], ids=["2 MiB", "64 MiB"])
def test_memory_of_a_zstd_file_that_unpacks_to_a_gigabyte(window: int) -> None:
    """A frame, and 32 kB that hold one line of 1 GB: the longest line twice, while its pieces are joined, the window, a piece."""
    code = (
        "import io, resource, sys; from realtime_pcm.recording import read_recording\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "data = sys.stdin.buffer.read(); before = peak()\n"
        "entries = list(read_recording(io.BytesIO(data))); print(peak() - before, len(entries), entries[-1].error)"
    )
    data = pytest.importorskip("zstandard").compress(FRAME + b"\n") + _runs(8_000, window)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    took, count, said = done.stdout.decode().split(" ", 2)
    assert int(took) < (260 if window == 0x58 else 360), done.stdout
    assert count == "2" and "more than 67108864 bytes" in said


def test_zstd_cut_anywhere_loses_no_whole_line() -> None:
    zstandard = pytest.importorskip("zstandard")
    rng = random.Random(7)
    packed = zstandard.ZstdCompressor(level=3).compress(b"".join(frame + b"\n" for frame in FRAMES))
    packed = packed + packed
    whole = len(FRAMES)
    for cut in [len(packed) // 2 + 1, len(packed) - 1, *(rng.randrange(len(packed) // 2, len(packed)) for _ in range(5))]:
        entries = read(packed[:cut])
        assert len(entries) > whole and "end too early" in str(entries[-1].error)
    assert len(read(packed)) == 2 * whole


# --- a file object that is none


class _Odd:
    def __init__(self, *gives: Any) -> None:
        self.gives = list(gives)

    def read(self, size: int) -> Any:
        return self.gives.pop(0) if self.gives else b""


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (None, TypeError, "gave None: a file that does not block"),
        (7, TypeError, "gave int: a file open in binary mode gives bytes"),
        ("{}", TypeError, "open as text"),
        (b"x" * (1 << 20), ValueError, "gave 1048576 bytes"),
    ],
)
def test_a_file_object_that_gives_something_else_is_a_sentence(given: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        read_recording(_Odd(given))
    with pytest.raises(error, match=says):
        list(read_recording(_Odd(FRAME + b"\n", given)))
    with pytest.raises(error, match=says):
        files.read_into(_Odd(given), memoryview(bytearray(100)))


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_a_file_object_that_gives_any_kind_of_bytes_is_read(make: Any) -> None:
    entries = list(read_recording(_Odd(make(FRAME), make(b"\n" + FRAME))))
    assert [entry.error for entry in entries] == [None, None]
