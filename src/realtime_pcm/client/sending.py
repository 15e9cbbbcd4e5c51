"""Sends for a call: messages with an id of their own, and audio in the session's format."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core import AudioEncoder, ClientAudioMessage, Decoder, RealtimeClientMessage, Session
from .._resample import Resampler, to_float32
from ..client_messages import SessionStart, SessionUpdate, TranscriptionSessionUpdate
from ..messages import (
    Error,
    SessionCreated,
    SessionStarted,
    SessionUpdated,
    TranscriptionSessionCreated,
    TranscriptionSessionUpdated,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy.typing as npt

    from ..sockets import Socket

    Pcm: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32] | bytes | bytearray | memoryview

__all__ = ["Microphone", "Requests"]

MAX_KEPT = 256  # messages that an error may name
MAX_KEPT_BYTES = 1024 * 1024  # of their frames
PIECE = 240_000  # samples of one frame: 10 s at 24,000 Hz. OpenAI takes 15 MiB of base64.

_ASKS = (SessionUpdate, TranscriptionSessionUpdate, SessionStart)
_ANSWERS = (SessionUpdated, TranscriptionSessionUpdated, SessionStarted)
_TELLS = (*_ANSWERS, SessionCreated, TranscriptionSessionCreated, Error)


class Requests:
    """The messages that were sent, for the errors that name them; and whether the session is settled.

    The session is settled when the server has said something, and has answered each update of the session. On another socket
    nothing is numbered or kept, and the first message of the server settles the session.
    """

    def __init__(self, session: Session, catalogue: Socket[Any, Any] | None) -> None:
        self._decode: Callable[[bytes | str], RealtimeClientMessage]
        self._decode = Decoder(side="client", session=session, catalogue=catalogue).decode
        self._numbers = catalogue is None  # event_ids, answers and errors that name one are of the Realtime API
        self._look = Decoder(only=_TELLS).decode
        self._heard = False
        self._asked: deque[str] = deque()
        self._kept: OrderedDict[str, bytes | str] = OrderedDict()
        self._kept_bytes = 0
        self._numbered = 0

    @property
    def settled(self) -> bool:
        """Whether the session is settled."""
        return self._heard and not self._asked

    def put(self, frame: bytes | str) -> tuple[bytes | str, RealtimeClientMessage]:
        """The frame as it goes, with an event_id unless it is audio, and its message. DecodeError if it is no message."""
        message = self._decode(frame)
        if not self._numbers or isinstance(message, ClientAudioMessage):
            return frame, message  # audio, fifty a second, would leave no room for the others
        event_id = message.event_id
        if event_id is None:
            self._numbered += 1
            event_id = f"client_{self._numbered}"
            text = frame if isinstance(frame, str) else frame.decode()
            frame = f'{{"event_id":"{event_id}",' + text.split("{", 1)[1]
        if isinstance(event_id, str):
            self._keep(event_id, frame)
            if isinstance(message, _ASKS):
                self._asked.append(event_id)
        return frame, message

    def _keep(self, event_id: str, frame: bytes | str) -> None:
        self._kept_bytes -= len(self._kept.pop(event_id, b""))
        self._kept[event_id] = frame
        self._kept_bytes += len(frame)
        while len(self._kept) > MAX_KEPT or self._kept_bytes > MAX_KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1])

    def named_by(self, error: Error) -> bytes | str | None:
        """The frame that an error names; None if it names none, or one that is no longer kept."""
        event_id = getattr(error.error, "event_id", None)
        return self._kept.get(event_id) if isinstance(event_id, str) else None

    def follow(self, frame: bytes, message: object) -> bool:
        """Takes in a message of the server while the session is not settled. True if it now is."""
        if not self._numbers:
            self._heard = True
            return True
        if message is None:  # left out by only=
            message = self._look(frame)
        if isinstance(message, Error):
            refused = getattr(message.error, "event_id", None)
            if not isinstance(refused, str):
                if self._asked:
                    self._asked.popleft()  # a server that names no event: it has answered the oldest update
            elif refused in self._asked:
                self._asked.remove(refused)
        else:
            self._heard = True
            if isinstance(message, _ANSWERS) and self._asked:
                self._asked.popleft()
        return self.settled


class Microphone:
    """Audio of any rate as frames in the format of the encoder: the input format of the session, or its own."""

    def __init__(self, session: Session, append: type[RealtimeClientMessage] | AudioEncoder) -> None:
        self.encoder = append if isinstance(append, AudioEncoder) else AudioEncoder(append, session=session)
        self._resampler: Resampler | None = None
        self._rates = (0, 0)

    def frames(self, pcm: Pcm, rate: int | None) -> Sequence[bytes]:
        """The frames of a piece of audio; of each at most PIECE samples."""
        before: Sequence[bytes] = ()
        if rate is not None and (not isinstance(rate, int) or isinstance(rate, bool)):
            raise TypeError(f"rate= is a whole number of samples per second, not {type(rate).__name__}")
        if rate is not None and rate <= 0:
            raise ValueError(f"rate= is a number of samples per second, not {rate}")
        if rate is not None and rate != (audio := self.encoder.audio_format).rate:
            if self._rates != (rate, audio.rate):
                before = self.finish()
                self._resampler, self._rates = Resampler(rate, audio.rate, audio.channels), (rate, audio.rate)
            assert self._resampler is not None
            pcm = self._resampler.resample(_flat_float32(pcm))
            if not len(pcm):
                return before
        if len(pcm) <= PIECE or not isinstance(pcm, np.ndarray):
            return (*before, self.encoder.encode_bytes(pcm))
        return (*before, *(self.encoder.encode_bytes(pcm[start : start + PIECE]) for start in range(0, len(pcm), PIECE)))

    def finish(self) -> Sequence[bytes]:
        """The rest of the samples from the resampler, at the end of speech."""
        resampler = self._resampler
        self.drop()
        if resampler is None or not len(rest := resampler.finish()):
            return ()
        return (self.encoder.encode_bytes(rest),)

    def drop(self) -> None:
        """Forgets what the resampler still holds."""
        self._resampler, self._rates = None, (0, 0)


def _flat_float32(pcm: object) -> npt.NDArray[np.float32]:
    if not isinstance(pcm, np.ndarray) or pcm.ndim != 1 or pcm.dtype.str[1:] not in ("i2", "f4"):
        what = f"{pcm.ndim}-D of {pcm.dtype}" if isinstance(pcm, np.ndarray) else type(pcm).__name__
        raise TypeError(f"what is resampled is a 1-D array of int16 or float32, not {what}")
    native: npt.NDArray[Any] = np.ascontiguousarray(pcm, pcm.dtype.newbyteorder("="))
    return to_float32(native)
