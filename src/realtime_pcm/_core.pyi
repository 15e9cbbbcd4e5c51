from asyncio import Future
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from types import ModuleType
from typing import Any, ClassVar, Generic, Literal, Never, TypeAlias, dataclass_transform, final, overload

import numpy as np
import numpy.typing as npt
from typing_extensions import Self, TypeVar, disjoint_base

from .audio import AudioFormat
from .client_messages import ClientMessage
from .declare import Field, Samples
from .messages import ServerMessage
from .roles import ReadName, RoleName
from .sockets import Catalogue, Socket

__version__: str
first_import: dict[str, ModuleType]

_Server = TypeVar("_Server")
_Client = TypeVar("_Client")

Frame: TypeAlias = bytes | bytearray | memoryview | str
DType: TypeAlias = Literal["int16", "float32", "uint8", "bytes"]

# What Decoder.decode gives: a message, and None too where `only` leaves some out.
_Given = TypeVar("_Given", covariant=True, default=ServerMessage)
_LeftOut = TypeVar("_LeftOut", covariant=True, default=Never)

# `only=` narrows to one class, or to a tuple of up to six.
M1 = TypeVar("M1", bound=RealtimeMessage, default=Never)
M2 = TypeVar("M2", bound=RealtimeMessage, default=Never)
M3 = TypeVar("M3", bound=RealtimeMessage, default=Never)
M4 = TypeVar("M4", bound=RealtimeMessage, default=Never)
M5 = TypeVar("M5", bound=RealtimeMessage, default=Never)
M6 = TypeVar("M6", bound=RealtimeMessage, default=Never)
Classes: TypeAlias = (
    type[M1]
    | tuple[type[M1]]
    | tuple[type[M1], type[M2]]
    | tuple[type[M1], type[M2], type[M3]]
    | tuple[type[M1], type[M2], type[M3], type[M4]]
    | tuple[type[M1], type[M2], type[M3], type[M4], type[M5]]
    | tuple[type[M1], type[M2], type[M3], type[M4], type[M5], type[M6]]
)
Wanted: TypeAlias = str | type[RealtimeMessage] | Iterable[str | type[RealtimeMessage]]

# To a type checker messages and views are frozen dataclasses: a class statement has the fields, and the keywords follow from it.
@dataclass_transform(frozen_default=True, kw_only_default=True)
class _Declared: ...

class MessageObject(_Declared):
    """The memory of a message; use RealtimeServerMessage."""

class RealtimeMessage(MessageObject):
    """One message of a Realtime conversation, of either side: decoded from a frame, or written by keyword. Read-only.

    Call a message class to write a message: `SessionUpdate(session={"instructions": "Be brief."})`. The keywords are the
    declared fields and `event_id`; a field that is not given is left out, and None is written as null. `extra`: a dict of fields
    that the class does not declare. `type`: another of the wire names of the class. A class with audio takes `pcm`, a 1-D array
    of int16 or float32 or the payload's bytes, and `audio_format`, which is the one that the other fields name, else pcm16 at
    24,000 Hz.
    The message is what decoding its frame gives.

    Attributes:
        type: The wire's string.
        event_id: Str or None.
        frame: What was decoded, bytes or str, or the str to send.
        canonical_type: The first of the wire names of its class, the same for all names; None for a type that no class
            declares.

    Raises:
        TypeError: For a field that is not declared, and for a value that JSON cannot hold.
        ValueError: For a number that is not finite, for half a surrogate pair, and for an unknown `type`.
    """

    __match_args__: ClassVar[tuple[str, ...]]
    __hash__: ClassVar[None]  # type: ignore[assignment]
    canonical_type: ClassVar[str | None]
    """The first of the wire names of the class: the same str for all names of one message; None for a type that no class declares."""
    def __init_subclass__(
        cls, role: RoleName | Mapping[str, RoleName | Mapping[str, RoleName]] | None = None, catalogue: Catalogue[Any, Any] | None = None,
        reads: Mapping[ReadName, str | None] | None = None, **kwargs: Any
    ) -> None: ...
    type: str
    """The wire's string, one of the names of the class; any string for UnknownMessage."""
    event_id: str | None = None
    """The id that the sender gave the message, or None."""
    extra: dict[str, Any] = ...
    """The undeclared fields: a fresh dict, parsed from the frame each time."""
    @property
    def frame(self) -> bytes | str:
        """What was decoded, whole: bytes or str; bytes where a bytearray or memoryview was given. Of a written message: the str to
        send.
        """
    @property
    def frame_text(self) -> str:
        """The frame as str: the text to send, or to pass on."""
    def to_dict(self) -> dict[str, Any]:
        """All of the frame as fresh Python objects, as orjson reads it."""
    def __eq__(self, other: object) -> bool: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Self: ...

