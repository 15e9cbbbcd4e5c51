"""The user of one connection: finds speech in the client's audio, and supplies its words."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from websockets.exceptions import ConnectionClosed

from .held import Refusal
from .session import detection_of, transcribes

if TYPE_CHECKING:
    from .._resample import Samples
    from .connection import Connection

__all__ = ["Interruption", "Microphone", "User"]

WINDOW = 20  # milliseconds whose loudness is measured at once
SPEECH = 3  # loud windows in a row that are speech: a click is none
LOUD = 330.0  # of 32,768: the deviation of the samples of a window, -40 dB; the noise of a quiet room stays below it
SILENCE = 500  # milliseconds after which speech is over, unless the session says otherwise
PADDING = 300  # milliseconds before speech that belong to it, unless the session says otherwise
LEAST = 100.0  # milliseconds of audio that can be committed
MAX_WAITING = 64  # turns of a client that sends faster than it speaks
SCRIPTED = 1.0  # seconds for which a scripted user speaks who has no words
_WORDS_A_SECOND = 2.5
_WORDS = "so this is what I wanted to say and then there is one more thing that you should know before we go on"

Event = dict[str, Any]


class Interruption(NamedTuple):
    """An interruption after this many seconds of an answer, with words if the script has any."""

    after: float
    words: str | None


class Heard(NamedTuple):
    """Begin or end of speech, at a position in the client's audio."""

    kind: Literal["started", "stopped"]
    milliseconds: int


class Microphone:
    """Finds speech in the audio that a client sends. speaks: whether there is speech now."""

    def __init__(self) -> None:
        self.speaks = False
        self._rest: Samples = np.zeros(0, np.int16)
        self._rate = 24_000
        self._windows = 0
        self._loud = self._quiet = 0
        self._before = 0.0  # milliseconds of audio at other rates
        self._committed = 0.0  # the position of the last commit
        self._last_end = 0  # of the last speech

    @property
    def position(self) -> float:
        """Milliseconds of audio so far."""
        return self._before + self._windows * WINDOW + self._rest.size * 1000 / self._rate

    @property
    def buffered(self) -> float:
        """Milliseconds of audio since the last commit."""
        return self.position - self._committed

    def empty(self) -> None:
        """Empties the buffer, after a commit or a clear. Ends speech in progress."""
        self._committed = self.position
        self._last_end = max(self._last_end, int(self.position))
        self.speaks = False
        self._loud = self._quiet = 0

    def spoke_until(self, milliseconds: int) -> None:
        """Notes speech until then, so later speech begins after it."""
        self._last_end = max(self._last_end, milliseconds)

    def hear(self, samples: Samples, rate: int, detection: Event | None) -> list[Heard]:
        """Adds audio. detection: the session's turn_detection; None: nothing is detected."""
        if rate != self._rate:
            self._before = self.position
            self._rest, self._windows, self._rate = np.zeros(0, np.int16), 0, rate
        size = rate * WINDOW // 1000
        audio = np.concatenate([self._rest, samples])
        whole = audio.size // size
        self._rest = audio[whole * size :]
        if detection is None:
            self._windows += whole
            return []
        found = []
        silence = _milliseconds(detection, "silence_duration_ms", SILENCE)
        padding = _milliseconds(detection, "prefix_padding_ms", PADDING)
        for loud in audio[: whole * size].reshape(whole, size).std(axis=1) > LOUD:
            self._windows += 1
            now = int(self._before) + self._windows * WINDOW
            self._loud = self._loud + 1 if loud else 0
            self._quiet = 0 if loud else self._quiet + 1
            if not self.speaks and self._loud >= SPEECH:
                self.speaks = True
                found.append(Heard("started", max(self._last_end, now - SPEECH * WINDOW - padding, 0)))
            elif self.speaks and self._quiet * WINDOW >= silence:
                self.speaks = False
                self._last_end = now
                found.append(Heard("stopped", now))
        return found


def _idle_timeout(session: Event) -> int:
    return _milliseconds(detection_of(session) or {}, "idle_timeout_ms", 0)


