"""pydantic-core: `validate_json` of a tagged union of models with the fields that the loops read.

It is the fastest way that pydantic has: the JSON never becomes a dict. pydantic-ai (2.68) calls `validate_json` for a dict first,
and validates the event after it. Base64 is decoded by pydantic-core itself (`val_json_bytes`)."""

from __future__ import annotations

from functools import cache, partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from .by_attribute import make_loops


class Message(BaseModel):
    model_config = ConfigDict(val_json_bytes="base64")
    event_id: str


class Placed(Message):
    response_id: str
    item_id: str
    output_index: int


class PlacedPart(Placed):
    content_index: int


class Audio(PlacedPart):
    type: Literal["response.output_audio.delta", "response.audio.delta"]
    delta: bytes


class Text(PlacedPart):
    type: Literal["response.output_audio_transcript.delta", "response.output_text.delta"]
    delta: str


class Arguments(Placed):
    type: Literal["response.function_call_arguments.delta"]
    call_id: str
    delta: str


class InputTranscript(Message):
    type: Literal["conversation.item.input_audio_transcription.delta"]
    item_id: str
    content_index: int
    delta: str


class Part(BaseModel):
    model_config = ConfigDict(val_json_bytes="base64")
    type: str
    audio: bytes | None = None
    transcript: str | None = None
    text: str | None = None


class Item(BaseModel):
    id: str
    type: str
    status: str
    role: str | None = None
    content: list[Part] = []


class ItemEvent(Message):
    type: Literal["conversation.item.added", "conversation.item.done"]
    item: Item


class OutputItemEvent(Message):
    type: Literal["response.output_item.added", "response.output_item.done"]
    response_id: str
    output_index: int
    item: Item


class Usage(BaseModel):
    total_tokens: int
    input_tokens: int
    output_tokens: int


class Response(BaseModel):
    id: str
    status: str
    output: list[Item]
    usage: Usage | None


class ResponseEvent(Message):
    type: Literal["response.created", "response.done"]
    response: Response


class Session(BaseModel):
    id: str
    model: str
    instructions: str


class SessionCreated(Message):
    type: Literal["session.created"]
    session: Session


class SpeechStarted(Message):
    type: Literal["input_audio_buffer.speech_started"]
    audio_start_ms: int
    item_id: str


class SpeechStopped(Message):
    type: Literal["input_audio_buffer.speech_stopped"]
    audio_end_ms: int
    item_id: str


class Committed(Message):
    type: Literal["input_audio_buffer.committed"]
    item_id: str


class PartEvent(PlacedPart):
    type: Literal["response.content_part.added", "response.content_part.done"]
    part: Part


class AudioDone(PlacedPart):
    type: Literal["response.output_audio.done"]


class TranscriptDone(PlacedPart):
    type: Literal["response.output_audio_transcript.done"]
    transcript: str


class TextDone(PlacedPart):
    type: Literal["response.output_text.done"]
    text: str


class ArgumentsDone(Placed):
    type: Literal["response.function_call_arguments.done"]
    call_id: str
    arguments: str


class InputTranscriptDone(Message):
    type: Literal["conversation.item.input_audio_transcription.completed"]
    item_id: str
    transcript: str


class RateLimits(Message):
    type: Literal["rate_limits.updated"]
    rate_limits: list[dict[str, Any]]


Union = (
    Audio | Text | Arguments | InputTranscript | ItemEvent | OutputItemEvent | ResponseEvent | SessionCreated | SpeechStarted
    | SpeechStopped | Committed | PartEvent | AudioDone | TranscriptDone | TextDone | ArgumentsDone | InputTranscriptDone
    | RateLimits
)  # fmt: skip


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Union, Field(discriminator="type")])


def loops() -> dict[str, Any]:
    return make_loops(_adapter().validator.validate_json, partial(np.frombuffer, dtype=np.dtype(np.int16)))
