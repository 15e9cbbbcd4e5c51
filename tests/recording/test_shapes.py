"""The shapes in which people keep conversations: one call, written down in each of them, is read as the same call."""

from __future__ import annotations

import io
import json
import pprint
import re
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm.recording import RecordingError, read_recording
from realtime_pcm.recording.shapes import elements
from support.logs import FRAMES, LATENCY, MODEL, USER, Said, call, compact, figures, iso, moment

CALL = call()
WHOLE = (FRAMES, USER, MODEL, 1)
TIMED = (*WHOLE, LATENCY)
UNTIMED = (*WHOLE, None)


def lines(write: Callable[[Said], str], said: Iterable[Said] = CALL) -> bytes:
    return "".join(write(one) + "\n" for one in said).encode()


def read(data: bytes, **options: Any) -> tuple[int, float, float, int, float | None]:
    return figures(io.BytesIO(data), **options)


def frame(said: Said) -> str:
    return compact(said.frame)


def word(said: Said, sent: str, received: str) -> str:
    return sent if said.way == "sent" else received


# --- an object or a list per line


@pytest.mark.parametrize(
    ("write", "shape"),
    [
        (lambda one: {"when": iso(one.time), "raw_server_event": one.frame}, '"raw_server_event", an object, time in "when"'),
        (lambda one: {"type": one.frame["type"], "at": one.time, "body": one.frame}, '"body", an object, time in "at"'),
        (lambda one: {"type": one.frame["type"], "ts": one.time, "x": frame(one)}, '"x", a string of JSON, time in "ts"'),
        (lambda one: {"type": "error", "level": "info", "ts": one.time, "body": {"raw": one.frame}}, '"body.raw", an object'),
        (
            lambda one: {"ts": one.time, "a": {"type": one.frame["type"], "b": {"type": one.frame["type"], "c": one.frame}}},
            '"a.b.c"',
        ),
        (lambda one: {"time": one.time, "line": compact({"inner": frame(one)})}, '"line.inner", a string of JSON'),
        (lambda one: {"t": one.time, "data": b64encode(frame(one).encode()).decode()}, '"data", a string of JSON'),
        (lambda one: {word(one, "out", "event"): one.frame, "t": one.time}, '"event" or "out"'),
        (lambda one: [one.way, int(one.time * 1e6), None, frame(one)], '"3", a string of JSON, time in "1", direction in "0"'),
        (lambda one: {"args": [one.frame], "stamp": moment(one.time).timestamp() * 1000}, '"args.0", an object, time in "stamp"'),
        (
            lambda one: {"name": one.frame["type"], "ts": one.time, "payload": {**one.frame, "type": None} | {"x": 1}},
            None,
        ),
    ],
)
def test_the_frame_is_the_member_that_holds_one(write: Callable[[Said], Any], shape: str | None) -> None:
    if shape is None:
        data = lines(lambda one: compact({key: _untyped(value) for key, value in write(one).items()}))
        shape = 'the type is "name", the rest of the frame "payload", time in "ts"'
    else:
        data = lines(lambda one: compact(write(one)))
    with read_recording(io.BytesIO(data)) as recording:
        assert shape in recording.shape and recording.notes == []
    assert read(data) == TIMED


def _untyped(value: Any) -> Any:
    return {key: part for key, part in value.items() if key != "type"} if isinstance(value, dict) else value


def test_a_real_frame_is_not_taken_for_a_wrapper() -> None:
    """Objects inside a frame have types, too; and what an error quotes was not sent."""
    quoted = {"type": "conversation.item.created", "item": {"type": "error", "id": "x"}, "echo": {"type": "response.create"}}
    entries = list(read_recording(io.BytesIO(lines(lambda one: compact(quoted), CALL[:3]))))
    assert [entry.message.to_dict() for entry in entries] == [quoted] * 3


def test_two_frames_in_one_object_are_told() -> None:
    data = (
        lines(lambda one: compact({"t": one.time, "event": one.frame}))
        + b'{"t":9,"a":{"type":"response.create"},"b":{"type":"session.created"}}\n'
    )
    *_, last = read_recording(io.BytesIO(data))
    assert last.error is not None and last.message is None


