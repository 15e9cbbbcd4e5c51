"""What tests of a Realtime client need: a server on this machine, and messages that need no server.

    from realtime_pcm.testing import LoopbackServer, loopback, make

    async with LoopbackServer() as server: ...          # in the test's event loop; server.url is what a client connects to
    with loopback(interrupt=1.2) as server: ...         # in a thread of its own
    message = make(messages.ResponseAudioDelta, pcm=samples, item_id="item_1")

`realtime_pcm.testing.fixtures` has a fixture for pytest: `pytest_plugins = ["realtime_pcm.testing.fixtures"]`.

Needs the extra `testing`: websockets, and soxr where a client asks for another rate than that of the recording.
"""

from __future__ import annotations

try:
    import websockets  # noqa: F401
except ImportError as error:
    raise ImportError(
        'realtime_pcm.testing needs the package websockets: pip install "realtime-pcm[testing]"', name="websockets"
    ) from error

from .call import Call
from .faults import FAULTS, Fault
from .held import HeldItem
from .making import make
from .server import LOOPBACK_HOSTS, LOOPBACK_ORIGINS, LoopbackServer, loopback

__all__ = [
    "FAULTS",
    "LOOPBACK_HOSTS",
    "LOOPBACK_ORIGINS",
    "Call",
    "Fault",
    "HeldItem",
    "LoopbackServer",
    "loopback",
    "make",
]
