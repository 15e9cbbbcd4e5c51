"""What the loopback server refuses: pages of other sites, requests for other hosts, messages that it cannot read or keep."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import re
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("websockets")

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_sync

import realtime_pcm as rp
from realtime_pcm.testing import LOOPBACK_ORIGINS, LoopbackServer, loopback
from realtime_pcm.testing.connection import MAX_DEPTH, MAX_SESSION
from realtime_pcm.testing.server import MAX_MESSAGE
from support.stream_clients import EVENTS, FRAMES, run

COUNT = itertools.count()
CREATED = json.loads(FRAMES[0])


def greeted(url: str, port: int | None = None, **options: Any) -> bool:
    """Whether the server lets a client in; a refusal must be 403, before any frame of the recording.

    port: connect to this one of this machine, whatever machine the URL names, as its resolver may have it.
    """
    if port is not None:
        options["sock"] = socket.create_connection(("127.0.0.1", port))
    try:
        with connect_sync(url, max_size=None, **options) as ws:
            return bool(json.loads(ws.recv(10)) == CREATED)
    except InvalidStatus as refusal:
        assert refusal.response.status_code == 403
        return False


# --- Origin and Host


@pytest.mark.parametrize(
    ("origin", "let_in"),
    [
        (None, True),
        ("http://localhost", True),
        ("http://localhost:3000", True),
        ("https://localhost:8443", True),
        ("http://127.0.0.1", True),
        ("http://127.0.0.1:5173", True),
        ("http://[::1]:8080", True),
        ("https://evil.example", False),
        ("http://evil.example:8765", False),
        ("null", False),
        ("http://localhost.evil.example", False),
        ("http://evil.example/localhost", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost:80@evil.example", False),
        ("http://localhost:80.evil.example", False),
        ("file://", False),
        ("ws://localhost", False),
        ("http://127x0x0x1", False),
        ("http://10.0.0.1", False),
        ("xhttp://localhost", False),
    ],
)
def test_pages_of_other_sites_are_refused(origin: Any, let_in: bool) -> None:
    with loopback(FRAMES) as server:
        assert greeted(server.url, origin=origin) is let_in
        assert server.connections == let_in


def test_origins_that_the_owner_names() -> None:
    page, other = "https://app.example", "http://localhost:3000"
    with loopback(FRAMES, origins=[page]) as server:
        assert [greeted(server.url, origin=origin) for origin in (page, other, None)] == [True, False, False]
    with loopback(FRAMES, origins=[*LOOPBACK_ORIGINS, page]) as server:
        assert [greeted(server.url, origin=origin) for origin in (page, other, None)] == [True, True, True]
        assert not greeted(server.url, origin="https://evil.example")
    with loopback(FRAMES, origins=[re.compile(r"https://\w+\.app\.example")]) as server:
        assert greeted(server.url, origin="https://a.app.example")
        assert not greeted(server.url, origin="https://a.app.example.evil.example")


def test_other_clients_send_their_origin_too() -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, aiohttp.ClientSession() as session:
            async with session.ws_connect(server.url) as ws:
                assert json.loads(await ws.receive_str()) == CREATED
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect(server.url, origin="https://evil.example")
            assert refusal.value.status == 403

    run(talk())


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"])
def test_a_name_that_was_made_to_resolve_here_is_refused(name: str) -> None:
    """DNS rebinding: the page's own host name leads to 127.0.0.1. The request still names it."""
    with loopback(FRAMES) as server:
        for suffix in (f":{server.port}", ""):
            url = f"ws://{name}{suffix}/v1/realtime"
            assert not greeted(url, port=server.port)
        assert greeted(server.url)
    with loopback(FRAMES, hosts=[name.upper()]) as server:
        assert greeted(f"ws://{name}:{server.port}/", port=server.port)
        assert not greeted(server.url)


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_the_names_of_this_machine(name: str) -> None:
    with loopback(FRAMES) as server:
        for suffix in (f":{server.port}", ":8080", ""):
            assert greeted(f"ws://{name}{suffix}/v1/realtime", port=server.port)


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"], [""]])
def test_no_host_and_two_hosts(hosts: list[str]) -> None:
    async def talk() -> bytes:
        async with LoopbackServer(FRAMES) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            lines = [
                "GET /v1/realtime HTTP/1.1",
                *(f"Host: {host}" for host in hosts),
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                "Sec-WebSocket-Version: 13",
                "",
                "",
            ]
            writer.write("\r\n".join(lines).encode())
            answer = await reader.read()
            writer.close()
            return answer

    assert run(talk()).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "query",
    [
        "fault=explode",
        "fault=cut@x",
        "fault=cut@-1",
        "fault=cut@",
        "pace=fast",
        "pace=-1",
        "pace=nan",
        "interrupt=inf",
        "interrupt=x",
    ],
)
def test_a_query_that_cannot_be_understood_is_answered_in_words(query: str) -> None:
    with loopback(FRAMES) as server, pytest.raises(InvalidStatus) as refusal, connect_sync(f"{server.url}?{query}"):
        pass
    assert refusal.value.response.status_code == 400
    assert refusal.value.response.body.decode().startswith(
        ("unknown fault", "fault 'cut'", "pace is a number", "interrupt is a number")
    )
    assert server.connections == 0


