"""What type checkers make of messages that are written by keyword. Never run: test_typing.py has mypy and pyright read it.

Each `type: ignore` is an error that must be found; both checkers report one that is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Any, Literal, assert_type

import numpy as np
import numpy.typing as npt

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm.objects import AudioConfig, AudioOutputConfig, ConversationItem, SessionConfig, Tool


def written() -> None:
    message = client_messages.SessionUpdate(session=SessionConfig(model="m", tools=[Tool(name="t"), {"name": "u"}]))
    assert_type(message.session, SessionConfig | None)
    assert_type(message.frame_text, str)
    client_messages.SessionUpdate(session={"instructions": "Be brief."}, event_id="e", extra={"undeclared": 1})
    client_messages.ResponseCreate(response={"input": [{"id": "i"}]})
    SessionConfig(audio=AudioConfig(output={"voice": "marin"}), voice={"id": "v"}, turn_detection=None)
    assert_type(AudioOutputConfig(voice="marin").to_dict(), dict[str, Any])
    client_messages.UnknownClientMessage(type="hum", extra={"key": "a"})


def with_audio(pcm: npt.NDArray[np.float32]) -> None:
    message = client_messages.InputAudioBufferAppend(pcm=pcm, audio_format="g711_ulaw")
    assert_type(message.pcm, npt.NDArray[Any])
    messages.ResponseOutputAudioDelta(type="response.audio.delta", pcm=b"", audio_format=rp.AudioFormat("pcm16", 16_000))
    messages.ResponseVideoDelta(data=b"frame")


def mistakes(pcm: npt.NDArray[np.int16]) -> None:
    client_messages.SessionUpdate(sessions={})  # type: ignore[call-arg]
    client_messages.SessionUpdate({})  # type: ignore[call-arg,arg-type]
    client_messages.SessionUpdate(session=SessionConfig(instruction="x"))  # type: ignore[call-arg]
    client_messages.SessionUpdate(session=ConversationItem(type="message"))  # type: ignore[arg-type]
    client_messages.SessionUpdate(type="session.updated")  # type: ignore[arg-type]
    SessionConfig(audio=AudioConfig(outputs={}))  # type: ignore[call-arg]
    SessionConfig(audio=AudioConfig(output=Tool(name="t")))  # type: ignore[arg-type]
    SessionConfig(tools=[ConversationItem(id="i")])  # type: ignore[list-item]
    client_messages.ResponseCancel(response_id=3)  # type: ignore[arg-type]
    client_messages.ResponseCancel(pcm=pcm)  # type: ignore[call-arg]
    client_messages.InputAudioBufferAppend(audio="AAA=")  # type: ignore[call-arg]
    message = client_messages.ResponseCancel()
    message.response_id = "r"  # type: ignore[misc]
    tool = Tool(name="t")
    tool.name = "u"  # type: ignore[misc]
    update = client_messages.SessionUpdate()
    update.session = SessionConfig()  # type: ignore[misc]
    update.type = "session.update"  # type: ignore[misc]


def misspelt(message: messages.ServerMessage) -> None:
    if message.type == "session.create":  # type: ignore[comparison-overlap]
        print(message)


class Hello(client_messages.RealtimeClientMessage):
    """A class of a program has all of this too."""

    type: Literal["hello", "hallo"] = "hello"
    name: str | None = None
    tool: client_messages.Nested[Tool] = client_messages.Nested()


class Misspelt(client_messages.RealtimeClientMessage):
    type: Literal["bye"] = "by"  # type: ignore[assignment]


def own(hello: Hello) -> None:
    assert_type(hello.tool, Tool | None)
    Hello(type="hallo", name="Ann", event_id="e", tool={"name": "t"}, extra={"undeclared": 1})
    Hello(names="Ann")  # type: ignore[call-arg]
    Hello(type="hullo")  # type: ignore[arg-type]
    hello.name = "Ann"  # type: ignore[misc]


def narrowing(message: messages.ServerMessage | client_messages.ClientMessage) -> int:
    if isinstance(message, rp.CarriesAudio):
        assert_type(message.audio_format, rp.AudioFormat)
        return len(message.pcm)
    message.pcm  # type: ignore[union-attr]  # noqa: B018
    return 0


def by_name() -> None:
    assert_type(messages.class_of("error"), type[messages.RealtimeServerMessage])
    assert_type(client_messages.class_of("session.update"), type[client_messages.RealtimeClientMessage])
