"""Text of frames is data wherever it is printed: functions, errors, the command line and the examples, as a terminal gets it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

import realtime_pcm as rp
from realtime_pcm.terminal import shown_name, shown_text
from support.command import environment, run
from support.paths import EXAMPLES, load

# A title, a screen clear, a link and a way back to the line's beginning, in both forms of control codes; reversed text;
# and rich's markup.
EVIL = "\x1b]0;title\x07\x1b[2J\x1b]8;;https://evil.example\x1b\\link\r\x9b2J\x08\x7f\x00\u202eesrever\u202c\u2066x\u2069"
MARKUP = "[/bold] [link=https://evil.example]click[/link] [red]:heart:"
LEGIT = "naïve 日本語 עברית العربية हिन्दी 👩‍👩‍👧 10 000 €\n\tnext\u00a0line"

needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="needs the source tree: examples/")


def unfit(text: str) -> list[str]:
    """Characters that a terminal would obey, or that reorder what is around them; the newline and the tab are none."""
    return [
        c
        for c in text
        if (ord(c) < 0x20 and c not in "\n\t")
        or 0x7F <= ord(c) < 0xA0
        or c in "\u2028\u2029"
        or "\u202a" <= c <= "\u202e"
        or "\u2066" <= c <= "\u2069"
        or "\ud800" <= c <= "\udfff"
    ]


def without_colours(output: str) -> str:
    """What rich itself writes: selections of colours and nothing else."""
    return re.sub(r"\x1b\[[0-9;]*m", "", output)


# --- the functions


def test_a_text_keeps_every_script_and_loses_every_control() -> None:
    assert shown_text(LEGIT) == LEGIT
    assert shown_text(MARKUP) == MARKUP  # data, and rich is told so where it prints
    assert unfit(EVIL)
    shown = shown_text(EVIL)
    assert not unfit(shown)
    assert shown.startswith(r"\x1b]0;title\x07\x1b[2J\x1b]8;;https://evil.example\x1b\link\r\x9b2J\x08\x7f\x00\u202eesrever")


@pytest.mark.parametrize("text", ["", "plain", "a b", "tab\tand\nnewline"])
def test_plain_text_is_as_it_was(text: str) -> None:
    assert shown_text(text) == text


@pytest.mark.slow
def test_every_character_by_itself() -> None:
    for code in range(sys.maxunicode + 1):
        text = f"a{chr(code)}b"
        shown = shown_text(text)
        if unfit(text):
            assert shown == f"a{ascii(chr(code))[1:-1]}b"
        else:
            assert shown == text
        if code < 0x3000 or 0xD700 < code < 0xE100:
            name = shown_name(text)
            assert name.isprintable() and name == (text if text.isprintable() else ascii(text))


def test_a_name_is_one_line_of_bounded_length() -> None:
    assert shown_name("response.audio.delta") == "response.audio.delta"
    assert shown_name("日本語") == "日本語"
    assert shown_name("a\nb") == r"'a\nb'"
    assert shown_name("x" * 4_000_000) == "x" * 100 + "... 4000000 characters"
    shown = shown_name(EVIL * 1000)
    assert shown.isprintable() and len(shown) < 1100


# --- errors


def test_what_an_error_says_is_safe_to_print() -> None:
    evil = json.dumps(EVIL)[1:-1]
    for frame in (
        f'{{"type":"{evil}","x":}}',
        f'{{"type":"x","{evil}":}}',
        f'{{"type":"response.audio.delta","format":"{evil}","delta":"AAAA"}}',
        f'{{"type":"response.audio.delta","delta":"{evil}"}}',
        '{"type":"x","\u202e":\u202e',
        '{"type":"x","y":"\ud800"}',
        b'{"type":"x","y":"\x9b"}',
        b"\x1b",
    ):
        with pytest.raises(rp.DecodeError) as caught:
            rp.decode(frame)
        error = caught.value
        [invalid] = rp.decode_stream([frame], errors="yield")
        for text in (str(error), repr(error), repr(invalid)):
            assert text.isprintable(), ascii(text)


def test_why_aiohttp_closed_is_safe_to_print() -> None:
    """aiohttp has no exception for a close of the peer: the text is ours, the reason in it the peer's."""
    aiohttp = pytest.importorskip("aiohttp")
    from websockets.asyncio.server import serve

    async def handler(ws: Any) -> None:
        await ws.close(1011, "\x1b]0;title\x07\u202eevil")

    async def talk() -> str:
        async with serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with aiohttp.ClientSession() as session, session.ws_connect(f"http://127.0.0.1:{port}/") as ws:
                with pytest.raises(aiohttp.WebSocketError) as caught:
                    await anext(rp.decode_stream(ws))
                return str(caught.value)

    assert asyncio.run(talk()).endswith(r"connection closed with code 1011: \x1b]0;title\x07\u202eevil")


