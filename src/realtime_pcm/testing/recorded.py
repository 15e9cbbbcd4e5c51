"""A recording for the loopback server to replay: greeting, session and responses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from websockets.exceptions import ConnectionClosedError

from .._core import AudioMessage, Decoder, role_of
from ..audio import BYTES_OF_SAMPLE, AudioFormat
from ..conversation.rules import item_id_of, raw_of, response_id_of, text_id, words_in, words_of
from ..errors import DecodeError
from ..recording import Entry
from ..roles import OF_USER
from .audio import Encoder, cut_like, resample
from .faults import payload_key

if TYPE_CHECKING:
    from .._resample import Samples

__all__ = ["Frame", "Recorded", "Recording", "read_frames"]

Frame: TypeAlias = bytes | str | Entry | tuple[float | None, bytes | str]

_MAX_FORMATS = 4  # in which the turn is kept converted
_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')  # a string of JSON, with its quotes
# What a message says itself of its format. A converted message says nothing, so that the session's format counts.
_OWN_FORMAT = ("format", "sample_rate", "sample_rate_hz", "channels")
# What a server says of the user, and what it answers to a client's messages: a replay says these things itself.
_OF_THE_USER = OF_USER | {"item_deleted", "truncated", "session_start", "session_update"}
_ANSWERS = ("input_audio_buffer.cleared", "conversation.item.retrieved")


class Recorded(NamedTuple):
    """A frame of the recording: text, type, role, and seconds of audio. time: when it arrived, if known."""

    text: str
    type: str
    seconds: float
    time: float | None = None
    role: str | None = None


@dataclass(slots=True)
class RecordedTurn:
    """One response of a recording.

    output: its texts, and its calls of tools with their arguments and ids. user: what the user said before it. interrupts: after
    how many seconds of the response before, if the recording has the user interrupt it. asked: when the user was done.
    """

    places: list[int] = field(default_factory=list)
    output: list[str | tuple[str, str, str | None]] = field(default_factory=list)
    user: str | None = None
    interrupts: float | None = None
    asked: float | None = None
    response_id: str | None = None
    open: bool = False


class Recording:
    """The frames of a recording.

    greeting, updated, turn: what the server sends to greet, to settle the session, and after it. turns: the responses. session:
    as recorded. formats: its input format and its output format. ids: of the responses, items and calls. announces: whether the
    server sends response.created. stopped: set when the server stops; a conversion of a long recording then ends early.
    Raises ValueError where the recording holds no frames, or a frame that no client could decode.
    """

    def __init__(self, frames: Iterable[Frame]) -> None:
        decoder = Decoder(dtype="uint8")
        recorded, messages = read_frames(frames, decoder)
        roles = [frame.role for frame in recorded]
        spoken = next((place for place, role in enumerate(roles) if role in ("response_start", "audio")), len(roles))
        greeting = roles.index("session_update") if "session_update" in roles[:spoken] else 1
        self.greeting = recorded[:greeting]
        self.updated = recorded[greeting] if roles[greeting : greeting + 1] == ["session_update"] else None
        begin = greeting + (self.updated is not None)
        self.turn = recorded[begin:]
        self.session = _session_of((self.updated or self.greeting[0]).text)
        follower = Decoder(dtype="uint8")
        for frame in (*self.greeting, *([self.updated] if self.updated else ())):
            follower.decode(frame.text)
        self.formats = (follower.input_audio_format, follower.audio_format)
        self.ids = _ids_of(self.turn)
        self.announces = any(role_of(type(message)) == "response_start" for message in messages[begin:])
        self.turns = _split(self.turn, messages[begin:], self.announces)
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
        """A frame of the turn with ids of its own, for the replay `number`, counted from 1. The first has those recorded."""
        if number == 1:
            return text
        return _STRING.sub(lambda string: f'"{string[1]}_{number}"' if string[1] in self.ids else string[0], text)


def read_frames(frames: Iterable[Frame], decoder: Decoder[Any]) -> tuple[list[Recorded], list[Any]]:
    """The frames of the server with their messages. Raises ValueError as Recording does."""
    recording, messages = [], []
    for number, given in enumerate(frames, 1):
        if isinstance(given, Entry) and given.direction != "received":
            continue
        pair = (given.time, given.frame) if isinstance(given, Entry) else given if isinstance(given, tuple) else (None, given)
        time, frame = pair
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
        role = role_of(type(message))
        if role == "audio":
            audio = message.audio_format
            seconds = len(message.pcm) / (BYTES_OF_SAMPLE.get(audio.encoding, 2) * audio.rate * audio.channels)
        recording.append(Recorded(text.strip(), message.type, seconds, time, role))
        messages.append(message)
    if not recording:
        raise ValueError("the recording holds no frames")
    return recording, messages


def _split(turn: list[Recorded], messages: list[Any], announces: bool) -> list[RecordedTurn]:
    """The responses of a turn, each with the frames that belong to it."""
    if not announces:  # GPT-Live and translations know no responses: all of it answers
        places = [place for place, message in enumerate(messages) if role_of(type(message)) not in _OF_THE_USER]
        return [RecordedTurn(places)] if places else []
    turns: list[RecordedTurn] = []
    next_turn = RecordedTurn()  # what comes before the next response
    user_items: dict[str, RecordedTurn] = {}
    outputs = _outputs(messages)
    spoken, output = 0.0, _Output()  # of the response: seconds of audio, and what it says
    for place, (frame, message) in enumerate(zip(turn, messages, strict=True)):
        role = role_of(type(message))
        current = turns[-1] if turns else None
        item = raw_of(getattr(message, "item", None))
        item_id = text_id(item.get("id")) or item_id_of(message)
        of_item = role in ("item_added", "item_done")
        theirs = of_item and item_id not in outputs and not hasattr(message, "response_id")
        if role in _OF_THE_USER or theirs or item_id in user_items:
            if role in ("speech_started", "speech_stopped", "committed") or theirs:
                # The user waits from the end of speech on, not from what the server says of it afterwards.
                if role != "committed" and not _was_spoken(item):
                    next_turn.asked = frame.time
                if item_id is not None:
                    user_items.setdefault(item_id, next_turn)
            if role == "speech_started" and current is not None and current.open:
                next_turn.interrupts = spoken
            words = words_of(message) if role == "user_transcript" else words_in(item.get("content")) if theirs else None
            if words and item_id is not None and item_id in user_items and (not theirs or _was_spoken(item)):
                user_items[item_id].user = words
            continue
        if frame.type in _ANSWERS or (role == "error" and raw_of(message.error).get("event_id")):
            continue
        if role == "response_start":
            next_turn.response_id, next_turn.open = response_id_of(message), True
            turns.append(next_turn)
            current, next_turn, spoken, output = next_turn, RecordedTurn(), 0.0, _Output()
        if current is None:
            next_turn.places.append(place)
            continue
        current.places.append(place)
        spoken += frame.seconds
        output.follow(role, item_id, item, message)
        if role == "response_end":
            current.open = False
            current.output = output.parts(raw_of(message.response))
    return turns


def _outputs(messages: list[Any]) -> frozenset[str]:
    """The ids of the items that responses have made; other items are the client's, whatever their role."""
    ids: set[str | None] = set()
    for message in messages:
        if text_id(getattr(message, "response_id", None)) is not None:
            ids.update((item_id_of(message), text_id(raw_of(getattr(message, "item", None)).get("id"))))
        if role_of(type(message)) == "response_end":
            output = raw_of(message.response).get("output")
            ids.update(text_id(raw_of(item).get("id")) for item in output or () if isinstance(output, list))
    return frozenset(item_id for item_id in ids if item_id is not None)


