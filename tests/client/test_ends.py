"""How a call ends, what a hostile server can do to it, and who waits for whom."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("picows")

import realtime_pcm as rp
from realtime_pcm import messages
from realtime_pcm.client import Call, CallClosed, connect, socket as client_socket
from realtime_pcm.testing import LoopbackServer
from support.raw_server import BINARY, CLOSE, CONTINUATION, PONG, Peer, close_frame, frame, raw_server
from support.stream_clients import FRAMES, request, run

HELLO = b'{"type":"session.created","session":{}}'
RESPONSE_CREATE = request("response.create")[0]


def with_server(handle: Callable[[Peer], Awaitable[None]], talk: Callable[[Call[Any]], Awaitable[Any]], **options: Any) -> Any:
    async def both() -> Any:
        async with raw_server(handle) as url, connect(url, **options) as call:
            return await talk(call)

    return run(both())


async def everything(call: Call[Any]) -> tuple[list[Any], CallClosed | None]:
    """The messages and the errors of frames to the end, and what the call ended with."""
    got: list[Any] = []
    while True:
        try:
            got.append(await anext(call))
        except rp.DecodeError as error:
            got.append(error)
        except StopAsyncIteration:
            return got, None
        except CallClosed as closed:
            return got, closed


def sent(*data: bytes, **options: Any) -> tuple[list[Any], CallClosed | None]:
    """What a call makes of these bytes, after which the server waits for the client to leave."""

    async def handle(peer: Peer) -> None:
        await peer.accept(*data)
        await peer.wait_closed()

    return with_server(handle, everything, **options)  # type: ignore[no-any-return]


# --- ends


@pytest.mark.parametrize("end", [close_frame(1000), close_frame(1001, b"an hour has passed"), frame(b"", CLOSE)])
def test_a_clean_close_ends_the_loop(end: bytes) -> None:
    async def talk(call: Call[Any]) -> None:
        got, closed = await everything(call)
        assert [message.type for message in got] == ["session.created"] and closed is None
        assert call.closed is not None and call.closed.code in (1000, 1001, 1005)
        if call.closed.code == 1001:
            assert call.closed.reason == "an hour has passed"
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(call)
        with pytest.raises(CallClosed):
            await call.send(RESPONSE_CREATE)

    async def handle(peer: Peer) -> None:
        await peer.accept(frame(HELLO), end)
        assert (await peer.receive())[0] == CLOSE

    with_server(handle, talk)


@pytest.mark.parametrize("code", [1011, 1013, 3000, 4999])
def test_any_other_close_is_an_error_with_code_and_reason(code: int) -> None:
    got, closed = sent(frame(HELLO), close_frame(code, b"out of \x1b[2Jorder"))
    assert len(got) == 1 and closed is not None
    assert (closed.code, closed.reason) == (code, r"out of \x1b[2Jorder")
    assert str(closed) == rf"the call ended with code {code}: out of \x1b[2Jorder"


@pytest.mark.parametrize("how", ["half closed", "reset"])
def test_a_connection_that_is_lost_is_1006(how: str) -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept(frame(HELLO))
        await peer.receive()
        if how == "reset":
            import socket

            peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.writer.transport.abort()
        else:
            peer.writer.write_eof()
            await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        await call.send(RESPONSE_CREATE)
        got, closed = await everything(call)
        assert len(got) == 1 and closed is not None
        assert closed.code == 1006 and "lost" in closed.reason

    with_server(handle, talk)


def test_leaving_in_the_middle_of_an_answer_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server sends on and on, and never answers the close frame."""
    monkeypatch.setattr(client_socket, "CLOSING", 0.05)

    async def handle(peer: Peer) -> None:
        await peer.accept()
        piece = frame(rp.encode_append(np.zeros(4_000, np.int16)).encode()) * 50
        while True:
            peer.send(piece)
            await peer.writer.drain()

    async def talk(call: Call[Any]) -> Call[Any]:
        await anext(call)
        return call

    call = with_server(handle, talk, max_queue=100_000)
    assert call.closed == call.closed and call.closed.code == 1000


