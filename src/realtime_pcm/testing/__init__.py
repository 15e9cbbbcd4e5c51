"""What tests of a Realtime client need: a server on this machine.

    from realtime_pcm.testing import LoopbackServer, loopback

    async with LoopbackServer() as server: ...          # in the test's event loop; server.url is what a client connects to
    with loopback(interrupt=1.2) as server: ...         # in a thread of its own

`realtime_pcm.testing.fixtures` has a fixture for pytest: `pytest_plugins = ["realtime_pcm.testing.fixtures"]`.

Needs the extra `testing`: websockets, and soxr where a client asks for another rate than that of the recording.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("websockets") is None:
    raise ImportError('realtime_pcm.testing needs the package websockets: pip install "realtime-pcm[testing]"', name="websockets")

from .audio import user_speech
from .call import Call
from .faults import FAULTS, Fault
from .handshake import LOOPBACK_HOSTS, LOOPBACK_ORIGINS
from .held import HeldItem
from .server import LoopbackServer, loopback

__all__ = [
    "FAULTS",
    "LOOPBACK_HOSTS",
    "LOOPBACK_ORIGINS",
    "Call",
    "Fault",
    "HeldItem",
    "LoopbackServer",
    "loopback",
    "user_speech",
]
