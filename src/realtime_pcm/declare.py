"""Reads class statements: the fields of a message or view, their places in a frame, the wire names, the role.

Annotations are read as text, so nothing that they name is imported for them. `read` gives all that the core lays out.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from types import EllipsisType, GenericAlias
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import paths, roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Generic, Self, TypeAlias, TypeVar, overload

    import numpy.typing as npt

    from .paths import Path

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
    """The value of `payload()` in a class body until the class is made."""

    __slots__ = ("keys",)

    def __init__(self, keys: tuple[Place, ...]) -> None:
        self.keys = keys


def payload(*keys: str | Path) -> Any:
    """Marks the field with the message's base64 payload, and names its possible keys on the wire.

    On an audio message the field is `pcm`; on any other message it is `bytes` of any name. A key may be a path: a tuple of keys,
    in which `...` is each element of an array. If several elements have a payload, their samples come one after the other.
    """
    return Payload(_places_of(keys, "payload"))


class FieldPlace:
    """The value of `field()` in a class body until the class is made."""

    __slots__ = ("places",)

    def __init__(self, places: tuple[Place, ...]) -> None:
        self.places = places


def field(*keys: str | Path) -> Any:
    """Names the place of a field's value in the frame: another key than its name, or a path.

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
    return _names_container(_text(annotation))


@lru_cache(256)
def _names_container(text: str) -> bool:
    text = _without_values(text)
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


# --- from a class statement to the numbers of its fields


# Names that the base classes of messages use: no field may have one of them.
RESERVED = frozenset(
    {
        "_layout",
        "audio_format",
        "canonical_type",
        "event_id",
        "extra",
        "frame",
        "frame_text",
        "incomplete_sample",
        "pcm",
        "pcm_format",
        "sample_offset",
        "to_dict",
        "type",
    }
)


class Limits(NamedTuple):
    """Limits of the walk: bytes of a wire name, bytes of a key, nodes of a tree of paths."""

    wire_name: int
    key: int
    nodes: int


class Said(NamedTuple):
    """A field in a class statement. keys: those of its payload, or None. module: the module of its annotation."""

    annotation: Any
    keys: tuple[Place, ...] | None
    module: str
    places: tuple[Place, ...]


class Node(NamedTuple):
    """A key of a path: the number of the field there, or 0, and the indexes of the nodes inside."""

    key: str | EllipsisType | None
    field: int
    inside: list[int]


class Shape(NamedTuple):
    """A class statement as the core lays it out. Fields have numbers: 0 is event_id.

    order: (name, index of one of its places) each, or (None, key) for a member of the frame that is no field and has fields at a
    path inside. names, keys, places: by number. payload: the number of its first key, and how many keys it has. audio_roles:
    (field, value, role): what the audio means if the field has this value.
    """

    wire_names: tuple[str, ...]
    fields: dict[str, Said]
    order: list[tuple[str | None, Any]]
    names: tuple[str | None, ...]
    keys: tuple[str | None, ...]
    places: tuple[Place | None, ...]
    payload: tuple[int, int]
    nodes: list[Node]
    reads: dict[str, str | None]
    role: str | None
    field_roles: tuple[tuple[str, str], ...]
    audio_roles: tuple[tuple[str, str, str], ...]


