"""Frames that no server of the six sockets should send: each has a defined message or a refusal, and bounded memory."""

from __future__ import annotations

import base64
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm.sockets import acs, elevenlabs, gemini, plivo, telnyx, twilio
from support.socket_conversations import ALL, b64, content

SOUND = b64(bytes(range(1, 9)))
UNKNOWN = ("UnknownServerMessage", "")


def parts(*given: Any) -> dict[str, Any]:
    return content(modelTurn={"parts": list(given)})


def blob(data: Any, mime: str = "audio/pcm;rate=24000") -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": data}}


@pytest.mark.parametrize(
    ("catalogue", "frame", "cls", "extra"),
    [
        # two discriminators: the class that was declared first, or the tag before the keys
        (gemini, {"toolCall": {"functionCalls": []}, "serverContent": {}}, "ServerContent", {"toolCall": {"functionCalls": []}}),
        (gemini, {"usageMetadata": {"a": 1}, "goAway": {"timeLeft": "1s"}}, "GoAway", {"usageMetadata": {"a": 1}}),
        (elevenlabs, {"type": "ping", "audio": {}, "audio_event": {}}, "Ping", {"audio": {}, "audio_event": {}}),
        (acs, {"Kind": "AudioData", "kind": "DtmfData", "dtmfData": {"data": "1"}}, "DtmfData", {"Kind": "AudioData"}),
        # a discriminator of the wrong type, or none
        (twilio, {"event": 5, "media": {"payload": SOUND}}, *UNKNOWN),
        (twilio, {"event": {"media": 1}}, *UNKNOWN),
        (telnyx, {"event": None, "stream_id": "s"}, *UNKNOWN),
        (plivo, {"event": ["start"]}, *UNKNOWN),
        (acs, {"kind": True, "audioData": {}}, *UNKNOWN),
        (elevenlabs, {"type": 5, "ping_event": {}}, *UNKNOWN),
        (gemini, {"servercontent": {}}, *UNKNOWN),
        (gemini, {}, *UNKNOWN),
        (gemini, {"serverContent": "text"}, "ServerContent", {"serverContent": "text"}),
        # paths through values of other kinds
        (twilio, {"event": "media", "media": [{"payload": SOUND}]}, "Media", {"media": [{"payload": SOUND}]}),
        (twilio, {"event": "media", "media": "payload"}, "Media", {"media": "payload"}),
        (
            gemini,
            content(modelTurn={"parts": {"inlineData": {}}}),
            "ServerContent",
            content(modelTurn={"parts": {"inlineData": {}}}),
        ),
        (gemini, content(modelTurn=[1], turnComplete=7), "ServerContent", content(modelTurn=[1])),
        (acs, {"kind": "AudioMetadata", "audioMetadata": 5}, "AudioMetadata", {}),
    ],
)
def test_frames_that_no_server_should_send(catalogue: Any, frame: dict[str, Any], cls: str, extra: Any) -> None:
    text = json.dumps(frame)
    for form in (text, text.encode(), json.dumps(frame, indent=4).encode(), bytearray(text.encode())):
        message = rp.decode(form, catalogue=catalogue)
        assert type(message).__name__ == cls
        assert message.extra == (frame if extra == "" else extra)
        assert message.to_dict() == frame
        if hasattr(message, "pcm"):
            assert message.pcm.size == 0
        repr(message)


