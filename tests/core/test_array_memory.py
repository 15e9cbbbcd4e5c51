"""The memory of arrays: owned by NumPy, made of kept blocks, given back by whoever drops the array."""

from __future__ import annotations

import base64
import copy
import gc
import json
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import _core, memory

SIZES = [0, 2, 62, 64, 66, 1022, 1024, 1026, 4800, 12_000, 55_200, 262_144, 1_048_576, 1_048_578, 3_000_000]
NUMPY_DOMAIN = 389047


def frame(payload: bytes) -> bytes:
    return json.dumps({"type": "response.audio.delta", "item_id": "i", "delta": base64.b64encode(payload).decode()}).encode()


def pcm_of(payload: bytes, dtype: str = "int16") -> Any:
    message: Any = rp.decode(frame(payload), dtype=dtype)
    return message.pcm


def pattern(size: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8).tobytes()


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    before = memory.cache_info().limit
    yield
    memory.set_cache_limit(before)


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8"])
@pytest.mark.parametrize("limit", [16 << 20, 0], ids=["kept", "off"])
def test_an_array_like_any_other(dtype: str, limit: int) -> None:
    memory.set_cache_limit(limit)
    for size in SIZES:
        payload = pattern(size)
        pcm = pcm_of(payload, dtype)
        count = size if dtype == "uint8" else size // 2
        assert (pcm.ndim, pcm.size, pcm.dtype, pcm.nbytes) == (1, count, dtype, count * pcm.itemsize)
        assert pcm.flags.owndata and pcm.flags.writeable and pcm.flags.c_contiguous and pcm.flags.aligned and pcm.base is None
        assert limit == 0 or pcm.ctypes.data % 64 == 0
        numpy_core = getattr(np, "_core", None) or np.core  # its name before NumPy 2
        assert numpy_core.multiarray.get_handler_name(pcm) == ("realtime_pcm_blocks" if limit else "default_allocator")
        expected = np.frombuffer(payload, np.uint8 if dtype == "uint8" else "<i2")
        expected = expected / np.float32(32768) if dtype == "float32" else expected
        assert np.array_equal(pcm, expected)


