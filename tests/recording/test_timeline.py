"""timeline: what is drawn where, what a page plays, and that nothing of a frame is obeyed."""

from __future__ import annotations

import io
import json
import re
import wave
import xml.etree.ElementTree as ET
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_pcm import timeline
from realtime_pcm.recording import analyse
from realtime_pcm.timeline import draw, layout as layouts, scene as scenes, sound as sounds
from realtime_pcm.timeline.page import _notes_of_sound
from realtime_pcm.timeline.scene import Rect, Scene, Text, width_of
from realtime_pcm.timeline.sound import Sound
from realtime_pcm.timeline.waveform import Waveform
from support.conversation import RATE, base64, conversation, events, tone, write

# What a stranger may put into a transcript, a name, an id or an error.
HOSTILE = (
    '</script><script>document.title="broken"</script>]]>\'"<img src=x onerror=alert(1)>&lt;$\\frac{1}$ '
    "\x1b[31mred\x1b[0m\u202egnp.exe\u2066 \x00\x0b\ufffe ends"
)


def scene_of(path: Path, width: int | None = None, **options: Any) -> Scene:
    drawn = timeline.Timeline("svg", **options)
    found = analyse(path, sink=drawn._waves)
    return layouts.laid_out(found, drawn._waves, path.name, width=width)


def html_of(path: Path, **options: Any) -> str:
    file = io.BytesIO()
    draw(path, file, "html", **options)
    return file.getvalue().decode()


def svg_of(path: Path, **options: Any) -> str:
    file = io.BytesIO()
    draw(path, file, "svg", **options)
    return file.getvalue().decode()


def wav_of(page: str) -> tuple[Any, int]:
    found = re.search(r'src="data:audio/wav;base64,([^"]*)"', page)
    assert found
    with wave.open(io.BytesIO(b64decode(found[1]))) as file:
        assert file.getnchannels() == 2
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2), file.getframerate()


def box(text: Text) -> tuple[float, float, float, float]:
    wide = width_of(text.text, text.size)
    left = text.x - {"start": 0, "middle": wide / 2, "end": wide}[text.anchor]
    high = scenes.SIZES[text.size][0]
    return left, text.y - high * 0.8, left + wide, text.y + high * 0.25


def crowded(folder: Path) -> Path:
    """Many short turns, tools and errors close together."""
    made: list[Any] = []
    for number in range(60):
        at = number * 0.8
        made += [
            (at, "received", {"type": "input_audio_buffer.speech_stopped", "item_id": f"u{number}",
                              "audio_end_ms": int(at * 1000)}),
            (at + 0.05, "received", {"type": "conversation.item.input_audio_transcription.completed", "item_id": f"u{number}",
                                     "transcript": "a question that is rather long for so short a turn " * 3}),
            (at + 0.1, "received", {"type": "response.function_call_arguments.done", "call_id": f"c{number}", "name": "look_up",
                                    "arguments": "{}", "item_id": "x"}),
            (at + 0.3, "received", {"type": "response.output_audio.delta", "item_id": f"m{number}", "response_id": f"r{number}",
                                    "delta": base64(tone(0.3))}),
            (at + 0.3, "received", {"type": "response.output_audio_transcript.done", "item_id": f"m{number}",
                                    "response_id": f"r{number}", "transcript": "短い答え。" * 20}),
            (at + 0.4, "received", {"type": "error", "error": {"message": "something went wrong " * 20}}),
        ]  # fmt: skip
    return write(folder / "crowded.jsonl", made)


# --- the picture


@pytest.mark.parametrize("width", [600, 1160, None, 8000])
@pytest.mark.parametrize("kind", ["call", "untimed", "crowded"])
def test_no_two_texts_overlap(tmp_path: Path, width: int | None, kind: str) -> None:
    path = crowded(tmp_path) if kind == "crowded" else conversation(tmp_path, times=kind == "call")
    scene = scene_of(path, width)
    texts = [shape for shape in scene.shapes if isinstance(shape, Text)]
    boxes = [box(text) for text in texts]
    assert len(texts) > 15
    for one, (text, mine) in enumerate(zip(texts, boxes, strict=True)):
        assert mine[0] >= 0 and mine[2] <= scene.width + 1 and mine[3] <= scene.height, text
        for other, theirs in zip(texts[one + 1 :], boxes[one + 1 :], strict=True):
            apart = (
                mine[2] <= theirs[0] + 0.5
                or theirs[2] <= mine[0] + 0.5
                or mine[3] <= theirs[1] + 0.5
                or theirs[3] <= mine[1] + 0.5
            )
            assert apart, (text, other)


