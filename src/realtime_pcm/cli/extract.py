"""`realtime-pcm extract`: WAV files, transcripts and a summary of both sides of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import (
    INTERRUPTED,
    Bar,
    Call,
    Catalogue,
    Failure,
    Sessions,
    Socket,
    Source,
    console,
    each,
    entries,
    find,
    new_file,
    new_folder,
    safe_name,
    say,
    shown_line,
)
from .inspect import nothing_in, refused_in

if TYPE_CHECKING:
    from realtime_pcm.recording import Recording

    from .speech import Speech

__all__ = ["extract"]

MOST_TOLD = 1000  # refused lines in summary.json
MOST_ROWS = 20  # items in the table
LONGEST_CELL = 60  # characters of a transcript in the table


def extract(
    sessions: Sessions,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files; each of several sessions gets its own inside.")],
    joined: Annotated[
        bool, typer.Option("--joined", help="Also write one stereo WAV in real time: user left, model right.")
    ] = False,
    call: Call = None,
    socket: Socket = None,
    catalogue: Catalogue = None,
) -> None:
    """Write each item of both sides to a WAV file, and transcripts as text, SRT and WebVTT.

    Reads recordings of `Recorder` and logs of any shape, also compressed with gzip or zstd.
    """
    closed: BrokenPipeError | None = None
    names: dict[str, int] = {}

    def take(source: Source) -> None:
        nonlocal closed
        # A single file goes straight into the folder; otherwise each recording gets its own.
        single = len(sessions) == 1 and source.path == sessions[0]
        try:
            folder = out if single else out / _unused(source.stem, names)
            Extraction(source, folder, joined, call, socket, catalogue).run(closed is not None)
        except BrokenPipeError as error:
            closed = error  # go on: the files are still wanted

    try:
        each(find(sessions), take)
    finally:
        if closed is not None:
            raise closed


def _unused(stem: str, names: dict[str, int]) -> str:
    """A name that no other recording has. names: names in use -> the number for the next recording of that name."""
    name = first = safe_name(stem) or "recording"
    number = names.get(first.casefold(), 1)
    while name.casefold() in names:
        number += 1
        name = f"{first}-{number}"
    names[first.casefold()] = number
    names.setdefault(name.casefold(), 1)
    return name


class Extraction:
    """Extracts one recording."""

    def __init__(
        self,
        source: Source,
        folder: Path,
        joined: bool,
        call: str | None = None,
        socket: int | None = None,
        catalogue: str | None = None,
    ) -> None:
        self.source, self.folder, self.joined = source, folder, joined
        self.options: dict[str, Any] = {"call": call, "socket": socket, "catalogue": catalogue}
        self.stopped = ""
        self.problems: list[str] = []
        self.joined_files: list[dict[str, Any]] = []
        self.left_out: dict[str, int] = {}  # what was left out, by a limit or for a sender's mistake -> how many

    def run(self, quiet: bool = False) -> None:
        """Writes all files and prints a report unless quiet. Raises Failure for any problem; complete files are kept."""
        from .joined import Joined
        from .speech import Speech
        from .wavs import Wavs

        made = not self.folder.exists()
        new_folder(self.folder)
        wavs = Wavs()
        joined = Joined(self.folder) if self.joined else None
        with entries(self.source, **self.options) as (recording, found):
            speech = Speech(self.folder, wavs, recording, joined)
            failure: Failure | None = None
            try:
                for entry in found:
                    speech.take(entry)
                speech.finish()
                if joined is not None:
                    with Bar(f"{self.source.name}: joined.wav") as bar:
                        self.joined_files = joined.finish(wavs, "joined", bar.show)
            except Failure as error:
                failure = error
                self.stopped = str(error)
            except KeyboardInterrupt:
                line = f" after {speech.frames:,} frames" if speech.frames else ""
                failure = Failure(f"{self.source.name}: interrupted{line}", INTERRUPTED)
                self.stopped = "interrupted"
            finally:
                speech.keep_whole()
                speech.microphone.close()
                self.left_out |= speech.left_out
                if speech.microphone.left_out:
                    self.left_out["samples of the user after the thousandth change of format"] = speech.microphone.left_out
                if joined is not None:
                    self.left_out |= joined.left_out
                    joined.close()
        if failure is None:
            try:
                nothing_in(self.source, speech.found)
            except Failure:
                if made:
                    self.folder.rmdir()
                raise
            self._write(speech, recording)
            if not quiet:
                self._report(speech, recording)
            self._complain(speech)
            return
        kept = self._write_what_can_be(speech, recording)
        raise Failure(f"{failure}; {kept}", failure.exit_code)

    # --- transcripts and summary

    def _write(self, speech: Speech, recording: Recording) -> None:
        import json

        from .subtitles import as_srt, as_text, as_vtt

        lines = speech.lines()
        if lines:
            for suffix, form in ((".txt", as_text), (".srt", as_srt), (".vtt", as_vtt)):
                with new_file(self.folder / f"transcript{suffix}") as file:
                    for piece in form(lines):
                        file.write(piece.encode())
        with new_file(self.folder / "summary.json") as file:
            file.write(json.dumps(self._summary(speech, recording), indent=1).encode() + b"\n")

    def _write_what_can_be(self, speech: Speech, recording: Recording) -> str:
        """Writes transcripts and summary of what was read before the stop. Returns what was kept, in words."""
        wavs = sum(len(item.files) for item in speech.items)
        kept = f"{wavs:,} complete {'WAV is' if wavs == 1 else 'WAVs are'} kept in {self.folder}"
        if not (speech.items or speech.frames):
            return kept
        try:
            self._write(speech, recording)
        except Failure as failure:
            return f"{kept}; transcripts and summary are incomplete ({failure})"
        return kept

    def _summary(self, speech: Speech, recording: Recording) -> dict[str, Any]:
        found = speech.found
        items = []
        for item in speech.items:
            one = {
                "number": item.number,
                "side": item.side,
                "id": item.id,
                "start": _rounded(item.start),
                "end": _rounded(item.end),
                "seconds": _rounded(item.seconds),
                "heard_seconds": _rounded(item.heard),
                "transcript": item.text or None,
                "files": item.files,
            }
            items.append(one)
        return {
            "recording": self.source.name.encode(errors="replace").decode(),
            "shape": recording.shape,
            "started": found.started.isoformat() if found.started is not None else None,
            "times": "of the recording" if found.timed else "of the audio: the recording has no times",
            "complete": not (self.stopped or found.refused or self.left_out),
            "stopped": self.stopped or None,
            "frames": found.frames,
            "refused": found.refused,
            "refused_lines": [
                {"line": bad.line, "byte": bad.position, "type": bad.type, "field": bad.field, "reason": bad.reason}
                for bad in found.bad_frames
            ],
            "dropped_by_the_recorder": recording.dropped,
            "left_out": self.left_out,
            "mixed_formats": speech.mixed[:MOST_TOLD],
            "joined": self.joined_files,
            "items": items,
        }

    # --- what is shown

    def _report(self, speech: Speech, recording: Recording) -> None:
        from rich.table import Table
        from rich.text import Text

        from realtime_pcm.terminal import shown_text

        out = console()
        seconds = sum(item.seconds for item in speech.items)
        frames = f"{speech.frames:,} frame{'s' if speech.frames != 1 else ''}"
        say(out, f"{shown_line(self.source.name)}: {recording.shape}; {frames}, {seconds:,.1f} s of audio")
        items = [item for item in speech.items if item.files or item.text]
        if items:
            table = Table(box=None, pad_edge=False, header_style="dim")
            for name in (" ", "side", " start", " audio"):
                table.add_column(name.strip(), justify="right" if name.startswith(" ") else "left", no_wrap=True)
            table.add_column("said")
            for item in items[:MOST_ROWS]:
                words = " ".join(shown_text(item.text).split())
                words = words if len(words) <= LONGEST_CELL else f"{words[:LONGEST_CELL]}…"
                heard = f" (heard {item.heard:.2f} s)" if item.heard is not None else ""
                audio = f"{item.seconds:.2f} s" if item.files else "-"
                table.add_row(str(item.number), item.side, f"{item.start or 0.0:.2f} s", audio, Text(words + heard))
            out.print(table)
            if len(items) > MOST_ROWS:
                say(out, f"... and {len(items) - MOST_ROWS:,} more items")
        wavs = sum(len(item.files) for item in speech.items) + len(self.joined_files)
        said = ", transcript.txt, .srt, .vtt" if speech.lines() else ""
        say(out, f"-> {self.folder}: {wavs:,} {'WAV' if wavs == 1 else 'WAVs'}{said}, summary.json")
        if not wavs:
            say(out, "no audio in this recording", "dim")

    def _complain(self, speech: Speech) -> None:
        """Raises Failure if there was any problem, with all of them in one line."""
        problems = []
        refused = refused_in(self.source, speech.found)
        if refused is not None:
            problems.append(str(refused).removeprefix(f"{self.source.name}: "))
        if speech.mixed:
            many = f"; so do {len(speech.mixed) - 1:,} others" if len(speech.mixed) > 1 else ""
            problems.append(f"an item changes its format and continues in another WAV: {speech.mixed[0]}{many}")
        problems += [f"left out: {count:,} {what}" for what, count in self.left_out.items()]
        if speech.found.time_faults:
            problems.append(speech.found.clock_in_words)
        if problems:
            raise Failure(f"{self.source.name}: " + "; ".join(problems))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
