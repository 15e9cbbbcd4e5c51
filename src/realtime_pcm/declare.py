"""What a class statement says about the fields of a message or a view.

Annotations are read as text, so nothing that they name is imported for them.
"""

from __future__ import annotations

import re
import sys
from types import GenericAlias
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import EllipsisType
    from typing import Generic, Self, TypeAlias, TypeVar, overload

    import numpy.typing as npt

    Path: TypeAlias = tuple[str | EllipsisType, ...]
    Place: TypeAlias = str | Path

    T = TypeVar("T")
    Read = TypeVar("Read", covariant=True)
    Given = TypeVar("Given", contravariant=True)

    class Field(Generic[Read, Given]):
        """A field that reads as one type and is given as another, for type checkers."""

        @overload
        def __get__(self, instance: None, owner: Any, /) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any, /) -> Read: ...
        def __get__(self, instance: object, owner: Any, /) -> Any: ...
        def __set__(self, instance: Any, value: Given, /) -> None: ...

    class Nested(Field[T | None, T | dict[str, Any] | None]):
        """A nested object: it reads as the view T, or None; a keyword takes the view or a dict."""

    class NestedList(Field[list[T] | None, Sequence[T | dict[str, Any]] | None]):
        """A list of nested objects: it reads as views; a keyword takes views or dicts."""

    Samples: TypeAlias = Field[npt.NDArray[Any], npt.NDArray[Any] | bytes | bytearray | memoryview | None]
