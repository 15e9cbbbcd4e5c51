"""Put a built site among the published ones: a folder per version, as the theme's list of versions expects it.

    python tools/publish.py build/site PAGES 0.1.0    a release; `latest` is the newest of them
    python tools/publish.py build/site PAGES dev      the main branch; also `latest` until there is a release

PAGES is a checkout of the branch that GitHub Pages serves. `versions.json` in it lists the versions, newest first.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

DEV = "dev"
REDIRECT = '<!doctype html><meta http-equiv="refresh" content="0; url=latest/"><link rel="canonical" href="latest/">\n'


def order(version: str) -> tuple[int, ...]:
    return () if version == DEV else tuple(int(part) for part in version.split("."))


def publish(site: Path, pages: Path, version: str) -> None:
    listed = pages / "versions.json"
    known = {entry["version"] for entry in json.loads(listed.read_text(encoding="utf-8"))} if listed.exists() else set()
    versions = sorted(known | {version}, key=order, reverse=True)
    for name in (version, "latest") if version == versions[0] else (version,):
        shutil.rmtree(pages / name, ignore_errors=True)
        shutil.copytree(site, pages / name)
    entries = [{"version": name, "title": name, "aliases": ["latest"] if name == versions[0] else []} for name in versions]
    listed.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    (pages / "index.html").write_text(REDIRECT, encoding="utf-8")
    (pages / ".nojekyll").touch()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    publish(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].removeprefix("v"))
