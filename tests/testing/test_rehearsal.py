"""A conversation as the loopback server keeps it, with the errors of the original: what real clients were led astray by."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm.conversation import ConversationState
from support.stream_clients import ANSWERED, AUDIO, FRAMES
from support.talk import Talk, talking

TOOL_CALL = {
    "id": "item_call",
    "type": "function_call",
    "status": "completed",
    "name": "f",
    "call_id": "call_1",
    "arguments": "{}",
}
SAYS = {"type": "message", "role": "assistant", "status": "completed"}
REALTIME = {"type": "realtime"}


def said(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}


async def add(talk: Talk, item: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Creates an item; conversation.item.done or the error."""
    return await talk.ask("conversation.item.create", "conversation.item.done", "error", item=item, **fields)


def response(number: int, *output: dict[str, Any]) -> list[dict[str, Any]]:
    made = {"id": f"resp_{number}", "object": "realtime.response", "status": "in_progress", "output": []}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": made}]
    for index, item in enumerate(output):
        events += [
            {"type": "response.output_item.added", "response_id": made["id"], "output_index": index, "item": item},
            {"type": "conversation.item.added", "previous_item_id": None, "item": item},
            {"type": "response.output_item.done", "response_id": made["id"], "output_index": index, "item": item},
        ]
    return [*events, {"type": "response.done", "response": {**made, "status": "completed", "output": list(output)}}]


def recording(*responses: list[dict[str, Any]]) -> list[str]:
    frames = [{"type": "session.created", "session": REALTIME}, {"type": "session.updated", "session": REALTIME}]
    return [json.dumps(event) for event in frames + [event for one in responses for event in one]]


# ---- items


def test_items_have_ids_of_their_own_and_an_order() -> None:
    async def script(talk: Talk) -> None:
        first, second = [(await add(talk, said(text)))["item"]["id"] for text in ("one", "two")]
        assert first and second and first != second
        assert talk.seen[-1]["previous_item_id"] == first
        root = await add(talk, said("zero", id="item_zero"), previous_item_id="root")
        assert (root["previous_item_id"], root["item"]["id"]) == (None, "item_zero")
        assert (await add(talk, said("between")))["previous_item_id"] == second
        assert (await add(talk, said("one and a half"), previous_item_id=first))["previous_item_id"] == first
        texts = ["zero", "one", "one and a half", "two", "between"]
        conversation = talk.server.conversation
        assert isinstance(conversation, ConversationState) and [item.text for item in conversation.items] == texts
        # The answer comes last.
        await talk.ask("response.create", "response.done")
        added = [
            event for event in talk.seen if event["type"] == "conversation.item.added" and event["item"]["role"] == "assistant"
        ]
        assert added[0]["previous_item_id"] == conversation.items[-2].item_id
        assert [item.role for item in conversation.items] == ["user"] * 5 + ["assistant"]

    talking(script)


@pytest.mark.parametrize(
    ("item", "fields", "code", "message"),
    [
        (said("x"), {"previous_item_id": "nobody"}, "item_create_invalid_previous_item_id", "previous item with id 'nobody'"),
        (said("x", id="item_1"), {}, "item_create_duplicate_item_id", "an item with id 'item_1' already exists"),
        (said("x", id="x" * 33), {}, "string_above_max_length", "maximum length 32"),
        ({"role": "user"}, {}, "missing_required_parameter", "'item.type'"),
        ({"type": "messages"}, {}, "invalid_value", "'item.type'"),
        ({"type": "message", "role": "user"}, {}, "missing_required_parameter", "'item.content'"),
        ({"type": "message", "role": "robot", "content": []}, {}, "invalid_value", "Supported values are: 'user'"),
        (said("x", mood="calm"), {}, "unknown_parameter", "Unknown parameter: 'item.mood'"),
        (said("x") | {"content": [{"type": "text", "text": "x"}]}, {}, "invalid_value", "'input_text', 'input_audio'"),
        (said("x") | {"content": [{"type": "input_text"}]}, {}, "missing_required_parameter", "item.content[0].text"),
        ({"type": "function_call_output", "call_id": "call_x", "output": ""}, {}, "invalid_tool_call_id", "'call_x' not found"),
    ],
)
def test_items_that_the_original_refuses(item: dict[str, Any], fields: dict[str, Any], code: str, message: str) -> None:
    async def script(talk: Talk) -> None:
        await add(talk, said("first", id="item_1"))
        refused = await add(talk, item, event_id="mine", **fields)
        assert (refused["type"], refused["error"]["code"], refused["error"]["event_id"]) == ("error", code, "mine")
        assert message in refused["error"]["message"] or message.strip("'") == refused["error"]["param"]
        assert [held.item_id for held in talk.server.call.items] == ["item_1"]

    talking(script)


