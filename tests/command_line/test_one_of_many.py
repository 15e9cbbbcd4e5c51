"""A fault of one file is one line, and the others go on: in every command, whatever a stranger wrote into that file."""

from __future__ import annotations

import base64
import json
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")

from realtime_pcm.cli import extract as extract_module, joined
from realtime_pcm.cli.console import new_file, part_of
from support import stream_clients as clients
from support.command import files, read_wav, recorded, run

FRAMES = clients.FRAMES
AUDIO = "AAABAAIA"  # 3 samples
EACH = ["inspect", "extract", "bench", "archive"]


def session(**audio: Any) -> dict[str, Any]:
    return {"type": "session.updated", "session": {"audio": {"output": {"format": {"type": "audio/pcm", **audio}}}}}


def delta(audio: str = AUDIO, **more: Any) -> dict[str, Any]:
    return {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "content_index": 0, "delta": audio, **more}


def done(**usage: Any) -> dict[str, Any]:
    return {"type": "response.done", "response": {"id": "r", "usage": usage}}


def arguments(command: str, folder: Path, *paths: object) -> list[object]:
    out = ["--out", folder / "out"] if command in ("extract", "archive") else ["--seconds", "0"] if command == "bench" else []
    if command == "archive":
        pytest.importorskip("pyarrow")
    return [command, *paths, *out]


def told_of(command: str, output: str, folder: Path, name: str) -> bool:
    """Whether a command has done its work on the recording of this name."""
    if command == "extract":
        return (folder / "out" / name / "summary.json").exists()
    if command == "archive":
        return (folder / "out" / "rows" / f"{name}.jsonl.parquet").exists()
    return f"{name}.jsonl: " in output


def missing(folder: Path) -> Path:
    return folder / "nope.jsonl"


def empty(folder: Path) -> Path:
    return recorded(folder / "empty.jsonl")


def no_recording(folder: Path) -> Path:
    return recorded(folder / "zip.jsonl", b"PK\x03\x04")


def damaged(folder: Path) -> Path:
    return recorded(folder / "damaged.jsonl", b"\x1f\x8b\x08\x00\x00")


def empty_folder(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


def pattern(folder: Path) -> Path:
    return folder / "no*.jsonl"


def long_name(folder: Path) -> Path:
    return folder / ("x" * 300)


@pytest.mark.parametrize("command", EACH)
@pytest.mark.parametrize("make", [missing, empty, no_recording, damaged, empty_folder, pattern, long_name])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_file_that_is_refused_among_good_ones(tmp_path: Path, command: str, make: Callable[[Path], Path], place: int) -> None:
    good = [recorded(tmp_path / f"{name}.jsonl", *FRAMES) for name in ("a", "b")]
    bad = make(tmp_path)
    paths = [*good[:place], bad, *good[place:]]
    ended = run(*arguments(command, tmp_path, *paths), status=1)
    assert bad.name in ended.line
    assert all(told_of(command, ended.output, tmp_path, name) for name in ("a", "b"))


def test_each_fault_has_its_line(tmp_path: Path) -> None:
    good = recorded(tmp_path / "a.jsonl", *FRAMES)
    ended = run("inspect", missing(tmp_path), good, empty(tmp_path), "--json", status=1)
    assert [line.rpartition(": ")[2] for line in ended.errors.splitlines()] == ["No such file or directory", "it has no frames"]
    assert [json.loads(line)["recording"] for line in ended.output.splitlines()] == [str(good)]


def test_a_fault_that_nobody_thought_of_is_one_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [recorded(tmp_path / f"{name}.jsonl", *FRAMES) for name in "abc"]
    whole = extract_module.Extraction._summary

    def summary(self: Any, *given: Any) -> Any:
        if self.source.stem == "b":
            raise OverflowError("too much")
        return whole(self, *given)

    monkeypatch.setattr(extract_module.Extraction, "_summary", summary)
    ended = run("extract", *paths, "--out", tmp_path / "out", status=1)
    assert ended.line == f"{paths[1]}: OverflowError: too much"
    assert [(tmp_path / "out" / name / "summary.json").exists() for name in "abc"] == [True, False, True]
    assert not [name for name in files(tmp_path) if name.endswith(".part")]


# --- what a stranger wrote into it

HUGE = [
    [session(channels=40_000), delta()],
    [session(channels=256), delta()],
    [session(channels=1 << 40), delta()],
    [session(channels=10**30), delta()],
    [session(channels=-0.0), delta()],
    [session(channels="2", rate="24000"), delta()],
    [session(channels=True, rate=True), delta()],
    [session(rate=1), delta()],
    [session(rate=(1 << 31) - 1), delta()],
    [session(rate=1 << 40), delta()],
    [session(rate=10**400), delta()],
    [session(rate=1e308), delta()],
    [session(rate=-1), delta()],
    [{**delta(format="pcm16", sample_rate=1 << 40, channels=1 << 20), "type": "session.output_audio.delta"}],
    [{**delta(format="pcm16", sample_rate=1, channels=255), "type": "session.output_audio.delta"}],
    [{"type": "response.created", "response": {"id": "r"}}, delta(), done(total_tokens=1e308), done(total_tokens=1e308)],
    [delta(), done(total_tokens=10**400), done(total_tokens=-(10**300)), done(cost="1e999", more=True)],
    [delta(), done(**{f"n{number}": number for number in range(1000)})],
    [delta(), {"type": "session.usage.updated", "usage": {"a": 1e308, "b": 10**4000, "c": -0.0}}],
    [
        {"type": "input_audio_buffer.speech_started", "item_id": "u", "audio_start_ms": place}
        for place in (-1, 1e308, 10**400, 1 << 62, -0.0, True, "7", None)
    ],
    [delta(), {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 10**400}],
    [delta(), {"type": "conversation.item.truncated", "item_id": "i", "content_index": 1 << 80, "audio_end_ms": 1e308}],
    [{**delta(), "item_id": "\u00e9" * 200, "response_id": "../" * 100}],
    [{**delta(), "item_id": "\ud800", "content_index": -(10**400)}],
    [{**delta(), "item_id": 10**400, "response_id": -0.0}],
]


def strict(text: str) -> Any:
    """Parses JSON that must not hold NaN or Infinity, which no other program would read."""

    def refused(name: str) -> Any:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refused)


