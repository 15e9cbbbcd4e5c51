"""Ask a question over a plain websockets connection; hear the answer in answer.wav.

    OPENAI_API_KEY=... python examples/talk_websockets.py "Has my parcel left?"
    python examples/talk_websockets.py --loopback

Needs: pip install "realtime-pcm[cli]"
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import wave
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import realtime_pcm as rp
from realtime_pcm.terminal import shown_text

URL = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
MAX_MESSAGE = 64 * 1024 * 1024  # the default of 1 MiB is less than a long audio message


async def talk(url: str, key: str, question: str, out: Path) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(url, additional_headers=headers, max_size=MAX_MESSAGE) as ws:
        session = {"type": "realtime", "instructions": "Answer in two sentences."}
        await ws.send(json.dumps({"type": "session.update", "session": session}))
        content = [{"type": "input_text", "text": question}]
        item = {"type": "message", "role": "user", "content": content}
        await ws.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await ws.send(json.dumps({"type": "response.create"}))

        with wave.open(str(out / "answer.wav"), "wb") as speaker:
            speaker.setparams((1, 2, 24_000, 0, "NONE", ""))
            async for message in rp.decode_stream(ws):
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


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", nargs="?", default="Has my parcel left the warehouse?")
    parser.add_argument("--loopback", action="store_true", help="talk to a recorded session on this machine")
    parser.add_argument("--out", type=Path, default=Path("."))
    options = parser.parse_args()
    if not options.loopback:
        try:
            await talk(URL, os.environ["OPENAI_API_KEY"], options.question, options.out)
        except ConnectionClosed as error:
            raise SystemExit(shown_text(f"error: {error}")) from None
        return

    from realtime_pcm import sample
    from realtime_pcm.testing import LoopbackServer

    async with LoopbackServer(sample.lines()) as server:
        await talk(server.url, "loopback", options.question, options.out)


if __name__ == "__main__":
    asyncio.run(main())
