"""DuckDB and Polars read the Parquet files: the audio to the sample, and the transcripts, as a Decoder gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import arrow, messages, sample
from support.engines import needed

pytestmark = pytest.mark.slow

Query = Callable[[str, list[str]], list[tuple[Any, ...]]]
NAMES = ("plain.jsonl", "deep/telephone.jsonl")


class Truth(NamedTuple):
    """What a Decoder finds in the frames of one recording: line -> samples, and the transcripts of the answers."""

    audio: dict[int, np.ndarray]
    sent: dict[int, bytes]
    transcripts: list[str]


def frames_of(name: str) -> list[bytes]:
    """The packaged session; as a telephone call, the same frames, their bytes taken as G.711."""
    frames = sample.lines()
    if name == "plain.jsonl":
        return frames
    found = [frame.replace(b'{"type":"audio/pcm","rate":24000}', b'{"type":"audio/pcmu"}') for frame in frames]
    assert sum(one != other for one, other in zip(found, frames, strict=True)) >= 2  # of the session, and of the response
    return found


def truth_of(frames: list[bytes]) -> Truth:
    decoder, raw = rp.Decoder(), rp.Decoder(dtype="uint8")
    found = Truth({}, {}, [])
    for line, frame in enumerate(frames, 1):
        message = decoder.decode(frame)
        if isinstance(message, messages.ResponseAudioDelta):
            found.audio[line] = message.pcm
            found.sent[line] = raw.decode(frame).pcm.tobytes()
        elif isinstance(message, messages.ResponseAudioTranscriptDone):
            found.transcripts.append(message.transcript)
            raw.decode(frame)
        else:
            raw.decode(frame)
    return found


@pytest.fixture(params=["plain", "wrapped"])
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Truth]]:
    folder, found = tmp_path / "calls", {}
    for name in NAMES:
        frames = frames_of(name)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        lines = frames
        if request.param == "wrapped":
            lines = [b'{"at":%d,"dir":"in","event":%b}' % (number, frame) for number, frame in enumerate(frames)]
        (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))
        found[str(folder / name)] = truth_of(frames)
        assert len(found[str(folder / name)].audio) > 10
    return folder, found


def by_duckdb(pattern: str, columns: list[str]) -> list[tuple[Any, ...]]:
    with needed("duckdb").connect() as base:
        found = base.execute(f"select {', '.join(columns)} from read_parquet(?) order by source, line", [pattern])
        return list(found.fetchall())


def by_polars(pattern: str, columns: list[str]) -> list[tuple[Any, ...]]:
    return list(needed("polars").scan_parquet(pattern).sort("source", "line").select(columns).collect().rows())


@pytest.mark.parametrize("query", [by_duckdb, by_polars])
def test_audio_to_the_sample(query: Query, recorded: tuple[Path, dict[str, Truth]], tmp_path: Path) -> None:
    folder, expected = recorded
    arrow.to_parquet(folder, tmp_path / "out")
    rows = query(f"{tmp_path}/out/rows/**/*.parquet", ["source", "line", "pcm"])
    heard = {(source, line): pcm for source, line, pcm in rows if pcm is not None}
    assert list(heard) == [(source, line) for source in sorted(expected) for line in expected[source].audio]
    for (source, line), pcm in heard.items():
        np.testing.assert_array_equal(np.array(pcm, np.int64), expected[source].audio[line])
    assert min(map(min, heard.values())) < -1000 and max(map(max, heard.values())) > 1000


@pytest.mark.parametrize("query", [by_duckdb, by_polars])
def test_audio_as_it_was_sent(query: Query, recorded: tuple[Path, dict[str, Truth]], tmp_path: Path) -> None:
    folder, expected = recorded
    arrow.to_parquet(folder, tmp_path / "out", pcm="sent")
    rows = query(f"{tmp_path}/out/rows/**/*.parquet", ["source", "line", "pcm"])
    found = {(source, line): bytes(pcm) for source, line, pcm in rows if pcm is not None}
    assert found == {(source, line): data for source in sorted(expected) for line, data in expected[source].sent.items()}


@pytest.mark.parametrize("query", [by_duckdb, by_polars])
def test_transcripts(query: Query, recorded: tuple[Path, dict[str, Truth]], tmp_path: Path) -> None:
    folder, expected = recorded
    arrow.to_parquet(folder, tmp_path / "out")
    rows = query(f"{tmp_path}/out/rows/**/*.parquet", ["source", "line", "type", "text"])
    items = query(f"{tmp_path}/out/items/**/*.parquet", ["source", "line", "speaker", "transcript", "seconds"])
    for source, truth in expected.items():
        assert truth.transcripts
        done = [row[3] for row in rows if row[0] == source and row[2] == "response.output_audio_transcript.done"]
        assert done == truth.transcripts
        pieces = [row[3] for row in rows if row[0] == source and row[2] == "response.output_audio_transcript.delta"]
        assert "".join(pieces) == "".join(truth.transcripts)
        answers = [row for row in items if row[0] == source and row[2] == "assistant"]
        assert [row[3] for row in answers] == truth.transcripts
        rate = 8_000 if "telephone" in source else 24_000
        assert answers[0][4] == pytest.approx(sum(map(len, truth.audio.values())) / rate)
    said = json.loads(next(frame for frame in sample.lines() if b"input_audio_transcription.completed" in frame))["transcript"]
    assert [row[3] for row in items if row[2] == "user"] == [said] * 2
