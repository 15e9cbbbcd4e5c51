"""The long runs of the tests of untrusted frames: `python tests/hardening ROW`, one of them at a time.

Exit status 1 where something is not as it should be. The figures are those of a whole run; CI passes smaller ones.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/hardening", description=__doc__)
    rows = parser.add_subparsers(dest="row", required=True, metavar="ROW")
    row = rows.add_parser("differential", help="generated frames against orjson, pybase64 and NumPy")
    row.add_argument("--frames", type=int, default=10_000_000)
    row.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    row.add_argument("--seed", type=int, default=1)
    row = rows.add_parser("mutation", help="every byte flip and every truncation of a frame of every type")
    row.add_argument("--bits", action="store_true", help="flip single bits only, not every byte to every value")
    row = rows.add_parser("sockets", help="frames of other sockets: generated, every byte flip and every truncation")
    row.add_argument("--frames", type=int, default=1_000_000)
    row.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    row.add_argument("--seed", type=int, default=1)
    row.add_argument("--bits", action="store_true", help="flip single bits only, not every byte to every value")
    rows.add_parser("stack", help="the deepest frames in a thread with a stack of 128 KiB")
    row = rows.add_parser("shapes", help="frames of one repeated thing: verdict and memory")
    row.add_argument("--mebibytes", type=int, nargs="+", default=[4, 16])
    row = rows.add_parser("allocations", help="every allocation fails once")
    row.add_argument("--verbose", action="store_true")
    row = rows.add_parser("leaks", help="blocks, reference counts and resident memory")
    row.add_argument("--frames-a-type", type=int, default=100_000)
    row.add_argument("--frames", type=int, default=10_000_000)
    row = rows.add_parser("threads", help="eight threads, with decoders of their own and with one")
    row.add_argument("--frames", type=int, default=1_000_000, help="of each thread")
    given = parser.parse_args()

    if given.row == "differential":
        from hardening import differential

        return differential.run(given.frames, given.processes, given.seed)
    if given.row == "mutation":
        from hardening import mutation

        return mutation.run(not given.bits)
    if given.row == "sockets":
        from hardening import socket_runs, sockets

        wrong = sockets.run(given.frames, given.processes, given.seed, not given.bits)
        return wrong | socket_runs.run(given.frames // 100, given.processes, given.seed)
    if given.row == "stack":
        from hardening import stack

        return stack.run()
    if given.row == "shapes":
        from hardening import shapes

        return shapes.run([size << 20 for size in given.mebibytes])
    if given.row == "allocations":
        from hardening import allocations

        return allocations.run(verbose=given.verbose)
    if given.row == "leaks":
        from hardening import leaks

        return leaks.run(given.frames_a_type, given.frames)
    from hardening import threads

    return threads.run(given.frames)


if __name__ == "__main__":
    sys.exit(main())