def test_what_the_owner_asks_for_in_error_is_a_value_error() -> None:
    for fault in ("cut@x", "cut@", "cut@-2", "cut@1e3", "cut@99999999999"):
        with pytest.raises(ValueError, match="after the @ comes the number of an audio delta"):
            LoopbackServer(FRAMES, faults=[fault])


# --- messages of clients


async def told(ws: Any, *sent: str | bytes) -> list[dict[str, Any]]:
    """Send these, then an item; what the server says before it answers the item."""
    for text in sent:
        await ws.send(text)
    last = f"last{next(COUNT)}"
    await ws.send(
        json.dumps({"type": "conversation.item.create", "item": {"id": last, "type": "message", "role": "user", "content": []}})
    )
    events = []
    while True:
        events.append(json.loads(await ws.recv()))
        if events[-1]["type"] == "conversation.item.done" and events[-1]["item"]["id"] == last:
            return [event for event in events[:-2] if event["type"] != "session.created"]


DEEP = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{",
        "7",
        "null",
        "[]",
        '["type"]',
        "{}",
        '{"type":7}',
        '{"type":null}',
        '{"type":["error"]}',
        "NaN",
        b"\xff\xfe{}",
        b'{"type":"\xed\xa0\x80"}',
        "[" * DEEP,
        '{"type":"x","a":' + "[" * DEEP + "]" * DEEP + "}",
        '{"type":"session.update","session":' + '{"a":' * 600 + "1" + "}" * 600 + "}",
        "1" * 5000,
    ],
)
def test_what_cannot_be_read_is_answered_and_the_connection_goes_on(text: str | bytes) -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as ws:
            [refused] = await told(ws, text)
            assert (refused["type"], refused["error"]["code"]) == ("error", "invalid_json")
            assert [event["type"] for event in server.received] == ["conversation.item.create"]

    run(talk())


