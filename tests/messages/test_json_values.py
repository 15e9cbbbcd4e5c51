"""Parsed JSON: the standard library's reader, which stands in where orjson is not installed, reads as orjson does."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import orjson
import pytest

from realtime_pcm import json_values

VALUES: list[Any] = [
    0, -1, 2**63, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 10**400 // 10**100, 0.1, -2.5e-7, 1e308, True, False, None, "",
    "text", 'quo"te \\ \n é \U0001f600 \u2028',
    [], {}, [[]], [{}], {"a": []}, {"a": {"b": [1, "x", None, {"c": [True, 1.5]}]}}, {"": ""},
]  # fmt: skip


def same_types(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same_types(a[key], b[key]) for key in a)
    return all(map(same_types, a, b)) if isinstance(a, list) else a == b


@pytest.mark.parametrize("value", VALUES, ids=[repr(value)[:40] for value in VALUES])
@pytest.mark.parametrize(
    "form", [{"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}], ids=["compact", "spaces", "raw"]
)
@pytest.mark.parametrize("reader", ["deep", "standard"])
def test_the_reader_without_orjson(value: Any, form: dict[str, Any], reader: str) -> None:
    read = json_values._load_deep if reader == "deep" else json_values._standard_loader()
    for whole in (value, [value], {"key": value, "other": [value, value]}):
        text = json.dumps(whole, **form)
        assert same_types(read(text), orjson.loads(text)), text


@pytest.mark.parametrize("depth", [1, 500, 990, 1000, 1022, 1024])
@pytest.mark.parametrize("shape", ["[%s]", '{"k":%s}', '[1,{"a":%s,"b":[]}]'])
def test_depth_without_orjson(depth: int, shape: str) -> None:
    text = "7"
    for _ in range(depth):
        text = shape % text
    load = json_values._standard_loader()
    found = load(text.encode())
    assert json_values.same(found, json_values._load_deep(text))
    for _ in range(depth):
        found = found[0] if shape[1] == "%" else found["k"] if shape[0] == "{" else found[1]["a"]
    assert found == 7


def test_messages_of_any_depth_without_orjson() -> None:
    """1,024 levels decode, and all that is done with such a message works."""
    script = """
import copy, pickle, sys
sys.modules["orjson"] = None
import realtime_pcm as rp
for depth in (990, 1000, 1010, 1022, 1023):
    for open_, close in (("[", "]"), ('{"k":', "}")):
        inner = open_ * depth + "1" + close * depth
        for frame in ('{"type":"x.y","deep":%s}' % inner, '{"type":"response.done","response":%s}' % inner):
            message, twin = rp.decode(frame), rp.decode(frame.encode())
            message.extra, message.to_dict(), repr(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))
            assert message == twin, depth
            message.type == "x.y" or message.response
try:
    rp.decode('{"type":"x.y","deep":%s}' % ("[" * 1024 + "]" * 1024))
except rp.DecodeError as error:
    print(error.reason)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("more than 1024 levels of nesting\n", 0), done.stderr[-2000:]


def test_a_message_of_bytes_equals_one_of_str_under_bb() -> None:
    script = 'import realtime_pcm as rp\nf = \'{"type":"error","event_id":"e"}\'\nprint(rp.decode(f) == rp.decode(f.encode()))'
    done = subprocess.run([sys.executable, "-bb", "-X", "dev", "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        ("[" * 32 + "]" * 32, False),
        ("[" * 33 + "]" * 33, True),
        ('{"a":' * 33 + "1" + "}" * 33, True),
        ("[" + ",".join(["[]", "{}"] * 40) + "]", False),
        ('["' + "[{" * 40 + '"]', False),
        (r'["\\\"' + "[" * 40 + '"]', False),
        (r'["\\\\",' + "[" * 40 + "]" * 40 + "]", True),
    ],
)
def test_what_is_too_deep_for_the_standard_reader(text: str, deep: bool) -> None:
    json.loads(text)
    assert json_values._is_deep(text) is deep
