"""pipecat: a pipeline around its realtime service, with a loudspeaker that plays in the time that audio takes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from loguru import logger
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSTextFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner
from plan import ASK, KEY, PLAN, RATE, TOOL, URL, Report, log, microphone, milliseconds, soon, until

logger.remove()
report = Report("pipecat", "pipecat-ai")


class Speaker(BaseOutputTransport):
    """Plays what it is given, in the time that it takes."""

    def __init__(self) -> None:
        params = TransportParams(audio_out_enabled=True, audio_out_sample_rate=RATE, audio_out_auto_silence=False)
        super().__init__(params)
        self.until = 0.0
        self.played_ms = 0.0  # since the bot began to speak

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        length = milliseconds(frame.audio)
        self.until = max(self.until, time.monotonic()) + length / 1000
        await asyncio.sleep(self.until - time.monotonic())
        self.played_ms += length
        return True


class Listener(BaseObserver):
    """Follows the frames that processors push."""

    def __init__(self, speaker: Speaker) -> None:
        super().__init__()
        self.speaker = speaker
        self.row: dict[str, Any] = {}
        self.ends: asyncio.Queue[None] = asyncio.Queue()
        self.errors: asyncio.Queue[str] = asyncio.Queue()
        self.seen: set[int] = set()
        self.speaking = False

    async def on_push_frame(self, data: FramePushed) -> None:
        frame: Frame = data.frame
        goes_up = isinstance(frame, (TranscriptionFrame, ErrorFrame))
        if frame.id in self.seen or goes_up != (data.direction == FrameDirection.UPSTREAM):
            return  # each frame once, and each that is broadcast in one direction
        match frame:
            case TTSTextFrame():
                self.row["said"] = self.row.get("said", "") + frame.text
            case TranscriptionFrame():
                self.row["heard"] = frame.text
            case BotStartedSpeakingFrame():
                self.speaking, self.speaker.played_ms = True, 0.0
            case InterruptionFrame() if self.speaking:
                self.row.update(interrupted=True, said="")
            case BotStoppedSpeakingFrame() if self.speaking:
                self.speaking = False
                self.row["audio_ms"] = round(self.speaker.played_ms)
                self.ends.put_nowait(None)
            case ErrorFrame():
                self.errors.put_nowait(frame.error)
            case _:
                return
        self.seen.add(frame.id)
        log(f"{type(frame).__name__} {data.direction.name}")


async def get_weather(params: FunctionCallParams) -> None:
    report.turns["tool"].update(called=params.function_name, arguments=dict(params.arguments))
    await params.result_callback(TOOL["result"])


async def main() -> None:
    transcription = events.InputAudioTranscription(model="gpt-4o-mini-transcribe")
    turns = events.TurnDetection(type="server_vad")
    audio = events.AudioConfiguration(input=events.AudioInput(transcription=transcription, turn_detection=turns))
    service = OpenAIRealtimeLLMService(
        api_key=KEY,
        base_url=URL,
        settings=OpenAIRealtimeLLMService.Settings(
            model=PLAN["model"],
            system_instruction=PLAN["instructions"],
            session_properties=events.SessionProperties(audio=audio),
        ),
    )
    service.register_function(TOOL["name"], get_weather)
    city = {"city": {"type": "string"}}
    tool = FunctionSchema(name=TOOL["name"], description=TOOL["description"], properties=city, required=["city"])
    context = LLMContext([{"role": "user", "content": ASK["text"]}], tools=[tool])
    aggregators = LLMContextAggregatorPair(context)
    speaker = Speaker()
    talk = Listener(speaker)
    worker = PipelineWorker(
        Pipeline([aggregators.user(), service, speaker, aggregators.assistant()]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        observers=[talk],
        idle_timeout_secs=None,
    )
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())

    async def speak() -> None:
        async for chunk in microphone():
            await worker.queue_frame(InputAudioRawFrame(audio=chunk, sample_rate=RATE, num_channels=1))

    async def write(text: str) -> None:
        await service.queue_frame(LLMMessagesAppendFrame([{"role": "user", "content": text}], run_llm=True))

    talk.row = report.turn("text")
    await worker.queue_frame(LLMRunFrame())
    await soon(talk.ends.get())

    talk.row = report.turn("speech")
    await speak()
    await soon(talk.ends.get())

    talk.row = report.turn("tool")
    await write(ASK["tool"])
    await soon(talk.ends.get())

    talk.row = report.turn("interruption")
    await write(ASK["interruption"])
    await until(lambda: talk.speaking and speaker.played_ms >= PLAN["speak_after_ms"])
    await speak()
    await soon(talk.ends.get())
    await soon(talk.ends.get())

    talk.row = report.turn("error")
    await write(ASK["error"])
    talk.row["message"] = await soon(talk.errors.get())
    report.complaints += [talk.errors.get_nowait() for _ in range(talk.errors.qsize())]
    await runner.cancel()
    await soon(running)
    report.end()


asyncio.run(main())
