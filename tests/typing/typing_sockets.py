"""What type checkers make of catalogue= and of endpoints with one. Never run: tests/typing/test_typing.py has both read it.

Each `type: ignore` is an error that must be found; both checkers report one that is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Any, assert_type

import numpy.typing as npt
import websockets.asyncio.server

import realtime_pcm as rp
from realtime_pcm.client import Call, Endpoint, connect, elevenlabs as to_elevenlabs, gemini as to_gemini, openai
from realtime_pcm.messages import ServerMessage
from realtime_pcm.sockets import Catalogue, acs, elevenlabs, gemini, plivo, telnyx, twilio
from realtime_pcm.stream import AsyncMessageStream, MessageStream


def one_frame(frame: bytes) -> None:
    assert_type(rp.decode(frame, catalogue=gemini), gemini.ServerMessage)
    assert_type(rp.decode(frame, catalogue=gemini, side="client"), gemini.ClientMessage)
    assert_type(rp.decode(frame, catalogue=twilio), twilio.ServerMessage)
    assert_type(rp.decode(frame, catalogue=elevenlabs.TTS), elevenlabs.TtsServerMessage)
    assert_type(rp.Decoder(catalogue=telnyx).decode(frame), telnyx.ServerMessage)
    assert_type(rp.Decoder(catalogue=plivo, side="client").decode(frame), plivo.ClientMessage)
    assert_type(rp.Decoder(catalogue=acs, only=acs.AudioData).decode(frame), acs.AudioData | None)
    mine: Catalogue[twilio.Media, twilio.Clear] = Catalogue("mine")
    assert_type(rp.decode(frame, catalogue=mine), twilio.Media)
    rp.decode(frame, catalogue="gemini")  # type: ignore[call-overload]


async def streams(frames: list[bytes], connection: websockets.asyncio.server.ServerConnection) -> None:
    assert_type(rp.decode_stream(frames, catalogue=gemini), MessageStream[gemini.ServerMessage])
    assert_type(rp.decode_stream(connection, catalogue=gemini), AsyncMessageStream[gemini.ServerMessage])
    assert_type(rp.decode_stream(connection, catalogue=gemini, side="client"), AsyncMessageStream[gemini.ClientMessage])
    tolerant = rp.decode_stream(connection, catalogue=twilio, errors="yield")
    assert_type(tolerant, AsyncMessageStream[twilio.ServerMessage, rp.InvalidFrame])
    async for message in rp.decode_stream(connection, catalogue=gemini):
        assert_type(message, gemini.ServerMessage)
        match message:
            case gemini.ServerContent(pcm=pcm, interrupted=interrupted, output_transcript=words):
                assert_type(pcm, npt.NDArray[Any])
                assert_type(interrupted, bool | None)
                assert_type(words, str | None)
            case gemini.ToolCall(function_calls=calls):
                assert_type(calls, list[Any] | None)
            case twilio.Media():  # pyright: ignore[reportUnnecessaryComparison]
                pass
            case _:
                print(message.type)


async def calls(mine: Endpoint, either: Endpoint | str) -> None:
    assert_type(openai("m"), Endpoint[ServerMessage])
    assert_type(to_gemini("m"), Endpoint[gemini.ServerMessage])
    assert_type(to_elevenlabs("a"), Endpoint[elevenlabs.ServerMessage])
    assert_type(Endpoint("wss://a"), Endpoint[ServerMessage])
    assert_type(Endpoint("wss://a", catalogue=twilio, append=twilio.SendMedia), Endpoint[twilio.ServerMessage])
    async with connect(to_gemini("m")) as call:
        assert_type(call, Call[gemini.ServerMessage])
        async for message in call:
            if isinstance(message, gemini.SetupComplete):
                assert_type(message.session_id, str | None)
    async with connect(to_elevenlabs("a"), errors="yield") as agent:
        assert_type(agent, Call[elevenlabs.ServerMessage | rp.InvalidFrame])
    async with connect(to_gemini("m"), only=gemini.ServerContent, dtype="float32") as some:
        assert_type(some, Call[gemini.ServerContent])
    async with connect(openai("m")) as realtime, connect(mine) as other, connect(either) as third, connect("wss://a") as fourth:
        assert_type(realtime, Call[ServerMessage])
        assert_type(other, Call[ServerMessage])
        assert_type(third, Call[ServerMessage])
        assert_type(fourth, Call[ServerMessage])
