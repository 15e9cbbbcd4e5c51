"""What an interruption says and silences; late audio, duplicates, gaps and underruns."""

from __future__ import annotations

import json
from typing import Any

import pytest

import realtime_pcm as rp
from realtime_pcm.playback import PlaybackBuffer
from support.playback_audio import IDS, OTHER, RATE, audio, heard, up
from support.playback_model import plain
from support.session_frames import done, dumps, response, session

# ---- interrupt


def test_an_interruption_drops_what_is_queued_and_says_what_was_heard() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(2_400, 1, decoder, **IDS))
    player.write(audio(2_400, 2_401, decoder, **IDS))
    assert len(heard(player, 2_500)) == 2_500
    said = player.interrupt()
    assert (player.queued, heard(player, 100)) == (0, [])
    [cut] = said.truncations
    assert (cut.item_id, cut.content_index, cut.samples, cut.audio_end_ms) == ("i1", 0, 2_500, 104)
    assert (cut.response_id, cut.rate, cut.received) == ("r1", RATE, 4_800)
    assert cut.frame == '{"type":"conversation.item.truncate","item_id":"i1","content_index":0,"audio_end_ms":104}'
    assert said.unheard == said.played == said.unidentified == ()
    assert player.interrupt().truncations == ()


def test_several_items_in_flight() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for number in (1, 2, 3):
        ids = {"response_id": f"r{number}", "item_id": f"i{number}", "content_index": number}
        player.write(audio(240, 1, decoder, **ids))
        player.write(decoder.decode(done(**ids)))
    player.write(audio(240, 1, decoder, response_id="r4", item_id="i4"))
    heard(player, 340)
    said = player.interrupt()
    assert plain(said) == {
        "played": [("i1", 1, 240)],
        "truncations": [("i2", 2, 100, 4, 240)],
        "unheard": [("i3", 3, 0, 240), ("i4", 0, 0, 240)],
        "unidentified": [],
        "deleted": ["i3", "i4"],
    }
    assert said.unheard[0].delete_frame == '{"type":"conversation.item.delete","item_id":"i3"}'
    assert said.frames == [said.truncations[0].frame, *(item.delete_frame for item in said.unheard)]


def test_an_item_read_to_its_end_is_played_only_after_its_done() -> None:
    for ended in (False, True):
        player, decoder = PlaybackBuffer(RATE), rp.Decoder()
        player.write(audio(240, 1, decoder, **IDS))
        heard(player, 240)
        if ended:
            player.write(decoder.decode(done(**IDS)))
        said = plain(player.interrupt())
        assert said["played"] == ([("i1", 0, 240)] if ended else [])
        assert said["truncations"] == ([] if ended else [("i1", 0, 240, 10, 240)])


def test_a_done_item_of_which_the_end_was_refused_was_not_played() -> None:
    player, decoder = PlaybackBuffer(RATE, seconds=240 / RATE), rp.Decoder()
    player.write(audio(480, 1, decoder, **IDS))
    player.write(decoder.decode(done(**IDS)))
    heard(player, 480)
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 240, 10, 480)]


def test_less_than_a_millisecond_counts_as_unheard() -> None:
    """audio_end_ms would be 0, which servers refuse."""
    for count, names in ((23, "unheard"), (24, "truncations")):
        player, decoder = PlaybackBuffer(RATE), rp.Decoder()
        player.write(audio(480, 1, decoder, **IDS))
        heard(player, count)
        said = player.interrupt()
        assert [item.samples for item in getattr(said, names)] == [count]
        assert len(said.unheard) + len(said.truncations) == 1


def test_an_item_is_not_deleted_for_one_of_its_parts() -> None:
    """The first part was heard: deleting the item would take that away too."""
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(240, 1, decoder, **IDS))
    player.write(decoder.decode(done(**IDS)))
    player.write(audio(240, 1, decoder, **(IDS | {"content_index": 1})))
    heard(player, 100)
    said = player.interrupt()
    assert [(cut.item_id, cut.content_index) for cut in said.truncations] == [("i1", 0)]
    assert [(item.content_index, item.delete_frame) for item in said.unheard] == [(1, None)]
    assert said.frames == [cut.frame for cut in said.truncations]


def test_interleaved_items_are_played_in_the_order_of_arrival() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for turn in range(4):
        player.write(audio(100, 1_000 + 100 * turn, decoder, **IDS))
        player.write(audio(100, 2_000 + 100 * turn, decoder, **OTHER))
    got = heard(player, 350)
    assert got == up(1_000, 1_099) + up(2_000, 2_099) + up(1_100, 1_199) + up(2_100, 2_149)
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 200, 8, 400), ("i2", 0, 150, 6, 400)]


def test_latency_of_the_device_is_not_heard() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(2_400, 1, decoder, **IDS))
    heard(player, 2_000)
    assert plain(player.interrupt(latency=0.05))["truncations"] == [("i1", 0, 800, 33, 2_400)]