def test_an_item_is_retrieved_as_it_stands() -> None:
    async def script(talk: Talk) -> None:
        async def retrieve(item_id: str) -> dict[str, Any]:
            kinds = ("conversation.item.retrieved", "error")
            return await talk.ask("conversation.item.retrieve", *kinds, item_id=item_id)

        audio = {"type": "input_audio", "audio": "AAAA"}
        made = (await add(talk, {"type": "message", "role": "user", "content": [audio]}))["item"]
        assert made["content"] == [{"type": "input_audio"}]  # audio comes only when it is asked for
        assert (await retrieve(made["id"]))["item"]["content"] == [audio]
        done = await talk.ask("response.create", "response.done")
        [item] = done["response"]["output"]
        assert (await retrieve(item["id"]))["item"] == item
        await talk.ask(
            "conversation.item.truncate", "conversation.item.truncated", item_id=item["id"], content_index=0, audio_end_ms=500
        )
        assert (await retrieve(item["id"]))["item"]["content"] == [{"type": "output_audio"}]
        await talk.ask("conversation.item.delete", "conversation.item.deleted", item_id=item["id"])
        refused = await retrieve(item["id"])
        assert refused["error"]["code"] == "item_retrieve_invalid_item_id"
        refused = await talk.ask("conversation.item.delete", "error", item_id=item["id"])
        assert refused["error"]["code"] == "item_delete_invalid_item_id"

    talking(script)


# ---- responses


def test_a_response_has_the_metadata_that_it_was_asked_with() -> None:
    async def script(talk: Talk) -> None:
        done = await talk.ask("response.create", "response.done", response={"metadata": {"topic": "x"}})
        created = next(event for event in talk.seen if event["type"] == "response.created")
        assert created["response"]["metadata"] == done["response"]["metadata"] == {"topic": "x"}

    talking(script)


@pytest.mark.parametrize("where", ["session", "response"])
def test_text_of_a_recorded_voice(where: str) -> None:
    async def script(talk: Talk) -> None:
        text = {"output_modalities": ["text"]}
        if where == "session":
            await talk.ask("session.update", "session.updated", session={**REALTIME, **text})
        done = await talk.ask("response.create", "response.done", **({} if where == "session" else {"response": text}))
        words = "".join(event["delta"] for event in talk.seen if event["type"] == "response.output_text.delta")
        [item] = done["response"]["output"]
        assert item["content"] == [{"type": "output_text", "text": words}] and words.startswith("Good news")
        assert AUDIO not in talk.types and done["response"]["output_modalities"] == ["text"]
        assert done["response"]["usage"]["total_tokens"] > 0

    talking(script)


def test_a_voice_for_a_recorded_text() -> None:
    words = {**SAYS, "id": "item_1", "content": [{"type": "output_text", "text": "It is sunny."}]}

    async def script(talk: Talk) -> None:
        await talk.ask("session.update", "session.updated", session={**REALTIME, "output_modalities": ["audio"]})
        done = await talk.ask("response.create", "response.done")
        assert done["response"]["output"][0]["content"] == [{"type": "output_audio", "transcript": "It is sunny."}]
        assert talk.server.heard_ms() > 500

    talking(script, frames=recording(response(1, words)))


def test_responses_outside_of_the_conversation() -> None:
    """They run beside the one of the conversation, and leave no item in it."""

    async def script(talk: Talk) -> None:
        await talk.send("response.create")
        await talk.until("response.created")
        outside = {"conversation": "none", "output_modalities": ["text"], "metadata": {"n": "1"}}
        await talk.send("response.create", response=outside)
        await talk.until("response.done")
        [done] = [event for event in talk.seen if event["type"] == "response.done"]
        assert done["response"]["conversation_id"] is None and done["response"]["metadata"] == {"n": "1"}
        assert not [event for event in talk.seen if event["type"] == "error"]
        await talk.ask("response.cancel", "response.done")
        assert [item.role for item in talk.server.conversation.items] == ["assistant"]

    twice = recording(response(1, {**SAYS, "id": "item_2", "content": [{"type": "output_text", "text": "beside"}]}))[2:]
    talking(script, frames=[*FRAMES, *twice], pace=1.0)