# mypy gives a field that a class inherits the type of its keyword, unless the class that declares the field has a metaclass of this
# kind. Only type checkers see it.
@dataclass_transform(frozen_default=True, kw_only_default=True)
class _ReadsAsDeclared(type): ...

class CarriesAudio(RealtimeMessage, metaclass=_ReadsAsDeclared):
    """A message that carries audio, of either side: the base of AudioMessage and ClientAudioMessage. No class derives from it.

    Attributes:
        pcm: The samples: a new 1-D array, or the filled part of `out`; its dtype is the decoder's, its channels are
            interleaved. With dtype="bytes": bytes.
        audio_format: The AudioFormat of the payload as it was sent.
        pcm_format: The AudioFormat of the array.
        sample_offset: The index of the first sample in its stream, counted in bytes for dtype="uint8"; None from
            decode().
        incomplete_sample: From decode(), the byte at the end that makes no whole sample, else b""; a Decoder puts that
            byte in front of the next message's samples instead.
    """

    pcm: Samples = ...
    """The samples: a new 1-D array, which is the caller's, or the filled part of `out`; channels are interleaved.

    Its dtype is the decoder's: int16, float32 in [-1, 1), or uint8, the payload's bytes as sent. With dtype="bytes" it is no array
    but bytes: int16 samples, little-endian. Empty if the payload was absent, null or empty.
    """
    audio_format: Field[AudioFormat, AudioFormat | str | None] = ...
    """The AudioFormat of the payload as it was sent: encoding, rate in samples per second, channels."""
    @property
    def pcm_format(self) -> AudioFormat:
        """The AudioFormat of the samples. encoding: "pcm16" for int16 and bytes, "float32" for float32, the payload's for uint8.
        rate and channels: those of the payload.
        """
    @property
    def sample_offset(self) -> int | None:
        """The index of the first sample in the stream of this (response_id, item_id, content_index); of a client's, since the
        speech began.

        Counted in samples, in bytes for dtype="uint8"; None from decode(), which knows no session.
        """
    @property
    def incomplete_sample(self) -> bytes:
        """From decode(), the byte at the end that makes no whole sample, else b""; a Decoder puts it before the next delta's samples."""

class RealtimeServerMessage(RealtimeMessage):
    """One message of a Realtime server: the base of all. Read-only.

    A class statement below this class declares a message: `type: Literal["weather.report"] = "weather.report"` is its name on the
    wire, or all of its names, and the other annotations are the fields, `degrees: float | None = None`. A field that is absent or
    null reads None. role: what the message means, a key of realtime_pcm.roles.ROLES, which says what each role does and which
    fields it needs; without it that of the base, which is "audio" below AudioMessage and "audio_end" below AudioEnd.
    If one message may have several meanings, role is a mapping from fields to their roles. If a field says whose the audio is,
    its values have roles: `role={"pcm": "input_audio", "track": {"outbound": "audio"}}`.

    Two messages are equal when they are of one class and hold equal values.

    Raises:
        TypeError: If a wire name is taken, the name of a field is reserved, or the role is unknown.
    """

class AudioMessage(RealtimeServerMessage, CarriesAudio):
    """A message of a server that carries audio: see CarriesAudio.

    Attributes:
        sample_offset: Index of the first sample in the stream of this (response_id, item_id, content_index).
        delta: The base64 text of the payload, a new str at each read.
    """

    @property
    def delta(self) -> str | None:
        """The payload as the base64 text that was sent, a new str at each read; None if it was absent or null."""