def test_a_server_that_answers_the_close_is_not_waited_for_longer() -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept()
        assert await peer.receive() == (CLOSE, (1000).to_bytes(2, "big"))
        peer.send(close_frame(1000))
        await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        await call.close()
        await call.close()
        assert call.closed is not None and call.closed.code == 1000

    with_server(handle, talk)


def test_a_reader_ends_cleanly_when_another_task_closes_the_call() -> None:
    async def talk(call: Call[Any]) -> None:
        reading = asyncio.create_task(everything(call))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await anext(call)
        await call.close()
        assert await reading == ([], None)

    async def handle(peer: Peer) -> None:
        await peer.accept()
        await peer.until_closed()

    with_server(handle, talk)


def test_an_exception_in_the_block_is_the_one_that_leaves_it(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept(close_frame(1011))
        await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        with pytest.raises(CallClosed):
            await anext(call)
        raise KeyError("mine")

    with caplog.at_level(logging.DEBUG), pytest.raises(KeyError, match="mine"):
        with_server(handle, talk)
    gc.collect()
    assert not [record for record in caplog.records if record.name != "asyncio" or record.levelno > logging.DEBUG]


def test_a_close_code_of_the_server_that_answers_ours_is_no_error() -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept()
        await peer.receive()
        peer.send(close_frame(4000, b"late"))
        await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        reading = asyncio.create_task(everything(call))
        await asyncio.sleep(0)
        await call.close()
        assert await reading == ([], None)

    with_server(handle, talk)


def test_memory_that_runs_out_in_a_message_ends_the_call_and_says_so() -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept()
        await peer.receive()
        peer.send(frame(HELLO))
        await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        def fails(frame: bytes, message: object) -> None:
            raise MemoryError

        call._follow = fails  # type: ignore[method-assign]
        await call.send(RESPONSE_CREATE)
        _, closed = await everything(call)
        assert closed is not None and (closed.code, closed.reason) == (1011, "MemoryError()")

    with_server(handle, talk)


def test_a_task_that_is_cancelled_while_it_leaves_still_closes_the_connection() -> None:
    async def talk() -> None:
        gone, left = asyncio.Event(), asyncio.Event()

        async def handle(peer: Peer) -> None:
            await peer.accept()
            await peer.wait_closed()  # the close frame is not answered
            gone.set()

        async def leave(url: str) -> None:
            async with connect(url):
                left.set()

        async with raw_server(handle) as url:
            task = asyncio.create_task(leave(url))
            await left.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await gone.wait()

    run(talk())


# --- hostile frames


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"\x83\x00", 1002, "opcode"),
        (b"\x81\x84abcd1234", 1002, "masked"),
        (frame(b"x", CONTINUATION), 1002, "without the beginning"),
        (frame(b"{", fin=False) + frame(HELLO), 1002, "inside another"),
        (b"\x09\x01x", 1002, "fragmented control"),
        (b"\x89\x7e\x01\x00" + b"x" * 256, 1002, "control frame"),
        (b"\x81\x7f\xff" + b"x" * 100, 1002, "64-bit"),
        (close_frame(999), 1002, "invalid close code"),
        (b"\x88\x01x", 1002, "close code"),
        (close_frame(1011, b"\xff\xfe"), 1007, "UTF-8"),
        (frame(b"x" * 1_001), 1009, "1001 > 1000"),
        (b"\x81\x7f" + (1 << 40).to_bytes(8, "big"), 1009, "> 1000"),
        (frame(b"x" * 600, fin=False) + frame(b"x" * 600, CONTINUATION), 1009, "1,000 bytes"),
        (frame(fin=False) + frame(b"", CONTINUATION, fin=False) * 1_000, 1009, "fragments"),
    ],
)
def test_what_breaks_the_protocol_ends_the_call_with_a_code_and_a_reason(data: bytes, code: int, said: str) -> None:
    got, closed = sent(frame(HELLO), data, frame(HELLO), max_message=1_000)
    assert closed is not None and closed.code == code and said in closed.reason
    assert all(isinstance(message, messages.SessionCreated) for message in got) and len(got) <= 1


