"""Messages of clients of Alibaba DashScope (Qwen Omni, live translation, Qwen TTS), in addition to the beta names of OpenAI."""

from __future__ import annotations

from typing import Literal

from .._core import ClientAudioEnd, RealtimeClientMessage
from ..declare import payload


class InputImageBufferAppend(RealtimeClientMessage):
    """A frame of the user's video; `data` is the bytes of the image, a JPEG as the documents want it."""

    type: Literal["input_image_buffer.append"] = "input_image_buffer.append"
    data: bytes | None = payload("image")
    """The bytes of the image."""


class InputTextBufferAppend(RealtimeClientMessage):
    """More text that is to be spoken (Qwen TTS)."""

    type: Literal["input_text_buffer.append"] = "input_text_buffer.append"
    text: str | None = None
    """The text to speak."""


class InputTextBufferCommit(RealtimeClientMessage):
    """The text so far is to be spoken now (Qwen TTS)."""

    type: Literal["input_text_buffer.commit"] = "input_text_buffer.commit"


class InputTextBufferClear(RealtimeClientMessage):
    """The text that is not yet spoken is to be forgotten (Qwen TTS)."""

    type: Literal["input_text_buffer.clear"] = "input_text_buffer.clear"


class SessionFinish(ClientAudioEnd):
    """Nothing more follows: the server does what is left and sends session.finished."""

    type: Literal["session.finish"] = "session.finish"
