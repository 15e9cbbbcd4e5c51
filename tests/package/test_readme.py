"""The README: each block of Python runs alone and prints what is printed beneath it, on a machine without a sound card too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import realtime_pcm as rp
from support.paths import README

TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", TEXT, re.DOTALL)

# A sound card for tests: it calls back as fast as it can, and says in the end how much of what it got was not silent.
SOUND_CARD = """
import threading

class RawOutputStream:
    def __init__(self, *, samplerate, channels, dtype, callback):
        assert (samplerate, channels, dtype) == (24_000, 1, "int16")
        self.callback, self.over, self.heard = callback, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.001):
            block = bytearray(2400)
            self.callback(block, 1200, None, None)
            self.heard += any(block)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()
        print("heard" if self.heard > 50 else f"silence: {self.heard} blocks")
"""


def test_it_is_short_and_has_a_picture_a_chart_and_both_commands() -> None:
    assert len(TEXT.splitlines()) <= 100
    assert len(BLOCKS) == 2 and TEXT.count("\n![") == 2
    assert '\npip install ".[cli]" && realtime-pcm demo\npip install ".[test]" && pytest\n' in TEXT


@pytest.mark.parametrize("index", range(len(BLOCKS)))
def test_a_block_runs_alone_and_prints_what_it_says(index: int, tmp_path: Path) -> None:
    code, printed = BLOCKS[index]
    if "client import connect" in code:
        pytest.importorskip("picows")
        pytest.importorskip("websockets")
    (tmp_path / "sounddevice.py").write_text(SOUND_CARD, encoding="utf-8")
    command = [sys.executable, "-X", "utf8", "-W", "error", "-c", code]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (printed or "heard\n")


def test_the_error_is_printed_as_a_user_sees_it() -> None:
    head = '{"type":"response.output_audio.delta","delta":"'
    with pytest.raises(rp.DecodeError) as caught:
        rp.decode(head + "A" * (214 - len(head)) + '*"}')
    assert f"\n```text\n{caught.value}\n```\n" in TEXT
