"""Ask a question, written or spoken, through the openai SDK; hear the answer in answer.wav.

    OPENAI_API_KEY=... python examples/talk_openai.py "Has my parcel left?"
    OPENAI_API_KEY=... python examples/talk_openai.py --speech question.wav     # pcm16, mono, 24 kHz
    python examples/talk_openai.py --loopback

Frames of audio go through the connection's send_raw, as text that is ready: its input_audio_buffer.append takes base64 and
builds the frame by pydantic, which takes hundreds of times as long as the encoder.

Needs: pip install "openai[realtime]" "realtime-pcm[cli]"
"""

from __future__ import annotations

import argparse
import asyncio
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosed

import realtime_pcm as rp
from realtime_pcm.terminal import shown_text


def blocks_of(speech: Path) -> Iterator[tuple[npt.NDArray[np.int16], int]]:
    """The samples of a WAV file in blocks of 20 ms, and their rate."""
    with wave.open(str(speech), "rb") as file:
        rate = file.getframerate()
        while frames := file.readframes(rate // 50):
            yield np.frombuffer(frames, np.int16), rate


async def talk(client: AsyncOpenAI, question: str | Path, out: Path) -> None:
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "instructions": "Answer in two sentences.",
                "audio": {"input": {"turn_detection": None}},  # the program says where the question ends
            }
        )
        decoder = rp.Decoder()
        if isinstance(question, Path):
            encoder = rp.AudioEncoder(session=decoder.session)
            for block, rate in blocks_of(question):
                await connection.send_raw(encoder.encode(block, rate=rate))
            await connection.input_audio_buffer.commit()
        else:
            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
            )
        await connection.response.create()

        with wave.open(str(out / "answer.wav"), "wb") as speaker:
            speaker.setparams((1, 2, 24_000, 0, "NONE", ""))
            async for message in rp.decode_stream(connection, decoder=decoder):
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
            await talk(AsyncOpenAI(), question, options.out)
        except ConnectionClosed as error:
            raise SystemExit(shown_text(f"error: {error}")) from None
        return

    from realtime_pcm import sample
    from realtime_pcm.testing import LoopbackServer

    async with LoopbackServer(sample.lines()) as server:
        client = AsyncOpenAI(api_key="loopback", base_url=server.base_url)
        await talk(client, question, options.out)


if __name__ == "__main__":
    asyncio.run(main())
