"""Recognises a recording from its first lines: its shape, and the values next to the frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

from .._core import decode
from ..errors import DecodeError
from .calls import CallIds
from .files import VERSION, RecordingError
from .lines import NEWLINE, LineFile
from .sample import Sample
from .shapes import LONGEST_LINE, Shape, recognise
from .shapes.foreign import foreign
from .shapes.frames import REALTIME, KnownFrames
from .shapes.given import OwnShape, shape_of
from .template import Members, Wrapper, members_of, scalar
from .times import Clock
from .ways import Ways

__all__ = ["Beginning", "given", "look_at"]

LOOKED_AT = 200  # lines that may hold a frame, from which the shape is recognised
LOOKED_AT_BYTES = 1024 * 1024
LOOKED_AT_BETWEEN = 20  # lines without a frame of Realtime, which may hold one of another socket
FEW_EMPTY = 5  # lines in a row, after which no shape is looked for
BESIDE_TEXT = "in the text beside it"
# What a line with a frame of another socket may have in place of a type.
_OTHER = re.compile(rb"event|[kK]ind|server_?[cC]ont|setup|realtime_?[iI]nput|audio|eyJ")


@dataclass
class Beginning:
    """How a recording is to be read.

    known: which values are frames. by_fit: whether nothing beside a frame of another socket says who sent it, so that its class
    does. between: the name of a socket with frames between those of Realtime, which are not read.
    words: its shape, in words. wrapper: the fast way for lines that are objects; None with `shape` None: each line is a frame.
    shape: of which the fast ways read nothing. time, call: the members with the time and with the id of the call. clock, ways:
    what times and directions mean. calls: which call is read. started: when the recording began, if its header says so.
    turned: whether the newest frame comes first. left_out: whether the log left out the audio. camel: whether its
    frames have keys in camelCase. untimed: a member that looks like
    a time, and could not be read as one. unknown: how many first frames there are, if none has a type that is known.
    whole_seconds: whether all times are. passed_over: lines without a frame before the first that was looked at. too_empty: the
    number of the first of too many empty lines.
    """

    calls: CallIds
    known: KnownFrames = REALTIME
    by_fit: bool = False
    between: str | None = None
    words: str = "plain frames"
    wrapper: Wrapper | None = None
    shape: Shape | None = None
    time: str | None = None
    clock: Clock | None = None
    ways: Ways = field(default_factory=Ways)
    call: str | None = None
    started: datetime | None = None
    turned: bool = False
    left_out: bool = False
    camel: bool = False
    untimed: str | None = None
    unknown: int = 0
    whole_seconds: bool = False
    passed_over: int = 0
    too_empty: int | None = None

    def own(self, file: LineFile, line: bytes, members: Members) -> None:
        """Takes the header of one of our recordings."""
        self.wrapper = Wrapper("event", "time", Ways("direction"), own=True)
        self.words = f"a recording of realtime-pcm, version {VERSION}"
        named = scalar(line[slice(*members["catalogue"])]) if "catalogue" in members else None
        if isinstance(named, str):
            self._name_catalogue(named)
        if self.known.catalogue is not None:
            self.words += f" of {self.known.name}"
        started = scalar(line[slice(*members["started"])]) if "started" in members else None
        try:
            self.started = datetime.fromisoformat(str(started))
        except ValueError:
            self.started = None
        file.number += len(file.first)
        file.first.clear()

    def _name_catalogue(self, name: str) -> None:
        """Takes the name of a catalogue that the header has, unless the caller has chosen one."""
        if self.known.catalogue is not None:
            return
        found = next((one for one in other_sockets() if one.name == name), None)
        if found is None:
            raise RecordingError(f"a recording of the socket {name!r:.80}, whose catalogue is not known: give catalogue=")
        self.known = found

    def take(self, shape: Shape, sample: Sample) -> None:
        """Assumes that the first frames are typical, and chooses how to read the file."""
        self.words = shape.words
        if self.known.catalogue is not None:
            self.words = f"frames of {self.known.name}: {shape.words}"
            self.by_fit = sample.ways.name is None
        self.unknown = 0 if sample.known else len(sample.found)
        self.whole_seconds = sample.whole_seconds
        self.turned, self.left_out, self.untimed = sample.reversed, sample.left_out, sample.untimed
        self.camel = sample.camel
        self.ways, self.call = sample.ways, sample.call
        if sample.time is not None:
            self.time, self.clock = sample.time
        chosen = self.calls.chosen
        if chosen is not None and self.call is None:
            raise RecordingError("call= (--call) chooses one of several calls, and no member of these lines says whose they are")
        if self.call is None:
            sample.watch_sessions()
        elif not self.turned:
            watch = CallIds(chosen)
            for found in sample.found:
                watch.take(found.beside.get(self.call))
        for word, name in (("time", self.time), ("direction", self.ways.name)):
            if name is not None:
                self.words += f", {word} {BESIDE_TEXT}" if shape.of_text and not name.isalpha() else f', {word} in "{name}"'
        if self.turned:
            self.words += ", newest first: turned round"
        if shape.key is None or self.turned or self.left_out or self.camel or self.by_fit or chosen is not None:
            self.shape = shape
        elif shape.key:
            self.wrapper = Wrapper(shape.key, self.time, self.ways, self.call, self.clock)
        elif self.time is not None or self.ways.name is not None or self.call is not None:
            self.shape = shape


def other_sockets() -> tuple[KnownFrames, ...]:
    """Which values are frames of each socket of this package."""
    from ..sockets import catalogues

    return tuple(map(KnownFrames, catalogues()))


def given(shape: OwnShape, known: KnownFrames) -> Beginning:
    """How a user's own shape is read."""
    made = shape_of(shape)
    return Beginning(CallIds(None), known, words=made.words, shape=made, time="time", clock=Clock(), ways=Ways("direction"))


