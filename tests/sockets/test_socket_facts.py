"""The catalogues of Gemini and ElevenLabs declare what the packages of the two do, according to the facts in tests/support/facts.

tests/catalogue/test_catalogue_facts.py does so for the Realtime API.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import realtime_pcm as rp
from realtime_pcm.sockets import elevenlabs, gemini
from support.paths import FACTS

GEMINI, ELEVENLABS = (
    json.loads(next(FACTS.glob(f"{package}-*.json")).read_text(encoding="utf-8")) for package in ("google-genai", "elevenlabs")
)

# ---- What a package has and our classes have not, and why. An entry that is not needed any more is a failure too.

WHOLE = "the object is read whole"
UNDECLARED = {
    ("setup", name): WHOLE
    for name in GEMINI["models"]["types.LiveClientSetup"]
    if name != "model"
} | {
    ("setupComplete", "voiceConsentSignature"): WHOLE,
    ("InitializeConnection", "authorization"): "a key belongs into the handshake",
    ("InitializeConnection", "xi-api-key"): "a key belongs into the handshake",
    ("WebsocketTtsClientMessageMulti", "authorization"): "a key belongs into the handshake",
    ("WebsocketTtsClientMessageMulti", "xi-api-key"): "a key belongs into the handshake",
    ("WebsocketTtsClientMessageMulti", "contextId"): "the documents say context_id",
    ("WebsocketTtsServerMessageMulti", "is_final"): "the documents say isFinal",
}  # fmt: skip


def keys_of(cls: Any) -> dict[str, Any]:
    """The JSON that holds every field of a class, once."""
    fields: dict[str, Any] = {name: "x" for name in cls.__match_args__ if name != "pcm"}
    fields |= {name: {"x": 1} for name in ("session", "setup", "usage") if name in fields}
    if "pcm" in cls.__match_args__:
        fields["pcm"] = b"\0\0"
    written: dict[str, Any] = cls(**{name: value for name, value in fields.items() if name != "format"}).to_dict()
    return written


def undeclared_of_gemini(side: Any) -> set[tuple[str, str]]:
    found = set()
    for key, model in GEMINI[side]["gemini live"].items():
        message: Any = rp.decode(json.dumps({key: {}}), catalogue=gemini, side=side)
        assert not isinstance(message, (gemini.UnknownServerMessage, gemini.UnknownClient)), key
        declared = keys_of(type(message))[key]
        found |= {(key, name) for name in GEMINI["models"].get(model, ()) if name not in declared}
    return found


def undeclared_of_agents(side: Any) -> set[tuple[str, str]]:
    models = ELEVENLABS["models"]
    found = set()
    for wire, model in ELEVENLABS[side]["agents"].items():
        message: Any = rp.decode(json.dumps({"type": wire}), catalogue=elevenlabs, side=side)
        assert not isinstance(message, (elevenlabs.UnknownServerMessage, elevenlabs.UnknownClient)), wire
        declared = keys_of(type(message))
        for name, kind in models[model].items() if model else ():
            inner = models.get(kind, ())
            found |= {(wire, name)} if name not in declared else {(wire, each) for each in inner if each not in declared[name]}
    return found


def undeclared_of_speech(side: str) -> set[tuple[str, str]]:
    declared = keys_of(elevenlabs.TtsAudio if side == "server" else elevenlabs.TtsText)
    models = ELEVENLABS["models"]
    return {(wire, name) for wire, model in ELEVENLABS[side]["tts"].items() for name in models[model] if name not in declared}


@pytest.mark.parametrize("side", ["server", "client"])
def test_every_message_and_field(side: str) -> None:
    found = undeclared_of_gemini(side) | undeclared_of_agents(side) | undeclared_of_speech(side)
    assert found - UNDECLARED.keys() == set(), "declare it, or say in UNDECLARED why not"


def test_every_exception_is_needed() -> None:
    every = [
        find(side) for find in (undeclared_of_gemini, undeclared_of_agents, undeclared_of_speech) for side in ("server", "client")
    ]
    assert set().union(*every) == UNDECLARED.keys()


def test_messages_that_the_packages_showed() -> None:
    heard = rp.decode('{"serverContent":{"interimInputTranscription":{"text":"Who"},"turnCompleteReason":"X"}}', catalogue=gemini)
    assert isinstance(heard, gemini.ServerContent)
    assert (heard.interim_input_transcript, heard.turn_complete_reason) == ("Who", "X")
    signal = rp.decode('{"voiceActivityDetectionSignal":{"vadSignalType":"VAD_SIGNAL_TYPE_SOS"}}', catalogue=gemini)
    assert isinstance(signal, gemini.VoiceActivityDetectionSignal) and signal.vad_signal_type == "VAD_SIGNAL_TYPE_SOS"
    update = rp.decode('{"contextUpdate":{"tools":{"tools":[]}}}', catalogue=gemini, side="client")
    assert isinstance(update, gemini.ContextUpdate) and update.tools == {"tools": []}
    old = rp.decode('{"realtime_input":{"mediaChunks":[{"data":"AAAA"}]}}', catalogue=gemini, side="client")
    assert isinstance(old, gemini.RealtimeInput) and old.media_chunks == [{"data": "AAAA"}] and old.pcm.size == 0
    part = rp.decode(
        '{"type":"agent_chat_response_part","text_response_part":{"type":"delta","text":"Hi"}}', catalogue=elevenlabs
    )
    assert isinstance(part, elevenlabs.AgentChatResponsePart) and (part.part, part.text) == ("delta", "Hi")
    assert elevenlabs.Feedback(event_id=3, score="like").to_dict() == {"type": "feedback", "event_id": 3, "score": "like"}
    asked = elevenlabs.MultimodalMessage(text={"type": "user_message", "text": "See"}, files=[{"file_id": "f"}])
    assert asked.to_dict()["files"] == [{"file_id": "f"}]