def dumped(event: object) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def slow_but_each_fourth(number: int) -> Any:
    return pytest.param(HUGE[number], id=str(number), marks=[pytest.mark.slow] if number % 4 else [])


@pytest.mark.parametrize("events", list(map(slow_but_each_fourth, range(len(HUGE)))))
def test_numbers_of_any_size_among_good_recordings(tmp_path: Path, events: list[object]) -> None:
    a, bad, c = (recorded(tmp_path / f"{name}.jsonl", *given) for name, given in (("a", FRAMES), ("bad", events), ("c", FRAMES)))
    for command in (*EACH, "timeline"):
        if command == "timeline":
            call: list[object] = [command, bad, "--out", tmp_path / "bad.html"]
        else:
            call = arguments(command, tmp_path, a, bad, c) + (["--json"] if command == "inspect" else [])
            call += ["--joined"] if command == "extract" else []
        ended = run(*call, status=None)
        assert ended.errors.count("\n") <= 2, ended.errors
        assert "Error: " not in ended.errors, ended.errors
        if command == "inspect":
            found = [strict(line) for line in ended.output.splitlines()]
            assert {one["recording"] for one in found} >= {str(a), str(c)}
        elif command != "timeline":
            assert all(told_of(command, ended.output, tmp_path, name) for name in "ac")
        if command == "extract" and (tmp_path / "out" / "bad" / "summary.json").exists():
            strict((tmp_path / "out" / "bad" / "summary.json").read_text())
    assert not [name for name in files(tmp_path) if name.endswith(".part")]


def test_more_channels_than_sound_has_are_refused_by_name(tmp_path: Path) -> None:
    paths = [
        recorded(tmp_path / f"{name}.jsonl", session(channels=channels), delta(), {"type": "response.done", "response": {}})
        for name, channels in (("a", 40_000), ("b", 1), ("c", 2))
    ]
    ended = run("extract", *paths, "--out", tmp_path / "out", status=1)
    assert "a.jsonl: 1 line was refused: line 2" in ended.line and "pcm16 of more than 255 channels" in ended.line
    assert [read_wav(tmp_path / "out" / name / "001-model-i.wav")[1] for name in "bc"] == [1, 2]