def test_silence_in_the_device_counts_too() -> None:
    """The item ended 100 ms ago: with 50 ms of latency it was heard whole, with 120 ms all but 20 ms of it."""
    for latency, played, samples in (
        (0.05, 1, 2_400),
        (0.1, 1, 2_400),
        (0.12, 0, 1_920),
        (0.3, 0, 0),
        (1e300, 0, 0),
        (10**400, 0, 0),
    ):
        player, decoder = PlaybackBuffer(RATE), rp.Decoder()
        player.write(audio(2_400, 1, decoder, **IDS))
        player.write(decoder.decode(done(**IDS)))
        heard(player, 4_800)
        said = player.interrupt(latency)
        assert len(said.played) == played
        assert [item.samples for item in (*said.played, *said.truncations, *said.unheard)] == [samples]


def test_gaps_within_the_latency() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for _ in range(10):
        player.write(audio(24, 1, decoder, **IDS))
        heard(player, 48)
    # 480 samples left, every other 24 of them audio. Of the last 240 the device has played nothing.
    assert plain(player.interrupt(0.01))["truncations"] == [("i1", 0, 120, 5, 240)]


def test_latency_reaches_no_further_back_than_the_last_interruption() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(2_400, 1, decoder, **IDS))
    heard(player, 2_000)
    player.interrupt()
    player.write(audio(2_400, 1, decoder, **OTHER))
    heard(player, 48)
    assert plain(player.interrupt(1))["unheard"] == [("i2", 0, 0, 2_400)]


@pytest.mark.parametrize("latency", [-1, float("nan"), float("inf"), -0.001, -(10**400)])
def test_latency_is_a_finite_number(latency: float) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        PlaybackBuffer(RATE).interrupt(latency)


@pytest.mark.parametrize("latency", ["0.1", None, True])
def test_latency_is_a_number(latency: Any) -> None:
    with pytest.raises(TypeError, match="number of seconds"):
        PlaybackBuffer(RATE).interrupt(latency)


def test_ids_are_escaped_in_frames() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    wild = 'i"\\\n\u2028\x1b[31m'
    player.write(audio(240, 1, decoder, item_id=wild))
    heard(player, 240)
    [cut] = player.interrupt().truncations
    assert json.loads(cut.frame)["item_id"] == wild and cut.frame.isascii() and cut.frame.isprintable()


# ---- late audio


def test_late_audio_is_dropped_and_counted() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(decoder.decode(response("response.created", "r1")))
    player.write(audio(240, 1, decoder, **IDS))
    heard(player, 100)
    player.interrupt()
    assert player.write(audio(240, 241, decoder, **IDS)) == 0
    assert player.write(audio(240, 1, decoder, **(IDS | {"item_id": "i1b"}))) == 0  # the same response goes on
    assert player.write(audio(240, 1, decoder, item_id="i1")) == 0  # no other response is under way
    assert player.late == 720
    player.write(decoder.decode(done(**IDS)))
    player.write(decoder.decode(response("response.created", "r2")))
    assert player.write(audio(240, 241, decoder, **IDS)) == 0
    assert player.write(audio(240, 1, decoder, **OTHER)) == 240
    assert heard(player, 1) == [1]
    assert plain(player.interrupt())["unheard"] == [("i2", 0, 1, 240)]


def test_a_response_that_had_begun_without_audio_is_interrupted_too() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(decoder.decode(response("response.created", "r1")))
    player.interrupt()
    assert player.write(audio(240, 1, decoder, **IDS)) == 0 and player.late == 240
    player.write(decoder.decode(response("response.created", "r2")))
    assert player.write(audio(240, 1, decoder, **OTHER)) == 240


def test_a_response_that_was_done_is_not_under_way() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(decoder.decode(response("response.created", "r1")))
    player.write(decoder.decode(response("response.done", "r1")))
    player.interrupt()
    assert player.write(audio(240, 1, decoder, **IDS)) == 240


def test_audio_without_ids_waits_for_the_next_response() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(decoder.decode(response("response.created", None)))
    player.write(audio(240, 1, decoder))
    heard(player, 100)
    said = player.interrupt()
    assert plain(said)["unidentified"] == [(None, 0, 100, 4, 240)] and said.truncations == ()
    assert player.write(audio(240, 1, decoder)) == 0
    player.write(decoder.decode(done()))
    assert player.write(audio(240, 1, decoder)) == 0
    assert player.late == 480
    player.write(decoder.decode(response("response.created", None)))
    assert player.write(audio(240, 1, decoder)) == 240


def test_audio_without_ids_and_without_responses() -> None:
    """A translation session sends no response.created."""
    frame = dumps(type="session.output_audio.delta", delta="AQACAAMA")
    player = PlaybackBuffer(RATE)
    assert player.write(rp.decode(frame)) == 3
    player.interrupt()
    assert player.write(rp.decode(frame)) == 0
    player.resume()
    assert player.write(rp.decode(frame)) == 3
    player.interrupt()
    player.write(rp.decode(session("session.created")))
    assert player.write(rp.decode(frame)) == 3


