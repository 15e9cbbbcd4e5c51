"""What clients send: their audio as streams, the formats that they ask for, and two decoders that share one session."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Literal

import numpy as np
import pytest

import realtime_pcm as rp
from realtime_pcm import AudioFormat, client_messages, messages
from support.own_classes import declared
from support.session_frames import ALAW, DEFAULT, PCM, RAW, ULAW, b64, delta, done, dumps, nested, response, session

AT_16K = AudioFormat("pcm16", 16000)


def append(raw: bytes = RAW, wire: str = "input_audio_buffer.append", **values: Any) -> bytes:
    return dumps(type=wire, **values, audio=b64(raw))


def update(kind: str = "session.update", **values: Any) -> bytes:
    return session(kind, **values)


def client(**options: Any) -> rp.Decoder[Any]:
    return rp.Decoder(side="client", **options)


def pair(**options: Any) -> tuple[rp.Decoder[Any], rp.Decoder[Any]]:
    """A decoder for each side of one conversation: what the server sends, and what the client does."""
    server = rp.Decoder(**options)
    return server, client(session=server.session, **options)


# ---- the user's speech is a stream

# A wire name that appends, and those that end what it has appended.
STREAMS = [
    (
        "input_audio_buffer.append",
        ("input_audio_buffer.commit", "input_audio_buffer.clear", "session.finish", "input.cancel", "input_audio_buffer.done"),
    ),
    ("session.input_audio_buffer.append", ("session.close",)),
    ("session.input_audio.append", ("session.close",)),
    ("input_audio.turn.append", ("input_audio.turn.end", "input_audio.turn.cancel", "input_audio.clear")),
]


@pytest.mark.parametrize(("wire", "end"), [(wire, end) for wire, ends in STREAMS for end in ends])
def test_appended_audio_is_one_stream_until_its_end(wire: str, end: str, tier: str) -> None:
    decoder = client()
    pieces = [RAW[:3], RAW[3:4], b"", RAW[4:9], RAW[9:11]]
    for turn in range(2):
        found = [decoder.decode(append(piece, wire, turn_id=f"turn_{turn}")) for piece in pieces]
        assert all(isinstance(message, client_messages.ClientAudioMessage) for message in found)
        assert np.concatenate([message.pcm for message in found]).tobytes() == RAW[:10]
        assert [message.sample_offset for message in found] == [0, 1, 2, 2, 4]
        assert {message.incomplete_sample for message in found} == {b""}
        assert {message.audio_format for message in found} == {DEFAULT}
        ended = decoder.decode(dumps(type=end))
        assert isinstance(ended, client_messages.ClientAudioEnd) and ended.incomplete_sample == RAW[10:11]
        assert decoder.decode(dumps(type=end)).incomplete_sample == b""
    assert decoder.evicted_bytes == 0


def test_every_end_of_the_catalogue_is_tested_above() -> None:
    tested = {end for _, ends in STREAMS for end in ends}
    assert tested == {cls.canonical_type for cls in client_messages.ClientAudioEnd.__subclasses__() if cls.__module__ != __name__}


def test_what_ends_nothing() -> None:
    decoder = client()
    decoder.decode(append(RAW[:5]))
    for wire in ("response.create", "response.cancel", "output_audio_buffer.clear", "input_text_buffer.commit", "not.known",
                 "input_audio.turn.start", "session.input_audio.mute", "conversation.item.truncate"):  # fmt: skip
        assert not hasattr(decoder.decode(dumps(type=wire)), "incomplete_sample")
    decoder.decode(update(instructions="Be brief."))
    message = decoder.decode(append(RAW[5:8]))
    assert (message.pcm.tobytes(), message.sample_offset) == (RAW[4:8], 2)


def test_other_dtypes() -> None:
    decoder = client(dtype="float32")
    found = [decoder.decode(append(piece)) for piece in (RAW[:5], RAW[5:])]
    assert np.array_equal(np.concatenate([message.pcm for message in found]), PCM / np.float32(32768))
    assert found[1].sample_offset == 2
    # The payload as it was sent: nothing is carried, and offsets count bytes.
    decoder = client(dtype="uint8")
    found = [decoder.decode(append(piece)) for piece in (RAW[:5], RAW[5:])]
    assert [message.pcm.tobytes() for message in found] == [RAW[:5], RAW[5:]]
    assert [message.sample_offset for message in found] == [0, 5]
    assert decoder.decode(dumps(type="input_audio_buffer.commit")).incomplete_sample == b""


def test_out_takes_the_samples() -> None:
    out = np.zeros(16, "int16")
    message = client().decode(append(), out)
    assert message.pcm.base is out and np.array_equal(out[:8], PCM)


def test_without_a_session() -> None:
    for _ in range(2):
        message = rp.decode(append(RAW[:5]), side="client")
        assert (message.pcm.tobytes(), message.incomplete_sample, message.sample_offset) == (RAW[:4], RAW[4:5], None)
    message = rp.decode(append(b"\xff\x7f"), side="client", audio_format="mulaw")
    assert (message.audio_format, message.pcm.dtype, message.pcm.size) == (ULAW, np.int16, 2)
    assert rp.decode(dumps(type="input_audio_buffer.commit"), side="client").incomplete_sample == b""


def test_a_refused_frame_changes_nothing() -> None:
    decoder = client()
    decoder.decode(append(RAW[:3]))
    for bad, field in (
        (b'{"type":"input_audio_buffer.append","audio":"AAA*"}', "audio"),
        (b'{"type":"input_audio_buffer.append","audio":7}', "audio"),
        (b'{"type":"input_audio_buffer.append","audio":"AAAA"', None),
        (b'{"type":"input_audio_buffer.commit"', None),
        (b'{"type":"session.update","session":{"input_audio_format":"g711_ulaw"}', None),
    ):
        with pytest.raises(rp.DecodeError) as error:
            decoder.decode(bad)
        assert error.value.field == field
        assert error.value.message_type in (None, bad.split(b'"')[3].decode())
    message = decoder.decode(append(RAW[3:]))
    assert (message.pcm.tobytes(), message.sample_offset, message.audio_format) == (RAW[2:], 1, DEFAULT)


# ---- formats


@pytest.mark.parametrize(
    "said",
    [
        {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_alaw"},
        {"audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}}},
    ],
)
def test_without_a_server_the_client_s_word_holds_at_once(said: dict[str, Any], tier: str) -> None:
    decoder = client()
    asked = decoder.decode(update(**said))
    assert isinstance(asked, client_messages.SessionUpdate)
    assert (decoder.input_audio_format, decoder.audio_format) == (ULAW, ALAW)
    message = decoder.decode(append())
    assert (message.audio_format, message.pcm.size) == (ULAW, 16)
    # What a server then sends has the other format, until it says which.
    server = rp.Decoder(session=decoder.session)
    assert server.decode(delta(response_id="r")).audio_format == ALAW


def test_formats_of_each_message_that_names_them() -> None:
    decoder = client()
    decoder.decode(update("transcription_session.update", input_audio_format="g711_alaw"))
    assert (decoder.input_audio_format, decoder.audio_format) == (ALAW, DEFAULT)
    decoder.decode(update("session.start", audio={"format": {"type": "audio/pcm", "rate": 16000}}))
    assert (decoder.input_audio_format, decoder.audio_format) == (AT_16K, AT_16K)
    # DashScope's newer clients.
    decoder.decode(update(audio={"input": {"format": {"type": "pcm", "sample_rate": 8000}}}))
    assert (decoder.input_audio_format, decoder.audio_format) == (AudioFormat("pcm16", 8000), AT_16K)
    decoder.decode(update(input_audio_format="pcm", sample_rate=16000))
    assert decoder.input_audio_format == AT_16K
    # What says nothing changes nothing: vLLM has no session at all.
    for frame in (dumps(type="session.update", model="m"), update(), update(audio=None), update(input_audio_format=None)):
        decoder.decode(frame)
        assert (decoder.input_audio_format, decoder.audio_format) == (AT_16K, AT_16K)


def test_the_server_settles_what_it_sends() -> None:
    server, user = pair()
    server.decode(session("session.created", input_audio_format="pcm16", output_audio_format="pcm16"))
    user.decode(update(input_audio_format="g711_ulaw", output_audio_format="g711_alaw"))
    # What the client sends from now on is what it says; what comes from the server is on its way.
    assert (server.input_audio_format, server.audio_format) == (ULAW, DEFAULT)
    assert user.decode(append()).audio_format == ULAW
    assert server.decode(delta(response_id="r")).audio_format == DEFAULT
    server.decode(session("session.updated", input_audio_format="g711_ulaw", output_audio_format="g711_alaw"))
    assert (user.input_audio_format, user.audio_format) == (ULAW, ALAW)
    assert server.decode(delta(response_id="r")).audio_format == ALAW
    assert user.decode(append()).audio_format == ULAW


def test_the_server_s_word_is_the_last() -> None:
    server, user = pair()
    server.decode(session("session.created"))
    user.decode(update(input_audio_format="g711_ulaw", output_audio_format="g711_ulaw"))
    server.decode(session("session.updated", input_audio_format="pcm16", output_audio_format="g711_alaw"))
    assert (user.input_audio_format, user.audio_format) == (DEFAULT, ALAW)
    # A new session begins afresh for both.
    user.decode(append(RAW[:3]))
    server.decode(session("session.created"))
    message = user.decode(append(RAW[:2]))
    assert (message.sample_offset, message.audio_format, message.pcm.tobytes()) == (0, DEFAULT, RAW[:2])
    assert server.evicted_bytes == user.evicted_bytes == 1


def asking(event_id: str | None = None, **values: Any) -> bytes:
    return dumps(type="session.update", **({} if event_id is None else {"event_id": event_id}), session=values)


def refused(event_id: str | None = None, **values: Any) -> bytes:
    return dumps(type="error", event_id="event_of_the_server", error={"message": "no", "event_id": event_id}, **values)


@pytest.mark.parametrize("begun", [True, False])
def test_a_refused_update_leaves_the_formats_as_they_were(begun: bool) -> None:
    server, user = pair()
    if begun:
        server.decode(session("session.created", input_audio_format="pcm16_8000hz", output_audio_format="g711_alaw"))
    before = (server.input_audio_format, server.audio_format)
    for event_id in (None, "update_1"):
        user.decode(asking(event_id, input_audio_format="g711_ulaw", output_audio_format="pcm16_16000hz"))
        assert user.decode(append()).audio_format == ULAW
        server.decode(refused(event_id))
        assert (server.input_audio_format, server.audio_format) == before
        assert user.decode(append()).audio_format == before[0]
        assert server.decode(delta(response_id="r")).audio_format == before[1]
    # GPT-Live names the refused message beside the error.
    user.decode(asking("update_2", input_audio_format="g711_ulaw"))
    server.decode(refused(client_event_id="update_2"))
    assert (server.input_audio_format, server.audio_format) == before
    # The encoder of the session follows.
    user.decode(asking(input_audio_format="g711_ulaw"))
    assert rp.AudioEncoder(session=server.session).audio_format == ULAW
    server.decode(refused())
    assert rp.AudioEncoder(session=server.session).audio_format == before[0]


def test_a_refused_update_takes_the_rate_beside_its_format_back() -> None:
    server = rp.Decoder()
    client = rp.Decoder(side="client", session=server.session)
    server.decode(dumps(type="session.created", session={"input_audio_format": "pcm16"}))
    update = {"input_audio_format": "pcm16", "input_audio_sampling_rate": 8000}
    client.decode(dumps(type="session.update", event_id="update_1", session=update))
    assert server.input_audio_format.rate == 8000
    server.decode(refused("update_1"))
    server.decode(dumps(type="session.updated", session={"input_audio_format": "pcm16"}))
    assert server.input_audio_format.rate == 24000


def test_an_error_about_something_else_refuses_no_update() -> None:
    server, user = pair()
    server.decode(session("session.created"))
    user.decode(asking("update_1", input_audio_format="g711_ulaw"))
    for error in (refused(), refused("truncate_1"), refused("x" * 5000), dumps(type="error"), dumps(type="error", error="full")):
        server.decode(error)
        assert server.input_audio_format == ULAW
    # Once the server has answered, an error that names the update comes too late.
    server.decode(session("session.updated", input_audio_format="g711_ulaw"))
    server.decode(refused("update_1"))
    assert server.input_audio_format == ULAW
    # An update that names no format is nothing to take back.
    user.decode(asking("update_2", instructions="Be brief."))
    server.decode(refused("update_2"))
    assert server.input_audio_format == ULAW


def test_of_two_updates_the_refused_one_is_taken_back() -> None:
    server, user = pair()
    server.decode(session("session.created"))
    user.decode(asking("a", input_audio_format="g711_ulaw"))
    user.decode(asking("b", input_audio_format="g711_alaw"))
    server.decode(refused("a"))
    assert server.input_audio_format == ALAW
    server.decode(refused("b"))
    assert server.input_audio_format == DEFAULT
    user.decode(asking("a", input_audio_format="g711_ulaw"))
    user.decode(asking("b", input_audio_format="g711_alaw"))
    server.decode(session("session.updated", input_audio_format="g711_ulaw"))
    server.decode(refused("b"))
    assert server.input_audio_format == ULAW


def test_a_response_of_the_server_is_its_word_too() -> None:
    """A client that joins late: what the server already sends keeps its format until the server names another."""
    for frame in (response("response.created", "r"), response("response.done", "r")):
        server, user = pair()
        server.decode(frame)
        user.decode(update(output_audio_format="g711_ulaw"))
        assert server.decode(delta(response_id="r")).audio_format == DEFAULT


def test_the_rate_of_a_session_stays_where_a_client_names_the_encoding_alone() -> None:
    """DashScope: `sample_rate` stands beside the format, and an update of the older API names "pcm16" without it."""
    server, user = pair()
    server.decode(session("session.created", sample_rate=16000, input_audio_format="pcm", output_audio_format="pcm"))
    user.decode(update(input_audio_format="pcm16", output_audio_format="pcm16"))
    assert user.decode(append()).audio_format == AT_16K
    server.decode(session("session.updated", input_audio_format="pcm"))
    assert (server.input_audio_format, server.audio_format) == (AT_16K, DEFAULT)
    # Names that hold a rate, other encodings, and rates in their own object keep theirs.
    for name, found in (("pcm16_8000hz", AudioFormat("pcm16", 8000)), ("g711_ulaw", ULAW), ("pcm16", AT_16K)):
        user.decode(update(input_audio_format=name))
        assert server.input_audio_format == found
    user.decode(update(**nested({"type": "audio/pcm", "rate": 24000}, side="input")))
    assert server.input_audio_format == DEFAULT
    user.decode(update(input_audio_format="pcm16", sample_rate=8000))
    assert server.input_audio_format == AudioFormat("pcm16", 8000)
    # A new session knows nothing of it.
    server.decode(session("session.created", input_audio_format="pcm"))
    user.decode(update(input_audio_format="pcm16"))
    assert server.input_audio_format == DEFAULT


def test_a_fixture_is_pcm16_at_24_khz_whatever_the_session_says(tier: str) -> None:
    """The reference of GPT-Live: "regardless of the session audio format"."""
    server, user = pair()
    server.decode(session("session.started", audio={"format": {"type": "audio/pcmu", "rate": 8000}}))
    assert (server.input_audio_format, server.audio_format) == (ULAW, ULAW)
    message = user.decode(append(RAW, "session.output_audio.fixture.play"))
    assert message.audio_format == DEFAULT and message.pcm.tobytes() == RAW
    encoder = rp.AudioEncoder(client_messages.SessionOutputAudioFixturePlay, session=server.session)
    assert encoder.audio_format == DEFAULT
    assert rp.decode(encoder.encode(PCM), side="client").pcm.tobytes() == RAW
    assert user.decode(append(RAW, "session.input_audio.append")).audio_format == ULAW
    # The format of a caller who forces one is that of all audio.
    assert client(audio_format="mulaw").decode(append(RAW, "session.output_audio.fixture.play")).audio_format == ULAW


def test_the_user_s_speech_that_a_server_copies_is_encoded_in_the_input_format() -> None:
    decoder = rp.Decoder()
    both = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcm", "rate": 16000}}}
    decoder.decode(session("session.started", audio=both))
    encoder = rp.AudioEncoder(messages.SessionInputAudioAppend, session=decoder.session)
    assert encoder.audio_format == ULAW
    said = rp.AudioEncoder(messages.ResponseAudioDelta, session=decoder.session)
    assert said.audio_format == AT_16K
    frame = encoder.encode(np.array([0, 32124, -32124], np.int16))
    assert decoder.decode(frame).pcm.tolist() == [0, 32124, -32124]


def test_a_format_that_is_no_pcm_is_named() -> None:
    decoder = client()
    decoder.decode(update(input_audio_format="webm", output_audio_format="pcm"))
    with pytest.raises(rp.DecodeError, match=r"audio: audio format 'webm' is neither PCM nor G\.711"):
        decoder.decode(append(client_timestamp=1731999464667))
    raw = client(dtype="uint8", session=decoder.session).decode(append(b"RIFF", client_timestamp=1731999464667))
    assert (raw.pcm.tobytes(), raw.client_timestamp) == (b"RIFF", 1731999464667)


def test_a_format_in_the_message_itself() -> None:
    """vLLM-Omni's clients name it in each message."""
    decoder = client()
    message = decoder.decode(append(format="pcm16", sample_rate_hz=16000, duration_ms=20))
    assert (message.audio_format, message.duration_ms) == (AT_16K, 20)
    with pytest.raises(rp.DecodeError, match="'pcm_s24le'"):
        decoder.decode(append(format="pcm_s24le", sample_rate_hz=16000))


