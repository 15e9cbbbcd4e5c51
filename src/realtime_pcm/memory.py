"""The memory of decoded arrays, and the cache that reuses it.

An array of samples (`message.pcm`) is a NumPy array like any other: it owns its memory, is writable, and can be resized. When its
last reference is dropped, its memory goes into a cache of blocks. The next array of about that size reuses the block, without a
page fault. The cache keeps at most 16 MiB, and no block larger than 1 MiB. Memory that arrays are using does not count. While the
cache is on, these arrays ignore a memory handler that you have set in NumPy (NEP 49). tracemalloc counts the arrays in NumPy's
domain, but not the cache.

The environment variable REALTIME_PCM_BLOCK_CACHE sets the limit in bytes at import; 0 turns the cache off. In free-threaded
Python, a thread that finds another thread at the cache uses the C library instead, so that neither waits.
"""

from __future__ import annotations

from typing import NamedTuple

from . import _core

__all__ = ["CacheInfo", "cache_info", "clear_cache", "set_cache_limit"]


class CacheInfo(NamedTuple):
    """The state of the cache, and the number of arrays made since the package was imported."""

    limit: int
    """Bytes that the cache may keep."""
    kept_bytes: int
    """Bytes that the cache keeps."""
    kept_blocks: int
    """Blocks that the cache keeps."""
    reused: int
    """Arrays that reused a block of the cache."""
    fresh: int
    """Arrays for which the cache had no block. Arrays of more than 1 MiB are in neither number."""


def cache_info() -> CacheInfo:
    """The current state of the cache."""
    return CacheInfo(*_core._cache_counts())


def clear_cache() -> None:
    """Gives all blocks of the cache back to the C library. Arrays in use keep theirs."""
    _core._clear_cache()


def set_cache_limit(limit: int) -> None:
    """From now on the cache keeps at most `limit` bytes. 0 turns it off: NumPy then allocates the arrays, by its own handler.

    Raises TypeError if `limit` is not an int, ValueError if it is negative, OverflowError if it exceeds a size_t.
    """
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"limit is an int, not {type(limit).__name__}")
    if limit < 0:
        raise ValueError(f"limit is a number of bytes, not {limit}")
    _core._set_cache_limit(limit)
