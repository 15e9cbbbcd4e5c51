"""A phone call: Twilio Media Streams to a Realtime server and back, mu-law end to end.

OPENAI_API_KEY=... python examples/twilio_bridge.py   # port 8080; needs: pip install "realtime-pcm[cli,client]"
"""

import asyncio
import os

from websockets import ConnectionClosed, ServerConnection, serve

import realtime_pcm as rp
from realtime_pcm.client import Call, CallError, Endpoint, connect
from realtime_pcm.playback import PlaybackTracker
from realtime_pcm.sockets import twilio
from realtime_pcm.terminal import shown_text

PCMU, ULAW = {"format": {"type": "audio/pcmu"}}, rp.AudioFormat("g711_ulaw", 8000)  # what is asked for, and what it is then
SESSION = {"type": "realtime", "instructions": "You answer the phone. Be brief.", "audio": {"input": PCMU, "output": PCMU}}


async def bridge(phone: ServerConnection, url: str, key: str) -> None:
    """One call, until the caller hangs up or the model is gone."""
    sid, tracker = "", PlaybackTracker()

    async def speak(model: Call[rp.messages.ServerMessage]) -> None:
        voice = rp.AudioEncoder(twilio.SendMedia, audio_format=ULAW)
        settled = {rp.AudioFormat("pcm16", 24_000)}  # what servers send unless they say otherwise
        async for message in model:
            name = tracker.sent(message)
            if isinstance(message, rp.messages.SessionUpdated):
                settled = {model.session.input_audio_format, model.session.audio_format}
            if settled != {ULAW} and isinstance(message, (rp.messages.SessionUpdated, rp.messages.ResponseAudioDelta)):
                audio = next(iter(settled - {ULAW}))
                raise ValueError(f"it needs mu-law both ways, and the server settled on {audio.encoding} at {audio.rate} Hz")
            if isinstance(message, rp.messages.ResponseAudioDelta) and name is not None:
                await phone.send(voice.encode(message.pcm, stream_sid=sid))
                await phone.send(twilio.SendMark(stream_sid=sid, name=name).frame_text)  # it comes back when that was heard
            elif isinstance(message, rp.messages.InputAudioBufferSpeechStarted):
                said = tracker.interrupt()  # first: Twilio sends all marks back when it clears
                await phone.send(twilio.Clear(stream_sid=sid).frame_text)
                told = [cut.frame for cut in said.truncations] + [item.delete_frame for item in said.unheard]
                for frame in filter(None, told):
                    await model.send(frame)
        await phone.close()

    try:
        async with connect(Endpoint(url, key=key), dtype="uint8", errors="skip") as model, asyncio.TaskGroup() as tasks:
            await model.send(rp.client_messages.SessionUpdate(session=SESSION))
            speaking = tasks.create_task(speak(model))
            async for event in rp.decode_stream(phone, catalogue=twilio, dtype="uint8", errors="skip"):
                tracker.acknowledge(event)  # marks
                if isinstance(event, twilio.Start):
                    sid = event.stream_sid or ""
                elif isinstance(event, twilio.Media):
                    await model.send_audio(event.pcm)
                elif isinstance(event, twilio.Stop):
                    break
            speaking.cancel()
    except* (CallError, ConnectionClosed, ValueError) as ended:
        print(shown_text(f"the call ended: {ended.exceptions[0]}"))


async def main() -> None:
    url, key = "wss://api.openai.com/v1/realtime?model=gpt-realtime", os.environ["OPENAI_API_KEY"]
    # A browser names the page that connects, Twilio none: no web page may talk at the expense of this key.
    async with serve(lambda phone: bridge(phone, url, key), "127.0.0.1", 8080, origins=[None]) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
