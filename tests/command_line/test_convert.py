"""`realtime-pcm convert`, and what commands say of logs that are not recordings of ours."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from realtime_pcm.recording import read_recording
from support.command import files, run
from support.logs import FRAMES, LATENCY, MODEL, USER, call, compact, figures, iso

CALL = call()
TIMED = (FRAMES, USER, MODEL, 1, LATENCY)


def log(folder: Path) -> Path:
    path = folder / "app.log"
    path.write_text("ready\n" + "".join(f"{iso(one.time)} {one.way}: {compact(one.frame)}\n" for one in CALL))
    return path


@pytest.mark.parametrize("name", ["call.jsonl", "call.jsonl.gz", "call.jsonl.zst"])
def test_a_log_becomes_a_recording(tmp_path: Path, name: str) -> None:
    done = run("convert", log(tmp_path), "--out", tmp_path / name)
    assert f"{name}: {FRAMES} frames" in done.output and "lines of text, with a frame in each" in done.output
    assert done.line.endswith("app.log: 1 line has no frame")
    assert files(tmp_path) == ["app.log", name]
    with read_recording(tmp_path / name) as recording:
        assert recording.shape == "a recording of realtime-pcm, version 1" and recording.started is not None
        assert recording.started.isoformat().startswith(iso(0)[:-1])
        entries = list(recording)
    assert [(entry.direction, entry.message.to_dict()) for entry in entries] == [(one.way, one.frame) for one in CALL]
    assert figures(tmp_path / name) == TIMED


def test_what_has_no_times_is_converted_without(tmp_path: Path) -> None:
    given = "".join(compact(one.frame) + "\n" for one in CALL).encode()
    run("convert", "-", "--out", tmp_path / "call.jsonl", given=given)
    entries = list(read_recording(tmp_path / "call.jsonl"))
    assert {entry.time for entry in entries} == {None} and [entry.direction for entry in entries] == [one.way for one in CALL]


def test_refused_frames_are_kept_and_told(tmp_path: Path) -> None:
    bad = b'{"type":"response.output_audio.delta","delta":"AAA="}'
    given = "".join(compact(one.frame) + "\n" for one in CALL).encode() + bad[:-4] + b'*"}\n'
    done = run("convert", "-", "--out", tmp_path / "call.jsonl", given=given, status=1)
    assert "1 frame was refused, and is kept as raw bytes; the first: line 25" in done.errors
    *_, last = read_recording(tmp_path / "call.jsonl")
    assert last.error is not None and last.frame == bad[:-4] + b'*"}'


def test_what_cannot_be_converted_leaves_nothing(tmp_path: Path) -> None:
    for given, says in ((b"", "it has no frames"), (b"a\nb\n", "no frame could be read"), (b"PK\x03\x04", "a zip archive")):
        done = run("convert", "-", "--out", tmp_path / "call.jsonl", given=given, status=1)
        assert says in done.line and files(tmp_path) == []
    assert "No such file" in run("convert", log(tmp_path), "--out", tmp_path / "no" / "call.jsonl", status=1).line


@pytest.mark.parametrize("command", ["inspect", "convert"])
def test_one_of_two_calls_is_chosen(tmp_path: Path, command: str) -> None:
    two = [("a", one) for one in CALL] + [("b", one) for one in call("2", 0.3)]
    two.sort(key=lambda pair: pair[1].time)
    given = "".join(compact({"call_id": id_, "t": one.time, "event": one.frame}) + "\n" for id_, one in two).encode()
    out = ["--out", tmp_path / "call.jsonl"] if command == "convert" else ["--json"]
    assert "several calls at once, a, b: choose one with --call ID" in run(command, "-", *out, given=given, status=1).line
    done = run(command, "-", *out, "--call", "b", given=given)
    assert "have the id of another call" in done.line
    if command == "convert":
        assert figures(tmp_path / "call.jsonl") == TIMED
    else:
        assert json.loads(done.output)["frames"] == FRAMES


@pytest.mark.parametrize("command", ["archive", "bench", "extract", "timeline"])
def test_every_command_chooses(tmp_path: Path, command: str) -> None:
    if command == "archive":
        pytest.importorskip("pyarrow")
    two = sorted([("a", one) for one in CALL] + [("b", one) for one in call("2", 0.3)], key=lambda pair: pair[1].time)
    path = tmp_path / "two.jsonl"
    path.write_text("".join(compact({"call_id": id_, "t": one.time, "event": one.frame}) + "\n" for id_, one in two))
    out = ["--seconds", 0] if command == "bench" else ["--out", tmp_path / ("out.svg" if command == "timeline" else "out")]
    assert "choose one with --call ID" in run(command, path, *out, status=1).line
    done = run(command, path, *out, "--call", "b")
    if command == "archive":
        assert f"{FRAMES} rows" in done.output and "1 skipped" in run(command, path, *out, "--call", "b").output
        assert "0 skipped" in run(command, path, *out, "--call", "a").output  # another call is other tables


def test_what_is_served_can_be_chosen(tmp_path: Path) -> None:
    from realtime_pcm.cli.console import Failure
    from realtime_pcm.cli.serve import received

    path = tmp_path / "a.har"
    sockets = [[{"type": "receive", "data": compact(one.frame)} for one in said] for said in (CALL[:3], CALL)]
    path.write_text(compact({"log": {"entries": [{"_webSocketMessages": messages} for messages in sockets]}}))
    with pytest.raises(Failure, match="--socket 1"):
        received(path)
    assert [len(received(path, socket=number)[0] or ()) for number in (1, 2)] == [2, sum(one.way == "received" for one in CALL)]


def test_a_websocket_of_a_har_file_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    sockets = [
        [{"type": "receive", "time": one.time, "opcode": 1, "data": compact(one.frame)} for one in said]
        for said in (CALL[:3], CALL)
    ]
    path.write_text(compact({"log": {"entries": [{"_webSocketMessages": messages} for messages in sockets]}}))
    assert "choose one by its number, with --socket 1" in run("inspect", path, status=1).errors
    assert json.loads(run("inspect", tmp_path, "--json", "--socket", 2).output)["frames"] == FRAMES
    assert figures(io.BytesIO(path.read_bytes()), socket=2) == TIMED
