"""Recorder: writes the frames of a connection to a file, without slowing it down."""

from __future__ import annotations

import atexit
import json
import os
import weakref
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Lock, RLock, Thread, get_ident
from time import monotonic, sleep
from typing import Any, Self

import numpy as np

from .._core import Decoder, RealtimeMessage
from ..errors import DecodeError
from ..sockets import Catalogue, Socket, catalogue_of
from .files import VERSION, Output

__all__ = ["Recorder"]

MAX_FRAMES = 10_000
MAX_BYTES = 64 * 1024 * 1024
PAUSE = 0.02  # seconds between two looks of the writer at its queue: a frame wakes nobody while frames keep coming
FLUSH = 1.0  # seconds after which a compressed file is flushed

_STAYS = 25  # empty looks after which the writer sleeps until a frame wakes it
_NO_ROOM = float("-inf")  # in place of max_bytes: every frame is refused


class Recorder:
    """Writes a recording: one line per frame, compressed as the file's name says (.gz, .zst).

    A thread of its own writes. Any thread may call it, and so may a signal handler that interrupts another call. It is a
    context manager; `close` waits until everything is written.

    Args:
        path: The file. It must not exist yet, unless overwrite=True.
        overwrite: Replaces an existing file.
        max_frames: How many frames may wait for the thread. Further frames are dropped and counted.
        max_bytes: How many bytes of frames may wait.
        catalogue: The socket whose frames these are, such as `realtime_pcm.sockets.gemini`, or its name. None: the Realtime API.

    Attributes:
        written: How many frames are in the file.
        dropped: How many frames were lost. The file counts them too.
        error: The exception that ended the writing, such as the OSError of a full disk. Frames that are not in the file by
            then, and all later ones, are dropped. A forked child has an `error` from the start, because the recording belongs
            to its parent.

    Raises:
        OSError: The file cannot be opened.
        FileExistsError: The file exists.
        ValueError: `max_frames` or `max_bytes` is negative or NaN, or no catalogue has this name.
        ModuleNotFoundError: zstd needs the extra `recording`.

    Examples:
        >>> with Recorder("call.jsonl.gz") as record:
        ...     record.sent(frame)
        ...     record.received(message)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        max_frames: int = MAX_FRAMES,
        max_bytes: int = MAX_BYTES,
        catalogue: str | Socket[Any, Any] | None = None,
    ) -> None:
        if not (max_frames >= 0 and max_bytes >= 0):  # NaN is no bound
            raise ValueError(f"max_frames and max_bytes are 0 or more, not {max_frames} and {max_bytes}")
        self.error: Exception | None = None
        self.written = 0
        self._max_frames, self._max_bytes = max_frames, float(max_bytes)
        # The lock is for those who put: it admits one thread at a time, and also a signal handler that interrupted this thread
        # inside it. The writer's thread never takes it: a handler that closes waits for that thread, and holds the lock.
        self._lock = RLock()
        # Each entry has the number of bytes that were put up to it, and the writer notes the number of the last one that it took:
        # the difference waits. A handler in the middle of a put may be left out of this sum until its frame is taken.
        self._queue: deque[tuple[float, str, bytes | str, int]] = deque()
        self._put_bytes = 0
        self._taken_bytes = 0
        self._refused = np.zeros((), np.int64)  # added to in place, which is one step: no handler runs in the middle of it
        self._told = 0  # of the refused frames, those that the file tells
        self._unsettled = 0  # frames that the writer took and that may not be in the file yet
        self._wake: SimpleQueue[None] = SimpleQueue()  # which a signal handler may use at any time, unlike an Event
        self._asleep = False
        self._closing = False
        self._gone = False  # nobody writes any more
        self._gate = Lock()  # open once nobody writes
        chosen = catalogue_of(catalogue)
        self._validate = validators(chosen)
        self._began = monotonic()
        self._thread = Thread(target=self._run, name="realtime-pcm recorder", daemon=True)
        self._file = Output(path, overwrite)
        try:
            self._file.write(header_line(datetime.now(UTC), chosen))
            self._gate.acquire()
            self._thread.start()
        except BaseException:
            self._file.abandon()
            raise
        _recorders.add(self)
        # A daemon's thread ends with the interpreter, and would leave behind what waits in its queue.
        atexit.register(self._finish)

    @property
    def dropped(self) -> int:
        """Frames that are lost: they found no room, came after `error`, or were not in the file by then."""
        return int(self._refused) + (self._unsettled + len(self._queue) if self._gone else 0)

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
            end = self._put_bytes + len(frame)
            if end - self._taken_bytes > self._max_bytes or len(queue) >= self._max_frames:
                if self._closing:
                    raise ValueError("the recorder is closed")
                self._refused += 1
                return
            queue.append((now, direction, frame, end))
            self._put_bytes = end
        if self._asleep:
            self._asleep = False
            self._wake.put(None)

    def close(self) -> None:
        """Waits until all is written, and closes the file. Raises `error`, if there is one."""
        self._finish()
        if self.error is not None:
            raise self.error

    def _finish(self) -> None:
        with self._lock:
            self._closing = True
            self._max_bytes = _NO_ROOM
        self._wake.put(None)
        if get_ident() == self._thread.ident and not self._gone:
            return  # an object that the writer's thread let go of closes the recorder: the thread cannot wait for itself
        # Not Thread.join, which a signal handler may not call while the code that it interrupted is in it.
        while not self._gone and self._thread.is_alive():
            if self._gate.acquire(timeout=FLUSH):
                self._gate.release()
        if not self._gone:
            self._give_up(RuntimeError("the recorder's thread is gone"))
            self._gone = True
        _recorders.discard(self)
        atexit.unregister(self._finish)

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
        try:
            self._write_until_closed()
            self._file.close()
            self._settled()
        except BaseException as error:
            self._give_up(error)
        finally:
            self._gone = True
            self._gate.release()

    def _write_until_closed(self) -> None:
        empty, flushed = 0, monotonic()
        while True:
            closing = self._closing
            if self._write_waiting():
                empty = 0
            elif closing:
                return
            else:
                empty += 1
            if closing:
                continue
            if self._unsettled and (not self._file.compresses or monotonic() - flushed > FLUSH):
                self._flush()
                flushed = monotonic()
            if empty > _STAYS:
                self._sleep()
                empty = 0
            else:
                sleep(PAUSE)

    def _sleep(self) -> None:
        self._flush()
        self._asleep = True
        # Whoever puts a frame looks at _asleep afterwards: either that frame is seen here, or it wakes.
        if not self._queue and not self._closing:
            self._wake.get()
        self._asleep = False

    def _write_waiting(self) -> bool:
        """Writes the waiting frames. Returns whether there were any."""
        queue = self._queue
        count, refused = len(queue), int(self._refused)
        for _ in range(count):
            # A frame leaves the queue after it was written, so that it is counted whatever happens in between.
            moment, direction, frame, end = queue[0]
            self._file.write(frame_line(self._validate[direction], moment - self._began, direction, frame))
            self._unsettled += 1
            queue.popleft()
            self._taken_bytes = end
        if refused != self._told:
            self._file.write(dropped_line(monotonic() - self._began, refused - self._told))
            self._told, count = refused, count + 1
        return count > 0

    def _flush(self) -> None:
        self._file.flush()
        self._settled()

    def _settled(self) -> None:
        self.written += self._unsettled
        self._unsettled = 0

    def _give_up(self, error: BaseException) -> None:
        self._max_bytes = _NO_ROOM
        if not isinstance(error, Exception):
            error = RuntimeError(f"the recorder's thread was ended by {error!r}")
        self.error = error
        with suppress(Exception):
            faulty = self._file.faulty
            self._file.close()
            if not faulty:
                self._settled()
        while self._queue:  # what waits is lost, and need not be kept
            self._queue.popleft()
            self._unsettled += 1

    def _lose_thread(self) -> None:
        """In a forked child, where the writer's thread does not run, and another thread may have held the lock."""
        self._lock = RLock()
        self._gone = True
        self._max_bytes = _NO_ROOM
        self.error = RuntimeError("this is a forked child: a Recorder writes in the process that made it")
        self._queue.clear()  # the parent writes these frames
        self._unsettled = 0
        self._file.abandon()


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for recorder in list(_recorders):
        recorder._lose_thread()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def validators(catalogue: Catalogue[Any, Any] | None) -> dict[str, Callable[[bytes | str], object]]:
    """What tells whether a frame of each direction is one. catalogue: as in Decoder."""
    if catalogue is None:
        return {"received": Decoder(only=()).decode, "sent": Decoder(side="client", only=()).decode}
    return {
        "received": Decoder(only=(), catalogue=catalogue).decode,
        "sent": Decoder(only=(), catalogue=catalogue, side="client").decode,
    }


