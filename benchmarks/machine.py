"""Where a run was made, and which tiers can run there."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

from .peers import OURS, PEERS
from .records import Machine

ROOT = Path(__file__).resolve().parent.parent
TIERS = ("avx512vbmi", "avx2", "ssse3", "neon", "scalar")  # best first


def describe() -> Machine:
    names = sorted({"numpy", "picows", "websockets", *(package for peer in PEERS for package in peer.packages)} - {OURS})
    return Machine(
        cpu=_cpu(),
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages={name: version for name in ("realtime-pcm", *names) if (version := _version(name))},
        commit=commit(),
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def commit() -> str:
    """The short hash of the commit, with "+" where the source differs from it; "none" outside a repository."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no", "--", "src") else "")
    except (OSError, subprocess.CalledProcessError):
        return "none"


def tiers() -> list[str]:
    """The tiers that this CPU and this build have, best first: asked of the library itself."""
    return [tier for tier in TIERS if _import_with(tier)]


def environment(tier: str | None = None) -> dict[str, str]:
    """For the processes of a run: no threads of a BLAS that nobody uses, hashes that do not change, the tier."""
    fixed = {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    return {**os.environ, **fixed, **({"REALTIME_PCM_SIMD": tier} if tier else {})}


def import_milliseconds(times: int = 7) -> float | None:
    """What `import realtime_pcm` costs once NumPy is there, in CPU time: the best of several fresh processes."""
    code = (
        "import numpy, time; start = time.process_time_ns(); import realtime_pcm; print((time.process_time_ns() - start) / 1e6)"
    )
    found = []
    for _ in range(times):
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment())
        if result.returncode:
            return None
        found.append(float(result.stdout))
    return min(found)


def _import_with(tier: str) -> bool:
    code = f"import realtime_pcm; raise SystemExit(realtime_pcm.simd_tier() != {tier!r})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, env=environment(tier))
    return result.returncode == 0


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    """The model's name with family and model number: virtual machines often name nothing but the brand."""
    try:
        pairs = (line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    except OSError:
        return platform.processor() or platform.machine()
    values: dict[str, str] = {}
    for key, value in pairs:
        values.setdefault(key.strip(), value.strip())
    name = values.get("model name", platform.processor() or platform.machine())
    return f"{name} (family {values['cpu family']}, model {values['model']})" if "cpu family" in values else name
