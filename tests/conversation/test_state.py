"""ConversationState: what the messages so far have made of a conversation."""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.conversation import ConversationState
from realtime_pcm.recording import read_recording
from support.session_frames import delta, done, dumps, response, session
from support.shared import shared_files

SOUND = bytes(4_800)  # 100 ms
IDS: dict[str, Any] = {"response_id": "r", "item_id": "i", "content_index": 0}


class Call:
    """Frames of both sides into a state, one second after another."""

    def __init__(self, **options: Any) -> None:
        self.state = ConversationState(**options)
        self.server = rp.Decoder()
        self.client = rp.Decoder(side="client", session=self.server.session)
        self.seconds = 0.0

    def heard(self, frame: bytes, after: float = 1.0) -> None:
        self.seconds += after
        self.state.follow(self.server.decode(frame), self.seconds)

    def told(self, kind: str, after: float = 1.0, **fields: Any) -> None:
        self.heard(dumps(type=kind, **fields), after)

    def sent(self, kind: str, after: float = 1.0, **fields: Any) -> None:
        self.seconds += after
        self.state.follow(self.client.decode(dumps(type=kind, **fields)), self.seconds)

    def answer(self, response_id: str = "r", **ids: Any) -> None:
        """A response with audio after two seconds."""
        self.heard(response("response.created", response_id))
        self.heard(delta(SOUND, response_id=response_id, **{"item_id": f"item_{response_id}", **ids}))
        self.heard(response("response.done", response_id, status="completed"))


# ---- turns and latency


def latency(call: Call) -> tuple[float | None, str | None]:
    [turn] = call.state.turns
    return turn.latency, turn.latency_from


def test_latency_counts_from_speech_stopped() -> None:
    call = Call()
    call.told("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
    call.told("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=900)
    call.told("input_audio_buffer.committed", item_id="u")
    call.answer()
    assert latency(call) == (3.0, "speech_stopped")


def test_latency_counts_from_the_servers_word_before_the_clients() -> None:
    call = Call()
    call.sent("input_audio_buffer.commit")
    call.sent("response.create")
    call.told("input_audio_buffer.committed", item_id="u")
    call.answer()
    assert latency(call) == (2.0, "committed")
    call = Call()
    call.sent("input_audio_buffer.commit")
    call.sent("response.create")
    call.answer()
    assert latency(call) == (3.0, "commit")


def test_latency_counts_from_the_first_response_create_past_a_tool() -> None:
    call = Call()
    call.sent("conversation.item.create", item={"type": "message", "role": "user", "content": [{"text": "Weather?"}]})
    call.sent("response.create")  # 2 s
    call.heard(response("response.created", "r1"))
    call.told("response.function_call_arguments.done", response_id="r1", call_id="c", name="weather", arguments='{"at":"Oslo"}')
    call.heard(response("response.done", "r1", status="completed"))
    call.sent("conversation.item.create", item={"type": "function_call_output", "call_id": "c", "output": "sun"})  # 6 s
    call.sent("response.create")
    call.answer("r2")  # its audio at 9 s
    assert latency(call) == (7.0, "response.create")
    [tool] = call.state.tool_calls
    assert (tool.name, tool.input, tool.seconds, tool.kind) == ("weather", {"at": "Oslo"}, 2.0, "function")


def test_a_model_that_speaks_unasked_has_no_latency() -> None:
    call = Call()
    call.answer()
    assert latency(call) == (None, None) and call.state.turns[0].began == "response"


def test_without_times_there_is_no_latency_but_a_turn() -> None:
    state, decoder = ConversationState(), rp.Decoder()
    for frame in (dumps(type="input_audio_buffer.speech_stopped"), delta(SOUND, **IDS)):
        state.follow(decoder.decode(frame))
    [turn] = state.turns
    assert turn.latency is None and turn.latency_from == "speech_stopped"


def test_turns_go_on_until_the_users_next_input() -> None:
    call = Call()
    for number in range(3):
        call.told("input_audio_buffer.speech_started", item_id=f"u{number}")
        call.told("input_audio_buffer.speech_stopped", item_id=f"u{number}")
        call.told("input_audio_buffer.committed", item_id=f"u{number}")
        call.answer(f"a{number}")
        call.answer(f"b{number}")
    assert [(turn.number, turn.began, turn.responses) for turn in call.state.turns] == [(n, "speech", 2) for n in (1, 2, 3)]


def test_asking_anew_after_a_cancel_is_the_same_turn() -> None:
    for cancel, turns in ((True, 1), (False, 2)):
        call = Call()
        call.sent("response.create")
        call.heard(response("response.created", "r1"))
        if cancel:
            call.sent("response.cancel")
        call.heard(response("response.done", "r1", status="cancelled" if cancel else "completed"))
        call.sent("response.create")
        assert len(call.state.turns) == turns


# ---- items


def texts(call: Call) -> list[str]:
    return [item.text for item in call.state.items]


def test_all_whole_texts_of_an_item_are_its_text() -> None:
    call = Call()
    for sentence in ("It is sunny.", "It is warm."):
        for word in sentence.split():
            call.told("response.output_audio_transcript.delta", delta=f" {word}", **IDS)
        call.told("response.output_audio_transcript.done", transcript=sentence, **IDS)
    assert texts(call) == ["It is sunny. It is warm."]


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        (["Yes.", "Yes."], "Yes."),  # told twice
        (["Yes.", "Yes. No."], "Yes. No."),  # all of it so far
        (["Yes.", "No."], "Yes. No."),
        (["是。", "不是。"], "是。不是。"),
        (["Yes.", ""], "Yes."),
        (["", ""], ""),
    ],
)
def test_whole_texts_without_pieces(ends: list[str], text: str) -> None:
    call = Call()
    for words in ends:
        call.told("response.output_text.done", text=words, **IDS)
    assert texts(call) == [text]


