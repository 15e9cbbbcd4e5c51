"""Messages that clients of Zhipu's GLM-Realtime send in addition to the beta names of OpenAI."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeClientMessage
from ..declare import payload


class InputAudioBufferAppendVideoFrame(RealtimeClientMessage):
    """A frame of the user's video; `data` is the bytes of the JPEG."""

    type: Literal["input_audio_buffer.append_video_frame"] = "input_audio_buffer.append_video_frame"
    data: bytes | None = payload("video_frame")
    """The bytes of the image."""
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""
