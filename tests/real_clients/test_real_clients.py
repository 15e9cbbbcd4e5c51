"""Clients that nobody here wrote hold a conversation with the loopback server, to the right end.

The conversation of plan.json has five turns: a text, a spoken turn, a tool, an answer that the user interrupts, a failure. Each
client is a program of its own, in an environment of its own (environments.py), and reports what it heard. Then the recording of
each conversation is read: whatever the client, the same things have happened.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
import trustme

from real_clients.environments import HERE, PROGRAMS, node_project, python_with
from real_clients.rehearsal import PLAN, expected, happened, recording, rehearsing, speech
from realtime_pcm.testing import LoopbackServer
from support.browser import open_browser

pytestmark = pytest.mark.slow

PATIENCE = 90  # seconds that a conversation may take


class Client(NamedTuple):
    """A client, and in what it differs from the others.

    environment: requirements/NAME.txt, or "node". tls: it connects in no other way. tells_codes: it tells the application the
    code of a failure, not its message alone. texts_are_the_users: a text that it sends is the user's, not the system's.
    """

    program: str
    environment: str
    tls: bool = False
    tells_codes: bool = True
    texts_are_the_users: bool = True


CLIENTS = {
    "openai-python": Client("openai_python.py", "openai"),
    "openai-agents-python": Client("agents_python.py", "agents"),
    "pipecat": Client("pipecat_python.py", "pipecat", tells_codes=False, texts_are_the_users=False),
    "livekit-agents": Client("livekit_python.py", "livekit"),
    "pydantic-ai": Client("pydantic_python.py", "pydantic"),
    "openai-node": Client("openai_node.mjs", "node", tls=True),
    "openai-agents-node": Client("agents_node.mjs", "node"),
    "ai-sdk-node": Client("aisdk_node.mjs", "node"),
}
PAGES = {"browser": "page.html", "openai-agents-browser": "agents_page.html"}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_holds_the_conversation(name: str, tmp_path: Path) -> None:
    client = CLIENTS[name]
    command = _command(client)
    said = tmp_path / "speech.pcm"
    said.write_bytes(speech())
    variables = {**os.environ, "OPENAI_AGENTS_DISABLE_TRACING": "1"}
    options: dict[str, Any] = {}
    if client.tls:
        options["ssl"], variables["NODE_EXTRA_CA_CERTS"] = _certificate(tmp_path)
    with rehearsing(name, **options) as server:
        done = subprocess.run([*command, server.url, str(said)], capture_output=True, text=True, timeout=PATIENCE, env=variables)
        assert done.returncode == 0, f"{_told(server)}\n{done.stderr[-3000:]}"
        report = json.loads(done.stdout.splitlines()[-1])
        print(done.stdout)
        _check(server, report, client)
    assert happened(recording(name)) == expected(client.texts_are_the_users)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_the_conversation(name: str) -> None:
    bundle = None
    if name != "browser":
        bundle = node_project()[1] / "node_modules" / "@openai" / "agents-realtime" / "dist" / "bundle"
    with rehearsing(name) as server, open_browser() as browser, _pages(server, bundle) as address:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/programs/{PAGES[name]}")
        try:
            page.wait_for_function("window.report", timeout=PATIENCE * 1000)
        except Exception as error:
            pytest.fail(f"{error}\n{complaints}\n{_told(server)}")
        report = page.evaluate("window.report")
        print(json.dumps(report))
        _check(server, report, Client(PAGES[name], ""))
        assert complaints == []
    assert happened(recording(name)) == expected()


def _command(client: Client) -> list[str]:
    if client.environment == "node":
        node, folder = node_project()
        return [node, str(folder / "programs" / client.program)]
    return [str(python_with(client.environment)), str(PROGRAMS / client.program)]


def _certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A certificate for this machine: the context of a server, and the file that a client trusts."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return context, str(folder / "authority.pem")


def _told(server: LoopbackServer) -> str:
    """The last things that both sides said."""
    if not server.connections:
        return "the client has not connected"
    entries = [entry for entry in server.recent_calls[-1].recording if entry.message]
    said = [f"{entry.time:7.2f} {entry.direction:8} {entry.message.type}" for entry in entries]
    return "\n".join(line for line in said if not line.endswith(("append", "delta")))[-3000:]


def _check(server: LoopbackServer, report: dict[str, Any], client: Client) -> None:
    """What the client has heard, and what the server holds."""
    turns, answer = report["turns"], PLAN["answer"]
    for turn in ("text", "speech", "tool", "interruption"):
        assert turns[turn]["said"].strip() == answer[turn], turn
        assert turns[turn]["audio_ms"] == pytest.approx(1000 * PLAN["seconds"]["answer"], abs=20), turn
    for turn in ("speech", "interruption"):
        assert turns[turn]["heard"] == PLAN["spoken"][turn]
    assert (turns["tool"]["called"], turns["tool"]["arguments"]) == (PLAN["tool"]["name"], PLAN["tool"]["arguments"])
    assert turns["interruption"]["interrupted"]
    if client.tells_codes:
        assert turns["error"]["code"] == PLAN["error"]
    else:
        assert PLAN["error"] in turns["error"]["message"]
    assert report["complaints"] == []

    assert [output.strip('"') for output in server.tool_outputs] == [PLAN["tool"]["result"]]
    story = next(item for item in server.recent_calls[-1].items if item.status == "incomplete")
    [truncated] = [event["audio_end_ms"] for event in server.received if event["type"] == "conversation.item.truncate"]
    # Some count what was played in whole chunks, of which the longest is 250 ms.
    assert PLAN["speak_after_ms"] - 250 <= truncated == server.heard_ms(story) < story.sent_ms


# ---- pages


class _Pages(SimpleHTTPRequestHandler):
    """The programs, the plan, the speech, and where to connect: with a secret, for which a page's own server asks."""

    def __init__(self, *arguments: Any, server_of_page: LoopbackServer, bundle: Path | None) -> None:
        self.loopback, self.bundle = server_of_page, bundle
        super().__init__(*arguments, directory=str(HERE))

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/speech.pcm":
            self.give(speech(), "application/octet-stream")
        elif self.path == "/session":
            url, body = f"{self.loopback.base_url}/realtime/client_secrets", b'{"session": {"type": "realtime"}}'
            with urlopen(Request(url, body, {"Content-Type": "application/json"})) as answer:
                secret = json.load(answer)["value"]
            self.give(json.dumps({"url": self.loopback.url, "secret": secret}).encode(), "application/json")
        elif self.path.startswith("/bundle/") and self.bundle is not None:
            self.give((self.bundle / self.path.rpartition("/")[2]).read_bytes(), "text/javascript")
        elif self.path == "/favicon.ico":
            self.give(b"", "image/x-icon")
        else:
            super().do_GET()

    def give(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def _pages(server: LoopbackServer, bundle: Path | None) -> Iterator[str]:
    """The address of a server of pages."""
    handler = partial(_Pages, server_of_page=server, bundle=bundle)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
        thread = Thread(target=pages.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{pages.server_port}"
        finally:
            pages.shutdown()
            thread.join()