def header_line(started: datetime | None, catalogue: Catalogue[Any, Any] | None = None) -> bytes:
    """The first line of a recording that began at `started`, if that is known, of the frames of a catalogue."""
    began = "" if started is None else f',"started":"{started.isoformat()}"'
    named = "" if catalogue is None else f',"catalogue":{json.dumps(catalogue.name)}'
    return f'{{"recording":"realtime-pcm","version":{VERSION}{began}{named}}}\n'.encode()


def dropped_line(seconds: float | None, count: int) -> bytes:
    """The line that says how many frames were dropped before it."""
    return b'{%b"dropped":%d}\n' % (_time(seconds), count)


def _time(seconds: float | None) -> bytes:
    return b"" if seconds is None else b'"time":%.6f,' % seconds


def frame_line(validate: Callable[[bytes | str], object], seconds: float | None, direction: str, frame: bytes | str) -> bytes:
    """The line of one frame. `validate` decodes it, or raises DecodeError. seconds: None if unknown."""
    try:
        validate(frame)
    except DecodeError as error:
        raw = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame
        reason = str(error).encode("ascii", "backslashreplace").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        return b'{%b"direction":"%b","raw":"%b","error":"%b"}\n' % (
            _time(seconds),
            direction.encode(),
            b64encode(raw),
            reason,
        )
    data = frame.encode() if isinstance(frame, str) else frame
    if b"\n" in data or b"\r" in data:
        # In JSON that was accepted, they stand between values only.
        data = data.replace(b"\n", b" ").replace(b"\r", b" ")
    return b'{%b"direction":"%b","event":%b}\n' % (_time(seconds), direction.encode(), data)


def save_lines(path: str | os.PathLike[str], lines: Iterable[bytes], *, overwrite: bool = False) -> None:
    """Writes the lines of a whole recording to a file, compressed by its name. Raises OSError as a Recorder does."""
    with closing(Output(path, overwrite)) as file:
        for line in lines:
            file.write(line)


def _frame_of(given: Any) -> bytes | str:
    if isinstance(given, (bytearray, memoryview)):
        return bytes(given)
    frame = getattr(given, "frame", None)  # a message, an InvalidFrame, a DecodeError
    if not isinstance(frame, (bytes, str)):
        raise TypeError(f"a Recorder takes frames (bytes, bytearray, memoryview, str) and messages, not {type(given).__name__}")
    return frame
