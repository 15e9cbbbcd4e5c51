"""analyse: turns, latencies, gaps, interruptions, tools and usage of recordings whose facts are known."""

from __future__ import annotations

import gc
import gzip
import itertools
import json
import tracemalloc
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import client_messages, messages, sample
from realtime_pcm._core import role_of
from realtime_pcm.conversation import ConversationState, InterruptionCause, rules
from realtime_pcm.recording import Analysis, analyse, analysis as module, playing, tallies
from support.conversation import base64, conversation, events, tone, write
from support.shared import NO_SHARED, SHARED

Frames = list[tuple[float, str, dict[str, Any]]]


def of(folder: Path, made: Frames, **options: Any) -> Analysis:
    return analyse(write(folder / "made.jsonl", made, **options))


def delta(time: float, seconds: float, item: str = "m", response: str = "r") -> tuple[float, str, dict[str, Any]]:
    frame = {"type": "response.output_audio.delta", "response_id": response, "item_id": item, "content_index": 0}
    return time, "received", frame | {"delta": base64(tone(seconds))}


def got(time: float, type: str, **fields: Any) -> tuple[float, str, dict[str, Any]]:
    return time, "received", {"type": type, **fields}


def sent(time: float, type: str, **fields: Any) -> tuple[float, str, dict[str, Any]]:
    return time, "sent", {"type": type, **fields}


# --- a conversation with times


def test_latency_of_each_turn(tmp_path: Path) -> None:
    found = analyse(conversation(tmp_path))
    assert [turn.began for turn in found.turns] == ["speech"] * 3
    assert [turn.latency for turn in found.turns] == pytest.approx([0.5, 2.18, 1.18])
    assert {turn.latency_from for turn in found.turns} == {"speech_stopped"}
    assert [turn.audio_seconds for turn in found.turns] == pytest.approx([9.25, 5.0, 2.6])
    assert [turn.responses for turn in found.turns] == [1, 2, 1]
    assert found.latency is not None
    assert found.latency == pytest.approx((3, 0.5, 1.18, 2.18, 2.18))
    # 8 pieces of 0.25 s of the first answer come in 0.06 + 0.06 + 1.1 s and 33 times 0.06 s.
    assert found.turns[0].arrival_factor == pytest.approx(9.0 / (0.06 * 35 + 1.1))


def test_a_gap_is_silence_that_a_listener_hears(tmp_path: Path) -> None:
    found = analyse(conversation(tmp_path))
    assert len(found.gaps) == 1
    assert found.gaps[0].turn == 1 and found.gaps[0].seconds == pytest.approx(1.22 - 0.75)
    # Times count from the first frame, at 0.01 s of the conversation.
    assert found.gaps[0].at.place == pytest.approx(4.42 + 0.75 - 0.01)
    assert [(turn.gaps, turn.longest_gap) for turn in found.turns[1:]] == [(0, 0.0), (0, 0.0)]


def test_an_interruption_and_what_was_heard(tmp_path: Path) -> None:
    found = analyse(conversation(tmp_path))
    (cut,) = found.interruptions
    assert (cut.turn, cut.item_id, cut.causes, cut.stopped) == (1, "model_1", ["speech_started", "truncate", "truncated"], True)
    assert (cut.heard_ms, cut.heard_from, cut.received_ms) == (3900, "truncate", 9250)
    item = next(item for item in found.items if item.item_id == "model_1")
    assert item.heard_end == pytest.approx(4.41 + 3.9 + 0.47)  # with the gap
    assert [turn.interruptions for turn in found.turns] == [1, 0, 0]


