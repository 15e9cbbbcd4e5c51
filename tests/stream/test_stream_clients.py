"""decode_stream over the real clients, against the loopback server: whole turns, misbehaviour, closes, cancellation."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm.testing import LoopbackServer, loopback
from support import stream_clients as clients
from support.stream_clients import ASYNC_CLIENTS, AUDIO, EVENTS, PCM, SYNC_CLIENTS, TRANSCRIPT, ask, ask_sync, run

by_name = lambda connect: connect.__name__  # noqa: E731
every_async_client = pytest.mark.parametrize("connect", ASYNC_CLIENTS, ids=by_name)
every_sync_client = pytest.mark.parametrize("connect", SYNC_CLIENTS, ids=by_name)
TYPES = [event["type"] for event in EVENTS]
ANSWERED_TYPES = [event["type"] for event in clients.ANSWERED]


async def until_done(stream: Any) -> list[Any]:
    messages = []
    async for message in stream:
        messages.append(message)
        if message.type == "response.done":
            break
    return messages


async def collect(connect: Any, query: str = "", **options: Any) -> tuple[list[Any], BaseException | None]:
    """All messages until the connection ends, and what it ended with."""
    messages: list[Any] = []
    async with LoopbackServer(clients.FRAMES) as server, connect(server.url + query) as connection:
        if "autoplay" not in query:
            await ask(connection)
        try:
            async for message in rp.decode_stream(connection, **options):
                messages.append(message)
                if not isinstance(message, rp.InvalidFrame) and message.type == "rate_limits.updated":
                    break
        except Exception as error:
            return messages, error
    return messages, None


def check_turn(messages: list[Any]) -> None:
    assert [m.type for m in messages] in (TYPES, ANSWERED_TYPES)
    assert not any(isinstance(m, rp.messages.UnknownMessage) for m in messages)
    assert clients.audio_of(messages) == PCM
    assert clients.transcript_of(messages) == TRANSCRIPT
    offset = 0
    for message in messages:
        if message.type == AUDIO:
            assert message.sample_offset == offset
            offset += len(message.pcm)


@every_async_client
def test_a_whole_turn(connect: Any) -> None:
    messages, error = run(collect(connect))
    assert error is None
    check_turn(messages)


@every_async_client
def test_a_clean_close_ends_the_stream(connect: Any) -> None:
    async def talk() -> list[Any]:
        async with LoopbackServer(clients.FRAMES, autoplay=True) as server, connect(server.url) as connection:
            stream = rp.decode_stream(connection)
            messages = [message async for message in stream]
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            return messages

    check_turn(run(talk()))


@every_sync_client
def test_a_whole_turn_sync(connect: Any) -> None:
    with loopback(clients.FRAMES) as server, connect(server.url) as connection:
        ask_sync(connection)
        messages = []
        for message in rp.decode_stream(connection):
            messages.append(message)
            if message.type == "rate_limits.updated":
                break
    check_turn(messages)


@every_sync_client
def test_a_clean_close_ends_the_stream_sync(connect: Any) -> None:
    with loopback(clients.FRAMES, autoplay=True) as server, connect(server.url) as connection:
        stream = rp.decode_stream(connection)
        check_turn(list(stream))
        with pytest.raises(StopIteration):
            next(stream)


# --- misbehaviour


@every_async_client
def test_binary_frames(connect: Any) -> None:
    messages, error = run(collect(connect, "?fault=binary@1"))
    assert error is None
    check_turn(messages)


@every_async_client
def test_unknown_types(connect: Any) -> None:
    messages, error = run(collect(connect, "?fault=unknown_type@1"))
    assert error is None
    [unknown] = [m for m in messages if isinstance(m, rp.messages.UnknownMessage)]
    assert (unknown.type, unknown.extra["nested"]) == ("response.hologram.delta", {"deep": [1, None]})
    check_turn([m for m in messages if m is not unknown])


@every_async_client
def test_bad_base64_raises_and_the_stream_goes_on(connect: Any) -> None:
    async def talk() -> tuple[list[Any], list[rp.DecodeError]]:
        messages: list[Any] = []
        errors: list[rp.DecodeError] = []
        async with (
            LoopbackServer(clients.FRAMES) as server,
            connect(server.url + "?fault=bad_base64@0&fault=bad_base64@5") as connection,
        ):
            await ask(connection)
            stream = rp.decode_stream(connection)
            while not messages or messages[-1].type != "rate_limits.updated":
                try:
                    messages.append(await anext(stream))
                except rp.DecodeError as error:
                    errors.append(error)
        return messages, errors

    messages, errors = run(talk())
    assert [(error.message_type, error.field) for error in errors] == [(AUDIO, "delta")] * 2
    check_turn(messages)


@every_async_client
@pytest.mark.parametrize("errors", ["skip", "yield"])
def test_bad_base64_skipped_or_yielded(connect: Any, errors: str) -> None:
    messages, error = run(collect(connect, "?fault=bad_base64@2", errors=errors))
    assert error is None
    invalid = [m for m in messages if isinstance(m, rp.InvalidFrame)]
    assert len(invalid) == (errors == "yield")
    for item in invalid:
        assert json.loads(item.frame)["type"] == AUDIO
        assert item.error.field == "delta"
    check_turn([m for m in messages if not isinstance(m, rp.InvalidFrame)])


@every_async_client
def test_null_delta_is_empty_audio(connect: Any) -> None:
    messages, error = run(collect(connect, "?fault=null_delta@3"))
    assert error is None
    [empty] = [m for m in messages if m.type == AUDIO and m.delta is None]
    assert len(empty.pcm) == 0
    check_turn([m for m in messages if m is not empty])


@every_async_client
def test_error_events_are_messages(connect: Any) -> None:
    messages, error = run(collect(connect, "?fault=error_event@3"))
    assert error is None
    [failed] = [m for m in messages if isinstance(m, rp.messages.Error)]
    assert failed.error.code == "rate_limit_exceeded"
    check_turn([m for m in messages if m is not failed])


@every_async_client
def test_duplicate_and_interleaved_deltas(connect: Any) -> None:
    messages, error = run(collect(connect, "?fault=duplicate@1&fault=interleaved@3"))
    assert error is None
    deltas = [base64.b64decode(e["delta"]) for e in EVENTS if e["type"] == AUDIO]
    main_id = next(e["response_id"] for e in EVENTS if e["type"] == AUDIO)
    assert clients.audio_of(messages, main_id) == b"".join([*deltas[:2], *deltas[1:]])
    assert clients.audio_of(messages, "resp_loopback2") == b"".join(deltas[3:])
    offsets = dict.fromkeys((main_id, "resp_loopback2"), 0)
    for message in messages:
        if message.type == AUDIO:
            assert message.sample_offset == offsets[message.response_id]
            offsets[message.response_id] += len(message.pcm)


@every_async_client
def test_late_deltas_and_cancelled_waits(connect: Any) -> None:
    """Waits shorter than the pauses: every one of them is cancelled, no frame is lost."""

    async def talk() -> tuple[list[Any], int]:
        messages: list[Any] = []
        timeouts = 0
        async with (
            LoopbackServer(clients.FRAMES) as server,
            connect(server.url + "?fault=late@0&fault=late@4") as connection,
        ):
            await ask(connection)
            stream = rp.decode_stream(connection)
            while not messages or messages[-1].type != "rate_limits.updated":
                try:
                    messages.append(await asyncio.wait_for(anext(stream), 0.02))
                except TimeoutError:
                    timeouts += 1
        return messages, timeouts

    messages, timeouts = run(talk())
    assert timeouts >= 5
    check_turn(messages)


# How each client ends: None where its own iteration just stops.
def _closed(connect: Any) -> Any:
    if connect.__name__.startswith("aiohttp"):
        from aiohttp import WebSocketError

        return WebSocketError
    if connect.__name__.startswith("picows"):
        from picows.websockets import exceptions

        return exceptions.ConnectionClosedError
    from websockets.exceptions import ConnectionClosedError

    return ConnectionClosedError


def _code(error: Any) -> int:
    # An error of websockets holds the close frame that was received; its `code` is deprecated.
    return error.rcvd.code if hasattr(error, "rcvd") else error.code  # type: ignore[no-any-return]


@every_async_client
@pytest.mark.parametrize("code", [1009, 1011])
def test_abnormal_closes_raise_the_clients_own_exception(connect: Any, code: int) -> None:
    messages, error = run(collect(connect, f"?fault=close_{code}@6"))
    assert type(error) is _closed(connect)
    assert _code(error) == code
    audio = clients.audio_of(messages)
    assert PCM.startswith(audio) and len(audio) == 4_800 + 7_200 + 4 * 12_000


@every_async_client
def test_going_away_is_clean(connect: Any) -> None:
    messages, error = run(collect(connect, "?fault=close_1001@6"))
    assert error is None
    assert len(clients.audio_of(messages)) == 60_000


@every_async_client
def test_a_cut_connection(connect: Any) -> None:
    messages, error = run(collect(connect, "?fault=late@6&fault=cut@6"))
    assert isinstance(error, Exception)
    assert not isinstance(error, (rp.DecodeError, RuntimeError, TypeError))
    assert len(clients.audio_of(messages)) == 60_000


@every_sync_client
@pytest.mark.parametrize("code", [1009, 1011])
def test_abnormal_closes_sync(connect: Any, code: int) -> None:
    from websockets.exceptions import ConnectionClosedError

    with loopback(clients.FRAMES) as server, connect(f"{server.url}?fault=close_{code}@6") as connection:
        ask_sync(connection)
        messages = []
        with pytest.raises(ConnectionClosedError) as raised:
            for message in rp.decode_stream(connection):
                messages.append(message)
    assert raised.value.rcvd is not None and raised.value.rcvd.code == code
    assert len(clients.audio_of(messages)) == 60_000


@every_sync_client
@pytest.mark.parametrize("fault", ["unknown_type", "bad_base64", "null_delta", "error_event", "duplicate", "late"])
def test_misbehaviour_sync(connect: Any, fault: str) -> None:
    with loopback(clients.FRAMES) as server, connect(f"{server.url}?fault={fault}@2") as connection:
        ask_sync(connection)
        messages: list[Any] = []
        invalid = 0
        for message in rp.decode_stream(connection, errors="yield"):
            if isinstance(message, rp.InvalidFrame):
                invalid += 1
                continue
            messages.append(message)
            if message.type == "rate_limits.updated":
                break
    assert invalid == (fault == "bad_base64")
    extra = [m.type for m in messages]
    for type_ in ANSWERED_TYPES:
        extra.remove(type_)
    types = {"unknown_type": "response.hologram.delta", "null_delta": AUDIO, "error_event": "error", "duplicate": AUDIO}
    assert extra == ([types[fault]] if fault in types else [])
    assert len(clients.audio_of(messages)) == len(PCM) + (12_000 if fault == "duplicate" else 0)


@every_sync_client
def test_going_away_and_cut_sync(connect: Any) -> None:
    with loopback(clients.FRAMES) as server:
        with connect(f"{server.url}?fault=close_1001@6") as connection:
            ask_sync(connection)
            assert len(clients.audio_of(list(rp.decode_stream(connection)))) == 60_000
        with connect(f"{server.url}?fault=late@6&fault=cut@6") as connection:
            ask_sync(connection)
            messages = []
            with pytest.raises(Exception, match="close frame"):
                for message in rp.decode_stream(connection):
                    messages.append(message)
            assert len(clients.audio_of(messages)) == 60_000


# --- leaving, resuming, cancelling


@every_async_client
def test_leaving_the_loop_and_resuming(connect: Any) -> None:
    async def talk() -> list[Any]:
        async with LoopbackServer(clients.FRAMES) as server, connect(server.url) as connection:
            await ask(connection)
            first = rp.decode_stream(connection)
            messages: list[Any] = []
            async for message in first:
                messages.append(message)
                if len(messages) == 40:
                    break
            second = rp.decode_stream(connection, decoder=first.decoder)
            assert second.decoder is first.decoder
            async for message in second:
                messages.append(message)
                if message.type == "rate_limits.updated":
                    break
            return messages

    check_turn(run(talk()))  # the offsets go on too


@every_sync_client
def test_leaving_the_loop_and_resuming_sync(connect: Any) -> None:
    with loopback(clients.FRAMES) as server, connect(server.url) as connection:
        ask_sync(connection)
        first = rp.decode_stream(connection)
        messages = [next(first) for _ in range(40)]
        for message in rp.decode_stream(connection, decoder=first.decoder):
            messages.append(message)
            if message.type == "rate_limits.updated":
                break
    check_turn(messages)


@every_async_client
def test_closing_from_this_side_is_clean(connect: Any) -> None:
    """After a cancelled wait too, which leaves aiohttp with a close code of 1006."""

    async def talk(cancel_first: bool) -> None:
        async with LoopbackServer(clients.FRAMES) as server, connect(server.url) as connection:
            stream = rp.decode_stream(connection)
            assert (await anext(stream)).type == "session.created"
            if cancel_first:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(anext(stream), 0.02)
            closing = asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(connection.close()))
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            closing.cancel()

    run(talk(False))
    run(talk(True))


def test_an_aiohttp_server_side_connection() -> None:
    aiohttp = pytest.importorskip("aiohttp")
    from aiohttp import web

    got: list[Any] = []

    async def handler(request: Any) -> Any:
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        stream = rp.decode_stream(ws)
        try:
            async for message in stream:
                got.append(message)
            got.append("end")
        except aiohttp.WebSocketError as error:
            got.append(error)
        return ws

    async def talk(code: int) -> None:
        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session, session.ws_connect(f"http://127.0.0.1:{port}/") as ws:
            for frame in clients.FRAMES:
                await ws.send_str(frame.decode())
            await ws.close(code=code)
        await runner.cleanup()

    run(talk(1000))
    assert got.pop() == "end"
    check_turn(got)
    got.clear()
    run(talk(1011))
    error = got.pop()
    assert isinstance(error, aiohttp.WebSocketError) and error.code == 1011
    check_turn(got)


def test_websockets_server_side_connections() -> None:
    serve = pytest.importorskip("websockets.asyncio.server").serve
    from websockets.asyncio.client import connect

    got: list[Any] = []

    async def talk() -> None:
        async def handler(ws: Any) -> None:
            got.extend([message async for message in rp.decode_stream(ws)])

        async with serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}") as ws:
                for frame in clients.FRAMES:
                    await ws.send(frame.decode())
            server.close()
            await server.wait_closed()

    run(talk())
    check_turn(got)


# --- the openai SDK's reconnection


def _reconnecting(events: list[Any]) -> dict[str, Any]:
    def on_reconnecting(event: Any) -> Any:
        events.append(event)
        return {"extra_query": {}}  # the next connection behaves

    return {"on_reconnecting": on_reconnecting, "initial_delay": 0.01}


@pytest.mark.parametrize("fault", ["close_1011", "close_1001", "cut"])
def test_openai_reconnects(fault: str) -> None:
    """Exactly when the SDK's own iteration does; after 1001 not every version of it does."""
    openai = pytest.importorskip("openai")

    async def talk(own: bool) -> tuple[list[Any], int, int]:
        messages: list[Any] = []
        events: list[Any] = []
        async with LoopbackServer(clients.FRAMES) as server:
            client = openai.AsyncOpenAI(**clients.openai_options(server.base_url))
            query = {"fault": f"{fault}@6"}
            options = _reconnecting(events)
            async with client.realtime.connect(model="m", extra_query=query, **options) as connection:
                if not own:
                    connection.parse_event = None  # the SDK's parser must never run
                await ask(connection)
                async for message in connection if own else rp.decode_stream(connection):
                    messages.append(message)
                    if message.type == "session.created" and len(messages) > 1:
                        await ask(connection)
                    if message.type == "rate_limits.updated":
                        break
            return messages, len(events), server.connections

    its_messages, *its = run(talk(own=True))
    messages, *ours = run(talk(own=False))
    assert ours == its
    assert [m.type for m in messages] == [m.type for m in its_messages]
    if fault != "close_1001":
        assert ours == [1, 2]
    starts = [i for i, m in enumerate(messages) if m.type == "session.created"]
    assert len(clients.audio_of(messages[: starts[1]] if starts[1:] else messages)) == 60_000
    if starts[1:]:
        check_turn(messages[starts[1] :])  # offsets begin again: a new session