def _milliseconds(detection: Event, name: str, otherwise: int) -> int:
    value = detection.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 60_000 else otherwise


class User:
    """Speaks on one connection, with the client's audio or as scripted."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.microphone = Microphone()
        self._waiting: asyncio.Queue[tuple[Heard, str | None, asyncio.Event | None]] = asyncio.Queue(MAX_WAITING)
        self._item_id: str | None = None  # of the speech under way
        self._began = (0.0, 0)  # on the clock, and in the client's audio
        self._scripted = False
        self._idle_from: float | None = None  # where in the client's audio the last answer was heard to its end
        self._turns = 0
        self._task = asyncio.create_task(self._speak())

    def stop(self) -> None:
        """Stops when the connection ends."""
        self._task.cancel()

    # ---- what the client sends

    async def hear(self, samples: Samples, rate: int) -> None:
        """Adds the client's audio."""
        detection = None if self._scripted else detection_of(self.connection.call.session)
        for heard in self.microphone.hear(samples, rate, detection):
            self._idle_from = None
            await self._waiting.put((heard, None, None))
            if not self.connection.pace:
                await self._waiting.join()
        await self._end_silence()

    def answered(self, response_id: str | None, began_at: float) -> None:
        """Notes the end of an answer. began_at: the position in the client's audio at which it began."""
        self._idle_from = None
        if _idle_timeout(self.connection.call.session) and self.connection.tells_speech:
            items = self.connection.conversation.items
            seconds = sum(item.audio_seconds for item in items if item.response_id == response_id)
            self._idle_from = max(self.microphone.position, began_at + seconds * 1000)

    async def _end_silence(self) -> None:
        """Commits and answers the silence after an answer, once it is as long as the session allows."""
        connection, timeout = self.connection, _idle_timeout(self.connection.call.session)
        if self._idle_from is None or not timeout or self.microphone.speaks or connection.responses.active is not None:
            return
        start, end = int(self._idle_from), int(self._idle_from) + timeout
        if self.microphone.position < end:
            return
        self._idle_from = None
        self.microphone.empty()
        item_id = connection.ids("item")
        await connection.emit("input_audio_buffer.timeout_triggered", audio_start_ms=start, audio_end_ms=end, item_id=item_id)
        await self._turn_is_over(item_id, timeout, "", answer=True)

    async def commit(self) -> Refusal | None:
        """Commits the user's turn for the client. The client asks for the answer itself."""
        held = self.microphone.buffered
        if held < LEAST:
            message = f"Error committing input audio buffer: buffer too small. Expected at least {LEAST:.0f}ms of audio, "
            return Refusal("input_audio_buffer_commit_empty", f"{message}but buffer only has {held:.2f}ms of audio.")
        self.microphone.empty()
        item_id, self._item_id = self._item_id or self.connection.ids("item"), None
        await self._turn_is_over(item_id, held, None, answer=False)
        return None

    def clear(self) -> None:
        """Clears the client's audio."""
        self.microphone.empty()
        while not self._waiting.empty():
            self._waiting.get_nowait()
            self._waiting.task_done()
        self._item_id = None

    # ---- what the script says

    async def interrupt(self, interruption: Interruption) -> None:
        """Lets the user speak while an answer is sent. Returns when the server has detected it."""
        connection = self.connection
        if detection_of(connection.call.session) is None or self.microphone.speaks or self._scripted:
            return  # a server that does not listen cannot notice
        self._scripted = True
        words = interruption.words
        seconds = SCRIPTED if words is None else max(0.3, len(words.split()) / _WORDS_A_SECOND)
        start = max(int(self.microphone.position), self.microphone._last_end)
        noticed = asyncio.Event()
        await self._waiting.put((Heard("started", start), words, noticed))
        await self._waiting.put((Heard("stopped", start + int(seconds * 1000)), words, noticed))
        await noticed.wait()

    # ---- what the server makes of it

    async def _speak(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                heard, words, noticed = await self._waiting.get()
                try:
                    if heard.kind == "started":
                        await self._started(heard.milliseconds, noticed)
                    else:
                        await self._stopped(heard.milliseconds, words)
                        self._scripted = self._scripted and noticed is None
                finally:
                    self._waiting.task_done()
                    if noticed is not None:
                        noticed.set()

    async def _started(self, milliseconds: int, noticed: asyncio.Event | None) -> None:
        connection = self.connection
        self._item_id = connection.ids("item")
        self._began = asyncio.get_running_loop().time(), milliseconds
        if connection.tells_speech:
            await connection.emit("input_audio_buffer.speech_started", audio_start_ms=milliseconds, item_id=self._item_id)
        active = connection.responses.active
        detection = detection_of(connection.call.session) or {}
        if active is not None and detection.get("interrupt_response") is not False:
            active.end("cancelled", {"type": "cancelled", "reason": "turn_detected"})
            if noticed is not None:
                noticed.set()
            await active.over()

    async def _stopped(self, milliseconds: int, words: str | None) -> None:
        connection = self.connection
        began, start = self._began
        if connection.pace:
            await asyncio.sleep(began + (milliseconds - start) / 1000 / connection.pace - asyncio.get_running_loop().time())
        item_id, self._item_id = self._item_id, None
        if item_id is None:  # the client has committed it, or cleared it
            return
        self.microphone.spoke_until(milliseconds)
        self.microphone._committed = self.microphone.position
        if connection.tells_speech:
            await connection.emit("input_audio_buffer.speech_stopped", audio_end_ms=milliseconds, item_id=item_id)
        detection = detection_of(connection.call.session) or {}
        answer = detection.get("create_response") is not False
        await self._turn_is_over(item_id, milliseconds - start, words, answer)

    async def _turn_is_over(self, item_id: str, milliseconds: float, words: str | None, answer: bool) -> None:
        """Makes an item of the speech, answers it if the session asks for that, and transcribes it."""
        connection = self.connection
        script, responses = connection.script, connection.responses
        number, self._turns = self._turns, self._turns + 1
        if words is None:
            step = script.user_before(responses.cursor)
            words = step.user if step is not None and step.user is not None else _words_for(milliseconds / 1000)
        if connection.tells_speech:
            part = {"type": "input_audio", "transcript": None}
            item = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": [part]}
            previous = connection.conversation.place(item, None)
            await connection.emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
            for name in ("added", "done"):
                await connection.emit(f"conversation.item.{name}", previous_item_id=previous, item=item)
        if answer and connection.answers:
            if responses.active is not None:
                responses.owed = True
            else:
                # The words come after the answer has begun, as from the original: they are made by another model.
                await responses.start().begun.wait()
        if transcribes(connection.call.session) and connection.tells_speech:
            await self._write_down(item_id, milliseconds / 1000, words, number)

    async def _write_down(self, item_id: str, seconds: float, words: str, number: int) -> None:
        connection, kind = self.connection, "conversation.item.input_audio_transcription"
        where = {"item_id": item_id, "content_index": 0}
        if any(fault.kind == "transcription_failed" and fault.at == number for fault in connection.faults):
            error = {"type": "transcription_error", "code": "audio_unintelligible", "param": None}
            await connection.emit(f"{kind}.failed", **where, error={**error, "message": "The audio could not be transcribed."})
            return
        pieces = words.split(" ")
        for place, piece in enumerate(pieces):
            await connection.emit(f"{kind}.delta", **where, delta=piece if place == 0 else f" {piece}")
        usage = {"type": "duration", "seconds": round(seconds, 3)}
        await connection.emit(f"{kind}.completed", **where, transcript=words, usage=usage)
        connection.conversation.change(item_id, lambda part: part.update(transcript=words))


def _words_for(seconds: float) -> str:
    """Words for speech without a script: as many as fit into that time."""
    known = _WORDS.split()
    count = min(max(1, round(seconds * _WORDS_A_SECOND)), 1_000)
    return " ".join(known[place % len(known)] for place in range(count))
