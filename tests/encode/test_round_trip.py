"""decode(encode(x)): a million random arrays on every tier, against NumPy and the tables of G.711."""

from __future__ import annotations

import os

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import client_messages
from support.g711 import TABLES, alaw_of, ulaw_of

ARRAYS = int(os.environ.get("REALTIME_PCM_ROUND_TRIPS", "1000000"))
LONGEST = 700
POOL = 100_000


def expanded_by(encoding: str) -> np.ndarray:
    """What each int16 sample, at its index plus 32,768, becomes on the way there and back."""
    every = range(-32768, 32768)
    if encoding == "pcm16":
        return np.array(every, np.int16)
    law = ulaw_of if encoding == "g711_ulaw" else alaw_of
    return np.array([TABLES[encoding][law(sample)] for sample in every], np.int16)


@pytest.mark.slow
def test_a_million_random_arrays(tier: str) -> None:
    random = np.random.default_rng([*tier.encode()])
    whole = random.integers(-32768, 32768, POOL).astype(np.int16)
    # Floats between samples and past both ends, and some that are no numbers; rounded in float64, half to even.
    floats = (random.uniform(-1.1, 1.1, POOL)).astype(np.float32)
    floats[::97] = (random.integers(-65536, 65536, floats[::97].size) / 65536).astype(np.float32)  # halves
    floats[::1009] = random.choice(np.array([np.nan, np.inf, -np.inf, -0.0, 1e-40], np.float32), floats[::1009].size)
    scaled = np.clip(np.rint(floats.astype(np.float64) * 32768), -32768, 32767)
    rounded = np.where(np.isnan(scaled), 0, scaled).astype(np.int16)
    ways = []
    for encoding in ("pcm16", "g711_ulaw", "g711_alaw"):
        table = expanded_by(encoding)
        encoder = rp.AudioEncoder(audio_format=encoding)
        decoder = rp.Decoder(side="client", audio_format=encoding)
        for given, samples in ((whole, whole), (floats, rounded)):
            ways.append((encoder.encode, decoder.decode, given, table[samples.astype(np.int32) + 32768]))
    starts = random.integers(0, POOL - LONGEST, ARRAYS).tolist()
    lengths = random.integers(0, LONGEST, ARRAYS).tolist()
    offset = dict.fromkeys(range(len(ways)), 0)
    for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        encode, decode, given, expected = ways[number % len(ways)]
        message = decode(encode(given[start : start + length]))
        assert type(message) is client_messages.InputAudioBufferAppend
        if message.pcm.tobytes() != expected[start : start + length].tobytes():
            pytest.fail(f"{number}: {given.dtype}[{start}:{start + length}] as {message.audio_format}")
        offset[number % len(ways)] += length
    # Each decoder has taken all that its two ways gave it, as one stream.
    for number in range(0, len(ways), 2):
        encode, decode, given, _ = ways[number]
        message = decode(encode(given[:1]))
        assert isinstance(message, client_messages.InputAudioBufferAppend)
        assert message.sample_offset == offset[number] + offset[number + 1]
