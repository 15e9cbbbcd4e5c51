"""Parquet files of recordings: whole or not at all, only what is missing, the same bytes again."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from realtime_pcm import arrow, sample
from realtime_pcm.arrow import parquet
from realtime_pcm.arrow.files import Source
from realtime_pcm.arrow.items import Items

FRAMES = sample.lines()


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    (folder / "deep").mkdir(parents=True)
    plain = b"".join(frame + b"\n" for frame in FRAMES)
    (folder / "a.jsonl").write_bytes(plain)
    (folder / "deep" / "a.jsonl").write_bytes(plain + b'{"bad\n')
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(plain, mtime=0)[:-500])
    (folder / "c.bin").write_bytes(b"RIFFxxxx")
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_written_and_what_a_second_run_does(calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[parquet.Written] = []
    written = arrow.to_parquet(calls, out, progress=seen.append)
    assert seen == written and not any(one.skipped for one in written)
    assert [(Path(one.source).name, one.refused, one.error is None) for one in written] == [
        ("a.jsonl", 0, True),
        ("b.jsonl.gz", 1, True),
        ("c.bin", 1, False),
        ("a.jsonl", 1, True),
    ]
    first = digests(out)
    assert sorted(first) == sorted(
        [f"{table}/{name}.parquet" for table in ("rows", "items") for name in ("a.jsonl", "b.jsonl.gz", "c.bin", "deep/a.jsonl")]
        + [f"errors/{name}.parquet" for name in ("b.jsonl.gz", "c.bin", "deep/a.jsonl")]
    )
    rows = pq.read_table(out / "rows" / "a.jsonl.parquet")
    assert rows.equals(arrow.read(calls / "a.jsonl").read_all()) and rows.schema.metadata[b"realtime_pcm.version"] == b"2"
    errors = pq.read_table(out / "errors" / "b.jsonl.gz.parquet").to_pylist()
    assert [row["error"] for row in errors] == ["the file ends here: the gzip data end too early at byte 0"]

    again = arrow.to_parquet(calls, out)
    assert all(one.skipped for one in again) and [one._replace(skipped=False) for one in again] == written
    (out / "rows" / "a.jsonl.parquet").unlink()
    (calls / "deep" / "a.jsonl").write_bytes(b"".join(frame + b"\n" for frame in FRAMES))
    third = arrow.to_parquet(calls, out)
    assert [one.skipped for one in third] == [False, True, True, False]
    after = digests(out)
    assert after["rows/a.jsonl.parquet"] == first["rows/a.jsonl.parquet"] and "errors/deep/a.jsonl.parquet" not in after
    assert digests(out) == {**{name: first[name] for name in after}, **{n: after[n] for n in after if "deep" in n}}
    # Another folder, the same bytes.
    arrow.to_parquet(calls, tmp_path / "other")
    assert digests(tmp_path / "other") == after


def test_the_other_pcm_is_another_table(calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arrow.to_parquet(calls / "a.jsonl", out)
    (written,) = arrow.to_parquet(calls / "a.jsonl", out, pcm="sent")
    assert not written.skipped
    assert pq.read_schema(written.path).field("pcm").type == pa.large_binary()


def test_two_recordings_of_one_name_are_refused_before_anything_is_written(calls: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"would both become a\.jsonl\.parquet"):
        arrow.to_parquet([calls / "a.jsonl", calls / "deep" / "a.jsonl"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fails", ["write_batch", "close"])
def test_a_full_disk_leaves_nothing_half_written(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    out = tmp_path / "out"
    arrow.to_parquet(calls / "a.jsonl", out)
    before = digests(out)

    real = getattr(pq.ParquetWriter, fails)
    fulls = [True]

    def full(*args: Any, **kwargs: Any) -> None:
        if fulls and fulls.pop():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args, **kwargs)

    monkeypatch.setattr(pq.ParquetWriter, fails, full)
    with pytest.raises(OSError, match="No space left"):
        arrow.to_parquet([calls / "b.jsonl.gz", calls / "c.bin"], out)
    assert digests(out) == before


def test_a_recording_that_grows_is_read_as_it_was_and_again_later(calls: Path, tmp_path: Path) -> None:
    path, out = calls / "a.jsonl", tmp_path / "out"
    whole = path.read_bytes()
    real = parquet.Batches

    def growing(*args: Any, **kwargs: Any) -> Any:
        with path.open("ab") as file:
            file.write(FRAMES[0] + b"\n")
        return real(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "Batches", growing)
        (written,) = arrow.to_parquet(path, out)
    assert (written.lines, written.bytes) == (len(FRAMES), len(whole))
    (written,) = arrow.to_parquet(path, out)
    assert not written.skipped and written.lines == len(FRAMES) + 1


def test_a_file_that_cannot_be_opened_is_an_error_of_its_own(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Source.open

    def denied(self: Source) -> Any:
        if self.relative == "c.bin":
            raise PermissionError(errno.EACCES, "Permission denied", self.name)
        return real(self)

    monkeypatch.setattr(Source, "open", denied)
    written = arrow.to_parquet(calls, tmp_path / "out")
    assert [one.error is None for one in written] == [True, True, False, True] and "Permission denied" in str(written[2].error)
    (row,) = pq.read_table(tmp_path / "out" / "errors" / "c.bin.parquet").to_pylist()
    assert row["line"] == 0 and "Permission denied" in row["error"]


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\U0001f600"])
def test_a_recording_with_a_name_as_long_as_the_disk_allows_is_written_under_a_shorter_one(tmp_path: Path, letter: str) -> None:
    folder, out = tmp_path / "calls", tmp_path / "out"
    folder.mkdir()
    width = len(letter.encode())
    lengths = [200 - 6, 200, 215, 246, 255]
    names = [letter * ((length - 6) // width) + "x" * ((length - 6) % width) + ".jsonl" for length in lengths]
    names += [letter * (249 // width - 1) + "q" * width + ".jsonl", "b.jsonl"]
    for name in names:
        (folder / name).write_bytes(b"".join(frame + b"\n" for frame in FRAMES))
    written = arrow.to_parquet(folder, out)
    assert [one.error for one in written] == [None] * len(names) and len({one.path for one in written}) == len(names)
    assert all(len(Path(one.path).name.encode()) <= 208 and Path(one.path).is_file() for one in written)
    assert {Path(one.source).name for one in written if Path(one.path).name == f"{Path(one.source).name}.parquet"} == {
        name for name in names if len(name.encode()) <= 200
    }
    assert all(one.skipped for one in arrow.to_parquet(folder, out))
    assert not [name for name in digests(out) if name.endswith(".part")]


def test_a_recording_whose_tables_cannot_be_made_is_an_error_of_its_own(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that is longer than the system allows, and a fault that nobody thought of."""
    deep = tmp_path / "out" / "/".join(["x" * 200] * 20)
    written = arrow.to_parquet(calls / "a.jsonl", deep)
    assert [one.lines for one in written] == [0] and "File name too long" in str(written[0].error)
    real = Items.table

    def table(self: Items) -> Any:
        if self._source.endswith("b.jsonl.gz"):
            raise OverflowError("too much")
        return real(self)

    monkeypatch.setattr(Items, "table", table)
    written = arrow.to_parquet(calls, tmp_path / "new")
    assert [one.error for one in written if one.source.endswith(("gz", "jsonl"))] == [None, "too much", None]
    assert not [name for name in digests(tmp_path / "new") if name.endswith(".part") or "b.jsonl.gz" in name]