def test_a_forced_format_is_the_client_s_too() -> None:
    decoder = client(audio_format="g711_ulaw")
    decoder.decode(update(input_audio_format="pcm16"))
    assert decoder.decode(append()).audio_format == ULAW


def test_audio_inside_an_item_has_the_client_s_format() -> None:
    decoder = client()
    decoder.decode(update(input_audio_format="g711_ulaw", output_audio_format="pcm16"))
    content = [{"type": "input_audio", "audio": b64(RAW)}, {"type": "audio", "audio": b64(RAW)}]
    message = decoder.decode(dumps(type="conversation.item.create", item={"type": "message", "role": "user", "content": content}))
    assert [part.pcm.size for part in message.item.content] == [16, 8]


# ---- two sides of one session


def test_streams_of_the_two_sides_stand_apart() -> None:
    """None of these frames has an id, and each stream has a byte that waits."""
    server, user = pair()
    wire = "session.input_audio.append"

    def heard(raw: bytes) -> bytes:
        return append(raw, wire)

    assert type(server.decode(heard(RAW[:3]))) is messages.SessionInputAudioAppend
    assert type(user.decode(heard(RAW[:5]))) is client_messages.SessionInputAudioAppend
    server.decode(delta(RAW[:7], "session.output_audio.delta"))
    user.decode(append(RAW[:1], "session.output_audio.fixture.play"))
    # The ends of one side are none of the other's.
    assert server.decode(dumps(type="response.done", response={})).incomplete_sample == RAW[6:7]
    assert server.decode(done()).incomplete_sample == b""
    message = server.decode(heard(RAW[3:4]))
    assert (message.sample_offset, message.pcm.tobytes()) == (1, RAW[2:4])
    message = user.decode(heard(RAW[5:6]))
    assert (message.sample_offset, message.pcm.tobytes()) == (2, RAW[4:6])
    server.decode(delta(RAW[:7], "session.output_audio.delta"))
    user.decode(heard(RAW[:1]))
    assert user.decode(dumps(type="session.close")).incomplete_sample == RAW[:1]
    message = server.decode(delta(RAW[7:8], "session.output_audio.delta"))
    assert (message.sample_offset, message.pcm.tobytes()) == (3, RAW[6:8])