class AudioEnd(RealtimeServerMessage):
    """A message that ends an audio stream, or all audio streams of a response.

    Attributes:
        incomplete_sample: The bytes that made no whole sample, at most one for each stream that ends; b"" if there are
            none.
    """

    @property
    def incomplete_sample(self) -> bytes:
        """The bytes that made no whole sample, at most one for each stream that ends; b"" if there are none."""

class UnknownMessage(RealtimeServerMessage):
    """A message whose type no class declares. Everything in it is in `extra`."""

    # Any string but those of the catalogue: only a literal lets the comparison of `type` narrow the union.
    type: Literal["(unknown)"]
    def __init__(self, *, type: str, event_id: str | None = None, extra: dict[str, Any] | None = None) -> None: ...

class RealtimeClientMessage(RealtimeMessage):
    """One message of a Realtime client: the base of all. Read-only.

    A class statement below this class declares a message, as below RealtimeServerMessage. The two sides may use the same wire
    name for different messages. After a message of role="session_update", the client's own audio has the new input format at
    once; the server's audio has the new output format when the server confirms it.
    """

class ClientAudioMessage(RealtimeClientMessage, CarriesAudio):
    """A message of a client that carries audio: see CarriesAudio.

    sample_offset: the index of the first sample since the speech began. audio: the base64 text of the payload, a new str at each
    read.
    """

    @property
    def audio(self) -> str | None:
        """The payload as the base64 text that was sent, a new str at each read; None if it was absent or null."""

class ClientAudioEnd(RealtimeClientMessage):
    """A message of a client that ends the user's speech.

    Attributes:
        incomplete_sample: The byte of the speech that made no whole sample, or b"".
    """

    @property
    def incomplete_sample(self) -> bytes:
        """The byte of the speech that made no whole sample, or b""."""

class UnknownClientMessage(RealtimeClientMessage):
    """A message of a type that no class of the client's side declares. All of it is in `extra`."""

    type: Literal["(unknown)"]
    def __init__(self, *, type: str, event_id: str | None = None, extra: dict[str, Any] | None = None) -> None: ...

def role_of(cls: type[RealtimeMessage]) -> str | None: ...
def roles_at(cls: type) -> tuple[tuple[str, str], ...]: ...
def audio_roles(cls: type) -> tuple[tuple[str, str, str], ...]: ...
def role_of_message(message: object) -> str | None: ...

@final
class PayloadText:
    """The payload as the base64 text that was sent, a new str at each read; None if it was absent or null."""

    def __init__(self, name: str) -> None: ...
    @property
    def __name__(self) -> str: ...
    @overload
    def __get__(self, instance: None, owner: type[RealtimeMessage] | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: RealtimeMessage, owner: type[RealtimeMessage] | None = None, /) -> str | None: ...

@final
class Session:
    """The state of one connection: the formats of its audio, and the position of each audio stream.

    Every Decoder has a session; several may share one with `Decoder(session=other.session)`. Any thread may use it: each
    decode() sees the session as it was before or after any other.

    Attributes:
        audio_format: The current format of the output audio.
        input_audio_format: The current format of the input audio.
        evicted_bytes: How many bytes of split samples were lost.
    """

    @property
    def audio_format(self) -> AudioFormat:
        """The current AudioFormat of the output audio."""
    @property
    def input_audio_format(self) -> AudioFormat:
        """The current AudioFormat of the input audio."""
    @property
    def evicted_bytes(self) -> int:
        """How many bytes of split samples were lost: their stream was evicted, another session began, the format of the stream
        changed before the other half came, or a message without `incomplete_sample` ended the stream.
        """

