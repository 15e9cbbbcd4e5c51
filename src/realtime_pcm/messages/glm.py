"""Messages that Zhipu's GLM-Realtime adds."""

from __future__ import annotations

from typing import Literal

from .._core import RealtimeServerMessage
from ..declare import Nested
from ..objects import SessionConfig


class Heartbeat(RealtimeServerMessage):
    """The connection is alive: every 30 seconds. It has a type and nothing else."""

    type: Literal["heartbeat"] = "heartbeat"


class ResponseFunctionCallSimpleBrowser(RealtimeServerMessage):
    """The model searches the web on its own; session.beta_fields has its words meanwhile."""

    type: Literal["response.function_call.simple_browser"] = "response.function_call.simple_browser"
    name: str | None = None
    """The name of the search."""
    session: Nested[SessionConfig] = Nested()
    """The session; its `beta_fields` say what the search does."""
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""


class ResponseFunctionCallSimpleBrowserResult(RealtimeServerMessage):
    """The results of the model's own web search, in session.beta_fields."""

    type: Literal["response.function_call.simple_browser.result"] = "response.function_call.simple_browser.result"
    name: str | None = None
    """The name of the search."""
    session: Nested[SessionConfig] = Nested()
    """The session; its `beta_fields` hold what was found."""
    client_timestamp: int | None = None
    """When the client sent it, in milliseconds since 1970."""