def test_one_name_on_both_sides_is_two_classes() -> None:
    both = {cls.canonical_type for cls in messages.RealtimeServerMessage.__subclasses__()}
    both |= {cls.canonical_type for cls in messages.AudioMessage.__subclasses__()}
    shared = both & {
        cls.canonical_type
        for base in (client_messages.RealtimeClientMessage, client_messages.ClientAudioMessage)
        for cls in base.__subclasses__()
    }
    assert {"session.input_audio.append", "transport.dtmf.send"} <= shared
    for wire in ("session.input_audio.append", "transport.dtmf.send"):
        sent, received = rp.decode(dumps(type=wire), side="client"), rp.decode(dumps(type=wire))
        assert type(sent) is not type(received) and type(sent).__name__ == type(received).__name__
        assert sent != received and isinstance(sent, messages.RealtimeMessage) and isinstance(received, messages.RealtimeMessage)
        for message in (sent, received):
            assert type(pickle.loads(pickle.dumps(message))) is type(copy.deepcopy(message)) is type(message)
            assert pickle.loads(pickle.dumps(message)) == copy.copy(message) == message


def test_what_a_side_does_not_know() -> None:
    unknown = rp.decode(delta(), side="client")
    assert type(unknown) is client_messages.UnknownClientMessage
    assert (unknown.type, unknown.extra) == ("response.output_audio.delta", {"delta": b64(RAW)})
    assert type(rp.decode(append())) is messages.UnknownMessage
    assert rp.decode(append(), side="client").canonical_type == "input_audio_buffer.append"