@final
class Decoder(Generic[_Given, _LeftOut]):
    """Decodes the frames of one connection and follows its session: audio formats, split samples, offsets.

    Any thread may use it: each decode() sees the session as it was before or after any other.

    Args:
        dtype: Type of the samples: "int16"; "float32", scaled by 1/32768 into [-1, 1); "uint8", the payload's bytes as
            sent; or "bytes": then `pcm` is bytes of little-endian int16 samples, not an array.
        audio_format: None follows the session. An AudioFormat, or the name of one ("g711_ulaw"), forces that format.
        only: Wire types and message classes to build. decode() gives None for any other message: its JSON is still
            validated and the session follows it, but its payload is not checked.
        side: The side that sent the frames, "server" or "client".
        catalogue: The messages of another socket, a module such as realtime_pcm.sockets.twilio. None: the Realtime API.
        session: The Session of another decoder, of either side, to share. By default the decoder has its own.
        lone_surrogates: "refuse" refuses a frame with half a surrogate pair, as JSON does. "replace" decodes a copy of the
            frame in which each half is U+FFFD, because some servers cut a text delta inside an emoji. `frame` is then that
            copy.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: A dtype, format, side or wire type is unknown, or `only` has a class that no message of this side can
            be.

    Examples:
        >>> decoder = rp.Decoder(dtype="float32")
        >>> message = decoder.decode(frame)
    """

    # __new__, not __init__: what `self` of an __init__ is annotated as, pyright would leave half solved.
    @overload
    def __new__(  # type: ignore[overload-overlap]
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: Classes[M1, M2, M3, M4, M5, M6],
        side: Literal["server", "client"] = "server",
        catalogue: Socket[Any, Any] | None = None,
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[M1 | M2 | M3 | M4 | M5 | M6, None]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: None = None,
        side: Literal["server"] = "server",
        catalogue: None = None,
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[ServerMessage]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: None = None,
        side: Literal["server"] = "server",
        catalogue: Socket[_Server, Any],
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[_Server]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: None = None,
        side: Literal["client"],
        catalogue: None = None,
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[ClientMessage]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: None = None,
        side: Literal["client"],
        catalogue: Socket[Any, _Client],
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[_Client]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: Wanted,
        side: Literal["server"] = "server",
        catalogue: None = None,
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[ServerMessage, None]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: Wanted,
        side: Literal["server"] = "server",
        catalogue: Socket[_Server, Any],
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[_Server, None]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: Wanted,
        side: Literal["client"],
        catalogue: None = None,
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[ClientMessage, None]: ...
    @overload
    def __new__(
        cls,
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: Wanted,
        side: Literal["client"],
        catalogue: Socket[Any, _Client],
        session: Session | None = None,
        lone_surrogates: Literal["refuse", "replace"] = "refuse",
    ) -> Decoder[_Client, None]: ...
    @property
    def dtype(self) -> str:
        """The dtype of the samples: "int16", "float32", "uint8" or "bytes"."""
    @property
    def session(self) -> Session:
        """The Session, for other decoders and for AudioEncoder to share."""
    @property
    def audio_format(self) -> AudioFormat:
        """The AudioFormat of output audio: the session's current one, or the one that was forced."""
    @property
    def input_audio_format(self) -> AudioFormat:
        """The current AudioFormat of the session's input audio."""
    @property
    def evicted_bytes(self) -> int:
        """How many bytes of split samples were lost: their stream was evicted, another session began, the format of the stream
        changed before the other half came, or a message without `incomplete_sample` ended the stream.
        """
    def decode(self, frame: Frame, out: npt.NDArray[Any] | None = None) -> _Given | _LeftOut:
        """Decodes one frame into its message.

        Args:
            frame: bytes, str, bytearray or memoryview.
            out: A C-contiguous, writable array of the decoder's dtype for the samples. `pcm` is then a 1-D array over its
                filled part.

        Returns:
            The message; None if `only` leaves it out.

        Raises:
            DecodeError: The frame is bad.
            TypeError: The frame has another type, or `out` is given and dtype is "bytes".
            ValueError: `out` is too small, has another dtype, is not C-contiguous or is read-only.

        After an error the decoder is as it was before the call. After a DecodeError, or if `out` was too small, `out` may hold
        samples.
        """

@overload
def decode(
    frame: Frame,
    *,
    dtype: DType | npt.DTypeLike = "int16",
    audio_format: AudioFormat | str | None = None,
    side: Literal["server"] = "server",
    catalogue: None = None,
) -> ServerMessage:
    """Decodes one frame into its message, without a session.

    Args:
        frame: bytes, str, bytearray or memoryview.
        dtype: Type of the samples: "int16"; "float32", scaled by 1/32768 into [-1, 1); "uint8", the payload's bytes as
            sent; or "bytes": then `pcm` is bytes of little-endian int16 samples, not an array.
        audio_format: An AudioFormat, or the name of one, to force. None: the format that the message names, else pcm16 at
            24,000 Hz, mono.
        side: The side that sent the frame, "server" or "client".
        catalogue: The messages of another socket, a module such as realtime_pcm.sockets.twilio. None: the Realtime API.

    Returns:
        The message.

    Raises:
        DecodeError: The frame is bad.
        TypeError: The frame or an option has the wrong type.
        ValueError: A dtype, format or side is unknown.

    Examples:
        >>> rp.decode('{"type":"response.output_audio.delta","delta":"AAABAAIA"}').pcm
        array([0, 1, 2], dtype=int16)
    """
@overload
def decode(
    frame: Frame,
    *,
    dtype: DType | npt.DTypeLike = "int16",
    audio_format: AudioFormat | str | None = None,
    side: Literal["server"] = "server",
    catalogue: Socket[_Server, Any],
) -> _Server:
    """Decodes one frame into its message, without a session.

    Args:
        frame: bytes, str, bytearray or memoryview.
        dtype: Type of the samples: "int16"; "float32", scaled by 1/32768 into [-1, 1); "uint8", the payload's bytes as
            sent; or "bytes": then `pcm` is bytes of little-endian int16 samples, not an array.
        audio_format: An AudioFormat, or the name of one, to force. None: the format that the message names, else pcm16 at
            24,000 Hz, mono.
        side: The side that sent the frame, "server" or "client".
        catalogue: The messages of another socket, a module such as realtime_pcm.sockets.twilio. None: the Realtime API.

    Returns:
        The message.

    Raises:
        DecodeError: The frame is bad.
        TypeError: The frame or an option has the wrong type.
        ValueError: A dtype, format or side is unknown.

    Examples:
        >>> rp.decode('{"type":"response.output_audio.delta","delta":"AAABAAIA"}').pcm
        array([0, 1, 2], dtype=int16)
    """
@overload
def decode(
    frame: Frame,
    *,
    dtype: DType | npt.DTypeLike = "int16",
    audio_format: AudioFormat | str | None = None,
    side: Literal["client"],
    catalogue: None = None,
) -> ClientMessage:
    """Decodes one frame into its message, without a session.

    Args:
        frame: bytes, str, bytearray or memoryview.
        dtype: Type of the samples: "int16"; "float32", scaled by 1/32768 into [-1, 1); "uint8", the payload's bytes as
            sent; or "bytes": then `pcm` is bytes of little-endian int16 samples, not an array.
        audio_format: An AudioFormat, or the name of one, to force. None: the format that the message names, else pcm16 at
            24,000 Hz, mono.
        side: The side that sent the frame, "server" or "client".
        catalogue: The messages of another socket, a module such as realtime_pcm.sockets.twilio. None: the Realtime API.

    Returns:
        The message.

    Raises:
        DecodeError: The frame is bad.
        TypeError: The frame or an option has the wrong type.
        ValueError: A dtype, format or side is unknown.

    Examples:
        >>> rp.decode('{"type":"response.output_audio.delta","delta":"AAABAAIA"}').pcm
        array([0, 1, 2], dtype=int16)
    """
@overload
def decode(
    frame: Frame,
    *,
    dtype: DType | npt.DTypeLike = "int16",
    audio_format: AudioFormat | str | None = None,
    side: Literal["client"],
    catalogue: Socket[Any, _Client],
) -> _Client:
    """Decodes one frame into its message, without a session.

    Args:
        frame: bytes, str, bytearray or memoryview.
        dtype: Type of the samples: "int16"; "float32", scaled by 1/32768 into [-1, 1); "uint8", the payload's bytes as
            sent; or "bytes": then `pcm` is bytes of little-endian int16 samples, not an array.
        audio_format: An AudioFormat, or the name of one, to force. None: the format that the message names, else pcm16 at
            24,000 Hz, mono.
        side: The side that sent the frame, "server" or "client".
        catalogue: The messages of another socket, a module such as realtime_pcm.sockets.twilio. None: the Realtime API.

    Returns:
        The message.

    Raises:
        DecodeError: The frame is bad.
        TypeError: The frame or an option has the wrong type.
        ValueError: A dtype, format or side is unknown.

    Examples:
        >>> rp.decode('{"type":"response.output_audio.delta","delta":"AAABAAIA"}').pcm
        array([0, 1, 2], dtype=int16)
    """

_Flat: TypeAlias = str | int | float | bool | None
_Pcm: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32] | npt.NDArray[np.uint8] | bytes | bytearray | memoryview

