"""The command `realtime-pcm`: `main` runs it. `app` lists the commands, one module each; `console` is what they share."""

from __future__ import annotations

import io
import os
import signal
import sys

__all__ = ["MISSING", "main"]

MISSING = "realtime-pcm: the command line needs the 'cli' extra: pip install \"realtime-pcm[cli]\""

# Names of the packages that the extra brings, and of those that come with them.
_OF_THE_EXTRA = ("typer", "rich", "shellingham", "websockets", "soxr")

CLOSED_PIPE = 141  # what a shell says of a program that SIGPIPE ended


def main() -> None:
    """Runs the command of `sys.argv` and ends the process: 0, all is well; 1, something failed; 2, the command was misused."""
    try:
        from .app import run

        _end_as_interrupted()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal or a file may be unable to hold every letter
        status = run()
        sys.stdout.flush()
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _OF_THE_EXTRA:
            raise
        sys.exit(MISSING)
    except BrokenPipeError:
        from .console import complain

        # Python flushes stdout at exit, which would fail again: from here on, stdout is the null device.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        complain("nobody reads standard output any more; what was written to files is whole")
        status = CLOSED_PIPE
    sys.exit(status)


def _end_as_interrupted() -> None:
    """Has SIGTERM do what Ctrl-C does, so that no half-written file stays behind."""

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
