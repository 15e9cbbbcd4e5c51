"""The site in a browser: its search leads from a name to its entry in the reference, and a phone can read its tables."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest

import realtime_pcm
from realtime_pcm import _core, client_messages, messages
from support.browser import REQUIRED, open_browser
from support.paths import ROOT, TOOLS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not (ROOT / "zensical.toml").exists(), reason="needs the source tree")]

SERVER = (
    "session.created",
    "response.done",
    "response.output_audio.delta",
    "response.output_audio_transcript.delta",
    "response.function_call_arguments.done",
    "input_audio_buffer.speech_started",
)
CLIENT = ("session.update", "response.create", "conversation.item.truncate", "input_audio_buffer.append")
NAMES = {
    "decode_stream": "api.html#realtime_pcm.decode_stream",
    "PlaybackBuffer": "playback.html#realtime_pcm.playback.PlaybackBuffer",
    "LoopbackServer": "testing.html#realtime_pcm.testing.LoopbackServer",
    "to_parquet": "recording.html#realtime_pcm.arrow.to_parquet",
}

PHONE = 390  # pixels
LINKS = "links => links.map(link => link.getAttribute('href')).filter(href => /^[^:]+[.]html/.test(href))"
# The words in tables that take more than one line, and how wide the page is.
BROKEN = """() => {
    const broken = [];
    for (const cell of document.querySelectorAll(".md-typeset :is(td, th)")) {
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let text; (text = texts.nextNode()); ) {
            for (const word of text.data.matchAll(/[\\w.]+/g)) {
                const range = document.createRange();
                range.setStart(text, word.index);
                range.setEnd(text, word.index + word[0].length);
                if (new Set([...range.getClientRects()].map(line => Math.round(line.top))).size > 1) broken.push(word[0]);
            }
        }
    }
    return [broken, document.documentElement.scrollWidth];
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


def package_in_one_folder(folder: Path) -> None:
    """An editable install keeps the compiled modules apart from the others; the program that reads them wants one folder."""
    shutil.copytree(Path(realtime_pcm.__file__).parent, folder / "realtime_pcm")
    for compiled in Path(_core.__file__).parent.glob(f"*{EXTENSION_SUFFIXES[0]}"):
        shutil.copy(compiled, folder / "realtime_pcm")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site, built from the tree and served."""
    if not REQUIRED:
        pytest.importorskip("zensical")
        pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    package_in_one_folder(folder / "packages")
    shutil.copy(ROOT / "zensical.toml", folder)
    environment = os.environ | {"PYTHONPATH": str(folder / "packages")}
    for command in ([TOOLS / "reference.py", folder / "build" / "docs"], ["-m", "zensical", "build", "--strict"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder / "build" / "site"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_name_leads_to_its_entry(address: str) -> None:
    expected = dict(NAMES)
    for names, page, package in ((SERVER, "server-messages", messages), (CLIENT, "client-messages", client_messages)):
        for name in names:
            expected[name] = f"{page}.html#{package.class_of(name).__name__.lower()}"
    found = {}
    with open_browser() as browser:
        for name in expected:
            tab = browser.new_page()  # it has no results of the query before
            tab.goto(f"{address}/index.html")
            tab.keyboard.press("/")
            tab.locator("input:focus").wait_for()
            tab.keyboard.insert_text(name)
            first = tab.locator(f'ol > li:first-child > a[href*="?h={name}#"]')
            first.wait_for(timeout=10_000)
            found[name] = first.get_attribute("href").removeprefix(f"{address}/reference/").replace(f"?h={name}", "")
            tab.close()
    assert found == expected


def test_names_in_tables_stay_whole_on_a_phone(address: str) -> None:
    """A table that is too wide is scrolled; the page is not."""
    with open_browser() as browser:
        tab = browser.new_page(viewport={"width": PHONE, "height": 800})
        tab.goto(f"{address}/index.html")
        pages = {"index.html", *(str(link).partition("#")[0] for link in tab.eval_on_selector_all("nav a", LINKS))}
        assert len(pages) > 40
        for page in sorted(pages):
            tab.goto(f"{address}/{page}")
            broken, width = tab.evaluate(BROKEN)
            assert broken == [] and width <= PHONE, page
