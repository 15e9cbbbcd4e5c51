"""Frames of one repeated thing: the verdict is orjson's, the memory what was promised. 4 and 16 MiB, and resident memory:
`python tests/hardening shapes`.
"""

from __future__ import annotations

import sys

import pytest

import realtime_pcm as rp
from hardening import SANITIZED, shapes

SIZE = 1 << 19


@pytest.mark.parametrize("place", shapes.PLACES)
def test_verdict_and_memory(place: str) -> None:
    wrong = {}
    for name, shape in shapes.shapes(SIZE).items():
        problem = shapes.check(shapes.PLACES[place] % (shape[1:-1] if place == "members" else shape))
        if problem:
            wrong[name] = problem
    assert not wrong


@pytest.mark.parametrize("form", ["bytes", "str", "str of Latin-1", "bytearray"])
def test_memory_of_each_form(form: str) -> None:
    """A frame of bytes or ASCII is not copied, any other once."""
    text = '{"type":"response.text.delta","x":"' + ("é" if "Latin" in form else "x") * SIZE + '"}'
    given = {"bytes": text.encode(), "bytearray": bytearray(text.encode())}.get(form, text)
    assert shapes.check(given) is None


@pytest.mark.slow
@pytest.mark.skipif(SANITIZED or sys.platform != "linux", reason="reads /proc; ASan keeps what was freed")
@pytest.mark.parametrize("name", ["base64", "escaped base64", "a million keys", "opened arrays", "a late digit", "Latin-1"])
def test_resident_memory(name: str) -> None:
    for place in ("flat field", "payload, type last", "event_id"):
        frame = shapes.PLACES[place] % shapes.shapes(8 * SIZE)[name]
        assert shapes.check_resident(frame) is None, place


def test_what_is_measured() -> None:
    """The measure sees memory: a frame that is read whole into objects breaks the promise."""
    frame = shapes.PLACES["nested field"] % shapes.shapes(SIZE)["arrays"]
    decode = shapes._decode
    try:
        shapes._decode = lambda given: (decode(given)[0], None) if decode(given)[0].response is None else decode(given)
        problem = shapes.check(frame)
    finally:
        shapes._decode = decode
    assert problem and "promised" in problem


def test_an_error_of_a_long_key_stays_short() -> None:
    for name in ("k" * SIZE, "\x7f" * SIZE, "é" * SIZE):
        for frame in ('{"type":"error","%s":tru}' % name, '{"type":"%s","x":tru}' % name):
            with pytest.raises(rp.DecodeError) as caught:
                rp.decode(frame)
            assert len(caught.value.field or "") + len(caught.value.message_type or "") > SIZE
            assert len(str(caught.value)) < 700 and str(caught.value).isprintable()
