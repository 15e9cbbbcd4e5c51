"""Tests an installed wheel with what every platform has: NumPy, pytest, and under the GIL orjson and pybase64.

    python tests/wheel.py [arguments of pytest]

cibuildwheel runs this for each wheel where it was built. The whole suite needs packages that have wheels for fewer platforms;
on free-threaded Python orjson and pybase64, with which tests/decode compares, have none.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ALWAYS = """
    core encode decode/test_g711.py decode/test_only_and_out.py messages/test_lifetimes.py messages/test_messages.py
    messages/test_objects.py messages/test_own_classes.py playback/test_interrupt.py playback/test_playback.py
    playback/test_playback_model.py playback/test_playback_threads.py playback/test_playback_tracker.py
    package/test_package.py package/test_sample.py
    session/test_session.py session/test_session_formats.py session/test_session_faults.py stream/test_stream.py
    hardening/test_stack.py hardening/test_thread_runs.py
"""
WITH_ORACLES = "catalogue/test_provider_frames.py decode messages/test_json_values.py hardening/test_differential.py"


def main() -> int:
    paths = ALWAYS.split()
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        paths = [*(path for path in paths if not path.startswith("decode/")), *WITH_ORACLES.split()]
    return pytest.main(
        ["-q", "-p", "no:cacheprovider", "--rootdir", str(TESTS.parent), *(str(TESTS / path) for path in paths), *sys.argv[1:]]
    )


if __name__ == "__main__":
    sys.exit(main())
