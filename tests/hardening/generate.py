"""Frames at random: every message type, as servers and clients might send them and as none should.

A pool of encoded members is made per type and batch, frames are drawn from it: so a frame costs a few microseconds.
"""

from __future__ import annotations

import base64
import json
import random

from .frames import CLIENT_KINDS, KINDS, Kind, plausible

_EVERY_KIND = [*KINDS, *CLIENT_KINDS]

_TEXTS = [
    "",
    "a",
    "é",
    "\U0001f600",
    "x" * 50,
    'line\nend\t"quoted"',
    "\\",
    "\u2028 \x7f",
    "日本語" * 20,
    "\x00\x1f",
    "z" * 700,
    "/+=",
    "a" * 63 + "é",
    "\ud7ff\ue000\uffff",
    "\U0010ffff" * 9,
]
_NUMBERS = [
    "0",
    "-0",
    "7",
    "-1",
    "12",
    "-0.0",
    "0.0",
    "1.5",
    "1e308",
    "5e-324",
    "1E+2",
    "-2.5e-3",
    "123456789012345678",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "1" + "0" * 30,
    "0." + "3" * 40,
    "1.7976931348623157e308",
    "2.2250738585072011e-308",
    "1e-400",
    "9007199254740993",
    "0e999999999",
    "-123456789012345678",
]
_BAD_VALUES = [
    "1e400",
    "01",
    "-",
    "1.",
    "+1",
    ".5",
    "1e",
    "tru",
    "nul",
    "NaN",
    "Infinity",
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\x"',
    '"\\u12"',
    '"\x01"',
    "[1,]",
    '{"a":1,}',
    "{a:1}",
    "[",
    "{",
    '"',
    "'a'",
    "",
    "[1 2]",
    '{"a" 1}',
    "1" + "0" * 309,
    "truex",
    '{"a":}',
    "]",
]
_WRONG_BYTES = [
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\xe2\x82"',
    b'"a\xc3"',
    b"\xef\xbb\xbf1",
    b'{"\xfe":1}',
]
_SPACES = [b" ", b"\n", b"\t", b"\r\n  ", b" " * 70, b"\n\t \r" * 20]
_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 10, 23, 24, 25, 46, 47, 48, 49, 95, 96, 97, 100, 143, 191, 192, 193, 300, 301, 384, 999, 1000]
_SPOILERS = '=-_ \n*é\\"\x00\U0001f600A/+'
_STRUCTURE = b'{}[]",:\\0a1te.-=/ \n\x00\xff\xc3\x80u'
_FORMATS = ["pcm16", "g711_ulaw", "g711_alaw", "audio/pcmu", "PCM16", "s16le", "mp3", "opus", "", "not specified"]