# --- times


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("t", lambda t: int(t * 1000)),
        ("timestamp", lambda t: round(t * 1000 + 51_234.5, 1)),
        ("ts", lambda t: int(t * 1e6)),
        ("elapsed", lambda t: t),
        ("createdAt", iso),
        ("ts_ns", lambda t: int(t * 1e9)),
        ("tsMs", lambda t: t * 1000),
        ("@timestamp", lambda t: int(moment(t).timestamp() * 1e6)),
        ("zeit", lambda t: moment(t).strftime("%d.%m.%Y %H:%M:%S,%f")),
        ("clock", lambda t: moment(t).strftime("%I:%M:%S.%f %p")),
        ("x", lambda t: round(t * 1000 + 777, 2)),
        ("at", lambda t: f"{t:.3f}s"),
        ("when", lambda t: f"{int(t // 60):02}:{t % 60:06.3f}"),
        ("log", lambda t: moment(t).strftime("%d/%b/%Y:%H:%M:%S.%f +0000")),
        ("go", lambda t: moment(t).strftime("%Y-%m-%d %H:%M:%S.%f") + "123 +0000 UTC"),
    ],
)
def test_times_are_read_in_any_unit(name: str, time: Callable[[float], Any]) -> None:
    assert read(lines(lambda one: compact({name: time(one.time), "event": one.frame}))) == TIMED
    assert (
        read(lines(lambda one: compact({"type": one.frame["type"], "n": 1, name: time(one.time), "more": {"f": one.frame}})))
        == TIMED
    )


def test_what_counts_is_no_time() -> None:
    data = lines(lambda one: compact({"seq": int(one.time * 1000), "nth": CALL.index(one), "event": one.frame}))
    assert read(data) == UNTIMED


def test_a_clock_goes_on_past_midnight() -> None:
    def before(seconds: float) -> str:
        return moment(seconds + 14.55 * 3600 + 5.5).strftime("%H:%M:%S.%f")

    assert {before(one.time)[:2] for one in CALL} == {"23", "00"}
    assert read(lines(lambda one: compact({"time": before(one.time), "event": one.frame}))) == TIMED


def test_times_of_whole_seconds_and_times_that_cannot_be_read_are_told() -> None:
    with read_recording(io.BytesIO(lines(lambda one: compact({"ts": int(one.time), "event": one.frame})))) as recording:
        assert recording.notes == ["the times are whole seconds: a latency may be a second off"]
    with read_recording(io.BytesIO(lines(lambda one: compact({"time": "soon", "event": one.frame})))) as recording:
        assert recording.notes == ['"time" looks like a time, but could not be read as one: the recording has no times']


def test_a_plain_frame_may_hold_its_time() -> None:
    assert read(lines(lambda one: compact({**one.frame, "logged_at": iso(one.time)}))) == TIMED
    assert read(lines(lambda one: compact({"ts": one.time * 1000, "dir": word(one, "tx", "rx"), **one.frame}))) == TIMED


# --- directions


def test_the_types_tell_what_a_word_for_a_direction_means() -> None:
    """The words are those of a proxy, or of another language; a frame of a type that nobody knows goes the same way."""
    for sent, received in (("in", "out"), ("gesendet", "empfangen"), ("→", "←")):
        own = [one._replace(frame={"type": "acme.own"}) if "append" in frame(one) else one for one in CALL]
        data = lines(lambda one: compact({"t": one.time, "wer": word(one, sent, received), "event": one.frame}), own)  # noqa: B023
        entries = list(read_recording(io.BytesIO(data)))
        assert [entry.direction for entry in entries] == [one.way for one in own]


# --- the order


@pytest.mark.parametrize(
    "write",
    [
        lambda said: lines(lambda one: compact({"t": one.time, "event": one.frame}), said),
        lambda said: lines(lambda one: f"{iso(one.time)} {frame(one)}", said),
        lambda said: compact([{"ts": iso(one.time), "event": one.frame} for one in said]).encode(),
        lambda said: lines(lambda one: compact({**one.frame, "timestamp": iso(one.time)}), said),
    ],
)
def test_a_file_that_begins_with_its_newest_frame_is_turned_round(write: Callable[[list[Said]], bytes]) -> None:
    data = write(CALL[::-1])
    assert read(data) == TIMED
    with read_recording(io.BytesIO(data)) as recording:
        assert "newest first" in recording.shape
        entries = list(recording)
        assert recording.notes == ["the newest frame comes first: the recording was turned round"]
    assert [entry.time for entry in entries] == pytest.approx([one.time for one in CALL], abs=0.002)