# --- the command line

AUDIO = {"type": "response.output_audio.delta", "delta": "AAABAA=="}


def transcript(delta: object) -> dict[str, Any]:
    return {"type": "response.output_audio_transcript.delta", "delta": delta}


def command(*arguments: str, code: int = 0) -> tuple[str, str]:
    """Run as on a colour terminal of 200 columns; stdout and stderr as they were written."""
    pytest.importorskip("typer")
    done = run(*arguments, status=code, env=environment(FORCE_COLOR="1", TERM="xterm-256color"))
    return done.output, done.errors


def recorded(folder: Path, *events: object, name: str = "call.jsonl") -> str:
    path = folder / name
    path.write_text("\n".join(event if isinstance(event, str) else json.dumps(event) for event in events))
    return str(path)


def test_extract_prints_a_hostile_recording_as_data(tmp_path: Path) -> None:
    said = {"item_id": EVIL, "response_id": "r1", "content_index": 0}
    file = recorded(
        tmp_path,
        {"type": MARKUP, "event_id": EVIL},
        {"type": EVIL},
        {**transcript(EVIL), **said},
        {**AUDIO, **said},
        {**transcript(MARKUP), "item_id": MARKUP},
        {**transcript(LEGIT), "item_id": "legit"},
        '{"type":"%s","x":}' % json.dumps(EVIL)[1:-1],
        {**AUDIO, "delta": "AAA*"},
    )
    output, errors = command("extract", file, "--out", str(tmp_path / "out"), code=1)
    assert "\x1b[" in output  # it was a terminal to rich
    text = without_colours(output)
    assert not unfit(text), ascii("".join(unfit(text)))
    assert not unfit(errors) and errors.count("\n") == 1 and "2 lines were refused; the first: line 7: " in errors
    assert MARKUP[:50] in text and r"\x1b]0;title\x07" in text and "naïve 日本語 עברית" in text
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert all(name.isprintable() and not unfit(name) for name in names)
    assert names[0].startswith("001-model-") and names[1:] == [
        "summary.json",
        "transcript.srt",
        "transcript.txt",
        "transcript.vtt",
    ]
    # People look at transcripts in terminals, too. The summary holds what was said, as JSON.
    for name in names[1:]:
        assert not unfit((tmp_path / "out" / name).read_bytes().decode())
    summary = json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert [item["transcript"] for item in summary["items"]] == [EVIL.strip(), MARKUP, LEGIT]


def test_bench_prints_a_hostile_recording_as_data(tmp_path: Path) -> None:
    bad = '{"type":"%s","x":}' % json.dumps(EVIL + MARKUP)[1:-1]
    output, errors = command("bench", recorded(tmp_path, AUDIO, bad), "--seconds", "0", code=1)
    assert not unfit(without_colours(output)) and not unfit(errors)
    assert "refused frames were skipped: 1" in errors and r"\x1b]0;title\x07" in errors


def test_transcript_deltas_that_are_no_text_are_left_out_and_counted(tmp_path: Path) -> None:
    odd = [transcript(delta) for delta in (5, 1.5, True, ["a"], {"a": 1}, None)]
    file = recorded(tmp_path, transcript("before "), *odd, transcript("after"))
    _, errors = command("extract", file, "--out", str(tmp_path / "out"), code=1)
    assert "left out: 5 transcripts that are not text" in errors
    assert (tmp_path / "out" / "transcript.txt").read_text().endswith("model: before after\n")


def test_a_recording_of_many_types_and_rates_is_summed_up(tmp_path: Path) -> None:
    types = [{"type": f"type.{number}"} for number in range(5000)]
    audio = [{**AUDIO, "item_id": f"item_{number % 50}", "sample_rate_hz": 8000 + number} for number in range(500)]
    output, errors = command("extract", recorded(tmp_path, *types, *audio), "--out", str(tmp_path / "out"), code=1)
    assert "... and 30 more items" in output and len(output.splitlines()) < 30
    unknown, rates = errors.splitlines()
    assert "none of the first 200 frames has a type that is known" in unknown
    assert "then pcm16 8050 Hz; so do 49 others" in rates
    assert len(list((tmp_path / "out").glob("*.wav"))) == 500