class Generator:
    """Frames of one seed. `payload_limit` bounds the rare long payloads, in bytes."""

    def __init__(self, seed: int, payload_limit: int = 120_000) -> None:
        self.random = random.Random(seed)
        self.payload_limit = payload_limit

    def batch(self, kind: Kind, count: int) -> list[bytes]:
        """`count` frames of one message type, about a quarter of them to be refused."""
        pools = self._pools(kind)
        return [self._frame(kind, pools) for _ in range(count)]

    def kinds(self, count: int) -> list[Kind]:
        """Types of both sides in random order; those with audio come four times as often."""
        weights = [4 if kind.payload_keys else 1 for kind in _EVERY_KIND]
        return self.random.choices(_EVERY_KIND, weights, k=count)

    # ---- text

    def string(self, text: str, escape: float = 0.1) -> bytes:
        """JSON of a string, some of its characters written as escapes that nobody needs."""
        rng = self.random
        if rng.random() >= escape:
            return json.dumps(text, ensure_ascii=rng.random() < 0.3).encode()
        written = []
        for character in text:
            if rng.random() < 0.3:
                units = character.encode("utf-16-be")
                form = "\\u%02x%02x" if rng.random() < 0.5 else "\\u%02X%02X"
                written += [form % (units[i], units[i + 1]) for i in range(0, len(units), 2)]
            else:
                written.append(
                    "\\/" if character == "/" and rng.random() < 0.5 else json.dumps(character, ensure_ascii=False)[1:-1]
                )
        return ('"' + "".join(written) + '"').encode()

    def value(self, depth: int = 0) -> bytes:
        """JSON of anything."""
        rng = self.random
        kind = rng.random()
        if kind < 0.3:
            return self.string(rng.choice(_TEXTS))
        if kind < 0.5:
            return rng.choice(_NUMBERS).encode()
        if kind < 0.65 or depth > 3:
            return rng.choice((b"null", b"true", b"false"))
        space = rng.choice(_SPACES) if rng.random() < 0.1 else b""
        if kind < 0.8:
            return b"[" + space + (b"," + space).join([self.value(depth + 1) for _ in range(rng.randrange(4))]) + space + b"]"
        keys = ("type", "id", "audio", "delta", "format", "é", "", "output")
        members = [self.string(rng.choice(keys)) + space + b":" + space + self.value(depth + 1) for _ in range(rng.randrange(5))]
        return b"{" + space + (b"," + space).join(members) + space + b"}"

    def payload(self) -> bytes:
        """JSON of base64, now and then not canonical, its symbols escaped as PHP, .NET and Gson do."""
        rng = self.random
        length = rng.choice(_LENGTHS)
        if rng.random() < 0.004:
            length = rng.randrange(self.payload_limit)
        text = base64.b64encode(rng.randbytes(length)).decode()
        if text.endswith("=") and rng.random() < 0.1:
            # The bits that padding leaves over, set three times out of four.
            at = text.index("=")
            text = text[: at - 1] + rng.choice("AQgwBRhx") + text[at:]
        if rng.random() < 0.2:
            for _ in range(rng.randrange(1, 3)):
                at = rng.randrange(len(text) + 1) if rng.random() < 0.6 else max(0, len(text) - rng.randrange(6))
                text = text[:at] + rng.choice(_SPOILERS) * rng.randrange(2) + text[at + rng.randrange(3) :]
        written = json.dumps(text, ensure_ascii=rng.random() < 0.5)
        style = rng.random()
        if style < 0.08:
            written = written.replace("/", "\\/")
        elif style < 0.16:
            written = written.replace("+", "\\u002B").replace("=", "\\u003d")
        elif style < 0.18 and length < 400:
            return self.string(text, 1)
        return written.encode()

    # ---- members and frames

    def _key(self, key: str) -> bytes:
        return self.string(key, 0.08)

    def _member(self, key: str, value: bytes) -> bytes:
        rng = self.random
        if rng.random() < 0.1:
            space = rng.choice(_SPACES)
            return self._key(key) + space + b":" + (space if rng.random() < 0.5 else b"") + value
        return self._key(key) + b":" + value

    def _pools(self, kind: Kind) -> dict[str, list[bytes]]:
        rng = self.random
        pools = {
            "type": [self._member("type", self.string(kind.type, 0.15)) for _ in range(10)],
            "event_id": [self._member("event_id", self.string("event_CgbnAz", 0.05)) for _ in range(3)],
        }
        pools["event_id"].append(self._member("event_id", self.value()))
        for key in kind.keys:
            if key in kind.payload_keys:
                continue
            plain = [json.dumps(plausible(key), ensure_ascii=False).encode()] * 2
            pools[key] = [self._member(key, value) for value in (*plain, self.value(), self.value(), b"null")]
        for key in kind.payload_keys:
            pools[key] = [self._member(key, self.payload()) for _ in range(30)]
            pools[key] += [self._member(key, b"null"), self._member(key, self.value())]
        if kind.payload_keys and "format" in kind.keys:
            pools["format"] += [self._member("format", self.string(rng.choice(_FORMATS))) for _ in range(6)]
        others = ("x", "Type", "typ", "types", "delta", "audio", "", "é", "k" * 70, "extra", "response", "session", "format")
        strangers = [key for key in others if key not in pools]
        pools["<strange>"] = [self._member(rng.choice(strangers), self.value()) for _ in range(8)]
        pools["<long>"] = [self._member("x", self.string("y" * rng.randrange(450, 1500))) for _ in range(2)]
        bad = [rng.choice(_BAD_VALUES).encode() for _ in range(4)] + [rng.choice(_WRONG_BYTES) for _ in range(2)]
        pools["<bad>"] = [self._member(rng.choice([*kind.keys, "x"]), value) for value in bad]
        wrong = rng.choice(_EVERY_KIND).type
        pools["<other type>"] = [
            self._member("type", self.value()),
            self._member("type", json.dumps(wrong).encode()),
            self._member("type", self.string(kind.type[:-1])),
        ]
        return pools

    def _frame(self, kind: Kind, pools: dict[str, list[bytes]]) -> bytes:
        draw = self.random.random
        pick = self.random.choice
        members = [pick(pools["event_id"])] if draw() < 0.8 else []
        for key in kind.keys:
            if draw() < 0.7:
                members.append(pick(pools[key]))
        for _ in range(int(3 * draw() ** 3)):
            members.append(pick(pools["<strange>"]))
        name = pick(pools["type"])
        order = draw()
        if order < 0.35:
            members.insert(0, name)
        elif order < 0.55:
            members.append(name)
        else:
            members.append(name)
            self.random.shuffle(members)
        odd = draw()
        if odd < 0.25:
            at = int(draw() * (len(members) + 1))
            if odd < 0.1:
                members.insert(at, pick(pools[pick(list(pools))]))  # very often a duplicate key
            elif odd < 0.12:
                members.insert(at, pick(pools["<other type>"]))
            elif odd < 0.15:
                members.insert(at, pick(pools["<bad>"]))
            elif odd < 0.18:
                members.insert(at, pick(pools["<long>"]))
            elif odd < 0.2:
                members[at:at] = [b'"k%d":%d' % (i, i) for i in range(int(40 * draw()))]
            elif odd < 0.22:
                members.remove(name)
            elif kind.payload_keys:
                members.insert(at, pick(pools[pick(kind.payload_keys)]))
        if draw() < 0.15:
            space = pick(_SPACES)
            frame = space + b"{" + space + (space + b"," + space).join(members) + space + b"}" + space
        else:
            frame = b"{" + b",".join(members) + b"}"
        return self.mutated(frame) if draw() < 0.12 else frame

    def mutated(self, frame: bytes) -> bytes:
        """With one or two bytes changed, cut out or put in, or its end cut off."""
        rng = self.random
        if rng.random() < 0.03:
            return rng.choice((b"[" + frame + b"]", b"\xef\xbb\xbf" + frame, b" \n", b'"' + frame, b"null", frame + frame))
        changed = bytearray(frame)
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(len(changed) + 1)
            how = rng.random()
            if how < 0.35 and at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            elif how < 0.5 and at < len(changed):
                changed[at] = rng.randrange(256)
            elif how < 0.7:
                del changed[at : at + rng.randrange(1, 5)]
            elif how < 0.95:
                changed.insert(at, rng.choice(_STRUCTURE))
            else:
                del changed[at:]
        return bytes(changed)
