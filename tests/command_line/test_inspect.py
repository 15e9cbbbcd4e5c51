"""`inspect` and `timeline`: what they print and write, and what they say of files that they cannot read or write."""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")

from realtime_pcm import sample
from realtime_pcm.recording import analyse
from support.command import environment, files, recorded, run
from support.conversation import conversation, events, write
from support.shared import NO_SHARED, SHARED, captures

ESCAPES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


# --- inspect


def test_tables_for_people(tmp_path: Path) -> None:
    done = run("inspect", conversation(tmp_path), status=1)
    assert re.search(r"1 +12 +1\.010 s +speech +0\.500 s +speech stopped +3\.00 s +9\.25 s +2\.8x ", done.output)
    for words in (
        "sent      input_audio_buffer.append", "mystery.event  (unknown)", "1 (0.47 s)", "median 1.180 s", "interrupted",
        "speech_started, truncate", "3.900 of 9.250 s", "the client reported it", "change_address  0.850 s", "cost",
        "response.usage.cost", "item_not_found", "Bad frames",
    ):  # fmt: skip
        assert words in done.output, words
    share = re.search(r"sent +input_audio_buffer.append +340 +([\d,]+) +([\d.]+) %", done.output)
    found = analyse(conversation(tmp_path))
    assert share and float(share[2]) == pytest.approx(100 * int(share[1].replace(",", "")) / found.bytes, abs=0.06)
    assert "1 line was refused: line " in done.line and ": not base64 at byte " in done.line


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_tables_fit_a_terminal(tmp_path: Path, columns: int) -> None:
    """Narrow terminals get fewer columns; no word is broken into single letters."""
    path = conversation(tmp_path)
    variables = {"COLUMNS": str(columns), "TTY_COMPATIBLE": "1", "NO_COLOR": "1", "TERM": "xterm"}
    output = re.sub(r"\x1b\[[\d;]*m", "", run("inspect", path, status=1, env=environment(**variables)).output)
    tables = output[output.index("Messages") :]
    # A sentence is left to the terminal, which wraps it.
    assert max(len(line) for line in tables.splitlines() if not line.startswith("latency to")) <= columns
    assert re.search(r"^ +1 .* 0\.500 s .* 9\.25 s .*completed *$", tables, re.MULTILINE)
    assert ("since" in tables) is (columns == 120)
    piped = run("inspect", path, status=1, env=environment(COLUMNS=str(columns))).output
    assert re.search(r"^ +1 .* 0\.500 s +speech stopped .* completed *$", piped, re.MULTILINE)


def test_json_for_programs(tmp_path: Path) -> None:
    path = conversation(tmp_path)
    done = run("inspect", path, "--json", status=1)
    (line,) = done.output.splitlines()
    found = json.loads(line)
    assert found.pop("recording") == str(path) and found.pop("stopped") is None
    assert found == json.loads(json.dumps(analyse(path).to_dict()))
    assert found["turns"][0]["latency"] == pytest.approx(0.5)


def test_the_guide_names_every_key() -> None:
    page = Path(__file__).parents[2] / "docs" / "guide" / "inspect.md"
    if not page.exists():
        pytest.skip("needs the source tree: docs/")
    text = page.read_text(encoding="utf-8")
    found = analyse(sample.path()).to_dict()
    assert [key for key in ("recording", "stopped", *found) if f"`{key}`" not in text] == []


def test_several_recordings_and_one_that_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    folder.mkdir()
    for name in ("a.jsonl", "b.jsonl.gz"):
        data = sample.path().read_bytes()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    (folder / "c.jsonl").write_bytes(b"")
    done = run("inspect", folder, "--json", status=1)
    assert [json.loads(line)["frames"] for line in done.output.splitlines()] == [len(sample.lines())] * 2
    assert done.line.endswith("c.jsonl: an empty recording: it has no frames")
    run("inspect", folder / "a.jsonl", folder / "b.jsonl.gz", "--json")


def test_standard_input() -> None:
    done = run("inspect", "-", "--json", given=sample.path().read_bytes())
    assert json.loads(done.output)["recording"] == "standard input" and json.loads(done.output)["frames"] == len(sample.lines())


@pytest.mark.skipif(not SHARED.is_dir(), reason=NO_SHARED)
@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_real_recordings(path: Path, tmp_path: Path) -> None:
    bad = 1 if "openapi" in path.name else 0
    found = json.loads(run("inspect", path, "--json", status=bad).output)
    assert found["frames"] > 0 and run("inspect", path, status=bad).output.count("\n") > 8
    run("timeline", path, "--out", tmp_path / "t.svg", status=bad)
    assert files(tmp_path) == ["t.svg"]


HOSTILE = "\x1b]0;owned\x07\x1b[2J[red]\u202egnp.exe\r\n\x9b31m"


def test_a_terminal_is_told_nothing_by_a_stranger(tmp_path: Path) -> None:
    made = events(words=HOSTILE, tool=HOSTILE)
    made += [(40, "received", {"type": HOSTILE, HOSTILE: 1}), (40, "received", {"type": "ping", HOSTILE: 1}),
             (40, "received", {"type": "error", "error": dict.fromkeys(("type", "code", "message"), HOSTILE)}),
             (40, "received", {"type": "session.created", "session": {"model": HOSTILE}}),
             (40, "received", {"type": "response.done", "response": {"id": HOSTILE, "status": HOSTILE,
                                                                       "usage": {HOSTILE: 2}}})]  # fmt: skip
    path = write(tmp_path / "h.jsonl", made)
    done = run("inspect", path, status=1)
    assert not ESCAPES.search(done.output.replace("\n", "")) and "[red]" in done.output and "\\x1b]0;owned" in done.output
    colored = run("inspect", path, status=1, env=environment(FORCE_COLOR="1", TERM="xterm-256color"))
    assert not re.search(r"\x1b(?!\[[\d;]*m)", colored.output) and "\x07" not in colored.output and "\u202e" not in colored.output
    listed = run("inspect", path, "--json", status=1).output
    assert not ESCAPES.search(listed.replace("\n", ""))


