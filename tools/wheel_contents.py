"""Says what is in wheels, and fails where something is missing, does not belong there, or makes one too large.

python tools/wheel_contents.py FOLDER...
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

# Bytes. A wheel built by gcc has 983 kB: the core 445 (calls are 12 of them, paths in the walk 8), playback 46, bulk reading 39,
# Python code and stubs 367, the packaged sample 48, the metadata and the archive itself 38. A further compiled module costs 10 to
# 30 kB that Cython repeats in each.
LARGEST = 990_000
NEEDED = ("__init__.py", "py.typed", "_core.pyi", "stream.pyi", "messages/openai.py", "sample/session.jsonl")
COMPILED = re.compile(r"realtime_pcm/(_bulk|_core|_playback)\.[^/]*\.(so|pyd)$")
# Sources, which nobody can use without the build, and tests.
UNWANTED = re.compile(r"\.(pyx|pxd|pxi|h|c|o|a|lib)$|(^|/)tests?/|__pycache__")


def faults(wheel: Path) -> list[str]:
    """What is wrong with a wheel; prints what it is."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = next(archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    compiled = [name for name in names if COMPILED.search(name)]
    requires = [
        line.partition(": ")[2] for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size / 1000:.0f} kB, {len(names)} files, needs {', '.join(requires)}")
    for name in compiled:
        print(f"    {name}")
    free_threaded = re.search(r"-cp3\d+t-", wheel.name) is not None
    return [
        *(f"{name} is missing" for name in NEEDED if f"realtime_pcm/{name}" not in names),
        *(f"{name} does not belong in a wheel" for name in names if UNWANTED.search(name)),
        *([f"{len(compiled)} compiled modules instead of 3"] if len(compiled) != 3 else []),
        *([f"{size} bytes are more than {LARGEST}"] if size > LARGEST else []),
        *(["it needs orjson, which free-threaded Python has not"] if free_threaded and "orjson" in str(requires) else []),
        *(["it does not need orjson"] if not free_threaded and "orjson" not in str(requires) else []),
    ]


def main(folders: list[str]) -> int:
    wheels = sorted(wheel for folder in folders for wheel in Path(folder).rglob("*.whl"))
    found = [f"{wheel.name}: {fault}" for wheel in wheels for fault in faults(wheel)]
    print(*found, sep="\n")
    return 1 if found or not wheels else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
