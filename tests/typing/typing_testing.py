"""What type checkers make of realtime_pcm.testing. Never run: tests/typing/test_typing.py has mypy and pyright read it."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

from realtime_pcm.recording import Entry
from realtime_pcm.testing import Call, HeldItem, LoopbackServer, loopback
from realtime_pcm.testing.fixtures import StartServer


async def of_servers() -> None:
    async with LoopbackServer(interrupt=1.2, faults=["late@3"]) as server:
        assert_type(server.url, str)
        assert_type(server.recent_calls[0], Call)
        assert_type(server.calls("weather", {"city": "Oslo"}).says("Cold."), LoopbackServer)
        assert_type(server.heard_ms(), int)
        assert_type(server.tool_outputs, list[str])
        for call in server.recent_calls:
            assert_type(call.items, tuple[HeldItem, ...])
            assert_type(call.recording, list[Entry])
    with loopback(pace=1.0) as other:
        assert_type(other, LoopbackServer)


def of_fixtures(loopback_server: StartServer) -> None:
    assert_type(loopback_server(interrupt=0.5).recent_calls[-1].items[-1].audio_ms, int)