def test_the_largest_rate_that_a_session_can_name(tmp_path: Path) -> None:
    session = {"type": "session.updated", "session": {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 2**31 - 1}}}}}
    command("extract", recorded(tmp_path, session, AUDIO), "--joined", "--out", str(tmp_path / "out"), code=1)
    with wave.open(str(tmp_path / "out" / "001-model.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (2**31 - 1, 2)
    # A second of it would be gigabytes of joined.wav.
    assert not (tmp_path / "out" / "joined.wav").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_file_name_is_data_too(tmp_path: Path) -> None:
    """A downloaded recording may have any name."""
    file = recorded(tmp_path, AUDIO, name="\x1b]0;t\x07[bold]a.jsonl")
    for arguments, code in (
        (["extract", file, "--out", str(tmp_path / "\x1b[2J")], 0),
        (["extract", str(tmp_path / "*.jsonl"), "--out", str(tmp_path / "out")], 0),
        (["bench", file, "--seconds", "0"], 0),
        (["extract", file + "x", "--out", str(tmp_path / "out")], 1),
    ):
        output, errors = command(*arguments, code=code)
        text = without_colours(output) + errors
        assert not unfit(text)
        assert r"\x1b]0;t\x07[bold]a." in text
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["__0_t__bold_a"]


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([AUDIO, '{"type":"%s","x":}' % json.dumps(EVIL)[1:-1]], "line 2: "),
        (["[" * 100_000], "line 1: more than 1024 levels"),
        pytest.param(
            ['{"type":"x","y":' + "[" * 1000 + "]" * 1000 + "}"],
            "frame 1 of the recording",
            marks=pytest.mark.skipif(sys.version_info >= (3, 12), reason="json reads 1,000 levels from Python 3.12 on"),
        ),
        (["[]"], "line 1: expected a JSON object at byte 0"),
        (["{}"], 'line 1: no "type"'),
        (["", EVIL, "[]"], "line 2: binary frame, not JSON"),
        ([{**AUDIO, "delta": "*"}], "line 1: "),
    ],
)
def test_serve_refuses_a_hostile_recording_in_words(tmp_path: Path, events: list[object], says: str) -> None:
    _, errors = command("serve", recorded(tmp_path, *events), "--port", "0", code=1)
    text = without_colours(errors)
    assert not unfit(text)
    assert says in re.sub(r"[\s│]+", " ", text)


# --- the examples

ANSWER = [
    {"type": "session.created", "session": {}},
    {"type": EVIL},
    {"type": "response.audio.delta", "delta": "AAABAA=="},
    transcript(5),
    transcript(None),
    transcript(EVIL),
    transcript(LEGIT),
]


def ask_example(monkeypatch: pytest.MonkeyPatch, name: str, url: str, out: Path) -> str | None:
    """The example as its user runs it, with another server than the provider's; what it exits with."""
    pytest.importorskip("openai" if name == "talk_openai" else "websockets")
    module = load(EXAMPLES / f"{name}.py")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", url.replace("ws", "http", 1).removesuffix("/realtime"))
    monkeypatch.setattr(module, "URL", url, raising=False)
    monkeypatch.setattr(sys, "argv", [name, "Who are you?", "--out", str(out)])

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await module.main()

    try:
        asyncio.run(bounded())
    except SystemExit as stop:
        return str(stop.code)
    return None


