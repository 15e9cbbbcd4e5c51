"""What type checkers make of realtime_pcm.client. Never run: tests/typing/test_typing.py has mypy and pyright read it."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import numpy as np

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm.client import Call, CallClosed, Endpoint, azure, connect, openai, voice_live
from realtime_pcm.playback import PlaybackBuffer


async def token() -> str:
    return "fetched"


async def calls(url: str, player: PlaybackBuffer) -> None:
    async with connect(openai("gpt-realtime", key=token)) as call:
        assert_type(call, Call[messages.ServerMessage])
        async for message in call:
            assert_type(message, messages.ServerMessage)
            player.write(message)
            if isinstance(message, messages.Error):
                assert_type(call.refused(message), bytes | str | None)
        await call.send('{"type":"response.create"}')
        await call.send(rp.decode(b"{}", side="client"))
        await call.send(client_messages.ResponseCreate())
        for cut in player.interrupt().truncations:
            await call.send(cut)
        await call.send_audio(np.zeros(480, np.int16))
        await call.send_audio(np.zeros(480, np.float32), rate=48_000)
        await call.send_audio(b"\x00\x00")
        await call.send(5)  # type: ignore[arg-type]
        await call.send_audio("text")  # type: ignore[arg-type]
        assert_type(call.closed, CallClosed | None)
        assert_type(call.session, rp.Session)

    async with connect(url, only=messages.ResponseAudioDelta, headers={"X": "1"}, record=Path("call.jsonl"), timeout=5) as audio:
        async for delta in audio:
            assert_type(delta, messages.ResponseAudioDelta)
    async with connect(url, only=(messages.ResponseDone, messages.Error), errors="yield", dtype="float32") as few:
        assert_type(few, Call[messages.ResponseDone | messages.Error | rp.InvalidFrame])
    async with connect(Endpoint(url, key=lambda: "key"), errors="yield") as all_of_it:
        assert_type(await anext(all_of_it), messages.ServerMessage | rp.InvalidFrame)
    async with connect(
        azure("d", token=token), only=["response.done"], max_queue=1, append=client_messages.SessionInputAudioAppend
    ):
        pass
    connect(voice_live(), errors="ignore")  # type: ignore[call-overload]
    connect(url, max_mesage=5)  # type: ignore[call-overload]
    async with connect(url) as plain:
        assert_type(plain, Call[messages.ServerMessage])
