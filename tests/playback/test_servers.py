"""PlaybackBuffer and PlaybackTracker with servers that are not OpenAI's: their ids, their ends, and what they send twice."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from support.playback_model import plain
from support.session_frames import delta, done, dumps, response, session

RATE = 24_000
SAMPLES = np.arange(1, 2_401, dtype="<i2").tobytes()  # 100 ms
FLOATS = (np.frombuffer(SAMPLES, "<i2") / np.float32(32_768)).astype("<f4")
IDS = {"response_id": "r", "item_id": "i", "content_index": 0}


class Call:
    """One connection to a player and a tracker, which are to agree."""

    def __init__(self) -> None:
        self.decoder = rp.Decoder()
        self.player = PlaybackBuffer(RATE)
        self.tracker = PlaybackTracker()

    def take(self, *frames: bytes) -> int:
        """How many samples of these frames are played."""
        queued = 0
        for frame in frames:
            message = self.decoder.decode(frame)
            accepted = self.player.write(message)
            assert (self.tracker.sent(message) is not None) == (accepted > 0)
            queued += accepted
        return queued

    def interrupt(self, samples: int) -> dict[str, list[Any]]:
        """After so many samples were heard."""
        assert self.player.read(np.empty(samples, np.int16)) == samples
        said = plain(self.player.interrupt())
        assert plain(self.tracker.interrupt(played=samples)) == said
        return said


# What a server calls its answers: number -> response.created and response.done (None: it sends none), and the ids of its deltas.
SERVERS: dict[str, Callable[[int], tuple[dict[str, Any] | None, dict[str, Any]]]] = {
    "without ids": lambda n: (None, {}),
    "announced, without ids": lambda n: ({}, {}),
    "announced by id, deltas without": lambda n: ({"id": f"r{n}"}, {}),
    "empty response_id": lambda n: ({"id": f"r{n}"}, {"response_id": "", "item_id": f"i{n}"}),
    "empty item_id": lambda n: ({"id": f"r{n}"}, {"response_id": f"r{n}", "item_id": ""}),
    "empty ids": lambda n: (None, {"response_id": "", "item_id": ""}),
    "the same item_id in every answer": lambda n: ({"id": f"r{n}"}, {"response_id": f"r{n}", "item_id": "i"}),
    "the same ids in every answer": lambda n: ({"id": "r"}, IDS),
    "the same ids, announced by nobody": lambda n: (None, IDS),
    "the same response_id, announced under others": lambda n: ({"id": f"r{n}"}, {"response_id": "r", "item_id": f"i{n}"}),
    "item_id alone, the same in every answer": lambda n: ({"id": f"r{n}"}, {"item_id": "i"}),
}


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "not ended"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_next_answer_plays_after_an_interruption(server: str, ends: bool) -> None:
    """Whether the interrupted answer had come in whole or not; what of it comes late is not played."""
    call = Call()
    late = 0
    for number in range(4):
        announced, ids = SERVERS[server](number)
        begin = [] if announced is None else [dumps(type="response.created", response=announced)]
        over = [] if announced is None else [dumps(type="response.done", response=announced)]
        frames = [*begin, *[delta(SAMPLES, **ids)] * 4, done(**ids), *over]
        assert call.take(*(frames if ends else frames[: len(begin) + 2])) == (9_600 if ends else 4_800)
        call.interrupt(1_200)
        if not ends:
            assert call.take(*frames[len(begin) + 2 :]) == 0
            late += 4_800
        assert call.player.late == call.tracker.late == late


def test_no_frame_is_made_for_an_empty_id() -> None:
    call = Call()
    assert call.take(delta(SAMPLES, response_id="", item_id="", content_index=0)) == 2_400
    said = call.player.interrupt()
    assert [item.delete_frame for item in said.unheard] == [None] and said.unheard[0].item_id is None
    call = Call()
    call.take(delta(SAMPLES, response_id="", item_id="", content_index=0))
    assert call.interrupt(1_200)["unidentified"] == [(None, 0, 1_200, 50, 2_400)]


def test_an_interruption_after_the_end_of_an_answer_silences_nothing() -> None:
    """Servers send faster than they are heard: most interruptions come after response.done."""
    call = Call()
    call.take(response("response.created", "r"), delta(SAMPLES, **IDS), response("response.done", "r"))
    call.interrupt(1_200)
    assert call.take(delta(SAMPLES, **IDS)) == 2_400


def test_a_new_response_created_makes_its_ids_new() -> None:
    """An answer that was interrupted and never ended, and another of the same name."""
    call = Call()
    call.take(response("response.created", "r"), delta(SAMPLES, **IDS))
    call.interrupt(1_200)
    assert call.take(delta(SAMPLES, **IDS)) == 0
    assert call.take(response("response.created", "r"), delta(SAMPLES, **IDS)) == 2_400


def test_two_responses_at_once_are_silenced_each_until_its_own_end() -> None:
    call = Call()
    a, b = {"response_id": "a", "item_id": "x"}, {"response_id": "b", "item_id": "y"}
    call.take(response("response.created", "a"), response("response.created", "b"), delta(SAMPLES, **a), delta(SAMPLES, **b))
    call.interrupt(1_200)
    assert call.take(response("response.done", "a"), delta(SAMPLES, **b)) == 0
    assert call.take(response("response.done", "b"), delta(SAMPLES, **b)) == 2_400


def test_resume_ends_the_silence_by_hand() -> None:
    """Of servers that send neither an end nor a beginning."""
    for ids in ({}, IDS):
        call = Call()
        call.take(delta(SAMPLES, **ids))
        call.interrupt(1_200)
        assert call.take(delta(SAMPLES, **ids)) == 0
        call.player.resume()
        call.tracker.resume()
        assert call.take(delta(SAMPLES, **ids)) == 2_400


# ---- ends


def test_audio_after_its_done_is_played() -> None:
    call = Call()
    assert call.take(delta(SAMPLES, **IDS), done(**IDS), delta(SAMPLES, **IDS)) == 4_800
    assert call.player.duplicates == 0
    assert call.interrupt(3_600)["truncations"] == [("i", 0, 3_600, 150, 4_800)]


def test_a_done_after_each_sentence() -> None:
    call = Call()
    assert call.take(response("response.created", "r"), *[delta(SAMPLES, **IDS), done(**IDS)] * 3) == 7_200
    said = call.interrupt(6_000)
    assert said["truncations"] == [("i", 0, 6_000, 250, 7_200)] and said["played"] == []


def test_an_item_with_audio_after_its_done_was_not_heard_to_its_end() -> None:
    for more in ([], [delta(SAMPLES, **IDS)]):
        call = Call()
        call.take(delta(SAMPLES, **IDS), done(**IDS), *more)
        said = call.interrupt(2_400)
        assert len(said["played"]) == (0 if more else 1)


def test_an_underrun_after_the_done_of_a_sentence_is_none() -> None:
    player, decoder, out = PlaybackBuffer(RATE), rp.Decoder(), np.empty(3_000, np.int16)
    for number in range(3):
        player.write(decoder.decode(delta(SAMPLES, **IDS)))
        player.write(decoder.decode(done(**IDS)))
        assert player.read(out) == 2_400 and player.underruns == 0, number
    player.write(decoder.decode(delta(SAMPLES, **IDS)))
    player.read(out)
    assert player.underruns == 1  # this one's done is still to come


# ---- parts


def test_a_content_index_that_counts_chunks_makes_one_item() -> None:
    call = Call()
    frames = [delta(SAMPLES, **(IDS | {"content_index": number})) for number in range(1_500)]
    assert call.take(*frames[:1_000]) == 2_400_000 and call.player.refused == 0
    assert call.interrupt(28_800)["truncations"] == [("i", 0, 28_800, 1_200, 2_400_000)]


def test_a_truncate_names_the_first_content_index() -> None:
    call = Call()
    call.take(*[delta(SAMPLES, **(IDS | {"content_index": number})) for number in (3, 4, 5)])
    assert call.interrupt(2_400)["truncations"] == [("i", 3, 2_400, 100, 7_200)]


def test_another_content_index_after_a_done_is_another_part() -> None:
    call = Call()
    one, two = IDS, IDS | {"content_index": 1}
    call.take(delta(SAMPLES, **one), done(**one), delta(SAMPLES, **two), done(**two))
    said = call.interrupt(3_600)
    assert (said["played"], said["truncations"]) == ([("i", 0, 2_400)], [("i", 1, 1_200, 50, 2_400)])


# ---- what comes twice


def test_a_delta_that_the_server_sends_twice_is_played_once_and_counted() -> None:
    call = Call()
    frames = [delta(SAMPLES, event_id=f"e{number}", **IDS) for number in range(3)]
    assert call.take(frames[0], frames[0], frames[1], frames[2], frames[2], frames[2]) == 7_200
    assert call.player.duplicates == call.tracker.duplicates == 3 * 2_400
    # The decoder counted the copies, but they are no part of the item.
    assert call.interrupt(6_000)["truncations"] == [("i", 0, 6_000, 250, 7_200)]


def test_the_same_event_id_with_another_payload_is_another_delta() -> None:
    call = Call()
    payloads = [np.full(2_400, number, "<i2").tobytes() for number in range(3)]
    assert call.take(*[delta(payload, event_id="event", **IDS) for payload in payloads]) == 7_200


@pytest.mark.parametrize("event_id", [{}, {"event_id": ""}, {"event_id": None}], ids=["absent", "empty", "null"])
def test_the_same_payload_without_an_event_id_is_another_delta(event_id: dict[str, Any]) -> None:
    call = Call()
    assert call.take(*[delta(SAMPLES, **event_id, **IDS)] * 3) == 7_200


def test_each_delta_under_its_ga_and_its_beta_name_is_played_once() -> None:
    """Each with an event_id of its own; silence, whose deltas are all alike, too."""
    call = Call()
    quiet = bytes(4_800)
    frames = []
    for number, payload in enumerate((SAMPLES, quiet, quiet, quiet)):
        for version, wire in enumerate(("response.output_audio.delta", "response.audio.delta")):
            frames.append(delta(payload, wire, event_id=f"e{number}.{version}", **IDS))
    assert call.take(*frames) == 4 * 2_400 and call.player.duplicates == 4 * 2_400
    assert call.interrupt(4_800)["truncations"] == [("i", 0, 4_800, 200, 9_600)]


def test_a_decoder_that_counts_anew_after_the_end_of_an_item() -> None:
    """A reconnect to a server that sends no session.created and has constant ids."""
    player = PlaybackBuffer(RATE)
    for _ in range(3):
        decoder = rp.Decoder()
        assert player.write(decoder.decode(delta(SAMPLES, **IDS))) == 2_400
        player.write(decoder.decode(done(**IDS)))
    assert player.duplicates == 0


def test_after_a_session_created_the_ids_are_another_sessions() -> None:
    call = Call()
    call.take(response("response.created", "r"), delta(SAMPLES, **IDS))
    call.interrupt(1_200)
    assert call.take(session("session.created"), delta(SAMPLES, **IDS)) == 2_400
    assert call.interrupt(1_200)["truncations"] == [("i", 0, 1_200, 50, 2_400)]


def wav(samples: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize(("audio_format", "payload"), [("float32", FLOATS.tobytes()), ("wav", wav(SAMPLES, RATE))])
def test_samples_of_other_formats_are_played_and_interrupted_alike(audio_format: str, payload: bytes, dtype: str) -> None:
    call = Call()
    call.decoder = rp.Decoder(audio_format=audio_format, dtype=dtype)
    assert call.take(delta(payload, **IDS), delta(payload, **IDS)) == 2 * 2_400
    out = np.empty(2_400, np.int16)
    assert call.player.read(out) == 2_400 and out.tobytes() == SAMPLES
    said = plain(call.player.interrupt())
    assert said["truncations"] == [("i", 0, 2_400, 100, 4_800)]
    assert plain(call.tracker.interrupt(played=2_400)) == said


def test_a_wav_of_another_rate_is_resampled_from_its_own_header() -> None:
    pytest.importorskip("soxr")
    call = Call()
    call.decoder = rp.Decoder(audio_format="wav")
    for frame in (delta(wav(SAMPLES, 48_000), **IDS), done(**IDS)):
        call.player.write(call.decoder.decode(frame))
    assert call.player.queued == 1_200
