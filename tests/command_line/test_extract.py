"""extract: its audio is that of the decoder, to the sample; items, transcripts, times, names of files."""

from __future__ import annotations

import gzip
import json
import random
import re
import subprocess
import sys
from base64 import b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")

from realtime_pcm.conversation.rules import Repeated
from realtime_pcm.recording import Recorder, read_recording
from support import stream_clients as clients
from support.command import COMMAND, environment, files, read_wav as read, recorded, run, run_process
from support.shared import NO_SHARED, captures

FRAMES = clients.FRAMES


def noise(samples: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-30_000, 30_000, samples, dtype=np.int16)


def base64(samples: np.ndarray) -> str:
    return b64encode(samples.astype("<i2").tobytes()).decode()


def delta(samples: np.ndarray | str, item: object = "item_1", response: object = "resp_1", **more: Any) -> dict[str, Any]:
    payload = samples if isinstance(samples, str) else base64(samples)
    return {
        "type": "response.output_audio.delta",
        "response_id": response,
        "item_id": item,
        "content_index": 0,
        "delta": payload,
        **more,
    }


def done(item: object = "item_1", response: object = "resp_1") -> dict[str, Any]:
    return {"type": "response.output_audio.done", "response_id": response, "item_id": item, "content_index": 0}


def append(samples: np.ndarray) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": base64(samples)}


def words(text: object, item: object = "item_1", response: object = "resp_1") -> dict[str, Any]:
    return {
        "type": "response.output_audio_transcript.delta",
        "response_id": response,
        "item_id": item,
        "content_index": 0,
        "delta": text,
    }


def user_words(text: str, item: str) -> dict[str, Any]:
    return {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": item,
        "content_index": 0,
        "transcript": text,
    }


def at(time: float, event: dict[str, Any]) -> dict[str, Any]:
    sent = event["type"] in ("input_audio_buffer.append", "input_audio_buffer.commit", "conversation.item.truncate")
    return {"time": time, "direction": "sent" if sent else "received", "event": event}


HEADER = {"recording": "realtime-pcm", "version": 1, "started": "2026-01-01T00:00:00+00:00"}  # times count from here


def extract(tmp_path: Path, *events: object, options: tuple[str, ...] = (), status: int = 0) -> tuple[Path, dict[str, Any]]:
    out = tmp_path / "out"
    run("extract", recorded(tmp_path / "call.jsonl", *events), "--out", out, *options, status=status)
    assert not [name for name in files(out) if name.endswith(".part")]
    return out, json.loads((out / "summary.json").read_bytes())


def wavs(folder: Path) -> dict[str, np.ndarray]:
    return {name: read(folder / name)[2] for name in files(folder) if name.endswith(".wav")}


# --- the audio


def test_the_sample(tmp_path: Path) -> None:
    out, summary = extract(tmp_path, *FRAMES)
    item = next(event["item_id"] for event in clients.EVENTS if event["type"] == clients.AUDIO)
    [(name, samples)] = wavs(out).items()
    assert re.fullmatch(rf"\d\d\d-model-{item}\.wav", name)
    assert samples.astype("<i2").tobytes() == clients.PCM
    assert (out / "transcript.txt").read_text(encoding="utf-8").endswith(f"model: {clients.TRANSCRIPT}\n")
    assert summary["frames"] == len(FRAMES) and summary["complete"] and summary["refused_lines"] == []
    [item] = [item for item in summary["items"] if item["side"] == "model"]
    assert item["seconds"] == len(clients.PCM) / 48_000 and item["transcript"] == clients.TRANSCRIPT


@pytest.mark.skipif(not captures(), reason=NO_SHARED)
def test_the_captures_are_sample_exact(tmp_path: Path) -> None:
    """Every sample that the decoder gives of each response, and none more, in its order; once, where a delta is sent twice."""
    paths = captures()
    run("extract", *paths, "--out", tmp_path, status=1)  # openapi_examples.jsonl holds examples that are no base64
    total = 0
    for path in paths:
        expected: dict[Any, list[np.ndarray]] = {}
        repeated = Repeated()
        for entry in read_recording(path):
            message: Any = entry.message
            if message is not None and len(getattr(message, "pcm", ())) and not repeated.take(message):
                form = message.audio_format
                of = (getattr(message, name, None) for name in ("response_id", "item_id"))
                expected.setdefault((*of, form.rate, form.encoding), []).append(message.pcm)
        whole = sorted(np.concatenate(pieces).tobytes() for pieces in expected.values())
        found = sorted(samples.tobytes() for samples in wavs(tmp_path / path.stem).values())
        assert found == whole, path.name
        total += sum(map(len, whole))
    assert total > 600_000  # bytes


