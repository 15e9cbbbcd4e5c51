"""Transcripts as text, SRT and WebVTT.

The text is untrusted: control characters are escaped, and characters of subtitle markup are replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from realtime_pcm.terminal import shown_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Line", "as_srt", "as_text", "as_vtt"]

LONGEST_CUE = 84  # characters: two lines of a television's subtitles
SHORTEST_CUE = 0.5  # seconds
LONGEST_WORD = LONGEST_CUE

# Players read these as tags.
_SRT = str.maketrans("<>{}", "\u2039\u203a()")  # quotation marks that look like them
_ENDS = ".?!\u2026\u3002\uff1f\uff01"  # of sentences, in Chinese and Japanese too
_VTT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}


class Line(NamedTuple):
    """The words of one item. start, end: when they were heard, in seconds since the recording began."""

    side: str
    start: float
    end: float
    text: str
    interrupted: bool
    heard: float = 1.0  # the share of the text that was heard, by the time that it took


def as_text(lines: Iterable[Line]) -> Iterator[str]:
    """`[0:00:01.250] user: text`, one line for each item."""
    for line in lines:
        words = " ".join(shown_text(line.text).split())
        mark = f" [interrupted at {_stamp(line.end, '.')}]" if line.interrupted else ""
        yield f"[{_stamp(line.start, '.')}] {line.side}: {words}{mark}\n"


def as_srt(lines: Iterable[Line]) -> Iterator[str]:
    """SubRip."""
    for number, (side, start, end, words) in enumerate(_cues(lines), 1):
        yield f"{number}\n{_stamp(start, ',')} --> {_stamp(end, ',')}\n{side}: {words.translate(_SRT)}\n\n"


def as_vtt(lines: Iterable[Line]) -> Iterator[str]:
    """WebVTT; the side is the voice of its cue."""
    yield "WEBVTT\n\n"
    for side, start, end, words in _cues(lines):
        yield f"{_stamp(start, '.')} --> {_stamp(end, '.')}\n<v {side}>{words.translate(_VTT)}</v>\n\n"


def _stamp(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{point}{whole % 1000:03}"


def _cues(lines: Iterable[Line]) -> Iterator[tuple[str, float, float, str]]:
    """Short pieces of text. Each gets a share of its item's time by its number of characters."""
    for line in lines:
        text = " ".join(shown_text(line.text).split())
        if line.interrupted:
            heard = round(len(text) * line.heard)
            text = text[:heard] if text[heard : heard + 1] in ("", " ") else text[:heard].rpartition(" ")[0]
        pieces = _pieces(text)
        letters = sum(map(len, pieces)) or 1
        length = max(line.end - line.start, SHORTEST_CUE)
        done = 0
        for piece in pieces:
            start = line.start + length * done / letters
            done += len(piece)
            yield line.side, start, line.start + length * done / letters, piece


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    piece = ""
    words = (word[at : at + LONGEST_WORD] for word in text.split() for at in range(0, len(word), LONGEST_WORD))
    for word in words:
        if piece and (len(piece) + 1 + len(word) > LONGEST_CUE or (piece[-1] in _ENDS and len(piece) > LONGEST_CUE // 3)):
            pieces.append(piece)
            piece = word
        else:
            piece = f"{piece} {word}" if piece else word
    return [*pieces, piece] if piece else pieces
