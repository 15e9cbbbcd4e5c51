"""One frame that means several things: audio, words of both sides, an interruption and an end, each at a field of its own."""

from __future__ import annotations

import base64
import io
import json
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import messages
from realtime_pcm._core import role_of, roles_at
from realtime_pcm.conversation import ConversationState
from realtime_pcm.declare import Nested, Samples
from realtime_pcm.objects import View
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from realtime_pcm.recording import analyse
from support.own_classes import declared


class Words(View):
    text: str | None = None
    finished: bool | None = None


class Content(
    messages.AudioMessage,
    role={
        "pcm": "audio",
        "heard": "user_transcript_delta",
        "said": "transcript_delta",
        "interrupted": "interrupted",
        "over": "response_end",
        "tokens": "usage",
    },
):
    type: Literal["stage.content"] = "stage.content"
    heard: Nested[Words] = Nested()
    said: str | None = None
    interrupted: bool | None = None
    over: bool | None = None
    tokens: dict[str, Any] | None = None
    pcm: Samples = messages.payload("sound")


class More(Content):
    type: Literal["stage.more"] = "stage.more"  # type: ignore[assignment]


SOUND = base64.b64encode(np.full(12_000, 500, "<i2").tobytes()).decode()  # 0.5 s
TOLD: list[tuple[float, dict[str, Any]]] = [
    (0.1, {"heard": {"text": "Who is "}}),
    (0.2, {"heard": {"text": "there?", "finished": True}}),
    (0.5, {"sound": SOUND, "said": "It is "}),
    (0.6, {"sound": SOUND, "said": "me.", "interrupted": False}),
    (0.7, {"over": True, "tokens": {"total": 12}}),
    (2.0, {"sound": SOUND}),
    (2.1, {"interrupted": True, "over": True}),
]


def frame(kind: str = "stage.content", **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}).encode()


def recording() -> io.BytesIO:
    lines: list[dict[str, Any]] = [{"recording": "realtime-pcm", "version": 1, "started": "2026-01-01T00:00:00+00:00"}]
    lines += [{"time": time, "direction": "received", "event": {"type": "stage.content", **told}} for time, told in TOLD]
    return io.BytesIO("".join(f"{json.dumps(line)}\n" for line in lines).encode())


def test_the_class_has_one_role_and_its_fields_have_others() -> None:
    assert role_of(Content) == role_of(More) == "audio"
    assert roles_at(Content) == roles_at(More)
    assert [name for name, _ in roles_at(Content)] == ["heard", "said", "interrupted", "over", "tokens"]
    assert roles_at(messages.ResponseAudioDelta) == ()


def test_the_conversation_is_followed() -> None:
    state, decoder = ConversationState(), rp.Decoder()
    for time, told in TOLD:
        state.follow(decoder.decode(frame(**told)), time)
    assert [(item.side, item.text, item.audio_seconds) for item in state.items] == [
        ("user", "Who is there?", 0.0),
        ("model", "It is me.", 1.0),
        ("model", "", 0.5),  # after the end of the response, which has no id: another one
    ]
    assert state.session_usage == {"total": 12} and [one.at.line for one in state.interruptions] == [7]
    assert [(turn.began, turn.status) for turn in state.turns] == [("speech", "completed"), ("response", "cancelled")]
    assert state.turns[0].first_audio == (3, 0.5, 0.5)  # frames without audio are no audio


def test_it_is_inspected() -> None:
    found = analyse(recording())
    assert found.model_audio_seconds == 1.5 and found.session_usage == {"total": 12}
    texts = {item.side: item.text for item in found.items if item.text}
    assert texts == {"user": "Who is there?", "model": "It is me."}
    [cut] = found.interruptions
    assert cut.stopped and cut.at.time == 2.1


