"""The other direction: samples of a microphone to the text of an `input_audio_buffer.append`, by each package's own code.

The connections of the SDKs are the packages' own, on a socket that keeps what it is given in place of sending it: nothing of a
network is charged to them, and all that they do to a message is."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import numpy as np

from ..frames import APPEND
from ..microphone import ulaw_codes
from ..timing import clock

Payload = Any  # what the base64 encoders take: an array, or bytes


def ours() -> dict[str, Any]:
    from realtime_pcm import AudioEncoder

    def make(encode: Callable[[Any], str]) -> Any:
        def loop(chunks: Sequence[Any]) -> tuple[Any, ...]:
            for chunk in chunks:
                text = encode(chunk)
            return (text,)

        return loop

    pcm16, ulaw = make(AudioEncoder().encode), make(AudioEncoder(audio_format="g711_ulaw").encode)
    return {"int16": pcm16, "float32": pcm16, "ulaw": ulaw}


def pybase64_join() -> dict[str, Any]:
    import pybase64

    encode, head = pybase64.b64encode_as_string, '{"type":"input_audio_buffer.append","audio":"'

    def write(payload: Payload) -> str:
        return "".join((head, encode(payload), '"}'))

    return _loops(write)


def orjson_pybase64() -> dict[str, Any]:
    import orjson
    import pybase64

    dumps, encode = orjson.dumps, pybase64.b64encode_as_string

    def write(payload: Payload) -> str:
        return dumps({"type": APPEND, "audio": encode(payload)}).decode()  # a str: bytes would be sent as a binary frame

    return _loops(write)


def json_base64() -> dict[str, Any]:
    dumps, encode = json.dumps, base64.b64encode

    def write(payload: Payload) -> str:
        return dumps({"type": APPEND, "audio": encode(payload).decode()})

    return _loops(write)


def openai_append() -> dict[str, Any]:
    connection, socket = _openai_connection()
    append, encode = connection.input_audio_buffer.append, base64.b64encode

    async def send(payload: Payload) -> None:
        await append(audio=encode(payload).decode())

    return _async_loops(send, socket)


def openai_send_raw() -> dict[str, Any]:
    """The SDK's connection, the text made by json and base64."""
    connection, socket = _openai_connection()
    send_raw, dumps, encode = connection.send_raw, json.dumps, base64.b64encode

    async def send(payload: Payload) -> None:
        await send_raw(dumps({"type": APPEND, "audio": encode(payload).decode()}))

    return _async_loops(send, socket)


def azure_append() -> dict[str, Any]:
    from azure.ai.voicelive.aio import VoiceLiveConnection

    socket = Socket()
    connection = VoiceLiveConnection(cast(Any, None), cast(Any, socket))
    append, encode = connection.input_audio_buffer.append, base64.b64encode

    async def send(payload: Payload) -> None:
        await append(audio=encode(payload).decode())

    return _async_loops(send, socket)


class Socket:
    """A WebSocket of `websockets` or `aiohttp` as far as sending goes, that keeps the last text."""

    text = ""

    async def send(self, text: str) -> None:
        self.text = text

    send_str = send


def _openai_connection() -> tuple[Any, Socket]:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

    socket = Socket()
    return AsyncRealtimeConnection(cast(Any, socket)), socket


def int16_of(samples: Any) -> Any:
    """float32 in [-1, 1) to int16, as NumPy does it: scaled, rounded half to even, saturated."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2")


def _payloads() -> dict[str, Callable[[Any], Payload]]:
    codes = ulaw_codes()

    def ulaw_of(samples: Any) -> Any:
        return codes[samples.view(np.uint16)]

    return {"float32": int16_of, "ulaw": ulaw_of}


def _loops(write: Callable[[Payload], str]) -> dict[str, Any]:
    def plain(chunks: Sequence[Any]) -> tuple[Any, ...]:
        for chunk in chunks:
            text = write(chunk)
        return (text,)

    def make(convert: Callable[[Any], Payload]) -> Any:
        def loop(chunks: Sequence[Any]) -> tuple[Any, ...]:
            for chunk in chunks:
                text = write(convert(chunk))
            return (text,)

        return loop

    return {"int16": plain, **{kind: make(convert) for kind, convert in _payloads().items()}}


class AsyncLoop:
    """A loop like the others, and `time(chunks, passes)`: inside one running event loop, so that none is started in between."""

    def __init__(self, one_pass: Callable[[Sequence[Any]], Awaitable[None]], socket: Socket) -> None:
        self._one_pass = one_pass
        self._socket = socket
        self._events = asyncio.new_event_loop()

    def __call__(self, chunks: Sequence[Any]) -> tuple[Any, ...]:
        self.time(chunks, 1)
        return (self._socket.text,)

    def time(self, chunks: Sequence[Any], passes: int) -> int:
        async def run() -> int:
            start = clock()
            for _ in range(passes):
                await self._one_pass(chunks)
            return clock() - start

        return self._events.run_until_complete(run())


def _async_loops(send: Callable[[Payload], Awaitable[None]], socket: Socket) -> dict[str, Any]:
    async def plain(chunks: Sequence[Any]) -> None:
        for chunk in chunks:
            await send(chunk)

    def make(convert: Callable[[Any], Payload]) -> Any:
        async def one_pass(chunks: Sequence[Any]) -> None:
            for chunk in chunks:
                await send(convert(chunk))

        return one_pass

    passes = {"int16": plain, **{kind: make(convert) for kind, convert in _payloads().items()}}
    return {kind: AsyncLoop(one_pass, socket) for kind, one_pass in passes.items()}
