"""audio_format=: which names a caller may write, and what is said of the other ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat
from realtime_pcm.audio import forced_format
from support.session_frames import ALAW, DEFAULT, PCM, ULAW, decoder_after, delta, session

SPELLINGS = {
    ULAW: [
        "g711_ulaw",
        "audio/pcmu",
        "pcmu",
        "PCMU",
        "ulaw",
        "mulaw",
        "mu-law",
        "mu_law",
        "u-law",
        "MuLaw",
        "µ-law",
        "μ-law",
        "µlaw",
        "G.711 ulaw",
        "G.711 mu-law",
        "g711-ulaw",
        "g711 µ-law",
        "g711u",
        "audio/x-mulaw",
        "audio/mulaw",
        "pcm_mulaw",
        " pcmu ",
    ],
    ALAW: [
        "g711_alaw",
        "audio/pcma",
        "pcma",
        "PCMA",
        "alaw",
        "a-law",
        "A-Law",
        "a_law",
        "G.711 A-law",
        "g711a",
        "audio/x-alaw",
        "pcm_alaw",
    ],
    DEFAULT: ["pcm16", "PCM16", "pcm", "PCM", "pcm_16", "audio/pcm", "s16le", "pcm_s16le", "linear16", "LINEAR16", "pcm24"],
    AudioFormat("pcm16", 8000): ["pcm16_8000hz", "pcm16-8000hz", "PCM16 8000 Hz"],
    AudioFormat("pcm16", 16000): ["pcm16_16000hz", "pcm16-16000hz"],
}
NAMES = [(name, found) for found, names in SPELLINGS.items() for name in names]


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8", "bytes"])
@pytest.mark.parametrize(("name", "found"), NAMES, ids=[ascii(name) for name, _ in NAMES])
def test_names_that_people_write(name: str, found: AudioFormat, dtype: str) -> None:
    assert forced_format(name, dtype) == found
    decoder = rp.Decoder(dtype=dtype, audio_format=name)
    assert decoder.audio_format == found
    for message in (decoder.decode(delta()), rp.decode(delta(), dtype=dtype, audio_format=name)):
        assert message.audio_format == found
        samples = PCM.size if found.encoding == "pcm16" and dtype != "uint8" else PCM.nbytes
        assert len(message.pcm) == (2 * samples if dtype == "bytes" else samples)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mulow", "did you mean 'mulaw'?"),
        ("aulaw", "did you mean 'ulaw'?"),
        ("g771_ulaw", "did you mean 'g711_ulaw'?"),
        ("g711_alow", "did you mean 'g711_alaw'?"),
        ("pmcu", "did you mean 'pcmu'?"),
        ("pcm32", "did you mean 'pcm_f32le'?"),
        ("pcm16_8000", "did you mean 'pcm16_8000hz'?"),
        ("g711", "say 'g711_ulaw' or 'g711_alaw'"),
        ("nope", "the known names are 'pcm16', 'float32', 'g711_ulaw', 'g711_alaw' and 'wav'"),
        ("mp3", "the known names are 'pcm16', 'float32', 'g711_ulaw', 'g711_alaw' and 'wav'"),
        ("audio/opus", "the known names are 'pcm16', 'float32', 'g711_ulaw', 'g711_alaw' and 'wav'"),
        ("x" * 10_000, "the known names are 'pcm16', 'float32', 'g711_ulaw', 'g711_alaw' and 'wav'"),
    ],
)
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_another_name_is_refused_with_the_nearest(name: str, hint: str, dtype: str) -> None:
    with pytest.raises(ValueError) as caught:
        forced_format(name, dtype)
    text = str(caught.value)
    assert text.startswith(f"audio_format {name[:100]!r} is neither PCM nor G.711") and hint in text
    assert text.endswith('dtype="uint8" takes any name and gives the bytes as sent')
    for refused in (
        lambda: rp.Decoder(dtype=dtype, audio_format=name),
        lambda: rp.decode(delta(), dtype=dtype, audio_format=name),
        lambda: rp.decode_stream([delta()], dtype=dtype, audio_format=name),
    ):
        with pytest.raises(ValueError) as caught:
            refused()
        assert str(caught.value) == text


@pytest.mark.parametrize("name", ["mp3", "nope", "audio/opus", "mulow"])
def test_uint8_takes_any_name(name: str) -> None:
    assert forced_format(name, "uint8") == AudioFormat(name, 24000)
    message = rp.decode(delta(b"ID3"), dtype="uint8", audio_format=name)
    assert message.audio_format.encoding == name and message.pcm.tobytes() == b"ID3"
    decoder = rp.Decoder(dtype="uint8", audio_format=AudioFormat(name, 48000))
    assert decoder.decode(delta(b"ID3")).audio_format == AudioFormat(name, 48000)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_an_audio_format_of_another_encoding_is_refused_too(dtype: str) -> None:
    for known in (DEFAULT, ULAW, ALAW, AudioFormat("pcm16", 48000, 2)):
        assert forced_format(known, dtype) is known
    for encoding, hint in (
        ("mulaw", "AudioFormat calls it 'g711_ulaw'"),
        ("audio/pcma", "AudioFormat calls it 'g711_alaw'"),
        ("pcm", "AudioFormat calls it 'pcm16'"),
        ("g711_ulow", "did you mean 'g711_ulaw'?"),
        ("mp3", "the known names are 'pcm16', 'float32', 'g711_ulaw', 'g711_alaw' and 'wav'"),
    ):
        given = AudioFormat(encoding, 8000)
        says = rf"^the encoding of AudioFormat\('{encoding}', 8000\) is neither PCM nor G.711.*{hint}.*uint8"
        for refused in (
            lambda given=given: forced_format(given, dtype),
            lambda given=given: rp.Decoder(dtype=dtype, audio_format=given),
        ):
            with pytest.raises(ValueError, match=says.replace("?", r"\?")):
                refused()


def test_names_that_say_nothing() -> None:
    assert forced_format(None, "int16") is None
    for dtype in ("int16", "uint8"):
        for name in ("", "not specified"):
            with pytest.raises(ValueError, match="names no format"):
                forced_format(name, dtype)
        for wrong in (7, b"pcm16", ["pcm16"], AudioFormat, True):
            with pytest.raises(TypeError, match=f"is an AudioFormat, a name or None, not {type(wrong).__name__}$"):
                forced_format(wrong, dtype)


@pytest.mark.parametrize("name", ["mulaw", "mu-law", "ulaw", "alaw"])
def test_what_a_server_calls_so_is_not_guessed(name: str) -> None:
    """No provider's document has these names: the audio is refused, the error names the format, and a caller can force one."""
    frames = session(output_audio_format=name), delta()
    decoder = decoder_after(frames[0])
    assert decoder.audio_format == AudioFormat(name, 24000)
    with pytest.raises(rp.DecodeError, match=f"audio format '{name}' is neither PCM nor G.711"):
        decoder.decode(frames[1])
    assert decoder_after(*frames, audio_format=name).audio_format == forced_format(name, "int16")


def test_a_good_name_loads_no_difflib() -> None:
    script = (
        "import sys, realtime_pcm as rp\n"
        "rp.Decoder(audio_format='mu-law'); print('difflib' in sys.modules)\n"
        "try: rp.Decoder(audio_format='nope')\n"
        "except ValueError: print('difflib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