def test_text_that_is_told_so_far_takes_the_place_of_what_came() -> None:
    call = Call()
    for text, stash in (("The sun", "shi"), ("The sun shines ", "now")):
        call.told("response.text.text", text=text, stash=stash, item_id="i", response_id="r")
    assert texts(call) == ["The sun shines now"]


def test_what_the_user_said() -> None:
    call = Call()
    call.told("input_audio_buffer.speech_started", item_id="u")
    call.told("conversation.item.input_audio_transcription.delta", item_id="u", delta="Good")
    call.told("conversation.item.input_audio_transcription.delta", item_id="u", delta=" day")
    call.told("conversation.item.input_audio_transcription.completed", item_id="u", transcript="Hello.")
    [item] = call.state.items
    assert (item.side, item.text, item.turn) == ("user", "Hello.", 1)


def test_the_same_item_id_in_every_answer_is_another_item_in_each() -> None:
    call = Call()
    call.answer("r1", item_id="i")
    call.answer("r2", item_id="i")
    assert [(item.item_id, item.response_id, item.audio_seconds) for item in call.state.items] == [
        ("i", "r1", 0.1),
        ("i", "r2", 0.1),
    ]


def test_a_content_index_that_counts_chunks_is_one_part() -> None:
    call = Call()
    for number in range(5):
        call.heard(delta(SOUND, **(IDS | {"content_index": number})))
    [item] = call.state.items
    assert [(part.content_index, part.milliseconds) for part in item.parts.by_index.values()] == [(0, 500)]
    call.heard(done(**IDS))
    call.heard(delta(SOUND, **(IDS | {"content_index": 7})))
    assert [part.content_index for part in item.parts.by_index.values()] == [0, 7]


def test_a_delta_that_comes_twice_counts_once() -> None:
    call = Call()
    for event_id in ("a", "a", "b"):
        call.heard(delta(SOUND, event_id=event_id, **IDS))
    call.heard(delta(SOUND, "response.audio.delta", event_id="c", **IDS))
    assert call.state.items[0].audio_seconds == 0.2


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8", "bytes"])
def test_audio_is_counted_whatever_the_decoders_dtype(dtype: Any) -> None:
    state, decoder = ConversationState(), rp.Decoder(dtype=dtype)
    state.follow(decoder.decode(delta(SOUND, **IDS)))
    assert state.items[0].audio_seconds == 0.1


