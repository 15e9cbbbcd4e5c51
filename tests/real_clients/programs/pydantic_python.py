"""pydantic-ai: an agent's realtime session, which runs the tool and truncates what was cut off by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from plan import ASK, BASE_URL, KEY, PLAN, TOOL, Loudspeaker, Report, log, microphone, milliseconds, soon
from pydantic_ai import Agent, PartEndEvent
from pydantic_ai.messages import RealtimeInputSpeechStartEvent, RealtimeSessionErrorEvent, RealtimeTurnCompleteEvent
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

report = Report("pydantic-ai", "pydantic-ai-slim")
agent = Agent(instructions=PLAN["instructions"])


@agent.tool_plain(name=TOOL["name"], description=TOOL["description"])
def get_weather(city: str) -> str:
    """The weather in a city."""
    report.turns["tool"].update(called=TOOL["name"], arguments={"city": city})
    return str(TOOL["result"])


class Listener:
    """Follows a session: its events, and its audio as a device would play it."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.speaker = Loudspeaker()
        self.ends: asyncio.Queue[None] = asyncio.Queue()
        self.errors: asyncio.Queue[Any] = asyncio.Queue()
        self.row: dict[str, Any] = {}

    def turn(self, name: str) -> None:
        """Begins a turn."""
        self.row, self.speaker.item = report.turn(name), None

    async def play(self) -> None:
        async for chunk in self.session.stream_audio():
            self.speaker.write("answer", chunk)
            self.row["audio_ms"] = self.row.get("audio_ms", 0) + round(milliseconds(chunk))
            await asyncio.sleep(milliseconds(chunk) / 1000)  # the next chunk is asked for when this one was played

    async def listen(self) -> None:
        async for event in self.session:
            log(type(event).__name__)
            match event:
                case PartEndEvent(part=part) if getattr(part, "speaker", None) and part.transcript:
                    self.row["heard" if part.speaker == "user" else "said"] = part.transcript
                case RealtimeInputSpeechStartEvent() if self.speaker.playing:
                    self.row.update(interrupted=True, audio_ms=0)
                    self.speaker.item = None
                case RealtimeTurnCompleteEvent():
                    self.ends.put_nowait(None)
                case RealtimeSessionErrorEvent():
                    log(repr(event))
                    self.errors.put_nowait(event)


async def main() -> None:
    model = OpenAIRealtimeModel(PLAN["model"], provider=OpenAIProvider(base_url=BASE_URL, api_key=KEY))
    async with agent.realtime(model).session(handle_barge_in=True) as session:
        talk = Listener(session)
        tasks = [asyncio.create_task(talk.play()), asyncio.create_task(talk.listen())]

        async def answer() -> None:
            await soon(talk.ends.get())
            await soon(session.wait_for_playback())

        talk.turn("text")
        await session.send(ASK["text"])
        await answer()

        talk.turn("speech")
        await session.send_audio(microphone())
        await answer()

        talk.turn("tool")
        await session.send(ASK["tool"])
        await answer()

        talk.turn("interruption")
        await session.send(ASK["interruption"])
        await talk.speaker.play(PLAN["speak_after_ms"])
        await session.send_audio(microphone())
        await answer()

        talk.turn("error")
        await session.send(ASK["error"])
        failed = await soon(talk.errors.get())
        talk.row["code"] = failed.code
        for task in tasks:
            task.cancel()
        report.complaints += [str(event) for event in iter_now(talk.errors)]
    report.end()


def iter_now(queue: asyncio.Queue[Any]) -> list[Any]:
    """What a queue holds by now."""
    return [queue.get_nowait() for _ in range(queue.qsize())]


asyncio.run(main())
