"""DecodeError, which a bad frame raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .terminal import shown_name

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The text ", did you mean 'x'?" with the nearest known name, or "" if none is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f", did you mean {near[0]!r}?" if near else ""


def no_field(owner: type, name: str, known: Iterable[str]) -> TypeError:
    """The error for a keyword that is not a field of a class."""
    known = list(known)
    hint = did_you_mean(name, known) or f"; its fields are {', '.join(known)}"
    return TypeError(f"{owner.__name__} has no field {name!r}{hint}")


class DecodeError(ValueError):
    """A frame was refused. The decoder is as it was before the frame, and decodes the next one.

    Attributes:
        reason: What was expected or found.
        position: Byte offset into the frame; for a str, into its UTF-8.
        message_type: The `type` of the frame; None if the fault came before it.
        field: The top-level key whose value is at fault, or None.
        frame: The frame; a copy if it was a bytearray or memoryview.

    Examples:
        >>> str(error)
        "response.output_audio.delta: delta: not base64 at byte 214: '*'"
    """

    __slots__ = ("field", "frame", "message_type", "position", "reason")

    reason: str
    position: int
    message_type: str | None
    field: str | None
    frame: bytes | str

    def __init__(self, reason: str, position: int, message_type: str | None, field: str | None, frame: bytes | str) -> None:
        super().__init__(reason, position, message_type, field, frame)
        self.reason = reason
        self.position = position
        self.message_type = message_type
        self.field = field
        self.frame = frame

    def __str__(self) -> str:
        where = [shown_name(name) for name in (self.message_type, self.field) if name]
        text = ": ".join([*where, f"{self.reason} at byte {self.position}"])
        byte = self._byte_at_fault()
        return text if byte is None else f"{text}: {byte}"

    def __repr__(self) -> str:
        return f"DecodeError({str(self)!r})"

    def _byte_at_fault(self) -> str | None:
        frame: Any = self.frame
        if isinstance(frame, str):
            # Mostly the text is ASCII up to the fault: then a character of it is a byte.
            head = frame[: self.position + 1]
            frame = head if head.isascii() else frame.encode("utf-8", "surrogatepass")
        byte = frame[self.position : self.position + 1]
        if not byte:
            return None
        code = byte[0] if isinstance(byte, bytes) else ord(byte)
        return repr(chr(code)) if 0x20 <= code < 0x7F else f"0x{code:02x}"
