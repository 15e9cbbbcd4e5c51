"""The typer app: the list of commands, and their exit status."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from . import archive, bench, convert, demo, extract, inspect, serve, timeline
from .console import INTERRUPTED, complain, reason_of, shown_line

__all__ = ["app", "run"]

NAME = "realtime-pcm"
_COMPLETION = "_REALTIME_PCM_COMPLETE"  # set by the shell's completion script

app = typer.Typer(
    name=NAME,
    help="Recordings of Realtime voice sessions: listen to them, look at them, replay them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo.demo,
    convert.convert,
    extract.extract,
    inspect.inspect,
    timeline.timeline,
    archive.archive,
    serve.serve,
    bench.bench,
):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from realtime_pcm import __version__

        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Recordings of Realtime voice sessions: listen to them, look at them, replay them."""


def run(arguments: list[str] | None = None) -> int:
    """Runs the command of `arguments` or sys.argv and returns its exit status. Prints an error as one line on standard error."""
    stdout = sys.stdout
    try:
        status = app(args=arguments, prog_name=NAME, standalone_mode=False)
    except typer.TyperException as error:
        # Only usage errors have a context, which knows the name of the command; a Failure has none.
        context = getattr(error, "ctx", None)
        hint = f" ({context.command_path} --help has more)" if context is not None else ""
        text = error.format_message()
        if text:  # empty if the help was shown instead
            complain(shown_line(text) + hint)
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        # Files that commands write raise Failure, so a full disk without a file name is that of standard output.
        name = f"{error.filename}: " if error.filename else "standard output: " if error.errno == errno.ENOSPC else ""
        complain(f"{name}{reason_of(error)}")
        return 1
    except SystemExit:
        if _COMPLETION in os.environ:
            raise
        # Only one case is left: typer or rich met a closed pipe while printing the help.
        sys.stdout = stdout
        raise BrokenPipeError from None
    if status == INTERRUPTED:
        complain("interrupted")
    return status if isinstance(status, int) else 0
