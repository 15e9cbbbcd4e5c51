"""G.711 against decoders that share no code with ours: the recommendation's tables, and the interpreter's `audioop`."""

from __future__ import annotations

import base64
import warnings

import numpy as np
import pytest

import realtime_pcm as rp
from support.g711 import TABLES

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
except ImportError:
    audioop = None  # type: ignore[assignment]

NAMES = ["g711_ulaw", "g711_alaw"]
CODES = bytes(range(256))


def frame(raw: bytes) -> bytes:
    return b'{"type":"response.output_audio.delta","delta":"%s"}' % base64.b64encode(raw)


def test_the_tables_are_those_of_the_recommendation() -> None:
    mu, a = TABLES["g711_ulaw"], TABLES["g711_alaw"]
    assert sorted(mu) == sorted(a) == list(range(256))
    # Values printed there: 8031 and 4191 of mu-law, 4032, 2112, 1056 and 1 of A-law.
    assert (mu[0x80], mu[0x8F], mu[0xFF], mu[0xFE], mu[0x00]) == (4 * 8031, 4 * 4191, 0, 8, -4 * 8031)
    assert (a[0xAA], a[0xA5], a[0xB5], a[0xD5], a[0x55]) == (8 * 4032, 8 * 2112, 8 * 1056, 8, -8)


@pytest.mark.parametrize("name", NAMES)
def test_every_code(name: str, tier: str) -> None:
    expected = np.array([TABLES[name][code] for code in CODES], np.int16)
    for codes, values in ((CODES, expected), (CODES[::-1], expected[::-1])):
        pcm = rp.decode(frame(codes), audio_format=name).pcm
        assert pcm.dtype == np.int16 and np.array_equal(pcm, values)
        pcm = rp.decode(frame(codes), audio_format=name, dtype="float32").pcm
        assert pcm.dtype == np.float32 and np.array_equal(pcm, values / np.float32(32768))
        assert rp.decode(frame(codes), audio_format=name, dtype="uint8").pcm.tobytes() == codes


@pytest.mark.parametrize("name", NAMES)
def test_every_code_at_every_place(name: str, tier: str) -> None:
    # A vector kernel has places of its own for each byte: every code comes to each of 64.
    codes = b"".join(bytes((code + place) % 256 for place in range(65)) for code in range(256))
    expected = np.array([TABLES[name][code] for code in codes], np.int16)
    assert np.array_equal(rp.decode(frame(codes), audio_format=name).pcm, expected)
    assert np.array_equal(rp.decode(frame(codes), audio_format=name, dtype="float32").pcm, expected / np.float32(32768))


@pytest.mark.parametrize("name", NAMES)
def test_every_length(name: str, tier: str) -> None:
    codes = np.random.default_rng(711).bytes(12_300)
    table = np.array([TABLES[name][code] for code in range(256)], np.int16)
    for size in [*range(200), 3071, 3072, 3073, 3074, 6144, 6145, 12_300]:
        expected = table[np.frombuffer(codes[:size], "u1")]
        given = frame(codes[:size])
        assert np.array_equal(rp.decode(given, audio_format=name).pcm, expected)
        assert np.array_equal(rp.decode(given, audio_format=name, dtype="float32").pcm, expected / np.float32(32768))
        type_last = given[:1] + given[given.index(b'"delta"') : -1] + b"," + given[1 : given.index(b',"delta"')] + b"}"
        escaped = given.replace(b"/", b"\\/").replace(b"+", b"\\u002b")
        for other in (type_last, escaped):
            assert np.array_equal(rp.decode(other, audio_format=name).pcm, expected)


@pytest.mark.skipif(audioop is None, reason="this interpreter has no audioop (gone in 3.13)")
@pytest.mark.parametrize("name", NAMES)
def test_every_code_against_audioop(name: str, tier: str) -> None:
    expand = audioop.ulaw2lin if name == "g711_ulaw" else audioop.alaw2lin
    codes = CODES + np.random.default_rng(1).bytes(5001)
    expected = np.frombuffer(expand(codes, 2), np.int16)
    assert np.array_equal(rp.decode(frame(codes), audio_format=name).pcm, expected)
    assert np.array_equal(rp.decode(frame(codes), audio_format=name, dtype="float32").pcm, expected / np.float32(32768))
    assert [TABLES[name][code] for code in CODES] == expected[:256].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_deltas_of_any_length_join_without_a_carry(name: str, tier: str) -> None:
    codes = np.random.default_rng(2).bytes(997)
    expected = [TABLES[name][code] for code in codes]
    decoder = rp.Decoder()
    decoder.decode(f'{{"type":"session.created","session":{{"output_audio_format":"{name}"}}}}')
    at = 0
    for size in (1, 2, 3, 5, 0, 7, 501, 478):
        message = decoder.decode(frame(codes[at : at + size]))
        assert message.pcm.tolist() == expected[at : at + size] and message.sample_offset == at
        assert message.incomplete_sample == b""
        at += size
    assert at == len(codes)
