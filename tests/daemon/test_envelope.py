"""What is a message: a table, and an oracle that builds the objects which the daemon never does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ovos_bus.envelope import EXCERPT_CHARS, check, excerpt, route
from ovos_bus.errors import Malformed

PATCHES = [*'{}[]:,"\\0-.e \0\x1f\ufeff', "null", "NaN", "", r"\ud800"]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # JSON may escape them, but they have no UTF-8 form.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)
json_objects = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])), json_values, max_size=4
)
spaces = st.text(" \t\n\r", max_size=3)


@st.composite
def objects_as_text(draw: st.DrawFn, members: list[tuple[str, Any]]) -> str:
    """Write an object as somebody else might: any order, spacing, escapes, number formats."""
    shuffled = draw(st.permutations(members))

    def written(value: Any) -> str:
        if isinstance(value, str) and value.startswith("\0raw"):
            return value[4:]
        ascii_only, indent = draw(st.booleans()), draw(st.none() | st.just(1))
        return json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    pairs = [
        f"{draw(spaces)}{written(key)}{draw(spaces)}:{draw(spaces)}{written(value)}{draw(spaces)}"
        for key, value in shuffled
    ]
    return f"{draw(spaces)}{{{','.join(pairs) or draw(spaces)}}}{draw(spaces)}"


def raw(text: str) -> str:
    """Mark a text to be written as it is."""
    return "\0raw" + text


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, str]:
    """Return a type and the text of a message of this type."""
    type_ = draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    members: list[tuple[str, Any]] = [("type", type_)]
    if draw(st.booleans()):
        members.append(("data", draw(st.none() | json_objects)))
    if draw(st.booleans()):
        context = dict(draw(json_objects))
        context.pop("session", None)
        pairs: list[tuple[str, Any]] = list(context.items())
        if draw(st.booleans()):
            pairs.append(("session", draw(st.none() | json_objects)))
        members.append(("context", raw(draw(objects_as_text(pairs)))))
    for key in draw(st.lists(st.text("abcxyz-é\n", min_size=1), max_size=3)):
        members.append((key, draw(json_values)))  # unknown keys, some of them twice
    if draw(st.booleans()):
        members.append(("far", raw(draw(st.sampled_from(["1" * 400, "1e999", "-0.0", "1E+2"])))))
    return type_, draw(objects_as_text(members))


def is_message(text: str) -> bool:
    """Tell slowly whether a text is a message, by rules M1, M4 and M5 as they are written."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    def as_object(value: object) -> bool:
        return value is None or isinstance(value, dict)

    try:
        text.encode()
        message = json.loads(text, parse_constant=refuse, parse_int=len)  # a number of any length
    except (ValueError, RecursionError):
        return False
    if not isinstance(message, dict) or not as_object(message.get("context")):
        return False
    type_, session = message.get("type"), (message.get("context") or {}).get("session")
    if not isinstance(type_, str) or not type_:
        return False
    return as_object(message.get("data")) and as_object(session)


def accepted(text: str) -> bool:
    """Tell whether `check` lets a text through; anything but `Malformed` fails the test."""
    try:
        check(text)
    except Malformed:
        return False
    return True


@given(messages())
def test_a_message_passes_however_it_is_written(message: tuple[str, str]) -> None:
    """Key order, spaces, escapes, unknown and repeated keys, nulls and numbers do not matter."""
    type_, text = message

    assert is_message(text), "the generator"
    assert check(text) == type_


@given(messages(), st.data())
def test_a_message_that_was_damaged_is_judged_like_the_oracle(
    message: tuple[str, str], data: st.DataObject
) -> None:
    """Cut, doubled or changed anywhere, a text is a message exactly if the rules say so."""
    text = message[1]
    start = data.draw(st.integers(0, len(text)), "start")
    end = data.draw(st.integers(start, min(len(text), start + 3)), "end")
    patch = data.draw(st.sampled_from(PATCHES))
    damaged = text[:start] + patch + text[end:]

    assert accepted(damaged) == is_message(damaged)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": json_values | st.just("t"),
            "data": json_values,
            "context": json_values | st.fixed_dictionaries({"session": json_values}),
        },
    )
    | json_values
)
def test_wrong_types_are_judged_like_the_oracle(value: Any) -> None:
    """Whatever stands where a type, an object or the message itself belongs."""
    text = json.dumps(value)

    assert accepted(text) == is_message(text)


@given(st.text() | st.text(st.sampled_from('{}[]:," \\typedac0-.eEnulNI')))
@example("\ud800")
@example('{"type": "t\udfff"}')
def test_any_other_text_is_malformed_and_nothing_worse(text: str) -> None:
    """No text whatever makes `check` raise anything but `Malformed`."""
    assert accepted(text) == is_message(text)


