"""What messages mean: the table of roles, and a private provider whose messages count by their roles alone."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from realtime_pcm import client_messages, messages
from realtime_pcm._core import ClientAudioMessage, role_of
from realtime_pcm.roles import ROLES, RoleName
from realtime_pcm.sockets import elevenlabs, gemini, twilio
from support.own_classes import declared
from support.paths import README

PAGE = README.parent / "docs" / "guide" / "conversation.md"


def classes(module: Any) -> list[type]:
    return [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, messages.RealtimeMessage)]


@pytest.mark.skipif(not PAGE.is_file(), reason="needs the source tree: docs/")
def test_the_page_has_the_table_of_the_code() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8").partition("## Roles")[2], re.MULTILINE
    )
    needs = {name: ", ".join(" or ".join(f"`{one}`" for one in group) for group in role.needs) for name, role in ROLES.items()}
    assert rows == [(name, needs[name] or "none", role.effect) for name, role in ROLES.items()]


def test_type_checkers_know_the_same_roles() -> None:
    assert get_args(RoleName) == tuple(ROLES)


@pytest.mark.parametrize("module", [messages, client_messages], ids=["server", "client"])
def test_every_role_of_the_catalogue_is_in_the_table(module: Any) -> None:
    named = {role_of(one) for one in classes(module)} - {None}
    assert named <= set(ROLES)


def test_every_role_has_a_class() -> None:
    every = [one for module in (messages, client_messages, elevenlabs, gemini, twilio) for one in classes(module)]
    assert {role_of(one) for one in every} - {None} == set(ROLES)


@pytest.mark.parametrize(("role", "group"), [(name, group) for name, role in ROLES.items() for group in role.needs])
def test_a_role_without_a_field_that_it_needs_is_refused(role: RoleName, group: tuple[str, ...]) -> None:
    others = {field: "Any" for needed in ROLES[role].needs if needed != group for field in needed}
    with pytest.raises(TypeError, match=f"role='{role}' needs a field `{group[0]}`"):
        declared("Lacking", messages.RealtimeServerMessage, (), others, role=role)


def test_what_audio_messages_mean_without_a_role() -> None:
    assert role_of(messages.ResponseAudioDelta) == role_of(client_messages.SessionOutputAudioFixturePlay) == "audio"
    assert role_of(messages.ResponseAudioDone) == "audio_end"
    for base, role in ((messages.AudioMessage, "speech_started"), (ClientAudioMessage, "commit")):
        with pytest.raises(TypeError, match="the roles of audio messages"):
            declared("Wrong", base, (), {"pcm": "Any"}, role=role, pcm=messages.payload("data"))
