"""The openai package: its connection, and what an application has to do itself, tools and interruptions among it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from openai import AsyncOpenAI
from plan import ASK, BASE_URL, KEY, PLAN, RATE, TOOL, Loudspeaker, Report, log, microphone, milliseconds, soon

report = Report("openai (Python)", "openai")


class Conversation:
    """One connection, and a queue of the ends of responses."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.speaker = Loudspeaker()
        self.done: asyncio.Queue[Any] = asyncio.Queue()
        self.answering = False
        self.row: dict[str, Any] = {}
        self.said: dict[str, str] = {}
        self.audio_ms: dict[str, float] = {}

    async def listen(self) -> None:
        async for event in self.connection:
            match event.type:
                case "response.output_audio.delta":
                    pcm = base64.b64decode(event.delta)
                    self.speaker.write(event.item_id, pcm)
                    self.audio_ms[event.response_id] = self.audio_ms.get(event.response_id, 0.0) + milliseconds(pcm)
                case "response.output_audio_transcript.delta":
                    self.said[event.response_id] = self.said.get(event.response_id, "") + event.delta
                case "input_audio_buffer.speech_started":
                    await self.interrupt()
                case "conversation.item.input_audio_transcription.completed":
                    self.row["heard"] = event.transcript
                case "response.created":
                    self.answering = True
                case "response.done":
                    self.answering = False
                    self.done.put_nowait(event.response)
                case "error":
                    report.complaints.append(f"{event.error.code}: {event.error.message}")

    async def interrupt(self) -> None:
        speaker = self.speaker
        if speaker.item and (self.answering or speaker.playing):
            self.row["interrupted"] = True
            item = {"item_id": speaker.item, "content_index": 0, "audio_end_ms": speaker.played_ms}
            await self.connection.conversation.item.truncate(**item)
        speaker.item = None

    async def write(self, text: str) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        await self.connection.conversation.item.create(item=item)
        await self.connection.response.create()

    async def speak(self) -> None:
        async for chunk in microphone():
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())

    async def answer(self) -> Any:
        """The end of the next response, when it was played; its transcript and audio are in the row."""
        response = await soon(self.done.get())
        log(f"response {response.status}")
        if response.id in self.said:
            self.row.update(said=self.said[response.id], audio_ms=round(self.audio_ms[response.id]))
        await self.speaker.finish()
        return response


async def main() -> None:
    client = AsyncOpenAI(api_key=KEY, base_url=BASE_URL)
    async with client.realtime.connect(model=PLAN["model"]) as connection:
        parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        tool = {"type": "function", "name": TOOL["name"], "description": TOOL["description"], "parameters": parameters}
        audio = {"type": "audio/pcm", "rate": RATE}
        heard = {"format": audio, "transcription": {"model": "gpt-4o-mini-transcribe"}, "turn_detection": {"type": "server_vad"}}
        await connection.session.update(
            session={
                "type": "realtime",
                "instructions": PLAN["instructions"],
                "tools": [tool],
                "audio": {"input": heard, "output": {"format": audio}},
            }
        )
        talk = Conversation(connection)
        listening = asyncio.create_task(talk.listen())

        talk.row = report.turn("text")
        await talk.write(ASK["text"])
        await talk.answer()

        talk.row = report.turn("speech")
        await talk.speak()
        await talk.answer()

        talk.row = report.turn("tool")
        await talk.write(ASK["tool"])
        [call] = (await talk.answer()).output
        talk.row.update(called=call.name, arguments=json.loads(call.arguments))
        output = {"type": "function_call_output", "call_id": call.call_id, "output": TOOL["result"]}
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        await talk.answer()

        talk.row = report.turn("interruption")
        talk.speaker.item = None
        await talk.write(ASK["interruption"])
        await talk.speaker.play(PLAN["speak_after_ms"])
        await talk.speak()
        await talk.answer()
        await talk.answer()

        talk.row = report.turn("error")
        await talk.write(ASK["error"])
        failed = await talk.answer()
        talk.row["code"] = failed.status_details.error.code
        listening.cancel()
    report.end()


asyncio.run(main())
