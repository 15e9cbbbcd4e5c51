"""A phone call: bridge Twilio Media Streams to a Realtime server, mu-law end to end.

    OPENAI_API_KEY=... python examples/twilio_bridge.py --port 8080     # point <Stream url="wss://..."> here
    python examples/twilio_bridge.py --loopback                         # a caller and a server on this machine

Both sides speak G.711 mu-law, so nothing is converted: dtype="uint8" gives the bytes as sent.

Needs: pip install "realtime-pcm[cli]"
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

import realtime_pcm as rp
from realtime_pcm.terminal import shown_text

URL = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
MAX_MESSAGE = 64 * 1024 * 1024
FRAME = 160  # bytes of mu-law in 20 ms
PCMU = {"type": "audio/pcmu"}
SESSION = {
    "type": "realtime",
    "instructions": "You answer the phone. Be brief.",
    "audio": {"input": {"format": PCMU, "turn_detection": {"type": "server_vad"}}, "output": {"format": PCMU}},
}


async def bridge(phone: ServerConnection, url: str, key: str) -> None:
    """One call, until the caller hangs up or the model is gone."""
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with connect(url, additional_headers=headers, max_size=MAX_MESSAGE) as model:
            await model.send(json.dumps({"type": "session.update", "session": SESSION}))
            call: dict[str, str] = {}
            speaking = asyncio.create_task(model_to_phone(model, phone, call))
            try:
                await phone_to_model(phone, model, call)
            finally:
                speaking.cancel()
    except ConnectionClosed as error:
        print(shown_text(f"the call ended: {error}"))


async def phone_to_model(phone: ServerConnection, model: ClientConnection, call: dict[str, str]) -> None:
    async for text in phone:
        event = json.loads(text)
        if event["event"] == "start":
            call["sid"] = event["start"]["streamSid"]
        elif event["event"] == "media":
            audio = event["media"]["payload"]
            await model.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        elif event["event"] == "stop":
            return


async def model_to_phone(model: ClientConnection, phone: ServerConnection, call: dict[str, str]) -> None:
    async def send(event: str, **fields: Any) -> None:
        await phone.send(json.dumps({"event": event, "streamSid": call.get("sid"), **fields}))

    # Once either side is gone, the next audio of the caller ends the call.
    with contextlib.suppress(ConnectionClosed):
        async for message in rp.decode_stream(model, dtype="uint8", errors="skip"):
            match message:
                case rp.messages.ResponseAudioDelta(pcm=mulaw):
                    for start in range(0, len(mulaw), FRAME):
                        payload = base64.b64encode(mulaw.data[start : start + FRAME]).decode()
                        await send("media", media={"payload": payload})
                case rp.messages.InputAudioBufferSpeechStarted():
                    await send("clear")  # the caller speaks: drop what Twilio has not played yet
                case rp.messages.ResponseDone():
                    await send("mark", mark={"name": "answered"})


async def call_loopback(port: int, out: Path) -> None:
    """A caller who says nothing for a second, listens to the answer and hangs up."""
    heard = bytearray()
    async with connect(f"ws://127.0.0.1:{port}") as phone:
        await phone.send(json.dumps({"event": "start", "start": {"streamSid": "MZloopback"}}))
        silence = base64.b64encode(b"\xff" * FRAME).decode()
        for _ in range(50):
            await phone.send(json.dumps({"event": "media", "media": {"payload": silence}}))
        async for text in phone:
            event = json.loads(text)
            if event["event"] == "media":
                heard += base64.b64decode(event["media"]["payload"])
            elif event["event"] == "mark":
                break
        await phone.send(json.dumps({"event": "stop"}))
    (out / "call.ulaw").write_bytes(heard)
    print(f"heard {len(heard) / 8000:.3f} s of mu-law at 8 kHz")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--loopback", action="store_true", help="call a recorded session on this machine")
    parser.add_argument("--out", type=Path, default=Path("."))
    options = parser.parse_args()
    if not options.loopback:
        key = os.environ["OPENAI_API_KEY"]
        # A browser names the page that connects, Twilio none: no web page may talk at the expense of this key.
        async with serve(lambda phone: bridge(phone, URL, key), "127.0.0.1", options.port, origins=[None]) as server:
            await server.serve_forever()

    from realtime_pcm import sample
    from realtime_pcm.testing import LoopbackServer

    async with LoopbackServer(sample.lines()) as loopback:
        async with serve(lambda phone: bridge(phone, loopback.url, "loopback"), "127.0.0.1", 0, origins=[None]) as server:
            await call_loopback(next(iter(server.sockets)).getsockname()[1], options.out)


if __name__ == "__main__":
    asyncio.run(main())
