"""The memory of the arrays that decoding makes, and how much of it is kept for the next ones.

An array of samples (`message.pcm`) is a NumPy array like any other: owned, writable, exactly sized; it can be resized. When the
last reference to it is dropped, its memory goes into a cache of blocks, and the next array of about that size is made of it
without a page fault. The cache holds 16 MiB at the most, those blocks that arrays use not counted, and blocks of up to 1 MiB.
NumPy's own memory handler (`numpy.core.multiarray.get_handler_name`) is not asked, unless the cache is off. tracemalloc sees
the arrays in NumPy's domain, and not what the cache keeps.

The environment variable REALTIME_PCM_BLOCK_CACHE is the limit in bytes at import; 0 turns the cache off. Without the GIL, a
thread that finds another one at the cache takes memory from the C library, or gives it back to it: nobody waits.
"""

from __future__ import annotations

from typing import NamedTuple

from . import _core

__all__ = ["CacheInfo", "cache_info", "clear_cache", "set_cache_limit"]


class CacheInfo(NamedTuple):
    """What the cache holds, in bytes and blocks, and how many arrays were made since the package was imported."""

    limit: int
    kept_bytes: int
    kept_blocks: int
    reused: int
    """Arrays of a block that was kept."""
    fresh: int
    """Arrays of memory from the C library."""


def cache_info() -> CacheInfo:
    """What the cache of blocks holds at this moment."""
    return CacheInfo(*_core._cache_counts())


def clear_cache() -> None:
    """Gives all that the cache holds back to the C library. Arrays in use are untouched."""
    _core._clear_cache()


def set_cache_limit(limit: int) -> None:
    """Keeps at most `limit` bytes from now on; 0 turns the cache off, and arrays are then made by NumPy's own handler.

    Raises ValueError where `limit` is negative, TypeError where it is no int.
    """
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"limit is an int, not {type(limit).__name__}")
    if limit < 0:
        raise ValueError(f"limit is a number of bytes, not {limit}")
    _core._set_cache_limit(limit)
