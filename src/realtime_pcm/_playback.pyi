from typing import Any, Literal, TypeAlias, final

import numpy.typing as npt
from typing_extensions import Buffer, Self, disjoint_base

# Item, samples received, samples heard, whether it was heard to its end.
Report: TypeAlias = tuple[int, int, int, bool]

@final
class Ledger:
    """Which item stands at which position. One call at a time: the caller sees to that.

    An item's number is below 1,024. Where all are taken, `begin` forgets the oldest item that stands before `read`.
    """

    def begin(self, read: int) -> int:
        """A new item's number; -1 where 1,024 items are known and none of them stands before position `read`."""
    def receive(self, item: int, end: int) -> None:
        """The item's samples before `end` have come."""
    def append(
        self, item: int, position: int, count: int, origin: int, index: int, item_rate: int, rate: int, read: int
    ) -> bool:
        """Samples of the item stand at a position; False where 4,096 runs are known and the oldest is not before `read`."""
    def end(self, item: int) -> None:
        """No more audio of the item comes."""
    def settle(self, heard: int) -> list[Report]:
        """Takes what stands before `heard` as heard and forgets all items.

        A list of (item, samples received, samples heard, whether it was heard to its end), in the order of their begin.
        """

@disjoint_base
class SampleQueue:
    """Audio between a writer's thread and a reader's thread, with a ledger. `PlaybackBuffer` is the public class.

    The writer's methods begin with an underscore and are for one call at a time: the caller sees to that.
    """

    def __new__(
        cls, rate: int, *, dtype: Literal["int16", "float32"] | npt.DTypeLike = "int16", channels: int = 1, seconds: float = 120
    ) -> Self: ...
    @property
    def rate(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def dtype(self) -> str: ...
    @property
    def queued(self) -> int:
        """How many samples per channel are queued and not yet read. Any thread may ask."""
    @property
    def underruns(self) -> int:
        """How often audio ran out inside an item, after its first sample and before its end.

        One gap counts once, however many reads it lasts. Silence before an item, after its end or after an interruption is no
        underrun. Any thread may ask.
        """
    @property
    def error(self) -> str | None:
        """What was wrong with the last memory that `read` could not fill; None if nothing was."""
    def read(self, out: npt.NDArray[Any] | Buffer, /) -> int:
        """Fills `out` with queued audio, then with silence.

        For one thread, the sound card's. It never waits, locks, allocates or raises. If `out` has a layout that it cannot fill,
        it returns 0 and sets `error`; contiguous memory for numbers becomes silence, any other stays as it was. `check` raises
        instead.

        Args:
            out: A C-contiguous NumPy array of the player's dtype with shape (n,) or (n, channels), as sounddevice.OutputStream
                gives it; or a writable buffer of bytes or samples, as sounddevice.RawOutputStream gives it. (n,) and bytes hold
                the channels interleaved.

        Returns:
            How many samples were audio. A sample is one instant on all channels.
        """
    def check(self, out: npt.NDArray[Any] | Buffer, /) -> None:
        """Raises if `read` could not use `out`, and changes nothing. Call it once before the stream starts.

        Args:
            out: The array or buffer that `read` will be given.

        Raises:
            TypeError: `out` has no buffer.
            ValueError: It is read-only, not C-contiguous, or has another dtype or shape.
        """
    def _begin(self) -> int: ...
    def _receive(self, item: int, end: int) -> None: ...
    def _put(self, item: int, samples: npt.NDArray[Any], origin: int, index: int, item_rate: int) -> int:
        """Queues the array's samples and enters them; how many there was room for."""
    def _end(self, item: int) -> None: ...
    def _cut(self, latency: int) -> list[Report]:
        """Drops what is queued, and forgets all items: what Ledger.settle returns."""
    def _after_fork(self) -> None: ...
