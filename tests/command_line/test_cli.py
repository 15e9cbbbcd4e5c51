"""The command line: demo, decode, serve."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import sysconfig
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")

from typer.testing import CliRunner

import realtime_pcm as rp
from realtime_pcm import cli
from support import stream_clients as clients

COMMAND = Path(sysconfig.get_path("scripts")) / "realtime-pcm"


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three passes instead of a second of them."""
    full = cli.time_decoding
    monkeypatch.setattr(cli, "time_decoding", lambda frames: full(frames, seconds=0.0))


def check_wav(path: Path) -> None:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.getnframes() == len(clients.PCM) // 2
        data = file.readframes(file.getnframes())
    assert data == clients.PCM


def test_demo(tmp_path: Path) -> None:
    output = invoke("demo", "--out", str(tmp_path / "new" / "folder"))
    check_wav(tmp_path / "new" / "folder" / "sample.wav")
    text = (tmp_path / "new" / "folder" / "sample.txt").read_text(encoding="utf-8")
    assert text == clients.TRANSCRIPT + "\n"
    samples = np.frombuffer(clients.PCM, "<i2").astype(float)
    rms = np.sqrt(np.mean(samples**2))
    assert f"audio: {len(samples) / 24_000:.3f} s ({len(samples)} samples at 24000 Hz), RMS {rms:.1f} of 32768" in output
    for type_ in {event["type"] for event in clients.EVENTS}:
        count = sum(event["type"] == type_ for event in clients.EVENTS)
        assert re.search(rf"{re.escape(type_)}\s+\S?\s*{count}\b", output), type_
    assert re.search(r"decoding: 101 frames, [\d,]+ bytes in [\d,]+ us: [\d,]+ messages/s", output)
    assert f"{rp.simd_tier()} kernel" in output


def test_decode_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "call.jsonl"
    file.write_bytes(b"\n\n".join(clients.FRAMES))
    invoke("decode", str(file), "--out", str(tmp_path))
    check_wav(tmp_path / "call.wav")
    assert (tmp_path / "call.txt").read_text(encoding="utf-8") == clients.TRANSCRIPT + "\n"


def test_decode_says_what_it_refused(tmp_path: Path) -> None:
    file = tmp_path / "call.jsonl"
    bad = [b'{"type":"response.output_audio.delta","delta":"AAA*"}', *[b"{"] * 11]
    file.write_bytes(b"\n".join([*clients.FRAMES, *bad]))
    output = invoke("decode", str(file), "--out", str(tmp_path), code=1)
    assert "refused: response.output_audio.delta: delta:" in output
    assert "refused: 2 more" in output
    check_wav(tmp_path / "call.wav")


def test_decode_without_audio(tmp_path: Path) -> None:
    file = tmp_path / "call.jsonl"
    file.write_bytes(clients.FRAMES[0])
    assert "audio: none" in invoke("decode", str(file), "--out", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["call.jsonl"]


def test_decode_of_two_rates_writes_no_wav(tmp_path: Path) -> None:
    """Half of it at another pitch would be worse than none."""
    file = tmp_path / "call.jsonl"
    session = '{"type":"session.updated","session":{"audio":{"output":{"format":{"type":"%s"}}}}}'
    delta = '{"type":"response.output_audio.delta","response_id":"%s","delta":"AAAA"}'
    lines = [session % "audio/pcm", delta % "a", session % "audio/pcmu", delta % "b"]
    file.write_text("\n".join(lines))
    output = invoke("decode", str(file), "--out", str(tmp_path))
    assert "one WAV cannot hold it all" in output
    assert not list(tmp_path.glob("*.wav"))


def test_usage_errors(tmp_path: Path) -> None:
    invoke("decode", str(tmp_path / "nothing.jsonl"), code=2)
    invoke("serve", "--fault", "explode", code=2)
    invoke("hum", code=2)
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    invoke("serve", str(tmp_path / "empty.jsonl"), code=2)


def test_serve_lists_its_faults() -> None:
    from realtime_pcm.testing import FAULTS

    output = invoke("serve", "--fault", "list")
    assert [line.split()[0] for line in output.splitlines()] == list(FAULTS)


@pytest.mark.skipif(not COMMAND.exists(), reason="the realtime-pcm command is not installed beside this Python")
def test_the_command_itself(tmp_path: Path) -> None:
    done = subprocess.run([str(COMMAND), "demo", "--out", str(tmp_path)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert "Messages by type" in done.stdout
    check_wav(tmp_path / "sample.wav")


@pytest.mark.skipif(not COMMAND.exists(), reason="the realtime-pcm command is not installed beside this Python")
def test_serve_as_a_command() -> None:
    connect = pytest.importorskip("websockets.sync.client").connect
    # A test run in the background ignores SIGINT, and so would the server, which inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        server = subprocess.Popen(
            [str(COMMAND), "serve", "--port", "0", "--pace", "0", "--autoplay"], stdout=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line.startswith("listening on ws://127.0.0.1:")
            with connect(line.split()[-1], max_size=None) as connection:
                messages: list[Any] = list(rp.decode_stream(connection))
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=30) == 130
        finally:
            server.kill()
    assert [message.to_dict() for message in messages] == [json.loads(frame) for frame in clients.FRAMES]


@pytest.mark.skipif(not COMMAND.exists(), reason="the realtime-pcm command is not installed beside this Python")
@pytest.mark.parametrize("options", [[], ["--origin", "https://app.example"]])
def test_serve_lets_in_the_pages_that_it_is_told(options: list[str]) -> None:
    connect = pytest.importorskip("websockets.sync.client").connect
    from websockets.exceptions import InvalidStatus

    with subprocess.Popen([str(COMMAND), "serve", "--port", "0", *options], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            let_in = []
            for origin in (None, "http://localhost:3000", "https://app.example", "https://evil.example"):
                try:
                    with connect(url, origin=origin) as connection:
                        assert rp.decode(connection.recv()).type == "session.created"
                    let_in.append(origin)
                except InvalidStatus as refusal:
                    assert refusal.response.status_code == 403
        finally:
            server.kill()
            server.wait(10)
    assert let_in == [None, "http://localhost:3000", *options[1:]]


def test_without_the_extra_the_command_says_so() -> None:
    script = (
        "import sys\nsys.modules['typer'] = None\n"
        "import runpy\nfrom importlib import import_module\nimport_module('realtime_pcm.cli')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == cli.MISSING