def test_what_follows_a_tool_call_waits_for_its_output(caplog: pytest.LogCaptureFixture) -> None:
    answer = {**SAYS, "id": "item_answer", "content": [{"type": "output_text", "text": "It is sunny."}]}

    async def script(talk: Talk) -> None:
        done = await talk.ask("response.create", "response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["function_call"]
        empty = await talk.ask("response.create", "response.done")
        assert (empty["response"]["status"], empty["response"]["output"]) == ("completed", [])
        await add(talk, {"type": "function_call_output", "call_id": "call_1", "output": "sunny"})
        assert talk.server.tool_outputs == ["sunny"]
        done = await talk.ask("response.create", "response.done")
        assert "It is sunny." in json.dumps(done)
        [call] = talk.server.conversation.tool_calls
        assert (call.name, call.input, call.answered is not None) == ("f", {}, True)

    talking(script, frames=recording(response(1, TOOL_CALL), response(2, answer)))
    [record] = [record for record in caplog.records if "waits" in record.getMessage()]
    assert record.getMessage().endswith("waits for the output of the tool call call_1: this response is empty")


def test_a_client_that_asked_by_text_hears_of_no_speech() -> None:
    async def script(talk: Talk) -> None:
        await add(talk, said("Hello"))
        await talk.ask("response.create", "rate_limits.updated")
        assert [event["type"] for event in talk.seen[3:]] == [event["type"] for event in ANSWERED[2:]]

    talking(script)


def test_what_the_recorded_client_said_is_not_said_again() -> None:
    """Items that no response has made are the client's, the assistant's among them: a history that was put back."""
    history = [
        {"type": f"conversation.item.{name}", "previous_item_id": None, "item": {**SAYS, "id": "item_old", "content": [part]}}
        for name in ("added", "done")
        for part in [{"type": "output_text", "text": "Hello Alice."}]
    ]
    answer = {**SAYS, "id": "item_answer", "content": [{"type": "output_text", "text": "Your name is Alice."}]}

    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        assert "Hello Alice." not in json.dumps(talk.seen) and "Your name is Alice." in json.dumps(talk.seen)
        assert [item.item_id for item in talk.server.conversation.items] == ["item_answer"]

    talking(script, frames=recording(history, response(1, answer)))


def test_words_of_a_recorded_response_that_names_no_output() -> None:
    """As many servers do: what it says is in its messages alone, and is still known as text."""
    bare = [
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_audio_transcript.delta", "response_id": "resp_1", "item_id": "item_1", "delta": "Good "},
        {"type": "response.output_audio_transcript.delta", "response_id": "resp_1", "item_id": "item_1", "delta": "day."},
        {"type": AUDIO, "response_id": "resp_1", "item_id": "item_1", "delta": "AAAA"},
        {"type": "response.done", "response": {"id": "resp_1", "status": "completed"}},
    ]

    async def script(talk: Talk) -> None:
        done = await talk.ask("response.create", "response.done", response={"output_modalities": ["text"]})
        assert done["response"]["output"][0]["content"] == [{"type": "output_text", "text": "Good day."}]

    talking(script, frames=recording(bare))


def test_a_call_that_was_cancelled_is_not_waited_for() -> None:
    cancelled = response(1, {**TOOL_CALL, "status": "incomplete"})
    answer = {**SAYS, "id": "item_answer", "content": [{"type": "output_text", "text": "Anything else?"}]}

    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        assert "Anything else?" in json.dumps(await talk.ask("response.create", "response.done"))

    talking(script, frames=recording(cancelled, response(2, answer)))


# ---- the session


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"instructions": "x"}, "missing_required_parameter", "session.type"),
        ({"type": "real"}, "invalid_value", "session.type"),
        ({"type": "realtime", "temperature": 0.8}, "unknown_parameter", "session.temperature"),
        ({"type": "realtime", "turn_detection": None}, "unknown_parameter", "session.turn_detection"),
        ({"type": "realtime", "audio": {"input": {"vad": None}}}, "unknown_parameter", "session.audio.input.vad"),
        ({"type": "realtime", "instructions": 7}, "invalid_type", "session.instructions"),
        ({"type": "realtime", "audio": []}, "invalid_type", "session.audio"),
        ({"type": "realtime", "output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
        ({"type": "transcription"}, "invalid_parameter", "session.type"),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "pcm16"}}}},
            "invalid_value",
            "session.audio.input.format.type",
        ),
        (
            {"type": "realtime", "audio": {"output": {"format": {"type": "audio/pcm", "rate": 16_000}}}},
            "integer_below_min_value",
            "session.audio.output.format.rate",
        ),
        (
            {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}},
            "unknown_parameter",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {"type": "realtime", "audio": {"input": {"turn_detection": {}}}},
            "missing_required_parameter",
            "session.audio.input.turn_detection.type",
        ),
    ],
)
def test_sessions_that_the_original_refuses(session: dict[str, Any], code: str, param: str) -> None:
    async def script(talk: Talk) -> None:
        refused = await talk.ask("session.update", "error", "session.updated", session=session, event_id="mine")
        assert (refused["type"], refused["error"]["code"], refused["error"]["param"]) == ("error", code, param)
        assert refused["error"]["event_id"] == "mine"

    talking(script)


