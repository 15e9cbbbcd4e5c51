"""Payloads of float32 samples, and payloads that are WAV files."""

from __future__ import annotations

import io
import json
import struct
import wave
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat
from support.session_frames import DEFAULT, b64, decoder_after, delta, done, dumps, nested, session

# Samples with every special case of the conversion: rounding half to even, saturation, NaN.
FLOATS = np.array([0, 0.5, -0.5, 1, -1, 2, -2, 0.5 / 32768, 1.5 / 32768, 2.5 / 32768, np.nan, np.inf, -np.inf, 1e-9], "<f4")
AS_INT16 = [0, 16384, -16384, 32767, -32768, 32767, -32768, 0, 2, 2, 0, 32767, -32768, 0]


# ---- float32


def test_float32_becomes_int16_by_the_one_rule(tier: str) -> None:
    for decoder in (
        rp.Decoder(audio_format="float32"),
        rp.Decoder(audio_format=AudioFormat("float32", 24000)),
        decoder_after(session(output_audio_format="float32")),
        decoder_after(session(**nested({"type": "f32le", "rate": 24000}))),
    ):
        message = decoder.decode(delta(FLOATS.tobytes()))
        assert message.pcm.tolist() == AS_INT16 and message.pcm.dtype == np.int16
        assert message.audio_format == AudioFormat("float32", 24000)
        assert message.pcm_format == AudioFormat("pcm16", 24000)
    # The same rule as for samples that are sent.
    assert rp.decode(rp.encode_append(FLOATS), side="client").pcm.tolist() == AS_INT16


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 63, 64, 1023, 1024, 1025, 5000])
def test_float32_of_any_length(count: int, tier: str) -> None:
    samples = np.random.default_rng(count).uniform(-1.2, 1.2, count).astype("<f4")
    expected = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    frame = delta(samples.tobytes())
    assert np.array_equal(rp.decode(frame, audio_format="float32").pcm, expected)
    exact = rp.decode(frame, audio_format="float32", dtype="float32").pcm
    assert exact.dtype == np.float32 and exact.tobytes() == samples.tobytes()
    assert rp.decode(frame, audio_format="float32", dtype="bytes").pcm == expected.astype("<i2").tobytes()
    assert rp.decode(frame, audio_format="float32", dtype="uint8").pcm.tobytes() == samples.tobytes()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 4097])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_samples_of_four_bytes_are_split_anywhere(size: int, dtype: str, tier: str) -> None:
    samples = np.random.default_rng(size).uniform(-1, 1, 3000 if size > 100 else 60).astype("<f4")
    raw = samples.tobytes() + b"\x01\x02\x03"
    decoder = rp.Decoder(audio_format="float32", dtype=dtype)
    heard, at = [], 0
    for start in range(0, len(raw), size):
        message = decoder.decode(delta(raw[start : start + size], item_id="i"))
        assert message.sample_offset == at and message.incomplete_sample == b""
        at += message.pcm.size
        heard.append(message.pcm)
    assert np.array_equal(np.concatenate(heard), rp.decode(delta(samples.tobytes()), audio_format="float32", dtype=dtype).pcm)
    assert decoder.decode(done(item_id="i")).incomplete_sample == b"\x01\x02\x03" and decoder.evicted_bytes == 0


def test_minicpm_sends_float32_under_the_name_of_openai() -> None:
    decoder = rp.Decoder(audio_format="float32")
    frame = dumps(type="response.output_audio.delta", text="hi", audio=b64(FLOATS.tobytes()), end_of_turn=False)
    assert decoder.decode(frame).pcm.tolist() == AS_INT16


def test_left_out_deltas_of_four_bytes_a_sample_move_the_stream() -> None:
    decoder, passing = (rp.Decoder(audio_format="float32", only=only) for only in (None, "error"))
    shared = rp.Decoder(audio_format="float32", session=passing.session)
    for size in (3, 6, 1, 0, 9, 4, 2):
        frame = delta(bytes(range(size)), item_id="i")
        whole = decoder.decode(frame)
        assert passing.decode(frame) is None
    ends = [every.decode(done(item_id="i")).incomplete_sample for every in (decoder, shared)]
    assert ends[0] == ends[1] == b"\x01" and whole.sample_offset == 5


def test_a_carry_of_another_width_is_counted() -> None:
    decoder = decoder_after(session(output_audio_format="float32"), delta(b"\x01\x02\x03", item_id="i"))
    decoder.decode(session(output_audio_format="pcm16"))
    assert decoder.decode(delta(b"\x04\x05", item_id="i")).pcm.tolist() == [0x0504] and decoder.evicted_bytes == 3


# ---- WAV


def wav(samples: np.ndarray, rate: int = 16000, channels: int = 1) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return written.getvalue()