def look_at(file: LineFile, call: str | None, socket: int | None, known: KnownFrames = REALTIME) -> Beginning:
    """Looks at the first lines of a file, which stay to be read. Raises RecordingError if it is not a recording.

    known: which values are frames, if the caller has chosen another socket; without that, its frames tell which one it is.
    """
    begun = Beginning(CallIds(call), known)
    goes_on = _look(file, begun)
    lines = [(number, line.rstrip(b"\r\n")) for number, line in enumerate(file.first, file.number + 1) if not line.isspace()]
    head = b"".join(file.first)
    if goes_on:
        lines.pop()
    if begun.wrapper is not None or not head.strip():
        return begun
    shape = recognise(lines, head, known, socket=socket)
    if goes_on and (shape is None or not shape.document):
        file.first[-1] += file.look(LONGEST_LINE - len(file.first[-1]))
        head = b"".join(file.first)
        lines.append((file.number + len(file.first), file.first[-1].rstrip(b"\r\n")))
        shape = recognise(lines, head, known, socket=socket)
    fault: RecordingError | None = None
    try:
        sample = None if shape is None else _sample_of(shape, lines, head, known)
    except RecordingError as error:  # a HAR file without a WebSocket that speaks Realtime
        fault, sample = error, None
    if known.catalogue is None and (sample is None or not sample.speaks):
        found = _of_another_socket(lines, head, socket)
        if found is not None:
            begun.known, shape, sample = found
            fault = None
    if fault is not None:
        raise fault
    if shape is None or sample is None:
        raise RecordingError(foreign(head) or _nothing_in(lines))
    if socket is not None and not shape.words.startswith("a HAR"):
        raise RecordingError("socket= (--socket) chooses a WebSocket of a HAR file, and this is none")
    other = None if sample.speaks else foreign(head)
    if other is not None:
        raise RecordingError(other)
    if begun.known.catalogue is None and not shape.document:
        begun.between = _socket_between(lines, sample)
    begun.take(shape, sample)
    return begun


