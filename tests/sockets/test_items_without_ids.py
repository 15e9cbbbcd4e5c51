"""The items table of sockets that send no ids: one row for each side of each turn, as ConversationState counts them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

from realtime_pcm import arrow
from realtime_pcm.conversation import ConversationState
from realtime_pcm.recording import Recorder, read_recording
from realtime_pcm.sockets import acs, elevenlabs, gemini, twilio
from support.socket_conversations import ACS, ELEVENLABS, GEMINI, TWILIO, Said

COLUMNS = ("speaker", "time", "end_time", "transcript", "seconds", "latency")
CALLS: dict[str, tuple[Any, list[Said], list[tuple[Any, ...]]]] = {
    "gemini": (
        gemini,
        GEMINI,
        [
            ("user", 1.2, 1.3, "How is the weather?", None, None),
            ("assistant", 2.0, 2.2, "It is dry in Rome, and", 3.0, None),
            ("user", 3.6, 3.6, "Thank you.", None, None),
            ("assistant", 4.0, 4.1, "You are welcome.", 0.5, None),
        ],
    ),
    "elevenlabs": (
        elevenlabs,
        ELEVENLABS,
        [
            ("user", 1.2, 1.2, "How is the weather?", None, None),
            ("assistant", 2.0, 2.2, "It is dry in Rome, and warm.", 3.0, None),
            ("user", 3.6, 3.6, "Thank you.", None, None),
            ("assistant", 4.0, 4.0, "You are welcome.", 0.5, None),
        ],
    ),
    "twilio": (
        twilio,
        TWILIO,
        [
            ("user", 0.02, 2.0, None, pytest.approx(1.02), None),
            ("assistant", 1.2, 1.3, None, 2.0, None),
            ("assistant", 3.0, 3.0, None, 0.25, None),
        ],
    ),
    "acs": (acs, ACS, [("user", 0.5, 1.0, None, 1.0, None), ("assistant", 1.2, 1.2, None, 1.0, None)]),
}


def log(said: list[Said]) -> bytes:
    return b"".join(json.dumps({"ts": time, "dir": way, "msg": frame}).encode() + b"\n" for time, way, frame in said)


def rows(table: Any) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in COLUMNS) for row in table.to_pylist()]


@pytest.mark.parametrize("name", CALLS)
def test_each_side_of_each_turn_has_a_row(name: str, tmp_path: Path) -> None:
    _, said, expected = CALLS[name]
    path = tmp_path / "call.jsonl"
    path.write_bytes(log(said))
    table = arrow.items(path)
    assert rows(table) == expected
    assert table.schema.equals(arrow.items_schema(), check_metadata=True)
    assert {row["item_id"] for row in table.to_pylist() if row["speaker"] == "assistant"} == {None}
    lines = [row["line"] for row in table.to_pylist()]
    assert lines == sorted(lines) and len(set(lines)) == len(lines)
    for line, row in zip(lines, expected, strict=True):  # it is the line that began the item
        assert said[line - 1][0] == row[1]
    assert rows(arrow.items(io.BytesIO(path.read_bytes()))) == expected
    assert rows(arrow.items([str(path)])) == expected
    [written] = arrow.to_parquet(path, tmp_path / "tables")
    assert written.items == len(expected) and written.error is None
    import pyarrow.parquet as pq

    assert rows(pq.read_table(tmp_path / "tables" / "items" / "call.jsonl.parquet")) == expected
    [again] = arrow.to_parquet(path, tmp_path / "tables")
    assert again.skipped and again.items == len(expected)


@pytest.mark.parametrize("name", ["gemini", "elevenlabs"])
def test_the_rows_are_the_items_of_the_state(name: str, tmp_path: Path) -> None:
    catalogue, said, _ = CALLS[name]
    path = tmp_path / "call.jsonl"
    with Recorder(path, catalogue=catalogue) as record:
        for _, way, frame in said:
            (record.received if way == "received" else record.sent)(json.dumps(frame))
    state = ConversationState()
    with read_recording(path) as recording:
        for entry in recording:
            assert entry.message is not None
            state.follow(entry.message, entry.time)
    table = arrow.items(path).to_pylist()
    assert [row["transcript"] for row in table] == [item.text for item in state.items]
    assert [row["seconds"] or 0 for row in table] == [item.audio_seconds for item in state.items]


def test_latency_is_that_of_the_turn() -> None:
    said: list[Said] = [
        (0.0, "received", {"setupComplete": {}}),
        (1.0, "sent", {"realtimeInput": {"activityStart": {}}}),
        (2.0, "sent", {"realtimeInput": {"activityEnd": {}}}),
        *((time + 0.5, way, frame) for time, way, frame in GEMINI[9:10]),
    ]
    [*_, answer] = arrow.items(io.BytesIO(log(said))).to_pylist()
    assert (answer["speaker"], answer["latency"]) == ("assistant", 0.5)


def test_a_folder_of_both_kinds_and_a_file_that_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(log(GEMINI))
    (tmp_path / "b.jsonl").write_text('{"type":"response.output_audio.delta","item_id":"i1","delta":"AAAA"}\n', encoding="utf-8")
    (tmp_path / "c.jsonl").write_text("no recording\n", encoding="utf-8")
    (tmp_path / "d.jsonl").write_bytes(log(GEMINI)[:-300] + b"\n{\n" + log(ELEVENLABS))  # ends with another socket
    table = arrow.items(tmp_path)
    names = [Path(row["source"]).name for row in table.to_pylist()]
    assert names.count("a.jsonl") == 4 and names.count("b.jsonl") == 1 and "c.jsonl" not in names
    assert arrow.items(arrow.read(tmp_path / "b.jsonl")).num_rows == 1
    assert arrow.items([]).num_rows == 0


def test_a_file_that_can_be_read_once_has_what_its_rows_tell() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            raise io.UnsupportedOperation("seek")

    assert arrow.items(Pipe(log(TWILIO))).num_rows == 1
    assert arrow.items(Pipe(log(GEMINI))).num_rows == 0