def test_only_of_a_side() -> None:
    decoder = client(only=[client_messages.ClientAudioEnd, "input_audio_buffer.append"])
    assert decoder.decode(update(input_audio_format="g711_ulaw")) is None
    assert decoder.decode(append()).audio_format == ULAW
    assert decoder.decode(dumps(type="session.close")).type == "session.close"
    assert decoder.decode(dumps(type="not.known")) is None
    assert client(only=client_messages.UnknownClientMessage).decode(dumps(type="not.known")).type == "not.known"
    # What is left out moves its stream on.
    decoder = client(only="input_audio_buffer.commit")
    assert decoder.decode(append(RAW[:3])) is None
    assert decoder.decode(dumps(type="input_audio_buffer.commit")).incomplete_sample == RAW[2:3]
    with pytest.raises(ValueError, match="no message of the client is of this class"):
        client(only=[messages.Error])
    with pytest.raises(ValueError, match=r"did you mean 'session\.update'\?"):
        client(only=["session.updated"])
    # The hint names the class that this side has.
    for side, name in (("client", "UnknownClientMessage"), ("server", "UnknownMessage")):
        with pytest.raises(ValueError, match=rf"\({name} stands for all types that no class has\)"):
            rp.Decoder(side=side, only="not.known")
    with pytest.raises(ValueError, match="side is 'server' or 'client'"):
        rp.Decoder(side="both")


