"""archive: what it writes, what it says of it, what a second run does, and what stays where it is stopped."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("pyarrow")

import pyarrow.parquet as pq

import realtime_pcm as rp
from support import stream_clients as clients
from support.command import COMMAND, environment, files, recorded, run, run_process

FRAMES = clients.FRAMES
TURN = b"".join(frame + b"\n" for frame in FRAMES)


def tables(*names: str, errors: tuple[str, ...] = ()) -> list[str]:
    """The files that an archive of these recordings has."""
    wanted = {"rows": names, "items": names, "errors": errors}
    return sorted(f"{table}/{name}.parquet" for table, given in wanted.items() for name in given)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The bytes of each file and when it was written."""
    return {name: ((folder / name).read_bytes(), (folder / name).stat().st_mtime_ns) for name in files(folder)}


def test_the_sample_to_the_sample(tmp_path: Path) -> None:
    """The audio in the Parquet file is that of a Decoder, frame by frame."""
    recorded(tmp_path / "call.jsonl", *FRAMES)
    end = run("archive", "call.jsonl", "--out", "out", cwd=tmp_path)
    rows = pq.read_table(tmp_path / "out" / "rows" / "call.jsonl.parquet").to_pylist()
    items = pq.read_metadata(tmp_path / "out" / "items" / "call.jsonl.parquet").num_rows
    assert end.output == f"-> out: 1 recording, {len(FRAMES)} rows, {items} items, 0 refused lines, 0 skipped because done\n"
    assert end.errors == "" and items > 0
    assert files(tmp_path / "out") == tables("call.jsonl")
    decoder = rp.Decoder()
    heard = 0
    for row, frame in zip(rows, FRAMES, strict=True):
        message = decoder.decode(frame)
        assert row["type"] == message.type
        pcm = getattr(message, "pcm", None)
        assert (row["pcm"] is None) == (pcm is None)
        if pcm is not None:
            np.testing.assert_array_equal(np.array(row["pcm"], np.int16), pcm)
            heard += len(pcm)
    assert heard == len(clients.PCM) // 2


def test_a_wrapped_recording_below_a_folder(tmp_path: Path) -> None:
    """Its name in the archive is its path below the folder; files of other kinds in the folder are left alone."""
    (tmp_path / "calls" / "deep").mkdir(parents=True)
    (tmp_path / "calls" / "notes.txt").write_text("no recording")
    lines = [b'{"at":%d,"dir":"in","event":%b}' % (number, frame) for number, frame in enumerate(FRAMES)]
    recorded(tmp_path / "calls" / "deep" / "call.jsonl", *lines)
    recorded(tmp_path / "calls" / "call.jsonl", *FRAMES)
    end = run("archive", "calls", "--out", "calls/tables", cwd=tmp_path)
    assert f"2 recordings, {2 * len(FRAMES)} rows" in end.output
    assert files(tmp_path / "calls" / "tables") == tables("call.jsonl", "deep/call.jsonl")
    wrapped, plain = (
        pq.read_table(tmp_path / "calls" / "tables" / "rows" / f"{name}.parquet") for name in ("deep/call.jsonl", "call.jsonl")
    )
    assert wrapped.column("pcm").equals(plain.column("pcm")) and set(wrapped.column("direction").to_pylist()) == {"received"}
    # The archive lies in the folder that is archived, and is no part of it.
    again = run("archive", "calls", "--out", "calls/tables", cwd=tmp_path)
    assert again.output.startswith("-> calls/tables: 2 recordings, ") and again.output.endswith(" 2 skipped because done\n")


# --- what is not whole


def cut(folder: Path) -> tuple[str, str]:
    (folder / "bad.jsonl.gz").write_bytes(gzip.compress(TURN, mtime=0)[:-500])
    return "bad.jsonl.gz", f"1 line was refused, the first in bad.jsonl.gz ({Path('out/errors')} has the reasons)"


def bad_lines(folder: Path) -> tuple[str, str]:
    (folder / "bad.jsonl").write_bytes(TURN + b"{\n" * 3)
    return "bad.jsonl", f"3 lines were refused, the first in bad.jsonl ({Path('out/errors')} has the reasons)"


def zipped(folder: Path) -> tuple[str, str]:
    (folder / "bad.jsonl").write_bytes(b"PK\x03\x04" + bytes(100))
    return "bad.jsonl", "1 file is not a recording: bad.jsonl: this is a zip archive"


def empty(folder: Path) -> tuple[str, str]:
    (folder / "bad.jsonl").write_bytes(b"")
    return "bad.jsonl", "1 file is not a recording: bad.jsonl: an empty recording: it has no frames"


