"""What type checkers make of decode_stream. Never run: tests/typing/test_typing.py has mypy and pyright read it.

Each `type: ignore` is an error that must be found; both checkers report one that is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from typing import IO, Any, BinaryIO, TextIO, assert_type

import aiohttp
import picows.websockets
import websocket
import websockets.asyncio.client
import websockets.asyncio.server
import websockets.sync.client
import websockets.sync.server
from aiohttp import web
from openai.resources.beta.realtime.realtime import (
    AsyncRealtimeConnection as AsyncBetaConnection,
    RealtimeConnection as BetaConnection,
)
from openai.resources.realtime.realtime import AsyncRealtimeConnection, RealtimeConnection
from starlette.websockets import WebSocket

import realtime_pcm as rp
from realtime_pcm.messages import ResponseAudioDelta, ServerMessage
from realtime_pcm.stream import AsyncMessageStream, MessageStream


def sync_sources(
    frames: list[bytes],
    mixed: Iterable[bytes | str],
    views: Iterable[memoryview],
    generated: Generator[bytearray, None, None],
    binary: BinaryIO,
    text: TextIO,
    either: IO[bytes],
    client: websockets.sync.client.ClientConnection,
    server: websockets.sync.server.ServerConnection,
    openai: RealtimeConnection,
    beta: BetaConnection,
    websocket_client: websocket.WebSocket,
) -> None:
    assert_type(rp.decode_stream(frames), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(mixed), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(views), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(generated), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(binary), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(text), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(either), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(client), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(server), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(openai), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(beta), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(websocket_client), MessageStream[ServerMessage])
    with open("session.jsonl", "rb") as file:
        for message in rp.decode_stream(file):
            assert_type(message, ServerMessage)


async def async_sources(
    frames: AsyncIterable[bytes],
    mixed: AsyncIterable[bytes | str],
    generated: AsyncGenerator[str, None],
    client: websockets.asyncio.client.ClientConnection,
    server: websockets.asyncio.server.ServerConnection,
    aiohttp_client: aiohttp.ClientWebSocketResponse,
    aiohttp_server: web.WebSocketResponse,
    picows_client: picows.websockets.ClientConnection,
    openai: AsyncRealtimeConnection,
    beta: AsyncBetaConnection,
    starlette: WebSocket,
) -> None:
    assert_type(rp.decode_stream(frames), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(mixed), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(generated), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(client), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(server), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(aiohttp_client), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(aiohttp_server), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(picows_client), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(openai), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(beta), AsyncMessageStream[ServerMessage])
    assert_type(rp.decode_stream(starlette), AsyncMessageStream[ServerMessage])
    async for message in rp.decode_stream(client):
        assert_type(message, ServerMessage)


def errors(frames: list[bytes], connection: AsyncIterable[str]) -> None:
    strict = rp.decode_stream(frames, errors="raise")
    assert_type(strict, MessageStream[ServerMessage])
    assert_type(strict.skipped, int)
    assert_type(rp.decode_stream(connection).skipped, int)
    strict.decoder = rp.Decoder()  # type: ignore[misc]
    strict.skipped = 0  # type: ignore[misc]
    assert_type(rp.decode_stream(frames, errors="skip"), MessageStream[ServerMessage])
    stream = rp.decode_stream(frames, errors="yield")
    assert_type(stream, MessageStream[ServerMessage, rp.InvalidFrame])
    assert_type(rp.decode_stream(connection, errors="yield"), AsyncMessageStream[ServerMessage, rp.InvalidFrame])
    for message in stream:
        match message:
            case rp.InvalidFrame(frame, error):
                assert_type(error, rp.DecodeError)
                assert_type(frame, bytes | str)
            case ResponseAudioDelta(item_id=item):
                assert_type(item, str | None)
            case _:
                message.type  # noqa: B018 - every message has one
    rp.decode_stream(frames, errors="ignore")  # type: ignore[call-overload]


def options(frames: list[bytes], connection: AsyncIterable[str]) -> None:
    """A message that `only` leaves out is no None in a stream."""
    wanted = rp.decode_stream(frames, only=["error", ResponseAudioDelta], dtype="float32")
    assert_type(wanted, MessageStream[ServerMessage])
    assert_type(rp.decode_stream(frames, only=ResponseAudioDelta), MessageStream[ResponseAudioDelta])
    assert_type(rp.decode_stream(frames, decoder=rp.Decoder(only=["error"])), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(frames, decoder=rp.Decoder()), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(frames, decoder=wanted.decoder), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(connection, decoder=wanted.decoder, errors="skip"), AsyncMessageStream[ServerMessage])
    rp.decode_stream(frames, audio_format=rp.AudioFormat("g711_ulaw", 8000))
    rp.decode_stream(frames, audio_format="audio/pcmu")
    rp.decode_stream(frames, speed=2)  # type: ignore[call-overload]


def a_decoder(frame: bytes) -> None:
    assert_type(rp.Decoder().decode(frame), ServerMessage)
    assert_type(rp.Decoder(only=["error"]).decode(frame), ServerMessage | None)


def a_lone_frame(frame: bytes) -> int:
    rp.decode_stream(frame)
    return "not reached"  # both checkers know that the call never returns


def lone_text(frame: str) -> int:
    rp.decode_stream(frame)
    return "not reached"


async def connect() -> websockets.asyncio.client.ClientConnection:
    raise NotImplementedError


def not_awaited() -> int:
    rp.decode_stream(connect())
    return "not reached"


def wrong_sources(number: int, numbers: list[int], connector: websockets.asyncio.client.connect) -> None:
    rp.decode_stream(numbers)  # type: ignore[arg-type]
    rp.decode_stream(connector)  # type: ignore[arg-type]
    rp.decode_stream(number)  # type: ignore[call-overload]


def narrowing(frames: list[bytes]) -> Any:
    for message in rp.decode_stream(frames):
        if isinstance(message, ResponseAudioDelta):
            assert_type(message.response_id, str | None)
            return message.pcm
    return None