def test_an_item_that_is_deleted_is_gone() -> None:
    call = Call()
    call.answer("r")
    call.told("conversation.item.deleted", item_id="item_r")
    call.told("conversation.item.deleted", item_id=["item_r"])
    assert call.state.items == []


def test_a_truncation_leaves_what_was_heard() -> None:
    call = Call()
    call.heard(response("response.created", "r"))
    call.heard(delta(SOUND * 3, **IDS))
    call.sent("conversation.item.truncate", item_id="i", content_index=0, audio_end_ms=120)
    call.told("conversation.item.truncated", item_id="i", content_index=0, audio_end_ms=120)
    [item] = call.state.items
    assert item.parts.by_index[0].cut_ms == 120
    assert [(one.cause, one.audio_end_ms) for one in call.state.interruptions] == [("truncate", 120), ("truncated", 120)]


def test_speech_while_a_response_is_under_way_interrupts_it() -> None:
    call = Call()
    call.told("input_audio_buffer.speech_started", item_id="u")
    assert call.state.user_speaks and call.state.interruptions == []
    call.told("input_audio_buffer.speech_stopped", item_id="u")
    call.heard(response("response.created", "r"))
    call.told("input_audio_buffer.speech_started", item_id="u2")
    call.heard(response("response.done", "r", status="cancelled"))
    assert [one.cause for one in call.state.interruptions] == ["speech_started", "cancelled"]
    assert [(one.response_id, one.status) for one in call.state.responses] == [("r", "cancelled")]


def test_arguments_are_joined_and_parsed() -> None:
    call = Call()
    call.heard(response("response.created", "r"))
    for piece in ('{"pla', 'ce":"Os'):
        call.told("response.function_call_arguments.delta", response_id="r", call_id="c", delta=piece)
    [tool] = call.state.tool_calls
    assert (tool.arguments, tool.input) == ('{"place":"Os', None)
    call.told("response.function_call_arguments.done", response_id="r", call_id="c", name="f", arguments='{"place":"Oslo"}')
    assert tool.input == {"place": "Oslo"}


def test_tools_that_the_server_runs() -> None:
    call = Call()
    for number, end in enumerate(("completed", "failed")):
        call.told("response.mcp_call.in_progress", item_id=f"m{number}")
        call.told("response.mcp_call_arguments.done", item_id=f"m{number}", arguments="{}")
        call.told(f"response.mcp_call.{end}", item_id=f"m{number}")
    assert [(tool.kind, tool.seconds, tool.failed) for tool in call.state.tool_calls] == [("mcp", 1.0, False), ("mcp", 1.0, True)]


def test_usage_is_summed() -> None:
    call = Call()
    for number in range(3):
        call.heard(response("response.created", f"r{number}"))
        call.heard(
            response("response.done", f"r{number}", usage={"total_tokens": 5, "output_token_details": {"audio_tokens": 2}})
        )
    assert call.state.usage == {"total_tokens": 15, "output_token_details.audio_tokens": 6}
    assert call.state.turns[0].usage == call.state.usage


def test_a_new_session_is_another_conversation() -> None:
    call = Call()
    call.answer("r", item_id="i")
    call.heard(session("session.created", model="m"))
    call.answer("r", item_id="i")
    assert len(call.state.items) == 2 and call.state.session.model == "m"


# ---- what is untrusted