def test_usage_beyond_what_can_be_is_left_out_and_counted(tmp_path: Path) -> None:
    usage = [done(total_tokens=7, input=1e308), done(total_tokens=8, input=1e308, cost="-1e999"), done(total_tokens=10**30)]
    path = recorded(tmp_path / "a.jsonl", delta(), *usage)
    found = strict(run("inspect", path, "--json").output)
    assert found["usage"] == {"total_tokens": 15} and found["left_out"] == {"usage": 4}
    assert "left out of usage: 4 more" in run("inspect", path).output


@pytest.mark.parametrize("time", ["1e999", "-1e999", "1e308", "-1e308", "-0", "NaN", "1" + "0" * 400, '"x"', "true", "[1]"])
def test_times_of_any_size(tmp_path: Path, time: str) -> None:
    header = b'{"recording":"realtime-pcm","version":1,"started":"2026-01-01T00:00:00+00:00"}'
    lines = [
        b'{"time":%b,"direction":"received","event":%b}' % (at.encode(), dumped(delta()))
        for at in ("0.1", time, "0.2", time, time, "0.3")
    ]
    for own in (True, False):
        path = recorded(tmp_path / f"{own}.jsonl", *([header] if own else []), *lines)
        found = strict(run("inspect", path, "--json", status=None).output)
        assert found["end"] < 1e6
        run("extract", path, "--out", tmp_path / f"out{own}", "--joined", status=None)
        run("timeline", path, "--out", tmp_path / f"{own}.svg", status=None)


@pytest.mark.parametrize(
    "options",
    [
        ["--start=-inf"],
        ["--start=nan"],
        ["--end=nan"],
        ["--end=-1"],
        ["--start=-1e308", "--end=1"],
        ["--start=inf"],
        ["--start=5", "--end=5"],
        ["--start=-0.5"],
    ],
)
def test_a_part_of_a_timeline_that_cannot_be_is_refused_before_anything_is_read(tmp_path: Path, options: list[str]) -> None:
    path = recorded(tmp_path / "a.jsonl", *FRAMES)
    ended = run("timeline", path, "--out", tmp_path / "a.svg", *options, status=2)
    assert "--start, --end: a part from" in ended.line
    assert files(tmp_path) == ["a.jsonl"]


@pytest.mark.parametrize("options", [["--start=0"], ["--end=1e308"], ["--start=-0"], ["--start=0", "--end=inf"]])
def test_a_part_of_a_timeline_may_reach_beyond_its_end(tmp_path: Path, options: list[str]) -> None:
    path = recorded(tmp_path / "a.jsonl", *FRAMES)
    run("timeline", path, "--out", tmp_path / "a.svg", *options)
    ended = run("timeline", path, "--out", tmp_path / "b.svg", "--start=1e308", status=1)
    assert "it ends at" in ended.line


