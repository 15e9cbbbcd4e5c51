"""The user of the loopback server: when speech begins and ends in the client's audio, and what becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm.recording import Entry
from realtime_pcm.testing import user_speech
from realtime_pcm.testing.user import Microphone
from support.stream_clients import AUDIO, EVENTS, FRAMES
from support.talk import Talk, talking

REALTIME = {"type": "realtime"}
TONE = np.rint(8_000 * np.sin(np.arange(240_000) / 9)).astype(np.int16)
QUIET = np.zeros(240_000, np.int16)


def audio(*pieces: tuple[np.ndarray[Any, Any], int]) -> np.ndarray[Any, Any]:
    """Pieces of so many milliseconds, one after the other."""
    return np.concatenate([samples[: 24 * milliseconds] for samples, milliseconds in pieces])


async def hear(talk: Talk, samples: np.ndarray[Any, Any], block: int = 480) -> None:
    for start in range(0, samples.size, block):
        await talk.ws.send(rp.encode_append(samples[start : start + block]))


def detection(**fields: Any) -> dict[str, Any]:
    return {**REALTIME, "audio": {"input": {"turn_detection": {"type": "server_vad", **fields}}}}


def times(talk: Talk) -> list[int]:
    return [event[key] for event in talk.seen for key in ("audio_start_ms", "audio_end_ms") if key in event]


# ---- what is speech


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(120_000, np.int16),
        np.full(120_000, 20_000, np.int16),  # an offset of the sound card
        np.random.default_rng(1).normal(0, 100, 120_000).astype(np.int16),  # a quiet room
        audio((QUIET, 1_000), (TONE, 40), (QUIET, 1_000), (TONE, 20), (QUIET, 1_000)),  # clicks
        np.rint(np.sin(np.arange(120_000) / 9) * 300).astype(np.int16),
    ],
    ids=["silence", "offset", "noise", "clicks", "faint"],
)
def test_what_is_no_speech_begins_no_turn(samples: np.ndarray[Any, Any]) -> None:
    async def script(talk: Talk) -> None:
        await hear(talk, samples)
        await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        assert talk.types == ["session.created", "input_audio_buffer.cleared"]

    talking(script)


@pytest.mark.parametrize("block", [480, 17, 24_000, 100_000])
def test_positions_are_those_of_the_clients_audio(block: int) -> None:
    """Two turns, whatever the size of the appends; the words before the speech and the silence after it belong to it."""

    async def script(talk: Talk) -> None:
        once = audio((QUIET, 1_000), (TONE, 600), (QUIET, 800))
        await hear(talk, np.concatenate([once, once]), block)
        await talk.until("input_audio_buffer.speech_stopped", count=2)
        assert times(talk) == [700, 1_800, 3_100, 4_200]

    talking(script) if block > 17 else microphone_in_blocks(block)


def microphone_in_blocks(block: int) -> None:
    """As above, without a connection for each 17 samples."""
    microphone = Microphone()
    once = audio((QUIET, 1_000), (TONE, 600), (QUIET, 800))
    samples = np.concatenate([once, once])
    settings = {"silence_duration_ms": 200, "prefix_padding_ms": 300}
    found = []
    for start in range(0, samples.size, block):
        found += microphone.hear(samples[start : start + block], 24_000, settings)
    assert [heard.milliseconds for heard in found] == [700, 1_800, 3_100, 4_200]
    assert microphone.position == 4_800


@pytest.mark.parametrize(
    ("silence", "pause", "turns"), [(200, 400, 2), (500, 400, 1), (500, 600, 2), (None, 400, 1), (None, 600, 2)]
)
def test_a_turn_ends_after_the_silence_that_the_session_names(silence: int | None, pause: int, turns: int) -> None:
    """500 ms if it names none."""
    settings = {} if silence is None else {"silence_duration_ms": silence}
    samples = audio((TONE, 400), (QUIET, pause), (TONE, 400), (QUIET, 1_000))
    found = Microphone().hear(samples, 24_000, settings)
    assert [heard.kind for heard in found] == ["started", "stopped"] * turns


def test_the_position_goes_on_at_another_rate() -> None:
    microphone = Microphone()
    microphone.hear(QUIET[:24_000], 24_000, {})
    [started] = microphone.hear(np.rint(8_000 * np.sin(np.arange(800) / 3)).astype(np.int16), 8_000, {"prefix_padding_ms": 0})
    assert (started.milliseconds, microphone.position) == (1_000, 1_100)


def test_speech_that_goes_on_has_no_end() -> None:
    async def script(talk: Talk) -> None:
        await hear(talk, audio((TONE, 5_000)))
        await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        assert talk.types == ["session.created", "input_audio_buffer.speech_started", "input_audio_buffer.cleared"]

    talking(script)


# ---- what becomes of it


def test_a_spoken_turn_is_an_item_that_is_written_down() -> None:
    async def script(talk: Talk) -> None:
        await hear(talk, user_speech("Where is it?"))
        await talk.until("conversation.item.input_audio_transcription.completed")
        about = [event for event in talk.seen if event["type"].startswith(("input_audio", "conversation."))]
        kinds = [
            event["type"]
            for event in about
            if not event["type"].endswith("delta") and event.get("item", {}).get("role") != "assistant"
        ]
        assert kinds == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.completed",
        ]
        item_id = about[0]["item_id"]
        assert {event.get("item_id", item_id) for event in about if "item" not in event} == {item_id}
        # The words are written down after the answer has begun, as those of the recording.
        assert talk.types.index("response.created") < talk.types.index("conversation.item.input_audio_transcription.delta")
        assert talk.seen[-1]["transcript"] == "Hi, has my parcel left the warehouse yet?"
        pieces = "".join(event["delta"] for event in talk.seen if event["type"].endswith("input_audio_transcription.delta"))
        assert pieces == talk.seen[-1]["transcript"]
        answer = await talk.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=item_id)
        assert answer["item"]["content"] == [{"type": "input_audio", "transcript": pieces}]
        assert talk.server.conversation.items[0].item_id == item_id

    talking(script)


def test_without_words_of_the_recording_their_number_follows_the_length() -> None:
    async def script(talk: Talk) -> None:
        words = []
        for milliseconds in (800, 4_000):
            await hear(talk, audio((TONE, milliseconds), (QUIET, 600)), 24_000)
            done = await talk.until("conversation.item.input_audio_transcription.completed")
            words.append(len(done["transcript"].split()))
        assert 1 <= words[0] < words[1] <= 15

    frames = [frame for frame in FRAMES if b"transcription" not in frame or b'"session' in frame]
    talking(script, frames=frames)


def test_no_words_are_written_down_that_the_session_did_not_ask_for() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session={**REALTIME, "audio": {"input": {"transcription": None}}})
        await hear(talk, user_speech())
        await talk.until("rate_limits.updated")
        await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        assert not [kind for kind in talk.types if "transcription" in kind]

    talking(script)


def test_create_response_false() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session=detection(create_response=False))
        await hear(talk, user_speech())
        await talk.until("conversation.item.input_audio_transcription.completed")
        assert "response.created" not in talk.types
        await talk.ask("response.create", "response.done")

    talking(script)


def test_a_transcription_session_writes_down_and_answers_nothing() -> None:
    async def script(talk: Talk) -> None:
        created = await talk.until("session.created")
        assert (created["session"]["type"], created["session"]["object"]) == ("transcription", "realtime.transcription_session")
        session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
        await talk.ask("session.update", "session.updated", session=session)
        await hear(talk, user_speech())
        await talk.until("conversation.item.input_audio_transcription.completed")
        refused = await talk.ask("response.create", "error")
        assert not [kind for kind in talk.types if kind.startswith("response.")] and refused["error"]["code"] == "invalid_value"
        refused = await talk.ask("session.update", "error", session=REALTIME)
        assert refused["error"]["code"] == "invalid_parameter"

    talking(script, query="?intent=transcription")


# ---- silence


IDLE = "input_audio_buffer.timeout_triggered"


def test_silence_after_an_answer_is_answered() -> None:
    """The time counts from the end of the answer's audio, which is heard after it was sent."""

    async def script(talk: Talk) -> None:
        await hear(talk, audio((QUIET, 3_000)), 24_000)  # before the first answer nobody waits
        await talk.ask("session.update", "session.updated", session=detection(idle_timeout_ms=1_000))
        await talk.ask("response.create", "response.done")
        spoken = talk.server.call.items[-1].sent_ms
        await hear(talk, np.zeros(24 * (spoken + 980), np.int16), 24_000)
        await talk.ask("session.update", "session.updated", session=REALTIME)
        assert IDLE not in talk.types
        await hear(talk, audio((QUIET, 40)))
        seen = len(talk.seen)
        told = await talk.until(IDLE)
        assert (told["audio_start_ms"], told["audio_end_ms"]) == (3_000 + spoken, 4_000 + spoken)
        await talk.until("response.done")
        assert talk.types[seen:][:5] == [
            IDLE,
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
        ]
        silence = next(item for item in talk.server.call.items if item.item_id == told["item_id"])
        assert (silence.role, silence.transcript) == ("user", None)

    talking(script)