def test_a_stream_of_what_clients_send() -> None:
    server = rp.Decoder()
    server.decode(session("session.created"))
    frames = [update(input_audio_format="g711_ulaw"), b"nonsense", append(b"\xff\x7f"), dumps(type="input_audio_buffer.commit")]
    stream = rp.decode_stream(frames, side="client", session=server.session, errors="skip")
    names = [type(message).__name__ for message in stream]
    assert names == ["SessionUpdate", "InputAudioBufferAppend", "InputAudioBufferCommit"]
    assert stream.skipped == 1 and stream.decoder.session is server.session and server.input_audio_format == ULAW
    assert [message.type for message in rp.decode_stream(frames[2:], decoder=stream.decoder)] == [
        "input_audio_buffer.append", "input_audio_buffer.commit"]  # fmt: skip
    for options in ({"side": "client"}, {"session": server.session}):
        with pytest.raises(TypeError, match=rf"decoder= or {next(iter(options))}=, not both"):
            rp.decode_stream(frames, decoder=stream.decoder, **options)
    # The hint names the class that this side has.
    for side, name in (("client", "UnknownClientMessage"), ("server", "UnknownMessage")):
        with pytest.raises(ValueError, match=rf"\({name} stands for all types that no class has\)"):
            rp.Decoder(side=side, only="not.known")
    with pytest.raises(ValueError, match="side is 'server' or 'client'"):
        rp.decode_stream(frames, side="user")
    with pytest.raises(TypeError, match="session= takes a Session"):
        rp.decode_stream(frames, session=server)


