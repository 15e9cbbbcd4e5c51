"""The loopback server stops in time, whatever its clients are doing."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("websockets")

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime_pcm.testing import LoopbackServer, loopback, recorded, server as server_module
from realtime_pcm.testing.server import MAX_MESSAGE
from support.command import interrupted, serving
from support.stream_clients import FRAMES, run

HANDSHAKE = (
    "GET /v1/realtime%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TOO_LONG = b"\x81\xff" + (MAX_MESSAGE + 1).to_bytes(8, "big") + b"mask"
# The query of its URL, and what it sends after the handshake.
CLIENTS = {
    "never answers the close": ("", b""),
    "announces a message that is too long": ("", TOO_LONG),
    "sends half a message": ("", b"\x81\xe4mask" + b"x" * 50),
    "sends half a close": ("", b"\x88\x82ma"),
    "reads nothing of what it asked for": ("?autoplay=1", b""),
}
# A second of grace by default. Well below 10 seconds, after which websockets itself gives up on some of these clients.
LEAVES = 5.0


def stuck(port: int, name: str) -> socket.socket:
    """A client that stays connected, and does not do its part of the protocol."""
    query, sent = CLIENTS[name]
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall((HANDSHAKE % query).encode())
    assert client.recv(12) == b"HTTP/1.1 101"
    client.sendall(sent)
    return client


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CLOSING_SECONDS", 0.05)


async def leave(server: LoopbackServer) -> None:
    await asyncio.wait_for(server.__aexit__(None, None, None), LEAVES)


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize("name", CLIENTS)
def test_no_client_holds_the_server(name: str) -> None:
    frames = [*FRAMES, *[json.dumps({"type": "x", "text": "x" * 1_000_000})] * 20]  # more than a socket takes unread

    async def talk() -> None:
        before = asyncio.all_tasks()
        server = LoopbackServer(frames)
        await server.__aenter__()
        with await asyncio.to_thread(stuck, server.port, name):
            await leave(server)
            assert asyncio.all_tasks() == before  # asyncio.run would wait for what is left

    run(talk())


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize("sent", [b"", HANDSHAKE[:40].encode()])
def test_no_connection_without_a_handshake_holds_the_server(sent: bytes) -> None:
    async def talk() -> None:
        before = asyncio.all_tasks()
        server = LoopbackServer(FRAMES)
        await server.__aenter__()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(sent)
            async with connect(server.url) as ws:  # clients are accepted in turn
                await ws.recv()
            await leave(server)
            assert asyncio.all_tasks() == before

    run(talk())


def test_a_client_that_answers_sees_the_server_go_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CLOSING_SECONDS", 20.0)  # it is not waited for

    async def talk() -> None:
        server = LoopbackServer(FRAMES)
        await server.__aenter__()
        async with connect(server.url) as ws:
            await ws.recv()
            await leave(server)
            with pytest.raises(ConnectionClosed) as closed:
                await ws.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001

    run(talk())


@pytest.mark.usefixtures("_hurried")
def test_leaving_ends_a_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that converts an hour of audio would keep the process alive."""
    server = LoopbackServer(FRAMES)
    converting, ended = threading.Event(), threading.Event()

    def resample(samples: Any, rate: int, to_rate: int) -> Any:
        converting.set()
        while not server.script.recording.stopped:
            pass
        return samples

    def in_format(*arguments: Any) -> Any:
        try:
            return convert(*arguments)
        finally:
            ended.set()

    convert = server.script.recording.in_format
    monkeypatch.setattr(recorded, "resample", resample)
    monkeypatch.setattr(server.script.recording, "in_format", in_format)

    async def talk() -> None:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
        await server.__aenter__()
        async with connect(server.url) as ws:
            session = {"type": "realtime", "audio": {"output": {"format": {"type": "audio/pcmu"}}}}
            await ws.send(json.dumps({"type": "session.update", "session": session}))
            assert await asyncio.to_thread(converting.wait, 10)
            await leave(server)
        assert await asyncio.to_thread(ended.wait, 10)
        assert not faults
        assert not server.script.recording._converted

    run(talk())
    recording = server.script.recording
    assert len(recording.in_format(recording.formats[1])) == len(recording.turn)


@pytest.mark.usefixtures("_hurried")
def test_a_server_can_be_entered_again() -> None:
    async def talk() -> None:
        server = LoopbackServer(FRAMES)
        for _ in range(2):
            async with server, connect(server.url) as ws:
                session = {"type": "realtime", "audio": {"output": {"format": {"type": "audio/pcmu"}}}}
                await ws.recv()
                await ws.send(json.dumps({"type": "session.update", "session": session}))
                assert json.loads(await ws.recv())["type"] == "session.updated"

    run(talk())


@pytest.mark.usefixtures("_hurried")
def test_the_thread_of_a_loopback_ends() -> None:
    before = threading.active_count()
    with loopback(FRAMES) as server:
        client = stuck(server.port, "announces a message that is too long")
    with client:
        assert threading.active_count() == before


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_serve(times: int) -> None:
    with serving() as (process, url):
        port = urlsplit(url).port or 0
        with stuck(port, "announces a message that is too long"), stuck(port, "never answers the close"):
            assert interrupted(process, times=times, timeout=LEAVES)
