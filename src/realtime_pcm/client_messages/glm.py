"""What clients of Zhipu's GLM-Realtime send beside the beta names of OpenAI."""

from __future__ import annotations

from .._core import RealtimeClientMessage, payload


class InputAudioBufferAppendVideoFrame(RealtimeClientMessage, wire="input_audio_buffer.append_video_frame"):
    """A frame of the user's video; `data` is the bytes of the JPEG."""

    data: bytes | None = payload("video_frame")
    client_timestamp: int | None