def test_marks_stand_where_things_happened(tmp_path: Path) -> None:
    scene = scene_of(conversation(tmp_path), 3420 + 88)  # 100 pixels a second from x=70 on
    a_second = (scene.right - scene.left) / 33.99

    def x(place: float) -> float:
        return scene.left + (place - 0.01) * a_second

    waits = [shape for shape in scene.shapes if isinstance(shape, Rect) and shape.style == "wait"]
    assert [(bar.x, bar.width / a_second) for bar in waits] == [
        (pytest.approx(x(3.92), abs=1.5), pytest.approx(0.5, abs=0.02)),
        (pytest.approx(x(11.12), abs=1.5), pytest.approx(2.18, abs=0.02)),
        (pytest.approx(x(21.72), abs=1.5), pytest.approx(1.18, abs=0.02)),
    ]
    texts = {shape.text for shape in scene.shapes if isinstance(shape, Text)}
    assert {"500 ms", "2.18 s", "1.18 s", "interrupted: heard 3.90 of 9.25 s", "tool change_address 850 ms"} <= texts
    (cut,) = (shape for shape in scene.shapes if isinstance(shape, Rect) and shape.style == "cut")
    assert cut.x == pytest.approx(x(4.42 + 3.9 + 0.47), abs=1.5)
    assert cut.x + cut.width == pytest.approx(x(13.3), abs=1.5)  # until the next answer
    (gap,) = (shape for shape in scene.shapes if isinstance(shape, Rect) and shape.style == "gap")
    assert (gap.x, gap.width / a_second) == (pytest.approx(x(5.17), abs=1.5), pytest.approx(0.47, abs=0.02))


def test_a_recording_without_times_says_so(tmp_path: Path) -> None:
    untimed, timed = (scene_of(conversation(tmp_path, times=times)) for times in (False, True))
    for scene, said in ((untimed, True), (timed, False)):
        assert any(isinstance(shape, Text) and "no times" in shape.text for shape in scene.shapes) is said
    assert not any(isinstance(shape, Rect) and shape.style == "wait" for shape in untimed.shapes)


def test_what_has_no_room_is_counted(tmp_path: Path) -> None:
    texts = [shape.text for shape in scene_of(crowded(tmp_path), 600).shapes if isinstance(shape, Text)]
    (told,) = (re.match(r"([\d,]+) labels have no room", text) for text in texts if "have no room" in text)
    assert told and int(told[1]) > 50


def test_every_bucket_of_a_waveform_keeps_its_extremes() -> None:
    rng = np.random.default_rng(3)
    samples = rng.integers(-30_000, 30_000, RATE * 200, dtype=np.int16)
    waves = Waveform()
    for start in range(0, len(samples), 1234):
        waves.add("user", start / RATE, samples[start : start + 1234], RATE, 1)
    assert waves.width > layouts.STEPS[0] / 100  # they have grown
    for first in range(0, 200, 10):
        low, high = waves.columns("user", first, first + 10, 5)
        for column in range(5):
            part = samples[round((first + 2 * column) * RATE) : round((first + 2 * column + 2) * RATE)]
            assert low[column] <= part.min() and high[column] >= part.max()
    assert waves.columns("user", 300, 310, 4)[0].tolist() == [1] * 4
    assert waves.columns("model", 0, 10, 4)[0].tolist() == [1] * 4


def test_audio_that_was_not_heard_leaves_the_lane_and_the_sound() -> None:
    sound = Sound()
    waves = Waveform(sound)
    waves.add("model", 0.0, np.full(4 * RATE, 9000, np.int16), RATE, 1)
    waves.unhear(1.0, 4.0)
    heard, cut = waves.columns("model", 0, 4, 4), waves.columns("unheard", 0, 4, 4)
    assert heard[1].tolist() == [9000, -1, -1, -1] and cut[1].tolist() == [-1, 9000, 9000, 9000]
    mix = np.frombuffer(sound.wav()[44:], "<i2").reshape(-1, 2)
    assert mix[: RATE - 1, 1].min() == 9000 and not mix[RATE + 1 :].any() and not mix[:, 0].any()