def test_garbage_is_refused_frame_by_frame_and_the_call_goes_on() -> None:
    noise = np.random.default_rng(3).bytes(500)
    got, closed = sent(frame(noise, BINARY), frame(b"{}"), frame(b"\xff"), frame(b""), frame(HELLO, BINARY), close_frame(1000))
    assert closed is None
    assert [type(item) for item in got] == [rp.DecodeError] * 4 + [messages.SessionCreated]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_message_may_have_any_number_of_fragments(size: int) -> None:
    pieces = [HELLO[start : start + size] for start in range(0, len(HELLO), size)]
    fragments = [frame(piece, 1 if i == 0 else 0, fin=i + 1 == len(pieces)) for i, piece in enumerate(pieces)]
    between = [part for fragment in fragments for part in (fragment, frame(b"are you there", 9))]  # pings are answered in between
    got, closed = sent(*between, *fragments, close_frame(1000), max_message=len(HELLO))
    assert [message.frame for message in got] == [HELLO, HELLO] and closed is None


@pytest.mark.slow
@pytest.mark.parametrize("fragment", [1 << 26, 1 << 20, 1 << 10])
def test_a_message_of_64_mib(fragment: int) -> None:
    limit = 64 << 20
    text = b'{"type":"response.output_text.delta","delta":"%b"}' % (b"x" * (limit - 48))
    assert len(text) == limit

    async def handle(peer: Peer) -> None:
        await peer.accept()
        for message in (text, text + b" "):  # the second one is a byte too long
            for start in range(0, len(message), fragment):
                last = start + fragment >= len(message)
                peer.send(frame(message[start : start + fragment], 0 if start else 1, fin=last))
                await peer.writer.drain()

    async def talk(call: Call[Any]) -> None:
        message = await anext(call)
        assert len(message.delta) == limit - 48
        with pytest.raises(CallClosed) as raised:
            await anext(call)
        assert raised.value.code == 1009

    with_server(handle, talk)


# --- waits


def test_a_thousand_cancelled_waits_lose_no_message() -> None:
    count = 1_000

    async def handle(peer: Peer) -> None:
        await peer.accept()
        for number in range(count):
            await peer.receive()  # the client has begun to wait, and given up
            peer.send(frame(b'{"type":"response.output_text.delta","delta":"%d"}' % number))
        await peer.until_closed()

    async def talk(call: Call[Any]) -> None:
        got: list[Any] = []
        for _ in range(count):
            waiting = asyncio.ensure_future(anext(call))
            await asyncio.sleep(0)
            waiting.cancel()
            await call.send('{"type":"input_audio_buffer.clear"}')
            with contextlib.suppress(asyncio.CancelledError):
                got.append(await waiting)
        while len(got) < count:
            got.append(await anext(call))
        assert [message.delta for message in got] == [str(number) for number in range(count)]

    with_server(handle, talk)


def test_the_next_message_is_a_coroutine_to_asyncio() -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept()
        for _ in range(3):
            await peer.receive()
            peer.send(frame(HELLO))
        peer.send(close_frame(1000))
        await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        dropped = anext(call)  # never awaited
        waiting = asyncio.create_task(anext(call))
        await call.send(RESPONSE_CREATE)
        assert (await waiting).type == "session.created"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(call), 0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(call)
        await call.send(RESPONSE_CREATE)
        await call.send(RESPONSE_CREATE)
        assert (await dropped).type == "session.created"
        waiting = asyncio.create_task(anext(call))
        waiting.cancel()  # before it has begun
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert [await anext(call, None) is None for _ in range(3)] == [False, True, True]
        waited = anext(call)
        with pytest.raises(StopAsyncIteration):
            waited.send(None)
        with pytest.raises(KeyError):
            waited.throw(KeyError("mine"))
        waited.close()

    with_server(handle, talk)


