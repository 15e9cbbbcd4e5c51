"""The real command: within this process, or as a process where that is the point."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from realtime_pcm.cli import main

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


def run(
    *arguments: object,
    status: int | None = 0,
    given: bytes | None = None,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> Done:
    """Runs the command to its end, within this process, because a new one takes a second to start.

    status: how it must end; None: 0 or 1. given: its standard input.
    """
    variables = environment() if env is None else env
    encoding = variables["PYTHONIOENCODING"]
    output, errors = BytesIO(), BytesIO()
    streams = {
        "stdin": TextIOWrapper(BytesIO(given or b""), encoding),
        "stdout": TextIOWrapper(output, encoding, write_through=True),
        "stderr": TextIOWrapper(errors, encoding, "backslashreplace", write_through=True),
        "argv": ["realtime-pcm", *map(str, arguments)],
    }
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in streams.items():
            patch.setattr(sys, name, value)
        for name in os.environ.keys() - variables.keys():
            patch.delenv(name)
        for name, text in variables.items():
            patch.setenv(name, text)
        if cwd is not None:
            patch.chdir(cwd)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, handler)
    code = ended.value.code
    return _done(output.getvalue(), errors.getvalue(), code if isinstance(code, int) else 1, status)


def run_process(
    *arguments: object,
    status: int = 0,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    preexec_fn: Callable[[], None] | None = None,
) -> Done:
    """Runs the command to its end as a process. preexec_fn: called in that process before the command begins."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        cwd=cwd,
        env=env or environment(),
        preexec_fn=preexec_fn,
    )
    return _done(done.stdout, done.stderr, done.returncode, status)


def _done(output: bytes, errors: bytes, status: int, expected: int | None) -> Done:
    found = Done(output.decode(), errors.decode(), status)
    assert "Traceback" not in found.errors, found.errors
    assert found.status == expected or (expected is None and found.status in (0, 1)), found
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
            assert line.startswith(("listening on ws://127.0.0.1:", "listening on wss://127.0.0.1:")), process.stderr.read()
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