def test_it_is_played() -> None:
    player, tracker, decoder = PlaybackBuffer(24_000), PlaybackTracker(), rp.Decoder()
    for _, told in TOLD[:5]:
        message = decoder.decode(frame(**told))
        player.write(message)
        tracker.sent(message)
    assert player.queued == 24_000 == tracker.unacknowledged
    player.read(np.empty(24_000, np.int16))
    [whole] = player.interrupt().played  # its end was told
    assert whole.samples == 24_000


def test_the_words_are_in_the_rows() -> None:
    pytest.importorskip("pyarrow")
    from realtime_pcm import arrow

    rows = arrow.read(recording()).read_all().to_pylist()
    assert [row["text"] for row in rows] == ["Who is ", "there?", "It is ", "me.", None, None, None]
    assert [len(row["pcm"]) for row in rows] == [0, 0, 12_000, 12_000, 0, 12_000, 0]


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ({"said": "nothing"}, "role 'nothing' of the field 'said' is none of"),
        ({"said": "session_start"}, "'session_start' is the role of a class"),
        ({"said": "audio"}, "'audio' is the role of a class"),
        ({"other": "interrupted"}, "'other', which has the role 'interrupted', is no field"),
        ({"pcm": "interrupted"}, "the roles of audio messages"),
        ({"said": {"far": "interrupted"}}, "role 'interrupted' of said='far': a value says whether the audio"),
        ({"other": {"far": "audio"}}, "'other', whose values have roles, is no field"),
    ],
)
def test_what_no_field_can_mean(role: dict[str, Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        fields = {"said": "str | None", "pcm": "Samples"}
        declared("Bad", messages.AudioMessage, "stage.bad", fields, role=role, pcm=messages.payload("s"))


class Line(messages.AudioMessage, role={"pcm": "input_audio", "leg": {"far": "audio"}}):
    type: Literal["stage.line"] = "stage.line"
    leg: str | None = None
    pcm: Samples = messages.payload("sound")


class Leg(Line, role={"pcm": "input_audio", "leg": {"far": "input_audio", "model": "audio"}}):
    type: Literal["stage.leg"] = "stage.leg"  # type: ignore[assignment]


class Spoken(messages.AudioMessage, role={"pcm": "input_audio", "leg": {"far": "audio"}, "words": "text_delta"}):
    type: Literal["stage.spoken"] = "stage.spoken"
    leg: str | None = None
    words: str | None = None
    pcm: Samples = messages.payload("sound")


class Track(messages.AudioMessage, role="input_audio"):
    type: Literal["stage.track"] = "stage.track"
    track: str | None = None
    pcm: Samples = messages.payload("sound")


@pytest.mark.parametrize(
    ("told", "sides"),
    [
        ({"type": "stage.line"}, (0.5, 0.0)),
        ({"type": "stage.line", "leg": "near"}, (0.5, 0.0)),
        ({"type": "stage.line", "leg": "far"}, (0.0, 0.5)),
        ({"type": "stage.leg", "leg": "far"}, (0.5, 0.0)),
        ({"type": "stage.leg", "leg": "model"}, (0.0, 0.5)),
        ({"type": "stage.spoken", "leg": "near"}, (0.5, 0.0)),
        ({"type": "stage.spoken", "leg": "far"}, (0.0, 0.5)),
        ({"type": "stage.track", "track": "outbound"}, (0.5, 0.0)),  # the class does not say what its tracks are
    ],
)
def test_the_value_of_a_field_says_whose_audio_it_is(told: dict[str, str], sides: tuple[float, float]) -> None:
    event = {**told, "sound": SOUND}
    found = analyse(io.BytesIO(json.dumps({"time": 0.0, "direction": "received", "event": event}).encode() + b"\n"))
    assert (found.user_audio_seconds, found.model_audio_seconds) == sides
    state = ConversationState()
    state.follow(rp.decode(json.dumps(event)))
    assert sum(item.audio_seconds for item in state.items) == sides[1]
    player = PlaybackBuffer(24_000)
    player.write(rp.decode(json.dumps(event)))
    assert player.queued == 24_000 * sides[1]  # the user's own speech is not played