@pytest.mark.parametrize(
    ("half", "logged"),
    [
        ("\\ud800", "\\uf800"),
        ("\\uDFFF", "\\uffff"),
        ("\\udc00\\ud800", "\\ufc00\\uf800"),
        ("\\\\ud800\\ud800", "\\\\uf800\\uf800"),
    ],
)
def test_half_a_surrogate_pair_passes(half: str, logged: str) -> None:
    """
    RFC 8259 lets it stand in a string, and programs in use write it (broken file names).

    In the log another letter stands for it.
    """
    data = f'{{"x": "{half}", "n": {"1" * 5000}}}'
    text = f'{{"type": "t", "data": {data}, "context": {{"source": "{half}"}}}}'

    assert check(text) == "t"
    assert route(text) == (f'"{logged}"', "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty text"),
        (" \n", "empty text"),
        ("hello", "not JSON: invalid character (byte 0)"),
        ("\ufeff{}", "not JSON: starts with a byte order mark"),
        ('{"type": "t"', "not JSON: Input data was truncated"),
        ('{"type": "t"} x', "not JSON: trailing characters (byte 15)"),
        ('{"type": "t",}', "not JSON: trailing comma in object (byte 13)"),
        ("{'type': 't'}", "not JSON: object keys must be strings (byte 1)"),
        ('{"type": "t", "data": {"x": NaN}}', "not JSON: invalid character (byte 28)"),
        ('{"type": "t", "data": {"x": Infinity}}', "not JSON: invalid character (byte 28)"),
        ('{"type": "t", "data": {"x": -Infinity}}', "not JSON: invalid character (byte 29)"),
        ('{"type": "t", "data": {"x": 01}}', "not JSON: invalid number (byte 29)"),
        ("null", "the message is not an object"),
        ("[]", "the message is not an object"),
        ('"type"', "the message is not an object"),
        ("1e999", "the message is not an object"),
        ("{}", "type is missing"),
        ('{"Type": "t"}', "type is missing"),
        ('{"type": ""}', "type is empty"),
        ('{"type": null}', "type is not a string"),
        ('{"type": 5}', "type is not a string"),
        ('{"type": 1e999}', "type is not a string"),
        ('{"type": ["t"]}', "type is not a string"),
        ('{"type": "t", "data": []}', "data is not an object"),
        ('{"type": "t", "data": ""}', "data is not an object"),
        ('{"type": "t", "data": 5, "data": {}}', "data is not an object"),
        ('{"type": "t", "data": 1e999}', "data is not an object"),
        ('{"type": "t", "context": false}', "context is not an object"),
        ('{"type": "t", "context": {"session": 0}}', "context.session is not an object"),
        ('{"type": "\\ud800", "data": []}', "data is not an object"),
        (
            '{"type": "t", "data": {"x": "\\ud800"}',
            "not JSON: Input data was truncated",
        ),
        (
            '{"type": "t", "data": {"x": "\\ud800", "y": NaN}}',
            "not JSON: invalid character (byte 43)",
        ),
        ('{"type": "t", "data": ' + '{"x":' * 100_000, "nested too deeply"),
        ('{"type": "t", "data": {"x": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_the_reason_is_said_in_words(text: str, reason: str) -> None:
    """Why a text is no message is said in the words of the rules (M4)."""
    with pytest.raises(Malformed) as found:
        check(text)

    assert str(found.value) == reason


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "t"}',
        '{"type": "t", "data": null, "context": null}',
        '{"type": "t", "context": {"session": null}}',
        '{"type": "t", "context": {"session": {"session_id": 5}}}',
        '{"type": "t", "mycroft": true, "": [[]]}',
        '{"type": "first", "type": "t"}',
        '{"typ\\u0065": "t"}',
        '{"type": "t", "data": {"x": ' + "9" * 5000 + "}}",
        '{"type": "t", "data": {"x": 1e999}}',
        '{"type": "t", "data": {"x": "\\ud83d\\ude00 \\u0000 \u2028"}}',
        '{"type": "t", "data": {"x": ' + "[" * 500 + "]" * 500 + "}}",
    ],
)
def test_what_is_let_through(text: str) -> None:
    """Nulls, unknown keys, repeated keys (the last counts), escapes, any number, some depth."""
    assert check(text) == "t"


@pytest.mark.parametrize(
    "type_", ["/gui/é", "My Skill: Intent", "a..b", ":", "\u202e", "\n", "x" * 10_000]
)
def test_any_type_is_relayed(type_: str) -> None:
    """The syntax of types binds producers only: any non-empty string is relayed (M3)."""
    assert check(json.dumps({"type": type_})) == type_


@pytest.mark.parametrize(
    ("context", "ends"),
    [
        ("null", ("", "")),
        ("{}", ("", "")),
        ('{"source": "a"}', ('"a"', "")),
        ('{"destination": [ "b","c" ], "source":null}', ("null", '["b", "c"]')),
        ('{"destination": {"x": "\\u001b"}}', ("", '{"x": "\\u001b"}')),
        ('{"source": "\u202eé"}', ('"\\u202e\\u00e9"', "")),
    ],
)
def test_source_and_destination_are_told_in_printable_ascii(
    context: str, ends: tuple[str, str]
) -> None:
    """An absent one is an empty text; the others are JSON, whatever they are."""
    text = f'{{"type": "t", "context": {context}}}'
    check(text)

    assert route(text) == ends
    assert route('{"type": "t"}') == ("", "")


@given(messages())
def test_every_message_has_a_route(message: tuple[str, str]) -> None:
    """What passed `check` never makes `route` raise."""
    source, destination = route(message[1])

    assert all(json.loads(end) or True for end in (source, destination) if end)


@given(st.text())
@example("\x1b[2J\r\n\u202e\ud800")
@example("é" * 200)
def test_an_excerpt_is_printable_ascii(text: str) -> None:
    """Whatever a client says, a log line quotes it safely, and not at length."""
    quote = excerpt(text)

    assert quote.isascii()
    assert quote.isprintable()
    assert quote.endswith("...") is (len(text) > EXCERPT_CHARS)
    assert len(quote) <= EXCERPT_CHARS * len("\\U0010ffff") + len("''...")
