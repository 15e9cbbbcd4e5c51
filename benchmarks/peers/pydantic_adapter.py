"""pydantic's TypeAdapter over the openai SDK's union of server events, used the way openai-agents uses it."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import cache
from typing import Annotated, Any

import numpy as np
from openai.types.realtime import RealtimeServerEvent
from pydantic import Field, TypeAdapter

from .by_attribute import make_loops


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[RealtimeServerEvent, Field(discriminator="type")])


def loops() -> dict[str, Any]:
    validate, loads = _adapter().validate_python, json.loads

    def decode(frame: Any) -> Any:
        event = loads(frame)
        if "previous_item_id" in event and event["previous_item_id"] is None:
            event = {**event, "previous_item_id": ""}  # null fails the SDK's type; openai-agents does the same
        return validate(event)

    return make_loops(decode, lambda delta: np.frombuffer(b64decode(delta), np.int16))
