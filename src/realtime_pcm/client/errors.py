"""How a call fails: CallRefused before it begins, CallClosed when it ends."""

from __future__ import annotations

__all__ = ["CallClosed", "CallError", "CallRefused"]


class CallError(Exception):
    """The base of CallRefused and CallClosed. Their texts never contain a key."""


class CallRefused(CallError):
    """The call could not be made.

    Attributes:
        status (int | None): HTTP status of the answer; None if there was no answer that HTTP knows.
        reason (str): the phrase of that status, or what went wrong: a name that does not resolve, TLS, a timeout.
        body (str): the first bytes of the answer, fit for a terminal; empty if none came with the status.

    """

    def __init__(self, where: str, reason: str, status: int | None = None, body: str = "") -> None:
        super().__init__(where, reason, status, body)
        self.where, self.reason, self.status, self.body = where, reason, status, body

    def __str__(self) -> str:
        answer = self.reason if self.status is None else f"{self.status} {self.reason}".rstrip()
        return f"{self.where}: {answer}" + (f": {self.body}" if self.body else "")


class CallClosed(CallError):
    """The call is over.

    Attributes:
        code (int): the close code of RFC 6455: the server's; 1002, 1007 or 1009 if a frame of the server broke the protocol or
            the limit; 1006 if the connection was lost.
        reason (str): what the server gave as its reason, fit for a terminal, or what went wrong.

    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason

    def __str__(self) -> str:
        return f"the call ended with code {self.code}" + (f": {self.reason}" if self.reason else "")
