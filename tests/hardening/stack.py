"""The deepest frames, in a thread with a small stack, with the interpreter's own limit out of the way.

Run as a program of its own: what goes wrong here ends the process.
"""

from __future__ import annotations

import copy
import pickle
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from typing import Any

import realtime_pcm as rp
from realtime_pcm import _core
from realtime_pcm.objects import View

# Free-threaded Python needs more itself: 160 KiB to let go of 1,024 dicts, each the only value of another.
STACK = (256 if sysconfig.get_config_var("Py_GIL_DISABLED") else 128) * 1024
LEVELS = 1024  # the root being the first

PLACES = {
    "nested field": '{"type":"response.done","response":%s}',
    "list of views": '{"type":"rate_limits.updated","rate_limits":%s}',
    "flat field": '{"type":"response.text.delta","item_id":%s}',
    "undeclared": '{"type":"response.done","x":%s}',
    "before type": '{"x":%s,"type":"response.done"}',
    "event_id": '{"type":"response.done","event_id":%s}',
    "session": '{"type":"session.created","session":{"audio":%s}}',
    "payload": '{"type":"response.audio.delta","delta":"AAEC","delta":%s}',
    "payload overwritten": '{"type":"response.audio.delta","delta":%s,"delta":"AAEC"}',
    "type": '{"type":%s}',
    "unknown": '{"type":"a.type.of.tomorrow","x":%s}',
}
SHAPES = {
    "arrays": ("[", "]"),
    "objects": ('{"a":', "}"),
    "response in response": ('{"response":', "}"),
    "lists in lists": ("[0,", ",1]"),
}


def frames(levels: int) -> Iterator[tuple[str, str]]:
    for place, template in PLACES.items():
        inside = levels - template.count("{")
        for shape, (opening, closing) in SHAPES.items():
            yield f"{shape} in {place}", template % (opening * inside + "1" + closing * inside)


def use(frame: str) -> None:
    """All that can be done with the message."""
    message: Any = rp.decode(frame)
    twin: Any = rp.decode(frame + " ")
    assert message == twin and repr(message) == repr(twin)
    things = [message]
    for name in ("event_id", *type(message).__match_args__):
        value = getattr(message, name)
        things += [value] if isinstance(value, View) else []
        things += [entry for entry in value if isinstance(entry, View)] if isinstance(value, list) else []
    for thing in things:
        for same in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
            assert same == thing and repr(same) == repr(thing)
        assert len(repr(thing)) < 400
    assert message.to_dict() is not None and message.extra is not None


def accepts(frame: str) -> bool:
    try:
        use(frame)
    except rp.DecodeError as error:
        str(error), copy.copy(error), pickle.loads(pickle.dumps(error))
        return False
    return True


def all_of_it() -> None:
    for tier in _core._available_tiers():
        _core._use_tier(tier)
        for name, frame in frames(LEVELS):
            refused = ('{"type":[' in frame or '{"type":{' in frame) or '"AAEC","delta":' in frame
            assert accepts(frame) is not refused, name
            message = rp.Decoder(only="error").decode(frame) if not refused else None
            assert message is None
        for levels in (LEVELS + 1, 1_000_000):
            for name, frame in frames(levels):
                for cut in (frame, frame[: max(len(frame) // 2, 20 * LEVELS)]):
                    try:
                        rp.decode(cut)
                    except rp.DecodeError as error:
                        assert "more than 1024 levels" in str(error), name
                    else:
                        raise AssertionError(name)


def in_small_stack(work: Callable[[], None]) -> None:
    raised: list[BaseException] = []

    def target() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    sys.setrecursionlimit(1_000_000)
    threading.stack_size(STACK)
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def run() -> int:
    in_small_stack(all_of_it)
    print(
        f"{len(PLACES) * len(SHAPES)} frames of {LEVELS}, {LEVELS + 1} and 1,000,000 levels "
        f"in {STACK // 1024} KiB of stack: as promised"
    )
    return 0
