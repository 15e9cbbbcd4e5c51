"""What Ray Data and Spark run on their workers, called without them. tests/engines calls it with them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from realtime_pcm import arrow, sample
from realtime_pcm.arrow import Written, parquet, rows_schema
from realtime_pcm.arrow.engines import map_rows, map_to_parquet, recordings, spark_schema, written_schema
from realtime_pcm.arrow.files import Source

TURN = b"".join(frame + b"\n" for frame in sample.lines())


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(TURN)
    (folder / "deep" / "a.jsonl").write_bytes(b'{"bad\n' + TURN)
    return folder


def batches_of(table: Any) -> Any:
    return iter(table.to_batches(max_chunksize=1))


def test_the_table_of_recordings(calls: Path) -> None:
    table = recordings(calls)
    assert table.column("name").to_pylist() == ["a.jsonl", "deep/a.jsonl"]
    assert table.column("path").to_pylist() == [str(calls / "a.jsonl"), str(calls / "deep" / "a.jsonl")]
    assert table.column("bytes").to_pylist() == [len(TURN), len(TURN) + len(b'{"bad\n')]
    assert recordings([]).schema == table.schema
    with (calls / "a.jsonl").open("rb") as file, pytest.raises(TypeError, match=r"not an open file: .*a\.jsonl"):
        recordings(file)
    with pytest.raises(FileNotFoundError):
        recordings(calls / "nothing")


def test_recordings_of_a_file_system_in_memory() -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe({"/mapped/deep/a.jsonl": TURN, "/mapped/b.jsonl": TURN * 2})
    table = recordings("memory://mapped")
    assert table.column("name").to_pylist() == ["b.jsonl", "deep/a.jsonl"]
    assert table.column("bytes").to_pylist() == [2 * len(TURN), len(TURN)]
    (rows,) = map_rows(table.slice(1))
    assert rows.drop(["source"]).equals(arrow.read(sample.path()).read_all().drop(["source"]))


@pytest.mark.parametrize("pcm", ["int16", "sent"])
def test_a_table_gives_tables_and_batches_give_batches(calls: Path, pcm: Any) -> None:
    local = arrow.read(calls, pcm=pcm).read_all()
    given = recordings(calls)
    tables = list(map_rows(given, pcm=pcm))
    assert all(isinstance(table, pa.Table) for table in tables)
    assert pa.concat_tables(tables).equals(local) and tables[0].schema.equals(rows_schema(pcm), check_metadata=True)
    batches = list(map_rows(batches_of(given), pcm=pcm))
    assert all(isinstance(batch, pa.RecordBatch) for batch in batches)
    if pcm == "int16":
        assert batches[0].schema.field("pcm").type == pa.list_(pa.field("item", pa.int16(), nullable=False))
    assert pa.Table.from_batches(batches).cast(local.schema).equals(local)


def test_a_recording_is_read_as_far_as_it_was_seen(calls: Path, tmp_path: Path) -> None:
    given, local = recordings(calls), arrow.read(calls).read_all()
    arrow.to_parquet(calls, tmp_path / "local")
    for path in given.column("path").to_pylist():
        with open(path, "ab") as file:
            file.write(TURN[:1000])
    assert pa.concat_tables(map_rows(given)).equals(local)
    assert pa.concat_tables(map_rows(given.drop(["bytes"]))).num_rows == local.num_rows + 4
    for skipped in (False, True):
        written = pa.concat_tables(map_to_parquet(given, out=tmp_path / "out"))
        assert written.column("skipped").to_pylist() == [skipped] * 2
    for table, name in (("rows", "a.jsonl"), ("items", "deep/a.jsonl"), ("errors", "deep/a.jsonl")):
        place = Path(table, f"{name}.parquet")
        assert (tmp_path / "out" / place).read_bytes() == (tmp_path / "local" / place).read_bytes()
    # A later table has seen more of the file: it is written anew.
    later = pa.concat_tables(map_to_parquet(recordings(calls), out=tmp_path / "out"))
    assert later.column("skipped").to_pylist() == [False] * 2


def test_what_was_written_is_told(calls: Path, tmp_path: Path) -> None:
    given = recordings(calls)
    local = arrow.to_parquet(calls, tmp_path / "out")
    (table, _) = map_to_parquet(given, out=tmp_path / "out")
    (batch, _) = map_to_parquet(batches_of(given), out=tmp_path / "out")
    assert table.to_pylist() == batch.to_pylist() == [local[0]._replace(skipped=True)._asdict()]


def test_a_file_that_cannot_be_opened_fails_the_task(calls: Path, tmp_path: Path) -> None:
    given = recordings(calls)
    (calls / "a.jsonl").unlink()
    with pytest.raises(FileNotFoundError):
        list(map_rows(given))
    with pytest.raises(FileNotFoundError):
        list(map_to_parquet(given, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_tables_of_a_recording_that_is_gone_stay(calls: Path, tmp_path: Path) -> None:
    source, given = calls / "a.jsonl", recordings(calls / "a.jsonl")
    arrow.to_parquet(source, tmp_path / "out")
    before = (tmp_path / "out" / "rows" / "a.jsonl.parquet").read_bytes()
    source.rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        list(map_to_parquet(given, out=tmp_path / "out"))
    (told,) = arrow.to_parquet([Source(str(source), "a.jsonl", str(source))], tmp_path / "out")
    assert told.error is not None and told.error.endswith("a.jsonl'; the tables of an earlier run stay")
    assert (tmp_path / "out" / "rows" / "a.jsonl.parquet").read_bytes() == before


def test_an_older_table_of_recordings_takes_nothing_away(calls: Path, tmp_path: Path) -> None:
    older = recordings(calls)
    with open(calls / "a.jsonl", "ab") as file:
        file.write(TURN[:1000])
    list(map_to_parquet(recordings(calls), out=tmp_path / "out"))
    again = pa.concat_tables(map_to_parquet(older, out=tmp_path / "out"))
    assert again.column("skipped").to_pylist() == [True] * 2


def test_names_are_told_apart_and_stay_below_out(calls: Path, tmp_path: Path) -> None:
    alike = recordings([calls / "a.jsonl", calls / "deep"])
    assert alike.column("name").to_pylist() == [None, None]
    assert sum(table.num_rows for table in map_rows(alike)) >= 2 * len(sample.lines())
    given = recordings(calls).slice(0, 1)
    for nameless in (alike, given.select(["path"])):
        with pytest.raises(ValueError, match="a different name for each recording"):
            list(map_to_parquet(nameless, out=tmp_path / "out"))
    for name in ("../escaped", "/escaped", "a/../../escaped"):
        bad = given.set_column(1, "name", pa.array([name]))
        with pytest.raises(ValueError, match=r"a path below `out`, without \.\."):
            list(map_to_parquet(bad, out=tmp_path / "out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [calls.name]


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names there are Unicode")
def test_a_name_that_is_no_utf8(calls: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"ad\xe9.jsonl")
    (calls / "a.jsonl").rename(calls / name)
    arrow.to_parquet(calls, tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "items" / "ad\\xe9.jsonl.parquet")
    assert table.column("source")[0].as_py() == f"{calls}/ad\\xe9.jsonl"
    with pytest.raises(ValueError, match="not UTF-8, so a table cannot hold it"):
        recordings(calls)


def test_two_threads_that_write_the_same_recording(calls: Path, tmp_path: Path) -> None:
    wanted = arrow.to_parquet(calls, tmp_path / "alone")
    for number in range(8):
        out = tmp_path / str(number)
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(arrow.to_parquet, calls, out) for _ in range(2)]:
                assert [told.lines for told in done.result()] == [told.lines for told in wanted]
        for told in wanted:
            place = Path(told.path).relative_to(tmp_path / "alone")
            assert (out / place).read_bytes() == (tmp_path / "alone" / place).read_bytes()
        assert not list(out.rglob("*.part"))


def test_every_column_has_a_type_in_spark() -> None:
    assert spark_schema().startswith("`source` string, `line` bigint, `time` double, ")
    assert "`pcm` array<smallint>, `encoding` string, `rate` int" in spark_schema()
    assert "`pcm` binary" in spark_schema(rows_schema("sent")) and "`skipped` boolean" in spark_schema(written_schema())
    for schema in (rows_schema("int16"), rows_schema("sent"), written_schema()):
        assert spark_schema(schema).count("`") == 2 * len(schema)
    assert written_schema().names == list(Written._fields)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no process of this number to ask for")
def test_what_a_killed_process_had_begun_is_taken_away(calls: Path, tmp_path: Path) -> None:
    """Files of a process that runs, of another machine and of other recordings stay."""
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True).stdout.strip()
    rows = tmp_path / "out" / "rows"
    rows.mkdir(parents=True)
    here = parquet._processes()
    gone = [rows / f".a.jsonl.parquet.{of}-01234567.part" for of in (f"{here}-{ended}", "ffffffff-1")]
    stay = [rows / f".{name}-01234567.part" for name in (
        f"a.jsonl.parquet.{here}-{os.getppid()}", f"a.jsonl.parquet.00000000-{ended}", f"b.jsonl.parquet.{here}-{ended}",
    )]  # fmt: skip
    for path in (*gone, *stay):
        path.write_bytes(b"PAR1")
    os.utime(gone[1], (1, 1))
    arrow.to_parquet(calls / "a.jsonl", tmp_path / "out")
    assert sorted(rows.iterdir()) == sorted([*stay, rows / "a.jsonl.parquet"])
    assert pq.read_metadata(rows / "a.jsonl.parquet").num_rows == len(sample.lines())
