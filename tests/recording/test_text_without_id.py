"""A text of the user is one item everywhere, whether its id came from the client, from the server or from nobody."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import realtime_pcm as rp
from realtime_pcm.conversation import ConversationState
from realtime_pcm.recording import analyse
from support.command import run

TEXT = "Where is my parcel?"


def told(by_client: str | None, by_server: str | None, *echoes: str, client: bool = True) -> list[tuple[str, dict[str, Any]]]:
    """A user who writes, and a model that answers: who says it, and the event."""

    def item(item_id: str | None) -> dict[str, Any]:
        made = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": TEXT}]}
        return made if item_id is None else {"id": item_id, **made}

    answer = {"response_id": "resp_1", "item_id": "item_2", "delta": "Here."}
    events: list[tuple[str, dict[str, Any]]] = [("received", {"type": "session.created", "session": {}})]
    if client:
        events.append(("sent", {"type": "conversation.item.create", "item": item(by_client)}))
    events += [("received", {"type": f"conversation.item.{echo}", "item": item(by_server)}) for echo in echoes]
    events += [("sent", {"type": "response.create"})] if client else []
    events.append(("received", {"type": "response.created", "response": {"id": "resp_1"}}))
    events.append(("received", {"type": "response.output_text.delta", **answer}))
    return [*events, ("received", {"type": "response.done", "response": {"id": "resp_1", "status": "completed"}})]


CASES = {
    "no echo": told(None, None),
    "an echo without an id": told(None, None, "added"),
    "two echoes without an id": told(None, None, "added", "done"),
    "the echo of the beta": told(None, None, "created"),
    "an echo with an id": told(None, "item_1", "added", "done"),
    "the client's own id": told("item_1", "item_1", "added", "done"),
    "the server's messages alone": told(None, None, "added", "done", client=False),
    "the server's messages alone, with an id": told(None, "item_1", "added", "done", client=False),
}


@pytest.mark.parametrize("name", CASES)
def test_one_item_everywhere(name: str, tmp_path: Path) -> None:
    events = CASES[name]
    item_id = "item_1" if "item_1" in json.dumps(events) else None
    lines: list[dict[str, Any]] = [{"recording": "realtime-pcm", "version": 1, "started": "2026-01-01T00:00:00+00:00"}]
    lines += [{"time": place / 10, "direction": way, "event": event} for place, (way, event) in enumerate(events)]
    file = tmp_path / "call.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    found = analyse(io.BytesIO(file.read_bytes()))
    assert [(item.item_id, item.text) for item in found.items if item.side == "user"] == [(item_id, TEXT)]
    assert [turn.began for turn in found.turns] == ["text"]

    state = ConversationState()
    for place, (way, event) in enumerate(events):
        state.follow(rp.decode(json.dumps(event), side="client" if way == "sent" else "server"), place / 10)
    assert [(item.item_id, item.text) for item in state.items if item.side == "user"] == [(item_id, TEXT)]
    assert [turn.began for turn in state.turns] == ["text"]
    assert item_id is None or state.item(item_id) is state.items[0]

    run("extract", file, "--out", tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [item["transcript"] for item in summary["items"] if item["side"] == "user"] == [TEXT]

    pytest.importorskip("pyarrow")
    from realtime_pcm import arrow

    rows = [row for row in arrow.items(arrow.read(file)).to_pylist() if row["speaker"] == "user"]
    assert [(row["item_id"], row["transcript"]) for row in rows] == [(item_id, TEXT)]
    assert rows[0]["time"] == 0.1 and rows[0]["line"] == 3


def test_the_same_text_twice_is_two_items() -> None:
    state = ConversationState()
    for _ in range(2):
        for way, event in told(None, None, "added", "done")[1:]:
            state.follow(rp.decode(json.dumps(event), side="client" if way == "sent" else "server"))
    assert [item.text for item in state.items if item.side == "user"] == [TEXT, TEXT]
    assert len(state.turns) == 2


def test_a_text_with_an_id_in_between_keeps_its_id_for_itself(tmp_path: Path) -> None:
    """The server repeats both texts after the client has written both. Each repetition names its own text."""

    def item(text: str, **more: str) -> dict[str, Any]:
        return {**more, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}

    events: list[tuple[str, dict[str, Any]]] = [
        ("sent", {"type": "conversation.item.create", "item": item("Hello.", id="item_1")}),
        ("sent", {"type": "conversation.item.create", "item": item(TEXT)}),
        ("received", {"type": "conversation.item.added", "item": item("Hello.", id="item_1")}),
        ("received", {"type": "conversation.item.added", "item": item(TEXT, id="item_2")}),
    ]
    expected = [("item_1", "Hello."), ("item_2", TEXT)]
    file = tmp_path / "call.jsonl"
    lines = [{"time": place / 10, "direction": way, "event": event} for place, (way, event) in enumerate(events)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    state = ConversationState()
    for way, event in events:
        state.follow(rp.decode(json.dumps(event), side="client" if way == "sent" else "server"))
    assert [(one.item_id, one.text) for one in state.items] == expected
    assert [(one.item_id, one.text) for one in analyse(io.BytesIO(file.read_bytes())).items] == expected

    pytest.importorskip("pyarrow")
    from realtime_pcm import arrow

    assert [(row["item_id"], row["transcript"]) for row in arrow.items(arrow.read(file)).to_pylist()] == expected
