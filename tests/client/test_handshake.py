"""Calls that cannot be made: one exception, which says why, within the timeout, and never shows the key."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from typing import Any

import pytest

pytest.importorskip("picows")

from realtime_pcm.client import CallRefused, Endpoint, connect
from support.raw_server import Peer, raw_server
from support.stream_clients import run

KEY = "sk-proj-0123456789abcdef"


async def refused_by(endpoint: Endpoint | str, **options: Any) -> CallRefused:
    with pytest.raises(CallRefused) as raised:
        async with connect(endpoint, **options):
            pass
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert KEY not in shown
    return raised.value


def answered(*answer: bytes, **options: Any) -> CallRefused:
    """What a call makes of an answer that is no WebSocket."""

    async def handle(peer: Peer) -> None:
        await peer.read_request()
        peer.send(*answer)

    async def talk() -> CallRefused:
        async with raw_server(handle) as url:
            return await refused_by(Endpoint(url, key=KEY), **options)

    return run(talk())  # type: ignore[no-any-return]


def test_an_answer_is_told_with_status_reason_and_its_first_bytes() -> None:
    body = b'{"error": {"message": "Incorrect API key provided: %b.",\n "code": "invalid_api_key"}}' % KEY.encode()
    error = answered(b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n" + body)
    assert (error.status, error.reason) == (401, "Unauthorized")
    assert error.body == '{"error": {"message": "Incorrect API key provided: ***.", "code": "invalid_api_key"}}'
    assert str(error).endswith(f"/v1/realtime: 401 Unauthorized: {error.body}")


def test_too_many_requests_and_statuses_that_python_does_not_know() -> None:
    assert answered(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 20\r\n\r\n").status == 429
    error = answered(b"HTTP/1.1 520 Origin Error\r\n\r\n<html>")
    assert (error.status, error.reason, error.body) == (520, "Origin Error", "<html>")
    assert answered(b"HTTP/1.0 503 Service Unavailable\r\n\r\n").status == 503


def test_a_page_in_place_of_a_websocket_is_shown_without_its_controls() -> None:
    page = b"<html>\x1b]0;title\x07<body>Blocked \xe2\x80\xae by policy</body>" + b"x" * 10_000
    error = answered(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page)
    assert error.status == 200 and len(error.body) < 600
    assert error.body.startswith(r"<html>\x1b]0;title\x07<body>Blocked \u202e by policy</body>xxx")


def test_a_redirect_is_not_followed_because_the_key_would_go_along() -> None:
    error = answered(b"HTTP/1.1 302 Found\r\nLocation: wss://elsewhere.example/\r\n\r\n")
    assert error.status == 302 and "another host" in str(error)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "closed the connection instead of answering"),
        (b"\x00\xff\x13garbage\r\n\r\n", "the answer is no HTTP"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
            "accept",
        ),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "upgrade"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, "200"),
    ],
)
def test_answers_that_are_broken(answer: bytes, said: str) -> None:
    assert said in str(answered(answer))


def test_a_server_that_says_nothing_is_given_up_after_the_timeout_that_the_error_names() -> None:
    async def handle(peer: Peer) -> None:
        await peer.wait_closed()

    async def talk() -> CallRefused:
        async with raw_server(handle) as url:
            return await refused_by(url, timeout=0.05)

    assert "no answer within 0.05 s" in str(run(talk()))


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has() -> None:
    async def talk() -> None:
        async with raw_server(lambda peer: peer.wait_closed()) as url:
            pass
        assert "Connect call failed" in str(await refused_by(url))
        error = await refused_by(Endpoint("wss://no-such-host.invalid/", key=KEY))
        assert error.status is None and error.reason

    run(talk())


# --- TLS


@pytest.fixture(scope="module")
def authority() -> Any:
    return pytest.importorskip("trustme").CA()


def server_context(authority: Any, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def client_context(authority: Any) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_a_call_over_tls_verifies_the_certificate(authority: Any) -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept(b"\x81\x0f" + b'{"type":"ping"}')
        await peer.until_closed()

    async def talk() -> None:
        async with raw_server(handle, server_context(authority)) as url:
            async with connect(url, ssl=client_context(authority)) as call:
                assert (await anext(call)).type == "ping"
            error = await refused_by(Endpoint(url, key=KEY))
            assert error.reason.startswith("TLS: ") and "certificate" in error.reason
        async with raw_server(handle, server_context(authority, "elsewhere.example")) as url:
            error = await refused_by(url, ssl=client_context(authority))
            assert "hostname" in error.reason.lower()

    run(talk())


def test_tls_where_the_server_speaks_none() -> None:
    async def handle(peer: Peer) -> None:
        await peer.reader.read(100)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def talk() -> None:
        async with raw_server(handle) as url:
            assert (await refused_by(url.replace("ws:", "wss:"))).reason.startswith("TLS: ")

    run(talk())


# --- proxies


def test_a_proxy_that_answers_with_a_page_is_named_and_its_password_is_not() -> None:
    async def handle(peer: Peer) -> None:
        await peer.read_request()
        peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n<html>log in</html>")

    async def talk() -> CallRefused:
        async with raw_server(handle) as url:
            proxy = url.replace("ws://", f"http://user:{KEY}@").removesuffix("/v1/realtime")
            return await refused_by("wss://api.example/v1/realtime", proxy=proxy)

    assert "the proxy: HTTP proxy rejected connection with status 407" in str(run(talk()))


def test_a_call_through_a_proxy() -> None:
    targets: list[str] = []

    async def proxy(peer: Peer) -> None:
        await peer.read_request()
        targets.append(peer.target)
        host, _, port = peer.target.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data)
            target.close()

        await asyncio.gather(pump(peer.reader, writer), pump(reader, peer.writer))

    async def handle(peer: Peer) -> None:
        await peer.accept(b"\x81\x0f" + b'{"type":"ping"}')
        await peer.until_closed()

    async def talk() -> None:
        async with raw_server(handle) as url, raw_server(proxy) as proxy_url:
            through = proxy_url.replace("ws://", "http://").removesuffix("/v1/realtime")
            async with connect(url, proxy=through) as call:
                assert (await anext(call)).type == "ping"
            assert targets == [url.split("/")[2]]

    run(talk())


# --- giving up


def test_a_cancelled_connect_leaves_no_connection() -> None:
    async def talk() -> None:
        asked, released, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def handle(peer: Peer) -> None:
            await peer.read_request()
            asked.set()
            await released.wait()
            peer.answer()  # when nobody waits for it any more
            await peer.wait_closed()
            closed.set()

        async with raw_server(handle) as url:

            async def hold() -> None:
                async with connect(url):
                    raise AssertionError("connected")

            task = asyncio.create_task(hold())
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            released.set()
            await closed.wait()

    run(talk())


def test_a_recording_of_a_call_that_was_refused_is_not_left_behind(tmp_path: Any) -> None:
    async def handle(peer: Peer) -> None:
        await peer.read_request()
        peer.send(b"HTTP/1.1 429 Too Many Requests\r\n\r\n")

    async def talk() -> None:
        async with raw_server(handle) as url:
            for _ in range(2):  # the second try may have the same name
                await refused_by(url, record=tmp_path / "call.jsonl")

    run(talk())
    assert list(tmp_path.iterdir()) == []