def test_tools_usage_errors_and_what_is_strange(tmp_path: Path) -> None:
    found = analyse(conversation(tmp_path))
    (call,) = found.tools
    assert (call.name, call.call_id, call.arguments, call.turn) == ("change_address", "call_1", '{"street":"Elm Street 4"}', 2)
    assert call.seconds == pytest.approx(0.85)
    assert found.usage == pytest.approx({"total_tokens": 600, "input_tokens": 240, "output_tokens": 360, "cost": 0.0093})
    assert found.transcription_usage == {"seconds": 9}
    (error,) = found.errors
    assert (error.code, error.message, error.at.time) == ("item_not_found", "No such item.", pytest.approx(14.89))
    assert [(one.type, one.field, one.count) for one in found.undeclared] == [("response.done", "response.usage.cost", 3)]
    assert [one.type for one in found.types if not one.known] == ["mystery.event"]
    (bad,) = found.bad_frames
    frame = json.dumps(events()[-2][2] if events()[-1][1] == "sent" else events()[-1][2])
    assert (bad.type, bad.field, bad.reason) == ("response.output_audio.delta", "delta", "not base64")
    assert frame.encode()[bad.position : bad.position + 1] == b"*"
    assert bad.line == next(number for number, event in enumerate(events(), 1) if event[2].get("delta") == "AAA*")


def test_counts_and_bytes_of_types(tmp_path: Path) -> None:
    found = analyse(conversation(tmp_path))
    appended = [json.dumps(frame).encode() for _, _, frame in events() if frame["type"] == "input_audio_buffer.append"]
    one = next(one for one in found.types if one.type == "input_audio_buffer.append")
    assert (one.direction, one.count, one.bytes) == ("sent", 340, sum(map(len, appended)))
    assert found.frames == sum(one.count for one in found.types) and found.bytes == sum(one.bytes for one in found.types)
    assert found.user_audio_seconds == pytest.approx(34.0) and found.model_audio_seconds == pytest.approx(16.85)


def test_words_of_both_sides(tmp_path: Path) -> None:
    found = analyse(conversation(tmp_path))
    said = [(item.side, item.turn, item.text) for item in found.items if item.text]
    assert said == [
        ("user", 1, "Hi, has my parcel left the warehouse yet?"),
        ("model", 1, "Good news: it went out this morning."),
        ("user", 2, "Wait, can you change the address?"),
        ("model", 2, "Done: it now goes to Elm Street 4."),
        ("user", 3, "No thanks, that is all. Bye!"),
        ("model", 3, "You are welcome. Goodbye!"),
    ]
    first = next(item for item in found.items if item.item_id == "user_1")
    # The server's milliseconds of the input lie on the axis where the user's audio lies.
    assert (first.start, first.end) == (pytest.approx(0.9, abs=0.02), pytest.approx(3.9, abs=0.02))


# --- without times, and one side only


def test_a_recording_without_times(tmp_path: Path) -> None:
    found = analyse(conversation(tmp_path, times=False))
    assert not found.timed and found.latency is None and found.gaps == []
    assert all(turn.latency is None and turn.at.time is None and turn.arrival_factor is None for turn in found.turns)
    assert [turn.audio_seconds for turn in found.turns] == pytest.approx([9.25, 5.0, 2.6])
    assert found.interruptions[0].heard_from == "truncate" and found.interruptions[0].heard_ms == 3900
    model = [item for item in found.items if item.side == "model"]
    assert all(before.start < after.start for before, after in itertools.pairwise(model))


@pytest.mark.parametrize("times", [True, False])
def test_one_sided_recordings(tmp_path: Path, times: bool) -> None:
    found = analyse(conversation(tmp_path, times=times, sides=("received",)))
    assert len(found.turns) == 3 and found.user_audio_seconds == 0
    # The server's conversation.item.truncated says what was heard.
    assert (found.interruptions[0].heard_ms, found.interruptions[0].heard_from) == (3900, "truncate")
    alone = analyse(conversation(tmp_path, times=times, sides=("sent",)))
    assert alone.user_audio_seconds == pytest.approx(34.0) and alone.model_audio_seconds == 0
    assert [item.side for item in alone.items] == ["user"]