def test_the_order_is_seen_without_times() -> None:
    assert read(lines(frame, CALL[::-1])) == read(lines(frame)) == UNTIMED


# --- lines of logs


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda one: f"{moment(one.time).timestamp():.3f} {word(one, 'OUT', 'IN')} {frame(one)}", TIMED),
        (lambda one: f"[{one.time * 1000:.0f}ms] {word(one, 'tx', 'rx')}: {frame(one)}", TIMED),
        (lambda one: f"{moment(one.time):%Y/%m/%d %H:%M:%S.%f} main.go:33: {word(one, '->', '<-')} {frame(one)} (ok)", TIMED),
        (lambda one: f"time={iso(one.time)} level=debug dir={word(one, 'out', 'in')} msg={json.dumps(frame(one))}", TIMED),
        (lambda one: f"{iso(one.time)} {one.way} '{frame(one)}'", TIMED),
        (lambda one: f"{frame(one)} # {one.way} {iso(one.time)}", TIMED),
        (lambda one: f"\x1b[32m{iso(one.time)}\x1b[0m \x1b[1mDEBUG\x1b[0m {one.way} {frame(one)}", TIMED),
        (lambda one: f"{iso(one.time)} {one.way}: {json.dumps(one.frame, indent=2)}", TIMED),
        (lambda one: f"Received event at {iso(one.time)}\n{json.dumps(one.frame, indent=4)}", TIMED),
        (lambda one: f"{one.time}\n{json.dumps(one.way)}\n{frame(one)}", TIMED),
        (lambda one: f"{iso(one.time)} {one.way} {one.frame!r}", TIMED),
        (lambda one: f"{iso(one.time)} {one.way} {frame(one)!r}", TIMED),
        (lambda one: f"{iso(one.time)} {word(one, f'sending {one.frame!r}', f'got {frame(one).encode()!r}')}", TIMED),
        (lambda one: repr((one.time, one.way, one.frame)), TIMED),
        (lambda one: f"event: {pprint.pformat(one.frame, width=60, sort_dicts=False)}", UNTIMED),
        (lambda one: f"event: {one.frame['type']}\nid: 7\ndata: {frame(one)}\n", UNTIMED),
        (lambda one: f"{word(one, '>', '<')} {frame(one)}", UNTIMED),
        (lambda one: compact({"log": f"{one.way}: {frame(one)}\n", "stream": "stdout", "time": iso(one.time)}), TIMED),
        (lambda one: compact({"MESSAGE": f"{one.way} {one.frame!r}", "__TIMESTAMP": str(int(one.time * 1e6))}), TIMED),
    ],
)
def test_the_frame_is_found_in_a_line_of_text(write: Callable[[Said], str], expected: Any) -> None:
    data = lines(write)
    assert read(data) == expected
    assert read(b"starting up: {\nready\n" + data) == expected


def test_python_literals_are_never_run() -> None:
    code = b"{'type': 'session.created', 'x': __import__('os').system('exit 1')}\n"
    deep = b"{'type': 'session.created', 'x': " + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    wide = b"{'type': 'session.created', 'x': [" + b"1," * 100_000 + b"]}\n"
    data = lines(lambda one: f"got {one.frame!r}") + code + deep + wide
    with read_recording(io.BytesIO(data)) as recording:
        assert len(list(recording)) == FRAMES and recording.passed_over == 3


def test_lines_without_frames_are_passed_over_and_counted() -> None:
    data = b'{"level":30,"msg":"ready"}\nINFO: connection open\n' * 150 + lines(
        lambda one: compact({"t": one.time, "e": one.frame})
    )
    assert read(data) == TIMED
    with read_recording(io.BytesIO(data)) as recording:
        assert len(list(recording)) == FRAMES
        assert (recording.passed_over, recording.refused) == (300, 0)
        assert recording.notes == ["300 lines have no frame"]


def test_frames_may_begin_after_more_text_than_is_looked_at() -> None:
    data = b"starting, and starting, and starting the server\n" * 30_000 + lines(
        lambda one: compact({"t": one.time, "e": one.frame})
    )
    assert read(data) == TIMED


