"""JSON as a weapon: one row is a text, and whether it is relayed or dropped."""

from __future__ import annotations

import pytest

from tests.hostile.arena import Arena
from tests.support.rawsocket import TEXT, RawClient, frame

MIB = 1024 * 1024
RELAYED, DROPPED = True, False


def message(data: str) -> str:
    return '{"type": "t", "data": {"x": ' + data + "}}"


# What is attacked | the text | whether it is relayed | MiB it may cost
CASES: list[tuple[str, str, bool, int]] = [
    ("nothing", "", DROPPED, 16),
    ("8 MiB of nothing", " " * 8 * MIB, DROPPED, 96),
    ("a word", "hello", DROPPED, 16),
    ("a list", "[]", DROPPED, 16),
    ("a number", "1", DROPPED, 16),
    ("a type of a megabyte", '{"type": "' + "x" * MIB + '"}', RELAYED, 32),
    ("a type of nothing", '{"type": ""}', DROPPED, 16),
    ("a type of null", '{"type": null}', DROPPED, 16),
    ("a type that clears the screen", '{"type": "\\u001b[2J\\u0007"}', RELAYED, 16),
    ("100,000 lists deep", message("[" * 100_000 + "]" * 100_000), DROPPED, 16),
    ("100,000 objects deep", message('{"x":' * 100_000 + "1" + "}" * 100_000), DROPPED, 16),
    ("a million deep and no end", message("[" * 1_000_000), DROPPED, 32),
    ("deep, with half a pair", message('"\\ud800", "y": ' + "[" * 100_000), DROPPED, 16),
    ("an integer of a million digits", message("9" * 1_000_000), RELAYED, 32),
    ("a fraction of a million digits", message("0." + "9" * 1_000_000), RELAYED, 32),
    ("an exponent beyond all range", message("1e999999999"), RELAYED, 16),
    ("an exponent of a million digits", message("1e" + "9" * 1_000_000), RELAYED, 32),
    ("a small exponent", message("1e-999999999"), RELAYED, 16),
    ("minus zero", message("-0.0"), RELAYED, 16),
    ("a leading zero", message("01"), DROPPED, 16),
    ("NaN", message("NaN"), DROPPED, 16),
    ("Infinity", message("Infinity"), DROPPED, 16),
    ("-Infinity", message("-Infinity"), DROPPED, 16),
    ("two types", '{"type": "a", "type": "b"}', RELAYED, 16),
    ("two types, one no string", '{"type": "a", "type": 5}', DROPPED, 16),
    ("two data, one no object", '{"type": "a", "data": {}, "data": []}', DROPPED, 16),
    ("half a surrogate pair", message('"\\ud800"'), RELAYED, 16),
    ("half a pair in the type", '{"type": "\\udfff"}', RELAYED, 16),
    ("half a pair as a key", '{"type": "t", "data": {"\\udc00": 1}}', RELAYED, 16),
    ("half pairs for 12 MiB", message('"' + "\\ud800" * 2 * MIB + '"'), RELAYED, 160),
    ("NUL, escaped", message('"\\u0000"'), RELAYED, 16),
    ("NUL, bare", message('"\0"'), DROPPED, 16),
    ("NUL after the end", '{"type": "t"}\0', DROPPED, 16),
    ("a byte order mark", '\ufeff{"type": "t"}', DROPPED, 16),
    ("trailing text", '{"type": "t"} x', DROPPED, 16),
    ("two messages", '{"type": "t"}{"type": "t"}', DROPPED, 16),
    ("a comment", '{"type": "t" /* hello */}', DROPPED, 16),
    ("a trailing comma", '{"type": "t",}', DROPPED, 16),
    ("single quotes", "{'type': 't'}", DROPPED, 16),
    ("a bare control character", '{"type": "a\x1fb"}', DROPPED, 16),
    ("an unknown escape", '{"type": "\\x41"}', DROPPED, 16),
    ("half an escape", '{"type": "\\u12"}', DROPPED, 16),
    ("a million keys", message("{" + ",".join(f'"{n}":0' for n in range(10**6)) + "}"), True, 160),
    ("a million equal keys", message("{" + ",".join(['"k":0'] * 10**6) + "}"), RELAYED, 128),
    ("4 million objects", message("[" + ",".join(["{}"] * 4 * 10**6) + "]"), RELAYED, 192),
    (
        "4 million objects with half a pair",
        message('"\\ud800", "y": [' + ",".join(["{}"] * 4 * 10**6) + "]"),
        RELAYED,
        192,
    ),
    ("a session that is a list", '{"type": "t", "context": {"session": []}}', DROPPED, 16),
    ("context of a million nulls", '{"type":"t","context":[' + "null," * 10**6, DROPPED, 96),
]


def texts_until(client: RawClient, end: str) -> list[str]:
    """Read texts up to one, without it, and without what the witnesses say."""
    texts: list[str] = []
    while True:
        opcode, payload = client.read_frame()
        assert opcode == TEXT
        text = payload.decode()
        if text == end:
            return texts
        if not text.startswith('{"type":"witness"'):
            texts.append(text)


@pytest.mark.parametrize(
    ("text", "relayed", "growth"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_text(arena: Arena, text: str, relayed: bool, growth: int) -> None:
    """It is relayed as it came or dropped, and its sender stays."""
    with arena.attacked(growth), arena.client() as sender, arena.client() as hearer:
        sender.say(text)
        sender.say('{"type":"after"}')
        for client in (sender, hearer):
            assert texts_until(client, '{"type":"after"}') == ([text] if relayed else [])


def test_a_flood_of_rubbish(arena: Arena) -> None:
    """Tens of thousands of malformed messages cost their sender nothing but themselves."""
    with arena.attacked(), arena.client() as sender:
        for text in ("{", "[[[[", '{"type": 5}', message("NaN"), "\ufeff"):
            for _ in range(100):
                sender.send(frame(text.encode()) * 100)
        sender.say('{"type":"after"}')
        assert texts_until(sender, '{"type":"after"}') == []
