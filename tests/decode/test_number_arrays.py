"""Arrays of numbers that nothing is made of: accepted as orjson accepts them, wherever a number stands in a block of 64 bytes."""

from __future__ import annotations

import random

import orjson
import pytest

import realtime_pcm as rp

GOOD = (
    "0", "-0", "7", "12", "123", "-1", "1.5", "-0.0012", "1e5", "1E-05", "1.25e10", "1e+16", "0.1e2", "1e99", "1e100", "1e308",
    "1.7976931348623157e308", "-1e-300", "1e-5000", "1e0099", "0e999", "9007199254740993", "1" * 70, "1" * 200, "9" * 308,
)  # fmt: skip
BAD = (
    "", "-", "+1", "01", "-01", "00", "-00.5", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1e-", "e5", "1.5.5", "1e5e5", "1e5.5",
    "1-", "1-2", "--1", "1+2", "1e+-5", "1e400", "1e999", "-1e309", "1.8e308", "2" + "0" * 308, "1" * 310, "1 2", "1- ", "- 1",
    "1 .5", "1. 5", "1e 5", "1 e5", "1\n1", "1,,2", "1, ,2", "0x1", "1_0", "1\v", "1;2", "1:2", "Infinity", "NaN", "nul", '1"',
    "1/2", "\x80", "1\xb1", "true1", "null.5", "0.0.0", "٣",
)  # fmt: skip
GAPS = (",", ", ", " ,", " , ", ",\n", ",\r\n\t", ",   ")


def _accepts(array: bytes) -> bool:
    """Whether a frame with this undeclared value is decoded. It is refused where orjson refuses the value, and only there."""
    try:
        orjson.loads(array)
        valid = True
    except orjson.JSONDecodeError:
        valid = False
    try:
        rp.decode(b'{"type":"error","x":' + array + b"}")
        accepted = True
    except rp.DecodeError:
        accepted = False
    assert accepted == valid, array
    return accepted


@pytest.mark.parametrize("number", GOOD + BAD)
def test_a_number_at_every_place_of_a_block(number: str, tier: str) -> None:
    """The numbers before it are passed one by one, until a whole block of them is looked at. Then comes one that is longer by a
    byte each time, so that the number stands at each place of that block, and beyond its end."""
    for gap in GAPS:
        for length in range(1, 68):
            often = GOOD[(length + len(gap)) % 12]
            before = [often] * 8 + ["1" * length] + [often] * 3
            array = f"[{gap.join([*before, number, *[often] * 60])}]".encode("utf-8", "replace")
            assert _accepts(array) == (number in GOOD)


@pytest.mark.parametrize("number", GOOD + BAD)
def test_a_number_at_the_end_of_an_array(number: str, tier: str) -> None:
    for count in range(80):
        assert _accepts(f"[{'1,' * count}{number}]".encode()) == (number in GOOD or (number == "" and count == 0))


@pytest.mark.parametrize("piece", ["1", "1,", ",1", "1, 2", "-1.5e-7,", "1 ,"])
def test_what_follows_a_run_of_numbers(piece: str, tier: str) -> None:
    for tail in ("", "]", ",]", "[1]]", ",[1]]", "}", ',"a"]', ',{"a":1}]', ",true]", "true]", " ]", "\n\t,\r2 ]", "//]"):
        for count in range(100):
            _accepts(("[" + piece.join(["1,"] * count) + piece + tail).encode())


def test_faults_behind_passed_blocks_have_their_place(tier: str) -> None:
    for count in range(8, 120):
        numbers = b"12," * count
        with pytest.raises(rp.DecodeError) as caught:
            rp.decode(b'{"type":"error","x":[' + numbers + b"1.]}")
        assert (caught.value.reason, caught.value.position) == ("not a JSON number", 21 + len(numbers) + 2)
        with pytest.raises(rp.DecodeError) as caught:
            rp.decode(b'{"type":"error","x":[' + numbers + b"1e400]}")
        assert (caught.value.reason, caught.value.position) == ("number out of range of a double", 21 + len(numbers))


def _mutated(generator: random.Random) -> bytes:
    """An array of numbers, some of them bad, with a few bytes changed, put in or taken out."""
    numbers = [generator.choice(GOOD[:16]) for _ in range(generator.randrange(60))]
    if generator.random() < 0.3:
        numbers.insert(generator.randrange(len(numbers) + 1), generator.choice(BAD))
    gaps = [generator.choice(GAPS)] * 3 + [","]
    text = bytearray(b"[" + "".join(number + generator.choice(gaps) for number in numbers).encode() + b"1]")
    for _ in range(generator.randrange(3)):
        at, byte = generator.randrange(len(text)), generator.choice(b"00123456789,,..--+eE \n\t]")
        text[at : at + generator.randrange(2)] = bytes([byte][: generator.randrange(2)])
    return bytes(text)


def test_mutated_arrays(tier: str) -> None:
    generator = random.Random(12)
    accepted = sum(_accepts(_mutated(generator)) for _ in range(5_000))
    assert 1_000 < accepted < 4_500
