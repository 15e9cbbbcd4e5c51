"""Admits clients to the loopback server, and answers plain HTTP: client secrets, and refusals in a sentence."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from .faults import REFUSALS, Fault, Wishes
from .held import Event
from .strict import why_not_session

__all__ = ["LOOPBACK_HOSTS", "LOOPBACK_ORIGINS", "Doors", "PlainRequest"]

# Who may connect, unless the owner of the server names others: programs, which send no Origin, and pages of this machine.
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
LOOPBACK_ORIGINS = (None, re.compile(rf"https?://({'|'.join(map(re.escape, LOOPBACK_HOSTS))})(:\d+)?"))

MAX_REQUEST = 1024 * 1024  # bytes of a request that is no WebSocket
MAX_SECRETS = 1_000
SECRET_SECONDS = 600
_KEY = "openai-insecure-api-key."
_SECRETS = "/realtime/client_secrets"


class PlainRequest:
    """A request other than GET, collected as its bytes arrive."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, data: bytes) -> bool:
        """Adds bytes. Returns True when the request is complete."""
        self._bytes += data
        head, end, body = bytes(self._bytes).partition(b"\r\n\r\n")
        if len(self._bytes) > MAX_REQUEST:
            return True
        if not end:
            return False
        self.method, _, rest = head.split(b"\r\n")[0].decode("latin-1").partition(" ")
        self.path = rest.rpartition(" ")[0]
        self.headers: dict[str, list[str]] = {}
        for line in head.decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), []).append(value.strip())
        length = self.header("content-length") or "0"
        wanted = int(length) if length.isdecimal() and len(length) < 10 else 0
        self.body = body[:wanted]
        return len(body) >= wanted or wanted > MAX_REQUEST

    def header(self, name: str) -> str | None:
        """The value of a header that occurs once."""
        values = self.headers.get(name, [])
        return values[0] if len(values) == 1 else None


