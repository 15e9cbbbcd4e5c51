"""The packaged sample: shaped like a recorded OpenAI session, typed throughout, and what its script makes."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import sample
from support.paths import TOOLS, load

TOOL = TOOLS / "make_sample.py"
FRAMES = sample.lines()
EVENTS: list[dict[str, Any]] = [json.loads(frame) for frame in FRAMES]
TYPES = [event["type"] for event in EVENTS]
AUDIO = "response.output_audio.delta"
TRANSCRIPT = "response.output_audio_transcript.delta"


def test_the_file_is_one_frame_a_line() -> None:
    assert sample.path().read_bytes() == b"\n".join(FRAMES) + b"\n"
    assert all(frame.strip() == frame and frame for frame in FRAMES)
    assert 200_000 < sum(map(len, FRAMES)) < 400_000


def test_from_session_created_to_response_done() -> None:
    assert TYPES[:2] == ["session.created", "session.updated"]
    assert TYPES[-2:] == ["response.done", "rate_limits.updated"]
    assert TYPES.index("response.created") < TYPES.index("response.output_item.added") < TYPES.index(AUDIO)
    last_audio = len(TYPES) - 1 - TYPES[::-1].index(AUDIO)
    done = ["response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done"]
    assert TYPES[last_audio + 1 : last_audio + 4] == done


def test_ids_are_unique_and_shaped_like_the_servers() -> None:
    ids = [event["event_id"] for event in EVENTS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"event_[0-9A-Za-z]{21}", id_) for id_ in ids)


def test_audio_is_cut_as_the_server_cuts_it() -> None:
    sizes = [len(base64.b64decode(event["delta"])) for event in EVENTS if event["type"] == AUDIO]
    assert sizes[:2] == [4_800, 7_200]
    assert set(sizes[2:]) == {12_000} and len(sizes) > 15


def test_the_transcript_comes_between_the_audio() -> None:
    done = next(event for event in EVENTS if event["type"] == "response.output_audio_transcript.done")
    assert "".join(event["delta"] for event in EVENTS if event["type"] == TRANSCRIPT) == done["transcript"]
    assert not done["transcript"].isascii()
    order = "".join({AUDIO: "a", TRANSCRIPT: "t"}.get(type_, "") for type_ in TYPES)
    assert order.startswith("t") and len(re.findall("ta", order)) > 4
    assert all(len(e["delta"] + e["obfuscation"]) % 16 == 0 for e in EVENTS if e["type"] == TRANSCRIPT)


def test_every_frame_decodes_typed() -> None:
    decoder = rp.Decoder()
    offset = 0
    for frame, event in zip(FRAMES, EVENTS, strict=True):
        message = decoder.decode(frame)
        assert message.type == event["type"]
        assert not isinstance(message, rp.messages.UnknownMessage)
        # All the server sends is declared, but for the padding.
        assert set(message.extra) <= {"obfuscation"}, message
        assert message.to_dict() == event
        if isinstance(message, rp.messages.ResponseAudioDelta):
            assert message.pcm.tobytes() == base64.b64decode(event["delta"])
            assert message.audio_format == rp.AudioFormat("pcm16", 24_000)
            assert message.sample_offset == offset
            offset += len(message.pcm)


def test_it_is_speech() -> None:
    """Loud enough to hear, never clipped, with pauses."""
    deltas = [base64.b64decode(event["delta"]) for event in EVENTS if event["type"] == AUDIO]
    pcm = np.frombuffer(b"".join(deltas), "<i2")
    assert 3 < len(pcm) / 24_000 < 15
    assert 500 < np.sqrt(np.mean(np.square(pcm.astype(float)))) < 8_000
    assert np.abs(pcm.astype(int)).max() < 32_767
    loudness = np.abs(pcm[: len(pcm) // 480 * 480].reshape(-1, 480).astype(int)).max(axis=1)
    assert 0.02 < np.mean(loudness < 100) < 0.6


@pytest.mark.skipif(not TOOL.exists(), reason="needs the source tree: tools/make_sample.py")
def test_the_script_lays_out_the_same_session() -> None:
    """All but the speech itself: from the sample's own PCM the script makes the sample again."""
    tool = load(TOOL)
    pcm = b"".join(base64.b64decode(event["delta"]) for event in EVENTS if event["type"] == AUDIO)
    lines = tool.record(pcm)
    assert [line.encode() for line in lines[:-2]] == FRAMES[:-2]  # response.done counts the samples before padding
    assert [json.loads(line)["type"] for line in lines] == TYPES


@pytest.mark.skipif(not TOOL.exists(), reason="needs the source tree: tools/make_sample.py")
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the espeak-ng command")
def test_the_script_makes_the_sample(tmp_path: Path) -> None:
    target = tmp_path / "session.jsonl"
    subprocess.run([sys.executable, str(TOOL), str(target)], check=True, capture_output=True, timeout=60)
    version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    made = target.read_bytes().splitlines()
    if "1.51" in version:  # the one that spoke it
        made_events = [json.loads(line) for line in made]
        assert [event["type"] for event in made_events] == TYPES
        texts = [[e for e in events if e["type"] != AUDIO] for events in (made_events, EVENTS)]
        assert texts[0] == texts[1]
        for ours, theirs in zip(made_events, EVENTS, strict=True):
            if ours["type"] == AUDIO:
                pcm, kept = (np.frombuffer(base64.b64decode(e["delta"]), "<i2").astype(int) for e in (ours, theirs))
                # The transform's last bit may round otherwise on another machine: another multiple of a sample's step.
                assert np.abs(pcm - kept).max() <= 512 and np.count_nonzero(pcm - kept) < len(pcm) / 50
    else:
        assert json.loads(made[0])["type"] == "session.created"
        assert json.loads(made[-2])["type"] == "response.done"