# ---- a private client's messages


class Hello(client_messages.RealtimeClientMessage, role="session_update"):
    type: Literal["both.hello"] = "both.hello"
    session: rp.objects.SessionConfig | None = None


class Say(client_messages.ClientAudioMessage, role="input_audio"):
    type: Literal["both.say", "both.speak"] = "both.say"
    pcm: np.ndarray = client_messages.payload("voice")
    loud: bool | None = None


class Jingle(client_messages.ClientAudioMessage):
    type: Literal["both.jingle"] = "both.jingle"
    pcm: np.ndarray = client_messages.payload("sound")


class Over(client_messages.ClientAudioEnd):
    type: Literal["both.over"] = "both.over"
    why: str | None = None


class Hangup(client_messages.RealtimeClientMessage, role="audio_end"):
    type: Literal["both.hangup"] = "both.hangup"
    why: str | None = None


def test_a_private_client_works_whole() -> None:
    server, user = pair()
    server.decode(session("session.created"))
    user.decode(session("both.hello", input_audio_format="g711_ulaw", output_audio_format="g711_alaw"))
    assert (user.input_audio_format, user.audio_format) == (ULAW, DEFAULT)
    message = user.decode(dumps(type="both.speak", loud=True, voice=b64(b"\xff\x7f")))
    assert isinstance(message, Say) and (message.audio_format, message.pcm.size, message.loud) == (ULAW, 2, True)
    assert (message.voice, message.canonical_type) == (b64(b"\xff\x7f"), "both.say")
    # Its sound is none of the user's speech, and so in the format of the output, like all other audio.
    message = user.decode(dumps(type="both.jingle", sound=b64(RAW[:3])))
    assert (message.audio_format, message.sample_offset) == (DEFAULT, 0)
    server.decode(session("session.updated", input_audio_format="pcm16"))
    for end in ("both.over", "both.hangup"):
        user.decode(dumps(type="both.say", voice=b64(RAW[:3])))
        ended = user.decode(dumps(type=end, why="bye"))
        assert ended.why == "bye" and getattr(ended, "incomplete_sample", RAW[2:3]) == RAW[2:3]
        assert user.decode(dumps(type="both.say", voice=b64(RAW[:2]))).sample_offset == 0
        user.decode(dumps(type=end))
    assert type(rp.decode(dumps(type="both.say"))) is messages.UnknownMessage
    with pytest.raises(TypeError, match=r"'both\.say' is Say's"):
        declared("Again", client_messages.RealtimeClientMessage, "both.say")
    # A server may have the name too.
    cls = declared("OfAServer", messages.RealtimeServerMessage, "both.over")
    assert type(rp.decode(dumps(type="both.over"))) is cls and type(rp.decode(dumps(type="both.over"), side="client")) is Over


def test_a_response_s_own_format_is_the_server_s() -> None:
    server, user = pair()
    server.decode(response("response.created", "r1", output_audio_format="g711_ulaw"))
    user.decode(dumps(type="response.create", response={"output_audio_format": "g711_alaw"}))
    assert server.decode(delta(response_id="r1")).audio_format == ULAW
    assert user.decode(append()).audio_format == DEFAULT
    user.decode(update(**nested({"type": "audio/pcmu"}, side="input")))
    assert user.decode(append()).audio_format == ULAW and server.decode(delta(response_id="r2")).audio_format == DEFAULT
