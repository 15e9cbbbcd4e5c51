"""The examples, each as a user runs it, against the loopback server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm.objects import ConversationItem, RealtimeResponse
from realtime_pcm.sockets import gemini
from realtime_pcm.testing import LoopbackServer, loopback
from support import stream_clients as clients
from support.g711 import compressed
from support.paths import EXAMPLES, load
from support.twilio_leg import HUM, SILENCE, TwilioLeg, call_bridge

NEEDS = {"talk_openai": "openai", "talk_sounddevice": "picows"}

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="needs the source tree: examples/")


def run_example(name: str, *arguments: str) -> str:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    command = [sys.executable, "-X", "utf8", str(EXAMPLES / f"{name}.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["talk_openai", "talk_websockets"])
def test_a_talk(name: str, tmp_path: Path) -> None:
    output = run_example(name, "Where is it?", "--loopback", "--out", str(tmp_path))
    assert output == clients.TRANSCRIPT + "\n"
    with wave.open(str(tmp_path / "answer.wav"), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == clients.PCM


@pytest.mark.slow
@pytest.mark.parametrize("name", ["talk_openai", "talk_websockets"])
def test_a_spoken_question(name: str, tmp_path: Path) -> None:
    """The server hears what the file says, sample for sample."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    speech = tmp_path / "question.wav"
    samples = np.arange(24_000, dtype=np.int16)
    write_wav(speech, samples)
    with loopback(clients.FRAMES) as server:
        base = server.base_url
        urls = {"talk_websockets": f"import {name} as m; m.URL = {server.url!r}", "talk_openai": f"import {name} as m"}
        code = f"import asyncio, sys; sys.path.insert(0, {str(EXAMPLES)!r}); {urls[name]}; asyncio.run(m.main())"
        command = [sys.executable, "-X", "utf8", "-c", code, "--speech", str(speech), "--out", str(tmp_path)]
        environment = os.environ | {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": base}
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        said = [entry.message for entry in server.recent_calls[0].recording if entry.direction == "sent"]
    heard = [message.pcm for message in said if isinstance(message, client_messages.InputAudioBufferAppend)]
    assert len(heard) == 50 and np.array_equal(np.concatenate(heard), samples)
    assert done.stdout == clients.TRANSCRIPT + "\n"


def write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def heard_of(path: Path) -> np.ndarray:
    """What a speaker played, without the silence between."""
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.asarray(samples[samples != 0])


def test_a_conversation_with_a_file_pair(tmp_path: Path) -> None:
    """The answer is interrupted: what the file has is the answer's beginning, and what the server holds is what was heard."""
    write_wav(tmp_path / "in.wav", np.tile(np.repeat(np.array([1000, -1000], np.int16), 12), 1_000))
    with loopback(clients.FRAMES, pace=2.0, interrupt=1.2) as server:
        files = ("--input", str(tmp_path / "in.wav"), "--output", str(tmp_path / "out.wav"))
        os.environ.setdefault("OPENAI_API_KEY", "none")
        output = run_example("talk_sounddevice", "--url", server.url, *files)
        call = server.recent_calls[0]
    item = next(item for item in call.items if item.role == "assistant")
    assert 1_200 <= item.sent_ms < 1_500 and item.status == "incomplete" and item.transcript is None
    assert f"[interrupted after {item.audio_ms} ms]" in output
    pcm = np.frombuffer(clients.PCM, "<i2")
    heard = heard_of(tmp_path / "out.wav")
    assert len(heard) > 0 and np.array_equal(heard, pcm[pcm != 0][: len(heard)])
    # All that was heard lies within the milliseconds that the server was told, but for a part of the last one.
    told = pcm[: item.audio_ms * 24]
    assert np.count_nonzero(told) <= len(heard) <= np.count_nonzero(pcm[: (item.audio_ms + 1) * 24])
    spoken = [entry.message for entry in call.recording if entry.direction == "sent"]
    said = [message.pcm for message in spoken if isinstance(message, client_messages.InputAudioBufferAppend)]
    assert len(said) >= 25 and set(np.concatenate(said).tolist()) <= {0, 1000, -1000}
    assert [message.type for message in spoken if message is not None].count("conversation.item.truncate") == 1
    errors = [entry.message for entry in call.recording if isinstance(entry.message, messages.Error)]
    assert errors == []


def test_the_conversation_needs_both_files(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "talk_sounddevice.py"), "--loopback", "--input", "x.wav"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "--input and --output belong together" in done.stderr


def lines_of(name: str) -> int:
    return len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines())