@final
class AudioEncoder:
    """Encodes samples as the frames of one message: `{"type":"input_audio_buffer.append","audio":"..."}`.

    Any thread may use it.

    Args:
        message: A message class of either side that has audio. By default the client's InputAudioBufferAppend.
        audio_format: The format to convert samples to: an AudioFormat or the name of one.
        session: A Session. Each call converts samples to the session's format at that moment: the input format for the
            user's speech, the output format for the server's, and always pcm16 at 24,000 Hz for a fixture (GPT-Live). With
            neither a format nor a session: the format that the fields name, else that of the socket if nobody names one;
            pcm16 at 24,000 Hz in the Realtime API.
        fields: Fields of the message that are the same in every frame.

    Raises:
        TypeError: Both a format and a session are given, or a field is not declared.
        ValueError: The format is unknown.

    Examples:
        >>> encoder = rp.AudioEncoder(session=decoder.session)
        >>> await ws.send(encoder.encode(samples))
    """

    def __init__(
        self,
        message: type[RealtimeMessage] | None = None,
        *,
        audio_format: AudioFormat | str | None = None,
        session: Session | None = None,
        **fields: _Flat,
    ) -> None: ...
    @property
    def message(self) -> type[RealtimeMessage]:
        """The message class whose frames are made."""
    @property
    def audio_format(self) -> AudioFormat:
        """The AudioFormat that samples are converted to: the session's current one, or the one that was given."""
    def encode(self, pcm: _Pcm, *, rate: int | None = None, **fields: _Flat) -> str:
        """Encodes samples as one frame.

        A WebSocket library sends a str as a text frame, which servers expect. Nothing is resampled.

        Args:
            pcm: A 1-D array of int16, or of float32 in [-1, 1) (scaled by 32768, rounded half to even, saturated; NaN becomes
                0), with any stride and byte order, channels interleaved. Or a bytes-like object, which is sent as the payload.
                A buffer whose elements are not bytes (array.array, memoryview, ctypes) counts as an array of its type.
            rate: The sample rate of `pcm`, to be checked against the format's.
            **fields: Fields of this one frame.

        Returns:
            The frame as an ASCII str.

        Raises:
            TypeError: `pcm` has another type, or a field is not declared.
            ValueError: The array is not 1-D, pcm16 has an odd number of bytes, an array comes with a format that is neither PCM
                nor G.711, or `rate` is not the format's.
        """
    def encode_bytes(self, pcm: _Pcm, *, rate: int | None = None, **fields: _Flat) -> bytes:
        """The same frame as encode() makes, as bytes: for libraries that take bytes, and for files."""

