"""Playing what the model says, and being interrupted: PlaybackBuffer and PlaybackTracker.

    player = PlaybackBuffer(rate=24_000)
    async for message in rp.decode_stream(ws):
        player.write(message)                                   # every message
        if isinstance(message, rp.messages.InputAudioBufferSpeechStarted):
            for cut in player.interrupt(latency=stream.latency).truncations:
                await ws.send(cut.frame)
    def callback(outdata, frames, time, status): player.read(outdata)   # in the sound card's thread

    stream = sounddevice.RawOutputStream(24_000, channels=1, dtype="int16", callback=callback)

An item, here, is one content part of one item of the conversation: the audio under one response_id and item_id. After an
audio.done, another content_index is the next part. Without an audio.done in between it is the same part, because some servers
count chunks with it. An id is a string of 1 to 512 characters; anything else is no id.

Played audio. Audio is queued in the order in which its messages arrive, even if items are interleaved, and even after an
audio.done. Audio that was written before is not queued again: `sample_offset` tells an item's samples apart, so its messages
must come from a Decoder. Messages of `rp.decode`, whose sample_offset is None, are taken as consecutive. A delta that the server
sends twice is played once: same event_id and payload as the delta before, or the same payload under the GA and the beta name.

Late audio. `interrupt` silences audio that is still due: the rest of each response under way, from its response.created to its
response.done. On servers that send no response.created, it silences each item that has not ended, until its audio.done or
response.done. Late audio is dropped and counted. Audio after that end is played, whatever its ids. A new response.created ends
the silence of its own id, and of everything that no response.created announced. If a server sends none of these messages
(translation, GPT-Live), call `resume` instead. docs/guide/barge-in.md lists the servers.

A new connection. After a session.created, queued audio plays on until `interrupt`, which from then on names no item of the
previous session.

Latency of the callback. `read` takes a few microseconds, but a callback in Python first waits for the GIL. Next to a thread that
only computes, that takes about a switch interval (sys.getswitchinterval(), 5 ms), and sometimes many.
`sys.setswitchinterval(0.0005)` and a device latency of 50 ms or more keep it inaudible. Free-threaded Python has no such wait.

`import realtime_pcm` does not import this module.
"""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Literal, NoReturn, final

import numpy as np

from ._core import RealtimeMessage, role_of, roles_at
from ._items import Conversation, Interruption, PlayedItem, Stream, Truncation, UnheardItem, is_speech, require_message
from ._playback import Ledger, SampleQueue
from ._resample import Resampler, require_soxr, samples_of, to_float32, to_int16
from .audio import BYTES_OF_SAMPLE

if TYPE_CHECKING:
    import numpy.typing as npt

    from .messages import AudioMessage, RealtimeServerMessage
    from .stream import InvalidFrame

    Samples = npt.NDArray[Any]
    Message = RealtimeServerMessage | InvalidFrame | None

__all__ = ["Interruption", "PlaybackBuffer", "PlaybackTracker", "PlayedItem", "Truncation", "UnheardItem"]

_MOST_MARKS = 4096  # marks that are awaited


# ---- One call at a time ------------------------------------------------------------------------------------

_in_use: weakref.WeakSet[PlaybackBuffer | PlaybackTracker] = weakref.WeakSet()
_in_use_lock = threading.RLock()
_held_for_fork: list[PlaybackBuffer | PlaybackTracker] = []


def _enroll(one: PlaybackBuffer | PlaybackTracker) -> None:
    with _in_use_lock:
        _in_use.add(one)


def _before_fork() -> None:
    """A child must not begin with a call half done, in a thread that it does not have."""
    _in_use_lock.acquire()
    for one in list(_in_use):
        one._lock.acquire()
        _held_for_fork.append(one)


def _after_fork_in_parent() -> None:
    while _held_for_fork:
        _held_for_fork.pop()._lock.release()
    _in_use_lock.release()


def _after_fork_in_child() -> None:
    for one in _held_for_fork:
        if isinstance(one, PlaybackBuffer):
            one._after_fork()
    _after_fork_in_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


_now = time.monotonic  # tests set it


def _called_inside(method: str) -> NoReturn:
    raise RuntimeError(f"{method} was called while the same thread was inside another call: a signal handler may not")


# ---- The public classes ------------------------------------------------------------------------------------