def test_the_voice_stays_once_it_was_heard() -> None:
    async def script(talk: Talk) -> None:
        def voice(name: str) -> dict[str, Any]:
            return {**REALTIME, "audio": {"output": {"voice": name}}}

        await talk.ask("session.update", "session.updated", session=voice("cedar"))
        await talk.ask("response.create", "response.done")
        await talk.ask("session.update", "session.updated", session=voice("cedar"))
        refused = await talk.ask("session.update", "error", session=voice("marin"))
        assert refused["error"]["code"] == "cannot_update_voice"

    talking(script)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"modalities": ["text"]}, "unknown_parameter"),
        ({"conversation": "new"}, "invalid_value"),
        ({"metadata": {"n": 1}}, "invalid_type"),
        ({"output_modalities": "text"}, "invalid_type"),
    ],
)
def test_responses_that_the_original_refuses(asked: dict[str, Any], code: str) -> None:
    async def script(talk: Talk) -> None:
        refused = await talk.ask("response.create", "error", "response.created", response=asked)
        assert (refused["type"], refused["error"]["code"]) == ("error", code)

    talking(script)


def test_a_detection_of_another_kind_has_its_defaults() -> None:
    async def script(talk: Talk) -> None:
        for detection in ({"type": "semantic_vad"}, None, {"type": "server_vad", "threshold": 0.7}):
            session = {**REALTIME, "audio": {"input": {"turn_detection": detection}}}
            await talk.ask("session.update", "session.updated", session=session)
        found = [
            event["session"]["audio"]["input"]["turn_detection"] for event in talk.seen if event["type"] == "session.updated"
        ]
        assert found[0] == {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}
        assert found[1] is None
        assert (found[2]["threshold"], found[2]["silence_duration_ms"], found[2]["interrupt_response"]) == (0.7, 200, True)
        assert talk.server.session == talk.seen[-1]["session"]

    talking(script)


def test_a_client_of_another_provider_is_let_have_its_way() -> None:
    async def script(talk: Talk) -> None:
        session = {"temperature": 0.8, "input_audio_transcription": {"model": "x"}}
        assert (await talk.ask("session.update", "session.updated", session=session))["session"]["temperature"] == 0.8

    talking(script, strict=False)


def test_the_conversation_is_that_of_the_messages() -> None:
    """What `server.conversation` says is what a ConversationState makes of the messages that the client got."""

    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "rate_limits.updated")
        state = ConversationState()
        for event in talk.seen:
            state.follow(rp.decode(json.dumps(event)))
        ours = talk.server.conversation
        assert [(item.item_id, item.text, item.audio_seconds) for item in ours.items] == [
            (item.item_id, item.text, item.audio_seconds) for item in state.items
        ]
        assert ours.usage == state.usage and np.isclose(ours.items[0].audio_seconds, 4.25)

    talking(script)
