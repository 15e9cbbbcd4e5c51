"""A small Realtime server in 60 lines: it says back what it heard. Any Realtime client can talk to it.

    python examples/server_60_lines.py --port 8765      # then connect a client to ws://127.0.0.1:8765/v1/realtime

Needs: pip install "realtime-pcm[cli]"
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

import realtime_pcm as rp
from realtime_pcm import client_messages as client

MOST_SAMPLES = 60 * 24_000  # of one turn: clients are not trusted
NAMES = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}


async def converse(ws: ServerConnection) -> None:
    speaking = rp.Decoder()  # follows what this server says of its session
    hearing = rp.Decoder(side="client", session=speaking.session)
    voice = rp.AudioEncoder(rp.messages.ResponseAudioDelta, session=speaking.session, item_id="item_1", content_index=0)
    heard: list[Any] = []

    async def send(type_: str, **fields: Any) -> None:
        frame = json.dumps({"type": type_, **fields})
        speaking.decode(frame)
        await ws.send(frame)

    async def send_session(kind: str) -> None:
        """Both directions have the format that the client asked for as its input, so that nothing need be resampled."""
        audio = hearing.input_audio_format
        one = {"format": {"type": NAMES[audio.encoding], "rate": audio.rate}}
        await send(kind, session={"type": "realtime", "audio": {"input": one, "output": one}})

    await send_session("session.created")
    async for message in rp.decode_stream(ws, decoder=hearing, errors="yield"):
        match message:
            case client.SessionUpdate() if hearing.input_audio_format.encoding in NAMES:
                await send_session("session.updated")
            case client.SessionUpdate(event_id=event_id):  # the error takes the proposed format back, here and at the client
                await send("error", error={"type": "invalid_request_error", "message": "no such format", "event_id": event_id})
            case client.InputAudioBufferAppend(pcm=pcm):
                if sum(map(len, heard)) + len(pcm) <= MOST_SAMPLES:
                    heard.append(pcm)
            case client.InputAudioBufferClear():
                heard.clear()
            case client.InputAudioBufferCommit():
                await send("response.created", response={"id": "resp_1", "status": "in_progress"})
                for pcm in heard:
                    await ws.send(voice.encode(pcm, response_id="resp_1"))
                await send("response.output_audio.done", response_id="resp_1", item_id="item_1", content_index=0)
                await send("response.done", response={"id": "resp_1", "status": "completed"})
                heard.clear()
            case rp.InvalidFrame(error=error):
                await send("error", error={"type": "invalid_request_error", "message": str(error), "event_id": None})
            case _:
                pass  # no answer


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8765)
    async with serve(converse, "127.0.0.1", parser.parse_args().port, origins=[None], max_size=1 << 24) as server:
        print(f"listening on ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/realtime", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
