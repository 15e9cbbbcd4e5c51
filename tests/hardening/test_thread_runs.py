"""Eight threads against one alone; the long run is `python tests/hardening threads`."""

from __future__ import annotations

import base64
import json

import realtime_pcm as rp
from hardening import threads


def test_a_decoder_each() -> None:
    assert threads.own_decoders(20_000) == 0


def test_one_decoder() -> None:
    assert threads.shared_decoder(4_000) == []


def test_classes_declared_while_long_frames_are_walked() -> None:
    """A long frame is walked without the GIL: the catalogue that it began with must last."""
    payload = bytes(range(256)) * 1200
    sent = json.dumps({"x": "y" * 200_000, "type": "response.audio.delta", "delta": base64.b64encode(payload).decode()}).encode()

    def work(number: int) -> None:
        for turn in range(25):
            if number % 2:
                name = f"test.thread.runs.{number}.{turn}"
                type("Declared", (rp.messages.RealtimeServerMessage,), {"__annotations__": {"a": "str"}}, wire=name)
                assert type(rp.decode(json.dumps({"type": name}))).__name__ == "Declared"
            else:
                message = rp.decode(sent)
                assert isinstance(message, rp.messages.ResponseAudioDelta) and message.pcm.tobytes() == payload

    threads.in_threads(work)
