"""Conformance suites, each case in every place of a frame where it can stand.

Without the shared test data, what the fuzzers found stands in for the suites of JSON, and every last group of base64
for those of base64.
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

import realtime_pcm as rp
from support import oracle
from support.paths import FUZZ_CORPUS
from support.shared import shared_files

JSON_SUITES = [FUZZ_CORPUS, *shared_files("suites", "json_*.jsonl")]
LAST_GROUPS = Path("last groups")
BASE64_SUITES = shared_files("suites", "b64_*.jsonl") or [LAST_GROUPS]
SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def cases(path: Path) -> list[tuple[str, bytes]]:
    if path == LAST_GROUPS:
        texts = [f"{a}{b}==" for a in SYMBOLS for b in SYMBOLS] + [f"AA{c}=" for c in SYMBOLS]
        return [(text, text.encode()) for text in texts]
    if path == FUZZ_CORPUS:
        with tarfile.open(path) as archive:
            return [(member.name, archive.extractfile(member).read()) for member in archive if member.isfile()]
    rows = map(json.loads, path.read_bytes().splitlines())
    return [(row["name"], bytes.fromhex(row["input_hex"])) for row in rows]


def embeddings(case: bytes) -> dict[str, bytes]:
    """The case as a whole frame, an undeclared value, a nested declared value, and, where it is a string, a key."""
    frames = {
        "frame": case,
        "undeclared value": b'{"type":"response.created","x":' + case + b',"event_id":"e"}',
        "nested value": b'{"type":"response.created","response":{"id":"r","status":' + case + b'},"event_id":"e"}',
        "flat value": b'{"type":"response.text.delta","delta":' + case + b',"event_id":"e"}',
        "before type": b'{"x":' + case + b',"type":"response.created"}',
    }
    if case.strip().startswith(b'["') and case.strip().endswith(b'"]'):
        frames["key"] = b'{"type":"response.created",' + case.strip()[1:-1] + b":1}"
    return frames


def verdict(frame: bytes | str) -> bool:
    try:
        rp.decode(frame)
    except rp.DecodeError as error:
        assert 0 <= error.position <= len(frame if isinstance(frame, bytes) else frame.encode())
        assert str(error)
        return False
    return True


def expected_verdict(frame: bytes | str) -> bool:
    try:
        oracle.decode(frame)
    except oracle.Refused:
        return False
    return True


@pytest.mark.parametrize("path", JSON_SUITES, ids=lambda path: path.stem)
def test_json_suite(path: Path, tier: str, record_property: Any) -> None:
    seen: Counter[str] = Counter()
    disagreements = []
    for name, case in cases(path):
        for place, frame in embeddings(case).items():
            seen[place] += 1
            if verdict(frame) != expected_verdict(frame):
                disagreements.append((name, place))
    record_property("cases", dict(seen))
    assert not disagreements
    assert seen["nested value"] > 0


def slow_if_exhaustive(path: Path) -> Any:
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if "exhaustive" in path.stem else [])


@pytest.mark.parametrize("path", list(map(slow_if_exhaustive, BASE64_SUITES)))
def test_base64_suite(path: Path, tier: str) -> None:
    seen = 0
    for name, case in cases(path):
        text = case.decode("latin-1") if name.startswith("wpt") else case.decode("utf-8", "replace")
        for payload in (orjson.dumps(text), json.dumps(text).encode()):
            for frame in (
                b'{"type":"response.audio.delta","event_id":"e","delta":' + payload + b"}",
                b'{"delta":' + payload + b',"type":"response.audio.delta"}',
                b'{"type":"response.audio.delta","delta":' + payload + b',"content_index":0,"x":"' + b"y" * 600 + b'"}',
            ):
                seen += 1
                for given in (frame, frame.decode()):
                    assert verdict(given) == expected_verdict(given), (name, given)
    assert seen