@final
class PlaybackBuffer(SampleQueue):
    """Queues the messages' audio for a sound card, and knows to the sample what was heard.

    `write`, `interrupt` and `resume` belong to the writer; any threads may call them, one call runs at a time. `read`
    belongs to one other thread, the sound card's. After a fork the child has its own copy. A sample, in every count, is one
    instant on all channels.

    Args:
        rate: Sample rate of the sound card, in samples per second.
        dtype: Sample type that `read` fills, "int16" or "float32".
        channels: Number of channels that `read` fills. Mono audio goes to all of them.
        seconds: The most audio that is queued. Its memory is allocated at once.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: An argument is out of range.
        MemoryError: The queue does not fit into memory.

    Examples:
        >>> player = PlaybackBuffer(rate=24_000)
        >>> player.write(message)  # in the event loop
        >>> player.read(outdata)  # in the sound card's callback
    """

    __slots__ = ("__weakref__", "_accepted", "_conversation", "_inside", "_lock", "_refused")

    def __init__(
        self, rate: int, *, dtype: Literal["int16", "float32"] | npt.DTypeLike = "int16", channels: int = 1, seconds: float = 120
    ) -> None:
        # SampleQueue.__new__ has checked and taken the arguments.
        self._lock = threading.RLock()
        self._inside = False
        self._conversation = Conversation(self._begin, self._end_stream)
        self._refused = self._accepted = 0
        _enroll(self)

    def __repr__(self) -> str:
        channels = "" if self.channels == 1 else f", {self.channels} channels"
        return f"<PlaybackBuffer {self.rate} Hz {self.dtype}{channels}: {self.queued / self.rate:.3f} s queued>"

    def write(self, message: Message) -> int:
        """Queues the audio of a message and notes the ends of items. Never waits.

        If the queue is full, the newest samples are refused and counted in `refused`. Late audio and duplicates are dropped and
        counted. Audio of another rate is resampled by soxr (extra `play`), each item as one stream; soxr delays about 40 ms
        of an item (75 ms at 8,000 samples per second) until more of it or its end comes.

        Args:
            message: Every message of the connection, or anything else that a stream yields (InvalidFrame, None). Messages that
                do not concern a player are ignored. Samples are converted to the player's dtype: int16 is divided by 32,768;
                float32 is multiplied by it, rounded half to even and saturated, and NaN becomes 0.

        Returns:
            How many samples were queued.

        Raises:
            TypeError: The argument is not a message.
            ValueError: Its pcm is bytes (a decoder with dtype="uint8"); it has several channels and the player another number;
                or it has another rate and soxr is not installed. Nothing is changed.
        """
        with self._lock:
            if self._inside:
                _called_inside("write")
            try:
                self._inside = True
                self._accepted = 0
                require_message(message, "write")
                if is_speech(message):
                    self._write_audio(message)
                    if not roles_at(type(message)):
                        return self._accepted
                self._conversation.follow(message)
                return self._accepted
            finally:
                self._inside = False

    def interrupt(self, latency: float = 0.0) -> Interruption:
        """Drops the queued audio, and says how much was heard of every item since the last interruption.

        It is complete when it returns: a `read` that begins later gives nothing of the old audio. A `read` at the same time has
        either taken its samples before, and they count as read, or gets none.

        An item's `samples` go up to the last one heard, in the item's own rate, and never beyond what was received. For
        resampled audio the count is the samples read, times the item's rate, divided by the player's, rounded down; all of it
        if its end was heard.

        Args:
            latency: Seconds of audio in the device that `read` has delivered but the user has not heard, such as
                sounddevice's stream.latency.
                That audio counts as not heard. Silence in between is part of it.

        Raises:
            TypeError: latency is not a number.
            ValueError: latency is negative or not finite.
        """
        if not isinstance(latency, (int, float)) or isinstance(latency, bool):
            raise TypeError(f"latency is a number of seconds, not {type(latency).__name__}")
        if not 0 <= latency < math.inf:
            raise ValueError("latency is a finite number of seconds, 0 or more")
        held = round(min(latency, 1e6) * self.rate)
        with self._lock:
            if self._inside:
                _called_inside("interrupt")
            try:
                self._inside = True
                return self._conversation.interrupted(self._cut(held))
            finally:
                self._inside = False

    def resume(self) -> None:
        """Ends the silence of an interruption: whatever comes next is played."""
        with self._lock:
            self._conversation.resume()

    @property
    def refused(self) -> int:
        """Samples, in the player's rate, that found the queue full.

        The queue is also full if 1,024 items wait to be read, or 4,096 stretches of interleaved items.
        """
        return self._refused

    @property
    def late(self) -> int:
        """Samples, as the messages had them, that were still due when their item or response was interrupted."""
        return self._conversation.late

    @property
    def duplicates(self) -> int:
        """Samples, as the messages had them, that had been written before, or that the server sent twice."""
        return self._conversation.duplicates

    @property
    def forgotten(self) -> int:
        """Items that were read long ago and will not be in an Interruption: 1,024 are remembered."""
        return self._conversation.forgotten

    def _write_audio(self, message: AudioMessage) -> None:
        pcm = samples_of(message)
        rate, channels = message.audio_format.rate, message.audio_format.channels
        if pcm.dtype not in (np.int16, np.float32):
            raise ValueError(f"the message's pcm is {pcm.dtype}: a player takes int16 or float32, the decoder's dtype")
        if channels not in (1, self.channels):
            raise ValueError(
                f"the message's audio has {channels} channels and the player {self.channels}: expected 1 or the same"
            )
        if rate != self.rate:
            require_soxr(rate, self.rate)
        size, offset = pcm.size, message.sample_offset
        if not size:
            return
        placed = self._conversation.place(message, size, offset, rate, channels)
        if placed is None:
            if self._conversation.full:
                self._refused += size // channels * self.rate // rate
            return
        stream, skip, fresh = placed
        start = stream.expected if offset is None else offset
        if fresh:
            self._flush(stream)
            skip = -start % channels  # the rest of a sample whose first channels never came
            stream.begin_segment(rate, channels, start + skip)
            if rate != self.rate:
                stream.resampler = Resampler(rate, self.rate, self.channels)
        index = stream.samples
        stream.expected = start + size
        self._receive(stream.item, stream.received)

        pcm = pcm[skip:] if stream.rest is None else np.concatenate((stream.rest, pcm[skip:].astype(stream.rest.dtype)))
        whole = pcm.size // channels * channels
        stream.rest = pcm[whole:].copy() if whole < pcm.size else None
        pcm = pcm[:whole] if channels == self.channels else np.repeat(pcm, self.channels)
        if stream.resampler is None:
            self._queue(stream, pcm, index)
        else:
            self._queue_resampled(stream, stream.resampler.resample(to_float32(pcm)))

    def _queue(self, stream: Stream, samples: Samples, index: int) -> None:
        converted = to_int16(samples) if self.dtype == "int16" else to_float32(samples)
        count = converted.size // self.channels
        accepted = self._put(stream.item, np.ascontiguousarray(converted), stream.origin, index, stream.item_rate)
        self._accepted += accepted
        self._refused += count - accepted

    def _queue_resampled(self, stream: Stream, samples: Samples) -> None:
        index = stream.index
        stream.index += samples.size // self.channels
        self._queue(stream, samples, index)

    def _flush(self, stream: Stream) -> None:
        if stream.resampler is not None:
            self._queue_resampled(stream, stream.resampler.finish())
            stream.resampler = None

    def _end_stream(self, stream: Stream) -> None:
        self._flush(stream)
        self._end(stream.item)