def test_pushing_to_talk_lays_turns_one_after_the_other(tmp_path: Path) -> None:
    made: Frames = []
    for number in (1, 2):
        made += [
            sent(0, "input_audio_buffer.append", audio=base64(tone(2.0))),
            sent(0, "input_audio_buffer.commit"),
            sent(0, "response.create"),
            got(0, "input_audio_buffer.committed", item_id=f"u{number}"),
            got(0, "response.created", response={"id": f"r{number}"}),
            delta(0, 3.0, f"m{number}", f"r{number}"),
            got(0, "response.done", response={"id": f"r{number}", "status": "completed"}),
        ]
    found = of(tmp_path, made, times=False)
    spans = [(item.item_id, item.start, item.end) for item in found.items]
    assert spans == [("u1", 0, 2), ("m1", 2, 5), ("u2", 5, 7), ("m2", 7, 10)]
    assert [turn.began for turn in found.turns] == ["commit", "commit"]


# --- latency from what there is


@pytest.mark.parametrize(
    ("first", "latency", "since"),
    [
        ([sent(1.0, "input_audio_buffer.commit"), sent(1.1, "response.create")], 1.0, "commit"),
        ([sent(1.0, "input_audio_buffer.commit"), got(1.2, "input_audio_buffer.committed")], 0.8, "committed"),
        ([sent(1.5, "response.create"), sent(1.6, "response.create")], 0.5, "response.create"),
        # A text asks for nothing by itself, and response.created does not say since when the user has waited.
        ([sent(1.0, "conversation.item.create", item={"type": "message", "role": "user",
                                                      "content": [{"type": "input_text", "text": "hi"}]})], None, None),
        ([got(1.75, "response.created", response={"id": "r"})], None, None),
        ([], None, None),
    ],
)  # fmt: skip
def test_latency_counts_from_what_is_known(tmp_path: Path, first: Frames, latency: float | None, since: str | None) -> None:
    found = of(tmp_path, [got(0.0, "session.created", session={}), *first, delta(2.0, 0.1)])
    assert found.turns[0].latency == (pytest.approx(latency) if latency else None)
    assert found.turns[0].latency_from == since


def test_the_clients_text_and_the_servers_echo_are_one_item(tmp_path: Path) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    made = [sent(0, "conversation.item.create", item=item), sent(0, "response.create"),
            got(0.1, "conversation.item.added", item={**item, "id": "u1"}),
            got(0.1, "conversation.item.done", item={**item, "id": "u1"}), delta(1.0, 0.1)]  # fmt: skip
    found = of(tmp_path, made)
    assert [(one.item_id, one.text) for one in found.items if one.side == "user"] == [("u1", "hi")]
    assert found.turns[0].latency == pytest.approx(1.0)


# --- interruptions


SPEECH = [got(0.0, "response.created", response={"id": "r"}), delta(1.0, 4.0)]


def test_elapsed_time_bounds_what_was_heard(tmp_path: Path) -> None:
    done = got(2.6, "response.done", response={"id": "r", "status": "cancelled"})
    found = of(tmp_path, [*SPEECH, got(2.5, "input_audio_buffer.speech_started", item_id="u", audio_start_ms=2400), done])
    (cut,) = found.interruptions
    assert (cut.causes, cut.stopped) == (["speech_started", "cancelled"], True)
    assert (cut.heard_ms, cut.heard_from, cut.received_ms) == (1500, "elapsed", 4000)


def test_causes_have_the_names_that_a_conversation_gives_them(tmp_path: Path) -> None:
    said = {
        "speech_started": got(2, "input_audio_buffer.speech_started", item_id="u", audio_start_ms=2000),
        "response_cancel": sent(2, "response.cancel"),
        "cancelled": got(2, "response.done", response={"id": "r", "status": "cancelled"}),
        "interrupted": got(2, "output_audio_buffer.cleared", response_id="r"),
        "truncate": sent(2, "conversation.item.truncate", item_id="m", content_index=0, audio_end_ms=1000),
        "truncated": got(2, "conversation.item.truncated", item_id="m", content_index=0, audio_end_ms=1000),
    }
    assert set(said) == set(get_args(InterruptionCause))
    for cause, line in said.items():
        state = ConversationState()
        for _, way, event in (*SPEECH, line):
            state.follow(rp.decode(json.dumps(event), side="client" if way == "sent" else "server"))
        assert [one.cause for one in state.interruptions] == [cause]
        assert [one.causes for one in of(tmp_path, [*SPEECH, line]).interruptions] == [[cause]]