# --- documents


def har(*sockets: list[dict[str, Any]], indent: int | None = None) -> bytes:
    entries = [{"request": {"url": "https://app.example/x.js"}, "response": {"content": {"text": '{"type":"session.created"}'}}}]
    entries += [{"_webSocketMessages": messages, "request": {"url": "wss://api.example/v1"}} for messages in sockets]
    return json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=indent).encode()


def har_messages(said: list[Said] = CALL) -> list[dict[str, Any]]:
    return [
        {"type": word(one, "send", "receive"), "time": moment(one.time).timestamp(), "opcode": 1, "data": frame(one)}
        for one in said
    ]


HOT_RELOAD = [
    {"type": "receive", "time": 1.0, "opcode": 1, "data": text} for text in ('{"type":"connected"}', '{"type":"error"}', "ping")
]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (har(har_messages()), TIMED),
        (har(HOT_RELOAD, har_messages(), indent=2), TIMED),
        (compact([{"t": one.time * 1000, "who": one.way, "msg": one.frame} for one in CALL]).encode(), TIMED),
        (json.dumps([{"t": one.time, "msg": frame(one)} for one in CALL], indent=4).encode(), TIMED),
        (b"[\n" + b",\n".join(frame(one).encode() for one in CALL) + b"\n]\n", UNTIMED),
        (
            compact({"meta": {"n": 1}, "call": {"messages": [{"ts": iso(one.time), "p": one.frame} for one in CALL]}}).encode(),
            TIMED,
        ),
        (
            compact({"events": [{"timestamp": one.time * 1000, "message": f"{one.way} {frame(one)}"} for one in CALL]}).encode(),
            TIMED,
        ),
        ("".join(json.dumps(one.frame, indent=1) for one in CALL).encode(), UNTIMED),
        ("".join(map(frame, CALL)).encode(), UNTIMED),
        (",\n".join(json.dumps({"t": one.time, "f": one.frame}, indent=1) for one in CALL).encode(), TIMED),
        ((",\n".join(map(frame, CALL)) + ",\n").encode(), UNTIMED),
    ],
    ids=[
        "har",
        "har, printed",
        "array",
        "array, printed",
        "array, a line each",
        "object",
        "cloud log",
        "printed",
        "concatenated",
        "printed with commas",
        "lines with commas",
    ],
)
def test_documents_are_read(data: bytes, expected: Any) -> None:
    assert read(data) == expected
    assert read(b"\n  " + data) == expected


def test_one_of_several_websockets_is_chosen() -> None:
    other = [one._replace(frame={"type": "response.create"}) for one in CALL[:3]]
    data = har(HOT_RELOAD, har_messages(), har_messages(other))
    with pytest.raises(RecordingError, match="--socket 1"):
        list(read_recording(io.BytesIO(data)))
    assert read(data, socket=1) == TIMED
    assert read(data, socket=2)[0] == 3
    with pytest.raises(RecordingError, match="no WebSocket 3"):
        list(read_recording(io.BytesIO(data), socket=3))
    with pytest.raises(RecordingError, match="no WebSocket speaks Realtime"):
        list(read_recording(io.BytesIO(har(HOT_RELOAD))))
    with pytest.raises(RecordingError, match="HAR"):
        read_recording(io.BytesIO(lines(frame)), socket=1)


def test_a_document_that_ends_early_or_is_damaged_is_told() -> None:
    data = compact([{"t": one.time, "event": one.frame} for one in CALL]).encode()
    for broken, says in ((data[:-40], "ends too early"), (data.replace(b'"response.done"', b"response.done"), "not JSON")):
        *read_before, last = read_recording(io.BytesIO(broken))
        assert last.error is not None and says in str(last.error)
        assert len(read_before) == FRAMES - 1


def test_frames_at_another_place_of_a_document_are_told() -> None:
    sides = {way: [{"t": one.time, "event": one.frame} for one in CALL if one.way == way] for way in ("sent", "received")}
    *_, last = read_recording(io.BytesIO(compact(sides).encode()))
    assert last.error is not None and "frames lie in other places of this document too" in str(last.error)


