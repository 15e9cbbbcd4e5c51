"""A phone call: bridge Twilio Media Streams to a Realtime server, mu-law end to end.

    OPENAI_API_KEY=... python examples/twilio_bridge.py --port 8080     # point <Stream url="wss://..."> here
    python examples/twilio_bridge.py --loopback                         # a caller and a server on this machine

Both sides speak G.711 mu-law in base64, so audio is passed on as it is: `message.delta`. If the server settles on another format,
the call ends with a sentence that says so. Twilio sends back a mark for each piece that it has played, so that an interruption
knows what the caller heard: PlaybackTracker keeps the account.

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
from realtime_pcm.playback import PlaybackTracker
from realtime_pcm.terminal import shown_text

URL = "wss://api.openai.com/v1/realtime?model=gpt-realtime"
MAX_MESSAGE = 64 * 1024 * 1024
FRAME = 160  # bytes of mu-law in 20 ms
PCMU = {"type": "audio/pcmu"}
ULAW = rp.AudioFormat("g711_ulaw", 8000)  # what PCMU is once it is settled
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
            tracker = PlaybackTracker()
            speaking = asyncio.create_task(model_to_phone(model, phone, call, tracker))
            try:
                await phone_to_model(phone, model, call, tracker)
            finally:
                speaking.cancel()
    except ConnectionClosed as error:
        print(shown_text(f"the call ended: {error}"))


async def phone_to_model(
    phone: ServerConnection, model: ClientConnection, call: dict[str, str], tracker: PlaybackTracker
) -> None:
    async for text in phone:
        event = json.loads(text)
        if event["event"] == "start":
            call["sid"] = event["start"]["streamSid"]
        elif event["event"] == "media":
            await model.send(json.dumps({"type": "input_audio_buffer.append", "audio": event["media"]["payload"]}))
        elif event["event"] == "mark":
            tracker.acknowledge(event["mark"]["name"])
        elif event["event"] == "stop":
            return


async def model_to_phone(
    model: ClientConnection, phone: ServerConnection, call: dict[str, str], tracker: PlaybackTracker
) -> None:
    async def send(event: str, **fields: Any) -> None:
        await phone.send(json.dumps({"event": event, "streamSid": call.get("sid"), **fields}))

    # Once either side is gone, the next audio of the caller ends the call.
    with contextlib.suppress(ConnectionClosed):
        stream = rp.decode_stream(model, dtype="uint8", errors="skip")
        async for message in stream:
            if isinstance(message, rp.messages.SessionUpdated):
                settled = {stream.decoder.session.input_audio_format, stream.decoder.session.audio_format}
            else:
                settled = {message.audio_format} if isinstance(message, rp.messages.ResponseAudioDelta) else {ULAW}
            if settled != {ULAW}:
                named = " and ".join(f"{other.encoding} at {other.rate} Hz" for other in settled - {ULAW})
                print(shown_text(f"the call ended: it needs mu-law both ways, and the server settled on {named}"))
                await phone.close()
                return
            name = tracker.sent(message)
            match message:
                case rp.messages.ResponseAudioDelta(delta=audio) if name is not None:
                    await send("media", media={"payload": audio})
                    await send("mark", mark={"name": name})  # it comes back when this piece was played
                case rp.messages.InputAudioBufferSpeechStarted():
                    said = tracker.interrupt()  # first: Twilio sends all marks back when it clears
                    await send("clear")
                    for cut in said.truncations:
                        await model.send(cut.frame)
                    for item in said.unheard:  # a server refuses to truncate what nobody heard
                        if item.delete_frame is not None:
                            await model.send(item.delete_frame)
                case rp.messages.ResponseDone():
                    await send("mark", mark={"name": "answered"})
                case _:
                    pass


async def call_loopback(port: int, out: Path, speed: float) -> None:
    """A caller who hums, is silent, listens to the answer and hangs up; `speed` times as fast as a telephone plays."""
    heard = bytearray()
    hum = base64.b64encode((b"\x90" * 20 + b"\x10" * 20) * (FRAME // 40)).decode()
    silence = base64.b64encode(b"\xff" * FRAME).decode()
    async with connect(f"ws://127.0.0.1:{port}", max_size=MAX_MESSAGE) as phone:
        await phone.send(json.dumps({"event": "start", "start": {"streamSid": "MZloopback"}}))
        for payload in [hum] * 30 + [silence] * 30:
            await phone.send(json.dumps({"event": "media", "media": {"payload": payload}}))
        waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def send_back(event: dict[str, Any]) -> bool:
            await phone.send(json.dumps(event))
            return bool(event["mark"]["name"] == "answered")

        async def play() -> None:
            over = False
            while not over:
                event = await waiting.get()
                if event["event"] == "mark":
                    over = await send_back(event)
                else:
                    audio = base64.b64decode(event["media"]["payload"])
                    await asyncio.sleep(len(audio) / 8000 / speed)
                    heard.extend(audio)

        async def receive() -> None:
            async for text in phone:
                event = json.loads(text)
                if event["event"] != "clear":
                    waiting.put_nowait(event)
                while event["event"] == "clear" and not waiting.empty():
                    dropped = waiting.get_nowait()
                    if dropped["event"] == "mark":
                        await send_back(dropped)

        receiving = asyncio.create_task(receive())
        await play()
        await phone.send(json.dumps({"event": "stop"}))
        receiving.cancel()
    (out / "call.ulaw").write_bytes(heard)
    print(f"heard {len(heard) / 8000:.3f} s of mu-law at 8 kHz")


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--loopback", action="store_true", help="call a recorded session on this machine")
    parser.add_argument("--interrupt", type=float, help="with --loopback: seconds after which the caller interrupts")
    parser.add_argument("--speed", type=float, default=1.0, help="with --loopback: how many times as fast as a telephone")
    parser.add_argument("--out", type=Path, default=Path("."))
    options = parser.parse_args()
    if not options.loopback:
        key = os.environ["OPENAI_API_KEY"]
        # A browser names the page that connects, Twilio none: no web page may talk at the expense of this key.
        async with serve(lambda phone: bridge(phone, URL, key), "127.0.0.1", options.port, origins=[None]) as server:
            await server.serve_forever()

    from realtime_pcm.testing import LoopbackServer

    async with LoopbackServer(pace=2 * options.speed, interrupt=options.interrupt) as loopback:
        async with serve(lambda phone: bridge(phone, loopback.url, "loopback"), "127.0.0.1", 0, origins=[None]) as server:
            await call_loopback(next(iter(server.sockets)).getsockname()[1], options.out, options.speed)
        for item in loopback.calls[-1].items:
            if item.role == "assistant":
                print(f"the server holds {item.audio_ms} ms of {item.sent_ms} ms")


if __name__ == "__main__":
    asyncio.run(main())
