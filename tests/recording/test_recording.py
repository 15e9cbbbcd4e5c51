"""Recordings: what a Recorder writes, and what read_recording makes of it and of other people's files."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import _bulk, sample
from realtime_pcm.recording import (
    Entry,
    Recorder,
    RecordingError,
    beginning,
    lines as line_files,
    read_recording,
    reader,
    times,
    writer,
)

FRAMES = sample.lines()
APPEND = b'{"type":"input_audio_buffer.append","audio":"AAABAAIA"}'
SUFFIXES = ["", ".gz", ".zst"]


def read(data: bytes | Path, **options: Any) -> list[Entry]:
    return list(read_recording(io.BytesIO(data) if isinstance(data, bytes) else data, **options))


def lines(*parts: bytes | str | dict[str, Any]) -> bytes:
    return b"".join(
        (part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else json.dumps(part).encode()) + b"\n"
        for part in parts
    )


def wrapped(key: str = "event", frames: list[bytes] = FRAMES, quoted: bool = False, behind: str = "", **beside: Any) -> bytes:
    made = []
    for number, frame in enumerate(frames):
        value = json.dumps(frame.decode()) if quoted else frame.decode()
        others = {name: value_of(number) if callable(value_of) else value_of for name, value_of in beside.items()}
        head = "".join(f'"{name}":{json.dumps(other)},' for name, other in others.items() if name not in behind.split())
        tail = "".join(f',"{name}":{json.dumps(other)}' for name, other in others.items() if name in behind.split())
        made.append(f'{{{head}"{key}":{value}{tail}}}')
    return lines(*made)


def same(entries: list[Entry], frames: list[bytes] = FRAMES) -> None:
    """The entries are the frames, byte for byte, decoded as in one connection."""
    assert [entry.error for entry in entries] == [None] * len(frames)
    assert [bytes(entry.frame, "utf-8") if isinstance(entry.frame, str) else entry.frame for entry in entries] == frames
    for entry, message in zip(entries, rp.decode_stream(frames), strict=True):
        assert type(entry.message) is type(message)
        if isinstance(message, rp.messages.ResponseAudioDelta):
            assert isinstance(entry.message, rp.messages.ResponseAudioDelta)
            assert entry.message.pcm.tobytes() == message.pcm.tobytes()
            assert (entry.message.sample_offset, entry.message.audio_format) == (message.sample_offset, message.audio_format)


# --- there and back


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_recorded_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"call.jsonl{suffix}"
    before = datetime.now(UTC)
    with Recorder(path) as record:
        for message in rp.decode_stream(FRAMES):
            record.received(message)
        record.sent(APPEND)
        record.sent(bytearray(APPEND))
        record.sent(memoryview(APPEND))
        record.sent('{"type":"response.create",\r\n "x":"é"}')
    assert (record.written, record.dropped, record.error) == (len(FRAMES) + 4, 0, None)
    with read_recording(path) as recording:
        assert recording.shape == "a recording of realtime-pcm, version 1"
        assert recording.started is not None and abs((recording.started - before).total_seconds()) < 60
        entries = list(recording)
    same(entries[: len(FRAMES)])
    assert [entry.direction for entry in entries] == ["received"] * len(FRAMES) + ["sent"] * 4
    assert [entry.line for entry in entries] == list(range(2, len(entries) + 2))
    times = [entry.time for entry in entries]
    assert all(isinstance(moment, float) and 0 <= moment < 60 for moment in times) and times == sorted(times)  # type: ignore[type-var]
    assert entries[-1].frame == '{"type":"response.create",   "x":"é"}'.encode()
    packed = path.read_bytes()[:4]
    assert packed.startswith({"": b'{"re', ".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}[suffix])


def test_frames_that_are_no_json_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    odd = [b"\x00\x01\xff", b'{"type":"x"', b'{"a":1}', "\ud800", b"", b'{"type":"response.audio.delta","delta":"*"}']
    with Recorder(path) as record:
        for frame in odd:
            record.received(frame)
    kept = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert ["raw" in line for line in kept] == [True] * 5 + [False]
    assert kept[0]["error"].startswith("binary frame")
    entries = read(path)
    assert [entry.frame for entry in entries] == [b"\x00\x01\xff", *odd[1:3], b"\xed\xa0\x80", b"", odd[5]]
    assert all(entry.error is not None and entry.message is None and entry.time is not None for entry in entries)


def test_a_recording_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl.gz"
    Recorder(path).close()
    with pytest.raises(FileExistsError):
        Recorder(path)
    Recorder(path, overwrite=True).close()
    assert read(path) == []


def test_what_a_recorder_refuses(tmp_path: Path) -> None:
    with Recorder(tmp_path / "call.jsonl") as record:
        for wrong in (5, None, {"type": "x"}, [b"x"]):
            with pytest.raises(TypeError, match="frames"):
                record.received(wrong)
    with pytest.raises(ValueError, match="closed"):
        record.sent(b"{}")
    record.close()  # again


def test_a_full_queue_drops_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    original = Recorder._write_waiting
    monkeypatch.setattr(Recorder, "_write_waiting", lambda self: (gate.wait(30), original(self))[1])
    path = tmp_path / "call.jsonl"
    with Recorder(path, max_frames=10) as record:
        for _ in range(500):
            record.received(b'{"type":"ping"}')
            if record.dropped:
                break
        dropped = record.dropped
        gate.set()
    assert dropped and record.dropped == dropped
    with read_recording(path) as recording:
        count = len(list(recording))
    assert recording.dropped == dropped and count == record.written


def test_bytes_that_wait_are_bounded(tmp_path: Path) -> None:
    with Recorder(tmp_path / "call.jsonl", max_bytes=1000) as record:
        record.received(b'{"type":"' + b"x" * 1000 + b'"}')
    assert (record.written, record.dropped) == (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        with Recorder("/dev/full", overwrite=True) as record:
            record.received(FRAMES[0])
    assert record.error is not None and record.dropped + record.written == 1


def test_threads_record_together(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with Recorder(path) as record:
        threads = [
            threading.Thread(target=lambda put: [put(b'{"type":"ping"}') for _ in range(2000)], args=(put,))
            for put in (record.received, record.sent)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    entries = read(path)
    assert record.dropped == 0 and len(entries) == 4000
    assert sum(entry.direction == "sent" for entry in entries) == 2000


def test_a_silent_recorder_wakes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_STAYS", 0)
    path = tmp_path / "call.jsonl"
    with Recorder(path) as record:
        deadline = time.monotonic() + 30
        while not record._asleep and time.monotonic() < deadline:
            time.sleep(0.01)
        assert record._asleep
        record.received(b'{"type":"ping"}')
        while not record.written and time.monotonic() < deadline:
            time.sleep(0.01)
        assert record.written == 1


# --- other people's wrappers


@pytest.mark.parametrize("quoted", [False, True], ids=["object", "string"])
@pytest.mark.parametrize("key", ["event", "data", "message", "frame"])
def test_wrappers(key: str, quoted: bool) -> None:
    data = wrapped(
        key,
        quoted=quoted,
        direction="in",
        ts=lambda number: 1_700_000_000_000 + 20 * number,
        last=None,
        ok=True,
        behind="last ok",
    )
    with read_recording(io.BytesIO(data)) as recording:
        kind = "a string of JSON" if quoted else "an object"
        assert recording.shape == f'wrapped: the frame is "{key}", {kind}, time in "ts", direction in "direction"'
        entries = list(recording)
    same(entries)
    assert [entry.time for entry in entries] == pytest.approx([0.02 * number for number in range(len(FRAMES))], abs=1e-5)
    assert recording.started == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_the_fast_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of one shape are looked into once, whatever stands behind the frame, and however it is spaced."""
    looked = []
    original = reader.members_of

    def look(line: bytes) -> Any:
        looked.append(line)
        return original(line)

    monkeypatch.setattr(reader, "members_of", look)
    frame = '{"type":"response.text.delta","delta":"a}\\",\\"ts\\":5}\\\\"}'
    for quoted in (False, True):
        data = wrapped(
            frames=[frame.encode()] * 50, quoted=quoted, behind="ts word", side="server", ts=lambda number: number, word="so}, it"
        )
        spaced = data.replace(b'","', b'" , "').replace(b':{"type"', b' : {"type"') if not quoted else data
        for text in (data, spaced):
            looked.clear()
            entries = read(text)
            assert [entry.error for entry in entries] == [None] * 50
            assert len(looked) == 1, quoted  # for the first template
            assert entries[-1].time == 49


