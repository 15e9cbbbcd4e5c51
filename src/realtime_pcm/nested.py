"""Nested values: spans of a validated frame into Python objects. The one place that imports orjson."""

from __future__ import annotations

from typing import Any


def _number(text: str) -> int | float:
    """As orjson has it: what 64 bits do not hold is a float."""
    if len(text) < 19 or (len(text) < 21 and -(1 << 63) <= int(text) < 1 << 64):
        return int(text)
    return float(text)


def _load_first(span: Any) -> Any:
    global load
    try:
        import orjson
    except ImportError:
        # No wheels for free-threaded Python. What was validated is read alike.
        import json

        def load(span: Any) -> Any:
            return json.loads(span if isinstance(span, str) else bytes(span), parse_int=_number)

    else:
        parse = orjson.loads
        failed = orjson.JSONDecodeError

        def load(span: Any) -> Any:
            try:
                return parse(span)
            except (failed, SystemError) as error:
                # The walk has accepted this span: what orjson reports as an error of the JSON is its memory. Where it
                # overlooks one on the way it returns a result with that error still set: a SystemError.
                raise MemoryError("orjson could not allocate") from error

    return load(span)


load = _load_first
