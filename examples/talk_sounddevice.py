"""Talk to a model through the microphone and the speaker, and interrupt it.

    OPENAI_API_KEY=... python examples/talk_sounddevice.py
    python examples/talk_sounddevice.py --loopback --interrupt 1.2 --input question.wav --output heard.wav

With --input and --output, two WAV files stand in for the sound card: the one is what the microphone hears (pcm16, mono, 24 kHz),
the other becomes what the speaker plays. The program then ends with the answer.

On open speakers the model hears itself: wear a headset, or see the page "Calls" on echo.

Needs: pip install "realtime-pcm[client,play]", and for --loopback the extra `testing`
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import threading
import time
import wave
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import realtime_pcm as rp
from realtime_pcm import client_messages
from realtime_pcm.client import Call, CallError, Endpoint, connect, openai
from realtime_pcm.playback import PlaybackBuffer
from realtime_pcm.terminal import shown_text

RATE = 24_000
BLOCK = 480  # samples in 20 ms
SESSION = {
    "type": "realtime",
    "instructions": "Answer in two sentences.",
    "audio": {"input": {"turn_detection": {"type": "server_vad"}}},
}

Hear = Callable[[bytes], None]  # takes a block of the microphone, in any thread


@contextlib.contextmanager
def sound_card(player: PlaybackBuffer, hear: Hear) -> Generator[float]:
    """Runs the devices; gives the seconds that the speaker holds audio back."""
    sd: Any = import_module("sounddevice")  # by name: it has no types of its own

    def callback(indata: Any, outdata: Any, frames: int, time: Any, status: Any) -> None:
        player.read(outdata)
        hear(bytes(indata))

    with sd.RawStream(samplerate=RATE, blocksize=BLOCK, channels=1, dtype="int16", callback=callback) as stream:
        yield float(stream.latency[1])


@contextlib.contextmanager
def two_files(player: PlaybackBuffer, hear: Hear, source: Path, target: Path) -> Generator[float]:
    """The same with files, in the time that the audio takes."""
    over = threading.Event()
    block = np.empty(BLOCK, np.int16)

    def run() -> None:
        begun, blocks = time.monotonic(), 0
        while not over.wait(max(0.0, begun + blocks * BLOCK / RATE - time.monotonic())):
            player.read(block)
            speaker.writeframes(block.tobytes())
            hear(microphone.readframes(BLOCK).ljust(2 * BLOCK, b"\0"))  # behind the end of the file it is silent
            blocks += 1

    with wave.open(str(source), "rb") as microphone, wave.open(str(target), "wb") as speaker:
        if microphone.getparams()[:3] != (1, 2, RATE):
            raise SystemExit(f"{source}: pcm16, mono, {RATE} Hz is needed")
        speaker.setparams((1, 2, RATE, 0, "NONE", ""))
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield 0.0
        finally:
            over.set()
            thread.join()


async def speak(call: Call[Any], blocks: asyncio.Queue[bytes]) -> None:
    """Sends what the microphone hears, in the format that the session has settled."""
    with contextlib.suppress(CallError):  # listen() tells it
        while True:
            await call.send_audio(np.frombuffer(await blocks.get(), np.int16), rate=RATE)


async def listen(call: Call[rp.messages.ServerMessage], player: PlaybackBuffer, latency: float, once: bool) -> None:
    """Plays what the model says, until the user interrupts. once: returns when an answer has ended and was played."""
    async for message in call:
        player.write(message)
        match message:
            case rp.messages.InputAudioBufferSpeechStarted():
                said = player.interrupt(latency)
                for frame in said.frames:
                    await call.send(frame)
                for cut in said.truncations:
                    print(f"\n[interrupted after {cut.audio_end_ms} ms]")
            case rp.messages.ResponseAudioTranscriptDelta(delta=str(text)):
                print(shown_text(text), end="", flush=True)
            case rp.messages.Error(error=error):
                print(shown_text(f"\n[error: {error}]"))
            case rp.messages.ResponseDone():
                print()
                if once:
                    await asyncio.sleep((player.queued + BLOCK) / RATE)  # until it was played
                    return
            case _:
                pass


async def talk(endpoint: Endpoint | str, files: tuple[Path, Path] | None) -> None:
    async with connect(endpoint) as call:
        await call.send(client_messages.SessionUpdate(session=SESSION))
        player = PlaybackBuffer(rate=RATE)
        loop = asyncio.get_running_loop()
        blocks: asyncio.Queue[bytes] = asyncio.Queue(50)

        def offer(block: bytes) -> None:
            if not blocks.full():  # a second behind: what is spoken now is dropped
                blocks.put_nowait(block)

        def hear(block: bytes) -> None:
            loop.call_soon_threadsafe(offer, block)

        with two_files(player, hear, *files) if files else sound_card(player, hear) as latency:
            speaking = asyncio.create_task(speak(call, blocks))
            try:
                await listen(call, player, latency, once=files is not None)
            finally:
                speaking.cancel()


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--input", type=Path, help="a WAV file in place of the microphone")
    parser.add_argument("--output", type=Path, help="a WAV file in place of the speaker")
    parser.add_argument("--url", help="another server than OpenAI's")
    parser.add_argument("--loopback", action="store_true", help="talk to a recorded session on this machine")
    parser.add_argument("--interrupt", type=float, help="with --loopback: seconds after which the user interrupts")
    options = parser.parse_args()
    if (options.input is None) != (options.output is None):
        parser.error("--input and --output belong together")
    files = (options.input, options.output) if options.input else None
    try:
        if not options.loopback:
            await talk(options.url or openai("gpt-realtime"), files)
            return

        from realtime_pcm.testing import LoopbackServer

        async with LoopbackServer(pace=2.0, interrupt=options.interrupt) as server:
            await talk(server.url, files)
    except CallError as error:
        raise SystemExit(f"error: {error}") from None  # its text is fit for a terminal


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