def test_interleaved_items_of_more_than_the_files_that_may_be_open(tmp_path: Path) -> None:
    """Forty items whose deltas come in any order; a process here may have 32 files open."""
    order = [number % 40 for number in range(400)]
    random.Random(7).shuffle(order)
    pieces = [(item, noise(100 + number, number)) for number, item in enumerate(order)]
    file = recorded(tmp_path / "call.jsonl", *(delta(samples, f"item_{item}", f"resp_{item}") for item, samples in pieces))

    def few_files() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

    run_process("extract", file, "--out", tmp_path / "out", preexec_fn=few_files)
    found = {re.sub(r"^\d+-model-|\.wav$", "", name): samples for name, samples in wavs(tmp_path / "out").items()}
    for item in range(40):
        expected = np.concatenate([samples for of, samples in pieces if of == item])
        assert np.array_equal(found[f"item_{item}"], expected)


def test_each_side_has_its_own_rate(tmp_path: Path) -> None:
    """G.711 of the user, 24 kHz of the model."""
    session = {"type": "session.updated", "session": {"input_audio_format": "g711_ulaw", "output_audio_format": "pcm16"}}
    ulaw = {"type": "input_audio_buffer.append", "audio": b64encode(bytes(range(256))).decode()}
    out, summary = extract(tmp_path, session, ulaw, {"type": "input_audio_buffer.commit"}, delta(noise(48)))
    [user, model] = [
        read(out / item["files"][0]["file"]) for item in sorted(summary["items"], key=lambda item: item["side"] == "model")
    ]
    assert user[0] == 8000 and len(user[2]) == 256
    assert user[2][0] == -32124 and user[2][128] == 32124
    assert model[0] == 24_000


def test_a_split_sample_is_put_together(tmp_path: Path) -> None:
    samples = noise(300)
    data = samples.astype("<i2").tobytes()
    parts = [b64encode(data[start:end]).decode() for start, end in ((0, 101), (101, 202), (202, 600))]
    out, _ = extract(tmp_path, *map(delta, parts), done())
    [found] = wavs(out).values()
    assert np.array_equal(found, samples)


def test_a_format_that_changes_within_an_item(tmp_path: Path) -> None:
    """All of it is kept, in two WAVs, and one line says so."""
    first, second = noise(480), {**delta(b64encode(bytes(range(256))).decode()), "sample_rate_hz": 8000}
    file = recorded(
        tmp_path / "call.jsonl", delta(first, sample_rate_hz=24_000), second, delta(first, sample_rate_hz=24_000), done()
    )
    out = tmp_path / "out"
    line = run("extract", file, "--out", out, status=1).line
    assert "001-model-item_1.wav: pcm16 24000 Hz up to sample 480, then pcm16 8000 Hz" in line
    found = {name: read(out / name) for name in files(out) if name.endswith(".wav")}
    assert sorted((name, rate, len(samples)) for name, (rate, _, samples) in found.items()) == [
        ("001-model-item_1-2.wav", 8000, 128),
        ("001-model-item_1-3.wav", 24_000, 480),
        ("001-model-item_1.wav", 24_000, 480),
    ]
    assert np.array_equal(found["001-model-item_1.wav"][2], first) and np.array_equal(found["001-model-item_1-3.wav"][2], first)


def test_an_item_that_begins_anew_after_its_response_is_another_one(tmp_path: Path) -> None:
    """After its done alone it goes on: servers send audio after a done, or a done for each sentence."""
    out, _ = extract(
        tmp_path,
        delta(noise(10, 1)),
        done(),
        delta(noise(20, 2)),
        {"type": "response.done", "response": {"id": "resp_1"}},
        delta(noise(30, 3)),
    )
    assert [len(samples) for samples in wavs(out).values()] == [30, 30]


# --- the user's side


def heard(start: object, end: object, item: str | None) -> list[dict[str, Any]]:
    return [
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": start, "item_id": item},
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": end, "item_id": item},
        {"type": "input_audio_buffer.committed", "item_id": item},
    ]


def test_what_a_server_heard_is_cut_out_of_what_was_sent(tmp_path: Path) -> None:
    """The server names milliseconds of all audio that was appended."""
    speech = noise(24_000 * 3)
    pieces = [append(speech[at : at + 2400]) for at in range(0, len(speech), 2400)]
    events = [*pieces[:15], *heard(200, 1300, "item_u1"), *pieces[15:], *heard(1700, 2950, "item_u2")]
    out, summary = extract(tmp_path, *events)
    found = wavs(out)
    assert list(found) == ["001-user-item_u1.wav", "002-user-item_u2.wav"]
    assert np.array_equal(found["001-user-item_u1.wav"], speech[4800:31_200])
    assert np.array_equal(found["002-user-item_u2.wav"], speech[40_800:70_800])
    assert [(item["start"], item["end"]) for item in summary["items"]] == [(0.2, 1.3), (1.7, 2.95)]