@pytest.mark.parametrize(
    ("event", "codes"),
    [
        ('{"type":"session.update"}', ["session.updated"]),
        ('{"type":"session.update","session":null}', ["session.updated"]),
        ('{"type":"session.update","session":"loud"}', ["invalid_type"]),
        ('{"type":"session.update","session":[1]}', ["invalid_type"]),
        ('{"type":"session.update","session":{"audio":"none"}}', ["session.updated"]),
        ('{"type":"session.update","session":{"audio":{"output":{"format":"abc"}}}}', ["invalid_value"]),
        ('{"type":"session.update","session":{"audio":{"output":{"format":{"type":7}}}}}', ["session.updated"]),
        ('{"type":"session.update","session":{"audio":null,"output_audio_format":["a"]}}', ["session.updated"]),
        ('{"type":"session.update","session":{"temperature":NaN}}', ["invalid_value"]),
        ('{"type":"session.update","session":{"temperature":1e400}}', ["invalid_value"]),
        ('{"type":"input_audio_buffer.append","audio":7}', ["invalid_value"]),
        ('{"type":"input_audio_buffer.append","audio":"AAA*"}', ["invalid_value"]),
        ('{"type":"input_audio_buffer.append"}', []),
        ('{"type":"hum","event_id":NaN}', ["invalid_value"]),
        ('{"type":"\\ud800"}', ["invalid_value"]),
        ('{"type":"hum","event_id":"\\ud800"}', ["invalid_value"]),
        ('{"type":"conversation.item.create","item":"\\udfff"}', ["invalid_type"]),
        (
            '{"type":"conversation.item.create","item":{"type":["x"]},"previous_item_id":{}}',
            ["item_create_invalid_previous_item_id"],
        ),
        ('{"type":"conversation.item.create","item":{"x":"\\udfff"}}', ["conversation.item.added", "conversation.item.done"]),
        ('{"type":"conversation.item.create","item":{"x":NaN}}', ["invalid_value"]),
        ('{"type":"conversation.item.retrieve","item_id":[1]}', ["item_retrieve_invalid_item_id"]),
        ('{"type":"response.create","response":[1]}', ["invalid_type"]),
        ('{"type":"response.create","response":{"metadata":{"a":NaN}}}', ["invalid_value"]),
    ],
)
def test_odd_values_are_answered_and_the_connection_goes_on(event: str, codes: list[str]) -> None:
    async def talk() -> list[str]:
        async with LoopbackServer(FRAMES, strict=False) as server, connect(server.url, max_size=None) as ws:
            # Twice: what the first one left behind must not trouble the second.
            return [
                answer["error"]["code"] if answer["type"] == "error" else answer["type"]
                for answer in await told(ws, event, event)
            ]

    assert run(talk()) == codes * 2


def from_a_deep_stack(read: Callable[[], Any]) -> Any:
    """What `read` gives where only some 200 calls of this Python's limit are left."""

    def deeper(levels: int) -> Any:
        return deeper(levels - 1) if levels else read()

    return deeper(sys.getrecursionlimit() - len(inspect.stack(0)) - 200)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_it_has_accepted_can_be_read_however_deeply_it_is_nested(opening: str) -> None:
    def nested(levels: int) -> str:
        closing = "]" if opening == "[" else "}"
        inner = levels - 2  # the message, and the innermost list
        return '{"type":"hum","x":' + opening * inner + "[]" + closing * inner + "}"

    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as ws:
            fits, refused = await told(ws, nested(MAX_DEPTH), nested(MAX_DEPTH + 1))
            assert fits["error"]["code"] == "invalid_value"
            assert refused["error"]["code"] == "invalid_json" and f"at most {MAX_DEPTH} levels" in refused["error"]["message"]
            received = from_a_deep_stack(lambda: server.received)
            assert [event["type"] for event in received] == ["hum", "conversation.item.create"]
            call = server.recent_calls[0]
            assert len(from_a_deep_stack(lambda: call.recording)) >= 5
            assert from_a_deep_stack(lambda: call.items) and from_a_deep_stack(lambda: repr(call))

    run(talk())


def test_what_it_repeats_of_a_client_is_short_and_printable() -> None:
    async def talk() -> list[dict[str, Any]]:
        async with LoopbackServer(FRAMES) as server, connect(server.url, max_size=None) as ws:
            session = {"type": "realtime", "audio": {"output": {"format": {"type": "\x1b]0;t\x07" * 1000}}}}
            return await told(
                ws, json.dumps({"type": "\x1b[2J" + "x" * 100_000}), json.dumps({"type": "session.update", "session": session})
            )

    for refused in run(talk()):
        message = refused["error"]["message"]
        assert message.isprintable() and len(message) < 1500


def test_a_session_does_not_grow_for_ever() -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES, strict=False) as server, connect(server.url, max_size=None) as ws:
            updates = [json.dumps({"type": "session.update", "session": {f"key{n}": "x" * 300_000}}) for n in range(5)]
            answers = await told(ws, *updates)
            assert [answer["type"] for answer in answers] == ["session.updated"] * 3 + ["error"] * 2
            assert len(json.dumps(answers[2]["session"])) <= MAX_SESSION + 10_000
            # The session is as it was before what was refused.
            [again] = await told(ws, '{"type":"session.update","session":{}}')
            assert again["session"] == answers[2]["session"]

    run(talk())


