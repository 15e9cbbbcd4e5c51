from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Literal, TypeAlias, final, overload

import numpy as np
import numpy.typing as npt
from typing_extensions import Self, TypeVar, disjoint_base

from .audio import AudioFormat
from .client_messages import ClientMessage
from .messages import ServerMessage

Frame: TypeAlias = bytes | bytearray | memoryview | str
Samples: TypeAlias = npt.NDArray[Any]
DType: TypeAlias = Literal["int16", "float32", "uint8"]

# What Decoder.decode gives: a message, or, where `only` leaves some out, a message or None.
_Given = TypeVar("_Given", covariant=True, default=ServerMessage)

class MessageObject:
    """The memory of a message; use RealtimeServerMessage."""

    def __new__(cls, *args: object, **kwargs: object) -> Self: ...

_Role: TypeAlias = Literal[
    "session_start", "session_update", "response_start", "response_end", "audio_end", "input_audio"
]

class RealtimeMessage(MessageObject):
    """One message of a Realtime conversation, of either side."""

    __match_args__: ClassVar[tuple[str, ...]]
    __hash__: ClassVar[None]  # type: ignore[assignment]
    canonical_type: ClassVar[str | None]
    def __init_subclass__(cls, wire: str | Iterable[str] = (), role: _Role | None = None, **kwargs: Any) -> None: ...
    @property
    def type(self) -> str: ...
    @property
    def event_id(self) -> str | None: ...
    @property
    def frame(self) -> bytes | str: ...
    @property
    def extra(self) -> dict[str, Any]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, other: object) -> bool: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Self: ...

class RealtimeServerMessage(RealtimeMessage):
    """One message of a Realtime server: the base of all."""

class AudioMessage(RealtimeServerMessage):
    """A message that carries audio."""

    # No property: a subclass declares it as `pcm: Samples = payload(...)`.
    pcm: Samples
    @property
    def audio_format(self) -> AudioFormat: ...
    @property
    def pcm_format(self) -> AudioFormat: ...
    @property
    def sample_offset(self) -> int | None: ...
    @property
    def incomplete_sample(self) -> bytes: ...
    @property
    def delta(self) -> str | None: ...

class AudioEnd(RealtimeServerMessage):
    """A message after which an audio stream is over."""

    @property
    def incomplete_sample(self) -> bytes: ...

class UnknownMessage(RealtimeServerMessage):
    """A message of a type that no class declares. All of it is in `extra`."""

    # Any string but those of the catalogue: only a literal lets the comparison of `type` narrow the union.
    @property
    def type(self) -> Literal["(unknown)"]: ...

class RealtimeClientMessage(RealtimeMessage):
    """One message of a Realtime client: the base of all."""

class ClientAudioMessage(RealtimeClientMessage):
    """A message of a client that carries audio."""

    pcm: Samples
    @property
    def audio_format(self) -> AudioFormat: ...
    @property
    def pcm_format(self) -> AudioFormat: ...
    @property
    def sample_offset(self) -> int | None: ...
    @property
    def incomplete_sample(self) -> bytes: ...

class ClientAudioEnd(RealtimeClientMessage):
    """A message of a client after which the user's speech is over."""

    @property
    def incomplete_sample(self) -> bytes: ...

class UnknownClientMessage(RealtimeClientMessage):
    """A message of a type that no class of the client's side declares. All of it is in `extra`."""

    @property
    def type(self) -> Literal["(unknown)"]: ...

def payload(*keys: str) -> Any: ...

@final
class Session:
    """What is known of one connection: the formats of its audio, and where each of its audio streams stands."""

    @property
    def audio_format(self) -> AudioFormat: ...
    @property
    def input_audio_format(self) -> AudioFormat: ...
    @property
    def evicted_bytes(self) -> int: ...

