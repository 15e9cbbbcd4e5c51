"""Makes the faults that the owner or the client asked for while a response is sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .faults import FAULTS, Fault, bad_base64, null_delta, other_name, twin
from .held import Refusal

if TYPE_CHECKING:
    from .connection import Connection
    from .responses import Response

__all__ = ["EXPIRED", "Misbehaviour"]

Event = dict[str, Any]

EXPIRED = "Your session hit the maximum duration of 60 minutes."
_RATE_LIMIT = "Rate limit reached for gpt-realtime. Please try again in 1.2s."


def _failed(code: str, message: str, kind: str = "server_error") -> tuple[str, Event]:
    return "failed", {"type": "failed", "error": {"type": kind, "code": code, "message": message}}


class Misbehaviour:
    """Makes the faults at their deltas. behind: how many seconds the audio is late."""

    def __init__(self, connection: Connection, response: Response | None) -> None:
        self.connection = connection
        self.response = response
        self.behind = 0.0

    def at_the_start(self) -> None:
        """Applies faults of the whole response."""
        for fault in self.connection.faults:
            if fault.kind == "rate_limit" and self.response is not None and self.response.number == fault.at:
                self.response.end(*_failed("rate_limit_exceeded", _RATE_LIMIT, "invalid_request_error"))

    async def before(self, number: int, content: str | Event, seconds: float) -> bool:
        """Applies the faults before this delta. Returns False if one of them has ended the connection."""
        connection = self.connection
        for fault in connection.faults:
            if fault.at != number or fault.kind in ("rate_limit", "transcription_failed"):
                continue
            if seconds and isinstance(content, str):
                if not await self._with_audio(fault, content):
                    return False
            elif not await self._anywhere(fault):
                return False
        if connection.slow and seconds:
            self.behind += seconds
            if not connection.pace:
                await asyncio.sleep(2 * seconds)
        return True

    async def after(self, delta: str) -> None:
        """Applies faults that last from their delta on."""
        if self.connection.interleaved:
            await self.connection.send(twin(delta))
        if self.connection.two_names:
            await self.connection.send(other_name(delta))

    async def _with_audio(self, fault: Fault, delta: str) -> bool:
        connection = self.connection
        match fault.kind:
            case "bad_base64":
                await connection.send(bad_base64(delta))
            case "null_delta":
                await connection.send(null_delta(delta))
            case "duplicate":
                await connection.send(delta)
            case "interleaved":
                connection.interleaved = True
            case "two_names":
                connection.two_names = True
            case "slow_audio":
                connection.slow = True
            case "close_mid_delta":
                await connection.send_half(delta)
                await connection.ws.close(1011, "asked for by the client")
                return False
            case _:
                return await self._anywhere(fault)
        return True

    async def _anywhere(self, fault: Fault) -> bool:
        connection, response = self.connection, self.response
        match fault.kind:
            case "unknown_type":
                await connection.emit("response.hologram.delta", delta="AAAA", nested={"deep": [1, None]})
            case "error_event":
                await connection.fail(Refusal("rate_limit_exceeded", "asked for by the client"))
            case "late":
                await asyncio.sleep(0.3)
            case "binary":
                connection.binary = True
            case "response_failed" if response is not None:
                response.end(*_failed("server_error", "The server had an error while processing your request."))
            case "response_incomplete" if response is not None:
                response.end("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})
            case "session_expired":
                await connection.fail(Refusal("session_expired", EXPIRED))
                await connection.ws.close(1001, EXPIRED)
                return False
            case "cut":
                connection.ws.transport.abort()
                return False
            case kind if kind.startswith("close_") and kind in FAULTS and kind != "close_mid_delta":
                await connection.ws.close(int(kind.removeprefix("close_")), "asked for by the client")
                return False
        return True
