"""A PlaybackBuffer in the callback of sounddevice: PortAudio's thread plays into a PulseAudio sink whose monitor is recorded.

The sink has the player's format, so that what is recorded are the samples themselves. Needs pulseaudio, parec, ALSA's pulse
plugin and PortAudio: Debian's pulseaudio, pulseaudio-utils, libasound2-plugins and libportaudio2.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.paths import TESTS

RATE = 24_000

pytestmark = [
    pytest.mark.skipif(shutil.which("pulseaudio") is None or shutil.which("parec") is None, reason="needs pulseaudio and parec"),
    pytest.mark.skipif(ctypes.util.find_library("portaudio") is None, reason="needs the library PortAudio"),
]

# It plays 1.25 s of samples that count up, and interrupts after the time it is given.
PROGRAM = """
import json, sys, time
import numpy as np
import sounddevice as sd
import realtime_pcm as rp
from realtime_pcm.playback import PlaybackBuffer
from support.session_frames import delta, done

kind, dtype, channels, cut = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
player = PlaybackBuffer(24_000, dtype=dtype, channels=channels)
calls = []

def callback(out, frames, time, status):
    calls.append(player.read(out))

stream = getattr(sd, kind)(24_000, dtype=dtype, channels=channels, callback=callback, latency=0.1)
decoder = rp.Decoder()
player.write(decoder.decode('{"type":"response.created","response":{"id":"r"}}'))  # what comes before its end is late
with stream:
    time.sleep(1.2)     # PulseAudio may still adapt its latency to the stream, and drop samples while it does
    for start in range(1, 30_001, 6_000):
        player.write(decoder.decode(delta(np.arange(start, start + 6_000, dtype="<i2").tobytes(), response_id="r", item_id="i")))
    player.write(decoder.decode(done(response_id="r", item_id="i")))
    time.sleep(cut)
    said = player.interrupt(latency=stream.latency)
    late = player.write(decoder.decode(delta(bytes(100), response_id="r", item_id="i")))
    time.sleep(0.5)
print(json.dumps({
    "given": sum(calls), "played": len(said.played), "late": late,
    "samples": [item.samples for item in (*said.truncations, *said.unheard, *said.played)],
    "underruns": player.underruns, "error": player.error, "latency": stream.latency, "queued": player.queued}))
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a PulseAudio server of our own, with one sink."""
    pytest.importorskip("sounddevice")
    # The path of its socket has a short bound.
    home = tmp_path_factory.mktemp("pa")
    (home / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    environment = os.environ | {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "PULSE_SERVER": f"unix:{home}/native",
        "PYTHONPATH": str(TESTS),
    }
    with open(home / "log", "w") as log:
        server = subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "-L",
                f"module-null-sink sink_name=ear rate={RATE} channels=1 format=s16le",
                "-L",
                f"module-native-protocol-unix socket={home}/native auth-anonymous=1",
            ],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(100):
            if (home / "native").exists():
                break
            time.sleep(0.1)
        else:
            pytest.fail((home / "log").read_text())
        yield environment
    finally:
        server.terminate()
        server.wait(10)


def play(sound: dict[str, str], *arguments: object) -> tuple[dict[str, Any], Any]:
    """What the program says, and what was heard."""
    recording = Path(sound["HOME"]) / "heard.raw"
    with open(recording, "wb") as file:
        recorder = subprocess.Popen(
            ["parec", "-d", "ear.monitor", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=20"],
            env=sound,
            stdout=file,
        )
    try:
        time.sleep(0.5)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, arguments)], env=sound, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        time.sleep(0.5)
    finally:
        recorder.terminate()
        recorder.wait(10)
    raw = recording.read_bytes()
    heard = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2")
    return json.loads(done.stdout.splitlines()[-1]), heard[heard != 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "dtype", "channels"),
    [
        ("OutputStream", "int16", 1),
        ("RawOutputStream", "int16", 1),
        ("OutputStream", "float32", 2),
        ("RawOutputStream", "float32", 1),
    ],
)
def test_all_of_it_is_heard(sound: dict[str, str], kind: str, dtype: str, channels: int) -> None:
    said, heard = play(sound, kind, dtype, channels, 2.5)
    assert (said["error"], said["underruns"], said["late"], said["queued"]) == (None, 0, 0, 0)
    assert (said["played"], said["samples"]) == (1, [30_000])
    # The callbacks gave every sample, and no silence in between. PulseAudio itself may drop some on a busy machine, and rounds
    # what it turns into int16 or mixes down: in order and never doubled they must be.
    assert said["given"] == 30_000
    assert len(heard) > 0.9 * 30_000 and heard.max() >= 29_999
    assert np.diff(heard).min() >= (1 if (dtype, channels) == ("int16", 1) else 0)


@pytest.mark.slow
def test_an_interruption_is_heard(sound: dict[str, str]) -> None:
    said, heard = play(sound, "RawOutputStream", "int16", 1, 0.7)
    [samples] = said["samples"]
    assert said["played"] == said["late"] == said["queued"] == 0 and said["error"] is None
    # What the device still held when it was interrupted is heard as well, no more than its latency and a callback.
    held = int(heard[-1]) - samples
    assert np.diff(heard).min() >= 1
    assert 0 < samples < 30_000 and -0.05 * RATE <= held <= (said["latency"] + 0.05) * RATE
