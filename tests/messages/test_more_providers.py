"""Frames of Foundry, Inworld, xAI's speech, Together, NVIDIA, Smallest and MAI-Transcribe, made by hand after their documents."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm.playback import PlaybackTracker

PCM = np.arange(-60, 60, dtype="<i2")
TEXT = base64.b64encode(PCM.tobytes()).decode()


def of(decoder: rp.Decoder[Any, Any], type_: str, **fields: Any) -> Any:
    return decoder.decode(json.dumps({"type": type_, **fields}))


@pytest.mark.parametrize(
    ("delta", "key", "ids", "done", "cls"),
    [
        ("audio.delta", "delta", {}, "audio.done", messages.AudioDelta),
        (
            "response.backchannel.audio.delta",
            "delta",
            {"backchannel_id": "b1"},
            "response.backchannel.audio.done",
            messages.ResponseBackchannelAudioDelta,
        ),
        (
            "conversation.item.audio_output.delta",
            "delta",
            {"item_id": "tts_1"},
            "conversation.item.audio_output.done",
            messages.ConversationItemAudioOutputDelta,
        ),
        ("conversation.item.speech.data", "audio", {}, "conversation.item.speech.completed", messages.ConversationItemSpeechData),
    ],
)
def test_audio_goes_on_until_its_end(delta: str, key: str, ids: dict[str, str], done: str, cls: type) -> None:
    """A sample that is split between two messages is joined, and after the end another stream begins."""
    decoder = rp.Decoder()
    raw = PCM.tobytes()
    for number in range(2):
        ids = {name: f"{value}{number}" for name, value in ids.items()}
        first = of(decoder, delta, **ids, **{key: base64.b64encode(raw[:61]).decode()})
        second = of(decoder, delta, **ids, **{key: base64.b64encode(raw[61:]).decode()})
        assert type(first) is type(second) is cls
        assert (first.sample_offset, second.sample_offset) == (0, 30)
        assert np.array_equal(np.concatenate([first.pcm, second.pcm]), PCM)
        assert getattr(second, key) == base64.b64encode(raw[61:]).decode()
        end = of(decoder, done, **ids)
        assert isinstance(end, messages.AudioEnd) and end.incomplete_sample == b""


def test_a_back_channel_is_no_item_of_the_conversation() -> None:
    """It has a stream of its own beside the answer, and an interruption asks for nothing to be truncated."""
    decoder, tracker = rp.Decoder(), PlaybackTracker()
    answer = {"response_id": "r1", "item_id": "i1", "content_index": 0}
    for offset in (0, 120):
        assert of(decoder, "response.output_audio.delta", **answer, delta=TEXT).sample_offset == offset
        aside = of(decoder, "response.backchannel.audio.delta", backchannel_id="b1", delta=TEXT)
        assert aside.sample_offset == offset
        tracker.sent(aside)
    done = of(decoder, "response.backchannel.audio.done", backchannel_id="b1", phrase="uh-huh")
    assert (done.backchannel_id, done.phrase) == ("b1", "uh-huh")
    skipped = of(decoder, "response.backchannel.skipped", backchannel_id="b2", reason="deadline_missed")
    assert isinstance(skipped, messages.ResponseBackchannelSkipped) and skipped.reason == "deadline_missed"
    said = tracker.interrupt(played=120)
    assert said.truncations == () and [item.delete_frame for item in said.unheard if item.delete_frame] == []


def test_an_agent_of_foundry_consults_another() -> None:
    decoder = rp.Decoder()
    session = {"greeting": {"type": "template"}, "handoff": None}
    created = of(decoder, "session.created", session=session, conversation_id="conv_1")
    assert created.conversation_id == "conv_1"
    assert (created.session.greeting, created.session.handoff) == ({"type": "template"}, None)
    ids = {"consultation_id": "c1", "call_id": "call_1", "subagent_name": "billing"}
    started = of(decoder, "session.subagent.started", **ids)
    assert isinstance(started, messages.SessionSubagentStarted) and started.subagent_name == "billing"
    aborted = of(decoder, "session.subagent.aborted", **ids, reason="superseded")
    assert isinstance(aborted, messages.SessionSubagentAborted) and aborted.reason == "superseded"
    failed = of(decoder, "rtc.call.error", operation="create", error={"type": "invalid_request", "message": "no"})
    assert isinstance(failed, messages.RtcCallError) and failed.error is not None and failed.error.message == "no"
    offer = client_messages.RtcCallSdpCreate(sdp_offer="v=0", session={"voice": "en-US-Ava"})
    assert offer.to_dict() == {"type": "rtc.call.sdp.create", "sdp_offer": "v=0", "session": {"voice": "en-US-Ava"}}


def test_fields_that_azure_and_xai_add() -> None:
    decoder = rp.Decoder()
    part = {"type": "audio", "transcript": "Hi"}
    added = of(decoder, "response.content_part.added", part=part, content=part)
    assert added.content == added.part and added.content.transcript == "Hi" and added.extra == {}
    cut = of(decoder, "conversation.item.truncated", item_id="i1", audio_end_ms=900, transcript="Good")
    assert cut.transcript == "Good"
    item = {"id": "i1", "created_at": 1_785_214_083}
    cut = of(decoder, "conversation.item.truncated", item_id="i1", audio_end_ms=900, item=item)
    assert cut.item.created_at == 1_785_214_083
    made = client_messages.ConversationItemCreate(item={"type": "force_message", "interruptible": False})
    assert made.item is not None and made.item.interruptible is False


def test_turns_of_together() -> None:
    decoder = rp.Decoder()
    for name, cls in (
        ("start_of_turn", messages.ConversationItemInputAudioTranscriptionStartOfTurn),
        ("eager_end_of_turn", messages.ConversationItemInputAudioTranscriptionEagerEndOfTurn),
        ("turn_resumed", messages.ConversationItemInputAudioTranscriptionTurnResumed),
        ("end_of_turn", messages.ConversationItemInputAudioTranscriptionEndOfTurn),
    ):
        turn = of(decoder, f"conversation.item.input_audio_transcription.{name}", transcript="I want", end_of_turn_confidence=0.4)
        assert type(turn) is cls and (turn.transcript, turn.end_of_turn_confidence) == ("I want", 0.4)
    heard = of(
        decoder,
        "conversation.item.input_audio_transcription.delta",
        delta="I",
        start=0.5,
        duration=0.25,
        logprobs={"avg_logprob": -0.1, "token_texts": ["I"]},
        tokens=[{"token_id": 7}],
    )
    assert (heard.start, heard.duration, heard.tokens) == (0.5, 0.25, [{"token_id": 7}])
    assert heard.logprobs["avg_logprob"] == -0.1  # one object, where others send a list
    times = of(decoder, "conversation.item.word_timestamps", words=["I"], start_seconds=[0.0], end_seconds=[0.2])
    assert (times.words, times.start_seconds, times.end_seconds) == (["I"], [0.0], [0.2])
    assert of(decoder, "input_audio_buffer.processed", processed_ms=12.5).processed_ms == 12.5
    sent = client_messages.TranscriptionSessionUpdated(session={"turn_detection": {"type": "server_vad"}})
    assert sent.to_dict()["type"] == "transcription_session.updated"


def test_what_is_said_to_speech_servers() -> None:
    for message, expected in (
        (client_messages.TextDelta(delta="Hi"), {"type": "text.delta", "delta": "Hi"}),
        (client_messages.TextDone(), {"type": "text.done"}),
        (client_messages.InputTextAppend(type="input_text.append", text="Hi"), {"type": "input_text.append", "text": "Hi"}),
        (client_messages.InputTextCommit(), {"type": "input_text.commit"}),
        (client_messages.SessionConfigure(session={}), {"type": "session.configure", "session": {}}),
        (client_messages.Echo(echo_id=1), {"type": "echo", "echo_id": 1}),
    ):
        assert message.to_dict() == expected


def test_words_of_mai_transcribe_may_change() -> None:
    heard = of(rp.Decoder(), "conversation.item.input_audio_transcription.intermediate", item_id="i1", intermediate="Good morn")
    assert isinstance(heard, messages.ConversationItemInputAudioTranscriptionIntermediate)
    assert heard.intermediate == "Good morn"
