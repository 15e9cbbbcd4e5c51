"""The loopback server: what it sends when, what it answers, how it misbehaves."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

pytest.importorskip("websockets")

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_sync

from realtime_pcm.testing import FAULTS, Fault, LoopbackServer, loopback
from support.stream_clients import ANSWERED, AUDIO, EVENTS, FRAMES, SPEECH, is_of_the_user, run

LAST = EVENTS[-1]["type"]
TURN = [event["type"] for event in ANSWERED[2:]]


def talk(*sent: dict[str, Any], until: str | None = LAST, query: str = "", **options: Any) -> list[dict[str, Any]]:
    """What the server sends to a client that sends these, up to a message of type `until` or the end."""

    async def session() -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        # max_queue: a client that leaves frames unread would wait ten seconds for the answer to its close.
        async with LoopbackServer(FRAMES, **options) as server, connect(server.url + query, max_size=None, max_queue=None) as ws:
            for event in sent:
                await ws.send(json.dumps(event))
            try:
                async for text in ws:
                    events.append(json.loads(text))
                    if events[-1]["type"] == until:
                        break
            except ConnectionClosed:
                pass
        return events

    return run(session())  # type: ignore[no-any-return]


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_it_greets_and_waits() -> None:
    async def session() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as ws:
            assert json.loads(await ws.recv()) == EVENTS[0]
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(ws.recv(), 0.05)

    run(session())


def test_it_replays_the_answer_when_asked() -> None:
    """Frame by frame as it was recorded, without what the recorded user did; the item before it is another one."""
    wanted = [EVENTS[0], *ANSWERED[2:]]
    before = [event for event in wanted if event.get("previous_item_id")]
    assert talk({"type": "response.create"}) == [{**e, "previous_item_id": None} if e in before else e for e in wanted]


def test_a_spoken_turn_is_answered() -> None:
    spoken = {"type": "input_audio_buffer.append", "audio": base64.b64encode(SPEECH.tobytes()).decode()}
    events = talk(spoken)
    assert types([event for event in events if not is_of_the_user(event)])[1:] == TURN
    told = [event["type"] for event in events if is_of_the_user(event) and "transcription" not in event["type"]]
    assert told == [event["type"] for event in EVENTS if is_of_the_user(event) and "transcription" not in event["type"]]


def test_when_the_recording_is_over_answers_are_empty(caplog: pytest.LogCaptureFixture) -> None:
    """A client that asks on and on comes to an end, and the log says why once."""

    async def session() -> list[list[dict[str, Any]]]:
        answers: list[list[dict[str, Any]]] = []
        async with LoopbackServer(FRAMES) as server, connect(server.url, max_size=None) as ws:
            for _ in range(3):
                await ws.send('{"type":"response.create"}')
                answers.append([json.loads(await ws.recv())])
                while answers[-1][-1]["type"] != "response.done":
                    answers[-1].append(json.loads(await ws.recv()))
        return answers

    first, *others = run(session())
    assert first[-1]["response"]["output"]
    for answer in others:
        assert [event["type"] for event in answer if event["type"] != LAST] == ["response.created", "response.done"]
        assert (answer[-1]["response"]["status"], answer[-1]["response"]["output"]) == ("completed", [])
    assert len({answer[-1]["response"]["id"] for answer in (first, *others)}) == 3
    [record] = caplog.records
    assert record.getMessage() == "loopback server: the script is over after 1 responses: further ones are empty"


def test_autoplay_sends_it_all_and_closes() -> None:
    assert talk(until=None, autoplay=True) == EVENTS
    assert talk(until=None, query="?autoplay=1") == EVENTS


def test_session_update_is_merged_and_answered() -> None:
    session = {"type": "realtime", "instructions": "Sing.", "audio": {"output": {"voice": "cedar"}}}
    [_, updated] = talk({"type": "session.update", "session": session}, until="session.updated")
    recorded = EVENTS[1]["session"]
    assert updated["session"]["instructions"] == "Sing."
    assert updated["session"]["audio"]["output"] == {**recorded["audio"]["output"], "voice": "cedar"}
    assert updated["session"]["model"] == recorded["model"]


def test_what_it_cannot_do_is_an_error_event() -> None:
    wanted = {"type": "realtime", "audio": {"output": {"format": {"type": "audio/opus"}}}}
    [_, refused] = talk({"type": "session.update", "event_id": "mine", "session": wanted}, until="error")
    assert (refused["error"]["code"], refused["error"]["event_id"]) == ("invalid_value", "mine")
    [_, refused] = talk({"type": "hum", "event_id": "mine"}, until="error")
    assert (refused["error"]["code"], refused["error"]["event_id"]) == ("invalid_value", "mine")
    assert refused["error"]["message"].startswith("Invalid value: 'hum'. Supported values are: 'session.update', ")


def test_pace_follows_the_audio() -> None:
    """No clock is read here: at a thousandth of its pace the second delta is far away, the first is not."""

    async def session(pace: float) -> int:
        count = 0
        async with LoopbackServer(FRAMES, pace=pace, autoplay=True) as server, connect(server.url, max_size=None) as ws:
            while True:
                try:
                    event = json.loads(await asyncio.wait_for(ws.recv(), 0.3))
                except (TimeoutError, ConnectionClosed):
                    return count
                count += event["type"] == AUDIO

    assert run(session(0.001)) == 1
    assert run(session(1000)) == types(EVENTS).count(AUDIO)


# --- faults

ADDS = ("unknown_type", "bad_base64", "null_delta", "error_event", "duplicate", "interleaved", "two_names")


def test_faults_are_named() -> None:
    assert Fault.parse("close_1011") == Fault("close_1011", 2)
    assert Fault.parse("cut@7") == Fault("cut", 7)
    with pytest.raises(ValueError, match="unknown fault 'explode': known are unknown_type, bad_base64"):
        Fault.parse("explode@3")
    with pytest.raises(ValueError, match="unknown fault"):
        LoopbackServer(FRAMES, faults=["explode"])


@pytest.mark.parametrize("where", ["query", "server"])
@pytest.mark.parametrize("fault", [name for name in FAULTS if name in ADDS])
def test_a_fault_adds_and_takes_nothing_away(fault: str, where: str) -> None:
    options: dict[str, Any] = {"faults": [f"{fault}@1"]} if where == "server" else {"query": f"?fault={fault}@1"}
    events = talk(until=None, autoplay=True, **options)
    extra = list(events)
    for event in EVENTS:
        extra.remove(event)
    count = types(EVENTS).count(AUDIO)
    assert len(extra) == (count - 1 if fault in ("interleaved", "two_names") else 1)
    kinds = {"unknown_type": "response.hologram.delta", "error_event": "error", "two_names": "response.audio.delta"}
    assert set(types(extra)) == {kinds.get(fault, AUDIO)}


@pytest.mark.parametrize(("fault", "code"), [("close_1001", 1001), ("close_1009", 1009), ("close_1011", 1011), ("cut", 1006)])
def test_ends(fault: str, code: int) -> None:
    with loopback(FRAMES, autoplay=True) as server, connect_sync(f"{server.url}?fault={fault}@3", max_size=None) as ws:
        events = []
        with pytest.raises(ConnectionClosed):
            while True:
                events.append(json.loads(ws.recv()))
        assert ws.protocol.close_code == code
    assert types(events).count(AUDIO) <= 3
    if fault != "cut":  # what a cut connection still holds may be lost
        assert types(events).count(AUDIO) == 3


def test_binary_frames() -> None:
    with loopback(FRAMES, autoplay=True) as server, connect_sync(f"{server.url}?fault=binary@1", max_size=None) as ws:
        frames = list(ws)
    kinds = [type(frame) for frame in frames]
    first = kinds.index(bytes)
    assert set(kinds[:first]) == {str} and set(kinds[first:]) == {bytes}
    assert [json.loads(frame) for frame in frames] == EVENTS


# --- in a thread, and recordings


def test_a_taken_port_is_raised_where_it_was_asked_for() -> None:
    with loopback(FRAMES) as server, pytest.raises(OSError), loopback(FRAMES, port=server.port):
        pass
    with pytest.raises(RuntimeError, match="not running"):
        server.url  # noqa: B018


def test_recordings() -> None:
    """Blank lines, str and bytes alike; and one without session.updated."""
    with pytest.raises(ValueError, match="no frames"):
        LoopbackServer([b"\n", ""])
    kept = [FRAMES[0].decode(), b"", FRAMES[2], "\n", *FRAMES[3:]]

    async def session() -> list[Any]:
        async with LoopbackServer(kept, autoplay=True) as server, connect(server.url, max_size=None) as ws:
            return [json.loads(text) async for text in ws]

    assert run(session()) == [EVENTS[0], *EVENTS[2:]]


def test_several_clients_at_once() -> None:
    async def one(url: str) -> list[Any]:
        async with connect(url, max_size=None) as ws:
            return [json.loads(text) async for text in ws]

    async def session() -> list[Any]:
        async with LoopbackServer(FRAMES, autoplay=True) as server:
            got = await asyncio.gather(*(one(server.url) for _ in range(5)))
            assert server.connections == 5
            return got

    assert run(session()) == [EVENTS] * 5
