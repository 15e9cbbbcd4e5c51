"""PlaybackTracker: what was heard of audio that somebody else plays, by their marks or by their count."""

from __future__ import annotations

from typing import Any

import pytest

import realtime_pcm as rp
from realtime_pcm import playback
from realtime_pcm.playback import PlaybackTracker
from support.playback_model import plain
from support.session_frames import ULAW, b64, delta, done, dumps, response, session

IDS = {"response_id": "r1", "item_id": "i1", "content_index": 0}
OTHER = {"response_id": "r2", "item_id": "i2", "content_index": 0}


class Clock:
    """Stands until a test moves it: what is heard without a mark follows the time."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(playback, "_now", clock)
    return clock


def audio(decoder: rp.Decoder, count: int, **ids: Any) -> Any:
    return decoder.decode(delta(bytes(2 * count), **ids))


def test_marks_say_what_was_heard() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    names = [tracker.sent(audio(decoder, 240, **IDS)) for _ in range(4)]
    assert len(set(names)) == 4 and None not in names and tracker.unacknowledged == 960
    assert tracker.acknowledge(str(names[0])) and tracker.acknowledge(str(names[1]))
    assert tracker.unacknowledged == 480
    said = tracker.interrupt()
    assert plain(said)["truncations"] == [("i1", 0, 480, 20, 960)]
    assert said.truncations[0].frame == '{"type":"conversation.item.truncate","item_id":"i1","content_index":0,"audio_end_ms":20}'


def test_a_later_mark_speaks_for_those_before_it() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    first, second, third = [str(tracker.sent(audio(decoder, 240, **IDS))) for _ in range(3)]
    assert tracker.acknowledge(second)
    assert not tracker.acknowledge(first) and not tracker.acknowledge(second)
    assert plain(tracker.interrupt())["truncations"] == [("i1", 0, 480, 20, 720)]
    assert not tracker.acknowledge(third)


def test_marks_that_come_back_after_an_interruption_count_for_nothing() -> None:
    """Twilio returns all that are pending on clear."""
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    names = [str(tracker.sent(audio(decoder, 240, **IDS))) for _ in range(3)]
    tracker.acknowledge(names[0])
    tracker.interrupt()
    assert tracker.unacknowledged == 0
    new = str(tracker.sent(audio(decoder, 240, **OTHER)))
    assert not any(tracker.acknowledge(name) for name in names)
    assert plain(tracker.interrupt())["unheard"] == [("i2", 0, 0, 240)]
    assert not tracker.acknowledge(new)


def test_names_never_given() -> None:
    tracker = PlaybackTracker()
    assert not tracker.acknowledge("") and not tracker.acknowledge("audio-1")


def test_items_in_flight_played_and_unheard() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    names = []
    for number in (1, 2, 3):
        ids = {"response_id": f"r{number}", "item_id": f"i{number}", "content_index": 0}
        names += [str(tracker.sent(audio(decoder, 240, **ids))), str(tracker.sent(audio(decoder, 240, **ids)))]
        assert tracker.sent(decoder.decode(done(**ids))) is None
    tracker.acknowledge(names[2])
    assert plain(tracker.interrupt()) == {
        "played": [("i1", 0, 480)],
        "truncations": [("i2", 0, 240, 10, 480)],
        "unheard": [("i3", 0, 0, 480)],
        "unidentified": [],
        "deleted": ["i3"],
    }


@pytest.mark.parametrize(("played", "samples"), [(0, 0), (100, 100), (700, 700), (10**30, 960)])
def test_the_other_sides_own_count(played: int, samples: int) -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    tracker.sent(audio(decoder, 100, item_id="before"))
    tracker.interrupt(100)
    names = [str(tracker.sent(audio(decoder, 480, **IDS))) for _ in range(2)]
    tracker.acknowledge(names[0])  # what is told counts instead of it
    said = plain(tracker.interrupt(played))
    assert [item[2] for item in said["truncations"] + said["unheard"]] == [samples]


def test_late_audio_and_duplicates_are_not_to_be_sent_on() -> None:
    tracker, decoder, again = PlaybackTracker(), rp.Decoder(), rp.Decoder()
    message = audio(decoder, 240, **IDS)
    assert tracker.sent(message) and tracker.sent(message) is None and tracker.duplicates == 240
    # A message that is new in part goes on whole, and takes its whole time.
    assert tracker.sent(audio(again, 480, **IDS)) and tracker.duplicates == 480
    assert plain(tracker.interrupt(240 + 240 + 100))["truncations"] == [("i1", 0, 340, 14, 480)]
    assert tracker.sent(audio(decoder, 240, **IDS)) is None and tracker.late == 240
    tracker.sent(decoder.decode(response("response.created", None)))
    assert tracker.sent(decoder.decode(delta(bytes(2))))
    tracker.interrupt()
    assert tracker.sent(decoder.decode(delta(bytes(2)))) is None
    tracker.resume()
    assert tracker.sent(decoder.decode(delta(bytes(2))))


def test_payloads_as_sent() -> None:
    """uint8: a byte of G.711 is a sample, two of pcm16 are."""
    for form, count in ((ULAW, 160), ("pcm16", 80)):
        tracker, decoder = PlaybackTracker(), rp.Decoder(dtype="uint8", audio_format=form)
        names = [str(tracker.sent(decoder.decode(delta(bytes(160), **IDS)))) for _ in range(4)]
        tracker.acknowledge(names[1])
        said = tracker.interrupt()
        rate = 8_000 if form is ULAW else 24_000
        assert plain(said)["truncations"] == [("i1", 0, 2 * count, 2_000 * count // rate, 4 * count)]
        assert said.truncations[0].rate == rate


def test_pcm16_bytes_cut_in_the_middle_of_a_sample() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder(dtype="uint8")
    for size in (101, 100, 99):
        tracker.sent(decoder.decode(delta(bytes(size), **IDS)))
    assert tracker.unacknowledged == 150
    assert plain(tracker.interrupt(149))["truncations"] == [("i1", 0, 149, 6, 150)]


def test_bytes_that_cannot_be_counted() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder(dtype="uint8", audio_format=rp.AudioFormat("opus", 48_000))
    with pytest.raises(ValueError, match="'opus' cannot be counted"):
        tracker.sent(decoder.decode(delta(bytes(100), **IDS)))
    assert tracker.interrupt().unheard == ()


def test_an_item_that_changes_its_rate_counts_in_its_first() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    for rate, count in ((24_000, 2_400), (8_000, 800), (24_000, 2_400)):
        frame = dumps(type="response.output_audio.delta", **IDS, format="pcm16", sample_rate_hz=rate, delta=b64(bytes(2 * count)))
        assert tracker.sent(decoder.decode(frame))
    assert plain(tracker.interrupt(2_400 + 400))["truncations"] == [("i1", 0, 3_600, 150, 7_200)]


def test_a_new_connection() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    tracker.sent(audio(decoder, 240, **IDS))
    tracker.interrupt()
    tracker.sent(decoder.decode(session("session.created")))
    assert tracker.sent(audio(decoder, 240, **IDS))


@pytest.mark.parametrize(("played", "kind"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError), (True, TypeError)])
def test_played_is_a_number_of_samples(played: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="number of samples"):
        PlaybackTracker().interrupt(played)


def test_state_is_bounded() -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    names = []
    for number in range(6_000):
        names.append(str(tracker.sent(audio(decoder, 24, item_id=f"i{number}"))))
    assert tracker.forgotten == 6_000 - 1_024
    assert not tracker.acknowledge(names[0])  # 4,096 marks are awaited
    assert tracker.acknowledge(names[5_500])  # which speaks for all before it
    said = tracker.interrupt()
    assert [cut.item_id for cut in said.truncations] == [f"i{number}" for number in range(6_000 - 1_024, 5_501)]
    assert [cut.item_id for cut in said.unheard] == [f"i{number}" for number in range(5_501, 6_000)]


def test_interleaved_items_beyond_the_runs_that_are_remembered() -> None:
    """The oldest pieces count as heard."""
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    for _ in range(3_000):
        tracker.sent(audio(decoder, 24, **IDS))
        tracker.sent(audio(decoder, 24, **OTHER))
    said = tracker.interrupt(0)
    assert [cut.samples for cut in said.truncations] == [24 * (3_000 - 2_048)] * 2


# ---- time, where no mark has come


@pytest.mark.parametrize(("seconds", "samples"), [(0.0, 0), (2**-11, 11), (0.25, 6_000), (5.0, 120_000), (11.0, 240_000)])
def test_an_utterance_in_one_message_is_cut_where_its_time_ran_to(clock: Clock, seconds: float, samples: int) -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    tracker.sent(audio(decoder, 240_000, **IDS))
    clock.seconds += seconds
    said = plain(tracker.interrupt())
    assert [item[2] for item in said["truncations"] + said["unheard"]] == [samples]
    assert len(said["unheard"]) == len(said["deleted"]) == (samples < 24)


def test_time_runs_from_the_mark_before(clock: Clock) -> None:
    """And reaches no further than the first message whose mark is awaited: had that been played, its mark would be here."""
    for seconds, samples in ((0.01, 480 + 240), (9.0, 480 + 480)):
        tracker, decoder = PlaybackTracker(), rp.Decoder()
        first = str(tracker.sent(audio(decoder, 480, **IDS)))
        tracker.sent(audio(decoder, 480, **IDS))
        tracker.sent(audio(decoder, 480, **OTHER))
        clock.seconds += 1.0
        assert tracker.acknowledge(first)
        clock.seconds += seconds
        said = plain(tracker.interrupt())
        assert [item[:3] for item in said["truncations"] + said["unheard"]] == [("i1", 0, samples), ("i2", 0, 0)]


def test_time_with_nothing_to_play_does_not_count(clock: Clock) -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    tracker.acknowledge(str(tracker.sent(audio(decoder, 480, **IDS))))
    clock.seconds += 60.0
    tracker.sent(audio(decoder, 24_000, **OTHER))
    clock.seconds += 0.5
    assert plain(tracker.interrupt())["truncations"] == [("i1", 0, 480, 20, 480), ("i2", 0, 12_000, 500, 24_000)]
    tracker.sent(audio(decoder, 24_000, item_id="i3"))
    assert [item.samples for item in tracker.interrupt().unheard] == [0]


def test_the_other_sides_count_is_worth_more_than_the_time(clock: Clock) -> None:
    tracker, decoder = PlaybackTracker(), rp.Decoder()
    tracker.sent(audio(decoder, 24_000, **IDS))
    clock.seconds += 0.5
    assert plain(tracker.interrupt(played=240))["truncations"] == [("i1", 0, 240, 10, 24_000)]
