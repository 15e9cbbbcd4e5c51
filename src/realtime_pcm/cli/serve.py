"""`realtime-pcm serve`: replays a recorded session to clients on this machine."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import Call, Catalogue, Failure, Socket, Source, entries

if TYPE_CHECKING:
    from realtime_pcm.testing.recorded import Frame


def serve(
    file: Annotated[
        Path | None, typer.Argument(help="A recording, or `-` for standard input; the packaged sample by default.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 chooses a free port.")] = 8765,
    pace: Annotated[
        float, typer.Option(min=0.0, help="Speed of the audio: 1 is real time, 2 twice as fast, 0 as fast as the client reads.")
    ] = 1.0,
    autoplay: Annotated[bool, typer.Option("--autoplay", help="Send everything as soon as a client connects.")] = False,
    fault: Annotated[list[str] | None, typer.Option(help="Misbehave: NAME or NAME@DELTA; 'list' shows the names.")] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Also accept web pages of this origin (https://app.example), not only those of this machine."),
    ] = None,
    interrupt: Annotated[float | None, typer.Option(min=0.0, help="Interrupt the first answer after this many seconds.")] = None,
    script: Annotated[
        Path | None,
        typer.Option(help="Play the lines of this file instead: `user: ...`, `says: ...`, `calls: TOOL {...}`, `fails: CODE`."),
    ] = None,
    strict: Annotated[bool, typer.Option(help="Refuse what OpenAI's server refuses.")] = True,
    tls: Annotated[bool, typer.Option("--tls", help="Use wss with a new certificate; prints the path of its file.")] = False,
    call: Call = None,
    socket: Socket = None,
    catalogue: Catalogue = None,
) -> None:
    """Replay a recorded session, or a script, to Realtime clients on this machine, on a real WebSocket."""
    import asyncio

    from realtime_pcm.testing import FAULTS, LOOPBACK_ORIGINS, Fault, LoopbackServer

    if fault and "list" in fault:
        for name, meaning in FAULTS.items():
            typer.echo(f"{name:20} {meaning}")
        return
    if not pace < float("inf"):
        raise Failure("--pace must be 0 or more", 2)
    try:
        faults = [Fault.parse(text) for text in fault or ()]
    except ValueError as error:
        raise Failure(f"--fault: {error}", 2) from None
    if script is not None and (file is not None or autoplay):
        raise Failure(f"--script: {'--autoplay sends a recording' if autoplay else 'pass a recording or a script, not both'}", 2)
    frames, known = received(file, call, socket, catalogue)
    try:
        server = LoopbackServer(
            frames,
            pace=pace or None,
            autoplay=autoplay,
            faults=faults,
            interrupt=interrupt,
            strict=strict,
            ssl=tls,
            port=port,
            origins=[*LOOPBACK_ORIGINS, *origin] if origin else None,
            catalogue=known,
        )
        if script is not None:
            server.reads(read_script(script))
    except ValueError as error:
        raise Failure(f"{script}: {error}" if script is not None and str(error).startswith("line ") else str(error)) from None

    async def run() -> None:
        try:
            await server.__aenter__()
        except OSError as error:
            # asyncio adds the address to the text, and keeps errno.
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise Failure(f"port {port}: {reason}; use --port 0 for any free port") from None
        try:
            typer.echo(f"listening on {server.url}", color=False)
            if server.certificate is not None:
                typer.echo(f"to trust it, set SSL_CERT_FILE={trusted} (Node: NODE_EXTRA_CA_CERTS)", color=False)
            sys.stdout.flush()
            await server.serve_forever()
        finally:
            await server.__aexit__(None, None, None)

    with tempfile.TemporaryDirectory(prefix="realtime-pcm-") as folder:
        trusted = Path(folder, "certificate.pem")
        if server.certificate is not None:
            trusted.write_text(server.certificate)
        asyncio.run(run())


MAX_FRAMES_BYTES = 1 << 30  # of frames kept in memory


MAX_SCRIPT_BYTES = 1 << 20


def read_script(file: Path) -> str:
    """The text of a script. Raises Failure if it cannot be read."""
    try:
        with file.open("rb") as lines:
            text = lines.read(MAX_SCRIPT_BYTES + 1)
        if len(text) > MAX_SCRIPT_BYTES:
            raise Failure(f"{file}: more than 1 MiB; scripts are short")
        return text.decode("utf-8-sig")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise Failure(f"{file}: not UTF-8 at byte {error.start}") from None


def received(
    file: Path | None, call: str | None = None, socket: int | None = None, catalogue: str | None = None
) -> tuple[list[Frame] | None, Any]:
    """The server's frames of a recording with their times, or None without a file; the catalogue, if they are another socket's.

    Of another socket, the first frame of the client is kept too: it shows which frames wait for the client.

    Raises Failure if a frame is refused, if there are none, or if they exceed 1 GiB.
    """
    if file is None:
        return None, None
    if file.is_dir():
        raise Failure(f"{file}: a folder; serve takes one recording")
    frames: list[Frame] = []
    size = number = 0
    answered = False
    source = Source(file)
    # As sent: a payload in an unknown format is served like any other.
    with entries(source, dtype="uint8", call=call, socket=socket, catalogue=catalogue) as (recording, found):
        for number, entry in enumerate(found, 1):  # noqa: B007
            if entry.error is not None:
                raise Failure(f"{source.name}: line {entry.line}: {entry.error}")
            if entry.direction == "received":
                frames.append((entry.time, entry.frame) if recording.catalogue is None else entry)
                size += len(entry.frame)
            elif recording.catalogue is not None and not answered:
                answered = True
                frames.append(entry)
            if size > MAX_FRAMES_BYTES:
                raise Failure(f"{source.name}: more than 1 GiB of frames; serve keeps them in memory")
    if len(frames) == answered:
        raise Failure(f"{source.name}: {'no frame in it comes from a server' if number else 'an empty recording'}")
    return frames, recording.catalogue
