"""The command `realtime-pcm`, run by `main`. `app` lists the commands, one module each; `console` has what they share."""

from __future__ import annotations

import io
import os
import signal
import sys

__all__ = ["MISSING", "main"]

MISSING = "realtime-pcm: the command line needs the 'cli' extra: pip install \"realtime-pcm[cli]\""

# Packages of the extra, and packages that these need.
_OF_THE_EXTRA = ("typer", "rich", "shellingham", "websockets", "soxr")

CLOSED_PIPE = 141  # the status that shells report after SIGPIPE


def main() -> None:
    """Runs the command of `sys.argv` and exits: 0 for success, 1 if something failed, 2 for wrong usage."""
    try:
        from .app import run

        _end_as_interrupted()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # its encoding may not have every character
        status = run()
        sys.stdout.flush()
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _OF_THE_EXTRA:
            raise
        sys.exit(MISSING)
    except BrokenPipeError:
        from .console import complain

        # Python flushes stdout at exit, which would fail again, so point it to the null device.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        complain("standard output was closed; the files that were written are complete")
        status = CLOSED_PIPE
    sys.exit(status)


def _end_as_interrupted() -> None:
    """Treats SIGTERM like Ctrl-C, which removes half-written files."""

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
