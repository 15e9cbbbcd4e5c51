"""Replay a recorded session in the time its audio takes, showing the words as they are spoken.

    python examples/replay_jsonl.py session.jsonl
    python examples/replay_jsonl.py --loopback --speed 20

Needs: pip install "realtime-pcm[cli]" (for --loopback)
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import realtime_pcm as rp
from realtime_pcm.terminal import shown_text

MAX_MESSAGE = 64 * 1024 * 1024


def replay(stream: Any, speed: float) -> float:
    """Seconds of audio played. Each delta is due when the samples before it have been."""
    begun = time.monotonic()
    played = 0.0
    for message in stream:
        match message:
            case rp.messages.ResponseAudioDelta(pcm=pcm, audio_format=audio_format):
                time.sleep(max(0.0, begun + played / speed - time.monotonic()))
                played += len(pcm) / audio_format.rate
            case rp.messages.ResponseAudioTranscriptDelta(delta=str(text)):
                print(shown_text(text), end="", flush=True)
            case rp.messages.ResponseDone():
                print()
            case rp.InvalidFrame(error=error):
                print(f"\n[{error}]")
            case _:
                pass
    time.sleep(max(0.0, begun + played / speed - time.monotonic()))
    return played


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--loopback", action="store_true", help="take the session from a server on this machine")
    options = parser.parse_args()
    if options.loopback:
        from websockets.sync.client import connect

        from realtime_pcm import sample
        from realtime_pcm.testing import loopback

        with loopback(sample.lines(), autoplay=True) as server, connect(server.url, max_size=MAX_MESSAGE) as ws:
            played = replay(rp.decode_stream(ws, errors="yield"), options.speed)
    elif options.file:
        with open(options.file, "rb") as file:
            played = replay(rp.decode_stream(file, errors="yield"), options.speed)
    else:
        parser.error("a recording, or --loopback")
    print(f"played {played:.3f} s of audio")


if __name__ == "__main__":
    main()
