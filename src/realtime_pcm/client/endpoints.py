"""Where a call goes and how it proves who calls: openai() and its like, gemini(), elevenlabs(), or an Endpoint of your own.

The paths, the headers and the names of the environment variables are those of the providers' own SDKs.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable, iscoroutinefunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, overload
from urllib.parse import parse_qsl, urlencode, urlsplit

from .._core import AudioEncoder, RealtimeClientMessage
from ..audio import AudioFormat
from ..client_messages import InputAudioBufferAppend

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from ..messages import ServerMessage
    from ..sockets import Socket
    from ..sockets.elevenlabs import ConversationInitiationClientData, ServerMessage as ElevenLabsMessage
    from ..sockets.gemini import ServerMessage as GeminiMessage

    M = TypeVar("M", covariant=True, default=ServerMessage)
    _Server = TypeVar("_Server")
else:
    from typing import TypeVar

    M = TypeVar("M", covariant=True)

__all__ = ["Endpoint", "Key", "azure", "dashscope", "elevenlabs", "gemini", "openai", "voice_live", "xai"]

Key: TypeAlias = str | Callable[[], str | Awaitable[str]]


class Sendable(Protocol):
    """A message, a Truncation of the player: whatever has the text to send as `frame`."""

    @property
    def frame(self) -> bytes | str: ...


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_SECRET = re.compile(r"key|token|secret|sig|auth|password", re.IGNORECASE)  # names in a query
_URL = re.compile(r"wss?://[\x21-\x7e]+")


class Secret(str):
    """A header's value: a traceback that shows variables shows no key."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Endpoint(Generic[M]):
    """A WebSocket URL, the headers of its handshake, and the protocol there.

    Args:
        url (str): ws:// or wss://, with its query.
        headers (Mapping[str, str]): headers of the handshake.
        key (Key | None): a key, or a function, sync or async, that gives one each time a call is made, such as an Entra token or
            an ephemeral secret. A sync function runs in a thread, because it may wait for a network.
        key_header (str): the header of the key. "Authorization" gets a bearer token, any other header the key alone.
        catalogue (Socket | None): the messages of another socket, such as realtime_pcm.sockets.gemini. None: the Realtime API.
        append (type | AudioEncoder | None): the message that send_audio() sends, in the input format of the session; an
            AudioEncoder has a format and fields of its own. None: input_audio_buffer.append, if there is no catalogue.
        first (str | bytes | Sendable | None): what is sent as soon as the call is open.

    Raises:
        ValueError: the URL or a header is not valid in a handshake, or the URL has a user name.

    `repr` shows neither key nor query nor values of headers.

    """

    __slots__ = ("_key", "append", "catalogue", "first", "headers", "key_header", "url")

    url: str
    headers: Mapping[str, str]
    key_header: str
    catalogue: Socket[Any, Any] | None
    append: type[RealtimeClientMessage] | AudioEncoder | None
    first: str | bytes | Sendable | None

    @overload
    def __init__(
        self: Endpoint[ServerMessage],
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        key: Key | None = None,
        key_header: str = "Authorization",
        catalogue: None = None,
        append: type[RealtimeClientMessage] | AudioEncoder | None = None,
        first: str | bytes | Sendable | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Endpoint[_Server],
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        key: Key | None = None,
        key_header: str = "Authorization",
        catalogue: Socket[_Server, Any],
        append: type[RealtimeClientMessage] | AudioEncoder | None = None,
        first: str | bytes | Sendable | None = None,
    ) -> None: ...
    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        key: Key | None = None,
        key_header: str = "Authorization",
        catalogue: Socket[Any, Any] | None = None,
        append: type[RealtimeClientMessage] | AudioEncoder | None = None,
        first: str | bytes | Sendable | None = None,
    ) -> None:
        self.url = _checked_url(url)
        self.headers = MappingProxyType({name: Secret(value) for name, value in (headers or {}).items()})
        for name, value in self.headers.items():
            _check_header(name, value)
        self.key_header = key_header
        self.catalogue = catalogue
        self.append = InputAudioBufferAppend if append is None and catalogue is None else append
        self.first = first
        self._key = key

    def __repr__(self) -> str:
        return f"<Endpoint {shown_url(self.url)}>"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("an Endpoint is not pickled: it may hold a key")

    async def handshake_headers(self) -> tuple[dict[str, str], list[str]]:
        """The headers of one handshake, and what no error may show of them and of the query. Calls the key's function."""
        headers = dict(self.headers)
        if self._key is not None:
            key = self._key if isinstance(self._key, str) else await _called(self._key)
            key = key.strip()  # a key that was read from a file ends with its newline
            value = Secret(f"Bearer {key}" if self.key_header.lower() == "authorization" else key)
            _check_header(self.key_header, value)
            headers[self.key_header] = value
        parts = [part for value in headers.values() for part in value.split()]
        parts += [value for name, value in parse_qsl(urlsplit(self.url).query) if _SECRET.search(name)]
        return headers, [part for part in parts if len(part) >= 8]  # "Bearer", or a version, would be no secret