def _socket_between(lines: Sequence[tuple[int, bytes]], sample: Sample) -> str | None:
    """The name of a socket with frames in the first lines that hold none of Realtime; None without one."""
    frames = {one.line for one in sample.found}
    last = max(frames, default=0)
    left = [line for number, line in lines if number not in frames and number < last and line.lstrip()[:1] == b"{"]
    for known in other_sockets() if left else ():
        for line in left[:LOOKED_AT_BETWEEN] if known.has_types else ():
            if known.may_be_in(line) and known.speaks_in(line):
                return known.name
    return None


def _sample_of(shape: Shape, lines: Sequence[tuple[int, bytes]], head: bytes, known: KnownFrames) -> Sample:
    return Sample(shape.read(BytesIO(head) if shape.document else lines), plain=shape.key == "", known=known)


def _of_another_socket(
    lines: Sequence[tuple[int, bytes]], head: bytes, socket: int | None
) -> tuple[KnownFrames, Shape, Sample] | None:
    """The socket whose classes most of the first frames match, and best; the shape and the sample.

    None where no socket has such frames. Raises RecordingError where two have frames that the other does not know.
    """
    found: list[tuple[KnownFrames, Shape, Sample]] = []
    every = [known for known in other_sockets() if known.has_types]
    lines = lines[:LOOKED_AT]
    for known in every:
        if not known.may_be_in(head):
            continue
        try:
            shape = recognise(lines, head, known, socket=socket)
            sample = None if shape is None else _sample_of(shape, lines, head, known)
        except RecordingError:
            continue
        if shape is not None and sample is not None and 2 * len(sample.spoken_lines) >= len(sample.lines) > 0:
            found.append((known, shape, sample))
    if not found:
        return None
    best = min(found, key=lambda one: (-len(one[2].lines), one[2].misfit))
    for known, _, sample in found:
        alone = sample.spoken_lines - best[2].lines
        if alone:
            raise best[0].mixed_with(known, min(alone))
    alike = [known for known, _, _ in found]  # imitators know each other's frames
    best[0].elsewhere = (REALTIME, *(known for known in every if known not in alike))
    return best


def _look(file: LineFile, begun: Beginning) -> bool:
    """Reads the first lines. Whether the last of them goes on."""
    size = likely = empty = 0
    others = begun.known.catalogue is not None
    while likely < LOOKED_AT and size < LOOKED_AT_BYTES:
        line = file.look(LOOKED_AT_BYTES)
        if not line:
            break
        if line.isspace() and not file.first:
            file.number += 1
            begun.too_empty = file.pass_empty() or begun.too_empty
            continue
        file.first.append(line)
        empty = empty + 1 if line.isspace() else 0
        if empty > FEW_EMPTY and likely:  # the reading passes them faster
            break
        if line[-1] != NEWLINE and len(line) == LOOKED_AT_BYTES:
            return True
        if not size and b'"realtime-pcm"' in line:
            members = members_of(line)
            if members is not None and _is_own(line, members):
                begun.own(file, line, members)
                return False
        size += max(len(line), 64)  # of memory
        likely += b"type" in line
        others = others or _OTHER.search(line) is not None
        if size >= LOOKED_AT_BYTES and not (likely or others):  # a frame may still come: nothing of this holds one
            file.number += len(file.first)
            begun.passed_over += len(file.first)
            file.first.clear()
            size = 1  # the first line is over
    return False


def _is_own(line: bytes, members: Members) -> bool:
    """Whether a line is the header of one of our recordings. RecordingError for a version that this release does not read."""
    if "recording" not in members or line[slice(*members["recording"])] != b'"realtime-pcm"':
        return False
    version = scalar(line[slice(*members["version"])]) if "version" in members else None
    if version != VERSION:
        raise RecordingError(f"a recording of version {version!r}, and this release of realtime-pcm reads version {VERSION}")
    return True


def _nothing_in(lines: Sequence[tuple[int, bytes]]) -> str:
    """The error for a file without a frame in its first lines: what is wrong with the first one."""
    first = "first line" if len(lines) == 1 else f"first {len(lines):,} lines"
    told = f'no frame could be read: no JSON object in the {first} has a "type" that a Realtime message has'
    for number, line in lines[:1]:
        try:
            decode(line)
        except DecodeError as error:
            told += f"; line {number}: {error}"
    return told
