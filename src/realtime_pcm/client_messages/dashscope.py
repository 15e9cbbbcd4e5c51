"""What clients of Alibaba DashScope (Qwen Omni, live translation, Qwen TTS) send beside the beta names of OpenAI."""

from __future__ import annotations

from .._core import ClientAudioEnd, RealtimeClientMessage, payload


class InputImageBufferAppend(RealtimeClientMessage, wire="input_image_buffer.append"):
    """A frame of the user's video; `data` is the bytes of the image, a JPEG as the documents want it."""

    data: bytes | None = payload("image")


class InputTextBufferAppend(RealtimeClientMessage, wire="input_text_buffer.append"):
    """More text that is to be spoken (Qwen TTS)."""

    text: str | None


class InputTextBufferCommit(RealtimeClientMessage, wire="input_text_buffer.commit"):
    """The text so far is to be spoken now (Qwen TTS)."""


class InputTextBufferClear(RealtimeClientMessage, wire="input_text_buffer.clear"):
    """The text that is not yet spoken is to be forgotten (Qwen TTS)."""


class SessionFinish(ClientAudioEnd, wire="session.finish"):
    """Nothing more follows: the server does what is left and sends session.finished."""