@pytest.mark.parametrize("answered", [True, False])
def test_what_a_client_commits_is_an_item(tmp_path: Path, answered: bool) -> None:
    """Appended audio that overtakes the server's answer belongs to the next item; what is not committed is kept, too."""
    first, second, rest, cleared = noise(2400, 1), noise(4800, 2), noise(1200, 3), noise(600, 4)
    commit = {"type": "input_audio_buffer.commit"}
    answers = [{"type": "input_audio_buffer.committed", "item_id": f"item_{n}"} for n in (1, 2)] if answered else []
    clear = {"type": "input_audio_buffer.clear"}
    out, _ = extract(
        tmp_path, append(first), commit, append(second), *answers[:1], commit, *answers[1:], append(cleared), clear, append(rest)
    )
    found = [*wavs(out).values()]
    assert [len(samples) for samples in found] == [2400, 4800, 1200]
    assert all(map(np.array_equal, found, (first, second, rest)))


@pytest.mark.parametrize("place", [None, -5, 1e300, "now", 10**9])
def test_milliseconds_that_cannot_be(tmp_path: Path, place: object) -> None:
    speech = noise(2400)
    out, _ = extract(tmp_path, append(speech), *heard(place, place, "item_u"))
    assert sum(map(len, wavs(out).values())) in (0, 2400)


def test_speech_that_is_under_way_at_the_end(tmp_path: Path) -> None:
    speech = noise(4800)
    out, _ = extract(tmp_path, append(speech), *heard(50, 0, "item_u")[:1])
    assert np.array_equal(wavs(out)["001-user-item_u.wav"], speech[1200:])


def test_true_is_no_millisecond(tmp_path: Path) -> None:
    """The place of the speech is unknown, as `inspect` says: all that was appended is the item."""
    speech = noise(2400)
    out, _ = extract(tmp_path, append(speech), *heard(True, 50, "item_u"))
    assert np.array_equal(wavs(out)["001-user-item_u.wav"], speech)


