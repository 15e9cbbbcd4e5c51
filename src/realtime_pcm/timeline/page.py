"""A timeline as one HTML file: the picture, the sound with a cursor, and the turns in words. It needs no network.

Text of the recording is escaped. A Content-Security-Policy allows only the one style and the one script, by their hashes, and
forbids every connection.
"""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import TypeVar

from .._resample import RATES
from ..recording.findings import Analysis, Interruption, Item, ServerError, ToolCall, Turn
from .layout import clock, facts_of, notes_of
from .scene import Scene, clean
from .sound import Sound
from .svg import MARGIN, css, svg_of_page

__all__ = ["page"]

T = TypeVar("T", Item, Interruption, ServerError, ToolCall)

MOST_CARDS = 1000
CHUNK = 3 << 16  # bytes of the WAV that become base64 at once: a multiple of 3


def page(found: Analysis, scene: Scene, sound: Sound | None, sound_origin: float, window: tuple[float, float]) -> Iterator[str]:
    """The pieces of the page. sound_origin: where on the axis the sound begins. window: both ends of the axis."""
    style = css() + files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    script = files(__package__).joinpath("page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; img-src data:; media-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    facts = {
        "origin": window[0], "end": window[1], "left": scene.left - MARGIN, "right": scene.right - MARGIN, "margin": MARGIN,
        "soundOrigin": sound_origin, "soundSeconds": sound.seconds if sound is not None else 0.0,
    }  # fmt: skip
    title = html.escape(scene.title)
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}: timeline</title>\n<style>{style}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
    )
    yield f'<p class="dim">{html.escape(_about(found))}</p>\n<p class="facts">'
    yield "".join(f'<span class="{name}">{html.escape(text)}</span>' for text, name in facts_of(found))
    yield "</p>\n"
    for note in [*notes_of(found), *_notes_of_sound(sound, sound_origin)]:
        yield f'<p class="warn">{html.escape(note)}</p>\n'
    yield "</header>\n"
    yield from _player(sound, sound_origin)
    yield '<div class="picture">\n'
    yield from svg_of_page(scene)
    yield "</div>\n<main>\n<ol>\n"
    yield from _cards(found, window)
    yield f'</ol>\n</main>\n<script type="application/json" id="facts">{_json(facts)}</script>\n<script>{script}</script>\n'
    yield "</body>\n</html>\n"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: object) -> str:
    """JSON that is safe inside a script element: `<` is escaped."""
    text = json.dumps(value)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _about(found: Analysis) -> str:
    parts = [f"{clock(found.seconds, 0.1)} long", f"{found.frames:,} frames", clean(found.shape)]
    if found.started is not None:
        parts.insert(0, found.started.isoformat(sep=" ", timespec="seconds"))
    if found.model:
        parts.append(clean(found.model))
    return " · ".join(parts)


def _notes_of_sound(sound: Sound | None, origin: float) -> list[str]:
    if sound is None:
        return []
    notes = []
    if sound.foreign:
        notes.append(
            f"Audio whose rate is not {RATES[0]:,} to {RATES[-1]:,} samples a second is not in the sound. "
            "The command extract writes it."
        )
    if sound.full:
        notes.append(
            f"The sound ends at {clock(origin + sound.seconds, 0.1)}: a page holds ten minutes. "
            "The command extract writes all of it."
        )
    elif sound.rate < 24_000:
        notes.append(
            f"The sound has {sound.rate:,} samples a second, so that the page stays small. The command extract writes all."
        )
    return notes


def _player(sound: Sound | None, origin: float) -> Iterator[str]:
    yield f'<div class="player">\n<span id="now" aria-live="off">{clock(origin, 0.1)}</span>\n'
    if sound is None:
        yield '<span class="dim">no audio in this recording</span>\n'
    else:
        yield '<audio id="sound" controls preload="auto" src="data:audio/wav;base64,'
        wav = sound.wav()
        for place in range(0, len(wav), CHUNK):
            yield b64encode(wav[place : place + CHUNK]).decode()
        yield '"></audio>\n<span class="dim">left: user, right: model</span>\n'
    yield "</div>\n"


