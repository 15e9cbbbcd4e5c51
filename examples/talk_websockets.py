"""Ask a question, written or spoken, over a plain websockets connection; hear the answer in answer.wav.

    OPENAI_API_KEY=... python examples/talk_websockets.py "Has my parcel left?"
    OPENAI_API_KEY=... python examples/talk_websockets.py --speech question.wav     # pcm16, mono, 24 kHz
    python examples/talk_websockets.py --loopback

Needs: pip install "realtime-pcm[cli]"
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import realtime_pcm as rp
from realtime_pcm.terminal import shown_text

URL = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
MAX_MESSAGE = 64 * 1024 * 1024  # the default of 1 MiB is less than a long audio message


def blocks_of(speech: Path) -> Iterator[tuple[npt.NDArray[np.int16], int]]:
    """The samples of a WAV file in blocks of 20 ms, and their rate."""
    with wave.open(str(speech), "rb") as file:
        rate = file.getframerate()
        while frames := file.readframes(rate // 50):
            yield np.frombuffer(frames, np.int16), rate


async def talk(url: str, key: str, question: str | Path, out: Path) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(url, additional_headers=headers, max_size=MAX_MESSAGE) as ws:
        by_hand = {"input": {"turn_detection": None}}  # the program says where the question ends
        session = {"type": "realtime", "instructions": "Answer in two sentences.", "audio": by_hand}
        await ws.send(json.dumps({"type": "session.update", "session": session}))
        decoder = rp.Decoder()
        if isinstance(question, Path):
            encoder = rp.AudioEncoder(session=decoder.session)
            for block, rate in blocks_of(question):
                await ws.send(encoder.encode(block, rate=rate))
            await ws.send('{"type":"input_audio_buffer.commit"}')
        else:
            content = [{"type": "input_text", "text": question}]
            item = {"type": "message", "role": "user", "content": content}
            await ws.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await ws.send(json.dumps({"type": "response.create"}))

        with wave.open(str(out / "answer.wav"), "wb") as speaker:
            speaker.setparams((1, 2, 24_000, 0, "NONE", ""))
            async for message in rp.decode_stream(ws, decoder=decoder):
                match message:
                    case rp.messages.ResponseAudioDelta(pcm=pcm):
                        speaker.writeframes(pcm.tobytes())
                    case rp.messages.ResponseAudioTranscriptDelta(delta=str(text)):
                        print(shown_text(text), end="", flush=True)
                    case rp.messages.Error(error=error):
                        raise SystemExit(shown_text(f"error: {error}"))
                    case rp.messages.ResponseDone():
                        print()
                        break
                    case _:
                        pass


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("question", nargs="?", default="Has my parcel left the warehouse?")
    parser.add_argument("--speech", type=Path, help="a WAV file with the question")
    parser.add_argument("--loopback", action="store_true", help="talk to a recorded session on this machine")
    parser.add_argument("--out", type=Path, default=Path("."))
    options = parser.parse_args()
    question = options.speech or options.question
    if not options.loopback:
        try:
            await talk(URL, os.environ["OPENAI_API_KEY"], question, options.out)
        except ConnectionClosed as error:
            raise SystemExit(shown_text(f"error: {error}")) from None
        return

    from realtime_pcm import sample
    from realtime_pcm.testing import LoopbackServer

    async with LoopbackServer(sample.lines()) as server:
        await talk(server.url, "loopback", question, options.out)


if __name__ == "__main__":
    asyncio.run(main())
