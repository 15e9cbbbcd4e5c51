"""The page of `timeline` in a real browser: it plays, its cursor moves, nothing overlaps, and it asks no network for anything."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm.timeline import draw
from recording.test_timeline import HOSTILE, crowded, hostile
from support.browser import open_browser
from support.conversation import conversation

pytestmark = pytest.mark.slow

SIZES = [(390, 844), (1400, 900)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as opened:
        yield opened


class Shown:
    """A page that is open, what it asked for, and what it complained of."""

    def __init__(self, browser: Any, path: Path, size: tuple[int, int], scheme: str = "light") -> None:
        self.page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.wait("!document.getElementById('sound') || document.getElementById('sound').readyState > 0")

    def wait(self, condition: str) -> None:
        """Until a condition holds. playwright's own way to wait needs `eval`, which the page forbids."""
        deadline = time.monotonic() + 20
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(20)


def drawn(folder: Path, recording: Path, **options: Any) -> Path:
    path = folder / "page.html"
    with open(path, "wb") as file:
        draw(recording, file, "html", **options)
    return path


def test_the_cursor_follows_the_sound(browser: Any, tmp_path: Path) -> None:
    shown = Shown(browser, drawn(tmp_path, conversation(tmp_path)), (1400, 900))
    page = shown.page
    assert page.evaluate("sound.duration") == pytest.approx(34.0, abs=0.1)
    page.evaluate("sound.play()")
    shown.wait("sound.currentTime > 0.6")
    first = float(page.get_attribute("#cursor", "x1"))
    shown.wait("sound.currentTime > 1.2")
    page.evaluate("sound.pause()")
    page.wait_for_timeout(100)
    played, second = page.evaluate("sound.currentTime"), float(page.get_attribute("#cursor", "x1"))
    facts = page.evaluate("facts")
    expected = (
        facts["margin"]
        + facts["left"]
        + (facts["soundOrigin"] + played - facts["origin"]) / (facts["end"] - facts["origin"]) * (facts["right"] - facts["left"])
    )
    assert second > first and second == pytest.approx(expected, abs=6)
    page.locator("li button").nth(2).click()  # the third turn
    page.wait_for_timeout(100)
    assert page.evaluate("facts.soundOrigin + sound.currentTime") == pytest.approx(18.98, abs=0.1)
    assert page.inner_text("#now") == "19.0 s" and page.locator("li.now").inner_text().find("turn 3") > 0
    page.mouse.click(*page.evaluate("[lanes.getBoundingClientRect().left + 300, lanes.getBoundingClientRect().top + 60]"))
    page.wait_for_timeout(100)
    assert float(page.get_attribute("#cursor", "x1")) == pytest.approx(300 + facts["margin"], abs=2)
    assert shown.complaints == [] and shown.asked == [(tmp_path / "page.html").as_uri()]


OVERLAPS = """() => {
  const boxes = Array.from(document.querySelectorAll('#lanes text, #labels text')).map(
    (one) => [one.textContent, one.getBoundingClientRect(), one.parentElement.id]);
  const found = [];
  boxes.forEach(([text, a, home], place) => boxes.slice(place + 1).forEach(([other, b, there]) => {
    if (home !== there) return;
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4) found.push([text, other]);
  }));
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("kind", ["call", "untimed", "crowded", "hostile"])
def test_nothing_overlaps(browser: Any, tmp_path: Path, size: tuple[int, int], scheme: str, kind: str) -> None:
    make = {"crowded": crowded, "hostile": hostile}.get(kind)
    recording = make(tmp_path) if make else conversation(tmp_path, times=kind == "call")
    shown = Shown(browser, drawn(tmp_path, recording, name=HOSTILE if kind == "hostile" else None), size, scheme)
    page = shown.page
    assert page.evaluate(OVERLAPS) == []
    # The page itself does not scroll sideways: the picture does, and its labels stay.
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.evaluate("view.scrollLeft = 400")
    assert page.evaluate("document.getElementById('labels').getBoundingClientRect().left") == pytest.approx(0, abs=1)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
    assert shown.complaints == [] and len(shown.asked) == 1
    if folder := os.environ.get("REALTIME_PCM_SCREENSHOTS"):
        page.evaluate("view.scrollLeft = 0")
        page.screenshot(path=Path(folder) / f"{kind}-{scheme}-{size[0]}.png", full_page=True)


def test_what_strangers_wrote_does_not_run(browser: Any, tmp_path: Path) -> None:
    page = Shown(browser, drawn(tmp_path, hostile(tmp_path), name=HOSTILE), (1400, 900)).page
    assert page.title() != "broken" and page.locator("img").count() == 0 and page.locator("script").count() == 2
    assert "</script><script>" in page.inner_text("body")
    # A script that got in all the same would not run, and could reach nobody.
    page.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.ran = 1'; document.body.append(one); }"
    )
    assert page.evaluate("window.ran") is None
    blocked = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'asked', () => 'refused')")
    assert blocked == "refused"


def test_a_page_without_audio(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "text.jsonl"
    path.write_text(
        '{"type":"conversation.item.added","item":{"id":"a","type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}\n'
    )
    shown = Shown(browser, drawn(tmp_path, path), (390, 844))
    assert "no audio in this recording" in shown.page.inner_text("body") and shown.complaints == []
    shown.page.locator("li button").first.click()
    assert shown.page.inner_text("#now") == "0.0 s" and shown.complaints == []
