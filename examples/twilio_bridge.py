"""A phone call: Twilio Media Streams to a Realtime server and back, in mu-law on both sides.

OPENAI_API_KEY=... python examples/twilio_bridge.py   # port 8080; needs: pip install "realtime-pcm[cli,client]"
"""

import asyncio
import os

from websockets import ConnectionClosed, ServerConnection, serve

import realtime_pcm as rp
from realtime_pcm import client, client_messages, messages, playback, terminal
from realtime_pcm.sockets import twilio

PCMU = {"format": {"type": "audio/pcmu"}}
SESSION = {"type": "realtime", "instructions": "You answer the phone. Be brief.", "audio": {"input": PCMU, "output": PCMU}}


async def bridge(phone: ServerConnection, url: str, key: str) -> None:
    """One call, until the caller hangs up or the model is gone."""
    sid, tracker = "", playback.PlaybackTracker()

    async def speak(model: client.Call[messages.ServerMessage]) -> None:
        voice = rp.AudioEncoder(twilio.SendMedia)  # refuses the rate of a server that ignored the wish for mu-law
        async for message in model:
            name = tracker.sent(message)
            if isinstance(message, messages.ResponseAudioDelta) and name is not None:
                await phone.send(voice.encode(message.pcm, rate=message.audio_format.rate, stream_sid=sid))
                await phone.send(twilio.SendMark(stream_sid=sid, name=name).frame_text)  # it comes back when that was heard
            elif isinstance(message, messages.InputAudioBufferSpeechStarted):
                for frame in tracker.interrupt().frames:  # before "clear", with which Twilio sends all marks back
                    await model.send(frame)
                await phone.send(twilio.Clear(stream_sid=sid).frame_text)
        await phone.close()

    try:
        async with asyncio.TaskGroup() as tasks, client.connect(client.Endpoint(url, key=key), errors="skip") as model:
            await model.send(client_messages.SessionUpdate(session=SESSION))
            tasks.create_task(speak(model))
            async for event in rp.decode_stream(phone, catalogue=twilio, errors="skip"):
                tracker.acknowledge(event)  # marks
                if isinstance(event, twilio.Start):
                    sid = event.stream_sid or ""
                elif isinstance(event, twilio.Media):
                    await model.send_audio(event.pcm, rate=event.audio_format.rate)
                elif isinstance(event, twilio.Stop):
                    break
    except* (client.CallError, ConnectionClosed, ValueError) as ended:
        print(terminal.shown_text(f"the call ended: {ended.exceptions[0]}"))


async def main() -> None:
    url, key = "wss://api.openai.com/v1/realtime?model=gpt-realtime", os.environ["OPENAI_API_KEY"]
    async with serve(lambda phone: bridge(phone, url, key), "127.0.0.1", 8080, origins=[None]) as server:  # no web pages
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
