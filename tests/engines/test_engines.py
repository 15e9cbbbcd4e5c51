"""Ray Data and Spark give the rows and files of a local run: from files and URLs, with a worker killed, while a file grows."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from realtime_pcm import arrow, sample
from realtime_pcm.arrow import rows_schema
from realtime_pcm.arrow.engines import map_rows, map_to_parquet, recordings, spark_schema, written_schema

pytestmark = pytest.mark.slow

Work = Callable[[Any], Iterator[Any]]
Engine = Callable[[Any, Work, Any], Any]
TURN = b"".join(frame + b"\n" for frame in sample.lines())


def by_ray(ray: Any, table: Any, work: Work, schema: Any) -> Any:
    dataset = ray.data.from_arrow(table, override_num_blocks=table.num_rows)
    found = dataset.map_batches(work, batch_format="pyarrow", batch_size=1)
    return pa.concat_tables(ray.get(found.to_arrow_refs()))


def by_spark(spark: Any, table: Any, work: Work, schema: Any) -> Any:
    frame = spark.createDataFrame(table).repartition(table.num_rows, "path")
    found = frame.mapInArrow(work, spark_schema(schema)).toArrow()
    return found.cast(schema)


@pytest.fixture(params=["ray", "spark"])
def engine(request: pytest.FixtureRequest) -> Engine:
    started = request.getfixturevalue(request.param)
    by = {"ray": by_ray, "spark": by_spark}[request.param]
    return lambda table, work, schema: by(started, table, work, schema)


def same(found: Any, local: Any) -> None:
    """The same rows, to the last bit of the audio, in any order of the recordings."""
    found, local = (table.sort_by([("source", "ascending"), ("line", "ascending")]) for table in (found, local))
    assert found.num_rows == local.num_rows > 0
    assert found.schema.names == local.schema.names
    for name in local.schema.names:
        assert found.column(name).combine_chunks().equals(local.column(name).combine_chunks()), name
    sent = pa.types.is_large_binary(local.schema.field("pcm").type)
    audio = [value for value in local.column("pcm").to_pylist() if value]
    assert len(audio) > 100 and isinstance(audio[0], bytes if sent else list)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("pcm", ["int16", "sent"])
def test_rows_are_those_of_a_local_run(engine: Engine, calls: Path, pcm: Any) -> None:
    schema = rows_schema(pcm)
    local = arrow.read(calls, pcm=pcm).read_all()
    assert local.column("error").null_count < local.num_rows
    same(engine(recordings(calls), lambda given: map_rows(given, pcm=pcm), schema), local)


def test_rows_come_from_an_http_server_too(engine: Engine, calls: Path, served: str) -> None:
    table = recordings([served + "a.jsonl", served + "b.jsonl.gz", f"file://{calls}/deep"])
    found = engine(table, map_rows, rows_schema())
    local = arrow.read([calls / "a.jsonl", calls / "b.jsonl.gz", calls / "deep"]).read_all()
    names = pa.array([name.replace(served, f"{calls}/").removeprefix("file://") for name in found.column("source").to_pylist()])
    same(found.set_column(0, local.schema.field("source"), names), local)


def test_files_are_those_of_a_local_run_and_a_rerun_leaves_them(engine: Engine, calls: Path, tmp_path: Path) -> None:
    local = arrow.to_parquet(calls, tmp_path / "local")
    out = tmp_path / "out"
    expected = pa.Table.from_pylist(
        [one._replace(path=one.path.replace(str(tmp_path / "local"), str(out)))._asdict() for one in local], written_schema()
    )
    for skipped in (False, True):
        found = engine(recordings(calls), lambda given: map_to_parquet(given, out=out), written_schema()).sort_by("source")
        assert found.column("skipped").to_pylist() == [skipped] * len(local)
        assert found.drop(["skipped"]).equals(expected.sort_by("source").drop(["skipped"]))
        assert digests(out) == digests(tmp_path / "local")


def killing(work: Work, mark: Path, after: int) -> Work:
    """Work whose process is killed once, when it has given so many tables of one recording and is in the middle of it."""

    def killed(given: Any) -> Iterator[Any]:
        for number, table in enumerate(work(given), 1):
            yield table
            if number == after and not mark.exists():
                mark.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)

    return killed


def test_a_worker_killed_in_the_middle_of_a_recording(engine: Engine, calls: Path, tmp_path: Path) -> None:
    """Its task runs again on another worker: each row is there once."""
    mark = tmp_path / "killed"
    local = arrow.read(calls).read_all()
    assert sum(1 for _ in arrow.read(calls / "a.jsonl")) > 2
    same(engine(recordings(calls), killing(map_rows, mark, 2), rows_schema()), local)
    assert int(mark.read_text()) != os.getpid()


def test_a_task_that_fails_once_runs_again(engine: Engine, calls: Path, tmp_path: Path) -> None:
    """As where the storage does not answer, in the middle of a recording."""
    mark = tmp_path / "failed"

    def failing(given: Any) -> Iterator[Any]:
        for number, table in enumerate(map_rows(given), 1):
            yield table
            if number == 2 and not mark.exists():
                mark.touch()
                raise ConnectionResetError("the storage is gone")

    same(engine(recordings(calls), failing, rows_schema()), arrow.read(calls).read_all())
    assert mark.exists()


def test_a_worker_killed_while_it_writes(engine: Engine, calls: Path, tmp_path: Path) -> None:
    """What it had begun is not there under its name; the next worker writes it, and takes away what was left."""
    out, mark = tmp_path / "out", tmp_path / "killed"

    def work(given: Any) -> Iterator[Any]:
        import pyarrow.parquet as pq

        if mark.exists():
            yield from map_to_parquet(given, out=out)
            return
        real = pq.ParquetWriter.write_batch

        def killed(self: Any, batch: Any) -> None:
            real(self, batch)
            if self.rows_so_far > 500 and not mark.exists():
                mark.write_text(" ".join(path.name for path in (out / "rows").iterdir()))
                os.kill(os.getpid(), signal.SIGKILL)
            self.rows_so_far += batch.num_rows

        pq.ParquetWriter.rows_so_far, pq.ParquetWriter.write_batch = 0, killed
        try:
            yield from map_to_parquet(given, out=out)
        finally:
            pq.ParquetWriter.write_batch = real

    arrow.to_parquet(calls, tmp_path / "local")
    found = engine(recordings(calls), work, written_schema())
    begun = [name for name in mark.read_text().split() if name.startswith(".a.jsonl.parquet.")]
    assert begun, mark.read_text()
    assert found.column("error").null_count == found.num_rows - 1
    assert digests(out) == digests(tmp_path / "local")


def test_a_recording_that_grows_while_tasks_run_and_run_again(engine: Engine, calls: Path, tmp_path: Path) -> None:
    """The recording is what it was when the table was made, for each try."""
    mark = tmp_path / "killed"
    local = arrow.read(calls).read_all()

    def growing(given: Any) -> Iterator[Any]:
        with (calls / "a.jsonl").open("ab") as file:
            file.write(TURN[: len(TURN) // 3])
        yield from map_rows(given)

    table = recordings(calls)
    size = (calls / "a.jsonl").stat().st_size
    same(engine(table, killing(growing, mark, 2), rows_schema()), local)
    assert mark.exists() and (calls / "a.jsonl").stat().st_size >= size + 2 * (len(TURN) // 3)
    # The same table once more: the files hold the same bytes as those of the recording before it grew.
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "a.jsonl").write_bytes((calls / "a.jsonl").read_bytes()[:size])
    of_a = table.filter(pc.equal(table.column("name"), "a.jsonl"))
    engine(of_a, lambda given: map_to_parquet(given, out=tmp_path / "out"), written_schema())
    rows, before = (arrow_rows(folder) for folder in (tmp_path / "out", tmp_path / "before"))
    assert rows == before


def arrow_rows(folder: Path) -> Any:
    """The rows without their source: as Parquet, or as a recording."""
    import pyarrow.parquet as pq

    written = folder / "rows" / "a.jsonl.parquet"
    table = pq.read_table(written) if written.exists() else arrow.read(folder / "a.jsonl").read_all()
    return table.drop(["source"]).to_pylist()
