"""The other half of a conversation as the loopback server rehearses it: truncate, cancel, clear, interruption, formats."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

from websockets.asyncio.client import connect

import realtime_pcm as rp
from realtime_pcm import messages
from realtime_pcm.recording import read_recording
from realtime_pcm.testing import LoopbackServer, loopback
from support import stream_clients as clients
from support.g711 import compressed
from support.stream_clients import AUDIO, EVENTS, FRAMES, at_rate, run
from support.talk import Talk, talking

ITEM = next(event["item_id"] for event in EVENTS if event["type"] == AUDIO)
RESPONSE = next(event["response_id"] for event in EVENTS if event["type"] == AUDIO)
LONG = len(clients.PCM) // 48  # milliseconds of the answer

ENDS = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]


async def truncate(talk: Talk, audio_end_ms: Any, item_id: Any = ITEM, content_index: Any = 0) -> dict[str, Any]:
    fields = {"item_id": item_id, "content_index": content_index, "audio_end_ms": audio_end_ms}
    kinds = ("conversation.item.truncated", "error")
    return await talk.ask("conversation.item.truncate", *kinds, **fields)


# ---- truncate


def test_a_truncate_is_answered_and_held() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        [call] = talk.server.recent_calls
        assert call.items[-1].item_id == ITEM and call.items[-1].audio_ms == call.items[-1].sent_ms == LONG
        assert call.items[-1].transcript == clients.TRANSCRIPT and call.items[-1].status == "completed"
        answer = await truncate(talk, 1_200)
        assert {key: answer[key] for key in ("type", "item_id", "content_index", "audio_end_ms")} == {
            "type": "conversation.item.truncated",
            "item_id": ITEM,
            "content_index": 0,
            "audio_end_ms": 1_200,
        }
        assert (call.items[-1].audio_ms, call.items[-1].sent_ms, call.items[-1].transcript) == (1_200, LONG, None)
        # A second truncate can only shorten it further.
        assert (await truncate(talk, 1_201))["error"]["message"] == "Audio content of 1200ms is already shorter than 1201ms"
        assert (await truncate(talk, 1_200))["type"] == "conversation.item.truncated"
        assert (await truncate(talk, 1))["type"] == "conversation.item.truncated"
        assert call.items[-1].audio_ms == 1

    talking(script)


def test_a_truncate_to_the_last_millisecond_and_past_it() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        refused = (await truncate(talk, LONG + 1))["error"]
        assert refused["code"] == "invalid_value"
        assert refused["message"] == f"Audio content of {LONG}ms is already shorter than {LONG + 1}ms"
        assert talk.server.recent_calls[0].items[-1].audio_ms == LONG
        assert (await truncate(talk, LONG))["type"] == "conversation.item.truncated"

    talking(script)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"audio_end_ms": 0}, "unsupported_content_type"),
        ({"audio_end_ms": 10, "content_index": 1}, "unsupported_content_type"),
        ({"audio_end_ms": 10, "item_id": "item_of_the_user"}, "unsupported_content_type"),
        ({"audio_end_ms": 10, "item_id": "item_of_nobody"}, "item_truncate_invalid_item_id"),
        ({"audio_end_ms": 10, "item_id": ["x"]}, "invalid_value"),
        ({"audio_end_ms": 10.5}, "invalid_value"),
        ({"audio_end_ms": True}, "invalid_value"),
        ({"audio_end_ms": None}, "missing_required_parameter"),
        ({"audio_end_ms": -1}, "invalid_value"),
        ({"audio_end_ms": 10, "content_index": "0"}, "invalid_value"),
        ({"audio_end_ms": 10**400}, "invalid_value"),
    ],
)
def test_what_cannot_be_truncated_is_an_error_and_changes_nothing(fields: dict[str, Any], code: str) -> None:
    async def script(talk: Talk) -> None:
        item = {"id": "item_of_the_user", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
        await talk.ask("conversation.item.create", "conversation.item.done", item=item)
        await talk.ask("response.create", "response.done")
        before = talk.server.recent_calls[0].items
        refused = await truncate(talk, **fields)
        assert (refused["type"], refused["error"]["code"]) == ("error", code)
        assert talk.server.recent_calls[0].items == before

    talking(script)


def test_a_truncate_before_the_first_audio_is_refused_as_it_was_seen() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.content_part.added")
        refused = (await truncate(talk, 0))["error"]
        assert refused["code"] == "unsupported_content_type"
        assert refused["message"] == "Only model output audio messages can be truncated"

    first = next(place for place, event in enumerate(EVENTS) if event["type"] == AUDIO)
    talking(script, frames=FRAMES[:first])


def test_an_item_can_be_deleted() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        kinds = ("conversation.item.deleted", "error")
        assert (await talk.ask("conversation.item.delete", *kinds, item_id=ITEM))["item_id"] == ITEM
        assert ITEM not in [item.item_id for item in talk.server.recent_calls[0].items]
        assert (await talk.ask("conversation.item.delete", *kinds, item_id=ITEM))["type"] == "error"
        assert (await talk.ask("conversation.item.delete", *kinds))["type"] == "error"

    talking(script)


# ---- cancel


def test_a_cancelled_response_ends() -> None:
    """In the middle of its audio: each stream, part and item that is open ends once, in the order of recorded endings."""

    async def script(talk: Talk) -> None:
        await talk.send("response.create")
        await talk.until(AUDIO, count=3)
        await talk.send("response.cancel", response_id=RESPONSE)
        done = await talk.until("response.done")
        heard = [event for event in talk.seen if event["type"] == AUDIO]
        assert 3 <= len(heard) < sum(event["type"] == AUDIO for event in EVENTS)
        response = done["response"]
        assert (response["id"], response["status"]) == (RESPONSE, "cancelled")
        assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        [item] = response["output"]
        assert (item["id"], item["status"]) == (ITEM, "incomplete")
        said = "".join(event["delta"] for event in talk.seen if event["type"] == "response.output_audio_transcript.delta")
        assert item["content"] == [{"type": "output_audio", "transcript": said}]
        # The transcript may end before the audio does; what follows the last delta is in the order of the recording.
        ends = [event["type"] for event in talk.seen if event["type"] in ENDS and event.get("item", {}).get("role") != "user"]
        assert ends == ENDS
        # A decoder ends its streams with these messages.
        decoded = list(rp.decode_stream(json.dumps(event) for event in talk.seen))
        assert sum(isinstance(message, rp.messages.UnknownMessage) for message in decoded) == 0
        # Nothing of the answer comes afterwards, and the item is held as far as it was sent.
        await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        assert talk.types[-2:] == ["response.done", "input_audio_buffer.cleared"]
        held = talk.server.recent_calls[0].items[-1]
        assert (held.item_id, held.status) == (ITEM, "incomplete")
        assert held.sent_ms == sum(len(base64.b64decode(event["delta"])) for event in heard) // 48

    talking(script, pace=1.0)


def test_a_cancel_that_follows_at_once_still_begins_and_ends_a_response() -> None:
    async def script(talk: Talk) -> None:
        await talk.send("response.create")
        await talk.send("response.cancel")
        assert (await talk.until("response.done"))["response"]["status"] == "cancelled"
        assert talk.types.index("response.created") < talk.types.index("response.done")
        assert talk.types.count(AUDIO) < 5

    talking(script, pace=1.0)


def test_a_cancel_without_a_response_is_an_error() -> None:
    async def script(talk: Talk) -> None:
        refused = (await talk.ask("response.cancel", "error", event_id="mine"))["error"]
        assert (refused["code"], refused["event_id"]) == ("response_cancel_not_active", "mine")
        await talk.send("response.create")
        await talk.until(AUDIO)
        refused = await talk.ask("response.cancel", "error", response_id="resp_of_nobody")
        assert refused["error"]["code"] == "response_cancel_not_active"
        await talk.until("response.done")
        assert (await talk.ask("response.cancel", "error"))["error"]["code"] == "response_cancel_not_active"

    talking(script, pace=1.0 * 50)


def test_a_response_in_the_middle_of_another_is_an_error() -> None:
    async def script(talk: Talk) -> None:
        await talk.send("response.create")
        await talk.until(AUDIO)
        refused = (await talk.ask("response.create", "error"))["error"]
        assert refused["code"] == "conversation_already_has_active_response" and RESPONSE in refused["message"]
        await talk.ask("response.cancel", "response.done")
        await talk.ask("response.create", "response.created")

    talking(script, pace=1.0)


def test_a_cancel_where_the_recording_has_no_response() -> None:
    """GPT-Live and translation: there is nothing to name, and the client hears an end all the same."""

    async def script(talk: Talk) -> None:
        await talk.send("response.create")
        await talk.until("session.output_audio.delta")
        await talk.send("response.cancel")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "cancelled" and done["response"]["output"] == []

    delta = {"type": "session.output_audio.delta", "delta": base64.b64encode(bytes(48_000)).decode()}
    talking(script, frames=[json.dumps(event) for event in ({"type": "session.created"}, delta, delta, delta)], pace=1.0)


# ---- clear


def test_clears_are_answered() -> None:
    async def script(talk: Talk) -> None:
        await talk.ws.send(rp.encode_append(clients.SPEECH[:960]))
        assert set(await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")) == {"type", "event_id"}
        await talk.ws.send(rp.encode_append(clients.SPEECH[:960]))  # together they would be speech
        assert (await talk.ask("output_audio_buffer.clear", "output_audio_buffer.cleared"))["response_id"] is None
        assert talk.types == ["session.created", "input_audio_buffer.cleared", "output_audio_buffer.cleared"]
        await talk.ask("response.create", "response.done")
        assert (await talk.ask("output_audio_buffer.clear", "output_audio_buffer.cleared"))["response_id"] == RESPONSE

    talking(script)


# ---- the scripted interruption


@pytest.mark.parametrize("where", ["query", "server"])
def test_an_interruption_after_so_much_of_the_answer(where: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        place = len(talk.types) - 1 - talk.types[::-1].index("input_audio_buffer.speech_started")
        before = [event for event in talk.seen[:place] if event["type"] == AUDIO]
        sent = [len(base64.b64decode(event["delta"])) / 48_000 for event in before]
        assert sum(sent) >= 1.2 > sum(sent[:-1])
        assert not [event for event in talk.seen[place:] if event["type"] == AUDIO]
        response = talk.seen[-1]["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "turn_detected")
        # The user stops; what was said is an item, is written down and answered.
        await talk.until("conversation.item.input_audio_transcription.completed")
        started = talk.seen[place]["item_id"]
        told = [event["type"].rpartition(".")[2] for event in talk.seen[place:] if event.get("item_id") == started]
        assert [kind for kind in told if kind != "delta"] == ["speech_started", "speech_stopped", "committed", "completed"]
        assert talk.types[place:].count("response.created") == 1
        items = talk.server.recent_calls[0].items
        assert [(item.item_id, item.role, item.status) for item in items] == [
            (ITEM, "assistant", "incomplete"),
            (started, "user", "completed"),
        ]
        assert items[0].sent_ms == round(sum(sent) * 1000) and items[1].transcript

    if where == "query":
        talking(script, query="?interrupt=1.2")
    else:
        talking(script, interrupt=1.2)


def test_an_interruption_that_the_session_does_not_let_end_the_response() -> None:
    async def script(talk: Talk) -> None:
        detection = {"type": "server_vad", "interrupt_response": False}
        session = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        await talk.ask("session.update", "session.updated", session=session)
        done = await talk.ask("response.create", "response.done")
        assert talk.types.count("input_audio_buffer.speech_started") == 1
        assert done["response"]["status"] == "completed"
        await talk.until("response.created")  # the answer to what was said meanwhile

    talking(script, interrupt=1.2)


def test_a_paced_interruption_comes_at_its_time() -> None:
    """At a hundredth of its pace, an interruption after 20 ms waits two seconds; at a hundred times, it is there at once."""

    async def came(pace: float) -> bool:
        async with LoopbackServer(FRAMES, pace=pace, interrupt=0.02) as server, connect(server.url, max_size=None) as ws:
            talk = Talk(server, ws)
            await talk.send("response.create")
            await talk.until(AUDIO)
            try:
                await asyncio.wait_for(talk.until("input_audio_buffer.speech_started"), 0.5)
            except TimeoutError:
                return False
            return True

    assert run(came(0.01)) is False
    assert run(came(100.0)) is True


def test_an_interrupt_that_is_no_time() -> None:
    with pytest.raises(ValueError, match="interrupt is a number of seconds, 0 or more"):
        LoopbackServer(FRAMES, interrupt=-1)


# ---- formats


def wanted(format_: dict[str, Any], direction: str = "output") -> dict[str, Any]:
    return {"type": "realtime", "audio": {direction: {"format": format_}}}


async def hear(talk: Talk, session: dict[str, Any]) -> list[messages.ResponseAudioDelta]:
    await talk.ask("session.update", "session.updated", session=session)
    await talk.ask("response.create", "response.done")
    decoded = rp.decode_stream(json.dumps(event) for event in talk.seen)
    return [message for message in decoded if isinstance(message, messages.ResponseAudioDelta)]


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_pcm_at_the_rate_that_the_session_names(rate: int) -> None:
    async def script(talk: Talk) -> None:
        audio = await hear(talk, wanted({"type": "audio/pcm", "rate": rate}))
        assert {message.audio_format for message in audio} == {rp.AudioFormat("pcm16", rate)}
        assert len(audio) == sum(event["type"] == AUDIO for event in EVENTS)
        assert np.array_equal(np.concatenate([message.pcm for message in audio]), at_rate(rate))
        assert all(abs(message.pcm.size / rate - len(base64.b64decode(event["delta"])) / 48_000) < 2 / rate
                   for message, event in zip(audio, (e for e in EVENTS if e["type"] == AUDIO), strict=True))  # fmt: skip
        assert talk.server.recent_calls[0].items[-1].sent_ms == at_rate(rate).size * 1000 // rate

    talking(script, strict=rate == 24_000)


@pytest.mark.parametrize(
    ("session", "encoding"),
    [
        (wanted({"type": "audio/pcmu"}), "g711_ulaw"),
        (wanted({"type": "audio/pcma"}), "g711_alaw"),
        ({"output_audio_format": "g711_ulaw"}, "g711_ulaw"),  # a client of the beta
        ({"output_audio_format": "g711_alaw"}, "g711_alaw"),
    ],
)
def test_g711_of_both_laws(session: dict[str, Any], encoding: str) -> None:
    async def script(talk: Talk) -> None:
        audio = await hear(talk, session)
        assert {message.audio_format for message in audio} == {rp.AudioFormat(encoding, 8_000)}
        codes = b"".join(base64.b64decode(event["delta"]) for event in talk.seen if event["type"] == AUDIO)
        assert codes == compressed(encoding, at_rate(8_000))
        named = [event["response"] for event in talk.seen if event["type"] in ("response.created", "response.done")]
        for response in named:
            if "audio" in session:
                assert response["audio"]["output"]["format"] == session["audio"]["output"]["format"]
            else:
                assert response["output_audio_format"] == session["output_audio_format"]

    talking(script, strict="audio" in session)


def test_a_recording_of_g711_is_heard_as_pcm() -> None:
    """And the other law, from the codes of the first."""
    session = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    codes = bytes(range(256)) * 40
    delta = {"type": AUDIO, "response_id": "r", "item_id": "i", "content_index": 0, "delta": base64.b64encode(codes).decode()}
    recorded = [{"type": "session.created", "session": session}, delta, {"type": "response.done", "response": {}}]

    async def as_it_is(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        assert [base64.b64decode(event["delta"]) for event in talk.seen if event["type"] == AUDIO] == [codes]

    async def as_pcm(talk: Talk) -> None:
        [message] = await hear(talk, wanted({"type": "audio/pcm", "rate": 8_000}))
        table = rp.decode(json.dumps(delta), audio_format="mulaw")
        assert np.array_equal(message.pcm, table.pcm)

    for script in (as_it_is, as_pcm):
        talking(script, frames=map(json.dumps, recorded), strict=False)


def test_another_rate_without_soxr_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    async def script(talk: Talk) -> None:
        session = wanted({"type": "audio/pcmu"})
        refused = (await talk.ask("session.update", "error", "session.updated", session=session))["error"]
        assert refused["message"].endswith('need soxr: pip install "realtime-pcm[testing]"')

    monkeypatch.setitem(sys.modules, "soxr", None)
    talking(script)


def test_other_connections_have_ids_of_their_own_and_texts_as_they_were() -> None:
    """Only a whole string of JSON is an id: one that a text quotes, or a payload that looks like one, stays."""
    frames = [
        {"type": "session.created", "session": {}},
        {"type": "response.created", "response": {"id": "r"}},
        {"type": AUDIO, "response_id": "r", "item_id": "AAAA", "content_index": 0, "delta": "AAAA" * 5_000},
        {"type": "response.output_text.delta", "response_id": "r", "item_id": "AAAA", "delta": 'r \\ "r" \\"r"'},
        {"type": "response.done", "response": {"id": "r", "output": [{"id": "AAAA"}]}},
    ]

    async def session() -> None:
        async with LoopbackServer(map(json.dumps, frames)) as server:
            for number in (1, 2, 3):
                async with connect(server.url, max_size=None) as ws:
                    talk = Talk(server, ws)
                    await talk.ask("response.create", "response.done")
                    as_first = json.dumps(talk.seen).replace(f'"r_{number}"', '"r"').replace(f'"AAAA_{number}"', '"AAAA"')
                    assert json.loads(as_first) == frames and (talk.seen == frames) is (number == 1)

    run(session())


@pytest.mark.parametrize(
    "session",
    [
        wanted({"type": "audio/opus"}),
        wanted({"type": "audio/opus"}, "input"),
        wanted({"type": "audio/pcm", "rate": 1}),
        wanted({"type": "audio/pcm", "rate": 2_000_000_000}),
        wanted({"type": "audio/pcm", "rate": 24_000, "channels": 2}),
        {"output_audio_format": "mp3"},
    ],
)
def test_a_format_that_it_does_not_have_is_refused_and_nothing_changes(session: dict[str, Any]) -> None:
    async def script(talk: Talk) -> None:
        before = talk.server.recent_calls[0].session
        refused = (await talk.ask("session.update", "error", "session.updated", session=session))["error"]
        assert refused["code"] == "invalid_value" and refused["message"].startswith("the loopback server cannot ")
        assert talk.server.recent_calls[0].session == before
        assert talk.server.recent_calls[0].formats.audio_format == rp.AudioFormat("pcm16", 24_000)
        await talk.ask("response.create", "response.done")
        assert b"".join(base64.b64decode(event["delta"]) for event in talk.seen if event["type"] == AUDIO) == clients.PCM

    talking(script, strict=False)


@pytest.mark.parametrize(
    "format_",
    [{"type": "audio/pcm", "rate": 24_000}, {"type": "audio/pcmu"}, {"type": "audio/pcma"}, {"type": "audio/pcm", "rate": 8_000}],
)
def test_speech_is_found_in_the_input_format(format_: dict[str, Any]) -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session=wanted(format_, "input"))
        input_format = talk.server.recent_calls[0].formats.input_audio_format
        speech = clients.SPEECH[:: 24_000 // input_format.rate]
        await talk.ws.send(rp.encode_append(speech, audio_format=input_format))
        await talk.until("response.done")
        times = [
            event.get("audio_start_ms", event.get("audio_end_ms")) for event in talk.seen if "buffer.speech_" in event["type"]
        ]
        assert times == [0, 800]  # 600 ms of speech, and the silence_duration_ms of the recorded session

    talking(script, strict="rate" not in format_ or format_["rate"] == 24_000)


@pytest.mark.parametrize("session", [{"audio": {"input": {"turn_detection": None}}}, {"turn_detection": None}])
def test_without_turn_detection_the_client_begins_the_answer(session: dict[str, Any]) -> None:
    """As push-to-talk does: append, commit, response.create."""

    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session=session)
        await talk.ws.send(rp.encode_append(clients.SPEECH))
        await talk.ask("input_audio_buffer.commit", "conversation.item.done")
        items = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
        assert talk.types == ["session.created", "session.updated", *items]
        await talk.ask("response.create", "response.done")
        assert "error" not in talk.types

    if "audio" in session:
        talking(script, strict=False)
    else:
        talking(script, frames=[json.dumps({"type": "session.created", "session": {}}), *FRAMES[2:]], strict=False)


# ---- what is kept


def test_what_both_sides_said_is_a_recording(tmp_path: Path) -> None:
    async def script(talk: Talk) -> None:
        samples = np.arange(480, dtype=np.int16)
        await talk.ws.send(rp.encode_append(samples))
        await talk.ws.send("{")
        await talk.until("error")
        await talk.ask("response.create", EVENTS[-1]["type"])
        [call] = talk.server.recent_calls
        entries = call.recording
        sent = [entry for entry in entries if entry.direction == "sent"]
        assert [entry.message.type if entry.message else None for entry in sent] == [
            "input_audio_buffer.append",
            None,
            "response.create",
        ]
        assert np.array_equal(sent[0].message.pcm, samples)
        received = [json.loads(entry.frame) for entry in entries if entry.direction == "received"]
        assert received == talk.seen
        times = [entry.time or 0.0 for entry in entries]
        assert times == sorted(times) and times[0] >= 0
        for name in ("call.jsonl", "call.jsonl.gz"):
            call.save(tmp_path / name)
            again = list(read_recording(tmp_path / name))
            assert [entry[:4] for entry in again] == [entry[:4] for entry in entries]
        with pytest.raises(FileExistsError):
            call.save(tmp_path / "call.jsonl")
        call.save(tmp_path / "call.jsonl", overwrite=True)

    talking(script)


def test_recordings_and_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime_pcm.testing import call as module

    monkeypatch.setattr(module, "MAX_FRAMES", 10)

    async def frames_kept(talk: Talk) -> None:
        for _ in range(20):
            await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        [call] = talk.server.recent_calls
        assert len(call.recording) == 10 and call.dropped == 41 - 10

    talking(frames_kept)
    monkeypatch.setattr(module, "MAX_FRAMES", 10_000)
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)

    async def bytes_kept(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        [call] = talk.server.recent_calls
        assert sum(len(entry.frame) for entry in call.recording) <= 100_000 and call.dropped > 0
        assert call.items[-1].sent_ms == LONG  # what is held does not depend on what is kept

    talking(bytes_kept)
    with loopback(FRAMES) as server:
        from websockets.sync.client import connect as connect_sync

        for _ in range(10):
            with connect_sync(server.url, max_size=None) as ws:
                ws.recv()
        assert len(server.recent_calls) == 8 and server.connections == 10


def test_items_are_bounded() -> None:
    async def script(talk: Talk) -> None:
        for number in range(1_100):
            await talk.send(
                "conversation.item.create", item={"id": f"item_{number}", "type": "message", "role": "user", "content": []}
            )
        await talk.until("conversation.item.done", count=1_100)
        too_long = {"id": "x" * 33, "type": "message", "role": "user", "content": []}
        refused = await talk.ask("conversation.item.create", "error", item=too_long)
        assert refused["error"]["code"] == "string_above_max_length"
        names = [item.item_id for item in talk.server.recent_calls[0].items]
        assert names == [f"item_{number}" for number in range(100, 1_100)]

    talking(script)


def test_without_websockets_the_import_says_what_to_install() -> None:
    import subprocess
    import sys

    code = "import sys; sys.modules['websockets'] = None; import realtime_pcm.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(
        'ImportError: realtime_pcm.testing needs the package websockets: pip install "realtime-pcm[testing]"'
    )