def _was_spoken(item: dict[str, Any]) -> bool:
    return any(isinstance(part, dict) and part.get("type") == "input_audio" for part in item.get("content") or ())


class _Output:
    """What a response says and calls, in the order of its items; responses that name no output are read from their messages."""

    def __init__(self) -> None:
        self._words: dict[str | None, str] = {}
        self._calls: dict[str | None, tuple[str, str, str | None]] = {}

    def follow(self, role: str | None, item_id: str | None, item: dict[str, Any], message: Any) -> None:
        if item.get("type") == "function_call":
            before = self._calls.get(item_id, ("", "", None))
            arguments = str(item.get("arguments") or before[1] or "{}")
            self._calls[item_id] = (str(item.get("name") or before[0]), arguments, text_id(item.get("call_id")) or before[2])
        elif role == "tool_call" and text_id(getattr(message, "call_id", None)) is not None:
            before = self._calls.get(item_id, ("", "", None))
            name = getattr(message, "name", None) or before[0]
            self._calls[item_id] = (str(name), str(message.arguments or "{}"), text_id(message.call_id))
        elif role in ("text_delta", "transcript_delta"):
            self._words[item_id] = self._words.get(item_id, "") + (words_of(message) or "")
        elif role in ("text_end", "transcript_end"):
            self._words[item_id] = words_of(message) or self._words.get(item_id, "")

    def parts(self, response: dict[str, Any]) -> list[str | tuple[str, str, str | None]]:
        """The parts, from the object of response.done or from what came before it."""
        output = response.get("output")
        named = [raw_of(item) for item in output] if isinstance(output, list) else []
        for item in named:
            if item.get("type") == "function_call":
                self.follow(None, text_id(item.get("id")), item, None)
            elif item.get("role") == "assistant" and words_in(item.get("content")):
                self._words[text_id(item.get("id"))] = words_in(item.get("content"))
        return [*self._words.values(), *self._calls.values()]


def _session_of(text: str) -> dict[str, Any]:
    session = json.loads(text).get("session")
    return session if isinstance(session, dict) else {}


def _ids_of(turn: list[Recorded]) -> frozenset[str]:
    """The ids of the responses, items and calls of a turn."""
    ids: set[str] = set()
    for frame in turn:
        event = {} if frame.seconds else json.loads(frame.text)
        for holder in ("response", "item", "call"):
            inner = event.get(holder)
            values = [event.get(f"{holder}_id"), inner.get("id") if isinstance(inner, dict) else None]
            values.append(inner.get("call_id") if isinstance(inner, dict) else None)
            ids.update(value for value in values if isinstance(value, str) and value)
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
            converted[place] = frame._replace(text=text, seconds=samples.size / wanted.rate)
    return converted


def _named(audio_format: AudioFormat) -> dict[str, object]:
    return {"type": audio_format.encoding, "rate": audio_format.rate, "channels": audio_format.channels}
