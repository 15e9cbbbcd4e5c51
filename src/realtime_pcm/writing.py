"""Messages written by keyword, as far as core/writing.pxi does not write them: payloads, undeclared fields, and errors.

A message is made of its JSON by decoding it. So it holds what decoding its frame gives, and what `decode` refuses is never built.
"""

from __future__ import annotations

from typing import Any

from ._core import decode, frame_with_payload, json_text, wire_class, write_fully_by
from .audio import forced_format
from .errors import no_field
from .paths import merge, put


def write(cls: Any, given: dict[str, Any]) -> Any:
    """The message of class `cls` that has the given fields."""
    layout = cls.__dict__.get("_layout")
    if layout is None or not (layout.wire_names or layout.is_unknown):
        raise TypeError(f"{cls.__name__} has no wire name to write a message of")
    side, payload_name = layout.side_name, layout.payload_name
    specials = {"type": None, "extra": None}
    if payload_name:
        specials[payload_name] = None
    if layout.is_audio:
        specials["audio_format"] = None
    fields = {}
    for name, value in given.items():
        if name in specials:
            specials[name] = value
        elif name in layout.flat_names:
            fields[name] = value
        else:
            raise no_field(cls, name, dict.fromkeys((*cls.__match_args__, "event_id", *specials)))
    catalogue = layout.catalogue
    event = layout.event_of(_wire_name(cls, layout, specials["type"]), fields)
    if specials["extra"] is not None:
        declared = {key: name for key, name in zip(layout.places, layout.names, strict=True) if isinstance(key, str) and name}
        declared |= dict.fromkeys(filter(None, (catalogue.tag, catalogue.inside)), "type")
        declared |= dict.fromkeys(layout.payload_keys, payload_name)
        check_extra(cls, specials["extra"], declared)
        merge(event, specials["extra"])
    text = _text(event, cls)
    payload = specials.get(payload_name)
    if payload is not None:
        put(event, layout.payload_path, "")
    options = {"side": side, "catalogue": catalogue.pair}
    if not layout.is_audio:
        return decode(text if payload is None else frame_with_payload(cls, _text(event, cls), payload, None), **options)
    # An encoding that has no samples is taken as bytes, but only from a caller who says so by an AudioFormat.
    named = specials["audio_format"]
    forced = forced_format(named, "int16" if isinstance(named, str) else "uint8")
    sent = forced or decode(text, **options).audio_format
    frame = text if payload is None else frame_with_payload(cls, _text(event, cls), payload, sent)
    return decode(frame, dtype="int16" if sent._code >= 0 else "uint8", audio_format=forced, **options)


def _text(event: dict[str, Any], cls: Any) -> str:
    return json_text(event, cls.__name__).decode()


def _wire_name(cls: type, layout: Any, name: Any) -> Any:
    if layout.is_unknown and layout.catalogue.pair is not None:
        return name or ""
    if layout.is_unknown:
        if not isinstance(name, str):
            raise TypeError(f"{cls.__name__} takes the wire name as type=, a str")
        declared = wire_class(layout.side_name, name)
        if declared is not None:
            raise ValueError(f"{cls.__name__}: {name!r} is {declared.__name__}'s")
        return name
    if name is not None and name not in layout.wire_names:
        raise ValueError(f"{cls.__name__}: type={name!r:.80} is none of its wire names, {', '.join(layout.wire_names)}")
    return name or layout.wire_names[0]


def check_extra(cls: type, extra: Any, declared: dict[str, Any]) -> None:
    """Raises TypeError where `extra` is not a dict of undeclared fields. declared: wire key -> the keyword for it."""
    if not isinstance(extra, dict):
        raise TypeError(f"{cls.__name__}: extra is a dict, not {type(extra).__name__}")
    for key in extra:
        if key in declared:
            raise TypeError(f"{cls.__name__}: {key!r} is declared: give it as {declared[key]}=, not in extra")


write_fully_by(write)
