"""The rows of recordings: what read_recording gives, as columns."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest

from realtime_pcm import arrow, client_messages, messages, sample
from realtime_pcm.arrow.batches import Batches
from realtime_pcm.arrow.files import sources
from realtime_pcm.arrow.items import Items
from realtime_pcm.recording import Recorder, read_recording
from realtime_pcm.sockets import Catalogue

FRAMES = sample.lines()
APPEND = b'{"type":"input_audio_buffer.append","audio":"AAABAAIA"}'
G711 = b'{"type":"session.updated","session":{"audio":{"output":{"format":{"type":"audio/pcmu"}}}}}'
DELTA = b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"%s"}'


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """A recording of both sides, with a bad line, an unknown message, a split sample and a change of format."""
    path = tmp_path / "call.jsonl"
    with Recorder(path) as record:
        for number, frame in enumerate(FRAMES):
            record.received(frame)
            if number % 10 == 0:
                record.sent(APPEND)
        record.received(DELTA % b"****")
        record.received(b'{"type":"of.nobody","event_id":"e1","delta":"x"}')
        record.received(DELTA % b"AAAB")
        record.received(DELTA % b"AAAB")
        record.received(G711)
        record.received(DELTA % b"AAAB")
        record.received(b'{"type":"error","error":{"message":"no \\u00e9","code":"c"}}')
        record.received(b'{"type":"response.output_text.delta","delta":"ol\\u00e9 \xc3\xa9","item_id":7,"output_index":1.5}')
    return path


def read(source: Any, **options: Any) -> pa.Table:
    table = arrow.read(source, **options).read_all()
    table.validate(full=True)
    return table


@pytest.mark.parametrize(("pcm", "dtype"), [("int16", "int16"), ("sent", "uint8")])
def test_a_row_for_each_entry_of_read_recording(call: Path, pcm: Any, dtype: str) -> None:
    entries = list(read_recording(call, dtype=dtype))
    rows = read(call, pcm=pcm).to_pylist()
    assert len(rows) == len(entries) > len(FRAMES) + 8
    for row, entry in zip(rows, entries, strict=True):
        assert (row["source"], row["line"], row["time"], row["direction"]) == (str(call), entry.line, entry.time, entry.direction)
        message = entry.message
        if message is None:
            assert entry.error is not None and row["error"] == str(entry.error) and row["type"] == entry.error.message_type
            continue
        assert row["error"] is None and row["type"] == message.type and row["event_id"] == message.event_id
        if isinstance(message, (messages.AudioMessage, client_messages.ClientAudioMessage)):
            samples = np.frombuffer(row["pcm"], np.uint8) if pcm == "sent" else np.array(row["pcm"], np.int16)
            np.testing.assert_array_equal(samples, message.pcm)
            assert row["rate"] == message.audio_format.rate and row["encoding"] == message.audio_format.encoding
            assert row["sample_offset"] == message.sample_offset
        else:
            assert row["pcm"] is row["rate"] is row["sample_offset"] is None
    assert sum(row["error"] is not None for row in rows) == 1


def test_the_columns_of_what_messages_say(call: Path) -> None:
    rows = read(call).to_pylist()
    last = rows[-1]
    assert last["text"] == "olé é" and last["item_id"] is None and last["output_index"] is None
    assert rows[-2]["text"] == "no é" and rows[-2]["type"] == "error"
    transcript = "".join(row["text"] for row in rows if row["type"] == "response.output_audio_transcript.delta")
    (done,) = (row["text"] for row in rows if row["type"] == "response.output_audio_transcript.done")
    assert transcript == done != ""
    assert {row["role"] for row in rows if row["type"] == "conversation.item.done"} == {"user", "assistant"}
    assert [row["speech_at_ms"] for row in rows if row["type"] == "input_audio_buffer.speech_stopped"] == [
        json.loads(frame)["audio_end_ms"] for frame in FRAMES if b"speech_stopped" in frame
    ]
    unknown = next(row for row in rows if row["type"] == "of.nobody")
    assert unknown["text"] is None and unknown["event_id"] == "e1"


def test_the_samples_of_a_column_are_read_in_place(call: Path) -> None:
    (batch,) = arrow.read(call)
    samples = batch.column("pcm").values.to_numpy(zero_copy_only=True)
    assert samples.dtype == np.int16
    found = [entry.message for entry in read_recording(call)]
    audio = [m.pcm for m in found if isinstance(m, (messages.AudioMessage, client_messages.ClientAudioMessage))]
    np.testing.assert_array_equal(samples, np.concatenate(audio))


def test_the_schema_says_its_version_and_what_a_column_is() -> None:
    schema = arrow.rows_schema()
    assert schema.metadata[b"realtime_pcm.version"] == str(arrow.VERSION).encode()
    assert all(field.metadata[b"description"] for field in schema)
    assert arrow.read([]).schema.equals(schema, check_metadata=True)
    assert arrow.read([], pcm="sent").schema.field("pcm").type == pa.large_binary()
    with pytest.raises(ValueError, match="pcm must be 'int16' or 'sent', not 'float32'"):
        arrow.read([], pcm="float32")


def test_batches_are_bounded_by_rows_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    path.write_bytes(b"".join(frame + b"\n" for frame in FRAMES))
    whole = read(path)
    with arrow.Batches(path, rows=7) as found:
        parts = list(found)
    assert {batch.num_rows for batch in parts[:-1]} == {7} and found.lines == len(FRAMES)
    assert pa.Table.from_batches(parts).equals(whole)
    parts = list(arrow.Batches(path, size=50_000))
    longest = max(len(frame) for frame in FRAMES)
    assert len(parts) > 3 and all(batch.column("pcm").values.nbytes < 50_000 + longest for batch in parts)
    assert pa.Table.from_batches(parts).equals(whole)


def test_files_are_sessions_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(G711 + b"\n" + DELTA % b"AAAB" + b"\n")
    (tmp_path / "b.jsonl").write_bytes(DELTA % b"AAABAAAB" + b"\n")
    (tmp_path / ".hidden").write_bytes(b"x")
    table = read(tmp_path)
    assert table.column("encoding").to_pylist() == [None, "g711_ulaw", "pcm16"]
    assert table.column("source").to_pylist() == [str(tmp_path / "a.jsonl")] * 2 + [str(tmp_path / "b.jsonl")]
    again = read([tmp_path / "a.jsonl", str(tmp_path / "b.jsonl")])
    assert again.equals(table)


def test_a_file_that_is_no_recording_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "b.jsonl").write_bytes(b"")
    (tmp_path / "c.jsonl").write_bytes(FRAMES[0] + b'\n{"type":\n' + FRAMES[1])
    rows = read(tmp_path).to_pylist()
    assert [(Path(row["source"]).name, row["line"], row["error"] is None) for row in rows] == [
        ("a.zip", 0, False),
        ("c.jsonl", 1, True),
        ("c.jsonl", 2, False),
        ("c.jsonl", 3, True),
    ]
    assert "a zip archive" in rows[0]["error"]


def test_other_sources(call: Path) -> None:
    import fsspec

    expected = read(call).drop_columns("source")
    data = call.read_bytes()
    fsspec.filesystem("memory").pipe("/calls/one.jsonl", data)
    assert read("memory://calls/one.jsonl").drop_columns("source").equals(expected)
    assert read("memory://calls").column("source").unique().to_pylist() == ["memory:///calls/one.jsonl"]
    assert read(fsspec.open("memory://calls/one.jsonl")).drop_columns("source").equals(expected)
    file = io.BytesIO(data)
    assert read(file).drop_columns("source").equals(expected) and not file.closed
    with pytest.raises(FileNotFoundError):
        read(call.parent / "nothing.jsonl")
    with pytest.raises(FileNotFoundError):
        read("memory://calls/nothing.jsonl")
    with pytest.raises(TypeError, match="a path or an open file is expected, not int"):
        read([3])


NOTES: Catalogue[Any, Any] = Catalogue("notes", tag="type")


class Begun(messages.RealtimeServerMessage, catalogue=NOTES, role="session_start"):
    type: Literal["begun"] = "begun"
    session: dict[str, Any] | None = None


class Added(messages.RealtimeServerMessage, catalogue=NOTES, role="item_added"):
    type: Literal["added"] = "added"
    item: dict[str, Any] | None = None


class Deleted(messages.RealtimeServerMessage, catalogue=NOTES, role="item_deleted"):
    type: Literal["deleted"] = "deleted"
    item_id: str | None = None


class Others(messages.UnknownMessage, catalogue=NOTES):
    pass


@pytest.mark.parametrize("deleted", [False, True])
def test_an_item_whose_id_comes_later_has_one_row(tmp_path: Path, deleted: bool) -> None:
    text = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    path = tmp_path / "notes.jsonl"
    with Recorder(path, catalogue=NOTES) as record:
        record.received('{"type":"begun"}')
        for item in (text, {**text, "id": "i1"}):
            record.received(json.dumps({"type": "added", "item": item}))
        if deleted:
            record.received('{"type":"deleted","item_id":"i1"}')
    source = next(iter(sources(path)))._replace(catalogue=NOTES)
    found = Items("notes")
    for batch in Batches(source):
        found.add(batch)
    found.follow(source)
    [row] = found.table().to_pylist()
    assert (row["item_id"], row["line"], row["speaker"], row["transcript"]) == ("i1", 3, "user", "hello")
