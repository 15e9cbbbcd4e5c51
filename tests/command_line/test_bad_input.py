"""What a command cannot read or write: one line on standard error, a status that is not 0, and nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typer")

from support import stream_clients as clients
from support.command import COMMAND, environment, files, recorded, run, run_process

FRAMES = clients.FRAMES
TURN = b"\n".join(FRAMES) + b"\n"
AUDIO = {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "content_index": 0, "delta": "AAAB" * 100}


def delta(item: int, payload: str = "AAAB" * 3000) -> bytes:
    return json.dumps({**AUDIO, "response_id": f"r{item}", "item_id": f"i{item}", "delta": payload}).encode() + b"\n"


def done(item: int) -> bytes:
    frame = {"type": "response.output_audio.done", "response_id": f"r{item}", "item_id": f"i{item}", "content_index": 0}
    return json.dumps(frame).encode() + b"\n"


def whole(path: Path, samples: int) -> None:
    with wave.open(str(path)) as file:
        assert file.getnframes() == samples
        assert len(file.readframes(samples)) == 2 * samples


# --- what cannot be read


def missing(folder: Path) -> str:
    return "nothing.jsonl"


def empty(folder: Path) -> str:
    (folder / "empty.jsonl").write_bytes(b"\n \r\n")
    return "empty.jsonl"


def empty_folder(folder: Path) -> str:
    (folder / "calls" / "2026").mkdir(parents=True)
    (folder / "calls" / "notes.txt").write_text("no recording")
    return "calls"


def pattern(folder: Path) -> str:
    return "*.nothing"


def node(folder: Path) -> str:
    (folder / "node.log").write_text("{\n  type: 'session.created',\n  event_id: 'e1'\n}\n")
    return "node.log"


def archive(folder: Path) -> str:
    (folder / "calls.jsonl").write_bytes(b"PK\x03\x04" + bytes(100))
    return "calls.jsonl"


def garbage(folder: Path) -> str:
    (folder / "garbage.jsonl").write_bytes(bytes(range(1, 256)) * 40)
    return "garbage.jsonl"


def strange(folder: Path) -> str:
    (folder / "strange.jsonl").write_text('{"a":1}\n{"b":2}\n')
    return "strange.jsonl"


UNREADABLE: list[tuple[Callable[[Path], str], str]] = [
    (missing, "nothing.jsonl: No such file or directory"),
    (empty, "empty.jsonl: an empty recording"),
    (empty_folder, "calls: a folder without recordings: no file in it ends with .jsonl, "),
    (pattern, "*.nothing: no file matches"),
    (node, "node.log: these are objects as Node prints them"),
    (archive, "calls.jsonl: this is a zip archive"),
    (garbage, "garbage.jsonl: no frame could be read"),
    (strange, "strange.jsonl: no frame could be read"),
]


@pytest.mark.parametrize("command", ["extract", "bench", "serve"])
@pytest.mark.parametrize(("make", "says"), UNREADABLE, ids=[make.__name__ for make, _ in UNREADABLE])
def test_what_cannot_be_read(tmp_path: Path, command: str, make: Callable[[Path], str], says: str) -> None:
    given = make(tmp_path)
    before = files(tmp_path)
    options = {"extract": ["--out", "out"], "bench": ["--seconds", "0"], "serve": ["--port", "0"]}[command]
    end = run(command, given, *options, status=1, cwd=tmp_path)
    if command == "serve":  # it takes one recording, and stops at the first frame that it could not send
        says = {
            empty_folder: "calls: a folder; serve takes one",
            pattern: "*.nothing: No such",
        }.get(make, says)
    assert says in end.line and given in end.line
    assert end.output == "" or (command == "bench" and end.output.count("\n") == 1)
    assert files(tmp_path) == before


# --- what ends too early, or is bad in places: the rest is kept


def cut_line(folder: Path) -> str:
    (folder / "call.jsonl").write_bytes(TURN + delta(1)[:-1000])
    return f"line {len(FRAMES) + 1}: "


def cut_gzip(folder: Path) -> str:
    (folder / "call.jsonl").write_bytes(gzip.compress(TURN + os.urandom(40_000).hex().encode())[:-20_000])
    return "the file ends here: the gzip data end too early"


def bad_base64(folder: Path) -> str:
    (folder / "call.jsonl").write_bytes(TURN + delta(1, "AAA*") + b"{\n" * 3)
    return f"4 lines were refused; the first: line {len(FRAMES) + 1}: response.output_audio.delta: delta: not base64 at byte "


def mixed(folder: Path) -> str:
    (folder / "call.jsonl").write_bytes(
        TURN + delta(1) + delta(1).replace(b'"delta":', b'"sample_rate_hz":8000,"delta":') + done(1)
    )
    return "and continues in another WAV: 003-model-i1.wav: pcm16 24000 Hz up to sample 4500, then pcm16 8000 Hz"


@pytest.mark.parametrize("make", [cut_line, cut_gzip, bad_base64, mixed])
def test_what_is_whole_is_kept(tmp_path: Path, make: Callable[[Path], str]) -> None:
    says = make(tmp_path)
    end = run("extract", "call.jsonl", "--out", "out", status=1, cwd=tmp_path)
    assert end.line.startswith("call.jsonl: ") and says in end.line
    names = ["002-model-item_DkR4dqN09jK65hba8p4t6.wav", *(["003-model-i1-2.wav", "003-model-i1.wav"] if make is mixed else [])]
    assert files(tmp_path / "out") == [*names, "summary.json", "transcript.srt", "transcript.txt", "transcript.vtt"]
    whole(tmp_path / "out" / names[0], len(clients.PCM) // 2)
    summary = json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert summary["frames"] == len(FRAMES) + (3 if make is mixed else 0)
    if make is bad_base64:
        assert [refused["line"] - len(FRAMES) for refused in summary["refused_lines"]] == [1, 2, 3, 4]
        assert summary["refused_lines"][0]["byte"] > 0 and "not base64" in summary["refused_lines"][0]["reason"]


def test_one_bad_recording_among_others(tmp_path: Path) -> None:
    """The others are extracted, and the status tells of the bad one."""
    recorded(tmp_path / "a.jsonl", *FRAMES)
    (tmp_path / "b.jsonl").write_bytes(b"")
    recorded(tmp_path / "c.jsonl", *FRAMES)
    end = run("extract", "a.jsonl", "b.jsonl", "c.jsonl", "--out", "out", status=1, cwd=tmp_path)
    assert end.line == "b.jsonl: an empty recording: it has no frames"
    assert sorted({Path(name).parts[0] for name in files(tmp_path / "out")}) == ["a", "c"]


# --- what cannot be written


def into_a_file(folder: Path) -> str:
    (folder / "file").write_text("mine")
    return "file"


def below_a_file(folder: Path) -> str:
    return into_a_file(folder) + "/out"


def no_such_place(folder: Path) -> str:
    if sys.platform != "linux":
        pytest.skip("needs /proc")
    return "/proc/foo"


def forbidden(folder: Path) -> str:
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("this user may write everywhere")
    (folder / "locked").mkdir(mode=0o500)
    return "locked"


@pytest.mark.parametrize("command", ["extract", "demo"])
@pytest.mark.parametrize("place", [into_a_file, below_a_file, no_such_place, forbidden])
def test_a_folder_that_cannot_be_written(tmp_path: Path, command: str, place: Callable[[Path], str]) -> None:
    out = place(tmp_path)
    recorded(tmp_path / "call.jsonl", *FRAMES)
    before = files(tmp_path)
    line = run(command, *(["call.jsonl"] if command == "extract" else []), "--out", out, status=1, cwd=tmp_path).line
    assert line.startswith(f"{out}") and any(reason in line for reason in ("older", "rectory", "ermission"))
    assert files(tmp_path) == before


def limited(size: int) -> Callable[[], None]:
    """A disk that is full once a file has that many bytes."""

    def limit() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


needs_limits = pytest.mark.skipif(os.name == "nt", reason="Windows has no RLIMIT_FSIZE")


@pytest.mark.slow
@needs_limits
@pytest.mark.parametrize("joined", [False, True])
def test_a_full_disk(tmp_path: Path, joined: bool) -> None:
    """Two items fit, the third does not, and a fourth is under way."""
    long = [delta(3)] * 20
    (tmp_path / "call.jsonl").write_bytes(delta(1) + done(1) + delta(2) + done(2) + delta(4) + b"".join(long) + done(3) + done(4))
    options = ["--joined"] if joined else []
    end = run_process("extract", "call.jsonl", "--out", "out", *options, status=1, cwd=tmp_path, preexec_fn=limited(40_000))
    assert "File too large" in end.line and "2 complete WAVs are kept in out" in end.line
    assert files(tmp_path / "out") == ["001-model-i1.wav", "002-model-i2.wav", "summary.json"]
    for number in (1, 2):
        whole(tmp_path / "out" / f"00{number}-model-i{number}.wav", 4500)
    summary = json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert not summary["complete"] and "File too large" in summary["stopped"]


@pytest.mark.slow
@needs_limits
def test_a_full_disk_during_the_demo(tmp_path: Path) -> None:
    line = run_process("demo", "--out", "out", status=1, cwd=tmp_path, preexec_fn=limited(40_000)).line
    assert line == f"{Path('out/sample.wav')}: File too large"
    assert files(tmp_path) == []


@pytest.mark.slow
@needs_limits
def test_a_full_disk_for_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "call.jsonl").write_bytes(delta(1))
    line = run_process("extract", "call.jsonl", "--out", "out", status=1, cwd=tmp_path, preexec_fn=limited(10)).line
    assert "File too large" in line and "0 complete WAVs are kept" in line
    assert files(tmp_path / "out") == []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["inspect", "extract"])
def test_a_full_disk_behind_standard_output(tmp_path: Path, command: str) -> None:
    recorded(tmp_path / "call.jsonl", *FRAMES)
    options = ["--out", "out"] if command == "extract" else []
    with open("/dev/full", "wb") as output:
        end = subprocess.run(
            [*COMMAND, command, "call.jsonl", *options], stdout=output, stderr=subprocess.PIPE, cwd=tmp_path, env=environment()
        )
    assert (end.returncode, end.stderr) == (1, b"realtime-pcm: standard output: No space left on device\n")
    assert command == "inspect" or len(files(tmp_path / "out")) == 5


# --- what ends the command


def under_way(tmp_path: Path, **options: Any) -> subprocess.Popen[bytes]:
    """An extraction that has written one item, is at the second, and waits for more."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [*COMMAND, "extract", "-", "--out", "out", "--joined"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(), **options,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stdin is not None
    # More frames than the command reads before it knows what they are.
    process.stdin.write(delta(1) + done(1) + delta(2) * 250)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while "out/002-model-i2.wav.part" not in files(tmp_path):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    return process


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption(tmp_path: Path, number: signal.Signals) -> None:
    process = under_way(tmp_path)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    text = errors.decode()
    assert text.startswith("realtime-pcm: standard input: interrupted after ") and text.count("\n") == 1
    assert text.endswith("; 1 complete WAV is kept in out\n")
    assert files(tmp_path / "out") == ["001-model-i1.wav", "summary.json"]
    whole(tmp_path / "out" / "001-model-i1.wav", 4500)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("command", ["demo", "extract", "bench", "--help", "--version"])
