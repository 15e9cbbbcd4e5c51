"""The command line: demo, bench, serve, and what all commands have in common."""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")

import realtime_pcm as rp
from realtime_pcm import cli, sample
from support import stream_clients as clients
from support.command import COMMAND, environment, files, interrupted, recorded, run, serving

SCRIPT = Path(sysconfig.get_path("scripts")) / "realtime-pcm"


def check_wav(path: Path) -> None:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.getnframes() == len(clients.PCM) // 2
        data = file.readframes(file.getnframes())
    assert data == clients.PCM


# --- what all commands have in common


def test_the_version() -> None:
    assert run("--version").output == f"realtime-pcm {rp.__version__}\n"


@pytest.mark.slow
def test_help_is_quick() -> None:
    """It imports nothing that only a command needs when it works."""
    script = (
        "import sys\nfrom realtime_pcm.cli import main\n"
        "for command in ([], ['demo'], ['extract'], ['inspect'], ['timeline'], ['archive'], ['serve'], ['bench']):\n"
        "    sys.argv[1:] = [*command, '--help']\n"
        "    try:\n        main()\n    except SystemExit as stop:\n        assert not stop.code\n"
        "print([name for name in ('websockets', 'soxr', 'zstandard', 'rich.progress', 'asyncio', 'realtime_pcm.recording', "
        "'realtime_pcm.playback') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: realtime-pcm") == 8
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["hum"], "No such command 'hum'. (realtime-pcm --help has more)"),
        (["decode", "x"], "No such command 'decode'"),
        (["demo", "--loud"], "--loud"),
        (["extract"], "SESSION"),
        (["extract", "x.jsonl"], "--out"),
        (["serve", "--fault", "explode"], "unknown fault 'explode': known are unknown_type"),
        (["serve", "--pace", "-1"], "--pace"),
        (["serve", "--pace", "nan"], "--pace"),
        (["serve", "--pace", "fast"], "--pace"),
        (["serve", "--port", "99999"], "--port"),
        (["bench", "--seconds", "-1"], "--seconds"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], says: str) -> None:
    done = run(*arguments, status=2)
    assert done.output == ""
    assert says in done.line


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """What the shell calls while its user types."""
    if shell == "fish":
        variables = {"_TYPER_COMPLETE_ARGS": "realtime-pcm ex", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    else:
        variables = {"_TYPER_COMPLETE_ARGS": "realtime-pcm ex", "COMP_WORDS": "realtime-pcm ex", "COMP_CWORD": "1"}
    # Its status is what the shell expects, and differs from shell to shell.
    done = subprocess.run(
        COMMAND,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(_REALTIME_PCM_COMPLETE=f"complete_{shell}", **variables),
    )
    assert "extract" in done.stdout and "serve" not in done.stdout, done


def test_without_the_extra_the_command_says_so() -> None:
    script = "import sys\nsys.modules['typer'] = None\nfrom realtime_pcm.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == cli.MISSING


@pytest.mark.slow
@pytest.mark.parametrize("package", ["websockets", "soxr"])
def test_without_a_part_of_the_extra_the_command_says_so(package: str, tmp_path: Path) -> None:
    audio = {"type": "response.output_audio.delta", "delta": "AAABAA=="}
    session = {"type": "session.updated", "session": {"input_audio_format": "g711_ulaw"}}
    append = {"type": "input_audio_buffer.append", "audio": "AAAA"}
    file = recorded(tmp_path / "a.jsonl", session, append, audio)
    arguments = ["serve"] if package == "websockets" else ["extract", str(file), "--out", str(tmp_path / "out"), "--joined"]
    script = (
        f"import sys\nsys.modules[{package!r}] = None\nsys.argv[1:] = {arguments!r}\nfrom realtime_pcm.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and 'pip install "realtime-pcm[cli]"' in done.stderr


# --- demo


def test_demo(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    done = run("demo", "--out", folder)
    assert done.errors == ""
    assert files(folder) == ["sample.txt", "sample.wav"]
    check_wav(folder / "sample.wav")
    assert (folder / "sample.txt").read_text(encoding="utf-8") == clients.TRANSCRIPT + "\n"
    samples = np.frombuffer(clients.PCM, "<i2").astype(float)
    rms = np.sqrt(np.mean(samples**2))
    assert f"audio: {len(samples) / 24_000:.3f} s ({len(samples)} samples at 24000 Hz), RMS {rms:.1f} of 32768" in done.output
    for type_ in {event["type"] for event in clients.EVENTS}:
        count = sum(event["type"] == type_ for event in clients.EVENTS)
        assert re.search(rf"{re.escape(type_)}\s+\S?\s*{count}\b", done.output), type_
    assert re.search(r"decoding: 62 frames, [\d,]+ bytes in [\d,]+ us: [\d,]+ messages/s", done.output)
    assert f"{rp.simd_tier()} kernel" in done.output


@pytest.mark.skipif(not SCRIPT.exists(), reason="the realtime-pcm command is not installed beside this Python")
def test_the_command_itself(tmp_path: Path) -> None:
    done = subprocess.run([str(SCRIPT), "demo", "--out", str(tmp_path)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert "Messages by type" in done.stdout
    check_wav(tmp_path / "sample.wav")


# --- bench


def test_bench_of_the_sample() -> None:
    output = run("bench", "--seconds", "0").output
    assert "the packaged sample: 62 frames, 288,066 bytes, 4.2 s of audio" in output
    assert re.search(
        r"\n  [\d,]+ messages/s, [\d,]+ MB/s, \d+\.\d\d us per message, [\d,]+ s of audio per second \(3 passes\)\n", output
    )


def test_bench_of_recordings(tmp_path: Path) -> None:
    """Both sides, and what is refused is left out, counted and told."""
    append = {"direction": "sent", "event": {"type": "input_audio_buffer.append", "audio": "AAAA" * 4000}}
    bad = {"direction": "received", "event": {"type": "response.output_audio.delta", "delta": "*"}}
    recorded(tmp_path / "a.jsonl", append, append, bad)
    recorded(tmp_path / "b.jsonl", *clients.FRAMES)
    done = run("bench", "--seconds", "0", tmp_path, status=1)
    assert "a.jsonl: 2 frames, " in done.output and "0.5 s of audio" in done.output
    assert "b.jsonl: 62 frames" in done.output
    assert "refused frames were skipped: 1" in done.line


# --- serve


def replayed(*options: object) -> list[Any]:
    """What a client gets of `serve`."""
    connect = pytest.importorskip("websockets.sync.client").connect
    with serving("--pace", "0", "--autoplay", *options) as (server, url):
        with connect(url, max_size=None) as connection:
            messages = list(rp.decode_stream(connection))
        assert interrupted(server)
    return [message.to_dict() for message in messages]


def test_serve() -> None:
    assert replayed() == [json.loads(frame) for frame in clients.FRAMES]


@pytest.mark.slow
def test_serve_a_wrapped_recording_of_both_sides(tmp_path: Path) -> None:
    """It sends what the server sent, and a byte order mark does not hide the first frame."""
    lines = [{"direction": "in", "event": event} for event in clients.EVENTS]
    lines.insert(5, {"direction": "out", "event": {"type": "response.create"}})
    file = recorded(tmp_path / "call.jsonl", *lines)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert replayed(file) == clients.EVENTS


def test_serve_lists_its_faults() -> None:
    from realtime_pcm.testing import FAULTS

    output = run("serve", "--fault", "list").output
    assert [line.split()[0] for line in output.splitlines()] == list(FAULTS)


def test_serve_on_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = run("serve", "--port", port, status=1).line
    assert line == f"port {port}: {os.strerror(98) if sys.platform == 'linux' else ''}; use --port 0 for any free port"


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([], "an empty recording"),
        (["", ""], "an empty recording"),
        ([{"direction": "sent", "event": {"type": "response.create"}}], "no frame in it comes from a server"),
        ([{"type": "x"}, '{"type":"y"'], "line 2: y: "),
    ],
)
def test_serve_tells_what_it_cannot_serve(tmp_path: Path, events: list[object], says: str) -> None:
    line = run("serve", recorded(tmp_path / "call.jsonl", *events), status=1).line
    assert "call.jsonl: " in line and says in line


@pytest.mark.slow
def test_serve_a_script_with_an_interruption_over_tls(tmp_path: Path) -> None:
    import ssl

    connect = pytest.importorskip("websockets.sync.client").connect
    pytest.importorskip("trustme")
    script = tmp_path / "script.txt"
    script.write_text("# Hello.\nsays: Good morning, this is the weather.\nsays: Goodbye.\n")
    with serving("--pace", "0", "--script", script, "--interrupt", "0.5", "--tls") as (process, url):
        assert process.stdout is not None and url.startswith("wss://")
        trusted = process.stdout.readline().split("SSL_CERT_FILE=")[1].split()[0]
        with connect(url, max_size=None, ssl=ssl.create_default_context(cafile=trusted)) as connection:
            connection.send('{"type":"response.create"}')
            done = [m.response for m in itertools.islice(of_type(connection, rp.messages.ResponseDone), 2)]
        assert [response.status for response in done] == ["cancelled", "completed"]
        assert done[1].output[0].content[0].transcript == "Goodbye."
        assert interrupted(process)
    assert not Path(trusted).exists()


def of_type(connection: Any, kind: Any) -> Any:
    return (message for message in rp.decode_stream(connection) if isinstance(message, kind))


@pytest.mark.parametrize(
    ("text", "options", "status", "says"),
    [
        ("says Hello", [], 1, "script.txt: line 1: begins with none of user:, says:, calls:, fails:"),
        (b"\xff", [], 1, "script.txt: not UTF-8 at byte 0"),
        (None, [], 1, "script.txt: No such file"),
        ("says: Hi", ["--autoplay"], 2, "--script: --autoplay sends a recording"),
        ("says: Hi", ["call.jsonl"], 2, "--script: pass a recording or a script, not both"),
    ],
)
def test_serve_tells_what_is_wrong_with_a_script(
    tmp_path: Path, text: str | bytes | None, options: list[str], status: int, says: str
) -> None:
    if text is not None:
        (tmp_path / "script.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert says in run("serve", "--script", tmp_path / "script.txt", *options, status=status).line


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--origin", "https://app.example"]])
def test_serve_lets_in_the_pages_that_it_is_told(options: list[str]) -> None:
    connect = pytest.importorskip("websockets.sync.client").connect
    from websockets.exceptions import InvalidStatus

    let_in = []
    with serving(*options) as (_, url):
        for origin in (None, "http://localhost:3000", "https://app.example", "https://evil.example"):
            try:
                with connect(url, origin=origin) as connection:
                    assert rp.decode(connection.recv()).type == "session.created"
                let_in.append(origin)
            except InvalidStatus as refusal:
                assert refusal.response.status_code == 403
    assert let_in == [None, "http://localhost:3000", *options[1:]]


def test_standard_input_is_served(tmp_path: Path) -> None:
    line = run("serve", "-", status=1, given=b'{"type":"x"\n').line
    assert line.startswith("standard input: no frame could be read: ")
    assert run("bench", "-", "--seconds", "0", given=sample.path().read_bytes()).output.count("62 frames") == 1