def encodings(folder: Path) -> tuple[str, str]:
    latin = '{"type":"response.output_text.delta","delta":"\u00e9"}\n'.encode("latin-1")
    wide = FRAMES[0].decode().encode("utf-16-le") + b"\n"
    (folder / "bad.jsonl").write_bytes(b"\xef\xbb\xbf" + FRAMES[0] + b"\r\n" + latin + FRAMES[1] + b"\n" + wide)
    return "bad.jsonl", "2 lines were refused, the first in bad.jsonl"


@pytest.mark.parametrize("make", [cut, bad_lines, zipped, empty, encodings])
def test_one_bad_recording_among_others(tmp_path: Path, make: Callable[[Path], tuple[str, str]]) -> None:
    """What can be read is written; the line and the status are the same when a second run finds all of it done."""
    name, says = make(tmp_path)
    recorded(tmp_path / "good.jsonl", *FRAMES)
    first = run("archive", name, "good.jsonl", "--out", "out", status=1, cwd=tmp_path)
    assert first.line.startswith(says)
    assert files(tmp_path / "out") == tables(name, "good.jsonl", errors=(name,))
    table = pq.read_table(tmp_path / "out" / "errors" / f"{name}.parquet").to_pylist()
    assert all(row["source"] == name and row["error"] for row in table)
    if "no recording" in says:
        assert [(row["line"], row["error"]) for row in table] == [(0, first.line.partition(f"{name}: ")[2])]
    rows = [pq.read_metadata(tmp_path / "out" / "rows" / f"{one}.parquet").num_rows for one in (name, "good.jsonl")]
    assert rows[1] == len(FRAMES) and f"2 recordings, {sum(rows)} rows, " in first.output
    if make is cut:
        assert 1 < rows[0] <= len(FRAMES)
    before = contents(tmp_path / "out")
    second = run("archive", name, "good.jsonl", "--out", "out", status=1, cwd=tmp_path)
    assert second.errors == first.errors
    assert second.output == first.output.replace(" 0 skipped", " 2 skipped")
    assert contents(tmp_path / "out") == before


def test_a_folder_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "notes.txt").write_text("no recording")
    line = run("archive", "papers", "--out", "out", status=1, cwd=tmp_path).line
    assert line.startswith("papers: a folder without recordings: ")
    assert files(tmp_path) == ["papers/notes.txt"]


@pytest.mark.parametrize("name", ["nothing.jsonl", "*.nothing", "a" * 5000])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    """One line, and the others are archived."""
    recorded(tmp_path / "good.jsonl", *FRAMES)
    line = run("archive", "good.jsonl", name, "--out", "out", status=1, cwd=tmp_path).line
    assert line.startswith(name[:1000])
    assert files(tmp_path) == ["good.jsonl", "out/items/good.jsonl.parquet", "out/rows/good.jsonl.parquet"]
    assert run("archive", name, "--out", "new", status=1, cwd=tmp_path).line == line
    assert not (tmp_path / "new").exists()


# --- a second run