def test_a_closed_pipe(tmp_path: Path, command: str) -> None:
    """Whoever reads the output has gone before the first line; each file is there and whole."""
    recorded(tmp_path / "a.jsonl", *FRAMES)
    recorded(tmp_path / "b.jsonl", *FRAMES)
    options = {"demo": ["--out", "out"], "extract": ["a.jsonl", "b.jsonl", "--out", "out"], "bench": ["--seconds", "0"]}
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        end = subprocess.run(
            [*COMMAND, command, *options.get(command, [])], stdout=output, stderr=subprocess.PIPE, cwd=tmp_path, env=environment()
        )
    assert end.returncode == 141
    assert end.stderr.decode() == "realtime-pcm: standard output was closed; the files that were written are complete\n"
    if command == "demo":
        assert files(tmp_path / "out") == ["sample.txt", "sample.wav"]
        whole(tmp_path / "out" / "sample.wav", len(clients.PCM) // 2)
    if command == "extract":
        for name in ("a", "b"):
            assert len(files(tmp_path / "out" / name)) == 5
            whole(tmp_path / "out" / name / "002-model-item_DkR4dqN09jK65hba8p4t6.wav", len(clients.PCM) // 2)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_closed_standard_error(tmp_path: Path) -> None:
    end = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' -m realtime_pcm bench nothing.jsonl 2>&-"], capture_output=True, cwd=tmp_path
    )
    assert end.returncode == 1


# --- what is shown while it works


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
@pytest.mark.slow
def test_a_bar_on_long_input(tmp_path: Path) -> None:
    """It is there on a terminal alone, goes away at the end, and the name of the file cannot be markup."""
    import pty

    path = tmp_path / "[red]call\x1b[2J.jsonl"
    path.write_bytes(TURN * 1600)
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "extract", str(path), "--joined", "--out", str(tmp_path / "out")],
        stdout=subprocess.DEVNULL, stderr=terminal, env=environment(TERM="xterm-256color"),
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while True:
        try:
            more = os.read(main, 1 << 16)
        except OSError:
            break
        if not more:
            break
        shown += more
    os.close(main)
    assert process.wait(60) == 0
    text = shown.decode()
    assert "%" in text and " frames" in text and "[red]call" in text and "\x1b[2J" not in text


def test_a_terminal_of_few_letters(tmp_path: Path) -> None:
    recorded(tmp_path / "call.jsonl", {"type": "response.output_audio_transcript.delta", "delta": "naïve 日本語"})
    end = run("extract", "call.jsonl", "--out", "out", cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii"))
    assert r"na\xefve \u65e5\u672c\u8a9e" in end.output
    assert "naïve 日本語" in (tmp_path / "out" / "transcript.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["extract", "bench", "serve"])
def test_a_name_that_no_file_can_have(tmp_path: Path, command: str) -> None:
    options = ["--out", "out"] if command == "extract" else []
    line = run(command, "a" * 5000, *options, status=1, cwd=tmp_path).line
    assert line.startswith("aaaa") and "too long" in line


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("command", ["extract - --out out", "bench -", "serve -"])
def test_a_closed_standard_input(tmp_path: Path, command: str) -> None:
    script = f"'{sys.executable}' -m realtime_pcm {command} <&-"
    end = subprocess.run(["/bin/sh", "-c", script], capture_output=True, cwd=tmp_path, env=environment())
    assert end.returncode == 1
    assert end.stderr.decode() == "realtime-pcm: standard input is closed\n"
    assert files(tmp_path) == []
