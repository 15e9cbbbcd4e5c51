"""Hardening: what the tests and the long runs of untrusted frames share. `python tests/hardening --help` lists the runs."""
