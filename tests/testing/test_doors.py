"""How a client comes in: subprotocols, keys, secrets, TLS, plain HTTP; and what is said to those who do not."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import socket
import ssl
import time
from typing import Any

import pytest

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from realtime_pcm.testing import LoopbackServer, loopback
from support.stream_clients import FRAMES, run
from support.talk import connected

CREATED = json.loads(FRAMES[0])


def asked(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
    """The answer to a plain request: status, headers, JSON."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, None if body is None else json.dumps(body), sent)
        answer = client.getresponse()
        content = answer.read()
        return answer.status, dict(answer.getheaders()), json.loads(content) if content.startswith(b"{") else content
    finally:
        client.close()


def refused(url: str, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as refusal, connect(url, **options):
        pass
    return refusal.value.response.status_code, json.loads(refusal.value.response.body or b"{}").get("error", {})


# ---- subprotocols


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["realtime", "openai-insecure-api-key.ek_x"], "realtime"),
        (["openai-insecure-api-key.ek_x", "openai-organization.o", "realtime", "openai-beta.realtime-v1"], "realtime"),
        (["openai-insecure-api-key.ek_x"], None),
        (["mine"], "mine"),
    ],
)
def test_the_subprotocol_is_never_the_key(offered: list[Any], chosen: str | None) -> None:
    with loopback(FRAMES) as server, connect(server.url, subprotocols=offered) as ws:
        assert ws.subprotocol == chosen and json.loads(ws.recv()) == CREATED


# ---- keys


def test_a_key_is_asked_for() -> None:
    with loopback(FRAMES, key="sk-test") as server:
        for headers in ({}, {"Authorization": "Bearer sk-other"}):
            assert refused(server.url, additional_headers=headers) == (
                401,
                {
                    "message": "Incorrect API key provided.",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "invalid_api_key",
                },
            )
        with connect(server.url, additional_headers={"Authorization": "Bearer sk-test"}) as ws:
            ws.recv()
        with connect(server.url, subprotocols=["realtime", "openai-insecure-api-key.sk-test"]) as ws:  # type: ignore[list-item]
            ws.recv()
        assert server.connections == 2


@pytest.mark.parametrize(
    ("fault", "status", "code"), [("http_401", 401, "invalid_api_key"), ("http_429", 429, "rate_limit_exceeded")]
)
def test_a_handshake_that_is_refused(fault: str, status: int, code: str) -> None:
    with loopback(FRAMES) as server:
        found, error = refused(f"{server.url}?fault={fault}")
        assert (found, error["code"]) == (status, code) and server.connections == 0
    with loopback(FRAMES, faults=[fault]) as server:
        assert refused(server.url)[0] == status
        assert asked(server.port, "POST", "/v1/realtime/client_secrets")[0] == status


# ---- secrets


def test_a_secret_begins_the_session_that_it_was_made_for() -> None:
    with loopback(FRAMES, key="sk-test") as server:
        session = {"type": "realtime", "instructions": "Sing.", "audio": {"output": {"voice": "cedar"}}}
        path, key = "/v1/realtime/client_secrets", {"Authorization": "Bearer sk-test"}
        assert asked(server.port, "POST", path, {"session": session})[0] == 401
        status, _, made = asked(server.port, "POST", path, {"session": session}, **key)
        assert status == 200 and made["value"].startswith("ek_loopback_") and made["expires_at"] > time.time()
        assert made["session"]["instructions"] == "Sing." and made["session"]["object"] == "realtime.session"
        other = asked(server.port, "POST", path, **key)[2]["value"]
        assert other != made["value"]
        with connect(server.url, subprotocols=["realtime", f"openai-insecure-api-key.{made['value']}"]) as ws:  # type: ignore[list-item]
            created = json.loads(ws.recv())["session"]
        assert (created["instructions"], created["audio"]["output"]["voice"]) == ("Sing.", "cedar")
        assert created["model"] == CREATED["session"]["model"]
        with connect(server.url, additional_headers={"Authorization": f"Bearer {other}"}) as ws:
            assert json.loads(ws.recv())["type"] == "session.created"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "invalid_json"),
        ("[1]", "invalid_json"),
        ('{"session":7}', "missing_required_parameter"),
        ('{"session":{"instructions":"x"}}', "missing_required_parameter"),
        ('{"session":{"type":"realtime","mood":"calm"}}', "unknown_parameter"),
    ],
)
def test_secrets_that_are_not_made(body: str, code: str) -> None:
    with loopback(FRAMES) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        client.request("POST", "/v1/realtime/client_secrets", body)
        answer = client.getresponse()
        assert (answer.status, json.loads(answer.read())["error"]["code"]) == (400, code)
        client.close()