def read(cls: type, base: Any, is_audio: bool, role: Any, reads: Any, limits: Limits) -> Shape:
    """What a class statement says. base: the layout of the base class, or None. TypeError for what a class cannot have."""
    own = dict(annotations_of(cls))
    named = wire_names(cls, own.pop("type")) if "type" in own else ()
    for wire_name in named:
        if not 0 < len(_utf8(wire_name)) <= limits.wire_name:
            raise TypeError(f"{cls.__name__}: a wire name is a str of 1 to {limits.wire_name} bytes, not {wire_name!r:.80}")
    fields = _fields_of(cls, own, base, is_audio)
    order = _order_of(fields, base)
    names: list[str | None] = ["event_id"]
    keys: list[str | None] = ["event_id"]
    places: list[Place | None] = ["event_id"]
    payload, has_paths = (0, 0), False
    for name, i in order:
        said = None if name is None else fields[name]
        place: Place = i if said is None else said.places[i]
        if said is not None and said.keys and i == 0:
            if payload[1]:
                raise TypeError(f"{cls.__name__}.{name}: a message has one payload")
            payload = (len(names), len(said.keys))
        names.append(name if i == 0 else None)
        if name is None:
            has_paths = True
            keys.append(None)
            places.append(None)
        elif isinstance(place, str):
            keys.append(place)
            places.append(place)
        else:
            has_paths = True
            keys.append(paths.in_words(place))
            places.append(place)
    nodes = _tree_of(cls, fields, order, names, places, payload, limits) if has_paths else [Node(None, 0, [])]
    found = {} if base is None else dict(base.reads)
    flat: set[str] = set()
    if reads or hasattr(role, "keys"):
        flat.update(name for number, name in enumerate(names) if name is not None and (number != payload[0] or not number))
    for wanted, held in dict(reads or {}).items():
        if wanted not in roles.READ:
            raise TypeError(f"{cls.__name__}: reads={{{wanted!r}: ...}} is none of {', '.join(roles.READ)}")
        if held not in flat and (held is not None or wanted != "session"):
            raise TypeError(f"{cls.__name__}: reads={{{wanted!r}: {held!r}}} names no field of the class")
        found[wanted] = held
    of_fields: tuple[tuple[str, str], ...] = () if base is None else base.field_roles
    of_audio: tuple[tuple[str, str, str], ...] = () if base is None else base.audio_roles
    if hasattr(role, "keys"):
        given = dict(role)
        role = given.pop("pcm", None) if is_audio else None
        values = [name for name, one in given.items() if hasattr(one, "keys")]
        of_audio = (*((name, value, one) for name in values for value, one in given.pop(name).items()), *of_audio)
        _check_audio_roles(cls, of_audio, flat, is_audio)
        _check_field_roles(cls, given, flat)
        of_fields += tuple(given.items())
    if role is not None:
        _check_role(cls, role, (*names, *found), is_audio)
    return Shape(named, fields, order, tuple(names), tuple(keys), tuple(places), payload, nodes, found, role, of_fields, of_audio)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _fields_of(cls: type, own: dict[str, Any], base: Any, is_audio: bool) -> dict[str, Said]:
    """The fields of the base, and then the class's own."""
    fields: dict[str, Said] = {} if base is None else dict(base.fields)
    for name, annotation in own.items():
        if name.startswith("__") and name.endswith("__"):
            raise TypeError(f"{cls.__name__}.{name}: the name is Python's own")
        if not is_field(cls, name, annotation):
            continue
        default = cls.__dict__.get(name)
        keys = default.keys if isinstance(default, Payload) else None
        places = default.places if isinstance(default, FieldPlace) else keys or (name,)
        _check_name(cls, name, keys, is_audio)
        # The descriptors of the base read the same slots: the base's fields keep their places.
        if name in fields and len(fields[name].keys or (name,)) != len(keys or (name,)):
            raise TypeError(
                f"{cls.__name__}.{name}: {(cls.__base__ or cls).__name__} declares it with another number of wire keys; a class "
                "that declares a field of its base again gives it as many"
            )
        fields[name] = Said(annotation, keys, cls.__module__, places)
    for name in fields:
        if name in cls.__dict__ and name not in own:
            raise TypeError(f"{cls.__name__}.{name}: it is a field of its base")
    return fields


def _check_name(cls: type, name: str, keys: tuple[Place, ...] | None, is_audio: bool) -> None:
    if keys and is_audio and name != "pcm":
        raise TypeError(f"{cls.__name__}.{name}: an audio payload is `pcm`")
    if name in RESERVED and not (name == "pcm" and keys and is_audio):
        raise TypeError(f"{cls.__name__}.{name}: the name is reserved")
    for key in keys or ():
        if isinstance(key, str) and key in RESERVED and key != name:
            raise TypeError(f"{cls.__name__}.{name}: the key {key!r} is reserved")


def _order_of(fields: dict[str, Said], base: Any) -> list[tuple[str | None, Any]]:
    """How the fields are numbered.

    Those of the base come first, for its descriptors read the same slots; then the fields that are members of the frame, in the
    order in which the walk expects them; last those at a path.
    """
    order: list[tuple[str | None, Any]] = [] if base is None else list(base.order)
    known = {name for name, _ in order}
    roots: set[str] = set()
    later: list[tuple[str | None, Any]] = []
    for name, said in fields.items():
        if name in known:
            continue
        if len(said.places) == 1 and isinstance(said.places[0], str):
            order.append((name, 0))
            continue
        inside = [place for place in said.places if not isinstance(place, str)]
        if inside and not roots:
            roots = {"event_id", *(key for before, key in order if before is None)}
            roots |= {place for one in fields.values() for place in one.places if isinstance(place, str)}
        for place in inside:
            if place[0] not in roots:
                roots.add(str(place[0]))
                order.append((None, place[0]))
        numbered = later if inside else order
        numbered += [(name, i) for i in range(len(said.places) if said.keys else 1)]
    return order + later