@pytest.mark.parametrize("levels", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_document_of_very_many_levels_is_refused(levels: int) -> None:
    for deep in (b"[" * levels, b'{"a":' * levels):
        with pytest.raises(RecordingError):
            list(read_recording(io.BytesIO(deep)))
    frames = compact([one.frame for one in CALL]).encode()
    *_, last = read_recording(io.BytesIO(frames[:-1] + b"," + b"[" * levels))
    assert last.error is not None


def test_an_element_that_is_too_large_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "LONGEST_LINE", 50_000)
    large = {"type": "response.create", "x": ["y" * 1000] * 60}
    entries = list(read_recording(io.BytesIO(compact([*(one.frame for one in CALL), large, CALL[0].frame]).encode())))
    assert [entry.error is None for entry in entries] == [True] * FRAMES + [False, True]


def test_without_ijson_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ijson", None)
    for data in (har(har_messages()), compact([one.frame for one in CALL]).encode()):
        with pytest.raises(ModuleNotFoundError, match=r"realtime-pcm\[recording\]"):
            read_recording(io.BytesIO(data))
    assert read(lines(lambda one: f"got {frame(one)}")) == UNTIMED


# --- bounds


def _peak(data: Path) -> int:
    tracemalloc.start()
    try:
        for _ in read_recording(data):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["har", "log", "array"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    """Four times as long, in the same memory; one element or line is 20 kB."""

    def write(count: int) -> Path:
        path = tmp_path / f"{count}"
        delta = {"type": "response.output_audio.delta", "item_id": "i", "delta": "A" * 20_000}
        said = [CALL[0], *(Said(0.1 * number, "received", delta) for number in range(count))]
        if kind == "har":
            path.write_bytes(har(har_messages(said)))
        elif kind == "log":
            path.write_bytes(lines(lambda one: f"{iso(one.time)} recv {frame(one)}", said))
        else:
            path.write_bytes(compact([{"t": one.time, "e": one.frame} for one in said]).encode())
        return path

    _peak(write(10))
    assert _peak(write(1200)) < 1.2 * _peak(write(300))


def test_a_value_that_never_ends_holds_up_nothing() -> None:
    data = b"block {\n" + lines(lambda one: f"  {iso(one.time)} {one.way} {frame(one)}") + b"block {\n" + b"text\n" * 1000
    assert read(data) == TIMED


# --- audio that the log left out


@pytest.mark.parametrize(
    "instead",
    [
        lambda audio: f"<audio {len(audio)} bytes>",
        lambda audio: audio[:48] + "...",
        lambda audio: audio[:64],
        lambda audio: audio[:101],
        lambda audio: None,
        lambda audio: "",
        len,
        lambda audio: {"bytes": len(audio)},
        lambda audio: "[REDACTED]",
    ],
)
@pytest.mark.parametrize("shape", ["wrapped", "text", "array"])
def test_audio_that_was_left_out_is_unknown(instead: Callable[[str], Any], shape: str) -> None:
    said = [
        one._replace(frame={key: instead(value) if key in ("audio", "delta") else value for key, value in one.frame.items()})
        for one in CALL
    ]
    if shape == "wrapped":
        data = lines(lambda one: compact({"t": one.time, "event": one.frame}), said)
    elif shape == "text":
        data = lines(lambda one: f"{iso(one.time)} {frame(one)}", said)
    else:
        data = compact([{"t": one.time, "event": one.frame} for one in said]).encode()
    with read_recording(io.BytesIO(data)) as recording:
        entries = list(recording)
    assert [entry.message is not None and entry.message.type for entry in entries] == [one.frame["type"] for one in CALL]
    assert recording.audio_left_out == 14 and recording.refused == 0
    assert recording.notes == ["the log left out the audio of 14 messages: how long it was is not known"]
    assert read(data) == (FRAMES, 0.0, 0.0, 1, LATENCY)


def test_audio_in_a_format_that_has_no_samples_is_refused_and_not_left_out() -> None:
    session = {"type": "session.updated", "session": {"audio": {"output": {"format": {"type": "audio/mp3"}}}}}
    deltas = [{"type": "response.output_audio.delta", "item_id": "i", "delta": "XXXx" + "QUJD" * 50}] * 3
    with read_recording(io.BytesIO("\n".join(map(compact, [session, *deltas])).encode())) as recording:
        assert [entry.error is not None for entry in recording] == [False, True, True, True]
    assert recording.audio_left_out == 0


def test_a_damaged_payload_among_whole_ones_is_refused() -> None:
    said = list(CALL)
    said[15] = said[15]._replace(frame={**said[15].frame, "delta": said[15].frame["delta"][:-8] + "*AAAAAA="})
    entries = list(read_recording(io.BytesIO(lines(lambda one: compact({"t": one.time, "event": one.frame}), said))))
    assert [entry.error is not None for entry in entries].count(True) == 1


# --- frames that were changed


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {re.sub("_([a-z])", lambda found: found[1].upper(), key): camel(inner) for key, inner in value.items()}
    return [*map(camel, value)] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "write",
    [lambda one: compact(camel(one.frame)), lambda one: compact({"t": one.time, "event": camel(one.frame)})],
)
def test_keys_in_camel_case_are_read_and_told(write: Callable[[Said], str]) -> None:
    with read_recording(io.BytesIO(lines(write))) as recording:
        entries: list[Any] = list(recording)
    assert recording.notes == ['the frames have keys in camelCase, such as "itemId": they were read as those of the wire']
    assert {entry.message.item_id for entry in entries if hasattr(entry.message, "pcm") and entry.direction == "received"} == {
        "answer"
    }
    assert read(lines(write))[:4] == WHOLE