def test_a_message_that_is_too_long_ends_the_connection() -> None:
    fits = '{"type":"hum","x":"%s"}' % ("x" * (MAX_MESSAGE - 21))
    assert len(fits) == MAX_MESSAGE
    with loopback(FRAMES) as server:
        with connect_sync(server.url) as ws:
            ws.recv()
            ws.send(fits)
            assert json.loads(ws.recv())["error"]["code"] == "invalid_value"
        with connect_sync(server.url) as ws:
            ws.recv()
            with pytest.raises(ConnectionClosed):
                ws.send(fits + " ")
                ws.recv()
            assert ws.protocol.close_code == 1009
        assert greeted(server.url)  # other clients go on
        assert [len(json.dumps(event, separators=(",", ":"))) for event in server.received] == [len(fits)]


def test_the_last_thousand_messages_are_kept_and_the_rest_is_counted() -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as ws:
            clears = [f'{{"type":"input_audio_buffer.clear","event_id":"{n}"}}' for n in range(1500)]
            audio = ['{"type":"input_audio_buffer.append","audio":"AAAA"}'] * 10
            assert len(await told(ws, *clears[:500])) == 500
            assert (len(server.received), server.received_dropped) == (501, 0)
            assert len(await told(ws, *audio, *clears[500:])) == 1000
            # With the two items that asked for an end.
            assert (len(server.received), server.received_dropped) == (1000, 502)
            ids = [event.get("event_id") for event in server.received]
            assert ids == [*map(str, range(501, 1500)), None]

    run(talk())


def test_kept_messages_are_bounded_in_bytes_too() -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as ws:
            long = [json.dumps({"type": "input_audio_buffer.clear", "event_id": str(n), "x": "x" * 5_000_000}) for n in range(5)]
            assert len(await told(ws, *long)) == 5
            assert [event.get("event_id") for event in server.received] == ["2", "3", "4", None]
            assert server.received_dropped == 2
            # Short ones are kept again.
            assert len(await told(ws, '{"type":"input_audio_buffer.clear"}')) == 1
            assert (len(server.received), server.received_dropped) == (6, 2)

    run(talk())


# --- recordings


def test_recordings_with_odd_frames_play() -> None:
    """Fields of other JSON types than a server sends: data like any other."""
    frames = [
        {"type": "session.created", "session": "none"},
        {"type": "session.updated", "session": [1]},
        {"type": "response.output_audio.delta", "delta": None},
        {"type": "response.output_audio.delta", "audio": "AAAB"},
        {"type": "response.created", "response": "none"},
        {"type": "response.output_audio.delta", "delta": "AAAB"},
        {"type": "response.done", "response": {"audio": []}},
    ]

    async def talk(query: str) -> list[str]:
        async with LoopbackServer(map(json.dumps, frames), autoplay=True) as server, connect(server.url + query) as ws:
            return [message.type async for message in rp.decode_stream(ws)]

    assert run(talk("")) == [frame["type"] for frame in frames]
    assert len(run(talk("?fault=duplicate@0&fault=null_delta@0"))) == len(frames) + 2

    async def in_mulaw() -> list[str]:
        async with LoopbackServer(map(json.dumps, frames)) as server, connect(server.url) as ws:
            session = {"type": "realtime", "audio": {"output": {"format": {"type": "audio/pcmu"}}}}
            await ws.send(json.dumps({"type": "session.update", "session": session}))
            await ws.send('{"type":"response.create"}')
            seen: list[str] = []
            async for message in rp.decode_stream(ws):
                seen.append(message.type)
                if message.type == "response.done":
                    break
            return seen

    # The settled session is the client's, and the first response ends the recorded turn.
    assert run(in_mulaw()) == [frame["type"] for frame in frames]


def test_a_recording_that_no_client_could_decode_is_refused_by_the_number_of_its_frame() -> None:
    for bad in (b"{", b"[]", b"\xff", '{"type":"x","y":"\ud800"}', '{"type":"response.audio.delta","delta":"*"}'):
        with pytest.raises(ValueError, match=r"^frame 3 of the recording: .+ at byte"):
            LoopbackServer([FRAMES[0], b"\n", bad])
    recording = LoopbackServer(FRAMES).script.recording
    assert len(EVENTS) == len(recording.greeting) + len(recording.turn) + 1
