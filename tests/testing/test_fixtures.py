"""The pytest fixture, as a user's conftest.py takes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("websockets")

CONFTEST = 'pytest_plugins = ["realtime_pcm.testing.fixtures"]\n'
TEST = """
import json

from realtime_pcm.testing import LoopbackServer
from realtime_pcm.testing.fixtures import StartServer
from websockets.sync.client import connect

ports = []


def test_a_client(loopback_server: StartServer) -> None:
    server = loopback_server(interrupt=0.5)
    other = loopback_server(['{"type":"session.created","session":{}}'])
    ports.extend((server.port, other.port))
    with connect(server.url, max_size=None) as ws, connect(other.url) as second:
        assert json.loads(second.recv())["session"] == {}
        ws.send('{"type":"response.create"}')
        while (event := json.loads(ws.recv()))["type"] != "response.done":
            pass
        assert event["response"]["status"] == "cancelled"
        assert 500 <= server.recent_calls[-1].items[0].sent_ms < 1_000


def test_a_script(realtime_server: LoopbackServer) -> None:
    realtime_server.says("Good morning.")
    ports.append(realtime_server.port)
    with connect(realtime_server.url, max_size=None) as ws:
        ws.send('{"type":"response.create"}')
        while json.loads(ws.recv())["type"] != "response.done":
            pass
    assert [item.text for item in realtime_server.conversation.items] == ["Good morning."]
    assert realtime_server.heard_ms() > 500


def test_they_ended_with_their_test() -> None:
    for port in ports:
        try:
            connect(f"ws://127.0.0.1:{port}/")
        except OSError:
            continue
        raise AssertionError("the server still listens")
"""


def test_the_fixture_starts_servers_that_end_with_the_test(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_client.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    # Without the plugins that are installed for this suite, which take a second to import.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
