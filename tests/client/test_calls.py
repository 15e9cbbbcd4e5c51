"""Calls with the loopback server: both directions, errors matched to what was sent, the settled session, recordings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("picows")

import realtime_pcm as rp
from realtime_pcm import client_messages, messages
from realtime_pcm.client import Call, CallClosed, connect
from realtime_pcm.recording import read_recording
from realtime_pcm.testing import LoopbackServer
from support.raw_server import Peer, frame, raw_server
from support.stream_clients import ANSWERED, FRAMES, PCM, TRANSCRIPT, audio_of, request, run, transcript_of

SESSION_UPDATE, RESPONSE_CREATE = request("session.update", "response.create")


async def until(call: Call[Any], kind: type[Any]) -> list[Any]:
    """The messages to the first of a class, that one included."""
    got = []
    async for message in call:
        got.append(message)
        if isinstance(message, kind):
            return got
    raise AssertionError(f"the call ended without {kind.__name__}")


def test_a_whole_turn() -> None:
    async def talk() -> list[Any]:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as call:
            await call.send(SESSION_UPDATE)
            await call.send(RESPONSE_CREATE)
            return await until(call, messages.RateLimitsUpdated)

    got = run(talk())
    assert [message.type for message in got] == [event["type"] for event in ANSWERED]
    assert audio_of(got) == PCM and transcript_of(got) == TRANSCRIPT


def test_what_goes_out_is_a_text_or_anything_with_a_frame() -> None:
    async def talk() -> list[dict[str, Any]]:
        async with LoopbackServer(FRAMES) as server:
            async with connect(server.url) as call:
                await call.send(client_messages.SessionUpdate(session=json.loads(SESSION_UPDATE)["session"]))
                await call.send(SESSION_UPDATE.encode())
                await call.send('{"type":"input_audio_buffer.clear","event_id":"mine"}')
                await until(call, messages.InputAudioBufferCleared)
            return server.received

    first, second, third = run(talk())
    assert first.pop("event_id") == "client_1" and second.pop("event_id") == "client_2"
    assert first == second == json.loads(SESSION_UPDATE)
    assert third == {"type": "input_audio_buffer.clear", "event_id": "mine"}


def test_what_is_no_message_is_not_sent() -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server:
            async with connect(server.url) as call:
                for text in ('{"type":"response.create"', "{}", "[]"):
                    with pytest.raises(rp.DecodeError):
                        await call.send(text)
                await call.send(RESPONSE_CREATE)
                await until(call, messages.ResponseDone)
            assert [event["type"] for event in server.received] == ["response.create"]

    run(talk())


def test_an_error_is_matched_to_what_was_sent() -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as call:
            await call.send(SESSION_UPDATE)
            await call.send('{"type":"response.cancel"}')
            *_, error = await until(call, messages.Error)
            assert error.error.code == "response_cancel_not_active"
            assert call.refused(error) == '{"event_id":"client_2","type":"response.cancel"}'
            other = rp.decode('{"type":"error","error":{"type":"x","message":"y","event_id":"event_of_nobody"}}')
            assert isinstance(other, messages.Error) and call.refused(other) is None
            unnamed = rp.decode('{"type":"error","error":"odd"}')
            assert isinstance(unnamed, messages.Error) and call.refused(unnamed) is None

    run(talk())


def test_no_more_than_the_last_256_messages_are_kept_for_errors() -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as call:
            for _ in range(300):
                await call.send('{"type":"response.cancel"}')
            about = [call.refused(message) async for message in _first(call, 300) if isinstance(message, messages.Error)]
            assert about.count(None) == 44 and all(about[44:])
            await call.send('{"type":"conversation.item.create","item":{"id":"%s"}}' % ("x" * (1 << 20)))
            assert call._requests._kept_bytes <= 1 << 20

    run(talk())


async def _first(call: Call[Any], errors: int) -> Any:
    """The messages, until so many of them were errors."""
    async for message in call:
        yield message
        errors -= isinstance(message, messages.Error)
        if not errors:
            return


# --- audio


def test_audio_waits_for_the_format_that_the_session_settles() -> None:
    async def talk() -> tuple[rp.AudioFormat, list[Any]]:
        async with LoopbackServer(FRAMES) as server:
            async with connect(server.url) as call:
                audio = {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}
                await call.send(json.dumps({"type": "session.update", "session": {"type": "realtime", "audio": audio}}))
                await call.send_audio(np.zeros(1_600, np.int16))  # nothing was read yet
                settled = call.session.input_audio_format
                await call.send('{"type":"input_audio_buffer.commit"}')
                await until(call, messages.InputAudioBufferCommitted)
            return settled, server.recent_calls[0].recording

    settled, recording = run(talk())
    assert settled == rp.AudioFormat("g711_ulaw", 8_000)
    [audio] = [entry.message for entry in recording if entry.direction == "sent" and "append" in (entry.message.type)]
    assert audio.audio_format.encoding == "g711_ulaw" and len(audio.pcm) == 1_600


@pytest.mark.parametrize("names_it", [True, False], ids=["the error names it", "the error names no event"])
def test_a_refused_update_settles_the_session_too(names_it: bool) -> None:
    async def talk() -> None:
        async def handle(peer: Peer) -> None:
            await peer.accept(frame(b'{"type":"session.created","session":{}}'))
            asked = json.loads((await peer.receive())[1])
            error = {
                "type": "error",
                "error": {"type": "invalid_request_error", "event_id": asked["event_id"] if names_it else None},
            }
            peer.send(frame(json.dumps(error).encode()))
            assert b"input_audio_buffer.append" in (await peer.receive())[1]
            peer.send(frame(b'{"type":"input_audio_buffer.committed"}'))
            await peer.until_closed()

        # With `only`, the messages that settle a session are left out, and still seen.
        async with raw_server(handle) as url, connect(url, only=messages.InputAudioBufferCommitted) as call:
            await call.send(SESSION_UPDATE)
            await call.send_audio(np.zeros(480, np.int16))
            assert (await anext(call)).type == "input_audio_buffer.committed"

    run(talk())


def test_audio_goes_when_it_is_awaited_and_once() -> None:
    async def talk() -> list[Any]:
        async with LoopbackServer(FRAMES) as server:
            async with connect(server.url) as call:
                first = anext(call)
                await first
                with pytest.raises(RuntimeError, match="awaited before"):
                    await first
                call._settled = False  # as until the answer to an update
                call._heard.clear()
                waiting = asyncio.create_task(call.send_audio(np.full(480, 1, np.int16)))
                await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                call._settled = True
                dropped = call.send_audio(np.full(480, 2, np.int16))
                dropped.close()
                sent = call.send_audio(np.full(480, 3, np.int16))
                await sent
                with pytest.raises(RuntimeError, match="awaited before"):
                    await sent
                await asyncio.create_task(call.send_audio(np.full(480, 4, np.int16)))
                with pytest.warns(RuntimeWarning, match="never awaited"):
                    call.send_audio(np.full(480, 6, np.int16))  # type: ignore[unused-coroutine]
                with pytest.raises(TypeError):  # and no warning
                    await call.send_audio(np.zeros(480, np.int64))
                with pytest.raises(KeyError):
                    call.send_audio(np.full(480, 5, np.int16)).throw(KeyError("mine"))
                await call.send('{"type":"input_audio_buffer.clear"}')
                await until(call, messages.InputAudioBufferCleared)
            return server.recent_calls[0].recording

    appended = [entry.message.pcm for entry in run(talk()) if entry.direction == "sent" and "append" in entry.message.type]
    assert [pcm[0] for pcm in appended] == [3, 4] and {len(pcm) for pcm in appended} == {480}


def test_a_session_that_is_never_settled_is_a_timeout_that_says_so() -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept()
        await peer.until_closed()

    async def talk() -> None:
        async with raw_server(handle) as url, connect(url, timeout=0.5) as call:
            call._timeout = 0.02
            with pytest.raises(TimeoutError, match=r"not settled the session within 0.02 s.*encode_append"):
                await call.send_audio(np.zeros(480, np.int16))

    run(talk())


def test_audio_that_waits_when_the_call_ends_raises() -> None:
    async def handle(peer: Peer) -> None:
        await peer.accept()
        await peer.receive()
        peer.send(b"\x88\x02\x03\xf3")

    async def talk() -> None:
        async with raw_server(handle) as url, connect(url) as call:
            waiting = asyncio.create_task(call.send_audio(np.zeros(480, np.int16)))
            await call.send(SESSION_UPDATE)
            with pytest.raises(CallClosed) as raised:
                await waiting
            assert raised.value.code == 1011

    run(talk())


def test_audio_of_another_rate_is_resampled_as_it_streams() -> None:
    pytest.importorskip("soxr")
    tone = np.rint(8_000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)).astype(np.int16)

    async def talk() -> list[Any]:
        async with LoopbackServer(FRAMES) as server:
            async with connect(server.url) as call:
                await call.send(
                    '{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":null}}}}'
                )
                for start in range(0, len(tone), 960):
                    await call.send_audio(tone[start : start + 960], rate=48_000)
                await call.send('{"type":"input_audio_buffer.commit"}')
                await until(call, messages.InputAudioBufferCommitted)
            return server.recent_calls[0].recording

    appended = [e.message.pcm for e in run(talk()) if e.direction == "sent" and "append" in e.message.type]
    heard = np.concatenate(appended)
    assert len(heard) == 24_000  # the commit sends the rest
    wanted = 8_000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)
    assert np.abs(heard - wanted)[100:-100].max() < 20


def test_long_audio_goes_as_frames_that_servers_take() -> None:
    speech = np.arange(600_000).astype(np.int16)

    async def talk() -> list[Any]:
        async with LoopbackServer(FRAMES) as server:
            async with connect(server.url) as call:
                await call.send(
                    '{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":null}}}}'
                )
                await call.send_audio(speech)
                await call.send('{"type":"input_audio_buffer.commit"}')
                await until(call, messages.InputAudioBufferCommitted)
            return server.recent_calls[0].recording

    appended = [e.message.pcm for e in run(talk()) if e.direction == "sent" and "append" in e.message.type]
    assert [len(pcm) for pcm in appended] == [240_000, 240_000, 120_000]
    assert np.array_equal(np.concatenate(appended), speech)


@pytest.mark.parametrize("pcm", [[1, 2, 3], np.zeros((2, 2), np.int16), np.zeros(3, np.int64), "text"])
@pytest.mark.parametrize("rate", [None, 48_000])
def test_audio_of_a_wrong_kind_is_refused(pcm: Any, rate: int | None) -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as call:
            with pytest.raises((TypeError, ValueError)):
                await call.send_audio(pcm, rate=rate)

    run(talk())


@pytest.mark.parametrize(
    ("rate", "error"), [("48000", TypeError), (48_000.0, TypeError), (True, TypeError), (0, ValueError), (-1, ValueError)]
)
def test_a_rate_of_a_wrong_kind_is_refused(rate: Any, error: type[Exception]) -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as call:
            with pytest.raises(error, match="samples per second"):
                await call.send_audio(np.zeros(480, np.int16), rate=rate)

    run(talk())


@pytest.mark.parametrize("message", [5, None, {"type": "response.create"}, bytearray(b"{}")])
def test_what_is_no_message_is_refused(message: Any) -> None:
    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url) as call:
            with pytest.raises(TypeError, match=r"send\(\) takes the text of a message"):
                await call.send(message)

    run(talk())


@pytest.mark.parametrize("endpoint", [None, 5, b"ws://localhost:1/"])
def test_what_is_no_endpoint_is_refused(endpoint: Any) -> None:
    async def talk() -> None:
        with pytest.raises(TypeError, match="Endpoint"):
            async with connect(endpoint):
                pass

    run(talk())


# --- options of decode_stream


def test_only_dtype_and_errors_are_those_of_decode_stream() -> None:
    async def talk(**options: Any) -> tuple[list[Any], Call[Any]]:
        got: list[Any] = []
        async with LoopbackServer(FRAMES, faults=["bad_base64@2"]) as server, connect(server.url, **options) as call:
            await call.send(RESPONSE_CREATE)
            while not got or not isinstance(got[-1], messages.ResponseDone):
                try:
                    got.append(await anext(call))
                except rp.DecodeError as error:
                    got.append(error)
            return got, call

    wanted = (messages.ResponseAudioDelta, messages.ResponseDone)
    got, call = run(talk(only=wanted, dtype="float32"))
    [error] = [item for item in got if isinstance(item, rp.DecodeError)]
    assert error.field == "delta" and call.skipped == 0
    assert {type(item) for item in got} == {*wanted, rp.DecodeError} and got[0].pcm.dtype == np.float32
    got, call = run(talk(only=wanted, errors="skip"))
    assert {type(item) for item in got} == {*wanted} and call.skipped == 1
    assert audio_of(got) == PCM
    got, _ = run(talk(only=wanted, errors="skip", audio_format="g711_ulaw"))
    assert got[0].audio_format == rp.AudioFormat("g711_ulaw", 8_000) and len(got[0].pcm) == 4_800
    got, _ = run(talk(errors="yield"))
    [invalid] = [item for item in got if isinstance(item, rp.InvalidFrame)]
    assert invalid.error.field == "delta"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"errors": "ignore"}, ValueError),
        ({"dtype": "int8"}, ValueError),
        ({"only": "no.such.type"}, ValueError),
        ({"only": 5}, TypeError),
        ({"append": messages.ResponseDone}, TypeError),
    ],
)
def test_wrong_options_are_refused_before_anything_is_connected(options: dict[str, Any], error: type[Exception]) -> None:
    async def talk() -> None:
        with pytest.raises(error):
            async with connect("ws://localhost:1/", **options):
                pass

    run(talk())


# --- recordings


def test_both_sides_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl.gz"

    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server, connect(server.url, record=path) as call:
            await call.send(SESSION_UPDATE)
            await call.send_audio(np.zeros(480, np.int16))
            await call.send(RESPONSE_CREATE)
            await until(call, messages.RateLimitsUpdated)
            assert call.recorder is not None

    run(talk())
    entries = list(read_recording(path))
    assert [e.message.type for e in entries if e.direction == "received"] == [event["type"] for event in ANSWERED]
    sent = [entry.message.type for entry in entries if entry.direction == "sent"]
    assert sent == ["session.update", "input_audio_buffer.append", "response.create"]


def test_a_recording_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    path.write_text("kept")

    async def talk() -> None:
        async with LoopbackServer(FRAMES) as server:
            with pytest.raises(FileExistsError):
                async with connect(server.url, record=path):
                    pass
            assert server.connections == 0

    run(talk())
    assert path.read_text() == "kept"