def test_lines_that_differ_from_the_first() -> None:
    data = lines(
        {"ts": 1, "event": {"type": "ping"}},
        {"event": {"type": "ping"}, "ts": 2, "more": {"a": [1]}},
        {"ts": 3, "note": 'a "quote"', "event": {"type": "ping"}},
        {"ts": 4, "event": '{"type":"ping","text":"\\u00e9\\n"}'},
        '{"ts":5,"event":{"type":"ping"},"event":{"type":"pong"}}',
        {"ts": "1970-01-01T00:00:06Z", "event": {"type": "ping"}},
        {"ts": [7], "event": {"type": "ping"}},
    )
    entries = read(data)
    assert [entry.error for entry in entries] == [None] * 7
    assert [entry.time for entry in entries] == [0, 1, 2, 3, 4, 5, None]
    assert [entry.message.type for entry in entries if entry.message] == ["ping"] * 4 + ["pong"] + ["ping"] * 2


def test_bad_lines_have_their_number_and_reason() -> None:
    good = {"t": 1, "dir": "server", "event": {"type": "ping"}}
    data = lines(
        good,
        "",
        '{"t":2,"dir":"server","event":{"type":"response.audio.delta","delta":"AAA*"}}',
        '{"t":2,"dir":"server","event":{"type":"ping"}',
        {"t": 3, "dir": "server"},
        {"t": 4, "dir": "server", "event": 5},
        "[]",
        "nonsense",
        '{"t":5,"dir":"server","event":"no json"}',
        good,
    )
    with read_recording(io.BytesIO(data)) as recording:
        entries = list(recording)
    # A damaged frame or line is refused. What holds no frame, and is whole, is passed over and counted.
    assert [entry.line for entry in entries] == [1, 3, 4, 10]
    assert (recording.refused, recording.passed_over) == (2, 5)
    assert recording.notes == ["5 lines have no frame"]
    reasons = [str(entry.error) for entry in entries if entry.error]
    assert "not base64" in reasons[0] and reasons[0].startswith("response.audio.delta: delta")
    assert entries[-1].message is not None


