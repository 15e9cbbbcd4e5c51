"""Hardening: what the tests and the long runs of untrusted frames share. `python tests/hardening --help` lists the runs."""

import os

# ASan keeps what was freed for a while, and needs more of the stack: memory and stack are not what they are without it.
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")
