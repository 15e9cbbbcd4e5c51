"""Where calls go and with which key: the URLs and headers of the providers' SDKs, and keys that nobody gets to see."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from typing import Any, cast

import pytest

pytest.importorskip("picows")

from realtime_pcm.client import Endpoint, azure, connect, dashscope, openai, voice_live, xai
from support.raw_server import Peer, raw_server
from support.stream_clients import run

KEY = "sk-proj-0123456789abcdef"
NAMES = (
    "OPENAI_API_KEY OPENAI_BASE_URL OPENAI_ORG_ID OPENAI_PROJECT_ID AZURE_OPENAI_API_KEY AZURE_OPENAI_AD_TOKEN "
    "AZURE_OPENAI_ENDPOINT AZURE_VOICELIVE_API_KEY AZURE_VOICELIVE_ENDPOINT XAI_API_KEY DASHSCOPE_API_KEY"
).split()


@pytest.fixture(autouse=True)
def _no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


async def asked(*connects: Callable[[str], Any]) -> list[Peer]:
    """The handshakes of calls, each to a server whose base URL it is given."""
    peers: list[Peer] = []

    async def handle(peer: Peer) -> None:
        await peer.accept()
        peers.append(peer)
        await peer.until_closed()

    async with raw_server(handle) as url:
        for opening in connects:
            async with opening(url.removesuffix("/v1/realtime")):
                pass
    return peers


def handshake(make: Callable[[str], Endpoint]) -> Peer:
    [peer] = run(asked(lambda base: connect(make(base))))
    return peer  # type: ignore[no-any-return]


@pytest.mark.slow
def test_openai_asks_as_its_sdk_does(monkeypatch: pytest.MonkeyPatch) -> None:
    sdk = pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")

    def theirs(**options: Any) -> Callable[[str], Any]:
        return lambda base: sdk.AsyncOpenAI(base_url=base.replace("ws", "http", 1) + "/v1").realtime.connect(**options)

    def ours(**options: Any) -> Callable[[str], Any]:
        return lambda base: connect(openai(base_url=base.replace("ws", "http", 1) + "/v1", **options))

    peers = run(asked(theirs(model="gpt-realtime"), ours(), theirs(call_id="rtc_1"), ours(call_id="rtc_1")))
    assert peers[0].target == peers[1].target == "/v1/realtime?model=gpt-realtime"
    assert peers[2].target == peers[3].target == "/v1/realtime?call_id=rtc_1"
    for name in ("Authorization", "OpenAI-Organization", "OpenAI-Project"):
        assert len({peer.header(name) for peer in peers}) == 1 and peers[0].header(name)


def test_voice_live_asks_as_its_sdk_does() -> None:
    pytest.importorskip("azure.ai.voicelive.aio")
    from azure.ai.voicelive.aio import connect as voicelive_connect
    from azure.core.credentials import AzureKeyCredential

    theirs, ours = run(
        asked(
            lambda base: voicelive_connect(endpoint=base, credential=AzureKeyCredential(KEY), model="gpt-realtime"),
            lambda base: connect(voice_live("gpt-realtime", endpoint=base, key=KEY)),
        )
    )
    path, _, query = theirs.target.partition("?")
    assert path == ours.target.partition("?")[0]
    mine = set(ours.target.partition("?")[2].split("&"))
    assert mine == {part for part in query.split("&") if not part.startswith("x-ms-client-sdk")}
    assert theirs.header("api-key") == ours.header("api-key") == KEY


def test_azure_openai_takes_a_key_or_a_token_and_a_preview_path() -> None:
    peer = handshake(lambda base: azure("mine", endpoint=base, key=KEY))
    assert peer.target == "/openai/v1/realtime?model=mine" and peer.header("api-key") == KEY
    assert peer.header("Authorization") is None
    peer = handshake(lambda base: azure("mine", endpoint=base, token=lambda: KEY, api_version="2025-04-01-preview"))
    assert peer.target == "/openai/realtime?api-version=2025-04-01-preview&deployment=mine"
    assert peer.header("Authorization") == f"Bearer {KEY}" and peer.header("api-key") is None
    assert handshake(lambda base: azure(call_id="rtc_1", endpoint=base, key=KEY)).target == "/openai/v1/realtime?call_id=rtc_1"
    assert azure("mine", endpoint="https://name.openai.azure.com/", key=KEY).url.startswith(
        "wss://name.openai.azure.com/openai/v1/"
    )


def test_xai_and_dashscope() -> None:
    assert xai(key=KEY).url == "wss://api.x.ai/v1/realtime?model=grok-voice-latest"
    assert xai(None, key=KEY, query={"conversation_id": "c 1"}).url == "wss://api.x.ai/v1/realtime?conversation_id=c+1"
    assert dashscope("qwen", key=KEY).url == "wss://dashscope.aliyuncs.com/api-ws/v1/realtime?model=qwen"
    peer = handshake(lambda base: dashscope("qwen", base_url=base + "/api-ws/v1", workspace="llm-1", key=KEY))
    assert peer.target == "/api-ws/v1/realtime?model=qwen" and peer.header("X-DashScope-WorkSpace") == "llm-1"
    assert peer.header("Authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("name", "make", "more"),
    [
        ("OPENAI_API_KEY", openai, {}),
        ("AZURE_OPENAI_API_KEY", lambda: azure("d"), {"AZURE_OPENAI_ENDPOINT": "https://name.openai.azure.com"}),
        ("AZURE_OPENAI_AD_TOKEN", lambda: azure("d"), {"AZURE_OPENAI_ENDPOINT": "https://name.openai.azure.com"}),
        ("AZURE_VOICELIVE_API_KEY", voice_live, {"AZURE_VOICELIVE_ENDPOINT": "https://name.services.ai.azure.com"}),
        ("XAI_API_KEY", xai, {}),
        ("DASHSCOPE_API_KEY", lambda: dashscope("qwen"), {}),
    ],
)
def test_keys_come_from_the_names_that_the_sdks_use(
    monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[], Endpoint], more: dict[str, str]
) -> None:
    for other, value in more.items():
        with pytest.raises(ValueError, match=other):
            make()
        monkeypatch.setenv(other, value)
    with pytest.raises(ValueError, match=name.replace("AD_TOKEN", "API_KEY")):
        make()
    monkeypatch.setenv(name, KEY)
    headers, _ = run(make().handshake_headers())
    assert KEY in "".join(headers.values())
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1?region=eu")
    if name == "OPENAI_API_KEY":
        assert make().url == "ws://127.0.0.1:8000/v1/realtime?region=eu&model=gpt-realtime"


def test_a_key_may_come_from_a_function_sync_or_async_each_time_anew() -> None:
    given: list[str] = []

    def fresh() -> str:
        given.append(f"key-number-{len(given)}")
        return given[-1] + "\n"  # as from a file

    async def fetched() -> str:
        return fresh()

    def later() -> Any:
        return fetched()

    async def talk() -> None:
        for key in (fresh, fetched, later):
            headers, secrets = await Endpoint("ws://localhost/", key=key).handshake_headers()
            assert headers == {"Authorization": f"Bearer {given[-1]}"} and given[-1] in secrets

    run(talk())
    assert len(given) == 3


def test_an_exception_of_such_a_function_is_its_callers() -> None:
    async def fails() -> str:
        raise PermissionError("no token today")

    async def talk() -> None:
        with pytest.raises(PermissionError, match="no token today"):
            async with connect(Endpoint("ws://localhost:1/", key=fails)):
                pass
        with pytest.raises(TypeError, match="gave bytes, not str"):
            async with connect(Endpoint("ws://localhost:1/", key=cast("Any", lambda: b"key"))):
                pass

    run(talk())


def test_no_repr_no_pickle_and_no_log_shows_a_key(caplog: pytest.LogCaptureFixture) -> None:
    endpoint = Endpoint(f"wss://localhost/v1/realtime?api-key={KEY}", key=KEY, headers={"X-Other-Key": KEY}, key_header="api-key")
    assert repr(endpoint) == "<Endpoint wss://localhost/v1/realtime>"
    assert KEY not in repr(endpoint.headers) and KEY not in repr(run(endpoint.handshake_headers())[0])
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(endpoint)

    with caplog.at_level(1):
        logging.getLogger("picows").setLevel(1)
        peer = handshake(lambda base: Endpoint(base + f"/?token={KEY}", key=KEY))
        assert peer.header("Authorization") == f"Bearer {KEY}"
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost", "ftp://localhost/", "ws://", "ws:///path", f"wss://user:{KEY}@localhost/", "ws://localhost/#fragment",
        f"ws://localhost/\r\nX-Injected: {KEY}", "ws://localhost/a b", "ws://löcalhost/",
    ],
)  # fmt: skip
def test_urls_that_no_call_can_have_are_refused_without_showing_a_key(url: str) -> None:
    with pytest.raises(ValueError) as raised:
        Endpoint(url)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("value", ["", f"{KEY}\r\nX-Injected: 1", f"{KEY}\0", "schlüssel"])
def test_keys_and_headers_that_would_break_the_handshake_are_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ValueError, match="X-Key") as raised:
        Endpoint("ws://localhost/", headers={"X-Key": value})
    assert KEY not in str(raised.value)
    with pytest.raises(ValueError, match="cannot be called"):
        Endpoint("ws://localhost/", headers={"X Key": "1"})

    async def talk() -> None:
        with pytest.raises(ValueError, match="Authorization") as raised:
            await Endpoint("ws://localhost/", key=value).handshake_headers()
        assert KEY not in str(raised.value)

    run(talk())


def test_headers_go_with_a_url_and_an_endpoint_has_its_own() -> None:
    async def talk() -> None:
        with pytest.raises(TypeError, match="an Endpoint has its own"):
            async with connect(Endpoint("ws://localhost:1/"), headers={"X": "1"}):
                pass

    run(talk())
    [peer] = run(asked(lambda base: connect(base + "/any?where=here", headers={"X-Mine": "yes"})))
    assert peer.target == "/any?where=here" and peer.header("X-Mine") == "yes"
