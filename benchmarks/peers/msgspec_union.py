"""msgspec: a tagged union of structs with the fields that the loops read; base64 is decoded by the `bytes` field itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import msgspec
import numpy as np

from ..frames import ARGUMENTS, AUDIO, CREATED, DONE, INPUT_TRANSCRIPT, ITEM_ADDED, TEXT, TRANSCRIPT
from .by_attribute import make_loops


class Message(msgspec.Struct, tag_field="type"):
    event_id: str

    @property
    def type(self) -> str:
        return str(self.__struct_config__.tag)


class Placed(Message, tag_field="type"):
    response_id: str
    item_id: str
    output_index: int


class Audio(Placed, tag=AUDIO):
    content_index: int
    delta: bytes


class BetaAudio(Audio, tag="response.audio.delta"): ...


class Transcript(Placed, tag=TRANSCRIPT):
    content_index: int
    delta: str


class Text(Transcript, tag=TEXT): ...


class Arguments(Placed, tag=ARGUMENTS):
    call_id: str
    delta: str


class InputTranscript(Message, tag=INPUT_TRANSCRIPT):
    item_id: str
    content_index: int
    delta: str


class Part(msgspec.Struct):
    type: str
    audio: bytes | None = None
    transcript: str | None = None
    text: str | None = None


class Item(msgspec.Struct):
    id: str
    type: str
    status: str
    role: str | None = None
    content: list[Part] = []


class ItemAdded(Message, tag=ITEM_ADDED):
    item: Item


class ItemDone(ItemAdded, tag="conversation.item.done"): ...


class OutputItemAdded(Message, tag="response.output_item.added"):
    response_id: str
    output_index: int
    item: Item


class OutputItemDone(OutputItemAdded, tag="response.output_item.done"): ...


class Usage(msgspec.Struct):
    total_tokens: int
    input_tokens: int
    output_tokens: int


class Response(msgspec.Struct):
    id: str
    status: str
    output: list[Item]
    usage: Usage | None


class ResponseCreated(Message, tag="response.created"):
    response: Response


class ResponseDone(ResponseCreated, tag=DONE): ...


class Session(msgspec.Struct):
    id: str
    model: str
    instructions: str


class SessionCreated(Message, tag=CREATED):
    session: Session


class SpeechStarted(Message, tag="input_audio_buffer.speech_started"):
    audio_start_ms: int
    item_id: str


class SpeechStopped(Message, tag="input_audio_buffer.speech_stopped"):
    audio_end_ms: int
    item_id: str


class Committed(Message, tag="input_audio_buffer.committed"):
    item_id: str


class PartAdded(Placed, tag="response.content_part.added"):
    content_index: int
    part: Part


class PartDone(PartAdded, tag="response.content_part.done"): ...


class AudioDone(Placed, tag="response.output_audio.done"):
    content_index: int


class TranscriptDone(AudioDone, tag="response.output_audio_transcript.done"):
    transcript: str


class TextDone(AudioDone, tag="response.output_text.done"):
    text: str


class ArgumentsDone(Placed, tag="response.function_call_arguments.done"):
    call_id: str
    arguments: str


class InputTranscriptDone(Message, tag="conversation.item.input_audio_transcription.completed"):
    item_id: str
    transcript: str


class RateLimits(Message, tag="rate_limits.updated"):
    rate_limits: list[dict[str, Any]]


Union = (
    Audio | BetaAudio | Transcript | Text | Arguments | InputTranscript | ItemAdded | ItemDone | OutputItemAdded
    | OutputItemDone | ResponseCreated | ResponseDone | SessionCreated | SpeechStarted | SpeechStopped | Committed | PartAdded
    | PartDone | AudioDone | TranscriptDone | TextDone | ArgumentsDone | InputTranscriptDone | RateLimits
)  # fmt: skip


@cache
def _decoder() -> Any:
    for struct in Union.__args__:
        struct.type = struct.__struct_config__.tag  # the tag, as a plain class attribute: no property is charged to msgspec
    return msgspec.json.Decoder(Union)


def loops() -> dict[str, Any]:
    decode = _decoder().decode

    def json(frames: Sequence[bytes]) -> tuple[Any, ...]:
        for frame in frames:
            try:
                decode(frame)
                accepted = True
            except msgspec.DecodeError:
                accepted = False
        return (accepted,)

    return {**make_loops(decode, partial(np.frombuffer, dtype=np.dtype(np.int16))), "json": json}
