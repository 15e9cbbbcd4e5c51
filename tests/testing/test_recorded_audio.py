"""How long the audio of a recorded frame is, by the encoding that its session has."""

from __future__ import annotations

import base64
import json

import pytest

import realtime_pcm as rp
from realtime_pcm.testing.recorded import read_frames


@pytest.mark.parametrize(("encoding", "bytes_of_sample"), [("pcm16", 2), ("g711_ulaw", 1), ("g711_alaw", 1), ("float32", 4)])
def test_seconds_of_a_recorded_delta(encoding: str, bytes_of_sample: int) -> None:
    rate = 8000
    payload = base64.b64encode(bytes(bytes_of_sample * rate)).decode()
    frame = json.dumps({"type": "response.output_audio.delta", "item_id": "i", "delta": payload})
    frames, _ = read_frames([frame], rp.Decoder(dtype="uint8", audio_format=rp.AudioFormat(encoding, rate)))
    assert [recorded.seconds for recorded in frames] == [1.0]
