"""The package as it is imported: its public names, its tiers, and what importing it costs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import realtime_pcm as rp
from support.tiers import TIERS


def run(code: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=os.environ | environment)


def test_public_names() -> None:
    for name in rp.__all__:
        assert getattr(rp, name) is not None
    assert rp.simd_tier() in TIERS


@pytest.mark.parametrize("name", TIERS)
def test_a_tier_is_forced_by_the_environment(name: str) -> None:
    done = run("import realtime_pcm; print(realtime_pcm.simd_tier())", REALTIME_PCM_SIMD=name)
    assert done.stdout.strip() == name, done.stderr


def test_an_unknown_tier_is_an_import_error_with_the_list() -> None:
    done = run("import realtime_pcm", REALTIME_PCM_SIMD="mmx")
    assert done.returncode != 0
    assert "ImportError" in done.stderr and all(name in done.stderr for name in TIERS)


def test_the_best_tier_is_chosen() -> None:
    done = run("import realtime_pcm; print(realtime_pcm.simd_tier())", REALTIME_PCM_SIMD="")
    assert done.stdout.strip() == TIERS[0]


def test_the_client_names_its_extra_and_another_way_where_picows_is_missing() -> None:
    done = run("import sys; sys.modules['picows'] = None; import realtime_pcm; import realtime_pcm.client")
    assert done.returncode != 0
    assert "pip install 'realtime-pcm[client]'" in done.stderr and "decode_stream()" in done.stderr


def test_nothing_heavy_at_import() -> None:
    done = run("import sys, numpy; before = set(sys.modules); import realtime_pcm; print(*(set(sys.modules) - before))")
    loaded = done.stdout.split()
    assert "realtime_pcm._core" in loaded
    for name in (
        "asyncio",
        "importlib.metadata",
        "orjson",
        "typer",
        "rich",
        "websockets",
        "picows",
        "dataclasses",
        "inspect",
        "logging",
        "difflib",
    ):
        assert name not in loaded


def test_the_package_can_be_imported_again() -> None:
    code = """
import sys
import realtime_pcm as rp
import realtime_pcm.playback
before = rp.messages.Error
def again(wanted):
    for name in [name for name in sys.modules if name.split(".")[0] == "realtime_pcm" and wanted(name)]:
        del sys.modules[name]
    import realtime_pcm as rp
    import realtime_pcm.playback, realtime_pcm.recording
    assert rp is realtime_pcm and rp.messages.Error is before
    message = rp.Decoder(audio_format=rp.AudioFormat("pcm16", 8000)).decode(b'{"type":"error"}')
    assert isinstance(message, rp.messages.Error)
    realtime_pcm.playback.PlaybackBuffer(8000).write(message)
    try: rp.decode(b"x")
    except rp.DecodeError: pass
again(lambda name: True)
again(lambda name: name == "realtime_pcm")
again(lambda name: "playback" in name or "_core" in name)
again(lambda name: True)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
