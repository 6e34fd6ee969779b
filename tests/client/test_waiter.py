"""One wait, on a client and on any other bus."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ovos_utils.fakebus import FakeBus
from pyee.base import EventEmitter

from ovos_bus_client import testing
from ovos_bus_client.client import MessageWaiter
from ovos_bus_client.message import Message


class BusOfOurs(testing.FakeBus):
    """A client, on a bus in memory."""

    def waits_for(self, type_: str) -> bool:
        return type_ in self.pending


class BusOfOthers:
    """A bus of another make: once and remove, and nothing else to listen with."""

    def __init__(self) -> None:
        self._emitter = EventEmitter()

    def once(self, type_: str, handler: Callable[..., Any]) -> None:
        self._emitter.once(type_, handler)

    def remove(self, type_: str, handler: Callable[..., Any]) -> None:
        if handler in self._emitter.listeners(type_):
            self._emitter.remove_listener(type_, handler)

    def emit(self, message: Message) -> None:
        self._emitter.emit(message.msg_type, message)

    def waits_for(self, type_: str) -> bool:
        return bool(self._emitter.listeners(type_))


class FakeBusOfOthers(FakeBus):  # type: ignore[misc]
    """The bus that skill authors test with. Its messages need a session here."""

    def emit(self, message: Message) -> None:
        message.context.setdefault("session", {"session_id": "default"})
        super().emit(message)

    def waits_for(self, type_: str) -> bool:
        return bool(self.ee.listeners(type_))


@pytest.fixture(params=[BusOfOurs, BusOfOthers, FakeBusOfOthers])
def bus(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_the_message_may_come_before_the_wait(bus: Any) -> None:
    """What comes between the making of a waiter and its wait is not missed."""
    waiter = MessageWaiter(bus, "t")
    message = Message("t", {"n": 1})
    bus.emit(message)
    bus.emit(Message("t", {"n": 2}))

    assert waiter.wait(0) == message
    assert waiter.wait(0) == message
    assert not bus.waits_for("t")


def test_the_message_may_come_during_the_wait(bus: Any) -> None:
    """A wait ends as soon as the message is there."""
    waiter = MessageWaiter(bus, "t")
    sender = threading.Thread(target=bus.emit, args=(Message("t"),))
    sender.start()

    assert waiter.wait(10) is not None
    sender.join()


def test_no_message_is_none(bus: Any) -> None:
    """A wait that ends without a message returns None, and nobody listens any more."""
    waiter = MessageWaiter(bus, "t")
    assert bus.waits_for("t")
    bus.emit(Message("u"))

    assert waiter.wait(0) is None
    assert not bus.waits_for("t")
    bus.emit(Message("t"))
    assert waiter.wait(None) is None


@pytest.mark.parametrize("types", [["a", "b"], ("b", "a"), ["a", "b", "a"]])
def test_the_first_of_several_types_counts(types: Any, bus: Any) -> None:
    """Any of several types ends the wait, and none is listened to after that."""
    waiter = MessageWaiter(bus, types)
    bus.emit(Message("b"))
    bus.emit(Message("a"))
    message = waiter.wait(0)

    assert waiter.msg_type == list(types)
    assert message is not None
    assert message.msg_type == "b"
    assert not bus.waits_for("a")
    assert not bus.waits_for("b")


def test_waiters_do_not_take_from_each_other(bus: Any) -> None:
    """Two who wait for one type both get the message; one that gave up does not disturb."""
    one, two, gone = (MessageWaiter(bus, "t") for _ in range(3))
    gone.give_up()
    message = Message("t")
    bus.emit(message)

    assert one.wait(0) == two.wait(0) == message
    assert gone.wait(0) is None


def test_a_waiter_that_gave_up_keeps_the_answer_it_has(bus: Any) -> None:
    """Giving up after the message came changes nothing."""
    waiter = MessageWaiter(bus, "t")
    bus.emit(Message("t"))
    waiter.give_up()

    assert waiter.wait(0) is not None
