"""src/lines as Python sees it: lines of a recording, one by one for `recording`, and many in one call for `arrow`."""

from collections.abc import Callable
from typing import Any, Literal, final

from ._core import Session

COLUMN_TEXTS: tuple[str, ...]
COLUMN_PLACES: tuple[str, ...]
COLUMN_OBJECTS: tuple[str, ...]

@final
class LineBatch:
    """The lines of one recording, as batches of rows. For realtime_pcm.arrow.

    session: the Session of the recording. slow: called with each unusual line (bytes) and its number; gives the row of rows.py,
    or None for a line without one. tell: called with what frames tell about their calls, a role of roles.OF_CALLS and an id or
    None, before the next unusual line. source: the name of the recording. own: whether it is one of ours. wrapped: whether
    frames are inside objects. as_sent: payloads, not samples. words: the words for directions, each in its quotes -> whether it
    means "sent". rows, size: how many rows, and bytes of text and audio, make a batch. expected: how long the file may be, as a
    hint; 0: unknown. most_empty: how many empty lines in a row are passed; `slow` gets the next one, and any after it are passed
    too. catalogue: a sockets.Catalogue, or None for the Realtime API.
    slow_lines: those so far for which `slow` was called, which takes the GIL.
    """

    line: int
    def __init__(
        self,
        session: Session,
        slow: Callable[[bytes, int], tuple[Any, ...] | None],
        tell: Callable[[str, str | None], object] | None,
        source: str,
        *,
        own: bool,
        wrapped: bool,
        as_sent: bool,
        words: dict[bytes, bool],
        rows: int,
        size: int,
        most_empty: int,
        expected: int = 0,
        catalogue: object = None,
    ) -> None: ...
    @property
    def rows(self) -> int:
        """Rows in the batch so far."""
    @property
    def full(self) -> bool:
        """Whether the batch has no room for a further row."""
    @property
    def slow_lines(self) -> int: ...
    def set_template(
        self,
        before: tuple[bytes, ...],
        behind: tuple[bytes, ...],
        time_at: int,
        direction_at: int,
        quoted: bool,
        call_at: int,
        scale: float,
        origin: float,
        late: Callable[[bytes], float | None] | None,
    ) -> None:
        """How lines are split from now on: see Template and Wrapper.numbers of recording/template.py. late: reads the text of a
        time that is neither a plain number nor a date of ISO 8601."""
    def feed(self, data: bytes | bytearray | memoryview, start: int, end: int, last: bool) -> tuple[int, bool]:
        """Reads lines from data[start:end]. Gives (where it stopped, whether the batch is full). last: the data end the file."""
    def put_row(self, row: tuple[Any, ...]) -> None:
        """Puts in a row of rows.py."""
    def export(self, address: int) -> None:
        """Moves the batch into the ArrowArray at this address, and begins the next one."""

@final
class LineSplitter:
    def __init__(
        self,
        before: tuple[bytes, ...],
        behind: tuple[bytes, ...],
        time_at: int,
        direction_at: int,
        quoted: bool,
        call_at: int,
        words: dict[bytes, Literal["received", "sent"]],
        scale: float,
        origin: float,
    ) -> None: ...
    def split(
        self, line: bytes
    ) -> tuple[bytes, float | bytes | None, Literal["received", "sent"] | None, bytes | None] | None: ...

def unquote(value: bytes) -> bytes | None: ...