@final
class Decoder(Generic[_Given]):
    """Decodes the frames of one connection and follows its session."""

    @overload
    def __init__(
        self: Decoder[ServerMessage],
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: None = None,
        side: Literal["server"] = "server",
        session: Session | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Decoder[ServerMessage | None],
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: str | type[RealtimeMessage] | Iterable[str | type[RealtimeMessage]],
        side: Literal["server"] = "server",
        session: Session | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Decoder[ClientMessage],
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: None = None,
        side: Literal["client"],
        session: Session | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Decoder[ClientMessage | None],
        *,
        dtype: DType | npt.DTypeLike = "int16",
        audio_format: AudioFormat | str | None = None,
        only: str | type[RealtimeMessage] | Iterable[str | type[RealtimeMessage]],
        side: Literal["client"],
        session: Session | None = None,
    ) -> None: ...
    @property
    def dtype(self) -> str: ...
    @property
    def session(self) -> Session: ...
    @property
    def audio_format(self) -> AudioFormat: ...
    @property
    def input_audio_format(self) -> AudioFormat: ...
    @property
    def evicted_bytes(self) -> int: ...
    def decode(self, frame: Frame, out: npt.NDArray[Any] | None = None) -> _Given: ...

@overload
def decode(
    frame: Frame,
    *,
    dtype: DType | npt.DTypeLike = "int16",
    audio_format: AudioFormat | str | None = None,
    side: Literal["server"] = "server",
) -> ServerMessage: ...
@overload
def decode(
    frame: Frame,
    *,
    dtype: DType | npt.DTypeLike = "int16",
    audio_format: AudioFormat | str | None = None,
    side: Literal["client"],
) -> ClientMessage: ...

_Flat: TypeAlias = str | int | float | bool | None
_Pcm: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32] | npt.NDArray[np.uint8] | bytes | bytearray | memoryview

@final
class AudioEncoder:
    """Encodes samples as the frames of one message."""

    def __init__(
        self,
        message: type[RealtimeMessage] | None = None,
        *,
        audio_format: AudioFormat | str | None = None,
        session: Session | None = None,
        **fields: _Flat,
    ) -> None: ...
    @property
    def message(self) -> type[RealtimeMessage]: ...
    @property
    def audio_format(self) -> AudioFormat: ...
    def encode(self, pcm: _Pcm, *, rate: int | None = None, **fields: _Flat) -> str: ...
    def encode_bytes(self, pcm: _Pcm, *, rate: int | None = None, **fields: _Flat) -> bytes: ...

def encode_append(
    pcm: _Pcm, *, audio_format: AudioFormat | str = "pcm16", event_id: str | None = None
) -> str: ...

@disjoint_base
class DecodedFrames:
    """The messages of an iterable of frames, those that `only` leaves out passed over."""

    @property
    def decoder(self) -> Decoder[Any]: ...
    @property
    def _source(self) -> str: ...
    def __init__(self, frames: Iterable[Frame], decoder: Decoder[Any], source: str = "") -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...

@disjoint_base
class ViewObject:
    """The memory of a view; use View."""

    def __init__(self, raw: dict[str, Any], formats: tuple[AudioFormat, AudioFormat] | None = None) -> None: ...
    @property
    def raw(self) -> dict[str, Any]: ...
    @property
    def _formats(self) -> tuple[AudioFormat, AudioFormat] | None: ...

@final
class ViewField:
    def __init__(self, name: str, view: type[ViewObject] | None, many: bool) -> None: ...
    @property
    def __name__(self) -> str: ...
    def __get__(self, instance: ViewObject | None, owner: type[ViewObject] | None = None, /) -> Any: ...
    def __set__(self, instance: ViewObject, value: object, /) -> None: ...

def _split_line(line: bytes, before: tuple[bytes, ...], behind: tuple[bytes, ...]) -> list[bytes] | None: ...
def _unquote(value: bytes) -> bytes | None: ...
def part_pcm(part: ViewObject, formats: tuple[AudioFormat, AudioFormat]) -> npt.NDArray[np.int16] | None: ...
def simd_tier() -> str: ...
def _available_tiers() -> list[str]: ...
def _use_tier(name: str) -> None: ...
def _cache_counts() -> tuple[int, int, int, int, int]: ...
def _set_cache_limit(count: int) -> None: ...
def _clear_cache() -> None: ...
def _refuse_blocks(after: int, count: int) -> None: ...
