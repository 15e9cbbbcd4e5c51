"""Fixtures for pytest. In a conftest.py: `pytest_plugins = ["realtime_pcm.testing.fixtures"]`.

def test_my_client(realtime_server):
    realtime_server.calls("weather", {"city": "Oslo"})
    realtime_server.says("Three degrees below zero.")
    my_client.ask(realtime_server.url, "How warm is it in Oslo?")
    assert realtime_server.tool_outputs == ["-3"]

`loopback_server` starts servers with options: `loopback_server(interrupt=1.2)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from .recorded import Frame
from .server import LoopbackServer, loopback

__all__ = ["StartServer", "loopback_server", "realtime_server"]


class StartServer(Protocol):
    """What the fixture `loopback_server` is: a function that starts a server with these options of LoopbackServer."""

    def __call__(self, frames: Iterable[Frame] | None = None, **options: Any) -> LoopbackServer: ...  # noqa: D102


@pytest.fixture
def loopback_server() -> Iterator[StartServer]:
    """Starts LoopbackServers, each in a thread of its own; they end with the test. Arguments are those of LoopbackServer."""
    with ExitStack() as servers:

        def start(frames: Iterable[Frame] | None = None, **options: Any) -> LoopbackServer:
            return servers.enter_context(loopback(frames, **options))

        yield start


@pytest.fixture
def realtime_server() -> Iterator[LoopbackServer]:
    """A LoopbackServer in a thread of its own, which replays the packaged sample until the test gives it a script."""
    with loopback() as server:
        yield server