def encode_append(
    pcm: _Pcm, *, audio_format: AudioFormat | str = "pcm16", event_id: str | None = None
) -> str:
    """One `input_audio_buffer.append` frame as a str.

    Args:
        pcm: Samples or bytes, as for AudioEncoder.encode, which also lists the errors.
        audio_format: An AudioFormat or the name of one.
        event_id: The id that the server repeats in an error about this frame.
    """

@disjoint_base
class DecodedFrames:
    """The messages of an iterable of frames; a message that `only` leaves out is passed over.

    Args:
        decoder: The Decoder. An exception from decoding a frame leaves __next__, and the next call goes on with the next
            frame.
    """

    @property
    def decoder(self) -> Decoder[Any, Any]: ...
    @property
    def _source(self) -> str: ...
    def __init__(self, frames: Iterable[Frame], decoder: Decoder[Any, Any], source: str = "") -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...

@disjoint_base
class CallObject:
    """What a Call does for each message; use Call."""

    _encoder: AudioEncoder | None
    _other_frame: Callable[[Any, Any], None]
    _record: Callable[[bytes], object] | None
    _settled: bool
    _write: Callable[[Any, bytes], None] | None
    @property
    def _decoder(self) -> Decoder[Any, Any]: ...
    @property
    def _queued(self) -> int: ...
    def __init__(
        self, decoder: Decoder[Any, Any], new_future: Callable[[], Future[Any]], most: int, text: object, binary: object
    ) -> None: ...
    def __aiter__(self) -> AsyncIterator[Any]: ...
    def __anext__(self) -> Coroutine[Any, Any, Any]: ...
    def _on_ws_frame(self, transport: Any, frame: Any) -> None: ...
    def _receive(self, frame: bytes) -> None: ...
    def _over(self, end: Any) -> None: ...
    def _say(self, pcm: Any, rate: Any) -> Coroutine[Any, Any, None]: ...

