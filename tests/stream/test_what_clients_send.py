"""Real clients on loopback, and a server that reads with side="client" what they send: every frame, all audio."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from hardening.reference import samples
from realtime_pcm import AudioFormat, client_messages
from support.stream_clients import PCM, openai_options, run

Talk = Callable[[str], Awaitable[None]]
SESSION = {"type": "realtime", "instructions": "Grüß Gott.", "audio": {"input": {"format": {"type": "audio/pcmu"}}}}
ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Wie geht's?"}]}
# 100 ms at 24 kHz, as livekit sends; the first two cut a sample in half.
CUTS = [0, 4801, 9601, *range(14400, 48000, 4800)]


def pieces(raw: bytes = PCM[:48000]) -> Iterator[str]:
    for start, end in zip(CUTS, [*CUTS[1:], len(raw)], strict=True):
        yield base64.b64encode(raw[start:end]).decode()


async def heard(talk: Talk) -> list[Any]:
    """What the server decodes while a client talks, until the client closes."""
    from websockets.asyncio.server import serve

    got: list[Any] = []
    closed = asyncio.Event()

    async def handle(connection: Any) -> None:
        async for message in rp.decode_stream(connection, side="client"):
            got.append(message)
        closed.set()

    async with serve(handle, "127.0.0.1", 0, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        await talk(f"127.0.0.1:{port}")
        await closed.wait()
    assert not [message for message in got if isinstance(message, client_messages.UnknownClientMessage)]
    return got


def check_audio(messages: list[Any], audio_format: AudioFormat, raw: bytes = PCM[:48000]) -> None:
    """All of the speech has come, sample by sample, with the right format and offsets."""
    appended = [message for message in messages if message.type.endswith("append") and hasattr(message, "pcm")]
    assert len(appended) == len(CUTS)
    assert {message.audio_format for message in appended} == {audio_format}
    expected, rest = samples(raw, audio_format.encoding, "int16")
    assert np.array_equal(np.concatenate([message.pcm for message in appended]), expected) and rest == b""
    lengths = np.cumsum([0, *(message.pcm.size for message in appended)])
    assert [message.sample_offset for message in appended] == lengths[:-1].tolist()


def types(messages: list[Any]) -> list[str]:
    """The wire types in order, one for each run of equal ones."""
    return [m.type for before, m in zip([None, *messages], messages, strict=False) if before is None or m.type != before.type]


# ---- openai


GA = [
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
    "input_audio_buffer.clear",
    "output_audio_buffer.clear",
]


def check_ga(messages: list[Any]) -> None:
    assert types(messages) == GA
    check_audio(messages, AudioFormat("g711_ulaw", 8000))
    by_type = {message.type: message for message in messages}
    assert by_type["session.update"].session.instructions == "Grüß Gott."
    assert by_type["conversation.item.create"].item.content[0].text == "Wie geht's?"
    cut = by_type["conversation.item.truncate"]
    assert (cut.item_id, cut.content_index, cut.audio_end_ms, cut.event_id) == ("item_1", 0, 1500, "event_1")
    asked = by_type["response.create"].response
    assert (asked.conversation, asked.output_modalities, asked.instructions) == ("none", ["text"], "Be brief.")
    assert by_type["response.cancel"].response_id == "resp_1"
    assert by_type["input_audio_buffer.commit"].incomplete_sample == b""


def test_openai_async() -> None:
    openai = pytest.importorskip("openai")

    async def talk(address: str) -> None:
        client = openai.AsyncOpenAI(**openai_options(f"http://{address}"))
        async with client.realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(session=SESSION)
            for piece in pieces():
                await connection.input_audio_buffer.append(audio=piece)
            await connection.input_audio_buffer.commit()
            await connection.conversation.item.create(item=ITEM)
            await connection.conversation.item.retrieve(item_id="item_1")
            await connection.conversation.item.truncate(item_id="item_1", content_index=0, audio_end_ms=1500, event_id="event_1")
            await connection.conversation.item.delete(item_id="item_1")
            asked = {"conversation": "none", "output_modalities": ["text"], "instructions": "Be brief."}
            await connection.response.create(response=asked)
            await connection.response.cancel(response_id="resp_1")
            await connection.input_audio_buffer.clear()
            await connection.output_audio_buffer.clear()

    check_ga(run(heard(talk)))


def test_openai_sync() -> None:
    openai = pytest.importorskip("openai")

    def talk(address: str) -> None:
        client = openai.OpenAI(**openai_options(f"http://{address}"))
        with client.realtime.connect(model="gpt-realtime") as connection:
            connection.session.update(session=SESSION)
            for piece in pieces():
                connection.input_audio_buffer.append(audio=piece)
            connection.input_audio_buffer.commit()
            connection.conversation.item.create(item=ITEM)
            connection.conversation.item.retrieve(item_id="item_1")
            connection.conversation.item.truncate(item_id="item_1", content_index=0, audio_end_ms=1500, event_id="event_1")
            connection.conversation.item.delete(item_id="item_1")
            asked = {"conversation": "none", "output_modalities": ["text"], "instructions": "Be brief."}
            connection.response.create(response=asked)
            connection.response.cancel(response_id="resp_1")
            connection.input_audio_buffer.clear()
            connection.output_audio_buffer.clear()

    check_ga(run(heard(lambda address: asyncio.to_thread(talk, address))))


def test_openai_beta() -> None:
    openai = pytest.importorskip("openai")

    async def talk(address: str) -> None:
        client = openai.AsyncOpenAI(**openai_options(f"http://{address}"))
        async with client.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection:
            await connection.session.update(session={"input_audio_format": "g711_alaw", "voice": "ash"})
            await connection.transcription_session.update(session={"input_audio_format": "pcm16"})
            for piece in pieces():
                await connection.input_audio_buffer.append(audio=piece)
            await connection.input_audio_buffer.commit()
            await connection.response.create(response={"modalities": ["text"], "max_response_output_tokens": "inf"})

    messages = run(heard(talk))
    assert types(messages) == ["session.update", "transcription_session.update", *GA[1:3], "response.create"]
    check_audio(messages, AudioFormat("pcm16", 24000))
    assert (messages[0].session.voice, messages[-1].response.max_response_output_tokens) == ("ash", "inf")


def test_openai_translation() -> None:
    openai = pytest.importorskip("openai")

    async def talk(address: str) -> None:
        client = openai.AsyncOpenAI(**openai_options(f"http://{address}"))
        async with client.realtime.translations.connect(model="gpt-realtime-translate") as connection:
            await connection.session.update(session={"audio": {"output": {"language": "de"}}})
            for piece in pieces():
                await connection.session.input_audio_buffer.append(audio=piece)
            await connection.session.close()

    messages = run(heard(talk))
    assert types(messages) == ["session.update", "session.input_audio_buffer.append", "session.close"]
    check_audio(messages, AudioFormat("pcm16", 24000))
    assert messages[0].session.audio.output.language == "de"
    assert messages[-1].incomplete_sample == b""


def test_openai_live() -> None:
    openai = pytest.importorskip("openai")
    sound = base64.b64encode(PCM[:960]).decode()

    async def talk(address: str) -> None:
        client = openai.AsyncOpenAI(**openai_options(f"http://{address}"))
        async with client.live.connect() as connection:
            audio = {"format": {"type": "audio/pcm", "rate": 24000}}
            await connection.session.start(session={"model": "gpt-live", "audio": audio})
            for piece in pieces():
                await connection.session.input_audio.append(audio=piece)
            await connection.session.input_audio.mute()
            await connection.session.input_audio.unmute()
            for part in ("instructions", "thinking", "commentary"):
                await getattr(connection.session, part).append(content=f"Some {part}.", delegation_id="d")
            await connection.session.output_audio.fixture.play(audio=sound)
            await connection.decision.create(event_id="event_1")
            await connection.decision.item.create(item=ITEM)
            await connection.decision.item.delete(item_id="item_1")
            await connection.response.item.create(item=ITEM)
            await connection.response.create()
            await connection.session.update(session={"instructions": "Be brief."})
            await connection.session.close()

    messages = run(heard(talk))
    assert types(messages) == [
        "session.start",
        "session.input_audio.append",
        "session.input_audio.mute",
        "session.input_audio.unmute",
        "session.instructions.append",
        "session.thinking.append",
        "session.commentary.append",
        "session.output_audio.fixture.play",
        "decision.create",
        "decision.item.create",
        "decision.item.delete",
        "response.item.create",
        "response.create",
        "session.update",
        "session.close",
    ]
    speech = [message for message in messages if message.type == "session.input_audio.append"]
    check_audio(speech, AudioFormat("pcm16", 24000))
    by_type = {message.type: message for message in messages}
    assert by_type["session.output_audio.fixture.play"].pcm.tobytes() == PCM[:960]
    assert (by_type["session.thinking.append"].content, by_type["decision.create"].event_id) == ("Some thinking.", "event_1")
    assert by_type["response.item.create"].item.content[0].text == "Wie geht's?"


# ---- others


def test_azure_voice_live() -> None:
    voicelive = pytest.importorskip("azure.ai.voicelive.aio")
    pytest.importorskip("aiohttp")
    from azure.ai.voicelive import models
    from azure.core.credentials import AzureKeyCredential

    async def talk(address: str) -> None:
        credential = AzureKeyCredential("loopback")
        async with voicelive.connect(credential=credential, endpoint=f"http://{address}", model="gpt-realtime") as connection:
            asked = models.RequestSession(
                input_audio_format=models.InputAudioFormat.PCM16, input_audio_sampling_rate=16000, voice="alloy"
            )
            await connection.session.update(session=asked)
            for piece in pieces():
                await connection.input_audio_buffer.append(audio=piece)
            await connection.input_audio_buffer.commit()
            await connection.send(models.ClientEventInputAudioTurnStart(turn_id="turn_1"))
            await connection.send(models.ClientEventInputAudioTurnAppend(turn_id="turn_1", audio=next(pieces())))
            await connection.send(models.ClientEventInputAudioTurnCancel(turn_id="turn_1"))
            await connection.send(models.ClientEventInputTextDelta(id="item_1", delta="Wie ", content_index=0))
            await connection.send(models.ClientEventInputTextDone(id="item_1", content_index=0))
            await connection.send(models.ClientEventSessionAvatarConnect(client_sdp="v=0"))
            await connection.response.create(additional_instructions="Be brief.")
            await connection.output_audio_buffer.clear()

    messages = run(heard(talk))
    assert types(messages) == [
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "input_audio.turn.start",
        "input_audio.turn.append",
        "input_audio.turn.cancel",
        "input_text.delta",
        "input_text.done",
        "session.avatar.connect",
        "response.create",
        "output_audio_buffer.clear",
    ]
    by_type = {message.type: message for message in messages}
    check_audio([m for m in messages if m.type == "input_audio_buffer.append"], AudioFormat("pcm16", 16000))
    turn = by_type["input_audio.turn.append"]
    assert (turn.turn_id, turn.sample_offset, turn.pcm.tobytes()) == ("turn_1", 0, PCM[:4800])
    assert by_type["input_audio.turn.cancel"].incomplete_sample == PCM[4800:4801]
    assert by_type["input_text.delta"].delta == "Wie "
    assert by_type["response.create"].additional_instructions == "Be brief."


@pytest.mark.parametrize("binary", [False, True])
def test_websockets(binary: bool) -> None:
    """As people write it by hand: json.dumps with its spaces and escapes; some send bytes."""
    connect = pytest.importorskip("websockets.asyncio.client").connect

    async def talk(address: str) -> None:
        async with connect(f"ws://{address}", max_size=None) as ws:
            events = [
                {"type": "session.update", "session": {"input_audio_format": "pcm16", "instructions": "Grüß Gott."}},
                *({"type": "input_audio_buffer.append", "audio": piece} for piece in pieces()),
                {"type": "input_audio_buffer.commit"},
                {"type": "response.create"},
            ]
            for event in events:
                text = json.dumps(event)
                await ws.send(text.encode() if binary else text)

    messages = run(heard(talk))
    assert types(messages) == [*GA[:3], "response.create"]
    check_audio(messages, AudioFormat("pcm16", 24000))
    assert messages[0].session.instructions == "Grüß Gott."
