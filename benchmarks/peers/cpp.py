"""The C++ peer: built from the sources inside the sdists of two PyPI packages, when first asked for, into a cache folder.

Nothing of simdjson or simdutf is kept in this repository. Where there is no compiler, or the sdists cannot be had, the peer
is left out with a word. `cpp_peer.cpp` holds the decoder and its timing loop."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..frames import CREATED, DONE, INPUT_TRANSCRIPT, ITEM_ADDED, TEXT_DELTAS
from . import Unavailable, Wire

SOURCE = Path(__file__).with_name("cpp_peer.cpp")
SDISTS = {"pysimdjson": ("simdjson.h", "simdjson.cpp"), "fastpybase64": ("simdutf.h", "simdutf.cpp")}
FLAGS = ("-std=c++17", "-O3", "-DNDEBUG", "-fPIC")


def native_loops() -> dict[str, Any]:
    return _loops(_library("native"))


def avx2_loops() -> dict[str, Any]:
    """The same held to AVX2: what the tier below is to be compared with, engine for engine."""
    if platform.machine() not in ("x86_64", "AMD64"):
        raise Unavailable("not for this CPU")
    library = _library("haswell")
    if not library.peer_use_simdutf(b"haswell"):
        raise Unavailable("not for this CPU")
    return _loops(library)


class CppLoop:
    """A loop like the others, and `time(frames, passes)`: nanoseconds as the loop inside C++ measured them."""

    def __init__(self, library: ctypes.CDLL, kind: str) -> None:
        self._library = library
        self._kind = kind
        self._opened: tuple[Sequence[Wire], int] | None = None

    def __call__(self, frames: Sequence[Wire]) -> tuple[Any, ...]:
        handle = self._open(frames)
        if self._library.peer_time(handle, 1) < 0:
            raise ValueError("refused")
        texts, lengths = (ctypes.c_void_p * 5)(), (ctypes.c_size_t * 5)()
        pcm, samples = ctypes.c_void_p(), ctypes.c_size_t()
        self._library.peer_last(handle, texts, lengths, ctypes.byref(pcm), ctypes.byref(samples))
        kind, event_id, response_id, item_id, delta = (
            ctypes.string_at(text, length).decode() if text else None for text, length in zip(texts, lengths, strict=True)
        )
        payload: object = delta
        if pcm.value:
            payload = np.frombuffer(ctypes.string_at(pcm.value, 2 * samples.value), np.int16)
        elif self._kind == "session" and kind not in TEXT_DELTAS and kind != INPUT_TRANSCRIPT:
            # The loop in C++ reads the flat fields only; the few nested ones are granted to it, the check with them.
            response_id = item_id = None
            payload = _nested(kind, frames[-1])
        return kind, event_id, response_id, item_id, payload

    def time(self, frames: Sequence[Wire], passes: int) -> int:
        return int(self._library.peer_time(self._open(frames), passes))

    def each(self, frames: Sequence[Wire], received: bool) -> list[int]:
        """Nanoseconds of each frame, by a clock inside C++; ``received``: each is copied right before."""
        times = (ctypes.c_int64 * len(frames))()
        if not self._library.peer_each(self._open(frames), received, times):
            raise ValueError("refused")
        return list(times)

    def keep(self, frames: Sequence[Wire], count: int, messages: int) -> int:
        """Nanoseconds of so many messages, the samples of ``count`` kept until all of them are dropped."""
        return int(self._library.peer_keep(self._open(frames), count, messages))

    def _open(self, frames: Sequence[Wire]) -> int:
        if self._opened is None or self._opened[0] is not frames:
            self.close()
            wires = [frame.encode() if isinstance(frame, str) else frame for frame in frames]
            texts = (ctypes.c_char_p * len(wires))(*wires)
            lengths = (ctypes.c_size_t * len(wires))(*map(len, wires))
            self._opened = frames, self._library.peer_open(texts, lengths, len(wires))
        return self._opened[1]

    def close(self) -> None:
        if self._opened is not None:
            self._library.peer_close(self._opened[1])
            self._opened = None


def _nested(kind: str | None, frame: Wire) -> object:
    import json

    path = {ITEM_ADDED: ("item", "id"), DONE: ("response", "status"), CREATED: ("session", "model")}.get(kind or "")
    return json.loads(frame)[path[0]][path[1]] if path else None


def _loops(library: ctypes.CDLL) -> dict[str, Any]:
    return {kind: CppLoop(library, kind) for kind in ("audio", "text", "session")}


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "realtime-pcm-benchmarks"


@cache
def _library(march: str) -> ctypes.CDLL:
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        raise Unavailable("no compiler")
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    sources = _sources(folder)
    # simdutf chooses its kernels when it runs, so one object serves; simdjson's On-Demand is bound to one when compiled.
    simdutf = _built(folder, compiler, "simdutf", [sources / "simdutf.cpp"], ["-c", f"-I{sources}"], ".o")
    inputs = [SOURCE, sources / "simdjson.cpp", simdutf]
    path = _built(folder, compiler, f"peer-{march}", inputs, [f"-march={march}", "-shared", f"-I{sources}"], ".so")
    library = ctypes.CDLL(str(path))
    library.peer_open.restype = ctypes.c_void_p
    library.peer_open.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    library.peer_close.argtypes = (ctypes.c_void_p,)
    library.peer_time.restype = ctypes.c_int64
    library.peer_time.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    library.peer_each.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    library.peer_keep.restype = ctypes.c_int64
    library.peer_keep.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
    library.peer_last.argtypes = (ctypes.c_void_p,) * 5
    library.peer_implementation.restype = ctypes.c_char_p
    return library


def _built(folder: Path, compiler: str, name: str, inputs: list[Path], flags: list[str], suffix: str) -> Path:
    """The compiled file, made anew only where an input, the flags or the CPU (`-march=native`) are others."""
    digest = hashlib.sha256(" ".join([compiler, *FLAGS, *flags, platform.machine(), _cpu_flags()]).encode())
    for path in inputs:
        digest.update(path.read_bytes())
    target = folder / f"{name}-{digest.hexdigest()[:16]}{suffix}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            output = Path(scratch) / target.name
            command = [compiler, *FLAGS, *flags, *map(str, inputs), "-o", str(output)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode:
                raise Unavailable("does not compile")
            output.replace(target)  # at once, so that a second process never sees half a file
    return target


def _cpu_flags() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _sources(folder: Path) -> Path:
    sources = folder / "sources"
    sources.mkdir(exist_ok=True)
    for package, names in SDISTS.items():
        if all((sources / name).exists() for name in names):
            continue
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package, "-d", scratch]
            try:
                subprocess.run([*command, package], check=True, capture_output=True, timeout=180)
            except (OSError, subprocess.SubprocessError) as error:
                raise Unavailable("no sdist") from error
            _extract(next(Path(scratch).glob("*.tar.gz")), names, sources)
    return sources


def _extract(sdist: Path, names: Sequence[str], folder: Path) -> None:
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            name = member.name.rsplit("/", 1)[-1]
            if name in names and (stream := archive.extractfile(member)):
                (folder / name).write_bytes(stream.read())