def phone_bytes(samples: np.ndarray) -> bytes:
    """The mu-law of samples. It has two zeros, of which an encoder writes one."""
    return compressed("g711_ulaw", samples).replace(b"\x7f", b"\xff")


SPEECH_THEN_SILENCE = [HUM] * 30 + [SILENCE] * 30


def test_the_phone_bridge() -> None:
    """Every sample reaches the caller, at 8 kHz."""
    pytest.importorskip("picows")
    module = load(EXAMPLES / "twilio_bridge.py")
    assert lines_of("twilio_bridge") < 60
    expected = phone_bytes(clients.at_rate(8_000))

    async def call() -> TwilioLeg:
        async with LoopbackServer(pace=100) as server:
            async with call_bridge(lambda phone: module.bridge(phone, server.url, "none"), speed=50) as leg:
                await leg.say(*SPEECH_THEN_SILENCE)
                await leg.until(lambda: len(leg.heard) >= len(expected))
            [item] = [item for item in server.recent_calls[-1].items if item.role == "assistant"]
            assert item.audio_ms == item.sent_ms == len(expected) // 8
        return leg

    leg = clients.run(call())
    assert leg.heard == expected and leg.cleared == 1  # when the caller began to speak
    assert len(leg.marks) == len(set(leg.marks)) > 10


def test_the_phone_bridge_is_interrupted() -> None:
    """By marks: what the server then holds is what was played when it was told, and the caller hears little more."""
    pytest.importorskip("picows")
    module = load(EXAMPLES / "twilio_bridge.py")

    async def call() -> tuple[TwilioLeg, int, int]:
        async with LoopbackServer(pace=4, interrupt=1.2) as server:
            async with call_bridge(lambda phone: module.bridge(phone, server.url, "none"), speed=2) as leg:
                await leg.say(*SPEECH_THEN_SILENCE)
                await leg.until(lambda: leg.cleared == 2)
                [item] = [item for item in server.recent_calls[-1].items if item.role == "assistant"]
                await leg.until(lambda: item.audio_ms < item.sent_ms)
                held = item.audio_ms
                await asyncio.sleep(0.3)  # the piece that is being played when the caller speaks is played to its end
        return leg, held, item.sent_ms

    leg, held, sent = clients.run(call())
    heard = len(leg.heard) // 8
    assert 0 < held <= heard < sent and 1_200 <= sent < 1_500
    assert leg.heard == phone_bytes(clients.at_rate(8_000)[: len(leg.heard)])
    assert heard - held <= 500  # marks stand between pieces of 100 to 250 ms


def tone(rate: int, seconds: float) -> np.ndarray:
    return np.asarray(np.rint(8_000 * np.sin(np.arange(int(rate * seconds)) * (2 * np.pi * 400 / rate))), np.int16)


class GeminiServer:
    """A model that speaks the frames of Gemini Live: it answers the first speech with a tone, in pieces of 250 ms."""

    def __init__(self, speed: float, interrupt: float | None = None) -> None:
        self.setup: object = None
        self.heard: list[np.ndarray] = []
        self.ended = asyncio.Event()
        self._speed, self._interrupt = speed, interrupt

    async def converse(self, ws: Any) -> None:
        self.setup = json.loads(await ws.recv())
        await ws.send(b'{\n  "setupComplete": {}\n}\n')  # Gemini sends binary frames, some of them pretty-printed
        answering = None
        async for message in rp.decode_stream(ws, catalogue=gemini, side="client"):
            if isinstance(message, gemini.RealtimeInput):
                assert message.format == "audio/pcm;rate=16000" and message.audio_format == rp.AudioFormat("pcm16", 16_000)
                self.heard.append(message.pcm)
                if answering is None and sum(map(len, self.heard)) > 8_000:
                    answering = asyncio.create_task(self.answer(ws))

    async def answer(self, ws: Any) -> None:
        voice = rp.AudioEncoder(gemini.ServerContent, audio_format="pcm16", format="audio/pcm;rate=24000")
        sent = 0.0
        for piece in np.split(tone(24_000, 4), 16):
            if self._interrupt is not None and sent >= self._interrupt:
                await ws.send(gemini.ServerContent(interrupted=True).frame_text)
                break
            await ws.send(voice.encode_bytes(piece))
            sent += 0.25
            await asyncio.sleep(0.25 / self._speed)
        await ws.send(gemini.ServerContent(turn_complete=True).frame_text)
        self.ended.set()