@final
class PlaybackTracker:
    """Knows what was heard of audio that somebody else plays, such as a telephone gateway or a browser.

    A mark that comes back proves that everything before it was heard. Of the first message whose mark is still awaited, as
    much counts as has had time to play: since the mark before it came back, or since it was sent if nothing was awaited. So
    an answer in one long message is cut at the moment of the interruption.

    Twilio returns the marks of audio that it drops as if it had been played. Call `interrupt` before you send "clear":
    marks from before an interruption are ignored. Any thread may call any method; one call runs at a time.

    Examples:
        >>> name = tracker.sent(message)  # then send its audio, and a mark of this name
        >>> tracker.acknowledge(name)  # the mark came back
        >>> said = tracker.interrupt()  # before the other side drops its queue
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_conversation",
        "_heard",
        "_inside",
        "_ledger",
        "_lock",
        "_marks",
        "_names",
        "_sent",
        "_since",
    )

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._inside = False
        self._ledger = Ledger()
        self._conversation = Conversation(self._begin, self._end_stream)
        # The position after the audio of each mark that is awaited, and the samples a second of that audio.
        self._marks: dict[str, tuple[int, int]] = {}
        self._since = 0.0  # when the other side began to play the first of them, at the earliest
        self._names = 0
        self._base = self._heard = self._sent = 0  # positions: of the last interruption, heard, sent
        _enroll(self)

    def __repr__(self) -> str:
        return f"<PlaybackTracker: {self._sent - self._base} samples sent, {self._heard - self._base} acknowledged>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PlaybackTracker cannot be pickled or copied: a running conversation goes through it")

    def sent(self, message: Message) -> str | None:
        """Takes a message, and says whether to send its audio on.

        Args:
            message: Every message of the connection, as for PlaybackBuffer.write; of any dtype, uint8 included.

        Returns:
            The name of the mark to send after the audio, a new one each time. None if there is nothing to send on: the message
            has no audio, it came after an interruption, or it is a duplicate.

        Raises:
            TypeError: The argument is not a message.
            ValueError: uint8 pcm has an encoding whose samples cannot be counted (neither pcm16, float32 nor G.711). Nothing is
                changed.
        """
        with self._lock:
            if self._inside:
                _called_inside("sent")
            try:
                self._inside = True
                require_message(message, "sent")
                mark = None
                if is_speech(message):
                    mark = self._sent_audio(message)
                    if not roles_at(type(message)):
                        return mark
                self._conversation.follow(message)
                return mark
            finally:
                self._inside = False

    def acknowledge(self, mark: str | Message) -> bool:
        """A mark came back: all that was sent before it has been heard, whether or not its own marks came.

        Args:
            mark: Its name, or the message of the telephone that names it: one of the role `played`. Another message of the
                telephone says nothing.

        Returns:
            False if it counts for nothing: the mark was never given, came before, or is from before an interruption.
        """
        if isinstance(mark, str):
            name: str | None = mark
        else:
            name = getattr(mark, "name", None) if isinstance(mark, RealtimeMessage) and role_of(type(mark)) == "played" else None
        with self._lock:
            known = None if name is None else self._marks.get(name)
            if known is None:
                return False
            self._heard = known[0]
            self._since = _now()
            while self._marks and next(iter(self._marks.values()))[0] <= self._heard:
                del self._marks[next(iter(self._marks))]
            return True

    def interrupt(self, played: int | None = None) -> Interruption:
        """Says how much was heard of every item since the last interruption, and silences what still comes of them.

        Args:
            played: How many samples the other side has played since then, in the rate of the messages, if it knows. None: as
                the marks and the clock say. More than was sent counts as all of it.

        Raises:
            TypeError: played is not an int.
            ValueError: played is negative.
        """
        if played is not None:
            if not isinstance(played, int) or isinstance(played, bool):
                raise TypeError(f"played is a number of samples, an int, not {type(played).__name__}")
            if played < 0:
                raise ValueError(f"played is a number of samples, 0 or more, not {played}")
        with self._lock:
            if self._inside:
                _called_inside("interrupt")
            try:
                self._inside = True
                heard = self._heard_by_now() if played is None else min(self._base + played, self._sent)
                said = self._conversation.interrupted(self._ledger.settle(heard))
                self._marks.clear()
                self._base = self._heard = self._sent
                return said
            finally:
                self._inside = False

    def resume(self) -> None:
        """Ends the silence of an interruption: whatever comes next is to be sent on."""
        with self._lock:
            self._conversation.resume()

    @property
    def unacknowledged(self) -> int:
        """Samples that were sent and not yet heard, as far as the marks say."""
        return self._sent - self._heard

    @property
    def late(self) -> int:
        """Samples that were still due when their item or response was interrupted."""
        return self._conversation.late

    @property
    def duplicates(self) -> int:
        """Samples that had been sent before, or that the server sent twice."""
        return self._conversation.duplicates

    @property
    def forgotten(self) -> int:
        """Items that will not be in an Interruption: the newest 1,024 are remembered."""
        return self._conversation.forgotten

    def _heard_by_now(self) -> int:
        if not self._marks:
            return self._heard
        end, rate = next(iter(self._marks.values()))
        return min(end, self._heard + int((_now() - self._since) * rate))

    def _sent_audio(self, message: AudioMessage) -> str | None:
        pcm, audio = samples_of(message), message.audio_format
        unit = audio.channels
        if pcm.dtype == np.uint8:
            width = BYTES_OF_SAMPLE.get(audio.encoding)
            if width is None:
                raise ValueError(
                    f"the samples of {audio.encoding!r} cannot be counted: expected pcm16, float32 or G.711, or another dtype"
                )
            unit *= width
        size, offset = pcm.size, message.sample_offset
        if not size:
            return None
        placed = self._conversation.place(message, size, offset, audio.rate, unit)
        if placed is None:
            return None
        stream, skip, fresh = placed
        start = stream.expected if offset is None else offset
        if fresh:
            stream.begin_segment(audio.rate, unit, start)
        index = stream.samples
        stream.expected = start + size
        count = stream.samples - index
        self._ledger.receive(stream.item, stream.received)
        # All of the message is sent on: what came before takes its time too, but is nobody's.
        position = self._sent + skip // unit
        if self._sent == self._heard:
            self._since = _now()
        self._ledger.append(stream.item, position, count, stream.origin, index, stream.item_rate, audio.rate, self._sent)
        self._sent = position + count
        self._names += 1
        name = f"audio-{self._names}"
        if len(self._marks) >= _MOST_MARKS:
            del self._marks[next(iter(self._marks))]  # a later one says the same
        self._marks[name] = self._sent, audio.rate
        return name

    def _begin(self) -> int:
        return self._ledger.begin(self._sent)

    def _end_stream(self, stream: Stream) -> None:
        self._ledger.end(stream.item)