def test_speech_after_an_answer_is_no_silence() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session=detection(idle_timeout_ms=1_000))
        await talk.ask("response.create", "response.done")
        spoken = talk.server.call.items[-1].sent_ms
        await hear(talk, np.zeros(24 * (spoken + 500), np.int16), 24_000)
        await hear(talk, audio((TONE, 600), (QUIET, 300)))
        await talk.until("response.created")
        assert IDLE not in talk.types and "input_audio_buffer.speech_started" in talk.types

    talking(script)


# ---- commits


def test_commits_are_items_and_empty_ones_are_errors() -> None:
    async def script(talk: Talk) -> None:
        no_detection = {**REALTIME, "audio": {"input": {"turn_detection": None}}}
        await talk.ask("session.update", "session.updated", session=no_detection)

        async def commit() -> dict[str, Any]:
            return await talk.ask("input_audio_buffer.commit", "conversation.item.done", "error", event_id="mine")

        refused = (await commit())["error"]
        assert (refused["code"], refused["event_id"]) == ("input_audio_buffer_commit_empty", "mine")
        assert "Expected at least 100ms of audio, but buffer only has 0.00ms" in refused["message"]
        ids = []
        for _ in range(2):
            await hear(talk, QUIET[:2_400])
            ids.append((await commit())["item"]["id"])
            assert talk.types[-3:] == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
        assert ids[0] != ids[1] and talk.seen[-1]["previous_item_id"] == ids[0]
        assert (await commit())["error"]["code"] == "input_audio_buffer_commit_empty"
        await hear(talk, QUIET[:4_800])
        await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        await hear(talk, QUIET[:2_352])
        assert "only has 98.00ms" in (await commit())["error"]["message"]
        assert "response.created" not in talk.types

    talking(script)


