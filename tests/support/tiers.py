"""The tiers of kernels that this machine runs."""

from __future__ import annotations

from realtime_pcm import _core

TIERS = _core._available_tiers()
