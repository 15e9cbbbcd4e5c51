"""The cost of a line does not grow with what came before: each loop that runs once per line, with its table full."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typer")

from realtime_pcm import _core
from realtime_pcm.cli.microphone import MOST_TRACKS, Microphone
from realtime_pcm.cli.speech import Speech
from realtime_pcm.cli.wavs import Form, Wavs
from realtime_pcm.conversation.turns import Moment, Turn, Turns
from realtime_pcm.recording import Entry, read_recording
from realtime_pcm.recording.analysis import Analyser
from realtime_pcm.recording.placing import MOST_JUMPS, Placer
from realtime_pcm.timeline import Timeline
from support.steps import steps

LINES = 20
DECODE = {"received": _core.Decoder().decode, "sent": _core.Decoder(side="client").decode}
ZEROS = "AAAAAAAAAAAAAAAA"  # 6 samples


class _Extract:
    def __init__(self, folder: Path) -> None:
        path = folder / "call.jsonl"
        path.write_bytes(b'{"type":"session.created"}\n')
        (folder / "out").mkdir()
        self.wavs = Wavs()
        self.speech = Speech(folder / "out", self.wavs, read_recording(path), None)
        self.feed = self.speech.take

    def close(self) -> None:
        self.wavs.abandon_all()
        self.speech.microphone.close()


class _Inspect:
    def __init__(self, folder: Path) -> None:
        self.feed = Analyser().feed

    def close(self) -> None:
        pass


class _Timeline(_Inspect):
    def __init__(self, folder: Path) -> None:
        self.feed = Timeline("html").analyser.feed


def entry(number: int, time: float | None, event: dict[str, Any], direction: Any = "received") -> Entry:
    return Entry(number, time, direction, DECODE[direction](json.dumps(event).encode()), None)


def delta(item: object, response: object, audio: str = ZEROS) -> dict[str, Any]:
    return {"type": "response.output_audio.delta", "response_id": response, "item_id": item, "content_index": 0, "delta": audio}


def append() -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": ZEROS}


def started(item: str, at: int) -> dict[str, Any]:
    return {"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": at}


def items_under_way(count: int) -> Iterator[Entry]:
    for number in range(count):
        yield entry(number, None, delta(f"i{number}", f"r{number}"))


def pauses(count: int) -> Iterator[Entry]:
    """The user's audio in pieces with a pause between them."""
    for number in range(count):
        yield entry(number, number * 2.0, append(), "sent")


def speech_without_end(count: int) -> Iterator[Entry]:
    for number in range(count):
        yield entry(number, number * 0.1, started(f"i{number}", number))


def commits(count: int) -> Iterator[Entry]:
    for number in range(count):
        yield entry(2 * number, number * 0.1, append(), "sent")
        yield entry(2 * number + 1, number * 0.1, {"type": "input_audio_buffer.commit"}, "sent")


def tools(count: int) -> Iterator[Entry]:
    for number in range(count):
        item = {"type": "function_call", "call_id": f"c{number}", "name": "f", "id": f"i{number}"}
        yield entry(number, number * 0.1, {"type": "response.output_item.done", "response_id": "r", "item": item})


def interrupted(count: int) -> Iterator[Entry]:
    for number in range(count):
        yield entry(3 * number, number * 1.0, delta(f"i{number}", f"r{number}"))
        cut = {"type": "conversation.item.truncate", "item_id": f"i{number}", "content_index": 0, "audio_end_ms": 0}
        yield entry(3 * number + 1, number * 1.0, cut, "sent")


def responses(count: int) -> Iterator[Entry]:
    for number in range(count):
        yield entry(number, number * 0.1, {"type": "response.created", "response": {"id": f"r{number}"}})


def usages(count: int) -> Iterator[Entry]:
    for number in range(count):
        usage = {f"n{place}": 1 for place in range(number, number + 5)}
        yield entry(number, number * 0.1, {"type": "response.done", "response": {"id": f"r{number}", "usage": usage}})


