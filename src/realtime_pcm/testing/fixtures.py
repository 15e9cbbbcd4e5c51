"""Fixtures for pytest. Write into conftest.py: `pytest_plugins = ["realtime_pcm.testing.fixtures"]`.

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
    """The type of the fixture `loopback_server`: a function that starts a server. Options are those of `LoopbackServer`."""

    def __call__(self, frames: Iterable[Frame] | None = None, **options: Any) -> LoopbackServer: ...  # noqa: D102


@pytest.fixture
def loopback_server() -> Iterator[StartServer]:
    """Starts a `LoopbackServer` in its own thread at each call, with its arguments. The servers stop when the test ends."""
    with ExitStack() as servers:

        def start(frames: Iterable[Frame] | None = None, **options: Any) -> LoopbackServer:
            return servers.enter_context(loopback(frames, **options))

        yield start


@pytest.fixture
def realtime_server() -> Iterator[LoopbackServer]:
    """A `LoopbackServer` in its own thread. It replays the packaged sample unless the test gives it a script."""
    with loopback() as server:
        yield server
