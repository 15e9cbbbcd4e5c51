"""What every client program in Python shares: the plan, the microphone, the clock of the loudspeaker, and the report.

A program gets the URL of a server and a file of speech (pcm16, 24,000 Hz). It holds the five turns of plan.json, prints one line
of JSON about what it heard, and ends with status 0. This module needs no package, because each program has its own environment.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

PLAN: dict[str, Any] = json.loads(Path(__file__).parents[1].joinpath("plan.json").read_text(encoding="utf-8"))
ASK = PLAN["ask"]
TOOL = PLAN["tool"]
RATE = 24_000
CHUNK_MS = 40
PATIENCE = 30.0  # seconds that a turn may take

URL = sys.argv[1]
SPEECH = Path(sys.argv[2]).read_bytes()
BASE_URL = f"{'https' if URL.startswith('wss') else 'http'}://{urlsplit(URL).netloc}/v1"
KEY = "sk-rehearsal"
Result = TypeVar("Result")


def milliseconds(pcm: bytes) -> float:
    """The length of pcm16 audio."""
    return len(pcm) / 2 / RATE * 1000


async def microphone() -> AsyncIterator[bytes]:
    """The speech, in the time that it takes to say it."""
    began = time.monotonic()
    size = RATE * CHUNK_MS // 1000 * 2
    for number, start in enumerate(range(0, len(SPEECH), size), 1):
        yield SPEECH[start : start + size]
        await asyncio.sleep(max(0.0, began + number * CHUNK_MS / 1000 - time.monotonic()))


class Loudspeaker:
    """How much of the newest item was played: audio plays as it comes, in the time that it takes."""

    def __init__(self) -> None:
        self.item: str | None = None
        self.received_ms = 0.0
        self.began = 0.0

    def write(self, item: str | None, pcm: bytes) -> None:
        """Plays audio of an item."""
        if item != self.item:
            self.item, self.received_ms, self.began = item, 0.0, time.monotonic()
        self.received_ms += milliseconds(pcm)

    @property
    def played_ms(self) -> int:
        """How much of the item was played by now."""
        return int(min(self.received_ms, (time.monotonic() - self.began) * 1000)) if self.item else 0

    @property
    def playing(self) -> bool:
        """Whether some of what came was not played yet."""
        return self.item is not None and self.played_ms < int(self.received_ms)

    async def play(self, milliseconds: float) -> None:
        """Waits until so much of the newest item was played."""
        await until(lambda: self.played_ms >= milliseconds)

    async def finish(self) -> None:
        """Waits until all that came was played."""
        await until(lambda: not self.playing)


class Report:
    """What a client has heard, by turn."""

    def __init__(self, client: str, package: str) -> None:
        self.about = {"client": client, "version": version(package)}
        self.turns: dict[str, dict[str, Any]] = {}
        self.complaints: list[str] = []

    def turn(self, name: str) -> dict[str, Any]:
        """A turn's row, from here on the newest."""
        log(f"--- {name}")
        return self.turns.setdefault(name, {})

    def end(self) -> None:
        """Prints the report."""
        print(json.dumps({**self.about, "turns": self.turns, "complaints": self.complaints}), flush=True)


def log(text: str) -> None:
    """For whoever looks at a program that has failed."""
    print(f"{time.monotonic():.2f} {text}", file=sys.stderr, flush=True)


async def soon(awaitable: Awaitable[Result]) -> Result:
    """The result, or TimeoutError."""
    return await asyncio.wait_for(awaitable, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what nothing tells of, or TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