def test_what_is_kept_is_bounded_and_counted() -> None:
    call = Call(most=10, longest_text=100)
    for number in range(50):
        call.told("input_audio_buffer.speech_started", item_id=f"u{number}")
        call.told("input_audio_buffer.speech_stopped", item_id=f"u{number}")
        call.answer(f"r{number}")
        call.told("response.function_call_arguments.done", call_id=f"c{number}", name="f" * 500, arguments="1" * 500)
        call.told("conversation.item.truncated", item_id=f"i{number}", audio_end_ms=1)
    state = call.state
    assert [len(one) for one in (state.items, state.responses, state.turns, state.tool_calls, state.interruptions)] == [10] * 5
    assert state.forgotten == {"items": 90, "responses": 40, "turns": 40, "interruptions": 40, "tool_calls": 40}
    call.told("response.output_text.delta", delta="x" * 1_000, **IDS)
    call.told("response.output_text.done", text="x" * 1_000, **IDS)
    assert len(state.items[-1].text) == 100 and state.items[-1].words.left_out == 1_800
    assert max(len(tool.arguments or "") for tool in state.tool_calls) == 100


LONG = pytest.param("x" * 1_000_000, id="a megabyte", marks=pytest.mark.slow)


@pytest.mark.parametrize("value", [None, 5, -1, 1e300, "", "x" * 10_000, LONG, [], {}, True, {"id": {}}, [[[]]]])
def test_fields_of_any_kind(value: Any) -> None:
    """Roles whose fields hold anything, or nothing: no error, and no id of a megabyte is kept."""
    call = Call()
    fields = "session response item part error usage delta text transcript arguments item_id response_id call_id audio_end_ms"
    for module in (rp.messages, rp.client_messages):
        for one in vars(module).values():
            kind = getattr(one, "canonical_type", None)
            if (
                not isinstance(one, type)
                or kind is None
                or issubclass(one, (rp.messages.AudioMessage, rp.client_messages.ClientAudioMessage))
            ):
                continue
            for given in ({}, dict.fromkeys([*fields.split(), "content_index", "name"], value)):
                with contextlib.suppress(rp.DecodeError):  # an image's payload is a string
                    (call.told if module is rp.messages else call.sent)(kind, **given)
    assert all(len(item.item_id or "") <= 512 for item in call.state.items)
    assert repr(call.state).startswith("<ConversationState: ")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_conversation() -> None:
    state, decoder = ConversationState(most=100), rp.Decoder()

    def some(first: int, last: int) -> None:
        for number in range(first, last):
            ids = {"response_id": f"r{number}", "item_id": f"i{number}"}
            for frame in (
                response("response.created", f"r{number}"),
                delta(bytes(2), **ids),
                dumps(type="response.output_text.delta", delta="word " * 20, **ids),
                response("response.done", f"r{number}"),
            ):
                state.follow(decoder.decode(frame), float(number))

    some(0, 2_000)
    tracemalloc.start()
    try:
        some(2_000, 2_500)
        before = tracemalloc.get_traced_memory()[0]
        some(2_500, 5_000)
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
    finally:
        tracemalloc.stop()


