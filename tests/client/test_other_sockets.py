"""Calls with Gemini Live and ElevenLabs: the handshake, the first message, audio of both directions, what is not sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

pytest.importorskip("picows")
pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm.client import CallRefused, Endpoint, connect, elevenlabs, gemini
from realtime_pcm.sockets import elevenlabs as agents, gemini as live, twilio
from support.stream_clients import run

KEY = "key-of-a-test-0123456789"
NAMES = "GOOGLE_API_KEY GEMINI_API_KEY GOOGLE_GEMINI_BASE_URL ELEVENLABS_API_KEY".split()
PCM = np.arange(-800, 800, dtype=np.int16)


@pytest.fixture(autouse=True)
def _no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


class Server:
    """What clients have asked for and sent. Each frame that comes goes to `answer`."""

    def __init__(self, answer: Callable[[Any, dict[str, Any]], Awaitable[None]]) -> None:
        self.url = ""
        self.received: list[dict[str, Any]] = []
        self.requests: list[Any] = []
        self.kinds: set[type] = set()
        self._answer = answer

    async def talk(self, ws: Any) -> None:
        self.requests.append(ws.request)
        async for frame in ws:
            self.kinds.add(type(frame))
            self.received.append(json.loads(frame))
            await self._answer(ws, self.received[-1])


@asynccontextmanager
async def server(answer: Callable[[Any, dict[str, Any]], Awaitable[None]]) -> AsyncIterator[Server]:
    from websockets.asyncio.server import serve

    made = Server(answer)
    async with serve(made.talk, "127.0.0.1", 0) as listening:
        made.url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
        yield made


async def answer_as_gemini(ws: Any, said: dict[str, Any]) -> None:
    if "setup" in said:
        await ws.send(b'{\n  "setupComplete": {"sessionId": "s1"}\n}\n')
    elif said.get("realtimeInput", {}).get("audioStreamEnd"):
        speech = rp.AudioEncoder(live.ServerContent, audio_format="pcm16", format="audio/pcm;rate=24000")
        await ws.send(speech.encode_bytes(PCM))
        await ws.send(live.ServerContent(turn_complete=True, usage_metadata={"totalTokenCount": 7}).frame_text)
        await ws.close()


def test_a_call_with_gemini() -> None:
    async def talk() -> tuple[Server, list[Any]]:
        async with server(answer_as_gemini) as there:
            endpoint = gemini("a-model", setup={"systemInstruction": {"parts": []}}, key=KEY, base_url=there.url)
            async with connect(endpoint) as call:
                await call.send_audio(PCM)
                await call.send_audio(PCM, rate=48_000)
                await call.send(live.RealtimeInput(audio_stream_end=True))
                return there, [message async for message in call]

    pytest.importorskip("soxr")
    there, got = run(talk())
    [request] = there.requests
    assert request.path == "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    assert request.headers["x-goog-api-key"] == KEY and "Authorization" not in request.headers
    setup, *audio, end = there.received
    assert setup == {
        "setup": {
            "model": "models/a-model",
            "generationConfig": {"responseModalities": ["AUDIO"]},
            "systemInstruction": {"parts": []},
        }
    }
    assert end == {"realtimeInput": {"audioStreamEnd": True}}  # no event_id: Gemini refuses keys that it does not know
    assert there.kinds == {str}
    heard = [rp.decode(json.dumps(frame), catalogue=live, side="client") for frame in audio]
    assert {message.format for message in heard} == {"audio/pcm;rate=16000"}
    assert np.array_equal(heard[0].pcm, PCM)
    # The end of speech sends what the resampler still holds.
    assert len(np.concatenate([message.pcm for message in heard[1:]])) == pytest.approx(len(PCM) / 3, abs=1)
    assert [type(message) for message in got] == [live.SetupComplete, live.ServerContent, live.ServerContent]
    assert got[0].session_id == "s1" and got[2].usage_metadata == {"totalTokenCount": 7}
    assert np.array_equal(got[1].pcm, PCM) and got[1].audio_format == rp.AudioFormat("pcm16", 24_000)


async def answer_as_elevenlabs(ws: Any, said: dict[str, Any]) -> None:
    if said.get("type") == "conversation_initiation_client_data":
        formats = {"agent_output_audio_format": "pcm_16000", "user_input_audio_format": "ulaw_8000"}
        event = {"conversation_id": "c1", **formats}
        first = {"conversation_initiation_metadata_event": event, "type": "conversation_initiation_metadata"}
        await ws.send(json.dumps(first))
        await ws.send('{"ping_event":{"event_id":5,"ping_ms":null},"type":"ping"}')
    elif said.get("type") == "pong":
        audio = agents.Audio(number=1, pcm=PCM.tobytes()).to_dict()
        await ws.send(json.dumps(dict(reversed(audio.items()))))  # its type last, as the server sends it
        await ws.close()


def test_a_call_with_elevenlabs() -> None:
    async def talk() -> tuple[Server, list[Any], rp.AudioFormat]:
        async with server(answer_as_elevenlabs) as there:
            first = agents.ConversationInitiationClientData(dynamic_variables={"name": "Ada"})
            got = []
            async with connect(elevenlabs("agent_1", first=first, key=KEY, base_url=there.url)) as call:
                await call.send_audio(PCM)
                async for message in call:
                    got.append(message)
                    if isinstance(message, agents.Ping):
                        await call.send(agents.Pong(event_id=message.number))
                return there, got, call.session.input_audio_format

    there, got, input_format = run(talk())
    [request] = there.requests
    assert request.path == "/v1/convai/conversation?agent_id=agent_1" and request.headers["xi-api-key"] == KEY
    first, audio, pong = there.received
    assert first == {"type": "conversation_initiation_client_data", "dynamic_variables": {"name": "Ada"}}
    assert pong == {"type": "pong", "event_id": 5}
    # It waited for the first message of the server, which names the format.
    assert input_format == rp.AudioFormat("g711_ulaw", 8000)
    heard = rp.decode(json.dumps(audio), catalogue=agents, side="client", audio_format=input_format)
    assert isinstance(heard, agents.UserAudioChunk) and heard.pcm.size == PCM.size
    assert [type(message) for message in got] == [agents.ConversationInitiationMetadata, agents.Ping, agents.Audio]
    assert got[2].audio_format == rp.AudioFormat("pcm16", 16_000) and np.array_equal(got[2].pcm, PCM)


def test_a_signed_url_takes_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)

    async def talk() -> Server:
        async with server(answer_as_elevenlabs) as there:
            signed = f"{there.url}/v1/convai/conversation?agent_id=a&conversation_signature=cvtkn_0123456789"
            endpoint = elevenlabs(signed_url=signed)
            assert "cvtkn" not in repr(endpoint)
            async with connect(endpoint) as call:
                await anext(call)
            return there

    there = run(talk())
    [request] = there.requests
    assert request.path.endswith("?agent_id=a&conversation_signature=cvtkn_0123456789") and "xi-api-key" not in request.headers
    assert there.received == [{"type": "conversation_initiation_client_data"}]


def test_where_the_keys_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    def headers(endpoint: Endpoint[Any]) -> dict[str, str]:
        return run(endpoint.handshake_headers())[0]  # type: ignore[no-any-return]

    with pytest.raises(ValueError, match="GEMINI_API_KEY"):
        gemini("m")
    monkeypatch.setenv("GEMINI_API_KEY", "gemini-key")
    assert headers(gemini("m")) == {"x-goog-api-key": "gemini-key"}
    monkeypatch.setenv("GOOGLE_API_KEY", "google-key")  # its SDK prefers this one
    assert headers(gemini("m")) == {"x-goog-api-key": "google-key"}
    url = "wss://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContent"
    assert gemini("m", api_version="v1alpha").url == url
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://gateway.example/")
    assert gemini("m").url.startswith("wss://gateway.example/ws/google.ai.")
    assert gemini("tunedModels/m").first.model == "tunedModels/m"
    assert headers(elevenlabs("agent_1")) == {}
    monkeypatch.setenv("ELEVENLABS_API_KEY", "eleven-key")
    assert headers(elevenlabs("agent_1")) == {"xi-api-key": "eleven-key"}
    assert elevenlabs("agent_1").url == "wss://api.elevenlabs.io/v1/convai/conversation?agent_id=agent_1"
    for wrong in ({}, {"agent_id": "a", "signed_url": "wss://b"}):
        with pytest.raises(ValueError, match="either an agent_id or a signed_url"):
            elevenlabs(**wrong)


def test_an_endpoint_of_another_socket() -> None:
    """With a catalogue an endpoint says how audio is sent, or connect() does; without either, send_audio() says so."""

    async def answer(ws: Any, said: dict[str, Any]) -> None:
        await ws.send('{"event":"start","streamSid":"MZ1","start":{"mediaFormat":{"encoding":"PCMU","sampleRate":8000}}}')

    async def talk() -> Server:
        async with server(answer) as there:
            endpoint = Endpoint(there.url, catalogue=twilio, first=twilio.Clear(stream_sid="MZ1"))
            async with connect(endpoint) as call:
                assert isinstance(await anext(call), twilio.Start)
                with pytest.raises(TypeError, match="append="):
                    await call.send_audio(PCM)
                with pytest.raises(rp.DecodeError):
                    await call.send("{")
            async with connect(endpoint, append=rp.AudioEncoder(twilio.SendMedia, audio_format="pcmu", stream_sid="MZ1")) as call:
                await call.send_audio(PCM)
                await anext(call)
                await anext(call)
            async with connect(endpoint, only=twilio.Mark, append=twilio.SendMedia) as call:
                await call.send_audio(PCM)  # what only= leaves out settles the session too
                assert call.session.input_audio_format == rp.AudioFormat("g711_ulaw", 8000)
                await asyncio.sleep(0.05)
            return there

    there = run(talk())
    assert [frame["event"] for frame in there.received] == ["clear", "clear", "media", "clear", "media"]
    assert there.received[2]["streamSid"] == "MZ1"
    assert there.received[2]["media"] == there.received[4]["media"]


def test_a_refusal_of_gemini_shows_no_key() -> None:
    from websockets.asyncio.server import serve

    def refuse(connection: Any, request: Any) -> Any:
        return connection.respond(403, f"no such key: {request.headers['x-goog-api-key']}")

    async def talk() -> None:
        async with serve(lambda ws: None, "127.0.0.1", 0, process_request=refuse) as listening:  # type: ignore[return-value]
            url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
            with pytest.raises(CallRefused, match=r"403 Forbidden: no such key: \*\*\*"):
                async with connect(gemini("m", key=KEY, base_url=url)):
                    pass

    run(talk())
