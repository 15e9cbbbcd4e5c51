"""Voice sockets of other styles: how their frames say their type, one module for each socket."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from .._core import new_catalogue
from ..audio import DEFAULT, AudioFormat, forced_format
from ..roles import ReadName

__all__ = ["Catalogue", "Socket"]

# `reads=` of a first message whose one format is that of both directions.
ONE_FORMAT: dict[ReadName, str] = {"format": "encoding", "input_format": "encoding", "input_sample_rate": "sample_rate"}

# The unions of what the server and the client of the socket send.
Server = TypeVar("Server", covariant=True)
Client = TypeVar("Client", covariant=True)
_Server = TypeVar("_Server")
_Client = TypeVar("_Client")


class Catalogue(Generic[Server, Client]):
    """The messages of one socket, of both sides. A class statement takes its class in with `catalogue=`.

    Args:
        name: of the socket, for repr.
        tag: the key whose string is the type of a frame; None: frames have no such key.
        keys: whether a frame without the tag is named by its keys: its type is the key that is the name of a class. If a frame
            has several of these, the class that was declared first counts.
        inside: the key of the object with the tag or the keys; None: the frame itself.
        client_tag: the tag of what clients send, if it is another.
        url_safe: whether what clients send is read in the URL-safe alphabet of base64 too (RFC 4648 section 5).
        audio_format: the format of the audio until a frame names it, an AudioFormat or a name; None: pcm16 at 24,000 Hz. If it is
            neither PCM nor G.711, audio is refused until a frame names its format, except as bytes.
        input_audio_format: the same of the user's audio, if it is another.

    With neither tag nor keys, the catalogue has one class per side, and all frames are of that class. A frame that matches no
    class is the catalogue's unknown message: the class below UnknownMessage or UnknownClientMessage that was declared with
    `catalogue=`.

    Raises:
        TypeError: a key is not a str.
        ValueError: a key is empty, or longer than 64 bytes; `inside` is given without a tag or keys; a format names none.

    """

    def __init__(
        self,
        name: str,
        *,
        tag: str | None = "type",
        keys: bool = False,
        inside: str | None = None,
        url_safe: bool = False,
        client_tag: str | None = None,
        audio_format: AudioFormat | str | None = None,
        input_audio_format: AudioFormat | str | None = None,
    ) -> None:
        if inside is not None and tag is None and not keys:
            raise ValueError("inside= says where the tag or the keys stand, and there is neither")
        self.name = name
        output = forced_format(audio_format, "uint8")
        heard = forced_format(input_audio_format, "uint8") or output
        formats = None if heard is None else (heard, output or DEFAULT)
        self.server: Any = new_catalogue(self, "server", tag, keys, inside, False, formats)
        self.client: Any = new_catalogue(self, "client", client_tag or tag, keys, inside, url_safe, formats)

    def __repr__(self) -> str:
        return f"<Catalogue {self.name}>"


class _Module(Protocol[Server, Client]):
    """A module such as realtime_pcm.sockets.twilio."""

    @property
    def CATALOGUE(self) -> Catalogue[Server, Client]: ...  # noqa: N802


# What catalogue= takes.
Socket: TypeAlias = Catalogue[_Server, _Client] | _Module[_Server, _Client]


def catalogues() -> list[Catalogue[Any, Any]]:
    """The catalogues of this package."""
    found: dict[Catalogue[Any, Any], None] = {}
    for module in sorted(iter_modules(__path__), key=lambda one: (one.name != "twilio", one.name)):  # whom others imitate
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Catalogue):
                found[value] = None
    return list(found)


def catalogue_of(given: str | Socket[Any, Any] | None) -> Catalogue[Any, Any] | None:
    """The value of `catalogue=`: the name of a module of this package, a Catalogue, or a module that has one.

    Raises:
        ValueError: no catalogue has this name.
        TypeError: anything else.

    """
    found = getattr(given, "CATALOGUE", given)
    if found is None or isinstance(found, Catalogue):
        return found
    if not isinstance(found, str):
        raise TypeError(f"catalogue= takes a realtime_pcm.sockets.Catalogue, the module of one or its name, not {given!r:.80}")
    known = {one.name: one for one in catalogues()}
    if found not in known:
        raise ValueError(f"no catalogue is called {found!r:.80}: known are {', '.join(known)}")
    return known[found]
