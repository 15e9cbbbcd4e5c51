"""A conversation that the user interrupts, by each client: what was heard, what was truncated, what the server then holds."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm import messages
from realtime_pcm.playback import Interruption, PlaybackBuffer
from realtime_pcm.testing import Call, LoopbackServer, loopback
from support import stream_clients as clients
from support.stream_clients import AUDIO, EVENTS, FRAMES, run, sender

RATE = 24_000
PCM = np.frombuffer(clients.PCM, "<i2")
ITEM = next(event["item_id"] for event in EVENTS if event["type"] == AUDIO)
# The recording, and its turn once more with other ids: the answer to the interruption.
SECOND = f"{ITEM}_again"
TWICE = [*FRAMES, *[re.sub(rb'"((?:item|resp|event)_Dk\w+)"', rb'"\1_again"', frame) for frame in FRAMES[2:]]]
SPEECH = clients.SPEECH[: 48 * 600]
CLIENTS = [
    clients.websockets_asyncio,
    clients.aiohttp_client,
    clients.picows_websockets,
    clients.openai_async,
    clients.openai_beta_async,
]


class Listener:
    """What a client does with each message: plays it, and where the user speaks stops, and says what was heard."""

    def __init__(self) -> None:
        self.decoder = rp.Decoder()
        self.encoder = rp.AudioEncoder(session=self.decoder.session)
        self.player = PlaybackBuffer(rate=RATE)
        self.interruptions: list[Interruption] = []
        self.errors: list[str] = []

    def spoken(self) -> list[str]:
        return [self.encoder.encode(block, rate=RATE) for block in np.split(SPEECH, 48)]

    def take(self, message: Any) -> list[str]:
        """The frames to send for a message."""
        self.player.write(message)
        if isinstance(message, messages.Error):
            self.errors.append(str(message.error))
        if not isinstance(message, messages.InputAudioBufferSpeechStarted):
            return []
        said = self.player.interrupt()
        if said.truncations or said.unheard:
            self.interruptions.append(said)
        return [cut.frame for cut in said.truncations] + [item.delete_frame for item in said.unheard if item.delete_frame]


def read(player: PlaybackBuffer, count: int) -> np.ndarray:
    out = np.zeros(count, np.int16)
    return out[: player.read(out)]


def assert_held(call: Call, listener: Listener, samples: int) -> None:
    """The server holds what the client told it, and was told what was heard; what the client said arrived sample for sample."""
    [said] = listener.interruptions
    [cut] = said.truncations
    assert (cut.item_id, cut.samples, cut.audio_end_ms, said.unheard) == (ITEM, samples, samples * 1000 // RATE, ())
    item = next(item for item in call.items if item.item_id == ITEM)
    assert (item.audio_ms, item.status, item.transcript) == (cut.audio_end_ms, "incomplete", None)
    assert item.sent_ms == cut.received * 1000 // RATE >= 1_200
    sent = [entry.message for entry in call.recording if entry.direction == "sent"]
    heard = [message.pcm for message in sent if message is not None and message.type == "input_audio_buffer.append"]  # type: ignore[attr-defined,unused-ignore]
    assert np.array_equal(np.concatenate(heard), SPEECH)
    assert listener.errors == []


@pytest.mark.parametrize("connect", CLIENTS, ids=lambda client: client.__name__)
@pytest.mark.parametrize("samples", [24, 24_000, 28_799])
def test_an_interruption_at_a_sample(connect: Any, samples: int) -> None:
    """1.2 seconds of the answer were sent when the user speaks, and so many samples of them were played."""

    async def session() -> None:
        listener = Listener()
        heard = None
        async with LoopbackServer(TWICE, interrupt=1.2) as server, connect(server.url) as connection:
            send = sender(connection)
            for frame in listener.spoken():
                await send(frame)
            stream = rp.decode_stream(connection, decoder=listener.decoder)
            answers = truncated = 0
            # The conversation goes on: what the user said is answered, while the truncate is still on its way.
            while answers < 2 or not truncated:
                message = await anext(stream)
                if isinstance(message, messages.InputAudioBufferSpeechStarted) and listener.player.queued:
                    heard = read(listener.player, samples)
                for frame in listener.take(message):
                    await send(frame)
                if isinstance(message, messages.ConversationItemTruncated):
                    assert (message.item_id, message.audio_end_ms) == (ITEM, samples * 1000 // RATE)
                    truncated += 1
                answers += isinstance(message, messages.ResponseDone)
            assert heard is not None and np.array_equal(heard, PCM[:samples])
            assert_held(server.recent_calls[0], listener, samples)

            # The next answer is heard whole, and nothing of the first one with it.
            assert np.array_equal(read(listener.player, PCM.size + 1), PCM)
            [played] = listener.player.interrupt().played
            assert (played.item_id, played.samples) == (SECOND, PCM.size)
            assert listener.player.late == listener.player.duplicates == listener.player.refused == 0

    run(session())


@pytest.mark.parametrize("connect", CLIENTS, ids=lambda client: client.__name__)
def test_an_interruption_before_a_sample_was_heard(connect: Any) -> None:
    """The server refuses to truncate the item, so that the client deletes it, and the server holds nothing of it."""

    async def session() -> None:
        listener = Listener()
        async with LoopbackServer(TWICE, interrupt=1.2) as server, connect(server.url) as connection:
            send = sender(connection)
            for frame in listener.spoken():
                await send(frame)
            async for message in rp.decode_stream(connection, decoder=listener.decoder):
                for frame in listener.take(message):
                    await send(frame)
                if isinstance(message, messages.ConversationItemDeleted):
                    break
            [said] = listener.interruptions
            assert said.truncations == () and [item.item_id for item in said.unheard] == [ITEM]
            assert ITEM not in [item.item_id for item in server.recent_calls[0].items]
            assert listener.errors == []

    run(session())


class Speaker(threading.Thread):
    """A sound card's thread: it takes 20 ms of audio every 20 ms."""

    def __init__(self, player: PlaybackBuffer) -> None:
        super().__init__(daemon=True)
        self.player = player
        self.played: list[np.ndarray] = []
        self.over = threading.Event()

    def run(self) -> None:
        begun, blocks = time.monotonic(), 0
        while not self.over.wait(max(0.0, begun + blocks * 0.02 - time.monotonic())):
            self.played.append(read(self.player, RATE // 50))
            blocks += 1


@pytest.mark.parametrize("connect", CLIENTS, ids=lambda client: client.__name__)
def test_an_interruption_in_real_time(connect: Any) -> None:
    """The server sends in the time that the audio plays, a thread plays it, and the user speaks 1.2 seconds into the answer."""

    async def session() -> None:
        listener = Listener()
        speaker = Speaker(listener.player)
        async with LoopbackServer(TWICE, interrupt=1.2, pace=1.0) as server, connect(server.url) as connection:
            send = sender(connection)
            for frame in listener.spoken():
                await send(frame)
            speaker.start()
            async for message in rp.decode_stream(connection, decoder=listener.decoder):
                for frame in listener.take(message):
                    await send(frame)
                if isinstance(message, (messages.ConversationItemTruncated, messages.Error)):
                    break
            speaker.over.set()
            speaker.join()
            heard = np.concatenate(speaker.played)
            assert np.array_equal(heard, PCM[: heard.size])
            assert_held(server.recent_calls[0], listener, heard.size)
            # How much it is depends on the machine's other work; a thread that waits plays less, never more than was sent.
            assert (
                0.3
                < heard.size / RATE
                <= next(item for item in server.recent_calls[0].items if item.item_id == ITEM).sent_ms / 1000 + 0.001
            )

    run(session())


@pytest.mark.parametrize("connect", clients.SYNC_CLIENTS, ids=lambda client: client.__name__)
def test_an_interruption_of_a_client_without_an_event_loop(connect: Any) -> None:
    listener = Listener()
    with loopback(TWICE, interrupt=1.2) as server, connect(server.url) as connection:
        send = sender(connection)
        for frame in listener.spoken():
            send(frame)
        for message in rp.decode_stream(connection, decoder=listener.decoder):
            if isinstance(message, messages.InputAudioBufferSpeechStarted) and listener.player.queued:
                assert np.array_equal(read(listener.player, 24_000), PCM[:24_000])
            for frame in listener.take(message):
                send(frame)
            if isinstance(message, messages.ConversationItemTruncated):
                break
        assert_held(server.recent_calls[0], listener, 24_000)