@disjoint_base
class ViewObject(_Declared):
    """The memory of a view; use View."""

    __match_args__: ClassVar[tuple[str, ...]]
    extra: dict[str, Any] = ...
    """The undeclared fields: a fresh dict at each read."""
    @property
    def raw(self) -> dict[str, Any]:
        """The whole object as a dict, parsed by orjson when it is first asked for."""
    @property
    def _formats(self) -> tuple[AudioFormat, AudioFormat] | None: ...

@final
class ViewField:
    def __init__(self, name: str, view: type[ViewObject] | None, many: bool) -> None: ...
    @property
    def __name__(self) -> str: ...
    def __get__(self, instance: ViewObject | None, owner: type[ViewObject] | None = None, /) -> Any: ...
    def __set__(self, instance: ViewObject, value: object, /) -> None: ...

def part_pcm(part: ViewObject, formats: tuple[AudioFormat, AudioFormat]) -> npt.NDArray[np.int16] | None:
    """The samples of a content part, int16 in a new 1-D array; None if the part has no audio.

    A byte at the end that makes no whole sample is left out.

    Args:
        part: The content part.
        formats: The session's input and output formats.

    Raises:
        DecodeError: `audio` is not a string, is not canonical base64 (`position` is then an offset into that string), or
            has a format that is neither PCM nor G.711.
    """
def view_text(view: ViewObject) -> bytes | None:
    """The JSON of the view's object as bytes; None once it is parsed, because a caller may have changed what it was parsed to."""
def declare_view(cls: type[ViewObject], names: Iterable[str]) -> None:
    """Gives a view class what writing its fields takes: `_heads`, and calls without a dict of keywords."""
def json_text(value: Any, name: str) -> bytes:
    """A JSON value as bytes. Raises what json_values.refuse raises; `name` begins the path in the error."""
def frame_with_payload(cls: type[RealtimeMessage], text: str, payload: _Pcm, audio_format: AudioFormat | None) -> str:
    """The frame `text` of a message, whose payload is empty and comes last, with the payload put in. audio_format: None if the
    class has no audio, and the payload is bytes."""
def write_fully_by(function: Callable[[Any, dict[str, Any]], RealtimeMessage]) -> None:
    """Sets the function that writes what _write_message does not write itself."""
def new_catalogue(
    pair: object,
    side: str,
    tag: str | None,
    keys: bool,
    inside: str | None,
    url_safe: bool,
    formats: tuple[AudioFormat, AudioFormat] | None,
) -> Any: ...
def class_of(side: Literal["server", "client"], name: str) -> type[Any]:
    """wire_class, or ValueError with the nearest name."""
def wire_class(side: Literal["server", "client"], name: str, catalogue: object = None) -> type[RealtimeMessage] | None:
    """The message class of a side that has this wire name, or None. catalogue: as in Decoder."""
def simd_tier() -> str:
    """The kernel tier in use: "avx512vbmi", "avx2", "ssse3", "neon" or "scalar".

    It is the best tier that this machine runs, or the one that the environment variable REALTIME_PCM_SIMD named at import.
    """
def _available_tiers() -> list[str]:
    """The tiers that this build holds and this machine runs, the best first."""
def _use_tier(name: str) -> None:
    """For tests: from now on frames are decoded by the tier of this name. ValueError if this machine does not run it."""
def _cache_counts() -> tuple[int, int, int, int, int]:
    """(limit, kept bytes, kept blocks, arrays made of a kept block, arrays made of a new block)."""
def _set_cache_limit(count: int) -> None: ...
def _clear_cache() -> None: ...
def _refuse_blocks(after: int, count: int) -> None:
    """For tests: `after` more new blocks are given, then `count` of them are refused, as if there were no memory."""