async def _called(function: Callable[[], str | Awaitable[str]]) -> str:
    given = function() if iscoroutinefunction(function) else await asyncio.to_thread(function)
    key = await given if isawaitable(given) else given
    if not isinstance(key, str):
        raise TypeError(f"the function that gives the key gave {type(key).__name__}, not str")
    return key


def shown_url(url: str) -> str:
    """A URL without its user and its query, which may hold keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _checked_url(url: str) -> str:
    """The URL of a WebSocket; http and https become ws and wss, as the SDKs take them. Errors do not show what may be a key."""
    url = re.sub(r"^http(s?)://", r"ws\1://", url, flags=re.IGNORECASE)
    if not _URL.fullmatch(url) or not (parts := urlsplit(url)).hostname:
        raise ValueError("the URL of a call begins with wss:// or ws://, names a host, and has ASCII without spaces")
    if parts.username is not None:
        raise ValueError(f"the URL of a call names no user: give headers= or key= for {shown_url(url)}")
    if parts.fragment:
        raise ValueError(f"the URL of a call has no fragment: {shown_url(url)}")
    return url


def _check_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"a header cannot be called {name!r}")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise ValueError(f"the header {name} needs a value of printable ASCII; what was given is empty or has other characters")


def _endpoint(
    base: str,
    path: str,
    query: Mapping[str, str | None],
    more: Mapping[str, str] | None,
    headers: Mapping[str, str | None],
    own: Mapping[str, str] | None,
    key: Key | None,
    key_header: str = "Authorization",
    **spoken: Any,
) -> Endpoint[Any]:
    """An Endpoint of a base URL, which may have a query, and of what is not None. spoken: its catalogue, append and first."""
    bare, _, given = base.partition("?")
    asked = {**dict(parse_qsl(given)), **{name: value for name, value in query.items() if value is not None}, **(more or {})}
    url = bare.rstrip("/") + path + ("?" + urlencode(asked) if asked else "")
    kept = {name: value for name, value in headers.items() if value}
    return Endpoint(url, headers={**kept, **(own or {})}, key=key, key_header=key_header, **spoken)


def _required(given: Key | None, name: str, helper: str) -> Key:
    key = given or os.environ.get(name)
    if not key:
        raise ValueError(f"{helper}() needs key=, or a key in the environment variable {name}")
    return key


def openai(
    model: str | None = "gpt-realtime",
    *,
    call_id: str | None = None,
    key: Key | None = None,
    base_url: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint of OpenAI, and of servers that have its paths.

    Args:
        model (str | None): the model of a new call; None leaves it out of the URL, as for query={"intent": "transcription"}.
        call_id (str | None): joins an existing call (WebRTC, SIP) as its sideband. The model is the call's.
        key (Key | None): by default OPENAI_API_KEY. An ephemeral secret (`ek_...`) is a key too.
        base_url (str | None): by default OPENAI_BASE_URL, else https://api.openai.com/v1; "/realtime" is added.
        query (Mapping[str, str] | None): more of the URL's query.
        headers (Mapping[str, str] | None): more headers.

    Raises:
        ValueError: there is no key.

    OPENAI_ORG_ID and OPENAI_PROJECT_ID become headers, as in the openai SDK.

    """
    base = base_url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
    asked = {"call_id": call_id} if call_id is not None else {"model": model}
    account = {
        "OpenAI-Organization": os.environ.get("OPENAI_ORG_ID"),
        "OpenAI-Project": os.environ.get("OPENAI_PROJECT_ID"),
    }
    return _endpoint(base, "/realtime", asked, query, account, headers, _required(key, "OPENAI_API_KEY", "openai"))


