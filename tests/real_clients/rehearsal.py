"""The conversation of plan.json: the server that holds it, and what its recording shows, whatever the client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from real_clients.environments import FOLDER, HERE
from realtime_pcm.recording import analyse
from realtime_pcm.testing import LoopbackServer, loopback

PLAN = json.loads(HERE.joinpath("plan.json").read_text(encoding="utf-8"))
RATE = 24_000
PACE = 2.0  # a server sends faster than a loudspeaker plays
CUT = "(the story, cut)"


def speech() -> bytes:
    """A second of what is loud enough for speech, and the silence after which it is over: pcm16."""
    time = np.arange(RATE) / RATE
    loud = 9_000 * np.sin(2 * np.pi * 180 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    return np.concatenate([loud, np.zeros(int(RATE * 0.9))]).astype("<i2").tobytes()


@contextmanager
def rehearsing(name: str, **options: Any) -> Iterator[LoopbackServer]:
    """A server that holds the conversation. Its recording is kept as recordings/NAME.jsonl, whatever happens."""
    spoken, answer, tool, seconds = PLAN["spoken"], PLAN["answer"], PLAN["tool"], PLAN["seconds"]
    with loopback(pace=PACE, **options) as server:
        server.says(answer["text"], audio=seconds["answer"])
        server.user_says(spoken["speech"]).says(answer["speech"], audio=seconds["answer"])
        server.calls(tool["name"], tool["arguments"])
        server.says(answer["tool"], audio=seconds["answer"])
        server.says(PLAN["story"], audio=seconds["story"])
        server.user_says(spoken["interruption"]).says(answer["interruption"], audio=seconds["answer"])
        server.fails(PLAN["error"])
        try:
            yield server
        finally:
            if server.connections:
                recording(name).parent.mkdir(parents=True, exist_ok=True)
                server.recent_calls[-1].save(recording(name), overwrite=True)


def recording(name: str) -> Path:
    """Where the recording of a client is kept."""
    return FOLDER / "recordings" / f"{name}.jsonl"


def expected(texts_are_the_users: bool = True) -> list[dict[str, Any]]:
    """The turns of the conversation. texts_are_the_users: False if a client's texts are the system's, which begin no turn."""
    ask, spoken, answer = PLAN["ask"], PLAN["spoken"], PLAN["answer"]

    def turn(began: str, user: str, *model: str, **else_: Any) -> dict[str, Any]:
        usual = {"responses": 1, "status": "completed", "tools": 0, "interruptions": 0}
        return {"began": began, **usual, **else_, "user": [user] if user else [], "model": list(model)}

    tool = {"responses": 2, "tools": 1}
    cut = {"status": "cancelled", "interruptions": 1}
    if texts_are_the_users:
        middle = [turn("text", ask["tool"], answer["tool"], **tool), turn("text", ask["interruption"], CUT, **cut)]
    else:
        middle = [turn("response", "", answer["tool"], CUT, **{**tool, **cut, "responses": 3})]
    return [
        turn("text", ask["text"], answer["text"]),
        turn("speech", spoken["speech"], answer["speech"]),
        *middle,
        turn("speech", spoken["interruption"], answer["interruption"]),
        turn("text" if texts_are_the_users else "response", ask["error"] if texts_are_the_users else "", status="failed"),
    ]


def happened(path: Path) -> list[dict[str, Any]]:
    """The turns of a recording, as `inspect` tells them, without what a clock says."""
    analysis = analyse(path)
    rows = []
    for turn in analysis.turns:
        row: dict[str, Any] = {"began": turn.began, "responses": turn.responses, "status": turn.status}
        row |= {"tools": turn.tools, "interruptions": turn.interruptions}
        for side in ("user", "model"):
            texts = [item.text for item in analysis.items if item.turn == turn.number and item.side == side]
            row[side] = [CUT if PLAN["story"].startswith(text) and text != PLAN["story"] else text for text in texts]
        rows.append(row)
    return rows