def test_the_items_say_who_spoke_when_and_what() -> None:
    lines = [
        (0.5, "received", '{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":400}'),
        (2.0, "received", '{"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":1900}'),
        (2.1, "received", '{"type":"input_audio_buffer.committed","item_id":"u"}'),
        (2.2, "received", '{"type":"conversation.item.added","item":{"id":"u","role":"user","content":[]}}'),
        (2.6, "received", '{"type":"response.output_audio_transcript.delta","response_id":"r","item_id":"a","delta":"Good "}'),
        (
            2.7,
            "received",
            '{"type":"response.output_audio.delta","response_id":"r","item_id":"a","delta":"%s"}' % ("AAAA" * 8000),
        ),
        (2.8, "received", '{"type":"response.output_audio_transcript.delta","response_id":"r","item_id":"a","delta":"day"}'),
        (2.9, "received", '{"type":"response.function_call_arguments.delta","response_id":"r","item_id":"f","delta":"{}"}'),
        (
            3.0,
            "received",
            '{"type":"conversation.item.input_audio_transcription.completed","item_id":"u","transcript":"Hello"}',
        ),
        (4.0, "sent", '{"type":"conversation.item.create","item":{"id":"s","role":"system","content":[{"text":"Be kind"}]}}'),
    ]
    text = '{"recording":"realtime-pcm","version":1,"started":"2026-01-01T00:00:00+00:00"}\n' + "".join(
        f'{{"time":{time},"direction":"{way}","event":{event}}}\n' for time, way, event in lines
    )
    for pcm in ("int16", "sent"):
        table = arrow.items(arrow.read(io.BytesIO(text.encode()), pcm=pcm))
        assert table.schema.equals(arrow.items_schema(), check_metadata=True)
        found = {row["item_id"]: row for row in table.to_pylist()}
        assert list(found) == ["u", "a", "f", "s"]
        user, answer = found["u"], found["a"]
        assert (user["speaker"], user["transcript"], user["seconds"], user["latency"]) == ("user", "Hello", 1.5, None)
        assert (user["time"], user["end_time"], user["line"]) == (0.5, 3.0, 2)
        assert (answer["speaker"], answer["transcript"], answer["response_id"]) == ("assistant", "Good day", "r")
        assert answer["seconds"] == 12000 / 24000 and answer["latency"] == pytest.approx(2.7 - 2.0)  # from speech_stopped
        assert found["f"]["transcript"] is None and (found["s"]["speaker"], found["s"]["transcript"]) == ("system", "Be kind")


def test_the_items_of_the_packaged_sample() -> None:
    table = arrow.items(arrow.read(sample.path()))
    rows = table.to_pylist()
    assert [row["speaker"] for row in rows] == ["user", "assistant"] and all(row["transcript"] for row in rows)
    samples = sum(len(pcm) for pcm in arrow.read(sample.path()).read_all().column("pcm").to_pylist() if pcm)
    assert rows[1]["seconds"] == pytest.approx(samples / 24000)