def test_a_window_shows_a_part(tmp_path: Path) -> None:
    path = conversation(tmp_path)
    page = html_of(path, window=(10.0, 15.0))
    samples, rate = wav_of(page)
    assert len(samples) / rate == pytest.approx(5.0, abs=0.01)
    assert "Wait, can you change" in page and "No thanks" not in page.split("<main>")[0]


# --- the sound of a page


def test_the_sound_is_both_sides_in_their_places(tmp_path: Path) -> None:
    page = html_of(conversation(tmp_path))
    samples, rate = wav_of(page)
    assert rate == RATE and len(samples) / rate == pytest.approx(34.0, abs=0.05)
    loud = np.abs(samples.astype(int)).reshape(-1, RATE // 10, 2).max(axis=1) if len(samples) % 2400 == 0 else None
    if loud is None:
        whole = len(samples) // 2400 * 2400
        loud = np.abs(samples[:whole].astype(int)).reshape(-1, RATE // 10, 2).max(axis=1)
    user, model = (np.flatnonzero(loud[:, side] > 1000) / 10 for side in (0, 1))
    assert user[0] == pytest.approx(0.9, abs=0.11) and 5 < np.diff(user).max() < 9
    assert model[0] == pytest.approx(4.4, abs=0.11)
    # The first answer is heard until it is cut off, and silence follows until the second.
    assert not ((model > 8.95) & (model < 13.15)).any() and ((model > 13.2) & (model < 18)).sum() > 40


def test_sound_of_a_rate_that_is_far_off_is_left_out() -> None:
    """A recording may name any rate: at 1 sample a second, 12 kB would be an hour and more."""
    sound = Sound()
    sound.add("model", 0.0, np.ones(6_000, np.int16), 1)
    assert sound.cut and sound.seconds == 0
    assert _notes_of_sound(sound, 0.0) == [
        "Audio whose rate is not 4,000 to 192,000 samples a second is not in the sound. The command extract writes it."
    ]


def test_long_sounds_are_bounded() -> None:
    sound = Sound(most=48_000)
    piece = tone(0.5)
    for number in range(20):
        sound.add("user", number * 0.5, np.frombuffer(piece, np.int16), RATE)
    assert sound.rate == 8000 and sound.cut and sound.seconds == 6.0 and len(sound.wav()) == 44 + 4 * 48_000


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 24_000, 44_100, 48_000])
def test_other_rates_sound_at_their_pitch(rate: int) -> None:
    places = np.arange(rate) / rate
    made = sounds.resampled((8000 * np.sin(2 * np.pi * 400 * places)).astype(np.int16), rate, RATE)
    assert len(made) == pytest.approx(RATE, abs=3)
    assert np.argmax(np.abs(np.fft.rfft(made))) == pytest.approx(400, abs=1)


# --- strangers