def test_half_of_a_pair_is_refused_in_lines_and_in_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        r"a\ud83d",
        r"\udc00b",
        r"\\\udc00",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\ude00",
        r"\\ud83d",
        r"\\ud83d\\udc00",
        r"\ue000",
    ]
    frames = [f'{{"type":"response.output_text.delta","item_id":"i","delta":"{text}"}}' for text in texts]
    refused = [True] * 4 + [False] * 4
    plain = [entry.error is not None for entry in read_recording(io.BytesIO("\n".join(frames).encode()))]
    assert plain == refused
    for size in (1, 2, 7, 1 << 16):
        monkeypatch.setattr(elements, "BUFFER", size)
        for document in (
            f"[{','.join(frames)}]",
            compact({"events": [{"at": place, "e": one} for place, one in enumerate(frames)]}),
        ):
            entries: list[Any] = list(read_recording(io.BytesIO(document.encode())))
            assert [entry.error is not None for entry in entries] == refused
            assert [entry.message.delta for entry in entries[4:]] == ["\U0001f600", r"\ud83d", r"\ud83d\udc00", "\ue000"]


# --- several calls


TWO = sorted([("a", one) for one in CALL] + [("b", one) for one in call("2", 0.4)], key=lambda pair: pair[1].time)


@pytest.mark.parametrize(
    "write",
    [
        lambda id_, one: compact({"call_id": id_, "t": one.time, "event": one.frame}),
        lambda id_, one: compact({"ctx": 1, "t": one.time, "d": {"connectionId": id_, "event": one.frame}}),
        lambda id_, one: f"{iso(one.time)} [{id_}] {frame(one)}",
        lambda id_, one: compact({**one.frame, "session_id": id_, "ts": iso(one.time)}),
    ],
)
def test_two_calls_at_once_are_told_and_one_is_chosen(write: Callable[[str, Said], str]) -> None:
    data = "".join(write(id_, one) + "\n" for id_, one in TWO).encode()
    with pytest.raises(RecordingError, match=r"several calls at once, a, b: choose one with --call ID"):
        read_recording(io.BytesIO(data))
    assert read(data, call="a") == read(data, call="b") == TIMED
    with read_recording(io.BytesIO(data), call="a") as recording:
        assert len(list(recording)) == FRAMES
        assert recording.notes == [f"{FRAMES} lines have the id of another call, or none, and were left out"]


def test_two_sessions_in_turn_are_told_without_ids() -> None:
    data = "".join(frame(one) + "\n" for _, one in TWO).encode()
    with pytest.raises(RecordingError, match="frames of two sessions in turn"):
        read_recording(io.BytesIO(data))
    with pytest.raises(RecordingError, match="no member of these lines says"):
        read_recording(io.BytesIO(lines(frame)), call="a")


