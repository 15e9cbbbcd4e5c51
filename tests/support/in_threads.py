"""The same work in eight threads at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

THREADS = 8


def in_threads(work: Callable[[int], None], seconds: float | None = 60) -> None:
    """`work(number)` in each thread, all let go at once, and switched often; what one raises is raised here.

    It is a failure if a thread does not end within `seconds` (None: it may take as long as it likes).
    """
    gate = threading.Barrier(THREADS)
    raised: list[BaseException] = []

    def target(number: int) -> None:
        gate.wait()
        try:
            work(number)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=target, args=(number,)) for number in range(THREADS)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds)
    finally:
        sys.setswitchinterval(interval)
    assert not any(thread.is_alive() for thread in threads)
    if raised:
        raise raised[0]
