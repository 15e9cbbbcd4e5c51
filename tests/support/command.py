"""The real command, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

COMMAND = [sys.executable, "-m", "realtime_pcm"]


class Done(NamedTuple):
    """What a command printed, its exit status, and what it left in its folder: names and bytes."""

    output: str
    errors: str
    status: int

    @property
    def line(self) -> str:
        """The one line on standard error."""
        assert self.errors.count("\n") == 1 and self.errors.startswith("realtime-pcm: "), self.errors
        return self.errors.removeprefix("realtime-pcm: ").rstrip("\n")


def environment(**variables: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")}
    return plain | {"COLUMNS": "200", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"} | variables


def run(*arguments: object, status: int = 0, given: bytes | None = None, **options: Any) -> Done:
    """Runs it to its end. given: its standard input."""
    command = [*COMMAND, *map(str, arguments)]
    options.setdefault("env", environment())
    source = {"input": given} if given is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run(command, capture_output=True, timeout=120, **source, **options)
    found = Done(done.stdout.decode(), done.stderr.decode(), done.returncode)
    assert "Traceback" not in found.errors, found.errors
    assert found.status == status, found
    return found


@contextmanager
def serving(*options: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`serve` as a process, and the URL that it serves."""
    # A test run in the background ignores SIGINT, and so would the server, which inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            assert line.startswith("listening on ws://127.0.0.1:"), process.stderr.read()
            yield process, line.split()[-1]
        finally:
            process.kill()


def interrupted(process: subprocess.Popen[str], *, times: int = 1, timeout: float = 30) -> bool:
    """Whether Ctrl-C, pressed this often, ends a process as it should."""
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    assert process.stderr is not None
    return process.wait(timeout) == 130 and process.stderr.read() == "realtime-pcm: interrupted\n"


def read_wav(path: Path) -> tuple[int, int, npt.NDArray[np.int16]]:
    """The rate, the channels and the samples of a WAV of int16, channels interleaved."""
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2
        return file.getframerate(), file.getnchannels(), np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def files(folder: Path) -> list[str]:
    """What lies in a folder and below it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def recorded(path: Path, *events: object) -> Path:
    """A recording of frames: bytes, text, or what JSON is made of."""
    lines = (
        event if isinstance(event, bytes) else event.encode() if isinstance(event, str) else json.dumps(event).encode()
        for event in events
    )
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path
