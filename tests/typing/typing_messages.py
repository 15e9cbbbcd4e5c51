"""What type checkers make of a message: narrowed by `match` and by `type`, and of a user's own classes. Never run:
test_typing.py has mypy and pyright read it."""

# pyright: strict

from __future__ import annotations

from typing import Any, Literal, assert_type

import numpy.typing as npt

import realtime_pcm
from realtime_pcm import messages
from realtime_pcm.objects import RealtimeError, SessionConfig, View

message = realtime_pcm.decode(b"")
assert_type(message, messages.ServerMessage)

match message:
    case messages.ResponseAudioDelta(item_id=item, pcm=pcm):
        assert_type(item, str | None)
        assert_type(pcm, npt.NDArray[Any])
    case messages.ResponseAudioTranscriptDelta(response_id=response, content_index=index):
        assert_type(response, str | None)
        assert_type(index, int | None)
    case messages.Error(error=error) if error is not None:
        assert_type(error, RealtimeError)
    case messages.AudioMessage(pcm=other):
        assert_type(other, npt.NDArray[Any])
    case messages.UnknownMessage(type=name):
        unknown: str = name
    case _:
        pass

if message.type == "error":
    assert_type(message, messages.Error)
if message.type == "session.created":
    assert_type(message.session, SessionConfig | None)
if message.type == "response.audio.delta":
    assert_type(message, messages.ResponseAudioDelta)


class Weather(messages.RealtimeServerMessage):
    type: Literal["weather"] = "weather"
    degrees: float | None = None
    place: messages.Nested[Place] = messages.Nested()


class Place(View):
    name: str | None = None


class Radio(messages.AudioMessage):
    type: Literal["radio"] = "radio"
    station: str | None = None
    pcm: messages.Samples = messages.payload("data")
