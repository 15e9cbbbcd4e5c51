"""A phone call: Twilio Media Streams to Gemini Live and back.

GEMINI_API_KEY=... python examples/gemini_bridge.py   # port 8080; needs: pip install "realtime-pcm[cli,client,play]"
"""

import asyncio

import numpy as np
from websockets import ConnectionClosed, ServerConnection, serve

import realtime_pcm as rp
from realtime_pcm import client
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from realtime_pcm.sockets import gemini, twilio
from realtime_pcm.terminal import shown_text

MODEL = "gemini-2.5-flash-native-audio-preview-12-2025"
SETUP = {"systemInstruction": {"parts": [{"text": "You answer the phone. Be brief."}]}}


async def bridge(phone: ServerConnection, there: client.Endpoint[gemini.ServerMessage]) -> None:
    """One call, until the caller hangs up or the model is gone."""
    sid, tracker = "", PlaybackTracker()

    async def speak(model: client.Call[gemini.ServerMessage]) -> None:
        player = PlaybackBuffer(rate=8_000)  # resamples 24,000 samples per second to what a telephone plays
        voice = rp.AudioEncoder(twilio.SendMedia, audio_format="g711_ulaw")
        async for message in model:
            name = tracker.sent(message)
            player.write(message)
            if isinstance(message, gemini.ServerContent) and message.interrupted:
                player.interrupt()
                for cut in tracker.interrupt().unidentified:  # before "clear", with which Twilio sends all marks back
                    print(f"the caller interrupted after {cut.audio_end_ms} ms")
                await phone.send(twilio.Clear(stream_sid=sid).frame_text)
            if player.queued:
                pcm = np.empty(player.queued, np.int16)
                player.read(pcm)
                await phone.send(voice.encode(pcm, stream_sid=sid))
            if name is not None:
                await phone.send(twilio.SendMark(stream_sid=sid, name=name).frame_text)  # it comes back when that was heard
        await phone.close()

    try:
        async with client.connect(there, errors="skip") as model, asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(speak(model))
            async for event in rp.decode_stream(phone, catalogue=twilio, errors="skip"):
                tracker.acknowledge(event)  # marks
                if isinstance(event, twilio.Start):
                    sid = event.stream_sid or ""
                elif isinstance(event, twilio.Media):
                    await model.send_audio(event.pcm, rate=event.audio_format.rate)
                elif isinstance(event, twilio.Stop):
                    break
            speaking.cancel()
    except* (client.CallError, ConnectionClosed) as ended:
        print(shown_text(f"the call ended: {ended.exceptions[0]}"))


async def main() -> None:
    there = client.gemini(MODEL, setup=SETUP)
    # A browser names the page that connects, Twilio none: no web page may talk at the expense of this key.
    async with serve(lambda phone: bridge(phone, there), "127.0.0.1", 8080, origins=[None]) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