@pytest.mark.parametrize("size", [s for s in SIZES if s])
def test_resize(size: int) -> None:
    payload = pattern(size)
    pcm = pcm_of(payload, "uint8")
    whole = np.frombuffer(payload, np.uint8)
    for wanted in (size + 1, 2 * size, 5 * size + 3, size, size // 2 + 1, 1, 0, 7):
        pcm.resize(wanted, refcheck=False)
        both = min(wanted, size)
        assert pcm.size == wanted and np.array_equal(pcm[:both], whole[:both])
        assert not pcm[both:].any()
        whole = whole[:wanted] if wanted < size else whole
        size = min(size, wanted)
        whole = whole[:size]


def test_copies_pickles_and_views() -> None:
    payload = pattern(12_000)
    pcm = pcm_of(payload)
    others = [pcm.copy(), copy.deepcopy(pcm), pickle.loads(pickle.dumps(pcm)), pickle.loads(pickle.dumps(pcm, 5)), np.array(pcm)]
    view, half, words = pcm[10:20], pcm[::2], memoryview(pcm)
    expected = pcm.tolist()
    del pcm
    gc.collect()
    for _ in range(50):  # what was given back by mistake would be overwritten
        pcm_of(pattern(12_000, 2))
    assert all(other.tolist() == expected for other in others)
    assert view.tolist() == expected[10:20] and half.tolist() == expected[::2] and words.tolist() == expected


def test_blocks_come_back() -> None:
    memory.clear_cache()
    before = memory.cache_info()
    arrays = [pcm_of(pattern(12_000)) for _ in range(40)]
    assert memory.cache_info().fresh - before.fresh == 40
    arrays.clear()
    assert memory.cache_info().kept_blocks == before.kept_blocks + 40
    again = [pcm_of(pattern(12_000)) for _ in range(40)]
    after = memory.cache_info()
    assert (after.reused - before.reused, after.fresh - before.fresh, after.kept_blocks) == (40, 40, before.kept_blocks)
    del again
    memory.clear_cache()
    assert memory.cache_info()[1:3] == (0, 0)


def test_the_bound() -> None:
    memory.clear_cache()
    memory.set_cache_limit(200_000)
    arrays = [pcm_of(bytes(size)) for size in range(1000, 60_000, 700)]
    most = 0
    while arrays:
        arrays.pop()
        most = max(most, memory.cache_info().kept_bytes)
    assert 150_000 < most <= 200_000
    # What is asked for now displaces what is kept.
    arrays = [pcm_of(bytes(30_000)) for _ in range(5)]
    arrays.clear()
    before = memory.cache_info()
    arrays = [pcm_of(bytes(30_000)) for _ in range(5)]
    assert memory.cache_info().reused - before.reused == 5
    memory.set_cache_limit(0)
    assert memory.cache_info()[:3] == (0, 0, 0)
    del arrays
    assert memory.cache_info()[:3] == (0, 0, 0)
    large = pcm_of(bytes(3_000_000))
    memory.set_cache_limit(16 << 20)
    del large
    assert memory.cache_info().kept_blocks == 0, "an array of NumPy's own handler goes back there"


@pytest.mark.parametrize(
    ("limit", "error"), [(-1, ValueError), ("1", TypeError), (True, TypeError), (1.5, TypeError), (1 << 80, OverflowError)]
)
def test_limits_that_cannot_be(limit: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        memory.set_cache_limit(limit)


@pytest.mark.parametrize(
    ("value", "says"), [("0", "0"), ("123456", "123456"), ("", "16777216"), ("lots", "ImportError"), ("-5", "ImportError")]
)
def test_the_environment_sets_the_limit(value: str, says: str) -> None:
    script = "from realtime_pcm import memory; print(memory.cache_info().limit)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ | {"REALTIME_PCM_BLOCK_CACHE": value}
    )
    assert says in (done.stdout.split() or [done.stderr.strip().splitlines()[-1].split(":")[0]])


def test_no_memory_for_a_block() -> None:
    decoder = rp.Decoder()
    decoder.decode(frame(bytes(12_000)))
    memory.clear_cache()
    _core._refuse_blocks(0, 1000)
    try:
        for given in (
            frame(bytes(12_000)),
            b'{"type":"response.audio.delta","item_id":"i"}',
            b'{"delta":"AAAA","item_id":"i","type":"response.audio.delta"}',
        ):
            with pytest.raises(MemoryError):
                decoder.decode(given)
        with pytest.raises(MemoryError):
            rp.objects.ContentPart({"audio": "AAAA"}).pcm  # noqa: B018
    finally:
        _core._refuse_blocks(0, 0)
    message: Any = decoder.decode(frame(bytes(12_000)))
    assert message.sample_offset == 6000
    pcm = message.pcm
    _core._refuse_blocks(0, 1000)
    try:
        with pytest.raises(MemoryError):
            pcm.resize(1_000_000, refcheck=False)
        assert pcm.size == 6000 and not pcm.any()
    finally:
        _core._refuse_blocks(0, 0)


def test_tracemalloc_sees_the_arrays_in_the_domain_of_numpy() -> None:
    def traced() -> int:
        only = tracemalloc.DomainFilter(inclusive=True, domain=NUMPY_DOMAIN)
        return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([only]).traces)

    tracemalloc.start()
    try:
        before = traced()
        pcm = pcm_of(bytes(12_000))
        assert traced() - before == 12_000
        pcm.resize(30_000, refcheck=False)
        assert traced() - before == 60_000
        del pcm
        assert traced() == before
    finally:
        tracemalloc.stop()


def test_arrays_dropped_by_other_threads() -> None:
    """What one thread makes, others check and drop, in any order."""
    rounds, threads = 300, 4
    queues: list[list[Any]] = [[] for _ in range(threads)]
    wrong: list[int] = []

    def drop(queue: list[Any], done: threading.Event) -> None:
        while queue or not done.is_set():
            if queue:
                seed, pcm = queue.pop()
                if pcm.tobytes() != payloads[seed]:
                    wrong.append(seed)

    payloads = [pattern(2 * (100 + 700 * seed), seed) for seed in range(20)]
    frames = [frame(payload) for payload in payloads]
    done = threading.Event()
    workers = [threading.Thread(target=drop, args=(queue, done)) for queue in queues]
    for worker in workers:
        worker.start()
    decoder: Any = rp.Decoder()
    for turn in range(rounds):
        for seed, given in enumerate(frames):
            queues[(turn + seed) % threads].append((seed, decoder.decode(given).pcm))
    done.set()
    for worker in workers:
        worker.join(60)
    assert not wrong and not any(worker.is_alive() for worker in workers)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_arrays_across_a_fork() -> None:
    script = """
import base64, json, os
import realtime_pcm as rp
from realtime_pcm import memory
frame = json.dumps({"type": "response.audio.delta", "delta": base64.b64encode(bytes(range(200)) * 60).decode()})
kept = [rp.decode(frame).pcm for _ in range(20)]
dropped = [rp.decode(frame).pcm for _ in range(20)]; del dropped
expected = kept[0].tolist()
child = os.fork()
more = [rp.decode(frame).pcm for _ in range(40)]
for pcm in more: pcm[:] = child != 0
del pcm
assert all(pcm.tolist() == expected for pcm in kept)
del more, kept
if child == 0: os._exit(0 if memory.cache_info().kept_blocks == 60 else 1)
print(os.waitpid(child, 0)[1], memory.cache_info().kept_blocks)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "0 60\n", done.stderr
