"""Decode inside a picows listener, straight from its receive buffer.

    OPENAI_API_KEY=... python examples/listen_picows.py "Has my parcel left?"
    python examples/listen_picows.py --loopback

The decoder copies what a message keeps, so the buffer may be reused as soon as `decode` returns.

Needs: pip install picows "realtime-pcm[cli]"
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import wave
from pathlib import Path
from typing import Any

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect  # pyright: ignore[reportUnknownVariableType]

import realtime_pcm as rp
from realtime_pcm.terminal import shown_text

URL = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
MAX_MESSAGE = 64 * 1024 * 1024


class Talk(WSListener):
    def __init__(self, question: str, speaker: wave.Wave_write) -> None:
        self.question = question
        self.speaker = speaker
        self.decoder = rp.Decoder()

    def on_ws_connected(self, transport: WSTransport) -> None:
        def send(type_: str, **fields: Any) -> None:
            transport.send(WSMsgType.TEXT, json.dumps({"type": type_, **fields}).encode())

        send("session.update", session={"type": "realtime", "instructions": "Answer in two sentences."})
        content = [{"type": "input_text", "text": self.question}]
        send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        send("response.create")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        try:
            message = self.decoder.decode(frame.get_payload_as_memoryview())
        except rp.DecodeError as error:
            print(f"\n[{error}]")
            return
        match message:
            case rp.messages.ResponseAudioDelta(pcm=pcm):
                self.speaker.writeframes(pcm.tobytes())
            case rp.messages.ResponseAudioTranscriptDelta(delta=str(text)):
                print(shown_text(text), end="", flush=True)
            case rp.messages.ResponseDone():
                print()
                transport.send_close(WSCloseCode.OK)
                transport.disconnect()
            case _:
                pass


async def talk(url: str, key: str, question: str, out: Path) -> None:
    with wave.open(str(out / "answer.wav"), "wb") as speaker:
        speaker.setparams((1, 2, 24_000, 0, "NONE", ""))
        transport, _ = await ws_connect(
            lambda: Talk(question, speaker),
            url,
            extra_headers={"Authorization": f"Bearer {key}"},
            max_frame_size=MAX_MESSAGE,
        )
        await transport.wait_disconnected()


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("question", nargs="?", default="Has my parcel left the warehouse?")
    parser.add_argument("--loopback", action="store_true", help="talk to a recorded session on this machine")
    parser.add_argument("--out", type=Path, default=Path("."))
    options = parser.parse_args()
    if not options.loopback:
        await talk(URL, os.environ["OPENAI_API_KEY"], options.question, options.out)
        return

    from realtime_pcm import sample
    from realtime_pcm.testing import LoopbackServer

    async with LoopbackServer(sample.lines()) as server:
        await talk(server.url, "loopback", options.question, options.out)


if __name__ == "__main__":
    asyncio.run(main())
