"""What a decoder keeps is bounded in number and size, and what it drops is counted."""

from __future__ import annotations

import json
import tracemalloc

import pytest

import realtime_pcm as rp
from realtime_pcm import messages


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


def test_bytes_held_at_a_new_session_are_counted() -> None:
    decoder = rp.Decoder()
    decoder.decode('{"type":"response.audio.delta","delta":"AQ=="}')
    decoder.decode('{"type":"session.created","session":{}}')
    assert decoder.evicted_bytes == 1


def test_a_response_done_without_an_id_leaves_the_input_alone() -> None:
    decoder = rp.Decoder()
    append = '{"type":"session.input_audio.append","audio":"AAAAAAAA"}'
    decoder.decode(append)
    decoder.decode('{"type":"response.done","response":{}}')
    assert decoder.decode(append).sample_offset == 3


def test_a_format_name_of_a_megabyte_is_cut() -> None:
    decoder = rp.Decoder()
    decoder.decode(json.dumps({"type": "session.updated", "session": {"output_audio_format": "x" * 1_000_000}}))
    with pytest.raises(rp.DecodeError) as caught:
        decoder.decode('{"type":"response.audio.delta","delta":"AAAA"}')
    assert len(str(caught.value)) < 400 and len(decoder.audio_format.encoding) == 128


def test_a_decoder_made_anew_forgets_what_it_left_out() -> None:
    decoder = rp.Decoder(only="error")
    assert decoder.decode('{"type":"x"}') is None
    decoder.__init__()  # type: ignore[call-arg]
    assert decoder.decode('{"type":"x"}').type == "x"
    assert rp.Decoder(only=messages.UnknownMessage).decode('{"type":"x"}').type == "x"


@pytest.mark.parametrize(("text", "position"), [("*é", 0), ("é", 0), ("AAé", 2), ("\\u", 0), ("AAA\\", 3), ("AA\\/", 2)])
def test_positions_in_the_audio_of_an_item(text: str, position: int) -> None:
    part = rp.objects.ContentPart({"type": "audio", "audio": text})
    with pytest.raises(rp.DecodeError) as caught:
        part.pcm  # noqa: B018
    assert caught.value.position == position
