"""Recordings of other sockets: recognised by the classes that their frames match, read, inspected, drawn, extracted, archived."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import realtime_pcm as rp
from realtime_pcm.recording import Recorder, RecordingError, analyse, read_recording
from realtime_pcm.recording.writer import frame_line, header_line, validators
from realtime_pcm.sockets import acs, catalogues, elevenlabs, gemini, twilio
from realtime_pcm.timeline import draw
from support.command import run
from support.socket_conversations import ACS, ALL, ELEVENLABS, GEMINI, START, TWILIO, Said, b64, heard, messages, played, tone

MODULES: dict[str, Any] = {"gemini": gemini, "elevenlabs": elevenlabs, "twilio": twilio, "acs": acs}


def own(said: list[Said], catalogue: Any) -> bytes:
    validate = validators(catalogue)
    lines = [header_line(None, catalogue)]
    lines += [frame_line(validate[way], time, way, json.dumps(frame)) for time, way, frame in said]
    return b"".join(lines)


def wrapped(said: list[Said]) -> bytes:
    return b"".join(json.dumps({"ts": time, "dir": way, "msg": frame}).encode() + b"\n" for time, way, frame in said)


def quoted(said: list[Said]) -> bytes:
    lines = [{"t": time, "direction": way, "data": json.dumps(frame)} for time, way, frame in said]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def logged(said: list[Said]) -> bytes:
    arrows = {"received": "<-", "sent": "->"}
    lines = [f"2026-03-14 09:26:{10 + time:09.6f} {arrows[way]} {json.dumps(frame)}\n" for time, way, frame in said]
    return "".join(lines).encode()


def repr_logged(said: list[Said]) -> bytes:
    words = {"received": "recv", "sent": "send"}
    return "".join(f"2026-03-14 09:26:{10 + time:09.6f} {words[way]} {frame!r}\n" for time, way, frame in said).encode()


def document(said: list[Said]) -> bytes:
    return json.dumps([{"time": time, "direction": way, "event": frame} for time, way, frame in said], indent=1).encode()


SHAPES: dict[str, Callable[[list[Said]], bytes]] = {
    "wrapped": wrapped,
    "quoted": quoted,
    "logged": logged,
    "printed by Python": repr_logged,
    "a document": document,
}


def told(data: bytes, **options: Any) -> list[tuple[str, str, str]]:
    """Direction, class and frame of each entry; none may have an error."""
    with read_recording(io.BytesIO(data), **options) as recording:
        entries = list(recording)
    assert [entry.error for entry in entries] == [None] * len(entries)
    return [(one.direction, type(one.message).__qualname__, json.dumps(json.loads(one.frame))) for one in entries]


def expected(said: list[Said], catalogue: Any) -> list[tuple[str, str, str]]:
    decoded = [message for _, message in messages(said, catalogue)]
    return [(way, type(message).__qualname__, json.dumps(frame)) for (_, way, frame), message in zip(said, decoded, strict=True)]


# ---- They are recognised


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_log_of_any_shape_is_recognised(name: str, shape: str) -> None:
    data = SHAPES[shape](ALL[name])
    assert told(data) == expected(ALL[name], MODULES[name])
    with read_recording(io.BytesIO(data)) as recording:
        assert recording.catalogue is MODULES[name].CATALOGUE
        assert f"frames of {name}" in recording.shape
        times = [entry.time or 0.0 for entry in recording]
    assert [round(time - times[0], 3) for time in times] == [round(time, 3) for time, _, _ in ALL[name]]


@pytest.mark.parametrize("name", ALL)
def test_without_directions_the_class_that_fits_tells_who_sent_a_frame(name: str) -> None:
    data = b"".join(json.dumps(frame).encode() + b"\n" for _, _, frame in ALL[name])
    assert told(data) == expected(ALL[name], MODULES[name])
    with read_recording(io.BytesIO(data)) as recording:
        assert recording.notes == ["nothing says who sent a frame: it belongs to the side whose class fits it better"]


@pytest.mark.parametrize("name", ALL)
def test_our_own_recordings_name_their_catalogue(name: str, tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl.gz"
    with Recorder(path, catalogue=MODULES[name]) as record:
        for _, way, frame in ALL[name]:
            (record.received if way == "received" else record.sent)(json.dumps(frame, indent=1).encode())
    assert told(path.read_bytes()) == expected(ALL[name], MODULES[name])
    with read_recording(path) as recording:
        assert recording.shape == f"a recording of realtime-pcm, version 1 of {name}"


def test_a_recording_that_was_made_without_a_catalogue_is_read_with_one(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with Recorder(path) as record:
        for _, way, frame in GEMINI:
            (record.received if way == "received" else record.sent)(json.dumps(frame))
    with read_recording(path) as recording:
        assert all(entry.error is not None for entry in recording)
    for given in ("gemini", gemini, gemini.CATALOGUE):
        assert told(path.read_bytes(), catalogue=given) == expected(GEMINI, gemini)


def test_a_catalogue_may_be_named() -> None:
    tts = [{"audio": b64(tone(0.1)), "isFinal": None}, {"audio": None, "isFinal": True}]
    data = b"".join(json.dumps({"direction": "received", "event": frame}).encode() + b"\n" for frame in tts)
    with pytest.raises(RecordingError):
        read_recording(io.BytesIO(data))
    [speech, end] = read_recording(io.BytesIO(data), catalogue="elevenlabs-tts", audio_format="pcm16")
    assert type(speech.message) is type(end.message) is elevenlabs.TtsAudio
    with pytest.raises(ValueError, match="no catalogue is called 'gemnii': known are twilio"):
        read_recording(io.BytesIO(data), catalogue="gemnii")
    with pytest.raises(TypeError, match="or its name, not 5"):
        read_recording(io.BytesIO(data), catalogue=5)  # type: ignore[arg-type, unused-ignore]
    header = b'{"recording":"realtime-pcm","version":1,"catalogue":"phone"}\n'
    with pytest.raises(RecordingError, match="of the socket 'phone', whose catalogue is not known"):
        read_recording(io.BytesIO(header + data))
    assert {"twilio", "telnyx", "plivo", "gemini", "elevenlabs", "elevenlabs-tts", "acs"} <= {one.name for one in catalogues()}


def test_imitators_are_told_from_twilio_by_their_keys() -> None:
    media = {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "//8="}
    frames: dict[str, dict[str, Any]] = {
        "telnyx": {"event": "media", "sequence_number": "4", "media": media, "stream_id": "s1"},
        "plivo": {"event": "media", "sequenceNumber": 4, "streamId": "s1", "media": media},
        "twilio": {"event": "media", "sequenceNumber": "4", "media": media, "streamSid": "MZ1"},
    }
    for name, frame in frames.items():
        with read_recording(io.BytesIO(wrapped([(0.0, "received", frame)] * 3))) as recording:
            assert recording.catalogue is not None and recording.catalogue.name == name


# ---- What is not one conversation

OPENAI_EVENTS: list[dict[str, Any]] = [
    {"type": "session.created", "session": {"id": "s1"}},
    {"type": "response.created", "response": {"id": "r1"}},
    {"type": "response.output_audio.delta", "response_id": "r1", "item_id": "i1", "delta": b64(tone(0.5))},
    {"type": "response.done", "response": {"id": "r1", "status": "completed"}},
]
OPENAI: list[Said] = [(place / 10, "received", event) for place, event in enumerate(OPENAI_EVENTS)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("phone", "model"), [(TWILIO, GEMINI), (ACS, GEMINI), (TWILIO, ELEVENLABS)])
def test_two_sockets_in_one_file_are_refused(shape: str, phone: list[Said], model: list[Said]) -> None:
    mixed = sorted([*phone, *model], key=lambda one: one[0])
    with pytest.raises(RecordingError, match=r"frames of two sockets, .* keep each in its own file, or choose with --catalogue"):
        list(read_recording(io.BytesIO(SHAPES[shape](mixed))))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_second_socket_that_comes_late_is_refused_then(shape: str) -> None:
    media = {"track": "inbound", "payload": b64(bytes(3200))}  # more than a MiB: the first lines show nothing of it
    frame = {"event": "media", "media": media, "streamSid": "MZ1"}
    phone: list[Said] = [TWILIO[1], *((0.02 * number, "received", frame) for number in range(1, 400))]
    for model in (GEMINI, OPENAI):
        late: list[Said] = [(9.0 + time, way, frame) for time, way, frame in model]
        with read_recording(io.BytesIO(SHAPES[shape]([*phone, *late]))) as recording:
            with pytest.raises(RecordingError, match=r"frames of two sockets, twilio and (gemini|Realtime)"):
                list(recording)


@pytest.mark.parametrize("shape", ["wrapped", "logged"])
def test_beside_frames_of_realtime_those_of_a_telephone_are_no_part_of_the_conversation(shape: str) -> None:
    mixed = sorted([*TWILIO, *OPENAI], key=lambda one: one[0])
    with read_recording(io.BytesIO(SHAPES[shape](mixed))) as recording:
        entries = [entry for entry in recording if entry.message is not None]
        assert [entry.message.type for entry in entries] == [frame["type"] for _, _, frame in OPENAI]
        assert recording.passed_over == len(TWILIO)
        note = "frames of twilio are not read with those of Realtime: --catalogue twilio reads them"
        assert (note in recording.notes) == (shape == "wrapped")
    found = analyse(io.BytesIO(SHAPES[shape](mixed)), catalogue="twilio")
    assert found.user_audio_seconds == pytest.approx(51 * 0.02) and found.model_audio_seconds == pytest.approx(2.25)


def test_two_calls_of_a_telephone_at_once_are_refused() -> None:
    both: list[Said] = []
    for sid in ("MZ1", "MZ2"):
        both.append((0.0, "received", {"event": "start", "start": START, "streamSid": sid}))
    both += [(0.02 * number, "received", heard(number) | {"streamSid": f"MZ{1 + number % 2}"}) for number in range(6)]
    with pytest.raises(RecordingError, match="the frames of two sessions in turn"):
        list(read_recording(io.BytesIO(wrapped(both))))
    after = both[:1] + both[2::2] + both[1:2] + both[3::2]
    assert len(list(read_recording(io.BytesIO(wrapped(after))))) == len(both)


@pytest.mark.parametrize("line", [{"event": "start", "pid": 5}, {"kind": "AudioData"}, {"event": "stop", "level": "info"}])
def test_words_of_other_logs_are_no_frames(line: dict[str, Any]) -> None:
    with pytest.raises(RecordingError, match="no frame could be read"):
        read_recording(io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for _ in range(5))))


# ---- Audio that a log left out


def test_audio_that_a_log_of_twilio_left_out() -> None:
    def without(frame: dict[str, Any], mark: Any) -> dict[str, Any]:
        return frame | {"media": {**frame["media"], "payload": mark}} if frame.get("event") == "media" else frame

    for mark in ("<160 bytes>", None, "f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/..."):
        said: list[Said] = [(time, way, without(frame, mark)) for time, way, frame in TWILIO]
        with read_recording(io.BytesIO(wrapped(said))) as recording:
            entries = list(recording)
            assert [entry.error for entry in entries] == [None] * len(entries)
            assert recording.audio_left_out == sum(frame["event"] == "media" for _, _, frame in said)
            assert len(entries) == len(said)


def test_frames_of_gemini_without_audio_are_whole() -> None:
    with read_recording(io.BytesIO(wrapped(GEMINI))) as recording:
        assert len(list(recording)) == len(GEMINI)
        assert recording.audio_left_out == 0 and recording.notes == []


# ---- What happened in them


@pytest.mark.parametrize("name", ["gemini", "elevenlabs"])
def test_a_conversation_is_inspected(name: str) -> None:
    found = analyse(io.BytesIO(own(ALL[name], MODULES[name].CATALOGUE)))
    assert (found.user_audio_seconds, found.model_audio_seconds) == (1.5, 3.5)
    assert [(turn.began, turn.status) for turn in found.turns] == [
        ("speech", "cancelled"),
        ("speech", "completed" if name == "gemini" else None),
    ]
    assert found.turns[0].audio_seconds == 3.0 and found.turns[1].audio_seconds == 0.5
    [cut] = found.interruptions
    assert (cut.causes, cut.stopped, cut.turn, cut.heard_ms, cut.received_ms) == (["interrupted"], True, 1, 1500, 3000)
    assert found.tools[0].name == "weather" and found.tools[0].seconds == pytest.approx(0.2)
    texts = [(item.side, item.text) for item in found.items if item.text]
    assert ("user", "How is the weather?") in texts and ("model", "You are welcome.") in texts
    if name == "gemini":
        assert found.model == "models/gemini-live" and found.session_usage["totalTokenCount"] == 9


def test_a_leg_of_twilio_is_inspected() -> None:
    found = analyse(io.BytesIO(own(TWILIO, twilio.CATALOGUE)))
    assert found.user_audio_seconds == pytest.approx(51 * 0.02) and found.model_audio_seconds == pytest.approx(2.25)
    [cut] = found.interruptions  # 2.0 s were sent from 1.2 s on; cleared at 2.2 s
    assert (cut.causes, cut.heard_ms, cut.received_ms) == (["interrupted"], 1000, 2000)
    assert [item.audio_seconds for item in found.items if item.side == "model"] == [2.0, 0.25]


def test_both_tracks_of_a_telephone_are_two_sides() -> None:
    both: list[Said] = [TWILIO[1]]
    for number in range(1, 51):
        both += [(0.02 * number, "received", heard(number, track)) for track in ("inbound", "outbound")]
    found = analyse(io.BytesIO(own(both, twilio.CATALOGUE)))
    assert (round(found.user_audio_seconds, 3), round(found.model_audio_seconds, 3)) == (1.0, 1.0)
    pytest.importorskip("pyarrow")
    from realtime_pcm import arrow

    rows = arrow.items(io.BytesIO(own(both, twilio.CATALOGUE))).to_pylist()
    assert {(row["item_id"], row["speaker"], round(row["seconds"], 3)) for row in rows} == {
        ("inbound", "user", 1.0),
        ("outbound", "assistant", 1.0),
    }


@pytest.mark.parametrize("name", ALL)
def test_it_is_drawn(name: str) -> None:
    for form in ("svg", "html"):
        file = io.BytesIO()
        found = draw(io.BytesIO(wrapped(ALL[name])), file, form, name=name)  # type: ignore[arg-type, unused-ignore]
        assert found.frames == len(ALL[name]) and len(file.getvalue()) > 1000


# ---- The command line


@pytest.mark.parametrize("name", ALL)
def test_the_commands_read_it(name: str, tmp_path: Path) -> None:
    pytest.importorskip("typer")
    file = tmp_path / "call.jsonl"
    file.write_bytes(wrapped(ALL[name]))
    done = run("inspect", "--json", file)
    assert done.status == 0, done.errors
    assert json.loads(done.output)["frames"] == len(ALL[name])
    assert run("inspect", "--json", "--catalogue", name, file).output == done.output
    done = run("extract", "--joined", "--out", tmp_path / "out", file)
    assert done.status == 0, done.errors
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    seconds = {side: sum(one["seconds"] for one in summary["items"] if one["side"] == side) for side in ("user", "model")}
    wanted = {"gemini": (1.5, 3.5), "elevenlabs": (1.5, 3.5), "twilio": (1.02, 2.25), "acs": (1.0, 1.0)}[name]
    assert (round(seconds["user"], 3), round(seconds["model"], 3)) == wanted
    done = run("convert", file, "--out", tmp_path / "own.jsonl")
    assert done.status == 0, done.errors
    assert told((tmp_path / "own.jsonl").read_bytes()) == expected(ALL[name], MODULES[name])
    assert run("timeline", file, "--out", tmp_path / "call.svg").status == 0
    done = run("inspect", "--catalogue", "phone", file, status=2)
    assert "no catalogue is called 'phone'" in done.errors


# ---- Tables


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("pcm", ["int16", "sent"])
def test_the_rows_of_c_are_those_of_python(name: str, pcm: Any) -> None:
    pytest.importorskip("pyarrow")
    from realtime_pcm import arrow
    from realtime_pcm.arrow.rows import row_of

    for data in (own(ALL[name], MODULES[name].CATALOGUE), wrapped(ALL[name]), logged(ALL[name])):
        table = arrow.read(io.BytesIO(data), pcm=pcm).read_all()
        entries = list(read_recording(io.BytesIO(data), dtype="uint8" if pcm == "sent" else "int16"))
        rows = [row_of(entry) for entry in entries]
        assert table.num_rows == len(rows) == len(ALL[name])
        columns = [column for column in table.column_names if column not in ("source", "seconds")]
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            found = table.column(column).to_pylist()
            wanted = list(values)
            if column == "pcm":
                wanted = [None if one is None else one.tobytes() if pcm == "sent" else one.tolist() for one in values]
            assert found == wanted, column
    assert sum(len(one) for one in table.column("pcm").to_pylist() if one) > 0


def test_a_recording_is_archived(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    for name, said in ALL.items():
        (tmp_path / f"{name}.jsonl").write_bytes(own(said, MODULES[name].CATALOGUE))
    done = run("archive", tmp_path, "--out", tmp_path / "tables")
    assert done.status == 0, done.errors
    for name, said in ALL.items():
        table = pq.read_table(tmp_path / "tables" / "rows" / f"{name}.jsonl.parquet")
        assert table.num_rows == len(said) and table.column("error").null_count == len(said)
    items = pq.read_table(tmp_path / "tables" / "items" / "twilio.jsonl.parquet").to_pylist()
    assert [(one["item_id"], one["speaker"], round(one["seconds"], 3)) for one in items] == [
        ("inbound", "user", 1.02),
        (None, "assistant", 2.0),
        (None, "assistant", 0.25),
    ]
    words = pq.read_table(tmp_path / "tables" / "rows" / "gemini.jsonl.parquet").column("text").to_pylist()
    assert "How is " in words and " dry in Rome, and" in words


def test_url_safe_base64_and_several_parts_in_a_recording() -> None:
    raw = bytes((251, 255, 190, 255, 254, 255))
    text = base64.urlsafe_b64encode(raw).decode()
    parts = [{"inlineData": {"mimeType": "audio/pcm", "data": b64(bytes((number, 0)))}} for number in range(5)]
    said: list[Said] = [
        (0.0, "sent", {"realtimeInput": {"audio": {"data": text, "mimeType": "audio/pcm;rate=16000"}}}),
        (0.1, "received", {"serverContent": {"modelTurn": {"parts": parts}}}),
    ]
    for data in (own(said, gemini.CATALOGUE), wrapped(said)):
        [sent, received] = (entry.message for entry in read_recording(io.BytesIO(data)))
        assert sent.pcm.tobytes() == raw and received.pcm.tolist() == [0, 1, 2, 3, 4]


def test_what_is_played_may_come_without_a_pause() -> None:
    """Twilio is sent audio faster than it plays: the pieces stand one after the other."""
    said: list[Said] = [TWILIO[1], (1.0, "sent", played(0.5)), (1.1, "sent", played(0.5)), (9.0, "sent", played(0.5))]
    found = analyse(io.BytesIO(own(said, twilio.CATALOGUE)))
    assert [(round(item.start, 2), round(item.end, 2)) for item in found.items] == [(1.0, 2.0), (9.0, 9.5)]
    assert rp.Session().input_audio_format.rate == 24_000


@pytest.mark.parametrize("name", ALL)
def test_the_websocket_of_a_har_file(name: str) -> None:
    pytest.importorskip("ijson")
    words = {"received": "receive", "sent": "send"}
    told_by_browser = [
        {"type": words[way], "time": 1_790_000_000 + seconds, "opcode": 1, "data": json.dumps(frame)}
        for seconds, way, frame in ALL[name]
    ]
    other = [{"type": "receive", "time": 1_790_000_000, "opcode": 1, "data": '{"event":"price","value":5}'}] * 3
    entries = [{"request": {}, "_webSocketMessages": other}, {"request": {}, "_webSocketMessages": told_by_browser}]
    data = json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()
    assert told(data) == expected(ALL[name], MODULES[name])
    with pytest.raises(RecordingError, match="in which no WebSocket speaks Realtime"):
        read_recording(io.BytesIO(json.dumps({"log": {"entries": entries[:1]}}).encode()))


def test_a_shape_of_ones_own_takes_a_catalogue() -> None:
    def tabs(lines: Any) -> Any:
        for line in lines:
            seconds, way, frame = line.split(b"\t")
            yield float(seconds), "sent" if way == b"s" else "received", frame

    data = "".join(f"{time}\t{way[0]}\t{json.dumps(frame)}\n" for time, way, frame in GEMINI).encode()
    assert told(data, shape=tabs, catalogue=gemini) == expected(GEMINI, gemini)