async def call_gemini(model: GeminiServer, speed: float, enough: Callable[[TwilioLeg], bool]) -> TwilioLeg:
    from websockets.asyncio.server import serve

    from realtime_pcm import client

    bridge = load(EXAMPLES / "gemini_bridge.py").bridge
    async with serve(model.converse, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        there = client.gemini("a-model", key="none", base_url=url)
        async with call_bridge(lambda phone: bridge(phone, there), speed) as leg:
            await leg.say(*SPEECH_THEN_SILENCE)
            await model.ended.wait()
            await leg.until(lambda: enough(leg))
    return leg


def samples_of(mulaw: bytes) -> np.ndarray:
    frame = rp.encode_append(mulaw, audio_format="g711_ulaw")
    message = rp.decode(frame, side="client", audio_format="g711_ulaw")
    assert isinstance(message, client_messages.InputAudioBufferAppend)
    return message.pcm


def test_the_bridge_to_gemini() -> None:
    """The caller hears the tone of the model at 8 kHz, and the model the hum of the caller at 16 kHz."""
    pytest.importorskip("picows")
    pytest.importorskip("soxr")
    assert lines_of("gemini_bridge") < 60
    model = GeminiServer(speed=100)
    leg = clients.run(call_gemini(model, 50, lambda leg: len(leg.heard) >= 32_000))
    assert isinstance(model.setup, dict) and model.setup["setup"]["model"] == "models/a-model"
    assert leg.cleared == 0 and len(leg.marks) == 16 and len(leg.heard) == 32_000
    off = samples_of(bytes(leg.heard))[400:-400].astype(float) - tone(8_000, 4)[400:-400]
    assert np.sqrt(np.mean(off**2)) < 200  # of 5,657: mu-law keeps about seven bits
    said = np.concatenate(model.heard).astype(float)
    hum = samples_of(b"".join(SPEECH_THEN_SILENCE)).astype(float)
    assert abs(len(said) - 2 * len(hum)) < 1_600
    assert np.sqrt(np.mean(said[:8_000] ** 2)) == pytest.approx(np.sqrt(np.mean(hum[:4_000] ** 2)), rel=0.1)


def test_the_bridge_to_gemini_is_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    """What waits at Twilio is dropped, and the marks say how much of it was heard."""
    pytest.importorskip("picows")
    pytest.importorskip("soxr")
    model = GeminiServer(speed=8, interrupt=2.0)
    leg = clients.run(call_gemini(model, 2, lambda leg: leg.cleared == 1))
    found = re.fullmatch(r"the caller interrupted after (\d+) ms\n", capsys.readouterr().out)
    assert found
    assert 0 < int(found[1]) < 2_000 and abs(len(leg.heard) / 8 - int(found[1])) <= 350


def test_the_bridge_to_gemini_ends_a_call_whose_model_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    """Refused, or closed in the middle: one line, fit for a terminal, without the key; and the bridge hangs up."""
    pytest.importorskip("picows")
    from websockets.asyncio.server import serve

    from realtime_pcm import client

    bridge = load(EXAMPLES / "gemini_bridge.py").bridge

    def refuse(connection: Any, request: Any) -> Any:
        return None if "good" in request.headers["x-goog-api-key"] else connection.respond(403, "who is \x1b[31mbad-key-0123?")

    async def converse(ws: Any) -> None:
        await ws.recv()
        await ws.close(1011, "\x1b]0;title\x07evil")

    async def call(key: str) -> None:
        async with serve(converse, "127.0.0.1", 0, process_request=refuse) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            there = client.gemini("a-model", key=key, base_url=url)
            async with call_bridge(lambda phone: bridge(phone, there), 1, hang_up=False):
                pass

    for key, said in (
        ("bad-key-0123", r"403 Forbidden: who is \x1b[31m***?"),
        ("good-key-0123", r"code 1011: \x1b]0;title\x07evil"),
    ):
        clients.run(call(key))
        output = capsys.readouterr().out
        assert output.startswith("the call ended: ") and said in output and "key-0123" not in output


def test_the_server_in_60_lines() -> None:
    from websockets.sync.client import connect

    program = (EXAMPLES / "server_60_lines.py").read_text(encoding="utf-8").splitlines()
    first = program.index("async def converse(ws: ServerConnection) -> None:")
    assert sum(bool(line.strip()) for line in program[first:]) <= 60
    command = [sys.executable, "-X", "utf8", str(EXAMPLES / "server_60_lines.py"), "--port", "0"]
    samples = np.arange(-24_000, 24_000, dtype=np.int16)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        with connect(url, max_size=None) as ws:
            stream = rp.decode_stream(ws)
            created = next(stream)
            assert created.type == "session.created" and stream.decoder.audio_format == rp.AudioFormat("pcm16", 24_000)
            encoder = rp.AudioEncoder(session=stream.decoder.session)
            for name, rate in (("audio/pcm", 24_000), ("audio/pcm", 16_000), ("audio/pcma", 8_000), ("audio/opus", 8_000)):
                format_ = {"format": {"type": name, "rate": rate}}
                ws.send(json.dumps({"type": "session.update", "event_id": "e", "session": {"audio": {"input": format_}}}))
                settled = next(stream)
                if name == "audio/opus":
                    assert settled.type == "error" and settled.error.event_id == "e"
                    assert stream.decoder.audio_format == rp.AudioFormat("g711_alaw", 8_000)
                    break
                assert settled.type == "session.updated" and stream.decoder.audio_format.rate == rate
                ws.send('{"type":"input_audio_buffer.append","audio":"AAAA"}')
                ws.send('{"type":"input_audio_buffer.clear"}')
                for block in np.split(samples, 100):
                    ws.send(encoder.encode(block))
                ws.send('{"type":"input_audio_buffer.commit"}')
                heard = []
                while (message := next(stream)).type != "response.done":
                    if isinstance(message, messages.ResponseAudioDelta):
                        heard.append(message.pcm)
                again = rp.decode(encoder.encode(samples), side="client", audio_format=encoder.audio_format)
                assert np.array_equal(np.concatenate(heard), again.pcm)
            ws.send("{")
            assert next(stream).type == "error"
    finally:
        process.kill()
        process.wait(30)


def test_a_replay_over_a_connection() -> None:
    output = run_example("replay_jsonl", "--loopback", "--speed", "100")
    assert output == f"{clients.TRANSCRIPT}\nplayed {len(clients.PCM) / 48_000:.3f} s of audio\n"


def test_a_replay_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(b"\n\n".join([*clients.FRAMES, b'{"type":7}']))
    output = run_example("replay_jsonl", str(path), "--speed", "100")
    assert output.startswith(clients.TRANSCRIPT + "\n")
    assert re.search(r"\n\[.* at byte 8: '7'\]\n", output), output[-200:]
    assert output.endswith(f"played {len(clients.PCM) / 48_000:.3f} s of audio\n")


def test_an_agent_runs_the_tools_that_the_model_calls(capsys: pytest.CaptureFixture[str]) -> None:
    """The server's first answer calls two functions, the second of which does not exist, and the next one is text."""
    pytest.importorskip("picows")
    agent = load(EXAMPLES / "agent_tools.py")
    assert len((EXAMPLES / "agent_tools.py").read_text(encoding="utf-8").splitlines()) <= 60
    calls = [
        ConversationItem(type="function_call", name="weather", call_id="call_1", arguments='{"place":"Oslo"}'),
        ConversationItem(type="function_call", name="tides", call_id="call_2", arguments="{}"),
    ]
    frames = [
        messages.SessionCreated(session={"type": "realtime"}),
        messages.SessionUpdated(session={"type": "realtime"}),
        messages.ResponseCreated(response={"id": "resp_1"}),
        messages.ResponseDone(response=RealtimeResponse(id="resp_1", status="completed", output=calls)),
        messages.ResponseCreated(response={"id": "resp_2"}),
        # The server waits for what the tools return.
        messages.ResponseTextDelta(response_id="resp_2", item_id="item_2", delta="3.5 degrees below zero."),
        messages.ResponseDone(response={"id": "resp_2", "status": "completed", "output": []}),
    ]
    with loopback([message.frame for message in frames]) as server:
        asyncio.run(agent.ask(server.url, "How warm is it in Oslo?"))
        said = [entry.message for entry in server.recent_calls[0].recording if entry.direction == "sent"]
    assert capsys.readouterr().out == "3.5 degrees below zero.\n"
    assert isinstance(said[0], client_messages.SessionUpdate) and said[0].session is not None and said[0].session.tools
    items = [message.item for message in said if isinstance(message, client_messages.ConversationItemCreate)]
    question, *outputs = [item for item in items if item is not None]
    assert question.content is not None and question.content[0].text == "How warm is it in Oslo?"
    assert [(item.type, item.call_id) for item in outputs] == [
        ("function_call_output", "call_1"),
        ("function_call_output", "call_2"),
    ]
    assert json.loads(str(outputs[0].output)) == {"place": "Oslo", "degrees": -3.5}
    assert json.loads(str(outputs[1].output)) == {"error": "KeyError: 'tides'"}