def test_a_commit_in_the_middle_of_speech_ends_it_and_asks_for_nothing() -> None:
    async def script(talk: Talk) -> None:
        await hear(talk, audio((TONE, 600)))
        started = await talk.until("input_audio_buffer.speech_started")
        done = await talk.ask("input_audio_buffer.commit", "conversation.item.done")
        assert done["item"]["id"] == started["item_id"]
        await hear(talk, audio((QUIET, 1_000)))
        await talk.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
        assert "response.created" not in talk.types and "input_audio_buffer.speech_stopped" not in talk.types

    talking(script)


# ---- interruptions


def test_speech_during_an_answer_interrupts_it() -> None:
    async def script(talk: Talk) -> None:
        await talk.send("response.create")
        await talk.until(AUDIO)
        await hear(talk, audio((TONE, 200)))
        done = await talk.until("response.done")
        assert done["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert talk.types.count("input_audio_buffer.speech_started") == 1

    talking(script, pace=1.0)


def test_an_answer_that_may_not_be_interrupted_is_followed_by_the_next() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session=detection(interrupt_response=False))
        await talk.send("response.create")
        await talk.until(AUDIO)
        await hear(talk, user_speech("Wait!"))
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        await talk.until("response.created")
        assert "error" not in talk.types

    talking(script, pace=20.0)


def test_a_server_that_does_not_listen_is_not_interrupted() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session={**REALTIME, "audio": {"input": {"turn_detection": None}}})
        done = await talk.ask("response.create", "response.done")
        assert done["response"]["status"] == "completed" and "input_audio_buffer.speech_started" not in talk.types

    talking(script, interrupt=1.2)


# ---- time


def test_at_pace_speech_lasts_as_long_as_it_is() -> None:
    """No clock is read here: at a hundredth of its pace the end of 600 ms of speech is far away."""

    async def script(talk: Talk) -> bool:
        await hear(talk, user_speech(), 24_000)
        await talk.until("input_audio_buffer.speech_started")
        try:
            await asyncio.wait_for(talk.until("input_audio_buffer.speech_stopped"), 0.2)
        except TimeoutError:
            return False
        return True

    assert talking(script, pace=0.01) is False
    assert talking(script, pace=1_000.0) is True


def entries(wait: float) -> list[tuple[float, bytes]]:
    """The sample as a recording with times: the answer begins so many seconds after the user was done."""
    began = next(place for place, event in enumerate(EVENTS) if event["type"] == "response.created")
    return [(10.0 if place < began else 10.0 + wait + place / 1_000, frame) for place, frame in enumerate(FRAMES)]


def test_the_wait_is_that_of_the_recording() -> None:
    async def script(talk: Talk) -> bool:
        await talk.send("response.create")
        try:
            await asyncio.wait_for(talk.until("response.created"), 0.2)
        except TimeoutError:
            return False
        return True

    assert talking(script, frames=entries(60.0), pace=1.0) is False
    assert talking(script, frames=entries(60.0), pace=10_000.0) is True
    assert talking(script, frames=entries(60.0)) is True  # at once


def test_a_recording_is_taken_as_it_was_read() -> None:
    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")

    frames = [Entry(place, 1.0, "received", rp.decode(frame), None) for place, frame in enumerate(FRAMES, 1)]
    asked = Entry(99, 1.0, "sent", rp.decode('{"type":"response.create"}', side="client"), None)
    talking(script, frames=[asked, *frames], pace=1_000.0)