def test_a_second_run_does_what_is_missing(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        recorded(tmp_path / f"{name}.jsonl", *FRAMES)
    command = ["archive", "a.jsonl", "b.jsonl", "c.jsonl", "--out", "out"]
    assert run(*command, cwd=tmp_path).output.endswith(" 0 skipped because done\n")
    before = contents(tmp_path / "out")
    assert run(*command, cwd=tmp_path).output.endswith(" 3 skipped because done\n")
    assert contents(tmp_path / "out") == before
    # A table of either kind that is missing is written again, and has the same bytes.
    (tmp_path / "out" / "rows" / "a.jsonl.parquet").unlink()
    (tmp_path / "out" / "items" / "b.jsonl.parquet").unlink()
    assert run(*command, cwd=tmp_path).output.endswith(" 1 skipped because done\n")
    after = contents(tmp_path / "out")
    assert {name: data for name, (data, _) in after.items()} == {name: data for name, (data, _) in before.items()}
    assert after["rows/c.jsonl.parquet"] == before["rows/c.jsonl.parquet"]
    # A recording that has grown is written anew.
    recorded(tmp_path / "c.jsonl", *FRAMES, *FRAMES)
    assert run(*command, cwd=tmp_path).output.endswith(" 2 skipped because done\n")
    assert pq.read_metadata(tmp_path / "out" / "rows" / "c.jsonl.parquet").num_rows == 2 * len(FRAMES)


# --- misuse, and what cannot be written


def test_misuse(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    for name in ("a.jsonl", "calls/a.jsonl"):
        recorded(tmp_path / name, *FRAMES)
    assert "--out" in run("archive", "a.jsonl", status=2, cwd=tmp_path).line
    assert "PATHS" in run("archive", "--out", "out", status=2, cwd=tmp_path).line
    assert "cannot read standard input" in run("archive", "-", "--out", "out", status=2, cwd=tmp_path).line
    line = run("archive", "a.jsonl", "calls", "--out", "out", status=2, cwd=tmp_path).line
    assert line.endswith("would both become a.jsonl.parquet: pass their common folder")
    assert files(tmp_path) == ["a.jsonl", "calls/a.jsonl"]


@pytest.mark.slow
def test_without_pyarrow(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "pyarrow.py").write_text("raise ModuleNotFoundError(\"No module named 'pyarrow'\", name='pyarrow')\n")
    recorded(tmp_path / "call.jsonl", *FRAMES)
    away = environment(PYTHONPATH=str(tmp_path / "away"))
    line = run_process("archive", "call.jsonl", "--out", "out", status=1, cwd=tmp_path, env=away).line
    assert line.endswith('pip install "realtime-pcm[arrow]"')
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["file", "file/out", "taken", "locked"])
def test_a_folder_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "rows").write_text("mine")
    (tmp_path / "locked").mkdir(mode=0o500)
    if place == "locked" and (os.name == "nt" or os.geteuid() == 0):
        pytest.skip("this user may write everywhere")
    recorded(tmp_path / "call.jsonl", *FRAMES)
    before = files(tmp_path)
    line = run("archive", "call.jsonl", "--out", place, status=1, cwd=tmp_path).line
    assert line.startswith(str(Path(place))) and any(word in line for word in ("older", "exists", "rectory", "ermission"))
    assert files(tmp_path) == before


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no RLIMIT_FSIZE")
def test_a_full_disk(tmp_path: Path) -> None:
    """The first recording fits, the second does not."""

    def limit() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    recorded(tmp_path / "a.jsonl", FRAMES[0])
    recorded(tmp_path / "b.jsonl", *FRAMES)
    end = run_process("archive", "a.jsonl", "b.jsonl", "--out", "out", status=1, cwd=tmp_path, preexec_fn=limit)
    assert end.line == "out: File too large; 1 complete recording is kept"
    assert files(tmp_path / "out") == tables("a.jsonl")
    assert pq.read_table(tmp_path / "out" / "rows" / "a.jsonl.parquet").num_rows == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption(tmp_path: Path, number: signal.Signals) -> None:
    """Each file that is there is whole, and a second run does the rest."""
    (tmp_path / "calls").mkdir()
    for place in range(60):
        (tmp_path / "calls" / f"{place:03}.jsonl").write_bytes(TURN)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [*COMMAND, "archive", "calls", "--out", "out"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(),
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 60
    rows = tmp_path / "out" / "rows"
    # In the middle of a file: at its end Python drops the exception of a signal that comes within pyarrow's __del__.
    while not ((rows / "002.jsonl.parquet").exists() and list(rows.glob("*.part"))):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.002)
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (130, b""), errors
    assert errors.startswith(b"realtime-pcm: out: interrupted; ") and errors.endswith(b" complete recordings are kept\n")
    assert errors.count(b"\n") == 1
    names = files(tmp_path / "out")
    assert 6 <= len(names) < 120
    for name in names:
        assert name.endswith(".parquet") and not Path(name).name.startswith("."), name
        assert pq.read_table(tmp_path / "out" / name).num_rows > 0
    done = sum(name.startswith("rows/") for name in names)
    assert run("archive", "calls", "--out", "out", cwd=tmp_path).output.endswith(f" {done} skipped because done\n")
    assert files(tmp_path / "out") == tables(*(f"{place:03}.jsonl" for place in range(60)))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_closed_pipe(tmp_path: Path) -> None:
    recorded(tmp_path / "call.jsonl", *FRAMES)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        end = subprocess.run(
            [*COMMAND, "archive", "call.jsonl", "--out", "out"],
            stdout=output, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(),
        )  # fmt: skip
    assert end.returncode == 141 and end.stderr.count(b"\n") == 1
    assert files(tmp_path / "out") == tables("call.jsonl")


@pytest.mark.skipif(sys.platform != "linux", reason="names that other systems forbid")
def test_a_name_that_a_terminal_would_obey(tmp_path: Path) -> None:
    (tmp_path / "[red]\x1b[2J\n.jsonl").write_bytes(b"")
    line = run("archive", "*.jsonl", "--out", "out", status=1, cwd=tmp_path).line
    assert "\x1b" not in line and "[red]" in line
