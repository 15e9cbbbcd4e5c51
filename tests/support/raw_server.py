"""A WebSocket server that is written out byte by byte, for what no library would send."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def frame(payload: bytes = b"", opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """One frame as a server sends it."""
    size = len(payload)
    head = bytes((opcode | 0x80 * fin,))
    if size < 126:
        return head + bytes((size,)) + payload
    if size < 65_536:
        return head + b"\x7e" + size.to_bytes(2, "big") + payload
    return head + b"\x7f" + size.to_bytes(8, "big") + payload


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(code.to_bytes(2, "big") + reason, CLOSE)


class Peer:
    """The server's end of one connection. request: the head of the client's handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.request = b""

    async def accept(self, *frames: bytes) -> None:
        """Answers the handshake; frames that go with the answer come in the same packet."""
        await self.read_request()
        self.answer(*frames)

    def answer(self, *frames: bytes) -> None:
        """What `accept` does once the request was read."""
        key = next(line.split(b": ")[1] for line in self.request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        token = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        self.send(head + token + b"\r\n\r\n" + b"".join(frames))

    async def read_request(self) -> None:
        self.request = await self.reader.readuntil(b"\r\n\r\n")

    def header(self, name: str) -> str | None:
        for line in self.request.decode().split("\r\n")[1:]:
            found, _, value = line.partition(": ")
            if found.lower() == name.lower():
                return value
        return None

    @property
    def target(self) -> str:
        return self.request.split(b" ")[1].decode()

    def send(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    async def receive(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame of the client."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        mask = await self.reader.readexactly(4)
        payload = int.from_bytes(await self.reader.readexactly(size), "big")
        return first & 15, (payload ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")).to_bytes(size, "big")

    async def until_closed(self) -> None:
        """Until the client's close frame, which is answered."""
        while (await self.receive())[0] != CLOSE:
            pass
        self.send(close_frame(1000))

    async def wait_closed(self) -> None:
        """Until the client's end of the TCP connection is closed; what it sends is read and dropped."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass


@asynccontextmanager
async def raw_server(handle: Callable[[Peer], Awaitable[None]], context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Its URL. Leaving the block raises what `handle` has raised, unless the client was gone."""
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            await handle(Peer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, limit=1 << 20)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'wss' if context else 'ws'}://localhost:{port}/v1/realtime"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