# --- timeline


@pytest.mark.parametrize("suffix", ["svg", "html", "png", "SVG"])
def test_a_timeline_in_each_form(tmp_path: Path, suffix: str) -> None:
    if suffix == "png":
        pytest.importorskip("matplotlib")
    done = run("timeline", sample.path(), "--out", tmp_path / f"t.{suffix}")
    data = (tmp_path / f"t.{suffix}").read_bytes()
    start = {"svg": b"<?xml", "html": b"<!DOCTYPE html>", "png": b"\x89PNG"}[suffix.lower()]
    assert data.startswith(start) and len(data) > 10_000
    assert done.output == f"-> {tmp_path / f't.{suffix}'}\n" and files(tmp_path) == [f"t.{suffix}"]


def test_a_part_of_a_timeline(tmp_path: Path) -> None:
    path = conversation(tmp_path)
    run("timeline", path, "--out", tmp_path / "t.html", "--start", 10, "--end", 15, "--width", 900, status=1)
    assert 'width="840"' in (tmp_path / "t.html").read_text(encoding="utf-8")  # the labels of the lanes have 60 of their own
    done = run("timeline", path, "--out", tmp_path / "u.html", "--start", 100, status=1)
    assert done.line.endswith("it ends at 34.0 s, before --start 100") and not (tmp_path / "u.html").exists()


def test_standard_input_as_a_timeline(tmp_path: Path) -> None:
    run("timeline", "-", "--out", tmp_path / "t.svg", given=sample.path().read_bytes())
    assert "standard input" in (tmp_path / "t.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nothing.jsonl", "--out", "t.svg"], 1, "nothing.jsonl: No such file or directory"),
        (["empty.jsonl", "--out", "t.svg"], 1, "empty.jsonl: an empty recording: it has no frames"),
        (["text.jsonl", "--out", "t.svg"], 1, "no frame could be read: "),
        (["folder", "--out", "t.svg"], 1, "folder: a folder without recordings"),
        (["call.jsonl", "--out", "t.jpg"], 2, "t.jpg: the name must end in .png, .svg or .html"),
        (["call.jsonl", "--out", "no/such/t.svg"], 1, "no/such/t.svg: No such file or directory"),
        (["call.jsonl", "--out", "folder2"], 2, "the name must end in"),
        (["call.jsonl", "--out", "t.svg", "--start", "5", "--end", "5"], 2, "a part from 5 s to 5 s"),
        (["call.jsonl", "call.jsonl", "--out", "t.svg"], 2, "--help has more"),
        (["*.jsonl", "--out", "t.svg"], 2, "a timeline shows one"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    (tmp_path / "text.jsonl").write_bytes(b"hello\nworld\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "call.jsonl").write_bytes(sample.path().read_bytes())
    before = files(tmp_path)
    done = run("timeline", *arguments, status=status, cwd=tmp_path)
    assert said in done.line and files(tmp_path) == before and done.output == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "t.svg.part").symlink_to("/dev/full")
    done = run("timeline", sample.path(), "--out", tmp_path / "t.svg", status=1)
    assert "No space left on device" in done.line and files(tmp_path) == []


def test_a_truncated_recording_is_drawn_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl.gz"
    path.write_bytes(gzip.compress(sample.path().read_bytes())[:-20_000])
    done = run("timeline", path, "--out", tmp_path / "t.svg", status=1)
    assert "the gzip data end too early" in done.line and files(tmp_path) == ["call.jsonl.gz", "t.svg"]
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(sample.path().read_bytes()[:-30])
    done = run("inspect", cut, status=1)
    assert f"1 line was refused: line {len(sample.lines())}" in done.line


def test_a_picture_that_was_there_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    (tmp_path / "t.svg").write_text("before")
    run("timeline", recorded(tmp_path / "text.jsonl", "hello"), "--out", tmp_path / "t.svg", status=1)
    assert (tmp_path / "t.svg").read_text() == "before"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pipe that is closed")
def test_a_closed_pipe(tmp_path: Path) -> None:
    read, write_ = os.pipe()
    os.close(read)
    import subprocess

    from support.command import COMMAND

    done = subprocess.run(
        [*COMMAND, "inspect", str(sample.path())], stdout=write_, stderr=subprocess.PIPE, env=environment(), timeout=60
    )
    os.close(write_)
    assert done.returncode == 141 and done.stderr.count(b"\n") == 1 and b"standard output was closed" in done.stderr


def test_the_guides_picture_is_what_is_drawn_today(tmp_path: Path) -> None:
    shown = Path(__file__).parents[2] / "docs" / "guide" / "timeline.svg"
    if not shown.exists():
        pytest.skip("needs the source tree: docs/")
    made = tmp_path / "timeline.svg"
    run("timeline", sample.path(), "--out", made, "--width", 900)
    command = "realtime-pcm timeline src/realtime_pcm/sample/session.jsonl --out docs/guide/timeline.svg --width 900"
    assert made.read_text(encoding="utf-8") == shown.read_text(encoding="utf-8"), f"draw it anew: {command}"
