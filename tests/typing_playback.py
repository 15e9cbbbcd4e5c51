"""What type checkers make of realtime_pcm.playback. Never run: tests/test_typing.py has mypy and pyright read it.

Each `type: ignore` is an error that must be found; both checkers report one that is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import array
from typing import Any

import numpy as np
import numpy.typing as npt
import websockets.asyncio.client
from typing_extensions import assert_type

import realtime_pcm as rp
from realtime_pcm.playback import Interruption, PlaybackBuffer, PlaybackTracker, PlayedItem, Truncation, UnheardItem


async def talk(ws: websockets.asyncio.client.ClientConnection, player: PlaybackBuffer) -> None:
    async for message in rp.decode_stream(ws):
        assert_type(player.write(message), int)
        if isinstance(message, rp.messages.InputAudioBufferSpeechStarted):
            said = player.interrupt(latency=0.05)
            assert_type(said, Interruption)
            for cut in said.truncations:
                await ws.send(cut.frame)
            for item in said.unheard:
                assert_type(item, UnheardItem)
                if item.delete_frame is not None:
                    await ws.send(item.delete_frame)


def every_kind_of_message(frames: list[bytes], player: PlaybackBuffer, tracker: PlaybackTracker) -> None:
    for message in rp.decode_stream(frames, errors="yield", only="response.output_audio.delta"):
        player.write(message)
        assert_type(tracker.sent(message), str | None)
    player.write(rp.Decoder(only=rp.messages.AudioMessage).decode(b"{}"))
    player.write(b"{}")  # type: ignore


def callback(outdata: npt.NDArray[np.int16], player: PlaybackBuffer) -> None:
    assert_type(player.read(outdata), int)
    player.read(bytearray(9))
    player.read(array.array("h"))
    player.check(memoryview(b""))
    player.read("text")  # type: ignore
    assert_type(player.error, str | None)
    assert_type((player.queued, player.refused, player.late, player.duplicates, player.underruns), tuple[int, int, int, int, int])


def what_an_interruption_says(tracker: PlaybackTracker) -> Any:
    said = tracker.interrupt(played=2_400)
    assert_type(said.truncations, tuple[Truncation, ...])
    assert_type(said.played, tuple[PlayedItem, ...])
    match said.unidentified:
        case [Truncation(item_id=item, samples=samples), *_]:
            assert_type(item, str | None)
            assert_type(samples, int)
        case _:
            pass
    said.truncations = ()  # type: ignore
    assert_type(tracker.acknowledge("audio-1"), bool)
    return PlaybackBuffer(24_000, dtype=np.float32, channels=2, seconds=0.5)


PlaybackBuffer("24000")  # type: ignore