def azure(
    deployment: str | None = None,
    *,
    call_id: str | None = None,
    endpoint: str | None = None,
    key: Key | None = None,
    token: Key | None = None,
    api_version: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint of Azure OpenAI.

    Args:
        deployment (str | None): the deployment of a new call.
        call_id (str | None): joins a call that exists, as in openai().
        endpoint (str | None): https://NAME.openai.azure.com; by default AZURE_OPENAI_ENDPOINT.
        key (Key | None): a key of the resource, sent as `api-key`; by default AZURE_OPENAI_API_KEY.
        token (Key | None): an Entra token in place of a key, most likely a function that gives one, as azure-identity's
            get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default"); by default
            AZURE_OPENAI_AD_TOKEN.
        api_version (str | None): None takes the GA path /openai/v1/realtime; a version takes the preview path, with beta names.
        query (Mapping[str, str] | None): more of the URL's query.
        headers (Mapping[str, str] | None): more headers.

    Raises:
        ValueError: there is no endpoint, no key, or neither deployment nor call_id.

    """
    base = endpoint or os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not base:
        raise ValueError("azure() needs endpoint=, or the environment variable AZURE_OPENAI_ENDPOINT")
    if deployment is None and call_id is None:
        raise ValueError("azure() needs a deployment, or the call_id of a call that exists")
    if key is None:
        token = token or os.environ.get("AZURE_OPENAI_AD_TOKEN")
    if api_version is None:
        path, asked = "/openai/v1/realtime", {"model": None if call_id else deployment, "call_id": call_id}
    else:
        path, asked = "/openai/realtime", {"api-version": api_version, "deployment": deployment, "call_id": call_id}
    secret, name = (token, "Authorization") if token else (_required(key, "AZURE_OPENAI_API_KEY", "azure"), "api-key")
    return _endpoint(base, path, asked, query, {}, headers, secret, name)


def voice_live(
    model: str | None = "gpt-realtime",
    *,
    endpoint: str | None = None,
    key: Key | None = None,
    token: Key | None = None,
    api_version: str = "2026-07-15",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint of Azure Voice Live.

    Args:
        model (str | None): the model; None for an agent, which the query names (agent-name, agent-project-name).
        endpoint (str | None): https://NAME.services.ai.azure.com; by default AZURE_VOICELIVE_ENDPOINT.
        key (Key | None): a key of the resource, sent as `api-key`; by default AZURE_VOICELIVE_API_KEY.
        token (Key | None): an Entra token in place of a key, of the scope https://ai.azure.com/.default.
        api_version (str): by default that of azure-ai-voicelive 1.3.1.
        query (Mapping[str, str] | None): more of the URL's query.
        headers (Mapping[str, str] | None): more headers.

    Raises:
        ValueError: there is no endpoint, or neither key nor token.

    """
    base = endpoint or os.environ.get("AZURE_VOICELIVE_ENDPOINT")
    if not base:
        raise ValueError("voice_live() needs endpoint=, or the environment variable AZURE_VOICELIVE_ENDPOINT")
    asked = {"api-version": api_version, "model": model}
    secret, name = (token, "Authorization") if token else (_required(key, "AZURE_VOICELIVE_API_KEY", "voice_live"), "api-key")
    return _endpoint(base, "/voice-live/realtime", asked, query, {}, headers, secret, name)


def xai(
    model: str | None = "grok-voice-latest",
    *,
    key: Key | None = None,
    base_url: str = "https://api.x.ai/v1",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint of xAI.

    Args:
        model (str | None): the model; None leaves it out of the URL.
        key (Key | None): by default XAI_API_KEY. An ephemeral token is a key too.
        base_url (str): "/realtime" is added.
        query (Mapping[str, str] | None): more of the URL's query.
        headers (Mapping[str, str] | None): more headers.

    Raises:
        ValueError: there is no key.

    """
    return _endpoint(base_url, "/realtime", {"model": model}, query, {}, headers, _required(key, "XAI_API_KEY", "xai"))


def dashscope(
    model: str,
    *,
    key: Key | None = None,
    workspace: str | None = None,
    base_url: str = "https://dashscope.aliyuncs.com/api-ws/v1",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint of Alibaba's DashScope: Qwen-Omni, Qwen livetranslate, Qwen-TTS.

    Args:
        model (str): such as "qwen3-omni-flash-realtime".
        key (Key | None): by default DASHSCOPE_API_KEY. Each region has keys of its own.
        workspace (str | None): sent as X-DashScope-WorkSpace.
        base_url (str): "/realtime" is added. By default Beijing; Singapore is https://dashscope-intl.aliyuncs.com/api-ws/v1. The
            newest models want the host of your workspace, https://WORKSPACE.ap-southeast-1.maas.aliyuncs.com/api-ws/v1.
        query (Mapping[str, str] | None): more of the URL's query.
        headers (Mapping[str, str] | None): more headers.

    Raises:
        ValueError: there is no key.

    """
    account = {"X-DashScope-WorkSpace": workspace}
    secret = _required(key, "DASHSCOPE_API_KEY", "dashscope")
    return _endpoint(base_url, "/realtime", {"model": model}, query, account, headers, secret)


# ---- Other sockets: their catalogues are imported where they are needed


def gemini(
    model: str,
    *,
    setup: Mapping[str, Any] | None = None,
    key: Key | None = None,
    api_version: str = "v1beta",
    base_url: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Endpoint[GeminiMessage]:
    """The endpoint of Gemini Live. Its messages are those of realtime_pcm.sockets.gemini.

    Args:
        model (str): such as "gemini-2.5-flash-native-audio-preview-12-2025".
        setup (Mapping[str, Any] | None): what the first message says beside the model, with the keys of the wire:
            systemInstruction, tools, inputAudioTranscription. Without generationConfig the model answers with audio.
        key (Key | None): by default GOOGLE_API_KEY, else GEMINI_API_KEY; sent as `x-goog-api-key`.
        api_version (str): a part of the path.
        base_url (str | None): by default GOOGLE_GEMINI_BASE_URL, else https://generativelanguage.googleapis.com.
        query (Mapping[str, str] | None): more of the URL's query.
        headers (Mapping[str, str] | None): more headers.

    Raises:
        ValueError: there is no key.

    send_audio() sends pcm16 at 16,000 samples per second, the rate that Gemini hears.

    """
    from ..sockets import gemini as catalogue

    base = base_url or os.environ.get("GOOGLE_GEMINI_BASE_URL") or "https://generativelanguage.googleapis.com"
    secret = key or os.environ.get("GOOGLE_API_KEY") or _required(None, "GEMINI_API_KEY", "gemini")
    named = {"model": model if "/" in model else f"models/{model}", "generationConfig": {"responseModalities": ["AUDIO"]}}
    return _endpoint(
        base,
        f"/ws/google.ai.generativelanguage.{api_version}.GenerativeService.BidiGenerateContent",
        {},
        query,
        {},
        headers,
        secret,
        "x-goog-api-key",
        catalogue=catalogue,
        append=AudioEncoder(catalogue.RealtimeInput, audio_format=AudioFormat("pcm16", 16_000), format="audio/pcm;rate=16000"),
        first=catalogue.Setup(setup={**named, **(setup or {})}),
    )


def elevenlabs(
    agent_id: str | None = None,
    *,
    signed_url: str | None = None,
    first: ConversationInitiationClientData | None = None,
    key: Key | None = None,
    base_url: str = "wss://api.elevenlabs.io",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Endpoint[ElevenLabsMessage]:
    """The endpoint of ElevenLabs Agents. Its messages are those of realtime_pcm.sockets.elevenlabs.

    Args:
        agent_id (str | None): the agent.
        signed_url (str | None): in place of an agent: the URL that your server got from get-signed-url. No key is sent with it.
        first (ConversationInitiationClientData | None): the first message; without it one that overrides nothing.
        key (Key | None): by default ELEVENLABS_API_KEY, sent as `xi-api-key`. A public agent needs none.
        base_url (str): wss://api.eu.residency.elevenlabs.io, for example, keeps a call in Europe.
        query (Mapping[str, str] | None): more of the URL's query.
        headers (Mapping[str, str] | None): more headers.

    Raises:
        ValueError: neither an agent nor a signed URL is given, or both are.

    Answer each Ping with a Pong of its number: the server ends a conversation that does not.

    """
    from ..sockets import elevenlabs as catalogue

    if (agent_id is None) == (signed_url is None):
        raise ValueError("elevenlabs() needs either an agent_id or a signed_url")
    base, path, secret = signed_url or base_url, "", None
    if signed_url is None:
        path, secret = "/v1/convai/conversation", key or os.environ.get("ELEVENLABS_API_KEY")
    spoken = {"catalogue": catalogue, "append": catalogue.UserAudioChunk}
    first = first or catalogue.ConversationInitiationClientData()
    return _endpoint(base, path, {"agent_id": agent_id}, query, {}, headers, secret, "xi-api-key", first=first, **spoken)
