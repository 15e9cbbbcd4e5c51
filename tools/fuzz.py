"""Builds the package with coverage counters and runs tests/hardening/fuzz_atheris.py: `python tools/fuzz.py --seconds 3600`.

Begins with tests/support/fuzz_corpus.tar.xz. Needs clang with libFuzzer's runtime, and in this environment the build requirements of
pyproject.toml, atheris, NumPy, orjson and pybase64. The corpus stays in the folder; an input that fails is left there as
crash-*.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def build(folder: Path, compiler: str) -> Path:
    """The package with counters in its C, in a folder to be put on the path."""
    target = folder / "instrumented"
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--target", target, ROOT],
        check=True,
        env=os.environ | {"CC": compiler, "CFLAGS": "-fsanitize=fuzzer-no-link"},
    )
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--folder", type=Path, default=Path("fuzz-atheris"))
    parser.add_argument("--compiler", default=shutil.which("clang") or "clang-14")
    given = parser.parse_args()
    folder = given.folder.resolve()
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    if not any(corpus.iterdir()):
        with tarfile.open(ROOT / "tests" / "support" / "fuzz_corpus.tar.xz") as archive:
            archive.extractall(corpus, filter="data")
    found = importlib.util.find_spec("atheris")
    if found is None or found.origin is None:
        raise SystemExit("atheris is not installed")
    # An extension that was compiled elsewhere finds libFuzzer's counters only where they were loaded first.
    library = Path(found.origin).parents[1] / "ubsan_with_fuzzer.so"
    target = build(folder, given.compiler)
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "tests" / "hardening" / "fuzz_atheris.py",
            corpus,
            f"-max_total_time={given.seconds}",
            "-max_len=4096",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
        ],
        env=os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": str(target)},
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