def test_without_times_all_that_arrived_may_have_been_heard(tmp_path: Path) -> None:
    made = [*SPEECH, got(0, "input_audio_buffer.speech_started", item_id="u", audio_start_ms=10),
            got(0, "response.done", response={"id": "r", "status": "cancelled"})]  # fmt: skip
    (cut,) = of(tmp_path, made, times=False).interruptions
    assert (cut.heard_ms, cut.heard_from) == (4000, "arrived")


def test_speech_beside_the_model_is_no_interruption_unless_playing_stops(tmp_path: Path) -> None:
    made = [*SPEECH, got(2.5, "input_audio_buffer.speech_started", item_id="u"),
            got(2.6, "response.done", response={"id": "r", "status": "completed"})]  # fmt: skip
    found = of(tmp_path, made)
    assert [one.stopped for one in found.interruptions] == [False]
    assert found.turns[0].interruptions == 0 and found.items[0].heard_end is None


def test_speech_after_the_answer_interrupts_nothing(tmp_path: Path) -> None:
    done = got(1.5, "response.done", response={"id": "r", "status": "completed"})
    assert of(tmp_path, [*SPEECH, done, got(5.5, "input_audio_buffer.speech_started", item_id="u")]).interruptions == []


def test_what_comes_next_is_not_put_behind_audio_that_was_cut_off(tmp_path: Path) -> None:
    made = [*SPEECH, got(2.0, "input_audio_buffer.speech_started", item_id="u"),
            got(2.1, "response.done", response={"id": "r", "status": "cancelled"}), delta(3.0, 1.0, "m2", "r2")]  # fmt: skip
    found = of(tmp_path, made)
    assert [item.start for item in found.items if item.side == "model"] == pytest.approx([1.0, 3.0])


# --- anything may come


ODD = [None, 5, -1.5, "x", True, [], [1], {}, {"id": 5}, {"id": "x", "type": [], "content": "no"}, "\ud800", 1e300, 10**400]


def test_fields_of_any_type(tmp_path: Path) -> None:
    """No field's type is checked by the decoder, so none may be trusted."""
    lines: list[str] = []
    names = (
        "item response response_id item_id content_index audio_start_ms audio_end_ms usage error session delta transcript "
        "call_id arguments"
    )
    classes: list[Any] = [*vars(messages).values(), *vars(client_messages).values()]
    wire = {cls.canonical_type for cls in classes if isinstance(cls, type) and role_of(cls) and hasattr(cls, "canonical_type")}
    wire.discard(None)
    for type_ in sorted(wire):
        audio = "audio" in type_ and ("delta" in type_ or "append" in type_) and "transcript" not in type_
        for odd in ODD:
            frame = {"type": type_} | {name: odd for name in names.split() if not (audio and name == "delta")}
            frame |= {"audio": "AAAA", **({"delta": "AAAA"} if audio else {})}
            nested = {"type": type_, "response": {"id": odd, "status": odd, "usage": {"a": odd}, "output": odd,
                                                     "status_details": odd},
                      "item": {"type": "message", "role": "user", "content": [odd, {"text": odd}], "id": odd}}  # fmt: skip
            for one in (frame, nested):
                lines.append(json.dumps({"time": odd, "direction": "sent" if len(lines) % 2 else "received", "event": one}))
    path = tmp_path / "odd.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    found = analyse(path)
    assert found.frames > 900
    json.dumps(found.to_dict(), allow_nan=False)


def test_times_that_go_back_or_are_none(tmp_path: Path) -> None:
    made = [got(5.0, "ping"), got(3.0, "ping"), got(6.0, "ping")]
    found = of(tmp_path, made)
    assert found.times_back == 1 and found.seconds == pytest.approx(1.0)
    path = tmp_path / "odd.jsonl"
    path.write_text('{"time":0,"event":{"type":"ping"}}\n{"time":1e999,"event":{"type":"ping"}}\n{"event":{"type":"ping"}}\n')
    assert analyse(path).frames == 3


def test_damaged_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl.gz"
    path.write_bytes(gzip.compress(sample.path().read_bytes())[:-10_000])
    found = analyse(path)
    assert found.refused == 1 and "end too early" in found.bad_frames[0].reason and found.frames > 10