def test_deep_wrappers_do_not_recurse() -> None:
    deep = b'{"t":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"event":{"type":"ping"}}'
    entries = read(lines({"t": 1, "event": {"type": "ping"}}, deep))
    assert entries[1].error is not None


@pytest.mark.parametrize(
    ("word", "direction"),
    [("in", "received"), ("Outbound", "sent"), ("server", "received"), ("client", "sent"), ("<-", "received"), ("?", "received")],
)
def test_words_for_directions(word: str, direction: str) -> None:
    [entry] = read(lines({"dir": word, "event": {"type": "acme.unknown"}}))
    assert entry.direction == direction


def test_the_type_tells_the_side_where_nothing_else_does() -> None:
    entries = read(lines(FRAMES[0], APPEND, b'{"type":"acme.x"}', {"type": "response.create"}))
    assert [entry.direction for entry in entries] == ["received", "sent", "received", "sent"]
    # Written by the other end: what the server received, the client has sent.
    sides = {"received": APPEND, "sent": FRAMES[0]}
    entries = read(lines(*({"direction": side, "event": json.loads(frame)} for side, frame in sides.items())))
    assert [entry.direction for entry in entries] == ["sent", "received"]
    assert type(entries[0].message) is rp.client_messages.InputAudioBufferAppend


def test_both_sides_share_one_session() -> None:
    """The caller's rate is known where only the server names it."""
    updated = {"type": "session.updated", "session": {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}}
    data = lines(*({"event": event} for event in (updated, json.loads(APPEND))))
    message = read(data)[1].message
    assert isinstance(message, rp.client_messages.InputAudioBufferAppend)
    assert message.audio_format == rp.AudioFormat("g711_ulaw", 8000) and len(message.pcm) == 6


def test_options_are_the_decoders() -> None:
    message = read(APPEND, dtype="float32", audio_format="pcmu")[0].message
    assert isinstance(message, rp.client_messages.InputAudioBufferAppend)
    assert message.pcm.dtype == np.float32 and len(message.pcm) == 6


# --- files


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_ways_to_write_lines(pack: Any, bom: bytes, end: bytes, tmp_path: Path) -> None:
    for body in (end.join(FRAMES), wrapped().replace(b"\n", end)):
        path = tmp_path / "call"  # the first bytes tell what is packed, not the name
        path.write_bytes(pack(bom + body))
        same(read(path))
        with open(path, "rb") as file:
            same(list(read_recording(file)))
            assert not file.closed
        with open(path) as text:
            same(list(read_recording(text)))


