"""Eight threads against one alone; the long run is `python tests/hardening threads`."""

from __future__ import annotations

import pytest

from hardening import threads


@pytest.mark.slow
def test_a_decoder_each() -> None:
    assert threads.own_decoders(20_000) == 0


@pytest.mark.slow
def test_one_decoder() -> None:
    assert threads.shared_decoder(4_000) == []