def _tree_of(
    cls: type,
    fields: dict[str, Said],
    order: list[tuple[str | None, Any]],
    names: list[str | None],
    places: list[Place | None],
    payload: tuple[int, int],
    limits: Limits,
) -> list[Node]:
    """The tree of all paths. Without a path it is only the root."""
    numbers = {place: number for number, place in enumerate(places) if isinstance(place, str)}
    numbers |= {key: number for number, (name, key) in enumerate(order, 1) if name is None}
    in_payload = range(payload[0], payload[0] + payload[1])
    tree = [Node(None, 0, [])]
    for number, place in enumerate(places):
        if place is None or isinstance(place, str):
            continue
        name = names[number]
        if number in in_payload and payload[1] > 1 and ... in place:
            raise TypeError(f"{cls.__name__}: a payload in the elements of an array has one path")
        alternatives = (place,) if number in in_payload or name is None else fields[name].places
        for path in alternatives:
            assert not isinstance(path, str)
            _add_path(cls, tree, path, number, numbers, in_payload, limits)
    for number in in_payload:
        if any(node.field == number and node.inside for node in tree):
            whole = places[number]
            assert isinstance(whole, tuple)
            raise TypeError(f"{cls.__name__}: {paths.in_words(whole)} is the payload, and no path leads through it")
    if len(tree) > limits.nodes:
        raise TypeError(f"{cls.__name__}: its paths have more than {limits.nodes - 1} keys")
    return tree


def _add_path(
    cls: type, tree: list[Node], path: Path, number: int, numbers: dict[str, int], in_payload: range, limits: Limits
) -> None:
    at = 0
    for depth, key in enumerate(path):
        inside = tree[at].inside
        found = 0
        for place in inside:
            if tree[place].key == key:
                found = place
            elif (tree[place].key is ...) != (key is ...):
                raise TypeError(
                    f"{cls.__name__}: {paths.in_words(path)}: another path has an object where this has an array, or the other "
                    "way round"
                )
        if isinstance(key, str) and not 0 < len(_utf8(key)) <= limits.key:
            raise TypeError(f"{cls.__name__}: {key!r:.80}: a key of a path has 1 to {limits.key} bytes")
        if not found:
            found = len(tree)
            root = numbers.get(key, 0) if depth == 0 and isinstance(key, str) else 0
            if root and root in in_payload:
                raise TypeError(f"{cls.__name__}: {paths.in_words(path)}: {key!r} holds the payload")
            tree.append(Node(key, root, []))
            inside.append(found)
        at = found
    if tree[at].field:
        raise TypeError(f"{cls.__name__}: {paths.in_words(path)} is declared twice")
    tree[at] = tree[at]._replace(field=number)


def _check_field_roles(cls: type, given: dict[str, Any], flat: set[str]) -> None:
    name = cls.__name__
    for field_name, role in given.items():
        if role not in roles.ROLES:
            raise TypeError(f"{name}: role {role!r} of the field {field_name!r} is none of {', '.join(roles.ROLES)}")
        if role in roles.OF_CLASSES:
            raise TypeError(f"{name}: {role!r} is the role of a class, not of the field {field_name!r}")
        if field_name not in flat or field_name == "event_id":
            raise TypeError(f"{name}: {field_name!r}, which has the role {role!r}, is no field without audio")


def _check_audio_roles(cls: type, given: tuple[tuple[str, str, str], ...], flat: set[str], is_audio: bool) -> None:
    for field_name, value, role in given:
        if not is_audio or role not in ("audio", "input_audio"):
            raise TypeError(
                f"{cls.__name__}: role {role!r} of {field_name}={value!r}: a value says whether the audio of an audio message is "
                "'audio' or 'input_audio'"
            )
        if field_name not in flat:
            raise TypeError(f"{cls.__name__}: {field_name!r}, whose values have roles, is no field without audio")


def _check_role(cls: type, role: Any, names: tuple[str | None, ...], is_audio: bool) -> None:
    if role not in roles.ROLES:
        raise TypeError(f"{cls.__name__}: role={role!r} is none of {', '.join(roles.ROLES)}")
    missing = roles.missing_of(role, tuple(name for name in names if name is not None))
    if missing:
        raise TypeError(f"{cls.__name__}: role={role!r} needs a field `{'` or `'.join(missing)}`")
    if is_audio != (role in ("audio", "input_audio")):
        raise TypeError(
            f"{cls.__name__}: 'audio' and 'input_audio' are the roles of audio messages, and {role!r} is not"
            if is_audio
            else f"{cls.__name__}: role={role!r} is an audio message's"
        )
