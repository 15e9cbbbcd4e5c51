"""The failures that people meet, by name: of responses, of transcripts, of the session, of the audio and of the handshake."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import ConnectionClosed

import realtime_pcm as rp
from realtime_pcm.testing import FAULTS, Fault, LoopbackServer, user_speech
from support.stream_clients import ANSWERED, AUDIO, FRAMES, run
from support.talk import Talk, connected, talking


def deltas(talk: Talk) -> int:
    return talk.types.count(AUDIO)


def test_a_response_that_fails_and_one_that_is_incomplete() -> None:
    async def script(talk: Talk) -> dict[str, Any]:
        done = await talk.ask("response.create", "response.done")
        assert deltas(talk) == 3
        ends = [event["type"] for event in talk.seen[-6:]]
        assert ends[:2] == ["response.output_audio.done", "response.output_audio_transcript.done"] and ends[-1] == "response.done"
        assert done["response"]["output"][0]["status"] == "incomplete"
        await talk.ask("response.create", "response.done")  # the next one is as it should be
        return done["response"]  # type: ignore[no-any-return]

    failed = talking(script, query="?fault=response_failed@3")
    assert (failed["status"], failed["status_details"]["error"]["code"]) == ("failed", "server_error")
    incomplete = talking(script, faults=["response_incomplete@3"])
    assert incomplete["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


def test_a_response_of_text_fails_too() -> None:
    async def script(talk: Talk) -> None:
        asked = {"output_modalities": ["text"]}
        done = await talk.ask("response.create", "response.done", response=asked)
        assert done["response"]["status"] == "failed" and talk.types.count("response.output_text.delta") == 1
        assert done["response"]["output"][0]["content"][0]["type"] == "output_text"

    talking(script, faults=["response_failed@1"])


def test_a_rate_limit_fails_the_response_that_it_names() -> None:
    async def script(talk: Talk) -> None:
        first = await talk.ask("response.create", "response.done")
        assert first["response"]["status"] == "completed"
        second = await talk.ask("response.create", "response.done")
        assert second["response"]["status"] == "failed" and second["response"]["output"] == []
        assert second["response"]["status_details"]["error"]["code"] == "rate_limit_exceeded"
        assert talk.types[-2:] == ["response.created", "response.done"]

    talking(script, faults=["rate_limit@1"])
    assert Fault.parse("rate_limit") == Fault("rate_limit", 0)


def test_a_transcript_that_fails() -> None:
    async def script(talk: Talk) -> None:
        await talk.ws.send(rp.encode_append(user_speech()))
        failed = await talk.until("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["code"] == "audio_unintelligible" and failed["content_index"] == 0
        item = talk.server.conversation.item(failed["item_id"])
        assert item is not None and item.text == ""
        await talk.ws.send(rp.encode_append(user_speech()))
        await talk.until("conversation.item.input_audio_transcription.completed")

    talking(script, faults=["transcription_failed"])


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [("session_expired", 1001, "Your session hit the maximum duration of 60 minutes."), ("close_mid_delta", 1011, None)],
)
def test_connections_that_end(fault: str, code: int, reason: str | None) -> None:
    async def script(talk: Talk) -> None:
        await talk.send("response.create")
        with pytest.raises(ConnectionClosed) as closed:
            await talk.until("nothing")
        assert closed.value.rcvd is not None and closed.value.rcvd.code == code and deltas(talk) == 2
        if reason is not None:
            assert closed.value.rcvd.reason == talk.seen[-1]["error"]["message"] == reason
            assert talk.seen[-1]["error"]["code"] == "session_expired"

    talking(script, query=f"?fault={fault}@2")


def test_half_a_delta_is_what_is_left() -> None:
    """A client that reads fragments as they come sees that the last message has no end."""

    async def session() -> list[str]:
        async with LoopbackServer(FRAMES, faults=["close_mid_delta@0"]) as server, connected(server.url) as ws:
            await ws.send('{"type":"response.create"}')
            fragments: list[str] = []
            with pytest.raises(ConnectionClosed):
                while True:
                    fragments = []
                    async for fragment in ws.recv_streaming():
                        fragments.append(fragment)
            return fragments

    [half] = run(session())
    whole = next(event for event in ANSWERED if event["type"] == AUDIO)
    assert half.startswith('{"type":"response.output_audio.delta"') and 3_000 < len(half) < len(json.dumps(whole))


def test_one_delta_under_two_names() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        new, old = ([e for e in talk.seen if e["type"] == name] for name in (AUDIO, "response.audio.delta"))
        assert [event["delta"] for event in old] == [event["delta"] for event in new[1:]]
        # Whoever knows both names counts the audio once.
        assert talk.server.heard_ms() == sum(len(base64.b64decode(event["delta"])) for event in new) // 48

    talking(script, faults=["two_names@1"])


def test_slow_audio() -> None:
    """No clock is read here: 100 ms of audio take 200, so after 0.35 s only the first two deltas are there."""

    async def script(talk: Talk) -> int:
        await talk.send("response.create")
        try:
            await asyncio.wait_for(talk.until("response.done"), 0.35)
        except TimeoutError:
            return deltas(talk)
        return -1

    assert talking(script, faults=["slow_audio@0"]) in (1, 2)
    assert talking(script, faults=["slow_audio@0"], pace=1_000.0) == -1


def test_every_fault_says_what_it_is() -> None:
    for name, meaning in FAULTS.items():
        assert Fault.parse(name).kind == name and len(meaning) > 10
    for name in ("response_failed", "response_incomplete", "transcription_failed", "session_expired", "rate_limit"):
        assert name in FAULTS