@needs_examples
@pytest.mark.parametrize("name", ["talk_openai", "talk_websockets"])
def test_an_example_prints_a_hostile_answer_as_data(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("websockets")
    from realtime_pcm.testing import loopback

    frames = [json.dumps(event) for event in [*ANSWER, {"type": "response.done"}]]
    with loopback(frames) as server:
        assert ask_example(monkeypatch, name, server.url, tmp_path) is None
    output = capsys.readouterr().out
    assert not unfit(output)
    assert output == shown_text(EVIL) + LEGIT + "\n"


@needs_examples
@pytest.mark.parametrize("name", ["talk_openai", "talk_websockets"])
@pytest.mark.parametrize("error", [EVIL, {"code": EVIL, "message": MARKUP}], ids=["text", "object"])
def test_an_example_ends_with_a_hostile_error_as_data(
    name: str, error: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("websockets")
    from realtime_pcm.testing import loopback

    with loopback([json.dumps(event) for event in [*ANSWER, {"type": "error", "error": error}]]) as server:
        ended = ask_example(monkeypatch, name, server.url, tmp_path)
    assert ended is not None and ended.startswith("error: ")
    assert r"\x1b]0;title\x07" in ended
    assert not unfit(ended) and not unfit(capsys.readouterr().out)


@needs_examples
@pytest.mark.parametrize("name", ["talk_openai", "talk_websockets"])
def test_an_example_ends_with_a_hostile_close_as_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("websockets")
    from websockets.asyncio.server import serve

    async def handler(ws: Any) -> None:
        await ws.send('{"type":"session.created"}')
        async for text in ws:
            if json.loads(text)["type"] == "response.create":
                await ws.close(1011, "\x1b]0;title\x07\u202eevil")

    # The example runs its own loop in this thread; the server has one in another.
    import threading

    ready, stop = threading.Event(), threading.Event()
    found: list[int] = []

    async def listen() -> None:
        async with serve(handler, "127.0.0.1", 0) as server:
            found.append(next(iter(server.sockets)).getsockname()[1])
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(listen(),))
    thread.start()
    try:
        assert ready.wait(30)
        ended = ask_example(monkeypatch, name, f"ws://127.0.0.1:{found[0]}/v1/realtime", tmp_path)
    finally:
        stop.set()
        thread.join(30)
    assert ended is not None and r"\x1b]0;title\x07\u202eevil" in ended
    assert not unfit(ended)


@needs_examples
def test_a_replay_prints_a_hostile_recording_as_data(tmp_path: Path) -> None:
    frames = [json.dumps(event) for event in [*ANSWER, {"type": "response.done"}]]
    frames.insert(2, '{"type":"%s","x":}' % json.dumps(EVIL)[1:-1])
    path = tmp_path / "call.jsonl"
    path.write_text("\n".join(frames))
    done = subprocess.run(
        [sys.executable, "-X", "utf8", str(EXAMPLES / "replay_jsonl.py"), str(path)], capture_output=True, timeout=60, check=True
    )
    output = done.stdout.decode()
    assert not unfit(output)
    assert shown_text(EVIL) + LEGIT in output and "\n[" in output


@needs_examples
def test_the_phone_bridge_ends_a_call_whose_model_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("websockets")
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed

    module = load(EXAMPLES / "twilio_bridge.py")

    async def model(ws: Any) -> None:
        await ws.recv()
        await ws.close(1011, "\x1b]0;title\x07evil")

    async def call() -> None:
        async with serve(model, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            async with serve(lambda phone: module.bridge(phone, url, "none"), "127.0.0.1", 0) as bridge:
                async with connect(f"ws://127.0.0.1:{next(iter(bridge.sockets)).getsockname()[1]}") as phone:
                    with pytest.raises(ConnectionClosed):
                        while True:
                            await phone.send('{"event":"media","media":{"payload":"//8="}}')
                            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(call(), 30))
    output = capsys.readouterr().out
    assert output.startswith("the call ended: ") and r"\x1b]0;title\x07evil" in output
    assert not unfit(output)


@needs_examples
@pytest.mark.parametrize("told", ["session.updated", "delta"])
def test_the_phone_bridge_stops_where_the_server_ignores_the_wish_for_mu_law(
    told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether it says so, or sends pcm16 without a word: no byte of it reaches the caller as mu-law."""
    pytest.importorskip("websockets")
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve

    module = load(EXAMPLES / "twilio_bridge.py")
    pcm16 = {"format": {"type": "audio/pcm", "rate": 24_000}}
    frames = {
        "session.updated": {"type": "session.updated", "session": {"audio": {"input": pcm16, "output": pcm16}}},
        "delta": {"type": "response.output_audio.delta", "item_id": "i", "delta": "AAAA"},
    }

    async def model(ws: Any) -> None:
        await ws.send('{"type":"session.created","session":{}}')
        await ws.recv()
        await ws.send(json.dumps(frames[told]))
        await ws.send(json.dumps(frames["delta"]))
        await ws.wait_closed()

    async def call() -> list[Any]:
        async with serve(model, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            async with serve(lambda phone: module.bridge(phone, url, "none"), "127.0.0.1", 0) as bridge:
                async with connect(f"ws://127.0.0.1:{next(iter(bridge.sockets)).getsockname()[1]}") as phone:
                    return [text async for text in phone]

    assert asyncio.run(asyncio.wait_for(call(), 30)) == []
    assert "the samples have a rate of 24000, the format 8000" in capsys.readouterr().out
