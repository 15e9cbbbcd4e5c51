"""A private provider of ten classes, none of which derives from a class of the catalogue: roles alone give it everything."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from realtime_pcm import messages
from realtime_pcm.client_messages import ClientAudioMessage, RealtimeClientMessage, Samples
from realtime_pcm.conversation import ConversationState
from realtime_pcm.objects import RealtimeResponse, SessionConfig
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from realtime_pcm.recording import analyse, read_recording
from realtime_pcm.timeline import draw


class Hello(messages.RealtimeServerMessage, role="session_start"):
    type: Literal["radio.hello"] = "radio.hello"
    session: SessionConfig | None = None


class Talking(messages.RealtimeServerMessage, role="speech_started"):
    type: Literal["radio.talking"] = "radio.talking"
    item_id: str | None = None
    audio_start_ms: int | None = None


class Quiet(messages.RealtimeServerMessage, role="speech_stopped"):
    type: Literal["radio.quiet"] = "radio.quiet"
    item_id: str | None = None
    audio_end_ms: int | None = None


class Understood(messages.RealtimeServerMessage, role="user_transcript"):
    type: Literal["radio.understood"] = "radio.understood"
    item_id: str | None = None
    text: str | None = None


class Begin(messages.RealtimeServerMessage, role="response_start"):
    type: Literal["radio.begin"] = "radio.begin"
    response: RealtimeResponse | None = None


class Wave(messages.AudioMessage):
    type: Literal["radio.wave"] = "radio.wave"
    response_id: str | None = None
    item_id: str | None = None
    pcm: Samples = messages.payload("sound")


class Caption(messages.RealtimeServerMessage, role="transcript_end"):
    type: Literal["radio.caption"] = "radio.caption"
    response_id: str | None = None
    item_id: str | None = None
    text: str | None = None


class Run(messages.RealtimeServerMessage, role="tool_call"):
    type: Literal["radio.run"] = "radio.run"
    response_id: str | None = None
    item_id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class End(messages.AudioEnd, role="response_end"):
    type: Literal["radio.end"] = "radio.end"
    response: RealtimeResponse | None = None


class Microphone(ClientAudioMessage, role="input_audio"):
    type: Literal["radio.microphone"] = "radio.microphone"
    pcm: Samples = messages.payload("sound")


class Ask(RealtimeClientMessage, role="response_create"):
    type: Literal["radio.ask"] = "radio.ask"


SOUND = base64.b64encode(np.full(12_000, 500, "<i2").tobytes()).decode()  # 0.5 s
IDS = {"response_id": "r1", "item_id": "i1"}
TOLD: list[tuple[float, str, dict[str, Any]]] = [
    (0.0, "received", {"type": "radio.hello", "session": {"model": "radio-1"}}),
    (0.5, "sent", {"type": "radio.microphone", "sound": SOUND}),
    (1.0, "sent", {"type": "radio.microphone", "sound": SOUND}),
    (1.0, "received", {"type": "radio.talking", "item_id": "u1", "audio_start_ms": 0}),
    (1.1, "received", {"type": "radio.quiet", "item_id": "u1", "audio_end_ms": 1000}),
    (1.2, "received", {"type": "radio.understood", "item_id": "u1", "text": "Will it rain?"}),
    (1.3, "received", {"type": "radio.begin", "response": {"id": "r1"}}),
    (1.5, "received", {"type": "radio.run", **IDS, "call_id": "c1", "name": "rain", "arguments": "{}"}),
    (1.6, "received", {"type": "radio.wave", **IDS, "sound": SOUND}),
    (1.7, "received", {"type": "radio.wave", **IDS, "sound": SOUND}),
    (1.8, "received", {"type": "radio.caption", **IDS, "text": "Not today."}),
    (1.9, "received", {"type": "radio.end", "response": {"id": "r1", "status": "completed", "usage": {"total_tokens": 7}}}),
]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    lines = [{"recording": "realtime-pcm", "version": 1, "started": "2026-01-01T00:00:00+00:00"}]
    lines += [{"time": time, "direction": direction, "event": event} for time, direction, event in TOLD]
    path = tmp_path / "radio.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_it_is_played_and_interrupted(recording: Path) -> None:
    player, tracker = PlaybackBuffer(24_000), PlaybackTracker()
    with read_recording(recording) as entries:
        for entry in entries:
            if isinstance(entry.message, messages.RealtimeServerMessage):
                player.write(entry.message)
                tracker.sent(entry.message)
    assert player.queued == 24_000 and tracker.unacknowledged == 24_000
    player.read(np.empty(12_000, np.int16))
    [cut] = player.interrupt().truncations
    assert (cut.item_id, cut.response_id, cut.audio_end_ms) == ("i1", "r1", 500)


def test_its_conversation_is_followed(recording: Path) -> None:
    state = ConversationState()
    with read_recording(recording) as entries:
        for entry in entries:
            assert entry.message is not None
            state.follow(entry.message, entry.time)
    [turn] = state.turns
    assert (turn.began, turn.latency, turn.latency_from, turn.status) == ("speech", 0.5, "speech_stopped", "completed")
    assert [(item.side, item.item_id, item.text, item.audio_seconds) for item in state.items] == [
        ("user", "u1", "Will it rain?", 0.0),
        ("model", "i1", "Not today.", 1.0),
    ]
    assert [(tool.name, tool.input) for tool in state.tool_calls] == [("rain", {})] and state.usage == {"total_tokens": 7}


def test_it_is_inspected(recording: Path) -> None:
    found = analyse(recording)
    [turn] = found.turns
    assert turn.latency == pytest.approx(0.5) and turn.audio_seconds == 1.0 and turn.tools == 1
    assert [(item.side, item.text) for item in found.items] == [("user", "Will it rain?"), ("model", "Not today.")]
    assert found.model == "radio-1" and found.usage == {"total_tokens": 7} and found.user_audio_seconds == 1.0


def test_it_has_a_timeline(recording: Path) -> None:
    file = io.BytesIO()
    draw(recording, file, "html")
    assert b"Not today." in file.getvalue() and b"Will it rain?" in file.getvalue()


def test_it_has_tables(recording: Path) -> None:
    pytest.importorskip("pyarrow")
    from realtime_pcm import arrow

    rows = {row["item_id"]: row for row in arrow.items(arrow.read(recording)).to_pylist()}
    assert (rows["u1"]["speaker"], rows["u1"]["transcript"], rows["u1"]["seconds"]) == ("user", "Will it rain?", 1.0)
    assert (rows["i1"]["speaker"], rows["i1"]["transcript"], rows["i1"]["seconds"]) == ("assistant", "Not today.", 1.0)
    assert rows["i1"]["latency"] == pytest.approx(0.5)


def test_it_is_extracted(recording: Path) -> None:
    pytest.importorskip("typer")
    from support.extracted import extracted

    assert extracted(recording) == ({"u1": "Will it rain?", "i1": "Not today."}, {"i1": 1.0})


def test_it_is_rehearsed() -> None:
    pytest.importorskip("websockets")
    from support.talk import Talk, talking

    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "radio.end")
        assert talk.types.count("radio.wave") == 2 and "radio.understood" not in talk.types
        [item] = talk.server.conversation.items
        assert (item.side, item.item_id, item.text, item.audio_seconds) == ("model", "i1", "Not today.", 1.0)
        [turn] = talk.server.conversation.turns
        assert (turn.responses, turn.tools, turn.status) == (1, 1, "completed")

    talking(script, frames=[json.dumps(event) for _, direction, event in TOLD if direction == "received"])