AFTER: dict[str, Callable[[int], tuple[dict[str, Any], str]]] = {
    "another stream ends": lambda n: (
        {"type": "response.output_audio.done", "response_id": "q", "item_id": f"q{n}", "content_index": 0},
        "received",
    ),
    "another response ends": lambda n: ({"type": "response.done", "response": {"id": f"q{n}"}}, "received"),
    "a response begins": lambda n: ({"type": "response.created", "response": {"id": f"q{n}"}}, "received"),
    "the model speaks": lambda n: (delta("q", "q"), "received"),
    "the user speaks": lambda n: (append(), "sent"),
    "speech early in the audio begins": lambda n: (started(f"q{n}", 0), "received"),
    "speech early in the audio ends": lambda n: (
        {"type": "input_audio_buffer.speech_stopped", "item_id": f"q{n}", "audio_end_ms": 1},
        "received",
    ),
    "an item is truncated": lambda n: (
        {"type": "conversation.item.truncate", "item_id": "i0", "content_index": 0, "audio_end_ms": 1},
        "sent",
    ),
    "a response is cancelled": lambda n: ({"type": "response.cancel", "response_id": "r0"}, "sent"),
    "a tool answers": lambda n: (
        {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": f"q{n}", "output": "x"}},
        "sent",
    ),
    "words come": lambda n: (
        {"type": "response.output_audio_transcript.delta", "response_id": "q", "item_id": "q", "delta": "a"},
        "received",
    ),
    "another type comes": lambda n: ({"type": f"of.nobody.{n}"}, "received"),
}
BEFORE = [items_under_way, pauses, speech_without_end, commits, tools, interrupted, responses, usages]


def work(make: Any, folder: Path, before: Callable[[int], Iterator[Entry]], count: int) -> dict[str, int]:
    """Steps of LINES lines of each kind after so many others."""
    folder.mkdir()
    taker = make(folder)
    try:
        last = None
        for last in before(count):
            taker.feed(last)
        assert last is not None
        found = {}
        line, time = last.line, last.time
        for name, event in AFTER.items():
            lines = [entry(line + n, time, *event(n)) for n in range(LINES)]
            found[name] = steps(partial(list, map(taker.feed, lines)))
        return found
    finally:
        taker.close()


@pytest.mark.parametrize("make", [_Inspect, _Timeline, _Extract])
@pytest.mark.parametrize("before", BEFORE)
def test_a_line_costs_the_same_after_ten_lines_and_after_thousands(
    tmp_path: Path, make: Any, before: Callable[[int], Iterator[Entry]]
) -> None:
    few, many = (work(make, tmp_path / str(count), before, count) for count in (10, 1_300))
    # At most 64 streams are looked through for one that is heard: some 20 steps each.
    grown = {name: (few[name], many[name]) for name in few if many[name] > 1.5 * few[name] + LINES * 64 * 20}
    assert grown == {}
    quick = ("another stream ends", "another response ends", "words come", "a tool answers", "another type comes")
    assert {name: (few[name], many[name]) for name in quick if many[name] > 1.5 * few[name] + LINES * 20} == {}


def test_the_place_of_early_audio_is_found_at_once_after_any_number_of_pauses() -> None:
    """10, 1,000 and 100,000 pauses."""
    counts = []
    for count in (10, 1_000, 100_000):
        placer = Placer()
        for number in range(count):
            placer.clock.tell(number * 2.0)
            placer.user(0.02)
        assert len(placer._jumps) <= 2 * MOST_JUMPS
        counts.append(steps(partial(placer.spoken_at, 1.0)))
    assert max(counts) <= min(counts) + 20


def test_places_of_the_user_are_those_of_the_last_pause_before_them() -> None:
    placer = Placer()
    for time in (1.0, 3.0, 6.0):
        placer.clock.tell(time)
        placer.user(1.0)
    assert [placer.place_of_user(second) for second in (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)] == [
        pytest.approx(place) for place in (0.0, 0.0, 0.5, 2.0, 2.5, 5.0, 6.0)
    ]
    assert placer.place_of_user(1.0, end=True) == pytest.approx(1.0)
    assert placer.place_of_user(0.0, end=True) == pytest.approx(0.0)
    assert Placer().place_of_user(1.0) is None


def test_a_place_in_the_microphone_is_found_at_once_after_any_number_of_formats(tmp_path: Path) -> None:
    counts = []
    for count in (10, MOST_TRACKS):
        microphone = Microphone(tmp_path)
        for number in range(count):
            microphone.append(_samples(80), Form("pcm16", 8_000 + number % 2, 1))
        assert len(microphone.tracks) == count
        counts.append(steps(partial(microphone.at, 15.0)))
        assert microphone.at(15.0).track == 1 and microphone.at(-1.0).track == 0 == microphone.at(0.0).track
        assert microphone.at(1e9) == microphone.end
        microphone.close()
    assert counts[1] <= counts[0] + 150  # steps of a search that halves


def _samples(count: int) -> Any:
    import numpy as np

    return np.zeros(count, np.int16)


def test_streams_beyond_those_that_are_remembered_are_over(tmp_path: Path) -> None:
    """Their files are finished: no item stays under way that no end can name any more."""
    taker = _Extract(tmp_path)
    for one in items_under_way(1_100):
        taker.feed(one)
    assert taker.wavs.finished == 1_100 - 1_024
    taker.feed(entry(1_101, None, {"type": "response.done", "response": {}}))
    assert taker.wavs.finished == 1_100
    taker.close()


def test_the_latency_of_a_table_takes_the_same_work_for_each_turn() -> None:
    """It is taken where the first audio of a turn comes: nothing is looked up afterwards."""

    def follow(turns: Turns[Turn], first: int, last: int) -> None:
        for number in range(first, last):
            at = Moment(number, float(number), 0.0)
            turns.response_create(at)
            turns.response_start(f"r{number}", at)
            turns.audio(f"r{number}", at)
            turns.response_end(f"r{number}", "completed", at)

    turns: Turns[Turn] = Turns(Turn)
    follow(turns, 0, 2_000)
    early = steps(lambda: follow(turns, 2_000, 2_100))
    follow(turns, 2_100, 20_000)
    late = steps(lambda: follow(turns, 20_000, 20_100))
    assert turns.count == 20_100 and late <= early * 1.01
