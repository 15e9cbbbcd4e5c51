"""Classes that declare no more than their role needs: whatever their messages hold, everything that reads roles takes them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_pcm import messages
from realtime_pcm.client_messages import ClientAudioMessage, RealtimeClientMessage
from realtime_pcm.conversation import ConversationState
from realtime_pcm.playback import PlaybackBuffer, PlaybackTracker
from realtime_pcm.recording import analyse, read_recording
from realtime_pcm.roles import ROLES
from realtime_pcm.timeline import draw

HEADER = json.dumps({"recording": "realtime-pcm", "version": 1, "started": "2026-01-01T00:00:00+00:00"})
VALUES: tuple[Any, ...] = (
    *(None, "", "x", "i1", "r1", 5, -1, 0.5, True, [], {}, ["x"], 1 << 63),
    *(
        {"id": "i1"},
        {"id": ["x"]},
        {"id": "r1", "status": "cancelled", "usage": {"total_tokens": 7}, "output": [None, {"type": 5}]},
    ),
    {"id": "i1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}, None, 5]},
    {"id": "i2", "type": "function_call", "call_id": "c1", "arguments": "{", "role": 5},
    {"type": "function_call_output", "call_id": "c1", "output": "x"},
)
# Those of a socket's audio and session have classes of their own below.
ROLES_OF_PLAIN_CLASSES = [role for role in ROLES if role not in ("audio", "input_audio")]


def declared() -> dict[str, tuple[str, list[str]]]:
    """wire name -> the direction of its messages, and the fields of its class."""
    found: dict[str, tuple[str, list[str]]] = {}
    for role, side in itertools.product(ROLES_OF_PLAIN_CLASSES, ("server", "client")):
        fields = [group[-1] for group in ROLES[role].needs]
        name = f"bare.{side}.{role}"
        body: dict[str, Any] = {
            "__annotations__": {"type": f'Literal["{name}"]', **dict.fromkeys(fields, "Any")},
            "type": name,
            "__module__": __name__,
            **dict.fromkeys(fields),
        }
        base: type[Any] = messages.RealtimeServerMessage if side == "server" else RealtimeClientMessage
        type(f"{side.title()}{role.title().replace('_', '')}", (base,), body, role=role)
        found[name] = ("received" if side == "server" else "sent", fields)
    for side, audio in (("server", messages.AudioMessage), ("client", ClientAudioMessage)):
        for role in ("audio", "input_audio"):
            name = f"bare.{side}.{role}"
            annotations = {"type": f'Literal["{name}"]', "pcm": "Samples"}
            body = {"__annotations__": annotations, "type": name, "pcm": messages.payload("sound"), "__module__": __name__}
            type(f"{side.title()}{role.title().replace('_', '')}", (audio,), body, role=role)
            found[name] = ("received" if side == "server" else "sent", ["sound"])
    return found


KINDS = declared()


def talk(seed: int) -> bytes:
    """A recording of messages in any order."""
    chosen = random.Random(seed)
    lines = [HEADER]
    for number in range(400):
        kind = chosen.choice(list(KINDS))
        direction, fields = KINDS[kind]
        event = {"type": kind, **{name: chosen.choice(VALUES) for name in fields if chosen.random() < 0.9}}
        if "sound" in fields:
            event["sound"] = chosen.choice(["", "AAABAAIA", None])
        lines.append(json.dumps({"time": number * 0.25, "direction": direction, "event": event}))
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize("seed", range(6))
def test_everything_takes_them(seed: int, tmp_path: Path) -> None:
    recording = talk(seed)
    state, player, tracker = ConversationState(), PlaybackBuffer(24_000), PlaybackTracker()
    followed = 0
    with read_recording(io.BytesIO(recording)) as entries:
        for entry in entries:
            message = entry.message
            if message is None:
                continue
            followed += 1
            state.follow(message, entry.time)
            if isinstance(message, messages.RealtimeServerMessage):
                player.write(message)
                tracker.sent(message)
    player.read(np.empty(1_000, np.int16))
    player.interrupt()
    assert followed > 300 and state.turns
    found = analyse(io.BytesIO(recording))
    assert found.frames == followed and found.turns
    draw(io.BytesIO(recording), io.BytesIO(), "html")


@pytest.mark.parametrize("seed", range(6))
def test_tables_and_files_take_them(seed: int) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("typer")
    from realtime_pcm import arrow
    from support.extracted import extracted

    arrow.items(arrow.read(io.BytesIO(talk(seed))))
    extracted(io.BytesIO(talk(seed)))


@pytest.mark.parametrize("seed", range(3))
def test_the_loopback_server_replays_them(seed: int) -> None:
    pytest.importorskip("websockets")
    from support.talk import Talk, talking

    async def script(client: Talk) -> None:
        for _ in range(3):  # a response of the recording may have no end
            await client.send("response.create")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.until("bare.server.response_end"), 0.3)
            await client.send("response.cancel")
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
        await client.ask("conversation.item.create", "conversation.item.done", item=item)
        assert client.types.count("bare.server.response_start") >= 2
        assert "Hi" in [item.text for item in client.server.conversation.items]

    lines = [json.loads(line) for line in talk(seed).splitlines()[1:]]
    frames = [json.dumps(line["event"]) for line in lines if line["direction"] == "received"]
    talking(script, frames=[json.dumps({"type": "session.created", "session": {"type": "realtime"}}), *frames])
