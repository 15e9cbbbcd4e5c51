"""Random operations on a PlaybackBuffer and on a model in plain Python.

REALTIME_PCM_PLAYBACK_OPERATIONS sets how many: 1,000,000 is the whole test.
"""

from __future__ import annotations

import os

import pytest

import playback_model

OPERATIONS = int(os.environ.get("REALTIME_PCM_PLAYBACK_OPERATIONS", "20000"))


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_random_operations(dtype: str) -> None:
    came_of_it = playback_model.run(OPERATIONS // 2, seed=1 if dtype == "int16" else 2, dtype=dtype)
    print(f"\n{OPERATIONS // 2:,} operations, {dtype}: {came_of_it}")
    # Each of these was reached, so that the comparison says something.
    assert all(came_of_it.values()), came_of_it
