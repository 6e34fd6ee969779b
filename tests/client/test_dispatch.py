"""Who gets a frame."""

from __future__ import annotations

from typing import Any

import pytest
from pyee.base import EventEmitter

from ovos_bus_client._core.dispatch import Dispatch
from ovos_bus_client._core.pending import Pending
from ovos_bus_client.errors import MalformedMessage
from ovos_bus_client.message import Message


class Rig:
    """A dispatch with its emitter and its waits, and what came out of it in order."""

    def __init__(self) -> None:
        self.emitter, self.pending = EventEmitter(), Pending()
        self.dispatch = Dispatch(self.emitter, self.pending)
        self.got: list[Any] = []


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_handler_gets_the_messages_of_its_type(rig: Rig) -> None:
    """A frame of a type reaches the handlers of that type, as one message for all."""
    rig.emitter.on("t", rig.got.append)
    rig.emitter.on("t", lambda message: rig.got.append(message))
    rig.dispatch.deliver('{"type":"t","data":{"n":1}}')
    rig.dispatch.deliver('{"type":"u"}')

    assert rig.got == [Message("t", {"n": 1})] * 2
    assert rig.got[0] is rig.got[1]


def test_waits_come_before_handlers(rig: Rig) -> None:
    """When a handler is called, the waits for the same message are done already."""
    expected = rig.pending.expect(["t"])
    rig.emitter.on("t", lambda message: rig.got.append(expected.answer is message))
    rig.dispatch.deliver('{"type":"t"}')

    assert rig.got == [True]


def test_a_wait_needs_no_handler(rig: Rig) -> None:
    """A message that is only waited for is built, too."""
    expected = rig.pending.expect(["t"])
    rig.dispatch.deliver('{"type":"t","data":{"n":1}}')

    assert expected.answer == Message("t", {"n": 1})


def test_a_frame_nobody_wants_is_not_built(rig: Rig) -> None:
    """Of a frame that is for others only the type is read: what else is wrong does not matter."""
    rig.emitter.on("u", rig.got.append)
    rig.dispatch.deliver('{"type":"t","data":7}')

    assert rig.got == []


def test_who_wants_every_frame_gets_text(rig: Rig) -> None:
    """The event `message` gets the text of each frame, before anybody gets the message."""
    rig.emitter.on("message", rig.got.append)
    rig.emitter.on("t", rig.got.append)
    text = '{ "type":"t" }'
    rig.dispatch.deliver(text)
    rig.dispatch.deliver('{"type":"u"}')

    assert rig.got == [text, Message("t"), '{"type":"u"}']


def test_a_message_of_type_message_is_a_frame_like_any_other(rig: Rig) -> None:
    """The type `message` on the bus does not hand a message to those who expect text."""
    rig.emitter.on("message", rig.got.append)
    expected = rig.pending.expect(["message"])
    rig.dispatch.deliver('{"type":"message"}')

    assert rig.got == ['{"type":"message"}']
    assert expected.answer == Message("message")


@pytest.mark.parametrize("text", ["hello", "{}", '{"type":"t","data":7}'])
def test_a_frame_that_is_no_message_reaches_no_handler(rig: Rig, text: str) -> None:
    """Nonsense is an error; only who wants every frame sees it."""
    rig.emitter.on("t", rig.got.append)
    expected = rig.pending.expect(["t"])
    with pytest.raises(MalformedMessage):
        rig.dispatch.deliver(text)
    assert rig.got == []
    assert not expected.over

    rig.emitter.on("message", rig.got.append)
    with pytest.raises(MalformedMessage):
        rig.dispatch.deliver(text)
    assert rig.got == [text]
