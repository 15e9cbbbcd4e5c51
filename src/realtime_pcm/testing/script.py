"""The recording that the loopback server replays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from websockets.exceptions import ConnectionClosedError

from .._core import AudioMessage, Decoder, decode
from ..audio import AudioFormat
from ..errors import DecodeError
from ..messages import ResponseCreated, SessionInputAudioAppend
from .audio import Encoder, cut_like, resample
from .faults import payload_key

if TYPE_CHECKING:
    from .._resample import Samples

__all__ = ["Recorded", "Script"]

_MAX_FORMATS = 4  # in which the turn is kept converted
_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')  # a string of JSON, with its quotes
_WIDTHS = {"pcm16": 2, "g711_ulaw": 1, "g711_alaw": 1}
# What a message says itself of its format. A converted message says nothing, so that the session's format counts.
_OWN_FORMAT = ("format", "sample_rate", "sample_rate_hz", "channels")


class Recorded(NamedTuple):
    """A frame of the recording, its type and the length of its audio in seconds."""

    text: str
    type: str
    seconds: float


class Script:
    """The frames of a recording: what the server sends to greet, what it answers to session.update, and the turn it replays.

    session: the session as recorded. formats: its input format and its output format. ids: of the responses and
    items of the turn. stopped: set when the server stops; a conversion of a long recording then ends early.
    Raises ValueError where the recording holds no frames, or a frame that no client could decode.
    """

    def __init__(self, frames: Iterable[bytes | str]) -> None:
        decoder = Decoder(dtype="uint8")
        recorded = _read(frames, decoder)
        types = [frame.type for frame in recorded]
        greeting = types.index("session.updated") if "session.updated" in types else 1
        self.greeting = recorded[:greeting]
        self.updated = recorded[greeting] if types[greeting : greeting + 1] == ["session.updated"] else None
        self.turn = recorded[greeting + (self.updated is not None) :]
        self.session = _session_of((self.updated or self.greeting[0]).text)
        follower = Decoder(dtype="uint8")
        for frame in (*self.greeting, *([self.updated] if self.updated else ())):
            follower.decode(frame.text)
        self.formats = (follower.input_audio_format, follower.audio_format)
        self.ids = _ids_of(self.turn)
        self.creates_response = any(isinstance(_head(frame.text), ResponseCreated) for frame in self.turn)
        self.stopped = False
        self._converted: dict[AudioFormat, list[Recorded]] = {}
        self._converting = Lock()

    def in_format(self, audio_format: AudioFormat) -> list[Recorded]:
        """The turn with its audio in a format. Takes some milliseconds a second of audio; may be called in any thread.

        Where the rate differs, the audio of each item is resampled as a whole and cut where the recording cuts it.
        Raises ValueError where soxr is needed and not there, ConnectionClosed if the server stops meanwhile.
        """
        if audio_format == self.formats[1]:
            return self.turn
        with self._converting:
            found = self._converted.get(audio_format)
            if found is None:
                found = _convert(self.turn, self.formats[1], audio_format, self._go_on)
                while len(self._converted) >= _MAX_FORMATS:
                    del self._converted[next(iter(self._converted))]
                self._converted[audio_format] = found
            return found

    def _go_on(self) -> None:
        if self.stopped:
            raise ConnectionClosedError(None, None)

    def again(self, text: str, number: int) -> str:
        """A frame of the turn with ids of its own, for the replay `number`, counted from 1. The first has those recorded.

        event_id stays as it was recorded.
        """
        if number == 1:
            return text
        return _STRING.sub(lambda string: f'"{string[1]}_{number}"' if string[1] in self.ids else string[0], text)


def _read(frames: Iterable[bytes | str], decoder: Decoder[Any]) -> list[Recorded]:
    recording = []
    for number, frame in enumerate(frames, 1):
        raw = frame if isinstance(frame, str) else bytes(frame)
        if not raw.strip():
            continue
        try:
            message = decoder.decode(raw)
            text = raw if isinstance(raw, str) else raw.decode()
            json.loads(text)
        except DecodeError as error:
            raise ValueError(f"frame {number} of the recording: {error}") from error
        except RecursionError:
            raise ValueError(f"frame {number} of the recording is nested too deeply to be replayed") from None
        seconds = 0.0
        if isinstance(message, AudioMessage) and not isinstance(message, SessionInputAudioAppend):
            audio = message.audio_format
            seconds = len(message.pcm) / (_WIDTHS.get(audio.encoding, 2) * audio.rate * audio.channels)
        recording.append(Recorded(text.strip(), message.type, seconds))
    if not recording:
        raise ValueError("the recording holds no frames")
    return recording


def _head(text: str) -> object:
    return decode(text, dtype="uint8")


def _session_of(text: str) -> dict[str, Any]:
    session = json.loads(text).get("session")
    return session if isinstance(session, dict) else {}


def _ids_of(turn: list[Recorded]) -> frozenset[str]:
    """The ids of the responses and items of a turn."""
    ids: set[str] = set()
    for frame in turn:
        event = {} if frame.seconds else json.loads(frame.text)
        for holder in ("response", "item"):
            inner = event.get(holder)
            for value in (event.get(f"{holder}_id"), inner.get("id") if isinstance(inner, dict) else None):
                if isinstance(value, str) and value:
                    ids.add(value)
    return frozenset(ids)


def _convert(turn: list[Recorded], recorded: AudioFormat, wanted: AudioFormat, go_on: Callable[[], None]) -> list[Recorded]:
    """`turn` in another format. go_on: called once per frame; an exception of it ends the conversion."""
    decoder = Decoder(audio_format=None)
    decoder.decode(json.dumps({"type": "session.updated", "session": {"audio": {"output": {"format": _named(recorded)}}}}))
    pieces: dict[object, list[tuple[int, Samples, int]]] = {}
    for place, frame in enumerate(turn):
        go_on()
        message = decoder.decode(frame.text)
        if frame.seconds and isinstance(message, AudioMessage):
            event = message.to_dict()
            stream = (str(event.get("response_id")), str(event.get("item_id")), str(event.get("content_index")))
            pieces.setdefault(stream, []).append((place, message.pcm, message.audio_format.rate))
    encoder = Encoder(wanted)
    converted = list(turn)
    for parts in pieces.values():
        rate = parts[0][2]
        whole = resample(np.concatenate([resample(pcm, own, rate) for _, pcm, own in parts]), rate, wanted.rate)
        for (place, _, _), samples in zip(parts, cut_like(whole, [pcm.size for _, pcm, _ in parts]), strict=True):
            go_on()
            frame = turn[place]
            event = {key: value for key, value in json.loads(frame.text).items() if key not in _OWN_FORMAT}
            event[payload_key(event)] = encoder.payload(samples)
            text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
            converted[place] = Recorded(text, frame.type, samples.size / wanted.rate)
    return converted


def _named(audio_format: AudioFormat) -> dict[str, object]:
    return {"type": audio_format.encoding, "rate": audio_format.rate, "channels": audio_format.channels}
