"""A client of the loopback server for its tests: it sends what it is told, and reads what it waits for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import connect

from realtime_pcm.testing import LoopbackServer
from support.stream_clients import FRAMES, run


class Talk:
    """A client of one connection, which reads what it waits for."""

    def __init__(self, server: LoopbackServer, ws: Any) -> None:
        self.server = server
        self.ws = ws
        self.seen: list[dict[str, Any]] = []

    async def send(self, type_: str, **fields: Any) -> None:
        await self.ws.send(json.dumps({"type": type_, **fields}))

    async def until(self, *types: str, count: int = 1) -> dict[str, Any]:
        """Reads up to a message of one of these types; the one that was asked for."""
        while True:
            self.seen.append(json.loads(await self.ws.recv()))
            if self.seen[-1]["type"] in types:
                count -= 1
                if not count:
                    return self.seen[-1]

    async def ask(self, type_: str, *types: str, **fields: Any) -> dict[str, Any]:
        await self.send(type_, **fields)
        return await self.until(*types)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.seen]


def connected(url: str) -> Any:
    """A connection. A client that leaves frames unread would wait ten seconds for the answer to its close: max_queue."""
    return connect(url, max_size=None, max_queue=None)


def talking(talk: Callable[[Talk], Any], query: str = "", frames: Any = FRAMES, **options: Any) -> Any:
    """What `talk` returns, a client of a server with these frames and options."""

    async def session() -> Any:
        async with LoopbackServer(frames, **options) as server, connected(server.url + query) as ws:
            return await talk(Talk(server, ws))

    return run(session())
