"""livekit-agents with its openai plugin: an AgentSession, with a microphone and a loudspeaker in place of a room."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities
from livekit.plugins import openai
from openai.types.realtime import AudioTranscription
from openai.types.realtime.realtime_audio_input_turn_detection import ServerVad
from plan import ASK, BASE_URL, KEY, PLAN, RATE, TOOL, Report, log, microphone, soon, until

report = Report("livekit-agents", "livekit-agents")


class Microphone(AudioInput):
    """Frames of audio, when somebody speaks."""

    def __init__(self) -> None:
        super().__init__(label="microphone")
        self.frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self.frames.get()

    async def speak(self) -> None:
        """Says what the user says."""
        async for chunk in microphone():
            self.frames.put_nowait(rtc.AudioFrame(chunk, RATE, 1, len(chunk) // 2))


class Speaker(AudioOutput):
    """Plays what it is given, in the time that it takes."""

    def __init__(self) -> None:
        super().__init__(label="loudspeaker", capabilities=AudioOutputCapabilities(pause=False), sample_rate=RATE)
        self.seconds = 0.0
        self.began = 0.0
        self.playing: asyncio.Task[None] | None = None
        self.row: dict[str, Any] = {}

    @property
    def played(self) -> float:
        """Seconds of the segment that were played."""
        return min(self.seconds, time.monotonic() - self.began) if self.seconds else 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self.seconds:
            self.began = time.monotonic()
            self.on_playback_started(created_at=time.time())
        self.seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        if self.seconds:
            self.playing = asyncio.create_task(self.play())

    async def play(self) -> None:
        await asyncio.sleep(self.seconds - self.played)
        self.finish(interrupted=False)

    def clear_buffer(self) -> None:
        if self.playing is not None:
            self.playing.cancel()
        if self.seconds:
            self.finish(interrupted=True)

    def finish(self, *, interrupted: bool) -> None:
        played, self.seconds, self.playing = self.played, 0.0, None
        log(f"played {played:.2f} s, interrupted {interrupted}")
        if not interrupted:
            self.row["audio_ms"] = round(played * 1000)
        self.on_playback_finished(playback_position=played, interrupted=interrupted)


class Assistant(Agent):
    """The agent, and its tool."""

    def __init__(self) -> None:
        super().__init__(instructions=PLAN["instructions"])

    @function_tool(name=TOOL["name"], description=TOOL["description"])
    async def get_weather(self, city: str) -> str:
        report.turns["tool"].update(called=TOOL["name"], arguments={"city": city})
        return str(TOOL["result"])


async def main() -> None:
    model = openai.realtime.RealtimeModel(
        model=PLAN["model"],
        api_key=KEY,
        base_url=BASE_URL,
        input_audio_transcription=AudioTranscription(model="gpt-4o-mini-transcribe"),
        turn_detection=ServerVad(type="server_vad", create_response=True, interrupt_response=True),
    )
    session: AgentSession[None] = AgentSession(llm=model)
    ear, mouth = Microphone(), Speaker()
    session.input.audio, session.output.audio = ear, mouth
    spoken: asyncio.Queue[Any] = asyncio.Queue()  # what the assistant has said
    errors: asyncio.Queue[Any] = asyncio.Queue()

    @session.on("conversation_item_added")
    def added(event: Any) -> None:
        item = event.item
        log(f"{item.type} {getattr(item, 'role', '')} {getattr(item, 'text_content', '')!r}")
        if item.type == "message" and item.role == "assistant":
            spoken.put_nowait(item)

    @session.on("user_input_transcribed")
    def transcribed(event: Any) -> None:
        if event.is_final:
            mouth.row["heard"] = event.transcript

    @session.on("error")
    def failed(event: Any) -> None:
        log(repr(event.error))
        errors.put_nowait(event.error)

    async def answer() -> Any:
        item = await soon(spoken.get())
        if item.interrupted:
            mouth.row["interrupted"] = True
        else:
            mouth.row["said"] = item.text_content.strip()
        return item

    await session.start(Assistant(), record=False)

    mouth.row = report.turn("text")
    await soon(session.generate_reply(user_input=ASK["text"]).wait_for_playout())
    await answer()

    mouth.row = report.turn("speech")
    await ear.speak()
    await answer()

    mouth.row = report.turn("tool")
    await soon(session.generate_reply(user_input=ASK["tool"]).wait_for_playout())
    await answer()

    mouth.row = report.turn("interruption")
    session.generate_reply(user_input=ASK["interruption"])
    await until(lambda: mouth.played * 1000 >= PLAN["speak_after_ms"])
    await ear.speak()
    await answer()
    await answer()

    mouth.row = report.turn("error")
    handle = session.generate_reply(user_input=ASK["error"])
    await soon(handle.wait_for_playout())
    failure = await soon(errors.get())
    mouth.row["code"] = failure.error.body.code
    report.complaints += [repr(errors.get_nowait().error) for _ in range(errors.qsize())]
    await session.aclose()
    await model.aclose()
    report.end()


asyncio.run(main())
