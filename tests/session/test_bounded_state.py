"""What a decoder keeps is bounded in number and size, and what it drops is counted."""

from __future__ import annotations

import json
import tracemalloc

import pytest

import realtime_pcm as rp
from support.session_frames import DEFAULT, RAW, ULAW, delta, dumps, response


def test_ids_are_kept_in_bounded_size() -> None:
    """A frame may hold a megabyte of id: the decoder tells such streams apart, but keeps none of them."""
    decoder = rp.Decoder()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for offset in (0, 1):
            for letter in "ab":
                frame = {"type": "response.audio.delta", "response_id": letter * 300_000, "delta": "AAEC"}
                message = decoder.decode(json.dumps(frame))
                assert message.response_id == letter * 300_000 and message.sample_offset == offset
        created = {"type": "response.created", "response": {"id": "c" * 300_000, "output_audio_format": "g711_ulaw"}}
        decoder.decode(json.dumps(created))
        del message, frame, created
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()
    late = decoder.decode(json.dumps({"type": "response.audio.delta", "response_id": "c" * 300_000, "delta": "AAEC"}))
    assert late.audio_format.encoding == "g711_ulaw"
    done = decoder.decode(json.dumps({"type": "response.audio.done", "response_id": "a" * 300_000}))
    assert done.incomplete_sample == b""


def test_the_stream_that_has_not_spoken_for_longest_is_evicted() -> None:
    decoder = rp.Decoder()

    def speak(item: str) -> int | None:
        return decoder.decode(json.dumps({"type": "response.audio.delta", "item_id": item, "delta": "AAAA"})).sample_offset

    offsets = []
    for index in range(1500):
        offsets.append(speak("main"))
        speak(f"item_{index}")
    assert None not in offsets and offsets == sorted(offsets, key=lambda offset: offset or 0) and offsets[-1] == 1499 * 3 // 2
    assert speak("item_0") == 0


def test_many_open_streams_are_bounded_and_what_is_dropped_is_counted() -> None:
    decoder = rp.Decoder()
    for number in range(1024):
        decoder.decode(delta(b"\x01\x02\x03", response_id="r", item_id=f"i{number}"))
    assert decoder.evicted_bytes == 0
    for number in range(1024, 1124):
        decoder.decode(delta(b"\x01\x02\x03" if number % 2 else b"\x01\x02", response_id="r", item_id=f"i{number}"))
    assert decoder.evicted_bytes == 100
    # Those that went begin again (and others go for them), the rest goes on.
    message = decoder.decode(delta(b"\x04", response_id="r", item_id="i500"))
    assert (message.pcm.tolist(), message.sample_offset) == ([0x0403], 1)
    message = decoder.decode(delta(b"\x04\x05", response_id="r", item_id="i0"))
    assert (message.pcm.tolist(), message.sample_offset) == ([0x0504], 0)
    assert decoder.evicted_bytes == 101
    # 1,023 of the streams hold one byte less those of i500 and the even ones behind 1,024, and i0 none.
    left = decoder.decode(dumps(type="response.done", response={"id": "r"})).incomplete_sample
    assert left == b"\x03" * (1024 - 101 - 1 + 50)


def test_left_out_streams_are_bounded_too() -> None:
    decoder = rp.Decoder(only="error")
    for number in range(1024 + 50):
        assert decoder.decode(delta(RAW[:3], response_id="r", item_id=f"i{number}")) is None
    assert decoder.evicted_bytes == 50


@pytest.mark.parametrize("widths", [(1,), (80,), (1, 80), (80, 1), (1,) * 1200 + (80,) * 300, (80,) * 1200 + (1,) * 300])
def test_formats_of_responses_are_bounded(widths: tuple[int, ...]) -> None:
    """The format of a response with a short id is kept in another place than that of one with a long id."""
    decoder = rp.Decoder()
    names = [f"{number:0{widths[number % len(widths)]}}x" for number in range(1500)]
    for name in names:
        decoder.decode(response("response.created", name, output_audio_format="g711_ulaw"))
    formats = [decoder.decode(delta(response_id=name)).audio_format for name in names]
    assert formats == [DEFAULT] * (1500 - 1024) + [ULAW] * 1024


def test_bytes_held_at_a_new_session_are_counted() -> None:
    decoder = rp.Decoder()
    decoder.decode('{"type":"response.audio.delta","delta":"AQ=="}')
    decoder.decode('{"type":"session.created","session":{}}')
    assert decoder.evicted_bytes == 1


def test_a_format_name_of_a_megabyte_is_cut() -> None:
    decoder = rp.Decoder()
    decoder.decode(json.dumps({"type": "session.updated", "session": {"output_audio_format": "x" * 1_000_000}}))
    with pytest.raises(rp.DecodeError) as caught:
        decoder.decode('{"type":"response.audio.delta","delta":"AAAA"}')
    assert len(str(caught.value)) < 400 and len(decoder.audio_format.encoding) == 40