else:

    class Nested:
        """A nested object, in a class statement: `session: Nested[SessionConfig] = Nested()`. A dict is taken for it too."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)

    class NestedList(Nested):
        """A list of nested objects, in a class statement: `tools: NestedList[Tool] = NestedList()`."""

        __slots__ = ()

    # The annotation of `pcm`. The array has the dtype of the decoder.
    Samples = np.ndarray


class Payload:
    """What `payload()` leaves in a class body until the class is made."""

    __slots__ = ("keys",)

    def __init__(self, keys: tuple[Place, ...]) -> None:
        self.keys = keys


def payload(*keys: str | Path) -> Any:
    """Marks the field that holds the message's base64 payload, and the wire keys under which the payload may stand.

    On an audio message the field is `pcm`; on any other message it is `bytes` of any name. A key may be a path: a tuple of keys,
    in which `...` is each element of an array. If several elements have a payload, their samples come one after the other.
    """
    return Payload(_places_of(keys, "payload"))


class FieldPlace:
    """What `field()` leaves in a class body until the class is made."""

    __slots__ = ("places",)

    def __init__(self, places: tuple[Place, ...]) -> None:
        self.places = places


def field(*keys: str | Path) -> Any:
    """Says where the value of a field stands: under another key than its name, or at a path.

    keys: one wire key; or one or more paths, each a tuple of keys, in which `...` is each element of an array. Of several
    elements, the first one that has a value counts. Several paths are spellings of one.
    """
    places = _places_of(keys, "field")
    if any(isinstance(place, str) for place in places[1:]):
        raise TypeError("field() takes one wire key, or paths")
    return FieldPlace(places)


def _places_of(keys: tuple[Any, ...], function: str) -> tuple[Place, ...]:
    """Wire keys as str, paths of more than one key as tuples."""
    places: list[Place] = []
    for key in keys or (None,):
        if isinstance(key, str):
            if "." in key:
                inner = tuple(key.split("."))
                raise TypeError(f"{function}({key!r}): a path is a tuple of keys, {inner!r}; a key with a dot is {(key,)!r}")
            places.append(str.__str__(key))
            continue
        if not isinstance(key, tuple) or not key or not isinstance(key[0], str):
            raise TypeError(f"{function}() takes wire keys, and paths, which are tuples of keys")
        for part in key:
            if part is not ... and not isinstance(part, str):
                raise TypeError(f"{function}({key!r:.80}): a path has keys, and `...` for each element of an array")
        places.append(key[0] if len(key) == 1 else key)
    return tuple(places)


_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
# The annotations of most fields, and whether they name a list. They name no view, and need no search for one.
_FLAT = {
    "str | None": False,
    "int | None": False,
    "float | None": False,
    "bool | None": False,
    "dict[str, Any] | None": False,
    "list[str] | None": True,
}
_NO_VIEWS = frozenset(
    {"Any", "Nested", "NestedList", "None", "Samples", "bool", "bytes", "dict", "float", "int", "list", "realtime_pcm", "str"}
)
_NESTED = ("list", "List", "dict", "Dict", "tuple", "Mapping", "Sequence")


def annotations_of(cls: type) -> Mapping[str, Any]:
    """The annotations of a class statement, without those of the base classes."""
    if sys.version_info >= (3, 14):
        try:
            return cls.__annotations__
        except NameError:
            # The module has no `from __future__ import annotations`, and a name in an annotation exists for type checkers only.
            import annotationlib

            return annotationlib.get_annotations(cls, format=annotationlib.Format.STRING)
    return cls.__annotations__


def is_field(cls: type, name: str, annotation: Any) -> bool:
    """Whether an annotation of a class statement declares a field. TypeError for a field with a value."""
    if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
        return False
    default = cls.__dict__.get(name)
    if default is None or isinstance(default, (FieldPlace, Nested, Payload)):
        return True
    raise TypeError(f"{cls.__name__}.{name}: the default of a field is None. Annotate a constant with ClassVar")


def wire_names(cls: type, annotation: Any) -> tuple[str, ...]:
    """The wire names of `type: Literal["a", "b"] = "a"`, the default first."""
    text = _text(annotation)
    before, _, inside = text.partition("[")
    try:
        if before.rpartition(".")[2] != "Literal" or inside[-1:] != "]":
            raise ValueError(text)
        names = _strings(inside[:-1])
    except (SyntaxError, ValueError):
        raise TypeError(
            f'{cls.__name__}: write the wire names as `type: Literal["a.name"] = "a.name"`, not as an alias of Literal or of a '
            f"name: {text:.80}"
        ) from None
    default = cls.__dict__.get("type", names[0])
    if default not in names:
        raise TypeError(f"{cls.__name__}: the default of `type` is one of its names, not {default!r:.80}")
    if len(set(names)) < len(names):
        raise TypeError(f"{cls.__name__}: a wire name stands twice in {text:.80}")
    return (str.__str__(default), *(name for name in names if name != default))


def _strings(text: str) -> tuple[str, ...]:
    """The strings of the inside of `Literal[...]`."""
    names = text[1:-1].split("', '")
    if text[:1] == text[-1:] == "'" and not any("'" in name or "\\" in name for name in names):
        return tuple(names)
    from ast import literal_eval

    found: tuple[Any, ...] = literal_eval(f"({text},)")
    if not all(isinstance(name, str) for name in found):
        raise ValueError(text)
    return found


def _text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else repr(annotation)


def _without_values(text: str) -> str:
    """An annotation without its Literals: the strings in them are no names."""
    while (start := text.find("Literal[")) >= 0:
        text = text[:start] + text[text.find("]", start) + 1 or len(text) :]
    return text


def is_nested(annotation: Any) -> bool:
    """Whether the annotation names a list, a dict or the like."""
    text = _without_values(_text(annotation))
    return any(word in text for word in _NESTED)


def view_in(annotation: Any, module: str, base: type) -> tuple[type | None, bool]:
    """The view class (a class below `base`) that an annotation names, and whether it names a list of them."""
    if isinstance(annotation, str) and annotation in _FLAT:
        return None, _FLAT[annotation]
    text = _without_values(_text(annotation))
    many = "list[" in text or "List[" in text
    namespace = getattr(sys.modules.get(module), "__dict__", {})
    for word in _IDENTIFIER.findall(text):
        if word in _NO_VIEWS:
            continue
        named = namespace.get(word) or _local_view(word, module, base)
        if isinstance(named, type) and issubclass(named, base):
            return named, many
    return None, many


def _local_view(name: str, module: str, base: type) -> type | None:
    """The view class of this name that is not in the namespace of the module: a function made it, or it is being made now."""
    waiting: list[type] = base.__subclasses__()
    while waiting:
        view = waiting.pop()
        if view.__name__ == name and view.__module__ == module:
            return view
        waiting.extend(view.__subclasses__())
    return None
