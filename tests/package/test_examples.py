"""The examples, each as a user runs it, against the loopback server."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from pathlib import Path

import pytest

pytest.importorskip("websockets")

from support import stream_clients as clients
from support.g711 import compressed
from support.paths import EXAMPLES

NEEDS = {"talk_openai": "openai", "listen_picows": "picows"}

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="needs the source tree: examples/")


def run_example(name: str, *arguments: str) -> str:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    command = [sys.executable, "-X", "utf8", str(EXAMPLES / f"{name}.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["talk_openai", "talk_websockets", "listen_picows"])
def test_a_talk(name: str, tmp_path: Path) -> None:
    output = run_example(name, "Where is it?", "--loopback", "--out", str(tmp_path))
    assert output == clients.TRANSCRIPT + "\n"
    with wave.open(str(tmp_path / "answer.wav"), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == clients.PCM


def test_the_phone_bridge(tmp_path: Path) -> None:
    """Every byte of mu-law reaches the caller, and it is the sample at 8 kHz."""
    output = run_example("twilio_bridge", "--loopback", "--out", str(tmp_path))
    heard = (tmp_path / "call.ulaw").read_bytes()
    assert output == f"heard {len(heard) / 8000:.3f} s of mu-law at 8 kHz\n"
    assert heard == compressed("g711_ulaw", clients.at_rate(8_000))


def test_a_replay_over_a_connection() -> None:
    output = run_example("replay_jsonl", "--loopback", "--speed", "100")
    assert output == f"{clients.TRANSCRIPT}\nplayed {len(clients.PCM) / 48_000:.3f} s of audio\n"


def test_a_replay_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(b"\n\n".join([*clients.FRAMES, b'{"type":7}']))
    output = run_example("replay_jsonl", str(path), "--speed", "100")
    assert output.startswith(clients.TRANSCRIPT + "\n")
    assert re.search(r"\n\[.* at byte 8: '7'\]\n", output), output[-200:]
    assert output.endswith(f"played {len(clients.PCM) / 48_000:.3f} s of audio\n")
