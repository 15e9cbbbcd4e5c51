"""PlaybackBuffer with messages of another rate: soxr really resamples, and each item counts in its own rate."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.playback import PlaybackBuffer
from support.playback_model import plain
from support.session_frames import b64, delta, done, dumps, nested, session

soxr = pytest.importorskip("soxr")

IDS = {"response_id": "r1", "item_id": "i1", "content_index": 0}
OTHER = {"response_id": "r2", "item_id": "i2", "content_index": 0}
RATES = [(24_000, 48_000), (24_000, 44_100), (8_000, 24_000), (24_000, 16_000), (16_000, 8_000)]


def speech(rate: int, seconds: float = 0.5) -> Any:
    """A few tones that swell and fade, int16."""
    t = np.arange(round(rate * seconds)) / rate
    tones = sum(np.sin(2 * np.pi * f * t) for f in (220, 700, 1_300)) * np.sin(np.pi * t / seconds)
    return np.round(tones * 9_000).astype("<i2")


def decoder_at(rate: int, **options: Any) -> rp.Decoder:
    return rp.Decoder(audio_format=rp.AudioFormat("pcm16", rate), **options)


def write_all(player: PlaybackBuffer, samples: Any, rate: int, sizes: list[int], channels: int = 1) -> int:
    """In deltas of these sizes, again and again. How many samples were queued."""
    decoder = rp.Decoder(audio_format=rp.AudioFormat("pcm16", rate, channels))
    accepted = start = turn = 0
    while start < len(samples):
        size = sizes[turn % len(sizes)]
        accepted += player.write(decoder.decode(delta(samples[start : start + size].tobytes(), **IDS)))
        start += size
        turn += 1
    return accepted + player.write(decoder.decode(done(**IDS)))


def read_all(player: PlaybackBuffer, size: int = 480) -> Any:
    pieces = []
    while player.queued:
        out = np.empty((size, player.channels), player.dtype)
        pieces.append(out[: player.read(out)])
    return np.concatenate(pieces)


@pytest.mark.parametrize(("rate", "to_rate"), RATES)
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_streamed_item_is_what_soxr_makes_of_the_whole(rate: int, to_rate: int, dtype: str) -> None:
    samples = speech(rate)
    player = PlaybackBuffer(to_rate, dtype=dtype)
    assert write_all(player, samples, rate, [100, 1, 2_000, 777]) == round(len(samples) * to_rate / rate) == player.queued
    got = read_all(player)[:, 0]
    whole = soxr.resample(samples.astype(np.float32) / 32768, rate, to_rate, quality="HQ")
    if dtype == "int16":
        assert np.abs(got - whole * 32768).max() < 0.6
    else:
        assert np.abs(got - whole).max() < 1e-5
    assert player.underruns == 0
    assert plain(player.interrupt())["played"] == [("i1", 0, len(samples))]


def test_several_channels() -> None:
    left = speech(24_000)
    both = np.stack([left, np.flip(left)], axis=1)
    player = PlaybackBuffer(48_000, dtype="float32", channels=2)
    write_all(player, both.ravel(), 24_000, [101, 2_000], channels=2)
    got = read_all(player)
    for channel in (0, 1):
        whole = soxr.resample(both[:, channel].astype(np.float32) / 32768, 24_000, 48_000, quality="HQ")
        assert np.abs(got[:, channel] - whole).max() < 1e-5


@pytest.mark.parametrize(("rate", "to_rate"), RATES)
def test_what_was_heard_counts_in_the_items_own_rate(rate: int, to_rate: int) -> None:
    samples = speech(rate)
    for count in (0, 1, 99, 1_000, to_rate // 4, 10**6):
        player, decoder = PlaybackBuffer(to_rate), decoder_at(rate)
        for start in range(0, len(samples), 600):
            player.write(decoder.decode(delta(samples[start : start + 600].tobytes(), **IDS)))
        read = player.read(np.empty(count, np.int16))
        said = player.interrupt()
        expected = min(read * rate // to_rate, len(samples))
        [item] = said.truncations or said.unheard
        assert (item.samples, item.received, item.rate) == (expected, len(samples), rate)
        for cut in said.truncations:
            assert cut.audio_end_ms == expected * 1000 // rate


def test_latency_is_the_players_time() -> None:
    player = PlaybackBuffer(48_000)
    write_all(player, speech(24_000), 24_000, [6_000])
    player.read(np.empty(9_600, np.int16))
    assert plain(player.interrupt(0.1))["truncations"] == [("i1", 0, 2_400, 100, 12_000)]


def test_what_soxr_still_holds_is_not_heard_after_an_interruption() -> None:
    player, decoder = PlaybackBuffer(48_000), decoder_at(24_000)
    assert player.write(decoder.decode(delta(speech(24_000).tobytes(), **IDS))) < 24_000
    player.read(np.empty(100_000, np.int16))
    player.interrupt()
    assert player.write(decoder.decode(done(**IDS))) == 0
    assert player.write(decoder.decode(delta(speech(24_000).tobytes(), **OTHER))) > 0
    out = np.empty(2_000, np.int16)
    player.read(out)
    assert np.abs(out[:20]).max() < 200  # the other item from its quiet beginning, nothing of the first


def test_duplicates_and_gaps_of_resampled_audio() -> None:
    samples = speech(24_000)
    player, decoder, again = PlaybackBuffer(48_000, dtype="float32"), decoder_at(24_000), decoder_at(24_000)
    player.write(decoder.decode(delta(samples[:4_000].tobytes(), **IDS)))
    player.write(again.decode(delta(samples[:5_000].tobytes(), **IDS)))
    assert player.duplicates == 4_000
    decoder.decode(delta(samples[4_000:8_000].tobytes(), **IDS))
    player.write(decoder.decode(delta(samples[8_000:].tobytes(), **IDS)))
    player.write(decoder.decode(done(**IDS)))
    got = read_all(player)[:, 0]
    # Two segments, each as soxr makes it of the whole of it.
    parts = [
        soxr.resample(part.astype(np.float32) / 32768, 24_000, 48_000, quality="HQ")
        for part in (samples[:5_000], samples[8_000:])
    ]
    assert np.abs(got - np.concatenate(parts)).max() < 1e-5
    assert plain(player.interrupt())["played"] == [("i1", 0, 12_000)]
    # The place of what was heard lies behind the gap.
    player, decoder = PlaybackBuffer(48_000), decoder_at(24_000)
    player.write(decoder.decode(delta(samples[:4_000].tobytes(), **IDS)))
    decoder.decode(delta(samples[4_000:8_000].tobytes(), **IDS))
    player.write(decoder.decode(delta(samples[8_000:].tobytes(), **IDS)))
    player.read(np.empty(8_000 + 200, np.int16))
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 8_100, 337, 12_000)]


def test_refused_samples_of_a_resampled_item() -> None:
    player = PlaybackBuffer(48_000, seconds=0.1)
    assert write_all(player, speech(24_000), 24_000, [12_000]) == 4_800
    assert player.refused == 24_000 - 4_800
    player.read(np.empty(10_000, np.int16))
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 2_400, 100, 12_000)]


def test_a_session_that_changes_its_format() -> None:
    """The next response has another rate: each item counts in its own."""
    player, decoder = PlaybackBuffer(24_000), rp.Decoder()
    player.write(decoder.decode(delta(speech(24_000, 0.1).tobytes(), **IDS)))
    player.write(decoder.decode(done(**IDS)))
    decoder.decode(session(**nested({"type": "audio/pcmu"})))
    other = decoder.decode(delta(bytes(800), **OTHER))
    assert other.audio_format.rate == 8_000
    player.write(other)
    player.write(decoder.decode(done(**OTHER)))
    player.read(np.empty(2_400 + 1_200, np.int16))
    said = player.interrupt()
    assert [(item.item_id, item.samples, item.rate) for item in said.played] == [("i1", 2_400, 24_000)]
    assert [(c.item_id, c.samples, c.audio_end_ms, c.rate, c.received) for c in said.truncations] == [("i2", 400, 50, 8_000, 800)]


def named(samples: Any, rate: int) -> bytes:
    return dumps(type="response.output_audio.delta", **IDS, format="pcm16", sample_rate_hz=rate, delta=b64(samples.tobytes()))


def test_an_item_that_changes_its_rate_counts_in_its_first() -> None:
    player, decoder = PlaybackBuffer(24_000), rp.Decoder()
    for rate in (24_000, 8_000, 24_000):
        player.write(decoder.decode(named(speech(rate, 0.1), rate)))
    player.write(decoder.decode(done(**IDS)))
    assert player.queued == 7_200
    player.read(np.empty(6_000, np.int16))
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 6_000, 250, 7_200)]


def test_without_soxr_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['soxr'] = None\n"
        "import realtime_pcm as rp\nfrom realtime_pcm.playback import PlaybackBuffer\n"
        "player = PlaybackBuffer(48_000)\n"
        'message = rp.decode(\'{"type":"response.audio.delta","item_id":"i","delta":"AAAA"}\')\n'
        "try: player.write(message)\n"
        "except ValueError as error: print(error, player.queued, player.interrupt().unheard)\n"
    )
    done_ = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        'pip install "realtime-pcm[play]"' in done_.stdout and "rate=24000" in done_.stdout and done_.stdout.endswith(" 0 ()\n")
    ), done_


@pytest.mark.parametrize("rates", [(1, 24_000), (192_001, 24_000), (24_000, 100)])
def test_rates_that_are_not_resampled(rates: tuple[int, int]) -> None:
    """soxr would take gigabytes for a filter, or end the process; the rate of a message comes from a server."""
    theirs, ours = rates
    player = PlaybackBuffer(ours, seconds=1)
    decoder = rp.Decoder(audio_format=rp.AudioFormat("pcm16", theirs))
    message = decoder.decode(b'{"type":"response.output_audio.delta","item_id":"i","delta":"AAAAAA=="}')
    with pytest.raises(ValueError, match=r"samples a second: rates of 4,000 to 192,000 are resampled"):
        player.write(message)
    assert player.queued == 0