def test_pages_of_this_machine_may_ask_for_a_secret_and_others_may_not() -> None:
    with loopback(FRAMES) as server:
        path, page = "/v1/realtime/client_secrets", "http://localhost:3000"
        status, headers, _ = asked(server.port, "OPTIONS", path, Origin=page)
        assert (status, headers["Access-Control-Allow-Origin"]) == (204, page)
        status, headers, _ = asked(server.port, "POST", path, Origin=page)
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, page)
        for unwanted in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            status, headers, _ = asked(server.port, "POST", path, **unwanted)
            assert status == 403 and "Access-Control-Allow-Origin" not in headers


# ---- plain HTTP


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/realtime", 426),
        ("GET", "/", 426),
        ("POST", "/v1/chat/completions", 404),
        ("PUT", "/v1/realtime/client_secrets", 405),
        ("HEAD", "/", 404),
    ],
)
def test_plain_requests_are_answered_in_a_sentence_and_quietly(
    method: str, path: str, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), loopback(FRAMES) as server:
        found, _, _ = asked(server.port, method, path)
        assert found == status
        with connect(server.url) as ws:
            ws.recv()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING] and capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST " + b"x" * 2_000_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(2_000_000),  # TLS, to a server without
        b"POST\r\n\r\n",
        b"P\r\nHost\r\n\r\n\r\n",
    ],
)
def test_requests_that_are_none(sent: bytes) -> None:
    with loopback(FRAMES) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            try:
                client.sendall(sent)
                assert client.recv(4_096)[:9] in (b"HTTP/1.1 ", b"")
            except ConnectionError:
                pass
        with connect(server.url) as ws:
            assert json.loads(ws.recv()) == CREATED


# ---- TLS


def test_tls_with_a_certificate_of_ones_own_and_with_one_made_on_the_spot() -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with loopback(FRAMES, ssl=theirs) as server:
        assert server.url.startswith("wss://") and server.base_url.startswith("https://") and server.certificate is None
        with connect(server.url, ssl=trusting) as ws:
            assert json.loads(ws.recv()) == CREATED
    with loopback(FRAMES, ssl=True) as server:
        with connect(server.url, ssl=ssl.create_default_context(cadata=server.certificate)) as ws:
            assert json.loads(ws.recv()) == CREATED
        with pytest.raises(ssl.SSLError), connect(server.url, ssl=trusting):
            pass


# ---- many


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_many_clients_are_served_and_left_in_two_seconds(count: int) -> None:
    async def session() -> float:
        async with LoopbackServer(FRAMES) as server:
            clients = [connected(server.url) for _ in range(count)]
            sockets = await asyncio.gather(*(client.__aenter__() for client in clients))
            for ws in sockets:
                assert json.loads(await ws.recv())["type"] == "session.created"
            assert server.connections == count and len(server.recent_calls) == 8
            begun = time.monotonic()
        lasted = time.monotonic() - begun
        await asyncio.gather(*(ws.wait_closed() for ws in sockets))
        return lasted

    assert run(session()) < 10  # two seconds, on a machine that has nothing else to do


def test_only_the_last_connections_keep_their_frames() -> None:
    """However many are open: the recordings of older ones would add up."""

    async def session() -> None:
        async with LoopbackServer(FRAMES) as server, connected(server.url) as first:
            await first.recv()
            call = server.call
            assert len(call.recording) == 1
            for _ in range(8):
                async with connected(server.url) as ws:
                    await ws.recv()
            await first.send('{"type":"input_audio_buffer.clear"}')
            await first.recv()
            assert call not in server.recent_calls and call.recording == [] and call.dropped == 3

    run(session())