def _cards(found: Analysis, window: tuple[float, float]) -> Iterator[str]:
    """The turns in words."""
    items, cuts = _by_turn(found.items), _by_turn(found.interruptions)
    errors, tools = _by_turn(found.errors), _by_turn(found.tools)
    turns = [turn for turn in found.turns if window[0] <= turn.at.place <= window[1]]
    for turn in turns[:MOST_CARDS]:
        number = turn.number
        yield from _card(turn, items.get(number, []), cuts.get(number, []), errors.get(number, []), tools.get(number, []))
    more = len(turns) - MOST_CARDS + found.left_out.get("turns", 0)
    if more > 0 and len(turns) > MOST_CARDS:
        yield f'<li class="dim">and {more:,} more turns</li>\n'


def _by_turn(entries: Iterable[T]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for entry in entries:
        found.setdefault(entry.turn, []).append(entry)
    return found


def _card(
    turn: Turn, items: list[Item], cuts: list[Interruption], errors: list[ServerError], tools: list[ToolCall]
) -> Iterator[str]:
    place = min([turn.at.place, *(item.start for item in items)])
    yield f'<li data-place="{place:.3f}"><h2><button type="button" data-place="{place:.3f}">{clock(place, 0.1)}</button>'
    yield f"<span>turn {turn.number}</span>"
    if turn.latency is not None:
        since = html.escape((turn.latency_from or "").replace("_", " "))
        yield f'<span class="wait">{_length(turn.latency)} from {since} to the first audio</span>'
    if turn.audio_seconds:
        yield f'<span class="dim">{turn.audio_seconds:.2f} s of audio</span>'
    if turn.status not in (None, "completed"):
        yield f'<span class="red">{html.escape(clean(turn.status or ""))}</span>'
    yield "</h2>\n"
    for item in sorted(items, key=lambda item: item.start):
        if item.text:
            more = f" … {item.text_left_out:,} characters more" if item.text_left_out else ""
            yield f'<p><b class="{item.side}">{item.side}</b> {_apart(item.text)}{more}</p>\n'
    if turn.gaps:
        gaps = "1 gap" if turn.gaps == 1 else f"{turn.gaps} gaps, together"
        yield f'<p class="orange">{gaps} of {_length(turn.gap_seconds)}: the audio came too late</p>\n'
    for cut in cuts:
        yield f'<p class="red">{html.escape(_cut(cut.stopped, cut.heard_from, cut.heard_ms, cut.received_ms))}</p>\n'
    for error in errors:
        words = " ".join(part for part in (error.type, error.code, error.message) if part)
        yield f'<p class="red">error at {clock(error.at.place, 0.1)}: {_apart(words or error.source)}</p>\n'
    for call in tools:
        took = f" took {_length(call.seconds)}" if call.seconds is not None else "" if call.answered else ": no answer"
        name, arguments = _apart(call.name or "without a name"), _apart(call.arguments or "")
        yield f'<p class="violet">tool {name}({arguments}){took}</p>\n'
    yield "</li>\n"


def _apart(text: str) -> str:
    """Untrusted text, isolated so that its writing direction does not affect the text around it."""
    return f"<bdi>{html.escape(clean(text))}</bdi>"


def _cut(stopped: bool, known: str | None, heard: int | None, received: int) -> str:
    if not stopped:
        return "the user spoke beside the model; nothing says that playing stopped"
    how = {"truncate": "as the client said", "elapsed": "at most: the time since its first audio"}.get(
        known or "", "at most: what had come"
    )
    return f"interrupted: {(heard or 0) / 1000:.2f} of {received / 1000:.2f} s were heard ({how})"


def _length(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