def test_speech_that_no_server_commits_is_written_once(tmp_path: Path) -> None:
    """What lies between was heard by the server and was no speech."""
    speech = noise(7200)
    pieces = [(append(speech[at : at + 2400]), at // 24) for at in range(0, 7200, 2400)]
    out, summary = extract(
        tmp_path, *(event for piece, ms in pieces for event in (piece, *heard(ms + 10, ms + 90, f"u{ms}")[:2]))
    )
    found = wavs(out)
    assert list(found) == ["001-user-u0.wav", "002-user-u100.wav", "003-user-u200.wav"]
    assert all(map(np.array_equal, found.values(), (speech[at + 240 : at + 2160] for at in range(0, 7200, 2400))))
    assert summary["complete"] is True


def test_speech_whose_place_is_unknown_is_written_with_all_the_rest(tmp_path: Path) -> None:
    speech = noise(2400)
    out, _ = extract(tmp_path, append(speech), *heard(10**9, None, "item_u")[:2])
    assert [*map(len, wavs(out).values())] == [2400]


@pytest.mark.parametrize(("id", "spans"), [(None, [(240, 960), (1200, 2160)]), ("u", [(240, 2160)])])
def test_speech_of_one_id_that_begins_twice(tmp_path: Path, id: str | None, spans: list[tuple[int, int]]) -> None:
    """Speeches without an id are items of their own; an item that has one goes on."""
    speech = noise(2400)
    heard_twice = [event for start, end in ((10, 40), (50, 90)) for event in heard(start, end, id)[:2]]
    out, _ = extract(tmp_path, append(speech), *heard_twice)
    found = [*wavs(out).values()]
    assert len(found) == len(spans) and all(map(np.array_equal, found, (speech[start:end] for start, end in spans)))


def test_more_speech_without_a_commit_than_is_kept_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is cut out before it is forgotten, and nothing is written twice."""
    from realtime_pcm.cli import speech
    from realtime_pcm.cli.wavs import Wavs

    monkeypatch.setattr(speech, "MOST_WAITING", 3)
    samples = noise(240 * 8)
    events = [event for n in range(8) for event in (append(samples[240 * n :][:240]), *heard(10 * n, 10 * n + 5, f"u{n}")[:2])]
    recording = read_recording(recorded(tmp_path / "call.jsonl", *events))
    found = speech.Speech(tmp_path, Wavs(), recording, None)
    for entry in recording:
        found.take(entry)
    assert len([*tmp_path.glob("*.wav")]) == 5
    found.finish()
    assert found.left_out == {}
    written = wavs(tmp_path)
    assert list(written) == [f"00{n + 1}-user-u{n}.wav" for n in range(8)]
    assert all(np.array_equal(written[f"00{n + 1}-user-u{n}.wav"], samples[240 * n :][:120]) for n in range(8))


def test_samples_behind_the_last_change_of_format_are_counted(tmp_path: Path) -> None:
    """Samples of each channel, as other counts are."""
    from realtime_pcm.cli.microphone import MOST_TRACKS, Microphone
    from realtime_pcm.cli.wavs import Form

    microphone = Microphone(tmp_path)
    for n in range(MOST_TRACKS):
        microphone.append(noise(2), Form("pcm16", 8000 + n % 2, 1))
    microphone.append(noise(600), Form("pcm16", 24_000, 2))
    microphone.close()
    assert len(microphone.tracks) == MOST_TRACKS and microphone.left_out == 300


def test_a_recording_whose_format_changes_too_often_is_not_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime_pcm.cli import console, extract as command, microphone

    monkeypatch.setattr(microphone, "MOST_TRACKS", 1)
    session = {"type": "session.updated", "session": {"input_audio_format": "g711_ulaw"}}
    path = recorded(tmp_path / "call.jsonl", append(noise(240)), session, append(noise(20)))
    with pytest.raises(console.Failure, match="left out: 40 samples of the user after the thousandth change of format"):
        command.Extraction(console.Source(path), tmp_path / "out", False).run(quiet=True)
    summary = json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert summary["left_out"] == {"samples of the user after the thousandth change of format": 40}
    assert summary["complete"] is False


def test_an_item_that_the_client_made_with_audio(tmp_path: Path) -> None:
    item = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi."}, {"type": "input_audio", "audio": base64(noise(240))}],
    }
    named = {
        "type": "conversation.item.added",
        "item": {"id": "item_made", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]},
    }
    out, summary = extract(tmp_path, {"type": "conversation.item.create", "item": item}, named)
    [found] = wavs(out).values()
    assert np.array_equal(found, noise(240))
    assert [(item["id"], item["transcript"]) for item in summary["items"]] == [("item_made", "Hi.")]


# --- times


def test_both_sides_in_one_wav_in_real_time(tmp_path: Path) -> None:
    """The user left, the model right; what was interrupted is silent from there on, and a pause is a pause."""
    user, answer, late = noise(24_000, 1), noise(48_000, 2), noise(2400, 3)
    events = [HEADER, *(at(0.1 * (n + 1), append(user[2400 * n : 2400 * (n + 1)])) for n in range(10))]
    # Two seconds of speech come within 0.2 s; after 1.5 s of it the user speaks.
    events += [at(2.0 + 0.1 * n, delta(answer[24_000 * n : 24_000 * (n + 1)])) for n in range(2)]
    events.append(at(3.5, {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1500}))
    events.append(at(5.0, delta(late, "item_2", "resp_2")))
    out, summary = extract(tmp_path, *events, options=("--joined",))
    rate, channels, both = read(out / "joined.wav")
    left, right = both[::2], both[1::2]
    assert (rate, channels) == (24_000, 2)
    assert np.array_equal(left[:24_000], user) and not left[24_000:].any()
    assert not right[:48_000].any()
    assert np.array_equal(right[48_000 : 48_000 + 36_000], answer[:36_000])
    assert not right[84_000:120_000].any()
    assert np.array_equal(right[120_000:], late)
    items = {item["id"]: item for item in summary["items"]}
    assert items["item_1"]["heard_seconds"] == 1.5 and items["item_1"]["start"] == 2.0
    assert items["item_2"]["start"] == 5.0
    # The item's own WAV has all that was sent.
    assert np.array_equal(read(out / items["item_1"]["files"][0]["file"])[2], answer)


def test_both_sides_of_different_rates_in_one_wav(tmp_path: Path) -> None:
    """The slower one is resampled; a tone stays where it was, and what it was."""
    session = {"type": "session.updated", "session": {"input_audio_format": "g711_ulaw", "output_audio_format": "pcm16"}}
    from realtime_pcm import AudioEncoder

    tone = (np.sin(np.arange(8000) / 8000 * 2 * np.pi * 440) * 12_000).astype(np.int16)
    ulaw = json.loads(AudioEncoder(audio_format="g711_ulaw").encode(tone))
    out, _ = extract(tmp_path, session, ulaw, delta(noise(24_000)), options=("--joined",))
    rate, _, both = read(out / "joined.wav")
    left = both[::2][:24_000].astype(float)
    assert rate == 24_000
    expected = np.sin(np.arange(24_000) / 24_000 * 2 * np.pi * 440) * 12_000
    assert np.abs(left - expected)[200:-200].max() < 500
    assert np.array_equal(both[1::2][24_000:], noise(24_000))


def test_without_times_turns_follow_one_another(tmp_path: Path) -> None:
    commit = {"type": "input_audio_buffer.commit"}
    answers = [{"type": "input_audio_buffer.committed", "item_id": f"u{n}"} for n in (1, 2)]
    turns = [
        append(noise(24_000)),
        commit,
        answers[0],
        delta(noise(12_000)),
        done(),
        append(noise(24_000)),
        commit,
        answers[1],
        delta(noise(12_000), "item_2", "r2"),
    ]
    _, summary = extract(tmp_path, *turns)
    assert [(item["side"], item["start"], item["end"]) for item in summary["items"]] == [
        ("user", 0.0, 1.0),
        ("model", 1.0, 1.5),
        ("user", 1.5, 2.5),
        ("model", 2.5, 3.0),
    ]
    assert summary["times"].startswith("of the audio")


def test_times_that_cannot_be(tmp_path: Path) -> None:
    """A year's silence would fill the disk: such a jump is told, and left out."""
    events = [at(time, delta(noise(2400), f"item_{n}", f"r{n}")) for n, time in enumerate([0.0, 1.0, 3e7, 3e7 + 1, -5.0, 2.0])]
    out = tmp_path / "out"
    line = run("extract", recorded(tmp_path / "call.jsonl", *events), "--out", out, "--joined", status=1).line
    assert "2 times go back by more than a second or forward by more than an hour: the time before was taken" in line
    assert len(read(out / "joined.wav")[2]) < 2 * 24_000 * 10
    assert [len(samples) for name, samples in wavs(out).items() if name != "joined.wav"] == [2400] * 6


def test_transcripts(tmp_path: Path) -> None:
    """As text by item, as SRT and WebVTT in pieces that can be read, in the order in which they were said."""
    sentence = "It left this morning. The driver brings it on Thursday, before noon. Shall I send you a message?"
    events = [
        at(0.0, append(noise(24_000))),
        at(1.0, {"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "u"}),
        at(1.1, {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 1000, "item_id": "u"}),
        at(1.1, {"type": "input_audio_buffer.committed", "item_id": "u"}),
        at(2.0, words(sentence[:50])),
        at(2.0, delta(noise(24_000 * 4))),
        at(2.1, words(sentence[50:])),
        at(2.5, user_words("Has it left?", "u")),
    ]
    out, _ = extract(tmp_path, *events)
    assert (out / "transcript.txt").read_text() == f"[00:00:00.000] user: Has it left?\n[00:00:02.000] model: {sentence}\n"
    srt = (out / "transcript.srt").read_text()
    vtt = (out / "transcript.vtt").read_text()
    cues = re.findall(r"(\d+)\n(\S+) --> (\S+)\n(\w+): (.*)\n\n", srt)
    assert "".join("\n".join((f"{n}\n{a} --> {b}\n{side}: {text}\n\n",)) for n, a, b, side, text in cues) == srt
    assert [cue[0] for cue in cues] == [str(n) for n in range(1, len(cues) + 1)]
    assert cues[0][1:] == ("00:00:00,000", "00:00:01,000", "user", "Has it left?")
    assert " ".join(cue[4] for cue in cues[1:]) == sentence
    assert cues[1][1] == "00:00:02,000" and cues[-1][2] == "00:00:06,000"
    assert all(after[1] == before[2] for before, after in pairwise(cues[1:]))
    assert vtt.startswith("WEBVTT\n\n") and vtt.count(" --> ") == len(cues)


def test_an_interruption_in_transcripts(tmp_path: Path) -> None:
    cut = {"type": "conversation.item.truncated", "item_id": "item_1", "content_index": 0, "audio_end_ms": 500}
    out, _ = extract(tmp_path, words("one two three four"), delta(noise(24_000)), cut)
    assert (out / "transcript.txt").read_text() == "[00:00:00.000] model: one two three four [interrupted at 00:00:00.500]\n"
    assert "00:00:00,000 --> 00:00:00,500\nmodel: one two\n" in (out / "transcript.srt").read_text()


# --- what is given


@pytest.mark.parametrize("shape", ["wrapped", "quoted", "gzip", "zstd", "bom", "crlf"])
def test_recordings_of_every_shape(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "call.jsonl"
    if shape in ("wrapped", "quoted"):
        recorded(
            path,
            *({"ts": 1.0, "dir": "in", "data": event if shape == "wrapped" else json.dumps(event)} for event in clients.EVENTS),
        )
    elif shape == "gzip":
        path = path.with_suffix(".jsonl.gz")
        path.write_bytes(gzip.compress(b"\n".join(FRAMES)))
    elif shape == "zstd":
        zstandard = pytest.importorskip("zstandard")
        path = path.with_suffix(".jsonl.zst")
        path.write_bytes(zstandard.ZstdCompressor().compress(b"\n".join(FRAMES)))
    else:
        path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(FRAMES) if shape == "bom" else b"\r\n".join(FRAMES))
    run("extract", path, "--out", tmp_path / "out")
    [samples] = wavs(tmp_path / "out").values()
    assert samples.astype("<i2").tobytes() == clients.PCM
    assert json.loads((tmp_path / "out" / "summary.json").read_bytes())["frames"] == len(FRAMES)


def test_standard_input(tmp_path: Path) -> None:
    run("extract", "-", "--out", tmp_path, given=gzip.compress(b"\n".join(FRAMES)))
    assert [samples.astype("<i2").tobytes() for samples in wavs(tmp_path).values()] == [clients.PCM]


def test_folders_and_patterns(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    (calls / "deep").mkdir(parents=True)
    for name in ("a.jsonl", "b.ndjson", "deep/a.jsonl", "[c].jsonl", "notes.txt"):
        recorded(calls / name, delta(noise(24)))
    folder, pattern, literal = (tmp_path / name for name in ("folder", "pattern", "literal"))
    run("extract", calls, "--out", folder)
    assert sorted({Path(name).parts[0] for name in files(folder)}) == ["_c_", "a", "a-2", "b"]
    run("extract", f"{calls}/**/a.jsonl", "--out", pattern)
    assert sorted({Path(name).parts[0] for name in files(pattern)}) == ["a", "a-2"]
    run("extract", calls / "[c].jsonl", "--out", literal)
    assert files(literal) == ["001-model-item_1.wav", "summary.json"]


# --- what a stranger sends


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "/etc/passwd",
        "a/b",
        "..",
        "\x1b[2J",
        "con",
        "a" * 5000,
        "日本語",
        "x\u202ey",
        "C:\\x",
        "",
        ["a"],
        {"a": 1},
        5,
        None,
    ],
)
def test_an_id_is_no_path(tmp_path: Path, name: object) -> None:
    out, summary = extract(tmp_path, delta(noise(24), name, name), words("hello", name, name), done(name, name))
    assert files(tmp_path) == sorted(["call.jsonl", *(f"out/{inner}" for inner in files(out))])
    [wav] = [inner for inner in files(out) if inner.endswith(".wav")]
    assert re.fullmatch(r"001-model(-[\w-]{1,100})?\.wav", wav) and wav.isprintable()
    assert summary["items"][0]["files"][0]["file"] == wav


def test_words_are_no_markup(tmp_path: Path) -> None:
    evil = "<b>x</b> {\\an8} 00:00:00,000 --> 00:00:09,000\n\n2\n\x1b[2J&lt; </v><c.red>"
    out, summary = extract(tmp_path, words(evil), delta(noise(24_000)))
    srt, vtt, text = ((out / f"transcript.{suffix}").read_text() for suffix in ("srt", "vtt", "txt"))
    assert not re.search("[<{}\x1b]", srt) and srt.count("-->") == 1
    assert re.findall(r"<[^>]*>", vtt) == ["<v model>", "</v>"] and vtt.count("-->") == 1 and "&amp;lt;" in vtt
    assert text.count("\n") == 1 and "\x1b" not in text
    assert summary["items"][0]["transcript"] == evil.strip()


def test_a_recording_of_many_items_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime_pcm.cli import speech
    from realtime_pcm.cli.wavs import Wavs

    monkeypatch.setattr(speech, "MOST_ITEMS", 10)
    monkeypatch.setattr(speech, "MOST_TEXT", 50)
    path = recorded(
        tmp_path / "call.jsonl", *(delta(noise(1), f"item_{n}") for n in range(15)), *(words("ten chars.") for _ in range(8))
    )
    recording = read_recording(path)
    found = speech.Speech(tmp_path, Wavs(), recording, None)
    for entry in recording:
        found.take(entry)
    found.finish()
    assert len(found.items) == 10 and len(list(tmp_path.glob("*.wav"))) == 10
    assert found.left_out == {"items behind the first 10": 5, "characters of transcripts behind the first 50": 30}


# --- a conversation of the real client


@pytest.mark.slow
def test_a_conversation_of_the_openai_client(tmp_path: Path) -> None:
    """Recorder writes down what the openai SDK and the loopback server say to one another; extract takes it apart."""
    openai = pytest.importorskip("openai")
    import asyncio

    from realtime_pcm import AudioEncoder, decode_stream, messages
    from realtime_pcm.testing import LoopbackServer

    speech = noise(24_000)
    path = tmp_path / "call.jsonl.gz"

    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server:
            client = openai.AsyncOpenAI(api_key="loopback", base_url=server.base_url)
            with Recorder(path) as record:
                async with client.realtime.connect(model="gpt-realtime") as connection:
                    encoder = AudioEncoder()
                    for place in range(0, 9600, 2400):  # 0.4 s: at half a second the server would answer by itself
                        frame = encoder.encode(speech[place : place + 2400])
                        record.sent(frame)
                        await connection.send(json.loads(frame))
                        await asyncio.sleep(0.1)
                    commit = '{"type":"input_audio_buffer.commit"}'
                    record.sent(commit)
                    await connection.send(json.loads(commit))
                    ask = '{"type":"response.create"}'
                    record.sent(ask)
                    await connection.send(json.loads(ask))
                    async for message in decode_stream(connection):
                        record.received(message)
                        if isinstance(message, messages.ResponseDone):
                            break

    asyncio.run(talk())
    out = tmp_path / "out"
    output = run("extract", path, "--out", out, "--joined").output
    assert "a recording of realtime-pcm, version 1" in output
    found = wavs(out)
    users = [samples for name, samples in found.items() if "-user" in name]
    models = [samples for name, samples in found.items() if "-model-" in name]
    assert np.array_equal(np.concatenate(users), speech[:9600])
    assert b"".join(samples.astype("<i2").tobytes() for samples in models) == clients.PCM
    both = found["joined.wav"]
    starts = {item["side"]: item["start"] for item in json.loads((out / "summary.json").read_bytes())["items"] if item["files"]}
    for side, samples, channel in (("user", speech[:9600], both[::2]), ("model", np.concatenate(models), both[1::2])):
        start = round(starts[side] * 24_000)
        assert np.array_equal(channel[start : start + len(samples)], samples)
        assert not channel[:start].any() and not channel[start + len(samples) :].any()
    assert clients.TRANSCRIPT in (out / "transcript.txt").read_text()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    """200 MB take as much memory as 20 MB."""
    turn = b"\n".join(FRAMES)
    peaks = []
    for copies in (32, 320):
        path = tmp_path / f"{copies}.jsonl"
        path.write_bytes(b"\n".join([turn] * copies) + b"\n")
        command = [*COMMAND, "extract", str(path), "--joined", "--out", str(tmp_path / str(copies))]
        script = (
            "import resource, subprocess, sys\n"
            f"subprocess.run({command!r}, check=True)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=True)
        peaks.append(int(done.stdout.splitlines()[-1]))
    assert peaks[1] - peaks[0] < 16 * 1024, peaks


def test_a_wav_that_is_full_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sizes have 32 bits."""
    from realtime_pcm.cli import joined as joining, speech, wavs as files_of

    monkeypatch.setattr(files_of, "MOST_BYTES", 100_000)
    samples = noise(120_000)
    path = recorded(tmp_path / "call.jsonl", *(delta(samples[at : at + 2400]) for at in range(0, len(samples), 2400)))
    recording = read_recording(path)
    writer, joined = files_of.Wavs(), joining.Joined(tmp_path)
    found = speech.Speech(tmp_path, writer, recording, joined)
    for entry in recording:
        found.take(entry)
    found.finish()
    made = joined.finish(writer, "joined", lambda done, size: None)
    [item] = found.items
    assert np.array_equal(np.concatenate([read(tmp_path / file["file"])[2] for file in item.files]), samples)
    both = np.concatenate([read(tmp_path / file["file"])[2] for file in made])
    assert np.array_equal(both[1::2], samples) and not both[::2].any()
    assert len(item.files) == 3 and len(made) == 5
    assert all((tmp_path / file["file"]).stat().st_size <= 100_044 for file in [*item.files, *made])
    assert found.mixed == []


@pytest.mark.parametrize("rate", [1, 3_999, 192_001, 200_000_000])
def test_a_rate_that_no_sound_has_is_left_out_of_the_joined_wav(tmp_path: Path, rate: int) -> None:
    """A stranger's rate decides neither how large the file is nor how much memory it takes. The item's own WAV has the audio."""
    samples = noise(2400)
    events = [HEADER, at(0.0, delta(samples, "a")), at(1.0, delta(samples, "b", "resp_2", sample_rate_hz=rate))]
    out = tmp_path / "out"
    line = run("extract", recorded(tmp_path / "call.jsonl", *events), "--out", out, "--joined", status=1).line
    what = "samples for joined.wav whose rate is not 4,000 to 192,000 Hz"
    assert line.endswith(f"left out: 2,400 {what}")
    summary = json.loads((out / "summary.json").read_bytes())
    assert summary["left_out"] == {what: 2400} and summary["complete"] is False
    found = {name: read(out / name) for name in files(out) if name.endswith(".wav")}
    assert found["002-model-b.wav"][0] == rate and np.array_equal(found["002-model-b.wav"][2], samples)
    assert found["joined.wav"][0] == 24_000 and np.array_equal(found["joined.wav"][2][1::2], samples)


def test_a_recording_of_nothing_but_a_rate_that_no_sound_has(tmp_path: Path) -> None:
    out, summary = extract(tmp_path, delta(noise(24), sample_rate_hz=10**9), options=("--joined",), status=1)
    assert summary["joined"] == [] and list(wavs(out)) == ["001-model-item_1.wav"]


@pytest.mark.parametrize(("first", "second"), [(192_000, 4_000), (4_000, 192_000)])
def test_what_the_joined_wav_takes_of_memory(tmp_path: Path, first: int, second: int) -> None:
    """A lane whose rate changes from one bound to the other, and both lanes as one WAV: a few MB, whatever the length."""
    pytest.importorskip("soxr")
    import tracemalloc

    from realtime_pcm.cli import joined as joining, wavs as files_of

    joined, samples = joining.Joined(tmp_path), noise(first // 100)
    long = noise(100_000 if second < first else 4_800_000)  # 25 s
    tracemalloc.start()
    try:
        joined.add("model", 0.0, samples, first, 1)
        joined.add("model", 0.01, long, second, 1)
        joined.add("user", 0.0, samples, second, 1)
        made = joined.finish(files_of.Wavs(), "joined", lambda done, size: None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        joined.close()
    assert peak < 16 * 2**20, peak
    assert made == [{"file": "joined.wav", "rate": 192_000, "samples": 192_000 * 25 + 1920}] and joined.left_out == {}


def test_progress_of_the_joined_wav(tmp_path: Path) -> None:
    """It is read in pieces of so many samples, whatever the rate, and told to the last sample."""
    from realtime_pcm.cli import joined as joining, wavs as files_of

    joined, told = joining.Joined(tmp_path), []
    joined.add("user", 0.0, noise(100_000), 192_000, 1)
    joined.finish(files_of.Wavs(), "joined", lambda done, size: told.append((done, size)))
    joined.close()
    assert told == [(done, 100_000) for done in (24_000, 48_000, 72_000, 96_000, 100_000)]


def test_audio_behind_the_last_hour_is_told(tmp_path: Path) -> None:
    """joined.wav has 48 hours; the counts stand in the summary, and the recording is not complete."""
    from realtime_pcm.cli import joined as joining

    hour = 3590.0  # a longer pause would be taken for a fault of the clock
    events = [HEADER, *(at(0.0 + hour * n, {"type": "response.created", "response": {"id": "r"}}) for n in range(49))]
    events += [at(hour * 48 + 3000.0, delta(noise(240), "late", sample_rate_hz=4000))]
    out, summary = extract(tmp_path, *events, options=("--joined",), status=1)
    assert hour * 48 + 3000.0 > joining.LONGEST
    assert summary["left_out"] == {"samples for joined.wav after the first 48 hours": 240} and summary["complete"] is False
    assert summary["joined"] == [] and list(wavs(out)) == ["001-model-late.wav"]


def test_ids_that_are_long_take_little_memory(tmp_path: Path) -> None:
    """An id of more than 512 characters is none, here as in playback and everywhere else."""
    out, summary = extract(tmp_path, delta(noise(10, 1), "x" * 100_000 + "1"), delta(noise(20, 2), "x" * 100_000 + "2"))
    assert sorted(map(len, wavs(out).values())) == [30]
    assert [item["id"] for item in summary["items"]] == [None]


def test_many_short_words_of_one_item(tmp_path: Path) -> None:
    said = [f"{number} " for number in range(3500)]
    out, summary = extract(tmp_path, *map(words, said))
    assert summary["items"][0]["transcript"] == "".join(said).strip()
    assert (out / "transcript.txt").read_text().endswith(" 3498 3499\n")


def test_an_interruption_drops_what_is_queued(tmp_path: Path) -> None:
    """Two items of one response come at once; the first is interrupted, so nobody hears the second."""
    first, second, answer = noise(24_000, 1), noise(24_000, 2), noise(2400, 3)
    cut = {"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 250}
    events = [
        HEADER,
        at(0.0, delta(first, "a")),
        at(0.0, delta(second, "b")),
        at(0.25, cut),
        at(0.5, delta(answer, "c", "resp_2")),
    ]
    out, summary = extract(tmp_path, *events, options=("--joined",))
    right = read(out / "joined.wav")[2][1::2]
    assert np.array_equal(right[:6000], first[:6000]) and not right[6000:12_000].any()
    assert np.array_equal(right[12_000:], answer)
    assert [item["heard_seconds"] for item in summary["items"]] == [0.25, 0.0, None]
    assert [len(samples) for name, samples in wavs(out).items() if name != "joined.wav"] == [24_000, 24_000, 2400]


def test_a_gap_of_the_network_is_heard(tmp_path: Path) -> None:
    """A player that has nothing left is silent until the next piece comes."""
    events = [HEADER, at(0.0, delta(noise(2400, 1))), at(0.3, delta(noise(2400, 2))), at(0.41, delta(noise(2400, 3)))]
    out, _ = extract(tmp_path, *events, options=("--joined",))
    right = read(out / "joined.wav")[2][1::2]
    assert np.array_equal(right[:2400], noise(2400, 1)) and not right[2400:7200].any()
    assert np.array_equal(right[7200:9600], noise(2400, 2)) and np.array_equal(right[9600:], noise(2400, 3))


def test_a_content_index_that_counts_chunks_makes_one_wav(tmp_path: Path) -> None:
    pieces = [noise(300 + number, number) for number in range(4)]
    frames = [delta(piece, "i", content_index=number) for number, piece in enumerate(pieces)]
    out, summary = extract(tmp_path, *frames)
    assert list(map(len, wavs(out).values())) == [1_206] and len(summary["items"]) == 1


def test_audio_after_its_done_goes_into_the_same_wav(tmp_path: Path) -> None:
    """Of servers with a done after each sentence; the transcript has all sentences."""
    frames: list[Any] = []
    for number, sentence in enumerate(("One.", "Two.")):
        frames += [delta(noise(300 + number, number), "i", content_index=0)]
        ids = {"response_id": "resp_1", "item_id": "i", "content_index": 0}
        frames += [{"type": "response.output_audio_transcript.done", **ids, "transcript": sentence}]
        frames += [{"type": "response.output_audio.done", **ids}]
    out, summary = extract(tmp_path, *frames)
    assert list(map(len, wavs(out).values())) == [601]
    assert [item["transcript"] for item in summary["items"]] == ["One. Two."]