def test_openai_reconnects_sync() -> None:
    openai = pytest.importorskip("openai")
    events: list[Any] = []
    messages: list[Any] = []
    with loopback(clients.FRAMES) as server:
        client = openai.OpenAI(**clients.openai_options(server.base_url))
        options = _reconnecting(events)
        with client.realtime.connect(model="m", extra_query={"fault": "close_1011@6"}, **options) as connection:
            connection.parse_event = None
            ask_sync(connection)
            for message in rp.decode_stream(connection):
                messages.append(message)
                if message.type == "session.created" and len(messages) > 1:
                    ask_sync(connection)
                if message.type == "rate_limits.updated":
                    break
    assert (len(events), server.connections) == (1, 2)
    second = [i for i, m in enumerate(messages) if m.type == "session.created"][1]
    check_turn(messages[second:])


def test_openai_gives_up_as_its_own_iteration_does() -> None:
    """on_reconnecting may abort: the close is raised, as the SDK's own iteration raises it."""
    openai = pytest.importorskip("openai")
    from websockets.exceptions import ConnectionClosedError

    async def talk(own: bool) -> Any:
        async with LoopbackServer(clients.FRAMES) as server:
            client = openai.AsyncOpenAI(**clients.openai_options(server.base_url))
            async with client.realtime.connect(
                model="m", extra_query={"fault": "close_1011@6"}, on_reconnecting=lambda event: {"abort": True}
            ) as connection:
                await ask(connection)
                count = 0
                with pytest.raises(ConnectionClosedError) as raised:
                    async for _ in connection if own else rp.decode_stream(connection):
                        count += 1
                return count, raised.value.rcvd

    assert run(talk(True)) == run(talk(False))


def _connect(client: Any, name: str) -> Any:
    if not hasattr(client if name == "live" else client.realtime, name):
        pytest.skip(f"this openai has no {name} connections")
    return client.live.connect() if name == "live" else client.realtime.translations.connect(model="m")


@pytest.mark.parametrize("name", ["translations", "live"])
def test_openai_translation_and_live_connections(name: str) -> None:
    openai = pytest.importorskip("openai")

    async def talk() -> list[Any]:
        async with LoopbackServer(clients.FRAMES, autoplay=True) as server:
            client = openai.AsyncOpenAI(**clients.openai_options(server.base_url))
            async with _connect(client, name) as connection:
                connection.parse_event = None
                return [message async for message in rp.decode_stream(connection)]

    check_turn(run(talk()))


@pytest.mark.parametrize("name", ["translations", "live"])
def test_openai_translation_and_live_connections_sync(name: str) -> None:
    openai = pytest.importorskip("openai")
    with loopback(clients.FRAMES, autoplay=True) as server:
        client = openai.OpenAI(**clients.openai_options(server.base_url))
        with _connect(client, name) as connection:
            connection.parse_event = None
            check_turn(list(rp.decode_stream(connection)))