def riff(*chunks: tuple[bytes, bytes], length: int | None = None) -> bytes:
    """A WAV file of these chunks; `length` in place of that of the last one."""
    body = b"WAVE"
    for number, (name, content) in enumerate(chunks):
        said = length if length is not None and number == len(chunks) - 1 else len(content)
        body += name + struct.pack("<I", said) + content + b"\0" * (len(content) & 1 and number < len(chunks) - 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int, bits: int, rate: int = 16000, channels: int = 1, extra: bytes = b"") -> tuple[bytes, bytes]:
    return b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits) + extra


SAMPLES = np.arange(-300, 300, dtype=np.int16)


@pytest.mark.parametrize("dtype", ["int16", "float32", "bytes"])
def test_each_payload_says_its_rate_and_channels(dtype: str, tier: str) -> None:
    decoder = rp.Decoder(audio_format="wav", dtype=dtype)
    offset = 0
    for rate, channels, count in ((16000, 1, 600), (48000, 2, 6), (8000, 1, 0), (16000, 1, 599)):
        message = decoder.decode(delta(wav(SAMPLES[:count], rate, channels), item_id="i"))
        assert message.audio_format == AudioFormat("wav", rate, channels)
        assert message.pcm_format == AudioFormat("float32" if dtype == "float32" else "pcm16", rate, channels)
        pcm = np.frombuffer(message.pcm, "<i2") if dtype == "bytes" else message.pcm
        assert np.array_equal(pcm, SAMPLES[:count] / np.float32(32768) if dtype == "float32" else SAMPLES[:count])
        assert message.sample_offset == offset
        offset += count
    assert decoder.decode(done(item_id="i")).incomplete_sample == b""


def test_the_samples_of_a_file_lie_wherever_its_header_ends(tier: str) -> None:
    """Chunks before and after the samples, of every length; a length that a server which streams does not know yet."""
    for before in range(9):
        for payload in (
            riff((b"LIST", bytes(before)), fmt(1, 16), (b"data", SAMPLES.tobytes()), (b"LIST", b"the end")),
            riff(fmt(1, 16), (b"junk", bytes(before * 400)), (b"data", SAMPLES.tobytes()), length=0),
            riff(fmt(1, 16), (b"junk", bytes(before)), (b"data", SAMPLES.tobytes()), length=0xFFFFFFFF),
            riff(fmt(0xFFFE, 16, extra=struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)), (b"data", SAMPLES.tobytes())),
        ):
            for frame in (delta(payload), delta(payload).replace(b"/", rb"\/")):
                message = rp.decode(frame, audio_format="wav")
                assert np.array_equal(message.pcm, SAMPLES), before
    odd = rp.decode(delta(riff(fmt(1, 16), (b"data", SAMPLES.tobytes() + b"\x07"))), audio_format="wav")
    assert np.array_equal(odd.pcm, SAMPLES) and odd.incomplete_sample == b"\x07"


@pytest.mark.parametrize(("tag", "bits", "name"), [(3, 32, "float32"), (7, 8, "g711_ulaw"), (6, 8, "g711_alaw")])
def test_wav_of_other_encodings(tag: int, bits: int, name: str, tier: str) -> None:
    raw = np.linspace(-1, 1, 100, dtype="<f4").tobytes() if bits == 32 else bytes(range(256))
    message = rp.decode(delta(riff(fmt(tag, bits, 8000), (b"data", raw))), audio_format="wav")
    assert np.array_equal(message.pcm, rp.decode(delta(raw), audio_format=name).pcm) and message.audio_format.rate == 8000


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"ID3\x04whatever it is", "no WAV header"),
        (b"RIFF", "no WAV header"),
        (riff(fmt(1, 24), (b"data", bytes(6))), "WAV samples that are none of"),
        (riff(fmt(1, 16, rate=0), (b"data", bytes(6))), "without a rate"),
        (riff(fmt(1, 16, channels=0), (b"data", bytes(6))), "without a rate or channels"),
        (riff((b"data", bytes(6))), "without a chunk of samples"),
        (riff(fmt(1, 16)), "without a chunk of samples"),
        (riff(fmt(1, 16), (b"junk", b""), length=0xFFFFFFF0), "without a chunk of samples"),
    ],
)
def test_a_file_that_is_no_wav_of_ours_is_refused(payload: bytes, reason: str) -> None:
    decoder = rp.Decoder(audio_format="wav")
    decoder.decode(delta(wav(SAMPLES), item_id="i"))
    with pytest.raises(rp.DecodeError, match=reason) as caught:
        decoder.decode(delta(payload, item_id="i"))
    assert caught.value.field == "delta"
    assert decoder.decode(delta(wav(SAMPLES), item_id="i")).sample_offset == SAMPLES.size


