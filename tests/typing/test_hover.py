"""What an editor shows: pyright's language server is asked over its own protocol, as an editor asks it."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """\
import realtime_pcm as rp
from realtime_pcm import client_messages, messages, objects
from realtime_pcm.playback import PlaybackBuffer

decoder = rp.Decoder(dtype="int16")
message = decoder.decode(b"")
again = rp.decode(b"", dtype="float32")
stream = rp.decode_stream([b""], only=(messages.ResponseAudioDelta, messages.Error))
for one in stream:
    if isinstance(one, messages.ResponseAudioDelta):
        print(one.pcm, one.sample_offset, one.audio_format, one.incomplete_sample)
encoder = rp.AudioEncoder(session=decoder.session)
encoder.encode(b"")
player = PlaybackBuffer(24_000)
player.read(bytearray(2))
print(messages.ResponseDone.canonical_type)


def fields(one: messages.ResponseFunctionCallArgumentsDone, two: messages.ConversationItemTruncated) -> None:
    print(one.type, one.item_id, one.call_id, one.arguments, two.audio_end_ms)


def nested(one: messages.SessionCreated, two: messages.ConversationItemDone, three: objects.RateLimit) -> None:
    if one.session and two.item:
        print(one.session.instructions, one.session.tools, two.item.status, two.item.role, two.item.content, three.remaining)
    client_messages.SessionUpdate(session={})
"""
# A name of the program, and what the editor must show for it: a shape, a dtype, a unit, an error.
SHOWN = {
    "Decoder": ["Decodes the frames of one connection", '"float32"', "TypeError:"],
    "decode": ["DecodeError:", "out:"],
    "decode_stream": ["The messages of a source", "DecodeError:"],
    "ResponseAudioDelta": ["'response.output_audio.delta', 'response.audio.delta'", "A piece of the model's speech"],
    "pcm": ["1-D array", "int16"],
    "sample_offset": ["Counted in samples"],
    "audio_format": ["samples per second"],
    "incomplete_sample": ["no whole sample"],
    "AudioEncoder": ["Encodes samples as the frames", "24,000 Hz"],
    "encode": ["Encodes samples as one frame", "1-D array of int16"],
    "PlaybackBuffer": ["sound card"],
    "read": ["How many samples were audio", "(n, channels)"],
    "canonical_type": ["first of the wire names"],
    # fields, with their types
    "type": ["Literal['response.function_call_arguments.done']"],
    "item_id": ["item_id: str | None", "The item that it belongs to."],
    "call_id": ["call_id: str | None", "its output carries the same id"],
    "arguments": ["arguments: str | None", "JSON text"],
    "audio_end_ms": ["audio_end_ms: int | None", "milliseconds"],
    "one.session": ["session: SessionConfig | None", "all of its settings"],
    "instructions": ["instructions: str | None", "Instructions for the model"],
    "tools": ["tools: list[Tool] | None", "may call"],
    "two.item": ["item: ConversationItem | None", "as the server has it"],
    "status": ["status: str | None", "`in_progress`, `completed` or `incomplete`"],
    "role": ["role: str | None", "`system`, `user` or `assistant`"],
    "content": ["content: list[ContentPart] | None", "parts of a message"],
    "remaining": ["remaining: int | None", "The remainder"],
}


class LanguageServer:
    """pyright-langserver over its standard input and output."""

    def __init__(self, folder: Path) -> None:
        command = shutil.which("pyright-langserver", path=str(Path(sys.executable).parent))
        assert command, "pyright-langserver comes with the package pyright"
        self.process = subprocess.Popen([command, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self.numbers = itertools.count(1)

    def send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        read: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return read

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self.numbers)
        self.send(id=number, method=method, params=params)
        while True:
            answer = self.read()
            if answer.get("method") == "workspace/configuration":
                settings = {"pythonPath": sys.executable}
                self.send(id=answer["id"], result=[settings for _ in answer["params"]["items"]])
            elif "method" in answer and "id" in answer:
                self.send(id=answer["id"], result=None)
            elif answer.get("id") == number:
                return answer.get("result")


def test_hover_and_signature(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    document = {"uri": program.as_uri()}
    server = LanguageServer(tmp_path)
    try:
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {"hover": {"contentFormat": ["plaintext"]}, "signatureHelp": {}},
        }
        folders = [{"uri": tmp_path.as_uri(), "name": "program"}]
        server.ask(
            "initialize",
            {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": capabilities, "workspaceFolders": folders},
        )
        server.send(method="initialized", params={})
        server.send(
            method="textDocument/didOpen",
            params={"textDocument": {**document, "languageId": "python", "version": 1, "text": PROGRAM}},
        )
        lines = PROGRAM.splitlines()

        def place(text: str, offset: int = 0) -> dict[str, Any]:
            line = next(number for number, line in enumerate(lines) if text in line)
            return {"textDocument": document, "position": {"line": line, "character": lines[line].index(text) + offset}}

        missing: list[tuple[str, str, str]] = []
        for name, wanted in SHOWN.items():
            text = name if "." in name or f".{name}" not in PROGRAM else f".{name}"
            shown = server.ask("textDocument/hover", place(text, len(text) - 1))
            assert shown, name
            value = " ".join(shown["contents"]["value"].split())
            missing += [(name, text, value) for text in wanted if text not in value]
            print(shown["contents"]["value"], end="\n\n----\n")
        assert not missing
        called = server.ask("textDocument/signatureHelp", place("Decoder(", 8))
        parameters = "dtype audio_format only side session"
        assert all(f"{name}:" in called["signatures"][0]["label"] for name in parameters.split()), called
        called = server.ask("textDocument/signatureHelp", place("SessionUpdate(", 14))
        keyword = "session: SessionConfig | dict[str, Any] | None"
        assert keyword in called["signatures"][0]["label"] and "event_id: str | None" in called["signatures"][0]["label"], called
    finally:
        server.process.kill()
        server.process.wait()
