"""A class that inherits a field with a view has that view, whatever its own module imports, and takes none from its base."""

from __future__ import annotations

import realtime_pcm as rp
from realtime_pcm import messages, objects
from support.own_classes import declared


def test_a_derived_class_has_the_view_of_its_base() -> None:
    derived = declared("Derived", messages.SessionCreated, "test.inherited.view", __module__="a.module.of.nobody")
    message = rp.decode('{"type":"test.inherited.view","session":{"id":"s"}}')
    assert type(message) is derived and isinstance(message.session, objects.SessionConfig)
    base = rp.decode('{"type":"session.created","session":{"id":"t"}}')
    assert isinstance(base.session, objects.SessionConfig) and base.session.id == "t"
