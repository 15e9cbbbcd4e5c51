"""The clients of the stream tests, all behind one face: connect, ask for the recorded turn, stream it to the end."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

import numpy as np
import pytest

from realtime_pcm import sample

FRAMES = sample.lines()
EVENTS = [json.loads(frame) for frame in FRAMES]
PCM = b"".join(base64.b64decode(event["delta"]) for event in EVENTS if event["type"] == "response.output_audio.delta")
TRANSCRIPT = next(event["transcript"] for event in EVENTS if event["type"] == "response.output_audio_transcript.done")
AUDIO = "response.output_audio.delta"


def is_of_the_user(event: dict[str, Any]) -> bool:
    """Whether the recorded server says it of the user's speech: a client that asks by text is not told so."""
    about = event["type"].startswith(("input_audio_buffer.", "conversation.item.input_audio_transcription."))
    return bool(about or event.get("item", {}).get("role") == "user")


# What a client that sends no audio gets for a response.create.
ANSWERED = [event for event in EVENTS if not is_of_the_user(event)]
# Speech of the user: a tone of 600 ms, and the silence after it.
SPEECH = np.concatenate([np.rint(8_000 * np.sin(np.arange(14_400) / 9)), np.zeros(19_200)]).astype(np.int16)


def at_rate(rate: int) -> Any:
    """The recorded speech at another rate, resampled at once by soxr itself."""
    soxr = pytest.importorskip("soxr")
    pcm = np.frombuffer(PCM, "<i2").astype(np.float32) / 32768
    return np.clip(np.rint(soxr.resample(pcm, 24_000, rate, quality="HQ") * 32768), -32768, 32767).astype(np.int16)


Connect = Callable[[str], AbstractAsyncContextManager[Any]]
SyncConnect = Callable[[str], AbstractContextManager[Any]]


def _query(url: str) -> dict[str, Any]:
    from urllib.parse import parse_qs, urlsplit

    return {key: values if len(values) > 1 else values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def _base(url: str) -> str:
    return "http" + url.partition("?")[0].removeprefix("ws").removesuffix("/realtime")


def openai_options(base_url: str) -> dict[str, str]:
    # The beta connection does not make ws: of http: by itself.
    return {"api_key": "loopback", "base_url": base_url, "websocket_base_url": base_url.replace("http", "ws", 1)}


@asynccontextmanager
async def websockets_asyncio(url: str) -> AsyncIterator[Any]:
    connect = pytest.importorskip("websockets.asyncio.client").connect
    async with connect(url, max_size=None) as ws:
        yield ws


@asynccontextmanager
async def aiohttp_client(url: str) -> AsyncIterator[Any]:
    aiohttp = pytest.importorskip("aiohttp")
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as ws:
        yield ws


@asynccontextmanager
async def aiohttp_bytes(url: str) -> AsyncIterator[Any]:
    """With aiohttp's own decoding to str turned off."""
    aiohttp = pytest.importorskip("aiohttp")
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0, decode_text=False) as ws:
        yield ws


@asynccontextmanager
async def picows_websockets(url: str) -> AsyncIterator[Any]:
    connect = pytest.importorskip("picows.websockets.asyncio.client").connect
    async with connect(url, max_size=None) as ws:
        yield ws


@asynccontextmanager
async def openai_async(url: str) -> AsyncIterator[Any]:
    openai = pytest.importorskip("openai")
    client = openai.AsyncOpenAI(**openai_options(_base(url)))
    async with client.realtime.connect(model="gpt-realtime", extra_query=_query(url)) as connection:
        yield connection


@asynccontextmanager
async def openai_beta_async(url: str) -> AsyncIterator[Any]:
    openai = pytest.importorskip("openai")
    client = openai.AsyncOpenAI(**openai_options(_base(url)))
    async with client.beta.realtime.connect(model="gpt-realtime", extra_query=_query(url)) as connection:
        yield connection


@contextmanager
def websockets_sync(url: str) -> Iterator[Any]:
    connect = pytest.importorskip("websockets.sync.client").connect
    with connect(url, max_size=None) as ws:
        yield ws


@contextmanager
def openai_sync(url: str) -> Iterator[Any]:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(**openai_options(_base(url)))
    with client.realtime.connect(model="gpt-realtime", extra_query=_query(url)) as connection:
        yield connection


@contextmanager
def openai_beta_sync(url: str) -> Iterator[Any]:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(**openai_options(_base(url)))
    with client.beta.realtime.connect(model="gpt-realtime", extra_query=_query(url)) as connection:
        yield connection


ASYNC_CLIENTS: list[Connect] = [
    websockets_asyncio,
    aiohttp_client,
    aiohttp_bytes,
    picows_websockets,
    openai_async,
    openai_beta_async,
]
SYNC_CLIENTS: list[SyncConnect] = [websockets_sync, openai_sync, openai_beta_sync]


def request(*types: str) -> list[str]:
    """The client's part, as JSON."""
    session = {"type": "realtime", "instructions": "Be brief."}
    return [json.dumps({"type": type_, **({"session": session} if type_ == "session.update" else {})}) for type_ in types]


def sender(connection: Any) -> Callable[[str], Any]:
    """The call of a connection that sends a text frame."""
    for name in ("send_raw", "send_str"):
        if hasattr(connection, name):
            return getattr(connection, name)  # type: ignore[no-any-return]
    if hasattr(connection, "recv_bytes"):  # openai's beta connection takes events
        return lambda text: connection.send(json.loads(text))
    return connection.send  # type: ignore[no-any-return]


async def ask(connection: Any, *types: str) -> None:
    for text in request(*types or ("session.update", "response.create")):
        await sender(connection)(text)


def ask_sync(connection: Any, *types: str) -> None:
    for text in request(*types or ("session.update", "response.create")):
        sender(connection)(text)


def audio_of(messages: list[Any], response_id: str | None = None) -> bytes:
    pieces = [m.pcm for m in messages if m.type == AUDIO and response_id in (None, m.response_id)]
    return np.concatenate(pieces).tobytes() if pieces else b""


def transcript_of(messages: list[Any]) -> str:
    return "".join(m.delta for m in messages if m.type == "response.output_audio_transcript.delta")


def run(coroutine: Any) -> Any:
    """asyncio.run with a bound: a stream that hangs is a failure, not a wait."""

    async def bounded() -> Any:
        return await asyncio.wait_for(coroutine, 30)

    return asyncio.run(bounded())