class _Elements(HTMLParser):
    """The elements of a page and their attributes, and the text outside script and style."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(folder: Path) -> Path:
    made = events(words=HOSTILE, tool=HOSTILE)
    for time, side, frame in list(made):
        if frame["type"] == "error":
            frame["error"] = dict.fromkeys(("type", "code", "message"), HOSTILE)
        if frame["type"] == "session.created":
            frame["session"]["model"] = HOSTILE
        if frame["type"] == "response.done":
            frame["response"]["status"] = HOSTILE
            frame["response"]["usage"] = {HOSTILE: 5}
        if frame["type"] == "mystery.event":
            made.append((time, side, {"type": HOSTILE, HOSTILE: 1}))
            made.append((time, side, {"type": "ping", HOSTILE: 1}))
    return write(folder / "h.jsonl", sorted(made, key=lambda event: event[0]))


def test_a_page_holds_no_markup_of_a_stranger(tmp_path: Path) -> None:
    plain, odd = _Elements(), _Elements()
    page = html_of(hostile(tmp_path), name=HOSTILE)
    odd.feed(page)
    plain.feed(html_of(conversation(tmp_path)))
    allowed = {tag for tag, _ in plain.tags}
    assert {tag for tag, _ in odd.tags} <= allowed and [tag for tag, _ in odd.tags].count("script") == 2
    names = {name for _, attributes in odd.tags for name in attributes}
    assert names == {name for _, attributes in plain.tags for name in attributes} and not any(
        name.startswith("on") for name in names
    )
    assert page.count("</script>") == 2 and '</script><script>document.title="broken"' in odd.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe]", page)
    facts = re.search(r'<script type="application/json" id="facts">(.*?)</script>', page)
    assert facts and json.loads(facts[1])["origin"] == 0


def test_json_in_a_page_ends_no_script() -> None:
    from realtime_pcm.timeline.page import _json

    text = _json({"a": "</script><!--<script>&"})
    assert not set("<>&") & set(text) and json.loads(text) == {"a": "</script><!--<script>&"}


def test_a_page_may_reach_nothing(tmp_path: Path) -> None:
    page = html_of(conversation(tmp_path))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and policy[1].startswith("default-src 'none'; img-src data:; media-src data:; style-src 'sha256-")
    assert "unsafe" not in policy[1] and "http" not in policy[1]
    rest = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http://" not in rest and "https://" not in rest and "url(" not in rest and " style=" not in rest


def test_an_svg_holds_no_markup_of_a_stranger(tmp_path: Path) -> None:
    plain, odd = (ET.fromstring(svg_of(path)) for path in (conversation(tmp_path), hostile(tmp_path)))
    assert {element.tag for element in odd.iter()} == {element.tag for element in plain.iter()}
    assert {name for element in odd.iter() for name in element.attrib} == {
        name for element in plain.iter() for name in element.attrib
    }
    assert not any("script" in element.tag for element in odd.iter())
    words = "".join(odd.itertext())
    assert "</script><script>" in words and "\\x1b[31mred" in words and "\u202e" not in words and "\\u202e" in words


def test_a_png_obeys_no_dollar_signs(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for dark in (False, True):
        file = io.BytesIO()
        draw(hostile(tmp_path), file, "png", dark=dark)
        assert file.getvalue().startswith(b"\x89PNG") and len(file.getvalue()) > 50_000


def test_png_without_matplotlib_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r"realtime-pcm\[plot\]"):
        draw(conversation(tmp_path), io.BytesIO(), "png")


# --- words in lines


@pytest.mark.parametrize("text", ["", "a", "word " * 100, "x" * 500, "今天天气很好" * 40, "a 今天 b " * 30, "🎉" * 50])
def test_wrapped_lines_fit(text: str) -> None:
    lines = scenes.wrapped(scenes.clean(text), "small", 160, 4)
    assert len(lines) <= 4 and all(width_of(line, "small") <= 160 for line in lines)
    kept = "".join(lines).replace(" ", "")
    whole = text.replace(" ", "")
    assert whole.startswith(kept.removesuffix("…")) and (
        kept == whole or lines[-1].endswith("…") or any(line.endswith("…") for line in lines)
    )


@pytest.mark.parametrize(
    ("seconds", "step", "said"),
    [
        (0.5, 0.5, "0.5 s"),
        (7, 1, "7 s"),
        (59.96, 0.1, "60.0 s"),
        (67, 1, "1:07"),
        (3600, 1, "1:00:00"),
        (67.25, 0.5, "1:07.2"),
        (-3, 1, "-3 s"),
    ],
)
def test_times_on_the_axis(seconds: float, step: float, said: str) -> None:
    assert layouts.clock(seconds, step) == said


def test_pauses_of_a_recording_of_five_hours() -> None:
    """1,250 answers of 10 s with 4 s between them: each pause is seen in a picture 12,000 pixels wide."""
    waves = Waveform()
    for number in range(1250):
        waves.add("model", 14.0 * number, np.full(1000, 900, np.int16), 100, 1)
    low, high = waves.columns("model", 0.0, 17_500.0, 12_000)
    empty = low > high
    assert np.count_nonzero(np.diff(empty.astype(np.int8)) == 1) == 1250