@pytest.mark.parametrize("ids", [True, False])
def test_a_second_call_that_begins_late_is_told(ids: bool) -> None:
    pings = [Said(0.5 + 0.001 * number, "received", {"type": "ping"}) for number in range(300)]
    said = [("a", one) for one in [*CALL[:20], *pings]] + [
        (id_, one) for id_, one in TWO if id_ == "b" or one.time > CALL[19].time
    ]
    data = "".join(
        compact({"t": one.time, "event": one.frame} | ({"call_id": id_} if ids else {})) + "\n" for id_, one in said
    ).encode()
    with read_recording(io.BytesIO(data)) as recording, pytest.raises(RecordingError):
        list(recording)


def test_calls_one_after_the_other_are_one_recording() -> None:
    said = [*CALL, *call("2", 5.0)]
    data = lines(lambda one: compact({"t": one.time, "call": one.time > 4, "event": one.frame}), said)
    assert read(data)[:4] == (2 * FRAMES, 2 * USER, 2 * MODEL, 2)


# --- files that change, and files that cannot be read


def test_a_shape_that_changes_half_way_is_told() -> None:
    data = lines(lambda one: compact({"t": one.time, "event": one.frame}), CALL[:12]) + lines(
        lambda one: f"{iso(one.time)} {frame(one)}", CALL[12:]
    )
    with read_recording(io.BytesIO(data)) as recording:
        *entries, last = recording
    assert [entry.message is not None for entry in entries] == [True] * FRAMES
    assert last.error is not None and "from line 13 on 12 lines have another shape" in str(last.error)
    data = lines(frame, CALL[:12]) + lines(lambda one: compact({"type": one.frame["type"], "x": one.frame}), CALL[12:])
    assert read(data)[2] == MODEL


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            lines(lambda one: f"2026-03-14 09:26:53,589 DEBUG client < TEXT '{frame(one)[:40]}...' [999 bytes]"),
            "debug log of websockets",
        ),
        (lines(lambda one: "{ type: '%s', event_id: 'x' }" % one.frame["type"]), "JSON.stringify"),
        (lines(lambda one: f"SessionCreatedEvent(event_id='e', type='{one.frame['type']}')"), "model_dump_json"),
        (lines(lambda one: f"- type: {one.frame['type']}\n  event_id: x"), "YAML"),
        (lines(lambda one: '1,"' + frame(one).replace('"', '""') + '"'), "CSV"),
        (b"1400:9:websocket;1200:8:messages;" + lines(frame), "flow file"),
        (b"\xd4\xc3\xb2\xa1" + bytes(100), "captured packets"),
        (b'{"a":1}\n' * 5, "no JSON object in the first 5 lines"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        list(read_recording(io.BytesIO(data)))


# --- a user's own shape


def test_a_shape_of_ones_own_is_a_function() -> None:
    def ours(given: Iterable[bytes]) -> Iterator[tuple[float | None, str | None, bytes]]:
        """Three columns with bars between them."""
        for line in given:
            time, way, rest = line.split(b"|", 2)
            yield float(time), "sent" if way == b"1" else "received", rest

    data = lines(lambda one: f"{one.time}|{int(one.way == 'sent')}|{frame(one)}")
    assert read(data, shape=ours) == TIMED
    with read_recording(io.BytesIO(data), shape=ours) as recording:
        assert recording.shape == "Three columns with bars between them."
        assert [entry.line for entry in recording] == list(range(1, FRAMES + 1))


@pytest.mark.parametrize(
    "text",
    [b"x\n" + b" \n" * 40_000 + b"y\n", b"A" * 2_000_000, b"aEvent(" * 20_000, b"\t\n { type: " * 20_000],
    ids=["lines of one space", "one letter", "events without end", "objects without end"],
)
def test_looking_for_other_protocols_takes_time_in_proportion(tmp_path: Path, text: bytes) -> None:
    """With a pattern that looks again from each place, these would take minutes to hours."""
    (tmp_path / "call.log").write_bytes(text)
    with pytest.raises(RecordingError):
        list(read_recording(tmp_path / "call.log"))


def test_half_a_surrogate_pair_ends_no_reading(tmp_path: Path) -> None:
    """The parser of documents raises UnicodeDecodeError for some."""
    line = '{"time":0,"direction":"received","event":{"type":"response.text.delta","item_id":"\\ud800","delta":"a\\ud83d"}}\n'
    (tmp_path / "call.jsonl").write_text(line * 3)
    assert len(list(read_recording(tmp_path / "call.jsonl"))) == 3
