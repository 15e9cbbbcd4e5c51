"""Ask a question through the openai SDK; hear the answer in answer.wav.

    OPENAI_API_KEY=... python examples/talk_openai.py "Has my parcel left?"
    python examples/talk_openai.py --loopback

Needs: pip install "openai[realtime]" "realtime-pcm[cli]"
"""

from __future__ import annotations

import argparse
import asyncio
import wave
from pathlib import Path

from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosed

import realtime_pcm as rp
from realtime_pcm.terminal import shown_text


async def talk(client: AsyncOpenAI, question: str, out: Path) -> None:
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session={"type": "realtime", "instructions": "Answer in two sentences."})
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
        )
        await connection.response.create()

        with wave.open(str(out / "answer.wav"), "wb") as speaker:
            speaker.setparams((1, 2, 24_000, 0, "NONE", ""))
            async for message in rp.decode_stream(connection):
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
            await talk(AsyncOpenAI(), options.question, options.out)
        except ConnectionClosed as error:
            raise SystemExit(shown_text(f"error: {error}")) from None
        return

    from realtime_pcm import sample
    from realtime_pcm.testing import LoopbackServer

    async with LoopbackServer(sample.lines()) as server:
        client = AsyncOpenAI(api_key="loopback", base_url=server.base_url)
        await talk(client, options.question, options.out)


if __name__ == "__main__":
    asyncio.run(main())
