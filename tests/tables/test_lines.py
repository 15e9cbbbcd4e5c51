"""The lines that C reads against read_recording: generated frames of both sides, in every shape of a recording."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hardening.generate import Generator
from realtime_pcm import arrow, sample
from realtime_pcm.arrow.rows import row_of
from realtime_pcm.arrow.schema import ROW_COLUMNS
from realtime_pcm.recording import RecordingError, beginning, lines as line_files, read_recording, reader

NAMES = [name for name in ROW_COLUMNS if name not in ("source", "seconds")]
HEADER = b'{"recording":"realtime-pcm","version":1,"started":"2026-01-01T00:00:00+00:00"}\n'
FORMAT = '{"audio":{"output":{"format":{"type":"%s"}}}'
ITEM = (
    '{"type":"conversation.item.added","item":{"id":"x\\n","role":"user","content":'
    '[{"text":"one"},7,{"text":null,"transcript":"t\\u0041"},{},{"text":"two"}]}}'
)
FORMATS = ["audio/pcm", "audio/pcmu", "audio/pcma", "audio/mp3"]


def talk(rng: random.Random, count: int) -> list[bytes]:
    """Frames of a conversation: interleaved streams, split samples, formats that change, with faults now and then."""
    frames = []
    for _ in range(count):
        response, item, part = rng.choice("ab"), rng.choice("ijk"), rng.randrange(2)
        ids = f'"response_id":"r{response}","item_id":"{item}","content_index":{part}'
        audio = base64.b64encode(rng.randbytes(rng.randrange(9) if rng.random() < 0.9 else 5000)).decode()
        frames.append(
            rng.choices(
                [
                    f'{{"type":"response.output_audio.delta",{ids},"delta":"{audio}"}}',
                    f'{{"delta":"{audio}",{ids},"type":"response.audio.delta"}}',
                    f'{{"type":"response.output_audio.delta","delta":"{audio[:-1]}*",{ids}}}',
                    f'{{"type":"response.text.delta",{ids},"delta":"ol\\u00e9 é \\ud83d\\ude00","output_index":-7}}',
                    f'{{"type":"response.output_audio.done",{ids}}}',
                    f'{{"type":"response.done","response":{{"id":"r{response}"}}}}',
                    f'{{"type":"response.created","response":{FORMAT % rng.choice(FORMATS)},"id":"r{response}"}}}}',
                    f'{{"type":"session.updated","session":{FORMAT % rng.choice(FORMATS)}}}}}',
                    '{"type":"session.created","session":{}}',
                    f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}',
                    '{"type":"input_audio_buffer.commit"}',
                    '{"type":"input_audio_buffer.speech_started","audio_start_ms":3,"item_id":null}',
                    ITEM,
                    '{"type":"response.content_part.done","part":{"transcript":"p"},"item_id":"i"}',
                    '{"type":"conversation.item.added","item":[],"item_id":3}',
                    '{"type":"error","error":{"message":"m","code":1}}',
                    f'{{"type":"error","error":"m{"x" * rng.randrange(90)}"}}',
                    '{"type":"of.nobod\\u0079","event_id":"e","text":"t"}',
                    "   ",
                    "",
                    "no frame",
                    '{"type":"response.output_audio.delta","delta":"T2dnUwACAAAA"}',
                    '{"type":"response.output_audio.delta","delta":null}',
                    f'{{"type":"response.output_audio.delta",{ids},"format":"pcm16","sample_rate":8000,"delta":"{audio}"}}',
                ],
                [9, 3, 1, 6, 2, 1, 1, 0.5, 0.2, 4, 1, 1, 1, 1, 1, 1, 1, 1, 0.3, 0.3, 0.5, 0.3, 0.3, 1],
            )[0].encode()
        )
    return frames


def generated(rng: random.Random, count: int) -> list[bytes]:
    generator = Generator(rng.randrange(1 << 30), payload_limit=20_000)
    frames = [frame for kind in generator.kinds(count // 20) for frame in generator.batch(kind, 20)]
    rng.shuffle(frames)
    return frames


def plain(rng: random.Random, frames: list[bytes]) -> bytes:
    return b"".join(frame + rng.choice((b"\n", b"\n", b"\r\n")) for frame in frames)


def own(rng: random.Random, frames: list[bytes]) -> bytes:
    lines = [HEADER]
    for number, frame in enumerate(frames):
        way = rng.choice(("received", "sent", "received"))
        event = frame.replace(b"\n", b" ").replace(b"\r", b" ")
        lines.append(b'{"time":%.6f,"direction":"%b","event":%b}\n' % (number * 0.02, way.encode(), event))
        if rng.random() < 0.02:
            lines.append(b'{"time":1.5,"direction":"received","raw":"%b","error":"x"}\n' % base64.b64encode(frame))
        if rng.random() < 0.02:
            lines.append(b'{"time":2.5,"dropped":3}\n')
    return b"".join(lines)


def dated(rng: random.Random, frames: list[bytes]) -> bytes:
    lines = [b'{"event":%b,"at":"2026-05-01T10:00:00Z","dir":"IN"}\n' % sample.lines()[0]]
    for number, frame in enumerate(frames):
        at = rng.choice((f'"2026-05-01T10:{number // 60 % 60:02}:{number % 60:02}.5Z"', '"never"', "null", "1.5e3", "17"))
        way = rng.choice(('"in"', '"OUT"', '"tx"', '"who"', "null"))
        lines.append(b'{"event":%b,"at":%b,"dir":%b}\n' % (frame.replace(b"\n", b" "), at.encode(), way.encode()))
    return b"".join(lines)


def quoted(rng: random.Random, frames: list[bytes]) -> bytes:
    lines = [b'{"ts_ms":1000,"data":%b}\n' % json.dumps(sample.lines()[0].decode()).encode()]
    for number, frame in enumerate(frames):
        try:
            text = json.dumps(frame.decode(), ensure_ascii=rng.random() < 0.5)
        except UnicodeDecodeError:
            continue
        lines.append(b'{"ts_ms":%d,"data":%b}\n' % (1000 + 20 * number, text.encode()))
    return b"".join(lines)


def same_rows(data: bytes, rng: random.Random, pcm: Any = "int16") -> arrow.Batches:
    """Compares the two ways row by row, and gives the Batches that were read. Where two calls mix, both ways say so."""
    expected, fault = [], None
    try:
        for entry in read_recording(io.BytesIO(data), dtype="uint8" if pcm == "sent" else "int16"):
            expected.append(row_of(entry))
    except RecordingError as error:
        fault = str(error)
    batches = arrow.Batches(io.BytesIO(data), pcm=pcm, rows=rng.choice((1, 7, 64, 8192)), size=rng.choice((1, 3000, 1 << 23)))
    place = 0
    for batch in batches:
        batch.validate(full=True)
        for row in batch.to_pylist():
            if fault is not None and row["line"] == 0:
                assert row["error"] == fault
                return batches
            wanted = dict(zip(NAMES, expected[place], strict=True))
            found, samples = row.pop("pcm"), wanted.pop("pcm")
            del row["source"]
            assert row.pop("seconds") == seconds_of(found, wanted)
            assert row == wanted, (row, wanted)
            assert (found is None) == (samples is None)
            if samples is not None:
                array = np.frombuffer(found, np.uint8) if pcm == "sent" else np.array(found, np.int16)
                np.testing.assert_array_equal(array, samples)
            place += 1
    assert place == len(expected) and fault is None
    return batches


def seconds_of(pcm: Any, row: dict[str, Any]) -> float | None:
    """How long the audio of a row is."""
    widths = {"pcm16": 2, "float32": 4, "g711_ulaw": 1, "g711_alaw": 1}
    width = 1 if isinstance(pcm, list) else widths.get(row["encoding"])
    if pcm is None or width is None or row["rate"] is None or row["channels"] is None:
        return None
    return len(pcm) // width / float(row["rate"] * row["channels"])


@pytest.mark.parametrize("pcm", ["int16", "sent"])
@pytest.mark.parametrize("shape", [plain, own, dated, quoted])
@pytest.mark.parametrize("frames", [talk, generated])
def test_the_rows_are_those_of_read_recording(
    tier: str, frames: Callable[..., list[bytes]], shape: Callable[..., bytes], pcm: str
) -> None:
    rng = random.Random(tier)
    same_rows(shape(rng, [sample.lines()[0], *frames(rng, 300)]), rng, pcm)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [plain, own, dated, quoted])
def test_the_rows_are_those_of_read_recording_for_long(shape: Callable[..., bytes]) -> None:
    for seed in range(60):
        rng = random.Random(1000 + seed)
        same_rows(shape(rng, [sample.lines()[0], *talk(rng, 300), *generated(rng, 300)]), rng, rng.choice(("int16", "sent")))


def told(session: str, response: str, kind: str = "response.created") -> list[bytes]:
    began = json.dumps({"type": "session.created", "session": {"id": session}}).encode()
    return [began] * (kind == "response.created") + [json.dumps({"type": kind, "response": {"id": response}}).encode()]


TEXTS = [b'{"type":"response.output_text.delta","response_id":"r","item_id":"i","delta":"t"}'] * 250


@pytest.mark.parametrize("shape", [plain, dated, quoted])
def test_two_sessions_that_mix_after_the_first_lines_are_noticed(shape: Callable[..., bytes]) -> None:
    rng = random.Random(4)
    mixed = [*told("s1", "r1"), *TEXTS, *told("s2", "r2"), *TEXTS, *told("s1", "r1", "response.done"), *TEXTS]
    data = shape(rng, mixed)
    with pytest.raises(RecordingError, match="two sessions in turn"):
        [*read_recording(io.BytesIO(data))]
    same_rows(data, rng)
    apart = [*told("s1", "r1"), *TEXTS, *told("s1", "r1", "response.done"), *told("s2", "r2"), *TEXTS]
    assert same_rows(shape(rng, apart), rng).refused == 0


@pytest.mark.parametrize("shape", [plain, dated, quoted])
def test_two_users_who_speak_in_turn_are_noticed(shape: Callable[..., bytes]) -> None:
    """After a second session has begun, the speech of two items at once proves that both go on."""
    rng = random.Random(6)
    speech = [b'{"type":"input_audio_buffer.speech_started","item_id":"%b"}' % item for item in (b"i1", b"i2")]
    mixed = [*told("s1", "r1")[:1], *TEXTS, *told("s2", "r2")[:1], speech[0], *TEXTS, speech[1], *TEXTS]
    data = shape(rng, mixed)
    with pytest.raises(RecordingError, match="two sessions in turn"):
        [*read_recording(io.BytesIO(data))]
    same_rows(data, rng)


@pytest.mark.parametrize("calls", [[1] * 300 + [2] * 300, [1] * 300 + [2] * 3 + [1] * 300, ["x" * 200] * 300 + [2] * 3])
def test_ids_of_calls_that_mix_after_the_first_lines_are_noticed(calls: list[object]) -> None:
    rng = random.Random(5)
    kept = [b'{"call_id":%b,"event":%b}\n' % (json.dumps(call).encode(), TEXTS[0]) for call in calls]
    batches = same_rows(b"".join(kept), rng)
    if len(set(calls)) == 2 and calls[-1] == 2 and calls[0] == 1:
        assert batches.lines == 600 and batches.slow_lines == 3 and batches.refused == 0
    with pytest.raises(RecordingError) if calls[-1] == 1 else contextlib.nullcontext():
        [*read_recording(io.BytesIO(b"".join(kept)))]


def test_a_word_for_a_direction_counts_as_it_is_written() -> None:
    """Where the first lines teach that OUT is what the server sends, "OUT" and "out" are two words."""
    rng = random.Random(6)
    delta = b'{"type":"response.output_text.delta","response_id":"r","item_id":"i","delta":"t"}'
    append = b'{"type":"input_audio_buffer.commit"}'
    ways = [(b"OUT", delta), (b"IN", append)] * 150 + [(b"OUT", b'{"type":"x.y"}'), (b"IN", b'{"type":"x.y"}')] * 50
    same_rows(b"".join(b'{"event":%b,"dir":"%b"}\n' % (frame, way) for way, frame in ways), rng)


def test_no_line_of_a_session_takes_the_gil() -> None:
    rng = random.Random(1)
    batches = same_rows(plain(rng, sample.lines()), rng)
    assert batches.lines == len(sample.lines()) and batches.slow_lines == 0


@pytest.mark.parametrize("cut", [30, 200, 5000])
def test_damaged_data_lose_no_whole_line(cut: int) -> None:
    rng = random.Random(cut)
    data = gzip.compress(plain(rng, sample.lines() * 3), mtime=0)
    same_rows(data[:-cut], rng)
    same_rows(data[: len(data) // 2] + b"\x00" * 50 + data[len(data) // 2 :], rng)


def test_long_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime_pcm.arrow import batches

    monkeypatch.setattr(batches, "BUFFER", 512)
    rng = random.Random(2)
    same_rows(plain(rng, [*sample.lines()[:30], *talk(rng, 200)]), rng)
    for module in (reader, beginning, line_files, batches):
        monkeypatch.setattr(module, "LONGEST_LINE", 3000)
    short = [frame for frame in sample.lines() if len(frame) < 3000]
    for length in (2999, 3000, 3001, 9000, 70_000):
        long = b'{"type":"x","y":"' + b"z" * (length - 19) + b'"}'
        for end in (b"\n", b""):
            same_rows(b"\n".join([*short[:20], long, *short[20:], long]) + end, rng)
