"""A fixture for pytest. In a conftest.py: `pytest_plugins = ["realtime_pcm.testing.fixtures"]`.

def test_my_client(loopback_server):
    server = loopback_server(interrupt=1.2)
    my_client.talk_to(server.url)
    assert server.calls[-1].items[-1].audio_ms == 1_000
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from .server import LoopbackServer, loopback

__all__ = ["StartServer", "loopback_server"]


class StartServer(Protocol):
    """What the fixture `loopback_server` is: a function that starts a server with these options of LoopbackServer."""

    def __call__(self, frames: Iterable[bytes | str] | None = None, **options: Any) -> LoopbackServer: ...  # noqa: D102


@pytest.fixture
def loopback_server() -> Iterator[StartServer]:
    """Starts LoopbackServers, each in a thread of its own; they end with the test. Arguments are those of LoopbackServer."""
    with ExitStack() as servers:

        def start(frames: Iterable[bytes | str] | None = None, **options: Any) -> LoopbackServer:
            return servers.enter_context(loopback(frames, **options))

        yield start