# --- bounds


def test_lists_are_bounded_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", dict.fromkeys(module.MOST, 2))
    made: Frames = []
    for number in range(5):
        made += [got(number, "error", error={"message": "x"}), got(number, "input_audio_buffer.committed", item_id=f"u{number}"),
                 delta(number + 0.5, 0.1, f"m{number}", f"r{number}")]  # fmt: skip
    found = of(tmp_path, made)
    assert (len(found.turns), len(found.errors), len(found.items)) == (2, 2, 2)
    assert (found.left_out["turns"], found.left_out["errors"], found.left_out["items"]) == (3, 3, 8)
    assert found.latency is not None and found.latency.turns == 5


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    """Four times as many turns, types, ids and fields take less than 50 bytes a turn: an id that is kept takes 100."""

    def peak(turns: int) -> int:
        path = tmp_path / f"{turns}.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            for number in range(turns):
                made = [
                    got(number, "input_audio_buffer.committed", item_id=f"user_{number}"),
                    got(number, f"strange.{number}", x=1),
                    got(number, "ping", **{f"field_{number}": "x" * 50}),
                    got(number, "response.output_audio_transcript.done", item_id=f"m{number}", transcript="x" * 6000),
                    delta(number, 0.02, f"m{number}", f"r{number}"),
                    got(number, "response.output_audio.delta", delta="*"),
                ]
                file.writelines(
                    json.dumps({"time": time, "direction": side, "event": frame}) + "\n" for time, side, frame in made
                )
        gc.collect()  # what the recording before has left in cycles
        tracemalloc.start()
        analyse(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    small = {"turns": 50, "items": 50, "bad_frames": 50, "interruptions": 50, "gaps": 50, "tools": 50, "errors": 50}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST", small)
        patch.setattr(module, "MOST_OPEN", 50)
        patch.setattr(playing, "MOST_STREAMS", 50)
        patch.setattr(module, "MOST_LATENCIES", 50)
        for owner, name in ((tallies, "MOST_TYPES"), (tallies, "MOST_FIELDS"), (rules, "MOST_NUMBERS")):
            patch.setattr(owner, name, 50)
        peak(20)
        assert peak(6400) - peak(1600) < 4800 * 50


# --- real recordings


@pytest.mark.skipif(not SHARED.is_dir(), reason=NO_SHARED)
def test_real_recordings() -> None:
    folder = SHARED / "captures"
    turn = analyse(folder / "openai_ga_server_vad_turn_full_audio.jsonl")
    assert [(item.side, item.text) for item in turn.items] == [
        ("user", "Hello, my name is Marcelo."),
        ("model", "Hello, Marcelo! Great to meet you. How can I help you today?"),
    ]
    assert turn.usage["total_tokens"] == 205 and turn.usage["output_token_details.audio_tokens"] == 136
    assert turn.model_audio_seconds == pytest.approx(6.5)
    tools = analyse(folder / "xai_tool_call_round_full_audio.jsonl")
    assert [(call.name, call.arguments) for call in tools.tools] == [("get_weather", '{"city":"London"}')]
    assert len(tools.turns) == 1 and tools.turns[0].responses == 2
    seeded = analyse(folder / "openai_ga_history_seeding.jsonl")
    assert [item.side for item in seeded.items] == ["user", "model", "user", "model"]
    live = analyse(folder / "dashscope_livetranslate_text_turn.jsonl")
    assert len(live.turns) == 1 and live.items[0].text == "今天天气很好，我们一起去公园散步。"  # noqa: RUF001


def test_the_packaged_sample() -> None:
    found = analyse(sample.path())
    samples = np.sum([len(entry) for entry in _samples()])
    assert found.model_audio_seconds == pytest.approx(samples / 24_000)
    assert found.items[0].start == pytest.approx(0.62) and found.turns[0].speech_started is not None


def _samples() -> list[Any]:
    import realtime_pcm as rp

    return [message.pcm for message in rp.decode_stream(sample.lines()) if isinstance(message, rp.messages.AudioMessage)]
