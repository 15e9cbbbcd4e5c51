"""Recorder: writes down what a connection receives and sends, without holding it up."""

from __future__ import annotations

import atexit
import os
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any, Self

from .._core import Decoder, RealtimeMessage
from ..errors import DecodeError
from .files import open_to_write
from .shapes import VERSION

__all__ = ["Recorder"]

MAX_FRAMES = 10_000
MAX_BYTES = 64 * 1024 * 1024
PAUSE = 0.02  # seconds between two looks of the writer at its queue: a frame wakes nobody while frames keep coming
FLUSH = 1.0  # seconds after which what was written is handed to the file

_STAYS = 25  # empty looks after which the writer sleeps until a frame wakes it


class Recorder:
    """Writes a recording: one line for each frame, compressed by the name of the file (.gz, .zst).

    path: the file, which must not exist yet unless overwrite=True. max_frames, max_bytes: what may wait for the writer's thread;
    a frame that finds no room is dropped and counted, here and in the file. Calls may come from several threads.
    written, dropped: frames so far. error: the OSError that ended the writing, such as that of a full disk; then all is dropped.
    Raises OSError as open() does, FileExistsError for a file that is there, ModuleNotFoundError where zstd needs the extra
    `recording`. A context manager; `close` waits until all is written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        max_frames: int = MAX_FRAMES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.error: OSError | None = None
        self.written = 0
        self.dropped = 0
        self._told = 0  # of the dropped ones, those that the file tells
        self._max_frames, self._max_bytes = max_frames, max_bytes
        self._queue: deque[tuple[float, str, bytes | str]] = deque()
        self._bytes = 0
        self._lock = Lock()
        self._wake = Event()
        self._asleep = False
        self._closing = False
        self._validate = {"received": Decoder(only=()).decode, "sent": Decoder(side="client", only=()).decode}
        self._file = open_to_write(path, overwrite)
        self._began = monotonic()
        self._file.write(header_line(datetime.now(UTC)))
        self._thread = Thread(target=self._run, name="realtime-pcm recorder", daemon=True)
        self._thread.start()
        # A daemon's thread ends with the interpreter, and would leave behind what waits in its queue.
        atexit.register(self._finish)

    def received(self, frame: bytes | bytearray | memoryview | str | RealtimeMessage) -> None:
        """Writes down a frame of the server, or the message that it was decoded to. TypeError for anything else."""
        self._put(monotonic(), "received", frame)

    def sent(self, frame: bytes | bytearray | memoryview | str | RealtimeMessage) -> None:
        """Writes down a frame of the client, or a message. TypeError for anything else."""
        self._put(monotonic(), "sent", frame)

    def _put(self, now: float, direction: str, frame: Any) -> None:
        if type(frame) is not bytes and type(frame) is not str:
            frame = _frame_of(frame)
        queue = self._queue
        with self._lock:
            size = self._bytes + len(frame)
            if size > self._max_bytes or len(queue) >= self._max_frames:
                if self._closing:
                    raise ValueError("the recorder is closed")
                self.dropped += 1
                return
            self._bytes = size
            queue.append((now, direction, frame))
        if self._asleep:
            self._wake.set()

    def close(self) -> None:
        """Waits until all is written, and closes the file. Raises the OSError that ended the writing, if there was one."""
        self._finish()
        if self.error is not None:
            raise self.error

    def _finish(self) -> None:
        atexit.unregister(self._finish)
        with self._lock:
            self._closing = True
            self._max_bytes = -1  # no room from now on
        self._wake.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is None:
            self.close()
        else:
            self._finish()  # an error of the disk does not hide the one that is on its way

    def __repr__(self) -> str:
        return f"<Recorder: written {self.written}, dropped {self.dropped}>"

    # --- the writer's thread

    def _run(self) -> None:
        empty, flushed = 0, monotonic()
        try:
            while True:
                closing = self._closing
                batch = self._take()
                if batch or self.dropped != self._told:
                    self._write(batch)
                    empty = 0
                elif closing:
                    break
                else:
                    empty += 1
                if monotonic() - flushed > FLUSH and not closing:
                    self._file.flush()
                    flushed = monotonic()
                if empty > _STAYS:
                    self._sleep()
                    empty = 0
                elif not closing:
                    sleep(PAUSE)
        except OSError as error:
            self._give_up(error)
        try:
            self._file.close()
        except OSError as error:
            self._give_up(error)

    def _sleep(self) -> None:
        self._file.flush()
        self._wake.clear()
        self._asleep = True
        # Whoever puts a frame looks at _asleep afterwards: either that frame is seen here, or it wakes.
        if not self._queue and not self._closing:
            self._wake.wait()
        self._asleep = False

    def _take(self) -> list[tuple[float, str, bytes | str]]:
        with self._lock:
            batch = list(self._queue)
            self._queue.clear()
            self._bytes = 0
        return batch

    def _write(self, batch: list[tuple[float, str, bytes | str]]) -> None:
        done = 0
        try:
            for moment, direction, frame in batch:
                self._file.write(frame_line(self._validate[direction], moment - self._began, direction, frame))
                done += 1
            dropped = self.dropped
            if dropped != self._told:
                moment = monotonic() - self._began
                self._file.write(b'{"time":%.6f,"dropped":%d}\n' % (moment, dropped - self._told))
                self._told = dropped
        except OSError:
            with self._lock:
                self.dropped += len(batch) - done
            raise
        finally:
            self.written += done

    def _give_up(self, error: OSError) -> None:
        with self._lock:
            self.error = self.error or error
            self._max_bytes = -1
            self.dropped += len(self._queue)
            self._queue.clear()
            self._bytes = 0


def header_line(started: datetime) -> bytes:
    """The first line of a recording that began at `started`."""
    return f'{{"recording":"realtime-pcm","version":{VERSION},"started":"{started.isoformat()}"}}\n'.encode()


def frame_line(validate: Callable[[bytes | str], object], seconds: float, direction: str, frame: bytes | str) -> bytes:
    """The line of one frame. `validate` decodes it, and raises DecodeError where it is none."""
    try:
        validate(frame)
    except DecodeError as error:
        raw = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame
        reason = str(error).encode("ascii", "backslashreplace").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        return b'{"time":%.6f,"direction":"%b","raw":"%b","error":"%b"}\n' % (
            seconds,
            direction.encode(),
            b64encode(raw),
            reason,
        )
    data = frame.encode() if isinstance(frame, str) else frame
    if b"\n" in data or b"\r" in data:
        # In JSON that was accepted, they stand between values only.
        data = data.replace(b"\n", b" ").replace(b"\r", b" ")
    return b'{"time":%.6f,"direction":"%b","event":%b}\n' % (seconds, direction.encode(), data)


def save_lines(path: str | os.PathLike[str], lines: Iterable[bytes], *, overwrite: bool = False) -> None:
    """Writes the lines of a whole recording to a file, compressed by its name. Raises OSError as a Recorder does."""
    with closing(open_to_write(path, overwrite)) as file:
        for line in lines:
            file.write(line)


def _frame_of(given: Any) -> bytes | str:
    if isinstance(given, (bytearray, memoryview)):
        return bytes(given)
    frame = getattr(given, "frame", None)  # a message, an InvalidFrame, a DecodeError
    if not isinstance(frame, (bytes, str)):
        raise TypeError(f"a Recorder takes frames (bytes, bytearray, memoryview, str) and messages, not {type(given).__name__}")
    return frame