class Doors:
    """Admits clients, and refuses others with a sentence.

    key: the API key that clients must send; None: any key, or none. secrets: client secrets, with the sessions they are for.
    """

    def __init__(
        self,
        origins: Sequence[str | re.Pattern[str] | None],
        hosts: Sequence[str],
        faults: Sequence[Fault],
        key: str | None,
        strict: bool,
    ) -> None:
        self.origins = tuple(origins)
        self.hosts = frozenset(map(str.lower, hosts))
        self._faults = faults
        self._key = key
        self._strict = strict
        self._secrets: dict[str, tuple[float, Event | None]] = {}
        self._made = 0

    # ---- WebSockets

    def admit(self, ws: ServerConnection, request: Request) -> Response | None:
        """The answer that refuses a request, or None to go on. websockets checks its Origin next."""
        if not self._is_host(request.headers.get_all("Host")):
            return ws.respond(403, "This server answers requests whose Host is this machine.\n")
        try:
            wishes = Wishes.parse(request.path)
        except ValueError as error:
            return ws.respond(400, f"{error}\n")
        if "websocket" not in (request.headers.get("Upgrade") or "").lower():
            response = ws.respond(426, "This is a server for WebSockets: connect a Realtime client to it.\n")
            response.headers["Upgrade"] = "websocket"
            return response
        for fault in (*self._faults, *wishes.faults):
            if fault.kind in REFUSALS:
                return _json_response(ws, *REFUSALS[fault.kind])
        if self._key is not None and self._given_key(request) != self._key and self.session_of(request) is None:
            return _json_response(ws, 401, "invalid_api_key", "Incorrect API key provided.")
        return None

    def choose(self, ws: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """The subprotocol: "realtime" if it is offered; never the one that is a key."""
        known = [name for name in offered if not name.startswith(("openai-", _KEY))]
        return Subprotocol("realtime") if "realtime" in known else next(iter(known), None)

    def session_of(self, request: Request) -> Event | None:
        """The session that the client's secret was made for, or None without a secret of this server."""
        known = self._secrets.get(self._given_key(request) or "")
        if known is None or known[0] < time.time():
            return None
        return known[1] if known[1] is not None else {}

    def _given_key(self, request: Request) -> str | None:
        given = request.headers.get("Authorization") or ""
        if given.lower().startswith("bearer "):
            return given[7:].strip()
        offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol"))
        return next((name.strip()[len(_KEY) :] for name in offered.split(",") if name.strip().startswith(_KEY)), None)

    def _is_host(self, hosts: Sequence[str]) -> bool:
        # A page can have its own host name resolve to 127.0.0.1. The request then still has that name as its Host.
        return len(hosts) == 1 and re.sub(r":\d*$", "", hosts[0]).lower() in self.hosts

    def _is_origin(self, origin: str | None) -> bool:
        return any(
            origin == known if known is None or isinstance(known, str) else origin is not None and known.fullmatch(origin)
            for known in self.origins
        )

    # ---- plain HTTP

    def answer(self, request: PlainRequest) -> bytes:
        """The complete answer to a request other than GET."""
        if not hasattr(request, "method"):
            return _http(413, {"error": {"message": "The request is too long.", "type": "invalid_request_error"}})
        origin = request.header("origin")
        if not self._is_host(request.headers.get("host", [])) or not self._is_origin(origin):
            return _http(403, _error("forbidden", "This server answers requests whose Host and Origin are this machine."))
        shared = {} if origin is None else {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        if request.method == "OPTIONS":
            allowed = {
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "Authorization, Content-Type, OpenAI-Safety-Identifier, *",
            }
            return _http(204, None, {**shared, **allowed})
        if not urlsplit(request.path).path.endswith(_SECRETS):
            return _http(
                404, _error("not_found", f"Unknown request URL: {request.method} {urlsplit(request.path).path[:200]}."), shared
            )
        if request.method != "POST":
            return _http(
                405,
                _error("method_not_supported", f"Not allowed to {request.method[:10]} this URL."),
                {**shared, "Allow": "POST"},
            )
        for fault in self._faults:
            if fault.kind in REFUSALS:
                status, code, message = REFUSALS[fault.kind]
                return _http(status, _error(code, message), shared)
        given = (request.header("authorization") or "").removeprefix("Bearer ")
        if self._key is not None and given != self._key:
            return _http(401, _error("invalid_api_key", "Incorrect API key provided."), shared)
        return self._make_secret(request.body, shared)

    def _make_secret(self, body: bytes, headers: dict[str, str]) -> bytes:
        try:
            asked = json.loads(body or b"{}")
            if not isinstance(asked, dict):
                raise ValueError
        except (ValueError, RecursionError):
            return _http(400, _error("invalid_json", "The body of the request is a JSON object."), headers)
        session = asked.get("session")
        if session is not None:
            kind = session.get("type") if isinstance(session, dict) else None
            refusal = (
                why_not_session(session if isinstance(session, dict) else {}, {"type": kind}, False) if self._strict else None
            )
            if refusal is not None or not isinstance(session, dict):
                code, message = (
                    (refusal.code, refusal.message) if refusal is not None else ("invalid_type", "session is an object")
                )
                return _http(400, _error(code, message, refusal.param if refusal is not None else "session"), headers)
        self._made += 1
        now = time.time()
        value = f"ek_loopback_{self._made:016d}"  # nobody takes it for a real one
        while len(self._secrets) >= MAX_SECRETS:
            del self._secrets[next(iter(self._secrets))]
        self._secrets[value] = now + SECRET_SECONDS, session
        made = {"type": "realtime", "object": "realtime.session", "id": f"sess_loopback{self._made:08d}", **(session or {})}
        return _http(200, {"value": value, "expires_at": int(now) + SECRET_SECONDS, "session": made}, headers)


def _error(code: str, message: str, param: str | None = None) -> Event:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def _json_response(ws: ServerConnection, status: int, code: str, message: str) -> Response:
    response = ws.respond(status, json.dumps(_error(code, message)))
    headers = Headers([(name, value) for name, value in response.headers.raw_items() if name.lower() != "content-type"])
    headers["Content-Type"] = "application/json"
    if status == 429:
        headers["Retry-After"] = "1"
    response.headers = headers
    return response


def _http(status: int, body: Any, headers: dict[str, str] | None = None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(content)}", "Connection: close"]
    if content:
        lines.append("Content-Type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + content