def test_a_slow_reader_stops_the_server_and_not_the_memory() -> None:
    delivered = 0
    piece = frame(rp.encode_append(np.zeros(12_000, np.int16)).encode())

    async def handle(peer: Peer) -> None:
        nonlocal delivered
        await peer.accept()
        for _ in range(1_000):  # 32 MB
            peer.send(piece)
            await peer.writer.drain()
            delivered += 1
        peer.send(close_frame(1000))
        await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        await anext(call)
        before = -1
        while delivered != before:  # until the server gets rid of nothing any more
            before = delivered
            await asyncio.sleep(0.1)
        assert delivered < 900
        assert call._queued < 400_000 + 16_000_000  # at most one read from the network goes past the limit
        got, closed = await everything(call)
        assert len(got) == 999 and closed is None

    with_server(handle, talk, max_queue=400_000)


def test_many_small_messages_fill_the_queue_as_a_few_long_ones_do() -> None:
    most = 0

    async def handle(peer: Peer) -> None:
        await peer.accept()
        for _ in range(200):
            peer.send(frame(b"") * 1_000)
            await peer.writer.drain()
        peer.send(close_frame(1000))
        await peer.wait_closed()

    async def talk(call: Call[Any]) -> None:
        nonlocal most
        for _ in range(50):
            await asyncio.sleep(0.01)
            most = max(most, call._queued // 1_024)

    with_server(handle, talk, max_queue=64_000)
    assert 0 < most < 50_000  # one read from the network may go past the limit


def test_a_send_waits_while_the_network_is_full_and_sends_nothing_when_cancelled() -> None:
    async def talk() -> None:
        go_on = asyncio.Event()

        async def handle(peer: Peer) -> None:
            await peer.accept()
            await go_on.wait()
            while b"last" not in (text := (await peer.receive())[1]):
                assert b"cancelled" not in text
            peer.send(close_frame(1000))
            await peer.wait_closed()

        filler = '{"type":"input_audio_buffer.append","audio":"%s"}' % ("AAAA" * 50_000)
        async with raw_server(handle) as url, connect(url) as call:
            with pytest.raises(TimeoutError):
                while True:
                    await asyncio.wait_for(call.send(filler), 0.05)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(call.send('{"type":"cancelled"}'), 0.01)
            go_on.set()
            await call.send('{"type":"last"}')
            assert (await everything(call))[1] is None

    run(talk())


# --- pings


def test_a_server_that_is_gone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "PING", 0.05)

    async def handle(peer: Peer) -> None:
        await peer.accept()
        await asyncio.Event().wait()

    _, closed = with_server(handle, everything)
    assert closed is not None and closed.code == 1006 and "ping" in closed.reason


def test_a_reader_that_pauses_is_not_taken_for_a_server_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "PING", 0.05)
    piece = frame(rp.encode_append(np.zeros(12_000, np.int16)).encode())

    async def handle(peer: Peer) -> None:
        await peer.accept()
        for _ in range(100):
            peer.send(piece)
            await peer.writer.drain()
        while True:
            opcode, payload = await peer.receive()
            if opcode == 9:
                peer.send(frame(payload, PONG))
            elif opcode == 1:
                peer.send(close_frame(1000))
                return

    async def talk(call: Call[Any]) -> None:
        await anext(call)
        await asyncio.sleep(0.4)
        assert call.closed is None
        await call.send('{"type":"input_audio_buffer.clear"}')
        got, closed = await everything(call)
        assert len(got) == 99 and closed is None

    with_server(handle, talk, max_queue=50_000)


def test_a_call_goes_on_where_a_loop_was_left() -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as call:
            await call.send(RESPONSE_CREATE)
            types = []
            for _ in range(3):
                async for message in call:
                    types.append(message.type)
                    if len(types) % 10 == 0:
                        break
            assert types[0] == "session.created" and len(types) == 30

    run(talk())
