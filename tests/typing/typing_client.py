"""What type checkers make of side="client". Never run: tests/typing/test_typing.py has mypy and pyright read it.

Each `type: ignore` is an error that must be found; both checkers report one that is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any, Literal, assert_type

import numpy.typing as npt
import websockets.asyncio.server

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm.client_messages import ClientMessage
from realtime_pcm.messages import ServerMessage
from realtime_pcm.objects import RealtimeResponse, SessionConfig
from realtime_pcm.stream import AsyncMessageStream, MessageStream


def one_frame(frame: bytes, side: Literal["server", "client"]) -> None:
    assert_type(rp.decode(frame), ServerMessage)
    assert_type(rp.decode(frame, side="server"), ServerMessage)
    assert_type(rp.decode(frame, side="client"), ClientMessage)
    assert_type(rp.decode(frame, dtype="float32", audio_format="pcmu", side="client"), ClientMessage)
    assert_type(rp.decode(frame, side=side), ServerMessage | ClientMessage)
    rp.decode(frame, side="both")  # type: ignore[call-overload]


def decoders(frame: bytes, session: rp.Session) -> None:
    assert_type(rp.Decoder(side="client").decode(frame), ClientMessage)
    assert_type(rp.Decoder(side="client", session=session).decode(frame), ClientMessage)
    assert_type(rp.Decoder(side="client", only=["session.update"]).decode(frame), ClientMessage | None)
    assert_type(rp.Decoder(side="server").decode(frame), ServerMessage)
    assert_type(rp.Decoder(side="server", only=messages.Error).decode(frame), messages.Error | None)
    rp.Decoder(side="client", only=[client_messages.ClientAudioMessage, client_messages.UnknownClientMessage])
    rp.Decoder(side="both")  # type: ignore[call-overload]


def streams(frames: list[bytes], session: rp.Session) -> None:
    assert_type(rp.decode_stream(frames, side="client"), MessageStream[ClientMessage])
    assert_type(rp.decode_stream(frames, side="client", errors="skip"), MessageStream[ClientMessage])
    assert_type(rp.decode_stream(frames, side="client", errors="yield"), MessageStream[ClientMessage, rp.InvalidFrame])
    assert_type(rp.decode_stream(frames, side="server", session=session), MessageStream[ServerMessage])
    only = rp.decode_stream(frames, side="client", session=session, only=client_messages.ClientAudioMessage, dtype="float32")
    assert_type(only, MessageStream[client_messages.ClientAudioMessage])
    for message in only:
        assert_type(message.pcm, npt.NDArray[Any])
    rp.decode_stream(frames, side="both")  # type: ignore[call-overload]


async def async_streams(frames: AsyncIterable[str], connection: websockets.asyncio.server.ServerConnection) -> None:
    assert_type(rp.decode_stream(frames, side="client"), AsyncMessageStream[ClientMessage])
    assert_type(rp.decode_stream(connection, side="client"), AsyncMessageStream[ClientMessage])
    stream = rp.decode_stream(connection, side="client", errors="yield")
    assert_type(stream, AsyncMessageStream[ClientMessage, rp.InvalidFrame])
    async for message in stream:
        match message:
            case rp.InvalidFrame(_, error):
                assert_type(error, rp.DecodeError)
            case client_messages.InputAudioBufferAppend(pcm=pcm):
                assert_type(pcm, npt.NDArray[Any])
            case _:
                print(message.type)


def a_given_decoder(frames: list[bytes], connection: AsyncIterable[str], session: rp.Session) -> None:
    """The stream is of the side of its decoder, and with decoder= there is no other option."""
    client = rp.Decoder(side="client", session=session)
    assert_type(rp.decode_stream(frames, decoder=client), MessageStream[ClientMessage])
    assert_type(rp.decode_stream(connection, decoder=client, errors="skip"), AsyncMessageStream[ClientMessage])
    assert_type(rp.decode_stream(frames, decoder=client, errors="yield"), MessageStream[ClientMessage, rp.InvalidFrame])
    some = rp.Decoder(side="client", only=["session.update"])
    assert_type(rp.decode_stream(frames, decoder=some), MessageStream[ClientMessage])
    assert_type(rp.decode_stream(connection, decoder=some), AsyncMessageStream[ClientMessage])
    first = rp.decode_stream(frames, side="client")
    assert_type(first.decoder, rp.Decoder[ClientMessage, None])
    assert_type(rp.decode_stream(frames, decoder=first.decoder), MessageStream[ClientMessage])
    tolerant = rp.decode_stream(connection, side="client", errors="yield")
    assert_type(rp.decode_stream(frames, decoder=tolerant.decoder), MessageStream[ClientMessage])
    assert_type(rp.decode_stream(frames, decoder=rp.Decoder(side="client")), MessageStream[ClientMessage])
    server = rp.decode_stream(connection, errors="yield")
    assert_type(rp.decode_stream(frames, decoder=server.decoder), MessageStream[ServerMessage])
    assert_type(rp.decode_stream(frames, decoder=rp.Decoder(session=client.session)), MessageStream[ServerMessage])
    rp.decode_stream(frames, decoder=client, side="client")  # type: ignore[call-overload]
    rp.decode_stream(frames, decoder=client, session=session)  # type: ignore[call-overload]


def narrowing(message: ClientMessage) -> None:
    if message.type == "session.update":
        assert_type(message, client_messages.SessionUpdate)
        assert_type(message.session, SessionConfig | None)
    if message.type == "session.input_audio.append":
        assert_type(message, client_messages.SessionInputAudioAppend)
    if message.type == "response.audio.delta":  # type: ignore[comparison-overlap]
        print("what servers send")
    match message:
        case client_messages.ClientAudioMessage(pcm=pcm, sample_offset=offset):
            assert_type(pcm, npt.NDArray[Any])
            assert_type(offset, int | None)
        case client_messages.ResponseCreate(response=response):
            assert_type(response, RealtimeResponse | None)
        case client_messages.UnknownClientMessage(type=name):
            unknown: str = name
            print(unknown)
        case _:
            pass


def both_sides(message: ServerMessage | ClientMessage) -> None:
    base: messages.RealtimeMessage = message
    if isinstance(message, client_messages.RealtimeClientMessage):
        client: ClientMessage = message
        print(client.event_id, base.canonical_type)


class Hello(client_messages.RealtimeClientMessage, role="session_update"):
    type: Literal["hello"] = "hello"
    session: SessionConfig | None = None


class Voice(client_messages.ClientAudioMessage, role="input_audio"):
    type: Literal["voice"] = "voice"
    pcm: client_messages.Samples = client_messages.payload("data")


def private(message: Voice) -> int | None:
    return message.sample_offset