def test_base64_after_the_samples_of_a_file_is_checked_too() -> None:
    frame = delta(riff(fmt(1, 16), (b"data", bytes(60)), (b"LIST", bytes(300))))
    bad = frame.replace(b'AA=="', b'A*=="')
    assert bad != frame
    with pytest.raises(rp.DecodeError, match="not base64"):
        rp.decode(bad, audio_format="wav")


def test_wav_where_nobody_named_a_format() -> None:
    """Inworld sends a file in each chunk now and then. Its header would be a click, and its rate another one."""
    for frame in (delta(wav(SAMPLES)), delta(wav(SAMPLES)).replace(b"/", rb"\/")):
        for decode in (rp.decode, rp.Decoder().decode, rp.Decoder(dtype="float32").decode):
            with pytest.raises(rp.DecodeError, match='audio_format="wav" reads the header of each payload'):
                decode(frame)
    assert rp.decode(frame, dtype="uint8").pcm.tobytes() == wav(SAMPLES)
    # Where somebody says that it is PCM, it is PCM.
    assert decoder_after(session(output_audio_format="pcm16")).decode(frame).pcm.size == len(wav(SAMPLES)) // 2
    assert rp.decode(delta(b"RIFF" + bytes(60))).audio_format == DEFAULT


def test_a_session_that_names_wav() -> None:
    decoder = decoder_after(session(output_audio_format="wav"))
    message = decoder.decode(delta(wav(SAMPLES, 44100)))
    assert message.audio_format == AudioFormat("wav", 44100) and np.array_equal(message.pcm, SAMPLES)
    out = np.zeros(1000, np.int16)
    assert np.array_equal(decoder.decode(delta(wav(SAMPLES)), out).pcm, SAMPLES) and not out[600:].any()
    with pytest.raises(ValueError, match="holds 10 samples"):
        decoder.decode(delta(wav(SAMPLES)), out[:10])
    assert decoder.decode(delta(b"")).pcm.size == 0


def test_left_out_files_move_the_stream() -> None:
    passing = rp.Decoder(audio_format="wav", only="error")
    for _ in range(3):
        assert passing.decode(delta(wav(SAMPLES), item_id="i")) is None
    assert rp.Decoder(audio_format="wav", session=passing.session).decode(delta(wav(SAMPLES), item_id="i")).sample_offset == 1800


def test_any_bytes_after_riff_end_in_a_message_or_an_error() -> None:
    rng = np.random.default_rng(8)
    good = riff((b"LIST", b"abc"), fmt(1, 16), (b"data", SAMPLES[:30].tobytes()))
    refused = 0
    for _ in range(4000):
        payload = bytearray(good)
        for place in rng.integers(0, len(payload), rng.integers(1, 4)):
            payload[place] = rng.integers(0, 256)
        try:
            rp.decode(
                json.dumps({"type": "response.audio.delta", "delta": b64(bytes(payload[: rng.integers(0, 120)]))}),
                audio_format="wav",
            )
        except rp.DecodeError:
            refused += 1
    assert refused > 500


def test_the_bytes_of_a_file_as_they_were_sent() -> None:
    message: Any = rp.decode(delta(wav(SAMPLES)), audio_format="wav", dtype="uint8")
    assert message.pcm.tobytes() == wav(SAMPLES) and message.audio_format == AudioFormat("wav", 24000)


@pytest.mark.parametrize("only", [None, "error"])
def test_half_a_sample_at_the_end_of_a_file_joins_no_other_and_is_counted(only: str | None) -> None:
    odd = riff(fmt(1, 16), (b"data", b"abcde"))
    decoder = rp.Decoder(only=only)
    shared = rp.Decoder(session=decoder.session)
    shared.decode(session(output_audio_format="wav"))
    decoder.decode(delta(odd, item_id="i"))
    assert decoder.evicted_bytes == 1
    shared.decode(session(output_audio_format="pcm16"))
    assert shared.decode(delta(b"\1\0\2\0", item_id="i")).pcm.tolist() == [1, 2]
    assert shared.decode(done(item_id="i")).incomplete_sample == b""
    assert rp.decode(delta(odd), audio_format="wav").incomplete_sample == b"e"


@pytest.mark.parametrize("payload", [b"not a wav at all....", riff(fmt(1, 24), (b"data", b"abcdef"))], ids=["no file", "24 bits"])
def test_a_file_that_is_left_out_is_never_refused(payload: bytes) -> None:
    assert rp.Decoder(only="response.done", audio_format="wav").decode(delta(payload)) is None
    broken = dumps(type="response.output_audio.delta", delta="abc")
    assert rp.Decoder(only="response.done", audio_format="wav").decode(broken) is None
