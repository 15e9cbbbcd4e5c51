"""decode_stream over the sockets of web servers and of websocket-client, each with a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytest.importorskip("websockets")
from websockets.asyncio.client import connect

import realtime_pcm as rp
from realtime_pcm.testing import loopback
from support.stream_clients import EVENTS, FRAMES, PCM, audio_of, request, run

TYPES = [event["type"] for event in EVENTS]


@asynccontextmanager
async def fastapi_server(handle: Callable[[Any], Awaitable[None]]) -> AsyncIterator[str]:
    """The URL of a FastAPI application under uvicorn, whose one endpoint is `handle`."""
    fastapi, uvicorn = pytest.importorskip("fastapi"), pytest.importorskip("uvicorn")
    app = fastapi.FastAPI()

    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        await handle(websocket)

    endpoint.__annotations__["websocket"] = fastapi.WebSocket
    app.add_api_websocket_route("/", endpoint)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="websockets-sansio", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.005)
    try:
        yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("as_text", [True, False])
def test_a_fastapi_websocket_gives_text_and_bytes(as_text: bool) -> None:
    got: list[Any] = []

    async def handle(websocket: Any) -> None:
        stream = rp.decode_stream(websocket)
        got.extend([message async for message in stream])
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    async def talk() -> None:
        async with fastapi_server(handle) as url, connect(url) as ws:
            for frame in FRAMES:
                await ws.send(frame.decode() if as_text else frame)

    run(talk())
    assert [message.type for message in got] == TYPES and audio_of(got) == PCM


def test_a_browser_that_does_not_close_cleanly_is_starlettes_own_exception() -> None:
    starlette = pytest.importorskip("starlette.websockets")
    got: list[Any] = []

    async def handle(websocket: Any) -> None:
        try:
            async for message in rp.decode_stream(websocket, side="client", errors="yield"):
                got.append(message)
        except starlette.WebSocketDisconnect as error:
            got.append(error)

    async def talk() -> None:
        async with fastapi_server(handle) as url, connect(url) as ws:
            await ws.send("no JSON")
            await ws.send(request("response.create")[0])
            await ws.close(4001, "left")

    run(talk())
    invalid, message, error = got
    assert isinstance(invalid, rp.InvalidFrame) and message.type == "response.create"
    assert (error.code, error.reason) == (4001, "left")


def test_a_websocket_that_was_not_accepted_is_a_type_error_that_says_so() -> None:
    websockets = pytest.importorskip("starlette.websockets")

    async def talk() -> None:
        async def receive() -> Any:
            return {"type": "websocket.connect"}

        socket = websockets.WebSocket({"type": "websocket", "path": "/", "headers": []}, receive, receive)
        with pytest.raises(TypeError, match=r"await websocket\.accept\(\)"):
            await anext(rp.decode_stream(socket))

    run(talk())


# --- websocket-client


def listen(query: str) -> tuple[list[Any], Exception | None]:
    websocket = pytest.importorskip("websocket")
    got: list[Any] = []
    with loopback(FRAMES, autoplay=True) as server:
        ws = websocket.create_connection(f"{server.url}?{query}", timeout=20)
        stream = rp.decode_stream(ws)
        try:
            got.extend(iter(stream.__next__, None))
        except websocket.WebSocketException as error:
            return got, error
        finally:
            ws.shutdown()
        with pytest.raises(StopIteration):
            next(stream)
    return got, None


@pytest.mark.parametrize("fault", ["fault=unknown_type@999", "fault=binary@0"])
def test_websocket_client_ends_with_the_close_frame(fault: str) -> None:
    got, error = listen(fault)
    assert error is None
    assert [message.type for message in got] == TYPES and audio_of(got) == PCM


def test_websocket_client_tells_the_code_of_a_close_that_is_not_clean() -> None:
    assert listen("fault=close_1001@6")[1] is None
    got, error = listen("fault=close_1011@6")
    assert len(audio_of(got)) == 60_000
    assert type(error).__name__ == "WebSocketConnectionClosedException" and "code 1011" in str(error)


# --- what is refused


def test_sources_that_hand_out_no_frames_are_told_the_way() -> None:
    class Consumer:  # as those of Django Channels, Quart or tornado
        async def receive(self) -> str:
            return ""

    for source in (Consumer(), object(), 5):
        with pytest.raises(TypeError, match=r"pass a generator.*Decoder\(\)\.decode\(frame\)"):
            rp.decode_stream(source)
    with pytest.raises(TypeError, match="not a mapping: dict"):
        rp.decode_stream({"type": "response.create"})
