"""Tests of `GUIMessage`: flat on the wire, and without a context."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from ovos_bus_client.message import GUIMessage, MalformedMessage, Message


def test_arguments_are_the_data() -> None:
    """Every named argument is a key of the data; there is no context."""
    message = GUIMessage("mycroft.gui.connected", gui_id="x", framework="qt5")

    assert isinstance(message, Message)
    assert message.data == {"gui_id": "x", "framework": "qt5"}
    assert message.context == {}


def test_the_wire_is_flat() -> None:
    """The data stands beside the type, and nothing else does."""
    assert json.loads(GUIMessage("t", a=1, b={"c": []}).serialize()) == {
        "type": "t",
        "a": 1,
        "b": {"c": []},
    }
    assert GUIMessage("t", a=1).as_dict == {"type": "t", "a": 1}


@pytest.mark.parametrize("as_text", [str, str.encode, json.loads])
def test_what_was_written_is_read(as_text: Any) -> None:
    """Text, bytes and objects are read; everything but the type is data, of whatever shape."""
    frame = '{"type": "mycroft.session.list.insert", "position": 0, "data": [{"skill_id": "a"}]}'
    message = GUIMessage.deserialize(as_text(frame))

    assert type(message) is GUIMessage
    assert message.msg_type == "mycroft.session.list.insert"
    assert message.data == {"position": 0, "data": [{"skill_id": "a"}]}
    assert message.context == {}


def test_a_key_may_have_the_name_of_an_argument() -> None:
    """A frame with the keys msg_type, data, context or self loses none of them."""
    frame = {"type": "t", "msg_type": 1, "data": 2, "context": 3, "self": 4}
    message = GUIMessage.deserialize(frame)

    assert message.as_dict == frame


def test_reading_leaves_the_object_alone() -> None:
    """What a message is read from still has its type afterwards."""
    frame = {"type": "t", "a": 1}
    GUIMessage.deserialize(frame)

    assert frame == {"type": "t", "a": 1}


@pytest.mark.parametrize("frame", ["[]", "{}", '{"type": ""}', '{"type": 1}', "{", "1", "NaN"])
def test_what_has_no_type_is_malformed(frame: str) -> None:
    """A frame that is no object with a type is malformed."""
    with pytest.raises(MalformedMessage):
        GUIMessage.deserialize(frame)


def test_a_number_that_is_none_is_refused() -> None:
    """NaN is an error that names its place (M5)."""
    with pytest.raises(MalformedMessage, match=r"a\[1\] is nan"):
        GUIMessage("t", a=[0, math.nan]).serialize()


def test_data_has_no_type_of_its_own() -> None:
    """Data named type, which would take the place of the type on the wire, is an error."""
    with pytest.raises(MalformedMessage, match="type"):
        GUIMessage("t", type="u").serialize()


def test_a_message_without_a_type_is_not_written() -> None:
    """The type is a string that is not empty (M1)."""
    with pytest.raises(MalformedMessage):
        GUIMessage("").serialize()


def test_repr_can_be_read() -> None:
    """It shows the type and the data as they would be written in code."""
    assert repr(GUIMessage("t", a=1)) == "GUIMessage('t', **{'a': 1})"