@pytest.mark.parametrize(
    ("catalogue", "frame", "match"),
    [
        (twilio, {"event": "media", "media": {"payload": {"a": 1}}}, "media.payload: expected a base64 string or null"),
        (twilio, {"event": "media", "media": {"payload": "f39/f3*="}}, "media.payload: not base64"),
        (acs, {"kind": "AudioData", "audioData": {"data": 5}}, "audioData.data: expected a base64 string"),
        (
            elevenlabs,
            {"audio_event": {"audio_base_64": [SOUND]}, "type": "audio"},
            "audio_event.audio_base_64: expected a base64",
        ),
        (gemini, parts(blob(SOUND), blob(7)), r"parts\[\].inlineData.data: expected a base64 string or null"),
        (gemini, parts(blob(SOUND), blob(SOUND, "audio/pcm;rate=16000")), "audio of two formats in one message"),
        (gemini, parts(blob(SOUND, "audio/mp3")), "audio format 'audio/mp3' is neither PCM nor"),
        (gemini, [content()], "expected a JSON object"),
        (gemini, "serverContent", "expected a JSON object"),
    ],
)
def test_frames_that_are_refused(catalogue: Any, frame: Any, match: str) -> None:
    for form in (json.dumps(frame), json.dumps(frame, indent=1).encode()):
        decoder = rp.Decoder(catalogue=catalogue)
        with pytest.raises(rp.DecodeError, match=match) as caught:
            decoder.decode(form)
        assert 0 <= caught.value.position <= len(form)
        assert decoder.decode("{}").type == ""  # and goes on


def test_ten_thousand_parts_take_memory_of_their_size() -> None:
    pieces = [blob(b64(bytes((number & 255, number >> 8)))) for number in range(10_000)]
    frame = json.dumps(parts(*pieces)).encode()
    rp.decode(frame, catalogue=gemini)
    tracemalloc.start()
    message = rp.decode(frame, catalogue=gemini)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(message, gemini.ServerContent)
    assert np.array_equal(message.pcm, np.arange(10_000))
    assert peak < 2.5 * len(frame) + 1_000_000


def test_a_value_in_a_member_that_does_not_count_is_forgotten() -> None:
    """Of duplicate keys the last one counts, also for what stood inside the first."""

    def one(text: str) -> Any:
        return rp.decode('{"serverContent":{"modelTurn":' + text + "}}", catalogue=gemini)

    for value in ('{"a":1}', "[1]", '"a"', "null"):
        message = one('{"parts":[{"text":' + value + '}]},"modelTurn":"x"')
        assert (message.text, message.pcm.size) == (None, 0)
    message = one('{"parts":[{"text":null},{"text":"a","text":"b"}]}')
    assert message.text == "b"
    message = one('{"parts":[{"inlineData":{"data":null}},{"inlineData":{"data":"AAA=","data":null}}]}')
    assert message.pcm.size == 0


@pytest.mark.parametrize("escape", ["\\u002d\\u005f", "\\u002D\\u005F", "-_", "\\u002b\\/"])
def test_the_url_safe_letters_may_be_escaped(escape: str) -> None:
    raw = base64.b64decode("AAAA+/8=")
    text = '{"realtimeInput":{"audio":{"data":"AAAA' + escape + '8="}}}'
    assert rp.decode(text, catalogue=gemini, side="client").pcm.tobytes() + b"" == raw[: len(raw) // 2 * 2]
    both = text[:-1] + ',"realtime_input":{"audio":{"data":"' + escape + 'AA"}}}'
    message = rp.decode(both, catalogue=gemini, side="client", dtype="uint8")
    assert message.pcm.tobytes() == raw + base64.b64decode("+/AA")
    with pytest.raises(rp.DecodeError, match="not base64 at byte") as caught:
        rp.decode(both.replace('AA"}}}', '*A"}}}'), catalogue=gemini, side="client")
    assert caught.value.frame[caught.value.position] == "*"


@pytest.mark.parametrize("name", ALL)
def test_binary_and_pretty_printed_frames_are_the_same_messages(name: str) -> None:
    modules: dict[str, Any] = {"gemini": gemini, "elevenlabs": elevenlabs, "twilio": twilio, "acs": acs}
    frames = [frame for _, way, frame in ALL[name] if way == "received"]
    plain = list(rp.decode_stream([json.dumps(frame) for frame in frames], catalogue=modules[name]))
    binary = list(rp.decode_stream([json.dumps(frame, indent=2).encode() for frame in frames], catalogue=modules[name]))
    assert plain == binary and len(plain) == len(frames)