def test_a_new_connection_begins_afresh() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(240, 1, decoder, **IDS))
    player.interrupt()
    player.write(audio(240, 1, decoder, **OTHER))
    for frame in (session("session.created"), dumps(type="session.started", session={})):
        player.write(decoder.decode(frame))
        assert player.write(audio(240, 1, decoder, **IDS)) == 240
        heard(player, 480)
        player.write(decoder.decode(done(**IDS)))
        # What was queued before was played on, and was over.
        assert [item[0] for item in plain(player.interrupt())["played"]] in (["i2", "i1"], ["i1"])


def test_after_a_reconnect_no_frame_names_an_item_of_the_session_that_is_gone() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(2_400, 1, decoder, **IDS))
    player.write(audio(2_400, 1, decoder, **OTHER))
    player.write(rp.Decoder().decode(session("session.created")))
    assert heard(player, 1_200) == up(1, 1_200)  # what is queued plays on
    said = player.interrupt()
    assert player.queued == 0 and (said.truncations, said.unheard, said.unidentified) == ((), (), ())


# ---- duplicates and gaps


def test_audio_that_comes_twice_is_played_once() -> None:
    player, decoder, again = PlaybackBuffer(RATE), rp.Decoder(), rp.Decoder()
    first = audio(100, 1, decoder, **IDS)
    player.write(first)
    assert player.write(first) == 0
    player.write(audio(100, 101, decoder, **IDS))
    assert player.write(audio(150, 1, again, **IDS)) == 0
    assert player.write(audio(150, 151, again, **IDS)) == 100  # 151 to 200 were there
    assert player.duplicates == 100 + 150 + 50
    assert heard(player, 999) == up(1, 300)
    player.write(decoder.decode(done(**IDS)))
    assert plain(player.interrupt())["played"] == [("i1", 0, 300)]


def test_audio_that_never_came_is_counted_in_the_place() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(100, 1, decoder, **IDS))
    audio(1_000, 101, decoder, **IDS)
    player.write(audio(100, 1_101, decoder, **IDS))
    assert heard(player, 150) == up(1, 100) + up(1_101, 1_150)
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 1_150, 47, 1_200)]


def test_messages_of_decode_follow_one_another() -> None:
    player = PlaybackBuffer(RATE)
    for _ in range(3):
        message = audio(100, 1, **IDS)
        assert message.sample_offset is None
        player.write(message)
    heard(player, 250)
    assert plain(player.interrupt())["truncations"] == [("i1", 0, 250, 10, 300)]


def test_streams_without_ids_follow_one_another() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    for _ in range(3):
        player.write(audio(100, 1, decoder))
        player.write(decoder.decode(done()))
    heard(player, 250)
    said = plain(player.interrupt())
    assert (said["played"], said["unidentified"]) == ([(None, 0, 100)] * 2, [(None, 0, 50, 2, 100)])


def test_ids_of_other_json_types_count_as_absent() -> None:
    player = PlaybackBuffer(RATE)
    for ids in (
        {"item_id": ["i"]},
        {"item_id": {}, "response_id": 5},
        {"item_id": "i" * 513},
        {"content_index": "0"},
        {"content_index": -1},
        {"content_index": True},
        {"content_index": 1e300},
        {"content_index": 2**70},
    ):
        player.write(audio(100, 1, **ids))
    heard(player, 799)
    assert plain(player.interrupt())["unidentified"] == [(None, 0, 799, 33, 800)]


# ---- under-runs


def test_underruns_are_counted_inside_an_item_alone() -> None:
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(decoder.decode(response("response.created", "r1")))
    heard(player, 10)  # before its first sample
    player.write(audio(20, 1, decoder, **IDS))
    heard(player, 20)
    assert player.underruns == 0
    heard(player, 10)
    heard(player, 10)
    assert player.underruns == 1  # one gap, however many reads
    player.write(audio(20, 21, decoder, **IDS))
    heard(player, 30)
    assert player.underruns == 2
    player.write(audio(20, 41, decoder, **IDS))
    player.write(decoder.decode(done(**IDS)))
    heard(player, 30)  # after its end
    assert player.underruns == 2
    player.write(audio(20, 1, decoder, **OTHER))
    heard(player, 10)
    player.interrupt()
    heard(player, 30)  # after an interruption
    assert player.underruns == 2


def test_response_done_ends_the_items_of_the_response() -> None:
    """A cancelled response sends no done for its audio."""
    player, decoder = PlaybackBuffer(RATE), rp.Decoder()
    player.write(audio(20, 1, decoder, **IDS))
    player.write(audio(20, 1, decoder, **(IDS | {"item_id": "i1b"})))
    player.write(decoder.decode(response("response.done", "r1")))
    heard(player, 100)
    assert player.underruns == 0
    assert len(player.interrupt().played) == 2