def test_arguments_that_cannot_be() -> None:
    for given in ({"most": 0}, {"longest_text": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            ConversationState(**given)


def test_the_package_does_not_import_it() -> None:
    assert "realtime_pcm.conversation" in sys.modules  # by this test
    assert json.dumps(list(vars(rp))).count("ConversationState") == 0


def test_recorded_conversations() -> None:
    """Of several providers: whatever they send is followed, and each answer with words has a text."""
    for path in shared_files("captures", "*.jsonl*"):
        if path.name.startswith(("gemini", "sockets")):
            continue  # of other sockets
        state = ConversationState()
        with read_recording(path) as recording:
            for entry in recording:
                if entry.message is not None:
                    state.follow(entry.message, entry.time)
        assert state.forgotten == dict.fromkeys(state.forgotten, 0), path.name
        assert all(np.isfinite(item.audio_seconds) for item in state.items), path.name


class InFull(ConversationState):
    """Takes each message as if nothing was known of the one before."""

    _take_audio = ConversationState._on_audio
    _take_words = ConversationState._on_text_delta


@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8", "bytes"])
@pytest.mark.parametrize("seed", range(8))
def test_what_goes_on_is_what_comes_anew(dtype: Any, seed: int) -> None:
    """Deltas that go on where the last went take a short way, which changes nothing."""
    chosen = random.Random(seed).choice
    kinds = ("response.done", "response.output_audio.done", "input_audio_buffer.speech_started")
    kinds = (*kinds, "conversation.item.deleted", "session.created", *(("response.created",) if seed % 2 else ()))
    decoder, quick, in_full = rp.Decoder(dtype=dtype), ConversationState(most=7), InFull(most=7)
    ids: dict[str, Any] = {}
    for number in range(1_500):
        what = chosen(["goes on"] * 20 + ["an event"] * 3 + ["another part"] * 3 + ["another item", "another format"])
        if what == "another item":
            ids = {name: chosen([None, f"{name}1", f"{name}2"]) for name in ("response_id", "item_id")}
        elif what == "another part":
            ids["content_index"] = chosen([None, 0, 1, False])
        frame = delta(
            bytes(chosen([0, 2, 480])),
            chosen(["response.output_audio.delta", "response.audio.delta"]),
            event_id=chosen([None, "e", f"e{number}"]),
            **ids,
        )
        if what == "another format" and dtype != "uint8":
            frame = session(output_audio_format=chosen(["pcm16", "g711_ulaw"]))
        elif what == "an event":
            named = {"response": {"id": ids.get("response_id"), "status": chosen(["completed", "cancelled"])}, "session": {}}
            frame = dumps(type=chosen(kinds), **ids, **named)
        elif what == "goes on" and chosen([True, False]):
            frame = dumps(type="response.output_audio_transcript.delta", delta=chosen(["", "a ", "word"]), **ids)
        message = decoder.decode(frame)
        quick.follow(message, float(number))
        in_full.follow(message, float(number))
    assert quick.turns == in_full.turns and quick.responses == in_full.responses and quick.forgotten == in_full.forgotten
    assert quick.interruptions == in_full.interruptions and len(quick.items) == len(in_full.items) > 2
    for one, other in zip(quick.items, in_full.items, strict=True):
        assert (one.item_id, one.response_id, one.text, one.turn) == (other.item_id, other.response_id, other.text, other.turn)
        assert one.parts.by_index == other.parts.by_index and one.audio_seconds == other.audio_seconds


def test_a_delta_takes_a_short_way() -> None:
    taken: list[str] = []

    class Counted(ConversationState):
        def _on_audio(self, message: Any, time: float | None) -> None:
            taken.append("audio")
            super()._on_audio(message, time)

        def _on_text_delta(self, message: Any, time: float | None) -> None:
            taken.append("words")
            super()._on_text_delta(message, time)

        _on_transcript_delta = _on_text_delta

    state, decoder = Counted(), rp.Decoder()
    for number in range(50):
        state.follow(decoder.decode(delta(SOUND, event_id=f"e{number}", **IDS)))
        state.follow(decoder.decode(dumps(type="response.output_audio_transcript.delta", delta="word", **IDS)))
    assert taken == ["audio", "words"]
    [item] = state.items
    assert item.text == "word" * 50 and item.audio_seconds == 5.0


@pytest.mark.parametrize("begin", [0.0, 1.7e9, -5e8])
def test_a_clock_that_jumps_makes_no_wait_longer(begin: float) -> None:
    state, decoder = ConversationState(), rp.Decoder()
    frames = (dumps(type="input_audio_buffer.speech_stopped"), *[dumps(type="rate_limits.updated", rate_limits=[])] * 2)
    for frame, time in zip(frames, (0.0, 1.0, 90_000.0), strict=True):  # the clock is set
        state.follow(decoder.decode(frame), begin + time)
    state.follow(decoder.decode(frames[1]), begin + 90_000.5)
    state.follow(decoder.decode(frames[1]), float("nan"))
    state.follow(decoder.decode(frames[1]))
    state.follow(decoder.decode(delta(SOUND, **IDS)), begin + 90_001.0)
    assert state.turns[0].latency == pytest.approx(2.0)
