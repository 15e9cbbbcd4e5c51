"""What the first lines of a recording show: its shape, and what stands beside the frames."""

from __future__ import annotations

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
from .shapes.given import OwnShape, shape_of
from .template import Members, Wrapper, members_of, scalar
from .times import Clock
from .ways import Ways

__all__ = ["Beginning", "given", "look_at"]

LOOKED_AT = 200  # lines that may hold a frame, from which the shape is recognised
LOOKED_AT_BYTES = 1024 * 1024
FEW_EMPTY = 5  # lines in a row, after which no shape is looked for
BESIDE_TEXT = "in the text beside it"


@dataclass
class Beginning:
    """How a recording is to be read.

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
        started = scalar(line[slice(*members["started"])]) if "started" in members else None
        try:
            self.started = datetime.fromisoformat(str(started))
        except ValueError:
            self.started = None
        file.number += len(file.first)
        file.first.clear()

    def take(self, shape: Shape, sample: Sample) -> None:
        """Takes what the first frames show for true of all, and chooses the way to read."""
        self.words = shape.words
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
        if shape.key is None or self.turned or self.left_out or self.camel or chosen is not None:
            self.shape = shape
        elif shape.key:
            self.wrapper = Wrapper(shape.key, self.time, self.ways, self.call, self.clock)
        elif self.time is not None or self.ways.name is not None or self.call is not None:
            self.shape = shape


def given(shape: OwnShape) -> Beginning:
    """How a user's own shape is read."""
    made = shape_of(shape)
    return Beginning(CallIds(None), made.words, None, made, "time", Clock(), Ways("direction"))


def look_at(file: LineFile, call: str | None, socket: int | None) -> Beginning:
    """Looks at the first lines of a file, which stay to be read. Raises RecordingError for what is no recording."""
    begun = Beginning(CallIds(call))
    goes_on = _look(file, begun)
    lines = [(number, line.rstrip(b"\r\n")) for number, line in enumerate(file.first, file.number + 1) if not line.isspace()]
    head = b"".join(file.first)
    if goes_on:
        lines.pop()
    if begun.wrapper is not None or not head.strip():
        return begun
    shape = recognise(lines, head, socket=socket)
    if goes_on and (shape is None or not shape.document):
        file.first[-1] += file.look(LONGEST_LINE - len(file.first[-1]))
        head = b"".join(file.first)
        lines.append((file.number + len(file.first), file.first[-1].rstrip(b"\r\n")))
        shape = recognise(lines, head, socket=socket)
    if shape is None:
        raise RecordingError(foreign(head) or _nothing_in(lines))
    if socket is not None and not shape.words.startswith("a HAR"):
        raise RecordingError("socket= (--socket) chooses a WebSocket of a HAR file, and this is none")
    sample = Sample(shape.read(BytesIO(head) if shape.document else lines), plain=shape.key == "")
    other = None if sample.speaks else foreign(head)
    if other is not None:
        raise RecordingError(other)
    begun.take(shape, sample)
    return begun


def _look(file: LineFile, begun: Beginning) -> bool:
    """Reads the first lines. Whether the last of them goes on."""
    size = likely = empty = 0
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
        if size >= LOOKED_AT_BYTES and not likely:  # a frame may still come: nothing of this holds one
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
    """The sentence for a file in whose first lines there is no frame: it says what is wrong with the first of them."""
    first = "first line" if len(lines) == 1 else f"first {len(lines):,} lines"
    told = f'no frame could be read: no JSON object in the {first} has a "type" that a Realtime message has'
    for number, line in lines[:1]:
        try:
            decode(line)
        except DecodeError as error:
            told += f"; line {number}: {error}"
    return told
