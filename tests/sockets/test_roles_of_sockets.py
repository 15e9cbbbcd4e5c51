"""Playback and ConversationState follow other sockets by the roles of their messages alone, interruptions and tools included."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.conversation import ConversationState
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from realtime_pcm.sockets import elevenlabs, gemini, twilio
from support.socket_conversations import ELEVENLABS, GEMINI, Said, agent, content, mark, messages, played, speech, user


def follow(said: list[Said], catalogue: Any) -> ConversationState:
    state = ConversationState()
    for time, message in messages(said, catalogue):
        state.follow(message, time)
    return state


# ---- ConversationState


@pytest.mark.parametrize(("said", "catalogue"), [(GEMINI, gemini), (ELEVENLABS, elevenlabs)], ids=["gemini", "elevenlabs"])
def test_the_words_and_turns_of_a_conversation(said: list[Said], catalogue: Any) -> None:
    state = follow(said, catalogue)
    words = [(item.side, item.text, item.turn, item.audio_seconds) for item in state.items]
    first = "It is dry in Rome, and" if catalogue is gemini else "It is dry in Rome, and warm."
    assert words == [
        ("user", "How is the weather?", 1, 0.0),
        ("model", first, 1, 3.0),
        ("user", "Thank you.", 2, 0.0),
        ("model", "You are welcome.", 2, 0.5),
    ]
    [cut] = state.interruptions
    assert (cut.cause, cut.turn, cut.at.time) == ("interrupted", 1, 3.5)
    told = [(turn.began, turn.status, turn.responses, turn.first_audio is not None) for turn in state.turns]
    last = ("speech", "completed", 1, True) if catalogue is gemini else ("speech", None, 0, True)
    assert told == [("speech", "cancelled", 1, True), last]
    weather = state.tool_calls[0]
    assert (weather.name, weather.input, weather.failed, weather.turn) == ("weather", {"city": "Rome"}, False, 1)
    assert weather.seconds == pytest.approx(0.2) and state.turns[0].tools == len(state.tool_calls)


def test_several_tools_of_gemini_and_one_that_is_cancelled() -> None:
    state = follow(GEMINI, gemini)
    assert [(call.call_id, call.name, call.arguments) for call in state.tool_calls] == [
        ("f1", "weather", '{"city":"Rome"}'),
        ("f2", "clock", "{}"),
    ]
    assert [call.failed for call in state.tool_calls] == [False, True]
    assert state.session_usage["totalTokenCount"] == 9
    assert state.session == {"sessionId": "s1"}


def test_a_text_of_the_client_of_gemini_begins_a_turn() -> None:
    text = {"clientContent": {"turns": [{"role": "user", "parts": [{"text": "Hello"}]}], "turnComplete": True}}
    thought = content(modelTurn={"parts": [{"text": "They greet me.", "thought": True}]})
    said: list[Said] = [
        (0.0, "sent", text),
        (0.5, "received", thought),
        (1.0, "received", speech(0.5)),
        (1.1, "received", content(turnComplete=True)),
        (2.0, "sent", text),
        (2.5, "received", content(modelTurn={"parts": [{"text": "Hi again."}]})),
        (2.6, "received", content(turnComplete=True)),
        (3.0, "sent", {"realtimeInput": {"text": "And once more"}}),
        (3.5, "received", speech(0.5)),
    ]
    state = follow(said, gemini)
    assert [(item.side, item.text) for item in state.items] == [
        ("user", "Hello"),
        ("model", ""),
        ("user", "Hello"),
        ("model", "Hi again."),
        ("user", "And once more"),
        ("model", ""),
    ]
    assert [(turn.began, turn.latency, turn.latency_from) for turn in state.turns] == [
        ("text", 1.0, "response.create"),
        ("text", None, None),
        ("speech", None, None),
    ]


def test_the_client_of_gemini_may_say_when_the_user_speaks() -> None:
    said: list[Said] = [
        (1.0, "sent", {"realtimeInput": {"activityStart": {}}}),
        (2.0, "sent", {"realtimeInput": {"activityEnd": {}}}),
        (2.5, "received", speech(0.5)),
        (3.0, "received", content(turnComplete=True)),
    ]
    [turn] = follow(said, gemini).turns
    assert (turn.began, turn.latency, turn.latency_from) == ("speech", 0.5, "speech_stopped")


def test_an_answer_of_gemini_without_any_word_of_the_user_is_a_turn_of_its_own() -> None:
    said: list[Said] = [(0.0, "received", {"setupComplete": {}})]
    for start in (1.0, 5.0):
        said += [(start, "received", speech(0.5)), (start + 1, "received", content(turnComplete=True))]
    state = follow(said, gemini)
    assert [(turn.began, turn.status, turn.responses) for turn in state.turns] == [("response", "completed", 1)] * 2
    assert [(item.turn, item.audio_seconds) for item in state.items] == [(1, 0.5), (2, 0.5)]


# ---- Playback


def test_gemini_is_played_and_interrupted() -> None:
    player, tracker = PlaybackBuffer(24_000), PlaybackTracker()
    out = np.empty(12_000, np.int16)
    said = []
    for _, message in messages(GEMINI, gemini):
        if isinstance(message, rp.client_messages.RealtimeClientMessage):
            continue
        player.write(message)
        tracker.sent(message)
        if isinstance(message, gemini.ServerContent) and message.interrupted:
            assert player.queued == tracker.unacknowledged == 72_000
            player.read(out)
            for device in (player.interrupt(), tracker.interrupt(played=12_000)):
                said.append(device)
                assert player.queued == 0 or device is said[-1]
    for one in said:
        [cut] = one.unidentified
        assert (cut.samples, cut.received, cut.frame, one.truncations) == (12_000, 72_000, "", ())
    assert player.queued == tracker.unacknowledged == 12_000
    assert player.late == player.duplicates == tracker.late == 0
    player.read(out)
    [whole] = player.interrupt().played  # its end was told
    assert whole.samples == 12_000


@pytest.mark.parametrize("first", [True, False], ids=["write, then interrupt", "interrupt, then write"])
def test_an_interruption_without_turn_complete_ends_the_turn(first: bool) -> None:
    player, decoder = PlaybackBuffer(24_000), rp.Decoder(catalogue=gemini)
    player.write(decoder.decode(json.dumps(speech(1.0))))
    interrupted = decoder.decode(json.dumps(content(interrupted=True)))
    if first:
        player.write(interrupted)
    player.interrupt()
    if not first:
        player.write(interrupted)
    assert player.write(decoder.decode(json.dumps(speech(0.5)))) == 12_000
    assert player.late == 0


def test_an_interruption_of_ones_own_silences_gemini_to_the_end_of_the_turn() -> None:
    player, decoder = PlaybackBuffer(24_000), rp.Decoder(catalogue=gemini)
    for end in ("generationComplete", "turnComplete", "interrupted"):
        player.write(decoder.decode(json.dumps(speech(1.0))))
        player.interrupt()
        assert player.write(decoder.decode(json.dumps(speech(1.0)))) == 0
        player.write(decoder.decode(json.dumps(content(**{end: True}))))
    assert player.late == 72_000 and player.queued == 0
    assert player.write(decoder.decode(json.dumps(speech(1.0)))) == 24_000


def test_elevenlabs_is_played_and_what_an_interruption_drops_is_late() -> None:
    player, tracker = PlaybackBuffer(16_000), PlaybackTracker()
    out = np.empty(8000, np.int16)
    for _, message in messages(ELEVENLABS, elevenlabs):
        if isinstance(message, rp.client_messages.RealtimeClientMessage):
            continue
        player.write(message)
        tracker.sent(message)
        if isinstance(message, elevenlabs.Interruption):
            player.read(out)
            for said in (player.interrupt(), tracker.interrupt(played=8000)):
                [cut] = said.unidentified
                assert (cut.samples, cut.received) == (8000, 48_000)
    assert player.late == tracker.late == 4000  # the event that the interruption names came after it
    assert player.queued == tracker.unacknowledged == 8000
    player.read(out[:4000])
    [cut] = player.interrupt().unidentified
    assert (cut.samples, cut.received) == (4000, 8000)  # of this answer alone


def test_an_interruption_of_ones_own_silences_elevenlabs_until_the_user_was_heard() -> None:
    player, decoder = PlaybackBuffer(16_000), rp.Decoder(catalogue=elevenlabs)
    decoder.decode(json.dumps(ELEVENLABS[1][2]))
    player.write(decoder.decode(json.dumps(agent(1, 1.0))))
    player.interrupt()
    assert player.write(decoder.decode(json.dumps(agent(2, 1.0)))) == 0
    player.write(decoder.decode(json.dumps(user("Stop."))))
    assert player.write(decoder.decode(json.dumps(agent(3, 1.0)))) == 16_000


@pytest.mark.parametrize("model", ["gemini", "elevenlabs"])
def test_a_leg_of_twilio_plays_and_takes_marks(model: str) -> None:
    """The bridge: what the model says goes to the telephone with marks, which come back when it was heard."""
    decoder: Any = rp.Decoder(catalogue=gemini if model == "gemini" else elevenlabs)
    if model == "elevenlabs":
        decoder.decode(json.dumps(ELEVENLABS[1][2]))
    rate = 24_000 if model == "gemini" else 16_000

    def say(number: int, seconds: float) -> Any:
        return decoder.decode(json.dumps(speech(seconds) if model == "gemini" else agent(number, seconds)))

    phone = rp.Decoder(catalogue=twilio)
    tracker = PlaybackTracker()
    names = [tracker.sent(say(number, 1.0)) for number in (1, 2, 3)]
    back = phone.decode(json.dumps(mark(str(names[0]), 7)))
    assert isinstance(back, twilio.Mark)
    assert tracker.acknowledge(back) and not tracker.acknowledge(back)
    assert tracker.unacknowledged == 2 * rate
    tracker.sent(decoder.decode(json.dumps(content(interrupted=True) if model == "gemini" else user("Stop."))))
    said = tracker.interrupt(played=rate)
    assert [(cut.samples, cut.received) for cut in said.unidentified] == [(rate, 3 * rate)]
    for name in names[1:]:  # Twilio gives back what it has dropped
        assert not tracker.acknowledge(phone.decode(json.dumps(mark(str(name), 8))))
    assert tracker.sent(say(4, 0.5)) is not None
    assert not tracker.acknowledge(phone.decode(b'{"event":"dtmf","dtmf":{"digit":"1"}}'))


def test_what_reads_names_can_be_read_by_that_name() -> None:
    phone = rp.Decoder(catalogue=twilio)
    media = {"track": "inbound", "payload": "//8="}
    message: Any = phone.decode(json.dumps({"event": "media", "media": media, "streamSid": "MZ1"}))
    assert (message.response_id, message.item_id) == ("MZ1", "inbound")
    sent: Any = rp.decode(json.dumps(played(0.1)), catalogue=twilio, side="client")
    assert not hasattr(sent, "item_id")
    call: Any = rp.decode(json.dumps(ELEVENLABS[4][2]), catalogue=elevenlabs)
    assert call.arguments == call.parameters == {"city": "Rome"}