def test_concatenated_files() -> None:
    zstandard = pytest.importorskip("zstandard")
    half = len(FRAMES) // 2
    parts = [lines(*FRAMES[:half]), lines(*FRAMES[half:])]
    same(read(b"".join(map(gzip.compress, parts))))
    same(read(b"".join(map(zstandard.compress, parts))))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_packed_data_that_end_early(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"call{suffix}"
    rng = np.random.default_rng(1)
    # Several blocks of zstd, whatever the size of the sample.
    noise = [rp.encode_append(rng.integers(-9000, 9000, 6_000, np.int16)).encode() for _ in range(20)]
    with Recorder(path) as record:
        for frame in [*FRAMES, *noise]:
            record.received(frame)
    packed = path.read_bytes()
    whole = read(path)
    path.write_bytes(packed[:5])
    with pytest.raises(RecordingError, match="cut off"):
        read(path)
    for size in (len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:size])
        entries = read(path)
        assert entries[-1].error is not None and "the file ends here" in str(entries[-1].error)
        kept = [entry for entry in entries if entry.message is not None]
        assert [entry.frame for entry in kept] == [entry.frame for entry in whole[: len(kept)]]
    assert kept
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 0xFF
    path.write_bytes(damaged)
    assert read(path)[-1].error is not None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("{}".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04", "zip"),
        (b"RIFF....WAVE", "WAV"),
        (b"\x00\x01", "binary"),
        (gzip.compress(b"RIFF", mtime=0), "WAV"),
        (b'{"recording":"realtime-pcm","version":2}', "version 2"),
    ],
)
def test_files_that_are_no_recordings(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=says):
        read_recording(path)


def test_a_file_without_frames() -> None:
    assert read(b"") == [] == read(b"\n \n")
    with pytest.raises(RecordingError, match="no JSON object in the first 2 lines"):
        read(b'{"a":1}\n{"a":2}\n')


def test_what_is_no_file() -> None:
    with pytest.raises(TypeError, match="a path or an open file"):
        read_recording(5)
    with pytest.raises(FileNotFoundError):
        read_recording("/nowhere/at/all")
    with pytest.raises(TypeError, match="open it with"):
        read_recording(io.StringIO("{}"))


def test_a_line_without_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reader, beginning, line_files):
        monkeypatch.setattr(module, "LONGEST_LINE", 1000)
    monkeypatch.setattr(beginning, "LOOKED_AT_BYTES", 1000)
    entries = read(lines(b'{"type":"ping"}', b"x" * 5500, b'{"type":"pong"}'))
    assert [(entry.line, entry.error is None) for entry in entries] == [(1, True), (2, False), (3, True)]
    assert "more than 1000 bytes" in str(entries[1].error)


@pytest.mark.parametrize("bound", [{"max_bytes": math.nan}, {"max_bytes": -1}, {"max_frames": -1}, {"max_frames": math.nan}])
def test_a_recorder_has_bounds(bound: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        Recorder(tmp_path / "call.jsonl", **bound)
    assert not list(tmp_path.iterdir())


def test_without_zstandard_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ModuleNotFoundError, match=r"realtime-pcm\[recording\]"):
        read_recording(io.BytesIO(b"\x28\xb5\x2f\xfd"))
    with pytest.raises(ModuleNotFoundError, match=r"realtime-pcm\[recording\]"):
        Recorder(tmp_path / "call.zst")
    assert not list(tmp_path.iterdir())


# --- the core's part


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"t":1,"f":{},"z":"x"}', [b"{}", b"1", b'"x"']),
        (b' { "t" : -1.5e+3 , "f" : {"a":"}"} , "z" : null }\r\n', [b'{"a":"}"}', b"-1.5e+3", b"null"]),
        (b'{"t":01,"f":{},"z":1}', None),
        (b'{"t":1.,"f":{},"z":1}', None),
        (b'{"t":-,"f":{},"z":1}', None),
        (b'{"t":1e,"f":{},"z":1}', None),
        (b'{"t":tru,"f":{},"z":1}', None),
        (b'{"t":"a\\"b","f":{},"z":1}', None),
        (b'{"t":"\xc3\xa9","f":{},"z":1}', None),
        (b'{"t":1,"f":{},"z":"a\\"b"}', None),
        (b'{"t":1,"f":{},"z":1', None),
        (b'{"t":1,"f":{},"y":1}', None),
        (b'{"t":1,"f":{}}', None),
        (b'{"t":1,"f"', None),
        (b'{"t":1,"f":}', None),
        (b'{"t":1,"f":"z":"', None),
        (b"", None),
        (b"}", None),
    ],
)
def test_split_line(line: bytes, expected: list[bytes] | None) -> None:
    splitter = _bulk.LineSplitter((b'"t"', b'"f"'), (b'"z"',), 1, 0, False, 2, {}, math.nan, 0.0)
    found = splitter.split(line)
    assert (found and [found[0], found[1], found[3]]) == expected


