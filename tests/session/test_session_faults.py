"""What goes wrong in real voice sessions, put into a whole one: all the rest is as if it had not been there."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

import realtime_pcm as rp
from hardening.frames import BY_TYPE, KINDS, real_frame
from realtime_pcm import sample

SESSION = sample.lines()
NULLS = [json.dumps({"type": kind.type, "event_id": None} | dict.fromkeys(kind.keys)).encode() for kind in KINDS]
BARE = [json.dumps({"type": kind.type}).encode() for kind in KINDS]
SPEECH = (rp.messages.AudioMessage, rp.messages.AudioEnd)
STATELESS = [
    kind
    for kind in KINDS
    if not kind.type.startswith(("session.", "response.", "transcription_session."))
    and not isinstance(rp.decode(json.dumps({"type": kind.type})), SPEECH)
]
ERROR = real_frame(BY_TYPE["error"])


def faults(rng: random.Random, around: bytes) -> Iterator[bytes]:
    """Frames that must change nothing: an error event, an unknown type, a frame of nulls, and broken ones."""
    yield rng.choice((ERROR, real_frame(BY_TYPE["a.type.of.tomorrow"]), real_frame(rng.choice(STATELESS))))
    yield around[: rng.randrange(len(around))]
    yield around[: len(around) // 2] + b"\xff" + around[len(around) // 2 :]
    yield rng.choice((b"", b"\x00\x01\x02\x03", b"[]", b"ping", b'{"type":null}', b'{"event_id":"e"}'))


def heard(frames: Iterator[bytes] | list[bytes]) -> list[Any]:
    """All that is audio, and where it stands."""
    seen = []
    for message in rp.decode_stream(frames, errors="skip"):
        if isinstance(message, rp.messages.AudioMessage):
            seen.append((message.item_id, message.sample_offset, message.pcm.tobytes(), message.audio_format))
        elif isinstance(message, rp.messages.AudioEnd):
            seen.append(message.incomplete_sample)
    return seen


@pytest.mark.parametrize("seed", range(5))
def test_a_session_among_faults(seed: int) -> None:
    rng = random.Random(seed)

    def disturbed() -> Iterator[bytes]:
        for frame in SESSION:
            yield from faults(rng, frame)
            yield frame

    whole = heard(list(SESSION))
    assert len(whole) > 5 and heard(disturbed()) == whole


@pytest.mark.parametrize("frame", NULLS + BARE, ids=[f"{what} {kind.type}" for what in ("nulls in", "bare") for kind in KINDS])
def test_null_and_missing_fields(frame: bytes) -> None:
    for message in (rp.decode(frame), rp.Decoder().decode(frame), rp.Decoder(only="error").decode(frame)):
        if message is None:
            continue
        for name in ("event_id", *type(message).__match_args__):
            value = getattr(message, name)
            assert value is None or (name == "pcm" and value.size == 0), name
        assert repr(message).startswith(type(message).__name__)


def delta(item: str, payload: bytes) -> bytes:
    return json.dumps(
        {
            "type": "response.output_audio.delta",
            "response_id": "r",
            "item_id": item,
            "content_index": 0,
            "delta": base64.b64encode(payload).decode(),
        }
    ).encode()


def test_late_audio_after_done() -> None:
    """It goes on where its item stood, for it is audio of that item; half a sample, which the done handed out, is not in it."""
    decoder = rp.Decoder()
    decoder.decode(delta("i", b"\1\2\3"))
    done: Any = decoder.decode(b'{"type":"response.output_audio.done","response_id":"r","item_id":"i","content_index":0}')
    late: Any = decoder.decode(delta("i", b"\4\5"))
    assert (done.incomplete_sample, late.sample_offset, late.pcm.tobytes()) == (b"\3", 1, b"\4\5")
    again: Any = decoder.decode(b'{"type":"response.output_audio.done","response_id":"r","item_id":"i","content_index":0}')
    assert again.incomplete_sample == b""


def test_duplicates_and_empty_deltas() -> None:
    """A delta sent twice is heard twice; one without audio moves nothing."""
    decoder = rp.Decoder()
    offsets = []
    for frame in (
        delta("i", b"\1\2"),
        delta("i", b"\1\2"),
        delta("i", b""),
        delta("i", b"\3"),
        delta("i", b""),
        delta("i", b"\4\5\6"),
    ):
        message: Any = decoder.decode(frame)
        offsets.append((message.sample_offset, message.pcm.tobytes(), message.incomplete_sample))
    assert offsets == [(0, b"\1\2", b""), (1, b"\1\2", b""), (2, b"", b""), (2, b"", b""), (2, b"", b""), (2, b"\3\4\5\6", b"")]


def test_a_frame_cut_anywhere() -> None:
    """The rest of the session goes on, wherever one of its frames was cut."""
    frame = delta("i", bytes(range(60)))
    decoder = rp.Decoder()
    decoder.decode(delta("i", b"\1"))
    for end in range(len(frame)):
        with pytest.raises(rp.DecodeError):
            decoder.decode(frame[:end])
    message: Any = decoder.decode(frame)
    assert message.sample_offset == 0 and message.pcm.tobytes() == b"\1" + bytes(range(59))
