"""openai-agents: a RealtimeSession, which runs the tool and truncates what was cut off by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession
from plan import ASK, KEY, PLAN, TOOL, URL, Loudspeaker, Report, log, microphone, milliseconds, soon

report = Report("openai-agents (Python)", "openai-agents")


@function_tool(name_override=TOOL["name"], description_override=TOOL["description"])
def get_weather(city: str) -> str:
    """The weather in a city."""
    row = report.turns["tool"]
    row.update(called=TOOL["name"], arguments={"city": city})
    return str(TOOL["result"])


class Listener:
    """Follows the events of a session, turn by turn."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self.speaker = Loudspeaker()
        self.ends: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.row: dict[str, Any] = {}
        self.history: dict[str, Any] = {}
        self.known: set[str] = set()  # items of earlier turns

    def turn(self, name: str) -> None:
        """Begins a turn."""
        self.row, self.speaker.item = report.turn(name), None
        self.known.update(self.history)

    async def listen(self) -> None:
        async for event in self.session:
            match event.type:
                case "audio":
                    self.speaker.write(event.item_id, event.audio.data)
                    self.row["audio_ms"] = self.row.get("audio_ms", 0) + round(milliseconds(event.audio.data))
                case "audio_interrupted":
                    # The session says so whenever the user speaks; it is an interruption while audio still plays.
                    if self.speaker.playing:
                        self.row.update(interrupted=True, audio_ms=0)
                    self.speaker.item = None
                case "raw_model_event" if event.data.type == "raw_server_event" and event.data.data["type"] == "response.done":
                    self.ends.put_nowait(event.data.data["response"])
                case "history_added":
                    self.history[event.item.item_id] = event.item
                case "history_updated":
                    self.history = {item.item_id: item for item in event.history}
                case "error":
                    report.complaints.append(str(event.error))

    async def answer(self, responses: int = 1) -> dict[str, Any]:
        """The end of an answer, when it was played. What the history has of this turn is in the row."""
        for _ in range(responses):
            response = await soon(self.ends.get())
            log(f"response {response['status']}")
        await self.speaker.finish()
        await asyncio.sleep(0.3)  # for what the session still asks for: an item whose transcript has come
        for item in self.history.values():
            if item.type == "message" and item.item_id not in self.known:
                for part in item.content:
                    said = getattr(part, "transcript", None)
                    if said is not None:
                        self.row["heard" if item.role == "user" else "said"] = said
        return response


async def main() -> None:
    agent = RealtimeAgent(name="Assistant", instructions=PLAN["instructions"], tools=[get_weather])
    detection = {"type": "server_vad", "interrupt_response": True}
    session = await RealtimeRunner(agent).run(
        model_config={"api_key": KEY, "url": URL, "initial_model_settings": {"turn_detection": detection}}
    )
    async with session:
        talk = Listener(session)
        listening = asyncio.create_task(talk.listen())

        talk.turn("text")
        await session.send_message(ASK["text"])
        await talk.answer()

        talk.turn("speech")
        async for chunk in microphone():
            await session.send_audio(chunk)
        await talk.answer()

        talk.turn("tool")
        await session.send_message(ASK["tool"])
        await talk.answer(2)

        talk.turn("interruption")
        await session.send_message(ASK["interruption"])
        await talk.speaker.play(PLAN["speak_after_ms"])
        async for chunk in microphone():
            await session.send_audio(chunk)
        await talk.answer(2)

        talk.turn("error")
        await session.send_message(ASK["error"])
        talk.row["code"] = (await talk.answer())["status_details"]["error"]["code"]
        listening.cancel()
    report.end()


asyncio.run(main())