def test_split_line_never_misreads() -> None:
    """Cut anywhere, or with any byte changed, a line is split as a JSON parser splits it, or not at all."""
    line = b'{"t": 12.5,"d":"in","f":{"type":"x","a":"\\"}","n":[1,{}]},"z":true,"y":"s, }"}'
    keys = (b'"t"', b'"d"', b'"f"'), (b'"z"', b'"y"')
    taken = 0
    for place in range(len(line)):
        for changed in [line[:place], *(line[:place] + bytes([byte]) + line[place + 1 :] for byte in range(256))]:
            found = [_bulk.LineSplitter(*keys, place, 0, False, 0, {}, math.nan, 0.0).split(changed) for place in range(1, 5)]
            if None in found:
                continue
            try:
                frame = json.loads(found[0][0])
            except ValueError:
                continue  # the reader then looks at the whole line
            taken += 1
            parts = [frame, *(json.loads(one[1]) for one in found)]
            assert json.loads(changed) == dict(zip("ftdzy", parts, strict=True))
    assert taken > 1000


def test_the_times_of_split_lines_are_those_of_the_clock() -> None:
    rng = random.Random(3)
    clock = times.Clock(0.001)
    clock.seconds("2026-05-01T10:00:00+02:00")
    splitter = _bulk.LineSplitter((b'"t"', b'"f"'), (), 1, 0, False, 0, {}, *clock.numbers())
    read = 0
    for _ in range(2000):
        zone = timezone(timedelta(minutes=rng.randrange(-1439, 1440)))
        moment = datetime.fromtimestamp(rng.randrange(1 << 32), zone) + timedelta(microseconds=rng.randrange(1 << 20))
        text = moment.isoformat(rng.choice("T "), rng.choice(["seconds", "milliseconds", "microseconds"]))
        value = rng.choice([text, text.removesuffix(text[-6:]) + "Z", text[: rng.randrange(30)], rng.randrange(1 << 45), 0.25])
        if value and rng.random() < 0.2 and isinstance(value, str):
            place = rng.randrange(len(value))
            value = value[:place] + rng.choice("019:-+.TZ") + value[place + 1 :]
        found = splitter.split(b'{"t":%b,"f":{}}' % json.dumps(value).encode())
        if isinstance(found[1], float):
            read += 1
            assert found[1] == clock.seconds(value), value
    assert read > 1000


def test_a_direction_is_the_word_as_it_is_or_in_small_letters() -> None:
    words = {b'"in"': "received", b'"OUT"': "received", b'"out"': "sent"}
    splitter = _bulk.LineSplitter((b'"d"', b'"f"'), (), 0, 1, False, 0, words, 1.0, 0.0)
    found = [splitter.split(b'{"d":"%b","f":{}}' % word)[2] for word in (b"in", b"IN", b"OUT", b"Out", b"other")]
    assert found == ["received", "received", "received", "sent", None]


def test_the_id_of_a_call_is_told_when_it_changes() -> None:
    splitter = _bulk.LineSplitter((b'"f"',), (b'"c"',), 0, 0, False, 1, {}, 1.0, 0.0)
    assert [splitter.split(b'{"f":{},"c":%d}' % id_)[3] for id_ in (1, 1, 2, 2, 1)] == [b"1", None, b"2", None, b"1"]


def test_a_count_of_dropped_frames_is_one_that_a_recorder_writes() -> None:
    header = b'{"recording":"realtime-pcm","version":1,"started":"2026-01-01T00:00:00+00:00"}'
    counts = (b"3", b"true", b"-5", b"1e999", b"9" * 400, b'"4"', b"[1]", b"2")
    data = lines(header, *(b'{"time":1.0,"dropped":%b}' % count for count in counts))
    with read_recording(io.BytesIO(data) if isinstance(data, bytes) else data) as recording:
        assert not [entry for entry in recording if entry.error is None]
        assert recording.dropped == 5


def test_unquote() -> None:
    for text in ("", "a", 'a"b', "a\\b", '\\"', 'x"' * 100, "é"):
        assert _bulk.unquote(json.dumps(text, ensure_ascii=False).encode()) == text.encode()
    assert _bulk.unquote(rb'"a\/b" ') == b"a/b"
    for other in (rb'"\n"', rb'"\u0041"', b'"', b'"a', b'a"', b"", b'"a"b"', b'"\\"', b"5"):
        assert _bulk.unquote(other) is None
