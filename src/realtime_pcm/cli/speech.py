"""Splits a recording into items: a WAV for each, its transcript, and when it was heard.

`realtime_pcm.recording.analysis` places audio in time, finds interruptions and lists bad frames, as for `inspect` and `timeline`.
Only the list of items grows with the recording, up to MOST_ITEMS.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime_pcm.conversation.meanings import handler_of, role_in
from realtime_pcm.conversation.rules import (
    WORDS,
    Text,
    item_id_of,
    key_of,
    member_of,
    milliseconds_of,
    raw_of,
    remember,
    text_id,
    words_in,
    words_in_item,
    words_of,
)
from realtime_pcm.recording.analysis import Analyser
from realtime_pcm.recording.playing import Key, Piece, Sink, Stream
from realtime_pcm.roles import TEXT_FIELDS

from .console import safe_name
from .microphone import Microphone, Place
from .subtitles import Line
from .wavs import Form, Wav, Wavs

if TYPE_CHECKING:
    from realtime_pcm.recording import Analysis, Entry, Recording

__all__ = ["Item", "Speech"]

MOST_ITEMS = 10_000
MOST_FILES = 20_000
MOST_TEXT = 32 * 1024 * 1024  # characters of all transcripts
MOST_ALIKE = 100  # items without an id that have the same words
MOST_WAITING = 1000  # speeches that have begun, and commits that no server has answered


class Item:
    """An item of one side.

    start, end: seconds since the recording began, None while unknown. stream: its audio, if it is the model's. files: its WAVs; a
    change of format begins another one.
    """

    def __init__(self, number: int, side: str, id: str | None, turn: int) -> None:
        self.number, self.side, self.id, self.turn = number, side, id, turn
        self.stream: Stream | None = None
        self.start: float | None = None
        self.end: float | None = None
        self.cut_short = False  # the work was stopped in the middle of it
        self.files: list[dict[str, Any]] = []
        self.wav: Wav | None = None
        self.ended = False  # its audio
        self.said_done = False  # the server said that its audio is done, and sent none since
        self.heard_by_server = False  # the server has said when
        self.words = Text(MOST_TEXT)
        self._placed = False  # its audio has a place

    @property
    def text(self) -> str:
        """The transcript so far."""
        return str(self.words).strip()

    @property
    def seconds(self) -> float:
        """Duration of its audio."""
        seconds: float = sum(file["samples"] / file["rate"] for file in self.files)
        return seconds

    @property
    def heard(self) -> float | None:
        """How many seconds were played, if it was interrupted; otherwise None."""
        return self.stream.heard if self.stream is not None else None

    def mark(self, start: float, end: float) -> None:
        """Notes the time of a piece of its audio."""
        if not self._placed:
            self.start = self.end = None  # they came from its words, which is less exact
            self._placed = True
        self.start = start if self.start is None else min(self.start, start)
        self.end = end if self.end is None else max(self.end, end)

    def line(self) -> Line | None:
        """Its line of the transcript, or None without words."""
        if not self.text:
            return None
        start = self.start or 0.0
        end = max(self.end or start, start)
        share = 1.0
        if self.stream is not None and self.heard is not None and self.seconds:
            share = min(1.0, self.heard / self.seconds)
            end = max(start, self.stream.item.heard_end or start)
        return Line(self.side, start, end, self.text, self.heard is not None, share)


class Speech:
    """The items of one recording. `take` each entry, then `finish`. sink: receives the samples of both sides with their times."""

    def __init__(self, folder: Path, wavs: Wavs, recording: Recording, sink: Sink | None) -> None:
        self.items: list[Item] = []
        self.analyser = Analyser(sink)
        self.microphone = Microphone(folder)
        self.mixed: list[str] = []  # items whose format changes, in words
        self.left_out: dict[str, int] = {}  # what was left out, by a limit or for a sender's mistake -> how many
        self._folder, self._wavs, self._recording = folder, wavs, recording
        self._handlers: dict[type, Callable[[Any], None] | None] = {}
        self._by_key: dict[Key, Item] = {}
        self._of_item: dict[tuple[str | None, str | None], Item] = {}  # the newest part of each item
        self._under_way: dict[Stream, Item] = {}
        self._with_id: dict[tuple[str, object], Item] = {}
        self._speaker_without_id: Item | None = None
        self._turn_without_id = 0
        self._text = self._files = 0
        # The user's side: speech that a server has heard (id -> the milliseconds of its beginning and end), what the client has
        # committed and no server has named, where that begins which is in no item yet, and items that the client made.
        self._heard: dict[object, list[float | None]] = {}
        self._commits: deque[tuple[Place, Place]] = deque()
        self._rest = Place(0, 0)
        self._detected = False
        self._made: dict[str, deque[Item]] = {}  # by their words
        self._added: Item | None = None  # by the message before, which has no id

    def take(self, entry: Entry) -> None:
        """Adds the next entry."""
        message = entry.message
        self.analyser.feed(entry)
        for stream in self.analyser.over:
            item = self._under_way.pop(stream, None)
            if item is not None:
                self._end(item)
        if message is None:
            return
        kind = type(message)
        try:
            handler = self._handlers[kind]
        except KeyError:
            handler = self._handlers[kind] = self._handler(kind)
        if handler is not None:
            handler(message)

    @property
    def frames(self) -> int:
        """Frames so far, except refused ones."""
        return self.analyser.frames

    @cached_property
    def found(self) -> Analysis:
        """The analysis, once the recording has ended."""
        return self.analyser.finish(self._recording)

    def finish(self) -> None:
        """Ends all open items at the end of the recording."""
        assert self.found  # this settles the last interruption
        for item in [*self._under_way.values()]:
            self._end(item)
        self._under_way.clear()
        for begin, end in self._commits:
            self._cut_out_new(begin, end)
        for id in [*self._heard]:
            self._cut_out_heard(id)
        # With turn detection, what is left was heard by the server and was no speech. It is kept where no speech was cut out.
        if not self._detected or self._rest == Place(0, 0):
            self._cut_out_new(self._rest, self.microphone.end)

    def keep_whole(self) -> None:
        """Drops unfinished WAVs after an interruption."""
        for item in self._under_way.values():
            if item.said_done:
                self._end_file(item)
        self._wavs.abandon_all()
        for item in self.items:
            if item.wav is not None:
                item.wav = None
                del item.files[-1]
                item.cut_short = True
        self.items = [item for item in self.items if item.files or not item.cut_short]

    def lines(self) -> list[Line]:
        """The transcript lines of all items, sorted by time."""
        return sorted((line for item in self.items if (line := item.line())), key=lambda line: line.start)

    # --- which message means what

    def _handler(self, kind: type) -> Callable[[Any], None] | None:
        table: dict[str, Callable[[Any], None]] = {
            "input_audio": self._on_user_audio,
            "audio": self._on_model_audio,
            "audio_end": self._on_audio_end,
            "speech_started": self._on_speech_started,
            "speech_stopped": self._on_speech_stopped,
            "commit": self._on_commit,
            "committed": self._on_committed,
            "clear": self._on_clear,
            "item_create": self._on_item_made,
            "item_added": self._on_item_named,
            "item_done": self._on_item_named,
            **dict.fromkeys(("text_delta", "text_so_far", "text_end"), self._on_model_words),
            **dict.fromkeys(("transcript_delta", "transcript_so_far", "transcript_end"), self._on_model_words),
            **dict.fromkeys(("user_transcript_delta", "user_transcript_so_far", "user_transcript"), self._on_user_words),
        }
        return handler_of(kind, table.get)

    # --- items

    def _item(self, side: str, id: object) -> Item | None:
        if len(self.items) >= MOST_ITEMS:
            self._leave_out(f"items behind the first {MOST_ITEMS}")
            return None
        item = Item(len(self.items) + 1, side, id if isinstance(id, str) else None, self.analyser.turn)
        self.items.append(item)
        if item.id is not None:
            self._with_id[side, item.id] = item
        return item

    def _leave_out(self, what: str, count: int = 1) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + count

    def _model(self, message: Any) -> Item | None:
        """The item for words of the model: the part that spoke last, whatever the content_index of the words."""
        key = key_of(message)
        item = self._model_spoke(key)
        if item is None:
            item = self._item("model", key[1])
            self._keep_model(key, item)
        return item

    def _model_spoke(self, key: Key) -> Item | None:
        if key[1] is not None:
            return self._of_item.get(key[:2])
        item = self._by_key.get(key)
        return item if item is not None and item.turn == self.analyser.turn else None

    def _keep_model(self, key: Key, item: Item | None) -> None:
        if item is not None:
            self._by_key[key] = self._of_item[key[:2]] = item

    def _user(self, id: object) -> Item | None:
        id = text_id(id)
        item = self._with_id.get(("user", id)) if id is not None else None
        return item or self._item("user", id)

    # --- audio

    def _write(self, item: Item, samples: Any, form: Form) -> None:
        if item.wav is not None and (item.wav.form != form or self._wavs.room(item.wav) * form.channels < len(samples)):
            if item.wav.form != form and len(item.files) == 1:
                where = f"{item.wav.path.name}: {item.wav.form} up to sample {item.wav.samples}, then {form}"
                self.mixed.append(where)
            self._end_file(item)
        if item.wav is None:
            if self._files >= MOST_FILES:
                self._leave_out(f"samples for WAVs behind the first {MOST_FILES}", len(samples) // form.channels)
                return
            self._files += 1
            path = self._folder / self._name(item)
            item.wav = self._wavs.begin(path, form)
            item.files.append({"file": path.name, **form._asdict(), "samples": 0})
        self._wavs.write(item.wav, samples)
        item.files[-1]["samples"] = item.wav.samples

    @staticmethod
    def _name(item: Item) -> str:
        """A file name from number, side and the safe part of the id."""
        id = f"-{safe_name(item.id)}" if item.id else ""
        return f"{item.number:03}-{item.side}{id}{f'-{len(item.files) + 1}' if item.files else ''}.wav"

    def _end_file(self, item: Item) -> None:
        if item.wav is not None:
            wav, item.wav = item.wav, None
            self._wavs.finish(wav)

    def _end(self, item: Item) -> None:
        self._end_file(item)
        item.ended = True

    def _on_model_audio(self, message: Any) -> None:
        piece = self.analyser.piece
        if piece is None or piece.stream is None:
            return
        samples, form, key = message.pcm, _form(message.audio_format), piece.stream.key
        item = self._model_spoke(key) if key[1] is None else self._by_key.get(key) or self._wordy(key)
        if item is not None and item.stream not in (None, piece.stream):
            self._end(item)
            item = None
        if item is None:
            item = self._item("model", key[1])
            if item is None:
                return
        self._keep_model(key, item)
        self._under_way[piece.stream] = item
        item.stream = piece.stream
        item.said_done = False
        self._write(item, samples, form)
        self._mark(item, piece, samples, form)

    def _on_audio_end(self, message: Any) -> None:
        item = self._model_spoke(key_of(message))
        if item is not None:
            item.said_done = True

    def _wordy(self, key: Key) -> Item | None:
        """The item whose words came before its audio."""
        item = self._of_item.get(key[:2]) if key[1] is not None else None
        return item if item is not None and item.stream is None else None

    @staticmethod
    def _mark(item: Item, piece: Piece, samples: Any, form: Form) -> None:
        if piece.start is not None:
            item.mark(piece.start, piece.start + len(samples) / form.channels / form.rate)

    # --- the user's audio

    def _on_user_audio(self, message: Any) -> None:
        if self.analyser.piece is not None:
            self.microphone.append(message.pcm, _form(message.audio_format))

    def _cut_out(self, item: Item | None, begin: Place, end: Place) -> None:
        """Makes an item of the audio between two positions."""
        if item is None or item.files:
            return
        pieces = [*self.microphone.pieces(begin, end)]
        if not self.microphone.may_cut(pieces):
            self._leave_out("items of the user whose audio several other items already have")
            pieces = []
        for track, first, last in pieces:
            for samples in self.microphone.read(track, first, last):
                self._write(item, samples, track.form)
            placer = self.analyser.placer
            start, stop = placer.place_of_user(track.seconds(first)), placer.place_of_user(track.seconds(last), end=True)
            if start is not None and stop is not None:
                item.mark(start, stop)
        self._end(item)
        if not pieces:
            self._mark_now(item)

    def _mark_now(self, item: Item) -> None:
        now = self.analyser.placer.place
        item.start = now if item.start is None else item.start
        item.end = max(now, item.start) if item.end is None else max(item.end, now)

    def _on_speech_started(self, message: Any) -> None:
        self._detected = True
        id, heard = item_id_of(message), getattr(message, "audio_start_ms", None)
        start = milliseconds_of(heard)
        if id in self._heard and id is not None:
            before = self._heard[id][0]  # the item goes on
            start = start if before is None else before
        elif id in self._heard:
            self._cut_out_heard(id)
        elif len(self._heard) >= MOST_WAITING:
            self._cut_out_heard(next(iter(self._heard)))
        self._heard[id] = [start, None]
        item = self._user(id)
        if item is not None and not self.microphone.tracks:
            self._mark_heard(item, heard)

    def _on_speech_stopped(self, message: Any) -> None:
        id, heard = item_id_of(message), getattr(message, "audio_end_ms", None)
        if id in self._heard:
            self._heard[id][1] = milliseconds_of(heard)
        item = self._user(id)
        if item is not None and not self.microphone.tracks:
            self._mark_heard(item, heard)

    def _mark_heard(self, item: Item, milliseconds: object) -> None:
        """Sets the times of an item from the server's speech events, if the recording does not have the user's audio."""
        moment = self.analyser.placer.spoken_at(milliseconds_of(milliseconds) or 0.0)
        if item.start is None:
            item.start = moment
        item.end = max(moment, item.start)
        item.heard_by_server = True

    def _span(self, start: float | None, stop: float | None) -> tuple[Place, Place] | None:
        """The positions of speech that a server reported, or None if they cannot refer to audio of this recording."""
        end = self.microphone.end
        if start is None or self.microphone.at(start) == end:
            return None
        return self.microphone.at(start), end if stop is None else self.microphone.at(stop)

    def _on_committed(self, message: Any) -> None:
        id = item_id_of(message)
        span = self._heard.pop(id, None)
        found = self._span(*span) if span is not None else None
        if found is None:
            found = self._commits.popleft() if self._commits else (self._rest, self.microphone.end)
        begin, end = found
        self._rest = max(self._rest, end)
        while self._commits and self._commits[0][1] <= end:
            self._commits.popleft()  # the same audio
        if self.microphone.tracks:
            self._cut_out(self._user(id), begin, end)

    def _on_commit(self, message: Any) -> None:
        self._commits.append((self._rest, self.microphone.end))
        self._rest = self.microphone.end
        if len(self._commits) > MOST_WAITING:
            self._cut_out_new(*self._commits.popleft())

    def _on_clear(self, message: Any) -> None:
        self._rest = self.microphone.end

    def _cut_out_new(self, begin: Place, end: Place) -> None:
        """Makes an item that no server has named, if there is audio between the positions."""
        if any(self.microphone.pieces(begin, end)):
            self._cut_out(self._item("user", None), begin, end)

    def _cut_out_heard(self, id: object) -> None:
        """Makes an item of speech that a server has reported but not committed."""
        found = self._span(*self._heard.pop(id))
        if found is not None and any(self.microphone.pieces(*found)):
            self._cut_out(self._user(id), *found)
            self._rest = max(self._rest, found[1])

    # --- words

    def _say(self, item: Item | None, message: Any) -> None:
        """Adds the words of a message to an item, by the message's role."""
        words = words_of(message)
        if item is None:
            return
        if words is None:
            if any(getattr(message, name, None) is not None for name in TEXT_FIELDS):
                self._leave_out("transcripts that are not text")
            return
        self._hear(item, words, WORDS[role_in(message)])

    def _hear(self, item: Item, words: str, how: Callable[[Text, str], None]) -> None:
        if self._text + len(words) > MOST_TEXT:
            self._leave_out(f"characters of transcripts behind the first {MOST_TEXT}", len(words))
            return
        before = len(item.words)
        how(item.words, words)
        self._text += len(item.words) - before
        if item.words and not (item.files or item.heard_by_server):
            self._mark_now(item)

    def _on_model_words(self, message: Any) -> None:
        self._say(self._model(message), message)

    def _on_user_words(self, message: Any) -> None:
        self._say(self._speaker(message), message)

    def _speaker(self, message: Any) -> Item | None:
        id = item_id_of(message)
        if id is not None:
            return self._user(id)
        # Servers without items speak of one user.
        turn = self.analyser.turn
        if self._speaker_without_id is None or turn != self._turn_without_id:
            self._speaker_without_id = self._item("user", None)
        self._turn_without_id = turn
        return self._speaker_without_id

    # --- items that are made, not spoken

    def _on_item_made(self, message: Any) -> None:
        raw = raw_of(message.item)
        parts = raw.get("content", raw.get("parts"))
        if raw.get("role") != "user" or not isinstance(parts, list) or not parts:
            return
        item = self._user(raw.get("id"))
        if item is None:
            return
        self._mark_now(item)
        self._hear(item, words_in_item(raw), Text.end)
        if self.analyser.bad_parts:
            self._leave_out("parts of items whose audio is bad", self.analyser.bad_parts)
        for start, samples, given_format in self.analyser.made:
            form = _form(given_format)
            self._write(item, samples, form)
            self._mark(item, Piece("user", start, None), samples, form)
        self._end(item)
        if item.id is None:
            if item.text not in self._made:
                remember(self._made, item.text, deque(maxlen=MOST_ALIKE), MOST_WAITING)
            self._made[item.text].append(item)

    def _on_item_named(self, message: Any) -> None:
        given = message.item
        id, role = text_id(member_of(given, "id")), member_of(given, "role")
        side = {"user": "user", "assistant": "model"}.get(role) if isinstance(role, str) else None
        words = words_in(raw_of(given).get("content"))
        if side is None or (id is None and (side != "user" or not words)):
            return
        item = self._with_id.get((side, id)) if id is not None else None
        added, self._added = self._added, None
        if id is None and added is not None and str(added.words).strip() == words.strip() and role_in(message) == "item_done":
            return  # conversation.item.done after conversation.item.added, neither of which has an id
        if item is None and side == "user":
            # The server repeats an item of the client's: the first of these words that has no id yet.
            waiting = self._made.get(words.strip())
            if waiting:
                item = waiting.popleft()
                if id is not None:
                    item.id = id
                    self._with_id[side, id] = item
        if item is None and not words:
            return
        if item is None:
            item = self._item(side, id)
        self._added = item if id is None else None
        if item is not None and words and not item.words:
            self._hear(item, words, Text.end)


def _form(given: Any) -> Form:
    return Form(given.encoding, given.rate, given.channels)
