"""A phone call: Twilio Media Streams to Gemini Live and back, until one of them hangs up.

GEMINI_API_KEY=... python examples/gemini_bridge.py   # port 8080; needs: pip install "realtime-pcm[cli,client,play]"
"""

import asyncio

import numpy as np
from websockets import ConnectionClosed, ServerConnection, serve

import realtime_pcm as rp
from realtime_pcm import client, playback, terminal
from realtime_pcm.sockets import gemini, twilio


async def bridge(phone: ServerConnection, there: client.Endpoint[gemini.ServerMessage]) -> None:
    sid, tracker = "", playback.PlaybackTracker()

    async def speak(model: client.Call[gemini.ServerMessage]) -> None:
        voice, player = rp.AudioEncoder(twilio.SendMedia), playback.PlaybackBuffer(rate=8_000)  # which resamples
        async for message in model:
            name = tracker.sent(message)
            player.write(message)
            if isinstance(message, gemini.ServerContent) and message.interrupted:
                player.interrupt()
                for cut in tracker.interrupt().unidentified:  # before "clear", with which Twilio sends all marks back
                    print(f"the caller interrupted after {cut.audio_end_ms} ms")
                await phone.send(twilio.Clear(stream_sid=sid).frame_text)
            pcm = np.empty(player.queued, np.int16)
            if player.read(pcm):
                await phone.send(voice.encode(pcm, stream_sid=sid))
            if name is not None:
                await phone.send(twilio.SendMark(stream_sid=sid, name=name).frame_text)  # it comes back when that was heard
        await phone.close()

    try:
        async with asyncio.TaskGroup() as tasks, client.connect(there, errors="skip") as model:
            tasks.create_task(speak(model))
            async for event in rp.decode_stream(phone, catalogue=twilio, errors="skip"):
                tracker.acknowledge(event)  # marks
                if isinstance(event, twilio.Start):
                    sid = event.stream_sid or ""
                elif isinstance(event, twilio.Media):
                    await model.send_audio(event.pcm, rate=event.audio_format.rate)
                elif isinstance(event, twilio.Stop):
                    break
    except* (client.CallError, ConnectionClosed) as ended:
        print(terminal.shown_text(f"the call ended: {ended.exceptions[0]}"))


async def main() -> None:
    setup = {"systemInstruction": {"parts": [{"text": "You answer the phone. Be brief."}]}}
    there = client.gemini("gemini-2.5-flash-native-audio-preview-12-2025", setup=setup)
    async with serve(lambda phone: bridge(phone, there), "127.0.0.1", 8080, origins=[None]) as server:  # no web pages
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
