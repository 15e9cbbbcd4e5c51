"""lone_surrogates="replace": text that a server cut between the halves of a surrogate pair."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

import realtime_pcm as rp

DELTA = "response.output_audio_transcript.delta"
# What stands between the quotes of the frame, and the text that it becomes.
TEXTS = {
    r"Bye \ud83d": "Bye \ufffd",
    r"\ude00 now": "\ufffd now",
    r"\uD83D\uDE00": "\U0001f600",
    r"\ud83d\ud83d\ude00\ude00": "\ufffd\U0001f600\ufffd",
    r"\ud83d\\ude00": "\ufffd\\ude00",
    r"\\\ud83d\n": "\\\ufffd\n",
    r"\udbff\u0041\ud800": "\ufffdA\ufffd",
    "\u00e9\\ud83d\u20ac": "\u00e9\ufffd\u20ac",
}


def frame_of(inside: str) -> str:
    return f'{{"type":"{DELTA}","response_id":"r","item_id":"i","content_index":0,"delta":"{inside}"}}'


@pytest.mark.parametrize("inside", TEXTS)
@pytest.mark.parametrize("kind", [str, bytes, bytearray, memoryview])
def test_each_half_becomes_the_replacement_character(inside: str, kind: type, tier: str) -> None:
    text = frame_of(inside)
    frame: Any = text if kind is str else kind(text.encode())
    message: Any = rp.Decoder(lone_surrogates="replace").decode(frame)
    assert message.delta == TEXTS[inside] and len(message.frame) == len(frame)
    assert type(message.frame) is (str if kind is str else bytes)
    # The copy is the frame from then on: nothing else needs a rule for it.
    assert message.to_dict() == json.loads(message.frame)
    for same in (rp.decode(message.frame), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert same == message


def test_a_str_that_holds_half_a_pair_itself() -> None:
    decoder = rp.Decoder(lone_surrogates="replace")
    message: Any = decoder.decode(frame_of("a\ud83d \\ude00\u20ac"))
    assert message.delta == "a\ufffd \ufffd\u20ac" and message.frame == frame_of("a\ufffd \\ufffd\u20ac")


def test_the_default_refuses() -> None:
    for decoder in (rp.Decoder(), rp.Decoder(lone_surrogates="refuse")):
        for frame in (frame_of(r"Bye \ud83d"), frame_of("Bye \ud83d")):
            with pytest.raises(rp.DecodeError, match="lone surrogate"):
                decoder.decode(frame)
    with pytest.raises(rp.DecodeError, match="lone surrogate"):
        rp.decode(frame_of(r"\ude00"))


@pytest.mark.parametrize("value", ["ignore", None, True, 1])
def test_another_value_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match='lone_surrogates is "refuse" or "replace"'):
        rp.Decoder(lone_surrogates=value)


@pytest.mark.parametrize(
    "bad", [frame_of(r"\ud83d")[:-1], frame_of(r"\ud83d\q"), frame_of(r"\ud83d\ud8"), "\\ud83d", '{"\\ud83d":1}']
)
def test_what_else_is_wrong_is_refused_as_ever(bad: str) -> None:
    decoder = rp.Decoder(lone_surrogates="replace")
    for frame in (bad, bad.encode()):
        with pytest.raises(rp.DecodeError) as caught:
            decoder.decode(frame)
        assert "surrogate" not in caught.value.reason
    with pytest.raises(rp.DecodeError, match="not UTF-8"):
        decoder.decode(frame_of("x").encode().replace(b'"x"', b'"\xed\xa0\xbd"'))


def test_a_long_frame_with_a_half_in_each_string() -> None:
    """One pass replaces all of them: to walk the frame again for each would take minutes."""
    texts = ["\\ud83d " * 100] * 3000
    frame = json.dumps({"type": "response.done", "response": {"output": []}, "x": texts}).replace("\\\\", "\\")
    message: Any = rp.Decoder(lone_surrogates="replace").decode(frame)
    assert message.extra["x"] == ["\ufffd " * 100] * 3000


def test_a_decoder_with_out_and_audio_after_it() -> None:
    decoder = rp.Decoder(lone_surrogates="replace")
    audio = '{"type":"response.output_audio.delta","item_id":"i","x":"\\ud83d","delta":"AAECAwQF"}'
    offsets = [decoder.decode(audio).sample_offset for _ in range(3)]
    assert offsets == [0, 3, 6]


def test_over_a_socket() -> None:
    async def answer(socket: ServerConnection) -> None:
        for inside in ("Bye ", r"\ud83d", r"\ude00 now"):
            await socket.send(frame_of(inside))

    async def call() -> str:
        async with serve(answer, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}") as socket:
                stream = rp.decode_stream(socket, lone_surrogates="replace")
                texts: list[Any] = [message.delta async for message in stream]
                return "".join(texts)

    assert asyncio.run(call()) == "Bye \ufffd\ufffd now"
