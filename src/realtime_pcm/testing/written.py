"""Turns a scripted response into messages of OpenAI's server, in the order of recorded responses."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .audio import Encoder, chunks, resample
from .script import Called, Said, Step

if TYPE_CHECKING:
    from ..audio import AudioFormat

__all__ = ["empty_usage", "written"]

Event = dict[str, Any]

_PIECE = re.compile(r"\s*\S+\s*$|\s*\S+")
_ARGUMENTS = 24  # characters of a delta of arguments


def empty_usage(text: int = 0, audio: int = 0) -> Event:
    """The usage of a response with this many output tokens."""
    details = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0}
    cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    return {
        "total_tokens": text + audio,
        "input_tokens": 0,
        "output_tokens": text + audio,
        "input_token_details": {**details, "cached_tokens_details": cached},
        "output_token_details": {"text_tokens": text, "audio_tokens": audio},
    }


def written(
    step: Step, response: Event, speaks: bool, audio_format: AudioFormat, new_id: Callable[[str], str]
) -> Iterator[tuple[Event, float]]:
    """The messages of a response, without event ids, each with the seconds of its audio.

    response: the object of response.created. speaks: whether it speaks or writes. new_id: makes the id of an "item" or a "call".
    Messages about items have no previous_item_id yet. A long text may take time, so call this in a thread.
    """
    yield {"type": "response.created", "response": response}, 0.0
    output: list[Event] = []
    text = audio = 0
    for index, part in enumerate(step.output):
        place = {"response_id": response["id"], "output_index": index}
        events = _call(part, place, new_id) if isinstance(part, Called) else _said(part, place, speaks, audio_format, new_id)
        event: Event = {}
        for event, seconds in events:
            yield event, seconds
            audio += math.ceil(seconds * 20)
        output.append(event["item"])
        text += len(part.arguments if isinstance(part, Called) else part.text) // 4 + 1
    failure = step.failure
    status = {"status": failure.status, "status_details": failure.details} if failure is not None else {"status": "completed"}
    yield {"type": "response.done", "response": {**response, **status, "output": output, "usage": empty_usage(text, audio)}}, 0.0


def _item(item: Event, place: Event, done: bool) -> Iterator[tuple[Event, float]]:
    in_response = {"type": f"response.output_item.{'done' if done else 'added'}", **place, "item": item}
    in_conversation = {"type": f"conversation.item.{'done' if done else 'added'}", "previous_item_id": None, "item": item}
    yield (in_conversation if done else in_response), 0.0
    yield (in_response if done else in_conversation), 0.0


def _call(call: Called, place: Event, new_id: Callable[[str], str]) -> Iterator[tuple[Event, float]]:
    names = {"name": call.name, "call_id": call.call_id or new_id("call")}
    item = {"id": new_id("item"), "type": "function_call", "status": "in_progress", **names}
    yield from _item({**item, "arguments": ""}, place, False)
    where = {**place, "item_id": item["id"], "call_id": names["call_id"]}
    for start in range(0, len(call.arguments), _ARGUMENTS):
        delta = call.arguments[start : start + _ARGUMENTS]
        yield {"type": "response.function_call_arguments.delta", **where, "delta": delta}, 0.0
    done = {"type": "response.function_call_arguments.done", **where, "name": call.name, "arguments": call.arguments}
    yield done, 0.0
    yield from _item({**item, "status": "completed", "arguments": call.arguments}, place, True)


def _said(
    said: Said, place: Event, speaks: bool, audio_format: AudioFormat, new_id: Callable[[str], str]
) -> Iterator[tuple[Event, float]]:
    item = {"id": new_id("item"), "type": "message", "status": "in_progress", "role": "assistant"}
    yield from _item({**item, "content": []}, place, False)
    where = {**place, "item_id": item["id"], "content_index": 0}
    kind, key = ("audio", "transcript") if speaks else ("text", "text")
    stream = "response.output_audio_transcript" if speaks else "response.output_text"
    yield {"type": "response.content_part.added", **where, "part": {"type": kind, key: ""}}, 0.0
    words = _PIECE.findall(said.text) or ([said.text] if said.text else [])
    pieces = []
    if speaks:
        pieces = chunks(resample(said.speech, 24_000, audio_format.rate), audio_format.rate)
    encoder = Encoder(audio_format)
    told = 0
    for number, samples in enumerate(pieces):
        due = math.ceil(len(words) * (number + 1) / len(pieces))  # the words run a little ahead of the voice
        for word in words[told:due]:
            yield {"type": f"{stream}.delta", **where, "delta": word}, 0.0
        told = due
        delta = encoder.payload(samples)
        yield {"type": "response.output_audio.delta", **where, "delta": delta}, samples.size / audio_format.rate
    for word in words[told:]:
        yield {"type": f"{stream}.delta", **where, "delta": word}, 0.0
    if speaks:
        yield {"type": "response.output_audio.done", **where}, 0.0
    yield {"type": f"{stream}.done", **where, key: said.text}, 0.0
    yield {"type": "response.content_part.done", **where, "part": {"type": kind, key: said.text}}, 0.0
    content = [{"type": f"output_{kind}", key: said.text}]
    yield from _item({**item, "status": "completed", "content": content}, place, True)
