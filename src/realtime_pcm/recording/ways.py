"""Directions of other people's recordings: which scalar beside the frames says who sent them, and what its words mean."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from .shapes.frames import Direction

__all__ = ["DIRECTIONS", "Ways", "find_ways"]

DIRECTION_KEYS = ("direction", "dir", "side", "source", "from", "sender", "origin")
MOST_WORDS = 16  # of one member; more of them say something else

_RECEIVED = (
    "received recv receive in inbound incoming rx server from_server server_to_client down downstream input read on "
    "< <- << ← ↓ s2c s>c s->c server->client assistant model openai from_openai response"
)
_SENT = (
    "sent send out outbound outgoing tx client from_client client_to_server to_server up upstream output write emit "
    "> -> >> → ↑ c2s c>s c->s client->server user app to_openai request"
)
_WORDS: dict[str, Direction] = {
    **dict.fromkeys(_RECEIVED.split(), "received"),
    **dict.fromkeys(_SENT.split(), "sent"),
}
# The same as they stand in a line of JSON.
DIRECTIONS: dict[bytes, Direction] = {json.dumps(word, ensure_ascii=False).encode(): way for word, way in _WORDS.items()}


class Ways:
    """What the words of one member mean.

    name: of the member; None if no member says who sent a frame. words: what the first frames have taught, by the words as JSON.
    """

    def __init__(self, name: str | None = None, words: Mapping[str, Direction] = {}) -> None:
        self.name = name
        self._words = {**_WORDS, **words}
        self.words: dict[bytes, Direction] = {
            **DIRECTIONS,
            **{json.dumps(word, ensure_ascii=False).encode(): way for word, way in words.items()},
        }

    def of(self, word: object) -> Direction | None:
        """The direction that a scalar means; None for one that is not known."""
        return (self._words.get(word) or self._words.get(word.lower())) if isinstance(word, str) else None

    def of_json(self, value: bytes) -> Direction | None:
        """The same, of a scalar as JSON."""
        if b"\\" in value:
            with suppress(ValueError):
                return self.of(json.loads(value))
        return self.words.get(value) or self.words.get(value.lower())


def find_ways(
    beside: Sequence[Mapping[str, object]], sides: Sequence[tuple[Direction, ...]], is_type: Callable[[str], bool]
) -> Ways:
    """What says who sent a frame. sides: for each of the first frames, on which sides its type is known.

    Where the types of frames say what a word means, they are believed: the log may be that of the other end.
    """
    best: tuple[tuple[int, ...], Ways] | None = None
    for place, name in enumerate(dict.fromkeys(name for scalars in beside for name in scalars)):
        words: dict[str, Counter[Direction]] = {}
        for scalars, known in zip(beside, sides, strict=True):
            word = scalars.get(name)
            if isinstance(word, str) and len(words) <= MOST_WORDS:
                counts = words.setdefault(word, Counter())
                if len(known) == 1:
                    counts[known[0]] += 1
        if not words or len(words) > MOST_WORDS or any(map(is_type, words)):
            continue
        learned: dict[str, Direction] = {}
        for word, counts in words.items():
            way, count = counts.most_common(1)[0] if counts else ("received", 0)
            if count > 0.95 * counts.total():
                learned[word] = way
        told = len(learned) == len(words) and len(set(learned.values())) == 2
        meant = {_WORDS.get(word.lower()) for word in words}
        named = DIRECTION_KEYS.index(name) if name in DIRECTION_KEYS else len(DIRECTION_KEYS)
        if not told and named == len(DIRECTION_KEYS) and meant != {"received", "sent"}:
            continue
        if len(words) == 2 and len(learned) == 1 and None in meant:
            # The types tell what one of two words means: the other means the opposite.
            other = next(word for word in words if word not in learned)
            learned[other] = "sent" if "received" in learned.values() else "received"
        rank = (0 if told else 1, named, 0 if None not in meant else 1, len(words), place)
        if best is None or rank < best[0]:
            best = rank, Ways(name, learned)
    return best[1] if best is not None else Ways()
