"""JSON in and out."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovos_bus_client._core import codec
from ovos_bus_client.errors import MalformedMessage
from tests.client.test_message import MALFORMED, TREES, containers


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ('{"type":"t"}', "t"),
        (b'{"type":"t"}', "t"),
        ('{"data":{"type":"inner"},"context":{"type":"other"},"type":"outer"}', "outer"),
        ('{"type":"t","data":{"half":"\\ud800"}}', "t"),
        ('{"type":"\\u00e9"}', "é"),
    ],
)
def test_glance_finds_the_type(text: str | bytes, type_: str) -> None:
    """The type of the message itself is found wherever it stands."""
    assert codec.glance(text) == type_


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"type":5}', '{"type":null}', "null"])
def test_glance_refuses_what_has_no_type(text: str) -> None:
    """Text in which there is no type is malformed at first sight."""
    with pytest.raises(MalformedMessage):
        codec.glance(text)


@given(st.text() | st.binary() | st.sampled_from(MALFORMED))
def test_nothing_but_malformed_comes_out_of_reading(text: str | bytes) -> None:
    """Whatever text comes in, glance and parts return, or raise MalformedMessage."""
    for read in (codec.glance, codec.parts):
        with contextlib.suppress(MalformedMessage):
            read(text)


@given(TREES)
def test_parts_agrees_with_the_standard_library(tree: Any) -> None:
    """Data and context are read as json reads them."""
    whole = {"type": "t", "data": {"tree": tree}, "context": {"tree": tree}}
    text = json.dumps(whole)

    assert codec.parts(text) == ("t", {"tree": tree}, {"tree": tree})
    assert codec.parts(json.loads(text)) == codec.parts(text)


@given(TREES)
def test_encode_agrees_with_the_standard_library(tree: Any) -> None:
    """What is written, json reads as the tree it was."""
    assert json.loads(codec.encode(tree)) == tree


def test_a_number_that_is_not_finite_is_named_without_a_path_at_the_top() -> None:
    """A tree that is nothing but such a number has no path to name."""
    with pytest.raises(MalformedMessage, match="the message is nan"):
        codec.encode(math.nan)


@pytest.mark.parametrize(
    ("session", "fine"),
    [({}, True), (None, True), ({"x": 1}, True), ([], False), ("", False), (0, False)],
)
def test_a_session_is_an_object(session: Any, fine: bool) -> None:
    """A session that is there and no object makes the message malformed; null is absent (M4)."""
    value = {"type": "t", "context": {"session": session}}
    for form in (value, json.dumps(value)):
        if fine:
            assert codec.parts(form) == ("t", {}, {"session": session})
        else:
            with pytest.raises(MalformedMessage, match=r"context\.session is not an object"):
                codec.parts(form)


@given(TREES)
def test_a_clone_is_equal_and_shares_nothing(tree: Any) -> None:
    """A clone looks the same and has no list or dict in common with its original."""
    copy = codec.clone(tree)

    assert copy == tree
    assert type(copy) is type(tree)
    assert not containers(copy) & containers(tree)


def test_a_clone_copies_other_objects_too() -> None:
    """What is no JSON is copied deeply, down to the last list."""
    tree = {"tuple": ([1],), "set": {2}, "own": {"deep": bytearray(b"x")}}
    copy = codec.clone(tree)

    assert copy == tree
    assert copy["tuple"][0] is not tree["tuple"][0]
    assert copy["set"] is not tree["set"]
    assert copy["own"]["deep"] is not tree["own"]["deep"]


@pytest.mark.parametrize("half", ["\\ud800", "\\uDfff"])
def test_a_glance_past_half_a_surrogate_pair(half: str) -> None:
    """The type is found without the rest, and a type that holds one is itself."""
    text = f'{{"type": "t", "data": {{"x": "{half}", "n": {"9" * 5000}}}}}'
    assert codec.glance(text) == codec.glance(text.encode()) == "t"
    with pytest.raises(MalformedMessage):
        codec.parts(text)

    assert codec.glance(f'{{"type": "t{half}"}}') == "t" + json.loads(f'"{half}"')


def test_a_number_out_of_range_is_not_quoted_whole() -> None:
    """A million digits are no line of a log."""
    with pytest.raises(MalformedMessage) as found:
        codec.parts('{"type": "t", "data": {"x": 1e' + "9" * 1_000_000 + "}}")

    assert len(str(found.value)) < 200
