"""Messages that Zhipu's GLM-Realtime adds."""

from __future__ import annotations

from .._core import RealtimeServerMessage
from ..objects import SessionConfig


class Heartbeat(RealtimeServerMessage, wire="heartbeat"):
    """The connection is alive: every 30 seconds. It has a type and nothing else."""


class ResponseFunctionCallSimpleBrowser(RealtimeServerMessage, wire="response.function_call.simple_browser"):
    """The model searches the web by itself; session.beta_fields has what it says meanwhile."""

    name: str | None
    session: SessionConfig | None
    client_timestamp: int | None


class ResponseFunctionCallSimpleBrowserResult(RealtimeServerMessage, wire="response.function_call.simple_browser.result"):
    """What the model's own web search found, in session.beta_fields."""

    name: str | None
    session: SessionConfig | None
    client_timestamp: int | None