# --- where it is written


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs")
def test_a_picture_is_written_into_a_fifo(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.jsonl", *FRAMES)
    fifo = tmp_path / "a.svg"
    os.mkfifo(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    run("timeline", path, "--out", fifo)
    reader.join(30)
    assert read[0].startswith(b"<svg") or b"<svg" in read[0][:200]
    assert fifo.is_fifo() and files(tmp_path) == ["a.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no /dev/null")
def test_a_picture_is_written_into_a_device_and_through_a_link(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.jsonl", *FRAMES)
    (tmp_path / "null.svg").symlink_to("/dev/null")
    (tmp_path / "full.svg").symlink_to("/dev/full")
    (tmp_path / "link.svg").symlink_to(tmp_path / "b.svg")
    run("timeline", path, "--out", tmp_path / "null.svg")
    if Path("/dev/full").exists():
        assert "No space left" in run("timeline", path, "--out", tmp_path / "full.svg", status=1).line
    for _ in range(2):  # the file that the link names is made, then replaced
        run("timeline", path, "--out", tmp_path / "link.svg")
        assert (tmp_path / "link.svg").is_symlink() and (tmp_path / "b.svg").stat().st_size > 1000
    assert (tmp_path / "null.svg").is_symlink() and Path("/dev/null").is_char_device()


@pytest.mark.skipif(os.name == "nt", reason="Windows counts names otherwise")
@pytest.mark.parametrize("length", [100, 246, 250, 251, 255])
def test_a_file_may_have_a_name_as_long_as_the_disk_allows(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("a" * (length - 4) + ".svg")
    with new_file(path) as file:
        file.write(b"x")
        part = part_of(path)
        assert part.exists() and len(os.fsencode(part.name)) <= 255
    assert files(tmp_path) == [path.name]
    with pytest.raises(RuntimeError), new_file(path) as file:
        raise RuntimeError
    assert files(tmp_path) == [path.name] and path.read_bytes() == b"x"


def test_many_recordings_of_one_name_have_a_folder_each() -> None:
    names: dict[str, int] = {}
    made = [extract_module._unused(stem, names) for stem in ["a", "A", "a", "a-2", "b", "a", "a-2"]]
    assert len({name.casefold() for name in made}) == len(made)
    assert made[:3] == ["a", "A-2", "a-3"] and made[4] == "b"


# --- what it may cost


@pytest.mark.skipif(os.name == "nt", reason="holes of files are not counted there")
@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_silence_of_a_joined_wav_takes_no_room_on_the_disk(tmp_path: Path, rate: int) -> None:
    """Two kilobytes of recording that last 40 minutes."""
    header = b'{"recording":"realtime-pcm","version":1,"started":"2026-01-01T00:00:00+00:00"}'
    pcm = np.array([1000, -2000, 3000], "<i2")
    audio = base64.b64encode(pcm.tobytes()).decode()
    events = [(0.0, session(rate=rate))]
    for number in range(5):
        events.append((600.0 * number, {**delta(audio), "item_id": f"i{number}", "response_id": f"r{number}"}))
        events.append((600.0 * number, {"type": "response.done", "response": {"id": f"r{number}"}}))
    append = {"type": "input_audio_buffer.append", "audio": audio}
    lines = [b'{"time":%.3f,"direction":"received","event":%b}' % (time, dumped(event)) for time, event in events]
    lines.insert(5, b'{"time":700.0,"direction":"sent","event":%b}' % dumped(append))
    path = recorded(tmp_path / "a.jsonl", header, *lines)
    run("extract", path, "--out", tmp_path / "out", "--joined")
    used = sum((tmp_path / "out" / name).stat().st_blocks * 512 for name in files(tmp_path / "out"))
    assert used < 1_000_000
    wav = tmp_path / "out" / "joined.wav"
    highest = max(rate, 24_000)
    with wav.open("rb") as file:
        head = file.read(44)
        assert (
            int.from_bytes(head[40:44], "little")
            == wav.stat().st_size - 44
            == 4 * math.floor(2400 * highest + 3 * highest / rate + 0.5)
        )
        for number in range(5):
            at = 600 * number * highest
            file.seek(44 + 4 * at)
            found = np.frombuffer(file.read(12), "<i2").reshape(-1, 2)[:, 1]
            if rate == highest:
                assert [*found] == [*pcm]
            else:
                assert found.any()
        file.seek(44 + 4 * round(699.9 * highest))
        assert np.frombuffer(file.read(round(0.2 * highest) * 4), "<i2").reshape(-1, 2)[:, 0].any()


def test_a_side_whose_rate_changes_too_often_is_left_out_of_the_joined_wav(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined, "MOST_CHANGES", 20)
    events: list[object] = []
    for number in range(40):
        events += [session(rate=8_000 + number), {**delta(), "item_id": f"i{number}"}]
    path = recorded(tmp_path / "a.jsonl", *events, session(rate=8_000), delta())
    ended = run("extract", path, "--out", tmp_path / "out", "--joined", status=1)
    # The first rate needs no resampler, and stays.
    assert "left out: 57 samples for joined.wav after the first 20 changes of rate" in ended.line
    assert (tmp_path / "out" / "joined.wav").exists()


def test_the_users_audio_is_not_written_again_and_again(tmp_path: Path) -> None:
    """A server that names all of the audio as each of 50 items."""
    append = {"type": "input_audio_buffer.append", "audio": AUDIO * 500}
    events: list[object] = [append]
    for number in range(50):
        events += [
            {"type": "input_audio_buffer.speech_started", "item_id": f"u{number}", "audio_start_ms": 0},
            {"type": "input_audio_buffer.speech_stopped", "item_id": f"u{number}", "audio_end_ms": 10_000},
            {"type": "input_audio_buffer.committed", "item_id": f"u{number}"},
        ]
    path = recorded(tmp_path / "a.jsonl", *events)
    ended = run("extract", path, "--out", tmp_path / "out", status=1)
    assert "left out: 46 items of the user whose audio several other items already have" in ended.line
    assert len([name for name in files(tmp_path / "out") if name.endswith(".wav")]) == 4
