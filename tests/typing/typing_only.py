"""What type checkers make of `only=`, and of a user's own classes. Never run: test_typing.py has mypy and pyright read it.

Each `type: ignore` is an error that must be found; both checkers report one that is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any, Literal, assert_type

import numpy.typing as npt

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm.messages import Error, ResponseAudioDelta, ServerMessage
from realtime_pcm.stream import AsyncMessageStream, MessageStream


def one_class(frame: bytes) -> None:
    decoder = rp.Decoder(only=ResponseAudioDelta)
    assert_type(decoder, rp.Decoder[ResponseAudioDelta, None])
    message = decoder.decode(frame)
    assert_type(message, ResponseAudioDelta | None)
    message.pcm  # type: ignore[union-attr]  # noqa: B018
    base = rp.Decoder(only=messages.AudioMessage, dtype="float32", session=decoder.session).decode(frame)
    assert_type(base, messages.AudioMessage | None)
    if base is not None:
        assert_type(base.pcm, npt.NDArray[Any])


def a_tuple_of_classes(frame: bytes, frames: list[bytes], connection: AsyncIterable[str]) -> None:
    decoder = rp.Decoder(only=(ResponseAudioDelta, Error))
    assert_type(decoder.decode(frame), ResponseAudioDelta | Error | None)
    assert_type(rp.decode_stream(frames, only=(ResponseAudioDelta, Error)), MessageStream[ResponseAudioDelta | Error])
    assert_type(
        rp.decode_stream(connection, only=(ResponseAudioDelta, Error), errors="yield"),
        AsyncMessageStream[ResponseAudioDelta | Error, rp.InvalidFrame],
    )
    assert_type(rp.decode_stream(frames, decoder=decoder), MessageStream[ResponseAudioDelta | Error])
    assert_type(rp.decode_stream(connection, decoder=decoder), AsyncMessageStream[ResponseAudioDelta | Error])
    six = (Error, ResponseAudioDelta, messages.ResponseDone, messages.Ping, messages.Info, messages.UnknownMessage)
    assert_type(
        rp.Decoder(only=six).decode(frame),
        Error | ResponseAudioDelta | messages.ResponseDone | messages.Ping | messages.Info | messages.UnknownMessage | None,
    )


def names_and_lists_give_the_union(frame: bytes, frames: list[bytes], wanted: list[str]) -> None:
    assert_type(rp.Decoder(only="error").decode(frame), ServerMessage | None)
    assert_type(rp.Decoder(only=wanted).decode(frame), ServerMessage | None)
    assert_type(rp.Decoder(only=[Error, ResponseAudioDelta]).decode(frame), ServerMessage | None)
    assert_type(rp.Decoder(only=(Error, "session.created")).decode(frame), ServerMessage | None)
    assert_type(rp.decode_stream(frames, only=("error", Error)), MessageStream[ServerMessage])
    rp.Decoder(only=3)  # type: ignore[call-overload]
    rp.Decoder(only=int)  # type: ignore[type-var]


class WeatherReport(messages.RealtimeServerMessage):
    type: Literal["weather.report"] = "weather.report"
    place: str | None = None
    degrees: float | None = None


class Forecast(messages.AudioMessage):
    type: Literal["weather.forecast"] = "weather.forecast"
    place: str | None = None
    pcm: messages.Samples = messages.payload("data")


def an_own_class_by_only(frame: bytes, frames: list[bytes]) -> None:
    message = rp.Decoder(only=WeatherReport).decode(frame)
    assert_type(message, WeatherReport | None)
    for report in rp.decode_stream(frames, only=(WeatherReport, Forecast)):
        assert_type(report, WeatherReport | Forecast)


def an_own_class_by_isinstance(frame: bytes) -> None:
    message = rp.decode(frame)
    if isinstance(message, WeatherReport):
        degrees: float | None = message.degrees
        print(degrees)


def an_own_class_in_a_match(message: messages.RealtimeServerMessage) -> None:
    """Where the class is matched, the message is annotated as the base class: the union ServerMessage has no class of yours."""
    match message:
        case WeatherReport(degrees=degrees):
            assert_type(degrees, float | None)
        case Forecast(pcm=pcm, place=place):
            assert_type(pcm, npt.NDArray[Any])
            assert_type(place, str | None)
        case ResponseAudioDelta(item_id=item):
            assert_type(item, str | None)
        case _:
            pass


def canonical(message: ServerMessage, cls: type[messages.RealtimeMessage]) -> None:
    assert_type(message.canonical_type, str | None)
    assert_type(cls.canonical_type, str | None)
    assert_type(client_messages.InputAudioBufferAppend.canonical_type, str | None)
