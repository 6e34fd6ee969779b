"""Orders: what a client may write to say what it wants to hear."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus import envelope, subscriptions
from ovos_bus.errors import Malformed, TooManyTypes
from ovos_bus.subscriptions import MAX_ORDER_CHARS, Bounds, parse

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def order(data: object) -> str:
    return json.dumps({"type": "ovos.bus.subscribe", "data": data, "context": {"x": [1]}})


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_any_types_come_out_as_they_went_in(types: list[str]) -> None:
    """A type may be any text that is not empty, however it is written in JSON."""
    assert parse(order({"types": types, "more": 1})) == types
    assert parse(json.dumps({"data": {"types": types}}, ensure_ascii=False)) == types


@given(json_values)
def test_anything_else_is_malformed(value: object) -> None:
    """A list of texts that are not empty is taken; whatever else stands there is refused."""
    if isinstance(value, list) and all(isinstance(each, str) and each for each in value):
        assert parse(order({"types": value})) == value
    else:
        with pytest.raises(Malformed):
            parse(order({"types": value}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "data.types is missing"),
        (order(None), "data is not an object"),
        (order([]), "data is not an object"),
        (order({}), "data.types is missing"),
        (order({"types": "speak"}), "data.types is not a list"),
        (order({"types": None}), "data.types is not a list"),
        (order({"types": ["a", 5]}), "data.types[1] is not a string"),
        (order({"types": ["a", "b", ""]}), "data.types[2] is empty"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, reason: str) -> None:
    """The reason names the key and what it should be."""
    with pytest.raises(Malformed) as refusal:
        parse(text)

    assert str(refusal.value) == reason


def test_half_of_a_surrogate_pair_stands_for_itself() -> None:
    """Such a type is read as `envelope.check` reads it where it is published."""
    message = json.dumps({"type": "x\ud800"})

    assert parse(order({"types": ["x\ud800"]})) == [envelope.check(message)]


def test_a_very_long_order_is_not_looked_at() -> None:
    """Over the limit it is too much, whatever stands in it; at the limit it is read."""
    text = order({"types": ["a"]})
    assert parse(text + " " * (MAX_ORDER_CHARS - len(text))) == ["a"]

    with pytest.raises(TooManyTypes) as refusal:
        parse(text + " " * (MAX_ORDER_CHARS + 1 - len(text)))
    assert str(refusal.value) == "2097153 characters in one message, and 2097152 is the limit"


def test_all_that_a_client_may_name_fits_into_one_order() -> None:
    """The limit of an order is none for who keeps to the others and writes ASCII."""
    bounds = Bounds()
    types = [f"{n:05}".ljust(bounds.size // bounds.types, ".") for n in range(bounds.types)]

    assert len(order({"types": types})) < MAX_ORDER_CHARS


def test_the_names_are_those_of_the_contract() -> None:
    """Programs in other languages have them written down."""
    assert subscriptions.SUBPROTOCOL == "ovos-bus.v1"
    assert {"ovos.bus.subscribe", "ovos.bus.unsubscribe"} == subscriptions.ORDERS
