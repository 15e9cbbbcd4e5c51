"""A caller as Twilio Media Streams presents one: it speaks, plays what it is sent, and sends marks back."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

FRAME = 160  # bytes of mu-law in 20 ms
HUM = (b"\x90" * 20 + b"\x10" * 20) * (FRAME // 40)
SILENCE = b"\xff" * FRAME


class TwilioLeg:
    """One call. heard: the mu-law that was played to its end; cleared: how often what waited was dropped."""

    def __init__(self, ws: Any, speed: float) -> None:
        self.heard = bytearray()
        self.marks: list[str] = []
        self.cleared = 0
        self._ws, self._speed = ws, speed
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, event: str, **fields: Any) -> None:
        await self._ws.send(json.dumps({"event": event, **fields, "streamSid": "MZ1"}))

    async def begin(self) -> None:
        await self._ws.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        audio = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        await self.send("start", sequenceNumber="1", start={"streamSid": "MZ1", "tracks": ["inbound"], "mediaFormat": audio})

    async def say(self, *frames: bytes) -> None:
        for number, frame in enumerate(frames):
            media = {"track": "inbound", "timestamp": str(20 * number), "payload": base64.b64encode(frame).decode()}
            await self.send("media", media=media)

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not happened():  # noqa: ASYNC110 - of what others do
                await asyncio.sleep(0.005)

    async def play(self) -> None:
        while True:
            event = await self._waiting.get()
            if event["event"] == "mark":
                await self._mark(event)
            else:
                audio = base64.b64decode(event["media"]["payload"])
                await asyncio.sleep(len(audio) / 8000 / self._speed)
                self.heard += audio

    async def receive(self) -> None:
        async for text in self._ws:
            event = json.loads(text)
            assert event["streamSid"] == "MZ1"
            if event["event"] == "clear":
                self.cleared += 1
                while not self._waiting.empty():
                    dropped = self._waiting.get_nowait()
                    if dropped["event"] == "mark":
                        await self._mark(dropped)
            else:
                self._waiting.put_nowait(event)

    async def _mark(self, event: dict[str, Any]) -> None:
        self.marks.append(event["mark"]["name"])
        await self.send("mark", mark=event["mark"])


@asynccontextmanager
async def call_bridge(bridge: Callable[[Any], Any], speed: float, *, hang_up: bool = True) -> AsyncIterator[TwilioLeg]:
    """A caller of `bridge`, which takes the socket of a phone. speed: how many times as fast as a telephone plays.

    hang_up: whether the caller ends the call; without it, the bridge may do so at once."""
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed

    async with serve(bridge, "127.0.0.1", 0, origins=[None]) as server:
        async with connect(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}") as ws:
            leg = TwilioLeg(ws, speed)
            tasks = [asyncio.create_task(leg.play()), asyncio.create_task(leg.receive())]
            try:
                with suppress(*([] if hang_up else [ConnectionClosed])):
                    await leg.begin()
                yield leg
                if hang_up:
                    await leg.send("stop")
                await ws.wait_closed()  # the bridge hangs up
            finally:
                for task in tasks:
                    task.cancel()
