"""The loopback server plays recordings of other sockets: the server's frames in their order, as fast as they came."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

import pytest

import realtime_pcm as rp
from realtime_pcm.recording import read_recording
from realtime_pcm.sockets import elevenlabs, gemini, twilio
from support.socket_conversations import ELEVENLABS, GEMINI, TWILIO, Said

websockets = pytest.importorskip("websockets")

from realtime_pcm.recording.writer import frame_line, header_line, validators  # noqa: E402 -- beside what needs websockets
from realtime_pcm.testing import LoopbackServer, loopback  # noqa: E402


def recorded(said: list[Said], catalogue: Any) -> Any:
    validate = validators(catalogue)
    lines = [frame_line(validate[way], seconds, way, json.dumps(frame)) for seconds, way, frame in said]
    return read_recording(io.BytesIO(header_line(None, catalogue) + b"".join(lines)))


async def received(url: str, first: dict[str, Any] | None, catalogue: Any) -> list[Any]:
    """What a client gets that says one thing, if anything: messages."""
    async with websockets.connect(url) as ws:
        if first is not None:
            await ws.send(json.dumps(first))
        return [message async for message in rp.decode_stream(ws, catalogue=catalogue)]


@pytest.mark.parametrize(
    ("said", "catalogue"), [(GEMINI, gemini), (ELEVENLABS, elevenlabs), (TWILIO, twilio)], ids=["gemini", "elevenlabs", "twilio"]
)
def test_the_frames_of_the_server_come_in_their_order(said: list[Said], catalogue: Any) -> None:
    async def play() -> None:
        async with LoopbackServer(recorded(said, catalogue.CATALOGUE)) as server:
            got = await received(server.url, said[0][2] if said[0][1] == "sent" else {"event": "mark"}, catalogue)
            assert [json.loads(message.frame) for message in got] == [frame for _, way, frame in said if way == "received"]
            kept = server.call.recording
            assert [entry.direction for entry in kept].count("sent") == 1
            assert [type(entry.message) for entry in kept if entry.direction == "received"] == [type(one) for one in got]
            if catalogue is gemini:
                assert [turn.status for turn in server.conversation.turns] == ["cancelled", "completed"]
                assert server.received == [said[0][2]]

    asyncio.run(play())


def test_what_came_after_the_client_spoke_waits_for_the_client() -> None:
    async def play() -> None:
        async with LoopbackServer(recorded(ELEVENLABS[1:], elevenlabs.CATALOGUE)) as server:
            async with websockets.connect(server.url) as ws:
                first = rp.decode(await ws.recv(), catalogue=elevenlabs)
                assert isinstance(first, elevenlabs.ConversationInitiationMetadata)
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(ws.recv(), 0.1)
                await ws.send(json.dumps({"user_audio_chunk": "//8="}))
                assert isinstance(rp.decode(await ws.recv(), catalogue=elevenlabs), elevenlabs.UserTranscript)
                assert server.received == []  # audio is not kept

    asyncio.run(play())


def test_at_the_pace_of_the_recording() -> None:
    with loopback(recorded(GEMINI, gemini.CATALOGUE), pace=10.0) as server:
        started = time.monotonic()
        got = asyncio.run(received(server.url, GEMINI[0][2], gemini))
        assert len(got) == 16 and 0.4 < time.monotonic() - started < 5.0  # 4.5 s


def test_frames_alone_need_a_catalogue() -> None:
    frames = [json.dumps(frame) for _, way, frame in GEMINI if way == "received"]
    with loopback(frames, catalogue="gemini") as server:
        assert len(asyncio.run(received(server.url, None, gemini))) == len(frames)
        with pytest.raises(ValueError, match="plays a recording of gemini: it cannot send a script"):
            server.says("Hello")
    for options in ({"faults": ["cut"]}, {"interrupt": 1.0}):
        with pytest.raises(ValueError, match="a recording of gemini is played as it is"):
            LoopbackServer(frames, catalogue=gemini, **options)  # type: ignore[arg-type, unused-ignore]
    with pytest.raises(ValueError, match='no "type"'):
        LoopbackServer(frames)
    with pytest.raises(ValueError, match="holds no frames"):
        LoopbackServer([], catalogue=gemini)
