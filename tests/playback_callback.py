"""How long a sound card's callback takes in a loaded interpreter, and how long it waits for the GIL: said apart.

    python tests/playback_callback.py --seconds 60 --busy 1

A thread of C calls `player.read` every 5 ms, as PortAudio's thread does. Meanwhile one Python thread writes messages and
interrupts, and others do nothing but compute. Needs a C compiler and Python's headers.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import realtime_pcm as rp
from realtime_pcm.playback import PlaybackBuffer
from session_frames import delta, done

SOURCE = Path(__file__).resolve().parent / "c" / "callback.c"


def build(folder: str) -> Any:
    library = Path(folder) / "callback.so"
    subprocess.run(
        [os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", "-pthread", f"-I{sysconfig.get_path('include')}", str(SOURCE),
         "-o", str(library)],
        check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.callback_start.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.c_double]
    loaded.callback_start.restype = loaded.callback_stop.restype = None
    loaded.callback_count.restype = ctypes.c_long
    loaded.callback_timings.restype = ctypes.POINTER(ctypes.c_double)
    return loaded


def measure(seconds: float, busy: int, period: float = 0.005) -> np.ndarray[Any, Any]:
    """Rows of (seconds late to wake, seconds of waiting for the GIL, seconds in read), one for each callback."""
    rate = 24_000
    player = PlaybackBuffer(rate)
    out = np.empty((round(rate * period), 1), np.int16)
    read = player.read
    over = threading.Event()

    def speak() -> None:
        decoder, number = rp.Decoder(), 0
        while not over.is_set():
            number += 1
            for _ in range(8):
                player.write(decoder.decode(delta(bytes(12_000), response_id=f"r{number}", item_id=f"i{number}")))
                time.sleep(0.05)
            player.write(decoder.decode(done(response_id=f"r{number}", item_id=f"i{number}")))
            player.interrupt(0.05)

    def compute() -> None:
        number = 0
        while not over.is_set():
            for _ in range(1_000):
                number = number * 31 + 7 & 0xFFFF

    threads = [threading.Thread(target=speak), *(threading.Thread(target=compute) for _ in range(busy))]
    with tempfile.TemporaryDirectory() as folder:
        library = build(folder)
        for thread in threads:
            thread.start()
        library.callback_start(read, out, period)
        time.sleep(seconds)
        library.callback_stop()
        over.set()
        for thread in threads:
            thread.join()
        count = library.callback_count()
        assert player.error is None
        return np.ctypeslib.as_array(library.callback_timings(), (count, 3)).copy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--busy", type=int, default=1, help="Python threads that compute")
    parser.add_argument("--switch-interval", type=float, default=sys.getswitchinterval(), help="seconds; the default is Python's")
    options = parser.parse_args()
    sys.setswitchinterval(options.switch_interval)
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    rows = measure(options.seconds, options.busy) * 1e6
    print(f"{len(rows):,} callbacks, one every 5 ms, beside {options.busy} threads that compute; Python "
          f"{sys.version.split()[0]}{', free-threaded' if free else ''}, switch interval {sys.getswitchinterval() * 1e3:g} ms")
    for name, column in (("read", 2), ("waiting for the GIL", 1), ("late to wake (the system's scheduler)", 0)):
        p50, p99, longest = np.percentile(rows[:, column], [50, 99, 100])
        print(f"{name}: median {p50:,.1f} us, 99th percentile {p99:,.1f} us, longest {longest:,.1f} us")


if __name__ == "__main__":
    main()
