"""tools/publish.py: which versions of the site are listed, and which one is the latest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.paths import TOOLS, load

pytestmark = pytest.mark.skipif(not TOOLS.is_dir(), reason="needs the source tree: tools/")


def test_a_release_is_the_latest_and_stays_when_main_moves_on(tmp_path: Path) -> None:
    publish = load(TOOLS / "publish.py").publish
    site, pages = tmp_path / "site", tmp_path / "pages"
    site.mkdir()
    pages.mkdir()
    seen: list[str] = []
    for version in ("dev", "0.9.0", "0.10.0", "0.9.1", "dev"):
        (site / "index.html").write_text(f"{version} {len(seen)}", encoding="utf-8")
        publish(site, pages, version)
        seen.append((pages / "latest" / "index.html").read_text(encoding="utf-8"))
    assert seen == ["dev 0", "0.9.0 1", "0.10.0 2", "0.10.0 2", "0.10.0 2"]
    listed = json.loads((pages / "versions.json").read_text(encoding="utf-8"))
    assert [entry["version"] for entry in listed] == ["0.10.0", "0.9.1", "0.9.0", "dev"]
    assert [entry["aliases"] for entry in listed] == [["latest"], [], [], []]
    assert (pages / "dev" / "index.html").read_text(encoding="utf-8") == "dev 4"
    assert "latest/" in (pages / "index.html").read_text(encoding="utf-8")
