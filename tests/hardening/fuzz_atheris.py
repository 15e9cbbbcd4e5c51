"""Coverage-guided frames through the Python API against the reference; `python tools/fuzz.py` builds what it needs and runs it.

The corpus is seeded with a frame of every type where it is empty. Needs atheris; anything that differs is a crash whose
input libFuzzer keeps.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import realtime_pcm as rp
from hardening.differential import check
from hardening.frames import KINDS, real_frame
from hardening.reference import expect

_DTYPES = ("int16", "float32", "uint8", "bytes")


def one(data: bytes) -> None:
    frame = bytes(data)
    dtype = _DTYPES[len(frame) % len(_DTYPES)]
    for difference in check([frame], dtype, len(frame)):
        raise AssertionError(difference)
    # The same through a decoder that holds a byte of another stream, whose payloads are decoded behind the walk.
    decoder = rp.Decoder(dtype=dtype)
    decoder.decode(b'{"type":"response.audio.delta","response_id":"another","delta":"AAEC"}')
    before = decoder.audio_format, decoder.input_audio_format
    try:
        message = decoder.decode(frame)
    except rp.DecodeError:
        if before != (decoder.audio_format, decoder.input_audio_format):
            raise AssertionError("a refused frame moved the session") from None
        if expect(frame, dtype) is not None and dtype == "int16":
            raise
        return
    alone = rp.decode(frame, dtype=dtype)
    if isinstance(message, rp.messages.AudioMessage) and bytes(message.pcm) != bytes(alone.pcm):
        raise AssertionError("another payload behind the walk")
    repr(message), message == alone, message.extra


def main() -> None:
    folder = next((Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")), None)
    if folder is not None and folder.is_dir() and not any(folder.iterdir()):
        for kind in KINDS:
            (folder / kind.type).write_bytes(real_frame(kind, bytes(range(31))))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
