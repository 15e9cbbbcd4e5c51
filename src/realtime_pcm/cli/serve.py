"""`realtime-pcm serve`: replays a recorded session to clients on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .console import Call, Failure, Socket, Source, entries


def serve(
    file: Annotated[Path | None, typer.Argument(help="A recording; `-`: standard input; the packaged sample if none.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8765,
    pace: Annotated[
        float, typer.Option(min=0.0, help="1: in the time the audio takes; 2: twice as fast; 0: as fast as the client reads.")
    ] = 1.0,
    autoplay: Annotated[bool, typer.Option("--autoplay", help="Send it all on connecting, waiting for nothing.")] = False,
    fault: Annotated[list[str] | None, typer.Option(help="Misbehave, NAME or NAME@DELTA; 'list' shows the names.")] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Let in web pages of this origin, too (https://app.example); else only those of this machine."),
    ] = None,
    call: Call = None,
    socket: Socket = None,
) -> None:
    """Replay a recorded session to Realtime clients on this machine: what its server sent, on a real WebSocket."""
    import asyncio

    from realtime_pcm.testing import FAULTS, LOOPBACK_ORIGINS, Fault, LoopbackServer

    if fault and "list" in fault:
        for name, meaning in FAULTS.items():
            typer.echo(f"{name:14} {meaning}")
        return
    if not pace < float("inf"):
        raise Failure("--pace: a number, 0 or more", 2)
    try:
        faults = [Fault.parse(text) for text in fault or ()]
    except ValueError as error:
        raise Failure(f"--fault: {error}", 2) from None
    frames = received(file, call, socket)
    try:
        server = LoopbackServer(
            frames,
            pace=pace or None,
            autoplay=autoplay,
            faults=faults,
            port=port,
            origins=[*LOOPBACK_ORIGINS, *origin] if origin else None,
        )
    except ValueError as error:
        raise Failure(str(error)) from None

    async def run() -> None:
        try:
            await server.__aenter__()
        except OSError as error:
            # asyncio puts the address into the text of the error, and keeps the number.
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise Failure(f"port {port}: {reason}; --port 0 takes any free one") from None
        try:
            typer.echo(f"listening on {server.url}", color=False)
            sys.stdout.flush()
            await server.serve_forever()
        finally:
            await server.__aexit__(None, None, None)

    asyncio.run(run())


MAX_FRAMES_BYTES = 1 << 30  # of frames that are held in memory to be served


def received(file: Path | None, call: str | None = None, socket: int | None = None) -> list[bytes | str]:
    """The frames that the server sent, of a recording of any shape; those of the packaged sample where there is no file.

    Failure where one of them is refused, where there are none, and where they take more than 1 GiB.
    """
    from realtime_pcm import sample

    if file is None:
        return [*sample.lines()]
    if file.is_dir():
        raise Failure(f"{file}: a folder; serve takes one recording")
    frames: list[bytes | str] = []
    size = number = 0
    source = Source(file)
    # As it was sent: a payload in a format that cannot be decoded is served like any other.
    with entries(source, dtype="uint8", call=call, socket=socket) as (_, found):
        for number, entry in enumerate(found, 1):  # noqa: B007
            if entry.error is not None:
                raise Failure(f"{source.name}: line {entry.line}: {entry.error}")
            if entry.direction == "received":
                frames.append(entry.frame)
                size += len(entry.frame)
            if size > MAX_FRAMES_BYTES:
                raise Failure(f"{source.name}: more than 1 GiB of frames; serve holds them in memory")
    if not frames:
        raise Failure(f"{source.name}: {'none of its frames comes from a server' if number else 'an empty recording'}")
    return frames
