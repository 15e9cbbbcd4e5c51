"""The record of one connection to the loopback server."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from io import BytesIO
from time import monotonic
from typing import Any, Literal

from .._core import Session
from ..recording import Entry, read_recording
from ..recording.writer import frame_line, header_line, save_lines, validators
from ..sockets import Catalogue
from .held import HeldItem, KeptConversation

__all__ = ["Call"]

MAX_FRAMES = 10_000  # in the recording of one connection
MAX_BYTES = 16 * 1024 * 1024  # of these frames


class Call:
    """One connection of a client, with its recording, conversation and session.

    Attributes:
        dropped: How many frames the recording lacks, because it is limited to 10,000 frames and 16 MiB.
        formats: A `Session` with the current formats of both directions.
        conversation: A `ConversationState` with the items in order.
        session: The current session, as a dict.
    """

    def __init__(self, catalogue: Catalogue[Any, Any] | None = None) -> None:
        self._catalogue = catalogue
        self.dropped = 0
        self.formats = Session()
        self.conversation = KeptConversation()
        self.session: dict[str, Any] = {}
        self._frames: list[tuple[float, Literal["received", "sent"], str | bytes]] = []
        self._bytes = 0
        self._began = monotonic()
        self._started = datetime.now(UTC)

    @property
    def items(self) -> tuple[HeldItem, ...]:
        """The last 1,000 items of the conversation, oldest first."""
        return self.conversation.held()

    @property
    def seconds(self) -> float:
        """Seconds since the client connected."""
        return monotonic() - self._began

    @property
    def recording(self) -> list[Entry]:
        """Entries of both sides, as from `read_recording`: the server's are "received", the client's "sent"."""
        return list(read_recording(BytesIO(b"".join(self._lines()))))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes the recording to a file, compressed by its suffix (.gz, .zst). Raises the exceptions of `Recorder`."""
        save_lines(path, self._lines(), overwrite=overwrite)

    def keep(self, direction: Literal["received", "sent"], frame: str | bytes) -> None:
        """Adds a frame to the recording, if there is room."""
        size = len(frame)
        if len(self._frames) >= MAX_FRAMES or self._bytes + size > MAX_BYTES:
            self.dropped += 1
            return
        self._bytes += size
        self._frames.append((self.seconds, direction, frame))

    def forget(self) -> None:
        """Drops the recording, to make room for newer connections."""
        self.dropped += len(self._frames)
        self._frames.clear()
        self._bytes = MAX_BYTES

    def _lines(self) -> list[bytes]:
        validate = validators(self._catalogue)
        lines = [header_line(self._started, self._catalogue)]
        for seconds, direction, frame in self._frames[:]:
            lines.append(frame_line(validate[direction], seconds, direction, frame))
        return lines

    def __repr__(self) -> str:
        return f"<Call: {len(self._frames)} frames, {len(self.items)} items>"
