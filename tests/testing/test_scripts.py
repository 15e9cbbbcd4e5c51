"""Scripts without a recording: what the model says and calls, what the user says, and what a test then asks."""

from __future__ import annotations

import asyncio
import base64
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm.testing import LoopbackServer, loopback, user_speech
from support.stream_clients import AUDIO, FRAMES, run
from support.talk import Talk, connected

REALTIME = {"type": "realtime"}


def rehearsed(server: LoopbackServer, talk: Any) -> Any:
    async def session() -> Any:
        async with server, connected(server.url) as ws:
            return await talk(Talk(server, ws))

    return run(session())


async def output(talk: Talk, call_id: str, text: str) -> None:
    item = {"type": "function_call_output", "call_id": call_id, "output": text}
    await talk.ask("conversation.item.create", "conversation.item.done", item=item)


def test_a_conversation_with_a_tool() -> None:
    server = LoopbackServer().calls("weather", {"city": "Oslo"}).says("Three degrees below zero.")

    async def script(talk: Talk) -> None:
        done = await talk.ask("response.create", "response.done")
        [call] = done["response"]["output"]
        assert (call["type"], call["name"], json.loads(call["arguments"])) == ("function_call", "weather", {"city": "Oslo"})
        arguments = "".join(event["delta"] for event in talk.seen if event["type"] == "response.function_call_arguments.delta")
        assert json.loads(arguments) == {"city": "Oslo"}
        await output(talk, call["call_id"], "-3")
        done = await talk.ask("response.create", "response.done")
        assert done["response"]["output"][0]["content"] == [{"type": "output_audio", "transcript": "Three degrees below zero."}]
        assert server.tool_outputs == ["-3"]
        assert [item.type for item in server.conversation.items] == ["function_call", "function_call_output", "message"]
        assert (
            server.heard_ms()
            == server.call.items[-1].sent_ms
            == sum(len(base64.b64decode(event["delta"])) // 48 for event in talk.seen if event["type"] == AUDIO)
        )

    rehearsed(server, script)


def test_what_is_sent_is_what_the_catalogue_knows() -> None:
    server = LoopbackServer().says("Let me see.").calls("find", {"id": 7}, together=True).fails("server_error")

    async def script(talk: Talk) -> None:
        done = await talk.ask("response.create", "response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["message", "function_call"]
        await output(talk, done["response"]["output"][1]["call_id"], "{}")
        failed = (await talk.ask("response.create", "response.done"))["response"]
        assert (failed["status"], failed["status_details"]["error"]["code"]) == ("failed", "server_error")
        decoded = [rp.decode(json.dumps(event)) for event in talk.seen]
        assert not any(isinstance(message, rp.messages.UnknownMessage) for message in decoded)
        assert not any(message.extra for message in decoded)
        ids = [event["event_id"] for event in talk.seen]
        assert len(set(ids)) == len(ids)

    rehearsed(server, script)


@pytest.mark.parametrize(
    ("code", "status", "details"),
    [
        (
            "rate_limit_exceeded",
            "failed",
            {"type": "failed", "error": {"type": "invalid_request_error", "code": "rate_limit_exceeded"}},
        ),
        ("server_error", "failed", {"type": "failed", "error": {"type": "server_error", "code": "server_error"}}),
        ("max_output_tokens", "incomplete", {"type": "incomplete", "reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"type": "incomplete", "reason": "content_filter"}),
    ],
)
def test_responses_that_fail(code: str, status: str, details: dict[str, Any]) -> None:
    async def script(talk: Talk) -> None:
        found = (await talk.ask("response.create", "response.done"))["response"]
        assert found["status"] == status and found["output"] == []
        found["status_details"].get("error", {}).pop("message", None)
        assert found["status_details"] == details

    rehearsed(LoopbackServer().fails(code), script)


def test_the_user_has_words_and_interrupts() -> None:
    server = LoopbackServer()
    server.user_says("Tell me a story.")
    server.says("Once upon a time there was a king who had three daughters and no end of money.")
    server.user_says("A shorter one!", after=1.0)
    server.says("The king died.")

    async def script(talk: Talk) -> None:
        session = {**REALTIME, "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
        await talk.ask("session.update", "session.updated", session=session)
        await talk.ws.send(rp.encode_append(user_speech("Tell me a story.")))
        await talk.until("conversation.item.input_audio_transcription.completed", count=2)
        if talk.types.count("response.done") < 2:
            await talk.until("response.done")
        words = [event["transcript"] for event in talk.seen if event["type"].endswith("transcription.completed")]
        assert words == ["Tell me a story.", "A shorter one!"]
        statuses = [event["response"]["status"] for event in talk.seen if event["type"] == "response.done"]
        assert statuses == ["cancelled", "completed"]
        texts = [(item.role, item.text) for item in server.conversation.items]
        assert texts[0] == ("user", "Tell me a story.") and texts[2:] == [
            ("user", "A shorter one!"),
            ("assistant", "The king died."),
        ]
        assert texts[1][1].startswith("Once upon a time") and not texts[1][1].endswith("money.")
        assert 1_000 <= server.heard_ms(server.conversation.items[1]) < 1_250
        assert server.conversation.interruptions[0].cause == "speech_started"
        assert [turn.began for turn in server.conversation.turns] == ["speech", "speech"]

    rehearsed(server, script)


def test_one_test_of_an_agent_with_a_tool_and_an_interruption() -> None:
    """As a user of this package writes it; the agent is the function below."""
    with loopback() as server:
        server.calls("weather", {"city": "Oslo"})
        server.says("It is three degrees below zero in Oslo, and it will snow all day.")
        server.user_says("Thank you.", after=1.0)
        server.says("You are welcome.")
        asyncio.run(agent(server.url, "How warm is it in Oslo?", {"weather": lambda city: f"-3 in {city}"}))
        assert server.tool_outputs == ["-3 in Oslo"]
        question, _, _, answer, thanks, last = server.conversation.items
        assert (question.text, thanks.role, last.text) == ("How warm is it in Oslo?", "user", "You are welcome.")
        assert server.heard_ms(answer) == 600  # what the agent had played when it was interrupted


async def agent(url: str, question: str, tools: dict[str, Any]) -> None:
    from realtime_pcm import client_messages as ours, messages
    from realtime_pcm.objects import ContentPart, ConversationItem
    from realtime_pcm.playback import PlaybackBuffer

    player, answers = PlaybackBuffer(rate=24_000), 0
    async with connected(url) as ws:
        asked = ConversationItem(type="message", role="user", content=[ContentPart(type="input_text", text=question)])
        await ws.send(ours.ConversationItemCreate(item=asked).frame_text)
        await ws.send(ours.ResponseCreate().frame_text)
        async for message in rp.decode_stream(ws):
            player.write(message)
            match message:
                case messages.ResponseFunctionCallArgumentsDone(name=str(name), call_id=call_id, arguments=str(arguments)):
                    result = tools[name](**json.loads(arguments))
                    made = ConversationItem(type="function_call_output", call_id=call_id, output=result)
                    await ws.send(ours.ConversationItemCreate(item=made).frame_text)
                case messages.InputAudioBufferSpeechStarted():
                    player.read(np.zeros(14_400, np.int16))
                    for cut in player.interrupt().truncations:
                        await ws.send(cut.frame)
                case messages.ResponseDone(response=response) if response is not None:
                    answers += 1
                    if response.output and response.output[0].type == "function_call":
                        await ws.send(ours.ResponseCreate().frame_text)
                    elif answers == 3:
                        return


# ---- audio


def spoken_of(server: LoopbackServer, session: dict[str, Any] | None = None) -> np.ndarray[Any, Any]:
    async def script(talk: Talk) -> Any:
        if session is not None:
            await talk.ask("session.update", "session.updated", session={**REALTIME, **session})
        await talk.ask("response.create", "response.done")
        found = rp.decode_stream(json.dumps(event) for event in talk.seen)
        return np.concatenate([message.pcm for message in found if isinstance(message, rp.messages.ResponseAudioDelta)])

    return rehearsed(server, script)  # type: ignore[no-any-return]


def test_speech_from_a_file_an_array_and_a_length(tmp_path: Path) -> None:
    tone = np.rint(8_000 * np.sin(np.arange(12_000) / 9)).astype(np.int16)
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    assert np.array_equal(spoken_of(LoopbackServer().says("Hm.", audio=tmp_path / "tone.wav")), tone)
    assert np.array_equal(spoken_of(LoopbackServer().says("Hm.", audio=tone)), tone)
    assert np.array_equal(spoken_of(LoopbackServer().says("Hm.", audio=(tone / 32768).astype(np.float32))), tone)
    hum = spoken_of(LoopbackServer().says("Hm.", audio=1.5))
    assert hum.size == 36_000 and hum.std() > 1_000
    pytest.importorskip("soxr")
    assert spoken_of(LoopbackServer().says("Hm.", audio=tone, rate=48_000)).size == 6_000
    assert (
        spoken_of(LoopbackServer().says("Hm.", audio=tone), {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}).size
        == 4_000
    )


def test_speech_without_audio_is_as_long_as_its_words() -> None:
    short, long = (
        spoken_of(LoopbackServer().says(text)).size / 24_000 for text in ("Yes.", "Yes, and no, and then again perhaps.")
    )
    assert 0.2 < short < 0.5 and 1.8 < long < 2.8


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (np.zeros((2, 2), np.int16), "1-D array of int16 or float32"),
        (np.zeros(2, np.int64), "1-D array of int16 or float32"),
        (-1, "from 0 to 3600 seconds"),
        (float("nan"), "from 0 to 3600 seconds"),
        (1e9, "from 0 to 3600 seconds"),
        ("no.wav", "no WAV file of 16-bit PCM"),
        ("eight.wav", "samples of 8 bits, not of 16"),
    ],
)
def test_audio_that_cannot_be_used(audio: Any, says: str, tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"RIFF")
    with wave.open(str(tmp_path / "eight.wav"), "wb") as file:
        file.setparams((1, 1, 24_000, 0, "NONE", ""))
        file.writeframes(bytes(10))
    with pytest.raises(ValueError, match=says):
        LoopbackServer().says("Hm.", audio=tmp_path / audio if isinstance(audio, str) else audio)


# ---- scripts that contradict themselves


def test_scripts_that_contradict_themselves() -> None:
    server = LoopbackServer()
    with pytest.raises(ValueError, match="the user interrupts after 1 s, but nothing was said before"):
        server.user_says("Stop!", after=1)
    server.says("Yes.")
    with pytest.raises(ValueError, match=r"the answer before lasts 0\.\d+ s: the user cannot interrupt it after 5 s"):
        server.user_says("Stop!", after=5)
    server.user_says("One.")
    with pytest.raises(ValueError, match=r"two things in a row, 'One\.' and 'Two\.': put an answer between them"):
        server.user_says("Two.")
    with pytest.raises(ValueError, match="together=True joins the answer of the line before"):
        server.calls("f", together=True)
    for arguments in ("[1]", "{", "7"):
        with pytest.raises(ValueError, match="the arguments of f are a JSON object"):
            server.calls("f", arguments)
    server.calls("f", call_id="call_1")
    with pytest.raises(ValueError, match="two calls have the call_id 'call_1'"):
        server.calls("f", call_id="call_1")
    with pytest.raises(ValueError, match="autoplay sends a recording"):
        LoopbackServer(autoplay=True).says("Yes.")
    with pytest.raises(TypeError, match="what the model says is a str, not int"):
        server.says(7)


def test_a_script_goes_on_after_a_recording_and_while_a_client_is_connected() -> None:
    server = LoopbackServer(FRAMES).says("And goodbye.")

    async def script(talk: Talk) -> None:
        await talk.ask("response.create", "response.done")
        assert "Good news" in json.dumps(talk.seen[-1])
        assert "And goodbye." in json.dumps(await talk.ask("response.create", "response.done"))
        server.says("One more thing.")
        assert "One more thing." in json.dumps(await talk.ask("response.create", "response.done"))

    rehearsed(server, script)


def test_a_recording_without_responses_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    server = LoopbackServer(FRAMES[:1])
    assert caplog.records[-1].getMessage().endswith("the recording has no responses: every answer will be empty")

    async def script(talk: Talk) -> None:
        done = await talk.ask("response.create", "response.done")
        assert (done["response"]["status"], done["response"]["output"]) == ("completed", [])

    rehearsed(server, script)


def test_what_a_test_asks_before_anybody_has_connected() -> None:
    server = LoopbackServer()
    for name in ("session", "conversation", "tool_outputs", "call"):
        with pytest.raises(RuntimeError, match="no client has connected"):
            getattr(server, name)

    async def script(talk: Talk) -> None:
        await talk.until("session.created")
        with pytest.raises(KeyError, match="the model has not spoken"):
            server.heard_ms()
        with pytest.raises(KeyError, match="the conversation has no item item_1"):
            server.heard_ms("item_1")

    rehearsed(server, script)


# ---- as text

TEXT = """
# A call about the weather.
user: How warm is it?
calls: weather {"city": "Oslo"}
says: Three degrees below zero: it snows.
user@0.5: And tomorrow?
fails: rate_limit_exceeded Come back later.
"""


def test_a_script_as_text() -> None:
    steps = LoopbackServer().reads(TEXT).script.steps
    assert [(step.user, step.interrupts, step.failure and step.failure.message) for step in steps] == [
        ("How warm is it?", None, None),
        (None, None, None),
        ("And tomorrow?", 0.5, "Come back later."),
    ]
    assert steps[1].output[0].text == "Three degrees below zero: it snows."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("says Hello", "line 1: begins with none of user:, says:, calls:, fails:"),
        ("\nsays: Hello\nsay: Hello", "line 3: begins with none"),
        ("calls: weather [1]", "line 1: the arguments of weather are a JSON object"),
        ("user: a\nuser: b", "line 2: the user says two things in a row"),
        ("says: Hi\nuser@x: b", "line 2: could not convert"),
        ("says: Hi\nuser@9: b", "line 2: the answer before lasts"),
        ("says@2: Hi", "line 1: begins with none"),
    ],
)
def test_a_script_as_text_that_cannot_be_understood(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}"):
        LoopbackServer().reads(text)
